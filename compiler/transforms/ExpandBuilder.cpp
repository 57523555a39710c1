//===- ExpandBuilder.cpp - Helpers to expand operations on tiles --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/ExpandBuilder.h"
#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Loops and elements
//===----------------------------------------------------------------------===//

Value ExpandBuilder::addTo(OpFoldResult offset, Value i) {
  if (!i)
    return index(offset);
  return getConstantIntValue(offset) == 0 ? i : add(index(offset), i);
}

void ExpandBuilder::parallel(ArrayRef<int64_t> extents,
                             function_ref<void(ArrayRef<Value>)> body) {
  SmallVector<int64_t> space(extents);
  if (space.empty())
    space.push_back(1);
  auto loop = ParallelOp::create(*this, getLoc(), space);
  Block &block = loop.getBody().emplaceBlock();
  SmallVector<Value> coordinates;
  for (size_t i = 0; i < space.size(); ++i) {
    Value coordinate = block.addArgument(getIndexType(), getLoc());
    if (i < extents.size())
      coordinates.push_back(coordinate);
  }
  InsertionGuard guard(*this);
  setInsertionPointToStart(&block);
  body(coordinates);
}

SmallVector<Value>
ExpandBuilder::serial(int64_t lower, int64_t upper, ValueRange initial,
                      function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop =
      scf::ForOp::create(*this, getLoc(), index(lower), index(upper), index(1), initial);
  InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next = body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!initial.empty())
    scf::YieldOp::create(*this, getLoc(), next);
  return loop.getResults();
}

Value ExpandBuilder::choose(Value condition, Type type, function_ref<Value()> onTrue,
                            function_ref<Value()> onFalse) {
  if (!condition)
    return onTrue();
  auto branch = scf::IfOp::create(*this, getLoc(), type, condition, true);
  InsertionGuard guard(*this);
  setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(*this, getLoc(), onTrue());
  setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(*this, getLoc(), onFalse());
  return branch.getResult(0);
}

/// `inbounds` as the attribute of an access: nothing where nothing is known.
static ArrayRef<bool> known(ArrayRef<bool> inbounds) {
  return llvm::is_contained(inbounds, true) ? inbounds : ArrayRef<bool>();
}

Value ExpandBuilder::load(Value memref, ArrayRef<Value> indices,
                          ArrayRef<bool> inbounds) {
  if (isTile(memref.getType()))
    return memref::LoadOp::create(*this, getLoc(), memref, indices);
  return LoadOp::create(*this, getLoc(), elementOf(memref), memref, indices,
                        known(inbounds));
}

void ExpandBuilder::store(Value value, Value memref, ArrayRef<Value> indices,
                          ArrayRef<bool> inbounds) {
  if (isTile(memref.getType()))
    memref::StoreOp::create(*this, getLoc(), value, memref, indices);
  else
    StoreOp::create(*this, getLoc(), value, memref, indices, known(inbounds));
}

Value ExpandBuilder::allocate(StringRef name, ArrayRef<int64_t> shape, Type element) {
  auto space = SpaceAttr::get(getContext(), Space::Shared);
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(), space);
  return AllocOp::create(*this, getLoc(), type, getStringAttr(name), IntegerAttr());
}

Value ExpandBuilder::keepFrom(Value tile, Value dst, bool orItself) {
  if (!mayOverlap(dst, tile) || (orItself && tile == dst))
    return tile;
  return CopySide::whole(tile).copied(*this, elementOf(tile)).memref;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

CopySide::CopySide(Value memref, ArrayRef<OpFoldResult> offsets, ArrayRef<int64_t> sizes)
    : memref(memref), offsets(offsets), sizes(sizes) {}

CopySide CopySide::whole(Value tile) {
  ArrayRef<int64_t> shape = shapeOf(tile);
  SmallVector<OpFoldResult> zeros(shape.size(),
                                  Builder(tile.getContext()).getIndexAttr(0));
  return {tile, zeros, shape};
}

SmallVector<int64_t> CopySide::shape() const {
  SmallVector<int64_t> spanned(sizes);
  llvm::erase(spanned, 1);
  return spanned;
}

std::optional<unsigned> CopySide::coordinateOf(int64_t dim) const {
  if (sizes[dim] == 1)
    return std::nullopt;
  return dim - llvm::count(ArrayRef(sizes).take_front(dim), 1);
}

SmallVector<Value> CopySide::indices(ExpandBuilder &b,
                                     ArrayRef<Value> coordinates) const {
  SmallVector<Value> result;
  for (size_t dim = 0; dim < sizes.size(); ++dim) {
    auto place = coordinateOf(dim);
    result.push_back(b.addTo(offsets[dim], place ? coordinates[*place] : Value()));
  }
  return result;
}

SmallVector<bool> CopySide::inbounds() const {
  SmallVector<bool> result;
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    auto first = getConstantIntValue(offsets[dim]);
    result.push_back(first && *first >= 0 && !type().isDynamicDim(dim) &&
                     *first + size <= type().getDimSize(dim));
  }
  return result;
}

Value CopySide::load(ExpandBuilder &b, ArrayRef<Value> coordinates) const {
  return b.load(memref, indices(b, coordinates), inbounds());
}

void CopySide::store(ExpandBuilder &b, Value value, ArrayRef<Value> coordinates) const {
  b.store(value, memref, indices(b, coordinates), inbounds());
}

/// Whether the values name one memory with one layout, if any: a memref and itself, or
/// parameters, which share memory element by element where the signature lets them.
static bool areAligned(Value a, Value b) {
  auto isParameter = [](Value value) {
    auto arg = dyn_cast<BlockArgument>(value);
    return arg && isa<func::FuncOp>(arg.getOwner()->getParentOp());
  };
  return a == b || (isParameter(a) && isParameter(b));
}

bool CopySide::mayDisturb(const CopySide &read) const {
  if (!mayOverlap(memref, read.memref))
    return false;
  if (!areAligned(memref, read.memref))
    return true;
  if (offsets == read.offsets && sizes == read.sizes)
    return false;
  for (auto [dim, offset] : llvm::enumerate(offsets)) {
    auto first = getConstantIntValue(offset),
         other = getConstantIntValue(read.offsets[dim]);
    if (first && other &&
        (*first + sizes[dim] <= *other || *other + read.sizes[dim] <= *first))
      return false;
  }
  return true;
}

CopySide CopySide::copied(ExpandBuilder &b, Type element, bool isUnsigned) const {
  CopySide copy = whole(b.allocate("kept", sizes, element));
  copyRegion(b, *this, copy, isUnsigned);
  return copy;
}

void tile::copyRegion(ExpandBuilder &b, const CopySide &src, const CopySide &dst,
                      bool isUnsigned) {
  b.parallel(src.shape(), [&](ArrayRef<Value> coordinates) {
    Expr element = b.expr(src.load(b, coordinates));
    dst.store(b, castElements(element, dst.elementType(), isUnsigned), coordinates);
  });
}
