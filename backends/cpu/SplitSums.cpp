//===- SplitSums.cpp - Long sums of small grids by several blocks -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where a grid has fewer blocks than there are cores, and its tiles are too small to be
// divided (cpu-split-blocks), what is left is the direction in which a block sums: K of a
// product, the keys of attention.
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
//                                              copy sums[0, 0] to c
//                                              for part = 1 to 4 { c += sums[part, 0] }
//                                              copy c to y
//                                            }
//
// What can be joined so, and how, LoopStates finds out. What the block does before the
// loop is done by both kernels.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/SizeVariants.h"
#include "backends/cpu/SumSplitter.h"
#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_SPLITSUMS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Multiply-adds that take as long as to write an element of what a part leaves and to
/// take it in.
static constexpr double productsPerSum = 32;

/// The steps of a part take so many times as long as that at least.
static constexpr double leastWork = 32;

/// A sum is divided where that takes away this share of the grid's time at least.
static constexpr double leastGain = 0.2;

/// A block has so many rows of a softmax at most where its grid is small for want of
/// requests, not of rows.
static constexpr int64_t fewRows = 32;

/// The steps of a loop are so many times the fewest of a part where nobody knows them.
static constexpr int64_t assumedParts = 16;

/// Whether what stands before `loop` may be done twice.
static bool canRepeatBefore(KernelOp kernel, Operation *loop) {
  for (Operation &op : kernel.getBody().front()) {
    if (&op == loop)
      return true;
    if (isa<AssumeOp>(op))
      continue;
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

  /// The parts that take the least time, and the fewest steps of one.
  struct Division {
    int64_t parts = 1, leastTrips = 1;
  };

  Division choose(SummingLoop &at, int64_t blocks) const {
    double rest = 0, step = 0;
    at.kernel.getBody().walk([&](Operation *op) {
      if (at.loop->isProperAncestor(op))
        step += getProductsOfBlock(op) / getTrips(at.loop);
      else
        rest += getProductsOfBlock(op);
    });
    if (step == 0 || at.trips == 0)
      return {};
    double joining = productsPerSum * double(at.getStateSize()); // one part to others
    Division found;
    found.leastTrips = int64_t(std::ceil(leastWork * joining / step));
    int64_t trips = at.trips.value_or(assumedParts * found.leastTrips);
    double total = rest + step * double(trips);
    double best = getGridTime(blocks, total, cores) * (1 - leastGain);
    for (int64_t parts = 2;
         parts <= trips / found.leastTrips && blocks * parts < 2 * cores; ++parts) {
      double longest = double(llvm::divideCeil(trips, parts)) * step;
      double time = getGridTime(blocks * parts, rest + longest, cores) +
                    getGridTime(blocks, rest + double(parts) * joining, cores);
      if (time < best) {
        best = time;
        found.parts = parts;
      }
    }
    // Without parts that would begin behind the end.
    if (at.trips && found.parts > 1)
      found.parts = llvm::divideCeil(trips, llvm::divideCeil(trips, found.parts));
    return found;
  }

  /// The first of the kernel's loops that is worth dividing among `blocks` times as many
  /// blocks.
  std::optional<std::pair<SummingLoop, Division>> find(KernelOp kernel,
                                                       int64_t blocks) const {
    for (auto loop : kernel.getBody().getOps<LoopLikeOpInterface>()) {
      std::optional<SummingLoop> at = SummingLoop::get(kernel, loop);
      if (!at || !canRepeatBefore(kernel, loop))
        continue;
      Division division = choose(*at, blocks);
      if (division.parts > 1)
        return std::pair(std::move(*at), division);
    }
    return std::nullopt;
  }

  /// Divides one of the kernel's loops, where that is worth it.
  void divide(KernelOp kernel, int64_t blocks) const {
    auto found = find(kernel, blocks);
    if (!found)
      return;
    auto &[at, division] = *found;
    InFlightDiagnostic remark = kernel.emitRemark() << "has the ";
    if (at.trips)
      remark << *at.trips << ' ';
    remark << "steps of a sum of its ";
    if (!getBlocks(kernel))
      remark << "at most ";
    remark << getBlocks(kernel).value_or(fewBlocks) << " blocks done in "
           << division.parts << " parts";
    SumSplitter(at, division.parts, division.leastTrips).run();
  }

  /// Gives a kernel of which nobody knows how many blocks it has a form for few of them.
  /// That is done for softmaxes of few rows alone: the grid of a decoding kernel is as
  /// large as the batch, where others have few blocks only when they have few rows
  /// (cpu-specialize-sizes).
  void divideIfFew(KernelOp kernel) const {
    auto found = find(kernel, 1);
    auto isOfFewRows = [](const LoopState &state) {
      return state.kind == LoopState::Weighted &&
             AllocOp(state.peak).getType().getNumElements() <= fewRows;
    };
    if (!found || llvm::none_of(found->first.carried.states, isOfFewRows))
      return;
    LoopBuilder b(kernel);
    Value blocks = b.index(1);
    for (Value extent : kernel.getGrid())
      blocks = b.mul(blocks, extent);
    Value isFew = b.compare(arith::CmpIPredicate::sle, blocks, b.index(fewBlocks));
    divide(addVariant(kernel, isFew), 1);
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) {
      if (hasRoomInGrid(kernel) && !isBatchInvariant(kernel) &&
          !kernel->getParentOfType<LoopLikeOpInterface>())
        kernels.push_back(kernel);
    });
    for (KernelOp kernel : kernels) {
      if (std::optional<int64_t> blocks = getFewBlocks(kernel))
        divide(kernel, *blocks);
      else if (!getBlocks(kernel))
        divideIfFew(kernel);
    }
  }
};
} // namespace
