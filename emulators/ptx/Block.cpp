//===- Block.cpp - A thread block, its cluster and their shared memory --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/Mbarrier.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Instructions a warp executes before the next one's turn. Few, because programs count
/// on warps that go at about the same rate: TileLang's idle producer warps, say, would
/// take the next phase but one of an mbarrier for the next if others got that far ahead.
static constexpr uint64_t quantum = 32;

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

Block::Block(Cluster &cluster, Dim3 id, uint32_t rank)
    : cluster(cluster), launch(cluster.launch), id(id), rank(rank),
      sharedOwner(launch.sharedMemories.take()), shared(*sharedOwner) {
  if (shared.size() == launch.sharedBytes)
    shared.poison();
  else
    shared = Bytes(launch.sharedBytes);
  uint64_t threads = launch.options.block.count();
  unsigned count = static_cast<unsigned>((threads + lanesPerWarp - 1) / lanesPerWarp);
  // What the system's memory holds is not the program's to know, but is no secret: all
  // bits set. Cooperative groups clear those that they use, one by one.
  if (launch.reservedShared)
    memset(shared.shadow() + launch.userShared(), Sound, launch.reservedShared);
  size_t agents = count * launch.options.cluster.count();
  if (launch.options.checks.sharedRaces) {
    history = launch.histories.take();
    history->reset(shared.size(), agents);
    if (launch.options.checks.laneRaces) {
      laneHistory = launch.laneHistories.take();
      laneHistory->reset(shared.size());
    }
  }
  clocks.assign(count, VectorClock(agents));
  for (unsigned i = 0; i < count; ++i) {
    uint64_t left = threads - uint64_t(i) * lanesPerWarp;
    uint32_t lanes = left >= lanesPerWarp ? allLanes : (1u << left) - 1;
    warps.push_back(std::make_unique<Warp>(*this, i, lanes));
    warps.back()->orderLanes();
  }
}

Block::~Block() = default;

uint32_t Block::agentOf(const Warp &warp) const {
  return warp.block.rank * static_cast<uint32_t>(warps.size()) + warp.index;
}

VectorClock &Block::clockOf(const Warp &warp) { return warp.block.clocks[warp.index]; }

void Block::release(Warp &warp, VectorClock &object) {
  VectorClock &clock = clockOf(warp);
  clock.step(agentOf(warp));
  object.join(clock);
}

void Block::acquire(Warp &warp, const VectorClock &object) {
  clockOf(warp).join(object);
  warp.orderLanes();
}

/// Reports a write to memory that an asynchronous operation has yet to read.
void Block::reportSources(Warp &warp, uint32_t offset, unsigned size, unsigned lane) {
  for (const AsyncSource &source : asyncSources)
    if (offset < source.end && source.begin < offset + size) {
      warp.report(Rule::InFlight,
                  "it writes shared memory at " + std::to_string(offset + sharedStart) +
                      ", which the copy of line " + std::to_string(source.line) +
                      " has yet to read: wait_group.read comes first",
                  lane);
      break;
    }
  if (matrixSources.empty())
    return;
  for (uint32_t unit = offset / 16; unit * 16 < offset + size; ++unit)
    if (matrixSources[unit].readers) {
      warp.report(Rule::InFlight,
                  "it writes shared memory at " + std::to_string(offset + sharedStart) +
                      ", which the wgmma of line " +
                      std::to_string(matrixSources[unit].line) +
                      " has yet to read: wgmma.wait_group comes first",
                  lane);
      break;
    }
}

/// The instruction that `warp` executes, by its line.
static uint32_t lineOf(const Warp &warp) {
  const Instruction *position = warp.getPosition();
  return position ? position->statement->line : 0;
}

static AccessHistory::Conflict noteIn(AccessHistory &history, uint32_t offset,
                                      unsigned size, Access access, const Accessor &by) {
  switch (access) {
  case Access::Read:
    return history.noteRead(offset, size, by);
  case Access::StrongRead:
    return history.noteRead(offset, size, by, /*isStrong=*/true);
  case Access::Write:
    return history.noteWrite(offset, size, by);
  case Access::Rewrite:
    return history.noteRewrite(offset, size, by);
  case Access::Atomic:
    return history.noteAtomic(offset, size, by);
  case Access::Sync:
    break;
  }
  return {};
}

