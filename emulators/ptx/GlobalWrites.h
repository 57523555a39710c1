//===- GlobalWrites.h - Ordinary writes to global memory ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Bulk and tensor copies use global memory through the async proxy: what ordinary
// instructions of the same launch wrote there they see after a proxy fence. Of each word
// the last ordinary write is remembered. One of the same cluster is visible where the
// vector clocks say so (Fences.h, row AsyncGlobal). Clusters have no clocks of each
// other, so of another cluster's write it is asked only that either cluster has executed
// a fence since.
//
// The launch of a program without such copies has none of this.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_GLOBALWRITES_H
#define TILEWRIGHT_EMULATORS_PTX_GLOBALWRITES_H

#include "emulators/common/Memory.h"
#include "emulators/ptx/Warp.h"

#include <deque>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace tilewright::ptx {

class GlobalWrites {
public:
  /// `warp` writes `size` bytes at `offset` of `allocation` by an ordinary instruction.
  void noteGeneric(Warp &warp, const emulator::Allocation &allocation, uint64_t offset,
                   uint64_t size);
  /// The async proxy writes them.
  void noteAsync(const emulator::Allocation &allocation, uint64_t offset, uint64_t size);
  /// `warp` executes a proxy fence of global memory.
  void noteFence(Warp &warp);
  /// Reports at `lane` of `warp`, which starts to use the bytes in the async proxy, an
  /// ordinary write that no fence made visible there.
  void check(Warp &warp, const emulator::Allocation &allocation, uint64_t offset,
             uint64_t size, unsigned lane);
  /// A moment of the launch, and whether ordinary instructions have written the bytes
  /// since; reported at `instruction` of `lane`, a copy that read them only now.
  uint32_t getMoment();
  void checkUnchanged(Warp &warp, const Instruction &instruction, unsigned lane,
                      const emulator::Allocation &allocation, uint64_t offset,
                      uint64_t size, uint32_t since);

private:
  /// Writes of one warp by one instruction, with no synchronisation in between.
  struct Event {
    uint32_t cluster = 0, agent = 0, clock = 0, line = 0;
    uint64_t fences = 0; ///< executed in the launch before it
  };
  struct LastEvent;
  /// Of each four bytes: the number of an event, from 1 on, and a bit for each byte that
  /// it wrote.
  using Words = std::unique_ptr<std::atomic<uint32_t>[]>;

  uint32_t getEvent(Warp &warp);
  std::atomic<uint32_t> *findWords(const emulator::Allocation &allocation);
  bool isVisible(const Warp &warp, uint32_t event);

  std::shared_mutex wordsLock;
  std::unordered_map<uint64_t, Words> words; // by serial of the allocation
  std::mutex eventsLock;
  std::deque<Event> events;
  std::atomic<uint64_t> fences{0};
  std::unordered_map<uint32_t, uint64_t> lastFences; // of each cluster
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_GLOBALWRITES_H
