//===- Redux.cpp - Reductions over a warp -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// redux.sync.{add,min,max}.{u32,s32}, .{and,or,xor}.b32 and, on sm_100a,
// .{min,max}{.abs}{.NaN}.f32. Of a NaN and a number the number is the smaller and the
// larger one; with .NaN the result is NaN. The minimum of zeros is the negative one.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Redux.h"
#include "emulators/common/Float.h"
#include "emulators/ptx/WarpParties.h"

#include <algorithm>
#include <cmath>

using namespace tilewright::ptx;
using tilewright::emulator::bitCast;

namespace {
using Combine32 = uint32_t (*)(uint32_t, uint32_t);
} // namespace

/// Flag: the magnitudes are compared.
static constexpr uint32_t takesMagnitude = 1;
/// Flag: a NaN is the result where there is one.
static constexpr uint32_t keepsNan = 2;
/// Flag: values are floats.
static constexpr uint32_t isFloatFlag = 4;

static constexpr uint32_t canonicalNan = 0x7fffffff, infinityBits = 0x7f800000;

static bool isNan(uint32_t bits) { return (bits & 0x7fffffff) > infinityBits; }

/// A key in whose order floats are: negative ones turned around.
static int32_t orderOf(uint32_t bits) {
  int32_t value = static_cast<int32_t>(bits);
  return value < 0 ? value ^ 0x7fffffff : value;
}

static constexpr Combine32 integerOperations[][2] = {
    {[](uint32_t a, uint32_t b) { return a + b; },
     [](uint32_t a, uint32_t b) { return a + b; }},
    {[](uint32_t a, uint32_t b) { return std::min(a, b); },
     [](uint32_t a, uint32_t b) { return uint32_t(std::min(int32_t(a), int32_t(b))); }},
    {[](uint32_t a, uint32_t b) { return std::max(a, b); },
     [](uint32_t a, uint32_t b) { return uint32_t(std::max(int32_t(a), int32_t(b))); }}};

static constexpr Combine32 bitOperations[] = {
    [](uint32_t a, uint32_t b) { return a & b; },
    [](uint32_t a, uint32_t b) { return a | b; },
    [](uint32_t a, uint32_t b) { return a ^ b; }};

/// Minimum and maximum of floats one of which may be NaN.
static constexpr Combine32 floatOperations[] = {
    [](uint32_t a, uint32_t b) {
      return isNan(a) || (!isNan(b) && orderOf(b) < orderOf(a)) ? b : a;
    },
    [](uint32_t a, uint32_t b) {
      return isNan(a) || (!isNan(b) && orderOf(b) > orderOf(a)) ? b : a;
    }};

/// Operands: d, a, mask; `extra` is the operation.
static Step reduce(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  const Combine32 combine = *static_cast<const Combine32 *>(instruction.extra);
  return forEachParty(warp, reg[2], [&](uint32_t party) {
    const uint64_t *a = warp.values(reg[1]);
    const uint8_t *aPoison = warp.poison(reg[1]);
    uint32_t result = 0;
    uint8_t poison = 0;
    bool isFirst = true, hasNan = false;
    forEachLaneOf(party, [&](unsigned lane) {
      uint32_t value = static_cast<uint32_t>(a[lane]);
      poison |= aPoison[lane] & poisonOfBytes(4);
      if (instruction.flags & takesMagnitude)
        value &= 0x7fffffff;
      hasNan |= isNan(value);
      result = isFirst ? value : combine(result, value);
      isFirst = false;
    });
    if ((instruction.flags & isFloatFlag) &&
        (isNan(result) || (hasNan && (instruction.flags & keepsNan))))
      result = canonicalNan;
    forEachLaneOf(party, [&](unsigned lane) {
      warp.values(reg[0])[lane] = result;
      warp.poison(reg[0])[lane] = poison ? undefinedValue : soundValue;
    });
  });
}

void tilewright::ptx::decodeRedux(Decoder &d) {
  expectArchitecture(d, 80);
  if (!d.take("sync"))
    return d.fail("its form is redux.sync");
  std::optional<unsigned> operation =
      d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  Type type = d.takeType();
  const Combine32 *combine = nullptr;
  if (operation && *operation < 3 && (type == Type::U32 || type == Type::S32))
    combine = &integerOperations[*operation][type == Type::S32];
  else if (operation && *operation >= 3 && type == Type::B32)
    combine = &bitOperations[*operation - 3];
  else if ((operation == 1u || operation == 2u) && type == Type::F32)
    combine = &floatOperations[*operation - 1];
  if (!combine)
    return d.fail("no such operation on that type");
  if (type == Type::F32) {
    expectArchitecture(d, 100);
    d.result.flags = isFloatFlag;
    if (d.take("abs"))
      d.result.flags |= takesMagnitude;
    if (d.take("NaN"))
      d.result.flags |= keepsNan;
  }
  if (!decodeOperands(d, 2, type))
    return;
  d.result.extra = combine;
  d.result.execute = reduce;
}
