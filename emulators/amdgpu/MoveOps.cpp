//===- MoveOps.cpp - Moves between registers and lanes ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorAlu.h"

using namespace tilewright::amdgpu;

namespace {
struct Move {
  static uint32_t apply(uint32_t a) { return a; }
  static uint8_t poison(uint32_t, uint8_t p) { return p; }
};

constexpr VectorEntry moves[] = {
    {"v_mov_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_accvgpr_read_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_accvgpr_write_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_accvgpr_mov_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
};

/// v_readfirstlane_b32 s0, v0: of the first active lane, or of lane 0 where none is.
Step readFirstLane(Wave &wave, const Instruction &instruction) {
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  unsigned lane = wave.firstLane();
  uint64_t poison = 0;
  if (source.poison)
    for (unsigned byte = 0; byte < 4; ++byte)
      if (source.poison[lane] >> byte & 1)
        poison |= uint64_t(0xff) << (8 * byte);
  wave.writeScalar(instruction.destination[0], {source.values[lane], poison});
  return Step::Next;
}
} // namespace

Decoded tilewright::amdgpu::decodeMove(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  if (decoder.mnemonic() == "v_readfirstlane_b32") {
    instruction.execute = readFirstLane;
    return decodedIf(decoder.expect(2) &&
                     decoder.destination(0, instruction.destination[0]) &&
                     decoder.source(1, Type::B32, instruction.source[0]));
  }
  return decodeVectors(decoder, moves);
}
