//===- Fault.h - What an emulated program did wrong ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_FAULT_H
#define TILEWRIGHT_EMULATORS_COMMON_FAULT_H

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

namespace tilewright::emulator {

/// The rules that a program can break. docs/emulator.md explains each.
enum class Rule : uint8_t {
  Unsupported,       ///< an instruction, modifier or descriptor that nothing executes
  OutOfBounds,       ///< an access outside every allocation
  UseAfterFree,      ///< an access to an allocation that was freed
  Misaligned,        ///< an address that is no multiple of what the access needs
  Uninitialised,     ///< undefined data reached an address, a branch or the host
  ReadOnly,          ///< a write to parameters or constants
  Race,              ///< two accesses to a word that nothing orders, one of them a write
  InFlight,          ///< an access to memory that an asynchronous operation still uses
  ProxyFence,        ///< memory crossed from one proxy to another without a fence
  BarrierDivergence, ///< threads of a warp or block disagree about a barrier
  BarrierCount,      ///< a barrier's arrivals or bytes do not fit its count
  Deadlock,          ///< nothing can go on
  Descriptor,        ///< a tensor map or matrix descriptor that no hardware takes
  Convergence,       ///< a warp-wide instruction without all the lanes it names
  Trap,              ///< the program stopped itself: trap, a failed assertion
  Limit,             ///< a limit of the device or of the emulator: stack, steps, memory
  Hazard,            ///< dependent instructions that hardware does not keep apart
};

/// The name of a rule in reports: "out-of-bounds".
const char *getName(Rule rule);
/// What the rule says, in a sentence.
const char *getExplanation(Rule rule);

struct Dim3 {
  uint32_t x = 1, y = 1, z = 1;
  uint64_t count() const { return uint64_t(x) * y * z; }
};

/// A place in an emulated program and who was there.
struct Site {
  std::string kernel;
  Dim3 block{0, 0, 0}, thread{0, 0, 0};
  /// The line in the emulated text, or where `isAddress` the offset in the emulated code,
  /// the instruction's text, and where the source stands that it was compiled from (""
  /// and 0 where nothing tells).
  uint32_t line = 0;
  bool isAddress = false;
  std::string instruction;
  std::string file;
  uint32_t sourceLine = 0;
};

struct Fault {
  Rule rule;
  /// What happened here: names the operand, address and allocation.
  std::string message;
  Site site;
  /// How many more times the same rule was broken at the same instruction.
  uint64_t repeated = 0;
};

/// Collects the faults of a launch. A rule broken again at the same instruction is
/// counted, not listed. Any thread may call it.
class FaultLog {
public:
  void add(Fault fault);
  /// The faults so far, in the order of their places in the program.
  std::vector<Fault> take();
  bool isEmpty() const;

private:
  mutable std::mutex lock;
  std::map<std::tuple<std::string, uint32_t, Rule>, Fault> faults;
};

/// The report of one fault, several lines of text without a trailing newline.
std::string format(const Fault &fault);

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_FAULT_H
