//===- PackOperands.cpp - Put gemm operands in the form the atom reads --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A micro-kernel loads vectors of one operand and broadcasts units of the other
// (MicroKernel.h). An operand whose tile is not in that form already is packed into a
// panel, as early as its contents are final: before the outermost loop that does not
// write the tile. A tile that was only a stop between global memory and its panels is
// then skipped (forward-copies). An inner atom reads rows along K of both operands as
// they are (InnerKernel.h).
//
// A gemm whose atom reads A by vectors (swapped orientation) computes the transpose of
// C, which is turned back on the way into C.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuOps.h"
#include "backends/cpu/Passes.h"
#include "compiler/analysis/Memory.h"
#include "dialects/tile/Tile.h"

#include <map>

namespace tilewright::cpu {
#define GEN_PASS_DEF_PACKOPERANDS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright;
using tilewright::cpu::AtomAttr;
using tilewright::tile::AllocOp;
using tilewright::tile::CopyOp;
using tilewright::tile::getBaseMemory;
using tilewright::tile::KernelOp;
using tilewright::tile::mayWrite;
using tilewright::tile::PackOp;
using tilewright::tile::Space;
using tilewright::tile::SpaceAttr;

/// The operation before which `tile`, read at `reader`, has its contents: the outermost
/// loop around the reader that neither holds the tile's allocation nor writes it.
static Operation *finalContentsPoint(Value tile, Operation *reader) {
  Value base = getBaseMemory(tile);
  auto isInside = [](Value value, Operation *loop) {
    return value.getDefiningOp() && loop->isAncestor(value.getDefiningOp());
  };
  Operation *point = reader;
  for (Operation *parent = reader->getParentOp(); parent && !isa<KernelOp>(parent);
       parent = parent->getParentOp()) {
    if (!isa<LoopLikeOpInterface>(parent) || isInside(base, parent) ||
        isInside(tile, parent) || mayWrite(parent, base))
      break;
    point = parent;
  }
  return point;
}

namespace {
/// Packs the operands of the gemms of one function; equal panels are made once.
class OperandPacker {
public:
  void pack(tile::GemmOp gemm);

private:
  /// A tile and the form of a copy of it: whether it is transposed, how many elements
  /// along K lie side by side (0: it is a matrix still), and their type.
  using Form = std::tuple<const void *, bool, int64_t, const void *>;

  Value findCopy(const Form &form, Value tile, Operation *point) const;
  Value makePanel(Value tile, Operation *reader, bool transpose, AtomAttr atom,
                  bool isUnsigned);
  Value convertTile(Value tile, Operation *reader, AtomAttr atom, bool isUnsigned);
  Value turnTile(Value tile, Operation *reader, AtomAttr atom, bool isUnsigned);
  Value packVectorSide(tile::GemmOp gemm, Value b, bool transposed, AtomAttr atom);
  Value packBroadcastSide(tile::GemmOp gemm, Value a, bool &transposed, AtomAttr atom);
  Value widenInteger(Value tile, tile::GemmOp gemm, AtomAttr atom);

