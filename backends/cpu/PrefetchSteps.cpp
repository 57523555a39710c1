//===- PrefetchSteps.cpp - A step asks for what the next one reads ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On a GPU the copies of a pipelined loop are on their way while the step before
// multiplies. A CPU has prefetches for that. They are given to the loop's longest
// product, which makes a part of them with each block of registers:
//
//     for k {                                        for k {
//       copy K[table[k], 0][64, 128] to k_tile         copy K[table[k], 0][64, 128] to
//       k_tile gemm k_tile, q into scores                     k' = k + 1 < end ? k + 1 :
//       k
//       ...                                            gemm k_tile, q into scores
//                                                        ahead K[table[k'], 0][64, 128]
//
// Of rows that are gathered, the list for the next step is made as the step makes its
// own.
//
// What the last step asks for it has itself: so what is loaded to find the next region is
// loaded by another step too, and exists. Where a region follows from the number of the
// block without loading anything, the last step asks for the next block's first one.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/PrefetchSteps.h"

#include "backends/cpu/Passes.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"

#include "llvm/ADT/STLExtras.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_PREFETCHSTEPS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Of fewer bytes the core itself has read enough ahead.
static constexpr int64_t leastBytes = 1024;

/// Products of less than one part in so many of the longest one ask for nothing.
static constexpr int64_t leastShare = 8;

/// Vectors that are loaded for fewer rows are asked for by nobody: a prefetch would take
/// as long as the work on one.
static constexpr int64_t leastRows = 4;

/// Whether `value` is the same in all steps, or what the loop counts.
bool LoopPrefetches::isThere(Value value) {
  return value == loop.getInductionVar() || loop.isDefinedOutsideOfLoop(value);
}

/// Whether what `op` loads the next step loads as well, and finds the same.
bool LoopPrefetches::mayLoad(Operation *op) {
  if (auto load = dyn_cast<tile::LoadOp>(op))
    return op->getParentOp() == loop && getParameter(load.getMemref()) &&
           !mayWrite(kernel, load.getMemref());
  return false;
}

/// Whether the next step reads other elements: it moves by more than the region's extent,
/// or to where memory says.
bool LoopPrefetches::isApart(const SourceRegion &region) {
  LinearForm counted = bounds.form(loop.getInductionVar());
  if (counted.terms.empty())
    return false;
  unsigned atom = counted.terms.front().first;
  for (auto [offset, size] : llvm::zip_equal(region.offsets, region.sizes))
    if (auto value = dyn_cast<Value>(offset)) {
      bool isLoaded = !canRecompute(value, [&](Value given) { return isThere(given); });
      if (isLoaded || bounds.form(value).factorOf(atom) >= size)
        return true;
    }
  return false;
}

bool LoopPrefetches::isWorthwhile(const SourceRegion &region) {
  auto type = cast<MemRefType>(region.memref.getType());
  int64_t bytes = llvm::product_of(region.sizes) * type.getElementTypeBitWidth() / 8;
  return getParameter(region.memref) && hasContiguousRows(type) && bytes >= leastBytes &&
         bytes <= budget &&
         llvm::all_of(region.offsets,
                      [&](OpFoldResult offset) {
                        return isa<Attribute>(offset) ||
                               canRecompute(
                                   cast<Value>(offset),
                                   [&](Value v) { return isThere(v); },
                                   [&](Operation *op) { return mayLoad(op); });
                      }) &&
         isApart(region);
}

/// What a step does, one way through its branches.
using Form = SmallVector<Operation *>;

static bool hasProducts(Region &region) {
  return region.walk([](cpu::GemmOp) { return WalkResult::interrupt(); })
      .wasInterrupted();
}

/// Adds what `block` does to each of `forms`. Where both sides of a branch multiply, each
/// makes forms of its own; else the first side is taken.
static void addForms(Block &block, SmallVector<Form> &forms) {
  for (Operation &op : block) {
    for (Form &form : forms)
      form.push_back(&op);
    auto branch = dyn_cast<scf::IfOp>(op);
    if (!branch)
      continue;
    SmallVector<Form> others;
    if (hasProducts(branch.getThenRegion()) && hasProducts(branch.getElseRegion())) {
      others = forms;
      addForms(*branch.elseBlock(), others);
    }
    addForms(*branch.thenBlock(), forms);
    llvm::append_range(forms, others);
  }
}

