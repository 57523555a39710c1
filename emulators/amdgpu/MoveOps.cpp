//===- MoveOps.cpp - Moves between registers and lanes ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"

using namespace tilewright::amdgpu;

namespace {
struct Move {
  template <typename T> static T apply(T a) { return a; }
  static uint64_t undefined(uint64_t, uint64_t p) { return p; }
};

constexpr VectorEntry moves[] = {
    {"v_mov_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_mov_b64", map<uint64_t, Move, uint64_t>, {Type::B64}, 1, 2},
    {"v_accvgpr_read_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_accvgpr_write_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
    {"v_accvgpr_mov_b32", map<uint32_t, Move, uint32_t>, {Type::B32}, 1},
};

Step nothing(Wave &, const Instruction &) { return Step::Next; }

//===----------------------------------------------------------------------===//
// One lane
//===----------------------------------------------------------------------===//

Step writeFrom(Wave &wave, const Instruction &instruction, unsigned lane,
               uint64_t otherPoison) {
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  uint64_t poison = source.poison ? bitsOf(source.poison[lane] & 0xf) : 0;
  wave.writeScalar(instruction.destination[0],
                   {source.values[lane], poison | otherPoison});
  return Step::Next;
}
/// v_readfirstlane_b32 s0, v0: of the first active lane, or of lane 0 where none is.
Step readFirstLane(Wave &wave, const Instruction &instruction) {
  return writeFrom(wave, instruction, wave.firstLane(), 0);
}
/// v_readlane_b32 s0, v0, s1: active or not.
Step readLane(Wave &wave, const Instruction &instruction) {
  ScalarValue lane = wave.readScalar(instruction.source[1]);
  return writeFrom(wave, instruction, lane.bits & (wave.lanes - 1),
                   lane.poison & (wave.lanes - 1) ? 0xffffffff : 0);
}
/// v_writelane_b32 v0, s0, s1: active or not.
Step writeLane(Wave &wave, const Instruction &instruction) {
  ScalarValue value = wave.readScalar(instruction.source[0]);
  unsigned lane = wave.expectScalar(instruction.source[1], "the lane to be written") &
                  (wave.lanes - 1);
  const uint64_t active = wave.active;
  wave.active = uint64_t(1) << lane;
  Lanes32 values;
  LanePoison poison = {};
  std::fill(values.v, values.v + maxLanes, static_cast<uint32_t>(value.bits));
  poison[lane] = bytesOf(value.poison & 0xffffffff);
  wave.write(instruction.destination[0], values.v, poison.v);
  wave.active = active;
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Permutations
//===----------------------------------------------------------------------===//

/// Of Instruction::flags.
constexpr uint32_t fetchesInactive = 1, zeroes = 2, crossesRows = 4;

/// Writes to each lane of `written` what `values` have at the lane `from`. Of a source
/// lane that is not active there is nothing to read: zero, or the lane keeps what it has.
void writeMoved(Wave &wave, const Instruction &instruction, const Source &to,
                const uint32_t *values, const uint8_t *poison, const uint8_t *from,
                uint64_t written = ~uint64_t(0)) {
  Lanes32 result;
  LanePoison moved;
  const uint64_t active = wave.active;
  uint64_t usable = ~uint64_t(0);
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    bool isUsable = instruction.flags & fetchesInactive || active >> from[lane] & 1;
    usable &= ~(uint64_t(!isUsable) << lane);
    result[lane] = isUsable ? values[from[lane]] : 0;
    moved[lane] = isUsable && poison ? poison[from[lane]] : 0;
  }
  wave.active &= written & (instruction.flags & zeroes ? ~uint64_t(0) : usable);
  wave.write(to, result.v, poison ? moved.v : nullptr);
  wave.active = active;
}

/// v_permlane16_b32 v0, v1, s0, s1: within rows, four bits of the selectors for each
/// lane of one; v_permlanex16_b32: of the other row of the pair. v_permlane16_var_b32 has
/// a selector in each lane.
Step permuteRows(Wave &wave, const Instruction &instruction) {
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  uint8_t from[maxLanes];
  const unsigned other = instruction.flags & crossesRows ? 16 : 0;
  if (instruction.source[2]) {
    uint64_t selectors = wave.expectScalar(instruction.source[1], "a lane selector") |
                         wave.expectScalar(instruction.source[2], "a lane selector")
                             << 32;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      from[lane] = static_cast<uint8_t>(((lane & ~15u) ^ other) +
                                        (selectors >> (4 * (lane & 15)) & 15));
  } else {
    ReadSource<uint32_t> selector(wave, instruction.source[1]);
    wave.expectSound(instruction.source[1], "a lane selector");
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      from[lane] =
          static_cast<uint8_t>(((lane & ~15u) ^ other) + (selector.values[lane] & 15));
  }
  writeMoved(wave, instruction, instruction.destination[0], source.values, source.poison,
             from);
  return Step::Next;
}

/// What a swap exchanges must be read before anything is written.
struct Copy {
  Copy(Wave &wave, const Source &source) {
    ReadSource<uint32_t> read(wave, source);
    std::copy(read.values, read.values + maxLanes, values.v);
    isPoisoned = read.poison;
    if (isPoisoned)
      std::copy(read.poison, read.poison + maxLanes, poison.v);
  }
  const uint8_t *undefined() const { return isPoisoned ? poison.v : nullptr; }
  Lanes32 values;
  LanePoison poison;
  bool isPoisoned;
};

/// v_permlane16_swap_b32 v0, v1: odd rows of v0 and even ones of v1 change places;
/// v_permlane32_swap_b32: the upper half of v0 and the lower one of v1.
template <unsigned width> Step swapLanes(Wave &wave, const Instruction &instruction) {
  const Source &first = instruction.destination[0], &second = instruction.destination[1];
  Copy a(wave, first), b(wave, second);
  uint8_t from[maxLanes];
  uint64_t lower = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    from[lane] = static_cast<uint8_t>(lane ^ width);
    lower |= uint64_t(!(lane & width)) << lane;
  }
  writeMoved(wave, instruction, first, b.values.v, b.undefined(), from, ~lower);
  writeMoved(wave, instruction, second, a.values.v, a.undefined(), from, lower);
  return Step::Next;
}

/// v_permlane64_b32: the halves of the wave change places.
Step swapHalves(Wave &wave, const Instruction &instruction) {
  ReadSource<uint32_t> source(wave, instruction.source[0]);
  uint8_t from[maxLanes];
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    from[lane] = static_cast<uint8_t>(lane ^ 32);
  writeMoved(wave, instruction, instruction.destination[0], source.values, source.poison,
             from);
  return Step::Next;
}

Step swapRegisters(Wave &wave, const Instruction &instruction) {
  const Source &first = instruction.destination[0], &second = instruction.destination[1];
  Copy a(wave, first), b(wave, second);
  wave.write(first, b.values.v, b.undefined());
  wave.write(second, a.values.v, a.undefined());
  return Step::Next;
}
/// v_swap_b16 v0.l, v1.h
Step swapHalfRegisters(Wave &wave, const Instruction &instruction) {
  ReadSource<uint16_t> a(wave, instruction.destination[0]),
      b(wave, instruction.destination[1]);
  writeLanes(wave, instruction, b.values, b.poison);
  Instruction second = instruction;
  second.destination[0] = instruction.destination[1];
  writeLanes(wave, second, a.values, a.poison);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

bool decodeOneLane(Decoder &decoder, Handler handler, unsigned sources) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = handler;
  if (!decoder.expect(sources + 1) || !decoder.destination(0, instruction.destination[0]))
    return false;
  for (unsigned i = 0; i < sources; ++i)
    if (!decoder.source(i + 1, Type::B32, instruction.source[i]))
      return false;
  return true;
}

bool decodePermute(Decoder &decoder, bool crosses, bool isVariable) {
  Instruction &instruction = decoder.instruction;
  std::vector<int64_t> select;
  if (decoder.integers("op_sel", select)) {
    if (select.size() < 2)
      return decoder.fail("op_sel is too short");
    instruction.flags |= (select[0] ? fetchesInactive : 0) | (select[1] ? zeroes : 0);
  }
  instruction.flags |= crosses ? crossesRows : 0;
  return decodeOneLane(decoder, permuteRows, isVariable ? 2 : 3);
}

bool decodeSwap(Decoder &decoder, Handler handler) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = handler;
  int64_t value = 0;
  if (decoder.integer("bound_ctrl", value) && value)
    instruction.flags |= zeroes;
  if (decoder.integer("fi", value) && value)
    instruction.flags |= fetchesInactive;
  return decoder.expect(2) && decoder.destination(0, instruction.destination[0]) &&
         decoder.destination(1, instruction.destination[1]);
}
} // namespace

