//===- Order.cpp - What happens before what -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Order.h"

#include <algorithm>

using namespace tilewright::emulator;

AccessHistory::AccessHistory(size_t bytes, size_t agents)
    : agents(agents), writes((bytes + 3) / 4), reads((bytes + 3) / 4 * agents, 0),
      readTags((bytes + 3) / 4, 0), readers((bytes + 3) / 4, 0) {}

/// The bytes of word `word` that lie in [offset, offset + size), as bits.
static uint8_t bytesOfWord(size_t word, size_t offset, unsigned size) {
  size_t begin = std::max(word * 4, offset), end = std::min(word * 4 + 4, offset + size);
  return static_cast<uint8_t>(((1u << (end - begin)) - 1) << (begin - word * 4));
}

AccessHistory::Conflict AccessHistory::noteRead(size_t offset, unsigned size,
                                                uint32_t agent, const VectorClock &now,
                                                uint32_t tag, bool isStrong) {
  Conflict conflict;
  const uint32_t clock = now[agent] + 1; // from 1 on, so that 0 is "never"
  const uint64_t self = uint64_t(1) << agent % 64;
  const bool isWhole = offset % 4 == 0 && size % 4 == 0;
  for (size_t word = offset / 4; word * 4 < offset + size; ++word) {
    const LastWrite &last = writes[word];
    const uint8_t bytes = isWhole ? 0xf : bytesOfWord(word, offset, size);
    if (last.clock && last.agent != agent && last.clock > now[last.agent] &&
        (last.bytes & bytes) && !(isStrong && last.atomic))
      conflict = {true, true, last.agent, last.tag};
    // A strong read is no part of a race with atomic operations, so it is not kept.
    if (isStrong)
      continue;
    if (!atomics.empty())
      noteUnordered(atomics, word, bytes, agent, now, /*wasWrite=*/true, last.tag,
                    conflict);
    add(reads[word * agents + agent], clock, bytes);
    readTags[word] = tag;
    readers[word] |= self;
  }
  return conflict;
}

/// Sets `conflict` where another agent's access to `bytes` of `word`, of those in
/// `stamps`, is not ordered before now.
void AccessHistory::noteUnordered(const std::vector<Stamp> &stamps, size_t word,
                                  uint8_t bytes, uint32_t agent, const VectorClock &now,
                                  bool wasWrite, uint32_t tag, Conflict &conflict) const {
  const Stamp *row = &stamps[word * agents];
  for (size_t other = 0; other < agents; ++other)
    if (isUnordered(row[other], now[other], bytes) && other != agent)
      conflict = {true, wasWrite, static_cast<uint32_t>(other), tag};
}

AccessHistory::Conflict AccessHistory::note(size_t offset, unsigned size, uint32_t agent,
                                            const VectorClock &now, uint32_t tag,
                                            bool isAtomic, bool isRewrite) {
  Conflict all;
  const uint32_t clock = now[agent] + 1; // from 1 on, so that 0 is "never"
  const bool isWhole = offset % 4 == 0 && size % 4 == 0;
  for (size_t word = offset / 4; word * 4 < offset + size; ++word) {
    LastWrite &last = writes[word];
    // Most words are written whole, by whoever wrote them before or has synchronised with
    // it.
    if (isWhole && !readers[word] &&
        (last.agent == agent || last.clock <= now[last.agent])) {
      last = {clock, static_cast<uint16_t>(agent), 0xf, isAtomic, tag};
      continue;
    }
    uint8_t bytes = bytesOfWord(word, offset, size);
    Conflict conflict;
    if (last.clock && last.agent != agent && last.clock > now[last.agent] &&
        (last.bytes & bytes) && !(isAtomic && last.atomic))
      conflict = {true, true, last.agent, last.tag};
    if (readers[word]) {
      const Stamp *row = &reads[word * agents];
      for (uint64_t bits = readers[word]; bits; bits &= bits - 1)
        for (size_t other = __builtin_ctzll(bits); other < agents; other += 64)
          if (isUnordered(row[other], now[other], bytes) && other != agent)
            conflict = {true, false, static_cast<uint32_t>(other), readTags[word]};
    }
    if (!isAtomic && !atomics.empty())
      noteUnordered(atomics, word, bytes, agent, now, /*wasWrite=*/true, last.tag,
                    conflict);
    if (isAtomic) {
      if (atomics.empty())
        atomics.assign(reads.size(), 0);
      add(atomics[word * agents + agent], clock, bytes);
    }
    if (conflict.found && isRewrite)
      continue;
    if (conflict.found)
      all = conflict;
    if (!isAtomic && bytes == 0xf)
      readers[word] = 0;
    // Halves of a word that an agent writes one after the other are one write.
    if (last.agent == agent && last.clock == clock && last.atomic == isAtomic)
      bytes |= last.bytes & 0xf;
    last = {clock, static_cast<uint16_t>(agent), bytes, isAtomic, tag};
  }
  return all;
}

AccessHistory::Conflict AccessHistory::noteWrite(size_t offset, unsigned size,
                                                 uint32_t agent, const VectorClock &now,
                                                 uint32_t tag) {
  return note(offset, size, agent, now, tag, /*isAtomic=*/false);
}

AccessHistory::Conflict AccessHistory::noteRewrite(size_t offset, unsigned size,
                                                   uint32_t agent, const VectorClock &now,
                                                   uint32_t tag) {
  return note(offset, size, agent, now, tag, /*isAtomic=*/false, /*isRewrite=*/true);
}

AccessHistory::Conflict AccessHistory::noteAtomic(size_t offset, unsigned size,
                                                  uint32_t agent, const VectorClock &now,
                                                  uint32_t tag) {
  return note(offset, size, agent, now, tag, /*isAtomic=*/true);
}
