//===- MbarrierOps.cpp - mbarrier instructions --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MbarrierOps.h"
#include "emulators/ptx/Fences.h"

#include <cstring>

using namespace tilewright::ptx;
using tilewright::emulator::VectorClock;

//===----------------------------------------------------------------------===//
// Birth and death
//===----------------------------------------------------------------------===//

static Step init(Warp &warp, const Instruction &instruction) {
  if (!warp.expectSound(instruction.operand[1], "the mbarrier's address") ||
      !warp.expectSound(instruction.operand[2], "the arrival count"))
    return Step::Stop;
  LaneBarriers lanesBarriers(warp, instruction);
  const uint64_t *counts = warp.values(instruction.operand[2]);
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    uint64_t address = lanesBarriers.getAddress(lane);
    uint32_t count = static_cast<uint32_t>(counts[lane]);
    if (count == 0 || count > mbarrierLimit)
      return refuseCount(warp,
                         "an mbarrier for " + std::to_string(count) +
                             " arrivals: 1 to 2^20 - 1 are possible",
                         lane);
    Place place = warp.find(instruction.space, address, 8, 8, lane, Access::Sync);
    if (!place)
      return Step::Stop;
    if (!place.owner)
      return warp.stop(Rule::OutOfBounds,
                       "an mbarrier lies in shared memory, and this address does not",
                       lane);
    if (place.owner != &warp.block)
      return warp.stop(Rule::OutOfBounds,
                       "an mbarrier is initialised by a thread of its own block", lane);
    auto &table = warp.block.state<MbarrierTable>();
    if (table.findOverlap(place.offset, 8))
      return refuseCount(warp,
                         "there is an mbarrier at " +
                             std::to_string(place.offset + sharedStart) +
                             " already: mbarrier.inval comes first",
                         lane);
    for (unsigned i = 0; i < 8; ++i)
      if (place.shadow[i] & tilewright::emulator::Pending)
        return warp.stop(
            Rule::InFlight,
            "an asynchronous operation will write the memory of the mbarrier", lane);
    // For the race check the memory is written.
    warp.find(instruction.space, address, 8, 8, lane, Access::Write);
    memset(place.data, 0, 8);
    memset(place.shadow, tilewright::emulator::Opaque, 8);
    Mbarrier &made = table.add(warp.block, place.offset, count);
    made.initAgent = warp.block.agentOf(warp);
    made.initClock = warp.block.clockOf(warp)[made.initAgent] + 1;
  }
  return Step::Next;
}

static Step invalidate(Warp &warp, const Instruction &instruction) {
  if (!warp.expectSound(instruction.operand[1], "the mbarrier's address"))
    return Step::Stop;
  LaneBarriers barriers(warp, instruction);
  const VectorClock &now = warp.block.clockOf(warp);
  uint32_t own = warp.block.agentOf(warp);
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    Mbarrier *barrier =
        findMbarrier(warp, instruction.space, barriers.getAddress(lane), lane);
    if (!barrier)
      return Step::Stop;
    Block &owner = barrier->owner;
    if (&owner != &warp.block)
      return warp.stop(Rule::OutOfBounds,
                       "an mbarrier is invalidated by a thread of its own block", lane);
    if (barrier->hasDeferred())
      return warp.stop(
          Rule::InFlight,
          "asynchronous operations have not completed: " + barrier->describe(), lane);
    if (owner.history)
      for (size_t agent = 0; agent < barrier->uses.size(); ++agent)
        if (agent != own && barrier->uses[agent] > now[agent]) {
          warp.report(Rule::Race,
                      "the mbarrier is invalidated, and nothing orders its use by warp " +
                          std::to_string(agent % owner.warps.size()) + " before this",
                      lane);
          break;
        }
    memset(owner.shared.shadow() + barrier->offset, tilewright::emulator::NeverWritten,
           8);
    owner.state<MbarrierTable>().remove(barrier->offset);
    warp.find(instruction.space, barriers.getAddress(lane), 8, 8, lane, Access::Write);
  }
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Arrivals and bytes
//===----------------------------------------------------------------------===//

