//===- Warp.h - 32 lanes and where they are -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lanes that stand at the same instruction of the same frame form a group and go
// together. Of several groups the one deepest in calls, and there the one at the lowest
// instruction, goes first, which is where compilers make lanes meet again. A group that
// spins is passed over from time to time, since it may wait for one that comes later.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_WARP_H
#define TILEWRIGHT_EMULATORS_PTX_WARP_H

#include "emulators/common/Fault.h"
#include "emulators/common/Pool.h"
#include "emulators/common/Turns.h"
#include "emulators/ptx/Program.h"

namespace tilewright::ptx {

class Block;
class Tracer;
using emulator::Rule;

constexpr unsigned lanesPerWarp = 32;
constexpr uint32_t allLanes = ~0u;
/// Bytes of local memory that a thread may use, as on the hardware.
constexpr uint64_t localLimit = 512 * 1024;
/// Poison of a value: a bit for each of its bytes. Handlers of arithmetic set all or
/// none.
constexpr uint8_t soundValue = 0, undefinedValue = 0xff;

/// A predicate of each lane, and which lanes' are undefined.
struct Predicate {
  uint32_t value = 0, poison = 0;
};

/// Host memory that a frame takes, counted in `total` while the frame lives.
class FrameCharge {
public:
  FrameCharge() = default;
  FrameCharge(const FrameCharge &) = delete;
  ~FrameCharge() { put(nullptr, 0); }
  void put(std::atomic<uint64_t> *newTotal, uint64_t newBytes) {
    if (total)
      *total -= bytes;
    total = newTotal;
    bytes = newBytes;
    if (total)
      *total += bytes;
  }

private:
  std::atomic<uint64_t> *total = nullptr;
  uint64_t bytes = 0;
};

/// The registers of a frame: arrays of 32 values and of 32 poison bytes, one for each.
struct Registers {
  /// Makes all of them undefined.
  void reset(size_t count, size_t predicateCount);

  emulator::LineVector<uint64_t> values;
  emulator::LineVector<uint8_t> poison;
  std::vector<Predicate> predicates;
};

/// An activation of a function by a group of lanes.
struct Frame {
  const DecodedFunction *function = nullptr;
  std::shared_ptr<Frame> caller;
  uint32_t returnTo = 0; ///< instruction of the caller
  uint32_t depth = 0;
  emulator::Pool<Registers>::Pointer registers;
  /// Parameters, results and call arguments of each lane, with their shadow; lane major.
  emulator::Bytes params;
  /// Where the frame's local variables start in each lane's local memory.
  uint64_t localBase = 0;
  uint64_t dynamicLocal = 0; ///< bytes that alloca added after them
  uint64_t localEnd() const { return localBase + function->localBytes + dynamicLocal; }
  const Instruction *call = nullptr; ///< what called it
  FrameCharge charge;
};

struct Group {
  uint32_t pc = 0;
  uint32_t lanes = 0;
  std::shared_ptr<Frame> frame;
  bool waits = false;      ///< its last instruction said Wait
  uint64_t stepsAlone = 0; ///< since another group of the warp last went
  /// Where it last yielded, and how often in a row it has there.
  uint32_t yieldedAt = ~0u, yields = 0;
  /// What it waits for, and the rule that is broken if that never comes.
  std::string waitsFor;
  Rule waitRule = Rule::Deadlock;
};

/// What a memory access is. Strong ones (volatile, relaxed and stronger; strong stores
/// are Atomic) do not race with each other. Sync is an operation on a synchronisation
/// object, which the race check does not look at. A Rewrite stores what is there already:
/// warps that compute the same and all store it do not race.
enum class Access : uint8_t { Read, Write, Atomic, StrongRead, Sync, Rewrite };
inline bool isRead(Access access) {
  return access == Access::Read || access == Access::StrongRead;
}

/// Host memory of an emulated address, found for one access.
struct Place {
  uint8_t *data = nullptr, *shadow = nullptr;
  Space space = Space::Generic; ///< what the generic address turned out to be
  Block *owner = nullptr;       ///< of shared memory
  uint32_t offset = 0;          ///< in shared memory
  emulator::Allocation *allocation = nullptr; ///< of global memory
  explicit operator bool() const { return data != nullptr; }
};

/// State that a family of instructions keeps in a warp, from one step to the next. Each
/// derives from it and finds its own by `Warp::state<T>()`.
struct WarpState {
  virtual ~WarpState() = default;
  /// `lanes` of `warp` are about to exit.
  virtual void exit(Warp &, uint32_t /*lanes*/) {}
};

class Warp {
public:
  Warp(Block &block, unsigned index, uint32_t lanes);
  ~Warp();

  // Where it is.
  Block &block;
  const unsigned index;
  /// Lanes that threads of the block occupy, and those of them that have not exited.
  const uint32_t present;
  uint32_t alive;
  /// Lanes that execute the instruction at hand: the group's, less those whose guard
  /// fails.
  uint32_t active = 0;
  /// The group that goes; valid while a handler runs.
  Group *group = nullptr;
  /// Instructions that the warp has executed.
  uint64_t steps = 0;

