//===- Evidence.h - What tests executed, for the table of coverage ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where TILEWRIGHT_AMDGPU_EVIDENCE names a file, each run that breaks no rule adds a line
// "SUITE.TEST <tab> GPU INSTRUCTION" for every instruction that it executed.
// amd_coverage.py of test/emulator/amdgpu makes docs/emulator-amdgpu-coverage.md of them.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_EVIDENCE_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_EVIDENCE_H

#include "emulators/amdgpu/WorkGroup.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>

namespace tilewright::amdgpu::test {

inline void writeEvidence(WorkGroup &group) {
  static const char *const name = std::getenv("TILEWRIGHT_AMDGPU_EVIDENCE");
  static std::set<std::string> written;
  const auto *info = testing::UnitTest::GetInstance()->current_test_info();
  if (!name || !info)
    return;
  // Of a test with parameters, the name without them: "Every/Suite.Test/7".
  std::string suite = info->test_suite_name(), test = info->name();
  suite.erase(0, suite.find('/') + 1);
  test.erase(std::min(test.find('/'), test.size()));
  std::ofstream file(name, std::ios::app);
  const auto &counts = group.statistics.instructions;
  for (size_t dword = 0; dword < counts.size(); ++dword) {
    std::string error;
    const Instruction *instruction =
        counts[dword].executions ? group.launch.program.at(4 * dword, error) : nullptr;
    if (!instruction)
      continue;
    std::string line = suite + "." + test + "\t" +
                       std::string(group.launch.device.target.name) + " " +
                       instruction->text;
    if (written.insert(line).second)
      file << line << '\n';
  }
}

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_EVIDENCE_H
