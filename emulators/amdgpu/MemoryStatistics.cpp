//===- MemoryStatistics.cpp - What memory accesses cost -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/MemoryStatistics.h"

#include <algorithm>

using namespace tilewright::amdgpu;

static constexpr unsigned sectorBytes = 32, wordBytes = 4;

static void countSectors(const Lanes64 &at, uint64_t lanes, unsigned bytes,
                         Statistics::MemoryCounts &counts) {
  std::vector<uint64_t> sectors;
  for (uint64_t left = lanes; left; left &= left - 1) {
    uint64_t address = at[__builtin_ctzll(left)];
    for (uint64_t one = address / sectorBytes; one * sectorBytes < address + bytes; ++one)
      sectors.push_back(one);
  }
  std::sort(sectors.begin(), sectors.end());
  auto end = std::unique(sectors.begin(), sectors.end());
  counts.globalSectors += static_cast<uint64_t>(end - sectors.begin());
  counts.globalBytes += uint64_t(bytes) * __builtin_popcountll(lanes);
}

static void countCycles(const Lanes64 &at, uint64_t lanes, unsigned bytes, unsigned banks,
                        Statistics::MemoryCounts &counts) {
  const unsigned perGroup = std::max(banks * wordBytes / std::max(bytes, wordBytes), 1u);
  for (unsigned first = 0; first < maxLanes; first += perGroup) {
    uint64_t group =
        perGroup < 64 ? ((uint64_t(1) << perGroup) - 1) << first : ~uint64_t(0);
    std::vector<uint64_t> words;
    for (uint64_t left = lanes & group; left; left &= left - 1) {
      uint64_t offset = at[__builtin_ctzll(left)];
      for (uint64_t word = offset / wordBytes; word * wordBytes < offset + bytes; ++word)
        words.push_back(word);
    }
    if (words.empty())
      continue;
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::vector<unsigned> ofBank(banks, 0);
    unsigned most = 0;
    for (uint64_t word : words)
      most = std::max(most, ++ofBank[word % banks]);
    counts.sharedWavefronts += most;
    counts.sharedIdeal += (words.size() + banks - 1) / banks;
  }
}

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
  Statistics::MemoryCounts &counts = statistics.memory[wave.pc / 4];
  if (isLds) {
    Gpu gpu = wave.group.launch.device.target.gpu;
    countCycles(at, lanes, bytes, gpu == Gpu::Gfx90a || gpu == Gpu::Gfx942 ? 32 : 64,
                counts);
  } else {
    countSectors(at, lanes, bytes, counts);
  }
}
