//===- TileOps.td - All operations of `tile` ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_OPS
#define TILEWRIGHT_TILE_OPS

include "dialects/tile/TileCheckOps.td"
include "dialects/tile/TileComputeOps.td"
include "dialects/tile/TileDataOps.td"
include "dialects/tile/TileHostOps.td"
include "dialects/tile/TileStructureOps.td"

#endif // TILEWRIGHT_TILE_OPS
