//===- Launch.h - Running a kernel's grid -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_LAUNCH_H
#define TILEWRIGHT_EMULATORS_AMDGPU_LAUNCH_H

#include "emulators/amdgpu/Program.h"
#include "emulators/amdgpu/WaitCounters.h"
#include "emulators/common/Checks.h"
#include "emulators/common/Fault.h"
#include "emulators/common/Memory.h"
#include "emulators/common/Scheduler.h"
#include "emulators/common/Statistics.h"

namespace tilewright::amdgpu {

/// Where generic (flat) addresses of LDS and of a lane's private memory begin; each
/// aperture has four gigabytes.
constexpr uint64_t sharedAperture = uint64_t(1) << 48;
constexpr uint64_t privateAperture = uint64_t(2) << 48;

class GlobalRaces;

struct Checks : emulator::Checks {
  bool hazards = true;
};

struct LaunchOptions {
  emulator::Dim3 grid;  ///< work-groups
  emulator::Dim3 block; ///< work-items of each
  uint32_t dynamicShared = 0;
  /// The explicit arguments, laid out as the metadata says. Hidden ones are filled in.
  std::vector<uint8_t> arguments;
  emulator::Order order;
  Checks checks;
  unsigned threads = 0;  ///< of the host; 0: all
  uint64_t maxSteps = 0; ///< instructions of one wave; 0: no limit
};

/// Counts of a launch.
struct Statistics : emulator::LaunchTotals {
  struct Counts {
    uint64_t executions = 0, lanes = 0;
  };
  std::vector<Counts> instructions; ///< by dword of the code
  /// The same; empty where Checks::statistics does not ask for it.
  std::vector<emulator::AccessCounts> memory;
  std::vector<Ended> ended; ///< the same: by the waits at hand
  void add(const Statistics &other);
  uint64_t countExecutions() const;
};

struct Device {
  explicit Device(const Target &target, uint64_t memoryBytes = uint64_t(64) << 30)
      : target(target), memory(memoryBytes) {}

  const Target &target;
  emulator::GlobalMemory memory;
  emulator::FaultLog faults;
  std::mutex outputLock;
  std::string output; ///< what printf wrote
};

/// A launch while it runs; what all its work-groups share.
struct LaunchRun {
  LaunchRun(Device &device, Program &program, const Kernel &kernel,
            const LaunchOptions &options)
      : device(device), program(program), kernel(kernel), options(options) {}

  Device &device;
  Program &program;
  const Kernel &kernel;
  const LaunchOptions &options;
  uint32_t sharedBytes = 0;
  uint64_t kernarg = 0;  ///< address of the arguments
  uint64_t dispatch = 0; ///< of the dispatch packet
  std::atomic<bool> stopped{false};
  Statistics statistics;
  std::mutex statisticsLock;
  /// Stores and atomics to global memory so far, by which spinning groups see progress.
  std::atomic<uint64_t> globalProgress{0};
  /// Where Checks::globalRaces asks for it.
  std::shared_ptr<GlobalRaces> globalRaces;
};

/// Checks `options` against the kernel and the device and runs the grid; "" or why it
/// cannot be launched. Faults go to the device's log.
std::string launch(Device &device, Program &program, const Kernel &kernel,
                   const LaunchOptions &options, Statistics *statistics = nullptr);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_LAUNCH_H
