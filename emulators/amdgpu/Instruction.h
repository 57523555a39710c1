//===- Instruction.h - An instruction decoded for execution -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything that an instruction needs at run time is found once, when its address is
// first reached: the function that executes it and its sources, constants as the bits
// that the operation's type makes of them.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INSTRUCTION_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INSTRUCTION_H

#include "emulators/amdgpu/Assembly.h"

#include <string>

namespace tilewright::amdgpu {

class Wave;
struct HazardTraits;
struct Instruction;

/// What a handler says of the instruction it was called for.
enum class Step : uint8_t {
  Next,  ///< done; go on with the next instruction
  Jump,  ///< done; the handler has set the program counter
  Wait,  ///< not done: call it again when something has changed
  Yield, ///< done, and others should have a turn: a sleep, a spin
  End,   ///< the wave has ended
  Stop,  ///< a fault that nothing can go on after was reported
};

using Handler = Step (*)(Wave &, const Instruction &);

/// Where a value comes from or goes to.
struct Source {
  Operand::Kind kind = Operand::Absent;
  SpecialValue special = SpecialValue::None;
  bool isHigh = false; ///< of operations of 16 bits: the upper half of the register
  uint8_t count = 0;   ///< registers
  uint8_t halves = 3;  ///< of a register, those that are used: 1 the lower, 2 the upper
  uint16_t reg = 0;
  uint64_t bits = 0; ///< of a constant
  /// What abs and neg do to the bits that were read: (bits & keep) ^ flip.
  uint64_t keep = ~uint64_t(0), flip = 0;

  bool isModified() const { return flip || ~keep; }
  explicit operator bool() const { return kind != Operand::Absent; }
};

struct Instruction {
  Handler execute = nullptr;
  Source destination[2];
  Source source[4];
  /// Bits that the family's decoder and handler agree on.
  uint32_t flags = 0;
  int64_t immediate = 0;         ///< an address's offset, a branch's distance
  const void *extra = nullptr;   ///< owned by the program
  uint32_t offset = 0, size = 0; ///< in the code, in bytes
  uint32_t opcode = 0;           ///< index into the program's mnemonics
  bool isMatrix = false;         ///< MFMA, WMMA: counted apart
  /// Its accesses to LDS happen some time later, not in the order of the LDS unit.
  bool isLateInLds = false;
  /// A load or store that its cache policy makes visible to the device or more.
  bool isDeviceScope = false;
  /// What the check of hazards needs; owned by the program.
  const HazardTraits *hazards = nullptr;
  std::string text;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INSTRUCTION_H
