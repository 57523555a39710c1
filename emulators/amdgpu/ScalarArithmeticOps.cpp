//===- ScalarArithmeticOps.cpp - Scalar sums, products, counts ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"

using namespace tilewright::amdgpu;

namespace {
using U64 = uint64_t;
/// Gives the result, and SCC where it changes that.
using Operation = U64 (*)(U64 a, U64 b, bool &scc);

enum class Spread : uint8_t {
  Upward, ///< a result's bit depends on bits of the sources up to its place
  Whole,
};

template <Operation apply, Spread spread, bool setsScc>
Step compute(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.source[0]);
  ScalarValue b;
  if (instruction.source[1])
    b = wave.readScalar(instruction.source[1]);
  bool scc = wave.scc;
  U64 bits = apply(a.bits, b.bits, scc);
  U64 poison = a.poison | b.poison;
  poison = spread == Spread::Upward ? upwardBits(poison) : poison ? ~U64(0) : 0;
  writeOnly(wave, instruction, {bits, poison});
  if (setsScc)
    wave.setScc(scc, poison != 0);
  return Step::Next;
}
template <Operation apply> constexpr Handler sum = compute<apply, Spread::Upward, true>;
template <Operation apply>
constexpr Handler quietSum = compute<apply, Spread::Upward, false>;
template <Operation apply> constexpr Handler whole = compute<apply, Spread::Whole, true>;
template <Operation apply> constexpr Handler quiet = compute<apply, Spread::Whole, false>;

/// Sums that read SCC: undefined where that is.
template <Operation apply> Step withCarry(Wave &wave, const Instruction &instruction) {
  bool wasPoison = wave.sccPoison;
  compute<apply, Spread::Upward, true>(wave, instruction);
  if (wasPoison) {
    ScalarValue result = wave.readScalar(instruction.destination[0]);
    writeOnly(wave, instruction, {result.bits, ~U64(0)});
    wave.setScc(wave.scc, true);
  }
  return Step::Next;
}

int64_t asSigned(U64 a) { return static_cast<int32_t>(a); }
U64 setOverflow(int64_t exact, bool &scc) {
  scc = exact != static_cast<int32_t>(exact);
  return static_cast<U64>(exact);
}

U64 addU32(U64 a, U64 b, bool &scc) {
  scc = (a + b) >> 32;
  return a + b;
}
U64 subtractU32(U64 a, U64 b, bool &scc) {
  scc = a < b;
  return a - b;
}
U64 addCarry(U64 a, U64 b, bool &scc) {
  U64 result = a + b + scc;
  scc = result >> 32;
  return result;
}
U64 subtractBorrow(U64 a, U64 b, bool &scc) {
  U64 result = a - b - scc;
  scc = a < b + scc;
  return result;
}
U64 addI32(U64 a, U64 b, bool &scc) {
  return setOverflow(asSigned(a) + asSigned(b), scc);
}
U64 subtractI32(U64 a, U64 b, bool &scc) {
  return setOverflow(asSigned(a) - asSigned(b), scc);
}
template <unsigned count> U64 shiftAdd(U64 a, U64 b, bool &scc) {
  U64 result = (a << count) + b;
  scc = result >> 32;
  return result;
}
U64 add64(U64 a, U64 b, bool &) { return a + b; }
U64 subtract64(U64 a, U64 b, bool &) { return a - b; }
U64 multiply(U64 a, U64 b, bool &) { return a * b; }
U64 multiplyHighU32(U64 a, U64 b, bool &) { return a * b >> 32; }
U64 multiplyHighI32(U64 a, U64 b, bool &) {
  return static_cast<U64>(asSigned(a) * asSigned(b) >> 32);
}
U64 minU32(U64 a, U64 b, bool &scc) { return (scc = a < b) ? a : b; }
U64 maxU32(U64 a, U64 b, bool &scc) { return (scc = a >= b) ? a : b; }
U64 minI32(U64 a, U64 b, bool &scc) { return (scc = asSigned(a) < asSigned(b)) ? a : b; }
U64 maxI32(U64 a, U64 b, bool &scc) { return (scc = asSigned(a) >= asSigned(b)) ? a : b; }
U64 absolute(U64 a, U64, bool &scc) {
  scc = a != 0;
  return asSigned(a) < 0 ? 0 - a : a;
}
/// The difference wraps before its sign is looked at.
U64 absoluteDifference(U64 a, U64 b, bool &scc) {
  scc = a != b;
  return asSigned(a - b) < 0 ? b - a : a - b;
}

template <unsigned bits, bool value> U64 countBits(U64 a, U64, bool &scc) {
  U64 count = static_cast<U64>(__builtin_popcountll(a & maskOf(bits)));
  count = value ? count : bits - count;
  scc = count != 0;
  return count;
}
/// From the lowest bit; -1 where there is none.
template <unsigned bits, bool value> U64 findFirst(U64 a, U64, bool &) {
  a = (value ? a : ~a) & maskOf(bits);
  return a ? static_cast<U64>(__builtin_ctzll(a)) : ~U64(0);
}
/// From the highest bit.
template <unsigned bits> U64 leadingZeros(U64 a, U64, bool &) {
  return a ? static_cast<U64>(__builtin_clzll(a)) - (64 - bits) : ~U64(0);
}
/// The first bit from the highest that is not as the sign is.
template <unsigned bits> U64 leadingSigns(U64 a, U64, bool &scc) {
  bool negative = a >> (bits - 1) & 1;
  return leadingZeros<bits>(negative ? ~a & maskOf(bits) : a, 0, scc);
}

