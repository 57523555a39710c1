//===- LdsOps.cpp - Loads and stores of LDS -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compute queues run in unaligned mode, in which loads and stores take any address. Those
// with two offsets need each of their parts aligned.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorMemory.h"
#include "emulators/amdgpu/WorkGroup.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct LdsAccess {
  Width width;
  unsigned align = 1;
  /// Bytes added to each lane's address; the second of operations with two.
  uint32_t offset[2] = {};
  unsigned parts = 1;
};

/// `base` of each lane plus `offset`, in 32 bits.
void addOffset(const uint32_t *base, uint32_t offset, Lanes64 &at) {
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    at[lane] = base[lane] + offset;
}

Step load(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const LdsAccess *>(instruction.extra);
  unsigned registers = access.width.registers();
  LdsReads reads;
  LaneData data(registers * access.parts, isWhole(wave));
  if (wave.expectSound(instruction.source[0], "an LDS address")) {
    Lanes32 buffer;
    const uint32_t *base = wave.read(instruction.source[0], buffer);
    Lanes64 at;
    for (unsigned part = 0; part < access.parts; ++part) {
      addOffset(base, access.offset[part], at);
      readMemory(wave, Space::Lds, at, wave.active, access.width.bytes, access.align,
                 data, part * registers);
      reads.add(wave, at, access.width.bytes);
    }
  } else {
    data.poisonLanes(registers * access.parts, wave.active);
  }
  Width all = access.width;
  all.bytes = static_cast<uint8_t>(all.bytes * access.parts);
  land(wave, instruction.destination[0], all, data, bitOf(Counter::Lds));
  issueLds(wave, instruction.destination[0], 0, reads.take());
  return Step::Next;
}

Step store(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const LdsAccess *>(instruction.extra);
  const uint32_t clock = wave.group.tickStore(wave);
  if (wave.expectSound(instruction.source[0], "an LDS address")) {
    Lanes32 buffer;
    const uint32_t *base = wave.read(instruction.source[0], buffer);
    Lanes64 at;
    for (unsigned part = 0; part < access.parts; ++part) {
      StoreData data(wave, instruction.source[1 + part], access.width);
      addOffset(base, access.offset[part], at);
      writeMemory(wave, Space::Lds, at, wave.active, access.width.bytes, access.align,
                  data.source);
    }
  }
  issueLds(wave, {}, clock);
  return Step::Next;
}

/// ds_read_addtid_b32 v0 offset:4: lanes access successive dwords from M0 on.
Step addThread(Wave &wave, const Instruction &instruction) {
  uint32_t base = readM0(wave) & 0xffff;
  Lanes64 at;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    at[lane] = base + static_cast<uint32_t>(instruction.immediate) + 4 * lane;
  const Width width;
  uint32_t clock = 0;
  LdsReads reads;
  if (instruction.destination[0]) {
    LaneData data(1, isWhole(wave));
    readMemory(wave, Space::Lds, at, wave.active, 4, 1, data);
    reads.add(wave, at, 4);
    land(wave, instruction.destination[0], width, data, bitOf(Counter::Lds));
  } else {
    clock = wave.group.tickStore(wave);
    StoreData data(wave, instruction.source[0], width);
    writeMemory(wave, Space::Lds, at, wave.active, 4, 1, data.source);
  }
  issueLds(wave, instruction.destination[0], clock, reads.take());
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// The two offsets, in units of an element or of 64.
bool takeOffsets(Decoder &decoder, LdsAccess &access, bool isStrided) {
  access.parts = 2;
  access.align = access.width.bytes;
  const char *names[] = {"offset0", "offset1"};
  for (unsigned part = 0; part < 2; ++part) {
    int64_t offset = 0;
    decoder.integer(names[part], offset);
    access.offset[part] =
        static_cast<uint32_t>(offset) * access.width.bytes * (isStrided ? 64 : 1);
  }
  return true;
}

bool decodeLoad(Decoder &decoder, LdsAccess access) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = load;
  unsigned registers = access.width.registers() * access.parts;
  instruction.extra = decoder.keep(access);
  return decoder.expect(2) && loadDestination(decoder, access.width, registers) &&
         decoder.source(1, Type::B32, instruction.source[0]);
}

bool decodeStore(Decoder &decoder, LdsAccess access) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = store;
  instruction.extra = decoder.keep(access);
  if (!decoder.expect(1 + access.parts) ||
      !decoder.source(0, Type::B32, instruction.source[0]))
    return false;
  for (unsigned part = 0; part < access.parts; ++part)
    if (!decoder.source(1 + part, Type::B32, instruction.source[1 + part],
                        access.width.registers()))
      return false;
  return true;
}

/// What follows "ds_read", "ds_write" or their other names.
Decoded decodeAccess(Decoder &decoder, std::string_view rest, bool isStore) {
  Instruction &instruction = decoder.instruction;
  LdsAccess access;
  auto parse = [&](std::string_view text) {
    return isStore ? parseStoreWidth(text, access.width)
                   : parseLoadWidth(text, access.width);
  };
  if (rest == "_addtid_b32") {
    instruction.execute = addThread;
    decoder.integer("offset", instruction.immediate);
    return decodedIf(decoder.expect(1) &&
                     (isStore ? decoder.source(0, Type::B32, instruction.source[0])
                              : decoder.destination(0, instruction.destination[0])));
  }
  bool isStrided =
      consumePrefix(rest, "2st64_") || consumePrefix(rest, "_2addr_stride64_");
  if (isStrided || consumePrefix(rest, "2_") || consumePrefix(rest, "_2addr_")) {
    if (!parse(rest) || access.width.bytes < 4 || access.width.bytes > 8)
      return Decoded::NotMine;
    takeOffsets(decoder, access, isStrided);
  } else {
    int64_t offset = 0;
    if (!consumePrefix(rest, "_") || !parse(rest))
      return Decoded::NotMine;
    decoder.integer("offset", offset);
    access.offset[0] = static_cast<uint32_t>(offset);
  }
  return decodedIf(isStore ? decodeStore(decoder, access) : decodeLoad(decoder, access));
}
} // namespace

Decoded tilewright::amdgpu::decodeLds(Decoder &decoder) {
  std::string_view rest = decoder.mnemonic();
  if (!consumePrefix(rest, "ds_"))
    return Decoded::NotMine;
  if (consumePrefix(rest, "read") || consumePrefix(rest, "load"))
    return decodeAccess(decoder, rest, false);
  if (consumePrefix(rest, "write") || consumePrefix(rest, "store"))
    return decodeAccess(decoder, rest, true);
  return Decoded::NotMine;
}
