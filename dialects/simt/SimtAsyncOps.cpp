//===- SimtAsyncOps.cpp - What goes on while threads go on --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using tilewright::tile::AtomOperand;
using tilewright::tile::AtomRole;
using tilewright::tile::AtomShape;
using tilewright::tile::Completion;
using tilewright::tile::getSpace;
using tilewright::tile::Majorness;
using tilewright::tile::OperandPlace;
using tilewright::tile::Participants;
using tilewright::tile::Space;

//===----------------------------------------------------------------------===//
// Pending values
//===----------------------------------------------------------------------===//

LogicalResult WaitOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       ValueRange operands, DictionaryAttr,
                                       OpaqueProperties, RegionRange,
                                       SmallVectorImpl<Type> &types) {
  if (operands.size() != 1 || !isa<PendingType>(operands[0].getType()))
    return failure();
  llvm::append_range(types, cast<PendingType>(operands[0].getType()).getTypes());
  return success();
}

LogicalResult WaitOp::verify() {
  if (!isForAllThreads(*this))
    return emitOpError("(C2) ") << forAllThreads;
  return success();
}

LogicalResult ReadyOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                        ValueRange operands, DictionaryAttr,
                                        OpaqueProperties, RegionRange,
                                        SmallVectorImpl<Type> &types) {
  if (operands.size() != 1)
    return failure();
  types.push_back(PendingType::get(context, operands.getTypes()[0]));
  return success();
}

LogicalResult ReadyOp::verify() {
  if (failed(verifyConsumers(*this, "(C1)")))
    return failure();
  return verifyOverwrites(*this, getValue(), "(C2)");
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

LogicalResult MmaAsyncOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                           ValueRange operands, DictionaryAttr,
                                           OpaqueProperties, RegionRange,
                                           SmallVectorImpl<Type> &types) {
  if (operands.size() < 3)
    return failure();
  Type c = operands[2].getType();
  types.push_back(isa<PendingType>(c) ? c : PendingType::get(context, c));
  return success();
}

/// The type of C where it may be pending; null where that is not of one value.
static Type getAccumulatorType(Type type) {
  auto pending = dyn_cast<PendingType>(type);
  if (!pending)
    return type;
  return pending.getTypes().size() == 1 ? pending.getTypes()[0] : Type();
}

/// How a place is called in a message.
static StringRef describe(OperandPlace place) {
  switch (place) {
  case OperandPlace::Register:
    return "a vector of rank 2";
  case OperandPlace::SharedDescriptor:
    return "a shared tile of rank 2";
  case OperandPlace::TensorMemory:
    return "a tile of rank 2 in tensor memory";
  case OperandPlace::Memory:
    return "a memref of rank 2";
  }
  llvm_unreachable("all places are above");
}

/// The shape of `type` where it is an operand in `place`, with `element` as its elements.
static std::optional<ArrayRef<int64_t>> getShapeIn(OperandPlace place, Type type,
                                                   Type element) {
  auto isElement = [&](Type actual) {
    return actual == element || (isa<FloatTF32Type>(element) && actual.isF32());
  };
  auto check = [&](ArrayRef<int64_t> shape,
                   Type actual) -> std::optional<ArrayRef<int64_t>> {
    if (shape.size() != 2 || ShapedType::isDynamicShape(shape) || !isElement(actual))
      return std::nullopt;
    return shape;
  };
  if (auto vector = dyn_cast_or_null<VectorType>(type))
    return place == OperandPlace::Register && !vector.isScalable()
               ? check(vector.getShape(), vector.getElementType())
               : std::nullopt;
  if (auto tmem = dyn_cast_or_null<TmemType>(type))
    return place == OperandPlace::TensorMemory
               ? check(tmem.getShape(), tmem.getElementType())
               : std::nullopt;
  auto memref = dyn_cast_or_null<MemRefType>(type);
  bool isPlace =
      memref &&
      (place == OperandPlace::Memory ||
       (place == OperandPlace::SharedDescriptor && getSpace(memref) == Space::Shared));
  return isPlace ? check(memref.getShape(), memref.getElementType()) : std::nullopt;
}

/// Whether a shared operand is contiguous as the atom wants it. `k` is which of its two
/// dimensions is K.
static bool isContiguous(Type type, unsigned k, Majorness majorness) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref)
    return true;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(memref.getStridesAndOffset(strides, offset)))
    return false;
  return (majorness != Majorness::NonK && strides[k] == 1) ||
         (majorness != Majorness::K && strides[1 - k] == 1);
}

