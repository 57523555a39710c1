//===- VectorAlu.cpp - Operations on each lane's values -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorAlu.h"

using namespace tilewright::amdgpu;

bool tilewright::amdgpu::decodeVector(Decoder &decoder, const VectorEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  unsigned registers =
      entry.resultRegisters ? entry.resultRegisters : decoder.target.waveSize / 32;
  if (!decoder.expect(entry.count + 1) ||
      !decoder.destination(0, instruction.destination[0], registers))
    return false;
  for (unsigned i = 0; i < entry.count; ++i)
    if (!decoder.source(i + 1, entry.sources[i], instruction.source[i]))
      return false;
  return true;
}
