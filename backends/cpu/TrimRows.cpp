//===- TrimRows.cpp - Rows of products that nothing reads ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The last tile of a group of rows, or of a matrix, is seldom full, and what its other
// rows hold is stored nowhere. How many rows count is in what reads the accumulator:
//
//   copy C[0, 0][64, 64] to Out[row, 0]                extent of Out - row
//   parallel (i, j) { if (row + i < end) ... C[i, j] }     end - row
//   parallel (i, j) { Out[row + i, j] = f(C[i, j]) }       extent of Out - row
//
// The largest of these becomes the product's `rows`, unless it is known to be all.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Overwrites.h"
#include "compiler/analysis/Recompute.h"
#include "compiler/transforms/LoopBuilder.h"

#include "mlir/IR/Dominance.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_TRIMROWS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using CpuGemm = tilewright::cpu::GemmOp;

namespace {
/// The rows below `end - begin`; `end` may be the extent of dimension `dim` of a tensor.
struct Limit {
  Value begin; ///< null for zero
  Value end;
  Value tensor;
  int64_t dim = 0;
};

/// Finds how many rows of one accumulator count.
class RowLimits {
public:
  RowLimits(CpuGemm gemm, IndexBounds &bounds, DominanceInfo &dominance)
      : gemm(gemm), bounds(bounds), dominance(dominance) {}

  /// Adds what `user` needs; false where that may be all rows.
  bool add(Operation *user);
  /// The number of rows, computed in front of the product.
  Value emit() const;

private:
  bool addCopy(CopyOp copy);
  bool addLoad(memref::LoadOp load);
  bool addStores(Value value, ParallelOp loop, Value variable, int depth);
  bool addCondition(Value condition, ParallelOp loop, Value variable);
  std::optional<Value> splitOff(Value index, Value variable) const;
  bool isComputable(Value value) const;

  CpuGemm gemm;
  IndexBounds &bounds;
  DominanceInfo &dominance;
  SmallVector<Limit> limits;
};
} // namespace

/// How far from a load its stores are looked for.
static constexpr int mostSteps = 16;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// Whether `value` is there in front of the product, or can be computed there.
bool RowLimits::isComputable(Value value) const {
  return canRecompute(
      value, [&](Value given) { return dominance.properlyDominates(given, gemm); });
}

/// What is added to `variable` in `index`, null for nothing; no value where `index` is
/// something else.
std::optional<Value> RowLimits::splitOff(Value index, Value variable) const {
  if (index == variable)
    return Value();
  auto sum = index.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return std::nullopt;
  for (auto [side, other] :
       {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())})
    if (side == variable && isComputable(other))
      return other;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Readers
//===----------------------------------------------------------------------===//

/// Adds the limit that `condition` puts on the rows of a loop.
bool RowLimits::addCondition(Value condition, ParallelOp loop, Value variable) {
  if (auto both = condition.getDefiningOp<arith::AndIOp>())
    return addCondition(both.getLhs(), loop, variable) ||
           addCondition(both.getRhs(), loop, variable);
  auto compare = condition.getDefiningOp<arith::CmpIOp>();
  if (!compare || !compare.getLhs().getType().isIndex())
    return false;
  Value low = compare.getLhs(), high = compare.getRhs();
  if (compare.getPredicate() == arith::CmpIPredicate::sgt)
    std::swap(low, high);
  else if (compare.getPredicate() != arith::CmpIPredicate::slt)
    return false;
  std::optional<Value> begin = splitOff(low, variable);
  if (!begin || !isComputable(high))
    return false;
  limits.push_back({*begin, high, {}});
  return true;
}

