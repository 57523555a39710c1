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

static arith::AtomicRMWKind atomicKind(AtomicOp op) {
  using Kind = arith::AtomicRMWKind;
  bool isFloat = isa<FloatType>(op.getValue().getType());
  switch (op.getCombiner()) {
  case Combiner::Sum:
    return isFloat ? Kind::addf : Kind::addi;
  case Combiner::Max:
    return isFloat ? Kind::maximumf : op.getIsUnsigned() ? Kind::maxu : Kind::maxs;
  case Combiner::Min:
    return isFloat ? Kind::minimumf : op.getIsUnsigned() ? Kind::minu : Kind::mins;
  case Combiner::BitAnd:
    return Kind::andi;
  case Combiner::BitOr:
    return Kind::ori;
  case Combiner::BitXor:
    return Kind::xori;
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
  Value result = arith::getReductionOp(
      atomicKind(op), b, loc, cast(former, b.getF32Type()), cast(value, b.getF32Type()));
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
    return memref::AtomicRMWOp::create(b, loc, atomicKind(op), op.getValue(),
                                       op.getMemref(), op.getIndices());
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
