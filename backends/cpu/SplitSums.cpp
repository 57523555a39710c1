//===- SplitSums.cpp - Long sums of small grids by several blocks -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a grid has fewer blocks than there are cores, and its tiles are too small to be
// divided (cpu-split-blocks), what is left is K, the direction in which products are
// summed:
//
//   kernel (%b) in (1) {                     %sums = workspace [4, 1, 16, 32]
//     fill c, 0                              kernel (%b, %part) in (1, 4) {
//     for k = 0 to 1024 {                      fill c, 0
//       copy a, copy b                         for k = part * 256 to (part + 1) * 256 {
//       gemm a, b into c             =>          copy a, copy b, gemm a, b into c
//     }                                        }
//     copy c to y                              copy c to sums[part, 0]
//   }                                        }
//                                            kernel (%b) in (1) {
//                                              fill c, 0
//                                              for part = 0 to 4 { c += sums[part, 0] }
//                                              copy c to y
//                                            }
//
// How many parts there are follows from the kernel alone, and they are added in their
// order, so results are the same on any number of threads. What the block does before the
// loop is done by both kernels.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPLITSUMS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// A part sums so many products for each element at least: it writes the sum, and it is
/// read, which takes as long as some of them.
static constexpr int64_t leastK = 1024;

/// Multiply-adds that take as long as to write an element of a part's sum and to add it.
static constexpr double productsPerSum = 32;

/// A sum is divided where that takes away this share of the grid's time at least.
static constexpr double leastGain = 0.2;

namespace {
/// A loop of a kernel whose iterations do nothing but to add products to tiles.
struct SummingLoop {
  KernelOp kernel;
  LoopLikeOpInterface loop; ///< in the kernel's body itself
  SmallVector<AllocOp> sums;
  int64_t trips = 0;
  int64_t k = 0; ///< products in an iteration, for each element

  bool analyze();

private:
  bool addSum(AllocOp alloc);
  bool isTemporary(AllocOp alloc);
};
} // namespace

/// Whether `fill` makes all elements zero.
static bool fillsZero(FillOp fill) {
  return matchPattern(fill.getValue(), m_PosZeroFloat()) ||
         matchPattern(fill.getValue(), m_Zero());
}

/// Whether `alloc` is zero before the loop, and only summed to in it.
bool SummingLoop::addSum(AllocOp alloc) {
  Type element = alloc.getType().getElementType();
  if (alloc.getType().getRank() != 2 || element.getIntOrFloatBitWidth() < 32)
    return false; // narrow sums are rounded where other operations read them
  int64_t before = 0;
  for (Operation *user : getUsersOfMemory(alloc.getResult())) {
    Operation *holder = kernel.getBody().front().findAncestorOpInBlock(*user);
    if (holder == loop.getOperation()) {
      auto gemm = dyn_cast<GemmOp>(user);
      if (!gemm || gemm->getParentOp() != loop || gemm.getC() != alloc.getResult() ||
          gemm.getClear())
        return false;
    } else if (holder->isBeforeInBlock(loop)) {
      auto fill = dyn_cast<FillOp>(user);
      if (!fill || fill != holder || !fillsZero(fill) || ++before > 1)
        return false;
    }
  }
  sums.push_back(alloc);
  return before == 1;
}

/// Whether a tile that the loop writes holds nothing from one iteration to another.
bool SummingLoop::isTemporary(AllocOp alloc) {
  SmallVector<Operation *> users = getUsersOfMemory(alloc.getResult());
  if (!llvm::all_of(users, [&](Operation *user) { return loop->isAncestor(user); }))
    return false;
  return isOverwrittenFirst(alloc.getResult(), users, &loop.getLoopRegions()[0]->front());
}

