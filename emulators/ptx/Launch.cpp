//===- Launch.cpp - Running a kernel's grid -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Host threads take clusters of the grid in order. A cluster that cannot go on without
// others (it spins on global memory) is put aside while more are started, up to what a
// device would hold at once; when all of those stand still there is a deadlock.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/GlobalWrites.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

static std::string checkLimits(const Device &device, const LaunchRun &run) {
  const LaunchOptions &o = run.options;
  const Function &syntax = *run.entry.syntax;
  auto text = [](const Dim3 &d) {
    return "(" + std::to_string(d.x) + ", " + std::to_string(d.y) + ", " +
           std::to_string(d.z) + ")";
  };
  if (!syntax.isEntry)
    return syntax.name + " is no kernel";
  if (o.block.count() == 0 || o.block.count() > 1024 || o.block.x > 1024 ||
      o.block.y > 1024 || o.block.z > 64)
    return "a block of " + text(o.block) +
           " threads: at most 1024 in all, (1024, 1024, 64)";
  if (o.grid.x == 0 || o.grid.y == 0 || o.grid.z == 0)
    return "a grid of " + text(o.grid) + " has no blocks";
  if (o.grid.y > 65535 || o.grid.z > 65535 || o.grid.x > 0x7fffffff)
    return "a grid of " + text(o.grid) + " blocks: at most (2^31 - 1, 65535, 65535)";
  if (o.cluster.count() == 0 || o.cluster.count() > 16)
    return "a cluster of " + text(o.cluster) + " blocks: 1 to 16";
  if (o.cluster.count() > 1 && device.architecture < 90)
    return "clusters need sm_90";
  if (o.grid.x % o.cluster.x || o.grid.y % o.cluster.y || o.grid.z % o.cluster.z)
    return "a grid of " + text(o.grid) + " is not made of clusters of " + text(o.cluster);
  const uint32_t *required = syntax.requiredThreads;
  if (required[0] &&
      (o.block.x != required[0] || o.block.y != std::max(required[1], 1u) ||
       o.block.z != std::max(required[2], 1u)))
    return syntax.name + " requires blocks of " +
           text({required[0], std::max(required[1], 1u), std::max(required[2], 1u)}) +
           " threads (.reqntid), not " + text(o.block);
  uint64_t most = uint64_t(syntax.maxThreads[0]) * std::max(syntax.maxThreads[1], 1u) *
                  std::max(syntax.maxThreads[2], 1u);
  if (most && o.block.count() > most)
    return syntax.name + " allows blocks of " + std::to_string(most) +
           " threads (.maxntid), not " + std::to_string(o.block.count());
  const uint32_t *cluster = syntax.requiredCluster;
  if (cluster[0] &&
      (o.cluster.x != cluster[0] || o.cluster.y != std::max(cluster[1], 1u) ||
       o.cluster.z != std::max(cluster[2], 1u)))
    return syntax.name + " requires clusters of " +
           text({cluster[0], std::max(cluster[1], 1u), std::max(cluster[2], 1u)}) +
           " blocks, not " + text(o.cluster);
  uint32_t limit = device.architecture >= 90   ? 227 * 1024
                   : device.architecture == 80 ? 163 * 1024
                                               : 99 * 1024;
  uint64_t shared = run.entry.sharedBytes + o.dynamicShared; // may not fit sharedBytes
  if (shared > limit)
    return "a block of " + syntax.name + " needs " + std::to_string(shared) +
           " bytes of shared memory, and sm_" + std::to_string(device.architecture) +
           " has " + std::to_string(limit);
  uint64_t params = 0;
  for (size_t i = 0; i < syntax.params.size(); ++i)
    params = run.entry.paramOffsets[i] + syntax.params[i].size;
  if (o.params.size() != params)
    return syntax.name + " takes " + std::to_string(params) +
           " bytes of parameters, not " + std::to_string(o.params.size());
  return "";
}

std::string tilewright::ptx::launch(Device &device, const Program &program,
                                    const DecodedFunction &entry,
                                    const LaunchOptions &options,
                                    Statistics *statistics) {
  LaunchRun run(device, program, entry, options);
  run.sharedBytes = static_cast<uint32_t>(entry.sharedBytes + options.dynamicShared);
  std::string error = checkLimits(device, run);
  if (!error.empty())
    return error;
  if (program.usesReservedShared) {
    constexpr uint32_t granule = 128; // in which shared memory is given out
    run.reservedShared = reservedSharedBytes;
    run.sharedBytes =
        (run.sharedBytes + granule - 1) / granule * granule + reservedSharedBytes;
  }
  if (!options.params.empty()) {
    memcpy(run.params.data(), options.params.data(), options.params.size());
    memset(run.params.shadow(), Sound, options.params.size());
  }
  run.statistics.byLine = options.checks.statistics;
  if (options.checks.globalRaces)
    run.globalRaces = std::make_shared<GlobalRaces>();
  // Without the race check there are no clocks to tell what fences made visible.
  if (program.copiesGlobal && options.checks.proxyFences && options.checks.sharedRaces)
    run.globalWrites = std::make_shared<GlobalWrites>();

  const Dim3 &cluster = options.cluster;
  Grid grid;
  grid.shape = {options.grid.x / cluster.x, options.grid.y / cluster.y,
                options.grid.z / cluster.z};
  grid.order = options.order;
  grid.threads = options.threads;
  grid.start = [&](Dim3 id) { return std::make_unique<Cluster>(run, id); };
  grid.progress = [&] { return run.globalProgress + run.spins; };
  grid.stopped = &run.stopped;
  grid.faults = &device.faults;
  runGrid(grid);
  device.memory.dropRetired();
  if (statistics)
    statistics->add(run.statistics);
  return "";
}
