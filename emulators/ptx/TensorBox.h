//===- TensorBox.h - The part of a tensor that one copy moves -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A box of a tensor map at some coordinates. In shared memory its rows (dimension 0) lie
// one after the other, dimension 1 fastest, whatever part of them is inside the tensor;
// the swizzle exchanges chunks of 16 bytes by bits of their address. Of a 2-d box of 4 x
// 3 at
// (-1, 1) of a tensor of 5 x 3, where * is out of bounds:
//
//   row 0   *  T[1][0]  T[1][1]  T[1][2]
//   row 1   *  T[2][0]  T[2][1]  T[2][2]
//   row 2   *  *        *        *
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_TENSORBOX_H
#define TILEWRIGHT_EMULATORS_PTX_TENSORBOX_H

#include "emulators/ptx/AsyncCopy.h"

namespace tilewright::ptx {

class TensorBox {
public:
  TensorBox(const TensorMap &map, const int32_t *coordinates);
  /// Of an im2col map: the pixels from the one at `coordinates` on, each moved by
  /// `offsets`, one for each of its dimensions.
  TensorBox(const TensorMap &map, const int32_t *coordinates, const uint16_t *offsets);

  const TensorMap &getMap() const { return map; }
  /// Finds the global memory behind the part inside the tensor, by Access::Read or Sync.
  /// False where a fault was reported.
  bool find(Warp &warp, unsigned lane, Access access);
  /// As beginGlobal, of the part inside.
  void startCopy(Warp &warp, unsigned lane, Access access) const;
  /// Checks the part inside, which `reader` reads now.
  void checkUnchanged(const GlobalReader &reader) const;
  /// Global bytes inside the tensor.
  uint64_t insideBytes() const;

  /// Global memory to shared memory, converted as the type asks.
  void load(const Place &to) const;
  /// What lies in shared memory from `offset` on, read to `data`, to global memory.
  void store(uint32_t offset, const uint8_t *data, const uint8_t *shadow) const;
  /// As above, combined with what is there.
  void reduce(emulator::GlobalMemory &memory, Combine combine, uint32_t offset,
              const uint8_t *data, const uint8_t *shadow) const;

private:
  /// Calls `perRow(row, inside, at)`; of a row inside the tensor, `at` is where its first
  /// element inside lies after `first`.
  template <typename F> void forEachRow(F &&perRow) const;
  /// Calls `perRow(place)` with the part inside of each row that has one.
  template <typename F> void forEachInside(F &&perRow) const;
  /// Calls `perRow(at, data, shadow)` for each row inside, with its elements inside, put
  /// in order from what was read from shared memory.
  template <typename F>
  void gather(uint32_t offset, const uint8_t *data, const uint8_t *shadow,
              F &&perRow) const;
  void convert(uint8_t *row) const;
  /// Of a row that has elements inside.
  uint64_t insideRowBytes() const {
    return static_cast<uint64_t>(end[0] - begin[0]) * getBytes(map.type);
  }

  static constexpr uint64_t outside = ~uint64_t(0);

  TensorMap map;
  /// Of an im2col map: where each row's elements inside lie after `first`, or `outside`.
  std::vector<uint64_t> pixels;
  int64_t start[maxTensorRank] = {};
  /// The elements of the box inside the tensor, by dimension: [begin, end).
  int64_t begin[maxTensorRank] = {}, end[maxTensorRank] = {};
  bool isOutside = false; ///< all of it
  uint64_t first = 0,
           last = 0; ///< addresses of the first and behind the last byte inside
  uint8_t *data = nullptr, *shadow = nullptr; ///< of `first`
  emulator::Allocation *allocation = nullptr; ///< that they lie in
};

/// The map at generic address `address` that `lane` uses: sound, encoded, of `rank`
/// dimensions, within the hardware's limits. Nothing where a fault was reported.
std::optional<TensorMap> findTensorMap(Warp &warp, uint64_t address, unsigned rank,
                                       unsigned lane);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_TENSORBOX_H
