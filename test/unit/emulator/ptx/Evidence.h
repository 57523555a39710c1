//===- Evidence.h - Which instructions the tests execute ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where TILEWRIGHT_PTX_EVIDENCE names a file, each launch that breaks no rule adds a line
// "SUITE.TEST <tab> STATEMENT" for every statement that it executed. coverage.py of
// test/emulator/ptx makes docs/emulator-coverage.md of them.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_EVIDENCE_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_EVIDENCE_H

#include "emulators/ptx/Program.h"
#include "emulators/ptx/Statistics.h"

#include "gtest/gtest.h"
#include <cstdlib>
#include <fstream>
#include <set>

namespace tilewright::ptx::test {

inline const char *getEvidenceFile() {
  static const char *const name = std::getenv("TILEWRIGHT_PTX_EVIDENCE");
  return name;
}

/// Statements of `program` whose mnemonic was executed and whose line was: a line may
/// have several statements. `statistics` counts by line.
inline void writeEvidence(const Program &program, const Statistics &statistics) {
  static std::set<std::pair<std::string, std::string>> written;
  const auto *info = testing::UnitTest::GetInstance()->current_test_info();
  if (!info)
    return;
  std::string test = std::string(info->test_suite_name()) + "." + info->name();
  std::ofstream file(getEvidenceFile(), std::ios::app);
  for (const DecodedFunction &function : program.functions)
    for (const Instruction &instruction : function.code) {
      if (instruction.opcode >= statistics.opcodes.size() ||
          !statistics.opcodes[instruction.opcode] ||
          !statistics.lines.count(instruction.statement->line))
        continue;
      std::string text(instruction.statement->text);
      for (char &c : text)
        if (c == '\n' || c == '\t')
          c = ' ';
      if (written.emplace(test, text).second)
        file << test << '\t' << text << '\n';
    }
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_EVIDENCE_H