LogicalResult MmaAsyncOp::verify() {
  if (!isForAllThreads(*this))
    return emitOpError("(C1) ") << forAllThreads;
  auto atom = getAtom();
  if (atom.getCompletion() == Completion::Immediate)
    return emitOpError("(C2) needs an atom that completes later, and ")
           << atom << " completes at once";
  if (atom.getScale())
    return emitOpError("(C2) has no scale operands, which ") << atom << " needs";

  // M x K, K x N, M x N.
  Type types[] = {getA().getType(), getB().getType(),
                  getAccumulatorType(getC().getType())};
  AtomRole roles[] = {AtomRole::A, AtomRole::B, AtomRole::C};
  SmallVector<ArrayRef<int64_t>> shapes;
  for (auto [type, role] : llvm::zip(types, roles)) {
    AtomOperand operand = atom.getOperand(role);
    auto shape = getShapeIn(operand.place, type, operand.elementType);
    if (!shape)
      return emitOpError("(C3) needs ")
             << describe(operand.place) << " of " << operand.elementType << " as "
             << StringRef("ABC").substr(static_cast<size_t>(role), 1) << ", not "
             << getOperand(static_cast<unsigned>(role)).getType();
    shapes.push_back(*shape);
  }
  AtomShape issue = atom.getShape();
  int64_t m = shapes[0][0], k = shapes[0][1], n = shapes[1][1];
  if (shapes[1][0] != k || shapes[2][0] != m || shapes[2][1] != n)
    return emitOpError("(C4) multiplies M x K by K x N to M x N, not ")
           << types[0] << " by " << types[1] << " to " << types[2];
  // Of a pair of blocks each has its part of the rows.
  int64_t rows = issue.m / atom.getParticipants().blocks;
  if (m % rows != 0 || n % issue.n != 0 || k % issue.k != 0)
    return emitOpError("(C4) needs multiples of ")
           << rows << " x " << issue.n << " x " << issue.k << " as M x N x K, not " << m
           << " x " << n << " x " << k;
  for (unsigned i : {0, 1})
    if (!isContiguous(types[i], /*k=*/1 - i, atom.getOperand(roles[i]).majorness))
      return emitOpError("(C5) reads ")
             << StringRef("AB").substr(i, 1) << " along a stride of 1, which " << types[i]
             << " does not have where " << atom << " wants it";

  if (auto [parent, role] = getRole(*this); parent) {
    Participants together = atom.getParticipants();
    int64_t threads = together.lanes * together.warps;
    if (parent.getThreads()[role] % threads != 0 ||
        parent.getFirstThread(role) % threads != 0)
      return emitOpError("(C6) is issued by ")
             << threads << " threads, and its role has " << parent.getThreads()[role]
             << " from thread " << parent.getFirstThread(role) << " on";
  }
  if (failed(verifyOverwrites(*this, getC(), "(C7)")))
    return failure();
  return verifyConsumers(*this, "(C8)");
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// That nothing names the tile while it is copied.
static LogicalResult verifyUntouched(CopyBulkOp copy, Value tile) {
  for (Operation *user : copy.getPending().getUsers()) {
    if (!isa<WaitOp>(user))
      continue;
    for (Operation *other : tile.getUsers()) {
      Operation *outer = copy->getBlock()->findAncestorOpInBlock(*other);
      if (outer && copy->isBeforeInBlock(outer) && outer->isBeforeInBlock(user))
        return copy.emitOpError("(C6) may still be under way where its tile is named")
                   .attachNote(other->getLoc())
               << "here";
    }
  }
  return success();
}

LogicalResult CopyBulkOp::verify() {
  bool isLoad = getSpace(getSrc()) == Space::Global;
  Value global = isLoad ? getSrc() : getDst(), shared = isLoad ? getDst() : getSrc();
  OperandRange indices = isLoad ? getSrcIndices() : getDstIndices();
  OperandRange others = isLoad ? getDstIndices() : getSrcIndices();
  auto tensor = cast<MemRefType>(global.getType());
  auto tile = cast<MemRefType>(shared.getType());
  if (getSpace(tensor) != Space::Global || getSpace(tile) != Space::Shared ||
      !tile.hasStaticShape() || !others.empty() ||
      static_cast<int64_t>(indices.size()) != tensor.getRank())
    return emitOpError("(C1) copies between a box of a global tensor, with one index for "
                       "each dimension, and a shared tile of static shape, without, not "
                       "from ")
           << getSrc().getType() << " to " << getDst().getType();
  auto [tensorStrides, tensorOffset] = tensor.getStridesAndOffset();
  auto [tileStrides, tileOffset] = tile.getStridesAndOffset();
  Type element = tile.getElementType();
  if (tensor.getRank() != tile.getRank() || tile.getRank() < 1 || tile.getRank() > 5 ||
      tensor.getElementType() != element || element.getIntOrFloatBitWidth() % 8 != 0 ||
      tensorStrides.back() != 1 || tileStrides.back() != 1)
    return emitOpError("(C2) copies boxes of 1 to 5 dimensions, with contiguous rows of "
                       "the same elements of whole bytes, not from ")
           << getSrc().getType() << " to " << getDst().getType();
  int64_t bytes = element.getIntOrFloatBitWidth() / 8;
  auto isMultiple = [&](int64_t count) {
    return ShapedType::isDynamic(count) || count * bytes % 16 == 0;
  };
  if (llvm::any_of(tile.getShape(), [](int64_t extent) { return extent > 256; }) ||
      !isMultiple(tile.getShape().back()) ||
      !llvm::all_of(ArrayRef(tensorStrides).drop_back(), isMultiple))
    return emitOpError("(C3) copies up to 256 elements along a dimension, in rows of a "
                       "multiple of 16 bytes on both sides, not from ")
           << getSrc().getType() << " to " << getDst().getType();

  auto pending = getPending() ? cast<PendingType>(getPending().getType()) : PendingType();
  bool isWhole = pending && pending.getTypes().empty();
  if (getBarrier() ? !isLoad || pending : !isWhole)
    return emitOpError("(C4) gives one pending value, of no types, or writes a shared "
                       "tile on a barrier and gives nothing");
  if (getBarrier()) {
    auto at = getConstantIntValue(getAt());
    int64_t count = getBarrier().getType().getCount();
    if (at && (*at < 0 || *at >= count))
      return emitOpError("(C4) names barrier ") << *at << " of " << count;
    if ((*this)->getParentOfType<tile::ParallelOp>())
      return emitOpError("(C5) must stand outside of tile.parallel, whose iterations are "
                         "not threads");
    return success();
  }
  if (!isForAllThreads(*this))
    return emitOpError("(C5) ") << forAllThreads;
  if (failed(verifyConsumers(*this, "(C6)")))
    return failure();
  return verifyUntouched(*this, shared);
}
