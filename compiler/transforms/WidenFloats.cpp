//===- WidenFloats.cpp - Arithmetic on narrow floats in f32 -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   %z = arith.addf %x, %y : bf16
// becomes
//   %a = tile.cast %x : bf16 to f32
//   %b = tile.cast %y : bf16 to f32
//   %s = arith.addf %a, %b : f32
//   %z = tile.cast %s : f32 to bf16
//
// For + - * / and sqrt of f16, bf16, f8 and f4 the result is the correctly rounded one:
// f32 has more than twice their bits, so that rounding twice equals rounding once.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Expr.h"
#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_WIDENFLOATS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

static bool isNarrow(Type type) {
  auto element = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return element && element.getWidth() < 32;
}

static Type widened(Type type) {
  return isNarrow(type) ? withElement(type, Float32Type::get(type.getContext())) : type;
}

/// Whether `op` computes with narrow floats, rather than moving or converting them.
static bool computesNarrow(Operation *op) {
  if (!isa<arith::ArithDialect, math::MathDialect>(op->getDialect()) ||
      !OpTrait::hasElementwiseMappableTraits(op) ||
      isa<arith::SelectOp, CastOpInterface>(op))
    return false;
  return llvm::any_of(op->getOperandTypes(), isNarrow) ||
         llvm::any_of(op->getResultTypes(), isNarrow);
}

/// Whether `op` gives one of its operands, up to its sign, or a whole number beside it:
/// what is exact in f32 is a number of the narrow type, infinities included.
static bool roundsNothing(Operation *op) {
  return isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp,
             arith::NegFOp, math::AbsFOp, math::CopySignOp, math::FloorOp, math::CeilOp,
             math::RoundEvenOp, math::TruncOp>(op);
}

/// `value` in f32 where it is a narrow float. The narrow floats are all f32 numbers.
static Value widen(OpBuilder &b, Location loc, Value value) {
  if (!isNarrow(value.getType()))
    return value;
  Type wide = widened(value.getType());
  FloatAttr element;
  DenseElementsAttr elements;
  if (matchPattern(value, m_Constant(&elements)) && elements.isSplat())
    element = elements.getSplatValue<FloatAttr>();
  if (element || matchPattern(value, m_Constant(&element))) {
    bool exact;
    APFloat number = element.getValue();
    number.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &exact);
    return splat(b, loc, wide, b.getFloatAttr(b.getF32Type(), number));
  }
  return CastOp::create(b, loc, wide, value, /*unsignedSource=*/false,
                        /*unsignedResult=*/false);
}

static void widenOperation(Operation *op) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  IRMapping inF32;
  for (Value operand : op->getOperands())
    inF32.map(operand, widen(b, loc, operand));
  Operation *wide = b.clone(*op, inF32);
  for (auto [narrow, result] : llvm::zip(op->getResults(), wide->getResults())) {
    result.setType(widened(narrow.getType()));
    Value replacement = result;
    if (result.getType() != narrow.getType())
      replacement = CastOp::create(b, loc, narrow.getType(), result, false, false,
                                   /*keepInfinity=*/roundsNothing(op));
    narrow.replaceAllUsesWith(replacement);
  }
  op->erase();
}

namespace {
struct WidenFloats : tile::impl::WidenFloatsBase<WidenFloats> {
  void runOnOperation() override {
    SmallVector<Operation *> narrow;
    getOperation()->walk([&](Operation *op) {
      if (computesNarrow(op))
        narrow.push_back(op);
    });
    llvm::for_each(narrow, widenOperation);
  }
};
} // namespace