/// s_addk_i32 s0, 0x10, s_mulk_i32: the destination is a source.
template <Operation apply, bool setsScc>
Step withImmediate(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.destination[0]);
  bool scc = wave.scc;
  U64 bits = apply(a.bits, static_cast<uint32_t>(instruction.immediate), scc);
  writeOnly(wave, instruction, {bits, upwardBits(a.poison)});
  if (setsScc)
    wave.setScc(scc, a.poison != 0);
  return Step::Next;
}

constexpr Type B32 = Type::B32, B64 = Type::B64;
#define W1 1, {B32}, 1
#define W2 1, {B32, B32}, 2
#define L1 1, {B64}, 1
#define L2 2, {B64, B64}, 2
constexpr ScalarEntry entries[] = {
    {"s_add_u32", sum<addU32>, W2},
    {"s_add_co_u32", sum<addU32>, W2},
    {"s_sub_u32", sum<subtractU32>, W2},
    {"s_sub_co_u32", sum<subtractU32>, W2},
    {"s_add_i32", sum<addI32>, W2},
    {"s_add_co_i32", sum<addI32>, W2},
    {"s_sub_i32", sum<subtractI32>, W2},
    {"s_sub_co_i32", sum<subtractI32>, W2},
    {"s_addc_u32", withCarry<addCarry>, W2},
    {"s_add_co_ci_u32", withCarry<addCarry>, W2},
    {"s_subb_u32", withCarry<subtractBorrow>, W2},
    {"s_sub_co_ci_u32", withCarry<subtractBorrow>, W2},
    {"s_lshl1_add_u32", sum<shiftAdd<1>>, W2},
    {"s_lshl2_add_u32", sum<shiftAdd<2>>, W2},
    {"s_lshl3_add_u32", sum<shiftAdd<3>>, W2},
    {"s_lshl4_add_u32", sum<shiftAdd<4>>, W2},
    {"s_add_nc_u64", quietSum<add64>, L2},
    {"s_sub_nc_u64", quietSum<subtract64>, L2},
    {"s_mul_u64", quietSum<multiply>, L2},
    {"s_mul_i32", quietSum<multiply>, W2},
    {"s_mul_hi_u32", quiet<multiplyHighU32>, W2},
    {"s_mul_hi_i32", quiet<multiplyHighI32>, W2},
    {"s_min_u32", whole<minU32>, W2},
    {"s_max_u32", whole<maxU32>, W2},
    {"s_min_i32", whole<minI32>, W2},
    {"s_max_i32", whole<maxI32>, W2},
    {"s_abs_i32", whole<absolute>, W1},
    {"s_absdiff_i32", whole<absoluteDifference>, W2},
    {"s_bcnt0_i32_b32", whole<countBits<32, false>>, W1},
    {"s_bcnt0_i32_b64", whole<countBits<64, false>>, L1},
    {"s_bcnt1_i32_b32", whole<countBits<32, true>>, W1},
    {"s_bcnt1_i32_b64", whole<countBits<64, true>>, L1},
    {"s_ff0_i32_b32", quiet<findFirst<32, false>>, W1},
    {"s_ff0_i32_b64", quiet<findFirst<64, false>>, L1},
    {"s_ff1_i32_b32", quiet<findFirst<32, true>>, W1},
    {"s_ff1_i32_b64", quiet<findFirst<64, true>>, L1},
    {"s_ctz_i32_b32", quiet<findFirst<32, true>>, W1},
    {"s_ctz_i32_b64", quiet<findFirst<64, true>>, L1},
    {"s_flbit_i32_b32", quiet<leadingZeros<32>>, W1},
    {"s_flbit_i32_b64", quiet<leadingZeros<64>>, L1},
    {"s_clz_i32_u32", quiet<leadingZeros<32>>, W1},
    {"s_clz_i32_u64", quiet<leadingZeros<64>>, L1},
    {"s_flbit_i32", quiet<leadingSigns<32>>, W1},
    {"s_flbit_i32_i64", quiet<leadingSigns<64>>, L1},
    {"s_cls_i32", quiet<leadingSigns<32>>, W1},
    {"s_cls_i32_i64", quiet<leadingSigns<64>>, L1},
};
#undef W1
#undef W2
#undef L1
#undef L2

struct ImmediateEntry {
  std::string_view name;
  Handler handler;
};
constexpr ImmediateEntry immediates[] = {
    {"s_addk_i32", withImmediate<addI32, true>},
    {"s_addk_co_i32", withImmediate<addI32, true>},
    {"s_mulk_i32", withImmediate<multiply, false>},
};

bool decodeImmediate(Decoder &decoder, Handler handler) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = handler;
  if (!decoder.expect(2) || decoder.operand(1).kind != Operand::Integer)
    return decoder.fail("it has no number");
  instruction.immediate = static_cast<int16_t>(decoder.operand(1).bits);
  return decoder.destination(0, instruction.destination[0]);
}
} // namespace

Decoded tilewright::amdgpu::decodeScalarArithmetic(Decoder &decoder) {
  for (const ImmediateEntry &entry : immediates)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeImmediate(decoder, entry.handler));
  return decodeScalars(decoder, entries);
}
