//===- ScalarCompareOps.cpp - Scalar comparisons and choices ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"

using namespace tilewright::amdgpu;

namespace {
using Compare = bool (*)(uint64_t, uint64_t);

int64_t asSigned(uint64_t a) { return static_cast<int32_t>(a); }
bool isEqual(uint64_t a, uint64_t b) { return a == b; }
bool isOther(uint64_t a, uint64_t b) { return a != b; }
bool isGreater(uint64_t a, uint64_t b) { return a > b; }
bool isGreaterEqual(uint64_t a, uint64_t b) { return a >= b; }
bool isLess(uint64_t a, uint64_t b) { return a < b; }
bool isLessEqual(uint64_t a, uint64_t b) { return a <= b; }
bool isGreaterI32(uint64_t a, uint64_t b) { return asSigned(a) > asSigned(b); }
bool isGreaterEqualI32(uint64_t a, uint64_t b) { return asSigned(a) >= asSigned(b); }
bool isLessI32(uint64_t a, uint64_t b) { return asSigned(a) < asSigned(b); }
bool isLessEqualI32(uint64_t a, uint64_t b) { return asSigned(a) <= asSigned(b); }

template <Compare holds> Step compareScalars(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.source[0]);
  ScalarValue b = wave.readScalar(instruction.source[1]);
  uint64_t undefined = a.poison | b.poison;
  // A defined bit that differs decides whether two are equal.
  bool isDecided =
      (holds == isEqual || holds == isOther) && ((a.bits ^ b.bits) & ~undefined);
  wave.setScc(holds(a.bits, b.bits), undefined && !isDecided);
  return Step::Next;
}

template <unsigned bits, bool value>
Step compareBit(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.source[0]);
  ScalarValue b = wave.readScalar(instruction.source[1]);
  unsigned at = b.bits & (bits - 1);
  wave.setScc((a.bits >> at & 1) == value,
              (a.poison >> at & 1) || (b.poison & (bits - 1)));
  return Step::Next;
}

/// `b` where SCC is not set; which bits that is all the same for are defined anyhow.
ScalarValue choose(Wave &wave, ScalarValue a, ScalarValue b) {
  ScalarValue result = wave.scc ? a : b;
  if (wave.sccPoison)
    result.poison = a.poison | b.poison | (a.bits ^ b.bits);
  return result;
}
Step selectScalar(Wave &wave, const Instruction &instruction) {
  return writeOnly(wave, instruction,
                   choose(wave, wave.readScalar(instruction.source[0]),
                          wave.readScalar(instruction.source[1])));
}
Step moveIf(Wave &wave, const Instruction &instruction) {
  return writeOnly(wave, instruction,
                   choose(wave, wave.readScalar(instruction.source[0]),
                          wave.readScalar(instruction.destination[0])));
}
Step moveImmediate(Wave &wave, const Instruction &instruction) {
  return writeOnly(wave, instruction, wave.readScalar(instruction.source[0]));
}

constexpr Type B32 = Type::B32, B64 = Type::B64;
#define W2 0, {B32, B32}, 2
#define L2 0, {B64, B64}, 2
constexpr ScalarEntry entries[] = {
    {"s_cmp_eq_i32", compareScalars<isEqual>, W2},
    {"s_cmp_lg_i32", compareScalars<isOther>, W2},
    {"s_cmp_gt_i32", compareScalars<isGreaterI32>, W2},
    {"s_cmp_ge_i32", compareScalars<isGreaterEqualI32>, W2},
    {"s_cmp_lt_i32", compareScalars<isLessI32>, W2},
    {"s_cmp_le_i32", compareScalars<isLessEqualI32>, W2},
    {"s_cmp_eq_u32", compareScalars<isEqual>, W2},
    {"s_cmp_lg_u32", compareScalars<isOther>, W2},
    {"s_cmp_gt_u32", compareScalars<isGreater>, W2},
    {"s_cmp_ge_u32", compareScalars<isGreaterEqual>, W2},
    {"s_cmp_lt_u32", compareScalars<isLess>, W2},
    {"s_cmp_le_u32", compareScalars<isLessEqual>, W2},
    {"s_cmp_eq_u64", compareScalars<isEqual>, L2},
    {"s_cmp_lg_u64", compareScalars<isOther>, L2},
    {"s_bitcmp0_b32", compareBit<32, false>, W2},
    {"s_bitcmp1_b32", compareBit<32, true>, W2},
    {"s_bitcmp0_b64", compareBit<64, false>, 0, {B64, B32}, 2},
    {"s_bitcmp1_b64", compareBit<64, true>, 0, {B64, B32}, 2},
    {"s_cselect_b32", selectScalar, 1, {B32, B32}, 2},
    {"s_cselect_b64", selectScalar, 2, {B64, B64}, 2},
    {"s_cmov_b32", moveIf, 1, {B32}, 1},
    {"s_cmov_b64", moveIf, 2, {B64}, 1},
};
#undef W2
#undef L2

/// Comparisons and moves with a number of sixteen bits: `s_cmpk_lt_i32 s0, 0x8000`.
bool decodeImmediate(Decoder &decoder, Handler handler, bool isSigned, bool compares) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = handler;
  if (!decoder.expect(2) || decoder.operand(1).kind != Operand::Integer)
    return decoder.fail("it has no number");
  int64_t bits = decoder.operand(1).bits;
  Source &number = instruction.source[compares ? 1 : 0];
  number.kind = Operand::Integer;
  number.bits = isSigned ? static_cast<uint32_t>(static_cast<int16_t>(bits))
                         : static_cast<uint16_t>(bits);
  return compares ? decoder.source(0, B32, instruction.source[0])
                  : decoder.destination(0, instruction.destination[0]);
}
} // namespace

Decoded tilewright::amdgpu::decodeScalarCompare(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (name == "s_movk_i32")
    return decodedIf(decodeImmediate(decoder, moveImmediate, true, false));
  if (name == "s_cmovk_i32")
    return decodedIf(decodeImmediate(decoder, moveIf, true, false));
  constexpr std::string_view prefix = "s_cmpk_";
  if (name.substr(0, prefix.size()) == prefix) {
    std::string full = "s_cmp_" + std::string(name.substr(prefix.size()));
    for (const ScalarEntry &entry : entries)
      if (entry.name == full)
        return decodedIf(
            decodeImmediate(decoder, entry.handler, name[name.size() - 3] == 'i', true));
    return Decoded::NotMine;
  }
  return decodeScalars(decoder, entries);
}
