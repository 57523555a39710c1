//===- GlobalRaces.h - The race check on global memory ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Happens-before between all warps of a launch. Within a cluster (a single block where
// the launch has none) it is what the vector clocks of shared memory's race check say;
// between clusters nothing orders but atomic operations and strong loads and stores of
// global memory:
//
//   release   an operation with .release or .acq_rel: all that its warp has synchronised
//             with; or a relaxed one of a warp that has executed a releasing fence
//             before: what there was at the fence
//   acquire   an operation with .acquire or .acq_rel, or the next acquiring fence after a
//             relaxed one; other warps of the cluster have it as soon as they synchronise
//             with that warp
//
// What ld.nc reads no thread of the launch writes, ordered or not.
//
// What is found is a race, and not every race is found. A launch starts with nothing
// noted, since kernel boundaries order everything. There are too many warps to keep a
// clock for each pair, so clocks of other clusters are sparse, and of the reads of a word
// the last four warps' are remembered.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H
#define TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H

#include "emulators/common/Memory.h"
#include "emulators/common/Order.h"
#include "emulators/ptx/Warp.h"

#include <array>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace tilewright::ptx {

class GlobalRaces {
public:
  /// Clocks of the warps of clusters, by cluster.
  using SparseClock = std::unordered_map<uint32_t, emulator::VectorClock>;

  /// Notes an access of `warp` to `size` bytes at `offset` of `allocation` and reports a
  /// conflict at `lane`.
  void note(Warp &warp, const emulator::Allocation &allocation, uint64_t offset,
            uint32_t size, Access access, unsigned lane, bool isNonCoherent = false);
  /// `warp` releases what `clock`, one of its cluster's, has seen to the word at
  /// `address`; a store (not an atomic operation) ends what others had released to it.
  void release(Warp &warp, uint64_t address, const emulator::VectorClock &clock,
               bool isStore);
  /// A relaxed store: whoever reads it acquires nothing.
  void forget(uint64_t address);
  /// `warp` reads the word at `address` by an operation that acquires, or (`isRelaxed`)
  /// that does so with the next fence.
  void acquire(Warp &warp, uint64_t address, bool isRelaxed);
  /// `warp` executes an acquiring fence of a scope beyond the cluster.
  void acquireByFence(Warp &warp);

private:
  struct Mark {
    uint32_t cluster = 0; ///< plus 1; 0: none
    uint32_t agent = 0;   ///< the warp in its cluster
    uint32_t clock = 0;
    uint32_t line = 0;
    uint8_t bytes = 0; ///< of the word
    bool isBy(const Mark &other) const {
      return cluster == other.cluster && agent == other.agent;
    }
  };
  /// What is known of four bytes.
  struct Word {
    Mark write, reads[4];
    bool atomic = false;
    uint8_t nonCoherentBytes = 0; ///< that ld.nc has read, last at the line
    uint32_t nonCoherentLine = 0;
  };
  struct History {
    explicit History(uint64_t bytes) : words((bytes + 3) / 4) {}
    std::vector<Word> words;
    std::array<std::mutex, 16> locks; // by 256 bytes
  };
  History &historyOf(const emulator::Allocation &allocation);

  std::shared_mutex lock;
  std::unordered_map<uint64_t, std::unique_ptr<History>> histories; // by serial
  std::mutex clockLock;
  std::unordered_map<uint64_t, SparseClock> released; // by address
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H
