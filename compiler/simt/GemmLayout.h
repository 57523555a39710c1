//===- GemmLayout.h - How warps share a product -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_GEMM_LAYOUT_H
#define TILEWRIGHT_COMPILER_SIMT_GEMM_LAYOUT_H

#include "dialects/tile/Tile.h"

namespace tilewright::simt {

/// The instruction of a product, turned as the product is: where that is `swapped`, the
/// instruction computes the transpose, and takes B for its operand A.
class OrientedAtom {
public:
  OrientedAtom(tile::AtomAttrInterface atom, bool swapped)
      : atom(atom), swapped(swapped) {}
  explicit OrientedAtom(tile::GemmOp gemm)
      : OrientedAtom(gemm.getAtomAttr(), gemm.getSwapped()) {}

  tile::AtomShape getShape() const;
  /// The layout of an operand of the product: M x K, K x N or M x N.
  tile::LayoutAttr getLayout(tile::AtomRole role) const;
  mlir::Type getElementType(tile::AtomRole role) const;
  bool readsMatrices() const { return atom.readsMatrices(); }
  mlir::FailureOr<mlir::Value> emit(mlir::OpBuilder &builder, mlir::Location loc,
                                    mlir::Value a, mlir::Value b, mlir::Value c) const;

private:
  tile::AtomRole turn(tile::AtomRole role) const;

  tile::AtomAttrInterface atom;
  bool swapped;
};

/// How many instructions side by side make a tile, and how many of them each warp has.
struct Tiling {
  int64_t warpsM, warpsN; // warps along M and N
  int64_t m, n;           // instructions of a warp along M and N
  /// Whether the instructions of a warp take every m-th row, or n-th column: so a lane's
  /// elements of an operand whose rows or columns are neighbours in memory are such.
  bool interleavesM = false, interleavesN = false;
};

/// The tiling of an M x N result by an instruction of `shape` with all of `warps` that
/// pads least; of equal ones, the one that gives a warp most of a row or column where
/// `policy` asks for it
/// ("full_row", "full_col"), else the one whose warps read the least of A and B.
Tiling getTiling(tile::AtomShape shape, int64_t m, int64_t n, int64_t warps,
                 llvm::StringRef policy = {});
/// That of a product whose atom was chosen.
Tiling getTiling(tile::GemmOp gemm, int64_t warps);

/// The layout of a product's accumulator: its extents are those of whole instructions.
/// The registers of one instruction are neighbours.
tile::LayoutAttr getAccumulatorLayout(tile::GemmOp gemm, int64_t warps);

/// How many steps along K are best read together of a shared operand, for accesses of 16
/// bytes.
int64_t getBestGroup(tile::GemmOp gemm, tile::AtomRole role);

/// What a product's instructions take of its operand A or B, as a layout of that tile:
/// registers of an instruction are neighbours, then steps along K follow each other. K is
/// dealt out anew among each `group` of steps: of their joint extent a lane has
/// neighbours.
tile::LayoutAttr getOperandLayout(tile::GemmOp gemm, tile::AtomRole role, int64_t warps,
                                  int64_t group = 1);

/// How many steps go together best where an operand is in registers.
int64_t getHeldGroup(tile::GemmOp gemm, tile::AtomRole role);

/// An operand in registers: the steps that go together, and the registers in the order of
/// `getOperandLayout`.
struct HeldOperand {
  int64_t group;
  llvm::SmallVector<int64_t> registers;
};

/// How threads have an operand that a fragment's layout deals out; nothing where others
/// have what they need.
std::optional<HeldOperand> matchOperand(tile::LayoutAttr held, tile::GemmOp gemm,
                                        tile::AtomRole role, int64_t warps);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_GEMM_LAYOUT_H
