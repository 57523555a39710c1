//===- Mbarrier.h - The mbarrier state machine --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A phase is complete when no arrival and no transaction byte is pending; then the next
// one starts with the expected count of arrivals:
//
//   init(2)           phase 0, pending 2, bytes 0
//   expect_tx(128)    phase 0, pending 2, bytes 128
//   arrive, arrive    phase 0, pending 0, bytes 128
//   complete_tx(128)  phase 1, pending 2, bytes 0      a wait with parity 0 succeeds
//
// Asynchronous operations are deferred: they land, that is write memory and tell the
// barrier, when a warp tests the phase that they belong to for the second time and
// nothing else is missing. So data is never there before the wait that covers it, nor
// after a wait whose answer is not looked at. The phase 0 above, with a copy of 128 bytes
// deferred, completes in a warp's second test.
//
// The eight bytes in shared memory are marked Opaque: what reads or writes them otherwise
// is reported.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MBARRIER_H
#define TILEWRIGHT_EMULATORS_PTX_MBARRIER_H

#include "emulators/ptx/Block.h"

#include <functional>
#include <map>

namespace tilewright::ptx {

/// The largest arrival count, and the largest byte count either way.
constexpr int64_t mbarrierLimit = (1 << 20) - 1;

/// An asynchronous operation that an mbarrier is told of when it is complete.
struct DeferredOperation {
  /// Writes memory and ends the Pending marks; null where there is nothing to write. The
  /// barrier tells itself of `bytes` and `arrivals` afterwards.
  std::function<void()> land;
  uint32_t bytes = 0;    ///< of complete-tx
  uint32_t arrivals = 0; ///< of an arrive-on that the completion triggers
  /// What whoever waits for the phase synchronises with: usually a clock that
  /// `Block::release` of the issuer was given.
  emulator::VectorClock clock;
};

class Mbarrier {
public:
  Mbarrier(Block &owner, uint32_t offset, uint32_t count)
      : owner(owner), offset(offset), expected(count), total(count), pending(count) {}

  Block &owner;
  const uint32_t offset; ///< in the owner's shared memory

  // Each changes the state, or gives the text of what is wrong and changes nothing.
  std::string arrive(int64_t count);
  std::string arriveAndDrop(int64_t count);
  std::string expectTx(int64_t bytes);
  std::string completeTx(int64_t bytes);
  /// As cp.async.mbarrier.arrive without .noinc: `count` more arrivals, of this phase
  /// only.
  std::string addPending(int64_t count);
  /// What an arrival brings: the phase's waiters acquire it. Call it before `arrive`.
  emulator::VectorClock &getArriving() { return arriving; }
  const emulator::VectorClock &getCompleted() const { return completed; }

  void defer(DeferredOperation operation);
  bool hasDeferred() const { return !deferred.empty(); }
  /// Whether a copy that it is told of has not landed.
  bool hasCopies() const;
  /// Whether `agent` has found deferred operations in this phase before; it has now. The
  /// first time they are still under way, so that a program that does not look at the
  /// answer of its wait is found out.
  bool pollsAgain(uint32_t agent);
  /// Lands the deferred operations if with them no arrival of the phase is missing.
  std::string landDeferred();

  uint64_t getPhase() const { return phase; }
  int64_t getPending() const { return pending; }
  int64_t getExpected() const { return expected; }
  int64_t getBytes() const { return bytes; }
  /// "phase 3 of the mbarrier at 1024: 1 of 2 arrivals and 128 bytes are pending".
  std::string describe() const;

  // Who initialised it and when, and who has used it since, for the race check.
  uint32_t initAgent = 0, initClock = 0;
  emulator::VectorClock uses;

private:
  void completeIfDone();
  emulator::VectorClock polls; ///< of each agent: the last phase it tested, plus 1

  uint64_t phase = 0; ///< phases completed
  int64_t expected;   ///< arrivals of the next phase
  int64_t total;      ///< of this one, for messages
  int64_t pending;
  int64_t bytes = 0;
  emulator::VectorClock arriving, completed;
  std::vector<DeferredOperation> deferred;
};

/// The mbarriers in a block's shared memory.
class MbarrierTable : public BlockState {
public:
  Mbarrier *find(uint32_t offset);
  Mbarrier &add(Block &owner, uint32_t offset, uint32_t count);
  void remove(uint32_t offset) { barriers.erase(offset); }
  /// One that holds a byte of [offset, offset + size); null if none does.
  Mbarrier *findOverlap(uint32_t offset, uint32_t size);
  /// One that is told of copies that have not landed; null if none is.
  const Mbarrier *findUnfinished() const;

private:
  std::map<uint32_t, Mbarrier> barriers; // by offset
};

/// The initialised mbarrier at `address` of `space` that `lane` of `warp` uses now,
/// itself or by an asynchronous operation that it starts: of the latter the manual says
/// that they access their mbarrier by the generic proxy. Null where a fault was reported:
/// misaligned, out of bounds, not initialised, or initialised by a warp that `warp` has
/// not synchronised with.
Mbarrier *findMbarrier(Warp &warp, Space space, uint64_t address, unsigned lane);
/// As above, of what lies at `offset` of `owner`'s shared memory: the barriers of a
/// multicast.
Mbarrier *findMbarrier(Warp &warp, Block &owner, uint32_t offset, unsigned lane);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MBARRIER_H
