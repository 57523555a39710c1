//===- SimtChannelOps.cpp - Channels: copies that run ahead -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/simt/Pending.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

LogicalResult SwizzleAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t chunk, int64_t bits, int64_t rows) {
  auto isPower = [](int64_t n) { return n > 0 && llvm::isPowerOf2_64(n); };
  if (!isPower(chunk) || !isPower(rows))
    return emitError() << "(C1) needs powers of two as chunk and rows, not " << chunk
                       << " and " << rows;
  if (bits < 1 || bits > 5)
    return emitError() << "(C2) needs from 1 to 5 bits, not " << bits;
  return success();
}

LogicalResult ChannelType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  int64_t stages, ArrayRef<Type> tiles) {
  if (stages < 1)
    return emitError() << "(C1) needs at least one stage, not " << stages;
  for (Type tile : tiles) {
    if (auto tmem = dyn_cast<TmemType>(tile); tmem && tmem.getShape().size() == 2)
      continue;
    auto type = dyn_cast<MemRefType>(tile);
    if (!type || !type.hasStaticShape() || tile::getSpace(type) != tile::Space::Shared)
      return emitError() << "(C2) holds shared tiles of static shape, or tiles of rank 2 "
                            "in tensor memory, not "
                         << tile;
  }
  return success();
}

MemRefType simt::getStageType(MemRefType buffer) {
  auto [strides, offset] = buffer.getStridesAndOffset();
  auto layout = StridedLayoutAttr::get(buffer.getContext(), ShapedType::kDynamic,
                                       ArrayRef(strides).drop_front());
  return MemRefType::get(buffer.getShape().drop_front(), buffer.getElementType(), layout,
                         buffer.getMemorySpace());
}

/// The tile of one of `stages` stages in a buffer; null where it has not that many.
static Type getStageTile(Type buffer, int64_t stages) {
  if (auto tmem = dyn_cast<TmemType>(buffer))
    return tmem.getShape().size() == 3 && tmem.getShape()[0] == stages
               ? TmemType::get(tmem.getContext(), tmem.getShape().drop_front(),
                               tmem.getElementType())
               : Type();
  auto memref = cast<MemRefType>(buffer);
  if (tile::getSpace(memref) != tile::Space::Shared || memref.getRank() == 0 ||
      memref.getDimSize(0) != stages)
    return nullptr;
  return getStageType(memref);
}

LogicalResult ChannelOp::verify() {
  ChannelType type = getChannel().getType();
  SmallVector<Type> stages;
  for (Value buffer : getBuffers()) {
    Type stage = getStageTile(buffer.getType(), type.getStages());
    if (!stage)
      return emitOpError("(C1) needs shared buffers with ")
             << type.getStages() << " stages, not " << buffer.getType();
    if (!buffer.hasOneUse())
      return emitOpError("(C2) must be the only use of its buffers");
    stages.push_back(stage);
  }
  if (TypeRange(stages) != TypeRange(type.getTiles()))
    return emitOpError("(C1) makes a channel of the tiles ")
           << stages << ", not of " << type.getTiles();
  return success();
}

LogicalResult PutOp::verify() {
  if (TypeRange(getBody().getArgumentTypes()) !=
      TypeRange(getChannel().getType().getTiles()))
    return emitOpError("(C1) fills the tiles ")
           << getChannel().getType().getTiles() << ", and its region has the arguments "
           << getBody().getArgumentTypes();
  if (!isForAllThreads(*this))
    return emitOpError("(C2) ") << forAllThreads;
  Block &body = getBody().front();
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(body.back());
  if (yield && (!llvm::all_of(yield->getOperandTypes(), llvm::IsaPred<PendingType>) ||
                (yield->getNumOperands() > 0 && !getIsAsync())))
    return emitOpError("(C3) yields pending values, and with async alone");
  return success();
}

ReleaseOp GetOp::getRelease() {
  ReleaseOp found;
  for (Operation &op :
       llvm::make_range(std::next((*this)->getIterator()), (*this)->getBlock()->end()))
    if (auto release = dyn_cast<ReleaseOp>(op); release &&
                                                release.getChannel() == getChannel() &&
                                                release.getNumber() == getNumber()) {
      if (found)
        return nullptr;
      found = release;
    }
  return found;
}

