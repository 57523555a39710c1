//===- Launch.h - Running a kernel's grid -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_LAUNCH_H
#define TILEWRIGHT_EMULATORS_PTX_LAUNCH_H

#include "emulators/common/Checks.h"
#include "emulators/common/Fault.h"
#include "emulators/common/Memory.h"
#include "emulators/common/Order.h"
#include "emulators/common/Pool.h"
#include "emulators/common/Scheduler.h"
#include "emulators/ptx/DeviceHeap.h"
#include "emulators/ptx/LaneHistory.h"
#include "emulators/ptx/Program.h"
#include "emulators/ptx/Statistics.h"
#include "emulators/ptx/Warp.h"

namespace tilewright::ptx {

class Tracer;

class GlobalRaces;
class GlobalWrites;
using emulator::Order;

struct Checks : emulator::Checks {
  bool proxyFences = true;
  bool laneRaces = true; ///< between lanes of a warp, with `sharedRaces`
};

/// Bytes of shared memory that the system has in each block.
constexpr uint32_t reservedSharedBytes = 1024;

struct LaunchOptions {
  emulator::Dim3 grid, block, cluster;
  uint32_t dynamicShared = 0;
  bool cooperative = false;
  std::vector<uint8_t> params; ///< laid out as the entry's parameters are
  Order order;
  Checks checks;
  unsigned threads = 0;          ///< of the host; 0: all
  uint64_t maxSteps = 0;         ///< warp-instructions of one warp; 0: no limit
  uint32_t environment[32] = {}; ///< %envreg0 to 31
  Tracer *tracer = nullptr;      ///< told what its warp executes; may be null
};

/// A device: its architecture and its global memory.
struct Device {
  unsigned architecture = 80;
  bool architectureSpecific = false;
  emulator::GlobalMemory memory{uint64_t(64) << 30};
  emulator::FaultLog faults;
  std::mutex outputLock;
  std::string output; ///< what printf wrote
  unsigned multiprocessors = 132;
  /// Host memory for the frames of all calls of a launch: 1024 threads of a deep
  /// recursion would need more than there is.
  uint64_t frameLimit = uint64_t(1) << 30;
  DeviceHeap heap{memory};
};

/// A launch while it runs; what all its blocks share.
struct LaunchRun {
  LaunchRun(Device &device, const Program &program, const DecodedFunction &entry,
            const LaunchOptions &options)
      : device(device), program(program), entry(entry), options(options),
        params(options.params.size()) {}

  Device &device;
  const Program &program;
  const DecodedFunction &entry;
  const LaunchOptions &options;
  emulator::Bytes params; ///< all sound
  uint64_t gridId = 1;
  uint32_t sharedBytes = 0; ///< of each block: static, dynamic, then reserved
  /// Of those, the system's, where the program asks for its place: the last ones, while
  /// they are the first on hardware.
  uint32_t reservedShared = 0;
  uint32_t userShared() const { return sharedBytes - reservedShared; }
  std::atomic<bool> stopped{false};
  Statistics statistics;
  std::mutex statisticsLock;
  /// Stores and atomics to global memory so far, by which spinning blocks see progress.
  std::atomic<uint64_t> globalProgress{0};
  /// Polls that found nothing new, by warps that count or keep time meanwhile: no
  /// deadlock.
  std::atomic<uint64_t> spins{0};
  /// Where Checks::globalRaces asks for it.
  std::shared_ptr<GlobalRaces> globalRaces;
  /// Where the program has bulk copies of global memory and Checks::proxyFences asks for
  /// it.
  std::shared_ptr<GlobalWrites> globalWrites;
  /// Host memory that the frames of calls take.
  std::atomic<uint64_t> frameBytes{0};
  /// What blocks that are done leave to those that start.
  emulator::Pool<emulator::Bytes> sharedMemories;
  emulator::Pool<emulator::AccessHistory> histories;
  emulator::Pool<LaneHistory> laneHistories;
  emulator::Pool<Registers> registers;
};

/// Checks `options` against the device's limits and runs the grid; "" or why it cannot be
/// launched. Faults go to the device's log.
std::string launch(Device &device, const Program &program, const DecodedFunction &entry,
                   const LaunchOptions &options, Statistics *statistics = nullptr);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_LAUNCH_H
