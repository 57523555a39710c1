//===- MergeSteps.cpp - Make the steps of products longer ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A GPU's step along K is as long as its shared memory is small. On a CPU each step loads
// and stores all accumulators, so a loop that only copies tiles and adds their products
// runs fewer and longer steps:
//
//   for k = 0 to 32 step 1                     for k = 0 to 32 step 8
//     copy A[i, k * 32][128, 32] to a            copy A[i, k * 32][128, 256] to a
//     copy B[k * 32, j][32, 128] to b     =>     copy B[k * 32, j][256, 128] to b
//     gemm a, b into c                           gemm a, b into c
//
// Elements of C are summed in the order of K as before. Iterations that fill no long step
// are a loop as it was.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "compiler/analysis/Overwrites.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_MERGESTEPS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;

/// The elements of K after which loading and storing accumulators no longer shows; more
/// would push a register block's columns of B out of L1, where floats may be widened to
/// f32. Of bytes, whose products take a fraction of the time, it needs more.
static int64_t getLongStep(Type element) { return element.isInteger(8) ? 512 : 256; }

/// Products of at most so many rows wait for rows of B, which memory brings.
static constexpr int64_t fewRows = 16;

/// By how much `value` grows when `variable` grows by one; nothing where that varies.
static std::optional<int64_t> getSlope(Value value, BlockArgument variable) {
  if (value == variable)
    return 1;
  if (value.getParentRegion() != variable.getParentRegion())
    return 0;
  Operation *op = value.getDefiningOp();
  if (!op)
    return std::nullopt;
  if (isa<arith::ConstantOp>(op))
    return 0;
  if (isa<arith::AddIOp, arith::SubIOp>(op)) {
    auto a = getSlope(op->getOperand(0), variable);
    auto b = getSlope(op->getOperand(1), variable);
    if (!a || !b)
      return std::nullopt;
    return isa<arith::AddIOp>(op) ? *a + *b : *a - *b;
  }
  if (isa<arith::MulIOp>(op))
    for (auto [x, y] : {std::pair(op->getOperand(0), op->getOperand(1)),
                        std::pair(op->getOperand(1), op->getOperand(0))})
      if (auto factor = getConstantIntValue(y))
        if (auto slope = getSlope(x, variable))
          return *slope * *factor;
  // Anything else stays as it is where all its operands do.
  for (Value operand : op->getOperands())
    if (getSlope(operand, variable) != 0)
      return std::nullopt;
  return isPure(op) ? std::optional<int64_t>(0) : std::nullopt;
}

namespace {
/// A tile that every iteration of a loop fills anew for products.
struct Operand {
  AllocOp tile;
  CopyOp copy;
  int64_t tileDim, srcDim; ///< where K runs
};

/// One loop, and what the pass has found out about it.
class StepMerger {
public:
  explicit StepMerger(PipelinedOp loop) : loop(loop) {}

  bool analyze();
  /// Bytes of the block's tiles that this loop does not fill.
  int64_t getBytesOfOthers();
  bool isStreamed();
  void merge(int64_t budget);

private:
  bool addOperand(Value tile, int64_t dim);
  bool addCopy(Operand &operand);
  int64_t getFactor(int64_t trips, int64_t budget) const;
  void lengthen(int64_t factor);

  PipelinedOp loop;
  SmallVector<Operand> operands;
  int64_t steps = 0; ///< elements of K in an iteration
};
} // namespace

/// The dimension of the copy's source that becomes dimension `dim` of its tile.
static std::optional<int64_t> getSourceDim(CopyOp copy, int64_t dim) {
  ArrayRef<int64_t> to = copy.getDstSizes(), from = copy.getSrcSizes();
  if (to[dim] == 1)
    return std::nullopt;
  int64_t before = llvm::count_if(to.take_front(dim), [](int64_t s) { return s != 1; });
  for (auto [source, size] : llvm::enumerate(from))
    if (size != 1 && before-- == 0)
      return source;
  return std::nullopt;
}