int64_t cpu::countProducts(cpu::GemmOp gemm) {
  return gemm.getM() * gemm.getN() * gemm.getGroups() * gemm.getAtom().getGroup();
}

/// The products of `ops` that ask for something: those that take a while.
static SmallVector<cpu::GemmOp> findProducts(ArrayRef<Operation *> ops) {
  SmallVector<cpu::GemmOp> products;
  int64_t most = 0;
  for (Operation *op : ops)
    if (auto gemm = dyn_cast<cpu::GemmOp>(op); gemm && !gemm.getAtom().isInner()) {
      products.push_back(gemm);
      most = std::max(most, countProducts(gemm));
    }
  llvm::erase_if(products, [&](cpu::GemmOp gemm) {
    return countProducts(gemm) * leastShare < most;
  });
  return products;
}

SourceRegion cpu::clip(SourceRegion region) {
  auto type = cast<MemRefType>(region.memref.getType());
  for (auto [extent, offset, size] :
       llvm::zip_equal(type.getShape(), region.offsets, region.sizes)) {
    int64_t begin = getConstantIntValue(offset).value_or(0);
    if (begin < 0 || (!ShapedType::isDynamic(extent) && begin >= extent))
      size = 0;
    else if (!ShapedType::isDynamic(extent))
      size = std::min(size, extent - begin);
  }
  return region;
}

/// The region that `op` reads, of a parameter or of a tile; nothing where it reads none
/// from one place.
static std::optional<SourceRegion> getRegion(Operation *op) {
  auto make = [](auto from, ArrayRef<int64_t> sizes) {
    return clip({from.getSrc(), from.getMixedSrcOffsets(), SmallVector<int64_t>(sizes)});
  };
  if (auto copy = dyn_cast<CopyOp>(op))
    return make(copy, copy.getSrcSizes());
  if (auto pack = dyn_cast<PackOp>(op))
    return make(pack, pack.getSrcSizes());
  auto gemm = dyn_cast<cpu::GemmOp>(op);
  if (!gemm)
    return std::nullopt;
  std::array operands{gemm.getA(), gemm.getB()};
  if (gemm.getN() > gemm.getM()) // the larger one first
    std::swap(operands[0], operands[1]);
  for (Value operand : operands) {
    auto view = operand.getDefiningOp<memref::SubViewOp>();
    if (!view || !getParameter(view.getSource()) ||
        llvm::any_of(view.getStaticSizes(), ShapedType::isDynamic) ||
        (operand == gemm.getB() && gemm.getM() < leastRows))
      continue;
    return SourceRegion{view.getSource(), view.getMixedOffsets(),
                        SmallVector<int64_t>(view.getStaticSizes())};
  }
  return std::nullopt;
}

/// Whether `value` is arithmetic on the number of the block, in which the next one
/// differs.
bool LoopPrefetches::changesWithBlock(Value value) {
  if (value == kernel.getBody().getArgument(0))
    return true;
  Operation *op = value.getDefiningOp();
  return op && kernel->isAncestor(op) &&
         llvm::any_of(op->getOperands(), [&](Value v) { return changesWithBlock(v); });
}

/// Whether the next block reads another region, which follows from its number alone.
bool LoopPrefetches::movesWithBlock(const SourceRegion &region) {
  bool moves = false;
  for (OpFoldResult offset : region.offsets) {
    auto value = dyn_cast<Value>(offset);
    if (!value || !changesWithBlock(value))
      continue;
    moves = canRecompute(value, [&](Value given) {
      return given == kernel.getBody().getArgument(0) || !changesWithBlock(given);
    });
    if (!moves)
      return false;
  }
  return moves;
}

/// What the loop counts, as it is in the next step. After the last one that is the same
/// again, or, `beyond` it, the first of the next block.
IRMapping LoopPrefetches::mapToNext(LoopBuilder &b, bool beyond) {
  Location loc = b.getLoc();
  Value current = loop.getInductionVar(), block = kernel.getBody().getArgument(0);
  Value following = b.add(current, loop.getStep());
  Value exists = b.compare(arith::CmpIPredicate::slt, following, loop.getUpperBound());
  IRMapping mapping;
  mapping.map(current, arith::SelectOp::create(b, loc, exists, following,
                                               beyond ? loop.getLowerBound() : current));
  if (beyond)
    mapping.map(block, arith::SelectOp::create(b, loc, exists, block, b.add(block, 1)));
  return mapping;
}

