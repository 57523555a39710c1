//===- LowerAccess.cpp - Single accesses, atomics, prints and assertions ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERACCESS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct LowerAccessPass : tilewright::cpu::impl::LowerAccessBase<LowerAccessPass> {
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// Whether the indices that are not known to be inside are: null where all are known.
template <typename Access> static Value emitGuard(OpBuilder &builder, Access op) {
  Location loc = op.getLoc();
  ArrayRef<bool> inbounds = op.getInbounds();
  Value inside;
  for (auto [dim, index] : llvm::enumerate(op.getIndices())) {
    if (!inbounds.empty() && inbounds[dim])
      continue;
    // Seen as unsigned, a negative index is too large as well.
    Value extent = memref::DimOp::create(builder, loc, op.getMemref(), dim);
    Value below =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index, extent);
    inside = inside ? Value(arith::AndIOp::create(builder, loc, inside, below)) : below;
  }
  return inside;
}

/// What `emit` gives under `guard`, and zero where it is false.
static Value emitGuarded(OpBuilder &builder, Location loc, Value guard, Type type,
                         function_ref<Value(OpBuilder &)> emit) {
  if (!guard)
    return emit(builder);
  auto branch = scf::IfOp::create(builder, loc, type, guard, /*withElseRegion=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  Value value = emit(inside);
  scf::YieldOp::create(inside, loc, value);
  OpBuilder outside = branch.getElseBodyBuilder();
  Value zero = arith::ConstantOp::create(outside, loc, outside.getZeroAttr(type));
  scf::YieldOp::create(outside, loc, zero);
  return branch.getResult(0);
}

static void lowerLoad(LoadOp op) {
  OpBuilder builder(op);
  Value guard = emitGuard(builder, op);
  Type type = op.getResult().getType();
  op.replaceAllUsesWith(emitGuarded(builder, op.getLoc(), guard, type, [&](OpBuilder &b) {
    return memref::LoadOp::create(b, op.getLoc(), op.getMemref(), op.getIndices());
  }));
  op.erase();
}

static void lowerStore(StoreOp op) {
  OpBuilder builder(op);
  if (Value guard = emitGuard(builder, op))
    builder = scf::IfOp::create(builder, op.getLoc(), guard, /*withElseRegion=*/false)
                  .getThenBodyBuilder();
  memref::StoreOp::create(builder, op.getLoc(), op.getValue(), op.getMemref(),
                          op.getIndices());
  op.erase();
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

/// The combination of two scalars of an integer or float type of at least 16 bits.
static Value emitCombination(OpBuilder &b, Location loc, Combiner combiner, bool isUnsigned,
                             Value lhs, Value rhs) {
  bool isFloat = isa<FloatType>(lhs.getType());
  switch (combiner) {
  case Combiner::Sum:
    return isFloat ? Value(arith::AddFOp::create(b, loc, lhs, rhs))
                   : arith::AddIOp::create(b, loc, lhs, rhs);
  case Combiner::Max:
    return isFloat      ? Value(arith::MaximumFOp::create(b, loc, lhs, rhs))
           : isUnsigned ? Value(arith::MaxUIOp::create(b, loc, lhs, rhs))
                        : arith::MaxSIOp::create(b, loc, lhs, rhs);
  case Combiner::Min:
    return isFloat      ? Value(arith::MinimumFOp::create(b, loc, lhs, rhs))
           : isUnsigned ? Value(arith::MinUIOp::create(b, loc, lhs, rhs))
                        : arith::MinSIOp::create(b, loc, lhs, rhs);
  case Combiner::BitAnd:
    return arith::AndIOp::create(b, loc, lhs, rhs);
  case Combiner::BitOr:
    return arith::OrIOp::create(b, loc, lhs, rhs);
  case Combiner::BitXor:
    return arith::XOrIOp::create(b, loc, lhs, rhs);
  default:
    llvm_unreachable("the verifier admits no other combiner (tile.atomic C2)");
  }
}

/// The combination of two elements, in f32 where they are floats of 8 bits.
static Value combine(OpBuilder &b, AtomicOp op, Value former) {
  Location loc = op.getLoc();
  Value value = op.getValue();
  Type type = value.getType();
  bool widens = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 16;
  auto cast = [&](Value v, Type to) {
    return widens ? Value(CastOp::create(b, loc, to, v, false, false)) : v;
  };
  Value result =
      emitCombination(b, loc, op.getCombiner(), op.getIsUnsigned(),
                      cast(former, b.getF32Type()), cast(value, b.getF32Type()));
  return cast(result, type);
}

static void lowerAtomic(AtomicOp op) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value guard = emitGuard(builder, op);
  Type type = op.getResult().getType();
  auto emit = [&](OpBuilder &b) -> Value {
    // One thread runs a block: nobody else sees its shared tiles.
    if (getSpace(op.getMemref()) == Space::Shared) {
      Value former = memref::LoadOp::create(b, loc, op.getMemref(), op.getIndices());
      memref::StoreOp::create(b, loc, combine(b, op, former), op.getMemref(),
                              op.getIndices());
      return former;
    }
    auto update = memref::GenericAtomicRMWOp::create(b, loc, op.getMemref(), op.getIndices());
    OpBuilder body = OpBuilder::atBlockEnd(update.getBody());
    memref::AtomicYieldOp::create(body, loc, combine(body, op, update.getCurrentValue()));
    return update.getResult();
  };
  op.replaceAllUsesWith(emitGuarded(builder, loc, guard, type, emit));
  op.erase();
}

void LowerAccessPass::runOnOperation() {
  getOperation()->walk([](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case([](LoadOp load) { lowerLoad(load); })
        .Case([](StoreOp store) { lowerStore(store); })
        .Case([](AtomicOp atomic) { lowerAtomic(atomic); });
  });
}
