//===- Order.cpp - What happens before what -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Order.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::emulator;

void AccessHistory::reset(size_t bytes, size_t agentCount) {
  agents = agentCount;
  const size_t count = (bytes + granuleBytes - 1) / granuleBytes;
  cells.assign(count, Cell());
  isSplit.assign(count, false);
  // Rows are read where `readers` says that they were written, words where they are
  // split.
  reads.resize(count * agents);
  atomics.clear();
  plainWrites.clear();
}

/// The bytes of word `word` that lie in [begin, end), as bits.
static uint8_t bytesOfWord(size_t word, size_t begin, size_t end) {
  size_t first = std::max(word * 4, begin), last = std::min(word * 4 + 4, end);
  return static_cast<uint8_t>(((1u << (last - first)) - 1) << (first - word * 4));
}

/// The bytes of a granule that [begin, end) is, as bits.
static uint16_t bytesOfGranule(size_t begin, size_t end) {
  return static_cast<uint16_t>(((1u << (end - begin)) - 1)
                               << begin % AccessHistory::granuleBytes);
}
static constexpr uint16_t wholeGranule = 0xffff;

/// Gives each word of `granule` a history of its own, if they have none.
void AccessHistory::split(size_t granule) {
  if (isSplit[granule])
    return;
  words.resize(cells.size() * granuleWords);
  wordReads.resize(words.size() * agents);
  isSplit[granule] = true;
  for (size_t word = granule * granuleWords; word < (granule + 1) * granuleWords;
       ++word) {
    Cell &cell = words[word] = cells[granule];
    std::fill(std::begin(cell.readTags), std::end(cell.readTags),
              cells[granule].readTags[word % granuleWords]);
    const unsigned shift = 4 * (word % granuleWords);
    // Rows are read where `readers` says that they were written.
    for (uint64_t bits = cell.readers; bits; bits &= bits - 1)
      for (size_t other = __builtin_ctzll(bits); other < agents; other += 64) {
        const Stamp stamp = reads[granule * agents + other];
        const Stamp bytes = stamp >> shift & 0xf;
        wordReads[word * agents + other] =
            bytes ? stamp >> stampBits << stampBits | bytes : 0;
      }
  }
}

/// Whether each reader of `granule`, which is not split, has read all of it, the last one
/// by one instruction.
bool AccessHistory::isReadWhole(size_t granule) const {
  const uint32_t *tags = cells[granule].readTags;
  if (!std::equal(tags + 1, tags + granuleWords, tags))
    return false;
  for (uint64_t bits = cells[granule].readers; bits; bits &= bits - 1)
    for (size_t other = __builtin_ctzll(bits); other < agents; other += 64)
      if (Stamp stamp = reads[granule * agents + other]; stamp && ~stamp & wholeGranule)
        return false;
  return true;
}

/// Makes `granule` whole again if its words were written together and not read since.
void AccessHistory::mergeIfEqual(size_t granule) {
  const Cell *first = &words[granule * granuleWords];
  for (const Cell *cell = first; cell != first + granuleWords; ++cell)
    if (cell->readers || !(cell->write == first->write))
      return;
  cells[granule] = *first;
  isSplit[granule] = false;
}

/// Sets `conflict` where another agent's atomic operation on one of `bytes` is not
/// ordered before now.
void AccessHistory::findUnordered(const Stamp *atomicRow, uint8_t bytes,
                                  const Accessor &by, uint32_t tag,
                                  Conflict &conflict) const {
  for (uint32_t other = 0; other < agents; ++other)
    if (isUnordered(by, other, atomicRow[other], bytes))
      conflict = {true, true, other, tag};
}

void AccessHistory::readCell(Cell &cell, Stamp *row, uint16_t bytes, const Accessor &by,
                             bool isStrong, Conflict &conflict) const {
  const LastWrite &last = cell.write;
  if (by.isUnordered(last.agent, last.clock) && (last.bytes & bytes) &&
      !(isStrong && last.atomic))
    conflict = {true, true, last.agent, last.tag};
  // A strong read is no part of a race with atomic operations, so it is not kept.
  if (isStrong)
    return;
  const uint64_t self = uint64_t(1) << by.agent % 64;
  if (!(cell.readers & self))
    for (size_t other = by.agent % 64; other < agents; other += 64)
      row[other] = 0;
  add(row[by.agent], by.clock, bytes);
  std::fill(std::begin(cell.readTags), std::end(cell.readTags), by.tag);
  cell.readers |= self;
}