Decoded tilewright::amdgpu::decodeMove(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (name == "v_readfirstlane_b32")
    return decodedIf(decodeOneLane(decoder, readFirstLane, 1));
  if (name == "v_readlane_b32")
    return decodedIf(decodeOneLane(decoder, readLane, 2));
  if (name == "v_writelane_b32")
    return decodedIf(decodeOneLane(decoder, writeLane, 2));
  if (name == "v_permlane16_b32" || name == "v_permlanex16_b32")
    return decodedIf(decodePermute(decoder, name == "v_permlanex16_b32", false));
  if (name == "v_permlane16_var_b32" || name == "v_permlanex16_var_b32")
    return decodedIf(decodePermute(decoder, name == "v_permlanex16_var_b32", true));
  if (name == "v_permlane64_b32") {
    if (decoder.target.waveSize != 64)
      return decodedIf(decoder.fail("the halves of a wave of 32 lanes"));
    return decodedIf(decodeOneLane(decoder, swapHalves, 1));
  }
  if (name == "v_permlane16_swap_b32")
    return decodedIf(decodeSwap(decoder, swapLanes<16>));
  if (name == "v_permlane32_swap_b32")
    return decodedIf(decodeSwap(decoder, swapLanes<32>));
  if (name == "v_swap_b32")
    return decodedIf(decodeSwap(decoder, swapRegisters));
  if (name == "v_swap_b16")
    return decodedIf(decodeSwap(decoder, swapHalfRegisters));
  if (name == "v_nop") {
    decoder.instruction.execute = nothing;
    return Decoded::Yes;
  }
  Decoded decoded = decodeVectors(decoder, moves);
  return decoded == Decoded::NotMine ? decodeIndexedMove(decoder) : decoded;
}
