//===- CpuOps.cpp - Operations of the CPU backend -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"

using namespace mlir;
using namespace tilewright::cpu;

#define GET_OP_CLASSES
#include "backends/cpu/CpuOps.cpp.inc"

static MemRefType typeOf(Value memref) { return cast<MemRefType>(memref.getType()); }

bool GemmOp::isPanelA() { return typeOf(getA()).getRank() == 3; }
bool GemmOp::isPanelB() { return typeOf(getB()).getRank() == 3; }
int64_t GemmOp::getM() { return typeOf(getC()).getDimSize(0); }
int64_t GemmOp::getN() { return typeOf(getC()).getDimSize(1); }
int64_t GemmOp::getGroups() {
  int64_t rows = typeOf(getB()).getDimSize(0);
  return getAtom().isWoven() ? rows / getAtom().getDepth() : rows;
}

/// Checks a gemm whose atom reads rows of both operands.
static LogicalResult verifyInner(GemmOp gemm, MemRefType a, MemRefType b, MemRefType c) {
  AtomAttr atom = gemm.getAtom();
  if (a.getRank() != 2 || b.getRank() != 2 || gemm.getTransposeA())
    return gemm.emitOpError("(C5) an inner atom reads matrices M x K and N x K");
  if (a.getDimSize(0) != gemm.getM() || b.getDimSize(0) != gemm.getN() ||
      a.getDimSize(1) != b.getDimSize(1))
    return gemm.emitOpError("(C2) shapes disagree");
  auto fits = [&](Type type) {
    Type element = atom.getElement();
    return type == element ||
           (isa<FloatType>(type) && isa<FloatType>(element) &&
            type.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth());
  };
  if (!fits(a.getElementType()) || !fits(b.getElementType()) ||
      c.getElementType() != atom.getAccumulator())
    return gemm.emitOpError("(C3) element types must be those of the atom");
  int64_t step =
      getInnerStep(atom, a.getElementType(), b.getElementType(), a.getDimSize(1));
  if (a.getDimSize(1) % step)
    return gemm.emitOpError("(C5) K = ")
           << a.getDimSize(1) << " is not a multiple of the " << step
           << " elements that a step reads";
  return success();
}

/// Checks what a gemm that is a step of a longer product says of the others.
static LogicalResult verifyStep(GemmOp gemm) {
  if (!gemm.getFirst() && !gemm.getLast() && !gemm.getOut())
    return success();
  if (gemm.getAtom().isInner() || gemm.getClear())
    return gemm.emitOpError("(C6) a step has no inner atom, and is not cleared");
  if (!gemm.getLast() != !gemm.getOut())
    return gemm.emitOpError("(C6) `last` says when C is written to `out`: both or none");
  if (!gemm.getOut())
    return success();
  MemRefType out = typeOf(gemm.getOut());
  if (out.getShape() != typeOf(gemm.getC()).getShape() ||
      !out.areTrailingDimsContiguous(1))
    return gemm.emitOpError("(C6) `out` has the shape of `c`, and rows without gaps");
  return success();
}

/// Checks what a gemm asks for on behalf of others.
static LogicalResult verifyAhead(GemmOp gemm) {
  if (gemm.getAhead().empty() && gemm.getListed().empty())
    return success();
  if (gemm.getAtom().isInner())
    return gemm.emitOpError("(C7) an inner atom asks for what it reads, and no more");
  for (Value ahead : gemm.getAhead())
    if (!typeOf(ahead).hasStaticShape() || typeOf(ahead).getRank() == 0 ||
        !typeOf(ahead).areTrailingDimsContiguous(1))
      return gemm.emitOpError("(C7) `ahead` has a static shape, and rows without gaps");
  if (gemm.getListed().size() != gemm.getRowsAhead().size())
    return gemm.emitOpError("(C7) each of `listed` has a list");
  for (auto [listed, rows] : llvm::zip_equal(gemm.getListed(), gemm.getRowsAhead()))
    if (typeOf(listed).getRank() != 2 || typeOf(listed).isDynamicDim(1) ||
        !typeOf(listed).areTrailingDimsContiguous(1) || typeOf(rows).getRank() != 1 ||
        !typeOf(rows).hasStaticShape() || !typeOf(rows).getElementType().isInteger())
      return gemm.emitOpError("(C7) `listed` are matrices with rows of static length "
                              "without gaps, and lists of static length");
  return success();
}

