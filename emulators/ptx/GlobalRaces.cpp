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
/// What the warps of a cluster have acquired from other clusters; only the host thread
/// that runs the cluster uses it.
struct Acquisitions : BlockState {
  struct Event {
    uint32_t agent, clock; ///< who acquired, and when
    GlobalRaces::SparseClock seen;
  };
  std::vector<Event> events;
  /// Read by relaxed operations; acquired by the next fence of a warp that knows of it.
  std::vector<Event> observed;

  /// Whether a warp whose clock is `now` may rely on what `event` acquired.
  static bool isBefore(const Event &event, uint32_t agent, const VectorClock &now) {
    return event.agent == agent || event.clock <= now[event.agent];
  }
  bool hasSeen(uint32_t self, const VectorClock &now, uint32_t cluster, uint32_t agent,
               uint32_t clock) const {
    return std::any_of(events.begin(), events.end(), [&](const Event &event) {
      if (!isBefore(event, self, now))
        return false;
      auto found = event.seen.find(cluster);
      return found != event.seen.end() && clock <= found->second[agent];
    });
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
  auto &acquired = warp.block.cluster.state<Acquisitions>();
  const uint32_t self = warp.block.agentOf(warp);
  const VectorClock &now = warp.block.clockOf(warp);
  const Instruction *position = warp.getPosition();
  Mark mark{warp.block.cluster.getNumber() + 1, self, now[self] + 1,
            position ? position->statement->line : 0, 0};
  Mark conflict;
  bool wasWrite = false;
  uint32_t nonCoherentLine = 0;
  auto conflictsWith = [&](const Mark &other) {
    if (!other.cluster || other.isBy(mark) || !(other.bytes & mark.bytes))
      return false;
    if (other.cluster == mark.cluster)
      return other.clock > now[other.agent];
    return !acquired.hasSeen(self, now, other.cluster - 1, other.agent, other.clock);
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
      Mark *last = std::end(word.reads) - 1;
      Mark *own = std::find_if(word.reads, last,
                               [&](const Mark &read) { return read.isBy(mark); });
      if (own->isBy(mark) && own->clock == mark.clock)
        mark.bytes |= own->bytes;
      std::move_backward(word.reads, own, own + 1);
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
  if (!conflict.cluster)
    return;
  const bool isInside = conflict.cluster == mark.cluster;
  const char *kind = isInside                                        ? "warp "
                     : warp.block.launch.options.cluster.count() > 1 ? "cluster "
                                                                     : "block ";
  uint32_t number = isInside ? conflict.agent : conflict.cluster - 1;
  warp.report(Rule::Race,
              what + kind + std::to_string(number) + (wasWrite ? " wrote" : " read") +
                  " at line " + std::to_string(conflict.line) +
                  ", and nothing orders the two",
              lane);
}

void GlobalRaces::release(Warp &warp, uint64_t address, const VectorClock &clock,
                          bool isStore) {
  auto &acquired = warp.block.cluster.state<Acquisitions>();
  uint32_t self = warp.block.agentOf(warp);
  std::lock_guard<std::mutex> guard(clockLock);
  SparseClock &object = released[address];
  if (isStore)
    object.clear();
  for (const Acquisitions::Event &event : acquired.events)
    if (Acquisitions::isBefore(event, self, clock))
      for (const auto &[cluster, seen] : event.seen)
        object[cluster].join(seen);
  object[warp.block.cluster.getNumber()].join(clock);
}

void GlobalRaces::forget(uint64_t address) {
  std::lock_guard<std::mutex> guard(clockLock);
  released.erase(address);
}

void GlobalRaces::acquire(Warp &warp, uint64_t address, bool isRelaxed) {
  auto &acquired = warp.block.cluster.state<Acquisitions>();
  const uint32_t self = warp.block.agentOf(warp);
  const uint32_t clock = warp.block.clockOf(warp)[self] + 1;
  std::lock_guard<std::mutex> guard(clockLock);
  auto object = released.find(address);
  if (object == released.end())
    return;
  // What a polling warp acquires again adds nothing.
  const VectorClock &now = warp.block.clockOf(warp);
  const uint32_t own = warp.block.cluster.getNumber();
  auto isKnown = [&](const auto &entry) {
    const auto &[cluster, seen] = entry;
    if (cluster == own)
      return true;
    for (uint32_t agent = 0; agent < seen.size(); ++agent)
      if (seen[agent] && !acquired.hasSeen(self, now, cluster, agent, seen[agent]))
        return false;
    return true;
  };
  if (std::all_of(object->second.begin(), object->second.end(), isKnown))
    return;
  auto &events = isRelaxed ? acquired.observed : acquired.events;
  if (events.empty() || events.back().agent != self || events.back().clock != clock)
    events.push_back({self, clock, {}});
  for (const auto &[cluster, seen] : object->second)
    if (cluster != own)
      events.back().seen[cluster].join(seen);
}

void GlobalRaces::acquireByFence(Warp &warp) {
  auto &acquired = warp.block.cluster.state<Acquisitions>();
  const uint32_t self = warp.block.agentOf(warp);
  const VectorClock &now = warp.block.clockOf(warp);
  auto known = std::stable_partition(
      acquired.observed.begin(), acquired.observed.end(),
      [&](const auto &event) { return !Acquisitions::isBefore(event, self, now); });
  for (auto event = known; event != acquired.observed.end(); ++event)
    acquired.events.push_back({self, now[self] + 1, std::move(event->seen)});
  acquired.observed.erase(known, acquired.observed.end());
}