/// `atomicRow` are the clocks of atomic operations on the word, if there were any, and
/// `plain` the last write before them.
void AccessHistory::writeCell(Cell &cell, const Stamp *row, Stamp *atomicRow,
                              LastWrite *plain, uint8_t bytes, const Accessor &by,
                              Kind kind, Conflict &all) const {
  const bool isAtomic = kind == Kind::Atomic;
  LastWrite &last = cell.write;
  Conflict conflict;
  if (by.isUnordered(last.agent, last.clock) && (last.bytes & bytes) &&
      !(isAtomic && last.atomic))
    conflict = {true, true, last.agent, last.tag};
  for (uint64_t bits = cell.readers; bits; bits &= bits - 1)
    for (size_t other = __builtin_ctzll(bits); other < agents; other += 64)
      if (isUnordered(by, static_cast<uint32_t>(other), row[other], bytes))
        conflict = {true, false, static_cast<uint32_t>(other), cell.readTags[0]};
  if (isAtomic) {
    if (!last.atomic)
      *plain = last;
    else if (by.isUnordered(plain->agent, plain->clock) && (plain->bytes & bytes))
      conflict = {true, true, plain->agent, plain->tag};
    add(atomicRow[by.agent], by.clock, bytes);
  } else if (atomicRow)
    findUnordered(atomicRow, bytes, by, last.tag, conflict);
  if (conflict.found && kind == Kind::Rewrite)
    return;
  if (conflict.found)
    all = conflict;
  // Halves of a word that an agent writes one after the other are one write.
  if (last.agent == by.agent && last.clock == by.clock && last.atomic == isAtomic)
    bytes |= last.bytes & 0xf;
  if (!isAtomic && bytes == 0xf)
    cell.readers = 0;
  last = {by.clock, static_cast<uint16_t>(by.agent), bytes, isAtomic, by.tag};
}

void AccessHistory::readWords(size_t granule, size_t begin, size_t end,
                              const Accessor &by, bool isStrong, Conflict &conflict) {
  split(granule);
  for (size_t word = begin / 4; word * 4 < end; ++word) {
    Cell &cell = words[word];
    const uint8_t bytes = bytesOfWord(word, begin, end);
    readCell(cell, &wordReads[word * agents], bytes, by, isStrong, conflict);
    if (!isStrong && !atomics.empty())
      findUnordered(&atomics[word * agents], bytes, by, cell.write.tag, conflict);
  }
}

void AccessHistory::writeWords(size_t granule, size_t begin, size_t end,
                               const Accessor &by, Kind kind, Conflict &all) {
  split(granule);
  for (size_t word = begin / 4; word * 4 < end; ++word)
    writeCell(words[word], &wordReads[word * agents],
              atomics.empty() ? nullptr : &atomics[word * agents],
              atomics.empty() ? nullptr : &plainWrites[word],
              bytesOfWord(word, begin, end), by, kind, all);
  mergeIfEqual(granule);
}

/// Notes accesses that are no conflict, which most are. It has what it needs in members
/// of its own, which what it writes cannot change.
class AccessHistory::Fast {
public:
  Fast(AccessHistory &history, const Accessor &by)
      : history(history), by(by), agents(history.agents),
        self(uint64_t(1) << by.agent % 64),
        write{by.clock, static_cast<uint16_t>(by.agent), 0xf, false, by.tag},
        isUsable(history.atomics.empty() && agents <= 64),
        isSplit(history.isSplit.data()), cells(history.cells.data()),
        reads(history.reads.data()) {}

