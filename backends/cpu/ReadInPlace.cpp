//===- ReadInPlace.cpp - Tiles that are read where they come from -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A micro-kernel that broadcasts rows of A, as keys of a page, reads them as well where
// they lie as in a tile that they are copied to. So do packs and copies of the tile. A
// branch may change the tile, as one that clears the rows behind the last key:
//
//     copy K[page, 0][64, 512] to k         whole = page exists, and not n < 64
//     if (n < 64)                           if (!whole)
//       clear rows of k                       copy K[page, 0][64, 512] to k
//     gemm k, q into scores            =>   if (n < 64)
//     pack k into panel                       clear rows of k
//     gemm p, panel into values             if (whole) gemm K[page, 0][64, 512], q into
//     scores
//                                           else gemm k, q into scores
//                                           ...
//
// Rows that lie a multiple of 4 KiB apart, or nearly all of them, share few sets of L1
// and push each other out: those are copied.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuCost.h"
#include "backends/cpu/ForwardCopies.h"
#include "backends/cpu/ForwardRows.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Recompute.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_READINPLACE
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using tilewright::tile::AllocOp;
using tilewright::tile::CopyOp;

/// Ways of a set of L1 that rows may take.
static constexpr int64_t mostWays = 8;

/// So many rows are copied in no time: they are worth no second form of a product.
static constexpr int64_t fewRows = 16;

/// Whether rows of `tensor`, as many as a block of registers has, keep out of each
/// other's way in L1.
static bool areApartInL1(Value tensor, int64_t rows) {
  auto type = cast<MemRefType>(tensor.getType());
  int64_t offset;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.size() < 2)
    return false;
  int64_t stride = strides[strides.size() - 2];
  if (ShapedType::isDynamic(stride))
    return false;
  int64_t bytes = stride * type.getElementTypeBitWidth() / 8;
  return !collideInL1(rows, bytes, mostWays);
}

/// Whether `op` is a product that broadcasts rows of `tile`, and can those that `filling`
/// reads.
static bool broadcastsRows(Operation *op, Value tile, CopyOp filling) {
  auto gemm = dyn_cast<GemmOp>(op);
  Value tensor = filling.getSrc();
  return gemm && gemm.getA() == tile && gemm.getB() != tile && gemm.getC() != tile &&
         gemm.getOut() != tile && !gemm.getAtom().isInner() && !gemm.getTransposeA() &&
         !gemm.isPanelA() && areApartInL1(tensor, gemm.getAtom().getRows()) &&
         (gemm.getM() > fewRows || isKnownInside(filling));
}

/// Whether `op` is a product of few rows that loads each vector of `tile` once, or weaves
/// them: such an atom is for tensors that can be read in place (servesWoven).
static bool loadsVectorsOnce(Operation *op, Value tile) {
  auto gemm = dyn_cast<GemmOp>(op);
  return gemm && gemm.getB() == tile && gemm.getA() != tile && gemm.getC() != tile &&
         gemm.getOut() != tile && !gemm.getAtom().isInner() && !gemm.isPanelB() &&
         (gemm.getAtom().isWoven() || gemm.getM() <= gemm.getAtom().getRows());
}

namespace {
/// A tile that one copy fills, and what else uses it.
struct CopiedTile {
  AllocOp alloc;
  CopyOp filling;
  SmallVector<Operation *> readers;
  SmallVector<scf::IfOp>
      changes; ///< branches, where the tile is as it was copied if not taken
};
} // namespace

/// Whether `value` is there where `op` is.
static bool isThere(Value value, Operation *op) {
  Operation *definition = value.getDefiningOp();
  return !definition || definition->getBlock() != op->getBlock() ||
         definition->isBeforeInBlock(op);
}

/// Whether `op` runs at most once where `ancestor` does: one form of a product of
/// several. A loop that reads rows again and again has them closer together in a tile.
static bool isInNoLoop(Operation *op, Operation *ancestor) {
  for (; op != ancestor; op = op->getParentOp())
    if (!isa<scf::IfOp>(op->getParentOp()))
      return false;
  return true;
}

/// `alloc` with all of its uses; failure where a tensor cannot take its place.
static FailureOr<CopiedTile> analyse(AllocOp alloc) {
  CopiedTile tile{alloc, getFillingCopy(alloc), {}, {}};
  if (!tile.filling || !readsRows(tile.filling) ||
      isWrittenInKernel(tile.filling.getSrc(), tile.filling))
    return failure();
  bool isRead = false; // by a product
  for (Operation *user : alloc.getResult().getUsers()) {
    if (user == tile.filling)
      continue;
    Operation *here = tile.filling->getBlock()->findAncestorOpInBlock(*user);
    if (!here || !tile.filling->isBeforeInBlock(here))
      return failure();
    auto branch = dyn_cast<scf::IfOp>(here);
    bool isReadByProduct = isInNoLoop(user, here) &&
                           (broadcastsRows(user, alloc.getResult(), tile.filling) ||
                            loadsVectorsOnce(user, alloc.getResult()));
    if (isReadByProduct) {
      tile.readers.push_back(user);
      isRead = true;
    } else if (branch && branch.getNumResults() == 0 && branch.getElseRegion().empty() &&
               canRecompute(branch.getCondition(),
                            [&](Value given) { return isThere(given, tile.filling); })) {
      if (!llvm::is_contained(tile.changes, branch))
        tile.changes.push_back(branch);
    } else if (canForward(user, alloc.getResult(), tile.filling)) {
      tile.readers.push_back(user);
    } else {
      return failure();
    }
  }
  if (!isRead)
    return failure();
  return tile;
}

/// Whether the tile is as it is in the tensor; null for true.
static Value isWhole(LoopBuilder &b, CopiedTile &tile) {
  Value whole = isInside(b, tile.filling);
  auto isGiven = [&](Value value) { return isThere(value, tile.filling); };
  Value never = arith::ConstantIntOp::create(b, b.getLoc(), 0, 1);
  for (scf::IfOp change : tile.changes) {
    IRMapping mapping;
    Value changes = recompute(b, change.getCondition(), isGiven, mapping);
    whole = b.both(whole, b.compare(arith::CmpIPredicate::eq, changes, never));
  }
  return whole;
}

static void readInPlace(CopiedTile &tile) {
  LoopBuilder b(tile.filling);
  Value whole = isWhole(b, tile);
  b.ifElse(whole, [] {}, [&] { b.clone(*tile.filling); });
  for (Operation *reader : tile.readers) {
    LoopBuilder at(reader);
    at.ifElse(
        whole,
        [&] {
          auto gemm = dyn_cast<GemmOp>(reader);
          if (!gemm)
            return cloneForwarded(at, reader, tile.filling);
          IRMapping mapping;
          bool isA = gemm.getA() == tile.alloc.getResult();
          mapping.map(isA ? gemm.getA() : gemm.getB(), viewRows(at, tile.filling));
          at.clone(*gemm, mapping);
        },
        [&] { at.clone(*reader); });
    reader->erase();
  }
  tile.filling.erase();
  if (tile.alloc->use_empty())
    tile.alloc.erase();
}

namespace {
struct ReadInPlacePass : tilewright::cpu::impl::ReadInPlaceBase<ReadInPlacePass> {
  void runOnOperation() override {
    SmallVector<AllocOp> allocs;
    getOperation()->walk([&](AllocOp alloc) { allocs.push_back(alloc); });
    for (AllocOp alloc : allocs)
      if (FailureOr<CopiedTile> tile = analyse(alloc); succeeded(tile))
        readInPlace(*tile);
  }
};
} // namespace
