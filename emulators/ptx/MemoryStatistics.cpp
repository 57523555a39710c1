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

static constexpr uint32_t sectorBytes = 32, banks = 32, wordBytes = 4;

/// The sectors that the active lanes touch.
static uint64_t countSectors(const Addresses &addresses, uint32_t active, uint32_t size) {
  uint64_t sectors[2 * lanesPerWarp];
  size_t count = 0;
  for (uint32_t lanes = active; lanes; lanes &= lanes - 1) {
    uint64_t address = addresses.of[__builtin_ctz(lanes)];
    uint64_t last = (address + size - 1) / sectorBytes;
    for (uint64_t sector = address / sectorBytes; sector <= last; ++sector)
      sectors[count++] = sector;
  }
  std::sort(sectors, sectors + count);
  return static_cast<uint64_t>(std::unique(sectors, sectors + count) - sectors);
}

/// Adds the wavefronts of the lanes `active`, which go together, to `line`.
static void countWavefronts(LineCounts &line, const Addresses &addresses, uint32_t active,
                            uint32_t size, bool isAtomic) {
  uint64_t words[lanesPerWarp * 8];
  size_t count = 0;
  for (uint32_t lanes = active; lanes; lanes &= lanes - 1) {
    uint64_t address = addresses.of[__builtin_ctz(lanes)];
    uint64_t last = (address + size - 1) / wordBytes;
    for (uint64_t word = address / wordBytes; word <= last; ++word)
      words[count++] = word;
  }
  uint64_t *end = words + count;
  uint32_t load[banks] = {};
  if (isAtomic)
    for (uint64_t *word = words; word != end; ++word)
      ++load[*word % banks];
  std::sort(words, end);
  end = std::unique(words, end);
  uint64_t distinct = static_cast<uint64_t>(end - words);
  if (!isAtomic)
    for (uint64_t *word = words; word != end; ++word)
      ++load[*word % banks];
  line.sharedWavefronts += *std::max_element(load, load + banks);
  line.sharedIdeal += (distinct + banks - 1) / banks;
}

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
  if (space == Space::Global) {
    line.globalBytes += bytes;
    line.globalSectors += countSectors(addresses, active, size);
    return;
  }
  unsigned together = size <= 4 ? 32 : std::max(1u, 128 / size);
  for (unsigned first = 0; first < lanesPerWarp; first += together) {
    uint32_t mask = together == 32 ? allLanes : ((1u << together) - 1) << first;
    if (active & mask)
      countWavefronts(line, addresses, active & mask, size, isAtomic);
  }
}