/// Finds the copy that fills `operand`, and whether it goes along K with the loop.
bool StepMerger::addCopy(Operand &operand) {
  Value tile = operand.tile.getResult();
  ArrayRef<int64_t> shape = operand.tile.getType().getShape();
  for (Operation *user : tile.getUsers()) {
    if (user->getParentOp() != loop)
      return false;
    auto copy = dyn_cast<CopyOp>(user);
    if (!copy) {
      if (!isa<GemmOp>(user))
        return false;
      continue;
    }
    if (operand.copy || copy.getDst() != tile || isTile(copy.getSrc().getType()) ||
        copy.getDstSizes() != shape ||
        !llvm::all_of(copy.getStaticDstOffsets(), [](int64_t at) { return at == 0; }))
      return false;
    operand.copy = copy;
  }
  if (!operand.copy)
    return false;
  for (Operation *user : tile.getUsers())
    if (user->isBeforeInBlock(operand.copy))
      return false;
  auto srcDim = getSourceDim(operand.copy, operand.tileDim);
  if (!srcDim)
    return false;
  operand.srcDim = *srcDim;
  auto step = *getConstantIntValue(loop.getStep());
  auto variable = loop.getBody().front().getArgument(0);
  for (auto [dim, offset] : llvm::enumerate(operand.copy.getMixedSrcOffsets())) {
    int64_t wanted = static_cast<int64_t>(dim) == operand.srcDim ? steps : 0;
    auto value = dyn_cast<Value>(offset);
    auto slope = value ? getSlope(value, variable) : std::optional<int64_t>(0);
    if (!slope || *slope * step != wanted)
      return false;
  }
  return true;
}

/// Adds an operand of a gemm whose K is dimension `dim`.
bool StepMerger::addOperand(Value tile, int64_t dim) {
  auto alloc = tile.getDefiningOp<AllocOp>();
  if (!alloc || alloc.getType().getRank() != 2)
    return false;
  for (Operand &other : operands)
    if (other.tile == alloc)
      return other.tileDim == dim;
  int64_t extent = alloc.getType().getDimSize(dim);
  if (steps == 0)
    steps = extent;
  Operand operand{alloc, {}, dim, 0};
  if (extent != steps || !addCopy(operand))
    return false;
  operands.push_back(operand);
  return true;
}

/// Whether the loop's body is copies of tiles and sums of their products, no more.
bool StepMerger::analyze() {
  auto step = getConstantIntValue(loop.getStep());
  if (!step || *step <= 0)
    return false;
  SmallVector<CopyOp> copies;
  for (Operation &op : loop.getBody().front()) {
    if (auto copy = dyn_cast<CopyOp>(op)) {
      copies.push_back(copy);
      continue;
    }
    auto gemm = dyn_cast<GemmOp>(op);
    if (!gemm) {
      if (!isPure(&op))
        return false;
      continue;
    }
    // Sums of a narrow type are rounded after every step, so its length would show.
    auto sum = cast<MemRefType>(gemm.getC().getType()).getElementType();
    if (gemm.getClear() || sum.getIntOrFloatBitWidth() < 32 ||
        !addOperand(gemm.getA(), gemm.getTransposeA() ? 0 : 1) ||
        !addOperand(gemm.getB(), gemm.getTransposeB() ? 1 : 0))
      return false;
    for (Operand &operand : operands)
      if (gemm.getC() == operand.tile.getResult())
        return false;
  }
  return !operands.empty() && copies.size() == operands.size();
}

static int64_t getBytes(AllocOp tile) {
  MemRefType type = tile.getType();
  return type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
}

int64_t StepMerger::getBytesOfOthers() {
  int64_t bytes = 0;
  loop->getParentOfType<KernelOp>().walk([&](AllocOp tile) { bytes += getBytes(tile); });
  for (Operand &operand : operands)
    bytes -= getBytes(operand.tile);
  return bytes;
}

/// Whether the loop does no more than to stream rows of B.
bool StepMerger::isStreamed() {
  return llvm::all_of(loop.getBody().getOps<GemmOp>(), [](GemmOp gemm) {
    return !gemm.getTransposeB() &&
           cast<MemRefType>(gemm.getC().getType()).getDimSize(0) <= fewRows;
  });
}

