//===- Statistics.cpp - What a launch did -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Statistics.h"
#include "emulators/ptx/Program.h"

using namespace tilewright::ptx;

void Statistics::count(const Instruction &instruction, uint32_t lanes) {
  unsigned active = __builtin_popcount(lanes);
  ++opcodes[instruction.opcode];
  ++warpInstructions;
  threadInstructions += active;
  if (byLine) {
    LineCounts &line = lines[instruction.statement->line];
    ++line.executions;
    line.lanes += active;
  }
}

void Statistics::add(const Statistics &other) {
  if (opcodes.size() < other.opcodes.size())
    opcodes.resize(other.opcodes.size(), 0);
  for (size_t i = 0; i < other.opcodes.size(); ++i)
    opcodes[i] += other.opcodes[i];
  for (const auto &[line, counts] : other.lines) {
    LineCounts &sum = lines[line];
    sum.executions += counts.executions;
    sum.lanes += counts.lanes;
    sum.AccessCounts::add(counts);
  }
  warpInstructions += other.warpInstructions;
  threadInstructions += other.threadInstructions;
  LaunchTotals::add(other);
}
