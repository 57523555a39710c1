//===- GlobalRaces.cpp - The race check on global memory, of warps ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/Block.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;
using Races = tilewright::emulator::GlobalRaces;

namespace {
struct Acquisitions : BlockState, Races::Acquisitions {};
} // namespace

static Races::Agent agentOf(Warp &warp) {
  Cluster &cluster = warp.block.cluster;
  const Instruction *position = warp.getPosition();
  return {cluster.getNumber(), warp.block.agentOf(warp), warp.block.clockOf(warp),
          cluster.state<Acquisitions>(), position ? position->statement->line : 0};
}

static Races::Kind kindOf(Access access, bool isNonCoherent) {
  switch (access) {
  case Access::StrongRead:
    return Races::Kind::StrongRead;
  case Access::Write:
    return Races::Kind::Write;
  case Access::Rewrite:
    return Races::Kind::Rewrite;
  case Access::Atomic:
    return Races::Kind::Atomic;
  default:
    return isNonCoherent ? Races::Kind::NonCoherentRead : Races::Kind::Read;
  }
}

void tilewright::ptx::GlobalRaces::note(Warp &warp, const Allocation &allocation,
                                        uint64_t offset, uint32_t size, Access access,
                                        unsigned lane, bool isNonCoherent) {
  if (access == Access::Sync)
    return;
  const Races::Conflict conflict =
      races.note(agentOf(warp), allocation, offset, size, kindOf(access, isNonCoherent));
  if (!conflict.isNonCoherent && !conflict.found)
    return;
  std::string what = std::string(isRead(access) ? "it reads " : "it writes ") +
                     allocation.name + " at byte " + std::to_string(offset) + ", which ";
  if (conflict.isNonCoherent)
    warp.report(Rule::Race,
                what + "the launch also " + (isRead(access) ? "writes" : "reads") +
                    " at line " + std::to_string(conflict.nonCoherentTag) +
                    ": ld.nc is of data that does not change",
                lane);
  if (!conflict.found)
    return;
  const char *kind = conflict.isInside                               ? "warp "
                     : warp.block.launch.options.cluster.count() > 1 ? "cluster "
                                                                     : "block ";
  warp.report(Rule::Race,
              what + kind +
                  std::to_string(conflict.isInside ? conflict.agent : conflict.party) +
                  (conflict.wasWrite ? " wrote" : " read") + " at line " +
                  std::to_string(conflict.tag) + ", and nothing orders the two",
              lane);
}

void tilewright::ptx::GlobalRaces::release(Warp &warp, uint64_t address,
                                           const VectorClock &clock, bool isStore) {
  races.release(agentOf(warp), address, clock, isStore);
}

void tilewright::ptx::GlobalRaces::acquire(Warp &warp, uint64_t address, bool isRelaxed) {
  races.acquire(agentOf(warp), address, isRelaxed);
}

void tilewright::ptx::GlobalRaces::acquireByFence(Warp &warp) {
  races.acquireByFence(agentOf(warp));
}
