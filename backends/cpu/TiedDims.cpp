//===- TiedDims.cpp - Dimensions of a block's tiles that go together ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TiedDims.h"

#include "compiler/analysis/Memory.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

/// The dimensions whose size is not 1.
static SmallVector<int64_t> getSpannedDims(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> dims;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (size != 1)
      dims.push_back(dim);
  return dims;
}

template <typename Op> static Move pairDims(Op op) {
  Move move{op.getSrc(), op.getDst(), {}, {}, {}};
  for (auto [src, dst] :
       llvm::zip(getSpannedDims(op.getSrcSizes()), getSpannedDims(op.getDstSizes())))
    move.dims.push_back({src, dst});
  return move;
}

std::optional<Move> Move::get(Operation *op) {
  if (auto copy = dyn_cast<CopyOp>(op))
    return pairDims(copy);
  auto gather = dyn_cast<GatherOp>(op);
  auto scatter = dyn_cast<ScatterOp>(op);
  if (!gather && !scatter)
    return std::nullopt;
  Move move = gather ? pairDims(gather) : pairDims(scatter);
  move.indices = gather ? gather.getIndices() : scatter.getIndices();
  for (auto [number, dims] : llvm::enumerate(move.dims))
    if (gather ? dims.first == static_cast<int64_t>(gather.getAxis())
               : dims.second == static_cast<int64_t>(scatter.getAxis()))
      move.axis = number;
  return move.axis ? std::optional(move) : std::nullopt;
}

void TiedDims::visitMove(Operation *op) {
  std::optional<Move> move = Move::get(op);
  if (!move)
    return visitOther(op);
  for (auto [src, dst] : move->dims)
    tie(move->src, src, move->dst, dst);
  llvm::TypeSwitch<Operation *>(op).Case<CopyOp, GatherOp, ScatterOp>([&](auto typed) {
    pinPartial(typed.getSrc(), typed.getStaticSrcOffsets(), typed.getSrcSizes());
    pinPartial(typed.getDst(), typed.getStaticDstOffsets(), typed.getDstSizes());
  });
  if (move->indices) {
    auto [src, dst] = move->dims[*move->axis];
    auto gather = dyn_cast<GatherOp>(op);
    OpFoldResult first =
        gather ? gather.getMixedIndexOffset() : cast<ScatterOp>(op).getMixedIndexOffset();
    tie(move->indices, 0, move->dst, dst);
    // Rows of a tile may be named by any part. Of rows that are written to one place the
    // last one stays, so one block has to write them.
    bool hasOwnRows = gather && !isTile(move->src.getType()) &&
                      isTile(move->indices.getType()) && getConstantIntValue(first) == 0;
    if (!hasOwnRows)
      pinAll(move->indices), pin(move->src, src), pin(move->dst, dst);
  }
  if (!isTile(move->dst.getType())) {
    if (isTile(move->src.getType()))
      writes.push_back({move->dst, op, move->src.getDefiningOp()});
    else
      reason = "it copies from a tensor to a tensor";
  }
}

//===----------------------------------------------------------------------===//
// Other operations
//===----------------------------------------------------------------------===//

/// An element of a tile, in a loop that walks some of the tile's dimensions or none.
void TiedDims::visitElement(Operation *access, Value memref, ValueRange indices,
                            bool isWrite) {
  if (isWrite && !isTile(memref.getType())) {
    reason = "it does something else than to compute elements";
    return;
  }
  auto loop = access->getParentOfType<ParallelOp>();
  if (auto own = memref.getDefiningOp<AllocOp>(); loop && own && loop->isAncestor(own))
    return pinAll(memref); // an iteration's own
  for (auto [dim, index] : llvm::enumerate(indices)) {
    auto variable = dyn_cast<BlockArgument>(index);
    bool isWalked = loop && variable && variable.getOwner() == &loop.getBody().front();
    OwnedDim walked{loop, isWalked ? variable.getArgNumber() : 0};
    if (!isWalked || !memref.getDefiningOp<AllocOp>()) {
      pin(memref, dim);
      if (isWalked)
        pinned.push_back(walked);
      continue;
    }
    tie(walked, {memref.getDefiningOp(), dim});
  }
  // What one iteration writes for all others, each part would have to.
  if (isWrite && loop)
    for (BlockArgument variable : loop.getBody().getArguments())
      if (!llvm::is_contained(indices, variable))
        pinned.push_back({loop, variable.getArgNumber()});
}