void Block::note(Warp &warp, uint32_t offset, unsigned size, Access access,
                 unsigned lane) {
  if (access == Access::Sync)
    return;
  if (!isRead(access))
    reportSources(warp, offset, size, lane);
  if (!history)
    return;
  Accessor by(agentOf(warp), clockOf(warp), lineOf(warp));
  AccessHistory::Conflict conflict = noteIn(*history, offset, size, access, by);
  if (conflict.found)
    reportConflict(warp, offset, access, conflict, lane);
}

void Block::noteLanes(Warp &warp, const uint32_t *offsets, unsigned size, Access access,
                      uint32_t lanes) {
  if (access == Access::Sync)
    return;
  bool mayBeSource = !isRead(access) && !asyncSources.empty();
  if (!isRead(access) && !matrixSources.empty())
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
      const uint32_t offset = offsets[__builtin_ctz(rest)];
      for (uint32_t unit = offset / 16; unit * 16 < offset + size; ++unit)
        mayBeSource |= matrixSources[unit].readers != 0;
    }
  Accessor by(agentOf(warp), clockOf(warp), lineOf(warp));
  if (history && !mayBeSource && access == Access::Read)
    lanes = static_cast<uint32_t>(history->noteLaneReads(offsets, lanes, size, by));
  else if (history && !mayBeSource && access == Access::Write)
    lanes = static_cast<uint32_t>(history->noteLaneWrites(offsets, lanes, size, by));
  for (; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (mayBeSource)
      reportSources(warp, offsets[lane], size, lane);
    if (!history)
      continue;
    AccessHistory::Conflict conflict = noteIn(*history, offsets[lane], size, access, by);
    if (conflict.found)
      reportConflict(warp, offsets[lane], access, conflict, lane);
  }
}

void Block::reportConflict(Warp &warp, uint32_t offset, Access access,
                           const AccessHistory::Conflict &conflict, unsigned lane) {
  uint32_t other = conflict.agent % static_cast<uint32_t>(warps.size());
  warp.report(Rule::Race,
              std::string(isRead(access) ? "it reads" : "it writes") +
                  " shared memory at " + std::to_string(offset + sharedStart) +
                  ", which warp " + std::to_string(other) +
                  (conflict.wasWrite ? " wrote" : " read") + " at line " +
                  std::to_string(conflict.tag) + ", and nothing orders the two",
              lane);
}

void Block::noteKnownLanes(Warp &warp, const uint32_t *offsets, unsigned size,
                           LaneHistory::Kind kind, uint32_t lanes) {
  const LaneHistory::Conflict conflict =
      laneHistory->note(offsets, size, lanes, kind, warp.laneEpoch);
  if (!conflict.found)
    return;
  const uint32_t offset = conflict.offset;
  const bool writes = kind == LaneHistory::Kind::Write ||
                      kind == LaneHistory::Kind::Strong ||
                      kind == LaneHistory::Kind::WriteRows;
  const std::string line =
      std::to_string(conflict.wasWrite ? history->getLastWrite(offset).tag
                                       : history->getReadTag(offset));
  const std::string other = conflict.other == LaneHistory::severalLanes
                                ? "another lane"
                                : "lane " + std::to_string(conflict.other);
  warp.report(Rule::Race,
              std::string(writes ? "it writes" : "it reads") + " shared memory at " +
                  std::to_string(offset + sharedStart) + ", which " + other +
                  " of the same warp" + (conflict.wasWrite ? " wrote" : " read") +
                  " at line " + line + ", and nothing orders the two: bar.warp.sync does",
              conflict.lane == LaneHistory::severalLanes ? warp.firstLane()
                                                         : conflict.lane);
}

uint32_t Block::threadCount() const {
  return static_cast<uint32_t>(launch.options.block.count());
}

uint32_t Block::warpsAlive() const {
  return static_cast<uint32_t>(std::count_if(
      warps.begin(), warps.end(), [](const auto &warp) { return warp->alive != 0; }));
}

