//===- Program.h - PTX decoded for execution ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything that an instruction needs at run time is found once, when the module is
// decoded: the function that executes it and the numbers of its registers. A register is
// 32 values of 64 bits, one for each lane of a warp. Immediates and special registers are
// registers too, of a pool after the function's own, which are filled when a frame is
// made; so a handler has one way to read an operand.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_PROGRAM_H
#define TILEWRIGHT_EMULATORS_PTX_PROGRAM_H

#include "emulators/common/Memory.h"
#include "emulators/ptx/Module.h"

#include <deque>

namespace tilewright::ptx {

class Warp;
struct Instruction;
struct DecodedFunction;

/// What a handler says of the instruction it was called for.
enum class Step : uint8_t {
  Next,  ///< done; go on with the next instruction
  Jump,  ///< done; the handler has set where the lanes go
  Wait,  ///< not done: call it again when something has changed
  Yield, ///< done, and nothing will change until others have run (a failed try_wait)
  Stop,  ///< a fault that nothing can go on after was reported
};

using Handler = Step (*)(Warp &, const Instruction &);

/// No register: of a sink, or an operand that is absent.
constexpr uint32_t noRegister = ~0u;

struct Instruction {
  Handler execute = nullptr;
  uint32_t guard = noRegister; ///< predicate number
  bool guardNegated = false;
  Type type = Type::None;   ///< of the result, or of the one type that there is
  Type source = Type::None; ///< of the source where there are two types
  Space space = Space::Generic;
  /// Registers by position as the family's decoder lays down; predicates where the
  /// operand is one.
  uint32_t operand[6] = {noRegister, noRegister, noRegister,
                         noRegister, noRegister, noRegister};
  /// Registers of operands that are vectors, in order.
  const uint32_t *list = nullptr;
  uint16_t listSize = 0;
  /// Bits that the family's decoder and handler agree on.
  uint32_t flags = 0;
  int64_t immediate = 0;       ///< an address's offset, a group count, a branch target
  const void *extra = nullptr; ///< owned by the program
  const Statement *statement = nullptr;
  uint32_t opcode = 0; ///< index into Program::opcodes, for statistics
};

/// A special register; the same for the warp's life, or read anew by each `mov`.
enum class SpecialRegister : uint8_t {
  TidX,
  TidY,
  TidZ,
  NtidX,
  NtidY,
  NtidZ,
  CtaidX,
  CtaidY,
  CtaidZ,
  NctaidX,
  NctaidY,
  NctaidZ,
  LaneId,
  WarpId,
  NwarpId,
  SmId,
  NsmId,
  GridId,
  ClusteridX,
  ClusteridY,
  ClusteridZ,
  NclusteridX,
  NclusteridY,
  NclusteridZ,
  ClusterCtaidX,
  ClusterCtaidY,
  ClusterCtaidZ,
  ClusterNctaidX,
  ClusterNctaidY,
  ClusterNctaidZ,
  ClusterCtaRank,
  ClusterNctaRank,
  IsExplicitCluster,
  LaneMaskEq,
  LaneMaskLe,
  LaneMaskLt,
  LaneMaskGe,
  LaneMaskGt,
  DynamicSmemSize,
  TotalSmemSize,
  AggrSmemSize,
  ReservedSmemBegin,
  ReservedSmemEnd,
  ReservedSmemCapacity,
  ReservedSmemOffset0,
  ReservedSmemOffset1,
  // Read anew.
  Clock,
  ClockHi,
  Clock64,
  GlobalTimer,
  GlobalTimerLo,
  GlobalTimerHi,
  ActiveMask,
  Environment0, // %envreg0 to 31 follow
  Count = Environment0 + 32
};

/// A register of the pool: an immediate, or a special register.
struct PoolEntry {
  bool isSpecial = false;
  SpecialRegister special = SpecialRegister::TidX;
  uint64_t bits = 0;
};

/// Where a variable of a function lies in its space: shared and local offsets; for .param
/// (call arguments) in the frame's parameter bytes.
struct Placement {
  const Variable *variable;
  Space space;
  uint64_t offset; ///< global and const variables: the device address
};

struct DecodedFunction {
  const Function *syntax = nullptr;
  std::vector<Instruction> code;
  uint32_t registers = 0; ///< the function's own, then the pool
  uint32_t predicates = 0;
  std::vector<PoolEntry> pool; ///< entry i is register syntax registers + i
  std::vector<Placement> placements;
  uint64_t localBytes = 0; ///< of one thread's frame
  uint64_t paramBytes = 0; ///< own parameters and results, then call arguments
  std::vector<uint64_t> paramOffsets, resultOffsets;
  /// Of an entry: static shared memory, and where dynamic memory starts after it.
  uint64_t sharedBytes = 0, dynamicSharedAlign = 16;
  /// Predicates of constant operands, false and true; noRegister where none is used.
  uint32_t constantPredicates[2] = {noRegister, noRegister};
  /// The number in the function of each of its syntax's registers, which are predicates
  /// or values counted apart.
  std::vector<uint32_t> registerNumber;
};

/// A decoded module, ready to run on a device of its architecture.
struct Program {
  std::unique_ptr<Module> module;
  unsigned architecture = 0;             ///< 80, 86, 89, 90
  bool architectureSpecific = false;     ///< the `a` of sm_90a
  std::deque<DecodedFunction> functions; ///< by the module's order
  std::vector<std::string> opcodes;      ///< full mnemonics, for statistics
  bool copiesGlobal = false;             ///< it has bulk copies, which use global memory
  bool usesReservedShared = false;       ///< it asks where the system's shared memory is
  /// Module variables in global memory, by name.
  std::unordered_map<std::string, emulator::Allocation *> globals;
  /// Whatever decoders keep alive.
  std::vector<std::shared_ptr<const void>> owned;

  const DecodedFunction *find(std::string_view name) const;
};

/// Decodes `module` for the device whose memory is `memory`, where its variables are
/// placed; null with `error` filled where an instruction is not modelled.
std::unique_ptr<Program> decode(std::unique_ptr<Module> module,
                                emulator::GlobalMemory &memory, SyntaxError &error);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_PROGRAM_H
