//===- MbarrierWaitOps.cpp - mbarrier tests and waits ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A wait that fails gives the others their turn: the program itself tries again. What was
// deferred until this phase is over lands in the wait that finds nothing else missing.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Fences.h"
#include "emulators/ptx/MbarrierOps.h"

using namespace tilewright::ptx;

/// Whether the phase that `operand`, a state or a parity, names is over; lands what was
/// deferred first. Sets `step` where it faults.
static bool isOver(Warp &warp, Mbarrier &barrier, uint64_t operand, uint32_t flags,
                   unsigned lane, Step &step) {
  bool waitsForCurrent;
  if (flags & byParity) {
    // Compilers count phases and leave the upper bits to the hardware, which ignores
    // them.
    uint32_t parity = operand & 1;
    waitsForCurrent = (barrier.getPhase() & 1) == parity;
  } else {
    uint32_t phase = static_cast<uint32_t>(operand >> 32);
    uint32_t now = static_cast<uint32_t>(barrier.getPhase());
    if (!isMbarrierState(operand) || (phase != now && phase + 1 != now)) {
      step =
          refuseCount(warp,
                      "the state is of neither the current phase nor the one before: " +
                          barrier.describe(),
                      lane);
      return false;
    }
    waitsForCurrent = phase == now;
  }
  if (!waitsForCurrent)
    return true;
  if (barrier.hasDeferred() && !barrier.pollsAgain(warp.block.agentOf(warp)))
    return false;
  uint64_t before = barrier.getPhase();
  std::string error = barrier.landDeferred();
  if (!error.empty()) {
    step = refuseCount(warp, error, lane);
    return false;
  }
  return barrier.getPhase() != before;
}

static Step wait(Warp &warp, const Instruction &instruction) {
  uint32_t operand = instruction.operand[2], flags = instruction.flags;
  if (!warp.expectSound(instruction.operand[1], "the mbarrier's address") ||
      !warp.expectSound(operand,
                        flags & byParity ? "the parity" : "the mbarrier's state"))
    return Step::Stop;
  LaneBarriers barriers(warp, instruction);
  uint32_t over = 0;
  const Mbarrier *last = nullptr, *lacking = nullptr;
  uint64_t lastOperand = 0;
  bool lastOver = false;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    Mbarrier *barrier = barriers.get(lane);
    if (!barrier)
      return Step::Stop;
    uint64_t named = warp.values(operand)[lane];
    if (barrier != last || named != lastOperand) {
      if (&barrier->owner != &warp.block)
        return warp.stop(Rule::OutOfBounds, "a wait is for an mbarrier of the own block",
                         lane);
      Step step = Step::Next;
      lastOver = isOver(warp, *barrier, named, flags, lane, step);
      if (step != Step::Next)
        return step;
      last = barrier;
      lastOperand = named;
      if (lastOver && flags & relaxedOrder)
        acquireRelaxed(warp, barrier->getCompleted());
      else if (lastOver)
        warp.block.acquire(warp, barrier->getCompleted());
      else
        lacking = barrier;
    }
    over |= lastOver ? 1u << lane : 0;
  }
  if (instruction.operand[0] != noRegister) {
    Predicate &result = warp.predicate(instruction.operand[0]);
    result.value = (result.value & ~warp.active) | over;
    result.poison &= ~warp.active;
  }
  if (!lacking) {
    warp.waitsFor.clear();
    return Step::Next;
  }
  warp.waitsFor = lacking->describe();
  if (flags & byParity)
    warp.waitsFor += ", waiting with parity " + std::to_string(lacking->getPhase() & 1);
  return warp.yieldForCluster();
}

static Step pendingCount(Warp &warp, const Instruction &instruction) {
  uint32_t result = instruction.operand[0], state = instruction.operand[1];
  if (!warp.expectSound(state, "the mbarrier's state"))
    return Step::Stop;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    uint64_t value = warp.values(state)[lane];
    if (!isMbarrierState(value))
      return refuseCount(warp, "the operand is no state that an arrival gave", lane);
    if (result == noRegister)
      continue;
    warp.values(result)[lane] = value & 0xfffff;
    warp.poison(result)[lane] = soundValue;
  }
  return Step::Next;
}

void tilewright::ptx::decodeMbarrierWait(Decoder &d, bool mayHaveHint) {
  Instruction &result = d.result;
  result.execute = wait;
  if (result.space == Space::SharedCluster)
    return d.fail("a wait is for an mbarrier in shared::cta");
  if (d.take("parity"))
    result.flags |= byParity;
  std::optional<unsigned> order = d.takeOneOf({"acquire", "relaxed"});
  if (order && *order == 1)
    result.flags |= relaxedOrder;
  d.takeOneOf({"cta", "cluster"});
  if (!d.expectOperands(3, mayHaveHint ? 4 : 3))
    return;
  result.operand[0] = d.predicate(0);
  takeMbarrierAddress(d, 1);
  result.operand[2] = d.source(2, result.flags & byParity ? Type::U32 : Type::B64);
  if (d.operandCount() == 4)
    d.source(3, Type::U32); // how long the hardware may suspend the thread
}

void tilewright::ptx::decodePendingCount(Decoder &d) {
  d.result.execute = pendingCount;
  if (!d.expectOperands(2, 2))
    return;
  d.result.operand[0] = d.destination(0);
  d.result.operand[1] = d.source(1, Type::B64);
}
