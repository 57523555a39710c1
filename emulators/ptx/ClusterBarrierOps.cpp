//===- ClusterBarrierOps.cpp - Barriers of a cluster and of a warp ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cluster has one barrier. Every live thread arrives once in a phase and waits for the
// phase it arrived in before it arrives again. The barrier of a warp is for the lanes of
// a mask, wherever in the program each of them executes it.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BarrierOps.h"
#include "emulators/ptx/Fences.h"

using namespace tilewright::ptx;
using tilewright::emulator::VectorClock;

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

namespace {
struct ClusterBarrier : BlockState {
  uint64_t phase = 0;
  VectorClock arriving, completed;
  /// Of each warp of the cluster.
  struct Part {
    uint32_t arrived = 0;  ///< lanes, in this phase
    uint32_t unwaited = 0; ///< lanes that have arrived and not waited yet
    uint64_t phase = 0;    ///< that they arrived in
  };
  std::vector<Part> parts;
};

enum ClusterFlag : uint32_t { relaxedArrive = 1 };
} // namespace

static ClusterBarrier &getBarrier(Warp &warp) {
  auto &barrier = warp.block.cluster.state<ClusterBarrier>();
  if (barrier.parts.empty())
    barrier.parts.resize(warp.block.cluster.blocks.size() * warp.block.warps.size());
  return barrier;
}

/// Ends the phase if every live thread of the cluster has arrived.
static void endIfComplete(ClusterBarrier &barrier, Cluster &cluster) {
  size_t index = 0;
  for (const auto &block : cluster.blocks)
    for (const auto &warp : block->warps)
      if (warp->alive & ~barrier.parts[index++].arrived)
        return;
  for (const auto &block : cluster.blocks)
    for (const auto &warp : block->warps)
      if (warp->alive == 0)
        block->release(*warp, barrier.arriving);
  for (ClusterBarrier::Part &part : barrier.parts)
    part.arrived = 0;
  ++barrier.phase;
  barrier.completed = barrier.arriving;
  cluster.noteProgress();
}

static Step clusterArrive(Warp &warp, const Instruction &instruction) {
  Step step = Step::Next;
  if (instruction.flags & alignedFlag && !isAligned(warp, step))
    return step;
  ClusterBarrier &barrier = getBarrier(warp);
  ClusterBarrier::Part &part = barrier.parts[warp.block.agentOf(warp)];
  if (uint32_t again = part.unwaited & warp.active)
    return warp.stop(Rule::BarrierCount,
                     "the thread has arrived at the cluster's barrier before, and "
                     "barrier.cluster.wait comes between two arrivals",
                     __builtin_ctz(again));
  part.arrived |= warp.active;
  part.unwaited |= warp.active;
  part.phase = barrier.phase;
  if (instruction.flags & relaxedArrive)
    releaseRelaxed(warp, barrier.arriving);
  else
    warp.block.release(warp, barrier.arriving);
  warp.block.cluster.noteProgress();
  endIfComplete(barrier, warp.block.cluster);
  return Step::Next;
}

static Step clusterWait(Warp &warp, const Instruction &instruction) {
  Step step = Step::Next;
  if (instruction.flags & alignedFlag && !isAligned(warp, step))
    return step;
  ClusterBarrier &barrier = getBarrier(warp);
  ClusterBarrier::Part &part = barrier.parts[warp.block.agentOf(warp)];
  if (uint32_t early = warp.active & ~part.unwaited)
    return warp.stop(Rule::BarrierCount,
                     "the thread has not arrived at the cluster's barrier: "
                     "barrier.cluster.arrive comes first",
                     __builtin_ctz(early));
  if (part.phase == barrier.phase)
    endIfComplete(barrier, warp.block.cluster);
  if (part.phase != barrier.phase) {
    part.unwaited &= ~warp.active;
    warp.block.acquire(warp, barrier.completed);
    warp.waitsFor.clear();
    return Step::Next;
  }
  unsigned missing = 0;
  size_t index = 0;
  std::string where;
  for (const auto &block : warp.block.cluster.blocks)
    for (const auto &other : block->warps)
      if (other->alive & ~barrier.parts[index++].arrived && ++missing == 1)
        where = "warp " + std::to_string(other->index) + " of block rank " +
                std::to_string(block->rank);
  warp.waitsFor = "the cluster's barrier: " + std::to_string(missing) +
                  " warps have not arrived, " + where + " the first";
  return waitAlone(warp);
}

