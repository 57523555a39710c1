//===- Dual.cpp - VOPD: two operations at once --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Wrappers.h"

using namespace tilewright::amdgpu;

namespace {
struct Dual {
  Instruction first, second;
  /// A register that the first writes and the second reads, as it was before; or -1.
  int saved = -1;
};

Step executeDual(Wave &wave, const Instruction &instruction) {
  const Dual &dual = *static_cast<const Dual *>(instruction.extra);
  if (dual.saved >= 0) {
    LanePoison buffer;
    uint16_t reg = static_cast<uint16_t>(dual.saved);
    writeTemporary(wave, Temporary0, wave.vector(reg),
                   wave.readPoison(registerOf(reg), buffer));
  }
  Step step = dual.first.execute(wave, dual.first);
  return step == Step::Next ? dual.second.execute(wave, dual.second) : step;
}

/// Splits `v_dual_mov_b32 v5, 0` and names the operation as it is called alone.
bool parseHalf(std::string_view text, Assembly &assembly, std::string &name) {
  constexpr std::string_view prefix = "v_dual_";
  if (!parseAssembly(text, assembly) ||
      assembly.mnemonic.substr(0, prefix.size()) != prefix || assembly.operands.empty())
    return false;
  name = "v_" + std::string(assembly.mnemonic.substr(prefix.size()));
  assembly.mnemonic = name;
  return true;
}
} // namespace

void tilewright::amdgpu::writeTemporary(Wave &wave, uint16_t reg, const uint32_t *values,
                                        const uint8_t *poison) {
  uint64_t active = wave.active;
  wave.active = ~uint64_t(0);
  wave.write(registerOf(reg), values, poison);
  wave.active = active;
}

Source tilewright::amdgpu::registerOf(uint16_t reg) {
  Source source;
  source.kind = Operand::Vector;
  source.reg = reg;
  source.count = 1;
  return source;
}

std::string tilewright::amdgpu::decodeDual(const Target &target, std::string_view first,
                                           std::string_view second,
                                           Instruction &instruction,
                                           OwnedObjects &owned) {
  Assembly assembly[2];
  std::string names[2];
  if (!parseHalf(first, assembly[0], names[0]) ||
      !parseHalf(second, assembly[1], names[1]))
    return "its text cannot be read";
  auto dual = std::make_shared<Dual>();
  // Both read their sources before either writes.
  const Operand &written = assembly[0].operands[0];
  for (size_t i = 1; i < assembly[1].operands.size(); ++i) {
    Operand &read = assembly[1].operands[i];
    if (read.kind == Operand::Vector && read.reg == written.reg) {
      dual->saved = read.reg;
      read.reg = Temporary0;
    }
  }
  Instruction *halves[] = {&dual->first, &dual->second};
  for (unsigned i = 0; i < 2; ++i) {
    halves[i]->offset = instruction.offset;
    halves[i]->size = instruction.size;
    std::string reason = decodePlain(target, assembly[i], *halves[i], owned);
    if (!reason.empty())
      return names[i] + ": " + reason;
  }
  owned.push_back(dual);
  instruction.execute = executeDual;
  instruction.extra = dual.get();
  return "";
}
