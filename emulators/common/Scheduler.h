//===- Scheduler.h - Host threads that run a grid -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A grid is made of parties, which run to their end by themselves as a rule: clusters of
// thread blocks, work-groups. Each host thread takes one after another. One that stands
// still waits for another perhaps, so more join it, and all have turns; a launch is
// deadlocked when every thread has seen nothing happen for long.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_SCHEDULER_H
#define TILEWRIGHT_EMULATORS_COMMON_SCHEDULER_H

#include "emulators/common/Fault.h"

#include <atomic>
#include <functional>
#include <memory>

namespace tilewright::emulator {

/// In which order parties of a grid, and agents of a party, go.
struct Order {
  enum Kind : uint8_t { Forward, Reverse, Shuffled } kind = Forward;
  uint64_t seed = 0;
};

class Party {
public:
  enum class Outcome : uint8_t {
    Ran,   ///< something happened
    Waits, ///< nothing can go on without other parties
    Stuck, ///< its agents wait for each other
    Done,
    Stopped, ///< a fault ended the launch
  };
  virtual ~Party() = default;
  /// Lets each agent go on in turn, `rounds` times at most.
  virtual Outcome run(uint64_t rounds) = 0;
  /// What each agent that is not done waits for.
  virtual Fault describeDeadlock() const = 0;
};

struct Grid {
  Dim3 shape; ///< parties
  Order order;
  unsigned threads = 0; ///< of the host; 0: one for each core
  /// Makes the party of a place in the grid.
  std::function<std::unique_ptr<Party>(Dim3)> start;
  /// Grows where something happens that a party may wait for.
  std::function<uint64_t()> progress;
  std::atomic<bool> *stopped = nullptr; ///< ends the launch; set by a fault as well
  FaultLog *faults = nullptr;
};

/// Runs all parties of a grid, on this thread and others; returns when all are done or
/// the launch was stopped.
void runGrid(const Grid &grid);

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_SCHEDULER_H
