//===- LowerParallel.cpp - Parallel loops as loops over vectors ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three steps for each loop:
//
//   1. Where its accesses may leave a tensor, two forms of it are made: one without
//      guards, taken where the whole iteration space lies inside, and the general one.
//   2. Each form becomes loops over vectors (ParallelEmitter), or scalar loops.
//   3. What a loop repeats is moved out of it, reads of memory that the parallel loop
//      does not write included.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LowerReduce.h"
#include "backends/cpu/ParallelEmitter.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_LOWERPARALLEL
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

namespace {
struct LowerParallelPass : tilewright::cpu::impl::LowerParallelBase<LowerParallelPass> {
  using LowerParallelBase::LowerParallelBase;
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Two forms
//===----------------------------------------------------------------------===//

namespace {
/// Finds when all accesses of a parallel loop lie inside their tensors: for an index
/// that is linear in the variables of the loops, when its values at two corners of the
/// iteration space do.
class InsideCondition {
public:
  InsideCondition(ParallelOp op, IndexBounds &bounds) : b(op), op(op), bounds(bounds) {}

  /// Emits the condition in front of the loop; null where no guard can be decided there.
  Value emit();
  /// Drops the guards that the condition decides from `copy`, a clone of the loop.
  void dropGuards(ParallelOp copy) const;

private:
  bool add(Operation *access, const ElementAccess &element, int64_t dim);
  Value evaluate(Value value, IRMapping &corner);

