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
// That is right where a block's number is used for nothing but to say which rows are
// meant: a row's own number, %row + i, is the same in the blocks that are now one.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/GridWork.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/SizeVariants.h"
#include "backends/cpu/TilePart.h"
#include "compiler/transforms/LoopBuilder.h"

#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "llvm/ADT/TypeSwitch.h"

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
        ends(findTensorEnds(kernel, ties, dim, bounds)) {}

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
  void findBegins();
  void findDependents();
  bool namesElement(Value index, Operation *user);
  template <typename Op> bool namesElements(Op move);
  bool endsAtTensors();
  bool usesElementsAlone(Operation *op);

  KernelOp kernel;
  const TiedDims &ties;
  OwnedDim dim;
  IndexBounds &bounds;
  int64_t extent;
  std::optional<TensorEnds> ends;   ///< of what is written
  SmallVector<OpFoldResult> begins; ///< where writes to these dimensions begin
  BlockArgument coordinate;         ///< of the block's elements of the class
  unsigned atom = 0;                ///< the coordinate in linear forms
  llvm::DenseSet<Value> dependents; ///< the coordinate, and sums and multiples of it
};
} // namespace

//===----------------------------------------------------------------------===//
// What a coordinate is used for
//===----------------------------------------------------------------------===//

void BlockFuser::findBegins() {
  auto add = [&](Value tensor, auto positions) {
    for (auto [number, position] : llvm::enumerate(positions))
      if (ends->contains({tensor, number}))
        begins.push_back(position);
  };
  kernel.walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<CopyOp, GatherOp, ScatterOp>(
            [&](auto move) { add(move.getDst(), move.getMixedDstOffsets()); })
        .Case<StoreOp, AtomicOp>(
            [&](auto access) { add(access.getMemref(), access.getIndices()); });
  });
}

/// The coordinate that, times the class's extent, is where all that a block writes
/// begins. A loop's elements are written at its variable behind that.
bool BlockFuser::findCoordinate() {
  if (ends)
    findBegins();
  if (begins.empty())
    return false;
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    LinearForm own = bounds.form(argument);
    if (own.constant != 0 || own.terms.size() != 1)
      continue;
    coordinate = argument;
    atom = own.terms.front().first;
    bool isRight = llvm::all_of(begins, [&](OpFoldResult begin) {
      auto value = dyn_cast<Value>(begin);
      if (!value)
        return false;
      LinearForm form = bounds.form(value);
      return form.constant == 0 && form.terms.size() <= 2 &&
             form.factorOf(atom) == extent;
    });
    if (isRight)
      return getConstantIntValue(kernel.getGrid()[argument.getArgNumber()]) != 1;
  }
  return false;
}

/// Sums and multiples, which are looked at where they are used.
static bool isIndexArithmetic(Operation *op) {
  return isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) &&
         op->getResult(0).getType().isIndex();
}

void BlockFuser::findDependents() {
  dependents.insert(coordinate);
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isIndexArithmetic(op) &&
        llvm::any_of(op->getOperands(), [&](Value v) { return dependents.contains(v); }))
      dependents.insert(op->getResult(0));
  });
}

/// Whether `index`, that `user` takes, follows from the number of an element of the class
/// among all blocks' elements.
bool BlockFuser::namesElement(Value index, Operation *user) {
  if (!dependents.contains(index))
    return true;
  LinearForm form = bounds.form(index);
  auto loop = user->getParentOfType<ParallelOp>();
  std::optional<int64_t> own = loop ? ties.find(loop, dim) : std::nullopt;
  int64_t ofElement = 0;
  if (own) {
    LinearForm variable = bounds.form(loop.getBody().getArgument(*own));
    if (variable.constant == 0 && variable.terms.size() == 1)
      ofElement = form.factorOf(variable.terms.front().first);
  }
  return form.factorOf(atom) == ofElement * extent &&
         llvm::all_of(form.terms, [&](auto term) {
           Value value = bounds.valueOf(term.first);
           return term.first == atom || !value || !dependents.contains(value);
         });
}

/// Whether a move's regions begin at the block's first element in the class's dimensions,
/// and at the same place for all blocks in the others.
template <typename Op> bool BlockFuser::namesElements(Op move) {
  std::optional<Move> sides = Move::get(move);
  auto isInClass = [&](int64_t srcDim, int64_t dstDim) {
    if (!sides)
      return false;
    for (auto [number, pair] : llvm::enumerate(sides->dims)) {
      auto [src, dst] = pair;
      if (number != sides->axis && (src == srcDim || dst == dstDim) &&
          (ties.find(sides->src, dim) == src || ties.find(sides->dst, dim) == dst))
        return true;
    }
    return false;
  };
  auto isRight = [&](OpFoldResult offset, bool isOfClass) {
    auto value = dyn_cast<Value>(offset);
    if (!value || !isOfClass)
      return !value || !dependents.contains(value);
    LinearForm form = bounds.form(value);
    return form.factorOf(atom) == extent && llvm::all_of(form.terms, [&](auto term) {
             Value of = bounds.valueOf(term.first);
             return term.first == atom || !of || !dependents.contains(of);
           });
  };
  for (auto [number, offset] : llvm::enumerate(move.getMixedSrcOffsets()))
    if (!isRight(offset, !isTile(move.getSrc().getType()) && isInClass(number, -1)))
      return false;
  for (auto [number, offset] : llvm::enumerate(move.getMixedDstOffsets()))
    if (!isRight(offset, !isTile(move.getDst().getType()) && isInClass(-1, number)))
      return false;
  // Anything else, as where a list of rows begins, is the block's own.
  auto isOffset = [&](Value operand) {
    return llvm::is_contained(move.getSrcOffsets(), operand) ||
           llvm::is_contained(move.getDstOffsets(), operand);
  };
  return llvm::all_of(move->getOperands(), [&](Value operand) {
    return isOffset(operand) || !dependents.contains(operand);
  });
}

/// Whether `op` takes the coordinate for nothing but elements' numbers.
bool BlockFuser::usesElementsAlone(Operation *op) {
  if (isa<AssumeOp, AssertOp, PrintOp>(op))
    return false; // of elements that no block had
  if (isIndexArithmetic(op))
    return true;
  return llvm::TypeSwitch<Operation *, bool>(op)
      .Case<CopyOp, GatherOp, ScatterOp>([&](auto move) { return namesElements(move); })
      .Default([&](Operation *) {
        return llvm::all_of(op->getOperands(),
                            [&](Value operand) { return namesElement(operand, op); });
      });
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
  findDependents();
  if (kernel.getBody()
          .walk([&](Operation *op) {
            return usesElementsAlone(op) ? WalkResult::advance()
                                         : WalkResult::interrupt();
          })
          .wasInterrupted())
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
  SmallVector<TensorDim> sizes;
  if (extent <= fewRows)
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
      if (!kernel->getParentOfType<func::FuncOp>()->hasAttr("tile.batch_invariant"))
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
