//===- ExpandCasts.cpp - Numeric conversions in arithmetic --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every conversion goes through a carrier that holds its source exactly:
//
//   float -> float     f16, bf16, f8, f4 -> f32 -> the result
//   float -> integer   f16, bf16, f8, f4 -> f32 -> the result
//   integer -> float   -> f32 or f64 -> the result
//
// The step into a narrow float is the only one that rounds. Where a carrier can not
// hold its source (f64 or a wide integer on its way to f16, bf16, f8 or f4), it is
// rounded to odd: an inexact value gets an odd last bit, so that the second rounding sees
// on which side of a midpoint the source was.
//
// f32 <-> f16 is the hardware's, and so is f32 -> bf16 on targets that do it right: the
// CPU's instruction flushes denormals (NativeCasts.cpp). The others are integer
// operations.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Expr.h"
#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_EXPANDCASTS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Between floats
//===----------------------------------------------------------------------===//

/// bf16 is the upper half of an f32.
static Expr bf16ToF32(Expr x) {
  Type i32 = x.builder().getI32Type();
  return (x.bits().to<arith::ExtUIOp>(i32) << 16).bitsAs(x.builder().getF32Type());
}

static Expr f32ToBF16(Expr x) {
  auto &b = x.builder();
  Expr bits = x.bits();
  Expr upper = shiftUnsigned(bits, 16);
  Expr rounded = bits + 0x7fff + (upper & 1);
  Expr result = shiftUnsigned(select(isNaN(x), 0x7fc00000, rounded), 16);
  return result.to<arith::TruncIOp>(b.getI16Type()).bitsAs(b.getBF16Type());
}

namespace {
/// A float of 8 or 4 bits: its significand, and how its extremes look in f32 and in it.
struct SmallFormat {
  unsigned mantissaBits;
  int bias;
  float largest;
  /// The code of what NaN becomes: a NaN, or in f4, which has none, the largest number.
  unsigned nan;
  /// The formats "fnuz" have one NaN, in the place of -0.
  bool unsignedZero = false;
};
} // namespace

static SmallFormat formatOf(Type type) {
  return TypeSwitch<Type, SmallFormat>(type)
      .Case([](Float8E4M3FNType) { return SmallFormat{3, 7, 448, 0x7f}; })
      .Case([](Float8E4M3FNUZType) { return SmallFormat{3, 8, 240, 0x80, true}; })
      .Case([](Float8E4M3B11FNUZType) { return SmallFormat{3, 11, 30, 0x80, true}; })
      .Case([](Float8E5M2Type) { return SmallFormat{2, 15, 57344, 0x7e}; })
      .Case([](Float8E5M2FNUZType) { return SmallFormat{2, 16, 57344, 0x80, true}; })
      .Case([](Float4E2M1FNType) { return SmallFormat{1, 1, 6, 0x7}; })
      .Default([](Type) -> SmallFormat { llvm_unreachable("not a small float"); });
}

/// Significand and exponent move to where f32 has them; a denormal is a multiple of the
/// smallest number.
static Expr smallToF32(Expr x) {
  auto &b = x.builder();
  SmallFormat format = formatOf(x.element());
  unsigned signBit = x.width() - 1;
  Expr bits = x.bits().to<arith::ExtUIOp>(b.getI32Type());
  Expr magnitude = bits & ((1 << signBit) - 1);
  Expr normal = (magnitude << (23 - format.mantissaBits)) + ((127 - format.bias) << 23);
  Expr smallest =
      magnitude.to<arith::SIToFPOp>(b.getF32Type()) *
      std::ldexp(1.0, 1 - format.bias - static_cast<int>(format.mantissaBits));
  Expr isDenormal = magnitude < (1 << format.mantissaBits);
  Expr value =
      select(isDenormal, smallest.bits(), normal) | (shiftUnsigned(bits, signBit) << 31);
  if (format.unsignedZero)
    value = select(equal(bits, format.nan), 0x7fc00000, value);
  return value.bitsAs(b.getF32Type());
}

