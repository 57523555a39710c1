//===- ScalarMemoryOps.cpp - Scalar loads -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/MemoryAccess.h"
#include "emulators/amdgpu/WorkGroup.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
/// s_load_dwordx4 s[0:3], s[4:5], 0x10: `source[0]` is the base, `source[1]` a register
/// to add to the immediate.
Step load(Wave &wave, const Instruction &instruction) {
  const Source &to = instruction.destination[0];
  uint64_t base = wave.expectScalar(instruction.source[0], "the base of a scalar load");
  uint64_t offset = static_cast<uint64_t>(instruction.immediate);
  if (instruction.source[1])
    offset += static_cast<uint32_t>(
        wave.expectScalar(instruction.source[1], "the offset of a scalar load"));
  // The two lowest bits are ignored.
  uint64_t address = (base & ~uint64_t(3)) + (offset & ~uint64_t(3));
  uint32_t bytes = to.count * 4;
  Place place = findGlobal(wave, address, bytes, 4, 0, Access::Read);
  for (unsigned i = 0; i < to.count; ++i) {
    uint32_t bits = 0, poison = ~0u;
    if (place) {
      memcpy(&bits, place.data + 4 * i, 4);
      poison = 0;
      for (unsigned byte = 0; byte < 4; ++byte)
        if (place.shadow[4 * i + byte])
          poison |= 0xffu << (8 * byte);
    }
    Source one = to;
    one.reg = static_cast<uint16_t>(to.reg + i);
    one.count = 1;
    wave.writeScalar(one, {bits, poison});
  }
  wave.waits.issue(
      {Counter::Scalar, false, to.reg, to.count, static_cast<uint32_t>(wave.pc), 0});
  return Step::Next;
}

struct Entry {
  std::string_view name;
  unsigned registers;
};
constexpr Entry entries[] = {
    {"s_load_dword", 1},   {"s_load_dwordx2", 2},   {"s_load_dwordx4", 4},
    {"s_load_dwordx8", 8}, {"s_load_dwordx16", 16}, {"s_load_b32", 1},
    {"s_load_b64", 2},     {"s_load_b96", 3},       {"s_load_b128", 4},
    {"s_load_b256", 8},    {"s_load_b512", 16},
};

bool decodeLoad(Decoder &decoder, unsigned registers) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = load;
  decoder.ignore({"glc", "dlc", "scope", "th", "nv"});
  if (!decoder.expect(3) ||
      !decoder.destination(0, instruction.destination[0], registers) ||
      !decoder.source(1, Type::B64, instruction.source[0]))
    return false;
  decoder.integer("offset", instruction.immediate);
  if (decoder.operand(2).kind == Operand::Integer) {
    instruction.immediate = decoder.operand(2).bits;
    return true;
  }
  if (decoder.operand(2).kind == Operand::Scalar && decoder.operand(2).reg == Null)
    return true;
  return decoder.source(2, Type::B32, instruction.source[1]);
}
} // namespace

Decoded tilewright::amdgpu::decodeScalarMemory(Decoder &decoder) {
  for (const Entry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeLoad(decoder, entry.registers));
  return Decoded::NotMine;
}