bool SummingLoop::analyze() {
  if (!isa<PipelinedOp, scf::ForOp>(loop) || loop->getNumResults() != 0 ||
      !loop.getSingleInductionVar()->getType().isIndex())
    return false;
  auto lower = getConstantIntValue(*loop.getSingleLowerBound());
  auto upper = getConstantIntValue(*loop.getSingleUpperBound());
  auto step = getConstantIntValue(*loop.getSingleStep());
  if (!lower || !upper || !step || *step <= 0 || *upper <= *lower)
    return false;
  trips = llvm::divideCeil(*upper - *lower, *step);
  llvm::SetVector<AllocOp> written;
  WalkResult result = loop.getLoopRegions()[0]->walk([&](Operation *op) -> WalkResult {
    if (auto gemm = dyn_cast<GemmOp>(op); gemm && op->getParentOp() == loop)
      k = std::max(k, gemm.getK());
    auto effects = dyn_cast<MemoryEffectOpInterface>(op);
    if (!effects)
      return success(op->hasTrait<OpTrait::HasRecursiveMemoryEffects>() ||
                     isMemoryEffectFree(op));
    SmallVector<MemoryEffects::EffectInstance> instances;
    effects.getEffects(instances);
    for (MemoryEffects::EffectInstance &effect : instances) {
      if (isa<MemoryEffects::Read>(effect.getEffect()) || isa<AllocOp, AssumeOp>(op))
        continue;
      auto alloc = effect.getValue()
                       ? getBaseMemory(effect.getValue()).getDefiningOp<AllocOp>()
                       : AllocOp();
      if (!alloc)
        return failure();
      written.insert(alloc);
    }
    return success();
  });
  if (result.wasInterrupted())
    return false;
  for (AllocOp alloc : written) {
    bool isSummed = llvm::any_of(alloc->getUsers(), [&](Operation *user) {
      auto gemm = dyn_cast<GemmOp>(user);
      return gemm && gemm->getParentOp() == loop && gemm.getC() == alloc.getResult() &&
             !gemm.getClear();
    });
    if (isSummed ? !addSum(alloc) : !isTemporary(alloc))
      return false;
  }
  return !sums.empty();
}

//===----------------------------------------------------------------------===//
// Dividing a sum
//===----------------------------------------------------------------------===//

namespace {
/// Makes two kernels of one.
class SumSplitter {
public:
  SumSplitter(SummingLoop &at, int64_t parts) : at(at), parts(parts) {}

  void run();

private:
  Value makeWorkspace(AllocOp sum);
  void makePartKernel(ArrayRef<Value> workspaces);
  void addParts(ArrayRef<Value> workspaces);

  SummingLoop &at;
  int64_t parts;
};
} // namespace

/// The number of a block in the grid of `kernel`, whose first coordinates are
/// `coordinates`.
static Value getNumber(LoopBuilder &b, KernelOp kernel, ValueRange coordinates) {
  Value number = b.index(0);
  int64_t blocks = 1;
  for (auto [coordinate, extent] : llvm::zip(coordinates, kernel.getGrid())) {
    number = b.add(number, b.mul(coordinate, blocks));
    blocks *= *getConstantIntValue(extent);
  }
  return number;
}

/// One sum of one part in a workspace, as the source or destination of a copy.
static SmallVector<OpFoldResult> getOffsets(LoopBuilder &b, Value part, Value number) {
  return {part, number, b.getIndexAttr(0), b.getIndexAttr(0)};
}

static void createCopy(LoopBuilder &b, Value src, ArrayRef<OpFoldResult> srcOffsets,
                       ArrayRef<int64_t> srcSizes, Value dst,
                       ArrayRef<OpFoldResult> dstOffsets, ArrayRef<int64_t> dstSizes) {
  SmallVector<Value> srcDynamic, dstDynamic;
  SmallVector<int64_t> srcStatic, dstStatic;
  dispatchIndexOpFoldResults(srcOffsets, srcDynamic, srcStatic);
  dispatchIndexOpFoldResults(dstOffsets, dstDynamic, dstStatic);
  CopyOp::create(b, b.getLoc(), src, srcDynamic, srcStatic, srcSizes, dst, dstDynamic,
                 dstStatic, dstSizes, /*isUnsigned=*/false);
}

