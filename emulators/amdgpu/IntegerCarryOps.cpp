//===- IntegerCarryOps.cpp - Carries and selections by a mask of lanes --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"

using namespace tilewright::amdgpu;

namespace {
/// Of Instruction::flags.
constexpr uint32_t subtracts = 1, isReversed = 2, clamps = 4;

/// v_add_co_u32 v0, vcc, v1, v2 and v_addc_co_u32 v0, vcc, v1, v2, vcc.
Step addWithCarry(Wave &wave, const Instruction &instruction) {
  const uint32_t flags = instruction.flags;
  ReadSource<uint32_t> a(wave, instruction.source[flags & isReversed ? 1 : 0]),
      b(wave, instruction.source[flags & isReversed ? 0 : 1]);
  ScalarValue carry;
  if (instruction.source[2])
    carry = wave.readMask(instruction.source[2]);
  Lanes32 result;
  LanePoison poison;
  ScalarValue out;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint64_t in = carry.bits >> lane & 1;
    uint64_t sum = flags & subtracts ? uint64_t(a.values[lane]) - b.values[lane] - in
                                     : uint64_t(a.values[lane]) + b.values[lane] + in;
    uint64_t over = sum >> 32 & 1;
    result[lane] = static_cast<uint32_t>(sum);
    if (flags & clamps && over)
      result[lane] = flags & subtracts ? 0 : ~0u;
    out.bits |= over << lane;
  }
  const bool any = a.poison || b.poison || carry.poison;
  for (unsigned lane = 0; any && lane < maxLanes; ++lane) {
    unsigned bits = (a.poison ? a.poison[lane] : 0) | (b.poison ? b.poison[lane] : 0) |
                    (carry.poison >> lane & 1);
    poison[lane] = flags & clamps ? wholeIf(bits) : upward(bits);
    out.poison |= uint64_t(bits != 0) << lane;
  }
  wave.write(instruction.destination[0], result.v, any ? poison.v : nullptr);
  out.bits &= wave.active;
  out.poison &= wave.active;
  wave.writeMask(instruction.destination[1], out);
  return Step::Next;
}

/// v_cndmask_b32 v0, v1, v2, vcc: v2 where the mask has a one.
template <typename T> Step choose(Wave &wave, const Instruction &instruction) {
  ReadSource<T> a(wave, instruction.source[0]), b(wave, instruction.source[1]);
  ScalarValue mask = wave.readMask(instruction.source[2]);
  LaneArray<T> result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = mask.bits >> lane & 1 ? b.values[lane] : a.values[lane];
  const bool any = a.poison || b.poison || mask.poison & wave.active;
  LanePoison poison;
  for (unsigned lane = 0; any && lane < maxLanes; ++lane) {
    uint8_t p = a.poison ? a.poison[lane] : 0, q = b.poison ? b.poison[lane] : 0;
    poison[lane] = mask.bits >> lane & 1 ? q : p;
    if (mask.poison >> lane & 1) // equal bytes are defined whichever is chosen
      poison[lane] = p | q | bytesOf(uint64_t(a.values[lane] ^ b.values[lane]));
  }
  writeLanes(wave, instruction, result, any ? poison.v : nullptr);
  return Step::Next;
}

struct CarryEntry {
  std::string_view name;
  uint32_t flags;
  bool hasCarryIn;
};
constexpr CarryEntry carries[] = {
    {"v_add_co_u32", 0, false},
    {"v_sub_co_u32", subtracts, false},
    {"v_subrev_co_u32", subtracts | isReversed, false},
    {"v_addc_co_u32", 0, true},
    {"v_subb_co_u32", subtracts, true},
    {"v_subbrev_co_u32", subtracts | isReversed, true},
    {"v_add_co_ci_u32", 0, true},
    {"v_sub_co_ci_u32", subtracts, true},
    {"v_subrev_co_ci_u32", subtracts | isReversed, true},
};

bool decodeCarry(Decoder &decoder, const CarryEntry &entry) {
  Instruction &instruction = decoder.instruction;
  const unsigned maskRegisters = decoder.target.waveSize / 32;
  instruction.execute = addWithCarry;
  instruction.flags = entry.flags;
  if (decoder.flag("clamp"))
    instruction.flags |= clamps;
  return decoder.expect(entry.hasCarryIn ? 5 : 4) &&
         decoder.destination(0, instruction.destination[0]) &&
         decoder.destination(1, instruction.destination[1], maskRegisters) &&
         decoder.source(2, Type::B32, instruction.source[0]) &&
         decoder.source(3, Type::B32, instruction.source[1]) &&
         (!entry.hasCarryIn ||
          decoder.source(4, Type::B32, instruction.source[2], maskRegisters));
}

bool decodeChoice(Decoder &decoder, bool isHalf) {
  Instruction &instruction = decoder.instruction;
  const unsigned maskRegisters = decoder.target.waveSize / 32;
  instruction.execute = isHalf ? choose<uint16_t> : choose<uint32_t>;
  // Floats, for these take abs and neg.
  const Type type = isHalf ? Type::F16 : Type::F32;
  if (decoder.count() == 3) { // of VOPD, whose mask is VCC
    Source &mask = instruction.source[2];
    mask.kind = Operand::Scalar;
    mask.reg = Vcc;
    mask.count = static_cast<uint8_t>(maskRegisters);
  } else if (!decoder.expect(4) ||
             !decoder.source(3, Type::B32, instruction.source[2], maskRegisters)) {
    return false;
  }
  constexpr Type halves[] = {Type::B16, Type::B16, Type::B32};
  return decoder.destination(0, instruction.destination[0]) &&
         decoder.source(1, type, instruction.source[0]) &&
         decoder.source(2, type, instruction.source[1]) &&
         (!isHalf || decodeHalfSelect(decoder, halves, 3, true));
}
} // namespace

Decoded tilewright::amdgpu::decodeIntegerCarry(Decoder &decoder) {
  for (const CarryEntry &entry : carries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeCarry(decoder, entry));
  if (decoder.mnemonic() == "v_cndmask_b32")
    return decodedIf(decodeChoice(decoder, false));
  if (decoder.mnemonic() == "v_cndmask_b16")
    return decodedIf(decodeChoice(decoder, true));
  return Decoded::NotMine;
}
