//===- FenceOps.cpp - fence and membar ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Emulated memory is coherent, so fences matter to the race and proxy checks alone
// (Fences.h). Scopes narrower than the threads that synchronise are not told apart.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BarrierOps.h"
#include "emulators/ptx/Fences.h"
#include "emulators/ptx/GlobalRaces.h"

using namespace tilewright::ptx;

/// Bytes of a tensor map.
static constexpr int64_t tensorMapBytes = 128;

static Step fenceNothing(Warp &, const Instruction &) { return Step::Next; }

enum FenceFlag : uint32_t {
  acquires = 1,
  releases = 2,
  crossesShared = 4, ///< between the proxies, of shared memory
  crossesGlobal = 8,
  ofDevice = 16, ///< its scope is .gpu or .sys
};

static Step fence(Warp &warp, const Instruction &instruction) {
  if (instruction.flags & acquires)
    fenceAcquire(warp);
  if (GlobalRaces *races = warp.block.launch.globalRaces.get();
      races && instruction.flags & acquires && instruction.flags & ofDevice)
    races->acquireByFence(warp);
  if (instruction.flags & (crossesShared | crossesGlobal))
    fenceProxyAsync(warp, instruction.flags & crossesShared,
                    instruction.flags & crossesGlobal);
  if (instruction.flags & releases)
    fenceRelease(warp);
  if (instruction.flags & ofDevice && instruction.flags & releases)
    warp.state<WarpFences>().hasReleasedToDevice = true;
  return Step::Next;
}

static Step fenceInit(Warp &warp, const Instruction &) {
  fenceMbarrierInit(warp);
  return Step::Next;
}

static Step fenceTensorMap(Warp &warp, const Instruction &instruction) {
  if (!warp.expectSound(instruction.operand[0], "the tensor map's address"))
    return Step::Stop;
  const uint64_t *base = warp.values(instruction.operand[0]);
  auto &maps = warp.state<WarpFences>().tensorMaps;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1)
    maps.insert(base[__builtin_ctz(lanes)] + instruction.immediate);
  return Step::Next;
}

/// The order of `name`s that fence and its proxy forms share, as flags; acq_rel where
/// none is written.
static uint32_t takeOrder(Decoder &d) {
  std::optional<unsigned> order = d.takeOneOf({"sc", "acq_rel", "acquire", "release"});
  return !order || *order < 2 ? acquires | releases : *order == 2 ? acquires : releases;
}

static void decodeProxyFence(Decoder &d) {
  if (d.take("alias")) {
    d.result.execute = fenceNothing;
  } else if (d.take("async::generic")) {
    // What may be restricted is fixed by the order: both may be taken as the whole fence
    // of shared memory.
    d.result.execute = fence;
    d.result.flags = takeOrder(d) | crossesShared;
    if (!d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"}) ||
        !d.take("cluster"))
      return d.fail("it is .sync_restrict::shared::{cta, cluster}.cluster");
  } else if (d.take("async")) {
    Space space = d.takeSpace();
    if (space != Space::Generic && space != Space::Global && space != Space::Shared &&
        space != Space::SharedCluster)
      return d.fail("a state space is .global, .shared::cta or .shared::cluster");
    d.result.execute = fence;
    d.result.flags =
        (space != Space::Global ? crossesShared : 0u) |
        (space == Space::Generic || space == Space::Global ? crossesGlobal : 0u);
  } else if (d.take("tensormap::generic")) {
    std::optional<unsigned> order = d.takeOneOf({"acquire", "release"});
    if (!order || !d.takeOneOf({"cta", "cluster", "gpu", "sys"}))
      return d.fail("an order and a scope are expected");
    if (*order == 1) {
      d.result.execute = fenceNothing;
    } else {
      if (!d.expectOperands(2, 2))
        return;
      if (d.integer(d.at(1)) != tensorMapBytes)
        return d.fail("the size is 128");
      d.result.execute = fenceTensorMap;
      d.result.operand[0] = d.address(d.at(0), Space::Generic);
      return;
    }
  } else {
    return d.fail("a kind of proxy fence that is not modelled");
  }
  d.expectOperands(0, 0);
}

void tilewright::ptx::decodeFence(Decoder &d) {
  if (d.take("proxy"))
    return decodeProxyFence(d);
  d.expectOperands(0, 0);
  d.result.execute = fence;
  if (d.statement.opcode == "membar") {
    d.result.flags = acquires | releases;
    std::optional<unsigned> level = d.takeOneOf({"cta", "gl", "sys"});
    if (!level)
      return d.fail("a level is expected: .cta, .gl or .sys");
    d.result.flags |= *level > 0 ? ofDevice : 0u;
    return;
  }
  if (d.take("mbarrier_init")) {
    d.result.execute = fenceInit;
    if (!d.take("release") || !d.take("cluster"))
      d.fail("it is .release.cluster");
    return;
  }
  d.result.flags = takeOrder(d);
  if (d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"}) &&
      d.result.flags == (acquires | releases))
    return d.fail("it is .acquire or .release");
  std::optional<unsigned> scope = d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  if (!scope)
    return d.fail("a scope is expected: .cta, .cluster, .gpu or .sys");
  d.result.flags |= *scope > 1 ? ofDevice : 0u;
}
