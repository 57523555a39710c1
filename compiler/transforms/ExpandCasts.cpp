//===- ExpandCasts.cpp - Numeric conversions in arithmetic --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every conversion goes through a carrier that holds its source exactly:
//
//   float -> float     f16, bf16, f8 -> f32 -> the result
//   float -> integer   f16, bf16, f8 -> f32 -> the result
//   integer -> float   -> f32 or f64 -> the result
//
// The step into a narrow float is the only one that rounds. Where a carrier can not
// hold its source (f64 or a wide integer on its way to f16, bf16 or f8), it is rounded
// to odd: an inexact value gets an odd last bit, so that the second rounding sees on
// which side of a midpoint the source was.
//
// f32 <-> f16 is the hardware's. bf16 and f8 are integer operations, because the
// instruction vcvtneps2bf16 flushes denormals and f8 has no instruction.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Expr.h"
#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"

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
  Expr rounded = shiftUnsigned(bits + 0x7fff + (upper & 1), 16);
  Expr result = select(isNaN(x), upper | 0x0040, rounded);
  return result.to<arith::TruncIOp>(b.getI16Type()).bitsAs(b.getBF16Type());
}

/// e5m2 is the upper half of an f16. e4m3fn has f16's sign and an exponent whose bias
/// is less by 8; read as f16 it is too small by 2^8, denormals included.
static Expr f8ToF32(Expr x) {
  auto &b = x.builder();
  Expr bits = x.bits().to<arith::ExtUIOp>(b.getI16Type());
  auto asF32 = [&](Expr halfBits) {
    return halfBits.bitsAs(b.getF16Type()).to<arith::ExtFOp>(b.getF32Type());
  };
  if (isa<Float8E5M2Type>(x.element()))
    return asF32(bits << 8);
  Expr magnitude = bits & 0x7f;
  Expr scaled = asF32(((bits & 0x80) << 8) | (magnitude << 7)) * 256.0;
  Expr nan = scaled.constant(std::numeric_limits<double>::quiet_NaN());
  return select(equal(magnitude, 0x7f), nan, scaled);
}

namespace {
/// An 8-bit float: its significand and how its extremes look in f32 and in 8 bits.
struct F8Format {
  unsigned mantissaBits;
  int bias;
  float largest;
  unsigned nan;
};
} // namespace

static F8Format formatOf(Type f8) {
  if (isa<Float8E5M2Type>(f8))
    return {2, 15, 57344.0f, 0x7e};
  return {3, 7, 448.0f, 0x7f};
}

/// Rounds to nearest even; what is larger than the largest finite number becomes it.
static Expr f32ToF8(Expr x, Type f8) {
  auto &b = x.builder();
  auto [mantissaBits, bias, largest, nan] = formatOf(f8);
  unsigned dropped = 23 - mantissaBits;
  Expr bits = x.bits();
  Expr sign = shiftUnsigned(bits, 24) & 0x80;
  Expr magnitude = bits & 0x7fffffff;
  uint32_t limit = llvm::bit_cast<uint32_t>(largest);
  Expr saturated = select(below(magnitude, limit), magnitude, limit);

  // Normal results: round away the low bits of the significand (a carry into the
  // exponent is right) and move the exponent to its bias.
  Expr odd = shiftUnsigned(saturated, dropped) & 1;
  Expr normal = shiftUnsigned(saturated + ((1u << (dropped - 1)) - 1) + odd, dropped) -
                ((127 - bias) << mantissaBits);
  // Denormal results are multiples of the smallest one: adding the number whose last
  // bit weighs as much makes the adder round, and leaves the multiple in the low bits.
  uint32_t smallestNormal = (127 - bias + 1) << 23;
  uint32_t aligner = smallestNormal + (dropped << 23);
  Expr aligned = saturated.bitsAs(x.element());
  aligned = aligned + llvm::bit_cast<float>(aligner);
  Expr denormal = aligned.bits() - aligner;

  Expr rounded = select(below(saturated, smallestNormal), denormal, normal);
  Expr result = select(isNaN(x), nan, rounded) | sign;
  return result.to<arith::TruncIOp>(b.getI8Type()).bitsAs(f8);
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

static Expr floatToFloat(Expr x, Type to) {
  auto &b = x.builder();
  if (x.element() == to)
    return x;
  if (to.isF32())
    return toF32(x);
  if (to.isF64())
    return toF32(x).to<arith::ExtFOp>(to);
  Expr carrier = x.element().isF64() ? f64ToF32Odd(x) : toF32(x);
  if (to.isF16())
    return carrier.to<arith::TruncFOp>(b.getF16Type());
  return to.isBF16() ? f32ToBF16(carrier) : f32ToF8(carrier, to);
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

/// `value` converted to elements of type `to`; `index` counts as i64.
static Value expandCast(OpBuilder &b, Location loc, Value value, Type to,
                        bool unsignedSource, bool unsignedResult) {
  Expr x(b, loc, value);
  if (x.element().isIndex())
    x = x.to<arith::IndexCastOp>(b.getI64Type());
  Type carrier = to.isIndex() ? b.getI64Type() : to;
  bool isUnsigned = unsignedSource || x.element().isInteger(1);
  Expr result =
      isa<FloatType>(carrier)
          ? (x.isFloat() ? floatToFloat(x, carrier) : intToFloat(x, carrier, isUnsigned))
          : (x.isFloat() ? floatToInt(x, carrier, unsignedResult)
                         : intToInt(x, carrier, isUnsigned));
  return to.isIndex() ? result.to<arith::IndexCastOp>(to) : result;
}

namespace {
struct ExpandCasts : tile::impl::ExpandCastsBase<ExpandCasts> {
  void runOnOperation() override {
    getOperation()->walk([](CastOp cast) {
      OpBuilder b(cast);
      Value result = expandCast(b, cast.getLoc(), cast.getInput(),
                                getElementTypeOrSelf(cast.getResult()),
                                cast.getUnsignedSource(), cast.getUnsignedResult());
      cast.replaceAllUsesWith(result);
      cast.erase();
    });
  }
};
} // namespace
