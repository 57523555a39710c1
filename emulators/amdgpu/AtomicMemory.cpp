//===- AtomicMemory.cpp - Read-modify-write operations on memory --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/AtomicMemory.h"

#include "emulators/amdgpu/GlobalRaces.h"
#include "emulators/amdgpu/MemoryStatistics.h"

#include "emulators/common/Float.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct Named {
  std::string_view name;
  Atomic kind;
  bool isReversed = false;
};
/// Before the type: gfx9's names for global memory have none, and "_x2" is 64 bits.
constexpr Named named[] = {
    {"add", Atomic::Add},
    {"sub", Atomic::Subtract},
    {"rsub", Atomic::ReverseSubtract},
    {"csub", Atomic::SubtractClamp},
    {"sub_clamp", Atomic::SubtractClamp},
    {"cond_sub", Atomic::SubtractIf},
    {"inc", Atomic::Increment},
    {"dec", Atomic::Decrement},
    {"smin", Atomic::MinSigned},
    {"umin", Atomic::MinUnsigned},
    {"smax", Atomic::MaxSigned},
    {"umax", Atomic::MaxUnsigned},
    {"and", Atomic::And},
    {"or", Atomic::Or},
    {"xor", Atomic::Xor},
    {"swap", Atomic::Swap},
    {"wrxchg", Atomic::Swap},
    {"storexchg", Atomic::Swap},
    {"cmpswap", Atomic::CompareSwap},
    {"cmpst", Atomic::CompareSwap, true},
    {"cmpstore", Atomic::CompareSwap},
    {"mskor", Atomic::MaskedOr},
    {"wrap", Atomic::Wrap},
};
constexpr Named floats[] = {
    {"add", Atomic::FloatAdd},
    {"min", Atomic::FloatMin},
    {"max", Atomic::FloatMax},
    {"min_num", Atomic::FloatMin},
    {"max_num", Atomic::FloatMax},
    {"cmpswap", Atomic::FloatCompareSwap},
    {"cmpstore", Atomic::FloatCompareSwap},
    {"cmpst", Atomic::FloatCompareSwap, true},
};

bool consumeSuffix(std::string_view &text, std::string_view suffix) {
  if (text.size() < suffix.size() || text.substr(text.size() - suffix.size()) != suffix)
    return false;
  text.remove_suffix(suffix.size());
  return true;
}

template <typename T> T smaller(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  if (a == b)
    return std::signbit(a) ? a : b;
  return a < b ? a : b;
}

template <typename T> T larger(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return std::isnan(a) ? b : a;
  if (a == b)
    return std::signbit(a) ? b : a;
  return a > b ? a : b;
}

template <typename T, typename Bits>
uint64_t applyFloat(Atomic kind, uint64_t old, uint64_t data, uint64_t second) {
  T memory = bitCast<T>(static_cast<Bits>(old)),
    value = bitCast<T>(static_cast<Bits>(data));
  switch (kind) {
  case Atomic::FloatAdd:
    return bitCast<Bits>(memory + value);
  case Atomic::FloatMin:
    return bitCast<Bits>(smaller(memory, value));
  case Atomic::FloatMax:
    return bitCast<Bits>(larger(memory, value));
  default:
    return memory == bitCast<T>(static_cast<Bits>(second)) ? data : old;
  }
}

template <typename Half> uint64_t addHalves(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  for (unsigned shift = 0; shift < 32; shift += 16)
    sum |= doubleToHalf<Half>(addToOdd(halfToDouble<Half>(a >> shift & 0xffff),
                                       halfToDouble<Half>(b >> shift & 0xffff)))
           << shift;
  return sum;
}

/// Takes the lock of a word of global memory while it lives; LDS is one thread's.
class WordLock {
public:
  WordLock(Wave &wave, Space space, uint64_t address) {
    if (space != Space::Global)
      return;
    flag = &wave.group.launch.device.memory.lockOf(address);
    while (flag->test_and_set(std::memory_order_acquire)) {
    }
  }
  ~WordLock() {
    if (flag)
      flag->clear(std::memory_order_release);
  }
  WordLock(const WordLock &) = delete;

private:
  std::atomic_flag *flag = nullptr;
};
} // namespace

bool tilewright::amdgpu::parseAtomic(std::string_view name, AtomicOperation &operation,
                                     bool &isReversed) {
  operation = {};
  isReversed = false;
  if (name == "pk_add_f16" || name == "pk_add_bf16") {
    operation.kind = name == "pk_add_f16" ? Atomic::AddF16x2 : Atomic::AddBF16x2;
    return true;
  }
  auto find = [&](const auto &table) {
    for (const Named &one : table)
      if (one.name == name) {
        operation.kind = one.kind;
        isReversed = one.isReversed;
        return true;
      }
    return false;
  };
  if (consumeSuffix(name, "_f32"))
    return find(floats);
  if (consumeSuffix(name, "_f64")) {
    operation.bytes = 8;
    return find(floats);
  }
  // "min_i32" is "smin".
  for (std::string_view type : {"_i32", "_u32", "_b32", "_i64", "_u64", "_b64", "_x2"}) {
    if (!consumeSuffix(name, type))
      continue;
    operation.bytes = type == "_x2" || type[2] == '6' ? 8 : 4;
    bool isSigned = type[1] == 'i';
    if (name == "min" || name == "max") {
      operation.kind = name == "min"
                           ? (isSigned ? Atomic::MinSigned : Atomic::MinUnsigned)
                           : (isSigned ? Atomic::MaxSigned : Atomic::MaxUnsigned);
      return type[1] != 'b' && type != "_x2";
    }
    return find(named);
  }
  return find(named);
}

