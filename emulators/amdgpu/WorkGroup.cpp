//===- WorkGroup.cpp - The waves of a work-group and their LDS ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/WorkGroup.h"

#include "emulators/amdgpu/InitialState.h"

#include <algorithm>
#include <cstdio>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

/// Instructions a wave executes before the next one's turn.
static constexpr uint64_t quantum = 64;

void Statistics::add(const Statistics &other) {
  if (instructions.size() < other.instructions.size())
    instructions.resize(other.instructions.size());
  for (size_t i = 0; i < other.instructions.size(); ++i) {
    instructions[i].executions += other.instructions[i].executions;
    instructions[i].lanes += other.instructions[i].lanes;
  }
  if (memory.size() < other.memory.size())
    memory.resize(other.memory.size());
  for (size_t i = 0; i < other.memory.size(); ++i)
    memory[i].add(other.memory[i]);
  if (ended.size() < other.ended.size())
    ended.resize(other.ended.size());
  for (size_t i = 0; i < other.ended.size(); ++i)
    ended[i].add(other.ended[i]);
  LaunchTotals::add(other);
}

uint64_t Statistics::countExecutions() const {
  uint64_t executions = 0;
  for (const Counts &counts : instructions)
    executions += counts.executions;
  return executions;
}

WorkGroup::WorkGroup(LaunchRun &launch, Dim3 id)
    : launch(launch), id(id), lds(launch.sharedBytes) {
  statistics.instructions.resize(launch.program.getDwords());
  statistics.timesProducts = launch.options.checks.timesProducts;
  if (launch.options.checks.statistics) {
    statistics.memory.resize(launch.program.getDwords());
    statistics.ended.resize(launch.program.getDwords());
  }
  uint64_t items = launch.options.block.count();
  unsigned lanes = launch.kernel.waveSize;
  unsigned count = static_cast<unsigned>((items + lanes - 1) / lanes);
  if (launch.options.checks.sharedRaces) {
    history = std::make_unique<AccessHistory>();
    history->reset(lds.size(), 2 * size_t(count));
  }
  clocks.assign(count, VectorClock(3 * count));
  lateClocks.assign(count, 1); // 0 of Outstanding::ldsClock is none
  gathered = opened = VectorClock(3 * count);
  arrived.assign(count, false);
  released.assign(count, false);
  for (unsigned i = 0; i < count; ++i) {
    clocks[i].step(i);
    uint64_t left = std::min<uint64_t>(items - uint64_t(i) * lanes, lanes);
    uint64_t present = left == 64 ? ~uint64_t(0) : (uint64_t(1) << left) - 1;
    waves.push_back(std::make_unique<Wave>(*this, i, present));
    initialise(*waves.back());
    turns.order.push_back(waves.back().get());
  }
  turns.arrange(launch.options.order, id);
}

WorkGroup::~WorkGroup() {
  reportHeld();
  std::lock_guard<std::mutex> guard(launch.statisticsLock);
  launch.statistics.add(statistics);
}

//===----------------------------------------------------------------------===//
// Turns
//===----------------------------------------------------------------------===//

Party::Outcome WorkGroup::run(uint64_t rounds) {
  const Outcome outcome = turns.run(launch, quantum, rounds);
  if (outcome == Outcome::Done)
    reportHeld();
  return outcome;
}

Fault WorkGroup::describeDeadlock() const {
  Fault fault;
  fault.rule = Rule::Deadlock;
  fault.message = "no wave can go on; they stand at";
  bool hasSite = false;
  for (const auto &wave : waves) {
    if (wave->isDone)
      continue;
    Site site = wave->getSite(wave->firstLane());
    char place[32];
    snprintf(place, sizeof(place), ", at 0x%x: ", site.line);
    fault.message +=
        "\n    wave " + std::to_string(wave->index) + place + site.instruction;
    if (!wave->waitsFor.empty())
      fault.message += " (waits for " + wave->waitsFor + ")";
    if (!hasSite)
      fault.site = site;
    hasSite = true;
  }
  return fault;
}

//===----------------------------------------------------------------------===//
// Synchronisation
//===----------------------------------------------------------------------===//

bool WorkGroup::arrive(Wave &wave) {
  if (!hasSignalled(wave))
    signal(wave);
  return await(wave);
}

bool WorkGroup::signal(Wave &wave) {
  bool isFirst = std::find(arrived.begin(), arrived.end(), true) == arrived.end();
  arrived[wave.index] = true;
  VectorClock &clock = clocks[wave.index];
  // What no wait has covered is not ordered before the barrier.
  seeLate(wave);
  clock.step(wave.index);
  stepGlobal(wave);
  VectorClock covered = clock;
  if (uint32_t outstanding = wave.waits.getOldestLdsClock(true))
    covered.lower(wave.index, outstanding - 1);
  gathered.join(covered);
  noteLoadsUnderWay(wave);
  openBarrier();
  return isFirst;
}