LogicalResult GemmOp::verify() {
  if (failed(verifyStep(*this)) || failed(verifyAhead(*this)))
    return failure();
  MemRefType a = typeOf(getA()), b = typeOf(getB()), c = typeOf(getC());
  for (MemRefType type : {a, b, c})
    if (!type.hasStaticShape() || (type == c && !tile::isTile(type)) ||
        type.getRank() < 2 || type.getRank() > 3 || (type == c && type.getRank() != 2))
      return emitOpError("(C1) operands must be matrices, or panels of rank 3, of static "
                         "shape, and `c` a tile");
  if (getAtom().isInner())
    return verifyInner(*this, a, b, c);
  int64_t depth = getAtom().getGroup();
  bool transposed = getTransposeA() || isPanelA();
  int64_t m = a.getDimSize(transposed ? 1 : 0);
  int64_t groups = isPanelA() || depth == 1 ? a.getDimSize(transposed ? 0 : 1)
                                            : a.getDimSize(1) / depth;
  bool panelsFit = (!isPanelA() || a.getDimSize(2) == depth) &&
                   (!isPanelB() || b.getDimSize(2) == depth);
  if (m != getM() || b.getDimSize(1) != getN() || groups != getGroups() || !panelsFit)
    return emitOpError("(C2) shapes disagree");
  if (a.getElementType() != getAtom().getElement() ||
      b.getElementType() != getAtom().getElement() ||
      c.getElementType() != getAtom().getAccumulator())
    return emitOpError("(C3) element types must be those of the atom");
  bool matrixA = !isPanelA(), woven = getAtom().isWoven();
  if (woven &&
      (isPanelB() || b.getDimSize(0) % depth ||
       b.getDimSize(1) % (2 * getAtom().getLanes()) || !b.areTrailingDimsContiguous(1)))
    return emitOpError("(C8) a woven atom reads a matrix of pairs of rows, each of whole "
                       "pairs of vectors without gaps");
  if (depth != 1 && ((!isPanelB() && !woven) ||
                     (matrixA && (getTransposeA() || a.getDimSize(1) % depth ||
                                  getAtom().isSquare())) ||
                     (!matrixA && getAtom().isTile())))
    return emitOpError("(C4) operands of an atom of depth ")
           << depth << " must hold groups along K side by side";
  return success();
}

LogicalResult CombineOp::verify() {
  auto loop = dyn_cast<tile::ParallelOp>((*this)->getParentOp());
  if (!loop)
    return emitOpError("(C1) lies in the body of a tile.parallel");
  Value last = loop.getBody().getArguments().back();
  for (Value index : getIndices())
    if (index == last)
      return emitOpError("(C1) the row's indices use the loop's last variable");
  MemRefType row = typeOf(getRow());
  if (!tile::isTile(row) || row.getRank() != static_cast<int64_t>(getIndices().size()))
    return emitOpError("(C2) needs a tile and one index for each of its dimensions");
  bool isTruth =
      getCombiner() == tile::Combiner::Any || getCombiner() == tile::Combiner::All;
  if (getCombiner() == tile::Combiner::ArgMax ||
      getCombiner() == tile::Combiner::ArgMin ||
      (isTruth ? !row.getElementType().isInteger(8)
               : row.getElementType() != getValue().getType()))
    return emitOpError("(C3) cannot combine ")
           << getValue().getType() << " into " << row.getElementType() << " by "
           << tile::stringifyCombiner(getCombiner());
  return success();
}

//===----------------------------------------------------------------------===//
// Tiles of AMX
//===----------------------------------------------------------------------===//

static LogicalResult verifyTiles(Operation *op, ArrayRef<int8_t> tiles) {
  for (int8_t tile : tiles)
    if (tile < 0 || tile > 7 || llvm::count(tiles, tile) > 1)
      return op->emitOpError("(C1) tiles are 0 to 7, and no two the same");
  return success();
}

static LogicalResult verifyTileMemory(Operation *op, int8_t tile, Value memory) {
  if (typeOf(memory).getRank() != 2 || !typeOf(memory).areTrailingDimsContiguous(1))
    return op->emitOpError("(C2) needs a matrix with rows without gaps");
  return verifyTiles(op, {tile});
}

LogicalResult TileShapesOp::verify() {
  if (getRows().size() != getBytes().size() || getRows().size() > 8)
    return emitOpError("(C1) needs rows and bytes of at most eight tiles");
  for (auto [rows, bytes] : llvm::zip_equal(getRows(), getBytes()))
    if (rows < 1 || rows > 16 || bytes < 4 || bytes > 64 || bytes % 4)
      return emitOpError("(C2) a tile has no ")
             << rows << " rows of " << bytes << " bytes";
  return success();
}

LogicalResult TileZeroOp::verify() {
  return verifyTiles(*this, {static_cast<int8_t>(getTile())});
}

LogicalResult TileLoadOp::verify() {
  return verifyTileMemory(*this, getTile(), getMemory());
}

LogicalResult TileStoreOp::verify() {
  return verifyTileMemory(*this, getTile(), getMemory());
}

LogicalResult TileMultiplyOp::verify() {
  Instruction instruction = getInstruction();
  if (instruction != Instruction::TileBF16 && instruction != Instruction::TileI8 &&
      instruction != Instruction::TileU8)
    return emitOpError("(C2) ")
           << stringifyInstruction(instruction) << " multiplies no tiles";
  return verifyTiles(*this, {static_cast<int8_t>(getA()), static_cast<int8_t>(getB()),
                             static_cast<int8_t>(getC())});
}
