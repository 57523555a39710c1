//===- IntegerOps.cpp - Integers of lanes: operands and topics ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"

using namespace tilewright::amdgpu;

bool tilewright::amdgpu::decodeHalfSelect(Decoder &decoder, const Type *types,
                                          unsigned count, bool isHalf) {
  std::vector<int64_t> select;
  if (!decoder.integers("op_sel", select))
    return decoder.getError().empty();
  if (select.size() > count + 1)
    return decoder.fail("op_sel is too long");
  for (size_t i = 0; i < select.size(); ++i) {
    if (select[i] == 0)
      continue;
    bool isSource = i < count;
    if (select[i] != 1 || !(isSource ? types[i] == Type::B16 : isHalf))
      return decoder.fail("op_sel of what has no halves");
    Source &source =
        isSource ? decoder.instruction.source[i] : decoder.instruction.destination[0];
    source.isHigh = true;
  }
  return true;
}

bool tilewright::amdgpu::decodeIntegerOperands(Decoder &decoder,
                                               const IntegerEntry &entry) {
  Instruction &instruction = decoder.instruction;
  const bool isHalf =
      entry.result == ResultKind::Half || entry.result == ResultKind::OldHalf;
  instruction.execute = entry.handler;
  if (entry.clamped && decoder.flag("clamp"))
    instruction.execute = entry.clamped;
  if (entry.result == ResultKind::OldHalf && decoder.target.isCdna())
    instruction.flags |= zeroesOtherHalf;
  if (!decoder.expect(entry.count + 1) ||
      !decoder.destination(0, instruction.destination[0],
                           entry.result == ResultKind::Pair ? 2 : 1))
    return false;
  for (unsigned i = 0; i < entry.count; ++i)
    if (!decoder.source(i + 1, entry.sources[i], instruction.source[i]))
      return false;
  return decodeHalfSelect(decoder, entry.sources, entry.count, isHalf);
}

Decoded tilewright::amdgpu::decodeInteger(Decoder &decoder) {
  constexpr Family topics[] = {
      decodeIntegerLogic,   decodeIntegerArithmetic, decodeIntegerCarry,
      decodeIntegerCompare, decodeIntegerHalf,       decodeIntegerPacked,
      decodeIntegerDot,     decodeIntegerBytes,
  };
  for (Family topic : topics)
    if (Decoded decoded = topic(decoder); decoded != Decoded::NotMine)
      return decoded;
  return Decoded::NotMine;
}
