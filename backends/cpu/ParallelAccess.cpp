//===- ParallelAccess.cpp - Element accesses over vectors ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An access is, from cheap to dear:
//
//   one element       the same in every lane: a scalar load and a broadcast
//   contiguous        lanes side by side: a vector load or store
//   a window          lanes at constant offsets close together, as in x[j // 2] or
//                     x[2 * j]: one or two vector loads and a shuffle
//   gather, scatter   anything else
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ParallelEmitter.h"

using namespace mlir;
using namespace tilewright::tile;
using namespace tilewright::cpu;

/// An access while it is emitted.
struct ParallelEmitter::Access {
  Value memref;
  SmallVector<LaneValue> indices;
  VectorType type;
  /// Lanes that may touch memory; null for all.
  Value mask;
  /// Whether any lane may; null for yes.
  Value guard;

  bool isUniform() const {
    return llvm::all_of(indices, [](const LaneValue &i) { return i.isUniform(); });
  }

  /// Where only the last index differs between lanes, by constants, and elements
  /// along it are side by side: the offsets along it.
  ArrayRef<int64_t> lastOffsets() const {
    auto [strides, offset] = cast<MemRefType>(memref.getType()).getStridesAndOffset();
    bool othersUniform = llvm::all_of(ArrayRef(indices).drop_back(),
                                      [](const LaneValue &i) { return i.isUniform(); });
    return othersUniform && strides.back() == 1 ? ArrayRef(indices.back().offsets)
                                                : ArrayRef<int64_t>();
  }

  bool isContiguous() const {
    ArrayRef<int64_t> offsets = lastOffsets();
    if (offsets.empty())
      return false;
    for (auto [lane, offset] : llvm::enumerate(offsets))
      if (offset != offsets.front() + static_cast<int64_t>(lane))
        return false;
    return true;
  }

  /// The scalar indices, the last one moved by `distance`.
  SmallVector<Value> scalarIndices(LoopBuilder &b, int64_t distance) const {
    SmallVector<Value> result;
    for (const LaneValue &index : indices)
      result.push_back(index.scalar);
    result.back() = b.add(result.back(), distance);
    return result;
  }
};

//===----------------------------------------------------------------------===//
// Guards
//===----------------------------------------------------------------------===//

/// Restricts `access` to the lanes whose indices lie inside the tensor.
void ParallelEmitter::emitGuards(const ElementAccess &element, Access &access) {
  Location loc = b.getLoc();
  using Predicate = arith::CmpIPredicate;
  for (auto [dim, lane] : llvm::enumerate(access.indices)) {
    if (!element.isGuarded(dim))
      continue;
    Value extent = b.createOrFold<memref::DimOp>(loc, access.memref, dim);
    // Seen as unsigned, a negative index is too large as well.
    if (lane.isUniform()) {
      access.guard = b.both(access.guard, b.compare(Predicate::ult, lane.scalar, extent));
    } else if (lane.isVarying()) {
      Value limit = getVector(b, LaneValue::uniform(extent), lanes);
      access.mask = b.both(access.mask, b.compare(Predicate::ult, lane.vector, limit));
    } else {
      Value above = compareOffsets(b, Predicate::slt, lane.offsets,
                                   b.sub(extent, lane.scalar), vectorBits);
      access.mask = b.both(access.mask, above);
      Value index = element.indices[dim];
      if (bounds.isNonNegative(index, op))
        continue;
      Value below = compareOffsets(b, Predicate::sge, lane.offsets,
                                   b.sub(b.index(0), lane.scalar), vectorBits);
      access.mask = b.both(access.mask, below);
    }
  }
  // With a mask there is no branch: the guard joins it.
  if (access.mask && access.guard) {
    access.mask =
        b.both(access.mask, getVector(b, LaneValue::uniform(access.guard), lanes));
    access.guard = Value();
  }
}

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

/// A copy of `inner`, whose operands are uniform, run where a lane is active. Gives its
/// result, zero where none is; null for a store.
Value ParallelEmitter::emitScalarAccess(Operation *inner, Value mask) {
  if (!mask || mask.getDefiningOp<vector::ConstantMaskOp>()) {
    Operation *copy = cloneScalar(inner);
    return copy->getNumResults() ? copy->getResult(0) : Value();
  }
  Location loc = inner->getLoc();
  auto branch = scf::IfOp::create(b, loc, inner->getResultTypes(), anyActive(mask),
                                  /*addThenBlock=*/true, inner->getNumResults() != 0);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(b, loc, cloneScalar(inner)->getResults());
  if (inner->getNumResults() == 0)
    return Value();
  b.setInsertionPointToStart(&branch.getElseRegion().front());
  scf::YieldOp::create(b, loc, zero(inner->getResult(0).getType()));
  return branch.getResult(0);
}

