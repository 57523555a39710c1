//===- ReduceAngle.cpp - Angles less multiples of pi/2 ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No f64 is closer than about 2^-61 to a multiple of pi/2 but 0. Small angles take n pi/2
// away in three parts, with 2^-99 of error; huge ones are multiplied by the bits of 2/pi
// that decide about them (Payne and Hanek), with 2^-125.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;

Value maths::anyLane(Expr condition) {
  auto vector = dyn_cast<VectorType>(condition.type());
  if (!vector)
    return condition;
  OpBuilder &b = condition.builder();
  Location loc = condition.loc();
  auto flat = VectorType::get(vector.getNumElements(), vector.getElementType());
  Value lanes = b.createOrFold<vector::ShapeCastOp>(loc, flat, condition);
  return vector::ReductionOp::create(b, loc, vector::CombiningKind::OR, lanes);
}

maths::Angle maths::reduceSmallAngle(Expr x) {
  const double rounder = 0x1.8p52;
  Expr rounded = fma(x, 0x1.45f306dc9c883p-1, rounder);
  Expr n = rounded - rounder;
  // The first two parts of pi/2 have 33 bits each, so their products with n are exact.
  Expr first = fma(n, -0x1.921fb544p+0, x);
  Pair second = exactSum(first, n * -0x1.0b4611a6p-34);
  Pair third = exactSum(second.hi, n * -0x1.3198a2e037073p-69);
  Expr quarters = rounded.bits().to<arith::TruncIOp>(x.builder().getI32Type());
  return {quarters, orderedSum(third.hi, third.lo + second.lo)};
}

/// 64 zeros and then the bits of 2/pi.
static constexpr uint64_t twoOverPi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
};

/// 192 bits of the table from bit `position` on, highest first. A cascade of selections
/// serves lanes with positions of their own, without memory.
static SmallVector<Expr> bitsOfTable(Expr position) {
  SmallVector<Expr> words;
  for (uint64_t word : twoOverPi)
    words.push_back(position.constant(word));
  for (int64_t step : {16, 8, 4, 2, 1}) {
    Expr taken = differ(position & (step * 64), 0);
    size_t left = step + 3; // words that smaller steps and the end may still reach
    for (size_t i = 0; i < left; ++i)
      if (i + step < words.size())
        words[i] = select(taken, words[i + step], words[i]);
    words.erase(words.begin() + left, words.end());
  }
  Expr shift = position & 63;
  SmallVector<Expr> result;
  for (int i = 0; i < 3; ++i)
    result.push_back((words[i] << shift) |
                     shiftUnsigned(shiftUnsigned(words[i + 1], 1), 63 - shift));
  return result;
}

/// x * y of unsigned 64-bit integers in two words, high and low.
static std::pair<Expr, Expr> wideProduct(Expr x, Expr y) {
  OpBuilder &b = x.builder();
  auto product = arith::MulUIExtendedOp::create(b, x.loc(), x, y);
  return {{b, x.loc(), product.getHigh()}, {b, x.loc(), product.getLow()}};
}

/// A positive `x` of at least 2^10 as an angle; not a number where x is infinite.
static maths::Angle reduceByTable(Expr x) {
  OpBuilder &b = x.builder();
  Type f64 = b.getF64Type();
  // x = m 2^e with an integer m. Bits of 2/pi whose products with x are multiples of 4
  // do not matter: what is left starts with the weight 2.
  Expr bits = x.bits();
  Expr m = (bits & 0x000fffffffffffff) | 0x0010000000000000;
  Expr e = shiftUnsigned(bits, 52) - 1075;
  SmallVector<Expr> words = bitsOfTable(e + 62);
  // m times the 192 bits, modulo 4: two bits before the point and 126 behind.
  auto [high1, low1] = wideProduct(m, words[1]);
  Expr high2 = wideProduct(m, words[2]).first;
  Expr low = low1 + high2;
  Expr carry = below(low, high2).to<arith::ExtUIOp>(b.getI64Type());
  Expr high = m * words[0] + high1 + carry;
  // To the nearest multiple of pi/2; what is left is a signed fraction of it.
  Expr quarters = shiftUnsigned(high + (int64_t(1) << 61), 62);
  Expr fraction = (high << 2) | shiftUnsigned(low, 62);
  low = low << 2;
  Expr parts[] = {shiftSigned(fraction, 32).to<arith::SIToFPOp>(f64) * 0x1p-32,
                  (fraction & 0xffffffff).to<arith::SIToFPOp>(f64) * 0x1p-64,
                  shiftUnsigned(low, 32).to<arith::SIToFPOp>(f64) * 0x1p-96,
                  (low & 0xffffffff).to<arith::SIToFPOp>(f64) * 0x1p-128};
  Pair upper = orderedSum(parts[0], parts[1]), lower = orderedSum(parts[2], parts[3]);
  Pair turn = sum(upper, lower);
  turn = orderedSum(turn.hi, turn.lo);
  Pair rest = turn * PairConstant{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54};
  rest.hi = rest.hi + (x - x);
  return {quarters.to<arith::TruncIOp>(b.getI32Type()), rest};
}

maths::Angle maths::reduceHugeAngle(Expr x, Expr isHuge, Angle small) {
  OpBuilder &b = x.builder();
  SmallVector<Value> smalls = {small.quarters, small.rest.hi, small.rest.lo};
  SmallVector<Type> types =
      llvm::map_to_vector(smalls, [](Value v) { return v.getType(); });
  auto branch =
      scf::IfOp::create(b, x.loc(), types, anyLane(isHuge), /*withElseRegion=*/true);
  auto yield = [&](Block *block, llvm::function_ref<SmallVector<Value>()> results) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(block);
    SmallVector<Value> values = results();
    scf::YieldOp::create(b, x.loc(), values);
  };
  yield(branch.thenBlock(), [&]() -> SmallVector<Value> {
    Angle huge = reduceByTable(x.apply<math::AbsFOp>());
    // The angle of -x is the negative one.
    Expr negative = x < 0.0;
    huge.quarters = select(negative, 0 - huge.quarters, huge.quarters);
    huge.rest = select(negative, -huge.rest, huge.rest);
    Pair rest = select(isHuge, huge.rest, small.rest);
    return {select(isHuge, huge.quarters, small.quarters), rest.hi, rest.lo};
  });
  yield(branch.elseBlock(), [&] { return smalls; });
  auto result = [&](unsigned i) { return Expr(b, x.loc(), branch.getResult(i)); };
  return {result(0), {result(1), result(2)}};
}

maths::Angle maths::reduceAngle(Expr x) {
  Expr isHuge = x.apply<math::AbsFOp>() >= 0x1p20;
  return reduceHugeAngle(x, isHuge, reduceSmallAngle(x));
}
