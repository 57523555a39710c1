//===- Warp.cpp - 32 lanes and where they are ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Warp.h"
#include "emulators/ptx/Block.h"
#include "emulators/ptx/SpecialRegisters.h"
#include "emulators/ptx/Trace.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>

using namespace tilewright::ptx;
using tilewright::emulator::Site;

/// Instructions that one group may execute while others of its warp stand still. A
/// spinning lane waits for one that would come later, or the compiler's meeting point is
/// far.
static constexpr uint64_t patience = 4096;
/// Times in a row that a group yields at one place before others of its warp go.
static constexpr uint32_t yieldsAlone = 3;

Warp::Warp(Block &block, unsigned index, uint32_t lanes)
    : block(block), index(index), present(lanes), alive(lanes) {
  Group first;
  first.lanes = lanes;
  first.frame = makeFrame(block.launch.entry);
  groups.push_back(std::move(first));
}

Warp::~Warp() = default;

void Warp::orderLanes() { laneEpoch = block.cluster.getNewEpoch(); }

void Registers::reset(size_t count, size_t predicateCount) {
  values.assign(count * lanesPerWarp, 0);
  poison.assign(count * lanesPerWarp, undefinedValue);
  predicates.assign(predicateCount, Predicate{0, allLanes});
}

std::shared_ptr<Frame> Warp::makeFrame(const DecodedFunction &function) {
  auto frame = std::make_shared<Frame>();
  frame->function = &function;
  frame->registers = block.launch.registers.take();
  Registers &registers = *frame->registers;
  registers.reset(function.registers, function.predicates);
  for (bool value : {false, true})
    if (uint32_t number = function.constantPredicates[value]; number != noRegister)
      registers.predicates[number] = {value ? allLanes : 0, 0};
  uint32_t first = function.registers - static_cast<uint32_t>(function.pool.size());
  for (size_t i = 0; i < function.pool.size(); ++i) {
    const PoolEntry &entry = function.pool[i];
    uint64_t *values = &registers.values[(first + i) * lanesPerWarp];
    memset(&registers.poison[(first + i) * lanesPerWarp], soundValue, lanesPerWarp);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      values[lane] =
          entry.isSpecial ? readSpecialRegister(*this, entry.special, lane) : entry.bits;
  }
  // An entry's own parameters are the launch's; here are arguments of its calls.
  if (function.paramBytes)
    frame->params = emulator::Bytes(function.paramBytes * lanesPerWarp);
  if (frame->params.size() != function.paramBytes * lanesPerWarp)
    throw std::bad_alloc();
  return frame;
}

//===----------------------------------------------------------------------===//
// Groups
//===----------------------------------------------------------------------===//

/// Whether `a` goes before `b`: it is deeper in calls, or as deep and at a lower place.
static bool goesBefore(const Group &a, const Group &b) {
  if (a.frame->depth != b.frame->depth)
    return a.frame->depth > b.frame->depth;
  return a.pc < b.pc;
}

/// Makes one group of those that stand at one place.
void Warp::merge() {
  for (size_t i = 0; i < groups.size(); ++i)
    for (size_t j = groups.size(); --j > i;)
      if (groups[j].pc == groups[i].pc && groups[j].frame == groups[i].frame) {
        groups[i].lanes |= groups[j].lanes;
        groups[i].waits = false;
        groups.erase(groups.begin() + j);
      }
}

/// Group `best` has gone alone for long: the one that was passed over longest, if any can
/// go, has its turn instead.
size_t Warp::passOver(size_t best) {
  size_t other = best;
  for (size_t i = 0; i < groups.size(); ++i)
    if (i != best && !groups[i].waits &&
        (other == best || groups[i].stepsAlone < groups[other].stepsAlone))
      other = i;
  groups[best].stepsAlone = 0;
  if (other != best)
    favoured = patience;
  return other;
}

/// Puts the group that goes next first.
void Warp::choose() {
  merge();
  size_t best = 0;
  if (favoured > 0 && !groups[0].waits) {
    // The one that was passed over has its turn.
    --favoured;
  } else {
    favoured = 0;
    for (size_t i = 1; i < groups.size(); ++i) {
      const Group &one = groups[i], &chosen = groups[best];
      if (one.waits != chosen.waits ? chosen.waits : goesBefore(one, chosen))
        best = i;
    }
    if (groups[best].stepsAlone > patience && groups.size() > 1)
      best = passOver(best);
  }
  std::swap(groups[0], groups[best]);
  group = &groups[0];
  Registers &registers = *group->frame->registers;
  frameValues = registers.values.data();
  framePoison = registers.poison.data();
  framePredicates = registers.predicates.data();
}

