//===- ParallelPlan.cpp - How a parallel loop is vectorised -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ParallelPlan.h"
#include "backends/cpu/CpuOps.h"
#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright::tile;

namespace tilewright::cpu {

std::optional<ElementAccess> getElementAccess(Operation *op) {
  using Result = std::optional<ElementAccess>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([](memref::LoadOp load) {
        return ElementAccess{load.getMemref(), load.getIndices(), std::nullopt, {}};
      })
      .Case([](memref::StoreOp store) {
        return ElementAccess{store.getMemref(), store.getIndices(), std::nullopt,
                             store.getValueToStore()};
      })
      .Case([](LoadOp load) {
        return ElementAccess{load.getMemref(), load.getIndices(), load.getInbounds(), {}};
      })
      .Case([](StoreOp store) {
        return ElementAccess{store.getMemref(), store.getIndices(), store.getInbounds(),
                             store.getValue()};
      })
      .Default([](Operation *) { return std::nullopt; });
}

/// What in `op` has no vector form in any dimension.
static std::string findObstacle(ParallelOp op) {
  std::string obstacle;
  op.getBody().walk([&](Operation *inner) {
    auto access = getElementAccess(inner);
    if (isa<AtomicOp>(inner))
      obstacle = "it holds an atomic";
    else if (access && holdsPairs(cast<MemRefType>(access->memref.getType())))
      obstacle = "it reaches single elements of a global tensor that share bytes; copy "
                 "them from or to a tile";
    else if (isa<PrintOp>(inner))
      obstacle = "it prints";
    else if (isa<AssertOp>(inner))
      obstacle = "it holds an assertion";
    else if (isa<CheckIterationOp>(inner))
      obstacle = "its accesses are checked";
    else if (isa<scf::WhileOp>(inner))
      obstacle = "it holds a while loop or a break";
    else if (access ||
             isa<AssumeOp, AllocOp, CombineOp, memref::PrefetchOp, scf::IfOp, scf::ForOp,
                 scf::YieldOp>(inner) ||
             (inner->getNumRegions() == 0 && isMemoryEffectFree(inner)))
      return WalkResult::advance();
    if (obstacle.empty())
      obstacle = ("it holds '" + inner->getName().getStringRef() + "'").str();
    return WalkResult::interrupt();
  });
  return obstacle;
}

namespace {
/// Finds what differs between the lanes when a loop runs over vectors along one of its
/// dimensions: everything reached from that dimension's variable.
class Variance {
public:
  Variance(ParallelOp op, int64_t dim) : op(op) {
    varying.insert(op.getBody().getArgument(dim));
    do {
      changed = false;
      visit(op.getBody().front(), /*conditional=*/false);
    } while (changed);
  }

  llvm::DenseSet<Value> varying;
  std::string obstacle;

private:
  bool isVarying(Value value) const { return varying.contains(value); }
  void mark(Value value) { changed |= varying.insert(value).second; }

  /// Marks `to[i]` where `from[i]` varies.
  void carry(ValueRange from, ValueRange to) {
    for (auto [source, target] : llvm::zip_equal(from, to))
      if (isVarying(source))
        mark(target);
  }

  void visit(Block &block, bool conditional) {
    for (Operation &inner : block)
      visit(&inner, conditional);
  }
  void visit(Operation *inner, bool conditional);

