//===- ControlOps.cpp - Branches, barriers, waits -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/GlobalRaces.h"
#include "emulators/amdgpu/WorkGroup.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

Step jump(Wave &wave, const Instruction &instruction) {
  wave.pc += instruction.size + static_cast<uint64_t>(instruction.immediate) * 4;
  return Step::Jump;
}

enum Condition : uint32_t { Scc0, Scc1, VccZero, VccNonzero, ExecZero, ExecNonzero };

/// VCC, whose bits of lanes that are not active count as well. An undefined bit matters
/// only where no other decides.
bool isVccNonzero(Wave &wave, const Instruction &instruction) {
  ScalarValue vcc = wave.readMask(instruction.source[0]);
  if (vcc.poison && !(vcc.bits & ~vcc.poison))
    wave.report(Rule::Uninitialised, "a branch's condition, VCC, is undefined", 0);
  return vcc.bits;
}

Step branchIf(Wave &wave, const Instruction &instruction) {
  bool taken = false;
  switch (static_cast<Condition>(instruction.flags)) {
  case Scc0:
  case Scc1:
    if (wave.sccPoison) {
      wave.report(Rule::Uninitialised, "a branch's condition, SCC, is undefined", 0);
      wave.sccPoison = false;
    }
    taken = wave.scc == (instruction.flags == Scc1);
    break;
  case VccZero:
    taken = !isVccNonzero(wave, instruction);
    break;
  case VccNonzero:
    taken = isVccNonzero(wave, instruction);
    break;
  case ExecZero:
    taken = wave.getExec() == 0;
    break;
  case ExecNonzero:
    taken = wave.getExec() != 0;
    break;
  }
  return taken ? jump(wave, instruction) : Step::Next;
}

/// Where a register pair says; `back` gets where the wave would have gone on.
Step jumpTo(Wave &wave, const Instruction &instruction) {
  uint64_t base = wave.group.launch.program.getBase();
  uint64_t target = wave.expectScalar(instruction.source[0], "the address of a jump");
  if (instruction.destination[0])
    wave.writeScalar(instruction.destination[0], {base + wave.pc + instruction.size, 0});
  if (target - base >= wave.group.launch.program.getDwords() * 4)
    return wave.stop(Rule::OutOfBounds, "it jumps out of the code object", 0);
  wave.pc = target - base;
  return Step::Jump;
}

/// s_call_b64 s[0:1], 100
Step call(Wave &wave, const Instruction &instruction) {
  uint64_t base = wave.group.launch.program.getBase();
  wave.writeScalar(instruction.destination[0], {base + wave.pc + instruction.size, 0});
  return jump(wave, instruction);
}