uint64_t tilewright::amdgpu::applyAtomic(AtomicOperation operation, uint64_t old,
                                         uint64_t data, uint64_t second) {
  bool isWide = operation.bytes == 8;
  auto asSigned = [&](uint64_t value) {
    return isWide ? static_cast<int64_t>(value)
                  : static_cast<int64_t>(static_cast<int32_t>(value));
  };
  switch (operation.kind) {
  case Atomic::Add:
    return old + data;
  case Atomic::Subtract:
    return old - data;
  case Atomic::ReverseSubtract:
    return data - old;
  case Atomic::SubtractClamp:
    return old < data ? 0 : old - data;
  case Atomic::SubtractIf:
    return old < data ? old : old - data;
  case Atomic::Increment:
    return old >= data ? 0 : old + 1;
  case Atomic::Decrement:
    return old == 0 || old > data ? data : old - 1;
  case Atomic::MinSigned:
    return asSigned(old) < asSigned(data) ? old : data;
  case Atomic::MinUnsigned:
    return std::min(old, data);
  case Atomic::MaxSigned:
    return asSigned(old) > asSigned(data) ? old : data;
  case Atomic::MaxUnsigned:
    return std::max(old, data);
  case Atomic::And:
    return old & data;
  case Atomic::Or:
    return old | data;
  case Atomic::Xor:
    return old ^ data;
  case Atomic::Swap:
    return data;
  case Atomic::CompareSwap:
    return old == second ? data : old;
  case Atomic::MaskedOr:
    return (old & ~data) | second;
  case Atomic::Wrap:
    return old >= data ? old - data : old + second;
  case Atomic::AddF16x2:
    return addHalves<F16>(old, data);
  case Atomic::AddBF16x2:
    return addHalves<BF16>(old, data);
  case Atomic::FloatAdd:
  case Atomic::FloatMin:
  case Atomic::FloatMax:
  case Atomic::FloatCompareSwap:
    return isWide ? applyFloat<double, uint64_t>(operation.kind, old, data, second)
                  : applyFloat<float, uint32_t>(operation.kind, old, data, second);
  }
  return old;
}

/// A compare-and-swap at `address`, which was found.
static void noteCompareSwap(Wave &wave, Space space, uint64_t address) {
  LaunchRun &launch = wave.group.launch;
  if (space == Space::Lds)
    return wave.group.noteCompareSwap(static_cast<uint32_t>(address));
  if (!launch.globalRaces)
    return;
  const Allocation &allocation = *launch.device.memory.find(address);
  launch.globalRaces->noteCompareSwap(wave, allocation, address - allocation.base);
}

void tilewright::amdgpu::updateMemory(Wave &wave, Space space, const Lanes64 &at,
                                      uint64_t lanes, AtomicOperation operation,
                                      const LaneSource &data, unsigned secondAt,
                                      LaneData &old) {
  const unsigned bytes = operation.bytes, registers = bytes / 4;
  countAccess(wave, space, at, lanes, bytes, Access::Atomic);
  // Of a value's registers: the value, and a bit for each undefined byte.
  auto take = [&](unsigned first, unsigned lane, uint64_t &value) {
    value = data.values[first][lane];
    uint8_t poison = data.poison[first] ? data.poison[first][lane] : 0;
    if (registers == 2) {
      value |= uint64_t(data.values[first + 1][lane]) << 32;
      if (data.poison[first + 1])
        poison |= static_cast<uint8_t>(data.poison[first + 1][lane] << 4);
    }
    return poison;
  };
  for (uint64_t left = lanes; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    Place place = space == Space::Global
                      ? findGlobal(wave, at[lane], bytes, bytes, lane, Access::Atomic)
                  : space == Space::Lds
                      ? findLds(wave, at[lane], bytes, bytes, lane, Access::Atomic)
                      : Place();
    if (space == Space::Private)
      wave.report(Rule::Unsupported, "an atomic operation on private memory", lane);
    if (!place) {
      old.poisonLanes(registers, uint64_t(1) << lane);
      continue;
    }
    uint64_t value, second = 0, memory = 0;
    uint8_t poison = take(0, lane, value);
    uint8_t secondPoison = operation.hasSecond() ? take(secondAt, lane, second) : 0;
    if (operation.kind == Atomic::CompareSwap ||
        operation.kind == Atomic::FloatCompareSwap)
      noteCompareSwap(wave, space, at[lane]);
    WordLock lock(wave, space, at[lane]);
    memcpy(&memory, place.data, bytes);
    uint8_t memoryPoison = poisonFromShadow(place.shadow, bytes);
    uint64_t result = applyAtomic(operation, memory, value, second);
    memcpy(place.data, &result, bytes);
    if (operation.kind != Atomic::Swap && (poison | secondPoison | memoryPoison))
      poison = 0xff;
    poisonToShadow(poison, place.shadow, bytes);
    old.isPoisoned |= memoryPoison != 0;
    for (unsigned i = 0; i < registers; ++i) {
      old.values[i][lane] = static_cast<uint32_t>(memory >> (32 * i));
      old.poison[i][lane] = memoryPoison >> (4 * i) & 0xf;
    }
  }
  if (space == Space::Global)
    wave.group.launch.globalProgress.fetch_add(1, std::memory_order_relaxed);
  else
    wave.group.noteProgress();
}
