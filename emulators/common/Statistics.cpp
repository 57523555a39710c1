//===- Statistics.cpp - What a launch did -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Statistics.h"

#include <algorithm>
#include <vector>

using namespace tilewright::emulator;

static constexpr unsigned sectorBytes = 32, wordBytes = 4;

void AccessCounts::add(const AccessCounts &other) {
  globalSectors += other.globalSectors;
  globalBytes += other.globalBytes;
  sharedWavefronts += other.sharedWavefronts;
  sharedIdeal += other.sharedIdeal;
}

void LaunchTotals::add(const LaunchTotals &other) {
  multiplyAdds += other.multiplyAdds;
  productNanoseconds += other.productNanoseconds;
  globalRead += other.globalRead;
  globalWritten += other.globalWritten;
  sharedRead += other.sharedRead;
  sharedWritten += other.sharedWritten;
}

/// The units of `unit` bytes that the accesses touch, one lane's after another's.
static std::vector<uint64_t> findUnits(const uint64_t *at, size_t count, unsigned bytes,
                                       unsigned unit) {
  std::vector<uint64_t> units;
  for (const uint64_t *address = at; address != at + count; ++address)
    for (uint64_t one = *address / unit; one * unit < *address + bytes; ++one)
      units.push_back(one);
  return units;
}

static void makeDistinct(std::vector<uint64_t> &units) {
  std::sort(units.begin(), units.end());
  units.erase(std::unique(units.begin(), units.end()), units.end());
}

void AccessCounts::countGlobal(const uint64_t *at, size_t count, unsigned bytes) {
  std::vector<uint64_t> sectors = findUnits(at, count, bytes, sectorBytes);
  makeDistinct(sectors);
  globalSectors += sectors.size();
  globalBytes += uint64_t(bytes) * count;
}

void AccessCounts::countShared(const uint64_t *at, size_t count, unsigned bytes,
                               unsigned banks, bool isAtomic) {
  if (!count)
    return;
  std::vector<uint64_t> words = findUnits(at, count, bytes, wordBytes);
  std::vector<uint32_t> load(banks, 0);
  auto addLoad = [&] {
    for (uint64_t word : words)
      ++load[word % banks];
  };
  if (isAtomic)
    addLoad();
  makeDistinct(words);
  if (!isAtomic)
    addLoad();
  sharedWavefronts += *std::max_element(load.begin(), load.end());
  sharedIdeal += (words.size() + banks - 1) / banks;
}
