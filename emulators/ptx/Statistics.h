//===- Statistics.h - What a launch did ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_STATISTICS_H
#define TILEWRIGHT_EMULATORS_PTX_STATISTICS_H

#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

namespace tilewright::ptx {

struct Instruction;

/// Counts of one instruction of the text.
struct LineCounts {
  uint64_t executions = 0; ///< by warps
  uint64_t lanes = 0;      ///< active lanes in all; fewer than 32 each is divergence
  uint64_t globalSectors = 0, globalBytes = 0; ///< sectors of 32 bytes moved, bytes asked
  uint64_t sharedWavefronts = 0, sharedIdeal = 0; ///< bank cycles taken and needed
};

/// Counts of a launch; those of warps and threads are added up.
struct Statistics {
  std::vector<uint64_t> opcodes;        ///< executions by index into Program::opcodes
  std::map<uint32_t, LineCounts> lines; ///< by line of the text; where asked for
  uint64_t warpInstructions = 0, threadInstructions = 0;
  uint64_t multiplyAdds = 0; ///< of matrix instructions
  /// The host's time in matrix instructions, of all its threads; where asked for.
  uint64_t productNanoseconds = 0;
  uint64_t globalRead = 0, globalWritten = 0, sharedRead = 0,
           sharedWritten = 0; ///< bytes

  bool byLine = false;        ///< whether `lines` is kept
  bool timesProducts = false; ///< whether `productNanoseconds` is

  void add(const Statistics &other);
  /// A warp executed `instruction` with `lanes` active.
  void count(const Instruction &instruction, uint32_t lanes);
};

/// Counts the time that it lives as one of matrix instructions.
class ProductTimer {
public:
  explicit ProductTimer(Statistics &statistics) : statistics(statistics) {
    if (statistics.timesProducts)
      start = std::chrono::steady_clock::now();
  }
  ~ProductTimer() {
    if (statistics.timesProducts)
      statistics.productNanoseconds += static_cast<uint64_t>(
          std::chrono::nanoseconds(std::chrono::steady_clock::now() - start).count());
  }
  ProductTimer(const ProductTimer &) = delete;

private:
  Statistics &statistics;
  std::chrono::steady_clock::time_point start;
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_STATISTICS_H