Value SumSplitter::makeWorkspace(AllocOp sum) {
  OpBuilder b(at.kernel);
  MemRefType tile = sum.getType();
  auto type = MemRefType::get(
      {parts, *getBlocks(at.kernel), tile.getDimSize(0), tile.getDimSize(1)},
      tile.getElementType(), AffineMap(), SpaceAttr::get(b.getContext(), Space::Global));
  return WorkspaceOp::create(b, at.kernel.getLoc(), type, ValueRange(),
                             b.getStringAttr("sums"));
}

/// The kernel of which each block does a part of the iterations.
void SumSplitter::makePartKernel(ArrayRef<Value> workspaces) {
  OpBuilder host(at.kernel);
  IRMapping mapping;
  auto kernel = cast<KernelOp>(host.clone(*at.kernel, mapping));
  Block &body = kernel.getBody().front();
  auto loop = cast<LoopLikeOpInterface>(mapping.lookup(at.loop.getOperation()));
  while (&body.back() != loop)
    body.back().erase();
  SmallVector<Value> coordinates(body.getArguments());
  Value number;
  {
    LoopBuilder b(&body.front());
    number = getNumber(b, at.kernel, coordinates);
  }
  Value part = addGridDim(kernel, parts);
  // Each part counts from the same number on, so that the trips remain known.
  LoopBuilder outside(loop);
  int64_t share = llvm::divideCeil(at.trips, parts);
  int64_t step = *getConstantIntValue(*loop.getSingleStep());
  int64_t lower = *getConstantIntValue(*loop.getSingleLowerBound());
  Value first = outside.mul(part, share * step);
  Value upper = outside.index(lower + share * step);
  if (at.trips % share != 0) {
    Value end = outside.index(lower + at.trips * step);
    upper = outside.min(upper, outside.sub(end, first));
  }
  if (auto pipelined = dyn_cast<PipelinedOp>(loop.getOperation()))
    pipelined.getUpperBoundMutable().assign(upper);
  else
    cast<scf::ForOp>(loop.getOperation()).setUpperBound(upper);
  LoopBuilder inside(&loop.getLoopRegions()[0]->front().front());
  Value variable = *loop.getSingleInductionVar();
  Value iteration = inside.add(variable, first);
  variable.replaceAllUsesExcept(iteration, iteration.getDefiningOp());

  LoopBuilder after(loop);
  after.setInsertionPointToEnd(&body);
  for (auto [sum, workspace] : llvm::zip(at.sums, workspaces)) {
    ArrayRef<int64_t> shape = sum.getType().getShape();
    SmallVector<OpFoldResult> zeros(2, after.getIndexAttr(0));
    createCopy(after, mapping.lookup(sum.getResult()), zeros, shape, workspace,
               getOffsets(after, part, number), {1, 1, shape[0], shape[1]});
  }
}

/// Adds all elements of the tile `part` to `sum`.
static void addTile(LoopBuilder &b, Value sum, Value part) {
  auto type = cast<MemRefType>(sum.getType());
  auto nest = ParallelOp::create(b, b.getLoc(), type.getShape());
  Block &body = nest.getBody().emplaceBlock();
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    body.addArgument(b.getIndexType(), b.getLoc());
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(&body);
  ValueRange at = body.getArguments();
  Value old = memref::LoadOp::create(b, b.getLoc(), sum, at);
  Value more = memref::LoadOp::create(b, b.getLoc(), part, at);
  Value added = isa<FloatType>(type.getElementType())
                    ? Value(arith::AddFOp::create(b, b.getLoc(), old, more))
                    : Value(arith::AddIOp::create(b, b.getLoc(), old, more));
  memref::StoreOp::create(b, b.getLoc(), added, sum, at);
}