  // Registers of the group's frame.
  uint64_t *values(uint32_t reg) { return frameValues + size_t(reg) * lanesPerWarp; }
  uint8_t *poison(uint32_t reg) { return framePoison + size_t(reg) * lanesPerWarp; }
  Predicate &predicate(uint32_t number) { return framePredicates[number]; }
  Frame &frame() { return *group->frame; }

  /// Runs until it has executed `quantum` instructions, cannot go on, or is done.
  using Outcome = emulator::Turn;
  Outcome run(uint64_t quantum);
  bool isOver() const { return alive == 0; }
  bool waitsOutside(Outcome) const { return pollsOutside; }
  void stopAtLimit(uint64_t steps);

  // Control, for handlers.
  /// All active lanes go to instruction `target`; the guard's other lanes go on.
  Step jump(uint32_t target);
  /// The lanes of `taken`, a part of the active ones, go to `target`.
  Step branch(uint32_t target, uint32_t taken);
  /// The lanes of `taken` go to `target`; the other active ones stay and execute the
  /// instruction again.
  Step branchSome(uint32_t target, uint32_t taken);
  /// Makes `lanes` the active ones of a group of their own; the others of the active ones
  /// execute the instruction again later. Always true.
  bool split(uint32_t lanes);
  /// The active lanes call `callee` and go on after this instruction when they return;
  /// the handler has made `callee`'s frame and filled its parameters.
  Step call(std::shared_ptr<Frame> callee);
  /// Of a function's results nothing is known here: handlers use returnWithResults.
  Step ret();
  /// The active lanes are done.
  Step exit();
  /// A frame of `function`, its registers undefined, its pool filled.
  std::shared_ptr<Frame> makeFrame(const DecodedFunction &function);
  /// Whether the lanes of `members` that are alive all stand here; if not, the group
  /// should Wait for the rest.
  bool haveConverged(uint32_t members) const {
    return (members & alive & ~group->lanes) == 0;
  }

  // Memory, for handlers.
  /// Finds `bytes` at `address` of `space` for `lane`: checks that they are inside,
  /// alive, writable and aligned to `align`, and notes the access for the race check
  /// where `lane`'s thread makes it now. A place without data means that a fault was
  /// reported.
  Place find(Space space, uint64_t address, uint32_t bytes, uint32_t align, unsigned lane,
             Access access);
  /// Reports lanes among the active ones whose operand `reg`, an address or the like, is
  /// undefined. False if there are any.
  bool expectSound(uint32_t reg, const char *what);
  /// Reads poison of `bytes` shadow bytes as a value's.
  static uint8_t poisonFromShadow(const uint8_t *shadow, unsigned bytes);
  static void poisonToShadow(uint8_t poison, uint8_t *shadow, unsigned bytes);
  emulator::Bytes &localMemory(unsigned lane);

  // Faults.
  /// Reports a fault of the instruction at hand; the run goes on.
  void report(Rule rule, std::string message, unsigned lane);
  /// Reports one that nothing can go on after.
  Step stop(Rule rule, std::string message, unsigned lane);
  /// What its lanes do from now on is ordered after what they did (LaneHistory.h).
  void orderLanes();
  uint32_t laneEpoch = 0;

  /// The first active lane.
  unsigned firstLane() const { return __builtin_ctz(active); }

  template <typename T> T &state() {
    for (auto &one : states)
      if (auto *found = dynamic_cast<T *>(one.get()))
        return *found;
    states.push_back(std::make_unique<T>());
    return static_cast<T &>(*states.back());
  }

  /// What the warp waits for, for the report of a deadlock; handlers that say Wait set
  /// it.
  std::string waitsFor;
  /// For a handler that says Wait until lanes `missing` of its warp come: `rule` is
  /// reported in place of a deadlock if they never do.
  Step waitForLanes(Rule rule, uint32_t missing);
  /// For a handler that says Yield since something in its cluster has not happened yet.
  Step yieldForCluster() {
    yieldsInside = true;
    return Step::Yield;
  }
  /// Whether its last turn ended for a reason that other clusters, or time, may end.
  bool pollsOutside = false;
  /// The instruction that the first group stands at, and the lanes there.
  const Instruction *getPosition() const;
  const std::vector<Group> &getGroups() const { return groups; }
  emulator::Site getSite(const Instruction &instruction, unsigned lane) const;

private:
  template <bool traced> Outcome runLoop(uint64_t quantum, Tracer *tracer);
  void choose();
  size_t passOver(size_t best);
  void merge();
  bool checkGuard(uint32_t lanes);
  bool yieldsTooOften(uint32_t pc);

  std::vector<Group> groups;
  std::vector<std::unique_ptr<WarpState>> states;
  std::vector<emulator::Bytes> local; // by lane, made when first used
  uint64_t *frameValues = nullptr;
  uint8_t *framePoison = nullptr;
  Predicate *framePredicates = nullptr;
  const Instruction *current = nullptr;
  bool jumped = false;
  bool yieldsInside = false;
  uint64_t favoured = 0; ///< steps that the first group has left before others are asked
};

/// The active lanes return and take the function's results with them: a `ret`, or the end
/// of a body. In ControlOps.cpp.
Step returnWithResults(Warp &warp);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_WARP_H