  /// The operations that made copies.
  std::map<Form, SmallVector<Operation *>> copies;
};
} // namespace

/// A new tile in shared memory.
static Value allocTile(OpBuilder &builder, Location loc, ArrayRef<int64_t> shape,
                       Type element, StringRef name) {
  auto space = SpaceAttr::get(builder.getContext(), Space::Shared);
  auto type = MemRefType::get(shape, element, MemRefLayoutAttrInterface(), space);
  return AllocOp::create(builder, loc, type, builder.getStringAttr(name), IntegerAttr());
}

/// Copies the transpose of matrix `from` to `to`, whose elements may be wider.
static PackOp transposeTile(OpBuilder &builder, Location loc, Value from, Value to,
                            bool isUnsigned = false) {
  auto type = cast<MemRefType>(to.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape.push_back(1);
  SmallVector<ReassociationIndices> groups{{0}, {1, 2}};
  Value panel = memref::ExpandShapeOp::create(builder, loc, shape, to, groups);
  return PackOp::create(builder, loc, from, ValueRange(), ArrayRef<int64_t>{0, 0},
                        cast<MemRefType>(from.getType()).getShape(),
                        ArrayRef<int64_t>{0, 1}, panel, /*transpose=*/true, isUnsigned);
}

/// The name of the tile behind `tile`, for plans.
static std::string nameOf(Value tile) {
  auto alloc = getBaseMemory(tile).getDefiningOp<AllocOp>();
  return alloc && alloc.getName() ? alloc.getName()->str() : "tile";
}

/// What `made`, which fills a panel or a tile, fills; of a transpose the matrix.
static Value getMatrix(Operation *made) {
  if (auto copy = dyn_cast<CopyOp>(made))
    return copy.getDst();
  Value panel = cast<PackOp>(made).getPanel();
  auto expanded = panel.getDefiningOp<memref::ExpandShapeOp>();
  return expanded ? expanded.getSrc() : panel;
}

/// A copy of `tile` in `form` that was made earlier and still holds at `point`; or null.
Value OperandPacker::findCopy(const Form &form, Value tile, Operation *point) const {
  auto found = copies.find(form);
  if (found == copies.end())
    return {};
  for (Operation *made : found->second) {
    Operation *end = made->getBlock()->findAncestorOpInBlock(*point);
    if (!end || !made->isBeforeInBlock(end) || (end != point && mayWrite(end, tile)))
      continue;
    auto between = llvm::make_range(std::next(made->getIterator()), end->getIterator());
    if (llvm::none_of(between, [&](Operation &op) { return mayWrite(&op, tile); }))
      return getMatrix(made);
  }
  return {};
}

/// The panel of `tile`, [K, X] or with `transpose` [X, K], for `atom`.
Value OperandPacker::makePanel(Value tile, Operation *reader, bool transpose,
                               AtomAttr atom, bool isUnsigned) {
  Operation *point = finalContentsPoint(tile, reader);
  int64_t depth = atom.getGroup();
  Form form{tile.getAsOpaquePointer(), transpose, depth,
            atom.getElement().getAsOpaquePointer()};
  if (Value made = findCopy(form, tile, point))
    return made;
  OpBuilder builder(point);
  Location loc = reader->getLoc();
  auto type = cast<MemRefType>(tile.getType());
  int64_t k = type.getDimSize(transpose ? 1 : 0), x = type.getDimSize(transpose ? 0 : 1);
  int64_t groups = llvm::divideCeil(k, depth);
  Value panel = allocTile(builder, loc, {groups, x, depth}, atom.getElement(),
                          nameOf(tile) + ".panel");
  copies[form].push_back(PackOp::create(
      builder, loc, tile, ValueRange(), ArrayRef<int64_t>{0, 0}, type.getShape(),
      ArrayRef<int64_t>{0, 1}, panel, transpose, isUnsigned));
  return panel;
}

/// A copy of `tile` in the atom's element type.
Value OperandPacker::convertTile(Value tile, Operation *reader, AtomAttr atom,
                                 bool isUnsigned) {
  Operation *point = finalContentsPoint(tile, reader);
  Form form{tile.getAsOpaquePointer(), false, 0, atom.getElement().getAsOpaquePointer()};
  if (Value made = findCopy(form, tile, point))
    return made;
  OpBuilder builder(point);
  Location loc = reader->getLoc();
  ArrayRef<int64_t> shape = cast<MemRefType>(tile.getType()).getShape();
  Value copy = allocTile(builder, loc, shape, atom.getElement(), nameOf(tile) + ".wide");
  SmallVector<int64_t> zeros(shape.size(), 0);
  copies[form].push_back(CopyOp::create(builder, loc, tile, ValueRange(), zeros, shape,
                                        copy, ValueRange(), zeros, shape, isUnsigned));
  return copy;
}

/// The transpose of `tile` in the atom's element type, a matrix M x K.
Value OperandPacker::turnTile(Value tile, Operation *reader, AtomAttr atom,
                              bool isUnsigned) {
  Operation *point = finalContentsPoint(tile, reader);
  Form form{tile.getAsOpaquePointer(), true, 0, atom.getElement().getAsOpaquePointer()};
  if (Value made = findCopy(form, tile, point))
    return made;
  OpBuilder builder(point);
  Location loc = reader->getLoc();
  ArrayRef<int64_t> shape = cast<MemRefType>(tile.getType()).getShape();
  Value turned = allocTile(builder, loc, {shape[1], shape[0]}, atom.getElement(),
                           nameOf(tile) + ".turned");
  copies[form].push_back(transposeTile(builder, loc, tile, turned, isUnsigned));
  return turned;
}

Value OperandPacker::packVectorSide(tile::GemmOp gemm, Value b, bool transposed,
                                    AtomAttr atom) {
  bool converts = cast<MemRefType>(b.getType()).getElementType() != atom.getElement();
  if (atom.isWoven())
    return b;
  if (transposed || atom.getDepth() > 1)
    return makePanel(b, gemm, transposed, atom, gemm.getIsUnsigned());
  return converts ? convertTile(b, gemm, atom, gemm.getIsUnsigned()) : b;
}

/// `transposed` says that `a` is K x M, and becomes false where a panel takes its place.
Value OperandPacker::packBroadcastSide(tile::GemmOp gemm, Value a, bool &transposed,
                                       AtomAttr atom) {
  auto type = cast<MemRefType>(a.getType());
  bool converts = type.getElementType() != atom.getElement();
  bool groupsTogether =
      atom.getDepth() == 1 ||
      (!transposed && !atom.isSquare() && type.getDimSize(1) % atom.getGroup() == 0);
  if (groupsTogether)
    return converts ? convertTile(a, gemm, atom, gemm.getIsUnsigned()) : a;
  Value form = atom.isTile()
                   ? turnTile(a, gemm, atom, gemm.getIsUnsigned())
                   : makePanel(a, gemm, !transposed, atom, gemm.getIsUnsigned());
  transposed = false;
  return form;
}

/// What an inner atom reads for `tile`: rows along K. Narrow floats are widened on the
/// way into registers, integers before.
Value OperandPacker::widenInteger(Value tile, tile::GemmOp gemm, AtomAttr atom) {
  Type element = cast<MemRefType>(tile.getType()).getElementType();
  if (element == atom.getElement() || isa<FloatType>(element))
    return tile;
  return convertTile(tile, gemm, atom, gemm.getIsUnsigned());
}

void OperandPacker::pack(tile::GemmOp gemm) {
  auto atom = cast<AtomAttr>(gemm.getAtomAttr());
  Location loc = gemm.getLoc();
  Value a = gemm.getA(), b = gemm.getB(), c = gemm.getC(), result = c;
  bool transposeA = gemm.getTransposeA(), transposeB = gemm.getTransposeB();
  bool clear = gemm.getClear();
  OpBuilder builder(gemm);
  auto type = cast<MemRefType>(c.getType());
  int64_t m = gemm.getM(), n = gemm.getN();

  // C^T = B^T A^T in a tile of its own.
  if (gemm.getSwapped()) {
    std::swap(a, b);
    std::tie(transposeA, transposeB) = std::pair(!transposeB, !transposeA);
    result = allocTile(builder, loc, {n, m}, type.getElementType(), nameOf(c) + ".t");
    if (!clear)
      transposeTile(builder, loc, c, result);
  }
  Value vectorSide = atom.isInner() ? widenInteger(b, gemm, atom)
                                    : packVectorSide(gemm, b, transposeB, atom);
  Value broadcastSide = atom.isInner() ? widenInteger(a, gemm, atom)
                                       : packBroadcastSide(gemm, a, transposeA, atom);
  cpu::GemmOp::create(builder, loc, broadcastSide, vectorSide, result, /*rows=*/Value(),
                      /*first=*/Value(), /*last=*/Value(), /*out=*/Value(),
                      /*ahead=*/ValueRange(), /*listed=*/ValueRange(),
                      /*rowsAhead=*/ValueRange(), transposeA, clear, atom);
  if (gemm.getSwapped())
    transposeTile(builder, loc, result, c);
  gemm.erase();
}

namespace {
struct PackOperandsPass : tilewright::cpu::impl::PackOperandsBase<PackOperandsPass> {
  void runOnOperation() override {
    SmallVector<tile::GemmOp> gemms;
    getOperation()->walk([&](tile::GemmOp gemm) { gemms.push_back(gemm); });
    OperandPacker packer;
    for (tile::GemmOp gemm : gemms) {
      auto atom = dyn_cast_or_null<AtomAttr>(gemm.getAtomAttr());
      if (!atom) {
        gemm.emitOpError("has no CPU atom; run select-atoms before this pass");
        return signalPassFailure();
      }
      if (atom.isInner() && (gemm.getTransposeA() || !gemm.getTransposeB())) {
        gemm.emitOpError("has an inner atom, which reads rows of A and of B transposed");
        return signalPassFailure();
      }
      packer.pack(gemm);
    }
  }
};
} // namespace
