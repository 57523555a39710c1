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

using namespace tilewright::ptx;

/// Bytes of a tensor map.
static constexpr int64_t tensorMapBytes = 128;

static Step fenceNothing(Warp &, const Instruction &) { return Step::Next; }

enum FenceFlag : uint32_t { acquires = 1, releases = 2, crosses = 4 };

static Step fence(Warp &warp, const Instruction &instruction) {
  if (instruction.flags & acquires)
    fenceAcquire(warp);
  if (instruction.flags & crosses)
    fenceProxyAsync(warp);
  if (instruction.flags & releases)
    fenceRelease(warp);
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
    // What may be restricted is fixed by the order: both may be taken as the whole fence.
    d.result.execute = fence;
    d.result.flags = takeOrder(d) | crosses;
    if (!d.takeOneOf({"sync_restrict::shared::cta", "sync_restrict::shared::cluster"}) ||
        !d.take("cluster"))
      return d.fail("it is .sync_restrict::shared::{cta, cluster}.cluster");
  } else if (d.take("async")) {
    // A fence of global memory alone says nothing about shared memory.
    bool shared = d.takeSpace() != Space::Global;
    d.result.execute = shared ? fence : fenceNothing;
    d.result.flags = crosses;
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
    if (!d.takeOneOf({"cta", "gl", "sys"}))
      d.fail("a level is expected: .cta, .gl or .sys");
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
  if (!d.takeOneOf({"cta", "cluster", "gpu", "sys"}))
    d.fail("a scope is expected: .cta, .cluster, .gpu or .sys");
}
