//===- EmitIteration.cpp - A thread's iterations of a loop nest ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of a nest with a width, what is the same for all neighbours is emitted once, accesses
// to neighbours in memory once as well, and the rest for each of them.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/EmitIteration.h"

#include "compiler/simt/FragmentLayout.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Iterators.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

int64_t simt::getWidth(ParallelOp nest) {
  auto width = nest->getAttrOfType<IntegerAttr>(widthAttrName);
  return width ? width.getInt() : 1;
}

void simt::setOwnIndex(Operation *access, Value index) {
  if (auto load = dyn_cast<memref::LoadOp>(access))
    load.getIndicesMutable().assign(index);
  else
    cast<memref::StoreOp>(access).getIndicesMutable().assign(index);
}

bool simt::isDealtAccess(Operation *op) {
  auto access = getTileAccess(op);
  Operation *alloc = access ? access->first.getDefiningOp() : nullptr;
  return alloc && alloc->hasAttr(dealtAttrName);
}

namespace {
/// What an operation of the nest gives: one value for all neighbours, or one for each.
struct Lanes {
  SmallVector<Value> values;
  /// All of them, where a vector holds them.
  Value vector;
};

class NeighbourEmitter {
public:
  NeighbourEmitter(ParallelOp nest, ArrayRef<Value> indices, OwnElement own)
      : nest(nest), width(getWidth(nest)), own(own) {
    Block &body = nest.getBody().front();
    for (auto [argument, index] : llvm::zip(body.getArguments(), indices))
      known[argument] = {{index}, nullptr};
  }

  void emit(OpBuilder &builder);

private:
  void findNeeded();
  void emitBlock(OpBuilder &builder, Block &block);
  void emitOp(OpBuilder &builder, Operation *op);
  void emitBranch(OpBuilder &builder, scf::IfOp branch);
  void emitLoad(OpBuilder &builder, Operation *op);
  void emitStore(OpBuilder &builder, Operation *op);
  void emitCopy(OpBuilder &builder, memref::StoreOp store);
  /// `value` at neighbour `lane`.
  Value get(Value value, int64_t lane = 0) {
    auto found = known.find(value);
    if (found == known.end())
      return value; // from outside of the nest
    const SmallVector<Value> &values = found->second.values;
    return values.size() == 1 ? values.front() : values[lane];
  }
  SmallVector<Value> get(ValueRange values, int64_t lane = 0) {
    return llvm::map_to_vector(values, [&](Value value) { return get(value, lane); });
  }
  bool varies(Operation *op) {
    return llvm::any_of(op->getOperands(),
                        [&](Value operand) { return varying.contains(operand); });
  }

  ParallelOp nest;
  int64_t width;
  OwnElement own;
  DenseMap<Value, Lanes> known;
  DenseSet<Value> varying; // that differ between neighbours
  DenseSet<Value> needed;  // of each neighbour, not of the first alone
};
} // namespace

/// Goes back from what is stored: of an access to neighbours in memory, only the first
/// one's address is needed.
void NeighbourEmitter::findNeeded() {
  nest.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    bool isContiguous = op->hasAttr(contiguousAttrName);
    if (op == nest || isa<scf::IfOp>(op))
      return;
    if (isa<scf::YieldOp>(op)) {
      for (auto [operand, result] :
           llvm::zip(op->getOperands(), op->getParentOp()->getResults()))
        if (needed.contains(result))
          needed.insert(operand);
    } else if (isa<memref::StoreOp, tile::StoreOp>(op) && isContiguous) {
      needed.insert(op->getOperand(0)); // the value
    } else if (op->getNumResults() == 0 ||
               (!isContiguous && llvm::any_of(op->getResults(), [&](Value result) {
                 return needed.contains(result);
               }))) {
      needed.insert_range(op->getOperands());
    }
  });
}

void NeighbourEmitter::emit(OpBuilder &builder) {
  findNeeded();
  Value last = nest.getBody().front().getArguments().back();
  varying.insert(last);
  SmallVector<Value> &values = known[last].values;
  if (needed.contains(last))
    for (int64_t lane = 1; lane < width; ++lane) {
      Location loc = nest.getLoc();
      Value step = arith::ConstantIndexOp::create(builder, loc, lane);
      values.push_back(arith::AddIOp::create(builder, loc, values.front(), step));
    }
  emitBlock(builder, nest.getBody().front());
}

void NeighbourEmitter::emitBlock(OpBuilder &builder, Block &block) {
  for (Operation &op : block)
    if (!isa<scf::YieldOp>(op))
      emitOp(builder, &op);
}

void NeighbourEmitter::emitLoad(OpBuilder &builder, Operation *op) {
  Location loc = op->getLoc();
  Type element = op->getResult(0).getType();
  auto type = VectorType::get({width}, element);
  Value vector;
  if (auto load = dyn_cast<tile::LoadOp>(op))
    vector = simt::VectorLoadOp::create(builder, loc, type, load.getMemref(),
                                        get(load.getIndices()), load.getInbounds(),
                                        /*inside=*/Value());
  else
    vector = vector::LoadOp::create(
        builder, loc, type, cast<memref::LoadOp>(op).getMemRef(),
        get(cast<memref::LoadOp>(op).getIndices()), /*nontemporal=*/false,
        llvm::Align(width * element.getIntOrFloatBitWidth() / 8));
  Lanes &lanes = known[op->getResult(0)];
  lanes.vector = vector;
  for (int64_t lane = 0; lane < width; ++lane)
    lanes.values.push_back(vector::ExtractOp::create(builder, loc, vector, lane));
}