Step Warp::jump(uint32_t target) { return branch(target, active); }

Step Warp::branch(uint32_t target, uint32_t taken) {
  jumped = true;
  uint32_t others = group->lanes & ~taken;
  if (others == 0) {
    group->pc = target;
    return Step::Jump;
  }
  if (taken == 0) {
    ++group->pc;
    return Step::Jump;
  }
  Group rest = *group;
  rest.lanes = others;
  rest.stepsAlone = 0;
  ++rest.pc;
  group->lanes = taken;
  group->pc = target;
  groups.push_back(std::move(rest)); // `group` is stale now
  choose();
  return Step::Jump;
}

bool Warp::split(uint32_t lanes) {
  uint32_t later = active & ~lanes;
  if (later) {
    Group rest = *group;
    rest.lanes = later;
    rest.stepsAlone = 0;
    group->lanes &= ~later;
    groups.push_back(std::move(rest));
    group = &groups[0];
  }
  active = lanes;
  return true;
}

Step Warp::branchSome(uint32_t target, uint32_t taken) {
  split(taken);
  return branch(target, taken);
}

Step Warp::call(std::shared_ptr<Frame> callee) {
  callee->caller = group->frame;
  callee->returnTo = group->pc + 1;
  callee->depth = group->frame->depth + 1;
  callee->localBase = (group->frame->localEnd() + 15) / 16 * 16;
  callee->call = current;
  jumped = true;
  uint32_t others = group->lanes & ~active;
  Group inside = *group;
  inside.lanes = active;
  inside.frame = std::move(callee);
  inside.pc = 0;
  if (others == 0) {
    *group = std::move(inside);
  } else {
    group->lanes = others;
    ++group->pc;
    groups.push_back(std::move(inside));
  }
  choose();
  return Step::Jump;
}

Step Warp::ret() {
  if (!group->frame->caller)
    return exit();
  jumped = true;
  std::shared_ptr<Frame> frame = group->frame;
  uint32_t others = group->lanes & ~active;
  Group outside = *group;
  outside.lanes = active;
  outside.frame = frame->caller;
  outside.pc = frame->returnTo;
  if (others == 0) {
    *group = std::move(outside);
  } else {
    group->lanes = others;
    ++group->pc;
    groups.push_back(std::move(outside));
  }
  choose();
  return Step::Jump;
}

Step Warp::exit() {
  for (auto &one : states)
    one->exit(*this, active);
  jumped = true;
  alive &= ~active;
  if (alive == 0)
    block.checkExit(*this);
  uint32_t others = group->lanes & ~active;
  if (others) {
    group->lanes = others;
    ++group->pc;
  } else {
    groups.erase(groups.begin());
    group = nullptr;
  }
  // Who waited for these lanes need not any more.
  for (Group &one : groups)
    one.waits = false;
  if (!groups.empty())
    choose();
  return Step::Jump;
}

//===----------------------------------------------------------------------===//
// Running
//===----------------------------------------------------------------------===//

void Warp::stopAtLimit(uint64_t steps) {
  block.launch.device.faults.add(
      {Rule::Limit,
       "a warp executed more than " + std::to_string(steps) + " instructions",
       getPosition() ? getSite(*getPosition(), 0) : Site()});
  block.launch.stopped = true;
}

Warp::Outcome Warp::run(uint64_t quantum) {
  Tracer *tracer = block.launch.options.tracer;
  return tracer && tracer->follows(*this) ? runLoop<true>(quantum, tracer)
                                          : runLoop<false>(quantum, nullptr);
}

