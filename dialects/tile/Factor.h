//===- Factor.h - One digit of a layout ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_FACTOR_H
#define TILEWRIGHT_DIALECTS_TILE_FACTOR_H

#include "dialects/tile/TileEnums.h.inc"
#include "llvm/ADT/Hashing.h"

namespace tilewright::tile {

/// A digit of radix `extent` that counts in steps of `stride` in the coordinate `kind`.
struct Factor {
  FactorKind kind;
  int64_t extent;
  int64_t stride;

  bool operator==(const Factor &other) const {
    return kind == other.kind && extent == other.extent && stride == other.stride;
  }
  bool operator!=(const Factor &other) const { return !(*this == other); }
};

inline llvm::hash_code hash_value(const Factor &factor) {
  return llvm::hash_combine(factor.kind, factor.extent, factor.stride);
}

} // namespace tilewright::tile

#endif // TILEWRIGHT_DIALECTS_TILE_FACTOR_H