/// Has the kernel add what the parts have summed in place of its loop.
void SumSplitter::addParts(ArrayRef<Value> workspaces) {
  LoopBuilder b(at.loop);
  Value number = getNumber(b, at.kernel, at.kernel.getBody().getArguments());
  SmallVector<Value> tiles;
  for (AllocOp sum : at.sums)
    tiles.push_back(AllocOp::create(b, b.getLoc(), sum.getType(), b.getStringAttr("part"),
                                    IntegerAttr(), UnitAttr()));
  b.forLoop(parts, 1, [&](Value which) {
    for (auto [sum, tile, workspace] : llvm::zip(at.sums, tiles, workspaces)) {
      ArrayRef<int64_t> shape = sum.getType().getShape();
      SmallVector<OpFoldResult> zeros(2, b.getIndexAttr(0));
      createCopy(b, workspace, getOffsets(b, which, number), {1, 1, shape[0], shape[1]},
                 tile, zeros, shape);
      addTile(b, sum.getResult(), tile);
    }
  });
  at.loop->erase();
}

void SumSplitter::run() {
  SmallVector<Value> workspaces;
  for (AllocOp sum : at.sums)
    workspaces.push_back(makeWorkspace(sum));
  makePartKernel(workspaces);
  addParts(workspaces);
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Whether what stands before `loop` may be done twice.
static bool canRepeatBefore(KernelOp kernel, Operation *loop) {
  for (Operation &op : kernel.getBody().front()) {
    if (&op == loop)
      return true;
    auto effects = getEffectsRecursively(&op);
    if (!effects)
      return false;
    for (MemoryEffects::EffectInstance &effect : *effects)
      if (!isa<MemoryEffects::Read, MemoryEffects::Allocate>(effect.getEffect()) &&
          !(effect.getValue() && isTile(effect.getValue().getType())))
        return false;
  }
  return false;
}

namespace {
struct SplitSums : tilewright::cpu::impl::SplitSumsBase<SplitSums> {
  using SplitSumsBase::SplitSumsBase;

  /// In how many parts the sum takes the least time; 1 for that it is not worth any.
  int64_t chooseParts(SummingLoop &at, int64_t blocks) const {
    double total = 0, inLoop = 0;
    at.kernel.getBody().walk([&](Operation *op) {
      double products = getProductsOfBlock(op);
      total += products;
      inLoop += at.loop->isProperAncestor(op) ? products : 0;
    });
    double adding = 0; // of the sums of one part
    for (AllocOp sum : at.sums)
      adding += productsPerSum * double(sum.getType().getNumElements());
    double rest = total - inLoop;
    double best = getGridTime(blocks, total, cores) * (1 - leastGain);
    int64_t found = 1;
    int64_t most = std::min(at.trips, at.trips * at.k / leastK);
    for (int64_t parts = 2; parts <= most && blocks * parts < 2 * cores; ++parts) {
      double longest = llvm::divideCeil(at.trips, parts) * (inLoop / at.trips);
      double time = getGridTime(blocks * parts, rest + longest, cores) +
                    getGridTime(blocks, rest + parts * adding, cores);
      if (time < best) {
        best = time;
        found = parts;
      }
    }
    // Without parts that would begin behind the end.
    return llvm::divideCeil(at.trips, llvm::divideCeil(at.trips, found));
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) { kernels.push_back(kernel); });
    for (KernelOp kernel : kernels) {
      std::optional<int64_t> blocks = getFewBlocks(kernel);
      if (!blocks || !hasRoomInGrid(kernel) ||
          kernel->getParentOfType<LoopLikeOpInterface>())
        continue;
      for (auto loop : kernel.getBody().getOps<LoopLikeOpInterface>()) {
        SummingLoop at{kernel, loop, {}};
        if (!at.analyze() || !canRepeatBefore(kernel, loop))
          continue;
        int64_t parts = chooseParts(at, *blocks);
        if (parts < 2)
          continue;
        kernel.emitRemark() << "has the " << at.trips << " steps of a sum of its "
                            << *blocks << " blocks done in " << parts << " parts";
        SumSplitter(at, parts).run();
        break;
      }
    }
  }
};
} // namespace