void TiedDims::visitReduction(Value src, Value dst, int64_t dim) {
  int64_t rank = cast<MemRefType>(src.getType()).getRank();
  bool keepsRank = cast<MemRefType>(dst.getType()).getRank() == rank;
  for (int64_t other = 0; other < rank; ++other)
    if (other != dim)
      tie(src, other, dst, other - (!keepsRank && other > dim));
  pin(src, dim);
}

/// An operation that nothing is known of but what memory it touches.
void TiedDims::visitOther(Operation *op) {
  for (Value operand : op->getOperands())
    if (isa<MemRefType>(operand.getType()))
      pinAll(operand);
  if (isMemoryEffectFree(op) || isa<AssumeOp>(op) ||
      op->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
    return;
  if (auto loop = op->getParentOfType<ParallelOp>())
    pinVariables(loop);
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  SmallVector<MemoryEffects::EffectInstance> instances;
  if (effects)
    effects.getEffects(instances);
  if (!effects || llvm::any_of(instances, [](MemoryEffects::EffectInstance &effect) {
        return !isa<MemoryEffects::Read>(effect.getEffect()) &&
               (!effect.getValue() || !isTile(effect.getValue().getType()));
      }))
    reason = "it does something else than to compute elements";
}

void TiedDims::visit(Operation *op) {
  llvm::TypeSwitch<Operation *>(op)
      .Case<CopyOp, GatherOp, ScatterOp>([&](auto) { visitMove(op); })
      .Case([&](GemmOp gemm) {
        bool a = gemm.getTransposeA(), b = gemm.getTransposeB();
        tie(gemm.getA(), a ? 1 : 0, gemm.getC(), 0);
        tie(gemm.getB(), b ? 0 : 1, gemm.getC(), 1);
        pin(gemm.getA(), a ? 0 : 1);
        pin(gemm.getB(), b ? 1 : 0);
      })
      .Case([&](ReduceOp reduce) {
        visitReduction(reduce.getSrc(), reduce.getDst(), reduce.getDim());
      })
      .Case([&](ScanOp scan) {
        visitReduction(scan.getSrc(), scan.getDst(), scan.getDim());
        pin(scan.getDst(), scan.getDim());
      })
      .Case([&](FillOp fill) {
        if (!isTile(fill.getDst().getType()))
          reason = "it fills a tensor";
      })
      .Case([&](memref::LoadOp load) {
        visitElement(load, load.getMemRef(), load.getIndices(), /*isWrite=*/false);
      })
      .Case([&](memref::StoreOp store) {
        visitElement(store, store.getMemRef(), store.getIndices(), /*isWrite=*/true);
      })
      .Case([&](LoadOp) {}) // reads a tensor anywhere
      .Case<StoreOp, AtomicOp>([&](auto access) {
        // To a tile all iterations combine values, each part would have its own alone.
        auto loop = op->getParentOfType<ParallelOp>();
        if (isTile(access.getMemref().getType()))
          visitOther(op);
        else if (!loop)
          reason = "it writes single elements outside of loops";
        else if (!op->use_empty())
          reason = "it uses what atomics find in a tensor";
        else
          writes.push_back({access.getMemref(), loop, loop});
      })
      .Case<AllocOp, ParallelOp>([](auto) {})
      .Default([&](Operation *) { visitOther(op); });
}

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

void TiedDims::add(Operation *owner, ArrayRef<int64_t> of) {
  extents[owner] = SmallVector<int64_t>(of);
  for (int64_t dim : llvm::seq<int64_t>(of.size()))
    classes.insert({owner, dim});
}

void TiedDims::tie(Value a, int64_t aDim, Value b, int64_t bDim) {
  bool aIsOwned = a.getDefiningOp<AllocOp>(), bIsOwned = b.getDefiningOp<AllocOp>();
  if (aIsOwned && bIsOwned)
    return tie({a.getDefiningOp(), aDim}, {b.getDefiningOp(), bDim});
  // A view, of which nothing is known; tensors tie nothing.
  if (isTile(a.getType()) && isTile(b.getType()))
    pin(a, aDim), pin(b, bDim);
}

void TiedDims::pin(Value memref, int64_t dim) {
  if (auto alloc = memref.getDefiningOp<AllocOp>())
    pinned.push_back({alloc, dim});
}

void TiedDims::pinAll(Value memref) {
  for (int64_t dim : llvm::seq(cast<MemRefType>(memref.getType()).getRank()))
    pin(memref, dim);
}

/// Pins dimensions of a tile of which a region takes a part.
void TiedDims::pinPartial(Value memref, ArrayRef<int64_t> offsets,
                          ArrayRef<int64_t> sizes) {
  auto type = cast<MemRefType>(memref.getType());
  for (int64_t dim : llvm::seq(type.getRank()))
    if (offsets[dim] != 0 || sizes[dim] != type.getDimSize(dim))
      pin(memref, dim);
}

void TiedDims::pinVariables(ParallelOp loop) {
  for (int64_t number : llvm::seq<int64_t>(loop.getExtents().size()))
    pinned.push_back({loop, number});
}

/// Whether a loop of the kernel, one that runs in order, repeats `op`.
static bool isRepeated(Operation *op) {
  auto loop = op->getParentOfType<LoopLikeOpInterface>();
  return loop && loop->getParentOfType<KernelOp>();
}

/// What a block does to tensors is in order, what parts of it do is not: none may read
/// what another one writes, or write where another one does.
void TiedDims::checkTensors(KernelOp kernel) {
  kernel.walk([&](Operation *op) {
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects || isa<AtomicOp>(op))
      return;
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects<MemoryEffects::Read>(instances);
    for (MemoryEffects::EffectInstance &effect : instances)
      if (Value read = effect.getValue(); read && !isTile(read.getType()))
        if (mayWrite(kernel, read))
          reason = "it reads a tensor that it writes";
  });
  for (auto [number, write] : llvm::enumerate(writes)) {
    bool again =
        llvm::any_of(ArrayRef(writes).take_front(number), [&](const Write &other) {
          return write.op != other.op && mayOverlap(write.tensor, other.tensor);
        });
    if (again || isRepeated(write.op))
      reason = "it writes a tensor more than once";
  }
}

