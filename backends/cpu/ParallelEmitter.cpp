//===- ParallelEmitter.cpp - Emit the loops of a parallel loop ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ParallelEmitter.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void ParallelEmitter::emit() {
  auto combines = llvm::to_vector(op.getBody().front().getOps<CombineOp>());
  if (!combinesRowsTogether(combines))
    return emitLoops(0);
  for (CombineOp combine : combines)
    rowsTogether.push_back(makeAccumulators(combine));
  emitLoops(0);
  for (auto [combine, accumulators] : llvm::zip_equal(combines, rowsTogether))
    emitRows(combine, accumulators);
}

/// Loops over the dimensions from `dim` on, but for the vectorised one, which is
/// innermost.
void ParallelEmitter::emitLoops(unsigned dim) {
  if (dim == op.getExtents().size())
    return emitVectorLoops();
  if (static_cast<int64_t>(dim) == plan.dim)
    return emitLoops(dim + 1);
  b.forLoop(op.getExtents()[dim], 1, [&](Value iv) {
    map(op.getBody().getArgument(dim), LaneValue::uniform(iv));
    emitLoops(dim + 1);
  });
}

/// A loop over whole vectors, then one shorter vector for the rest.
void ParallelEmitter::emitVectorLoops() {
  auto combines = llvm::to_vector(op.getBody().front().getOps<CombineOp>());
  if (!combines.empty())
    return emitCombiningLoops(combines);
  int64_t extent = op.getExtents()[plan.dim];
  int64_t rest = extent % plan.lanes;
  b.forLoop(extent - rest, plan.lanes,
            [&](Value iv) { emitBody(iv, plan.lanes, plan.lanes); });
  if (rest)
    emitBody(b.index(extent - rest), llvm::PowerOf2Ceil(rest), rest);
}

/// The body for the `active` iterations from `iv` on, in vectors of `width` lanes.
void ParallelEmitter::emitBody(Value iv, int64_t width, int64_t active) {
  lanes = width;
  auto offsets = llvm::to_vector(llvm::seq<int64_t>(0, width));
  map(op.getBody().getArgument(plan.dim), LaneValue::linear(b, iv, offsets));
  Value mask;
  if (active < width)
    mask = vector::ConstantMaskOp::create(b, b.getLoc(), vectorOf(b.getI1Type()),
                                          ArrayRef<int64_t>{active});
  emitBlock(op.getBody().front(), mask);
}

void ParallelEmitter::emitBlock(Block &block, Value mask) {
  for (Operation &inner : block)
    emitOperation(&inner, mask);
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LaneValue ParallelEmitter::lookup(Value value) const {
  auto known = mapping.find(value);
  return known != mapping.end() ? known->second : LaneValue::uniform(value);
}

SmallVector<LaneValue> ParallelEmitter::lookup(ValueRange values) const {
  return llvm::map_to_vector(values, [&](Value value) { return lookup(value); });
}

void ParallelEmitter::emitOperation(Operation *inner, Value mask) {
  if (auto access = getElementAccess(inner))
    return emitAccess(inner, *access, mask);
  llvm::TypeSwitch<Operation *, void>(inner)
      .Case([&](scf::IfOp branch) { emitIf(branch, mask); })
      .Case([&](scf::ForOp loop) { emitFor(loop, mask); })
      .Case([&](AllocOp alloc) { emitVariable(alloc); })
      .Case([&](memref::PrefetchOp prefetch) { emitPrefetch(prefetch); })
      // An assumption has served its purpose once bounds are proved, and what is combined
      // is taken up behind the body.
      .Case<scf::YieldOp, AssumeOp, CombineOp>([](auto) {})
      .Default([&](Operation *) { emitCompute(inner, mask); });
}

Operation *ParallelEmitter::cloneScalar(Operation *inner) {
  Operation *copy = b.clone(*inner);
  for (OpOperand &operand : copy->getOpOperands())
    if (LaneValue lane = lookup(operand.get()); lane.scalar)
      operand.set(lane.scalar);
  return copy;
}

/// Asks for the memory of the first lane's element, where its place is known.
void ParallelEmitter::emitPrefetch(memref::PrefetchOp prefetch) {
  if (llvm::all_of(lookup(prefetch.getIndices()),
                   [](const LaneValue &index) { return index.scalar; }))
    cloneScalar(prefetch);
}

/// Whether `op` traps where its second operand is zero.
static bool mayTrap(Operation *op) {
  return isa<arith::DivSIOp, arith::DivUIOp, arith::RemSIOp, arith::RemUIOp,
             arith::FloorDivSIOp, arith::CeilDivSIOp, arith::CeilDivUIOp>(op) &&
         getConstantIntValue(op->getOperand(1)).value_or(0) == 0;
}

/// Replaces a divisor of zero by one: only an inactive lane may have it.
static void makeSafe(OpBuilder &b, Operation *op) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  Location loc = op->getLoc();
  Value divisor = op->getOperand(1);
  Type type = divisor.getType();
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  Value one = arith::ConstantOp::create(b, loc, b.getOneAttr(type));
  Value isZero = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, divisor, zero);
  op->setOperand(1, arith::SelectOp::create(b, loc, isZero, one, divisor));
}