/// The forms of e4m3 and e2m1 have f16's sign and an exponent whose bias is less; read as
/// f16 they are too small by the difference, denormals included. What is NaN becomes one
/// of f16's. `to` is f16 or f32.
static Expr smallToFloat(Expr x, Type to) {
  auto &b = x.builder();
  SmallFormat format = formatOf(x.element());
  unsigned shift = 10 - format.mantissaBits;
  int magnitude = ((1 << (x.width() - 1)) - 1) << shift;
  Expr bits = x.bits().to<arith::ExtSIOp>(b.getI16Type());
  Expr half = (bits << shift) & (0x8000 | magnitude);
  if (format.unsignedZero)
    half = select(equal(bits, static_cast<int8_t>(format.nan)), -1, half);
  else if (x.width() == 8) // all ones: one more is carried to the exponent's highest bit
    half = half | (((half & magnitude) + (1 << shift)) & 0x4000);
  half = half.bitsAs(b.getF16Type());
  if (!to.isF16())
    half = half.to<arith::ExtFOp>(to);
  return half * std::ldexp(1.0, 15 - format.bias);
}

/// The powers of two are the exponents of f32s, the least of which is denormal. It and
/// NaN, which is all ones, have a bit beside the exponent.
static Expr e8m0ToF32(Expr x) {
  auto &b = x.builder();
  Expr bits = x.bits().to<arith::ExtUIOp>(b.getI32Type());
  Expr isEnd = equal((bits + 1) & 0xfe, 0);
  return ((bits << 23) | (isEnd.to<arith::ExtUIOp>(b.getI32Type()) << 22))
      .bitsAs(b.getF32Type());
}

/// An e5m2 is the upper half of an f16.
static Expr e5m2ToF16(Expr x) {
  auto &b = x.builder();
  return (x.bits().to<arith::ExtUIOp>(b.getI16Type()) << 8).bitsAs(b.getF16Type());
}

static Expr f8ToF32(Expr x) {
  auto &b = x.builder();
  Type type = x.element();
  if (isa<Float8E5M2Type>(type))
    return e5m2ToF16(x).to<arith::ExtFOp>(b.getF32Type());
  if (isa<Float8E8M0FNUType>(type))
    return e8m0ToF32(x);
  return isa<Float8E5M2FNUZType>(type) ? smallToF32(x) : smallToFloat(x, b.getF32Type());
}

/// Rounds to nearest even; what is larger than the largest finite number becomes it, but
/// for an infinity that is kept.
static Expr f32ToSmall(Expr x, Type to, bool keepInfinity) {
  auto &b = x.builder();
  SmallFormat format = formatOf(to);
  unsigned mantissaBits = format.mantissaBits, dropped = 23 - mantissaBits;
  unsigned signBit = to.getIntOrFloatBitWidth() - 1;
  Expr bits = x.bits();
  Expr sign = shiftUnsigned(bits, 31 - signBit) & (1 << signBit);
  Expr magnitude = bits & 0x7fffffff;
  uint32_t limit = llvm::bit_cast<uint32_t>(format.largest);
  Expr saturated = select(below(magnitude, limit), magnitude, limit);

  // Normal results: round away the low bits of the significand (a carry into the
  // exponent is right) and move the exponent to its bias.
  Expr odd = shiftUnsigned(saturated, dropped) & 1;
  Expr normal = shiftUnsigned(saturated + ((1u << (dropped - 1)) - 1) + odd, dropped) -
                ((127 - format.bias) << mantissaBits);
  // Denormal results are multiples of the smallest one: adding the number whose last
  // bit weighs as much makes the adder round, and leaves the multiple in the low bits.
  uint32_t smallestNormal = (127 - format.bias + 1) << 23;
  uint32_t aligner = smallestNormal + (dropped << 23);
  Expr aligned = saturated.bitsAs(x.element());
  aligned = aligned + llvm::bit_cast<float>(aligner);
  Expr denormal = aligned.bits() - aligner;

  Expr rounded = select(below(saturated, smallestNormal), denormal, normal);
  if (keepInfinity && isa<Float8E5M2Type>(to))
    rounded = select(equal(magnitude, 0x7f800000), 0x7c, rounded);
  if (format.unsignedZero)
    sign = select(equal(rounded, 0), 0, sign);
  bool signedNaN = isa<Float8E4M3FNType, Float8E5M2Type>(to);
  Expr result = signedNaN ? select(isNaN(x), format.nan, rounded) | sign
                          : select(isNaN(x), format.nan, rounded | sign);
  return result.to<arith::TruncIOp>(b.getIntegerType(signBit + 1)).bitsAs(to);
}

