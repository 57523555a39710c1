//===- WorkGroup.h - The waves of a work-group and their LDS ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_WORKGROUP_H
#define TILEWRIGHT_EMULATORS_AMDGPU_WORKGROUP_H

#include "emulators/amdgpu/Launch.h"
#include "emulators/amdgpu/Wave.h"
#include "emulators/common/GlobalRaces.h"
#include "emulators/common/Order.h"

#include <map>
#include <set>

namespace tilewright::amdgpu {

enum class Access : uint8_t {
  Read,
  Write,
  Rewrite, ///< of what is there already: two waves may do it
  Atomic,
};

class WorkGroup : public emulator::Party {
public:
  WorkGroup(LaunchRun &launch, emulator::Dim3 id);
  ~WorkGroup() override;

  LaunchRun &launch;
  const emulator::Dim3 id;
  std::vector<std::unique_ptr<Wave>> waves;
  emulator::Bytes lds;

  Outcome run(uint64_t rounds) override;
  emulator::Fault describeDeadlock() const override;
  /// Something changed that a wave may wait for.
  void noteProgress() { turns.noteProgress(); }

  /// `wave` comes to the group's barrier; whether all are there, so that it may go on.
  /// Asked again until it is true.
  bool arrive(Wave &wave);
  /// The two halves of that: `wave` has come to the barrier, and goes on until it waits
  /// for the others; whether it was the first to come.
  bool signal(Wave &wave);
  bool await(Wave &wave);
  /// Whether `wave` has signalled and not waited yet.
  bool hasSignalled(const Wave &wave) const {
    return arrived[wave.index] || released[wave.index];
  }

  // The race check on LDS. Each wave is two agents: one for what the LDS unit does, in
  // the order of all waves, and one for flat operations and loads to LDS, which happen
  // some time later. What the second does the first has seen when a wait has covered it.
  /// Notes an access to `size` bytes at `offset` and reports a conflict at `lane`.
  void note(Wave &wave, uint32_t offset, unsigned size, Access access, unsigned lane);
  /// As `note`, with Read or Write, for each of `lanes` at its offset; the lanes for
  /// which it did not do and that are left to be noted.
  uint64_t noteLanes(Wave &wave, const Lanes64 &offsets, uint64_t lanes, unsigned size,
                     Access access);
  /// A compare-and-swap at `offset`. The load that its expected value came from takes
  /// part in no race with atomic operations, since the comparison tells whether it was
  /// right: compilers load so before their loops.
  void noteCompareSwap(uint32_t offset) {
    if (history)
      comparedLoads.insert(history->getReadTag(offset));
  }
  /// The clock of a late operation that is issued now; Outstanding::ldsClock keeps it.
  uint32_t tickLate(const Wave &wave) { return lateClocks[wave.index]++; }
  bool checksRaces() const { return history != nullptr; }
  /// The clock of a store of the LDS unit, to be asked for before it is noted: what the
  /// wave did before has another.
  uint32_t tickStore(const Wave &wave);
  // The race check on global memory (GlobalRaces.h): a third agent of each wave.
  uint32_t globalAgentOf(const Wave &wave) const {
    return static_cast<uint32_t>(2 * waves.size()) + wave.index;
  }
  uint32_t waveOfGlobalAgent(uint32_t agent) const {
    return agent - static_cast<uint32_t>(2 * waves.size());
  }
  const emulator::VectorClock &clockOf(const Wave &wave) const {
    return clocks[wave.index];
  }
  /// What `wave` did to global memory so far is apart from what it does from now on.
  void stepGlobal(const Wave &wave) { clocks[wave.index].step(globalAgentOf(wave)); }
  /// The work-group's number in the grid.
  uint32_t getNumber() const;
  emulator::GlobalRaces::Acquisitions acquisitions;

  /// `wave` has waited: its late operations that are done are ordered before what
  /// follows.
  void seeLate(Wave &wave);

  /// `wave` executed an instruction.
  void count(const Instruction &instruction, uint64_t lanes) {
    Statistics::Counts &counts = statistics.instructions[instruction.offset / 4];
    ++counts.executions;
    counts.lanes += static_cast<unsigned>(__builtin_popcountll(lanes));
  }
  Statistics statistics;

private:
  uint32_t agentOf(const Wave &wave) const;
  void noteLoadsUnderWay(const Wave &wave);
  /// Opens the barrier if all waves that live have come.
  void openBarrier();
  /// Reports the races of loads with atomic operations, but for loads that a
  /// compare-and-swap followed.
  void reportHeld();

  emulator::Turns<Wave> turns;
  std::vector<bool> arrived;  // at the barrier, by wave
  std::vector<bool> released; // from it, but not gone on yet
  std::unique_ptr<emulator::AccessHistory> history;
  std::vector<emulator::VectorClock> clocks; // by wave
  std::vector<uint32_t> lateClocks;          // by wave, of its second agent
  /// What is ordered before the barrier that waves come to, and before the one that they
  /// were released from.
  emulator::VectorClock gathered, opened;
  /// Of loads with atomic operations, by the load's and the reporting instruction's
  /// offset: whether they count is known in the end.
  std::map<std::pair<uint32_t, uint32_t>, emulator::Fault> held;
  std::set<uint32_t> comparedLoads;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_WORKGROUP_H
