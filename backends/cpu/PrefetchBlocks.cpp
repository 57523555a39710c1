//===- PrefetchBlocks.cpp - A block asks for what the next one reads ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block that copies rows from memory, works on them in a cache and writes them leaves
// memory idle while it works. So the longest of its loops over as many elements asks for
// the elements that a block further along the grid's first dimension copies:
//
//     copy X[4 * bx, 0][4, 1024] to x
//     parallel (i, j) in (4, 1024) {
//       prefetch X[4 * min(bx + 1, blocks - 1) + i, j]
//       ...
//     }
//
// What neighbours read must be apart: the same rows are in a cache already. Where blocks
// read so little that memory would not have answered when the next one begins, they ask
// for a later block than the next.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/FusableLoop.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"
#include "compiler/transforms/ExpandBuilder.h"

#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLExtras.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_PREFETCHBLOCKS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Of fewer bytes the core itself has read enough ahead.
static constexpr int64_t leastBytes = 1024;
/// While so many bytes are read and worked on, memory has answered what was asked for
/// before: on a Zen 5, rows of 8 KiB need two blocks.
static constexpr int64_t leastAhead = 16 << 10;

namespace {
/// A region of a parameter that a block reads: by a copy, or element by element in a
/// loop.
struct Region {
  Operation *reader;
  Value memref;
  SmallVector<OpFoldResult> indices; ///< of an element, or of a copy's first one
  SmallVector<int64_t> loopExtents;  ///< of the loop, or of the copied region

  int64_t bytes() const {
    return llvm::product_of(loopExtents) *
           cast<MemRefType>(memref.getType()).getElementTypeBitWidth() / 8;
  }
};

/// Finds the regions of one kernel and the loops that ask for them.
class KernelPrefetches {
public:
  KernelPrefetches(KernelOp kernel, int64_t budget)
      : kernel(kernel), bounds(kernel->getParentOfType<func::FuncOp>()), budget(budget),
        block(kernel.getBody().getArgument(0)) {}
  void run();

private:
  void add(Region region);
  bool canMove(Value value) const;
  bool isApart(const Region &region);
  LinearForm sharedForm(const Region &region, size_t dim);
  bool areSame(const Region &one, const Region &other);
  ParallelOp findLoop(const Region &region) const;
  void emit(const Region &region, ParallelOp loop);

  KernelOp kernel;
  IndexBounds bounds;
  int64_t budget;
  Value block;
  SmallVector<Region> regions;
};
} // namespace

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// Whether `value` can be computed anew for another block: from the block, what a loop
/// counts, and what is the same in all blocks.
bool KernelPrefetches::canMove(Value value) const {
  return canRecompute(value, [&](Value given) {
    Operation *definition = given.getDefiningOp();
    return !definition || !kernel->isProperAncestor(definition);
  });
}

/// Whether the next block reads other elements.
bool KernelPrefetches::isApart(const Region &region) {
  unsigned atom = bounds.form(block).terms.front().first;
  auto loop = dyn_cast<ParallelOp>(region.reader);
  for (auto [dim, index] : llvm::enumerate(region.indices)) {
    auto value = dyn_cast<Value>(index);
    if (!value)
      continue;
    LinearForm form = bounds.form(value);
    int64_t span = loop ? 1 : region.loopExtents[dim];
    if (loop)
      for (auto [variable, extent] :
           llvm::zip_equal(loop.getBody().getArguments(), loop.getExtents()))
        for (auto [term, factor] : form.terms)
          if (bounds.valueOf(term) == variable)
            span += std::abs(factor) * (extent - 1);
    if (form.factorOf(atom) >= span)
      return true;
  }
  return false;
}

/// The index along `dim` of an element that a loop reads, in terms that other loops
/// share: what it counts is numbered from the end of all atoms, and what it counts to 1
/// is zero.
LinearForm KernelPrefetches::sharedForm(const Region &region, size_t dim) {
  OpFoldResult index = region.indices[dim];
  if (auto constant = getConstantIntValue(index))
    return {*constant, {}};
  LinearForm form = bounds.form(cast<Value>(index)), shared;
  shared.constant = form.constant;
  auto loop = cast<ParallelOp>(region.reader);
  for (auto [atom, factor] : form.terms) {
    unsigned counted = ~0u, term = atom;
    bool isUnit = false;
    for (auto [variable, extent] :
         llvm::zip_equal(loop.getBody().getArguments(), loop.getExtents())) {
      if (bounds.valueOf(atom) == variable) {
        term = counted;
        isUnit = extent == 1;
      }
      counted -= extent != 1;
    }
    if (!isUnit)
      shared.terms.emplace_back(term, factor);
  }
  llvm::sort(shared.terms);
  return shared;
}

/// Whether two loops read the same elements where they count the same.
bool KernelPrefetches::areSame(const Region &one, const Region &other) {
  if (one.memref != other.memref || !isa<ParallelOp>(one.reader) ||
      !isa<ParallelOp>(other.reader) ||
      dropUnits(one.loopExtents) != dropUnits(other.loopExtents))
    return false;
  return llvm::all_of(llvm::seq(one.indices.size()), [&](size_t dim) {
    LinearForm a = sharedForm(one, dim), b = sharedForm(other, dim);
    return a.constant == b.constant && a.terms == b.terms;
  });
}

