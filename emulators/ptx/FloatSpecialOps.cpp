//===- FloatSpecialOps.cpp - Quotients, roots and elementary functions --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What PTX calls approximate is computed in double, to 2^-45 or better, and rounded to
// the type once: within 0.5001 units in the last place, where the manual allows from one
// unit (rcp) to 2^-11 (tanh). Hardware gives other values inside its bounds. Where the
// manual says what an approximation gives outside its range (div.approx by more than
// 2^126), so do these.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/FloatLanes.h"

#include <cmath>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {

//===----------------------------------------------------------------------===//
// Quotients and roots
//===----------------------------------------------------------------------===//

float toFloat(uint64_t bits) { return bitCast<float>(uint32_t(bits)); }

void divideF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
               const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = canonicalF32(toFloat(a[i]) / toFloat(b[i]));
}
void divideF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
               const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = bitCast<uint64_t>(bitCast<double>(a[i]) / bitCast<double>(b[i]));
}
/// a · (1 / b), where 1 / b is subnormal and counts as zero for |b| beyond 2^126.
void divideApproxF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *b,
                     const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i) {
    uint32_t magnitude = uint32_t(b[i]) & 0x7fffffff;
    bool tooLarge = magnitude > 0x7e800000 && magnitude < f32Infinity;
    float zero = bitCast<float>(uint32_t(b[i]) & 0x80000000);
    result.lane[i] =
        canonicalF32(tooLarge ? toFloat(a[i]) * zero : toFloat(a[i]) / toFloat(b[i]));
  }
}
void invertF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
               const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = canonicalF32(1.0f / toFloat(a[i]));
}
void invertF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
               const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = bitCast<uint64_t>(1.0 / bitCast<double>(a[i]));
}
void rootF32(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
             const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = canonicalF32(std::sqrt(toFloat(a[i])));
}
void rootF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
             const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = bitCast<uint64_t>(std::sqrt(bitCast<double>(a[i])));
}

/// Of f64 only the upper 32 bits are read, and the lower 32 of the result are zero.
double keepUpper(double value) {
  return bitCast<double>(bitCast<uint64_t>(value) & 0xffffffff00000000);
}
template <double (*Function)(double)>
void grossF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
              const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i) {
    double exact = Function(keepUpper(bitCast<double>(a[i])));
    // To nearest at bit 32, which also takes NaN's payload away.
    uint64_t bits = bitCast<uint64_t>(exact);
    bits = std::isfinite(exact) ? bits + 0x80000000 : bits;
    result.lane[i] = bits & 0xffffffff00000000;
  }
}

double invert(double x) { return 1 / x; }
double invertRoot(double x) { return 1 / std::sqrt(x); }
double sine(double x) { return std::sin(x); }
double cosine(double x) { return std::cos(x); }
double logarithm(double x) { return std::log2(x); }
double hyperbolicTangent(double x) { return std::tanh(x); }
void invertRootF64(LaneBuffer &__restrict result, const uint64_t *a, const uint64_t *,
                   const uint64_t *) {
  for (unsigned i = 0; i < lanesPerWarp; ++i)
    result.lane[i] = bitCast<uint64_t>(invertRoot(bitCast<double>(a[i])));
}

/// 2^x for results of a float's range: 2^n · 2^f with n the nearest integer, |f| <= 1/2
/// and the series of e^(f ln 2), whose rest after the eleventh power is below 2^-45 of
/// it.
__attribute__((always_inline)) inline double exponential(double x) {
  constexpr double ln2 = 0x1.62e42fefa39efp-1;
  constexpr double magic = 0x1.8p52; // a sum with it is rounded to an integer
  constexpr uint64_t sign = uint64_t(1) << 63;
  // Beyond 160, single precision has zero and infinity.
  constexpr uint64_t limit = uint64_t(0x4064) << 48;
  uint64_t given = bitCast<uint64_t>(x), size = given & ~sign;
  double limited = bitCast<double>(
      select(int64_t(size) > int64_t(limit), limit | (given & sign), given));
  double shifted = limited + magic;
  double f = (limited - (shifted - magic)) * ln2;
  double sum = 1.0 / 3628800 + f * (1.0 / 39916800);
  sum = 1.0 / 362880 + f * sum;
  sum = 1.0 / 40320 + f * sum;
  sum = 1.0 / 5040 + f * sum;
  sum = 1.0 / 720 + f * sum;
  sum = 1.0 / 120 + f * sum;
  sum = 1.0 / 24 + f * sum;
  sum = 1.0 / 6 + f * sum;
  sum = 1.0 / 2 + f * sum;
  sum = 1.0 + f * sum;
  sum = 1.0 + f * sum;
  uint64_t power = bitCast<uint64_t>(sum) + (bitCast<uint64_t>(shifted) << 52);
  return bitCast<double>(select(int64_t(size) > int64_t(doubleInfinity), given, power));
}

