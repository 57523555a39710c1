//===- LoopIteration.cpp - What one iteration of a loop makes of tiles ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/LoopIteration.h"

#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using arith::AtomicRMWKind;

LoopIteration::LoopIteration(LoopLikeOpInterface loop, ArrayRef<AllocOp> written,
                             ArrayRef<AllocOp> carried)
    : loop(loop) {
  // Of others the first access writes all elements.
  for (AllocOp alloc : written)
    tiles[alloc.getResult()] = TileForm::free();
  for (AllocOp alloc : carried)
    tiles[alloc.getResult()] = getOldForm(alloc);
}

void LoopIteration::run() { visitBlock(loop.getLoopRegions()[0]->front(), true); }

ValueForm LoopIteration::get(Value value) {
  if (auto known = values.find(value); known != values.end())
    return known->second;
  // What is not from the iteration, its loops' variables, or within free code.
  Operation *op = value.getDefiningOp();
  if (!op || !loop->isAncestor(op))
    return ValueForm::free(matchPattern(value, m_AnyZeroFloat()) ||
                           matchPattern(value, m_Zero()));
  return {};
}

TileForm LoopIteration::getTile(Value memref) {
  auto known = tiles.find(getBaseMemory(memref));
  if (known == tiles.end())
    return TileForm::free();
  if (known->first == memref)
    return known->second;
  // Views have places of their own.
  return known->second.is(TileForm::Free) ? TileForm::free() : TileForm();
}

void LoopIteration::setTile(Value memref, TileForm form, bool isWhole) {
  Value base = getBaseMemory(memref);
  auto known = tiles.find(base);
  if (known == tiles.end())
    return;
  bool isView = base != memref;
  if (isView && !form.is(TileForm::Free))
    form = {};
  TileForm &now = known->second;
  now = isWhole && !isView ? form : join(now, form);
  if (now.is(TileForm::Free) && (now.origin.contents == 0 || now.scale)) {
    now = TileForm::free(now.isZero);
    int64_t rank = cast<MemRefType>(base.getType()).getRank();
    now.origin = {++contents, -1, false, llvm::to_vector<2>(llvm::seq<int64_t>(0, rank))};
  }
}

/// Whether `op` and what is in it use nothing that depends on what the loop carries.
bool LoopIteration::usesWhatIsFree(Operation *op) {
  return !op->walk([&](Operation *inner) {
              for (Value operand : inner->getOperands()) {
                Operation *def = operand.getDefiningOp();
                bool isWithin = def && def != op && op->isAncestor(def);
                bool isFree = isa<MemRefType>(operand.getType())
                                  ? isFreeMemory(operand)
                                  : get(operand).is(ValueForm::Free);
                if (!isWithin && !isFree)
                  return WalkResult::interrupt();
              }
              return WalkResult::advance();
            }).wasInterrupted();
}

/// Any operation: what it makes is free where all that it uses is.
void LoopIteration::visitOther(Operation *op) {
  bool isFree = usesWhatIsFree(op);
  for (Value result : op->getResults())
    values[result] = isFree ? ValueForm::free() : ValueForm();
  op->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (isa<MemRefType>(operand.getType()))
        setTile(operand, isFree ? TileForm::free() : TileForm(), false);
  });
}

void LoopIteration::visitBlock(Block &block, bool isSure) {
  for (Operation &op : block)
    visit(&op, isSure);
}

void LoopIteration::visit(Operation *op, bool isSure) {
  llvm::TypeSwitch<Operation *>(op)
      .Case([&](ParallelOp inner) {
        if (nest)
          return visitOther(op);
        nest = inner;
        visitBlock(inner.getBody().front(), true);
        nest = {};
      })
      .Case([&](scf::IfOp branch) { nest ? visitIf(branch) : visitOther(op); })
      .Case<memref::LoadOp, LoadOp>(
          [&](auto load) { visitLoad(load, load.getMemref(), load.getIndices()); })
      .Case([&](memref::StoreOp store) { visitStore(store, isSure); })
      .Case([&](FillOp fill) {
        ValueForm value = get(fill.getValue());
        setTile(fill.getDst(),
                value.is(ValueForm::Free) ? TileForm::free(value.isZero) : TileForm(),
                true);
      })
      .Case([&](CopyOp copy) { visitCopy(copy); })
      .Case([&](ReduceOp reduce) { visitReduce(reduce); })
      .Case([&](GemmOp gemm) { visitGemm(gemm); })
      .Default([&](Operation *) {
        bool isMade = op->getNumResults() == 1 && op->getNumRegions() == 0 &&
                      isMemoryEffectFree(op);
        if (isMade && (isa<arith::MulFOp>(op) || !usesWhatIsFree(op)))
          values[op->getResult(0)] = compute(op);
        else
          visitOther(op);
      });
}