/// The first operation that may still read `tile`, or a view of it, when the release
/// has come by.
static Operation *findReader(Value tile, ReleaseOp release) {
  for (Operation *user : tile.getUsers()) {
    if (auto view = dyn_cast<ViewLikeOpInterface>(user))
      if (Operation *reader = findReader(view->getResult(0), release))
        return reader;
    for (Value result : user->getResults())
      if (isa<PendingType>(result.getType()) && !isDoneBefore(result, release))
        return user;
  }
  return nullptr;
}

LogicalResult GetOp::verify() {
  if (TypeRange(getResultTypes()) != TypeRange(getChannel().getType().getTiles()))
    return emitOpError("(C1) gives the tiles ") << getChannel().getType().getTiles();
  if (!isForAllThreads(*this))
    return emitOpError("(C2) ") << forAllThreads;
  ReleaseOp release = getRelease();
  if (!release)
    return emitOpError("(C3) needs one simt.release of its item behind it in its block");
  for (Operation *user : (*this)->getUsers()) {
    Operation *outer = (*this)->getBlock()->findAncestorOpInBlock(*user);
    if (!outer || release->isBeforeInBlock(outer))
      return emitOpError("(C3) is released before a use of its tiles")
                 .attachNote(user->getLoc())
             << "the use";
  }
  for (Value tile : getTiles())
    if (Operation *reader = findReader(tile, release))
      return emitOpError(
                 "(C4) is released while something may still read its tiles; wait "
                 "for it, or release `after` it")
                 .attachNote(reader->getLoc())
             << "here";
  return success();
}

LogicalResult ReleaseOp::verify() {
  for (Operation *user : getChannel().getUsers())
    if (auto get = dyn_cast<GetOp>(user); get && get.getNumber() == getNumber() &&
                                          get->getBlock() == (*this)->getBlock() &&
                                          get->isBeforeInBlock(*this))
      return success();
  return emitOpError("(C1) needs a simt.get of its item in front of it in its block");
}

LogicalResult CopyAsyncOp::verify() {
  auto src = cast<MemRefType>(getMemref().getType());
  auto dst = cast<MemRefType>(getDst().getType());
  auto rank = static_cast<size_t>(src.getRank());
  if (getIndices().size() != rank ||
      static_cast<int64_t>(getDstIndices().size()) != dst.getRank() ||
      (!getInbounds().empty() && getInbounds().size() != rank))
    return emitOpError("(C1) needs one index for each dimension, and as many entries of "
                       "inbounds as the source has, or none");
  auto isRow = [](MemRefType type) {
    auto [strides, offset] = type.getStridesAndOffset();
    return !strides.empty() && strides.back() == 1;
  };
  if (tile::getSpace(src) != tile::Space::Global ||
      tile::getSpace(dst) != tile::Space::Shared || !isRow(src) || !isRow(dst) ||
      src.getElementType() != dst.getElementType() ||
      src.getElementTypeBitWidth() % 8 != 0)
    return emitOpError("(C2) copies elements of whole bytes from global to shared "
                       "memory, along a stride of 1, not from ")
           << src << " to " << dst;
  int64_t bytes = getCount() * src.getElementTypeBitWidth() / 8;
  if (bytes != 4 && bytes != 8 && bytes != 16)
    return emitOpError("(C3) copies 4, 8 or 16 bytes, not ") << bytes;
  return success();
}

LogicalResult CommitCopiesOp::verify() {
  if (!isForAllThreads(*this))
    return emitOpError("(C1) ") << forAllThreads;
  return success();
}

LogicalResult WaitCopiesOp::verify() {
  if (!isForAllThreads(*this))
    return emitOpError("(C1) ") << forAllThreads;
  if (int64_t pending = getPendingAttr().getInt(); pending < 0)
    return emitOpError("(C2) cannot wait until ") << pending << " groups are pending";
  return success();
}