/// Stores differing values to one element: that of the last active lane.
void ParallelEmitter::emitStoreToOne(Operation *inner, const LaneValue &stored,
                                     Value mask) {
  Location loc = inner->getLoc();
  Value values = getVector(b, stored, lanes);
  b.forLoop(lanes, 1, [&](Value lane) {
    OpBuilder::InsertionGuard guard(b);
    if (mask) {
      Value active = vector::ExtractOp::create(b, loc, mask, lane);
      auto branch = scf::IfOp::create(b, loc, active, /*withElseRegion=*/false);
      b.setInsertionPointToStart(&branch.getThenRegion().front());
    }
    Operation *copy = cloneScalar(inner);
    b.setInsertionPoint(copy);
    copy->setOperand(0, vector::ExtractOp::create(b, loc, values, lane));
  });
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

void ParallelEmitter::emitAccess(Operation *inner, const ElementAccess &element,
                                 Value mask) {
  Access access{lookup(element.memref).scalar, lookup(element.indices), {}, mask, {}};
  auto type = cast<MemRefType>(access.memref.getType());
  access.type = vectorOf(type.getElementType());
  // The lanes of a private variable lie side by side behind it.
  if (type.getRank() > static_cast<int64_t>(access.indices.size()))
    access.indices.push_back(
        LaneValue::linear(b, b.index(0), llvm::to_vector(llvm::seq<int64_t>(0, lanes))));

  if (element.stored) {
    LaneValue stored = lookup(element.stored);
    if (!access.isUniform()) {
      emitGuards(element, access);
      return emitStore(access, stored);
    }
    if (stored.isUniform())
      emitScalarAccess(inner, mask);
    else
      emitStoreToOne(inner, stored, mask);
    return;
  }
  Value result = inner->getResult(0);
  if (access.isUniform())
    return map(result, LaneValue::uniform(emitScalarAccess(inner, mask)));
  emitGuards(element, access);
  map(result, emitLoad(access));
}

Value ParallelEmitter::emitContiguousLoad(const Access &access) {
  SmallVector<Value> indices = access.scalarIndices(b, access.lastOffsets().front());
  if (access.mask)
    return vector::MaskedLoadOp::create(b, b.getLoc(), access.type, access.memref,
                                        indices, access.mask, zero(access.type));
  return vector::LoadOp::create(b, b.getLoc(), access.type, access.memref, indices);
}

/// Loads the elements between the lowest and the highest lane and puts them in order;
/// null where that takes more than two vectors.
Value ParallelEmitter::emitWindowLoad(const Access &access) {
  ArrayRef<int64_t> offsets = access.lastOffsets();
  if (offsets.empty() || access.mask)
    return Value();
  int64_t low = *llvm::min_element(offsets), span = *llvm::max_element(offsets) - low + 1;
  if (span > 2 * lanes)
    return Value();
  // Both vectors lie inside the window: nothing outside it is read.
  int64_t width = std::min(span, lanes), second = span - width;
  auto load = [&](int64_t distance) {
    auto type = VectorType::get({width}, access.type.getElementType());
    return vector::LoadOp::create(b, b.getLoc(), type, access.memref,
                                  access.scalarIndices(b, low + distance));
  };
  Value first = load(0);
  SmallVector<int64_t> order;
  for (int64_t offset : offsets) {
    int64_t place = offset - low;
    order.push_back(place < width ? place : width + place - second);
  }
  return vector::ShuffleOp::create(b, b.getLoc(), first, second ? load(second) : first,
                                   order);
}

/// The lanes' distances, in elements, from the address of `base`.
Value ParallelEmitter::emitOffsetVector(const Access &access, SmallVector<Value> &base) {
  Location loc = b.getLoc();
  auto type = cast<MemRefType>(access.memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  // Offsets inside a tile fit 32 bits, and so do twice as many lanes of them.
  bool isNarrow = isTile(type);
  Type indexType = isNarrow ? Type(b.getI32Type()) : b.getIndexType();

  ValueRange dynamicStrides;
  if (llvm::any_of(strides, ShapedType::isDynamic))
    dynamicStrides =
        memref::ExtractStridedMetadataOp::create(b, loc, access.memref).getStrides();

  SmallVector<int64_t> constants(lanes, 0);
  Value sum;
  auto addTo = [&](Value term) { sum = sum ? b.add(sum, term) : term; };
  for (auto [dim, index] : llvm::enumerate(access.indices)) {
    base.push_back(index.isVarying() ? b.index(0) : index.scalar);
    if (index.isUniform())
      continue;
    int64_t stride = strides[dim];
    if (index.isLinear() && !ShapedType::isDynamic(stride)) {
      for (auto [constant, distance] : llvm::zip_equal(constants, index.offsets))
        constant += distance * stride;
      continue;
    }
    Value term =
        index.isVarying()
            ? b.createOrFold<arith::IndexCastOp>(loc, vectorOf(indexType), index.vector)
            : getConstantVector(b, index.offsets, indexType);
    if (stride != 1) {
      Value factor =
          ShapedType::isDynamic(stride)
              ? dynamicStrides[dim]
              : arith::ConstantOp::create(b, loc, b.getIntegerAttr(indexType, stride));
      term = arith::MulIOp::create(b, loc, term,
                                   getVector(b, LaneValue::uniform(factor), lanes));
    }
    addTo(term);
  }
  if (!sum || llvm::any_of(constants, [](int64_t c) { return c != 0; }))
    addTo(getConstantVector(b, constants, indexType));
  return sum;
}

/// `memref` for a gather or scatter from `base`: as it is where its last dimension is
/// contiguous, which those demand, else the same memory from that element on as a vector.
static Value getGatherable(OpBuilder &b, Location loc, Value memref,
                           SmallVector<Value> &base) {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (strides.back() == 1)
    return memref;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, memref);
  Value start = metadata.getOffset();
  for (auto [index, stride] : llvm::zip_equal(base, metadata.getStrides()))
    start = arith::AddIOp::create(b, loc, start,
                                  arith::MulIOp::create(b, loc, index, stride));
  auto layout = StridedLayoutAttr::get(b.getContext(), ShapedType::kDynamic, {1});
  auto flat = MemRefType::get({ShapedType::kDynamic}, type.getElementType(), layout,
                              type.getMemorySpace());
  base.assign(1, arith::ConstantIndexOp::create(b, loc, 0));
  return memref::ReinterpretCastOp::create(
      b, loc, flat, metadata.getBaseBuffer(), OpFoldResult(start),
      ArrayRef<OpFoldResult>{metadata.getSizes().front()},
      ArrayRef<OpFoldResult>{b.getIndexAttr(1)});
}

LaneValue ParallelEmitter::emitLoad(const Access &access) {
  Location loc = b.getLoc();
  auto load = [&]() -> Value {
    if (access.isContiguous())
      return emitContiguousLoad(access);
    if (Value window = emitWindowLoad(access))
      return window;
    SmallVector<Value> base;
    Value offsets = emitOffsetVector(access, base);
    Value mask = access.mask;
    if (!mask)
      mask = vector::ConstantMaskOp::create(b, loc, vectorOf(b.getI1Type()),
                                            ArrayRef<int64_t>{lanes});
    Value memref = getGatherable(b, loc, access.memref, base);
    return vector::GatherOp::create(b, loc, access.type, memref, base, offsets, mask,
                                    zero(access.type));
  };
  if (!access.guard)
    return LaneValue::varying(load());
  auto branch = scf::IfOp::create(b, loc, TypeRange(access.type), access.guard,
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(b, loc, load());
  b.setInsertionPointToStart(&branch.getElseRegion().front());
  scf::YieldOp::create(b, loc, zero(access.type));
  return LaneValue::varying(branch.getResult(0));
}

void ParallelEmitter::emitStore(const Access &access, const LaneValue &stored) {
  Location loc = b.getLoc();
  Value value = getVector(b, stored, lanes);
  OpBuilder::InsertionGuard guard(b);
  if (access.guard) {
    auto branch = scf::IfOp::create(b, loc, access.guard, /*withElseRegion=*/false);
    b.setInsertionPointToStart(&branch.getThenRegion().front());
  }
  if (access.isContiguous()) {
    SmallVector<Value> indices = access.scalarIndices(b, access.lastOffsets().front());
    if (access.mask)
      vector::MaskedStoreOp::create(b, loc, access.memref, indices, access.mask, value);
    else
      vector::StoreOp::create(b, loc, value, access.memref, indices);
    return;
  }
  SmallVector<Value> base;
  Value offsets = emitOffsetVector(access, base);
  Value mask = access.mask;
  if (!mask)
    mask = vector::ConstantMaskOp::create(b, loc, vectorOf(b.getI1Type()),
                                          ArrayRef<int64_t>{lanes});
  Value memref = getGatherable(b, loc, access.memref, base);
  vector::ScatterOp::create(b, loc, TypeRange(), memref, base, offsets, mask, value,
                            IntegerAttr());
}
