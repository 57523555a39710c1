//===- Wave.h - The lanes of a wave and their registers -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A wave has one program counter; which lanes take part is the program's own business, in
// the register EXEC. Values are undefined until they are written: a vector register has a
// bit for each byte of each lane, and one for each of its bits beside it where logic and
// shifts made bytes undefined in part; a scalar register always has the latter, since
// masks of lanes are made of bits that have nothing to do with each other.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_WAVE_H
#define TILEWRIGHT_EMULATORS_AMDGPU_WAVE_H

#include "emulators/amdgpu/Hazards.h"
#include "emulators/amdgpu/Instruction.h"
#include "emulators/amdgpu/Origins.h"
#include "emulators/amdgpu/WaitCounters.h"
#include "emulators/common/Fault.h"
#include "emulators/common/Memory.h"
#include "emulators/common/Turns.h"

#include <memory>

namespace tilewright::amdgpu {

class WorkGroup;
using emulator::Rule;

/// Loops over lanes always have this many, which compilers vectorise; those that a wave
/// lacks are never active.
constexpr unsigned maxLanes = 64;

template <typename T> struct alignas(64) LaneArray {
  T v[maxLanes];
  T &operator[](unsigned lane) { return v[lane]; }
  const T &operator[](unsigned lane) const { return v[lane]; }
};
using Lanes32 = LaneArray<uint32_t>;
using Lanes64 = LaneArray<uint64_t>;
/// A bit for each undefined byte of a value of up to 64 bits.
using LanePoison = LaneArray<uint8_t>;

/// A scalar and which of its bits are undefined.
struct ScalarValue {
  uint64_t bits = 0, poison = 0;
};

class Wave {
public:
  Wave(WorkGroup &group, unsigned index, uint64_t present);

  WorkGroup &group;
  const unsigned index;
  const unsigned lanes; ///< 32 or 64
  /// Lanes that work-items of the group occupy.
  const uint64_t present;
  bool isDone = false;
  /// Offset of the instruction at hand in the code object; what it sets is where the wave
  /// goes on.
  uint64_t pc = 0;
  uint64_t steps = 0;
  /// Lanes that the instruction at hand writes: EXEC, or fewer (DPP).
  uint64_t active = 0;

  bool scc = false, sccPoison = true;
  uint32_t mode = 0; ///< rounding, denormals, and so on, as the hardware register has it
  WaitCounters waits;
  Origins origins;
  /// A bit for each counter whose operations end in order with the load that writes its
  /// registers now: those that are still to be written by one of these may be.
  uint32_t landing = 0;

  /// The lanes' private memory: dword `i` of lane `l` is at 4 * (i * maxLanes + l).
  emulator::Bytes &privateMemory();
  uint64_t privateBytes() const; ///< of each lane

  // Scalars.
  /// A scalar source, of 32 bits or of 64.
  ScalarValue readScalar(const Source &source);
  void writeScalar(const Source &destination, ScalarValue value);
  uint32_t getRegister(uint16_t reg) const { return scalar[reg]; }
  /// Sets a register as the launch does, or a wrapper: defined, and without any check.
  void setRegister(uint16_t reg, uint32_t bits);
  void setScc(bool value, bool poison = false) {
    scc = value;
    sccPoison = poison;
  }
  uint64_t getExec() const { return scalar[Exec] | uint64_t(scalar[Exec + 1]) << 32; }
  /// The scalar, which must be defined: an address, a branch's condition. Reports it
  /// where it is not, as what it is ("the address").
  uint64_t expectScalar(const Source &source, const char *what);

  // Vectors. Reading gives all lanes, writing changes the active ones.
  /// A source of 32 bits; `buffer` is used where it is not a register as it is.
  const uint32_t *read(const Source &source, Lanes32 &buffer);
  const uint64_t *read(const Source &source, Lanes64 &buffer);
  /// What is undefined of it; null where nothing is.
  const uint8_t *readPoison(const Source &source, LanePoison &buffer);
  /// The same bit by bit, where that is known; false, and nothing, where none is
  /// undefined.
  bool readUndefined(const Source &source, Lanes32 &bits);
  bool readUndefined(const Source &source, Lanes64 &bits);
  /// Keeps which bits are undefined of what was just written.
  void keepUndefined(const Source &destination, const Lanes32 &bits);
  void keepUndefined(const Source &destination, const Lanes64 &bits);
  void write(const Source &destination, const uint32_t *values, const uint8_t *poison);
  void write(const Source &destination, const uint64_t *values, const uint8_t *poison);
  /// A bit for each lane, in one scalar register or two: compares, carries. Lanes that
  /// are not active get what `values` has for them.
  ScalarValue readMask(const Source &source);
  void writeMask(const Source &destination, ScalarValue value);
  /// Whether `source` of the active lanes is defined; reports where not.
  bool expectSound(const Source &source, const char *what);
  /// The registers themselves, for handlers that move many.
  uint32_t *vector(uint16_t reg) { return &vectors[size_t(reg) * maxLanes]; }
  uint8_t *vectorPoison(uint16_t reg) { return &poison[size_t(reg) * maxLanes]; }
  /// Must be called after `vectorPoison` was written.
  void notePoison(uint16_t reg) { mayBePoisoned[reg] = true; }
  bool isPoisoned(uint16_t reg) const { return mayBePoisoned[reg]; }

  /// What wrappers prepare for sources of kind Buffer.
  Lanes32 buffers[3];
  LanePoison bufferPoison[3];

  /// Runs until it has executed `quantum` instructions, cannot go on, or is done.
  using Outcome = emulator::Turn;
  Outcome run(uint64_t quantum);
  bool isOver() const { return isDone; }
  /// One that sleeps may wait for another work-group's store.
  bool waitsOutside(Outcome outcome) const { return outcome == Outcome::Yields; }
  void stopAtLimit(uint64_t limit);
  /// What it waits for, for the report of a deadlock; handlers that say Wait set it.
  std::string waitsFor;

  // Faults, of the instruction at hand.
  void report(Rule rule, std::string message, unsigned lane);
  Step stop(Rule rule, std::string message, unsigned lane);
  unsigned firstLane() const { return active ? __builtin_ctzll(active) : 0; }
  emulator::Site getSite(unsigned lane) const;
  const Instruction *getInstruction() const { return current; }

private:
  bool isPending(const Source &source) const {
    return waits.isPending(source.kind == Operand::Vector, source.reg, source.count);
  }
  void checkPending(const Source &source, bool isWrite);
  uint64_t getSpecial(SpecialValue value) const;
  const uint32_t *laneMasks();

  uint32_t scalar[scalarRegisters] = {}, scalarPoison[scalarRegisters];
  std::vector<uint32_t> vectors;
  std::vector<uint8_t> poison;
  uint8_t mayBePoisoned[vectorRegisters];
  /// Of registers some of whose bytes are undefined in part: their undefined bits.
  std::unique_ptr<Lanes32> partlyUndefined[vectorRegisters];
  /// All ones for each active lane; of `masksOf`.
  Lanes32 masks = {};
  uint64_t masksOf = 0;
  const Instruction *current = nullptr;
  emulator::Bytes privateBytesOfLanes;
  std::unique_ptr<Hazards> hazards;   ///< null where they are not checked
  uint64_t hazardStep = ~uint64_t(0); ///< the step that was last checked
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_WAVE_H
