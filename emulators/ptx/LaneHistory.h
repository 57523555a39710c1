//===- LaneHistory.h - Which lanes of a warp met in shared memory --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The race check takes a warp for one agent (Order.h), and here its lanes go in lockstep.
// Hardware promises no such thing, so of what a warp did since its lanes were last
// ordered it is kept, byte by byte, which lane wrote and which ones read:
//
//   st.shared [a]     by lane 0       a: written by lane 0
//   ld.shared [a]     by lane 1       a race
//   bar.warp.sync                     a new epoch: nothing is known of a
//   ld.shared [a]     by lane 1       a: read by lane 1
//   st.shared [a]     by lane 0       a race
//
// An epoch ends at whatever orders the warp after something: bar.warp.sync, barriers,
// waits for an mbarrier, acquires. Shuffles, votes and matrix instructions make lanes
// wait for each other, and order no memory. All lanes are taken for ordered where some
// are, as by a mask; and where lanes all stored one value, all may read it.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_LANEHISTORY_H
#define TILEWRIGHT_EMULATORS_PTX_LANEHISTORY_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tilewright::ptx {

class LaneHistory {
public:
  /// Forgets all; from now on of `bytes` bytes.
  void reset(size_t bytes);

  /// What lanes do: read; write; read or write by strong or atomic operations, which do
  /// not race with each other; read or write rows that lanes have parts of (ldmatrix);
  /// all read one address. The last is not kept: compilers load so in front of a branch
  /// in which one lane alone uses the value and stores another one.
  enum class Kind : uint8_t {
    Read,
    Write,
    StrongRead,
    Strong,
    ReadRows,
    WriteRows,
    ReadByAll
  };

  static constexpr uint8_t severalLanes = 0x3f;
  struct Conflict {
    bool found = false;
    bool wasWrite = false;
    uint32_t offset = 0;
    /// Lanes, or `severalLanes`.
    unsigned lane = 0, other = 0;
  };

  /// Each of `lanes` accesses `size` bytes, a power of two up to 16, at its offset of
  /// `offsets`, a multiple of it. `epoch` is the warp's, which no other warp has, nor 0.
  Conflict note(const uint32_t *offsets, unsigned size, uint32_t lanes, Kind kind,
                uint32_t epoch);

private:
  static constexpr unsigned granuleBytes = 16;
  /// A mark for each byte: 0 for none; a lane's number plus one; `severalLanes`; with
  /// `strong`, of strong accesses; `sameValue`, which conflicts with nothing.
  using Marks = uint8_t __attribute__((vector_size(granuleBytes)));
  static constexpr uint8_t strong = 0x40, sameValue = 0x80;

  struct Cell {
    Marks writers, readers;
  };
  struct Part;

  template <unsigned size>
  Conflict noteSized(const uint32_t *offsets, uint32_t lanes, Kind kind, uint32_t epoch);
  void add(const Part &part, Kind kind, uint32_t epoch, Conflict &conflict);
  void check(const Part &part, Kind kind, uint32_t epoch, Conflict &conflict) const;
  template <unsigned size, typename Use>
  static void forParts(const uint32_t *offsets, uint32_t lanes, Kind kind, Use use);

  std::vector<Cell> cells;
  std::vector<uint32_t> epochs; ///< of cells
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_LANEHISTORY_H