/// Makes `product` ask for the rows of `region`, as it is in the next step, that lie
/// between two shares of them, in `shares`.
void LoopPrefetches::give(cpu::GemmOp product, const SourceRegion &region, int64_t begin,
                          int64_t end, int64_t shares) {
  // The longest of the dimensions but the last is split.
  int64_t split = 0;
  for (int64_t dim = 1; dim + 1 < static_cast<int64_t>(region.sizes.size()); ++dim)
    if (region.sizes[dim] > region.sizes[split])
      split = dim;
  int64_t extent = region.sizes[split];
  int64_t first = extent * begin / shares, last = extent * end / shares;
  if (first == last)
    return;
  LoopBuilder b(product);
  bool beyond = movesWithBlock(region);
  IRMapping mapping = mapToNext(b, beyond);
  auto isThereNow = [&](Value value) {
    return isThere(value) && !(beyond && changesWithBlock(value));
  };
  SmallVector<OpFoldResult> offsets = region.offsets;
  for (OpFoldResult &offset : offsets)
    if (auto value = dyn_cast<Value>(offset))
      offset = recompute(b, value, isThereNow, mapping);
  offsets[split] = getAsOpFoldResult(b.add(b.index(offsets[split]), first));
  SmallVector<OpFoldResult> sizes = getAsIndexOpFoldResult(b.getContext(), region.sizes);
  sizes[split] = b.getIndexAttr(last - first);
  SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
  Value ahead =
      memref::SubViewOp::create(b, b.getLoc(), region.memref, offsets, sizes, ones);
  product.getAheadMutable().append(ahead);
}

/// Makes `region` both where `other` continues its rows.
static bool append(SourceRegion &region, const SourceRegion &other) {
  auto leading = [](const auto &list) { return ArrayRef(list).drop_back(); };
  std::optional<int64_t> begin = getConstantIntValue(region.offsets.back());
  std::optional<int64_t> next = getConstantIntValue(other.offsets.back());
  if (region.memref != other.memref ||
      leading(region.offsets) != leading(other.offsets) ||
      leading(region.sizes) != leading(other.sizes) || !begin || !next ||
      *begin + region.sizes.back() != *next)
    return false;
  region.sizes.back() += other.sizes.back();
  return true;
}

/// What the steps read that is worth asking for.
SmallVector<SourceRegion> LoopPrefetches::findRegions(ArrayRef<Operation *> ops) {
  SmallVector<SourceRegion> regions;
  for (Operation *op : ops) {
    std::optional<SourceRegion> region = getRegion(op);
    if (region && isWorthwhile(*region) && !llvm::is_contained(regions, *region) &&
        llvm::none_of(regions, [&](SourceRegion &r) { return append(r, *region); }))
      regions.push_back(std::move(*region));
  }
  return regions;
}

void LoopPrefetches::run() {
  SmallVector<Form> forms(1);
  addForms(*loop.getBody(), forms);
  llvm::SmallPtrSet<Operation *, 4> done;
  for (const Form &form : forms) {
    SmallVector<cpu::GemmOp> products = findProducts(form);
    // Products that several forms have ask for what the first of these reads.
    llvm::erase_if(products, [&](cpu::GemmOp gemm) { return !done.insert(gemm).second; });
    if (!products.empty())
      run(form, products);
  }
}

void LoopPrefetches::run(ArrayRef<Operation *> ops, ArrayRef<cpu::GemmOp> products) {
  SmallVector<SourceRegion> regions = findRegions(ops);
  int64_t all = 0, done = 0;
  for (cpu::GemmOp product : products)
    all += countProducts(product);
  for (cpu::GemmOp product : products) {
    int64_t until = done + countProducts(product);
    for (const SourceRegion &region : regions)
      give(product, region, done, until, all);
    done = until;
  }
  for (GatheredRows rows : findGathered())
    give(products, rows);
}

namespace {
struct PrefetchSteps : tilewright::cpu::impl::PrefetchStepsBase<PrefetchSteps> {
  using PrefetchStepsBase::PrefetchStepsBase;

  void runOnOperation() override {
    SmallVector<scf::ForOp> loops;
    getOperation()->walk([&](scf::ForOp loop) {
      if (loop->getParentOfType<KernelOp>())
        loops.push_back(loop);
    });
    for (scf::ForOp loop : loops)
      LoopPrefetches(loop, budget).run();
  }
};
} // namespace
