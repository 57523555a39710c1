//===- LegalizeAccumulators.cpp - Narrow accumulators in f32 ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A gemm into a tile of a float narrower than f32 accumulates in f32, and the sum is
// rounded when something other than a gemm reads it. So the tile becomes an f32 tile, and
// its other readers and writers convert.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_LEGALIZEACCUMULATORS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

/// A tile of type `element` beside `tile` that holds what `tile` is copied to or from.
static Value makeRounded(OpBuilder &builder, Location loc, Value tile, Type element) {
  auto type = cast<MemRefType>(tile.getType());
  auto narrow = MemRefType::get(type.getShape(), element, MemRefLayoutAttrInterface(),
                                type.getMemorySpace());
  return AllocOp::create(builder, loc, narrow, builder.getStringAttr("rounded"),
                         IntegerAttr());
}

static void copyTile(OpBuilder &builder, Location loc, Value from, Value to) {
  ArrayRef<int64_t> shape = cast<MemRefType>(from.getType()).getShape();
  SmallVector<int64_t> zeros(shape.size(), 0);
  CopyOp::create(builder, loc, from, ValueRange(), zeros, shape, to, ValueRange(), zeros,
                 shape, /*isUnsigned=*/false);
}

static void convertUses(Value wide, Type narrow);

/// The type of `memref` with elements of f32.
static MemRefType getWide(Type memref) {
  return MemRefType::Builder(cast<MemRefType>(memref))
      .setElementType(Float32Type::get(memref.getContext()));
}

/// Makes the use of the accumulator `wide` by its former type `narrow` a use of f32.
static void convertUse(OpOperand &use, Type narrow) {
  Operation *user = use.getOwner();
  Value wide = use.get();
  OpBuilder builder(user);
  Location loc = user->getLoc();
  Type f32 = builder.getF32Type();
  if (isa<GemmOp>(user) && cast<GemmOp>(user).getC() == wide)
    return;
  // Which elements are touched is checked, not what they hold.
  if (isa<CheckMemoryOp, CheckAccessOp>(user))
    return;
  if (isa<memref::SubViewOp, memref::ExpandShapeOp, memref::CollapseShapeOp, ViewOp>(
          user)) {
    Value view = user->getResult(0);
    view.setType(getWide(view.getType()));
    return convertUses(view, narrow);
  }
  if (auto load = dyn_cast<memref::LoadOp>(user)) {
    builder.setInsertionPointAfter(load);
    load.getResult().setType(f32);
    auto rounded = CastOp::create(builder, loc, narrow, load.getResult(), false, false);
    load.getResult().replaceAllUsesExcept(rounded.getResult(), rounded);
    return;
  }
  if (auto store = dyn_cast<memref::StoreOp>(user)) {
    store.getValueMutable().assign(
        CastOp::create(builder, loc, f32, store.getValue(), false, false));
    return;
  }
  if (auto fill = dyn_cast<FillOp>(user)) {
    fill.getValueMutable().assign(
        CastOp::create(builder, loc, f32, fill.getValue(), false, false));
    return;
  }
  if (auto atomic = dyn_cast<AtomicOp>(user)) {
    atomic.getValueMutable().assign(
        CastOp::create(builder, loc, f32, atomic.getValue(), false, false));
    builder.setInsertionPointAfter(atomic);
    atomic.getResult().setType(f32);
    auto rounded = CastOp::create(builder, loc, narrow, atomic.getResult(), false, false);
    atomic.getResult().replaceAllUsesExcept(rounded.getResult(), rounded);
    return;
  }
  // A copy to the narrow type rounds by itself, and one from it is exact.
  if (auto copy = dyn_cast<CopyOp>(user)) {
    Value other = copy.getSrc() == wide ? copy.getDst() : copy.getSrc();
    if (cast<MemRefType>(other.getType()).getElementType() == narrow)
      return;
  }
  // Everything else works on a rounded copy.
  Value rounded = makeRounded(builder, loc, wide, narrow);
  copyTile(builder, loc, wide, rounded);
  use.set(rounded);
  auto effects = dyn_cast<MemoryEffectOpInterface>(user);
  SmallVector<MemoryEffects::EffectInstance> writes;
  if (effects)
    effects.getEffectsOnValue(rounded, writes);
  if (llvm::any_of(writes, [](auto &effect) {
        return isa<MemoryEffects::Write>(effect.getEffect());
      })) {
    builder.setInsertionPointAfter(user);
    copyTile(builder, loc, rounded, wide);
  }
}

static void convertUses(Value wide, Type narrow) {
  for (OpOperand &use : llvm::make_early_inc_range(wide.getUses()))
    convertUse(use, narrow);
}

/// A view of `memory`, or of a view of it, with elements of another type than `element`.
static Operation *findForeignView(Value memory, Type element) {
  for (Operation *user : memory.getUsers()) {
    auto view = dyn_cast<ViewLikeOpInterface>(user);
    if (!view)
      continue;
    Value seen = view.getViewDest();
    if (cast<MemRefType>(seen.getType()).getElementType() != element)
      return user;
    if (Operation *found = findForeignView(seen, element))
      return found;
  }
  return nullptr;
}

static void widen(AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  alloc.getResult().setType(getWide(type));
  convertUses(alloc.getResult(), type.getElementType());
}

namespace {
struct LegalizeAccumulatorsPass
    : tilewright::tile::impl::LegalizeAccumulatorsBase<LegalizeAccumulatorsPass> {
  void runOnOperation() override {
    llvm::SetVector<AllocOp> narrow;
    WalkResult walk = getOperation()->walk([&](GemmOp gemm) -> WalkResult {
      Type element = cast<MemRefType>(gemm.getC().getType()).getElementType();
      if (!isa<FloatType>(element) || element.getIntOrFloatBitWidth() >= 32)
        return WalkResult::advance();
      auto alloc = getBaseMemory(gemm.getC()).getDefiningOp<AllocOp>();
      if (!alloc)
        return gemm.emitOpError("accumulates in ")
               << element << ", in a tile that is not allocated in the kernel";
      Type stored = cast<MemRefType>(alloc.getResult().getType()).getElementType();
      Operation *foreign = findForeignView(alloc.getResult(), stored);
      if (foreign || stored != element) {
        InFlightDiagnostic error = gemm.emitOpError("accumulates in ");
        error << element << " in " << describeMemory(alloc.getResult())
              << ", whose bits T.view sees as another type; accumulate in a tile of its "
                 "own, and T.copy the result";
        error.attachNote((foreign ? foreign : gemm.getC().getDefiningOp())->getLoc())
            << "the view is here";
        return error;
      }
      narrow.insert(alloc);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return signalPassFailure();
    for (AllocOp alloc : narrow)
      widen(alloc);
  }
};
} // namespace
