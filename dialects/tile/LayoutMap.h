//===- LayoutMap.h - Arithmetic on layouts ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small example, the accumulator of mma.sync m16n8k16:
//
//   #tile.layout<[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]>
//
//   index (row, column)  digits                    place
//   (0, 0)               (0, 0) (0, 0)             lane 0,  register 0
//   (0, 3)               (0, 0) (1, 1)             lane 1,  register 1
//   (1, 0)               (0, 1) (0, 0)             lane 4,  register 0
//   (9, 2)               (1, 1) (1, 0)             lane 5,  register 2
//
// Each index is split into the digits of its dimension's factors, and each digit adds its
// stride to the coordinate it counts in. Since the factors of a coordinate are again a
// mixed radix of it (the layout's verifier sees to that), a place is split the same way
// and the map can be undone. A shared layout or a panel is the same thing with one
// coordinate, the element's offset, and a swizzle of the byte address at the end.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DIALECTS_TILE_LAYOUT_MAP_H
#define TILEWRIGHT_DIALECTS_TILE_LAYOUT_MAP_H

#include "dialects/tile/Atom.h"
#include <array>

namespace tilewright::tile {

/// A coordinate of each `FactorKind`: which register, lane, warp and block; in memory the
/// first is the offset in elements.
using Place = std::array<int64_t, 4>;

/// Banks of a shared memory: how many, and how wide in bytes.
struct Banks {
  int64_t count = 32;
  int64_t bytes = 4;
};

/// What a layout attribute means. Never printed: the attributes are.
class LayoutMap {
public:
  static LayoutMap get(LayoutAttr layout);
  static LayoutMap get(SharedLayoutAttr layout, llvm::ArrayRef<int64_t> shape,
                       int64_t elementBytes);
  /// Of a `k` x `n` operand.
  static LayoutMap get(PanelAttr layout, int64_t k, int64_t n);

  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  /// How many values a coordinate takes, padding included.
  int64_t getExtent(FactorKind kind) const;
  /// How often each element is held.
  int64_t getReplicas() const;

  /// Where the given replica of an element is.
  Place locate(llvm::ArrayRef<int64_t> index, int64_t replica = 0) const;
  /// The element at a place; nothing in padding.
  std::optional<llvm::SmallVector<int64_t>> getIndexAt(Place place) const;

  /// How many elements, consecutive along `dim`, lie one after the other from every
  /// multiple of that number on: the widest vector access along `dim`.
  int64_t getVectorWidth(int64_t dim) const;

  /// Whether both put every element in the same places.
  bool operator==(const LayoutMap &other) const;

  /// For a layout of memory: how many more passes than the least possible it takes one
  /// warp to read or write all its registers of `fragment`, as vectors along `dim`.
  int64_t countBankConflicts(const LayoutMap &fragment, int64_t dim,
                             Banks banks = {}) const;

private:
  using Factors = llvm::SmallVector<Factor, 4>;

  /// Merges adjacent factors that count on without a gap: one form for equal maps.
  void canonicalize();
  int64_t swizzle(int64_t offset) const;

  llvm::SmallVector<int64_t> shape;
  llvm::SmallVector<Factors> dims;
  Factors replicate;
  int64_t elementBytes = 1;
  int64_t swizzleBits = 0, swizzleBase = 0, swizzleShift = 0;
};

} // namespace tilewright::tile

#endif // TILEWRIGHT_DIALECTS_TILE_LAYOUT_MAP_H
