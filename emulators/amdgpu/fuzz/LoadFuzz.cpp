//===- LoadFuzz.cpp - Fuzzing the loader, the decoder and the machine ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A libFuzzer target. Bytes are read as a code object or a bundle of them, what is one is
// loaded, and its first kernel is launched for a few steps. Whatever the bytes are,
// nothing may crash, hang or take much memory, and what is refused has a reason.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Bundle.h"
#include "emulators/amdgpu/Launch.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

using namespace tilewright;
using namespace tilewright::amdgpu;

/// Of the device. Objects that do not fit it are refused.
static constexpr uint64_t memoryLimit = uint64_t(16) << 20;
/// Instructions of the wave that is launched.
static constexpr uint64_t stepLimit = 2000;
/// Of arguments that are given; the metadata may claim any number.
static constexpr uint64_t argumentLimit = 1 << 16;

/// Ends the process where nothing was made and `error` does not say why.
static bool requireReason(bool isMade, const char *phase, const std::string &error) {
  if (isMade || !error.empty())
    return isMade;
  fprintf(stderr, "%s: nothing, and no reason\n", phase);
  abort();
}

/// Launches `kernel` with one work-group of one wave, its arguments zero.
static void launchOnce(Device &device, Program &program, const Kernel &kernel) {
  LaunchOptions options;
  uint64_t bytes = 0;
  for (const Argument &argument : kernel.arguments)
    if (!argument.isHidden())
      bytes = std::max<uint64_t>(bytes, uint64_t(argument.offset) + argument.size);
  if (bytes > argumentLimit)
    return;
  options.arguments.resize(bytes);
  options.grid = {1, 1, 1};
  options.block = {kernel.waveSize, 1, 1};
  options.threads = 1;
  options.maxSteps = stepLimit;
  options.checks.globalRaces = true;
  options.checks.statistics = true;
  Statistics statistics;
  launch(device, program, kernel, options, &statistics);
  for (const emulator::Fault &fault : device.faults.take())
    emulator::format(fault);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string bytes(reinterpret_cast<const char *>(data), size), error;
  // A bundle's entry is that of the first GPU that it has one for.
  std::string code;
  Selection selection = Selection::OtherGpu;
  for (const Target &target : targets) {
    selection = selectCodeObject(bytes, target, code, error);
    if (selection == Selection::Found)
      break;
  }
  if (!requireReason(selection == Selection::Found, "select", error))
    return 0;
  error.clear();
  auto object = readCodeObject(std::move(code), error);
  if (!requireReason(object != nullptr, "read", error))
    return 0;
  Device device(*object->target, memoryLimit);
  auto program = Program::load(std::move(object), device.memory, error);
  if (!requireReason(program != nullptr, "load", error))
    return 0;
  const auto &kernels = program->getObject().kernels;
  if (!kernels.empty())
    launchOnce(device, *program, kernels.front());
  return 0;
}
