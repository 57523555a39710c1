//===- MemoryOrder.cpp - Acquire, release and waiting by polling --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MemoryOrder.h"
#include "emulators/ptx/Fences.h"
#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/MemoryAccess.h"

using namespace tilewright::ptx;
using tilewright::emulator::VectorClock;

/// Polls that see the same before a warp yields.
static constexpr uint32_t pollsBeforeYield = 4;
/// Polls that see the same before a warp whose registers change counts as standing still.
static constexpr uint32_t pollsBeforeIdle = 1 << 20;

//===----------------------------------------------------------------------===//
// Order
//===----------------------------------------------------------------------===//

/// The clocks of the words that a cluster's warps synchronise through, by key.
struct tilewright::ptx::SyncClocks : BlockState {
  std::unordered_map<uint64_t, VectorClock> words;
};

/// Device addresses are above all windows, so shared words are told apart by their
/// window.
static uint64_t getKey(SyncWord word) {
  return word.owner ? sharedWindow + (uint64_t(word.owner->rank) << sharedRankBits) +
                          word.address
                    : word.address;
}

AccessOrder::AccessOrder(Warp &warp, const Instruction &instruction)
    : warp(warp), flags(instruction.flags) {
  LaunchRun &launch = warp.block.launch;
  if (!launch.options.checks.sharedRaces && !launch.globalRaces)
    return;
  clocks = &warp.block.cluster.state<SyncClocks>();
  // What is relaxed releases what a fence before has released.
  isRelease = (flags & releasing) || warp.state<WarpFences>().released.size() != 0;
  // Stores end what was released before, if anything was.
  mayRelease = isRelease || !clocks->words.empty() || launch.globalRaces;
  mayAcquire = mayRelease;
}

void AccessOrder::releaseClock(SyncWord word, bool isStore) {
  GlobalRaces *races = word.owner ? nullptr : warp.block.launch.globalRaces.get();
  if (!isRelease) {
    if (isStore)
      clocks->words.erase(getKey(word));
    if (isStore && races)
      races->forget(word.address);
    return;
  }
  VectorClock &clock = clocks->words[getKey(word)];
  if (isStore)
    clock = VectorClock();
  if (flags & releasing)
    warp.block.release(warp, clock);
  else
    releaseRelaxed(warp, clock);
  if (!races)
    return;
  // To other clusters an operation or a fence of their scope releases.
  const WarpFences &fences = warp.state<WarpFences>();
  if (!(flags & narrowScope) && (flags & releasing || fences.hasReleasedToDevice))
    races->release(warp, word.address,
                   flags & releasing ? warp.block.clockOf(warp) : fences.released,
                   isStore);
  else if (isStore)
    races->forget(word.address);
}

void AccessOrder::acquireClock(SyncWord word) {
  auto found = clocks->words.find(getKey(word));
  if (found != clocks->words.end()) {
    if (flags & acquiring)
      warp.block.acquire(warp, found->second);
    else
      acquireRelaxed(warp, found->second);
  }
  if (warp.block.launch.globalRaces && !word.owner && !(flags & narrowScope))
    warp.block.launch.globalRaces->acquire(warp, word.address, !(flags & acquiring));
}

//===----------------------------------------------------------------------===//
// Progress
//===----------------------------------------------------------------------===//

void tilewright::ptx::noteProgress(Warp &warp, Space space) {
  if (space == Space::Global)
    warp.block.launch.globalProgress.fetch_add(1, std::memory_order_relaxed);
  else if (space == Space::Shared)
    warp.block.cluster.noteProgress();
}

namespace {
/// What a warp's last polls saw.
struct Polls : WarpState {
  struct Poll {
    const Instruction *instruction = nullptr;
    uint64_t seen = 0, state = 0;
    uint32_t repeats = 0;
  };
  Poll polls[8]; // by instruction
};
} // namespace

/// A hash of where all lanes of the warp are and of their registers.
static uint64_t hashState(const Warp &warp) {
  uint64_t hash = 0;
  const Frame *last = nullptr;
  for (const Group &group : warp.getGroups()) {
    hash = mix(mix(hash, group.pc), group.lanes);
    if (group.frame.get() == last)
      continue;
    last = group.frame.get();
    // Four chains, which do not wait for each other. A register has 32 values.
    uint64_t chains[4] = {hash, 1, 2, 3};
    const Registers &registers = *last->registers;
    for (size_t i = 0; i < registers.values.size(); i += 4)
      for (size_t j = 0; j < 4; ++j)
        chains[j] = mix(chains[j], registers.values[i + j]);
    for (uint64_t chain : chains)
      hash = mix(hash, chain);
    for (const Predicate &predicate : registers.predicates)
      hash = mix(hash, predicate.value);
  }
  return hash;
}

Step tilewright::ptx::poll(Warp &warp, const Instruction &instruction, Space space,
                           uint64_t seen) {
  Polls &all = warp.state<Polls>();
  Polls::Poll &one =
      all.polls[reinterpret_cast<uintptr_t>(&instruction) / sizeof(Instruction) % 8];
  if (one.instruction != &instruction || one.seen != seen) {
    one = {&instruction, seen, 0, 0};
    return Step::Next;
  }
  if (++one.repeats < pollsBeforeYield)
    return Step::Next;
  uint64_t state = hashState(warp);
  bool stands = state == one.state || one.repeats >= pollsBeforeIdle;
  one.state = state;
  if (!stands)
    warp.block.launch.spins.fetch_add(1, std::memory_order_relaxed);
  warp.waitsFor = "another value than it reads";
  return stands && space == Space::Shared ? warp.yieldForCluster() : Step::Yield;
}
