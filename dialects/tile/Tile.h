//===- Tile.h - The `tile` dialect --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_TILE_H
#define TILEWRIGHT_DIALECTS_TILE_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMTypes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

#include "dialects/tile/Access.h"
#include "dialects/tile/Atom.h"
#include "dialects/tile/TileDialect.h.inc"

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.h.inc"

namespace tilewright::tile {

/// The space of a memref type; `Space::Global` where it names none.
Space getSpace(mlir::Type type);
inline Space getSpace(mlir::Value value) { return getSpace(value.getType()); }

/// The LLVM address space of global (1) and shared (3) memory on every GPU.
unsigned getDeviceAddressSpace(Space space);

/// Whether `type` is a memref that lives inside a block.
bool isTile(mlir::Type type);

/// Whether `type` is global memory whose elements share bytes in pairs (tile.pairs). In
/// tiles an element of 4 bits has a byte of its own.
bool holdsPairs(mlir::MemRefType type);

/// The constant of `type`, a number or a vector of them, whose bits are all zero: what
/// reading outside a tensor gives. It is 0 but for f8E8M0FNU, which has no zero: 2^-127.
mlir::TypedAttr zeroBits(mlir::Type type);

/// Whether a combiner takes numbers alone, as if NaN were not there.
bool leavesNaNOut(Combiner combiner);

/// The type in which elements are combined by a region: f32 for narrower floats.
mlir::Type getCombinedType(mlir::Type element);

} // namespace tilewright::tile

#endif // TILEWRIGHT_DIALECTS_TILE_TILE_H
