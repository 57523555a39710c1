//===- ScalarMemoryOps.cpp - Scalar loads -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/MemoryAccess.h"
#include "emulators/amdgpu/UndefinedBits.h"
#include "emulators/amdgpu/WorkGroup.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
/// Of Instruction::flags.
constexpr uint32_t isSigned = 1, isBuffer = 2, bytesShift = 8;

/// A buffer's base and its size in bytes.
struct Buffer {
  uint64_t base = 0, size = 0;
};
Buffer readBuffer(Wave &wave, const Source &resource) {
  Source half = resource;
  half.count = 2;
  uint64_t low = wave.expectScalar(half, "the base of a buffer");
  half.reg = static_cast<uint16_t>(half.reg + 2);
  half.count = 1;
  uint64_t records = wave.expectScalar(half, "the size of a buffer");
  uint64_t stride = low >> 48 & 0x3fff;
  return {low & 0xffffffffffff, stride ? records * stride : records};
}

/// s_load_dwordx4 s[0:3], s[4:5], 0x10: `source[0]` is the base, `source[1]` a register
/// to add to the immediate.
Step load(Wave &wave, const Instruction &instruction) {
  const Source &to = instruction.destination[0];
  const unsigned unit = instruction.flags >> bytesShift;
  const bool fromBuffer = instruction.flags & isBuffer;
  Buffer buffer;
  if (fromBuffer)
    buffer = readBuffer(wave, instruction.source[0]);
  else
    buffer.base = wave.expectScalar(instruction.source[0], "the base of a scalar load");
  uint64_t offset = static_cast<uint64_t>(instruction.immediate);
  if (instruction.source[1])
    offset += static_cast<uint32_t>(
        wave.expectScalar(instruction.source[1], "the offset of a scalar load"));
  // Whole dwords ignore the two lowest bits.
  if (unit == 4) {
    buffer.base &= ~uint64_t(3);
    offset &= ~uint64_t(3);
  }
  uint32_t bytes = to.count * unit;
  if (fromBuffer && offset + bytes > buffer.size) // what is beyond the end reads zero
    bytes = offset < buffer.size
                ? static_cast<uint32_t>((buffer.size - offset) / unit * unit)
                : 0;
  Place place;
  if (bytes)
    place = findGlobal(wave, buffer.base + offset, bytes, unit, 0, Access::Read);
  for (unsigned i = 0; i < to.count; ++i) {
    uint32_t bits = 0, poison = 0;
    if (place && i * unit < bytes) {
      memcpy(&bits, place.data + unit * i, unit);
      for (unsigned byte = 0; byte < unit; ++byte)
        if (place.shadow[unit * i + byte])
          poison |= 0xffu << (8 * byte);
    } else if (i * unit < bytes) { // a fault was reported
      poison = ~0u;
    }
    if (instruction.flags & isSigned) {
      bits = static_cast<uint32_t>(extractBits(bits, 0, 8 * unit, 64, true));
      poison = static_cast<uint32_t>(extractBits(poison, 0, 8 * unit, 64, true));
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
  std::string_view name; ///< after s_load_ or s_buffer_load_
  unsigned registers, bytes = 4;
  bool isSigned = false;
};
constexpr Entry entries[] = {
    {"dword", 1}, {"dwordx2", 2}, {"dwordx4", 4},     {"dwordx8", 8}, {"dwordx16", 16},
    {"b32", 1},   {"b64", 2},     {"b96", 3},         {"b128", 4},    {"b256", 8},
    {"b512", 16}, {"u8", 1, 1},   {"i8", 1, 1, true}, {"u16", 1, 2},  {"i16", 1, 2, true},
};

bool decodeLoad(Decoder &decoder, const Entry &entry, bool fromBuffer) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = load;
  instruction.flags = entry.bytes << bytesShift | (entry.isSigned ? isSigned : 0) |
                      (fromBuffer ? isBuffer : 0);
  decoder.ignore({"glc", "dlc", "scope", "th", "nv"});
  if (!decoder.expect(3) ||
      !decoder.destination(0, instruction.destination[0], entry.registers) ||
      !decoder.source(1, Type::B64, instruction.source[0], fromBuffer ? 4 : 2))
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
  std::string_view name = decoder.mnemonic();
  constexpr std::string_view plain = "s_load_", buffer = "s_buffer_load_";
  bool fromBuffer = name.substr(0, buffer.size()) == buffer;
  if (!fromBuffer && name.substr(0, plain.size()) != plain)
    return Decoded::NotMine;
  name.remove_prefix(fromBuffer ? buffer.size() : plain.size());
  for (const Entry &entry : entries)
    if (entry.name == name)
      return decodedIf(decodeLoad(decoder, entry, fromBuffer));
  return Decoded::NotMine;
}