void KernelPrefetches::add(Region region) {
  auto type = cast<MemRefType>(region.memref.getType());
  int64_t bytes = region.bytes();
  bool movable = llvm::all_of(region.indices, [&](OpFoldResult index) {
    return isa<Attribute>(index) || canMove(cast<Value>(index));
  });
  bool isKnown =
      llvm::any_of(regions, [&](const Region &other) { return areSame(other, region); });
  if (!isKnown && getParameter(region.memref) && hasContiguousRows(type) &&
      bytes >= leastBytes && bytes <= budget && movable && isApart(region))
    regions.push_back(std::move(region));
}

//===----------------------------------------------------------------------===//
// Prefetches
//===----------------------------------------------------------------------===//

/// The longest loop after the reader that counts what it counts; null where none does.
ParallelOp KernelPrefetches::findLoop(const Region &region) const {
  auto size = [](ParallelOp loop) { return llvm::range_size(loop.getBody().front()); };
  ParallelOp best;
  for (Operation *op = region.reader->getNextNode(); op; op = op->getNextNode())
    if (auto loop = dyn_cast<ParallelOp>(op))
      if (dropUnits(loop.getExtents()) == dropUnits(region.loopExtents) &&
          (!best || size(loop) > size(best)))
        best = loop;
  return best;
}

/// `value` with what `mapping` says in place of what it is computed from; computed anew
/// too where only the body of `reader` sees it.
static Value moveTo(OpBuilder &builder, Value value, Operation *reader,
                    IRMapping &mapping) {
  if (Value mapped = mapping.lookupOrNull(value))
    return mapped;
  Operation *definition = value.getDefiningOp();
  if (!definition || definition->getNumRegions() != 0)
    return value;
  bool changes = false;
  for (Value operand : definition->getOperands()) {
    Value moved = moveTo(builder, operand, reader, mapping);
    changes |= moved != operand;
    mapping.map(operand, moved);
  }
  bool isHidden = reader->isProperAncestor(definition);
  Value moved =
      changes || isHidden ? builder.clone(*definition, mapping)->getResult(0) : value;
  mapping.map(value, moved);
  return moved;
}

void KernelPrefetches::emit(const Region &region, ParallelOp loop) {
  ExpandBuilder b(loop);
  IRMapping mapping;
  Value last = b.sub(kernel.getGrid().front(), b.index(1));
  int64_t ahead = llvm::divideCeil(leastAhead, region.bytes());
  mapping.map(block, b.min(b.add(block, ahead), last));
  b.setInsertionPointToStart(&loop.getBody().front());

  // The loop's variables for the reader's dimensions that are counted.
  SmallVector<Value> counted;
  for (auto [variable, extent] :
       llvm::zip_equal(loop.getBody().getArguments(), loop.getExtents()))
    if (extent != 1)
      counted.push_back(variable);
  SmallVector<Value> variables;
  auto next = counted.begin();
  for (int64_t extent : region.loopExtents)
    variables.push_back(extent == 1 ? Value() : *next++);
  if (auto reader = dyn_cast<ParallelOp>(region.reader))
    for (auto [old, variable] :
         llvm::zip_equal(reader.getBody().getArguments(), variables))
      mapping.map(old, variable ? variable : b.index(0));

  SmallVector<Value> indices;
  for (OpFoldResult index : region.indices)
    indices.push_back(moveTo(b, b.index(index), region.reader, mapping));
  if (isa<CopyOp>(region.reader))
    for (auto [index, variable] : llvm::zip_equal(indices, variables))
      index = b.addTo(index, variable);
  memref::PrefetchOp::create(b, loop.getLoc(), region.memref, indices, /*isWrite=*/false,
                             /*localityHint=*/3, /*isDataCache=*/true);
}

void KernelPrefetches::run() {
  for (Operation &op : kernel.getBody().front()) {
    if (auto copy = dyn_cast<CopyOp>(op))
      add({copy, copy.getSrc(), copy.getMixedSrcOffsets(),
           SmallVector<int64_t>(copy.getSrcSizes())});
    else if (auto loop = dyn_cast<ParallelOp>(op))
      for (LoadOp load : loop.getBody().front().getOps<LoadOp>())
        add({loop, load.getMemref(), getAsOpFoldResult(load.getIndices()),
             SmallVector<int64_t>(loop.getExtents())});
  }
  for (const Region &region : regions)
    if (ParallelOp loop = findLoop(region))
      emit(region, loop);
}

namespace {
struct PrefetchBlocks : tilewright::cpu::impl::PrefetchBlocksBase<PrefetchBlocks> {
  using PrefetchBlocksBase::PrefetchBlocksBase;

  void runOnOperation() override {
    getOperation()->walk(
        [&](KernelOp kernel) { KernelPrefetches(kernel, budget).run(); });
  }
};
} // namespace
