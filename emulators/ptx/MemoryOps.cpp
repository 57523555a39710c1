//===- MemoryOps.cpp - Stores, and decoding of loads and stores ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LoadOps.cpp tells how both are done.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/CacheOps.h"
#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/MemoryAccess.h"
#include "emulators/ptx/MemoryOrder.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

//===----------------------------------------------------------------------===//
// Stores
//===----------------------------------------------------------------------===//

/// Stores one lane's elements; the bytes' shadow before, or-ed. Bytes that an
/// asynchronous operation will write stay marked.
template <typename T>
static uint8_t storeLane(Warp &warp, const Instruction &instruction, const Place &place,
                         unsigned lane) {
  uint8_t before = orBytes(place.shadow, instruction.listSize * sizeof(T));
  bool isStrong = (instruction.flags & strongAccess) && place.space == Space::Global;
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    uint8_t poison = warp.poison(instruction.list[i])[lane];
    for (unsigned j = 0; j < sizeof(T); ++j) {
      uint8_t &shadow = place.shadow[i * sizeof(T) + j];
      if (!(shadow & busyShadow))
        shadow = poison >> j & 1 ? Undefined : Sound;
    }
    T value = static_cast<T>(warp.values(instruction.list[i])[lane]);
    uint8_t *to = place.data + i * sizeof(T);
    if (isStrong)
      __atomic_store_n(reinterpret_cast<T *>(to), value, __ATOMIC_RELEASE);
    else
      memcpy(to, &value, sizeof(T));
  }
  return before;
}

/// Stores the active lanes' elements; false, with nothing done, where something is not
/// sound or the memory is in use.
template <typename T>
static bool storeSound(Warp &warp, const Instruction &instruction,
                       const WarpAccess &access, const Addresses &addresses) {
  const Span &span = access.span;
  const unsigned count = instruction.listSize;
  const unsigned stride = count * sizeof(T);
  const uint64_t bytes = addresses.highest - addresses.lowest + stride;
  for (unsigned i = 0; i < count; ++i)
    if (anyPoison(warp.poison(instruction.list[i])))
      return false;
  bool isScattered = access.pattern == Addresses::Scattered;
  if (!isScattered) {
    if (orBytes(span.shadow, bytes) & busyShadow)
      return false;
    memset(span.shadow, Sound, bytes);
  } else {
    uint8_t before = 0;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      before |= orBytes(span.shadow + (addresses.of[lane] - span.start), stride);
    if (before & busyShadow)
      return false;
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      memset(span.shadow + (addresses.of[lane] - span.start), Sound, stride);
  }
  for (unsigned i = 0; i < count; ++i) {
    const uint64_t *values = warp.values(instruction.list[i]);
    uint8_t *to = span.data + i * sizeof(T);
    if (access.pattern == Addresses::Unit && count == 1) {
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
        T value = static_cast<T>(values[lane]);
        memcpy(to + lane * sizeof(T), &value, sizeof(T));
      }
      continue;
    }
    if (warp.active == allLanes) {
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
        T value = static_cast<T>(values[lane]);
        memcpy(to + (addresses.of[lane] - span.start), &value, sizeof(T));
      }
      continue;
    }
    for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      T value = static_cast<T>(values[lane]);
      memcpy(to + (addresses.of[lane] - span.start), &value, sizeof(T));
    }
  }
  return true;
}

/// Whether all lanes store what is there already.
template <typename T>
static bool isRewrite(Warp &warp, const Instruction &instruction,
                      const WarpAccess &access, const Addresses &addresses) {
  const Span &span = access.span;
  bool isChecked = span.space == Space::Global ? bool(warp.block.launch.globalRaces)
                                               : span.owner && span.owner->history;
  if (!span || !isChecked)
    return false;
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    const uint64_t *values = warp.values(instruction.list[i]);
    const uint8_t *poison = warp.poison(instruction.list[i]);
    T shadows = 0;
    for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      uint64_t at = addresses.of[lane] - span.start + i * sizeof(T);
      T there, shadow;
      memcpy(&there, span.data + at, sizeof(T));
      memcpy(&shadow, span.shadow + at, sizeof(T));
      // The first difference nearly always is the first lane's.
      if (there != static_cast<T>(values[lane]))
        return false;
      shadows |= shadow;
    }
    if (!shadows && !anyPoison(poison))
      continue;
    for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      uint64_t at = addresses.of[lane] - span.start + i * sizeof(T);
      if (Warp::poisonFromShadow(span.shadow + at, sizeof(T)) !=
          (poison[lane] & poisonOfBytes(sizeof(T))))
        return false;
    }
  }
  return true;
}