/// How many of `trips` iterations (kDynamic: any number) become one.
int64_t StepMerger::getFactor(int64_t trips, int64_t budget) const {
  int64_t bytes = 0, longStep = std::numeric_limits<int64_t>::max();
  for (Operand operand : operands) {
    bytes += getBytes(operand.tile);
    longStep = std::min(longStep, getLongStep(operand.tile.getType().getElementType()));
  }
  int64_t most = std::min(longStep / steps, budget / std::max<int64_t>(bytes, 1));
  if (trips == ShapedType::kDynamic)
    return std::max<int64_t>(most, 1);
  most = std::min(most, trips);
  // A number that divides the iterations leaves no second loop.
  for (int64_t factor = most; factor > most / 2 && factor > 1; --factor)
    if (trips % factor == 0)
      return factor;
  return std::max<int64_t>(most, 1);
}

void StepMerger::lengthen(int64_t factor) {
  for (Operand &operand : operands) {
    MemRefType type = operand.tile.getType();
    SmallVector<int64_t> shape(type.getShape());
    shape[operand.tileDim] *= factor;
    operand.tile.getResult().setType(MemRefType::get(
        shape, type.getElementType(), type.getLayout(), type.getMemorySpace()));
    operand.copy.setDstSizes(shape);
    SmallVector<int64_t> sizes(operand.copy.getSrcSizes());
    sizes[operand.srcDim] *= factor;
    operand.copy.setSrcSizes(sizes);
  }
}

void StepMerger::merge(int64_t budget) {
  int64_t step = *getConstantIntValue(loop.getStep());
  auto low = getConstantIntValue(loop.getLowerBound());
  auto high = getConstantIntValue(loop.getUpperBound());
  int64_t trips = ShapedType::kDynamic;
  if (low && high)
    trips = std::max<int64_t>(llvm::divideCeilSigned(*high - *low, step), 0);
  int64_t factor = getFactor(trips, budget);
  if (factor < 2)
    return;
  OpBuilder builder(loop);
  Location loc = loop.getLoc();
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value longer = index(step * factor);
  if (trips == ShapedType::kDynamic || trips % factor) {
    // Iterations that are left: a copy of the loop, with tiles of its own.
    Value lower = loop.getLowerBound(), upper = loop.getUpperBound(), middle;
    if (trips != ShapedType::kDynamic) {
      middle = index(*low + trips / factor * factor * step);
    } else {
      // Whole long steps end where `lower + n * longer + (factor - 1) * step < upper`.
      Value length = arith::SubIOp::create(builder, loc, upper, lower);
      Value none = index(0);
      length = arith::MaxSIOp::create(builder, loc, length, none);
      Value stepped = arith::AddIOp::create(builder, loc, length, index(step - 1));
      Value whole = arith::DivUIOp::create(builder, loc, stepped, longer);
      middle = arith::AddIOp::create(builder, loc, lower,
                                     arith::MulIOp::create(builder, loc, whole, longer));
    }
    IRMapping mapping;
    builder.setInsertionPointAfter(loop);
    for (Operand &operand : operands)
      if (!loop->isAncestor(operand.tile))
        builder.clone(*operand.tile, mapping);
    auto rest = cast<PipelinedOp>(builder.clone(*loop, mapping));
    rest.getLowerBoundMutable().assign(middle);
    loop.getUpperBoundMutable().assign(middle);
  }
  loop.getStepMutable().assign(longer);
  lengthen(factor);
  loop.emitRemark() << "runs " << factor << " steps of " << steps
                    << " along K as one: it only copies tiles and adds their products";
}

namespace {
struct MergeStepsPass : tilewright::cpu::impl::MergeStepsBase<MergeStepsPass> {
  using MergeStepsBase::MergeStepsBase;

  void runOnOperation() override {
    SmallVector<PipelinedOp> loops;
    getOperation()->walk([&](PipelinedOp loop) { loops.push_back(loop); });
    for (PipelinedOp loop : loops) {
      StepMerger merger(loop);
      if (!merger.analyze())
        continue;
      int64_t bytes = budget - merger.getBytesOfOthers();
      merger.merge(merger.isStreamed() ? std::min<int64_t>(bytes, streamed) : bytes);
    }
  }
};
} // namespace