/// The nearest power of two, the larger of two equally near, from 2^-127 to 2^127. Zero,
/// negative numbers and NaN have none and become NaN.
static Expr f32ToE8M0(Expr x, Type to) {
  Expr bits = x.bits();
  // Halfway between two powers the significand is 1.5. Below 2^-126 the f32 is denormal.
  Expr denormal = select(bits < 0x00600000, 0, bits.constant(1));
  Expr normal = shiftUnsigned(bits + 0x00400000, 23);
  Expr nearest = select(bits < 0x00800000, denormal, normal).atMost(254);
  Expr hasOne = (bits > 0) & (bits <= 0x7f800000);
  return select(hasOne, nearest, 255)
      .to<arith::TruncIOp>(x.builder().getI8Type())
      .bitsAs(to);
}

static Expr f32ToF8(Expr x, Type to, bool keepInfinity) {
  return isa<Float8E8M0FNUType>(to) ? f32ToE8M0(x, to) : f32ToSmall(x, to, keepInfinity);
}

/// The f32 next to the f64 `x` that is odd, or `x` itself where it is an f32.
static Expr f64ToF32Odd(Expr x) {
  auto &b = x.builder();
  Expr nearest = x.to<arith::TruncFOp>(b.getF32Type());
  Expr back = nearest.to<arith::ExtFOp>(b.getF64Type());
  Expr bits = nearest.bits();
  // The f32s on both sides of x differ by one in the last bit: take the other one
  // where the nearest is even. Magnitudes order floats of either sign alike.
  Expr magnitude = x.apply<math::AbsFOp>(), roundedTo = back.apply<math::AbsFOp>();
  Expr other = select(roundedTo > magnitude, bits - 1, bits + 1);
  Expr inexact = (back < x) | (back > x);
  return select(inexact & equal(bits & 1, 0), other, bits).bitsAs(b.getF32Type());
}

static Expr toF32(Expr x) {
  Type from = x.element();
  if (from.isF32())
    return x;
  if (from.isBF16())
    return bf16ToF32(x);
  if (from.isF16())
    return x.to<arith::ExtFOp>(x.builder().getF32Type());
  if (from.isF64())
    return x.to<arith::TruncFOp>(x.builder().getF32Type());
  return f8ToF32(x);
}

static Expr floatToFloat(Expr x, Type to, bool keepInfinity = false) {
  auto &b = x.builder();
  if (x.element() == to)
    return x;
  if (to.isF32())
    return toF32(x);
  if (to.isF64())
    return toF32(x).to<arith::ExtFOp>(to);
  if (to.isF16() && isa<Float8E5M2Type>(x.element()))
    return e5m2ToF16(x);
  if (to.isF16() &&
      isa<Float8E4M3FNType, Float8E4M3FNUZType, Float8E4M3B11FNUZType>(x.element()))
    return smallToFloat(x, to);
  Expr carrier = x.element().isF64() ? f64ToF32Odd(x) : toF32(x);
  if (to.isF16())
    return carrier.to<arith::TruncFOp>(b.getF16Type());
  return to.isBF16() ? carrier.to<arith::TruncFOp>(b.getBF16Type())
                     : f32ToF8(carrier, to, keepInfinity);
}

//===----------------------------------------------------------------------===//
// Between floats and integers
//===----------------------------------------------------------------------===//

