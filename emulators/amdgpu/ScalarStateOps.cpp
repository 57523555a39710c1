//===- ScalarStateOps.cpp - Hardware registers, clocks, messages --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clocks count the wave's instructions, so that runs are repeatable.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/ScalarAlu.h"
#include "emulators/amdgpu/WorkGroup.h"

using namespace tilewright::amdgpu;

namespace {
enum class HardwareRegister : uint8_t { Mode, Cycles, Zero, WaveId, MemoryBases };
struct RegisterEntry {
  std::string_view name;
  HardwareRegister reg;
};
constexpr RegisterEntry hardwareRegisters[] = {
    {"HW_REG_MODE", HardwareRegister::Mode},
    {"HW_REG_WAVE_MODE", HardwareRegister::Mode},
    {"HW_REG_SHADER_CYCLES", HardwareRegister::Cycles},
    {"HW_REG_SHADER_CYCLES_LO", HardwareRegister::Cycles},
    {"HW_REG_SHADER_CYCLES_HI", HardwareRegister::Zero},
    // Everything is on the first compute unit of the first die.
    {"HW_REG_XCC_ID", HardwareRegister::Zero},
    {"HW_REG_HW_ID", HardwareRegister::WaveId},
    {"HW_REG_HW_ID1", HardwareRegister::WaveId},
    {"HW_REG_WAVE_HW_ID1", HardwareRegister::WaveId},
    {"HW_REG_HW_ID2", HardwareRegister::Zero},
    {"HW_REG_WAVE_HW_ID2", HardwareRegister::Zero},
    {"HW_REG_SH_MEM_BASES", HardwareRegister::MemoryBases},
};

/// Some bits of a hardware register; in Instruction::flags.
struct Field {
  HardwareRegister reg;
  unsigned offset, width;
  uint32_t pack() const { return uint32_t(reg) | offset << 8 | width << 16; }
  static Field unpack(uint32_t flags) {
    return {HardwareRegister(flags & 0xff), flags >> 8 & 0xff, flags >> 16 & 0xff};
  }
};

Step getRegister(Wave &wave, const Instruction &instruction) {
  Field field = Field::unpack(instruction.flags);
  uint64_t value = 0;
  switch (field.reg) {
  case HardwareRegister::Mode:
    value = wave.mode;
    break;
  case HardwareRegister::Cycles:
    value = static_cast<uint32_t>(wave.steps);
    break;
  case HardwareRegister::WaveId:
    value = wave.index & 0xf;
    break;
  case HardwareRegister::MemoryBases:
    value = privateAperture >> 48 | (sharedAperture >> 48) << 16;
    break;
  case HardwareRegister::Zero:
    break;
  }
  return writeOnly(wave, instruction,
                   {extractBits(value, field.offset, field.width, 32, false), 0});
}

void setMode(Wave &wave, Field field, uint64_t value) {
  uint32_t mask = static_cast<uint32_t>(maskOf(field.width) << field.offset);
  wave.mode = (wave.mode & ~mask) | (static_cast<uint32_t>(value << field.offset) & mask);
}
Step setRegister(Wave &wave, const Instruction &instruction) {
  setMode(wave, Field::unpack(instruction.flags),
          wave.expectScalar(instruction.source[0], "the value of MODE"));
  return Step::Next;
}

/// hwreg(HW_REG_MODE), hwreg(HW_REG_MODE, 4, 2)
bool parseField(Decoder &decoder, std::string_view text, Field &field) {
  constexpr std::string_view prefix = "hwreg(";
  if (text.substr(0, prefix.size()) != prefix || text.back() != ')')
    return decoder.fail("it names no hardware register");
  text = text.substr(prefix.size(), text.size() - prefix.size() - 1);
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    while (!part.empty() && part.front() == ' ')
      part.remove_prefix(1);
    parts.push_back(part);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
  }
  int64_t offset = 0, width = 32;
  if (parts.empty() || (parts.size() != 1 && parts.size() != 3) ||
      (parts.size() == 3 &&
       (!parseInteger(parts[1], offset) || !parseInteger(parts[2], width))) ||
      offset < 0 || width < 1 || offset + width > 32)
    return decoder.fail("a field of a hardware register that is none");
  for (const RegisterEntry &entry : hardwareRegisters)
    if (entry.name == parts[0]) {
      field = {entry.reg, static_cast<unsigned>(offset), static_cast<unsigned>(width)};
      return true;
    }
  return decoder.fail("the hardware register " + std::string(parts[0]) +
                      " is not modelled");
}

bool decodeGet(Decoder &decoder) {
  Field field;
  decoder.instruction.execute = getRegister;
  if (!decoder.expect(2) || !decoder.destination(0, decoder.instruction.destination[0]) ||
      !parseField(decoder, decoder.operand(1).text, field))
    return false;
  decoder.instruction.flags = field.pack();
  return true;
}

bool decodeSet(Decoder &decoder) {
  // s_setreg_imm32_b32 hwreg(HW_REG_MODE, 2, 2), 3 is written so on all targets.
  Field field;
  decoder.instruction.execute = setRegister;
  if (!decoder.expect(2) || !parseField(decoder, decoder.operand(0).text, field))
    return false;
  if (field.reg != HardwareRegister::Mode)
    return decoder.fail("a hardware register that is read only here");
  decoder.instruction.flags = field.pack();
  return decoder.source(1, Type::B32, decoder.instruction.source[0]);
}

/// s_round_mode 0x3, s_denorm_mode 3
bool decodeSetMode(Decoder &decoder, unsigned offset) {
  decoder.instruction.execute = setRegister;
  decoder.instruction.flags = Field{HardwareRegister::Mode, offset, 4}.pack();
  return decoder.expect(1) && decoder.source(0, Type::B32, decoder.instruction.source[0]);
}

/// Answers come as a scalar load's do.
Step getTime(Wave &wave, const Instruction &instruction) {
  const Source &to = instruction.destination[0];
  writeOnly(wave, instruction, {wave.steps, 0});
  wave.waits.issue(
      {Counter::Scalar, false, to.reg, to.count, static_cast<uint32_t>(wave.pc), 0});
  return Step::Next;
}

bool decodeTime(Decoder &decoder) {
  decoder.instruction.execute = getTime;
  return decoder.expect(1) &&
         decoder.destination(0, decoder.instruction.destination[0], 2);
}

bool decodeMessage(Decoder &decoder, unsigned registers) {
  decoder.instruction.execute = getTime;
  if (!decoder.expect(2) || decoder.operand(1).text != "sendmsg(MSG_RTN_GET_REALTIME)")
    return decoder.fail("a message that is not modelled");
  return decoder.destination(0, decoder.instruction.destination[0], registers);
}
} // namespace

Decoded tilewright::amdgpu::decodeScalarState(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (name == "s_getreg_b32")
    return decodedIf(decodeGet(decoder));
  if (name == "s_setreg_b32" || name == "s_setreg_imm32_b32")
    return decodedIf(decodeSet(decoder));
  if (name == "s_round_mode")
    return decodedIf(decodeSetMode(decoder, 0));
  if (name == "s_denorm_mode")
    return decodedIf(decodeSetMode(decoder, 4));
  if (name == "s_memtime" || name == "s_memrealtime")
    return decodedIf(decodeTime(decoder));
  if (name == "s_sendmsg_rtn_b32")
    return decodedIf(decodeMessage(decoder, 1));
  if (name == "s_sendmsg_rtn_b64")
    return decodedIf(decodeMessage(decoder, 2));
  return Decoded::NotMine;
}
