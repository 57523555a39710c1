//===- BufferPlan.cpp - How a guarded access is one to a buffer ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/BufferPlan.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::hip;
using namespace tilewright::tile;

template <typename Op> static GuardedAccess makeAccess(Op op, Value value) {
  return {op, op.getMemref(), op.getIndices(), op.getInbounds(), value.getType()};
}

std::optional<GuardedAccess> GuardedAccess::get(Operation *op) {
  std::optional<GuardedAccess> access =
      llvm::TypeSwitch<Operation *, std::optional<GuardedAccess>>(op)
          .Case<tile::LoadOp, simt::VectorLoadOp>(
              [](auto load) { return makeAccess(load, load.getResult()); })
          .Case<tile::StoreOp, simt::VectorStoreOp>(
              [](auto store) { return makeAccess(store, store.getValue()); })
          .Default(std::nullopt);
  if (!access || getSpace(access->memref) != Space::Global)
    return std::nullopt;
  unsigned bits = access->memrefType().getElementTypeBitWidth();
  bool isGuarded = llvm::any_of(llvm::seq(access->indices.size()),
                                [&](size_t dim) { return access->isGuarded(dim); });
  bool isWord = bits >= 8 && bits <= 64 && llvm::isPowerOf2_32(bits) &&
                llvm::isPowerOf2_64(access->bytes());
  return isGuarded && isWord ? access : std::nullopt;
}

/// Whether what has an index of `dim` behind the last one is further from the base than
/// all that has not.
bool BufferPlanner::isBoundedBySize(const GuardedAccess &access, const BufferPlan &plan,
                                    size_t dim) {
  const IndexParts &own = plan.parts[dim];
  int64_t stride = plan.strides[dim];
  if (!own.isNonNegative || !own.bound || !own.isBaseNonNegative ||
      ShapedType::isDynamic(stride))
    return false;
  for (size_t outer = 0; outer < dim; ++outer)
    if (plan.parts[outer].hasOffset())
      return false;
  // What is within a row stays there.
  int64_t row = 1;
  for (size_t inner = dim + 1; inner < plan.parts.size(); ++inner) {
    int64_t extent = access.memrefType().getDimSize(inner);
    if (ShapedType::isDynamic(extent) || ShapedType::isDynamic(plan.strides[inner]) ||
        !plan.parts[inner].isBaseNonNegative)
      return false;
    row += std::max<int64_t>(extent - 1, 0) * plan.strides[inner];
  }
  return stride >= row && stride * access.elementBytes() <= mostBufferBytes;
}

std::optional<BufferPlan> BufferPlanner::tryPlan(const GuardedAccess &access,
                                                 bool mostInBase) {
  BufferPlan plan;
  auto [strides, offset] = access.memrefType().getStridesAndOffset();
  plan.strides = strides;
  for (Value index : access.indices)
    plan.parts.push_back(splitter.split(index, mostInBase));

  for (size_t dim = 0; dim < plan.parts.size(); ++dim) {
    if (!access.isGuarded(dim))
      continue;
    if (!plan.bounded && isBoundedBySize(access, plan, dim))
      plan.bounded = dim;
    else if (plan.parts[dim].loop.empty() && plan.parts[dim].lane.empty())
      plan.guardedForAll.push_back(dim);
    else
      plan.guarded.push_back(dim);
  }

  std::optional<int64_t> last = access.bytes();
  for (auto [dim, parts] : llvm::enumerate(plan.parts)) {
    if (!parts.hasOffset())
      continue;
    if (ShapedType::isDynamic(strides[dim]) || strides[dim] < 0)
      return std::nullopt;
    std::optional<int64_t> bound = parts.isNonNegative ? parts.bound : std::nullopt;
    // Where the access is made, its index is in the tensor. But an instruction may add
    // the constant later, so that nothing may be below zero before.
    int64_t extent = access.memrefType().getDimSize(dim);
    bool isChosen = llvm::is_contained(plan.guarded, dim);
    if (!bound && !ShapedType::isDynamic(extent) &&
        (parts.isNonNegative ? parts.isBaseNonNegative : isChosen && !parts.hasBase()))
      bound = std::max<int64_t>(extent - 1, 0);
    int64_t stride = strides[dim] * access.elementBytes(), distance;
    if (!bound || llvm::MulOverflow(*bound, stride, distance) ||
        llvm::AddOverflow(*last, distance, *last) || *last > mostBufferBytes)
      return std::nullopt;
  }
  return plan;
}

std::variant<BufferPlan, StringRef> BufferPlanner::plan(const GuardedAccess &access) {
  for (bool mostInBase : {false, true})
    if (std::optional<BufferPlan> plan = tryPlan(access, mostInBase))
      return *plan;
  return StringRef("what threads of a block access is not shown to be within 2 GiB");
}