void Block::checkExit(Warp &warp) {
  if (warpsAlive())
    return;
  const char *advice = ": a wait for the copy comes first";
  unsigned lane = warp.firstLane();
  if (const Mbarrier *barrier = state<MbarrierTable>().findUnfinished())
    warp.report(Rule::InFlight,
                "the block exits, and copies write its shared memory: " +
                    barrier->describe() + advice,
                lane);
  // Copies to global memory have been reported as each thread exited.
  if (!asyncSources.empty())
    warp.report(Rule::InFlight,
                "the block exits, and the copy of line " +
                    std::to_string(asyncSources.front().line) +
                    " has yet to read its shared memory" + advice,
                lane);
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

Cluster::Cluster(LaunchRun &launch, Dim3 id) : launch(launch), id(id) {
  statistics.opcodes.assign(launch.program.opcodes.size(), 0);
  statistics.byLine = launch.options.checks.statistics;
  statistics.timesProducts = launch.options.checks.timesProducts;
  const Dim3 &size = launch.options.cluster;
  uint32_t rank = 0;
  for (uint32_t z = 0; z < size.z; ++z)
    for (uint32_t y = 0; y < size.y; ++y)
      for (uint32_t x = 0; x < size.x; ++x) {
        Dim3 block{id.x * size.x + x, id.y * size.y + y, id.z * size.z + z};
        blocks.push_back(std::make_unique<Block>(*this, block, rank++));
      }
  for (auto &block : blocks)
    for (auto &warp : block->warps)
      turns.order.push_back(warp.get());
  turns.arrange(launch.options.order, id);
}

uint32_t Cluster::getNumber() const {
  const LaunchOptions &options = launch.options;
  uint64_t width = options.grid.x / options.cluster.x;
  uint64_t height = options.grid.y / options.cluster.y;
  return static_cast<uint32_t>(id.x + width * (id.y + height * id.z));
}

Cluster::~Cluster() {
  std::lock_guard<std::mutex> guard(launch.statisticsLock);
  launch.statistics.add(statistics);
}

Party::Outcome Cluster::run(uint64_t rounds) {
  return turns.run(launch, quantum, rounds);
}

/// Where `group` stands; null at the end of a body.
static const Instruction *getPosition(const Group &group) {
  const auto &code = group.frame->function->code;
  return group.pc < code.size() ? &code[group.pc] : nullptr;
}

/// Whether `group` waits for others of its warp, or for more than any of them can give.
static bool isStopped(const Group &group) { return group.waitRule != Rule::Deadlock; }

/// Whether lanes of `warp` wait for others that spin or wait for something else.
static bool hasCulprit(const Warp &warp) {
  const auto &groups = warp.getGroups();
  return std::any_of(groups.begin(), groups.end(), isStopped) &&
         !std::all_of(groups.begin(), groups.end(), isStopped);
}

Fault Cluster::describeDeadlock() const {
  static constexpr unsigned mostListed = 24;
  Fault fault;
  fault.rule = Rule::Deadlock;
  std::string list;
  unsigned listed = 0, left = 0;
  bool hasSite = false, hasReason = false;
  for (const auto &block : blocks)
    for (const auto &warp : block->warps)
      for (const Group &group : warp->getGroups()) {
        const Instruction *position = getPosition(group);
        if (!position)
          continue;
        // What is wrong is said by lanes that wait for others of their warp, unless those
        // others are the ones that cannot go on; else by the first warp.
        bool isReason =
            !hasReason && (hasCulprit(*warp) ? !isStopped(group) : isStopped(group));
        if (!hasSite || isReason)
          fault.site = warp->getSite(*position, __builtin_ctz(group.lanes));
        hasSite = true;
        if (isReason)
          fault.rule = group.waitRule;
        hasReason |= isReason;
        if (++listed > mostListed) {
          ++left;
          continue;
        }
        list += "\n    ";
        if (blocks.size() > 1)
          list += "block rank " + std::to_string(block->rank) + " ";
        list += "warp " + std::to_string(warp->index);
        if (warp->getGroups().size() > 1) {
          char lanes[32];
          snprintf(lanes, sizeof(lanes), " lanes %#x", group.lanes);
          list += lanes;
        }
        list += ", line " + std::to_string(position->statement->line) + ": " +
                position->statement->oneLine();
        const std::string &what =
            warp->getGroups().size() > 1 ? group.waitsFor : warp->waitsFor;
        if (!what.empty())
          list += " (waits for " + what + ")";
      }
  if (left)
    list += "\n    and " + std::to_string(left) + " more";
  bool lacksLanes =
      fault.rule == Rule::BarrierDivergence || fault.rule == Rule::Convergence;
  fault.message =
      std::string(lacksLanes ? "the other lanes of the warp never come here; " : "") +
      "no warp can go on; they stand at" + list;
  return fault;
}
