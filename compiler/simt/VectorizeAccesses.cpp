//===- VectorizeAccesses.cpp - How many neighbours a thread takes at once --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An iteration of a loop nest is one element. Where neighbouring iterations access
// neighbours in memory, a thread is better given a few of them, whose accesses are one of
// up to 16 bytes each. This pass decides how many, `distribute` does it:
//
//   tile.parallel (%r, %c) in (64, 32) {                 {simt.width = 8}
//     %v = tile.load %x[%i + %r, %k + %c]                {simt.contiguous}
//     memref.store %v, %s[%r, %c]                        {simt.contiguous}
//   }
//
// for elements of 16 bits, where %k is a multiple of 8 and so are the rows' lengths.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Alignment.h"
#include "compiler/analysis/Memory.h"
#include "compiler/simt/FragmentLayout.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

#include "llvm/ADT/EquivalenceClasses.h"

#include <numeric>

namespace tilewright::simt {
#define GEN_PASS_DEF_VECTORIZEACCESSES
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// The widest access of one instruction, and of all of a thread's neighbours.
static constexpr int64_t kAccessBytes = 16, kNeighbourBytes = 32;

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

namespace {
/// A read or write of one element.
struct ElementAccess {
  Operation *op = nullptr;
  Value memref;
  ValueRange indices;
  ArrayRef<bool> inbounds; // empty: nothing is known, or it is a tile
  bool isWrite = false;

  static std::optional<ElementAccess> get(Operation *op) {
    if (auto load = dyn_cast<memref::LoadOp>(op))
      return ElementAccess{op, load.getMemRef(), load.getIndices(), {}, false};
    if (auto store = dyn_cast<memref::StoreOp>(op))
      return ElementAccess{op, store.getMemRef(), store.getIndices(), {}, true};
    if (auto load = dyn_cast<tile::LoadOp>(op))
      return ElementAccess{op, load.getMemref(), load.getIndices(), load.getInbounds(),
                           false};
    if (auto store = dyn_cast<tile::StoreOp>(op))
      return ElementAccess{op, store.getMemref(), store.getIndices(), store.getInbounds(),
                           true};
    return std::nullopt;
  }
  MemRefType type() const { return cast<MemRefType>(memref.getType()); }
  int64_t bytes() const { return type().getElementTypeBitWidth() / 8; }
  bool isGlobal() const { return getSpace(type()) == Space::Global; }
};

/// What is known of a nest whose neighbours might be taken together.
struct Nest {
  ParallelOp op;
  int64_t width = 1;
  SmallVector<ElementAccess> contiguous;
};

struct VectorizeAccessesPass
    : tilewright::simt::impl::VectorizeAccessesBase<VectorizeAccessesPass> {
  void runOnOperation() override;

private:
  Nest analyze(ParallelOp op, IndexBounds &bounds);
  void agree(MutableArrayRef<Nest> nests);
};
} // namespace

/// Values in `nest` that differ between neighbours.
static DenseSet<Value> findVarying(ParallelOp nest) {
  DenseSet<Value> varying;
  varying.insert(nest.getBody().front().getArguments().back());
  nest.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto varies = [&](Operation *user) {
      return llvm::any_of(user->getOperands(),
                          [&](Value operand) { return varying.contains(operand); });
    };
    if (op != nest && varies(op))
      varying.insert_range(op->getResults());
  });
  // A branch gives what its blocks yield.
  nest.walk([&](scf::YieldOp yield) {
    for (auto [operand, result] :
         llvm::zip(yield.getOperands(), yield->getParentOp()->getResults()))
      if (varying.contains(operand))
        varying.insert(result);
  });
  return varying;
}

/// Of how many elements the distance between rows of `memref` is a multiple, and with it
/// every index but the last: at most `limit`.
static int64_t getRowAlignment(const ElementAccess &access, IndexBounds &bounds,
                               int64_t limit) {
  MemRefType type = access.type();
  auto [strides, offset] = type.getStridesAndOffset();
  if (strides.back() != 1 || ShapedType::isDynamic(offset))
    return 1;
  limit = getAlignment(offset, limit);
  int64_t step = 1; // of a row-major tensor, as far as it is known
  for (int64_t dim = type.getRank() - 2; dim >= 0; --dim) {
    LinearForm extent = bounds.extent(access.memref, dim + 1);
    step = getAlignment(step * getAlignment(extent, limit), limit);
    int64_t known = step;
    if (!type.getLayout().isIdentity()) {
      std::optional<LinearForm> stride = bounds.stride(access.memref, dim);
      known = stride ? getAlignment(*stride, limit) : 1;
    }
    LinearForm index = bounds.form(access.indices[dim]);
    limit = getAlignment(known * getAlignment(index, limit), limit);
  }
  return limit;
}

//===----------------------------------------------------------------------===//
// Nests
//===----------------------------------------------------------------------===//

/// Whether `op`, which is in a nest, can be done for some neighbours together or once for
/// each. Of what has regions only a branch that all of them take can.
static bool isSupported(Operation *op, const DenseSet<Value> &varying) {
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return !varying.contains(branch.getCondition());
  return ElementAccess::get(op) || isa<scf::YieldOp>(op) ||
         (op->getNumRegions() == 0 && isMemoryEffectFree(op));
}

