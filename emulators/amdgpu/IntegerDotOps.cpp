//===- IntegerDotOps.cpp - Dot products of small integers ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"
#include "emulators/amdgpu/UndefinedBits.h"

using namespace tilewright::amdgpu;

namespace {
/// Of Instruction::flags.
constexpr uint32_t firstSigned = 1, secondSigned = 2, sumSigned = 4, clamps = 8;

/// The exact sum of the products of elements of `bits` bits and `c`; wrapped to 32 bits,
/// or with `clamp` the nearest integer of them.
template <unsigned bits> Step dot(Wave &wave, const Instruction &instruction) {
  ReadSource<uint32_t> a(wave, instruction.source[0]), b(wave, instruction.source[1]),
      c(wave, instruction.source[2]);
  const bool isSigned = instruction.flags & sumSigned;
  Lanes32 result;
  LanePoison poison;
  auto element = [](uint32_t value, unsigned at, bool isSigned) {
    return static_cast<int64_t>(extractBits(value, at * bits, bits, 32, isSigned));
  };
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    int64_t sum = isSigned ? static_cast<int32_t>(c.values[lane])
                           : static_cast<int64_t>(c.values[lane]);
    for (unsigned i = 0; i < 32 / bits; ++i)
      sum += element(a.values[lane], i, instruction.flags & firstSigned) *
             element(b.values[lane], i, instruction.flags & secondSigned);
    if (instruction.flags & clamps)
      sum = isSigned ? saturate<int32_t>(sum)
                     : static_cast<int64_t>(saturate<uint32_t>(sum));
    result[lane] = static_cast<uint32_t>(sum);
    poison[lane] =
        wholeIf((a.poison ? a.poison[lane] : 0u) | (b.poison ? b.poison[lane] : 0u) |
                (c.poison ? c.poison[lane] : 0u));
  }
  wave.write(instruction.destination[0], result.v,
             a.poison || b.poison || c.poison ? poison.v : nullptr);
  return Step::Next;
}

struct DotEntry {
  std::string_view name;
  Handler handler;
  uint32_t flags;
  bool accumulates = false;  ///< the destination is the third source
  bool choosesSigns = false; ///< neg_lo says which sources are signed
};
constexpr uint32_t allSigned = firstSigned | secondSigned | sumSigned;
constexpr DotEntry entries[] = {
    {"v_dot4_i32_i8", dot<8>, allSigned},
    {"v_dot4_u32_u8", dot<8>, 0},
    {"v_dot8_i32_i4", dot<4>, allSigned},
    {"v_dot8_u32_u4", dot<4>, 0},
    {"v_dot2_i32_i16", dot<16>, allSigned},
    {"v_dot2_u32_u16", dot<16>, 0},
    {"v_dot4c_i32_i8", dot<8>, allSigned, true},
    {"v_dot8c_i32_i4", dot<4>, allSigned, true},
    {"v_dot2c_i32_i16", dot<16>, allSigned, true},
    {"v_dot4_i32_iu8", dot<8>, sumSigned, false, true},
    {"v_dot8_i32_iu4", dot<4>, sumSigned, false, true},
};

bool decodeDot(Decoder &decoder, const DotEntry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.handler;
  instruction.flags = entry.flags;
  if (decoder.flag("clamp"))
    instruction.flags |= clamps;
  std::vector<int64_t> signs;
  if (entry.choosesSigns && decoder.integers("neg_lo", signs)) {
    if (signs.size() != 3 || signs[2])
      return decoder.fail("neg_lo of the third source");
    instruction.flags |= (signs[0] ? firstSigned : 0) | (signs[1] ? secondSigned : 0);
  }
  if (!decoder.expect(entry.accumulates ? 3 : 4) ||
      !decoder.destination(0, instruction.destination[0]))
    return false;
  for (unsigned i = 0; i < 2; ++i)
    if (!decoder.source(i + 1, Type::B32, instruction.source[i]))
      return false;
  return decoder.source(entry.accumulates ? 0 : 3, Type::B32, instruction.source[2]);
}
} // namespace

Decoded tilewright::amdgpu::decodeIntegerDot(Decoder &decoder) {
  for (const DotEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeDot(decoder, entry));
  return Decoded::NotMine;
}
