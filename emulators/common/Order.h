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
  /// Makes the clock of `agent` at most `clock`.
  void lower(size_t agent, uint32_t clock) {
    if (agent < clocks.size() && clocks[agent] > clock)
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

/// Who makes accesses, and when: looked up once for those of an instruction.
struct Accessor {
  /// Agent `agent`, whose clock is `now`, by the instruction that `tag` names.
  Accessor(uint32_t agent, const VectorClock &now, uint32_t tag)
      : agent(agent), clock(now[agent] + 1), tag(tag), seen(now.data()),
        seenCount(now.size()) {}

  /// Whether what `other` did at `when` is not ordered before now.
  bool isUnordered(uint32_t other, uint32_t when) const {
    return other != agent && when > (other < seenCount ? seen[other] : 0);
  }

  const uint32_t agent;
  const uint32_t clock; ///< from 1 on, so that 0 is "never"
  const uint32_t tag;

private:
  const uint32_t *seen;
  size_t seenCount;
};

/// What the race check knows of a memory: who wrote each word of four bytes last and
/// when, and when each agent last read it, with the bytes of the word that were accessed.
///
/// Most accesses are of whole granules of four words, which then have one history; it
/// also has room for who read which bytes, as long as each agent read them at one
/// clock. Any other access of a part of a granule splits it into words, and it is whole
/// again when its words have been written by one write and not been read since.
class AccessHistory {
public:
  /// Of no memory yet.
  AccessHistory() = default;
  /// Forgets all; from now on of `bytes` bytes that `agents` agents use.
  void reset(size_t bytes, size_t agents);

  /// Another agent's access that the one at hand conflicts with.
  struct Conflict {
    bool found = false;
    bool wasWrite = false;
    uint32_t agent = 0;
    /// Which instruction it was: its Accessor's tag.
    uint32_t tag = 0;
  };

  /// `by` reads or writes `size` bytes at `offset`. A strong read conflicts with no
  /// atomic.
  Conflict noteRead(size_t offset, size_t size, const Accessor &by,
                    bool isStrong = false);
  Conflict noteWrite(size_t offset, size_t size, const Accessor &by) {
    return note(offset, size, by, Kind::Write);
  }
  /// As a write, of what is there already: no conflict, and not noted where a write of
  /// something new would have been one.
  Conflict noteRewrite(size_t offset, size_t size, const Accessor &by) {
    return note(offset, size, by, Kind::Rewrite);
  }
  /// As a write, but two of them do not conflict: atomic operations order themselves.
  Conflict noteAtomic(size_t offset, size_t size, const Accessor &by) {
    beginAtomics();
    return note(offset, size, by, Kind::Atomic);
  }

  static constexpr size_t granuleWords = 4, granuleBytes = 4 * granuleWords;
  /// Of lanes that each read or write `size` bytes, at `offsets` (of 32 or 64 bits),
  /// notes most that are no conflict; the others, which are left to be noted.
  template <typename Offset>
  uint64_t noteLaneReads(const Offset *offsets, uint64_t lanes, unsigned size,
                         const Accessor &by);
  template <typename Offset>
  uint64_t noteLaneWrites(const Offset *offsets, uint64_t lanes, unsigned size,
                          const Accessor &by);

  /// In LastWrite::bytes: an asynchronous copy made the write.
  static constexpr uint8_t asyncMark = 0x80;
  struct LastWrite {
    uint32_t clock = 0; ///< 0: none
    uint16_t agent = 0;
    uint8_t bytes = 0; ///< a bit for each byte of the word
    bool atomic = false;
    uint32_t tag = 0;

    bool operator==(const LastWrite &other) const {
      return clock == other.clock && agent == other.agent && bytes == other.bytes &&
             atomic == other.atomic && tag == other.tag;
    }
  };
  const LastWrite &getLastWrite(size_t offset) const {
    size_t granule = offset / granuleBytes;
    return isSplit[granule] ? words[offset / 4].write : cells[granule].write;
  }
  /// The tag of the word's last read.
  uint32_t getReadTag(size_t offset) const {
    size_t granule = offset / granuleBytes;
    const Cell &cell = isSplit[granule] ? words[offset / 4] : cells[granule];
    return cell.readTags[offset / 4 % granuleWords];
  }
  /// Calls `use` with the last writes of these bytes and the offset of the first word of
  /// each, upwards, until it returns true.
  template <typename Use> void forLastWrites(size_t offset, size_t size, Use use) const {
    const size_t end = offset + size;
    for (size_t word = offset / 4; word * 4 < end;) {
      size_t granule = word / granuleWords;
      if (use(word * 4, isSplit[granule] ? words[word].write : cells[granule].write))
        return;
      word = isSplit[granule] ? word + 1 : (granule + 1) * granuleWords;
    }
  }
  /// Marks the last writes of these bytes as made by an asynchronous copy: the async
  /// proxy sees them without a fence.
  void markAsync(size_t offset, size_t size);

private:
  enum class Kind : uint8_t { Write, Rewrite, Atomic };

  /// The history of a granule, or of one of its words.
  struct Cell {
    LastWrite write;
    uint32_t readTags[granuleWords] = {}; ///< the last read's, of each word
    /// A bit for each agent modulo 64 that read it since it was last written whole. Reads
    /// before that write are ordered before whatever is ordered after it.
    uint64_t readers = 0;
  };

  /// Calls `function` with each granule and the part [begin, end) of it that lies in
  /// [offset, offset + size).
  template <typename Function>
  static void forGranules(size_t offset, size_t size, Function function) {
    for (const size_t last = offset + size; offset < last;) {
      size_t granule = offset / granuleBytes;
      size_t end = (granule + 1) * granuleBytes;
      end = end < last ? end : last;
      function(granule, offset, end);
      offset = end;
    }
  }
  Conflict note(size_t offset, size_t size, const Accessor &by, Kind kind);

  /// When an agent accessed a word, or a granule that is not split, and which of its
  /// bytes: clock << 16 | bytes. At one clock bytes add up.
  using Stamp = uint64_t;
  static constexpr unsigned stampBits = granuleBytes;
  static void add(Stamp &stamp, uint32_t clock, uint16_t bytes) {
    const Stamp now = Stamp(clock) << stampBits;
    stamp = (stamp >> stampBits == clock ? stamp : now) | bytes;
  }
  static bool isUnordered(const Accessor &by, uint32_t other, Stamp stamp,
                          uint16_t bytes) {
    return by.isUnordered(other, static_cast<uint32_t>(stamp >> stampBits)) &&
           stamp & bytes;
  }

  class Fast;
  void readCell(Cell &cell, Stamp *row, uint16_t bytes, const Accessor &by, bool isStrong,
                Conflict &conflict) const;
  void writeCell(Cell &cell, const Stamp *row, Stamp *atomicRow, LastWrite *plain,
                 uint8_t bytes, const Accessor &by, Kind kind, Conflict &all) const;
  void readWords(size_t granule, size_t begin, size_t end, const Accessor &by,
                 bool isStrong, Conflict &conflict);
  void writeWords(size_t granule, size_t begin, size_t end, const Accessor &by, Kind kind,
                  Conflict &all);
  void findUnordered(const Stamp *atomicRow, uint8_t bytes, const Accessor &by,
                     uint32_t tag, Conflict &conflict) const;
  void beginAtomics();
  void split(size_t granule);
  bool isReadWhole(size_t granule) const;
  void mergeIfEqual(size_t granule);

  size_t agents = 0;
  std::vector<Cell> cells;      // by granule; meaningless where it is split
  std::vector<uint8_t> isSplit; // by granule
  std::vector<Stamp> reads;     // by granule: each agent's last read
  std::vector<Cell> words;      // of split granules; empty before the first
  std::vector<Stamp> wordReads; // by word, as `reads`
  /// Each agent's last atomic operation on each word; empty before the first. The last
  /// write alone would not do: others' before it are as unordered.
  std::vector<Stamp> atomics;
  /// Of each word the last write that was none, where atomic operations came after it;
  /// empty before the first.
  std::vector<LastWrite> plainWrites;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_ORDER_H
