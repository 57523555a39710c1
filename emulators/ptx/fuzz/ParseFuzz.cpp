//===- ParseFuzz.cpp - Fuzzing the parser, the decoder and the machine --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A libFuzzer target. Bytes are parsed as PTX, what parses is decoded, and the first
// entry of what decodes is launched for a few steps. Whatever the bytes are, nothing may
// crash, hang or take much memory, and an error names a line of the text.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Launch.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace tilewright;
using namespace tilewright::ptx;

/// Of the device. Modules whose variables do not fit it are refused.
static constexpr uint64_t memoryLimit = uint64_t(16) << 20;
/// Instructions of the warp that is launched.
static constexpr uint64_t stepLimit = 2000;
/// Of an entry that is launched; hardware takes fewer.
static constexpr uint64_t paramLimit = 1 << 16;

/// Ends the process where `error` says nothing or names no line of the text.
static void requireLocated(const SyntaxError &error, const char *phase, size_t lines) {
  if (!error.message.empty() && error.line > 0 && error.line <= lines)
    return;
  fprintf(stderr, "%s: an error without a place in %zu lines: %u:%u: '%s'\n", phase,
          lines, error.line, error.column, error.message.c_str());
  abort();
}

/// Launches `entry` with one block of one warp, its parameters zero.
static void launchOnce(Device &device, const Program &program,
                       const DecodedFunction &entry) {
  LaunchOptions options;
  uint64_t bytes = 0;
  const std::vector<Variable> &params = entry.syntax->params;
  for (size_t i = 0; i < params.size(); ++i)
    bytes = entry.paramOffsets[i] + params[i].size;
  if (bytes > paramLimit)
    return;
  options.params.resize(bytes);
  options.block = {32, 1, 1};
  options.threads = 1;
  options.maxSteps = stepLimit;
  options.checks.globalRaces = true;
  options.checks.statistics = true;
  Statistics statistics;
  launch(device, program, entry, options, &statistics);
  for (const emulator::Fault &fault : device.faults.take())
    emulator::format(fault);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  size_t lines = 1 + std::count(text.begin(), text.end(), '\n');
  SyntaxError error;
  std::unique_ptr<Module> module = parse(std::move(text), error);
  if (!module) {
    requireLocated(error, "parse", lines);
    return 0;
  }
  Device device{90, true, emulator::GlobalMemory{memoryLimit}, {}, {}, {}, 132};
  std::unique_ptr<Program> program = decode(std::move(module), device.memory, error);
  if (!program) {
    requireLocated(error, "decode", lines);
    return 0;
  }
  device.architecture = program->architecture;
  device.architectureSpecific = program->architectureSpecific;
  auto entry = std::find_if(
      program->functions.begin(), program->functions.end(),
      [](const DecodedFunction &function) { return function.syntax->isEntry; });
  if (entry != program->functions.end())
    launchOnce(device, *program, *entry);
  return 0;
}