Nest VectorizeAccessesPass::analyze(ParallelOp op, IndexBounds &bounds) {
  Nest nest{op, /*width=*/kAccessBytes, {}};
  auto give = [&](const Twine &reason) {
    if (!reason.isTriviallyEmpty())
      op.emitRemark("one element at a time: ") << reason;
    return Nest{op, 1, {}};
  };
  Value iv = op.getBody().front().getArguments().back();
  DenseSet<Value> varying = findVarying(op);
  nest.width = getAlignment(op.getExtents().back(), nest.width);

  SmallVector<ElementAccess> accesses;
  Operation *unsupported = nullptr;
  op.walk([&](Operation *inner) {
    if (inner == op)
      return;
    if (!isSupported(inner, varying))
      unsupported = inner;
    if (std::optional<ElementAccess> access = ElementAccess::get(inner))
      accesses.push_back(*access);
  });
  if (unsupported)
    return give("");

  int64_t narrowest = kAccessBytes, widest = 1;
  for (const ElementAccess &access : accesses) {
    bool varies = llvm::any_of(access.indices,
                               [&](Value index) { return varying.contains(index); });
    if (!varies) {
      if (access.isWrite)
        return give("");
      continue; // one read for all neighbours
    }
    Operation *alloc = access.memref.getDefiningOp();
    if ((alloc && alloc->hasAttr(dealtAttrName)) ||
        getSpace(access.type()) == Space::Local)
      continue; // a thread's own registers
    LinearForm last = bounds.form(access.indices.back()), rest = last;
    llvm::erase_if(rest.terms,
                   [&](auto &term) { return bounds.valueOf(term.first) == iv; });
    bool isContiguous =
        llvm::none_of(access.indices.drop_back(),
                      [&](Value index) { return varying.contains(index); }) &&
        last.terms.size() == rest.terms.size() + 1 &&
        llvm::all_of(last.terms, [&](auto &term) {
          Value value = bounds.valueOf(term.first);
          return value == iv ? term.second == 1 : !varying.contains(value);
        });
    if (!isContiguous) {
      if (access.isGlobal())
        return give("neighbours are not side by side in " +
                    Twine(describeMemory(access.memref)));
      continue; // element by element from shared memory
    }
    if (access.type().getElementTypeBitWidth() < 8 || !getAlignedBase(access.memref))
      return give("");
    nest.width = getAlignment(rest, nest.width);
    nest.width = getRowAlignment(access, bounds, nest.width);
    bool isGuarded =
        access.isGlobal() && (access.inbounds.empty() || !access.inbounds.back());
    if (isGuarded) // all neighbours are inside, or none is
      nest.width = getAlignment(bounds.extent(access.memref, access.type().getRank() - 1),
                                nest.width);
    if (nest.width == 1 && access.isGlobal())
      return give("the rows of " + Twine(describeMemory(access.memref)) +
                  ", or where they are read from, are not shown to be multiples of "
                  "two elements; multiple_of of T.dynamic can show it");
    narrowest = std::min(narrowest, access.bytes());
    widest = std::max(widest, access.bytes());
    nest.contiguous.push_back(access);
  }
  if (nest.contiguous.empty())
    return give("");
  nest.width = std::min({nest.width, kAccessBytes / narrowest, kNeighbourBytes / widest});
  // All threads have work first.
  int64_t threads = op->getParentOfType<KernelOp>().getThreads().value_or(defaultThreads);
  int64_t total = 1;
  for (int64_t extent : op.getExtents())
    total *= extent;
  while (nest.width > 1 && total / nest.width < threads)
    nest.width /= 2;
  // Where instructions leave the elements of a row in registers, no further.
  if (auto layout = op->getAttrOfType<LayoutAttr>(dealtAttrName))
    nest.width = getAlignment(getNeighbours(layout), nest.width);
  return nest;
}

/// Makes the nests that take turns at one fragment take the same steps: the k-th elements
/// that a thread has are those of its k-th iteration.
void VectorizeAccessesPass::agree(MutableArrayRef<Nest> nests) {
  llvm::EquivalenceClasses<Operation *> groups;
  for (Nest &nest : nests) {
    if (!nest.op->hasAttr(dealtAttrName) ||
        nest.op->getAttrOfType<LayoutAttr>(dealtAttrName))
      continue;
    groups.insert(nest.op);
    nest.op.walk([&](Operation *op) {
      for (Value operand : op->getOperands())
        if (auto alloc = operand.getDefiningOp<AllocOp>();
            alloc && alloc->hasAttr(dealtAttrName))
          groups.unionSets(nest.op, alloc);
    });
  }
  DenseMap<Operation *, int64_t> widths;
  for (Nest &nest : nests)
    if (groups.contains(nest.op)) {
      int64_t &width =
          widths.try_emplace(groups.getLeaderValue(nest.op), nest.width).first->second;
      width = std::min(width, nest.width);
    }
  for (Nest &nest : nests)
    if (groups.contains(nest.op))
      nest.width = widths.at(groups.getLeaderValue(nest.op));
}

void VectorizeAccessesPass::runOnOperation() {
  IndexBounds bounds(getOperation());
  SmallVector<Nest> nests;
  getOperation().walk([&](ParallelOp op) { nests.push_back(analyze(op, bounds)); });
  agree(nests);
  Builder builder(&getContext());
  for (Nest &nest : nests) {
    if (nest.width == 1)
      continue;
    ++numVectorized;
    nest.op->setAttr(widthAttrName, builder.getI64IntegerAttr(nest.width));
    for (const ElementAccess &access : nest.contiguous) {
      access.op->setAttr(contiguousAttrName, builder.getUnitAttr());
      int64_t bytes = std::min(nest.width * access.bytes(), kAccessBytes);
      if (auto base = dyn_cast<BlockArgument>(getAlignedBase(access.memref)))
        requireAlignment(base, bytes);
      if (access.isGlobal() && bytes < kAccessBytes)
        access.op->emitRemark("moves ")
            << bytes << " bytes of " << describeMemory(access.memref) << " at a time";
    }
  }
}
