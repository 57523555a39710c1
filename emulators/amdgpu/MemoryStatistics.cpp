//===- MemoryStatistics.cpp - What memory accesses cost -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/MemoryStatistics.h"

#include <algorithm>

using namespace tilewright::amdgpu;

void tilewright::amdgpu::countAccess(Wave &wave, Space space, const Lanes64 &at,
                                     uint64_t lanes, unsigned bytes, Access access) {
  if (space == Space::Private || !lanes)
    return;
  Statistics &statistics = wave.group.statistics;
  const uint64_t all = uint64_t(bytes) * __builtin_popcountll(lanes);
  const bool reads = access == Access::Read || access == Access::Atomic;
  const bool writes = access != Access::Read;
  const bool isLds = space == Space::Lds;
  if (reads)
    (isLds ? statistics.sharedRead : statistics.globalRead) += all;
  if (writes)
    (isLds ? statistics.sharedWritten : statistics.globalWritten) += all;
  if (statistics.memory.empty())
    return;
  emulator::AccessCounts &counts = statistics.memory[wave.pc / 4];
  uint64_t list[maxLanes];
  auto gather = [&](uint64_t left) {
    size_t count = 0;
    for (; left; left &= left - 1)
      list[count++] = at[__builtin_ctzll(left)];
    return count;
  };
  if (!isLds)
    return counts.countGlobal(list, gather(lanes), bytes);
  const Gpu gpu = wave.group.launch.device.target.gpu;
  const unsigned banks = gpu == Gpu::Gfx90a || gpu == Gpu::Gfx942 ? 32 : 64;
  const unsigned together = std::max(banks * 4 / std::max(bytes, 4u), 1u);
  for (unsigned first = 0; first < maxLanes; first += together) {
    uint64_t mask = together < 64 ? ((uint64_t(1) << together) - 1) << first : ~0ull;
    counts.countShared(list, gather(lanes & mask), bytes, banks, /*isAtomic=*/false);
  }
}
