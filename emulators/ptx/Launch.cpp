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

#include <algorithm>
#include <cstring>
#include <new>
#include <numeric>
#include <random>
#include <thread>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Rounds of all warps before a cluster that runs gives way to one put aside.
static constexpr uint64_t roundsPerTurn = 64;
/// Clusters that a host thread keeps at once.
static constexpr size_t residentClusters = 512;
/// Turns after which one more cluster is started even though those that run go on: they
/// may spin for one that has not started.
static constexpr uint64_t turnsAlone = 256;
/// Turns of every cluster without any progress after which there is a deadlock.
static constexpr unsigned idleTurns = 64;

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

namespace {
/// The grid while host threads take clusters from it.
class Grid {
public:
  Grid(LaunchRun &run, unsigned threads) : run(run), idleSince(threads, busy) {
    const Dim3 &grid = run.options.grid, &cluster = run.options.cluster;
    shape = {grid.x / cluster.x, grid.y / cluster.y, grid.z / cluster.z};
    total = shape.count();
    if (run.options.order.kind == Order::Shuffled) {
      shuffled.resize(total);
      std::iota(shuffled.begin(), shuffled.end(), 0);
      std::mt19937_64 random(run.options.order.seed);
      std::shuffle(shuffled.begin(), shuffled.end(), random);
    }
  }

  /// What host thread `number` does.
  void work(unsigned number);

private:
  static constexpr uint64_t busy = ~uint64_t(0);

  std::unique_ptr<Cluster> start();
  uint64_t getProgress() const { return events + run.globalProgress + run.spins; }
  bool areAllIdle(unsigned number, uint64_t progress);
  void reportDeadlock(const Cluster &cluster);

  LaunchRun &run;
  Dim3 shape;
  uint64_t total;
  std::vector<uint64_t> shuffled;
  std::atomic<uint64_t> started{0};
  /// Clusters finished, and turns in which one went on: progress that all threads see.
  std::atomic<uint64_t> events{0};
  /// The progress that each thread has seen nothing beyond for long, or `busy`; of a
  /// thread that is done `gone`.
  std::mutex idleLock;
  std::vector<uint64_t> idleSince;
  static constexpr uint64_t gone = busy - 1;
};
} // namespace

/// Notes that thread `number` stands still at `progress`; whether all do. A thread that
/// the host has put to sleep may go on, so one thread's patience proves nothing.
bool Grid::areAllIdle(unsigned number, uint64_t progress) {
  std::lock_guard<std::mutex> guard(idleLock);
  idleSince[number] = progress;
  return getProgress() == progress &&
         std::all_of(idleSince.begin(), idleSince.end(),
                     [&](uint64_t since) { return since == progress || since == gone; });
}

std::unique_ptr<Cluster> Grid::start() {
  uint64_t number = started.fetch_add(1);
  if (number >= total)
    return nullptr;
  if (run.options.order.kind == Order::Reverse)
    number = total - 1 - number;
  else if (!shuffled.empty())
    number = shuffled[number];
  uint32_t x = static_cast<uint32_t>(number % shape.x);
  uint32_t y = static_cast<uint32_t>(number / shape.x % shape.y);
  uint32_t z = static_cast<uint32_t>(number / shape.x / shape.y);
  return std::make_unique<Cluster>(run, Dim3{x, y, z});
}

void Grid::reportDeadlock(const Cluster &cluster) {
  if (!run.stopped.exchange(true))
    run.device.faults.add(cluster.describeDeadlock());
}

void Grid::work(unsigned number) {
  std::vector<std::unique_ptr<Cluster>> resident;
  uint64_t seen = 0, turns = 0;
  unsigned idle = 0;
  bool more = true;
  while (!run.stopped) {
    bool ran = false;
    for (size_t i = 0; i < resident.size();) {
      Cluster::Outcome outcome = resident[i]->run(roundsPerTurn);
      if (outcome == Cluster::Outcome::Stopped)
        return;
      if (outcome == Cluster::Outcome::Stuck)
        return reportDeadlock(*resident[i]);
      if (outcome == Cluster::Outcome::Done) {
        resident.erase(resident.begin() + i);
        ++events;
        ran = true;
        continue;
      }
      ran |= outcome == Cluster::Outcome::Ran;
      ++i;
    }
    // One more joins those that stand still, or takes the place of one that is done.
    ++turns;
    bool joins = resident.size() < residentClusters && (!ran || turns % turnsAlone == 0);
    if (more && (resident.empty() || joins)) {
      if (auto next = start()) {
        resident.push_back(std::move(next));
        ++events;
        continue;
      }
      more = false;
    }
    if (resident.empty())
      break;
    uint64_t progress = getProgress();
    idle = ran || progress != seen ? 0 : idle + 1;
    seen = progress;
    if (ran)
      ++events;
    if (idle > idleTurns && areAllIdle(number, progress))
      return reportDeadlock(*resident.front());
    if (!ran)
      std::this_thread::yield();
  }
  std::lock_guard<std::mutex> guard(idleLock);
  idleSince[number] = gone;
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

  uint64_t clusters = options.grid.count() / options.cluster.count();
  unsigned threads =
      options.threads ? options.threads : std::thread::hardware_concurrency();
  threads = static_cast<unsigned>(std::min<uint64_t>(std::max(threads, 1u), clusters));
  Grid grid(run, threads);
  // No memory for a block ends the launch, not the process.
  auto work = [&](unsigned index) {
    try {
      grid.work(index);
    } catch (const std::bad_alloc &) {
      if (!run.stopped.exchange(true))
        device.faults.add(
            {Rule::Limit, "the host has no memory left for the blocks", {}});
    }
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work, i);
  work(0);
  for (std::thread &thread : others)
    thread.join();
  device.memory.dropRetired();
  if (statistics)
    statistics->add(run.statistics);
  return "";
}
