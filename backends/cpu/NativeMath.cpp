//===- NativeMath.cpp - Functions that a CPU has instructions for -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The exponentials of f32 are a polynomial of a fraction, scaled by a power of two.
// AVX-512 takes the fraction of a number (vreduceps) and scales by any power of two with
// one rounding (vscalefps), where arithmetic on exponents takes ten instructions more for
// overflow and denormals.
//
// The larger of two floats is `a > b ? a : b` on x86, where that is one instruction and
// gives b where either is a NaN; a comparison says which of them is. Of two zeros it
// gives the second, where Arm's instruction knows their signs. LLVM's own operation would
// be free to give either, and then takes the larger of x and 0 for a number without a
// sign.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "compiler/transforms/MathFunctions.h"

#include "mlir/Conversion/ArithCommon/AttrToLLVMConverter.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_NATIVEMATH
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;

/// `llvm.x86.avx512.mask.NAME.ps.BITS` of `operands`, in all lanes.
static Expr callInAllLanes(StringRef name, Expr x, ArrayRef<Value> operands) {
  OpBuilder &b = x.builder();
  Location loc = x.loc();
  int64_t lanes = cast<VectorType>(x.type()).getNumElements();
  SmallVector<Value> all(operands);
  all.push_back(x.constant(0.0)); // what masked lanes would be
  Type mask = b.getIntegerType(std::max<int64_t>(lanes, 8));
  all.push_back(arith::ConstantIntOp::create(b, loc, mask, -1));
  if (lanes == 16) { // how to round: as always
    constexpr int64_t current = 4;
    all.push_back(arith::ConstantIntOp::create(b, loc, b.getI32Type(), current));
  }
  std::string full = ("llvm.x86.avx512.mask." + name + ".ps." + Twine(lanes * 32)).str();
  auto call = LLVM::CallIntrinsicOp::create(b, loc, x.type(), b.getStringAttr(full), all);
  return {b, loc, call.getResult(0)};
}

/// `p` times 2 to the power of `n`, an integer.
static Expr scale(Expr p, Expr n) { return callInAllLanes("scalef", p, {p, n}); }

/// `x` less the nearest integer; 0 for an infinity.
static Expr subtractNearest(Expr x) {
  constexpr int64_t nearestInteger = 8; // and no exception for a result that is not exact
  OpBuilder &b = x.builder();
  Value how = arith::ConstantIntOp::create(b, x.loc(), b.getI32Type(), nearestInteger);
  return callInAllLanes("reduce", x, {x, how});
}

static Expr exp2(Expr x) {
  Expr fraction = subtractNearest(x), nearest = x - fraction;
  return scale(maths::exp2OfFraction(fraction), nearest);
}

/// Whether `type` is a register of f32.
static bool isRegister(Type type) {
  auto vector = dyn_cast<VectorType>(type);
  return vector && vector.getRank() == 1 && vector.getElementType().isF32() &&
         llvm::is_contained({4, 8, 16}, vector.getNumElements());
}

/// The operand for which `isChosen` holds against the other; of a NaN and a number, NaN.
static Value chooseOne(Operation *op, arith::CmpFPredicate isChosen) {
  OpBuilder b(op);
  Location loc = op->getLoc();
  Value first = op->getOperand(0), second = op->getOperand(1);
  Value ordered = arith::SelectOp::create(
      b, loc, arith::CmpFOp::create(b, loc, isChosen, first, second), first, second);
  Value isNaN = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, first, first);
  // Two selections of one operand would become a single one, which is no instruction.
  Value none = Expr(b, loc, first).constant(std::numeric_limits<double>::quiet_NaN());
  return arith::SelectOp::create(b, loc, isNaN, none, ordered);
}

namespace {
struct NativeMath : tilewright::cpu::impl::NativeMathBase<NativeMath> {
  using NativeMathBase::NativeMathBase;

  /// LLVM's own, but for extrema of x86-64 that keep NaN: it would have zeros in order,
  /// which takes more instructions than there are comparisons here.
  Value expandExtremum(Operation *op) {
    OpBuilder b(op);
    Location loc = op->getLoc();
    ValueRange operands = op->getOperands();
    if (isa<arith::MaxNumFOp, arith::MinNumFOp>(op)) {
      auto flags = arith::convertArithFastMathFlagsToLLVM(
          cast<arith::ArithFastMathInterface>(op).getFastMathFlagsAttr().getValue());
      return isa<arith::MaxNumFOp>(op)
                 ? LLVM::MaxNumOp::create(b, loc, operands[0], operands[1], flags)
                       .getResult()
                 : LLVM::MinNumOp::create(b, loc, operands[0], operands[1], flags);
    }
    bool isMax = isa<arith::MaximumFOp>(op);
    if (!ordersZeros)
      return chooseOne(op, isMax ? arith::CmpFPredicate::OGT : arith::CmpFPredicate::OLT);
    return isMax ? LLVM::MaximumOp::create(b, loc, operands).getResult()
                 : LLVM::MinimumOp::create(b, loc, operands).getResult();
  }

  Value expand(Operation *op) {
    OpBuilder b(op);
    if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp>(op))
      return expandExtremum(op);
    if (!avx512dq || !isa<math::ExpOp, math::Exp2Op>(op) ||
        !isRegister(op->getResult(0).getType()))
      return {};
    Expr x(b, op->getLoc(), op->getOperand(0));
    return isa<math::ExpOp>(op) ? maths::expF32(x, scale) : exp2(x);
  }

  void runOnOperation() override {
    SmallVector<Operation *> operations;
    getOperation()->walk([&](Operation *op) {
      if (isa<math::ExpOp, math::Exp2Op, arith::MaximumFOp, arith::MinimumFOp,
              arith::MaxNumFOp, arith::MinNumFOp>(op))
        operations.push_back(op);
    });
    for (Operation *op : operations) {
      Value result = expand(op);
      if (!result)
        continue;
      op->getResult(0).replaceAllUsesWith(result);
      op->erase();
    }
  }
};
} // namespace
