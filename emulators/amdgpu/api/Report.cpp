//===- Report.cpp - The C API: what a launch executed, as JSON ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/api/Api.h"
#include "emulators/common/api/Json.h"

#include <map>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::api;
using tilewright::emulator::api::JsonWriter;

/// Executions by mnemonic, the most often executed first.
static void writeOpcodes(JsonWriter &json, Program &program,
                         const Statistics &statistics) {
  std::map<uint32_t, uint64_t> byOpcode;
  std::string error;
  for (size_t i = 0; i < statistics.instructions.size(); ++i)
    if (statistics.instructions[i].executions)
      if (const Instruction *found = program.at(i * 4, error))
        byOpcode[found->opcode] += statistics.instructions[i].executions;
  std::vector<std::string> names = program.getMnemonics();
  std::vector<std::pair<uint64_t, std::string>> opcodes;
  for (const auto &[opcode, executions] : byOpcode)
    opcodes.emplace_back(executions, names[opcode]);
  std::sort(opcodes.begin(), opcodes.end(), [](const auto &a, const auto &b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  json.key("opcodes").open('[');
  for (const auto &[executions, name] : opcodes)
    json.open('{').field("name", name).field("executions", executions).close('}');
  json.close(']');
}

static void writeLines(JsonWriter &json, Program &program, const Statistics &statistics) {
  json.key("lines").open('[');
  std::string error;
  for (size_t i = 0; i < statistics.instructions.size(); ++i) {
    const Statistics::Counts &counts = statistics.instructions[i];
    const Instruction *instruction =
        counts.executions ? program.at(i * 4, error) : nullptr;
    if (!instruction)
      continue;
    json.open('{').field("line", uint64_t(i * 4)).field("text", instruction->text);
    SourceLine source = program.getSource(i * 4);
    if (source.line)
      json.field("file", source.file).field("source_line", uint64_t(source.line));
    const tilewright::emulator::AccessCounts memory =
        i < statistics.memory.size() ? statistics.memory[i]
                                     : tilewright::emulator::AccessCounts();
    const Ended ended = i < statistics.ended.size() ? statistics.ended[i] : Ended();
    json.field("executions", counts.executions)
        .field("lanes", counts.lanes)
        .counts(memory)
        .field("ended_loads", ended.loads)
        .field("ended_lds_stores", ended.ldsStores)
        .field("ended_stores", ended.stores)
        .close('}');
  }
  json.close(']');
}

std::string AmdDevice::makeReport() const {
  const auto &kernel = *static_cast<const AmdKernel *>(lastKernel);
  Program &program = kernel.program;
  const Statistics &statistics = last.statistics;
  uint64_t lanes = 0;
  for (const Statistics::Counts &counts : statistics.instructions)
    lanes += counts.lanes;
  JsonWriter json;
  json.open('{')
      .field("kernel", kernel.name())
      .field("target", program.getTarget().name)
      .field("device", arch)
      .dim("grid", last.options.grid)
      .dim("block", last.options.block)
      .field("shared_bytes",
             uint64_t(kernel.kernel.groupBytes) + last.options.dynamicShared)
      .key("seconds")
      .number(last.seconds)
      .field("warp_instructions", statistics.countExecutions())
      .field("thread_instructions", lanes)
      .field("lanes_per_warp", uint64_t(kernel.kernel.waveSize))
      .totals(statistics);
  writeOpcodes(json, program, statistics);
  if (checks & TW_EMULATOR_COUNT_BY_LINE)
    writeLines(json, program, statistics);
  else
    json.key("lines").open('[').close(']');
  json.close('}');
  return std::move(json.text);
}
