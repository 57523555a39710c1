//===- Order.cpp - What happens before what -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Order.h"

#include <algorithm>

using namespace tilewright::emulator;

void AccessHistory::reset(size_t bytes, size_t agentCount) {
  agents = agentCount;
  const size_t count = (bytes + granuleBytes - 1) / granuleBytes;
  cells.assign(count, Cell());
  isSplit.assign(count, false);
  // Rows are read where `readers` says that they were written, words where they are split.
  reads.resize(count * agents);
  atomics.clear();
}

/// The bytes of word `word` that lie in [begin, end), as bits.
static uint8_t bytesOfWord(size_t word, size_t begin, size_t end) {
  size_t first = std::max(word * 4, begin), last = std::min(word * 4 + 4, end);
  return static_cast<uint8_t>(((1u << (last - first)) - 1) << (first - word * 4));
}

/// Gives each word of `granule` a history of its own, if they have none.
void AccessHistory::split(size_t granule) {
  if (isSplit[granule])
    return;
  words.resize(cells.size() * granuleWords);
  wordReads.resize(words.size() * agents);
  isSplit[granule] = true;
  for (size_t word = granule * granuleWords; word < (granule + 1) * granuleWords; ++word) {
    words[word] = cells[granule];
    std::copy_n(&reads[granule * agents], agents, &wordReads[word * agents]);
  }
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

/// Sets `conflict` where another agent's atomic operation is not ordered before now.
void AccessHistory::findUnordered(const uint32_t *atomicRow, const Accessor &by,
                                  uint32_t tag, Conflict &conflict) const {
  for (uint32_t other = 0; other < agents; ++other)
    if (by.isUnordered(other, atomicRow[other]))
      conflict = {true, true, other, tag};
}

void AccessHistory::readWords(size_t granule, size_t begin, size_t end,
                              const Accessor &by, bool isStrong, Conflict &conflict) {
  split(granule);
  for (size_t word = begin / 4; word * 4 < end; ++word) {
    Cell &cell = words[word];
    readCell(cell, &wordReads[word * agents], bytesOfWord(word, begin, end), by, isStrong,
             conflict);
    if (!isStrong && !atomics.empty())
      findUnordered(&atomics[word * agents], by, cell.write.tag, conflict);
  }
}

void AccessHistory::writeWords(size_t granule, size_t begin, size_t end,
                               const Accessor &by, Kind kind, Conflict &all) {
  split(granule);
  for (size_t word = begin / 4; word * 4 < end; ++word)
    writeCell(words[word], &wordReads[word * agents],
              atomics.empty() ? nullptr : &atomics[word * agents],
              bytesOfWord(word, begin, end), by, kind, all);
  mergeIfEqual(granule);
}

/// Calls `note` with each of `lanes` and its granule; the lanes for which it is false.
template <typename Note>
static uint32_t forWholeGranules(const uint32_t *offsets, uint32_t lanes,
                                 const uint8_t *isSplit, Note note) {
  uint32_t left = 0;
  for (; lanes; lanes &= lanes - 1) {
    const unsigned lane = __builtin_ctz(lanes);
    const uint32_t granule = offsets[lane] / AccessHistory::granuleBytes;
    if (offsets[lane] % AccessHistory::granuleBytes || isSplit[granule] || !note(granule))
      left |= lanes & -lanes;
  }
  return left;
}

// Below, members and clocks are kept in locals, which what is written cannot change.

uint32_t AccessHistory::noteGranuleReads(const uint32_t *offsets, uint32_t lanes,
                                         const Accessor &accessor) {
  const Accessor by = accessor;
  const size_t count = agents;
  if (!atomics.empty() || count > 64)
    return lanes;
  const uint64_t self = uint64_t(1) << by.agent;
  Cell *const cell = cells.data();
  uint32_t *const row = reads.data() + by.agent;
  return forWholeGranules(offsets, lanes, isSplit.data(), [=](uint32_t granule) {
    Cell &one = cell[granule];
    if (by.isUnordered(one.write.agent, one.write.clock))
      return false;
    row[granule * count] = by.clock;
    one.readTag = by.tag;
    one.readers |= self;
    return true;
  });
}

uint32_t AccessHistory::noteGranuleWrites(const uint32_t *offsets, uint32_t lanes,
                                          const Accessor &accessor) {
  const Accessor by = accessor;
  const size_t count = agents;
  if (!atomics.empty() || count > 64)
    return lanes;
  const LastWrite write{by.clock, static_cast<uint16_t>(by.agent), 0xf, false, by.tag};
  Cell *const cell = cells.data();
  const uint32_t *const row = reads.data();
  return forWholeGranules(offsets, lanes, isSplit.data(), [=](uint32_t granule) {
    Cell &one = cell[granule];
    if (by.isUnordered(one.write.agent, one.write.clock))
      return false;
    for (uint64_t bits = one.readers; bits; bits &= bits - 1) {
      uint32_t other = static_cast<uint32_t>(__builtin_ctzll(bits));
      if (by.isUnordered(other, row[granule * count + other]))
        return false;
    }
    one.readers = 0;
    one.write = write;
    return true;
  });
}

void AccessHistory::beginAtomics() {
  if (atomics.empty())
    atomics.assign(cells.size() * granuleWords * agents, 0);
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
