//===- Reduction.cpp - What cp.reduce.async.bulk does to each element ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Reduction.h"
#include "emulators/common/Float.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

Reduction tilewright::ptx::takeReduction(Decoder &decoder) {
  std::optional<unsigned> found =
      decoder.takeOneOf({"add", "min", "max", "inc", "dec", "and", "or", "xor"});
  if (!found) {
    decoder.fail("a reduction is expected");
    return Reduction::None;
  }
  return static_cast<Reduction>(*found + 1);
}

template <typename T> static T load(const uint8_t *bytes) {
  T value;
  memcpy(&value, bytes, sizeof(value));
  return value;
}
template <typename T> static void store(uint8_t *bytes, T value) {
  memcpy(bytes, &value, sizeof(value));
}

template <typename T, Reduction op>
static void combineInteger(uint8_t *to, const uint8_t *from) {
  T a = load<T>(to), b = load<T>(from);
  switch (op) {
  case Reduction::Add:
    a = static_cast<T>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
    break;
  case Reduction::Min:
    a = std::min(a, b);
    break;
  case Reduction::Max:
    a = std::max(a, b);
    break;
  case Reduction::Inc: // wraps to zero after b
    a = a >= b ? 0 : a + 1;
    break;
  case Reduction::Dec: // wraps to b after zero, and where a is out of range
    a = a == 0 || a > b ? b : a - 1;
    break;
  case Reduction::And:
    a &= b;
    break;
  case Reduction::Or:
    a |= b;
    break;
  case Reduction::Xor:
    a ^= b;
    break;
  case Reduction::None:
    break;
  }
  store(to, a);
}

/// f16 and bf16: sums are rounded once, and of a NaN and a number the number is both the
/// smaller and the larger one.
template <bool isBrain, Reduction op>
static void combineHalf(uint8_t *to, const uint8_t *from) {
  const Format &format = isBrain ? formats::bf16 : formats::f16;
  double a = toDouble(format, load<uint16_t>(to));
  double b = toDouble(format, load<uint16_t>(from));
  double result = op == Reduction::Add   ? addToOdd(a, b)
                  : op == Reduction::Min ? std::fmin(a, b)
                                         : std::fmax(a, b);
  // The minimum of zeros is the negative one.
  if (op != Reduction::Add && a == 0 && b == 0) {
    bool negative = op == Reduction::Min ? std::signbit(a) || std::signbit(b)
                                         : std::signbit(a) && std::signbit(b);
    result = negative ? -0.0 : 0.0;
  }
  store(to, static_cast<uint16_t>(fromDouble(format, result, Rounding::NearestEven)));
}

static float flush(float value) {
  return std::fabs(value) < 0x1p-126f ? std::copysign(0.0f, value) : value;
}

/// As atomic additions to global memory do: subnormals are zero.
static void addFloat(uint8_t *to, const uint8_t *from) {
  float sum = flush(flush(load<float>(to)) + flush(load<float>(from)));
  if (std::isnan(sum))
    return store(to, uint32_t(0x7fffffff));
  store(to, sum);
}

static void addDouble(uint8_t *to, const uint8_t *from) {
  store(to, load<double>(to) + load<double>(from));
}

template <typename T> static Combine getBitwise(Reduction reduction) {
  switch (reduction) {
  case Reduction::And:
    return combineInteger<T, Reduction::And>;
  case Reduction::Or:
    return combineInteger<T, Reduction::Or>;
  case Reduction::Xor:
    return combineInteger<T, Reduction::Xor>;
  default:
    return nullptr;
  }
}

template <typename T> static Combine getInteger(Reduction reduction, bool mayAdd) {
  switch (reduction) {
  case Reduction::Add:
    return mayAdd ? combineInteger<T, Reduction::Add> : nullptr;
  case Reduction::Min:
    return combineInteger<T, Reduction::Min>;
  case Reduction::Max:
    return combineInteger<T, Reduction::Max>;
  default:
    return nullptr;
  }
}

template <bool isBrain> static Combine getHalf(Reduction reduction) {
  switch (reduction) {
  case Reduction::Add:
    return combineHalf<isBrain, Reduction::Add>;
  case Reduction::Min:
    return combineHalf<isBrain, Reduction::Min>;
  case Reduction::Max:
    return combineHalf<isBrain, Reduction::Max>;
  default:
    return nullptr;
  }
}

Combine tilewright::ptx::getCombine(Reduction reduction, Type type) {
  switch (type) {
  case Type::U32:
    if (reduction == Reduction::Inc)
      return combineInteger<uint32_t, Reduction::Inc>;
    if (reduction == Reduction::Dec)
      return combineInteger<uint32_t, Reduction::Dec>;
    return getInteger<uint32_t>(reduction, true);
  case Type::S32:
    return getInteger<int32_t>(reduction, true);
  case Type::U64:
    return getInteger<uint64_t>(reduction, true);
  case Type::S64:
    return getInteger<int64_t>(reduction, false);
  case Type::B32:
    return getBitwise<uint32_t>(reduction);
  case Type::B64:
    return getBitwise<uint64_t>(reduction);
  case Type::F16:
    return getHalf<false>(reduction);
  case Type::BF16:
    return getHalf<true>(reduction);
  case Type::F32:
    return reduction == Reduction::Add ? addFloat : nullptr;
  case Type::F64:
    return reduction == Reduction::Add ? addDouble : nullptr;
  default:
    return nullptr;
  }
}

void tilewright::ptx::reduceElements(Combine combine, unsigned width, uint8_t *to,
                                     uint8_t *toShadow, const uint8_t *from,
                                     const uint8_t *fromShadow, size_t bytes) {
  for (size_t at = 0; at < bytes; at += width) {
    combine(to + at, from + at);
    bool undefined = false;
    for (unsigned i = 0; i < width; ++i)
      undefined |= toShadow[at + i] != Sound || fromShadow[at + i] != Sound;
    memset(toShadow + at, undefined ? Undefined : Sound, width);
  }
}

void tilewright::ptx::reduceGlobal(GlobalMemory &memory, Combine combine, unsigned width,
                                   uint64_t address, uint8_t *to, uint8_t *toShadow,
                                   const uint8_t *from, const uint8_t *fromShadow,
                                   size_t bytes) {
  // A lock covers 16 bytes.
  for (size_t at = 0; at < bytes;) {
    size_t part = std::min<size_t>(bytes - at, 16 - (address + at) % 16);
    std::atomic_flag &lock = memory.lockOf(address + at);
    while (lock.test_and_set(std::memory_order_acquire)) {
    }
    reduceElements(combine, width, to + at, toShadow + at, from + at, fromShadow + at,
                   part);
    lock.clear(std::memory_order_release);
    at += part;
  }
}
