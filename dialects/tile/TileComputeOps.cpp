//===- TileComputeOps.cpp - Computing on tiles and elements -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/TileCombiner.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

static bool isStaticTile(Type type) {
  return isTile(type) && cast<MemRefType>(type).hasStaticShape();
}

static bool isBitwise(std::optional<Combiner> combiner) {
  return combiner == Combiner::BitAnd || combiner == Combiner::BitOr ||
         combiner == Combiner::BitXor;
}

bool tile::leavesNaNOut(Combiner combiner) {
  return combiner == Combiner::MaxNum || combiner == Combiner::MinNum ||
         combiner == Combiner::AbsMaxNum;
}

static Type elementType(Value memref) {
  return cast<MemRefType>(memref.getType()).getElementType();
}

static ArrayRef<int64_t> shapeOf(Value memref) {
  return cast<MemRefType>(memref.getType()).getShape();
}

//===----------------------------------------------------------------------===//
// gemm
//===----------------------------------------------------------------------===//

int64_t GemmOp::getM() { return shapeOf(getC())[0]; }
int64_t GemmOp::getN() { return shapeOf(getC())[1]; }
int64_t GemmOp::getK() { return shapeOf(getA())[getTransposeA() ? 0 : 1]; }

LogicalResult GemmOp::verify() {
  for (Value operand : {getA(), getB(), getC()})
    if (!isStaticTile(operand.getType()) || shapeOf(operand).size() != 2)
      return emitOpError("(C1) operands must be tiles of rank 2 with a static shape");
  int64_t m = shapeOf(getA())[getTransposeA() ? 1 : 0];
  int64_t n = shapeOf(getB())[getTransposeB() ? 0 : 1];
  int64_t k = shapeOf(getB())[getTransposeB() ? 1 : 0];
  if (m != getM() || n != getN() || k != getK())
    return emitOpError("(C2) shapes disagree: A is ")
           << m << " x " << getK() << ", B is " << k << " x " << n << ", C is " << getM()
           << " x " << getN();
  Type a = elementType(getA()), b = elementType(getB()), c = elementType(getC());
  bool floats = isa<FloatType>(a) && isa<FloatType>(b);
  if (!floats && a != b)
    return emitOpError("(C3) A and B must have one element type, got ")
           << a << " and " << b;
  if (floats ? !isa<FloatType>(c) : !c.isInteger(32))
    return emitOpError("(C3) C must be ")
           << (floats ? "a float" : "i32") << " for operands of type " << a;
  if ((a.isF64() || b.isF64()) && !c.isF64())
    return emitOpError("(C3) C must be f64 for an operand of f64, got ") << c;
  if (getPrecision() == Precision::TF32 && !(a.isF32() && b.isF32()))
    return emitOpError("(C4) precision tf32 requires f32 operands");
  auto memoryOf = [](Value tile) {
    while (auto view = tile.getDefiningOp<ViewLikeOpInterface>())
      tile = view.getViewSource();
    return tile;
  };
  if (memoryOf(getC()) == memoryOf(getA()) || memoryOf(getC()) == memoryOf(getB()))
    return emitOpError("(C5) C must not be an operand");
  if (getSwapped() && !getAtom())
    return emitOpError("(C6) swapped says how an atom is used, and there is none");
  return success();
}

//===----------------------------------------------------------------------===//
// reduce, scan, topk
//===----------------------------------------------------------------------===//

LogicalResult ReduceOp::verify() {
  ArrayRef<int64_t> src = shapeOf(getSrc()), dst = shapeOf(getDst());
  int64_t dim = getDim();
  if (!isStaticTile(getSrc().getType()) || !isStaticTile(getDst().getType()) || dim < 0 ||
      dim >= static_cast<int64_t>(src.size()))
    return emitOpError("(C1) takes tiles with static shapes and one of src's dimensions");
  SmallVector<int64_t> kept(src), dropped(src);
  kept[dim] = 1;
  dropped.erase(dropped.begin() + dim);
  if (dropped.empty())
    dropped.push_back(1);
  if (dst != ArrayRef(kept) && dst != ArrayRef(dropped))
    return emitOpError("(C2) dst must have src's shape with dimension ")
           << dim << " dropped or 1";
  std::optional<Combiner> combiner = getCombiner();
  Type from = elementType(getSrc()), to = elementType(getDst());
  bool positions = combiner == Combiner::ArgMax || combiner == Combiner::ArgMin;
  bool truth = combiner == Combiner::Any || combiner == Combiner::All;
  if (positions ? !to.isInteger() : truth ? !to.isInteger(8) : from != to)
    return emitOpError("(C3) wrong element type of dst: ") << to;
  if (isBitwise(combiner) && !from.isInteger())
    return emitOpError("(C4) bitwise combiners take integers");
  if (combiner && leavesNaNOut(*combiner) && !isa<FloatType>(from))
    return emitOpError("(C4) ") << stringifyCombiner(*combiner)
                                << " takes floats, which have NaN to leave out";
  if (positions && getAccumulate())
    return emitOpError("(C5) positions cannot be accumulated");
  if (combiner.has_value() == static_cast<bool>(getIdentity()))
    return emitOpError("(C6) takes a combiner, or else a region and an identity");
  return verifyCombiner(*this, combiner.has_value(), getBody(), getIdentity(), from,
                        "(C6)", "(C7)");
}