/// Whether two values differ as sums do whose terms were added in another order: as
/// normal numbers of f32 or f64 they are close. Lanes that all have the result of a
/// reduction may have it so, since compilers fuse the first multiplication with the
/// addition, and all store it: hardware keeps one of them. Integers are no normal numbers
/// until they are large.
template <typename T> static bool areClose(T a, T b) {
  constexpr double tolerance = 1.0 / (1 << 12);
  auto isClose = [&](auto x, auto y) {
    return std::isnormal(x) && std::isnormal(y) &&
           std::abs(double(x) - double(y)) <= tolerance * std::abs(double(x));
  };
  if constexpr (sizeof(T) == sizeof(double)) {
    double x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return isClose(x, y);
  } else if constexpr (sizeof(T) == sizeof(float)) {
    float x, y;
    memcpy(&x, &a, sizeof(x));
    memcpy(&y, &b, sizeof(y));
    return isClose(x, y);
  }
  return false;
}

/// Reports lanes that store different values to one address. Accesses are aligned to
/// their size, so two of them are at one address or do not overlap.
template <typename T>
static void checkLanes(Warp &warp, const Instruction &instruction,
                       const Addresses &addresses, uint32_t size) {
  // Most often addresses rise from lane to lane.
  bool rises = warp.active == allLanes;
  for (unsigned lane = 1; lane < lanesPerWarp; ++lane)
    rises &= addresses.of[lane] > addresses.of[lane - 1];
  if (rises)
    return;
  auto isEqual = [&](unsigned a, unsigned b) {
    for (unsigned i = 0; i < instruction.listSize; ++i) {
      const uint64_t *values = warp.values(instruction.list[i]);
      const uint8_t *poison = warp.poison(instruction.list[i]);
      T x = static_cast<T>(values[a]), y = static_cast<T>(values[b]);
      if ((x != y && !areClose(x, y)) || poison[a] != poison[b])
        return false;
    }
    return true;
  };
  int8_t slots[2 * lanesPerWarp]; // a hash table of lanes
  memset(slots, -1, sizeof(slots));
  unsigned shift = __builtin_ctz(size);
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    unsigned slot = (addresses.of[lane] >> shift) % (2 * lanesPerWarp);
    while (slots[slot] >= 0 && addresses.of[slots[slot]] != addresses.of[lane])
      slot = (slot + 1) % (2 * lanesPerWarp);
    if (slots[slot] < 0) {
      slots[slot] = static_cast<int8_t>(lane);
    } else if (!isEqual(slots[slot], lane)) {
      return warp.report(Rule::Race,
                         "lanes " + std::to_string(slots[slot]) + " and " +
                             std::to_string(lane) +
                             " of the warp store different values to one address",
                         lane);
    }
  }
}

/// A strong store of a lane, which other threads of the host may see.
template <typename T>
static uint8_t storeStrong(Warp &warp, const Instruction &instruction, AccessOrder &order,
                           const Place &place, uint64_t address, unsigned lane) {
  if (place.space != Space::Global && place.space != Space::Shared)
    return storeLane<T>(warp, instruction, place, lane);
  order.releaseTo(getSyncWord(place, address), /*isStore=*/true);
  if (place.space == Space::Shared)
    return storeLane<T>(warp, instruction, place, lane);
  // Not in the middle of another thread's atomic operation.
  std::atomic_flag &lock = warp.block.launch.device.memory.lockOf(address);
  while (lock.test_and_set(std::memory_order_acquire))
    ;
  uint8_t before = storeLane<T>(warp, instruction, place, lane);
  lock.clear(std::memory_order_release);
  return before;
}