static Expr floatToInt(Expr x, Type to, bool isUnsigned) {
  if (!x.element().isF64())
    x = toF32(x);
  if (to.isInteger(1))
    return differ(x, 0);
  unsigned width = to.getIntOrFloatBitWidth();
  APInt least = isUnsigned ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  APInt most = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  double lower = least.signedRoundToDouble();
  double upper = std::ldexp(1.0, isUnsigned ? width : width - 1);
  // What converts to a value in range; NaN does not.
  Expr inRange = (x > lower) & (x < upper);
  Expr safe = select(inRange, x, 0.0);
  Expr whole = isUnsigned ? safe.to<arith::FPToUIOp>(to) : safe.to<arith::FPToSIOp>(to);
  whole = select(x >= upper, whole.constant(most), whole);
  return isUnsigned ? whole : select(x <= lower, whole.constant(least), whole);
}

/// `x` where an f64 holds it; else a value of 53 bits that is odd in its last one and
/// between the same multiples of 2^12 as `x`.
static Expr oddTo53Bits(Expr x, bool isUnsigned) {
  const int64_t limit = int64_t(1) << 53;
  Expr fits = isUnsigned ? below(x, limit) : below(x + limit, 2 * limit);
  Expr inexact = differ(x & 0x7ff, 0);
  Expr kept = x & ~int64_t(0x7ff);
  return select(fits, x, select(inexact, kept | 0x800, kept));
}

static Expr intToFloat(Expr x, Type to, bool isUnsigned) {
  auto &b = x.builder();
  auto convert = [&](Expr whole, Type type) {
    return isUnsigned ? whole.to<arith::UIToFPOp>(type) : whole.to<arith::SIToFPOp>(type);
  };
  if (to.isF32() || to.isF64())
    return convert(x, to);
  if (x.width() <= 16)
    return floatToFloat(convert(x, b.getF32Type()), to);
  if (x.width() > 32)
    x = oddTo53Bits(x, isUnsigned);
  return floatToFloat(convert(x, b.getF64Type()), to);
}

//===----------------------------------------------------------------------===//
// Between integers
//===----------------------------------------------------------------------===//

static Expr intToInt(Expr x, Type to, bool isUnsigned) {
  unsigned width = to.getIntOrFloatBitWidth();
  if (width == x.width())
    return x;
  if (width == 1)
    return differ(x, 0);
  if (width < x.width())
    return x.to<arith::TruncIOp>(to);
  return isUnsigned ? x.to<arith::ExtUIOp>(to) : x.to<arith::ExtSIOp>(to);
}

/// The arithmetic of `cast`; `index` counts as i64.
static Value expandCast(OpBuilder &b, CastOp cast) {
  Expr x(b, cast.getLoc(), cast.getInput());
  Type to = getElementTypeOrSelf(cast.getResult());
  if (x.element().isIndex())
    x = x.to<arith::IndexCastOp>(b.getI64Type());
  Type carrier = to.isIndex() ? b.getI64Type() : to;
  bool isUnsigned = cast.getUnsignedSource() || x.element().isInteger(1);
  Expr result = isa<FloatType>(carrier)
                    ? (x.isFloat() ? floatToFloat(x, carrier, cast.getKeepInfinity())
                                   : intToFloat(x, carrier, isUnsigned))
                    : (x.isFloat() ? floatToInt(x, carrier, cast.getUnsignedResult())
                                   : intToInt(x, carrier, isUnsigned));
  return to.isIndex() ? result.to<arith::IndexCastOp>(to) : result;
}

namespace {
struct ExpandCasts : tile::impl::ExpandCastsBase<ExpandCasts> {
  using ExpandCastsBase::ExpandCastsBase;
  void runOnOperation() override {
    DenseSet<Operation *> native; // of a part of the module whose target has them
    getOperation()->walk([&](arith::TruncFOp truncate) { native.insert(truncate); });
    getOperation()->walk([](CastOp cast) {
      OpBuilder b(cast);
      Value result = expandCast(b, cast);
      cast.replaceAllUsesWith(result);
      cast.erase();
    });
    if (nativeBF16)
      return;
    getOperation()->walk([&](arith::TruncFOp truncate) {
      if (!getElementTypeOrSelf(truncate.getType()).isBF16() || native.contains(truncate))
        return;
      OpBuilder b(truncate);
      truncate.replaceAllUsesWith(
          Value(f32ToBF16(Expr(b, truncate.getLoc(), truncate.getIn()))));
      truncate.erase();
    });
  }
};
} // namespace