/// Loads that no wait has covered read behind the barrier as well as in front of it. What
/// they conflict with in front of it was found when they were issued.
void WorkGroup::noteLoadsUnderWay(const Wave &wave) {
  if (!history)
    return;
  wave.waits.forReads([&](const Outstanding &one, const LdsRead &read) {
    const Accessor by(wave.index, clocks[wave.index], one.line);
    uint64_t left = history->noteLaneReads(read.at.data(), read.lanes, read.bytes, by);
    for (; left; left &= left - 1)
      history->noteRead(read.at[__builtin_ctzll(left)], read.bytes, by);
  });
}

bool WorkGroup::await(Wave &wave) {
  openBarrier(); // a wave that it waited for may have ended
  if (released[wave.index]) {
    released[wave.index] = false;
    clocks[wave.index].join(opened);
    return true;
  }
  size_t missing = 0;
  for (const auto &other : waves)
    missing += !other->isDone && !arrived[other->index];
  wave.waitsFor = "the barrier, to which " + std::to_string(missing) + " of the " +
                  std::to_string(waves.size()) + " waves have not come";
  return false;
}

void WorkGroup::openBarrier() {
  bool any = false;
  for (const auto &wave : waves) {
    // One that was released comes again only after it has gone on.
    if (!wave->isDone && !arrived[wave->index])
      return;
    any |= arrived[wave->index];
  }
  if (!any)
    return;
  released = arrived;
  arrived.assign(waves.size(), false);
  opened = gathered;
  gathered = VectorClock(3 * waves.size());
  noteProgress();
}

uint32_t WorkGroup::getNumber() const {
  const Dim3 &grid = launch.options.grid;
  return static_cast<uint32_t>(id.x +
                               uint64_t(grid.x) * (id.y + uint64_t(grid.y) * id.z));
}

uint32_t WorkGroup::agentOf(const Wave &wave) const {
  const Instruction *instruction = wave.getInstruction();
  bool isLate = instruction && instruction->isLateInLds;
  return static_cast<uint32_t>(wave.index + (isLate ? waves.size() : 0));
}

void WorkGroup::seeLate(Wave &wave) {
  uint32_t outstanding = wave.waits.getOldestLdsClock(false);
  clocks[wave.index].raise(waves.size() + wave.index,
                           outstanding ? outstanding : lateClocks[wave.index]);
}

uint32_t WorkGroup::tickStore(const Wave &wave) {
  VectorClock &clock = clocks[wave.index];
  clock.step(wave.index);
  return clock[wave.index] + 1; // as Accessor has it
}

void WorkGroup::note(Wave &wave, uint32_t offset, unsigned size, Access access,
                     unsigned lane) {
  if (!history)
    return;
  const uint32_t agent = agentOf(wave);
  VectorClock late;
  if (agent != wave.index) {
    late = clocks[wave.index];
    late.raise(agent, lateClocks[wave.index]);
  }
  const Accessor by(agent, agent != wave.index ? late : clocks[wave.index],
                    static_cast<uint32_t>(wave.pc));
  bool wasAtomic = history->getLastWrite(offset).atomic;
  AccessHistory::Conflict conflict =
      access == Access::Read      ? history->noteRead(offset, size, by)
      : access == Access::Write   ? history->noteWrite(offset, size, by)
      : access == Access::Rewrite ? history->noteRewrite(offset, size, by)
                                  : history->noteAtomic(offset, size, by);
  if (!conflict.found)
    return;
  char text[160];
  snprintf(text, sizeof(text),
           "it %s LDS at %u, which wave %u %s at 0x%x, and nothing orders the two",
           access == Access::Read ? "reads" : "writes", offset,
           static_cast<unsigned>(conflict.agent % waves.size()),
           conflict.wasWrite ? "wrote" : "read", conflict.tag);
  bool isRead = access == Access::Read;
  bool isHeld = isRead ? wasAtomic : access == Access::Atomic && !conflict.wasWrite;
  if (!isHeld)
    return wave.report(Rule::Race, text, lane);
  auto [place, isNew] = held.try_emplace({isRead ? by.tag : conflict.tag, by.tag});
  if (isNew)
    place->second = {Rule::Race, text, wave.getSite(lane)};
  else
    ++place->second.repeated;
}

uint64_t WorkGroup::noteLanes(Wave &wave, const Lanes64 &offsets, uint64_t lanes,
                              unsigned size, Access access) {
  if (!history)
    return 0;
  const uint32_t agent = agentOf(wave);
  if (agent != wave.index)
    return lanes;
  const Accessor by(agent, clocks[agent], static_cast<uint32_t>(wave.pc));
  return access == Access::Read ? history->noteLaneReads(offsets.v, lanes, size, by)
                                : history->noteLaneWrites(offsets.v, lanes, size, by);
}

void WorkGroup::reportHeld() {
  for (auto &[key, fault] : held)
    if (!comparedLoads.count(key.first))
      launch.device.faults.add(std::move(fault));
  held.clear();
}