  ParallelOp op;
  bool changed = false;
};
} // namespace

/// Whether `op` has a form on vectors that works on each element.
static bool hasVectorForm(Operation *op) {
  return OpTrait::hasElementwiseMappableTraits(op) &&
         llvm::all_of(op->getResultTypes(),
                      [](Type type) { return VectorType::isValidElementType(type); });
}

void Variance::visit(Operation *inner, bool conditional) {
  bool anyOperand =
      llvm::any_of(inner->getOperands(), [&](Value v) { return isVarying(v); });
  if (auto access = getElementAccess(inner)) {
    Value memory = getBaseMemory(access->memref);
    auto local = memory.getDefiningOp<AllocOp>();
    if (access->stored && local && op->isProperAncestor(local) &&
        (anyOperand || conditional))
      mark(memory);
    if (!access->stored && anyOperand)
      mark(inner->getResult(0));
    return;
  }
  if (auto branch = dyn_cast<scf::IfOp>(inner)) {
    bool varies = isVarying(branch.getCondition());
    for (Region *region : branch.getRegions()) {
      if (region->empty())
        continue;
      visit(region->front(), conditional || varies);
      carry(region->front().getTerminator()->getOperands(), branch.getResults());
    }
    if (varies)
      llvm::for_each(branch.getResults(), [&](Value result) { mark(result); });
    return;
  }
  if (auto loop = dyn_cast<scf::ForOp>(inner)) {
    for (Value bound : {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()})
      if (isVarying(bound))
        obstacle = "a loop in it has a trip count that differs between its elements";
    carry(loop.getInitArgs(), loop.getRegionIterArgs());
    visit(*loop.getBody(), conditional);
    carry(loop.getYieldedValues(), loop.getRegionIterArgs());
    carry(loop.getRegionIterArgs(), loop.getResults());
    return;
  }
  if (!anyOperand || isa<scf::YieldOp, AssumeOp, CombineOp, memref::PrefetchOp>(inner))
    return;
  if (!hasVectorForm(inner))
    obstacle = ("'" + inner->getName().getStringRef() + "' has no vector form").str();
  llvm::for_each(inner->getResults(), [&](Value result) { mark(result); });
}

/// Bits of the elements that `op` makes or moves when it runs on vectors: arithmetic
/// on narrow floats happens in f32. Zero for indices and truth values.
static int64_t elementBits(Operation *op, const llvm::DenseSet<Value> &varying) {
  int64_t bits = 0;
  auto add = [&](Type type, bool computes) {
    if (type.isIntOrFloat() && !type.isInteger(1))
      bits = std::max<int64_t>(bits, computes && isa<FloatType>(type)
                                         ? std::max(32u, type.getIntOrFloatBitWidth())
                                         : type.getIntOrFloatBitWidth());
  };
  bool computes = !isa<CastOp, arith::BitcastOp, arith::SelectOp>(op);
  if (auto access = getElementAccess(op)) {
    add(cast<MemRefType>(access->memref.getType()).getElementType(), /*computes=*/false);
    return bits;
  }
  for (Value result : op->getResults())
    if (varying.contains(result))
      add(result.getType(), computes);
  return bits;
}

/// The price of an access per vector: 1 where it is contiguous.
static double accessCost(const ElementAccess &access, Value iv, int64_t lanes,
                         const llvm::DenseSet<Value> &varying, IndexBounds &bounds) {
  constexpr double hoisted = 0.25, shuffled = 3;
  auto differs = [&](Value index) { return varying.contains(index); };
  if (llvm::none_of(access.indices, differs))
    return access.stored ? 1 : hoisted;
  auto type = cast<MemRefType>(access.memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (llvm::any_of(access.indices.drop_back(), differs) || strides.back() != 1)
    return lanes;
  int64_t factor = 0;
  for (auto [atom, times] : bounds.form(access.indices.back()).terms) {
    Value source = bounds.valueOf(atom);
    if (source == iv)
      factor = times;
    else if (source && varying.contains(source))
      return lanes / 2.0;
  }
  return factor == 1 ? 1 : shuffled;
}

/// The price of one element along `dim`, which fills in `plan`.
static double planDimension(ParallelOp op, int64_t dim, IndexBounds &bounds,
                            int64_t vectorBits, ParallelPlan &plan) {
  Variance variance(op, dim);
  plan.obstacle = variance.obstacle;
  plan.dim = dim;
  int64_t bits = 8;
  bool moves = false;
  op.getBody().walk([&](Operation *inner) {
    int64_t own = elementBits(inner, variance.varying);
    moves |= own != 0;
    bits = std::max(bits, own);
  });
  int64_t extent = op.getExtents()[dim];
  plan.lanes =
      std::min<int64_t>(vectorBits / (moves ? bits : 32), llvm::PowerOf2Ceil(extent));

  double cost = 0;
  op.getBody().walk([&](Operation *inner) {
    if (auto access = getElementAccess(inner))
      cost += accessCost(*access, op.getBody().getArgument(dim), plan.lanes,
                         variance.varying, bounds);
  });
  plan.varying = std::move(variance.varying);
  return cost / std::min(plan.lanes, extent);
}

ParallelPlan planParallel(ParallelOp op, IndexBounds &bounds, int64_t vectorBits) {
  ParallelPlan best;
  best.obstacle = findObstacle(op);
  if (!best.obstacle.empty())
    return best;
  double bestCost = 0;
  bool found = false;
  // Rows are combined along the last dimension.
  int64_t last = op.getExtents().size() - 1;
  int64_t first = op.getBody().front().getOps<CombineOp>().empty() ? 0 : last;
  for (int64_t dim = last; dim >= first; --dim) {
    if (op.getExtents()[dim] == 1)
      continue;
    ParallelPlan plan;
    double cost = planDimension(op, dim, bounds, vectorBits, plan);
    if (!plan.obstacle.empty()) {
      if (!found)
        best.obstacle = plan.obstacle;
      continue;
    }
    if (!found || cost < bestCost) {
      best = std::move(plan);
      bestCost = cost;
      found = true;
    }
  }
  return best;
}

} // namespace tilewright::cpu