/// The handler of an elementary function for the float and half types that have it.
template <double (*Function)(double)> Handler getElementary(Type type, bool halves) {
  switch (type) {
  case Type::F32:
    return floatHandler<Type::F32, unaryF32<Function>, 1>;
  case Type::F16:
    return halves ? floatHandler<Type::F16, unaryHalf<F16, Function>, 1> : nullptr;
  case Type::F16x2:
    return halves ? floatHandler<Type::F16x2, unaryHalves<F16, Function>, 1> : nullptr;
  case Type::BF16:
    return halves ? floatHandler<Type::BF16, unaryHalf<BF16, Function>, 1> : nullptr;
  case Type::BF16x2:
    return halves ? floatHandler<Type::BF16x2, unaryHalves<BF16, Function>, 1> : nullptr;
  default:
    return nullptr;
  }
}

//===----------------------------------------------------------------------===//
// copysign and testp
//===----------------------------------------------------------------------===//

template <typename T> uint64_t copySign(uint64_t a, uint64_t b) {
  constexpr T sign = T(1) << (8 * sizeof(T) - 1);
  return T((T(a) & sign) | (T(b) & ~sign));
}

enum class Test : uint8_t { Finite, Infinite, Number, NotANumber, Normal, Subnormal };

template <typename T> Step testHandler(Warp &warp, const Instruction &instruction) {
  constexpr unsigned exponentBits = sizeof(T) == 4 ? 8 : 11;
  constexpr unsigned mantissa = 8 * sizeof(T) - 1 - exponentBits;
  constexpr T infinity = ((T(1) << exponentBits) - 1) << mantissa;
  uint32_t holds = 0, poison = 0;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
    T magnitude = T(warp.values(instruction.operand[1])[lane]) & (T(~T(0)) >> 1);
    // Zero is normal, as an H100 shows.
    bool isNormal =
        (magnitude == 0 || magnitude >= T(1) << mantissa) && magnitude < infinity;
    bool is = false;
    switch (static_cast<Test>(instruction.flags)) {
    case Test::Finite:
      is = magnitude < infinity;
      break;
    case Test::Infinite:
      is = magnitude == infinity;
      break;
    case Test::Number:
      is = magnitude <= infinity;
      break;
    case Test::NotANumber:
      is = magnitude > infinity;
      break;
    case Test::Normal:
      is = isNormal;
      break;
    case Test::Subnormal:
      is = magnitude != 0 && magnitude < T(1) << mantissa;
      break;
    }
    holds |= uint32_t(is) << lane;
    bool undefined = warp.poison(instruction.operand[1])[lane] & poisonOfBytes(sizeof(T));
    poison |= uint32_t(undefined) << lane;
  }
  Predicate &to = warp.predicate(instruction.operand[0]);
  to.value = (to.value & ~warp.active) | (holds & warp.active);
  to.poison = (to.poison & ~warp.active) | (poison & warp.active);
  return Step::Next;
}