/// Adds the limits of the tensors where `value`, an element's or made of it, ends.
bool RowLimits::addStores(Value value, ParallelOp loop, Value variable, int depth) {
  if (depth == mostSteps)
    return false;
  llvm::SmallSetVector<Operation *, 4> users(value.user_begin(), value.user_end());
  return llvm::all_of(users, [&](Operation *user) {
    if (auto store = dyn_cast<StoreOp>(user)) {
      if (value != store.getValue())
        return false;
      for (auto [dim, index] : llvm::enumerate(store.getIndices())) {
        std::optional<Value> begin = splitOff(index, variable);
        if (!begin)
          continue;
        ArrayRef<bool> inbounds = store.getInbounds();
        if (inbounds.empty() || !inbounds[dim]) {
          limits.push_back({*begin, {}, store.getMemref(), static_cast<int64_t>(dim)});
          return true;
        }
      }
      return false;
    }
    return user->getNumRegions() == 0 && user->getNumResults() == 1 && isPure(user) &&
           user->getParentOp() == value.getParentRegion()->getParentOp() &&
           addStores(user->getResult(0), loop, variable, depth + 1);
  });
}

bool RowLimits::addLoad(memref::LoadOp load) {
  auto loop = load->getParentOfType<ParallelOp>();
  Value variable = loop ? load.getIndices().front() : Value();
  auto argument = dyn_cast_if_present<BlockArgument>(variable);
  if (!argument || argument.getOwner() != &loop.getBody().front())
    return false;
  for (Operation *op = load; op != loop; op = op->getParentOp()) {
    auto branch = dyn_cast<scf::IfOp>(op->getParentOp());
    if (branch && op->getParentRegion() == &branch.getThenRegion() &&
        addCondition(branch.getCondition(), loop, variable))
      return true;
  }
  return load->getParentOp() == loop && addStores(load, loop, variable, 0);
}

bool RowLimits::addCopy(CopyOp copy) {
  if (copy.getSrc() != gemm.getC() || isTile(copy.getDst().getType()) ||
      copy.getSrcSizes() != copy.getSrc().getType().getShape() || gemm.getM() == 1)
    return false;
  // The row's dimension is the first that the region spans.
  for (auto [dim, size] : llvm::enumerate(copy.getDstSizes())) {
    if (size == 1)
      continue;
    OpFoldResult offset = copy.getMixedDstOffsets()[dim];
    auto begin = dyn_cast<Value>(offset);
    if (size != gemm.getM() || !begin || !isComputable(begin) ||
        bounds.isBelowExtent(begin, copy.getDst(), dim, copy, size))
      return false;
    limits.push_back({begin, {}, copy.getDst(), static_cast<int64_t>(dim)});
    return true;
  }
  return false;
}

bool RowLimits::add(Operation *user) {
  if (auto other = dyn_cast<CpuGemm>(user))
    return other.getA() != gemm.getC() && other.getB() != gemm.getC();
  if (isa<FillOp>(user))
    return true;
  if (auto copy = dyn_cast<CopyOp>(user))
    return addCopy(copy);
  if (auto load = dyn_cast<memref::LoadOp>(user))
    return addLoad(load);
  return false;
}

Value RowLimits::emit() const {
  LoopBuilder b(gemm);
  auto isThere = [&](Value value) { return dominance.properlyDominates(value, gemm); };
  Value most;
  for (const Limit &limit : limits) {
    IRMapping mapping;
    Value rows = limit.tensor
                     ? b.createOrFold<memref::DimOp>(b.getLoc(), limit.tensor, limit.dim)
                     : recompute(b, limit.end, isThere, mapping);
    if (limit.begin)
      rows = b.sub(rows, recompute(b, limit.begin, isThere, mapping));
    most = most ? b.max(most, rows) : rows;
  }
  return most;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

static void trim(CpuGemm gemm) {
  if (!gemm.getC().getDefiningOp<AllocOp>())
    return;
  IndexBounds bounds(gemm->getParentOfType<func::FuncOp>());
  DominanceInfo dominance(gemm->getParentOfType<func::FuncOp>());
  RowLimits limits(gemm, bounds, dominance);
  for (Operation *user : gemm.getC().getUsers())
    if (!limits.add(user))
      return;
  if (Value rows = limits.emit())
    gemm.getRowsMutable().assign(rows);
}

namespace {
struct TrimRows : tilewright::cpu::impl::TrimRowsBase<TrimRows> {
  void runOnOperation() override {
    getOperation()->walk([](CpuGemm gemm) { trim(gemm); });
  }
};
} // namespace
