//===- Fences.cpp - What fences make visible, and to whom ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Fences.h"
#include "emulators/ptx/GlobalWrites.h"

using namespace tilewright::ptx;
using tilewright::emulator::VectorClock;

/// Where the row of `view` starts in vector clocks.
static uint32_t rowOf(const Warp &warp, View view) {
  const Block &block = warp.block;
  return static_cast<uint32_t>(view) *
         static_cast<uint32_t>(block.warps.size() * block.cluster.blocks.size());
}

uint32_t tilewright::ptx::visibleClock(const Warp &warp, View view, uint32_t agent) {
  return warp.block.clockOf(warp)[rowOf(warp, view) + agent];
}

void tilewright::ptx::releaseRelaxed(Warp &warp, VectorClock &object) {
  object.join(warp.state<WarpFences>().released);
}

void tilewright::ptx::acquireRelaxed(Warp &warp, const VectorClock &object) {
  warp.state<WarpFences>().observed.join(object);
}

void tilewright::ptx::fenceRelease(Warp &warp) {
  VectorClock &clock = warp.block.clockOf(warp);
  clock.step(warp.block.agentOf(warp));
  warp.state<WarpFences>().released = clock;
}

void tilewright::ptx::fenceAcquire(Warp &warp) {
  VectorClock &observed = warp.state<WarpFences>().observed;
  warp.block.clockOf(warp).join(observed);
  if (observed.size())
    warp.orderLanes();
  observed = VectorClock();
}

void tilewright::ptx::fenceProxyAsync(Warp &warp, bool ofShared, bool ofGlobal) {
  VectorClock &clock = warp.block.clockOf(warp);
  clock.step(warp.block.agentOf(warp));
  const uint32_t agents = rowOf(warp, View::Async);
  auto raise = [&](View view) {
    uint32_t row = rowOf(warp, view);
    for (uint32_t agent = 0; agent < agents; ++agent)
      clock.raise(row + agent, clock[agent]);
  };
  if (ofShared)
    raise(View::Async);
  if (GlobalWrites *writes = warp.block.launch.globalWrites.get(); writes && ofGlobal) {
    raise(View::AsyncGlobal);
    writes->noteFence(warp);
  }
}

void tilewright::ptx::fenceMbarrierInit(Warp &warp) {
  VectorClock &clock = warp.block.clockOf(warp);
  uint32_t own = warp.block.agentOf(warp);
  clock.step(own);
  uint32_t entry = rowOf(warp, View::MbarrierInit) + own;
  clock.raise(entry, clock[own]);
  warp.state<WarpFences>().released.raise(entry, clock[own]);
}
