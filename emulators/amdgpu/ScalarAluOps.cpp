//===- ScalarAluOps.cpp - Scalars: operands and topics ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Scalars have a poison bit for each of their bits, because masks of lanes are scalars: a
// lane whose comparison met undefined data leaves the other lanes' bits defined.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"

using namespace tilewright::amdgpu;

bool tilewright::amdgpu::decodeScalarEntry(Decoder &decoder, const ScalarEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  const size_t first = entry.registers ? 1 : 0;
  if (!decoder.expect(entry.count + first) ||
      (entry.registers &&
       !decoder.destination(0, instruction.destination[0], entry.registers)))
    return false;
  for (unsigned i = 0; i < entry.count; ++i)
    if (!decoder.source(first + i, entry.sources[i], instruction.source[i]))
      return false;
  return true;
}

Decoded tilewright::amdgpu::decodeScalarAlu(Decoder &decoder) {
  if (decoder.mnemonic().substr(0, 2) != "s_")
    return Decoded::NotMine;
  constexpr Family topics[] = {decodeScalarLogic, decodeScalarArithmetic,
                               decodeScalarCompare, decodeScalarFloat, decodeScalarState};
  for (Family topic : topics)
    if (Decoded decoded = topic(decoder); decoded != Decoded::NotMine)
      return decoded;
  return Decoded::NotMine;
}
