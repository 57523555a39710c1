//===- Program.h - A code object loaded for execution -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_PROGRAM_H
#define TILEWRIGHT_EMULATORS_AMDGPU_PROGRAM_H

#include "emulators/amdgpu/CodeObject.h"
#include "emulators/amdgpu/Instruction.h"
#include "emulators/amdgpu/SourceLines.h"
#include "emulators/common/Memory.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <unordered_map>

namespace tilewright::amdgpu {

/// Disassembles with LLVM, one instruction at a time. Not for several threads at once.
class Disassembler {
public:
  explicit Disassembler(const Target &target);
  ~Disassembler();
  Disassembler(const Disassembler &) = delete;

  /// The text of the instruction at the start of `bytes`, and its size; 0 where it is
  /// none.
  size_t disassemble(const uint8_t *bytes, size_t size, std::string &text);

private:
  void *context;
};

/// A code object in the memory of a device. Each instruction is decoded when it is first
/// reached; any thread may ask for it.
class Program {
public:
  /// Loads `object` into `memory`; null with `error` filled where it does not fit.
  static std::unique_ptr<Program> load(std::unique_ptr<CodeObject> object,
                                       emulator::GlobalMemory &memory,
                                       std::string &error);
  ~Program();

  const CodeObject &getObject() const { return *object; }
  const Target &getTarget() const { return *object->target; }
  /// The device address of address 0 of the object.
  uint64_t getBase() const { return allocation->base; }

  /// The instruction at `offset` from the object's address 0. Null where there is no code
  /// or nothing that is modelled, with `error` filled.
  const Instruction *at(uint64_t offset, std::string &error) {
    if (offset % 4 == 0 && offset / 4 < decoded.size())
      if (const Instruction *found = decoded[offset / 4].load(std::memory_order_acquire))
        return found;
    return decode(offset, error);
  }
  /// How many dwords the code may have, for counts by instruction.
  size_t getDwords() const { return decoded.size(); }
  /// Where the instruction at `offset` was compiled from.
  SourceLine getSource(uint64_t offset) { return lines.find(offset); }
  /// Mnemonics of what was decoded so far, by Instruction::opcode.
  std::vector<std::string> getMnemonics();

private:
  Program(std::unique_ptr<CodeObject> object, emulator::GlobalMemory &memory,
          emulator::Allocation *allocation);
  const Instruction *decode(uint64_t offset, std::string &error);

  std::unique_ptr<CodeObject> object;
  emulator::GlobalMemory &memory;
  emulator::Allocation *allocation;
  std::vector<std::atomic<const Instruction *>> decoded; // by dword

  SourceLines lines;

  std::mutex lock; // of what follows
  Disassembler disassembler;
  std::deque<Instruction> instructions;
  std::unordered_map<std::string, uint32_t> opcodes;
  std::vector<std::shared_ptr<const void>> owned;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_PROGRAM_H
