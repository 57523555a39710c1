//===- TargetInfo.cpp - What target-independent passes ask a target -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/TargetInfo.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"

#include "llvm/ADT/StringExtras.h"
#include <map>
#include <mutex>

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Gemm problems
//===----------------------------------------------------------------------===//

/// Iterations that a loop is taken to make where its bounds are not constants.
static constexpr double unknownTripCount = 8;

static double getTripCount(Operation *loop) {
  OpFoldResult lower, upper, step;
  if (auto op = dyn_cast<scf::ForOp>(loop)) {
    lower = op.getLowerBound(), upper = op.getUpperBound(), step = op.getStep();
  } else if (auto op = dyn_cast<PipelinedOp>(loop)) {
    lower = op.getLowerBound(), upper = op.getUpperBound(), step = op.getStep();
  } else {
    return unknownTripCount;
  }
  auto from = getConstantIntValue(lower), to = getConstantIntValue(upper),
       by = getConstantIntValue(step);
  if (!from || !to || !by || *by <= 0)
    return unknownTripCount;
  return std::max<double>(1, llvm::divideCeil(std::max<int64_t>(0, *to - *from), *by));
}

/// Executions of `reader` for each time `tile` is written.
static double countUses(Value tile, Operation *reader) {
  Value base = getBaseMemory(tile);
  double uses = 1;
  for (Operation *loop = reader->getParentOp(); loop && !isa<KernelOp>(loop);
       loop = loop->getParentOp()) {
    if (!isa<LoopLikeOpInterface>(loop) ||
        loop->isAncestor(base.getParentBlock()->getParentOp()) || mayWrite(loop, base))
      break;
    uses *= getTripCount(loop);
  }
  return uses;
}

/// Bytes from one row of `tile` to the next, in the tensor from which it is copied.
static std::optional<int64_t> getRowBytes(Value tile) {
  Value source = tile;
  for (Operation *user : getUsersOfMemory(tile)) {
    auto copy = dyn_cast<CopyOp>(user);
    if (!copy || getBaseMemory(copy.getDst()) != tile || isTile(copy.getSrc().getType()))
      continue;
    if (source != tile)
      return std::nullopt;
    source = copy.getSrc();
  }
  auto type = cast<MemRefType>(source.getType());
  Type element = cast<MemRefType>(tile.getType()).getElementType();
  if (type.getElementType() != element) // rounded on the way
    type = cast<MemRefType>(tile.getType());
  int64_t offset;
  SmallVector<int64_t> strides;
  if (failed(type.getStridesAndOffset(strides, offset)) || strides.size() < 2)
    return std::nullopt;
  int64_t stride = strides[strides.size() - 2];
  if (ShapedType::isDynamic(stride))
    return std::nullopt;
  return stride * element.getIntOrFloatBitWidth() / 8;
}

GemmProblem GemmProblem::get(GemmOp gemm, bool countsUses) {
  auto usesOf = [&](Value tile) { return countsUses ? countUses(tile, gemm) : 1; };
  auto elementOf = [](Value tile) {
    return cast<MemRefType>(tile.getType()).getElementType();
  };
  Operand a{elementOf(gemm.getA()), !gemm.getTransposeA(), usesOf(gemm.getA())};
  Operand b{elementOf(gemm.getB()), gemm.getTransposeB(), usesOf(gemm.getB())};
  a.rowBytes = getRowBytes(gemm.getA());
  b.rowBytes = getRowBytes(gemm.getB());
  if (gemm.getPrecision() == Precision::TF32)
    a.product = b.product = FloatTF32Type::get(gemm.getContext());
  auto kernel = gemm->getParentOfType<KernelOp>();
  int64_t threads = kernel ? kernel.getThreads().value_or(0) : 0;
  return {
      gemm.getM(),          gemm.getN(),     gemm.getK(), a, b, elementOf(gemm.getC()),
      gemm.getIsUnsigned(), gemm.getClear(), threads};
}

//===----------------------------------------------------------------------===//
// Registry
//===----------------------------------------------------------------------===//

static std::map<std::string, TargetFactory> &getFactories() {
  static std::map<std::string, TargetFactory> factories;
  return factories;
}

/// Compiles of several threads register and look up at the same time.
static std::mutex &getFactoriesMutex() {
  static std::mutex mutex;
  return mutex;
}

void tilewright::registerTarget(StringRef family, TargetFactory factory) {
  std::lock_guard<std::mutex> lock(getFactoriesMutex());
  getFactories().try_emplace(family.str(), std::move(factory));
}

llvm::Expected<std::unique_ptr<TargetInfo>> tilewright::createTarget(StringRef name) {
  std::unique_lock<std::mutex> lock(getFactoriesMutex());
  auto found = getFactories().find(name.split(':').first.str());
  if (found != getFactories().end()) {
    const TargetFactory &factory = found->second; // stays: none is replaced
    lock.unlock();
    return factory(name);
  }
  std::string known = llvm::join(llvm::make_first_range(getFactories()), ", ");
  return llvm::createStringError("unknown target '" + name + "'; this compiler has " +
                                 known);
}
