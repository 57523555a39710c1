//===- GlobalMemoryOps.cpp - Loads and stores of global memory ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/MemoryAccess.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
/// The address of each lane: a pair of registers, or a scalar base and an offset of 32
/// bits, and the immediate. False where one is undefined, which was reported.
bool findAddresses(Wave &wave, const Instruction &instruction, Lanes64 &addresses) {
  const Source &vector = instruction.source[0], &base = instruction.source[1];
  if (!wave.expectSound(vector, "an address"))
    return false;
  if (base) {
    uint64_t start = wave.expectScalar(base, "the base of an address");
    Lanes32 buffer;
    const uint32_t *offsets = wave.read(vector, buffer);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      addresses[lane] = start + offsets[lane] + instruction.immediate;
  } else {
    Lanes64 buffer;
    const uint64_t *values = wave.read(vector, buffer);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      addresses[lane] = values[lane] + instruction.immediate;
  }
  return true;
}

Step load(Wave &wave, const Instruction &instruction) {
  const Source &to = instruction.destination[0];
  Lanes64 addresses;
  bool sound = findAddresses(wave, instruction, addresses);
  Lanes32 values[4];
  LanePoison poison[4];
  memset(values, 0, sizeof(values));
  memset(poison, 0xf, sizeof(poison));
  for (uint64_t left = sound ? wave.active : 0; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    Place place = findGlobal(wave, addresses[lane], to.count * 4, 4, lane, Access::Read);
    for (unsigned i = 0; place && i < to.count; ++i) {
      memcpy(&values[i][lane], place.data + 4 * i, 4);
      poison[i][lane] = poisonFromShadow(place.shadow + 4 * i, 4);
    }
  }
  for (unsigned i = 0; i < to.count; ++i) {
    Source one = to;
    one.reg = static_cast<uint16_t>(to.reg + i);
    one.count = 1;
    wave.write(one, values[i].v, poison[i].v);
  }
  wave.waits.issue(
      {Counter::Load, true, to.reg, to.count, static_cast<uint32_t>(wave.pc), 0});
  return Step::Next;
}

Step store(Wave &wave, const Instruction &instruction) {
  const Source &from = instruction.source[2];
  Lanes64 addresses;
  if (!findAddresses(wave, instruction, addresses))
    return Step::Next;
  for (unsigned i = 0; i < from.count; ++i) {
    Source one = from;
    one.reg = static_cast<uint16_t>(from.reg + i);
    one.count = 1;
    Lanes32 buffer;
    LanePoison poisonBuffer;
    const uint32_t *values = wave.read(one, buffer);
    const uint8_t *poison = wave.readPoison(one, poisonBuffer);
    for (uint64_t left = wave.active; left; left &= left - 1) {
      unsigned lane = __builtin_ctzll(left);
      Place place = findGlobal(wave, addresses[lane] + 4 * i, 4, 4, lane, Access::Write);
      if (!place)
        continue;
      memcpy(place.data, &values[lane], 4);
      poisonToShadow(poison ? poison[lane] : 0, place.shadow, 4);
    }
  }
  wave.waits.issue({Counter::Store, true, 0, 0, static_cast<uint32_t>(wave.pc), 0});
  ++wave.group.launch.globalProgress;
  return Step::Next;
}

struct Entry {
  std::string_view name;
  unsigned registers;
  bool isStore;
};
constexpr Entry entries[] = {
    {"global_load_dword", 1, false},   {"global_load_b32", 1, false},
    {"global_load_dwordx2", 2, false}, {"global_load_b64", 2, false},
    {"global_load_dwordx3", 3, false}, {"global_load_b96", 3, false},
    {"global_load_dwordx4", 4, false}, {"global_load_b128", 4, false},
    {"global_store_dword", 1, true},   {"global_store_b32", 1, true},
    {"global_store_dwordx2", 2, true}, {"global_store_b64", 2, true},
    {"global_store_dwordx3", 3, true}, {"global_store_b96", 3, true},
    {"global_store_dwordx4", 4, true}, {"global_store_b128", 4, true},
};

/// global_load_dword v0, v[2:3], off offset:16
/// global_store_dword v2, v1, s[0:1]
bool decodeAccess(Decoder &decoder, const Entry &entry) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = entry.isStore ? store : load;
  decoder.ignore({"sc0", "sc1", "nt", "glc", "slc", "dlc", "scope", "th"});
  decoder.integer("offset", instruction.immediate);
  if (!decoder.expect(3))
    return false;
  size_t address = entry.isStore ? 0 : 1;
  bool good = entry.isStore
                  ? decoder.source(1, Type::B32, instruction.source[2], entry.registers)
                  : decoder.destination(0, instruction.destination[0], entry.registers);
  bool hasBase = decoder.operand(2).kind != Operand::Off;
  return good &&
         decoder.source(address, hasBase ? Type::B32 : Type::B64,
                        instruction.source[0]) &&
         (!hasBase || decoder.source(2, Type::B64, instruction.source[1]));
}
} // namespace

Decoded tilewright::amdgpu::decodeGlobalMemory(Decoder &decoder) {
  for (const Entry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeAccess(decoder, entry));
  return Decoded::NotMine;
}