  LoopBuilder b;
  ParallelOp op;
  IndexBounds &bounds;
  Value condition;
  /// Index, memref and dimension of what the condition covers already.
  llvm::DenseSet<std::tuple<Value, Value, int64_t>> covered;
  /// For the accesses of the loop, in order: the dimensions whose guard is decided.
  SmallVector<SmallVector<int64_t>> decided;
};
} // namespace

/// The first and last value of a variable of `op` or of a loop with constant bounds
/// inside it.
static std::optional<std::pair<int64_t, int64_t>> getRange(ParallelOp op,
                                                           Value variable) {
  auto arg = dyn_cast<BlockArgument>(variable);
  if (!arg)
    return std::nullopt;
  if (arg.getOwner() == &op.getBody().front())
    return std::pair(int64_t(0), op.getExtents()[arg.getArgNumber()] - 1);
  auto loop = dyn_cast<scf::ForOp>(arg.getOwner()->getParentOp());
  if (!loop || arg != loop.getInductionVar())
    return std::nullopt;
  auto lower = getConstantIntValue(loop.getLowerBound());
  auto upper = getConstantIntValue(loop.getUpperBound());
  auto step = getConstantIntValue(loop.getStep());
  if (!lower || !upper || !step || *lower >= *upper)
    return std::nullopt;
  return std::pair(*lower, *lower + (*upper - 1 - *lower) / *step * *step);
}

/// `value` with the loops' variables as in `corner`.
Value InsideCondition::evaluate(Value value, IRMapping &corner) {
  if (corner.contains(value))
    return corner.lookup(value);
  if (value.getParentRegion()->isProperAncestor(&op.getBody()))
    return value;
  Operation *definition = value.getDefiningOp();
  if (!definition) {
    // A variable that the index's form lacks has no part in it, as i in i // 2 where i is
    // below 2: any value that it takes will do.
    auto range = getRange(op, value);
    if (range)
      return b.index(range->first);
    return arith::ConstantOp::create(b, b.getLoc(), b.getZeroAttr(value.getType()));
  }
  for (Value operand : definition->getOperands())
    corner.map(operand, evaluate(operand, corner));
  return b.clone(*definition, corner)->getResult(0);
}

bool InsideCondition::add(Operation *access, const ElementAccess &element, int64_t dim) {
  Value index = element.indices[dim];
  IRMapping low, high;
  int64_t span = 0; // from the index in one corner to that in the other
  for (auto [atom, factor] : bounds.form(index).terms) {
    Value source = bounds.valueOf(atom);
    if (!source || source.getParentRegion()->isProperAncestor(&op.getBody()))
      continue;
    auto range = getRange(op, source);
    if (!range)
      return false;
    auto [first, last] = *range;
    int64_t part;
    if (llvm::MulOverflow(std::abs(factor), last - first, part) ||
        llvm::AddOverflow(span, part, span))
      return false;
    low.map(source, b.index(factor > 0 ? first : last));
    high.map(source, b.index(factor > 0 ? last : first));
  }
  if (!covered.insert({index, element.memref, dim}).second)
    return true;
  auto require = [&](Value holds) { condition = b.both(condition, holds); };
  // Seen as unsigned, a negative index is too large. With both corners inside, and less
  // than 2^63 apart, no index between them has wrapped around.
  Value extent;
  auto requireInside = [&](IRMapping &corner) {
    if (!extent)
      extent = b.createOrFold<memref::DimOp>(b.getLoc(), element.memref, dim);
    require(b.compare(arith::CmpIPredicate::ult, evaluate(index, corner), extent));
  };
  bool isNonNegative = bounds.isNonNegative(index, access);
  bool isBelow = bounds.isBelowExtent(index, element.memref, dim, access);
  if (!isNonNegative)
    requireInside(low);
  if (!isBelow)
    requireInside(high);
  return true;
}

/// Calls `fn` for each guarded access of `op`, in order.
static void forEachGuarded(ParallelOp op,
                           function_ref<void(Operation *, const ElementAccess &)> fn) {
  op.getBody().walk([&](Operation *inner) {
    if (auto access = getElementAccess(inner); access && access->inbounds)
      fn(inner, *access);
  });
}

Value InsideCondition::emit() {
  forEachGuarded(op, [&](Operation *inner, const ElementAccess &element) {
    auto &dims = decided.emplace_back();
    for (unsigned dim = 0; dim < element.indices.size(); ++dim)
      if (element.isGuarded(dim) && add(inner, element, dim))
        dims.push_back(dim);
  });
  return condition;
}

void InsideCondition::dropGuards(ParallelOp copy) const {
  const auto *dims = decided.begin();
  forEachGuarded(copy, [&](Operation *inner, const ElementAccess &element) {
    SmallVector<bool> inbounds(*element.inbounds);
    inbounds.resize(element.indices.size());
    for (int64_t dim : *dims++)
      inbounds[dim] = true;
    inner->setAttr("inbounds", DenseBoolArrayAttr::get(inner->getContext(), inbounds));
  });
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Lowers `op` to a nest of scalar loops.
static void lowerToScalarLoops(ParallelOp op) {
  LoopBuilder b(op);
  IRMapping mapping;
  bool combines = !op.getBody().front().getOps<CombineOp>().empty();
  auto emit = [&](auto &self, unsigned dim) -> void {
    if (combines && dim + 1 == op.getExtents().size())
      return lowerCombiningRow(b, op, mapping);
    if (dim < op.getExtents().size())
      return b.forLoop(op.getExtents()[dim], 1, [&](Value iv) {
        mapping.map(op.getBody().getArgument(dim), iv);
        self(self, dim + 1);
      });
    for (Operation &inner : op.getBody().front())
      if (!isa<memref::PrefetchOp>(inner))
        b.clone(inner, mapping);
  };
  emit(emit, 0);
}

/// Whether `op` reads memory, which none of `written` may overlap, and does nothing else.
/// Variables of an iteration are left to LLVM, which makes registers of them: emitted
/// code has its own, which `written` does not name.
static bool onlyReads(Operation *op, ArrayRef<Value> written) {
  auto effects = dyn_cast<MemoryEffectOpInterface>(op);
  SmallVector<MemoryEffects::EffectInstance> instances;
  if (!effects || op->getNumRegions() != 0)
    return false;
  effects.getEffects(instances);
  return llvm::all_of(instances, [&](const MemoryEffects::EffectInstance &effect) {
    return isa<MemoryEffects::Read>(effect.getEffect()) && effect.getValue() &&
           getSpace(effect.getValue()) != Space::Local &&
           llvm::none_of(written,
                         [&](Value w) { return mayOverlap(w, effect.getValue()); });
  });
}

/// Moves what `loop` repeats in front of it. A read is moved where the loop runs at
/// least once.
static void hoistFrom(scf::ForOp loop, ArrayRef<Value> written) {
  auto lower = getConstantIntValue(loop.getLowerBound());
  auto upper = getConstantIntValue(loop.getUpperBound());
  bool runs = lower && upper && *lower < *upper;
  moveLoopInvariantCode(
      loop.getLoopRegions(),
      [&](Value value, Region *) { return loop.isDefinedOutsideOfLoop(value); },
      [&](Operation *op, Region *) {
        return (isMemoryEffectFree(op) && isSpeculatable(op)) ||
               (runs && onlyReads(op, written));
      },
      [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
}

/// Lowers one form of a parallel loop, in place of `op`.
static void lowerForm(ParallelOp op, int64_t vectorBits, bool saysWhy) {
  SmallVector<Value> written;
  op.getBody().walk([&](MemoryEffectOpInterface inner) {
    SmallVector<MemoryEffects::EffectInstance> effects;
    inner.getEffects(effects);
    for (const MemoryEffects::EffectInstance &effect : effects)
      if (isa<MemoryEffects::Write>(effect.getEffect()) && effect.getValue())
        written.push_back(effect.getValue());
  });
  Operation *before = op->getPrevNode();

  IndexBounds bounds(op->getParentOfType<func::FuncOp>());
  ParallelPlan plan = planParallel(op, bounds, vectorBits);
  if (plan.lanes > 1) {
    ParallelEmitter(op, plan, bounds, vectorBits).emit();
  } else {
    if (saysWhy && !plan.obstacle.empty())
      mlir::emitRemark(op.getLoc())
          << "T.Parallel runs one element at a time: " << plan.obstacle;
    lowerToScalarLoops(op);
  }

  Block::iterator first = before ? ++Block::iterator(before) : op->getBlock()->begin();
  for (Operation &emitted : llvm::make_range(first, Block::iterator(op)))
    emitted.walk([&](scf::ForOp loop) { hoistFrom(loop, written); });
  op.erase();
}

static void lower(ParallelOp op, int64_t vectorBits) {
  if (llvm::is_contained(op.getExtents(), 0)) {
    op.erase();
    return;
  }
  moveLoopInvariantCode(cast<LoopLikeOpInterface>(op.getOperation()));
  IndexBounds bounds(op->getParentOfType<func::FuncOp>());
  InsideCondition inside(op, bounds);
  if (Value condition = inside.emit()) {
    LoopBuilder b(op);
    ParallelOp general;
    b.ifElse(
        condition,
        [&] {
          auto whole = cast<ParallelOp>(b.clone(*op));
          inside.dropGuards(whole);
          lowerForm(whole, vectorBits, /*saysWhy=*/false);
        },
        [&] { general = cast<ParallelOp>(b.clone(*op)); });
    if (general)
      lowerForm(general, vectorBits, /*saysWhy=*/true);
    op.erase();
    return;
  }
  lowerForm(op, vectorBits, /*saysWhy=*/true);
}

void LowerParallelPass::runOnOperation() {
  SmallVector<ParallelOp> ops;
  getOperation()->walk([&](ParallelOp op) { ops.push_back(op); });
  for (ParallelOp op : ops)
    lower(op, vectorBits);
}