  /// Each returns false, with nothing noted, where it does not do. The bits of `bytes`
  /// are what is read or written of the granule.
  bool noteRead(size_t granule, uint16_t bytes) const {
    if (!isUsable)
      return false;
    if (isSplit[granule])
      return readWords(granule, bytes);
    Cell &cell = cells[granule];
    if (isUnordered(cell.write))
      return false;
    Stamp &stamp = reads[granule * agents + by.agent];
    Stamp all = Stamp(by.clock) << stampBits | bytes;
    if (bytes != wholeGranule && cell.readers & self) {
      if (stamp >> stampBits == by.clock)
        all |= stamp;
      else if (stamp & wholeGranule & ~bytes)
        return false; // one clock would not do for both
    }
    stamp = all;
    for (size_t word = 0; word < granuleWords; ++word)
      if (bytes >> 4 * word & 0xf)
        cell.readTags[word] = by.tag;
    cell.readers |= self;
    return true;
  }
  bool noteWrite(size_t granule, uint16_t bytes) const {
    if (!isUsable)
      return false;
    if (isSplit[granule] || bytes != wholeGranule)
      return writeWords(granule, bytes);
    Cell &cell = cells[granule];
    if (!isFree(cell, &reads[granule * agents]))
      return false;
    cell.readers = 0;
    cell.write = write;
    return true;
  }

private:
  bool isUnordered(const LastWrite &last) const {
    return by.isUnordered(last.agent, last.clock);
  }
  /// Whether nobody's access is unordered with a write now.
  bool isFree(const Cell &cell, const Stamp *row) const {
    if (isUnordered(cell.write))
      return false;
    for (uint64_t bits = cell.readers; bits; bits &= bits - 1) {
      auto other = static_cast<uint32_t>(__builtin_ctzll(bits));
      if (by.isUnordered(other, static_cast<uint32_t>(row[other] >> stampBits)))
        return false;
    }
    return true;
  }
  /// Calls `use` with each word of `granule` that `bytes` has bits of, and these, until
  /// it is false; whether it never was.
  template <typename Use> static bool forWords(size_t granule, uint16_t bytes, Use use) {
    for (size_t word = granule * granuleWords; bytes; ++word, bytes >>= 4)
      if (bytes & 0xf && !use(word, bytes & 0xf))
        return false;
    return true;
  }
  bool readWords(size_t granule, uint16_t bytes) const {
    Cell *words = history.words.data();
    auto isSafe = [&](size_t word, unsigned) { return !isUnordered(words[word].write); };
    return forWords(granule, bytes, isSafe) &&
           forWords(granule, bytes, [&](size_t word, unsigned part) {
             Cell &cell = words[word];
             Stamp &stamp = history.wordReads[word * agents + by.agent];
             if (!(cell.readers & self))
               stamp = 0;
             add(stamp, by.clock, static_cast<uint16_t>(part));
             std::fill(std::begin(cell.readTags), std::end(cell.readTags), by.tag);
             cell.readers |= self;
             return true;
           });
  }
  bool writeWords(size_t granule, uint16_t bytes) const {
    if (!forWords(granule, bytes, [](size_t, unsigned part) { return part == 0xf; }))
      return false;
    if (!isSplit[granule] && isUnordered(cells[granule].write))
      return false;
    history.split(granule);
    Cell *words = history.words.data();
    if (!forWords(granule, bytes, [&](size_t word, unsigned) {
          return isFree(words[word], &history.wordReads[word * agents]);
        }))
      return false;
    forWords(granule, bytes, [&](size_t word, unsigned) {
      words[word].readers = 0;
      words[word].write = write;
      return true;
    });
    history.mergeIfEqual(granule);
    return true;
  }

  AccessHistory &history;
  const Accessor by;
  const size_t agents;
  const uint64_t self;
  const LastWrite write;
  const bool isUsable;
  uint8_t *const isSplit;
  Cell *const cells;
  Stamp *const reads;
};

AccessHistory::Conflict AccessHistory::noteRead(size_t offset, size_t size,
                                                const Accessor &by, bool isStrong) {
  Conflict conflict;
  const Fast fast(*this, by);
  forGranules(offset, size, [&](size_t granule, size_t begin, size_t end) {
    const bool isAll = end - begin == granuleBytes;
    if (!isStrong && fast.noteRead(granule, bytesOfGranule(begin, end)))
      return;
    if (isAll && !isSplit[granule] && atomics.empty())
      readCell(cells[granule], &reads[granule * agents], wholeGranule, by, isStrong,
               conflict);
    else
      readWords(granule, begin, end, by, isStrong, conflict);
  });
  return conflict;
}

AccessHistory::Conflict AccessHistory::note(size_t offset, size_t size,
                                            const Accessor &by, Kind kind) {
  Conflict all;
  const Fast fast(*this, by);
  forGranules(offset, size, [&](size_t granule, size_t begin, size_t end) {
    const bool isAll = end - begin == granuleBytes;
    if (kind != Kind::Atomic && fast.noteWrite(granule, bytesOfGranule(begin, end)))
      return;
    // A rewrite that is unordered with the write before it is not noted.
    const LastWrite &last = cells[granule].write;
    if (kind == Kind::Rewrite && !isSplit[granule] && (last.bytes & 0xf) == 0xf &&
        by.isUnordered(last.agent, last.clock))
      return;
    if (isAll && !isSplit[granule] && atomics.empty() && isReadWhole(granule))
      writeCell(cells[granule], &reads[granule * agents], nullptr, nullptr, 0xf, by, kind,
                all);
    else
      writeWords(granule, begin, end, by, kind, all);
  });
  return all;
}

namespace {
/// What the lanes of an instruction access of each granule.
class LaneParts {
public:
  struct Part {
    size_t granule = 0;
    uint16_t bytes = 0;
    uint64_t lanes = 0;
  };
  LaneParts() { memset(slots, none, sizeof(slots)); }

