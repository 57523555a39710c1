//===- GlobalRaces.cpp - The race check on global memory ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/GlobalRaces.h"

#include <algorithm>

using namespace tilewright::emulator;

bool GlobalRaces::Acquisitions::hasSeen(uint32_t self, const VectorClock &now,
                                        uint32_t party, uint32_t agent,
                                        uint32_t clock) const {
  return std::any_of(events.begin(), events.end(), [&](const Event &event) {
    if (!isBefore(event, self, now))
      return false;
    auto found = event.seen.find(party);
    return found != event.seen.end() && clock <= found->second[agent];
  });
}

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

GlobalRaces::Conflict GlobalRaces::note(const Agent &by, const Allocation &allocation,
                                        uint64_t offset, uint32_t size, Kind kind) {
  History &history = historyOf(allocation);
  Mark mark{by.party + 1, by.agent, by.now[by.agent] + 1, by.tag, 0};
  Conflict conflict;
  auto conflictsWith = [&](const Mark &other) {
    if (!other.party || other.isBy(mark) || !(other.bytes & mark.bytes))
      return false;
    if (other.party == mark.party)
      return other.clock > by.now[other.agent];
    return !by.acquired.hasSeen(by.agent, by.now, other.party - 1, other.agent,
                                other.clock);
  };
  auto found = [&](const Mark &other, bool wasWrite) {
    conflict.found = true;
    conflict.wasWrite = wasWrite;
    conflict.isInside = other.party == mark.party;
    conflict.party = other.party - 1;
    conflict.agent = other.agent;
    conflict.tag = other.tag;
  };
  auto foundNonCoherent = [&](uint32_t tag) {
    conflict.isNonCoherent = true;
    conflict.nonCoherentTag = tag;
  };
  const bool isNonCoherent = kind == Kind::NonCoherentRead;
  const bool isRead = isNonCoherent || kind == Kind::Read || kind == Kind::StrongRead;
  const bool isStrong = kind == Kind::Atomic || kind == Kind::StrongRead;
  for (uint64_t index = offset / 4; index * 4 < offset + size; ++index) {
    uint64_t begin = std::max(index * 4, offset) - index * 4;
    uint64_t end = std::min(index * 4 + 4, offset + size) - index * 4;
    mark.bytes = static_cast<uint8_t>((1u << end) - (1u << begin));
    std::lock_guard<std::mutex> guard(history.locks[index / 64 % history.locks.size()]);
    Word &word = history.words[index];
    bool racesWithWrite = !(isStrong && word.atomic) && conflictsWith(word.write);
    if (racesWithWrite && kind == Kind::Rewrite)
      continue;
    if (racesWithWrite) {
      found(word.write, true);
      conflict.wasAtomic = word.atomic;
    }
    if (isRead) {
      if (isNonCoherent && word.write.bytes & mark.bytes && !conflict.found)
        foundNonCoherent(word.write.tag);
      if (isNonCoherent) {
        word.nonCoherentTag = mark.tag;
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
    if (kind != Kind::Rewrite && word.nonCoherentBytes & mark.bytes && !conflict.found)
      foundNonCoherent(word.nonCoherentTag);
    if (kind == Kind::Write)
      for (const Mark &read : word.reads)
        if (conflictsWith(read) && !conflict.found)
          found(read, false);
    word.write = mark;
    word.atomic = kind == Kind::Atomic;
  }
  return conflict;
}

uint32_t GlobalRaces::getReadTag(const Agent &by, const Allocation &allocation,
                                 uint64_t offset) {
  History &history = historyOf(allocation);
  const uint64_t index = offset / 4;
  std::lock_guard<std::mutex> guard(history.locks[index / 64 % history.locks.size()]);
  for (const Mark &read : history.words[index].reads)
    if (read.party == by.party + 1 && read.agent == by.agent)
      return read.tag;
  return 0;
}

void GlobalRaces::release(const Agent &by, uint64_t address, const VectorClock &clock,
                          bool isStore) {
  std::lock_guard<std::mutex> guard(clockLock);
  SparseClock &object = released[address];
  if (isStore)
    object.clear();
  for (const Acquisitions::Event &event : by.acquired.events)
    if (Acquisitions::isBefore(event, by.agent, clock))
      for (const auto &[party, seen] : event.seen)
        object[party].join(seen);
  object[by.party].join(clock);
}

void GlobalRaces::forget(uint64_t address) {
  std::lock_guard<std::mutex> guard(clockLock);
  released.erase(address);
}

void GlobalRaces::acquire(const Agent &by, uint64_t address, bool waitsForFence) {
  const uint32_t clock = by.now[by.agent] + 1;
  std::lock_guard<std::mutex> guard(clockLock);
  auto object = released.find(address);
  if (object == released.end())
    return;
  // What a polling agent acquires again adds nothing.
  auto isKnown = [&](const auto &entry) {
    const auto &[party, seen] = entry;
    if (party == by.party)
      return true;
    for (uint32_t agent = 0; agent < seen.size(); ++agent)
      if (seen[agent] &&
          !by.acquired.hasSeen(by.agent, by.now, party, agent, seen[agent]))
        return false;
    return true;
  };
  if (std::all_of(object->second.begin(), object->second.end(), isKnown))
    return;
  auto &events = waitsForFence ? by.acquired.observed : by.acquired.events;
  if (events.empty() || events.back().agent != by.agent || events.back().clock != clock)
    events.push_back({by.agent, clock, {}});
  for (const auto &[party, seen] : object->second)
    if (party != by.party)
      events.back().seen[party].join(seen);
}

void GlobalRaces::acquireByFence(const Agent &by) {
  auto &events = by.acquired.events, &observed = by.acquired.observed;
  auto known =
      std::stable_partition(observed.begin(), observed.end(), [&](const auto &event) {
        return !Acquisitions::isBefore(event, by.agent, by.now);
      });
  for (auto event = known; event != observed.end(); ++event)
    events.push_back({by.agent, by.now[by.agent] + 1, std::move(event->seen)});
  observed.erase(known, observed.end());
}
