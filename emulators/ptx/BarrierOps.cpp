//===- BarrierOps.cpp - Named barriers ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A block has sixteen barriers that count threads, a warp at a time. A warp arrives when
// all its live lanes have executed a barrier instruction, which .aligned (and every bar)
// demands to be one instruction. A phase ends when as many threads have arrived as it was
// asked for; without a count these are all threads of the block, and warps that have
// exited count as arrived. At the end of a phase all who wait are let go at once, so that
// the barrier may be used again before they have gone on.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/BarrierOps.h"

using namespace tilewright::ptx;
using tilewright::emulator::VectorClock;

static constexpr uint32_t barrierCount = 16;
static constexpr unsigned warpsPerBlock = 32;

namespace {
/// What barrier.red has collected.
struct Reduction {
  uint32_t ones = 0, zeros = 0;
  bool poison = false;
};

struct NamedBarrier {
  // The phase at hand.
  uint32_t count = 0;   ///< threads it waits for; 0: nobody has arrived
  bool isWhole = false; ///< no count was given
  uint32_t arrived = 0; ///< threads
  uint32_t warps = 0;   ///< that have arrived, a bit for each
  uint32_t line = 0;    ///< of the first arrival
  Reduction reduction;
  VectorClock clock;
  // Of each warp: lanes that have executed an instruction of this phase, those of them
  // that wait, and those whose wait is over but which have not gone on.
  uint32_t lanes[warpsPerBlock] = {}, waiting[warpsPerBlock] = {},
           released[warpsPerBlock] = {};
  Reduction results[warpsPerBlock];
};

struct NamedBarriers : BlockState {
  NamedBarrier list[barrierCount];
};

enum BarrierOp : uint32_t { Sync, Arrive, RedPopc, RedAnd, RedOr, opMask = 7 };
constexpr uint32_t negatedFlag = 8;
} // namespace

//===----------------------------------------------------------------------===//
// Convergence
//===----------------------------------------------------------------------===//

std::optional<uint32_t> tilewright::ptx::readUniform(Warp &warp, uint32_t reg,
                                                     const char *what) {
  if (!warp.expectSound(reg, what))
    return std::nullopt;
  const uint64_t *values = warp.values(reg);
  uint32_t first = static_cast<uint32_t>(values[warp.firstLane()]);
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (static_cast<uint32_t>(values[lane]) != first) {
      warp.stop(Rule::BarrierDivergence,
                std::string(what) + " is " + std::to_string(first) + " in one lane and " +
                    std::to_string(static_cast<uint32_t>(values[lane])) + " in another",
                lane);
      return std::nullopt;
    }
  }
  return first;
}

Step tilewright::ptx::waitAlone(Warp &warp) {
  if (uint32_t others = warp.group->lanes & ~warp.active)
    return warp.branchSome(warp.group->pc + 1, others);
  return Step::Wait;
}

static std::string hexLanes(uint32_t lanes) {
  char text[16];
  snprintf(text, sizeof(text), "%#x", lanes);
  return text;
}

