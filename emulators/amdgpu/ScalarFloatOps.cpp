//===- ScalarFloatOps.cpp - Floating-point arithmetic of scalars --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of gfx12. Values are computed in double, exactly or rounded to odd, and rounded once as
// MODE says.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"
#include "emulators/common/Float.h"

#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
/// What MODE says of a format: rounding in bits 0 and 2, denormals in bits 4 and 6.
struct Arithmetic {
  Arithmetic(const Wave &wave, const Format &format) : format(format) {
    const unsigned shift = format.bits() == 32 ? 0 : 2;
    constexpr Rounding roundings[] = {Rounding::NearestEven, Rounding::Up, Rounding::Down,
                                      Rounding::Zero};
    rounding = roundings[wave.mode >> shift & 3];
    flushesSources = !(wave.mode >> (4 + shift) & 1);
    flushesResults = !(wave.mode >> (5 + shift) & 1);
  }

  uint64_t flush(uint64_t bits) const {
    uint64_t exponent = (format.infinity()) & bits;
    return exponent ? bits : bits & format.signBit();
  }
  bool isNan(uint64_t bits) const {
    return (bits & (format.signBit() - 1)) > format.infinity();
  }
  uint64_t quiet(uint64_t bits) const {
    return bits | uint64_t(1) << (format.mantissaBits - 1);
  }
  uint64_t take(uint64_t bits) const {
    bits &= maskOf(format.bits());
    return flushesSources ? flush(bits) : bits;
  }
  double value(uint64_t bits) const { return toDouble(format, bits); }
  /// Rounds what operands with these bits gave.
  uint64_t give(double exact, std::initializer_list<uint64_t> sources) const {
    for (uint64_t source : sources)
      if (isNan(source))
        return quiet(source);
    if (std::isnan(exact))
      return quiet(format.infinity());
    uint64_t bits = fromDouble(format, exact, rounding);
    return flushesResults ? flush(bits) : bits;
  }

  const Format &format;
  Rounding rounding;
  bool flushesSources, flushesResults;
};

enum class Float : uint8_t {
  Add,
  Subtract,
  Multiply,
  Fma,
  Min,
  Max,
  Minimum,
  Maximum,
  Ceil,
  Floor,
  Trunc,
  Rndne,
};

bool isZero(const Arithmetic &type, uint64_t bits) {
  return (bits & (type.format.signBit() - 1)) == 0;
}

/// The lesser or the greater; of zeros by their signs.
uint64_t extreme(const Arithmetic &type, uint64_t a, uint64_t b, bool wantsMax,
                 bool propagates) {
  if (type.isNan(a) || type.isNan(b)) {
    if (propagates)
      return type.quiet(type.isNan(a) ? a : b);
    return type.isNan(a) ? (type.isNan(b) ? type.quiet(a) : b) : a;
  }
  bool isLess = isZero(type, a) && isZero(type, b) ? (a & type.format.signBit()) != 0
                                                   : type.value(a) < type.value(b);
  return isLess != wantsMax ? a : b;
}

uint64_t compute(const Arithmetic &type, Float operation, uint64_t a, uint64_t b,
                 uint64_t c) {
  double x = type.value(a), y = type.value(b), z = type.value(c);
  switch (operation) {
  case Float::Add:
    return type.give(addToOdd(x, y), {a, b});
  case Float::Subtract:
    return type.give(addToOdd(x, -y), {a, b});
  case Float::Multiply:
    return type.give(x * y, {a, b});
  case Float::Fma:
    return type.give(fusedToOdd(x, y, z), {a, b, c});
  case Float::Min:
  case Float::Max:
    return extreme(type, a, b, operation == Float::Max, false);
  case Float::Minimum:
  case Float::Maximum:
    return extreme(type, a, b, operation == Float::Maximum, true);
  case Float::Ceil:
    return type.give(roundToIntegral(x, Rounding::Up), {a});
  case Float::Floor:
    return type.give(roundToIntegral(x, Rounding::Down), {a});
  case Float::Trunc:
    return type.give(roundToIntegral(x, Rounding::Zero), {a});
  case Float::Rndne:
    return type.give(roundToIntegral(x, Rounding::NearestEven), {a});
  }
  return 0;
}

