//===- Report.cpp - Launches and faults as JSON -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/api/Api.h"
#include "emulators/ptx/api/Json.h"

#include <cstdio>

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using tilewright::emulator::Fault;

/// Bytes that are no UTF-8 (a file's name in a .file directive may be anything) are
/// written as code points of their own, so the text is always valid.
JsonWriter &JsonWriter::string(std::string_view value) {
  std::string quoted = "\"";
  for (size_t i = 0; i < value.size(); ++i) {
    unsigned char c = value[i];
    // The length of a well-formed sequence that starts here.
    size_t length = c < 0x80                ? 1
                    : c >= 0xc2 && c < 0xe0 ? 2
                    : c >= 0xe0 && c < 0xf0 ? 3
                    : c >= 0xf0 && c < 0xf5 ? 4
                                            : 0;
    bool isWhole = length && i + length <= value.size();
    for (size_t j = 1; isWhole && j < length; ++j)
      isWhole = (static_cast<unsigned char>(value[i + j]) & 0xc0) == 0x80;
    unsigned char next = i + 1 < value.size() ? value[i + 1] : 0;
    isWhole = isWhole && !(c == 0xe0 && next < 0xa0) && !(c == 0xed && next >= 0xa0) &&
              !(c == 0xf0 && next < 0x90) && !(c == 0xf4 && next >= 0x90);
    if (c == '"' || c == '\\') {
      quoted += '\\';
      quoted += c;
    } else if (c < 0x20 || c == 0x7f || !isWhole) {
      char escape[8];
      snprintf(escape, sizeof(escape), "\\u%04x", c);
      quoted += escape;
    } else {
      quoted.append(value.substr(i, length));
      i += length - 1;
    }
  }
  return raw(quoted + "\"");
}

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
        .field("global_sectors", counts.globalSectors)
        .field("global_bytes", counts.globalBytes)
        .field("shared_wavefronts", counts.sharedWavefronts)
        .field("shared_ideal", counts.sharedIdeal)
        .close('}');
  }
  json.close(']');
}

std::string api::reportToJson(const tw_ptx_device &device) {
  const LastLaunch &last = device.last;
  const Program &program = *last.kernel->module->program;
  const Statistics &statistics = last.statistics;
  JsonWriter json;
  json.open('{')
      .field("kernel", last.kernel->syntax().name)
      .field("target", program.module->target)
      .field("device", device.arch)
      .dim("grid", last.options.grid)
      .dim("block", last.options.block)
      .dim("cluster", last.options.cluster)
      .field("shared_bytes",
             last.kernel->function->sharedBytes + last.options.dynamicShared)
      .key("seconds")
      .number(last.seconds)
      .field("warp_instructions", statistics.warpInstructions)
      .field("thread_instructions", statistics.threadInstructions)
      .field("multiply_adds", statistics.multiplyAdds)
      .key("product_seconds")
      .number(static_cast<double>(statistics.productNanoseconds) * 1e-9)
      .field("global_read_bytes", statistics.globalRead)
      .field("global_written_bytes", statistics.globalWritten)
      .field("shared_read_bytes", statistics.sharedRead)
      .field("shared_written_bytes", statistics.sharedWritten);

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

std::string api::faultsToJson(const tw_ptx_device &device) {
  JsonWriter json;
  json.open('[');
  for (const Fault &fault : device.faults)
    json.open('{')
        .field("rule", getName(fault.rule))
        .field("explanation", getExplanation(fault.rule))
        .field("message", fault.message)
        .field("kernel", fault.site.kernel)
        .dim("block", fault.site.block)
        .dim("thread", fault.site.thread)
        .field("line", uint64_t(fault.site.line))
        .field("instruction", fault.site.instruction)
        .field("file", fault.site.file)
        .field("source_line", uint64_t(fault.site.sourceLine))
        .field("repeated", fault.repeated)
        .close('}');
  json.close(']');
  return std::move(json.text);
}
