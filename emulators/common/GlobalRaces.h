//===- GlobalRaces.h - The race check on global memory ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Happens-before between all agents (warps, waves) of a launch. Within a party (a
// cluster, a work-group) it is what the vector clocks of shared memory's race check say;
// between parties nothing orders but what programs synchronise through global memory by:
//
//   release   an operation on a word to which its agent gives all that a clock has seen
//   acquire   an operation that reads the word, or the next fence after it; other agents
//             of the party have it as soon as they synchronise with that agent
//
// Which operations do either is each vendor's to say. What a non-coherent load reads no
// thread of the launch writes, ordered or not.
//
// What is found is a race, and not every race is found. A launch starts with nothing
// noted, since kernel boundaries order everything. There are too many agents to keep a
// clock for each pair, so clocks of other parties are sparse, and of the reads of a word
// the last four agents' are remembered.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_GLOBALRACES_H
#define TILEWRIGHT_EMULATORS_COMMON_GLOBALRACES_H

#include "emulators/common/Memory.h"
#include "emulators/common/Order.h"

#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace tilewright::emulator {

class GlobalRaces {
public:
  /// Clocks of the agents of parties, by party.
  using SparseClock = std::unordered_map<uint32_t, VectorClock>;

  /// What the agents of a party have acquired from other parties; only the host thread
  /// that runs the party uses it.
  class Acquisitions {
  public:
    bool hasSeen(uint32_t self, const VectorClock &now, uint32_t party, uint32_t agent,
                 uint32_t clock) const;

  private:
    friend class GlobalRaces;
    struct Event {
      uint32_t agent, clock; ///< who acquired, and when
      SparseClock seen;
    };
    std::vector<Event> events;
    /// Read by operations that do not acquire; acquired by the next fence of an agent
    /// that knows of it.
    std::vector<Event> observed;

    /// Whether an agent whose clock is `now` may rely on what `event` acquired.
    static bool isBefore(const Event &event, uint32_t agent, const VectorClock &now) {
      return event.agent == agent || event.clock <= now[event.agent];
    }
  };

  /// Who accesses memory: an agent of a party, its clock, and the instruction at hand.
  struct Agent {
    uint32_t party, agent;
    const VectorClock &now;
    Acquisitions &acquired;
    uint32_t tag;
  };
  enum class Kind : uint8_t {
    Read,
    NonCoherentRead,
    StrongRead, ///< conflicts with no atomic operation
    Write,
    Rewrite, ///< of what is there already: no conflict
    Atomic,  ///< conflicts with no other and no strong read
  };

  /// An access that the one at hand conflicts with.
  struct Conflict {
    bool found = false, wasWrite = false, wasAtomic = false;
    bool isInside = false; ///< of the same party
    uint32_t party = 0, agent = 0, tag = 0;
    /// Of a non-coherent load and any write, or the other way round: the other's
    /// instruction.
    bool isNonCoherent = false;
    uint32_t nonCoherentTag = 0;
  };
  /// `by` accesses `size` bytes at `offset` of `allocation`.
  Conflict note(const Agent &by, const Allocation &allocation, uint64_t offset,
                uint32_t size, Kind kind);

  /// The tag of `by`'s last read of the word at `offset`; 0 where it is not known.
  uint32_t getReadTag(const Agent &by, const Allocation &allocation, uint64_t offset);

  /// `by` releases what `clock`, one of its party's, has seen to the word at `address`; a
  /// store (not an atomic operation) ends what others had released to it.
  void release(const Agent &by, uint64_t address, const VectorClock &clock, bool isStore);
  /// A store that releases nothing: whoever reads it acquires nothing.
  void forget(uint64_t address);
  /// `by` reads the word at `address` by an operation that acquires, or (`waitsForFence`)
  /// that does so with the next fence.
  void acquire(const Agent &by, uint64_t address, bool waitsForFence);
  void acquireByFence(const Agent &by);

private:
  struct Mark {
    uint32_t party = 0; ///< plus 1; 0: none
    uint32_t agent = 0; ///< in its party
    uint32_t clock = 0;
    uint32_t tag = 0;
    uint8_t bytes = 0; ///< of the word
    bool isBy(const Mark &other) const {
      return party == other.party && agent == other.agent;
    }
  };
  /// What is known of four bytes.
  struct Word {
    Mark write, reads[4];
    bool atomic = false;
    uint8_t nonCoherentBytes = 0; ///< that non-coherent loads have read, the last `tag`
    uint32_t nonCoherentTag = 0;
  };
  struct History {
    explicit History(uint64_t bytes) : words((bytes + 3) / 4) {}
    std::vector<Word> words;
    std::array<std::mutex, 16> locks; // by 256 bytes
  };
  History &historyOf(const Allocation &allocation);

  std::shared_mutex lock;
  std::unordered_map<uint64_t, std::unique_ptr<History>> histories; // by serial
  std::mutex clockLock;
  std::unordered_map<uint64_t, SparseClock> released; // by address
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_GLOBALRACES_H
