//===- ExpandMath.cpp - Math functions as arithmetic ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every function is code without calls and tables in memory, so that it is the same on
// CPUs and GPUs and costs the same on a vector as on a scalar. The error of each,
// rounding included, is the bound in docs/semantics.md, which the tests measure.
//
// Functions of f32 that models spend their time in have code of their own. The others
// are computed in f64, which leaves their rounding to f32 as the only error that counts.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/MathFunctions.h"
#include "compiler/transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_EXPANDMATH
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;

namespace {
/// How a function of one argument is computed in f64, and in f32 where that differs.
struct Function {
  StringLiteral operation;
  Expr (*inF64)(Expr);
  Expr (*inF32)(Expr) = nullptr;
};
} // namespace

static constexpr Function functions[] = {
    {"math.exp", maths::exp, maths::expF32},
    {"math.exp2", maths::exp2, maths::exp2F32},
    {"math.log", maths::log, maths::logF32},
    {"math.log2", maths::log2, maths::log2F32},
    {"math.sin", maths::sin, maths::sinF32},
    {"math.cos", maths::cos, maths::cosF32},
    {"math.tanh", maths::tanh, maths::tanhF32},
    {"math.erf", maths::erf, maths::erfF32},
    {"math.log10", maths::log10},
    {"math.log1p", maths::log1p},
    {"math.expm1", maths::expm1},
    {"math.tan", maths::tan},
    {"math.asin", maths::asin},
    {"math.acos", maths::acos},
    {"math.atan", maths::atan},
    {"math.sinh", maths::sinh},
    {"math.cosh", maths::cosh},
    {"math.asinh", maths::asinh},
    {"math.acosh", maths::acosh},
    {"math.atanh", maths::atanh},
};

/// `compute` of the operands in f64, rounded to their type.
static Expr inF64(ArrayRef<Expr> operands,
                  llvm::function_ref<Expr(ArrayRef<Expr>)> compute) {
  Type type = operands.front().element();
  Type f64 = operands.front().builder().getF64Type();
  if (type == f64)
    return compute(operands);
  SmallVector<Expr> wide =
      llvm::map_to_vector(operands, [&](Expr x) { return x.to<arith::ExtFOp>(f64); });
  return compute(wide).to<arith::TruncFOp>(type);
}

/// The expansion of `op`, or null where it is none of ours.
static Value expand(Operation *op) {
  OpBuilder b(op);
  SmallVector<Expr> operands;
  for (Value operand : op->getOperands())
    operands.emplace_back(b, op->getLoc(), operand);
  Expr x = operands.front();
  if (!x.element().isF32() && !x.element().isF64())
    return {};
  if (isa<math::RsqrtOp>(op))
    return 1.0 / x.apply<math::SqrtOp>();
  if (isa<arith::RemFOp>(op))
    return maths::remainder(x, operands[1]);
  if (isa<math::PowFOp>(op)) {
    auto pow = x.element().isF32() ? maths::powForF32 : maths::pow;
    return inF64(operands, [&](ArrayRef<Expr> of) { return pow(of[0], of[1]); });
  }
  if (isa<math::Atan2Op>(op))
    return inF64(operands, [](ArrayRef<Expr> of) { return maths::atan2(of[0], of[1]); });
  StringRef name = op->getName().getStringRef();
  for (const Function &function : functions) {
    if (name != function.operation)
      continue;
    if (x.element().isF32() && function.inF32)
      return function.inF32(x);
    return inF64(operands, [&](ArrayRef<Expr> of) { return function.inF64(of[0]); });
  }
  return {};
}

namespace {
struct ExpandMath : tile::impl::ExpandMathBase<ExpandMath> {
  using ExpandMathBase::ExpandMathBase;
  void runOnOperation() override {
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) {
      if (nativeExp2 && isa<math::Exp2Op>(op) &&
          getElementTypeOrSelf(op->getResult(0)).isF32())
        return;
      if (isa<arith::RemFOp>(op) || isa_and_present<math::MathDialect>(op->getDialect()))
        operations.push_back(op);
      // The sign of a zero that max or min gives is unspecified: a comparison and two
      // selections then do, where IEEE's order of zeros takes twice as many.
      if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(
              op)) {
        auto fastMath = cast<arith::ArithFastMathInterface>(op);
        auto flags =
            fastMath.getFastMathFlagsAttr().getValue() | arith::FastMathFlags::nsz;
        op->setAttr(fastMath.getFastMathAttrName(),
                    arith::FastMathFlagsAttr::get(op->getContext(), flags));
      }
    });
    for (Operation *op : operations) {
      if (Value result = expand(op)) {
        op->getResult(0).replaceAllUsesWith(result);
        op->erase();
      }
    }
  }
};
} // namespace
