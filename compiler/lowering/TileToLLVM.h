//===- TileToLLVM.h - What all targets lower to LLVM alike ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_LOWERING_TILE_TO_LLVM_H
#define TILEWRIGHT_COMPILER_LOWERING_TILE_TO_LLVM_H

#include "dialects/tile/Tile.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Transforms/DialectConversion.h"

namespace tilewright::tile {

/// Element types as code holds them: bf16 as 16 bits, elements of 4 bits as bytes.
void addElementConversions(mlir::LLVMTypeConverter &converter);

/// Patterns for what remains of `tile` when its operations are lowered, and for the
/// upstream dialects that all targets use.
void populateTileToLLVMPatterns(mlir::LLVMTypeConverter &converter,
                                mlir::RewritePatternSet &patterns);

/// The descriptor of memory at `pointer`, for a type whose layout has offset zero.
/// `dynamicSizes` and `dynamicStrides` are what the type leaves open, in order; of the
/// identity layout strides follow from the sizes.
mlir::Value makeDescriptor(mlir::ConversionPatternRewriter &rewriter, mlir::Location loc,
                           const mlir::LLVMTypeConverter &converter, mlir::Value pointer,
                           mlir::MemRefType type, mlir::ValueRange dynamicSizes,
                           mlir::ValueRange dynamicStrides);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_LOWERING_TILE_TO_LLVM_H
