//===- Statistics.h - What a launch did ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_STATISTICS_H
#define TILEWRIGHT_EMULATORS_COMMON_STATISTICS_H

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tilewright::emulator {

/// What an instruction's accesses to memory cost.
struct AccessCounts {
  uint64_t globalSectors = 0, globalBytes = 0; ///< sectors of 32 bytes moved, bytes asked
  uint64_t sharedWavefronts = 0, sharedIdeal = 0; ///< bank cycles taken and needed

  void add(const AccessCounts &other);
  /// Lanes access `bytes` bytes of global memory each, at the `count` addresses `at`.
  void countGlobal(const uint64_t *at, size_t count, unsigned bytes);
  /// Lanes that go together access `bytes` bytes of shared memory each. In a cycle each
  /// of the `banks` serves one word of four bytes, to all lanes that want it, or
  /// (`isAtomic`) to one of them.
  void countShared(const uint64_t *at, size_t count, unsigned bytes, unsigned banks,
                   bool isAtomic);
};

/// Totals of a launch.
struct LaunchTotals {
  uint64_t multiplyAdds = 0; ///< of matrix instructions
  /// The host's time in matrix instructions, of all its threads; where asked for.
  uint64_t productNanoseconds = 0;
  uint64_t globalRead = 0, globalWritten = 0, sharedRead = 0,
           sharedWritten = 0; ///< bytes

  bool timesProducts = false; ///< whether `productNanoseconds` is kept

  void add(const LaunchTotals &other);
};

/// Counts the time that it lives as one of matrix instructions.
class ProductTimer {
public:
  explicit ProductTimer(LaunchTotals &totals) : totals(totals) {
    if (totals.timesProducts)
      start = std::chrono::steady_clock::now();
  }
  ~ProductTimer() {
    if (totals.timesProducts)
      totals.productNanoseconds += static_cast<uint64_t>(
          std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  }
  ProductTimer(const ProductTimer &) = delete;

private:
  LaunchTotals &totals;
  std::chrono::steady_clock::time_point start;
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_STATISTICS_H
