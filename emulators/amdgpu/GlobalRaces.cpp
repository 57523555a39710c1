//===- GlobalRaces.cpp - The race check on global memory, of waves ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/GlobalRaces.h"

#include <cstdio>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;
using Races = tilewright::emulator::GlobalRaces;

static Races::Agent agentOf(Wave &wave) {
  WorkGroup &group = wave.group;
  return {group.getNumber(), group.globalAgentOf(wave), group.clockOf(wave),
          group.acquisitions, static_cast<uint32_t>(wave.pc)};
}

static bool isOneLane(uint64_t lanes) { return (lanes & (lanes - 1)) == 0; }

static Races::Kind kindOf(Access access, bool isStrong) {
  switch (access) {
  case Access::Read:
    return isStrong ? Races::Kind::StrongRead : Races::Kind::Read;
  case Access::Write:
    return isStrong ? Races::Kind::Atomic : Races::Kind::Write;
  case Access::Rewrite:
    return Races::Kind::Rewrite;
  case Access::Atomic:
    break;
  }
  return Races::Kind::Atomic;
}

void tilewright::amdgpu::GlobalRaces::note(Wave &wave, const Allocation &allocation,
                                           uint64_t offset, uint32_t size, Access access,
                                           unsigned lane) {
  const Instruction &instruction = *wave.getInstruction();
  const Target &target = wave.group.launch.device.target;
  const bool storesHaveScope = target.gpu == Gpu::Gfx942 || target.gpu == Gpu::Gfx950 ||
                               target.gpu == Gpu::Gfx1201;
  const bool isAtomic = access == Access::Atomic, isRead = access == Access::Read;
  const bool isStrong = instruction.isDeviceScope;
  const Races::Agent by = agentOf(wave);
  const uint64_t address = allocation.base + offset;
  const bool releases =
      isAtomic || (!isRead && (storesHaveScope ? isStrong : isOneLane(wave.active)));
  if (isAtomic || (isRead && isStrong))
    races.acquire(by, address, /*waitsForFence=*/true);
  Races::Conflict conflict;
  if (!(isRead && isStrong) || storesHaveScope)
    conflict = races.note(by, allocation, offset, size, kindOf(access, isStrong));
  if (releases) {
    wave.group.stepGlobal(wave);
    races.release(by, address, by.now, !isAtomic);
  }
  if (!conflict.found)
    return;
  const uint32_t other =
      conflict.isInside ? wave.group.waveOfGlobalAgent(conflict.agent) : conflict.party;
  char text[256];
  snprintf(
      text, sizeof(text),
      "it %s %.100s at byte %llu, which %s %u %s at 0x%x, and nothing orders the two",
      isRead ? "reads" : "writes", allocation.name.c_str(),
      static_cast<unsigned long long>(offset), conflict.isInside ? "wave" : "work-group",
      other, conflict.wasWrite ? "wrote" : "read", conflict.tag);
  if (!isRead || !conflict.wasAtomic)
    return wave.report(Rule::Race, text, lane);
  std::lock_guard<std::mutex> guard(lock);
  auto [place, isNew] = held.try_emplace({by.tag, conflict.tag});
  if (isNew)
    place->second = {Rule::Race, text, wave.getSite(lane)};
  else
    ++place->second.repeated;
}

void tilewright::amdgpu::GlobalRaces::noteCompareSwap(Wave &wave,
                                                      const Allocation &allocation,
                                                      uint64_t offset) {
  const uint32_t tag = races.getReadTag(agentOf(wave), allocation, offset);
  std::lock_guard<std::mutex> guard(lock);
  comparedLoads.insert(tag);
}

void tilewright::amdgpu::GlobalRaces::reportHeld(FaultLog &log) {
  for (auto &[key, fault] : held)
    if (!comparedLoads.count(key.first))
      log.add(std::move(fault));
  held.clear();
}

void tilewright::amdgpu::GlobalRaces::acquire(Wave &wave) {
  // Other waves of the group have it once they synchronise with this one later on.
  races.acquireByFence(agentOf(wave));
}