bool tilewright::ptx::isAligned(Warp &warp, Step &step) {
  if (warp.active != warp.group->lanes) {
    step = warp.stop(Rule::BarrierDivergence,
                     "all lanes of a warp execute it or none, and the guard is false in "
                     "lanes " +
                         hexLanes(warp.group->lanes & ~warp.active),
                     warp.firstLane());
    return false;
  }
  if (warp.haveConverged(allLanes))
    return true;
  // The others may still come, unless they wait for these lanes in the same way.
  for (const Group &other : warp.getGroups()) {
    const auto &code = other.frame->function->code;
    if (&other == warp.group || !other.waits || other.pc >= code.size() ||
        other.waitRule != Rule::BarrierDivergence)
      continue;
    const Statement &there = *code[other.pc].statement;
    step =
        warp.stop(Rule::BarrierDivergence,
                  "lanes " + hexLanes(warp.active) + " of the warp wait here and lanes " +
                      hexLanes(other.lanes) + " at line " + std::to_string(there.line) +
                      ": " + std::string(there.text),
                  warp.firstLane());
    return false;
  }
  step = warp.waitForLanes(Rule::BarrierDivergence, warp.alive & ~warp.group->lanes);
  return false;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

/// Warp `index`, all of whose live lanes have executed the barrier, arrives.
static void arriveWarp(NamedBarrier &barrier, Block &block, unsigned index) {
  barrier.arrived += lanesPerWarp;
  barrier.warps |= 1u << index;
  block.release(*block.warps[index], barrier.clock);
  block.cluster.noteProgress();
}

/// Whether the phase is over, after lanes and warps that have exited are counted.
static bool isOver(NamedBarrier &barrier, Block &block) {
  if (barrier.arrived >= barrier.count)
    return true;
  bool over = barrier.isWhole;
  for (unsigned i = 0; i < block.warps.size(); ++i) {
    Warp &warp = *block.warps[i];
    if (barrier.warps >> i & 1)
      continue;
    if (warp.alive == 0 && barrier.isWhole)
      block.release(warp, barrier.clock);
    else if (barrier.lanes[i] && (warp.alive & ~barrier.lanes[i]) == 0)
      arriveWarp(barrier, block, i);
    else
      over = false;
  }
  return over || barrier.arrived >= barrier.count;
}

/// Lets all who wait go and starts the next phase.
static void endPhase(NamedBarrier &barrier, Block &block) {
  for (unsigned i = 0; i < block.warps.size(); ++i) {
    if (barrier.waiting[i]) {
      block.acquire(*block.warps[i], barrier.clock);
      barrier.released[i] |= barrier.waiting[i];
      barrier.results[i] = barrier.reduction;
    }
    barrier.lanes[i] = barrier.waiting[i] = 0;
  }
  barrier.count = barrier.arrived = barrier.warps = 0;
  barrier.isWhole = false;
  barrier.reduction = Reduction();
  barrier.clock = VectorClock();
  block.cluster.noteProgress();
}

/// Checks the operand that counts threads against the phase; Stop where it does not fit.
static Step checkCount(Warp &warp, NamedBarrier &barrier, uint32_t number,
                       uint32_t arriving, const Instruction &instruction) {
  uint32_t all = static_cast<uint32_t>(warp.block.warps.size()) * lanesPerWarp;
  uint32_t count = all;
  bool isWhole = instruction.operand[2] == noRegister;
  auto refuse = [&](const std::string &what) {
    return warp.stop(Rule::BarrierCount,
                     "barrier " + std::to_string(number) + ": " + what, warp.firstLane());
  };
  if (!isWhole) {
    std::optional<uint32_t> given =
        readUniform(warp, instruction.operand[2], "the barrier's thread count");
    if (!given)
      return Step::Stop;
    count = *given;
    if (count == 0 || count % lanesPerWarp)
      return refuse("a count of " + std::to_string(count) +
                    " threads is no multiple of 32");
    if (count > all)
      return refuse("a count of " + std::to_string(count) + " threads, of a block of " +
                    std::to_string(all));
  }
  if (barrier.count == 0) {
    barrier.count = count;
    barrier.isWhole = isWhole;
    barrier.line = instruction.statement->line;
  } else if (barrier.count != count) {
    return refuse(std::to_string(count) + " threads are to arrive here, and " +
                  std::to_string(barrier.count) + " at line " +
                  std::to_string(barrier.line) + ", in one phase");
  }
  barrier.isWhole &= isWhole;
  if (barrier.lanes[warp.index] & arriving)
    return refuse("the warp has arrived in this phase, which the other warps (" +
                  std::to_string(barrier.arrived) + " of " +
                  std::to_string(barrier.count) + " threads) have not ended");
  return Step::Next;
}

static void reduce(Warp &warp, NamedBarrier &barrier, const Instruction &instruction) {
  const Predicate &given = warp.predicate(instruction.operand[3]);
  uint32_t value = instruction.flags & negatedFlag ? ~given.value : given.value;
  barrier.reduction.ones += __builtin_popcount(value & warp.active);
  barrier.reduction.zeros += __builtin_popcount(~value & warp.active);
  barrier.reduction.poison |= (given.poison & warp.active) != 0;
}

/// The wait of lanes `over` has ended: gives them the result and lets them go on.
static Step goOn(Warp &warp, NamedBarrier &barrier, uint32_t over,
                 const Instruction &instruction) {
  barrier.released[warp.index] &= ~over;
  warp.waitsFor.clear();
  uint32_t op = instruction.flags & opMask, result = instruction.operand[0];
  const Reduction &reduction = barrier.results[warp.index];
  if (op == RedPopc && result != noRegister) {
    for (uint32_t lanes = over; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      warp.values(result)[lane] = reduction.ones;
      warp.poison(result)[lane] = reduction.poison ? undefinedValue : soundValue;
    }
  } else if ((op == RedAnd || op == RedOr) && result != noRegister) {
    bool value = op == RedAnd ? reduction.zeros == 0 : reduction.ones != 0;
    Predicate &predicate = warp.predicate(result);
    predicate.value = value ? predicate.value | over : predicate.value & ~over;
    predicate.poison =
        reduction.poison ? predicate.poison | over : predicate.poison & ~over;
  }
  return over == warp.active ? Step::Next : warp.branchSome(warp.group->pc + 1, over);
}

static Step namedBarrier(Warp &warp, const Instruction &instruction) {
  Block &block = warp.block;
  std::optional<uint32_t> number =
      readUniform(warp, instruction.operand[1], "the barrier's number");
  if (!number)
    return Step::Stop;
  if (*number >= barrierCount)
    return warp.stop(Rule::BarrierCount,
                     "there is no barrier " + std::to_string(*number) + ", only 0 to 15",
                     warp.firstLane());
  NamedBarrier &barrier = block.state<NamedBarriers>().list[*number];
  unsigned index = warp.index;
  if (uint32_t over = barrier.released[index] & warp.active)
    return goOn(warp, barrier, over, instruction);

  uint32_t arriving = warp.active & ~barrier.waiting[index];
  if (arriving) {
    Step step = Step::Next;
    if (instruction.flags & alignedFlag && !isAligned(warp, step))
      return step;
    step = checkCount(warp, barrier, *number, arriving, instruction);
    if (step != Step::Next)
      return step;
    bool waits = (instruction.flags & opMask) != Arrive;
    barrier.lanes[index] |= arriving;
    if (waits)
      barrier.waiting[index] |= arriving;
    if ((instruction.flags & opMask) >= RedPopc)
      reduce(warp, barrier, instruction);
    if ((warp.alive & ~barrier.lanes[index]) == 0) {
      arriveWarp(barrier, block, index);
      if (barrier.arrived > barrier.count)
        return warp.stop(Rule::BarrierCount,
                         "barrier " + std::to_string(*number) + ": " +
                             std::to_string(barrier.arrived) +
                             " threads have arrived, of " + std::to_string(barrier.count),
                         warp.firstLane());
    }
    bool over = isOver(barrier, block);
    if (over)
      endPhase(barrier, block);
    if (!waits)
      return Step::Next;
    if (over)
      return goOn(warp, barrier, arriving, instruction);
  } else if (isOver(barrier, block)) {
    endPhase(barrier, block);
    return goOn(warp, barrier, warp.active, instruction);
  }
  if (uint32_t missing = warp.alive & ~barrier.lanes[index]) {
    warp.waitForLanes(Rule::BarrierDivergence, missing);
    return waitAlone(warp);
  }
  warp.waitsFor = "barrier " + std::to_string(*number) + ": " +
                  std::to_string(barrier.arrived) + " of " +
                  std::to_string(barrier.count) + " threads have arrived";
  return waitAlone(warp);
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static void decodeNamedBarrier(Decoder &d) {
  d.take("cta");
  bool aligned = d.take("aligned") || d.statement.opcode == "bar";
  std::optional<unsigned> kind = d.takeOneOf({"sync", "arrive", "red"});
  if (!kind)
    return d.fail("a kind of barrier that is not modelled");
  Instruction &result = d.result;
  result.execute = namedBarrier;
  size_t next = 0;
  if (*kind == 2) {
    std::optional<unsigned> op = d.takeOneOf({"popc", "and", "or"});
    Type type = d.takeType();
    if (!op || type != (*op == 0 ? Type::U32 : Type::Pred))
      return d.fail("a reduction is .popc.u32, .and.pred or .or.pred");
    if (!d.expectOperands(3, 4))
      return;
    result.flags = RedPopc + *op;
    result.operand[0] = *op == 0 ? d.destination(0) : d.predicate(0);
    const Operand &given = d.at(d.operandCount() - 1);
    result.operand[3] = d.condition(given);
    if (given.negated)
      result.flags |= negatedFlag;
    next = 1;
  } else {
    result.flags = *kind == 0 ? Sync : Arrive;
    if (!d.expectOperands(*kind == 0 ? 1 : 2, 2))
      return;
  }
  if (aligned)
    result.flags |= alignedFlag;
  result.operand[1] = d.source(next, Type::U32);
  if (d.operandCount() > (*kind == 2 ? 3u : 1u))
    result.operand[2] = d.source(next + 1, Type::U32);
}

void tilewright::ptx::decodeBarrier(Decoder &d) {
  if (d.statement.opcode == "fence" || d.statement.opcode == "membar")
    return decodeFence(d);
  if (d.take("warp"))
    return decodeWarpBarrier(d);
  if (d.take("cluster"))
    return decodeClusterBarrier(d);
  decodeNamedBarrier(d);
}