void decodeTest(Decoder &decoder) {
  auto test = decoder.takeOneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = decoder.takeType();
  if (!test || (type != Type::F32 && type != Type::F64) || !decoder.expectOperands(2, 2))
    return decoder.fail("a property and .f32 or .f64 are expected");
  decoder.result.operand[0] = decoder.predicate(size_t(0));
  if (decoder.result.operand[0] == noRegister)
    decoder.fail("the result may not be a sink");
  decoder.result.operand[1] = decoder.source(size_t(1), type);
  decoder.result.flags = *test;
  decoder.result.execute =
      type == Type::F32 ? testHandler<uint32_t> : testHandler<uint64_t>;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// div rcp sqrt, which may be rounded.
Handler getRounded(std::string_view opcode, Type type) {
  bool isF64 = type == Type::F64;
  if (opcode == "div")
    return isF64 ? floatHandler<Type::F64, divideF64, 2>
                 : floatHandler<Type::F32, divideF32, 2>;
  if (opcode == "rcp")
    return isF64 ? floatHandler<Type::F64, invertF64, 1>
                 : floatHandler<Type::F32, invertF32, 1>;
  if (opcode == "sqrt")
    return isF64 ? floatHandler<Type::F64, rootF64, 1>
                 : floatHandler<Type::F32, rootF32, 1>;
  return nullptr;
}

/// Those that are approximate; null where `type` is not for `opcode`.
Handler getApproximate(std::string_view opcode, Type type, bool flushes) {
  if (type == Type::F64) {
    if (opcode == "rcp" && flushes)
      return floatHandler<Type::F64, grossF64<invert>, 1>;
    if (opcode == "rsqrt")
      return flushes ? floatHandler<Type::F64, grossF64<invertRoot>, 1>
                     : floatHandler<Type::F64, invertRootF64, 1>;
    return nullptr;
  }
  if (opcode == "tanh")
    return getElementary<hyperbolicTangent>(type, true);
  if (opcode == "ex2")
    return getElementary<exponential>(type, true);
  if (opcode == "rsqrt")
    return getElementary<invertRoot>(type, false);
  if (opcode == "sin")
    return getElementary<sine>(type, false);
  if (opcode == "cos")
    return getElementary<cosine>(type, false);
  if (opcode == "lg2")
    return getElementary<logarithm>(type, false);
  if (type != Type::F32)
    return nullptr;
  return opcode == "div" ? floatHandler<Type::F32, divideApproxF32, 2>
                         : getRounded(opcode, type);
}

} // namespace

void tilewright::ptx::decodeFloatSpecial(Decoder &decoder) {
  std::string_view opcode = decoder.statement.opcode;
  if (opcode == "testp")
    return decodeTest(decoder);
  Type type = decoder.takeType();
  Handler &handler = decoder.result.execute;
  if (opcode == "copysign") {
    if (type != Type::F32 && type != Type::F64)
      return decoder.fail(".f32 or .f64 is expected");
    if (decodeOperands(decoder, 2, type))
      handler = type == Type::F32 ? binaryHandler<copySign<uint32_t>, 4>
                                  : binaryHandler<copySign<uint64_t>, 8>;
    return;
  }
  auto rounding = takeRounding(decoder);
  bool full = opcode == "div" && decoder.take("full");
  bool approximate = full || decoder.take("approx");
  if (rounding.has_value() == approximate)
    return decoder.fail("either a rounding or .approx is expected");
  bool isBfloat = type == Type::BF16 || type == Type::BF16x2;
  bool mayFlush = type == Type::F64
                      ? approximate && (opcode == "rcp" || opcode == "rsqrt")
                      : opcode != "tanh" && (type == Type::F32 || isBfloat);
  bool flushes = mayFlush && decoder.take("ftz");
  if (isBfloat && opcode == "ex2" && !flushes)
    return decoder.fail(".ftz is missing");
  if (isBfloat)
    expectArchitecture(decoder, 90);
  if (rounding && type != Type::F32 && type != Type::F64)
    return decoder.fail("its type is not modelled");
  if (!decodeOperands(decoder, opcode == "div" ? 2 : 1, type))
    return;
  if (flushes)
    decoder.result.flags |= FlushesSubnormals;
  decoder.result.flags |= rounding.value_or(0);
  if (full)
    handler = type == Type::F32 ? getRounded(opcode, type) : nullptr;
  else
    handler =
        approximate ? getApproximate(opcode, type, flushes) : getRounded(opcode, type);
}
