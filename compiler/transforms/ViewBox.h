//===- ViewBox.h - Elements of a view as elements of its source ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_VIEWBOX_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_VIEWBOX_H

#include "dialects/tile/Tile.h"

namespace tilewright::tile {

/// `box`, of what `view` shows, as a box of the view's source; failure where these
/// elements are no box there, or a shape is not static. Elements of other sizes are what
/// they are parts of, or what are parts of them.
///
/// An index that is outside of its dimension of the view, though the element would be
/// inside of the source, becomes one that is outside of the source.
mlir::FailureOr<Box> getBoxOfSource(ViewOp view, const Box &box,
                                    mlir::OpBuilder &builder);

/// The same for a `memref.subview` with strides of 1.
mlir::FailureOr<Box> getBoxOfSource(mlir::memref::SubViewOp view, const Box &box,
                                    mlir::OpBuilder &builder);

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_VIEWBOX_H