template <bool isHalf> const Format &formatOf() {
  return isHalf ? formats::f16 : formats::f32;
}

template <Float operation, bool isHalf>
Step arithmetic(Wave &wave, const Instruction &instruction) {
  Arithmetic type(wave, formatOf<isHalf>());
  uint64_t values[3] = {}, poison = 0;
  for (unsigned i = 0; i < 3; ++i) {
    if (!instruction.source[i])
      continue;
    ScalarValue source = wave.readScalar(instruction.source[i]);
    poison |= cutTo(source, type.format.bits()).poison;
    values[i] = type.take(source.bits);
  }
  uint64_t bits = compute(type, operation, values[0], values[1], values[2]);
  return writeOnly(wave, instruction, {bits, poison ? ~uint64_t(0) : 0});
}

/// Whether the relation holds: less, equal, greater, unordered are its bits 0 to 3.
template <unsigned relation, bool isHalf>
Step compareFloats(Wave &wave, const Instruction &instruction) {
  Arithmetic type(wave, formatOf<isHalf>());
  ScalarValue a = cutTo(wave.readScalar(instruction.source[0]), type.format.bits());
  ScalarValue b = cutTo(wave.readScalar(instruction.source[1]), type.format.bits());
  double x = type.value(type.take(a.bits)), y = type.value(type.take(b.bits));
  unsigned is = x < y ? 1 : x == y ? 2 : x > y ? 4 : 8;
  wave.setScc(relation & is, a.poison || b.poison);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

using Conversion = uint64_t (*)(const Wave &, uint64_t a, uint64_t b);
template <Conversion convert, unsigned bits>
Step converted(Wave &wave, const Instruction &instruction) {
  ScalarValue a = wave.readScalar(instruction.source[0]), b;
  if (instruction.source[1])
    b = wave.readScalar(instruction.source[1]);
  uint64_t poison = (a.poison | b.poison) & (bits == 17 ? 0xffff0000 : maskOf(bits));
  return writeOnly(wave, instruction,
                   {convert(wave, a.bits, b.bits), poison ? ~uint64_t(0) : 0});
}

template <bool isSigned> uint64_t fromInteger(const Wave &wave, uint64_t a, uint64_t) {
  double value = isSigned ? static_cast<double>(static_cast<int32_t>(a))
                          : static_cast<double>(static_cast<uint32_t>(a));
  return Arithmetic(wave, formats::f32).give(value, {});
}
template <bool isSigned> uint64_t toInteger32(const Wave &wave, uint64_t a, uint64_t) {
  Arithmetic type(wave, formats::f32);
  double value = type.value(type.take(a));
  return std::isnan(value)
             ? 0
             : toInteger(roundToIntegral(value, Rounding::Zero), 32, isSigned);
}
uint64_t narrow(const Wave &wave, uint64_t a, uint64_t) {
  Arithmetic from(wave, formats::f32), to(wave, formats::f16);
  a = from.take(a);
  if (from.isNan(a))
    return (a >> 16 & 0x8000) | 0x7e00 | (a >> 13 & 0x1ff);
  return to.give(from.value(a), {});
}
template <bool isHigh> uint64_t widen(const Wave &wave, uint64_t a, uint64_t) {
  Arithmetic from(wave, formats::f16), to(wave, formats::f32);
  a = from.take(a >> (isHigh ? 16 : 0));
  if (from.isNan(a))
    return (a & 0x8000) << 16 | 0x7fc00000 | (a & 0x1ff) << 13;
  return to.give(from.value(a), {});
}
uint64_t packHalves(const Wave &wave, uint64_t a, uint64_t b) {
  auto half = [&](uint64_t bits) {
    Arithmetic type(wave, formats::f32);
    bits = type.take(bits);
    return type.isNan(bits) ? (bits >> 16 & 0x8000) | 0x7e00 | (bits >> 13 & 0x1ff)
                            : fromDouble(formats::f16, type.value(bits), Rounding::Zero);
  };
  return half(a) | half(b) << 16;
}

constexpr Type F16 = Type::F16, F32 = Type::F32, B32 = Type::B32;
#define TWO(name, operation)                                                             \
  {name "_f32", arithmetic<Float::operation, false>, 1, {F32, F32}, 2},                  \
      {name "_f16", arithmetic<Float::operation, true>, 1, {F16, F16}, 2}
#define ONE(name, operation)                                                             \
  {name "_f32", arithmetic<Float::operation, false>, 1, {F32}, 1},                       \
      {name "_f16", arithmetic<Float::operation, true>, 1, {F16}, 1}
#define COMPARE(name, relation)                                                          \
  {"s_cmp_" name "_f32", compareFloats<relation, false>, 0, {F32, F32}, 2},              \
      {"s_cmp_" name "_f16", compareFloats<relation, true>, 0, {F16, F16}, 2}
constexpr ScalarEntry entries[] = {
    TWO("s_add", Add),
    TWO("s_sub", Subtract),
    TWO("s_mul", Multiply),
    TWO("s_min_num", Min),
    TWO("s_max_num", Max),
    TWO("s_minimum", Minimum),
    TWO("s_maximum", Maximum),
    ONE("s_ceil", Ceil),
    ONE("s_floor", Floor),
    ONE("s_trunc", Trunc),
    ONE("s_rndne", Rndne),
    {"s_fmaak_f32", arithmetic<Float::Fma, false>, 1, {F32, F32, F32}, 3},
    {"s_fmamk_f32", arithmetic<Float::Fma, false>, 1, {F32, F32, F32}, 3},
    {"s_fmac_f32", arithmetic<Float::Fma, false>, 1, {F32, F32}, 2},
    {"s_fmac_f16", arithmetic<Float::Fma, true>, 1, {F16, F16}, 2},
    COMPARE("lt", 1),
    COMPARE("eq", 2),
    COMPARE("le", 3),
    COMPARE("gt", 4),
    COMPARE("lg", 5),
    COMPARE("ge", 6),
    COMPARE("o", 7),
    COMPARE("u", 8),
    COMPARE("nge", 9),
    COMPARE("nlg", 10),
    COMPARE("ngt", 11),
    COMPARE("nle", 12),
    COMPARE("neq", 13),
    COMPARE("nlt", 14),
    {"s_cvt_f32_i32", converted<fromInteger<true>, 32>, 1, {B32}, 1},
    {"s_cvt_f32_u32", converted<fromInteger<false>, 32>, 1, {B32}, 1},
    {"s_cvt_i32_f32", converted<toInteger32<true>, 32>, 1, {F32}, 1},
    {"s_cvt_u32_f32", converted<toInteger32<false>, 32>, 1, {F32}, 1},
    {"s_cvt_f16_f32", converted<narrow, 32>, 1, {F32}, 1},
    {"s_cvt_f32_f16", converted<widen<false>, 16>, 1, {F16}, 1},
    {"s_cvt_hi_f32_f16", converted<widen<true>, 17>, 1, {B32}, 1},
    {"s_cvt_pk_rtz_f16_f32", converted<packHalves, 32>, 1, {F32, F32}, 2},
};
#undef TWO
#undef ONE
#undef COMPARE
} // namespace

Decoded tilewright::amdgpu::decodeScalarFloat(Decoder &decoder) {
  Decoded decoded = decodeScalars(decoder, entries);
  // fmac adds to its destination.
  if (decoded == Decoded::Yes && decoder.mnemonic().substr(0, 7) == "s_fmac_")
    decoder.instruction.source[2] = decoder.instruction.destination[0];
  return decoded;
}
