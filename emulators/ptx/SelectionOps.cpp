//===- SelectionOps.cpp - selp and slct ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/SelectionOps.h"
#include "emulators/ptx/FloatLanes.h"

using namespace tilewright::ptx;

namespace {

enum SelectionFlags : uint32_t { NegatesSelector = 1, FlushesSelector = 2 };

/// Writes of each lane operand 1 or, where `takesSecond`, operand 2, both by the bytes of
/// the type; where `undefined`, nothing that is defined.
Step writeChosen(Warp &warp, const Instruction &instruction, uint32_t takesSecond,
                 uint32_t undefined) {
  const uint32_t *reg = instruction.operand;
  const uint64_t *a = warp.values(reg[1]), *b = warp.values(reg[2]);
  uint64_t mask = static_cast<uint64_t>(instruction.immediate);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint64_t second = -uint64_t(takesSecond >> lane & 1);
    results.lane[lane] = ((b[lane] & second) | (a[lane] & ~second)) & mask;
  }
  uint8_t bytes = poisonOfBytes(getBytes(instruction.type));
  PoisonWords any;
  any.add(warp, {reg[1], bytes});
  any.add(warp, {reg[2], bytes});
  uint8_t poison[lanesPerWarp] = {};
  if (!any.isSound() || undefined) {
    const uint8_t *poisonA = warp.poison(reg[1]), *poisonB = warp.poison(reg[2]);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      poison[lane] = undefined >> lane & 1     ? undefinedValue
                     : takesSecond >> lane & 1 ? poisonB[lane] & bytes
                                               : poisonA[lane] & bytes;
  }
  writeValues(warp, reg[0], results);
  writePoison(warp, reg[0], poison);
  return Step::Next;
}

Step selpHandler(Warp &warp, const Instruction &instruction) {
  Predicate by = warp.predicate(instruction.operand[3]);
  if (instruction.flags & NegatesSelector)
    by.value = ~by.value;
  return writeChosen(warp, instruction, ~by.value, by.poison);
}

/// Takes the first where the third operand is at least zero.
template <bool IsFloat> Step slctHandler(Warp &warp, const Instruction &instruction) {
  uint32_t negative = 0, undefined = 0;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    uint32_t c = uint32_t(warp.values(instruction.operand[3])[lane]);
    bool isNegative = IsFloat ? !(bitCast<float>(c) >= 0) : int32_t(c) < 0;
    // A negative subnormal is zero by .ftz.
    if ((instruction.flags & FlushesSelector) && (c & 0x7f800000) == 0)
      isNegative = false;
    negative |= uint32_t(isNegative) << lane;
    undefined |= uint32_t((warp.poison(instruction.operand[3])[lane] & 0x0f) != 0)
                 << lane;
  }
  return writeChosen(warp, instruction, negative, undefined);
}

} // namespace

void tilewright::ptx::decodeSelection(Decoder &decoder, bool isSlct) {
  Instruction &result = decoder.result;
  Type type = decoder.takeType();
  unsigned bits = getBits(type);
  if ((bits != 16 && bits != 32 && bits != 64) || isPair(type))
    return decoder.fail("a type of 16, 32 or 64 bits is expected");
  Type by = isSlct ? decoder.takeType() : Type::None;
  if (isSlct && by != Type::S32 && by != Type::F32)
    return decoder.fail("it selects by .s32 or .f32");
  if (by == Type::F32 && decoder.take("ftz"))
    result.flags |= FlushesSelector;
  if (!decoder.expectOperands(4, 4))
    return;
  result.type = type;
  result.immediate = bits == 64 ? -1 : (int64_t(1) << bits) - 1;
  result.operand[0] = decoder.destination(size_t(0));
  result.operand[1] = decoder.source(size_t(1), type);
  result.operand[2] = decoder.source(size_t(2), type);
  result.operand[3] =
      isSlct ? decoder.source(size_t(3), by) : decoder.condition(decoder.at(3));
  if (result.operand[0] == noRegister || result.operand[3] == noRegister)
    decoder.fail("an operand may not be a sink");
  if (!isSlct && decoder.at(3).negated)
    result.flags |= NegatesSelector;
  result.execute = !isSlct           ? selpHandler
                   : by == Type::F32 ? slctHandler<true>
                                     : slctHandler<false>;
}
