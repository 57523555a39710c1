//===- Launch.cpp - Running a kernel's grid -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Launch.h"

#include "emulators/amdgpu/GlobalRaces.h"
#include "emulators/amdgpu/InitialState.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

static std::string text(const Dim3 &d) {
  return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " +
         std::to_string(d.z) + ")";
}

static std::string checkLimits(const LaunchRun &run) {
  const LaunchOptions &options = run.options;
  const Target &target = run.device.target;
  const Kernel &kernel = run.kernel;
  if (&target != &run.program.getTarget())
    return "the code object is for " + std::string(run.program.getTarget().name) +
           ", the device is " + std::string(target.name);
  if (options.block.count() == 0 || options.block.count() > 1024)
    return "a work-group of " + text(options.block) + " work-items: 1 to 1024";
  if (kernel.maxThreads && options.block.count() > kernel.maxThreads)
    return kernel.name + " allows work-groups of " + std::to_string(kernel.maxThreads) +
           " work-items, not " + std::to_string(options.block.count());
  uint64_t shared = uint64_t(kernel.groupBytes) + options.dynamicShared;
  if (shared > target.ldsBytes)
    return "a work-group of " + kernel.name + " needs " + std::to_string(shared) +
           " bytes of LDS, and " + std::string(target.name) + " has " +
           std::to_string(target.ldsBytes);
  return "";
}

std::string tilewright::amdgpu::launch(Device &device, Program &program,
                                       const Kernel &kernel, const LaunchOptions &options,
                                       Statistics *statistics) {
  LaunchRun run(device, program, kernel, options);
  std::string error = checkLimits(run);
  if (!error.empty())
    return error;
  run.sharedBytes = kernel.groupBytes + options.dynamicShared;
  if (options.checks.globalRaces)
    run.globalRaces = std::make_shared<GlobalRaces>();
  error = prepareMemory(run);
  if (error.empty()) {
    Grid grid;
    grid.shape = options.grid;
    grid.order = options.order;
    grid.threads = options.threads;
    grid.start = [&](Dim3 id) { return std::make_unique<WorkGroup>(run, id); };
    grid.progress = [&] { return run.globalProgress.load(); };
    grid.stopped = &run.stopped;
    grid.faults = &device.faults;
    runGrid(grid);
    if (run.globalRaces)
      run.globalRaces->reportHeld(device.faults);
  }
  releaseMemory(run);
  if (statistics)
    statistics->add(run.statistics);
  return error;
}
