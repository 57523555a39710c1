//===- PanelFilling.cpp - Tiles that are filled for a product -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/PanelFilling.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

#include <numeric>

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;
using tilewright::cpu::Filling;
namespace cpu = tilewright::cpu;

Value Filling::getSource() const {
  auto pack = dyn_cast<PackOp>(op);
  return pack ? pack.getSrc() : cast<CopyOp>(op).getSrc();
}

SmallVector<OpFoldResult> Filling::getOffsets() const {
  auto pack = dyn_cast<PackOp>(op);
  return pack ? pack.getMixedSrcOffsets() : cast<CopyOp>(op).getMixedSrcOffsets();
}

ArrayRef<int64_t> Filling::getSizes() const {
  auto pack = dyn_cast<PackOp>(op);
  return pack ? pack.getSrcSizes() : cast<CopyOp>(op).getSrcSizes();
}

/// A number that divides `value`; 0 where it is 0.
static int64_t getDivisor(Value value) {
  if (auto constant = getConstantIntValue(value))
    return std::abs(*constant);
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    auto loop = dyn_cast<scf::ForOp>(argument.getOwner()->getParentOp());
    if (!loop || argument != loop.getInductionVar())
      return 1;
    return std::gcd(getDivisor(loop.getLowerBound()), getDivisor(loop.getStep()));
  }
  Operation *op = value.getDefiningOp();
  if (isa<arith::AddIOp, arith::SubIOp>(op))
    return std::gcd(getDivisor(op->getOperand(0)), getDivisor(op->getOperand(1)));
  if (isa<arith::MulIOp>(op)) {
    int64_t a = getDivisor(op->getOperand(0)), b = getDivisor(op->getOperand(1));
    return a > (1 << 20) || b > (1 << 20) ? std::max(a, b) : a * b;
  }
  return 1;
}

/// Whether `value` follows from variables of loops and of `kernel` and from what is known
/// outside of it, not from memory.
static bool isArithmetic(Value value, KernelOp kernel) {
  return canRecompute(value, [&](Value given) {
    if (!kernel.getBody().isAncestor(given.getParentRegion()))
      return true;
    auto argument = dyn_cast<BlockArgument>(given);
    Operation *parent = argument ? argument.getOwner()->getParentOp() : nullptr;
    auto loop = dyn_cast_or_null<scf::ForOp>(parent);
    return parent == kernel || (loop && argument == loop.getInductionVar());
  });
}

std::optional<Filling> cpu::findFilling(cpu::GemmOp gemm, Value operand,
                                        bool isVectorSide) {
  auto alloc = operand.getDefiningOp<AllocOp>();
  if (!alloc)
    return std::nullopt;
  Filling filling{nullptr, alloc, isVectorSide};
  for (Operation *user : operand.getUsers()) {
    if (user->getBlock() != gemm->getBlock())
      return std::nullopt;
    if (user == gemm)
      continue;
    auto copy = dyn_cast<CopyOp>(user);
    auto pack = dyn_cast<PackOp>(user);
    bool fills = (copy && copy.getDst() == operand && !isTile(copy.getSrc().getType()) &&
                  copy.getDstSizes() == alloc.getType().getShape() &&
                  alloc.getType().getRank() == 2) ||
                 (pack && pack.getPanel() == operand && !isTile(pack.getSrc().getType()));
    if (!fills || filling.op || !user->isBeforeInBlock(gemm))
      return std::nullopt;
    filling.op = user;
  }
  if (!filling.op || gemm.getA() == gemm.getB())
    return std::nullopt;
  return filling;
}

StringRef cpu::findObstacle(Filling filling, cpu::GemmOp gemm, KernelOp kernel,
                            IndexBounds &bounds) {
  Value source = filling.getSource();
  auto type = cast<MemRefType>(source.getType());
  if (!isa<BlockArgument>(source) ||
      llvm::any_of(kernel->getBlock()->getOperations(),
                   [&](Operation &op) { return mayWrite(&op, source); }))
    return "something may write its tensor";
  if (type.getElementTypeBitWidth() < 8 ||
      filling.tile.getType().getElementTypeBitWidth() < 8)
    return "its elements share bytes";
  for (auto [dim, offset] : llvm::enumerate(filling.getOffsets())) {
    int64_t size = filling.getSizes()[dim];
    auto value = dyn_cast<Value>(offset);
    if (!value) {
      if (*getConstantIntValue(offset) % size || type.isDynamicDim(dim) ||
          *getConstantIntValue(offset) >= type.getDimSize(dim))
        return "it is not a tile of its tensor";
      continue;
    }
    if (!isArithmetic(value, kernel))
      return "where it lies is read from memory";
    if (getDivisor(value) % size)
      return "it is not a tile of its tensor";
    if (!bounds.isNonNegative(value, filling.op) ||
        !bounds.isBelowExtent(value, source, dim, filling.op))
      return "it is not shown to begin inside its tensor";
  }
  for (Operation *parent = gemm->getParentOp(); parent != kernel;
       parent = parent->getParentOp()) {
    auto loop = dyn_cast<scf::ForOp>(parent);
    if (!loop)
      return "how often it is copied is known in the kernel alone";
    for (Value bound : {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()})
      if (!getConstantIntValue(bound) &&
          kernel.getBody().isAncestor(bound.getParentRegion()))
        return "how often it is copied is known in the kernel alone";
  }
  return {};
}
