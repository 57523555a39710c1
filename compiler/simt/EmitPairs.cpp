//===- EmitPairs.cpp - Two iterations of a thread at once -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   x = load score[7]     x' = load score[8]      [x, x'] * [s, s]
//   y = x * s             y' = x' * s         ->  exp2 of each
//   z = exp2(y)           z' = exp2(y')
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/EmitPairs.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

static bool isPacked(Operation &op) {
  if (auto cast = dyn_cast<CastOp>(op))
    return cast.getType().isBF16() && cast.getOperand().getType().isF32();
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, math::FmaOp>(op) &&
         op.getResult(0).getType().isF32();
}

bool simt::hasPairs(ParallelOp nest) {
  Block &body = nest.getBody().front();
  return getWidth(nest) == 1 && llvm::any_of(body, isPacked) &&
         llvm::all_of(body, [](Operation &op) { return op.getNumRegions() == 0; });
}

Value simt::makePair(OpBuilder &builder, Location loc, Value first, Value second) {
  auto type = VectorType::get({2}, first.getType());
  return vector::FromElementsOp::create(builder, loc, type, {first, second});
}

namespace {
/// What an operation of the nest gives in both iterations: each, or a vector of them.
struct Pair {
  Value each[2];
  Value vector;
};

class PairEmitter {
public:
  explicit PairEmitter(OpBuilder &builder) : builder(builder) {}

  void set(Value value, Value first, Value second) {
    known[value] = {{first, second}, nullptr};
  }
  void emitPacked(Operation &op);
  void emitEach(Operation &op, const OwnElement (&own)[2]);

private:
  Value get(Value value, int64_t lane);
  Value getVector(Location loc, Value value);

  OpBuilder &builder;
  DenseMap<Value, Pair> known;
};
} // namespace

Value PairEmitter::get(Value value, int64_t lane) {
  auto found = known.find(value);
  if (found == known.end())
    return value; // from outside of the nest
  Pair &pair = found->second;
  if (!pair.each[lane])
    pair.each[lane] =
        vector::ExtractOp::create(builder, value.getLoc(), pair.vector, lane);
  return pair.each[lane];
}

Value PairEmitter::getVector(Location loc, Value value) {
  if (auto found = known.find(value); found != known.end() && found->second.vector)
    return found->second.vector;
  Value vector = makePair(builder, loc, get(value, 0), get(value, 1));
  if (auto found = known.find(value); found != known.end())
    found->second.vector = vector;
  return vector;
}

void PairEmitter::emitPacked(Operation &op) {
  SmallVector<Value> operands;
  for (Value operand : op.getOperands())
    operands.push_back(getVector(op.getLoc(), operand));
  auto type = VectorType::get({2}, op.getResult(0).getType());
  Operation *packed = builder.create(op.getLoc(), op.getName().getIdentifier(), operands,
                                     TypeRange(type), op.getAttrs());
  known[op.getResult(0)] = {{nullptr, nullptr}, packed->getResult(0)};
}

void PairEmitter::emitEach(Operation &op, const OwnElement (&own)[2]) {
  Operation *copies[2];
  for (int64_t lane : {0, 1}) {
    IRMapping mapping;
    for (Value operand : op.getOperands())
      mapping.map(operand, get(operand, lane));
    copies[lane] = builder.clone(op, mapping);
    if (isDealtAccess(&op)) {
      OpBuilder before(copies[lane]);
      setOwnIndex(copies[lane], own[lane](before, &op, 0));
    }
  }
  for (auto [number, result] : llvm::enumerate(op.getResults()))
    set(result, copies[0]->getResult(number), copies[1]->getResult(number));
}

void simt::emitPair(OpBuilder &builder, ParallelOp nest, ArrayRef<Value> first,
                    ArrayRef<Value> second, OwnElement ownFirst, OwnElement ownSecond) {
  PairEmitter emitter(builder);
  Block &body = nest.getBody().front();
  for (auto [argument, one, other] : llvm::zip(body.getArguments(), first, second))
    emitter.set(argument, one, other);
  for (Operation &op : body) {
    if (isPacked(op))
      emitter.emitPacked(op);
    else
      emitter.emitEach(op, {ownFirst, ownSecond});
  }
}