TiedDims::TiedDims(KernelOp kernel) {
  kernel.walk([&](Operation *op) {
    if (auto alloc = dyn_cast<AllocOp>(op))
      add(alloc, alloc.getType().getShape());
    else if (auto loop = dyn_cast<ParallelOp>(op))
      add(loop, loop.getExtents());
  });
  kernel.getBody().walk([&](Operation *op) { visit(op); });
  checkTensors(kernel);
}

std::optional<int64_t> TiedDims::find(Operation *owner, OwnedDim dim) const {
  auto found = extents.find(owner);
  if (found != extents.end())
    for (int64_t own : llvm::seq<int64_t>(found->second.size()))
      if (classes.isEquivalent(dim, {owner, own}))
        return own;
  return std::nullopt;
}

bool TiedDims::isFree(OwnedDim dim) const {
  auto isInClass = [&](OwnedDim other) { return classes.isEquivalent(dim, other); };
  int64_t extent = extents.find(dim.first)->second[dim.second];
  if (llvm::any_of(pinned, isInClass))
    return false;
  for (auto &[owner, its] : extents) {
    int64_t count = 0;
    for (auto [own, size] : llvm::enumerate(its)) {
      if (!isInClass({owner, static_cast<int64_t>(own)}))
        continue;
      if (size != extent)
        return false;
      ++count;
    }
    // Of a tile's rows against its own rows, parts would make the diagonal alone.
    if (count > 1)
      return false;
  }
  // A writer that is in no part would write in all of them.
  return llvm::all_of(
      writes, [&](const Write &write) { return find(write.owner, dim).has_value(); });
}

SmallVector<OwnedDim> TiedDims::getFreeClasses() const {
  SmallVector<OwnedDim> found;
  if (!reason.empty() || writes.empty())
    return found;
  for (auto &[owner, its] : extents)
    for (int64_t own : llvm::seq<int64_t>(its.size())) {
      OwnedDim dim{owner, own};
      if (isFree(dim) && llvm::none_of(found, [&](OwnedDim other) {
            return classes.isEquivalent(dim, other);
          }))
        found.push_back(dim);
    }
  return found;
}

bool cpu::isSideOfProduct(KernelOp kernel, const TiedDims &ties, OwnedDim dim) {
  return kernel
      .walk([&](tile::GemmOp gemm) {
        return ties.find(gemm.getC(), dim) ? WalkResult::interrupt()
                                           : WalkResult::advance();
      })
      .wasInterrupted();
}
