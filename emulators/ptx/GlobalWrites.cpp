//===- GlobalWrites.cpp - Ordinary writes to global memory -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/GlobalWrites.h"
#include "emulators/ptx/Fences.h"

#include <algorithm>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Events beyond these are not noted: their numbers have 28 bits.
static constexpr uint32_t mostEvents = (1u << 28) - 1;

/// The event that a warp's last write belongs to.
struct GlobalWrites::LastEvent : WarpState {
  uint32_t number = 0;
  Event event;
};

/// The bytes of word `index` that lie in [begin, end), as bits.
static uint32_t bytesOfWord(uint64_t index, uint64_t begin, uint64_t end) {
  uint64_t from = std::max(index * 4, begin) - index * 4;
  uint64_t to = std::min(index * 4 + 4, end) - index * 4;
  return (1u << to) - (1u << from);
}

/// The number of the event that a write of `warp` now belongs to; 0 if there are too
/// many.
uint32_t GlobalWrites::getEvent(Warp &warp) {
  Block &block = warp.block;
  auto &last = warp.state<LastEvent>();
  const Instruction *position = warp.getPosition();
  Event event;
  event.cluster = block.cluster.getNumber();
  event.agent = block.agentOf(warp);
  event.clock = block.clockOf(warp)[event.agent] + 1;
  event.line = position ? position->statement->line : 0;
  event.fences = fences.load(std::memory_order_relaxed);
  if (last.number && last.event.clock == event.clock && last.event.line == event.line &&
      last.event.fences == event.fences)
    return last.number;
  std::lock_guard<std::mutex> guard(eventsLock);
  if (events.size() >= mostEvents)
    return 0;
  events.push_back(event);
  last.event = event;
  last.number = static_cast<uint32_t>(events.size());
  return last.number;
}

std::atomic<uint32_t> *GlobalWrites::findWords(const Allocation &allocation) {
  std::shared_lock<std::shared_mutex> guard(wordsLock);
  auto found = words.find(allocation.serial);
  return found == words.end() ? nullptr : found->second.get();
}

void GlobalWrites::noteGeneric(Warp &warp, const Allocation &allocation, uint64_t offset,
                               uint64_t size) {
  std::atomic<uint32_t> *list = findWords(allocation);
  if (!list) {
    std::unique_lock<std::shared_mutex> guard(wordsLock);
    Words &made = words[allocation.serial];
    if (!made)
      made.reset(new std::atomic<uint32_t>[(allocation.size + 3) / 4]());
    list = made.get();
  }
  uint32_t event = getEvent(warp) << 4;
  for (uint64_t index = offset / 4; event && index * 4 < offset + size; ++index)
    list[index].store(event | bytesOfWord(index, offset, offset + size),
                      std::memory_order_relaxed);
}

void GlobalWrites::noteAsync(const Allocation &allocation, uint64_t offset,
                             uint64_t size) {
  if (std::atomic<uint32_t> *list = findWords(allocation))
    for (uint64_t index = offset / 4; index * 4 < offset + size; ++index)
      list[index].fetch_and(~bytesOfWord(index, offset, offset + size),
                            std::memory_order_relaxed);
}

void GlobalWrites::noteFence(Warp &warp) {
  std::lock_guard<std::mutex> guard(eventsLock);
  lastFences[warp.block.cluster.getNumber()] = ++fences;
}

bool GlobalWrites::isVisible(const Warp &warp, uint32_t number) {
  std::lock_guard<std::mutex> guard(eventsLock);
  const Event &event = events[number - 1];
  uint32_t own = warp.block.cluster.getNumber();
  if (event.cluster == own)
    return event.clock <= visibleClock(warp, View::AsyncGlobal, event.agent);
  auto hasFenced = [&](uint32_t cluster) {
    auto found = lastFences.find(cluster);
    return found != lastFences.end() && found->second > event.fences;
  };
  return hasFenced(event.cluster) || hasFenced(own);
}

void GlobalWrites::check(Warp &warp, const Allocation &allocation, uint64_t offset,
                         uint64_t size, unsigned lane) {
  std::atomic<uint32_t> *list = findWords(allocation);
  if (!list)
    return;
  uint32_t visible = 0; // neighbours often have the same writer
  for (uint64_t index = offset / 4; index * 4 < offset + size; ++index) {
    uint32_t word = list[index].load(std::memory_order_relaxed);
    if (!(word & bytesOfWord(index, offset, offset + size)) || word >> 4 == visible)
      continue;
    if (isVisible(warp, word >> 4)) {
      visible = word >> 4;
      continue;
    }
    uint32_t line;
    {
      std::lock_guard<std::mutex> guard(eventsLock);
      line = events[(word >> 4) - 1].line;
    }
    return warp.report(Rule::ProxyFence,
                       "it uses " + allocation.name + " at byte " +
                           std::to_string(std::max(index * 4, offset)) + ", which line " +
                           std::to_string(line) +
                           " wrote, and no fence.proxy.async of global memory lies "
                           "between the two",
                       lane);
  }
}

uint32_t GlobalWrites::getMoment() {
  std::lock_guard<std::mutex> guard(eventsLock);
  return static_cast<uint32_t>(events.size());
}

void GlobalWrites::checkUnchanged(Warp &warp, const Instruction &instruction,
                                  unsigned lane, const Allocation &allocation,
                                  uint64_t offset, uint64_t size, uint32_t since) {
  std::atomic<uint32_t> *list = findWords(allocation);
  for (uint64_t index = offset / 4; list && index * 4 < offset + size; ++index) {
    uint32_t word = list[index].load(std::memory_order_relaxed);
    if (word >> 4 <= since || !(word & bytesOfWord(index, offset, offset + size)))
      continue;
    std::lock_guard<std::mutex> guard(eventsLock);
    warp.block.launch.device.faults.add(
        {Rule::InFlight,
         "line " + std::to_string(events[(word >> 4) - 1].line) + " wrote " +
             allocation.name + " at byte " + std::to_string(std::max(index * 4, offset)) +
             " before the copy had read it: a wait for the copy comes first",
         warp.getSite(instruction, lane)});
    return;
  }
}
