//===- Turns.h - The turns of a party's agents --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The agents of a party (warps, waves) go on one after the other, some instructions each.
// A party whose agents all wait for each other is stuck; one whose agents wait for
// another party's stores gives way to it.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_TURNS_H
#define TILEWRIGHT_EMULATORS_COMMON_TURNS_H

#include "emulators/common/Scheduler.h"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

namespace tilewright::emulator {

/// What came of an agent's turn.
enum class Turn : uint8_t {
  Ran,
  Waits,
  Yields, ///< it gives way: it polls, or sleeps
  Done,
  Stopped, ///< a fault ended the launch
};

/// Agents have
///   Turn run(uint64_t quantum)       executes so many instructions at most
///   bool isOver() const
///   bool waitsOutside(Turn) const    what it waits for may come from another party
///   uint64_t steps                   instructions so far
///   void stopAtLimit(uint64_t)       reports that it has executed more than so many
template <typename Agent> class Turns {
public:
  /// In which they have their turns.
  std::vector<Agent *> order;

  /// Puts them, who are in the order of their numbers, in the order that a launch wants;
  /// `id` is the party's place in the grid.
  void arrange(const Order &wanted, Dim3 id) {
    if (wanted.kind == Order::Reverse)
      std::reverse(order.begin(), order.end());
    if (wanted.kind == Order::Shuffled) {
      std::mt19937_64 random(wanted.seed ^ (uint64_t(id.x) << 32 ^ id.y << 16 ^ id.z));
      std::shuffle(order.begin(), order.end(), random);
    }
  }

  /// Something changed that an agent may wait for.
  void noteProgress() { ++progress; }
  uint64_t getProgress() const { return progress; }

  /// Gives each agent turns of `quantum` instructions, `rounds` at most. `launch` is what
  /// all parties share: `stopped`, `globalProgress` and the limit in its options.
  template <typename LaunchRun>
  Party::Outcome run(LaunchRun &launch, uint64_t quantum, uint64_t rounds) {
    using Outcome = Party::Outcome;
    for (uint64_t round = 0; round < rounds; ++round) {
      bool ran = false, done = true, inside = true;
      const uint64_t before = progress;
      const uint64_t globalBefore = launch.globalProgress.load(std::memory_order_relaxed);
      for (Agent *agent : order) {
        if (launch.stopped.load(std::memory_order_relaxed))
          return Outcome::Stopped;
        if (agent->isOver())
          continue;
        const Turn turn = agent->run(quantum);
        if (turn == Turn::Stopped)
          return Outcome::Stopped;
        ran |= turn == Turn::Ran || turn == Turn::Done;
        done &= turn == Turn::Done;
        inside &= !agent->waitsOutside(turn);
        const uint64_t limit = launch.options.maxSteps;
        if (limit && agent->steps > limit) {
          agent->stopAtLimit(limit);
          return Outcome::Stopped;
        }
      }
      if (done)
        return Outcome::Done;
      const bool idle = !ran && progress == before;
      // Agents that wait for each other alone will wait for ever; rounds enough to let
      // lanes that were passed over go, and loops end that try only so often.
      stuckRounds = idle && inside ? stuckRounds + 1 : 0;
      if (stuckRounds > roundsUntilStuck)
        return Outcome::Stuck;
      // All wait or have found nothing to do; another party's store in the meantime may
      // have freed one.
      if (idle && globalBefore == launch.globalProgress.load(std::memory_order_relaxed)) {
        if (++idleRounds > 1 && !inside)
          return Outcome::Waits;
      } else {
        idleRounds = 0;
      }
    }
    return Outcome::Ran;
  }

private:
  /// Rounds without any progress until agents that wait for each other are stuck.
  static constexpr uint64_t roundsUntilStuck = 1000;

  uint64_t progress = 0, idleRounds = 0, stuckRounds = 0;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_TURNS_H
