//===- BufferPlan.h - How a guarded access is one to a buffer -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_BUFFER_PLAN_H
#define TILEWRIGHT_BACKENDS_HIP_BUFFER_PLAN_H

#include "backends/hip/IndexParts.h"
#include "dialects/simt/Simt.h"

#include <variant>

namespace tilewright::hip {

/// What a buffer has at most, in bytes.
inline constexpr int64_t mostBufferBytes = INT32_MAX;

/// A guarded access: of one element, or of neighbours.
struct GuardedAccess {
  mlir::Operation *op;
  mlir::Value memref;
  mlir::ValueRange indices;
  llvm::ArrayRef<bool> inbounds;
  mlir::Type type; // of what is read or written

  static std::optional<GuardedAccess> get(mlir::Operation *op);
  mlir::MemRefType memrefType() const {
    return llvm::cast<mlir::MemRefType>(memref.getType());
  }
  bool isGuarded(size_t dim) const { return inbounds.empty() || !inbounds[dim]; }
  bool isWrite() const { return llvm::isa<tile::StoreOp, simt::VectorStoreOp>(op); }
  int64_t elementBytes() const { return memrefType().getElementTypeBitWidth() / 8; }
  int64_t bytes() const {
    auto vector = llvm::dyn_cast<mlir::VectorType>(type);
    return elementBytes() * (vector ? vector.getNumElements() : 1);
  }
};

/// How an access is one to a buffer.
struct BufferPlan {
  llvm::SmallVector<IndexParts> parts;
  llvm::SmallVector<int64_t> strides; // in elements, kDynamic where no offset needs it
  /// The dimension whose guard is the buffer's size.
  std::optional<size_t> bounded;
  /// Dimensions whose guards choose the offset.
  llvm::SmallVector<size_t> guarded;
  /// Dimensions with guards of the block.
  llvm::SmallVector<size_t> guardedForAll;
};

class BufferPlanner {
public:
  explicit BufferPlanner(IndexSplitter &splitter) : splitter(splitter) {}

  bool isUniform(const GuardedAccess &access) {
    return llvm::all_of(access.indices,
                        [&](mlir::Value index) { return splitter.isUniform(index); });
  }
  /// A plan, or why there is none.
  std::variant<BufferPlan, llvm::StringRef> plan(const GuardedAccess &access);

private:
  std::optional<BufferPlan> tryPlan(const GuardedAccess &access, bool mostInBase);
  static bool isBoundedBySize(const GuardedAccess &access, const BufferPlan &plan,
                              size_t dim);

  IndexSplitter &splitter;
};

} // namespace tilewright::hip

#endif // TILEWRIGHT_BACKENDS_HIP_BUFFER_PLAN_H
