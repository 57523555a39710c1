//===- IndexedMoveOps.cpp - Registers whose number is computed ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arrays that compilers keep in registers. RDNA has moves that add M0 to a register's
// number; gfx9 has a mode, from s_set_gpr_idx_on to s_set_gpr_idx_off, in which
// instructions do. Between the two compilers write moves, and nothing else is modelled.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"
#include "emulators/amdgpu/WorkGroup.h"

using namespace tilewright::amdgpu;
using tilewright::emulator::Rule;

namespace {
/// Of Instruction::flags: which operand M0 is added to.
constexpr uint32_t indexesSource = 1, indexesDestination = 8;

Source readM0() {
  Source source;
  source.kind = Operand::Scalar;
  source.reg = M0;
  source.count = 1;
  return source;
}

/// Adds `index` to the register, which must stay one of its file's.
bool addIndex(Wave &wave, Source &source, uint64_t index) {
  const uint64_t limit = source.kind == Operand::Scalar ? 106
                         : source.reg < Agpr0           ? Agpr0
                                                        : Temporary0;
  if (index >= limit || source.reg + index + source.count > limit) {
    wave.stop(Rule::OutOfBounds, "it indexes registers beyond the last one",
              wave.firstLane());
    return false;
  }
  source.reg = static_cast<uint16_t>(source.reg + index);
  return true;
}

/// v_movrels_b32, v_movreld_b32, s_movrels_b64 and so on.
Step moveIndexed(Wave &wave, const Instruction &instruction) {
  uint64_t index = wave.expectScalar(readM0(), "the number of a register");
  Source from = instruction.source[0], to = instruction.destination[0];
  if ((instruction.flags & indexesSource && !addIndex(wave, from, index)) ||
      (instruction.flags & indexesDestination && !addIndex(wave, to, index)))
    return Step::Stop;
  if (to.kind == Operand::Scalar) {
    wave.writeScalar(to, wave.readScalar(from));
    return Step::Next;
  }
  ReadSource<uint32_t> source(wave, from);
  wave.write(to, source.values, source.poison);
  return Step::Next;
}

/// s_set_gpr_idx_on s0, gpr_idx(SRC0): this and what follows, until the mode ends.
Step moveInIndexMode(Wave &wave, const Instruction &instruction) {
  uint64_t index = wave.expectScalar(instruction.source[0], "the number of a register");
  uint32_t m0 = wave.getRegister(M0) & 0xffff0f00;
  wave.setRegister(M0, m0 | (index & 0xff) | instruction.flags << 12);
  for (uint64_t at = wave.pc + instruction.size;;) {
    std::string error;
    const Instruction *next = wave.group.launch.program.at(at, error);
    if (!next)
      return wave.stop(Rule::Unsupported, error, wave.firstLane());
    at += next->size;
    std::string_view text = next->text;
    if (text.substr(0, 17) == "s_set_gpr_idx_off") {
      wave.pc = at;
      return Step::Jump;
    }
    if (text.substr(0, 10) != "v_mov_b32_" || text.find("_dpp") != text.npos ||
        text.find("_sdwa") != text.npos)
      return wave.stop(Rule::Unsupported,
                       "`" + next->text + "` where registers are indexed",
                       wave.firstLane());
    Instruction move = *next;
    bool isVector = move.source[0].kind == Operand::Vector;
    if ((isVector && instruction.flags & indexesSource &&
         !addIndex(wave, move.source[0], index & 0xff)) ||
        (instruction.flags & indexesDestination &&
         !addIndex(wave, move.destination[0], index & 0xff)))
      return Step::Stop;
    move.execute(wave, move);
    ++wave.steps;
    wave.group.count(*next, wave.active);
  }
}

Step endsNothing(Wave &wave, const Instruction &) {
  return wave.stop(Rule::Unsupported, "a mode ends that nothing began", 0);
}

struct Entry {
  std::string_view name;
  uint32_t flags;
  unsigned registers;
  Type type;
};
constexpr Entry entries[] = {
    {"v_movrels_b32", indexesSource, 1, Type::B32},
    {"v_movreld_b32", indexesDestination, 1, Type::B32},
    {"v_movrelsd_b32", indexesSource | indexesDestination, 1, Type::B32},
    {"s_movrels_b32", indexesSource, 1, Type::B32},
    {"s_movrels_b64", indexesSource, 2, Type::B64},
    {"s_movreld_b32", indexesDestination, 1, Type::B32},
    {"s_movreld_b64", indexesDestination, 2, Type::B64},
};

bool decodeMode(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = moveInIndexMode;
  if (!decoder.expect(2) || !decoder.source(0, Type::B32, instruction.source[0]))
    return false;
  std::string_view which = decoder.operand(1).text;
  if (which == "gpr_idx(SRC0)")
    instruction.flags = indexesSource;
  else if (which == "gpr_idx(DST)")
    instruction.flags = indexesDestination;
  else if (which == "gpr_idx(SRC0,DST)")
    instruction.flags = indexesSource | indexesDestination;
  else
    return decoder.fail("operands that are not modelled as indexed");
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeIndexedMove(Decoder &decoder) {
  Instruction &instruction = decoder.instruction;
  for (const Entry &entry : entries) {
    if (entry.name != decoder.mnemonic())
      continue;
    instruction.execute = moveIndexed;
    instruction.flags = entry.flags;
    bool good = decoder.expect(2) &&
                decoder.destination(0, instruction.destination[0], entry.registers) &&
                decoder.source(1, entry.type, instruction.source[0]);
    if (good && entry.flags & indexesSource && !decoder.operand(1).isRegister())
      good = decoder.fail("an index of what is no register");
    return decodedIf(good);
  }
  if (decoder.mnemonic() == "s_set_gpr_idx_on")
    return decodedIf(decodeMode(decoder));
  if (decoder.mnemonic() == "s_set_gpr_idx_off") {
    instruction.execute = endsNothing;
    return Decoded::Yes;
  }
  return Decoded::NotMine;
}