template <typename T> static Step store(Warp &warp, const Instruction &instruction) {
  Addresses addresses;
  if (!addresses.compute(warp, instruction))
    return Step::Stop;
  const uint32_t size = instruction.listSize * sizeof(T);
  const bool isStrong = instruction.flags & strongAccess;
  const Access access = isStrong ? Access::Atomic : Access::Write;
  WarpAccess all = findAll(warp, instruction, addresses, size, /*isRead=*/false);
  noteAll(warp, instruction, all, addresses, size,
          access == Access::Write && isRewrite<T>(warp, instruction, all, addresses)
              ? Access::Rewrite
              : access);
  if (all.span && !isStrong &&
      (all.pattern == Addresses::Scattered || all.pattern == Addresses::Uniform))
    checkLanes<T>(warp, instruction, addresses, size);
  Space space = all.span.space;
  Busy busy;
  std::optional<AccessOrder> order;
  if (isStrong)
    order.emplace(warp, instruction);
  bool isDone = all.span && !isStrong && storeSound<T>(warp, instruction, all, addresses);
  auto storeOne = [&](unsigned lane, uint64_t address, Place &place) {
    space = place.space;
    busy.add(isStrong ? storeStrong<T>(warp, instruction, *order, place, address, lane)
                      : storeLane<T>(warp, instruction, place, lane),
             lane);
    return true;
  };
  if (!isDone &&
      !forPlaces(warp, instruction, all, addresses, size, access, warp.active, storeOne))
    return Step::Stop;
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/false, busy.lane);
  noteProgress(warp, space);
  countAccess(warp, instruction, space, /*isRead=*/false, addresses, size);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// Signed values are extended where a register is wider.
static void decodeExtension(Decoder &d, const Operand &operand) {
  if (!isSigned(d.result.type))
    return;
  const Operand *first = &operand;
  if (operand.kind == Operand::Vector)
    for (const Operand &item : operand.items)
      if (item.kind == Operand::Register)
        first = &item;
  if (first->kind != Operand::Register)
    return;
  Type type = d.function.syntax->registers[first->reg].type;
  if (getBits(type) <= getBits(d.result.type))
    return;
  d.result.source = type;
  d.result.flags |= signExtends;
}

static Handler chooseStore(unsigned bytes) {
  switch (bytes) {
  case 1:
    return store<uint8_t>;
  case 2:
    return store<uint16_t>;
  case 4:
    return store<uint32_t>;
  default:
    return store<uint64_t>;
  }
}

static void decodeAccess(Decoder &d, bool isLoad) {
  Instruction &result = d.result;
  decodeOrder(d, /*isAtomic=*/false);
  if (isLoad && d.take("nc"))
    result.flags |= nonCoherent;
  if (result.flags & (isLoad ? releasing : acquiring))
    return d.fail("loads acquire, and stores release");
  result.space = d.takeSpace();
  std::optional<unsigned> vector = d.takeOneOf({"v2", "v4", "v8"});
  unsigned count = vector ? 2u << *vector : 1;
  result.type = d.takeType();
  unsigned bytes = getBytes(result.type);
  if (getBits(result.type) < 8 || bytes > 16 || (bytes & (bytes - 1)))
    return d.fail("it has no type of 8 to 128 bits");
  if (bytes * count > 32 || (bytes == 16 && count > 1))
    return d.fail("the vector is longer than 32 bytes");
  if (count == 8 && d.statement.opcode == "ldu")
    return d.fail("the vector is longer than four");
  if (bytes * count > 16) {
    if (result.space != Space::Global || d.statement.opcode == "ldu")
      return d.fail("vectors of more than 16 bytes are of global memory");
    expectArchitecture(d, 100);
  }
  if (!decodeCachePolicy(d, 2))
    return;
  if (!isLoad && result.space == Space::Const)
    return d.fail("constants are not written");
  const Operand &data = d.at(isLoad ? 0 : 1);
  decodeAddress(d, d.at(isLoad ? 1 : 0));
  if (d.failed())
    return;
  if (!isLoad && (result.flags & inKernelParams))
    return d.fail("parameters of a kernel are not written");
  if ((data.kind == Operand::Vector ? data.items.size() : 1) != count)
    return d.fail("the data has not as many registers as the vector elements");
  addData(d, data, !isLoad);
  if (isLoad)
    decodeExtension(d, data);
  result.execute = isLoad ? chooseLoad(result, bytes) : chooseStore(bytes);
}

void tilewright::ptx::decodeMemory(Decoder &d) {
  std::string_view opcode = d.statement.opcode;
  if (opcode == "ld" || opcode == "ldu")
    return decodeAccess(d, /*isLoad=*/true);
  if (opcode == "st" && d.take("async"))
    return decodeAsyncStore(d, /*reduces=*/false);
  if (opcode == "st")
    return decodeAccess(d, /*isLoad=*/false);
  decodeCacheControl(d);
}
