//===- Atom.h - What an atom says of itself -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_ATOM_H
#define TILEWRIGHT_DIALECTS_TILE_ATOM_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include <optional>

#include "dialects/tile/Factor.h"

#define GET_ATTRDEF_CLASSES
#include "dialects/tile/TileAttrs.h.inc"

namespace tilewright::tile {

/// M x N x K of one issue, and how many independent products it makes.
struct AtomShape {
  int64_t m, n, k;
  int64_t blocks = 1;
};

/// Who issues an instruction: `lanes` of each of `warps` warps or waves of each of
/// `blocks` thread blocks. A CPU core is one lane.
struct Participants {
  int64_t lanes = 1;
  int64_t warps = 1;
  int64_t blocks = 1;
};

enum class AtomRole { A, B, C };

/// Where an instruction finds an operand.
enum class OperandPlace { Register, SharedDescriptor, TensorMemory, Memory };

/// Which dimension of an operand in memory may be the contiguous one.
enum class Majorness { Any, K, NonK };

struct AtomOperand {
  OperandPlace place;
  mlir::Type elementType;
  /// Who holds which element; absent for operands that a descriptor or an address names,
  /// whose layout is the shared tile's.
  LayoutAttr layout;
  Majorness majorness = Majorness::Any;
};

/// When the result of an issue may be read: at once, when a wait for its group, or when a
/// barrier that it was told to signal, has passed.
enum class Completion { Immediate, GroupWait, Barrier };

struct Accumulation {
  mlir::Type type;
  /// Bits of the significand, the implicit one included, that a sum keeps; 0: exact.
  int64_t significandBits;
  /// Extent of K after which the sum must be added to a register of `type`; 0: never.
  int64_t promotionInterval = 0;
};

/// One scale of type `elementType` for each `alongK` elements of a row of A or column of
/// B.
struct AtomScale {
  mlir::Type elementType;
  int64_t alongK;
};

/// The layout with the given factors of each dimension; those of extent 1 are dropped.
LayoutAttr getLayout(mlir::MLIRContext *context,
                     llvm::ArrayRef<llvm::SmallVector<Factor, 3>> dims,
                     llvm::ArrayRef<Factor> replicate = {});

} // namespace tilewright::tile

#include "dialects/tile/TileAtomInterface.h.inc"

#endif // TILEWRIGHT_DIALECTS_TILE_ATOM_H