void NeighbourEmitter::emitCopy(OpBuilder &builder, memref::StoreOp store) {
  auto load = store.getValue().getDefiningOp<tile::LoadOp>();
  CopyAsyncOp::create(builder, store.getLoc(), width, load.getMemref(),
                      get(load.getIndices()), load.getInbounds(), /*inside=*/Value(),
                      store.getMemRef(), get(store.getIndices()));
}

void NeighbourEmitter::emitStore(OpBuilder &builder, Operation *op) {
  Location loc = op->getLoc();
  Value value = op->getOperand(0), vector;
  if (auto found = known.find(value); found != known.end())
    vector = found->second.vector;
  auto type = VectorType::get({width}, value.getType());
  if (!vector) {
    SmallVector<Value> elements;
    for (int64_t lane = 0; lane < width; ++lane)
      elements.push_back(get(value, lane));
    vector = vector::FromElementsOp::create(builder, loc, type, elements);
  }
  if (auto store = dyn_cast<tile::StoreOp>(op))
    simt::VectorStoreOp::create(builder, loc, vector, store.getMemref(),
                                get(store.getIndices()), store.getInbounds());
  else
    vector::StoreOp::create(
        builder, loc, vector, cast<memref::StoreOp>(op).getMemRef(),
        get(cast<memref::StoreOp>(op).getIndices()), /*nontemporal=*/false,
        llvm::Align(width * value.getType().getIntOrFloatBitWidth() / 8));
}

/// All neighbours take the same way; what varies comes out as a value for each.
void NeighbourEmitter::emitBranch(OpBuilder &builder, scf::IfOp branch) {
  SmallVector<Type> types;
  SmallVector<int64_t> counts;
  for (Value result : branch.getResults()) {
    counts.push_back(needed.contains(result) ? width : 1);
    types.append(counts.back(), result.getType());
  }
  auto made =
      scf::IfOp::create(builder, branch.getLoc(), types, get(branch.getCondition()),
                        /*addThenBlock=*/true, !branch.getElseRegion().empty());
  for (auto [from, to] : llvm::zip(branch->getRegions(), made->getRegions())) {
    if (from.empty())
      continue;
    OpBuilder inside = OpBuilder::atBlockBegin(&to.front());
    emitBlock(inside, from.front());
    SmallVector<Value> yielded;
    for (auto [value, count] :
         llvm::zip(from.front().getTerminator()->getOperands(), counts))
      for (int64_t lane = 0; lane < count; ++lane)
        yielded.push_back(get(value, lane));
    scf::YieldOp::create(inside, branch.getLoc(), yielded);
  }
  auto next = made->result_begin();
  for (auto [result, count] : llvm::zip(branch.getResults(), counts)) {
    if (count > 1)
      varying.insert(result);
    for (int64_t lane = 0; lane < count; ++lane)
      known[result].values.push_back(*next++);
  }
}

void NeighbourEmitter::emitOp(OpBuilder &builder, Operation *op) {
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitBranch(builder, branch);
  bool isVarying = varies(op);
  if (isVarying)
    varying.insert_range(op->getResults());
  if (op->hasAttr(contiguousAttrName) && nest->hasAttr(asyncAttrName)) {
    if (auto store = dyn_cast<memref::StoreOp>(op)) // with the load, which it has alone
      emitCopy(builder, store);
    return;
  }
  if (op->hasAttr(contiguousAttrName))
    return op->getNumResults() ? emitLoad(builder, op) : emitStore(builder, op);
  bool forEach = isVarying && (op->getNumResults() == 0 ||
                               llvm::any_of(op->getResults(), [&](Value result) {
                                 return needed.contains(result);
                               }));
  SmallVector<Lanes> results(op->getNumResults());
  for (int64_t lane = 0; lane < (forEach ? width : 1); ++lane) {
    IRMapping mapping;
    for (Value operand : op->getOperands())
      mapping.map(operand, get(operand, lane));
    Operation *copy = builder.clone(*op, mapping);
    if (isDealtAccess(op)) {
      OpBuilder before(copy);
      setOwnIndex(copy, own(before, op, lane));
    }
    for (auto [lanes, result] : llvm::zip(results, copy->getResults()))
      lanes.values.push_back(result);
  }
  for (auto [result, lanes] : llvm::zip(op->getResults(), results))
    known[result] = std::move(lanes);
}

void simt::emitIteration(OpBuilder &builder, ParallelOp nest, ArrayRef<Value> indices,
                         OwnElement own) {
  if (getWidth(nest) > 1)
    return NeighbourEmitter(nest, indices, own).emit(builder);
  Block &body = nest.getBody().front();
  IRMapping mapping;
  for (auto [argument, index] : llvm::zip(body.getArguments(), indices))
    mapping.map(argument, index);
  for (Operation &op : body) {
    // An access is asked about while its indices are still the nest's.
    SmallVector<Value> owned;
    op.walk([&](Operation *inner) {
      if (isDealtAccess(inner))
        owned.push_back(own(builder, inner, 0));
    });
    Value *next = owned.begin();
    builder.clone(op, mapping)->walk([&](Operation *inner) {
      if (isDealtAccess(inner))
        setOwnIndex(inner, *next++);
    });
  }
}
