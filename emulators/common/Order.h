//===- Order.h - What happens before what -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vector clocks, after FastTrack (Flanagan and Freund, PLDI 2009). An agent (a warp or a
// wave) has a clock for each agent of its block: how far of that agent's past it has
// synchronised with. An access at clock c of agent a happened before now iff now's clock
// of a is greater than c.
//
//   release:   the agent's own clock steps on, then object := max(object, agent)
//   acquire:   agent := max(agent, object)
//   barrier:   everyone releases to it, then everyone acquires it
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_ORDER_H
#define TILEWRIGHT_EMULATORS_COMMON_ORDER_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tilewright::emulator {

/// One clock for each agent.
class VectorClock {
public:
  VectorClock() = default;
  explicit VectorClock(size_t agents) : clocks(agents, 0) {}

  uint32_t operator[](size_t agent) const {
    return agent < clocks.size() ? clocks[agent] : 0;
  }
  void step(size_t agent) {
    grow(agent + 1);
    ++clocks[agent];
  }
  /// Makes the clock of `agent` at least `clock`.
  void raise(size_t agent, uint32_t clock) {
    grow(agent + 1);
    if (clocks[agent] < clock)
      clocks[agent] = clock;
  }
  void join(const VectorClock &other) {
    grow(other.clocks.size());
    for (size_t i = 0; i < other.clocks.size(); ++i)
      if (other.clocks[i] > clocks[i])
        clocks[i] = other.clocks[i];
  }
  const uint32_t *data() const { return clocks.data(); }
  size_t size() const { return clocks.size(); }

private:
  void grow(size_t size) {
    if (clocks.size() < size)
      clocks.resize(size, 0);
  }
  std::vector<uint32_t> clocks;
};

/// What the race check knows of the words of a memory: who wrote each last and when, and
/// when each agent last read it. A word is four bytes; a write remembers which of them.
class AccessHistory {
public:
  /// Of `bytes` bytes that `agents` agents use.
  AccessHistory(size_t bytes, size_t agents);

  /// Another agent's access that the one at hand conflicts with.
  struct Conflict {
    bool found = false;
    bool wasWrite = false;
    uint32_t agent = 0;
    /// Which instruction it was: what `noteRead` or `noteWrite` was given.
    uint32_t tag = 0;
  };

  /// Agent `agent`, whose clock is `now`, reads or writes `size` bytes at `offset`. `tag`
  /// names the instruction for later conflicts. A strong read conflicts with no atomic.
  Conflict noteRead(size_t offset, unsigned size, uint32_t agent, const VectorClock &now,
                    uint32_t tag, bool isStrong = false);
  Conflict noteWrite(size_t offset, unsigned size, uint32_t agent, const VectorClock &now,
                     uint32_t tag);
  /// As a write, of what is there already: no conflict, and not noted where a write of
  /// something new would have been one.
  Conflict noteRewrite(size_t offset, unsigned size, uint32_t agent,
                       const VectorClock &now, uint32_t tag);
  /// As a write, but two of them do not conflict: atomic operations order themselves.
  Conflict noteAtomic(size_t offset, unsigned size, uint32_t agent,
                      const VectorClock &now, uint32_t tag);

  /// In LastWrite::bytes: an asynchronous copy made the write.
  static constexpr uint8_t asyncMark = 0x80;
  struct LastWrite {
    uint32_t clock = 0; ///< 0: none
    uint16_t agent = 0;
    uint8_t bytes = 0; ///< a bit for each byte of the word
    bool atomic = false;
    uint32_t tag = 0;
  };
  const LastWrite &getLastWrite(size_t offset) const { return writes[offset / 4]; }
  /// What the last read of the word was given as its tag.
  uint32_t getReadTag(size_t offset) const { return readTags[offset / 4]; }
  /// Marks the last writes of these bytes as made by an asynchronous copy: the async
  /// proxy sees them without a fence.
  void markAsync(size_t offset, size_t size) {
    for (size_t word = offset / 4; word * 4 < offset + size; ++word)
      writes[word].bytes |= asyncMark;
  }

private:
  Conflict note(size_t offset, unsigned size, uint32_t agent, const VectorClock &now,
                uint32_t tag, bool isAtomic, bool isRewrite = false);

  void noteUnordered(const std::vector<uint32_t> &clocks, size_t word, uint32_t agent,
                     const VectorClock &now, bool wasWrite, uint32_t tag,
                     Conflict &conflict) const;

  size_t agents;
  std::vector<LastWrite> writes;
  std::vector<uint32_t> reads;    // clock of each agent's last read of each word
  std::vector<uint32_t> readTags; // of each word: the last read's
  /// Of each word: a bit for each agent modulo 64 that read it since it was last written.
  /// Reads before that write are ordered before whatever is ordered after it.
  std::vector<uint64_t> readers;
  /// Clock of each agent's last atomic operation on each word; empty before the first.
  /// The last write alone would not do: others' before it are as unordered.
  std::vector<uint32_t> atomics;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_ORDER_H