LogicalResult ScanOp::verify() {
  auto src = cast<MemRefType>(getSrc().getType());
  auto dst = cast<MemRefType>(getDst().getType());
  int64_t dim = getDim();
  if (!isStaticTile(src) || !isStaticTile(dst) || src.getShape() != dst.getShape() ||
      src.getElementType() != dst.getElementType() || dim < 0 || dim >= src.getRank())
    return emitOpError(
        "(C1) takes two tiles of one shape and type and one of their dimensions");
  std::optional<Combiner> combiner = getCombiner();
  if (combiner && !isBitwise(combiner) && combiner != Combiner::Sum &&
      combiner != Combiner::Max && combiner != Combiner::Min)
    return emitOpError("(C2) has no scan of ") << stringifyCombiner(*combiner);
  if (isBitwise(combiner) && !src.getElementType().isInteger())
    return emitOpError("(C2) bitwise combiners take integers");
  bool needsIdentity = getExclusive() && !combiner;
  if (needsIdentity != static_cast<bool>(getIdentity()))
    return emitOpError("(C5) an identity is for an exclusive scan by a region");
  return verifyCombiner(*this, combiner.has_value(), getBody(), getIdentity(),
                        src.getElementType(), "(C3)", "(C4)");
}

LogicalResult TopKOp::verify() {
  ArrayRef<int64_t> src = shapeOf(getSrc()), values = shapeOf(getValues());
  int64_t dim = getDim();
  for (Value tile : {getSrc(), getValues(), getIndices()})
    if (!isStaticTile(tile.getType()) || shapeOf(tile).size() != src.size())
      return emitOpError("(C1) takes tiles with static shapes of one rank");
  if (dim < 0 || dim >= static_cast<int64_t>(src.size()) ||
      values != shapeOf(getIndices()))
    return emitOpError(
        "(C1) values and indices must have one shape, and dim be a dimension");
  for (auto [d, extent] : llvm::enumerate(src))
    if (static_cast<int64_t>(d) == dim ? values[d] > extent : values[d] != extent)
      return emitOpError("(C1) wrong extent of values in dimension ") << d;
  if (elementType(getValues()) != elementType(getSrc()) ||
      !elementType(getIndices()).isInteger())
    return emitOpError("(C2) values have src's element type and indices are integers");
  return success();
}

//===----------------------------------------------------------------------===//
// cast, print
//===----------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  Type from = getElementTypeOrSelf(getInput()), to = getElementTypeOrSelf(getResult());
  if (!from.isIntOrIndexOrFloat() || !to.isIntOrIndexOrFloat())
    return emitOpError("(C1) converts integers, floats and index");
  if ((getUnsignedSource() && isa<FloatType>(from)) ||
      (getUnsignedResult() && isa<FloatType>(to)))
    return emitOpError("(C2) only integers are unsigned");
  if (getKeepInfinity() && !(isa<FloatType>(from) && isa<FloatType>(to)))
    return emitOpError("(C3) only floats have infinities");
  return success();
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  if (getInput().getType() == getResult().getType())
    return getInput();
  // There and back, through a float that holds all of them. Not of f8 and f4, where an
  // infinity does not come back as one.
  auto there = getInput().getDefiningOp<CastOp>();
  if (!there || there.getInput().getType() != getResult().getType())
    return {};
  Type narrow = getElementTypeOrSelf(getResult()),
       wide = getElementTypeOrSelf(getInput());
  bool isHeld = (narrow.isBF16() || narrow.isF16()) && (wide.isF32() || wide.isF64());
  return isHeld || (narrow.isF32() && wide.isF64()) ? OpFoldResult(there.getInput())
                                                    : OpFoldResult();
}

LogicalResult PrintOp::verify() {
  if (Value value = getValue(); value && !value.getType().isIntOrIndexOrFloat())
    return emitOpError("(C1) prints an integer, a float or an index");
  return success();
}
