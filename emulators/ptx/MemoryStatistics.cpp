//===- MemoryStatistics.cpp - Sectors and bank conflicts ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Global memory moves in sectors of 32 bytes. Shared memory has 32 banks of a word of
// four bytes; in one wavefront each bank serves one word, to all lanes that want it.
// Accesses of 8 and 16 bytes a lane are made by half and quarter warps, one after the
// other:
//
//   4 bytes, stride 1 word    1 wavefront     ideal 1
//   4 bytes, stride 2 words   2 wavefronts    ideal 1
//   16 bytes, unit stride     4 wavefronts    ideal 4
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MemoryAccess.h"

#include <algorithm>

using namespace tilewright::ptx;

static constexpr unsigned banks = 32;

void tilewright::ptx::countAccess(Warp &warp, const Instruction &instruction, Space space,
                                  bool isRead, const Addresses &addresses, uint32_t size,
                                  bool isAtomic) {
  Statistics &statistics = *warp.block.cluster.getStatistics();
  uint32_t active = warp.active;
  uint64_t bytes = uint64_t(__builtin_popcount(active)) * size;
  if (space == Space::Global) {
    (isRead ? statistics.globalRead : statistics.globalWritten) += bytes;
    if (isAtomic)
      statistics.globalWritten += bytes;
  } else if (space == Space::Shared) {
    (isRead ? statistics.sharedRead : statistics.sharedWritten) += bytes;
    if (isAtomic)
      statistics.sharedWritten += bytes;
  } else {
    return;
  }
  if (!statistics.byLine)
    return;
  LineCounts &line = statistics.lines[instruction.statement->line];
  uint64_t at[lanesPerWarp];
  auto gather = [&](uint32_t lanes) {
    size_t count = 0;
    for (; lanes; lanes &= lanes - 1)
      at[count++] = addresses.of[__builtin_ctz(lanes)];
    return count;
  };
  if (space == Space::Global)
    return line.countGlobal(at, gather(active), size);
  unsigned together = size <= 4 ? 32 : std::max(1u, 128 / size);
  for (unsigned first = 0; first < lanesPerWarp; first += together) {
    uint32_t mask = together == 32 ? allLanes : ((1u << together) - 1) << first;
    line.countShared(at, gather(active & mask), size, banks, isAtomic);
  }
}
