//===- FuseBlocks.cpp - Neighbouring blocks with small tiles as one -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A GPU runs many blocks at once, whose tiles may have 16 rows. On a core such rows leave
// registers of a product unused, and all of the other operand passes by for each of them.
// Blocks that differ in their rows alone become one:
//
//   kernel (%b) in (%n) {                       kernel (%g) in (ceildiv(%n, 4)) {
//     %row = %b * 16                              %row = %g * 4 * 16
//     copy x[%row, 0][16, 64] to %a         =>    copy x[%row, 0][64, 64] to %a
//     gemm %a, %w into %c                         gemm %a, %w into %c
//     copy %c to y[%row, 0][16, 64]               copy %c to y[%row, 0][64, 64]
//   }                                           }
//
// That is right where a block's number and a row's number within it are used for nothing
// but to say which row is meant: %row + i is the same in the blocks that are now one.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ElementNumbers.h"
#include "backends/cpu/GridWork.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/SizeVariants.h"
#include "backends/cpu/TilePart.h"
#include "compiler/transforms/LoopBuilder.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_FUSEBLOCKS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Tiles with fewer rows or columns are made to have so many at least. Where few rows
/// take each element of B once, it is read as memory likes it: its rows in long pieces.
/// Where it is transposed, their length is that of K, and more of them are no better.
static constexpr int64_t enoughInTile = 64, enoughOfFewRows = 512, fewRows = 16;

/// Blocks for each core that have to be left, where their number is known.
static constexpr int64_t blocksPerCore = 2;

/// Moves name no dimension of one element.
static constexpr int64_t leastInTile = 2;

namespace {
/// One class of a kernel's dimensions, and the coordinate that says which of its elements
/// a block has.
class BlockFuser {
public:
  BlockFuser(KernelOp kernel, const TiedDims &ties, OwnedDim dim, IndexBounds &bounds)
      : kernel(kernel), ties(ties), dim(dim), bounds(bounds), extent(getExtent(dim)),
        ends(findTensorEnds(kernel, ties, dim, bounds)), numbers(kernel, ties, dim) {}

  /// Whether a coordinate says which elements of the class a block has, and is not always
  /// the same.
  bool findCoordinate();
  /// How many elements of the class a tile should have.
  int64_t getEnough();
  /// Whether blocks may be one; else why not.
  StringRef whyNot();
  /// Blocks that are left of `factor` times as many, if enough for `cores` are.
  bool leavesEnough(int64_t factor, int64_t cores);
  /// The memory of all tiles then.
  int64_t getBytes(int64_t factor);
  /// Leaves the kernel as it is where one block of few rows has all there is, if only a
  /// call says that; that kernel, or null.
  KernelOp keepSingleBlock();
  void fuse(int64_t factor);

private:
  bool endsAtTensors();

  KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  IndexBounds &bounds;
  int64_t extent;
  std::optional<TensorEnds> ends; ///< of what is written
  ElementNumbers numbers;
  BlockArgument coordinate; ///< of the block's elements of the class
};
} // namespace

//===----------------------------------------------------------------------===//
// Whether blocks may be one
//===----------------------------------------------------------------------===//

bool BlockFuser::findCoordinate() {
  if (ends)
    coordinate = numbers.findCoordinate(*ends);
  return coordinate &&
         getConstantIntValue(kernel.getGrid()[coordinate.getArgNumber()]) != 1;
}

/// Whether what the blocks have together goes to the ends of tensors, or the last of the
/// fused blocks would write behind it.
bool BlockFuser::endsAtTensors() {
  LinearForm all = bounds.form(kernel.getGrid()[coordinate.getArgNumber()]);
  all.constant *= extent;
  for (auto &term : all.terms)
    term.second *= extent;
  return llvm::all_of(*ends, [&](TensorDim end) {
    return bounds.isExtentAtMost(end.first, end.second, all, kernel);
  });
}

StringRef BlockFuser::whyNot() {
  if (!numbers.areAll(coordinate))
    return "the block's number is used for something else";
  if (!endsAtTensors())
    return "the last of them may end before their tensors do";
  return "";
}

//===----------------------------------------------------------------------===//
// One block of several
//===----------------------------------------------------------------------===//

bool BlockFuser::leavesEnough(int64_t factor, int64_t cores) {
  int64_t blocks = 1;
  bool isKnown = true;
  for (auto [number, size] : llvm::enumerate(kernel.getGrid())) {
    std::optional<int64_t> constant = getConstantIntValue(size);
    isKnown &= constant.has_value();
    bool isFused = number == coordinate.getArgNumber();
    if (constant)
      blocks *= isFused ? llvm::divideCeil(*constant, factor) : *constant;
  }
  return blocks >= (isKnown ? blocksPerCore * cores : cores);
}

