//===- LaneHistory.cpp - Which lanes of a warp met in shared memory ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/LaneHistory.h"

#include <cstring>

using namespace tilewright::ptx;

/// What lanes next to each other access of a granule: the marks of its bytes, 0 where
/// they leave it alone.
struct LaneHistory::Part {
  uint32_t granule = 0;
  Marks own = {};
};

void LaneHistory::reset(size_t bytes) {
  const size_t count = (bytes + granuleBytes - 1) / granuleBytes;
  epochs.assign(count, 0);
  // Read where `epochs` says that it was written.
  cells.resize(count);
}

template <typename Marks> static bool isAnySet(const Marks &marks) {
  uint64_t words[2];
  memcpy(words, &marks, sizeof(words));
  return (words[0] | words[1]) != 0;
}

/// Finds the first byte at which `part` conflicts with what is known of it in this epoch.
void LaneHistory::check(const Part &part, Kind kind, uint32_t epoch,
                        Conflict &conflict) const {
  if (epochs[part.granule] != epoch)
    return;
  const Cell &cell = cells[part.granule];
  const Marks none = {}, several = none + severalLanes;
  const Marks own = part.own & several;
  const Marks taken = (Marks)(part.own != none);
  // Lanes that all accessed it meet each other.
  auto foreign = [&](const Marks &others) {
    return taken & (Marks)(others != none) &
           ((Marks)(others != own) | (Marks)(own == several));
  };
  Marks others = cell.writers & several;
  if (kind == Kind::StrongRead || kind == Kind::Strong)
    others &= (Marks)((cell.writers & (none + strong)) == none);
  Marks wrong = foreign(others);
  const bool wasWrite = isAnySet(wrong);
  if (!wasWrite) {
    if (kind != Kind::Write && kind != Kind::Strong && kind != Kind::WriteRows)
      return;
    others = cell.readers;
    wrong = foreign(others);
    if (!isAnySet(wrong))
      return;
  }
  if (conflict.found)
    return;
  unsigned at = 0;
  while (!wrong[at])
    ++at;
  auto laneOf = [](uint8_t mark) -> unsigned {
    return mark == 0 || mark == severalLanes ? severalLanes : mark - 1u;
  };
  conflict = {true, wasWrite, part.granule * granuleBytes + at, laneOf(own[at]),
              laneOf(others[at])};
}

/// Checks `part` and keeps it.
inline void LaneHistory::add(const Part &part, Kind kind, uint32_t epoch,
                             Conflict &conflict) {
  Cell &cell = cells[part.granule];
  const bool isRead = kind == Kind::Read || kind == Kind::ReadRows;
  const Marks none = {};
  if (epochs[part.granule] != epoch) {
    epochs[part.granule] = epoch;
    cell.writers = isRead ? none : part.own;
    cell.readers = isRead ? part.own : none;
    return;
  }
  check(part, kind, epoch, conflict);
  const Marks taken = (Marks)(part.own != none);
  if (isRead) {
    const Marks isSame =
        (Marks)(cell.readers == none) | (Marks)(cell.readers == part.own);
    const Marks read = (isSame & part.own) | (~isSame & (none + severalLanes));
    cell.readers = (taken & read) | (~taken & cell.readers);
    return;
  }
  Marks written = part.own;
  if (kind == Kind::Strong) {
    const Marks isOthers = (Marks)((cell.writers & (none + strong)) != none) &
                           (Marks)(cell.writers != part.own);
    written |= isOthers & (none + severalLanes);
  }
  cell.writers = (taken & written) | (~taken & cell.writers);
  cell.readers &= ~taken;
}

