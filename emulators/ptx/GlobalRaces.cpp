//===- GlobalRaces.cpp - The race check on global memory ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/Block.h"

#include <algorithm>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {
/// A cluster's clock; only the host thread that runs the cluster uses it.
struct ClusterClock : BlockState {
  uint32_t own = 1;
  GlobalRaces::SparseClock others;
  /// Read by relaxed operations since the last acquiring fence.
  GlobalRaces::SparseClock observed;

  bool hasSeen(uint32_t cluster, uint32_t clock) const {
    auto found = others.find(cluster);
    return found != others.end() && found->second >= clock;
  }
};
} // namespace

GlobalRaces::History &GlobalRaces::historyOf(const Allocation &allocation) {
  {
    std::shared_lock<std::shared_mutex> guard(lock);
    auto found = histories.find(allocation.serial);
    if (found != histories.end())
      return *found->second;
  }
  std::unique_lock<std::shared_mutex> guard(lock);
  auto &made = histories[allocation.serial];
  if (!made)
    made = std::make_unique<History>(allocation.size);
  return *made;
}

void GlobalRaces::note(Warp &warp, const Allocation &allocation, uint64_t offset,
                       uint32_t size, Access access, unsigned lane, bool isNonCoherent) {
  if (access == Access::Sync)
    return;
  History &history = historyOf(allocation);
  auto &clock = warp.block.cluster.state<ClusterClock>();
  const Instruction *position = warp.getPosition();
  Mark mark;
  mark.cluster = warp.block.cluster.getNumber() + 1;
  mark.clock = clock.own;
  mark.line = position ? position->statement->line : 0;
  Mark conflict;
  bool wasWrite = false;
  uint32_t nonCoherentLine = 0;
  auto conflictsWith = [&](const Mark &other) {
    return other.cluster && other.cluster != mark.cluster && other.bytes & mark.bytes &&
           !clock.hasSeen(other.cluster - 1, other.clock);
  };
  bool isStrong = access == Access::Atomic || access == Access::StrongRead;
  for (uint64_t index = offset / 4; index * 4 < offset + size; ++index) {
    uint64_t begin = std::max(index * 4, offset) - index * 4;
    uint64_t end = std::min(index * 4 + 4, offset + size) - index * 4;
    mark.bytes = static_cast<uint8_t>((1u << end) - (1u << begin));
    std::lock_guard<std::mutex> guard(history.locks[index / 64 % history.locks.size()]);
    Word &word = history.words[index];
    bool racesWithWrite = !(isStrong && word.atomic) && conflictsWith(word.write);
    if (racesWithWrite && access == Access::Rewrite)
      continue;
    if (racesWithWrite) {
      conflict = word.write;
      wasWrite = true;
    }
    if (isRead(access)) {
      if (isNonCoherent && word.write.bytes & mark.bytes && !conflict.cluster)
        nonCoherentLine = word.write.line;
      if (isNonCoherent) {
        word.nonCoherentLine = mark.line;
        word.nonCoherentBytes |= mark.bytes;
      }
      if (word.reads[0].cluster != mark.cluster)
        word.reads[1] = word.reads[0];
      else if (word.reads[0].clock == mark.clock)
        mark.bytes |= word.reads[0].bytes;
      word.reads[0] = mark;
      continue;
    }
    if (access != Access::Rewrite && word.nonCoherentBytes & mark.bytes &&
        !conflict.cluster)
      nonCoherentLine = word.nonCoherentLine;
    if (access == Access::Write)
      for (const Mark &read : word.reads)
        if (conflictsWith(read) && !conflict.cluster)
          conflict = read;
    word.write = mark;
    word.atomic = access == Access::Atomic;
  }
  if (!nonCoherentLine && !conflict.cluster)
    return;
  std::string what = std::string(isRead(access) ? "it reads " : "it writes ") +
                     allocation.name + " at byte " + std::to_string(offset) + ", which ";
  if (nonCoherentLine)
    warp.report(Rule::Race,
                what + "the launch also " + (isRead(access) ? "writes" : "reads") +
                    " at line " + std::to_string(nonCoherentLine) +
                    ": ld.nc is of data that does not change",
                lane);
  if (conflict.cluster)
    warp.report(
        Rule::Race,
        what + (warp.block.launch.options.cluster.count() > 1 ? "cluster " : "block ") +
            std::to_string(conflict.cluster - 1) + (wasWrite ? " wrote" : " read") +
            " at line " + std::to_string(conflict.line) + ", and nothing orders the two",
        lane);
}

/// Makes each clock of `to` at least that of `from`.
static void join(GlobalRaces::SparseClock &to, const GlobalRaces::SparseClock &from) {
  for (const auto &[cluster, time] : from)
    to[cluster] = std::max(to[cluster], time);
}

void GlobalRaces::release(Warp &warp, uint64_t address, bool isStore) {
  auto &clock = warp.block.cluster.state<ClusterClock>();
  std::lock_guard<std::mutex> guard(clockLock);
  SparseClock &object = released[address];
  if (isStore)
    object.clear();
  join(object, clock.others);
  object[warp.block.cluster.getNumber()] = clock.own++;
}

void GlobalRaces::forget(uint64_t address) {
  std::lock_guard<std::mutex> guard(clockLock);
  released.erase(address);
}

void GlobalRaces::acquire(Warp &warp, uint64_t address, bool isRelaxed) {
  auto &clock = warp.block.cluster.state<ClusterClock>();
  std::lock_guard<std::mutex> guard(clockLock);
  auto object = released.find(address);
  if (object != released.end())
    join(isRelaxed ? clock.observed : clock.others, object->second);
}

void GlobalRaces::acquireByFence(Warp &warp) {
  auto &clock = warp.block.cluster.state<ClusterClock>();
  join(clock.others, clock.observed);
  clock.observed.clear();
}