int64_t BlockFuser::getBytes(int64_t factor) {
  int64_t bytes = 0;
  kernel.walk([&](AllocOp alloc) {
    MemRefType type = alloc.getType();
    int64_t own = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    bytes += ties.find(alloc.getResult(), dim) ? own * factor : own;
  });
  return bytes;
}

int64_t BlockFuser::getEnough() {
  int64_t enough = enoughInTile;
  kernel.walk([&](tile::GemmOp gemm) {
    if (gemm.getM() <= fewRows && ties.find(gemm.getC(), dim) == 1)
      enough = gemm.getTransposeB() ? 0 : enoughOfFewRows;
  });
  return enough;
}

KernelOp BlockFuser::keepSingleBlock() {
  // Of rows alone, so that there are three forms of a kernel at most.
  bool isRows = kernel
                    .walk([&](tile::GemmOp gemm) {
                      return ties.find(gemm.getC(), dim) == 0 ? WalkResult::interrupt()
                                                              : WalkResult::advance();
                    })
                    .wasInterrupted();
  SmallVector<TensorDim> sizes;
  if (isRows && extent <= fewRows)
    sizes = findOpenSizes(kernel, *ends, bounds, extent);
  return sizes.empty() ? KernelOp() : addVariant(kernel, sizes, extent);
}

void BlockFuser::fuse(int64_t factor) {
  LoopBuilder b(kernel);
  unsigned number = coordinate.getArgNumber();
  Value blocks = kernel.getGrid()[number];
  Value padded = b.add(blocks, factor - 1);
  Value fewer = b.createOrFold<arith::DivUIOp>(kernel.getLoc(), padded, b.index(factor));
  kernel.getGridMutable().slice(number, 1).assign(fewer);
  keepPart(kernel, ties, dim, extent * factor, /*first=*/Value());
  b.setInsertionPointToStart(&kernel.getBody().front());
  Value first = b.mul(coordinate, factor);
  coordinate.replaceAllUsesExcept(first, first.getDefiningOp());
}

namespace {
struct FuseBlocks : tilewright::cpu::impl::FuseBlocksBase<FuseBlocks> {
  using FuseBlocksBase::FuseBlocksBase;

  /// Fuses blocks of the last kernel along one class, if there is one, and adds another
  /// kernel, where it is there for one block as well.
  bool fuse(SmallVectorImpl<KernelOp> &kernels, bool isFirst) {
    KernelOp kernel = kernels.back();
    TiedDims ties(kernel);
    IndexBounds bounds(kernel->getParentOfType<func::FuncOp>());
    for (OwnedDim dim : ties.getFreeClasses()) {
      int64_t extent = getExtent(dim);
      if (extent < leastInTile || !isSideOfProduct(kernel, ties, dim))
        continue;
      BlockFuser fuser(kernel, ties, dim, bounds);
      int64_t factor = fuser.getEnough() / extent;
      if (factor < 2 || !fuser.findCoordinate())
        continue;
      StringRef reason = fuser.whyNot();
      while (reason.empty() && factor > enoughInTile / extent &&
             !(fuser.leavesEnough(factor, cores) && fuser.getBytes(factor) <= budget))
        factor /= 2;
      if (reason.empty() && (factor < 2 || !fuser.leavesEnough(factor, cores)))
        reason = "too few would be left";
      if (reason.empty() && fuser.getBytes(factor) > budget)
        reason = "their tiles have too much memory together";
      if (!reason.empty()) {
        if (isFirst)
          kernel.emitRemark() << "blocks keep their " << extent
                              << " rows or columns: " << reason;
        continue;
      }
      kernel.emitRemark() << "does " << factor << " blocks of " << extent
                          << " rows or columns as one";
      KernelOp single = fuser.keepSingleBlock();
      fuser.fuse(factor);
      if (single)
        kernels.insert(kernels.end() - 1, single);
      return true;
    }
    return false;
  }

  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation()->walk([&](KernelOp kernel) {
      if (!isBatchInvariant(kernel))
        kernels.push_back(kernel);
    });
    while (!kernels.empty()) {
      for (bool isFirst = true; fuse(kernels, isFirst);)
        isFirst = false;
      kernels.pop_back();
    }
  }
};
} // namespace
