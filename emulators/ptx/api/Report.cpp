//===- Report.cpp - Launches and faults as JSON -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/api/Json.h"
#include "emulators/ptx/api/Api.h"

#include <cstdio>

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using tilewright::emulator::api::JsonWriter;

/// The first statement on each line of the program's text, with its function.
static std::map<uint32_t, std::pair<const Statement *, const Function *>>
statementsByLine(const Program &program) {
  std::map<uint32_t, std::pair<const Statement *, const Function *>> found;
  for (const DecodedFunction &function : program.functions)
    for (const Instruction &instruction : function.code)
      found.try_emplace(instruction.statement->line, instruction.statement,
                        function.syntax);
  return found;
}

static void writeLines(JsonWriter &json, const Program &program,
                       const Statistics &statistics) {
  auto statements = statementsByLine(program);
  const Module &module = *program.module;
  json.key("lines").open('[');
  for (const auto &[line, counts] : statistics.lines) {
    json.open('{').field("line", uint64_t(line));
    auto found = statements.find(line);
    if (found != statements.end()) {
      const auto &[statement, function] = found->second;
      json.field("text", statement->text).field("function", function->name);
      const SourceLocation &location = module.locations[statement->location];
      auto file = module.files.find(location.file);
      if (location.line && file != module.files.end())
        json.field("file", file->second).field("source_line", uint64_t(location.line));
    }
    json.field("executions", counts.executions)
        .field("lanes", counts.lanes)
        .counts(counts)
        .close('}');
  }
  json.close(']');
}

std::string PtxDevice::makeReport() const {
  const auto &kernel = *static_cast<const PtxKernel *>(lastKernel);
  const Program &program = kernel.program;
  const Statistics &statistics = last.statistics;
  JsonWriter json;
  json.open('{')
      .field("kernel", kernel.name())
      .field("target", program.module->target)
      .field("device", arch)
      .dim("grid", last.options.grid)
      .dim("block", last.options.block)
      .dim("cluster", last.options.cluster)
      .field("shared_bytes", kernel.function.sharedBytes + last.options.dynamicShared)
      .key("seconds")
      .number(last.seconds)
      .field("warp_instructions", statistics.warpInstructions)
      .field("thread_instructions", statistics.threadInstructions)
      .field("lanes_per_warp", uint64_t(lanesPerWarp))
      .totals(statistics);

  std::vector<std::pair<uint64_t, std::string_view>> opcodes;
  for (size_t i = 0; i < statistics.opcodes.size(); ++i)
    if (statistics.opcodes[i])
      opcodes.emplace_back(statistics.opcodes[i], program.opcodes[i]);
  std::sort(opcodes.begin(), opcodes.end(), [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  json.key("opcodes").open('[');
  for (const auto &[executions, name] : opcodes)
    json.open('{').field("name", name).field("executions", executions).close('}');
  json.close(']');
  writeLines(json, program, statistics);
  json.close('}');
  return std::move(json.text);
}