/// A condition within a loop over elements.
void LoopIteration::visitIf(scf::IfOp branch) {
  if (!get(branch.getCondition()).is(ValueForm::Free))
    return visitOther(branch);
  visitBlock(branch.getThenRegion().front(), false);
  if (branch.getElseRegion().empty())
    return;
  visitBlock(branch.getElseRegion().front(), false);
  for (auto [result, a, b] :
       llvm::zip(branch.getResults(), branch.thenYield().getResults(),
                 branch.elseYield().getResults()))
    values[result] = join(get(a), get(b));
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

void LoopIteration::visitLoad(Operation *op, Value memref, ValueRange indices) {
  bool isFree =
      llvm::all_of(indices, [&](Value index) { return get(index).is(ValueForm::Free); });
  values[op->getResult(0)] = isFree ? atIndices(getTile(memref), indices) : ValueForm();
}

void LoopIteration::visitStore(memref::StoreOp store, bool isSure) {
  ValueRange indices = store.getIndices();
  TileForm form = replacePlaces<int64_t, Value>(
      get(store.getValue()), [&](Value place) -> std::optional<int64_t> {
        auto at = llvm::find(indices, place);
        if (at == indices.end())
          return std::nullopt;
        return at - indices.begin();
      });
  if (!llvm::all_of(indices, [&](Value i) { return get(i).is(ValueForm::Free); }))
    form = {};
  auto shape = cast<MemRefType>(store.getMemref().getType()).getShape();
  bool isWhole = isSure && nest && nest.getExtents() == shape &&
                 llvm::equal(indices, nest.getBody().getArguments());
  setTile(store.getMemref(), form, isWhole);
}

/// Whether `value` may be another one in each iteration.
bool LoopIteration::isInLoop(Value value) {
  return loop->isAncestor(value.getParentRegion()->getParentOp());
}

/// `form` times a number that is the same in all iterations.
ValueForm LoopIteration::scaleBy(ValueForm form, Value scale) {
  if (form.scale)
    return form.is(ValueForm::Free) ? ValueForm::free() : ValueForm();
  form.scale = scale;
  return form;
}

ValueForm LoopIteration::exponentiate(Operation *op) {
  ValueForm form = get(op->getOperand(0));
  if (!form.is(ValueForm::Linear))
    return {};
  // Others may have no finite value in a part that begins with another extremum.
  bool isWeight = form.before == 1 && form.after == -1 && !form.hasFree;
  bool isTerm = form.before == 0 && form.after == -1 && isTaken(form);
  if (!isWeight && !isTerm)
    return {};
  WeightFunction function{isa<math::Exp2Op>(op), form.scale};
  if (weight && (weight->isBaseTwo != function.isBaseTwo || weight->scale != form.scale))
    return {};
  weight = function;
  form.kind = ValueForm::Power;
  form.isTerm = true;
  form.scale = {};
  return form;
}

/// The new value of `extremum`, which takes in what is `taken`: there is one.
TileForm LoopIteration::update(AllocOp extremum, AtomicRMWKind kind,
                               const TileForm &taken) {
  if (!updates.insert({extremum, {kind, taken}}).second)
    return {};
  TileForm form = getOldForm(extremum);
  std::swap(form.before, form.after);
  return form;
}

/// Whether the free part of `form` is among what the extremum has taken in: no such term
/// is larger than 1, or, of a minimum, smaller.
bool LoopIteration::isTaken(const ValueForm &form) {
  auto update = updates.find(form.carried);
  const Origin<Value> &element = form.origin;
  if (update == updates.end() || element.contents == 0 || element.along >= 0)
    return false;
  const Origin<int64_t> &taken = update->second.taken.origin;
  if (taken.contents != element.contents || taken.along < 0)
    return false;
  SmallVector<Value, 2> at = element.at;
  if (taken.along >= static_cast<int64_t>(at.size()))
    return false;
  at.erase(at.begin() + taken.along);
  return at == form.at;
}

ValueForm LoopIteration::updateExtremum(Operation *op, AtomicRMWKind kind) {
  ValueForm a = get(op->getOperand(0)), b = get(op->getOperand(1));
  const ValueForm &old = a.isOld() ? a : b, &other = a.isOld() ? b : a;
  // One for each element: in a loop over others as well there would be more.
  if (!old.isOld() || !other.is(ValueForm::Free) || !nest ||
      !llvm::equal(old.at, nest.getBody().getArguments()))
    return {};
  TileForm taken = TileForm::free();
  const Origin<Value> &origin = other.origin;
  if (!other.scale && origin.at == old.at && origin.isLargest == isMaximum(kind))
    taken.origin = {origin.contents, origin.along, origin.isLargest, {}};
  return atIndices(update(old.carried, kind, taken), old.at);
}

/// What a value is of which some operand is not free.
ValueForm LoopIteration::compute(Operation *op) {
  if (std::optional<AtomicRMWKind> kind = getExtremum(op))
    return updateExtremum(op, *kind);
  auto times = [&](Value a, Value b) {
    ValueForm x = get(a), y = get(b);
    auto isScaled = [](const ValueForm &form, const ValueForm &by) {
      return by.is(ValueForm::Free) &&
             (form.is(ValueForm::Linear) ||
              (form.is(ValueForm::Free) && form.origin.contents != 0));
    };
    if (isScaled(x, y) && !isInLoop(b))
      return scaleBy(x, b);
    if (isScaled(y, x) && !isInLoop(a))
      return scaleBy(y, a);
    return multiply(x, y);
  };
  auto converted = [&](Value of) {
    return convert(get(of), of.getType(), op->getResult(0).getType());
  };
  return llvm::TypeSwitch<Operation *, ValueForm>(op)
      .Case<arith::AddFOp, arith::AddIOp>(
          [&](auto sum) { return add(get(sum.getLhs()), get(sum.getRhs())); })
      .Case<arith::SubFOp, arith::SubIOp>(
          [&](auto sum) { return add(get(sum.getLhs()), negate(get(sum.getRhs()))); })
      .Case([&](arith::NegFOp op) { return negate(get(op.getOperand())); })
      .Case([&](arith::MulFOp op) { return times(op.getLhs(), op.getRhs()); })
      .Case([&](math::FmaOp op) {
        return add(times(op.getA(), op.getB()), get(op.getC()));
      })
      .Case([&](arith::DivFOp op) {
        bool isFree = get(op.getRhs()).is(ValueForm::Free);
        return isFree ? multiply(get(op.getLhs()), ValueForm::free()) : ValueForm();
      })
      .Case<math::ExpOp, math::Exp2Op>([&](auto) { return exponentiate(op); })
      .Case<arith::ExtFOp, arith::TruncFOp>(
          [&](auto cast) { return converted(cast.getIn()); })
      .Case([&](CastOp cast) { return converted(cast.getOperand()); })
      .Case([&](arith::SelectOp select) {
        return get(select.getCondition()).is(ValueForm::Free)
                   ? join(get(select.getTrueValue()), get(select.getFalseValue()))
                   : ValueForm();
      })
      .Default([](Operation *) { return ValueForm(); });
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void LoopIteration::visitCopy(CopyOp copy) {
  TileForm form = getCopyForm(copy, getTile(copy.getSrc()));
  auto isFree = [&](Value offset) { return get(offset).is(ValueForm::Free); };
  if (!llvm::all_of(copy.getSrcOffsets(), isFree) ||
      !llvm::all_of(copy.getDstOffsets(), isFree))
    form = {};
  auto dst = cast<MemRefType>(copy.getDst().getType());
  bool isAtBegin =
      llvm::all_of(copy.getStaticDstOffsets(), [](int64_t o) { return o == 0; });
  setTile(copy.getDst(), form, isAtBegin && dst.getShape() == copy.getDstSizes());
}

void LoopIteration::visitReduce(ReduceOp reduce) {
  TileForm src = getTile(reduce.getSrc()), old = getTile(reduce.getDst());
  if (!reduce.getCombiner()) // a region may use what it likes
    return visitOther(reduce);
  std::optional<AtomicRMWKind> extremum = getExtremum(reduce);
  TileForm form = getReducedForm(reduce, src);
  bool isNew =
      !reduce.getAccumulate() || (src.is(TileForm::Free) && old.is(TileForm::Free));
  if (!isNew && extremum && src.is(TileForm::Free) && old.isOld() &&
      old.refersTo(getOldForm(old.carried)))
    form = update(old.carried, *extremum, form);
  else if (!isNew)
    form = reduce.getCombiner() == Combiner::Sum ? add(old, form) : TileForm();
  setTile(reduce.getDst(), form, true);
}

void LoopIteration::visitGemm(GemmOp gemm) {
  TileForm form = getProductForm(gemm, getTile(gemm.getA()), getTile(gemm.getB()));
  setTile(gemm.getC(), gemm.getClear() ? form : add(getTile(gemm.getC()), form), true);
}
