//===- Statistics.h - What a launch did ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_STATISTICS_H
#define TILEWRIGHT_EMULATORS_PTX_STATISTICS_H

#include "emulators/common/Statistics.h"

#include <map>
#include <vector>

namespace tilewright::ptx {

struct Instruction;
using emulator::ProductTimer;

/// Counts of one instruction of the text.
struct LineCounts : emulator::AccessCounts {
  uint64_t executions = 0; ///< by warps
  uint64_t lanes = 0;      ///< active lanes in all; fewer than 32 each is divergence
};

/// Counts of a launch; those of warps and threads are added up.
struct Statistics : emulator::LaunchTotals {
  std::vector<uint64_t> opcodes;        ///< executions by index into Program::opcodes
  std::map<uint32_t, LineCounts> lines; ///< by line of the text; where asked for
  uint64_t warpInstructions = 0, threadInstructions = 0;

  bool byLine = false; ///< whether `lines` is kept

  void add(const Statistics &other);
  /// A warp executed `instruction` with `lanes` active.
  void count(const Instruction &instruction, uint32_t lanes);
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_STATISTICS_H