template <bool traced>
Warp::Outcome Warp::runLoop(uint64_t quantum, [[maybe_unused]] Tracer *tracer) {
  if (groups.empty())
    return Outcome::Done;
  for (Group &one : groups) {
    one.waits = false;
    one.waitRule = Rule::Deadlock;
  }
  pollsOutside = false;
  choose();
  Statistics *statistics = block.cluster.getStatistics();
  for (uint64_t step = 0; step < quantum; ++step) {
    if (groups.size() > 1) {
      choose();
      if (group->waits)
        return Outcome::Waits;
    }
    Frame &at = *group->frame;
    if (group->pc >= at.function->code.size()) {
      // The end of a body is a return.
      active = group->lanes;
      returnWithResults(*this);
      if (groups.empty())
        return Outcome::Done;
      continue;
    }
    const Instruction &instruction = at.function->code[group->pc];
    current = &instruction;
    active = group->lanes;
    if (instruction.guard != noRegister) {
      const Predicate &guard = framePredicates[instruction.guard];
      if (guard.poison & active)
        if (!checkGuard(guard.poison & active))
          return Outcome::Stopped;
      active &= instruction.guardNegated ? ~guard.value : guard.value;
      if (active == 0) {
        ++group->pc;
        ++steps;
        continue;
      }
    }
    jumped = false;
    ++steps;
    ++group->stepsAlone;
    uint32_t lanes = active;
    Step result = instruction.execute(*this, instruction);
    switch (result) {
    case Step::Next:
      ++group->pc;
      break;
    case Step::Jump:
      break;
    case Step::Wait:
      --steps;
      group->waits = true;
      if (groups.size() == 1)
        return Outcome::Waits;
      group->waitsFor = waitsFor;
      continue;
    case Step::Yield: {
      pollsOutside |= !yieldsInside;
      yieldsInside = false;
      bool passed = groups.size() > 1 && !jumped && yieldsTooOften(group->pc);
      if (!jumped)
        ++group->pc;
      statistics->count(instruction, lanes);
      if constexpr (traced)
        tracer->executed(*this, instruction, lanes, !jumped);
      if (passed)
        continue;
      return Outcome::Yields;
    }
    case Step::Stop:
      block.launch.stopped = true;
      return Outcome::Stopped;
    }
    statistics->count(instruction, lanes);
    if constexpr (traced)
      tracer->executed(*this, instruction, lanes, result == Step::Next);
    if (groups.empty())
      return Outcome::Done;
  }
  return Outcome::Ran;
}

/// Whether the group, which yields at `pc`, has done so too often while others of the
/// warp stand still, which may be whom it waits for.
bool Warp::yieldsTooOften(uint32_t pc) {
  group->yields = group->yieldedAt == pc ? group->yields + 1 : 1;
  group->yieldedAt = pc;
  if (group->yields < yieldsAlone)
    return false;
  group->waits = true;
  group->waitsFor = waitsFor;
  return true;
}

Step Warp::waitForLanes(Rule rule, uint32_t missing) {
  char text[64];
  snprintf(text, sizeof(text), "lanes %#x of the warp, which are elsewhere", missing);
  waitsFor = text;
  group->waitRule = rule;
  return Step::Wait;
}

const Instruction *Warp::getPosition() const {
  if (groups.empty())
    return nullptr;
  const Group &first = groups.front();
  const auto &code = first.frame->function->code;
  return first.pc < code.size() ? &code[first.pc] : nullptr;
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

Site Warp::getSite(const Instruction &instruction, unsigned lane) const {
  const LaunchRun &launch = block.launch;
  const emulator::Dim3 &size = launch.options.block;
  uint32_t thread = index * lanesPerWarp + lane;
  Site site;
  site.kernel = launch.entry.syntax->name;
  site.block = block.id;
  site.thread = {thread % size.x, thread / size.x % size.y, thread / size.x / size.y};
  const Statement &statement = *instruction.statement;
  site.line = statement.line;
  site.instruction = statement.oneLine();
  const Module &module = *launch.program.module;
  const SourceLocation &location = module.locations[statement.location];
  auto file = module.files.find(location.file);
  if (location.line && file != module.files.end()) {
    site.file = file->second;
    site.sourceLine = location.line;
  }
  return site;
}

void Warp::report(Rule rule, std::string message, unsigned lane) {
  block.launch.device.faults.add({rule, std::move(message), getSite(*current, lane)});
}

Step Warp::stop(Rule rule, std::string message, unsigned lane) {
  report(rule, std::move(message), lane);
  block.launch.stopped = true;
  return Step::Stop;
}

/// Reports a guard that is undefined in `lanes`; whether the run goes on.
bool Warp::checkGuard(uint32_t lanes) {
  if (!block.launch.options.checks.uninitialised)
    return true;
  stop(Rule::Uninitialised, "the guard depends on undefined data", __builtin_ctz(lanes));
  return false;
}

bool Warp::expectSound(uint32_t reg, const char *what) {
  if (reg == noRegister || !block.launch.options.checks.uninitialised)
    return true;
  const uint8_t *bytes = poison(reg);
  uint64_t eights[lanesPerWarp / 8];
  memcpy(eights, bytes, sizeof(eights));
  if (!(eights[0] | eights[1] | eights[2] | eights[3]))
    return true;
  for (uint32_t lanes = active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (bytes[lane]) {
      stop(Rule::Uninitialised, std::string(what) + " depends on undefined data", lane);
      return false;
    }
  }
  return true;
}
