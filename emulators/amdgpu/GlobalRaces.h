//===- GlobalRaces.h - The race check on global memory, of waves --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parties are work-groups. What releases and acquires between them:
//
//   release   an atomic operation, or a store that a program may synchronise by: one
//             whose scope is the device or more; where stores have no scope (gfx90a,
//             gfx11), one that a single lane makes. What was issued before is taken as
//             done: waits for stores are not looked at.
//   acquire   the next instruction that invalidates caches, after an atomic operation or
//             a load whose scope is the device or more
//
// Loads of such a scope conflict with no atomic operation, and where stores have no scope
// with no store.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_GLOBALRACES_H
#define TILEWRIGHT_EMULATORS_AMDGPU_GLOBALRACES_H

#include "emulators/amdgpu/WorkGroup.h"
#include "emulators/common/GlobalRaces.h"

namespace tilewright::amdgpu {

class GlobalRaces {
public:
  /// Notes an access of one of `wave`'s lanes to `size` bytes at `offset` of `allocation`
  /// by the instruction at hand, and what it releases; reports a conflict.
  void note(Wave &wave, const emulator::Allocation &allocation, uint64_t offset,
            uint32_t size, Access access, unsigned lane);
  /// `wave` invalidates caches.
  void acquire(Wave &wave);
  /// A compare-and-swap at `offset`. The load that its expected value came from takes
  /// part in no race with atomic operations, as in LDS.
  void noteCompareSwap(Wave &wave, const emulator::Allocation &allocation,
                       uint64_t offset);
  /// Reports the races of loads with atomic operations, but for loads that a
  /// compare-and-swap followed; at the end of a launch.
  void reportHeld(emulator::FaultLog &log);

private:
  emulator::GlobalRaces races;
  std::mutex lock;
  /// By the offsets of the load and of the other's instruction.
  std::map<std::pair<uint32_t, uint32_t>, emulator::Fault> held;
  std::set<uint32_t> comparedLoads;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_GLOBALRACES_H