void tilewright::ptx::decodeClusterBarrier(Decoder &d) {
  bool aligned = d.take("aligned");
  if (d.take("arrive")) {
    d.result.execute = clusterArrive;
    std::optional<unsigned> order = d.takeOneOf({"release", "relaxed"});
    if (order && *order == 1)
      d.result.flags = relaxedArrive;
  } else if (d.take("wait")) {
    d.result.execute = clusterWait;
    d.take("acquire");
  } else {
    return d.fail("a cluster's barrier has .arrive and .wait");
  }
  if (aligned)
    d.result.flags |= alignedFlag;
  d.expectOperands(0, 0);
}

//===----------------------------------------------------------------------===//
// Warps
//===----------------------------------------------------------------------===//

namespace {
struct WarpBarriers : WarpState {
  struct One {
    uint32_t mask = 0, arrived = 0, released = 0;
  };
  std::vector<One> list;

  One &get(uint32_t mask) {
    for (One &one : list)
      if (one.mask == mask)
        return one;
    list.push_back({mask, 0, 0});
    return list.back();
  }
};
} // namespace

static Step warpSync(Warp &warp, const Instruction &instruction) {
  if (!warp.expectSound(instruction.operand[0], "the member mask"))
    return Step::Stop;
  const uint64_t *masks = warp.values(instruction.operand[0]);
  uint32_t released = 0, missing = 0;
  for (uint32_t left = warp.active; left;) {
    unsigned first = __builtin_ctz(left);
    uint32_t mask = static_cast<uint32_t>(masks[first]), lanes = 0;
    for (uint32_t rest = left; rest; rest &= rest - 1) {
      unsigned lane = __builtin_ctz(rest);
      if (static_cast<uint32_t>(masks[lane]) == mask)
        lanes |= 1u << lane;
    }
    left &= ~lanes;
    if (lanes & ~mask)
      return warp.stop(Rule::Convergence, "the lane is not in its own member mask",
                       __builtin_ctz(lanes & ~mask));
    // The common case needs no memory: all are here.
    auto &state = warp.state<WarpBarriers>();
    if (state.list.empty() && (mask & warp.alive & ~lanes) == 0) {
      released |= lanes;
      continue;
    }
    WarpBarriers::One &one = state.get(mask);
    one.arrived |= lanes & ~one.released;
    if ((mask & warp.alive & ~one.arrived) == 0) {
      one.released |= one.arrived;
      one.arrived = 0;
      warp.block.cluster.noteProgress();
    }
    released |= lanes & one.released;
    missing |= mask & warp.alive & ~one.arrived & ~one.released;
  }
  if (released == 0) {
    warp.waitForLanes(Rule::Convergence, missing);
    return waitAlone(warp);
  }
  warp.orderLanes();
  auto &list = warp.state<WarpBarriers>().list;
  for (size_t i = list.size(); i-- > 0;) {
    list[i].released &= ~released;
    if (!list[i].released && !list[i].arrived)
      list.erase(list.begin() + i);
  }
  warp.waitsFor.clear();
  return released == warp.active ? Step::Next
                                 : warp.branchSome(warp.group->pc + 1, released);
}

void tilewright::ptx::decodeWarpBarrier(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("a warp's barrier has .sync");
  if (!d.expectOperands(1, 1))
    return;
  d.result.execute = warpSync;
  d.result.operand[0] = d.source(0, Type::B32);
}