Step getPc(Wave &wave, const Instruction &instruction) {
  uint64_t base = wave.group.launch.program.getBase();
  wave.writeScalar(instruction.destination[0], {base + wave.pc + instruction.size, 0});
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Waits and barriers
//===----------------------------------------------------------------------===//

constexpr uint32_t bit(Counter counter) { return 1u << unsigned(counter); }
/// What gfx9 to gfx11 count together.
constexpr uint32_t vmCounters =
    bit(Counter::Load) | bit(Counter::Sample) | bit(Counter::Bvh);
constexpr uint32_t lgkmCounters = bit(Counter::Lds) | bit(Counter::Scalar);

/// Counters and the number to wait for, of one s_waitcnt.
struct Waits {
  struct One {
    uint32_t counters;
    unsigned most;
  };
  std::vector<One> all;
};

Step waitFor(Wave &wave, const Instruction &instruction) {
  std::vector<Ended> &counted = wave.group.statistics.ended;
  for (const Waits::One &one : static_cast<const Waits *>(instruction.extra)->all) {
    Ended ended = wave.waits.wait(one.counters, one.most);
    if (!counted.empty())
      counted[instruction.offset / 4].add(ended);
  }
  wave.group.seeLate(wave);
  return Step::Next;
}

Step barrier(Wave &wave, const Instruction &) {
  return wave.group.arrive(wave) ? Step::Next : Step::Wait;
}

/// gfx12's barrier in two halves. `flags`: SCC gets whether the wave was the first.
Step signalBarrier(Wave &wave, const Instruction &instruction) {
  if (wave.group.hasSignalled(wave))
    return wave.stop(Rule::Deadlock,
                     "it signals the barrier again without having waited for it", 0);
  bool isFirst = wave.group.signal(wave);
  if (instruction.flags)
    wave.setScc(isFirst);
  return Step::Next;
}
Step awaitBarrier(Wave &wave, const Instruction &) {
  if (!wave.group.hasSignalled(wave))
    return wave.stop(Rule::Deadlock,
                     "it waits for the barrier without having signalled it", 0);
  return wave.group.await(wave) ? Step::Next : Step::Wait;
}

//===----------------------------------------------------------------------===//
// The rest
//===----------------------------------------------------------------------===//

Step nothing(Wave &, const Instruction &) { return Step::Next; }
Step sleep(Wave &, const Instruction &) { return Step::Yield; }

Step endProgram(Wave &wave, const Instruction &) {
  wave.group.noteProgress();
  return Step::End;
}

Step trap(Wave &wave, const Instruction &instruction) {
  return wave.stop(Rule::Trap,
                   "the program stopped itself with s_trap " +
                       std::to_string(instruction.immediate),
                   wave.firstLane());
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// s_waitcnt vmcnt(0) lgkmcnt(1)
bool decodeWaitcnt(Decoder &decoder) {
  const bool hasStoreCounter = decoder.target.generation > 9;
  const struct {
    const char *name;
    uint32_t counters;
  } known[] = {
      {"vmcnt", vmCounters | (hasStoreCounter ? 0 : bit(Counter::Store))},
      {"lgkmcnt", lgkmCounters},
      {"expcnt", bit(Counter::Export)},
  };
  Waits waits;
  for (const auto &one : known) {
    int64_t most;
    if (decoder.integer(one.name, most))
      waits.all.push_back({one.counters, static_cast<unsigned>(most)});
  }
  if (decoder.count()) { // written as a number where it is none of these
    if (decoder.operand(0).kind != Operand::Integer || decoder.operand(0).bits)
      return decoder.fail("a wait that is not written as counters");
    waits.all = {{~0u, 0}};
  }
  decoder.instruction.execute = waitFor;
  decoder.instruction.extra = decoder.keep(std::move(waits));
  return true;
}

struct WaitEntry {
  std::string_view name;
  uint32_t first, second; ///< counters; the second of combined waits, in the high byte
};
constexpr WaitEntry waitEntries[] = {
    {"s_wait_loadcnt", bit(Counter::Load), 0},
    {"s_wait_storecnt", bit(Counter::Store), 0},
    {"s_wait_dscnt", bit(Counter::Lds), 0},
    {"s_wait_kmcnt", bit(Counter::Scalar), 0},
    {"s_wait_samplecnt", bit(Counter::Sample), 0},
    {"s_wait_bvhcnt", bit(Counter::Bvh), 0},
    {"s_wait_expcnt", bit(Counter::Export), 0},
    {"s_wait_loadcnt_dscnt", bit(Counter::Lds), bit(Counter::Load)},
    {"s_wait_storecnt_dscnt", bit(Counter::Lds), bit(Counter::Store)},
};

/// s_wait_loadcnt 0x0, s_wait_loadcnt_dscnt 0x103; on gfx11 s_waitcnt_vscnt null, 0x0.
Decoded decodeWait(Decoder &decoder) {
  auto number = [&](size_t index, int64_t &value) {
    if (decoder.count() <= index || decoder.operand(index).kind != Operand::Integer)
      return decoder.fail("a wait without a number");
    value = decoder.operand(index).bits;
    return true;
  };
  int64_t value = 0;
  Waits waits;
  if (decoder.mnemonic() == "s_waitcnt_vscnt") {
    if (!decoder.expect(2) || decoder.operand(0).reg != Null || !number(1, value))
      return Decoded::Failed;
    waits.all = {{bit(Counter::Store), static_cast<unsigned>(value)}};
  } else {
    const WaitEntry *found = nullptr;
    for (const WaitEntry &entry : waitEntries)
      if (entry.name == decoder.mnemonic())
        found = &entry;
    if (!found)
      return Decoded::NotMine;
    if (!decoder.expect(1) || !number(0, value))
      return Decoded::Failed;
    waits.all = {{found->first, static_cast<unsigned>(value & 0x3f)}};
    if (found->second)
      waits.all.push_back({found->second, static_cast<unsigned>(value >> 8 & 0x3f)});
  }
  decoder.instruction.execute = waitFor;
  decoder.instruction.extra = decoder.keep(std::move(waits));
  return Decoded::Yes;
}

struct BranchEntry {
  std::string_view name;
  Condition condition;
};
constexpr BranchEntry branches[] = {
    {"s_cbranch_scc0", Scc0},      {"s_cbranch_scc1", Scc1},
    {"s_cbranch_vccz", VccZero},   {"s_cbranch_vccnz", VccNonzero},
    {"s_cbranch_execz", ExecZero}, {"s_cbranch_execnz", ExecNonzero},
};

bool decodeBranch(Decoder &decoder, Handler handler, Condition condition) {
  if (!decoder.expect(1) || decoder.operand(0).kind != Operand::Integer)
    return decoder.fail("a branch without a distance");
  Instruction &instruction = decoder.instruction;
  instruction.execute = handler;
  instruction.flags = condition;
  instruction.immediate = static_cast<int16_t>(decoder.operand(0).bits);
  Source &vcc = instruction.source[0];
  vcc.kind = Operand::Scalar;
  vcc.reg = Vcc;
  vcc.count = static_cast<uint8_t>(decoder.target.waveSize / 32);
  return true;
}

/// s_barrier_signal -1, s_barrier_wait 0xffff: the work-group's barrier, which has no
/// number; named ones are not modelled.
bool decodeSplitBarrier(Decoder &decoder, Handler handler, bool tellsFirst) {
  decoder.instruction.execute = handler;
  decoder.instruction.flags = tellsFirst;
  if (!decoder.expect(1) || decoder.operand(0).kind != Operand::Integer ||
      static_cast<int16_t>(decoder.operand(0).bits) != -1)
    return decoder.fail("a barrier that is not the work-group's");
  return true;
}

bool decodeCall(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = call;
  if (!decoder.expect(2) || decoder.operand(1).kind != Operand::Integer)
    return decoder.fail("a call without a distance");
  instruction.immediate = static_cast<int16_t>(decoder.operand(1).bits);
  return decoder.destination(0, instruction.destination[0], 2);
}

/// What has no effect but on time, caches or what is not emulated.
constexpr std::string_view ignored[] = {
    "s_nop",
    "s_setprio",
    "s_clause",
    "s_delay_alu",
    "s_wait_alu",
    "s_waitcnt_depctr",
    "s_wait_idle",
    "s_set_inst_prefetch_distance",
    "s_inst_prefetch",
    "s_icache_inv",
    "s_dcache_wb",
    "s_dcache_inv",
    "s_ttracedata",
    "s_code_end",
    "s_sendmsg",
    "s_wakeup",
    "buffer_wbl2",
    "buffer_invl2",
    "buffer_gl1_inv",
    "global_wb",
    "global_wbinv",
    "s_prefetch_data",
    "s_prefetch_data_pc_rel",
    "s_buffer_prefetch_data",
    "s_version",
    "s_prefetch_inst",
    "s_prefetch_inst_pc_rel",
};

/// What makes other work-groups' stores visible to the wave's loads.
constexpr std::string_view invalidations[] = {
    "buffer_inv", "buffer_wbinvl1", "buffer_wbinvl1_vol", "buffer_gl0_inv", "global_inv",
};

Step invalidate(Wave &wave, const Instruction &) {
  if (auto *races = wave.group.launch.globalRaces.get())
    races->acquire(wave);
  return Step::Next;
}
} // namespace

Decoded tilewright::amdgpu::decodeControl(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  Instruction &instruction = decoder.instruction;
  for (std::string_view one : ignored)
    if (name == one) {
      decoder.ignoreAll();
      instruction.execute = nothing;
      return Decoded::Yes;
    }
  for (std::string_view one : invalidations)
    if (name == one) {
      decoder.ignoreAll();
      instruction.execute = invalidate;
      return Decoded::Yes;
    }
  for (const BranchEntry &branch : branches)
    if (name == branch.name)
      return decodedIf(decodeBranch(decoder, branchIf, branch.condition));
  if (name == "s_branch")
    return decodedIf(decodeBranch(decoder, jump, Scc0));
  if (name == "s_waitcnt")
    return decodedIf(decodeWaitcnt(decoder));
  if (name == "s_endpgm") {
    decoder.ignoreAll();
    instruction.execute = endProgram;
    return Decoded::Yes;
  }
  if (name == "s_barrier") {
    instruction.execute = barrier;
    return Decoded::Yes;
  }
  if (name == "s_barrier_signal" || name == "s_barrier_signal_isfirst")
    return decodedIf(
        decodeSplitBarrier(decoder, signalBarrier, name != "s_barrier_signal"));
  if (name == "s_barrier_wait")
    return decodedIf(decodeSplitBarrier(decoder, awaitBarrier, false));
  if (name == "s_call_b64")
    return decodedIf(decodeCall(decoder));
  if (name == "s_sleep" || name == "s_sleep_var") {
    instruction.execute = sleep;
    return Decoded::Yes;
  }
  if (name == "s_trap") {
    instruction.execute = trap;
    instruction.immediate = decoder.count() ? decoder.operand(0).bits : 0;
    return Decoded::Yes;
  }
  if (name == "s_getpc_b64") {
    instruction.execute = getPc;
    return decodedIf(decoder.expect(1) &&
                     decoder.destination(0, instruction.destination[0], 2));
  }
  if (name == "s_setpc_b64") {
    instruction.execute = jumpTo;
    return decodedIf(decoder.expect(1) &&
                     decoder.source(0, Type::B64, instruction.source[0]));
  }
  if (name == "s_swappc_b64") {
    instruction.execute = jumpTo;
    return decodedIf(decoder.expect(2) &&
                     decoder.destination(0, instruction.destination[0], 2) &&
                     decoder.source(1, Type::B64, instruction.source[0]));
  }
  return decodeWait(decoder);
}