  void add(size_t granule, uint16_t bytes, uint64_t lane) {
    Part &part = find(granule);
    part.bytes |= bytes;
    part.lanes |= lane;
  }
  const Part *begin() const { return parts; }
  const Part *end() const { return parts + count; }

private:
  /// A hash table twice as large as there can be granules.
  static constexpr unsigned slotCount = 128;
  static constexpr uint8_t none = 0xff;

  Part &find(size_t granule) {
    if (count && parts[count - 1].granule == granule)
      return parts[count - 1];
    for (size_t slot = granule * 0x9e3779b1u >> 7;; ++slot) {
      uint8_t &number = slots[slot % slotCount];
      if (number == none) {
        number = static_cast<uint8_t>(count);
        parts[count].granule = granule;
        return parts[count++];
      }
      if (parts[number].granule == granule)
        return parts[number];
    }
  }
  uint8_t slots[slotCount];
  Part parts[64];
  unsigned count = 0;
};
} // namespace

/// Calls `note` with each granule that lanes next to each other access bytes of, these,
/// and the lanes. Those of `lanes` that access more than one granule.
template <typename Offset, typename Note>
static uint64_t forLanes(const Offset *offsets, uint64_t lanes, unsigned size,
                         Note note) {
  constexpr size_t granuleBytes = AccessHistory::granuleBytes;
  uint64_t left = 0;
  LaneParts::Part part;
  for (; lanes; lanes &= lanes - 1) {
    const size_t begin = offsets[__builtin_ctzll(lanes)], end = begin + size;
    const size_t granule = begin / granuleBytes;
    if (granule != (end - 1) / granuleBytes) {
      left |= lanes & -lanes;
      continue;
    }
    if (part.lanes && granule != part.granule) {
      note(part);
      part = {};
    }
    part.granule = granule;
    part.bytes |= bytesOfGranule(begin, end);
    part.lanes |= lanes & -lanes;
  }
  if (part.lanes)
    note(part);
  return left;
}

template <typename Offset>
uint64_t AccessHistory::noteLaneReads(const Offset *offsets, uint64_t lanes,
                                      unsigned size, const Accessor &by) {
  const Fast fast(*this, by);
  uint64_t failed = 0;
  const uint64_t left = forLanes(offsets, lanes, size, [&](const LaneParts::Part &part) {
    if (!fast.noteRead(part.granule, part.bytes))
      failed |= part.lanes;
  });
  return left | failed;
}

template <typename Offset>
uint64_t AccessHistory::noteLaneWrites(const Offset *offsets, uint64_t lanes,
                                       unsigned size, const Accessor &by) {
  const Fast fast(*this, by);
  if (size == granuleBytes) {
    uint64_t failed = 0;
    const uint64_t left =
        forLanes(offsets, lanes, size, [&](const LaneParts::Part &part) {
          if (!fast.noteWrite(part.granule, part.bytes))
            failed |= part.lanes;
        });
    return left | failed;
  }
  // Lanes anywhere in the warp may write the parts of one granule.
  LaneParts parts;
  uint64_t left = forLanes(offsets, lanes, size, [&](const LaneParts::Part &part) {
    parts.add(part.granule, part.bytes, part.lanes);
  });
  for (const LaneParts::Part &part : parts)
    if (!fast.noteWrite(part.granule, part.bytes))
      left |= part.lanes;
  return left;
}

namespace tilewright::emulator {
template uint64_t AccessHistory::noteLaneReads(const uint32_t *, uint64_t, unsigned,
                                               const Accessor &);
template uint64_t AccessHistory::noteLaneReads(const uint64_t *, uint64_t, unsigned,
                                               const Accessor &);
template uint64_t AccessHistory::noteLaneWrites(const uint32_t *, uint64_t, unsigned,
                                                const Accessor &);
template uint64_t AccessHistory::noteLaneWrites(const uint64_t *, uint64_t, unsigned,
                                                const Accessor &);
} // namespace tilewright::emulator

void AccessHistory::beginAtomics() {
  if (!atomics.empty())
    return;
  atomics.assign(cells.size() * granuleWords * agents, 0);
  plainWrites.assign(cells.size() * granuleWords, {});
}

void AccessHistory::markAsync(size_t offset, size_t size) {
  forGranules(offset, size, [&](size_t granule, size_t begin, size_t end) {
    if (end - begin == granuleBytes && !isSplit[granule]) {
      cells[granule].write.bytes |= asyncMark;
      return;
    }
    split(granule);
    for (size_t word = begin / 4; word * 4 < end; ++word)
      words[word].write.bytes |= asyncMark;
  });
}
