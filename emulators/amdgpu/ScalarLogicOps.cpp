//===- ScalarLogicOps.cpp - Scalar logic, shifts and bit fields ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"

using namespace tilewright::amdgpu;

namespace {
using Logic1 = ScalarValue (*)(ScalarValue a, unsigned bits);
using Logic2 = ScalarValue (*)(ScalarValue, ScalarValue);
using Shift = ScalarValue (*)(ScalarValue a, ScalarValue b, unsigned bits);

template <Logic2 apply> Step logic(Wave &wave, const Instruction &instruction) {
  return writeNonzero(wave, instruction,
                      apply(wave.readScalar(instruction.source[0]),
                            wave.readScalar(instruction.source[1])));
}
/// s_and: what is undefined of a source under a mask, all of which is defined, comes from
/// it.
Step andOfSources(Wave &wave, const Instruction &instruction) {
  const unsigned parts = instruction.destination[0].count;
  ScalarValue values[2];
  for (unsigned i = 0; i < 2; ++i)
    values[i] = wave.readScalar(instruction.source[i]);
  Origin origins[2];
  for (unsigned part = 0; part < parts; ++part)
    for (unsigned i = 0; i < 2; ++i) {
      const Source &source = instruction.source[i];
      auto poison = static_cast<uint32_t>(values[i].poison >> (32 * part));
      auto maskPoison = static_cast<uint32_t>(values[1 - i].poison >> (32 * part));
      if (poison && !maskPoison && Origins::isRegister(source))
        origins[part] = wave.origins.find(source, ~uint64_t(0), part);
    }
  Step step = writeNonzero(wave, instruction, andOf(values[0], values[1]));
  for (unsigned part = 0; part < parts; ++part)
    wave.origins.set(instruction.destination[0], origins[part], part);
  return step;
}
/// s_xor: bits that are undefined in both sources and the same cancel out.
Step xorOfSources(Wave &wave, const Instruction &instruction) {
  const Source &first = instruction.source[0], &second = instruction.source[1];
  ScalarValue a = wave.readScalar(first), b = wave.readScalar(second);
  ScalarValue value = xorOf(a, b);
  for (unsigned part = 0; part < instruction.destination[0].count; ++part)
    if (wave.origins.findShared(first, second, part))
      value.poison &= ~(a.poison & b.poison & maskOf(32) << (32 * part));
  return writeNonzero(wave, instruction, value);
}
/// Sets SCC, or not.
template <Logic1 apply> Step one(Wave &wave, const Instruction &instruction) {
  return writeNonzero(
      wave, instruction,
      apply(wave.readScalar(instruction.source[0]), bitsOfDestination(instruction)));
}
template <Logic1 apply> Step quietOne(Wave &wave, const Instruction &instruction) {
  return writeOnly(
      wave, instruction,
      apply(wave.readScalar(instruction.source[0]), bitsOfDestination(instruction)));
}
template <Shift apply> Step two(Wave &wave, const Instruction &instruction) {
  return writeNonzero(wave, instruction,
                      apply(wave.readScalar(instruction.source[0]),
                            wave.readScalar(instruction.source[1]),
                            bitsOfDestination(instruction)));
}
template <Shift apply> Step quietTwo(Wave &wave, const Instruction &instruction) {
  return writeOnly(wave, instruction,
                   apply(wave.readScalar(instruction.source[0]),
                         wave.readScalar(instruction.source[1]),
                         bitsOfDestination(instruction)));
}

/// The destination gets EXEC as it was (s_and_saveexec) or as it becomes
/// (s_and_not1_wrexec); EXEC gets the result.
template <Logic2 apply, bool savesNew>
Step changeExec(Wave &wave, const Instruction &instruction) {
  const unsigned bits = bitsOfDestination(instruction);
  ScalarValue exec = cutTo({wave.getExec(), 0}, bits);
  ScalarValue value = cutTo(apply(wave.readScalar(instruction.source[0]), exec), bits);
  wave.writeScalar(instruction.destination[0], savesNew ? value : exec);
  Source to = instruction.destination[0];
  to.reg = Exec;
  wave.writeScalar(to, value);
  setSccNonzero(wave, value);
  return Step::Next;
}
constexpr ScalarValue notAnd(ScalarValue a, ScalarValue b) { return andNotOf(b, a); }
constexpr ScalarValue notOr(ScalarValue a, ScalarValue b) { return orNotOf(b, a); }

//===----------------------------------------------------------------------===//
// One source
//===----------------------------------------------------------------------===//

ScalarValue move(ScalarValue a, unsigned) { return a; }
ScalarValue invert(ScalarValue a, unsigned) { return notOf(a); }
ScalarValue reverse(ScalarValue a, unsigned bits) {
  return {reverseBits(a.bits, bits), reverseBits(a.poison, bits)};
}
template <unsigned from> ScalarValue extendSign(ScalarValue a, unsigned) {
  return {extractBits(a.bits, 0, from, 64, true),
          extractBits(a.poison, 0, from, 64, true)};
}
/// Of each group of four bits, whether any is set: in one bit, or in all four.
template <bool isWhole> ScalarValue quads(ScalarValue a, unsigned bits) {
  ScalarValue result;
  for (unsigned quad = 0; quad < bits / 4; ++quad) {
    uint64_t set = a.bits >> (4 * quad) & 0xf, undefined = a.poison >> (4 * quad) & 0xf;
    uint64_t ones = isWhole ? 0xf : 1;
    unsigned at = isWhole ? 4 * quad : quad;
    result.bits |= (set ? ones : 0) << at;
    result.poison |= (undefined && !(set & ~undefined) ? ones : 0) << at;
  }
  return result;
}
ScalarValue replicate(ScalarValue a, unsigned) {
  ScalarValue result;
  for (unsigned i = 0; i < 32; ++i) {
    result.bits |= (a.bits >> i & 1) * 3 << (2 * i);
    result.poison |= (a.poison >> i & 1) * 3 << (2 * i);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Shifts and fields
//===----------------------------------------------------------------------===//

ScalarValue undefinedValue() { return {0, ~uint64_t(0)}; }

ScalarValue shiftLeft(ScalarValue a, ScalarValue b, unsigned bits) {
  if (b.poison & (bits - 1))
    return undefinedValue();
  unsigned count = b.bits & (bits - 1);
  return {a.bits << count, a.poison << count};
}
ScalarValue shiftRight(ScalarValue a, ScalarValue b, unsigned bits) {
  if (b.poison & (bits - 1))
    return undefinedValue();
  unsigned count = b.bits & (bits - 1);
  return {a.bits >> count, a.poison >> count};
}
ScalarValue shiftRightSigned(ScalarValue a, ScalarValue b, unsigned bits) {
  if (b.poison & (bits - 1))
    return undefinedValue();
  unsigned count = b.bits & (bits - 1);
  return {extractBits(a.bits, count, bits, bits, true),
          extractBits(a.poison, count, bits, bits, true)};
}
/// b: the offset in its low bits, seven bits of width from bit 16.
template <bool isSigned>
ScalarValue extractField(ScalarValue a, ScalarValue b, unsigned bits) {
  if (b.poison & (0x7f0000 | (bits - 1)))
    return undefinedValue();
  unsigned offset = b.bits & (bits - 1), width = b.bits >> 16 & 0x7f;
  return {extractBits(a.bits, offset, width, bits, isSigned),
          extractBits(a.poison, offset, width, bits, isSigned)};
}
ScalarValue makeMask(ScalarValue a, ScalarValue b, unsigned bits) {
  if ((a.poison | b.poison) & (bits - 1))
    return undefinedValue();
  return {maskOf(a.bits & (bits - 1)) << (b.bits & (bits - 1)), 0};
}
template <bool highA, bool highB>
ScalarValue pack(ScalarValue a, ScalarValue b, unsigned) {
  auto half = [](uint64_t value, bool isHigh) {
    return value >> (isHigh ? 16 : 0) & 0xffff;
  };
  return {half(a.bits, highA) | half(b.bits, highB) << 16,
          half(a.poison, highA) | half(b.poison, highB) << 16};
}

/// s_bitset1_b32 s0, s1: one bit of the destination.
template <bool value> Step setBit(Wave &wave, const Instruction &instruction) {
  const unsigned bits = bitsOfDestination(instruction);
  ScalarValue at = wave.readScalar(instruction.source[0]);
  ScalarValue result = wave.readScalar(instruction.destination[0]);
  uint64_t bit = uint64_t(1) << (at.bits & (bits - 1));
  result.bits = value ? result.bits | bit : result.bits & ~bit;
  result.poison &= ~bit;
  if (at.poison & (bits - 1))
    result = undefinedValue();
  return writeOnly(wave, instruction, result);
}

constexpr Type B32 = Type::B32, B64 = Type::B64;
#define BOTH1(name, handler)                                                             \
  {name "_b32", handler, 1, {B32}, 1}, {name "_b64", handler, 2, {B64}, 1}
#define BOTH2(name, handler)                                                             \
  {name "_b32", handler, 1, {B32, B32}, 2}, {name "_b64", handler, 2, {B64, B64}, 2}
constexpr ScalarEntry entries[] = {
    BOTH1("s_mov", quietOne<move>),
    BOTH1("s_not", one<invert>),
    BOTH1("s_brev", quietOne<reverse>),
    BOTH1("s_wqm", one<quads<true>>),
    BOTH1("s_quadmask", one<quads<false>>),
    BOTH2("s_and", andOfSources),
    BOTH2("s_or", logic<orOf>),
    BOTH2("s_xor", xorOfSources),
    BOTH2("s_andn2", logic<andNotOf>),
    BOTH2("s_and_not1", logic<andNotOf>),
    BOTH2("s_orn2", logic<orNotOf>),
    BOTH2("s_or_not1", logic<orNotOf>),
    BOTH2("s_nand", logic<nandOf>),
    BOTH2("s_nor", logic<norOf>),
    BOTH2("s_xnor", logic<xnorOf>),
    BOTH1("s_and_saveexec", (changeExec<andOf, false>)),
    BOTH1("s_or_saveexec", (changeExec<orOf, false>)),
    BOTH1("s_xor_saveexec", (changeExec<xorOf, false>)),
    BOTH1("s_andn2_saveexec", (changeExec<andNotOf, false>)),
    BOTH1("s_and_not1_saveexec", (changeExec<andNotOf, false>)),
    BOTH1("s_orn2_saveexec", (changeExec<orNotOf, false>)),
    BOTH1("s_or_not1_saveexec", (changeExec<orNotOf, false>)),
    BOTH1("s_nand_saveexec", (changeExec<nandOf, false>)),
    BOTH1("s_nor_saveexec", (changeExec<norOf, false>)),
    BOTH1("s_xnor_saveexec", (changeExec<xnorOf, false>)),
    BOTH1("s_andn1_saveexec", (changeExec<notAnd, false>)),
    BOTH1("s_and_not0_saveexec", (changeExec<notAnd, false>)),
    BOTH1("s_orn1_saveexec", (changeExec<notOr, false>)),
    BOTH1("s_or_not0_saveexec", (changeExec<notOr, false>)),
    BOTH1("s_andn1_wrexec", (changeExec<notAnd, true>)),
    BOTH1("s_and_not0_wrexec", (changeExec<notAnd, true>)),
    BOTH1("s_andn2_wrexec", (changeExec<andNotOf, true>)),
    BOTH1("s_and_not1_wrexec", (changeExec<andNotOf, true>)),
    {"s_lshl_b32", two<shiftLeft>, 1, {B32, B32}, 2},
    {"s_lshl_b64", two<shiftLeft>, 2, {B64, B32}, 2},
    {"s_lshr_b32", two<shiftRight>, 1, {B32, B32}, 2},
    {"s_lshr_b64", two<shiftRight>, 2, {B64, B32}, 2},
    {"s_ashr_i32", two<shiftRightSigned>, 1, {B32, B32}, 2},
    {"s_ashr_i64", two<shiftRightSigned>, 2, {Type::I64, B32}, 2},
    {"s_bfe_u32", two<extractField<false>>, 1, {B32, B32}, 2},
    {"s_bfe_i32", two<extractField<true>>, 1, {B32, B32}, 2},
    {"s_bfe_u64", two<extractField<false>>, 2, {B64, B32}, 2},
    {"s_bfe_i64", two<extractField<true>>, 2, {Type::I64, B32}, 2},
    {"s_bfm_b32", quietTwo<makeMask>, 1, {B32, B32}, 2},
    {"s_bfm_b64", quietTwo<makeMask>, 2, {B32, B32}, 2},
    {"s_pack_ll_b32_b16", quietTwo<pack<false, false>>, 1, {B32, B32}, 2},
    {"s_pack_lh_b32_b16", quietTwo<pack<false, true>>, 1, {B32, B32}, 2},
    {"s_pack_hl_b32_b16", quietTwo<pack<true, false>>, 1, {B32, B32}, 2},
    {"s_pack_hh_b32_b16", quietTwo<pack<true, true>>, 1, {B32, B32}, 2},
    {"s_sext_i32_i8", quietOne<extendSign<8>>, 1, {B32}, 1},
    {"s_sext_i32_i16", quietOne<extendSign<16>>, 1, {B32}, 1},
    {"s_bitreplicate_b64_b32", quietOne<replicate>, 2, {B32}, 1},
    {"s_bitset0_b32", setBit<false>, 1, {B32}, 1},
    {"s_bitset0_b64", setBit<false>, 2, {B32}, 1},
    {"s_bitset1_b32", setBit<true>, 1, {B32}, 1},
    {"s_bitset1_b64", setBit<true>, 2, {B32}, 1},
};
#undef BOTH1
#undef BOTH2
} // namespace

Decoded tilewright::amdgpu::decodeScalarLogic(Decoder &decoder) {
  return decodeScalars(decoder, entries);
}
