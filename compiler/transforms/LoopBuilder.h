//===- LoopBuilder.h - Small helpers to emit loop nests -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_LOOPBUILDER_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_LOOPBUILDER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace tilewright {

/// An OpBuilder at one location with short names for index arithmetic.
class LoopBuilder : public mlir::OpBuilder {
public:
  LoopBuilder(mlir::Operation *before) : OpBuilder(before), loc(before->getLoc()) {}

  mlir::Location getLoc() const { return loc; }

  mlir::Value index(int64_t value) {
    return mlir::arith::ConstantIndexOp::create(*this, loc, value);
  }
  mlir::Value index(mlir::OpFoldResult value) {
    return mlir::getValueOrCreateConstantIndexOp(*this, loc, value);
  }

  /// Sum, folded where both are constants or one is zero.
  mlir::Value add(mlir::Value a, mlir::Value b) {
    return createOrFold<mlir::arith::AddIOp>(loc, a, b);
  }
  mlir::Value add(mlir::Value a, int64_t b) { return b == 0 ? a : add(a, index(b)); }
  mlir::Value sub(mlir::Value a, mlir::Value b) {
    return createOrFold<mlir::arith::SubIOp>(loc, a, b);
  }
  mlir::Value mul(mlir::Value a, int64_t b) {
    return createOrFold<mlir::arith::MulIOp>(loc, a, index(b));
  }
  mlir::Value mul(mlir::Value a, mlir::Value b) {
    return createOrFold<mlir::arith::MulIOp>(loc, a, b);
  }
  mlir::Value min(mlir::Value a, mlir::Value b) {
    return createOrFold<mlir::arith::MinSIOp>(loc, a, b);
  }
  mlir::Value max(mlir::Value a, mlir::Value b) {
    return createOrFold<mlir::arith::MaxSIOp>(loc, a, b);
  }
  mlir::Value both(mlir::Value a, mlir::Value b) {
    return !a ? b : !b ? a : createOrFold<mlir::arith::AndIOp>(loc, a, b);
  }
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a,
                      mlir::Value b) {
    return createOrFold<mlir::arith::CmpIOp>(loc, predicate, a, b);
  }

  /// Emits `for i = lower to upper step step { body(i) }`; nothing where the range is
  /// empty, and the body alone where it is one iteration.
  void forLoop(mlir::OpFoldResult lower, mlir::OpFoldResult upper, int64_t step,
               llvm::function_ref<void(mlir::Value)> body) {
    auto first = mlir::getConstantIntValue(lower),
         last = mlir::getConstantIntValue(upper);
    if (first && last) {
      if (*first >= *last)
        return;
      if (*first + step >= *last)
        return body(index(*first));
    }
    auto loop =
        mlir::scf::ForOp::create(*this, loc, index(lower), index(upper), index(step));
    InsertionGuard guard(*this);
    setInsertionPointToStart(loop.getBody());
    body(loop.getInductionVar());
  }
  void forLoop(int64_t upper, int64_t step, llvm::function_ref<void(mlir::Value)> body) {
    forLoop(getIndexAttr(0), getIndexAttr(upper), step, body);
  }

  /// Emits one branch or the other, or only the one that a constant condition takes.
  /// A null condition is true.
  void ifElse(mlir::Value condition, llvm::function_ref<void()> thenBody,
              llvm::function_ref<void()> elseBody) {
    auto constant =
        condition ? mlir::getConstantIntValue(condition) : std::optional<int64_t>(1);
    if (constant)
      return *constant ? thenBody() : elseBody();
    auto branch = mlir::scf::IfOp::create(*this, loc, condition, /*withElseRegion=*/true);
    InsertionGuard guard(*this);
    setInsertionPointToStart(branch.thenBlock());
    thenBody();
    setInsertionPointToStart(branch.elseBlock());
    elseBody();
  }

private:
  mlir::Location loc;
};

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_LOOPBUILDER_H