void ParallelEmitter::emitCompute(Operation *inner, Value mask) {
  SmallVector<LaneValue> operands = lookup(inner->getOperands());
  if (llvm::all_of(operands, [](const LaneValue &v) { return v.isUniform(); })) {
    Operation *copy = cloneScalar(inner);
    if (mask && mayTrap(copy))
      makeSafe(b, copy);
    for (auto [result, scalar] : llvm::zip_equal(inner->getResults(), copy->getResults()))
      map(result, LaneValue::uniform(scalar));
    return;
  }
  if (auto result = emitLinear(b, inner, operands, bounds))
    return map(inner->getResult(0), *result);
  if (auto compare = dyn_cast<arith::CmpIOp>(inner))
    if (auto result =
            emitLinearCompare(b, compare, operands[0], operands[1], bounds, vectorBits))
      return map(inner->getResult(0), *result);

  Operation *copy = b.clone(*inner);
  for (auto [i, operand] : llvm::enumerate(operands)) {
    // A select between vectors takes a uniform condition as it is.
    bool isCondition = i == 0 && isa<arith::SelectOp>(inner) && operand.isUniform();
    b.setInsertionPoint(copy);
    copy->setOperand(i, isCondition ? operand.scalar : getVector(b, operand, lanes));
    b.setInsertionPointAfter(copy);
  }
  for (OpResult result : copy->getResults())
    result.setType(vectorOf(result.getType()));
  if (mask && mayTrap(copy))
    makeSafe(b, copy);
  for (auto [result, vector] : llvm::zip_equal(inner->getResults(), copy->getResults()))
    map(result, LaneValue::varying(vector));
}

/// A variable of an iteration: one element for each of several lanes where they differ.
void ParallelEmitter::emitVariable(AllocOp alloc) {
  auto type = cast<MemRefType>(alloc.getResult().getType());
  if (lanes > 1 && plan.isVarying(alloc)) {
    SmallVector<int64_t> shape(type.getShape());
    shape.push_back(lanes);
    type = MemRefType::get(shape, type.getElementType(), MemRefLayoutAttrInterface(),
                           type.getMemorySpace());
  }
  Value memory = AllocOp::create(b, alloc.getLoc(), type, alloc.getNameAttr(), nullptr);
  map(alloc, LaneValue::uniform(memory));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Value ParallelEmitter::anyActive(Value mask) {
  return vector::ReductionOp::create(b, b.getLoc(), vector::CombiningKind::OR, mask);
}

void ParallelEmitter::emitIf(scf::IfOp branch, Value mask) {
  LaneValue condition = lookup(branch.getCondition());
  Location loc = branch.getLoc();
  auto yielded = [&](Region &region) {
    return region.front().getTerminator()->getOperands();
  };

  if (condition.isUniform()) {
    SmallVector<Type> types;
    for (Value result : branch.getResults())
      types.push_back(plan.isVarying(result) ? vectorOf(result.getType())
                                             : result.getType());
    auto copy = scf::IfOp::create(b, loc, types, condition.scalar,
                                  /*addThenBlock=*/true, !branch.getElseRegion().empty());
    for (auto [from, to] : llvm::zip_equal(branch.getRegions(), copy.getRegions())) {
      if (from->empty())
        continue;
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(&to->front());
      emitBlock(from->front(), mask);
      SmallVector<Value> values;
      for (auto [value, result] : llvm::zip_equal(yielded(*from), branch.getResults()))
        values.push_back(lookupPlanned(value, plan.isVarying(result)));
      scf::YieldOp::create(b, loc, values);
    }
    for (auto [result, value] : llvm::zip_equal(branch.getResults(), copy.getResults()))
      map(result,
          plan.isVarying(result) ? LaneValue::varying(value) : LaneValue::uniform(value));
    return;
  }

  // Both sides run, each for its own lanes.
  Value holds = condition.vector;
  emitBlock(branch.getThenRegion().front(), b.both(mask, holds));
  if (branch.getElseRegion().empty())
    return;
  Value ones = getVector(
      b, LaneValue::uniform(arith::ConstantIntOp::create(b, loc, b.getI1Type(), 1)),
      lanes);
  Value fails = arith::XOrIOp::create(b, loc, holds, ones);
  emitBlock(branch.getElseRegion().front(), b.both(mask, fails));
  for (auto [result, onTrue, onFalse] :
       llvm::zip_equal(branch.getResults(), yielded(branch.getThenRegion()),
                       yielded(branch.getElseRegion())))
    map(result, LaneValue::varying(arith::SelectOp::create(
                    b, loc, holds, lookupVector(onTrue), lookupVector(onFalse))));
}

void ParallelEmitter::emitFor(scf::ForOp loop, Value mask) {
  Location loc = loop.getLoc();
  SmallVector<Value> inits;
  for (auto [init, arg] : llvm::zip_equal(loop.getInitArgs(), loop.getRegionIterArgs()))
    inits.push_back(lookupPlanned(init, plan.isVarying(arg)));
  auto copy = scf::ForOp::create(b, loc, lookup(loop.getLowerBound()).scalar,
                                 lookup(loop.getUpperBound()).scalar,
                                 lookup(loop.getStep()).scalar, inits);
  map(loop.getInductionVar(), LaneValue::uniform(copy.getInductionVar()));
  auto mapAll = [&](ValueRange from, ValueRange to) {
    for (auto [value, copied] : llvm::zip_equal(from, to))
      map(value, plan.isVarying(value) ? LaneValue::varying(copied)
                                       : LaneValue::uniform(copied));
  };
  mapAll(loop.getRegionIterArgs(), copy.getRegionIterArgs());

  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(copy.getBody());
  emitBlock(*loop.getBody(), mask);
  SmallVector<Value> values;
  for (auto [value, arg] :
       llvm::zip_equal(loop.getYieldedValues(), loop.getRegionIterArgs()))
    values.push_back(lookupPlanned(value, plan.isVarying(arg)));
  if (!values.empty())
    scf::YieldOp::create(b, loc, values);
  mapAll(loop.getResults(), copy.getResults());
}