/// Calls `use` with the parts of granules that lanes next to each other access.
template <unsigned size, typename Use>
void LaneHistory::forParts(const uint32_t *offsets, uint32_t lanes, Kind kind, Use use) {
  const uint8_t flag = kind == Kind::Strong ? strong : 0;
  const bool isOfSeveral =
      kind == Kind::ReadRows || kind == Kind::WriteRows || kind == Kind::ReadByAll;
  // What lanes at one address have: they all read it, or store one value, or are atomic.
  const uint8_t shared = kind == Kind::Write ? sameValue : flag | severalLanes;
  Part part;
  bool isOpen = false;
  auto markOf = [&](unsigned lane) {
    return static_cast<uint8_t>(isOfSeveral ? severalLanes : (lane + 1) | flag);
  };
  if constexpr (size == granuleBytes) {
    const Marks none = {};
    for (; lanes; lanes &= lanes - 1) {
      const auto lane = static_cast<unsigned>(__builtin_ctz(lanes));
      const uint32_t granule = offsets[lane] / granuleBytes;
      const bool isSame = isOpen && granule == part.granule;
      if (isOpen && !isSame)
        use(part);
      isOpen = true;
      const uint8_t mark = isSame ? shared : markOf(lane);
      part.granule = granule;
      part.own = none + mark;
    }
    if (isOpen)
      use(part);
    return;
  }
  alignas(Marks) uint8_t own[granuleBytes] = {};
  auto end = [&] {
    memcpy(&part.own, own, sizeof(own));
    use(part);
  };
  for (; lanes; lanes &= lanes - 1) {
    const auto lane = static_cast<unsigned>(__builtin_ctz(lanes));
    const uint32_t granule = offsets[lane] / granuleBytes;
    if (isOpen && granule != part.granule) {
      end();
      memset(own, 0, sizeof(own));
    }
    isOpen = true;
    part.granule = granule;
    uint8_t *at = own + offsets[lane] % granuleBytes;
    memset(at, *at ? shared : markOf(lane), size);
  }
  if (isOpen)
    end();
}

/// Whether lanes may store to one granule without being next to each other.
static bool mayMeet(const uint32_t *offsets, uint32_t lanes) {
  uint32_t last = 0;
  bool falls = false;
  for (; lanes; lanes &= lanes - 1) {
    const uint32_t offset = offsets[__builtin_ctz(lanes)];
    falls |= offset < last;
    last = offset;
  }
  return falls;
}

template <unsigned size>
LaneHistory::Conflict LaneHistory::noteSized(const uint32_t *offsets, uint32_t lanes,
                                             Kind kind, uint32_t epoch) {
  Conflict conflict;
  auto checkPart = [&](const Part &part) { check(part, kind, epoch, conflict); };
  if (kind == Kind::StrongRead || kind == Kind::ReadByAll) {
    forParts<size>(offsets, lanes, kind, checkPart);
    return conflict;
  }
  if (kind != Kind::Write || !mayMeet(offsets, lanes)) {
    forParts<size>(offsets, lanes, kind,
                   [&](const Part &part) { add(part, kind, epoch, conflict); });
    return conflict;
  }
  // Before any of the lanes writes it is asked what others did before.
  forParts<size>(offsets, lanes, kind, checkPart);
  forParts<size>(offsets, lanes, kind, [&](const Part &part) {
    Cell &cell = cells[part.granule];
    const Marks none = {};
    if (epochs[part.granule] != epoch)
      cell.writers = cell.readers = none;
    epochs[part.granule] = epoch;
    const Marks taken = (Marks)(part.own != none);
    const Marks isNew = (Marks)(cell.writers == none) | (Marks)(cell.writers == part.own);
    const Marks written = (isNew & part.own) | (~isNew & (none + sameValue));
    cell.writers = (taken & written) | (~taken & cell.writers);
    cell.readers &= ~taken;
  });
  return conflict;
}

LaneHistory::Conflict LaneHistory::note(const uint32_t *offsets, unsigned size,
                                        uint32_t lanes, Kind kind, uint32_t epoch) {
  switch (size) {
  case 1:
    return noteSized<1>(offsets, lanes, kind, epoch);
  case 2:
    return noteSized<2>(offsets, lanes, kind, epoch);
  case 4:
    return noteSized<4>(offsets, lanes, kind, epoch);
  case 8:
    return noteSized<8>(offsets, lanes, kind, epoch);
  default:
    return noteSized<16>(offsets, lanes, kind, epoch);
  }
}