static Step arrive(Warp &warp, const Instruction &instruction) {
  uint32_t given = instruction.operand[2], result = instruction.operand[0];
  if (!warp.expectSound(instruction.operand[1], "the mbarrier's address") ||
      !warp.expectSound(given, "the count"))
    return Step::Stop;
  uint32_t flags = instruction.flags;
  VectorClock &clock = warp.block.clockOf(warp);
  if (!(flags & relaxedOrder))
    clock.step(warp.block.agentOf(warp));
  LaneBarriers barriers(warp, instruction);
  const Mbarrier *released = nullptr;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    Mbarrier *barrier = barriers.get(lane);
    if (!barrier)
      return Step::Stop;
    int64_t operand = 1;
    if (given != noRegister)
      operand = static_cast<uint32_t>(warp.values(given)[lane]);
    std::string error;
    if (flags & withExpectTx)
      error = barrier->expectTx(operand);
    int64_t count = flags & withExpectTx ? 1 : operand;
    if (count == 0 || count > mbarrierLimit)
      error =
          "a count of " + std::to_string(count) + " arrivals: 1 to 2^20 - 1 are possible";
    if (!error.empty())
      return refuseCount(warp, error, lane);
    if (flags & noComplete && barrier->getPending() == count)
      return refuseCount(
          warp, "the arrival is .noComplete and would complete " + barrier->describe(),
          lane);
    if (result != noRegister) {
      if (&barrier->owner != &warp.block)
        return warp.stop(Rule::OutOfBounds,
                         "an arrival at another block's mbarrier gives no state", lane);
      warp.values(result)[lane] = makeMbarrierState(*barrier);
      warp.poison(result)[lane] = soundValue;
    }
    if (barrier != released) {
      if (flags & relaxedOrder)
        releaseRelaxed(warp, barrier->getArriving());
      else
        barrier->getArriving().join(clock);
      released = barrier;
    }
    error = flags & withDrop ? barrier->arriveAndDrop(count) : barrier->arrive(count);
    if (!error.empty())
      return refuseCount(warp, error, lane);
  }
  return Step::Next;
}

template <bool completes>
static Step changeBytes(Warp &warp, const Instruction &instruction) {
  if (!warp.expectSound(instruction.operand[1], "the mbarrier's address") ||
      !warp.expectSound(instruction.operand[2], "the byte count"))
    return Step::Stop;
  LaneBarriers barriers(warp, instruction);
  const uint64_t *bytes = warp.values(instruction.operand[2]);
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    Mbarrier *barrier = barriers.get(lane);
    if (!barrier)
      return Step::Stop;
    uint32_t count = static_cast<uint32_t>(bytes[lane]);
    std::string error = completes ? barrier->completeTx(count) : barrier->expectTx(count);
    if (!error.empty())
      return refuseCount(warp, error, lane);
  }
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static void decodeArrive(Decoder &d, bool drops) {
  Instruction &result = d.result;
  result.execute = arrive;
  result.flags = drops ? withDrop : 0u;
  if (d.take("expect_tx"))
    result.flags |= withExpectTx;
  if (d.take("noComplete"))
    result.flags |= noComplete;
  std::optional<unsigned> order = d.takeOneOf({"release", "relaxed"});
  if (order && *order == 1)
    result.flags |= relaxedOrder;
  bool isOfCluster = d.takeOneOf({"cta", "cluster"}) == 1u;
  if (result.flags & noComplete && (result.flags & relaxedOrder || isOfCluster))
    return d.fail(".noComplete goes with .release.cta");
  // The result is left out by some compilers where it is not wanted.
  size_t next = d.operandCount() && d.at(0).kind == Operand::Address ? 0 : 1;
  bool needsCount = result.flags & (withExpectTx | noComplete);
  if (!d.expectOperands(next + 1 + needsCount, next + 2))
    return;
  if (next == 1)
    result.operand[0] = d.destination(0);
  if (result.space == Space::SharedCluster && result.operand[0] != noRegister)
    return d.fail("an arrival at shared::cluster gives no state: the result is _");
  takeMbarrierAddress(d, next);
  if (d.operandCount() > next + 1)
    result.operand[2] = d.source(next + 1, Type::U32);
}

void tilewright::ptx::decodeMbarrier(Decoder &d) {
  std::optional<unsigned> kind =
      d.takeOneOf({"init", "inval", "arrive", "arrive_drop", "test_wait", "try_wait",
                   "pending_count", "expect_tx", "complete_tx"});
  if (!kind)
    return d.fail("a kind of mbarrier instruction that is not modelled");
  if (d.takeType() != Type::B64)
    return d.fail("its type is .b64");
  Instruction &result = d.result;
  result.space = d.takeSpace();
  if (result.space != Space::Generic && result.space != Space::Shared &&
      result.space != Space::SharedCluster)
    return d.fail("an mbarrier lies in shared memory");
  switch (*kind) {
  case 0:
    result.execute = init;
    if (d.expectOperands(2, 2)) {
      takeMbarrierAddress(d, 0);
      result.operand[2] = d.source(1, Type::U32);
    }
    return;
  case 1:
    result.execute = invalidate;
    if (d.expectOperands(1, 1))
      takeMbarrierAddress(d, 0);
    return;
  case 2:
  case 3:
    return decodeArrive(d, *kind == 3);
  case 4:
  case 5:
    return decodeMbarrierWait(d, *kind == 5);
  case 6:
    return decodePendingCount(d);
  default:
    result.execute = *kind == 7 ? changeBytes<false> : changeBytes<true>;
    d.take("relaxed");
    d.takeOneOf({"cta", "cluster"});
    if (d.expectOperands(2, 2)) {
      takeMbarrierAddress(d, 0);
      result.operand[2] = d.source(1, Type::U32);
    }
  }
}
