//===- ListOpcodes.cpp - Which machine code the emulator takes ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads lines of a GPU's name and dwords in hexadecimal, and writes of each the
// instruction's text, if the emulator takes it, or an empty line. test/emulator/amdgpu
// finds the opcodes with it that docs/emulator-amdgpu-coverage.md lists.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/Program.h"

#include <iostream>
#include <map>
#include <sstream>

using namespace tilewright::amdgpu;

/// The text of what `code` begins with; "" where it is none or not taken.
static std::string decode(Disassembler &disassembler, const Target &target,
                          const std::vector<uint32_t> &code) {
  std::string text;
  OwnedObjects owned;
  Instruction instruction;
  if (!disassembler.disassemble(reinterpret_cast<const uint8_t *>(code.data()),
                                4 * code.size(), text) ||
      !decodeInstruction(target, text, instruction, owned).empty())
    return "";
  return text;
}

int main() {
  std::map<std::string, std::unique_ptr<Disassembler>> disassemblers;
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string gpu;
    words >> gpu >> std::hex;
    const Target *target = findTarget(gpu);
    if (!target)
      return 1;
    auto &disassembler = disassemblers[gpu];
    if (!disassembler)
      disassembler = std::make_unique<Disassembler>(*target);
    std::vector<uint32_t> code;
    for (uint32_t word; words >> word;)
      code.push_back(word);
    std::cout << decode(*disassembler, *target, code) << '\n';
  }
  return 0;
}
