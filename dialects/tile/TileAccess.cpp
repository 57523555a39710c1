//===- TileAccess.cpp - What memory the operations touch -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/Tile.h"

using namespace mlir;
using namespace tilewright::tile;

Box Box::whole(Value memref) {
  auto type = cast<MemRefType>(memref.getType());
  OpFoldResult zero = Builder(memref.getContext()).getIndexAttr(0);
  return {memref, SmallVector<OpFoldResult>(type.getRank(), zero),
          SmallVector<int64_t>(type.getShape())};
}

Box Box::element(Value memref, ValueRange indices) {
  return {memref, SmallVector<OpFoldResult>(indices.begin(), indices.end()),
          SmallVector<int64_t>(indices.size(), 1)};
}

static Access read(Box box) { return {AccessKind::Read, std::move(box), {}, {}}; }
static Access write(Box box) { return {AccessKind::Write, std::move(box), {}, {}}; }

Accesses tilewright::tile::getWholeAccesses(Operation *op) {
  SmallVector<MemoryEffects::EffectInstance> effects;
  cast<MemoryEffectOpInterface>(op).getEffects(effects);
  Accesses accesses;
  auto add = [&](bool writes) {
    for (const MemoryEffects::EffectInstance &effect : effects)
      if (effect.getValue() && isa<MemoryEffects::Write>(effect.getEffect()) == writes)
        accesses.push_back(writes ? write(Box::whole(effect.getValue()))
                                  : read(Box::whole(effect.getValue())));
  };
  add(/*writes=*/false);
  add(/*writes=*/true);
  return accesses;
}

static bool convertsElements(Value from, Value to) {
  return cast<MemRefType>(from.getType()).getElementType() !=
         cast<MemRefType>(to.getType()).getElementType();
}

//===----------------------------------------------------------------------===//
// Whole tiles
//===----------------------------------------------------------------------===//

Accesses GemmOp::getAccesses() {
  Accesses accesses{read(Box::whole(getA())), read(Box::whole(getB()))};
  if (!getClear())
    accesses.push_back(read(Box::whole(getC())));
  accesses.push_back(write(Box::whole(getC())));
  return accesses;
}

Accesses ReduceOp::getAccesses() {
  Accesses accesses{read(Box::whole(getSrc()))};
  if (getAccumulate())
    accesses.push_back(read(Box::whole(getDst())));
  accesses.push_back(write(Box::whole(getDst())));
  return accesses;
}

bool TopKOp::computes() { return false; }
bool FillOp::computes() { return false; }

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

Accesses CopyOp::getAccesses() {
  Box to{getDst(), getMixedDstOffsets(), SmallVector<int64_t>(getDstSizes())};
  Access from =
      read({getSrc(), getMixedSrcOffsets(), SmallVector<int64_t>(getSrcSizes())});
  if (!isTile(getDst().getType()))
    from.other = to;
  return {from, write(to)};
}

bool CopyOp::computes() { return convertsElements(getSrc(), getDst()); }

Accesses GatherOp::getAccesses() {
  Box indices{getIndices(), {getMixedIndexOffset()}, {getSrcSizes()[getAxis()]}};
  Access rows =
      read({getSrc(), getMixedSrcOffsets(), SmallVector<int64_t>(getSrcSizes())});
  rows.axis = getAxis();
  rows.other = indices;
  return {read(indices), rows,
          write({getDst(), getMixedDstOffsets(), SmallVector<int64_t>(getDstSizes())})};
}

bool GatherOp::computes() { return convertsElements(getSrc(), getDst()); }

Accesses ScatterOp::getAccesses() {
  Box indices{getIndices(), {getMixedIndexOffset()}, {getDstSizes()[getAxis()]}};
  Access rows =
      write({getDst(), getMixedDstOffsets(), SmallVector<int64_t>(getDstSizes())});
  rows.axis = getAxis();
  rows.other = indices;
  return {read(indices),
          read({getSrc(), getMixedSrcOffsets(), SmallVector<int64_t>(getSrcSizes())}),
          rows};
}

bool ScatterOp::computes() { return convertsElements(getSrc(), getDst()); }

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Accesses LoadOp::getAccesses() { return {read(Box::element(getMemref(), getIndices()))}; }

Accesses StoreOp::getAccesses() {
  return {write(Box::element(getMemref(), getIndices()))};
}

Accesses AtomicOp::getAccesses() {
  return {{AccessKind::Atomic, Box::element(getMemref(), getIndices()), {}, {}}};
}

bool LoadOp::computes() { return false; }
bool StoreOp::computes() { return false; }
bool AtomicOp::computes() { return false; }
