//===- Scheduler.cpp - Host threads that run a grid ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Scheduler.h"

#include <algorithm>
#include <new>
#include <numeric>
#include <random>
#include <thread>

using namespace tilewright::emulator;

/// Rounds of all agents before a party that runs gives way to one put aside.
static constexpr uint64_t roundsPerTurn = 64;
/// Parties that a host thread keeps at once.
static constexpr size_t residentParties = 512;
/// Turns after which one more party is started even though those that run go on: they may
/// spin for one that has not started.
static constexpr uint64_t turnsAlone = 256;
/// Turns of every party without any progress after which there is a deadlock.
static constexpr unsigned idleTurns = 64;

namespace {
class Runner {
public:
  Runner(const Grid &grid, unsigned threads)
      : grid(grid), total(grid.shape.count()), idleSince(threads, busy) {
    if (grid.order.kind == Order::Shuffled) {
      shuffled.resize(total);
      std::iota(shuffled.begin(), shuffled.end(), 0);
      std::mt19937_64 random(grid.order.seed);
      std::shuffle(shuffled.begin(), shuffled.end(), random);
    }
  }

  /// What host thread `number` does.
  void work(unsigned number);
  /// Host thread `number` does nothing, or no more.
  void leave(unsigned number) {
    std::lock_guard<std::mutex> guard(idleLock);
    idleSince[number] = gone;
  }

private:
  static constexpr uint64_t busy = ~uint64_t(0);
  static constexpr uint64_t gone = busy - 1;

  std::unique_ptr<Party> start();
  uint64_t getProgress() const { return events + grid.progress(); }
  bool areAllIdle(unsigned number, uint64_t progress);
  void reportDeadlock(const Party &party) {
    if (!grid.stopped->exchange(true))
      grid.faults->add(party.describeDeadlock());
  }

  const Grid &grid;
  const uint64_t total;
  std::vector<uint64_t> shuffled;
  std::atomic<uint64_t> started{0};
  /// Parties finished, and turns in which one went on: progress that all threads see.
  std::atomic<uint64_t> events{0};
  std::mutex idleLock;
  /// The progress that each thread has seen nothing beyond for long, or `busy`; of a
  /// thread that is done `gone`.
  std::vector<uint64_t> idleSince;
};
} // namespace

/// Notes that thread `number` stands still at `progress`; whether all do. A thread that
/// the host has put to sleep may go on, so one thread's patience proves nothing.
bool Runner::areAllIdle(unsigned number, uint64_t progress) {
  std::lock_guard<std::mutex> guard(idleLock);
  idleSince[number] = progress;
  return getProgress() == progress &&
         std::all_of(idleSince.begin(), idleSince.end(),
                     [&](uint64_t since) { return since == progress || since == gone; });
}

std::unique_ptr<Party> Runner::start() {
  uint64_t number = started.fetch_add(1);
  if (number >= total)
    return nullptr;
  if (grid.order.kind == Order::Reverse)
    number = total - 1 - number;
  else if (!shuffled.empty())
    number = shuffled[number];
  const Dim3 &shape = grid.shape;
  return grid.start({static_cast<uint32_t>(number % shape.x),
                     static_cast<uint32_t>(number / shape.x % shape.y),
                     static_cast<uint32_t>(number / shape.x / shape.y)});
}

void Runner::work(unsigned number) {
  std::vector<std::unique_ptr<Party>> resident;
  uint64_t seen = 0, turns = 0;
  unsigned idle = 0;
  bool more = true;
  while (!*grid.stopped) {
    bool ran = false;
    for (size_t i = 0; i < resident.size();) {
      Party::Outcome outcome = resident[i]->run(roundsPerTurn);
      if (outcome == Party::Outcome::Stopped)
        return;
      if (outcome == Party::Outcome::Stuck)
        return reportDeadlock(*resident[i]);
      if (outcome == Party::Outcome::Done) {
        resident.erase(resident.begin() + i);
        ++events;
        ran = true;
        continue;
      }
      ran |= outcome == Party::Outcome::Ran;
      ++i;
    }
    // One more joins those that stand still, or takes the place of one that is done.
    ++turns;
    bool joins = resident.size() < residentParties && (!ran || turns % turnsAlone == 0);
    if (more && (resident.empty() || joins)) {
      if (auto next = start()) {
        resident.push_back(std::move(next));
        ++events;
        continue;
      }
      more = false;
    }
    if (resident.empty())
      break;
    uint64_t progress = getProgress();
    idle = ran || progress != seen ? 0 : idle + 1;
    seen = progress;
    if (ran)
      ++events;
    if (idle > idleTurns && areAllIdle(number, progress))
      return reportDeadlock(*resident.front());
    if (!ran)
      std::this_thread::yield();
  }
  leave(number);
}

void tilewright::emulator::runGrid(const Grid &grid) {
  uint64_t parties = grid.shape.count();
  if (!parties)
    return;
  unsigned threads = grid.threads ? grid.threads : std::thread::hardware_concurrency();
  threads = static_cast<unsigned>(std::min<uint64_t>(std::max(threads, 1u), parties));
  Runner runner(grid, threads);
  // No memory for a party ends the launch, not the process.
  auto work = [&](unsigned number) {
    try {
      runner.work(number);
    } catch (const std::bad_alloc &) {
      if (!grid.stopped->exchange(true))
        grid.faults->add({Rule::Limit, "the host has no memory left for the blocks", {}});
    }
  };
  std::vector<std::thread> others;
  others.reserve(threads);
  for (unsigned i = 1; i < threads; ++i) {
    // Where the host has no more threads, those that there are do the work.
    try {
      others.emplace_back(work, i);
    } catch (const std::exception &) {
      runner.leave(i);
    }
  }
  work(0);
  for (std::thread &thread : others)
    thread.join();
}
