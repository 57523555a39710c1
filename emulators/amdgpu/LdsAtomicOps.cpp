//===- LdsAtomicOps.cpp - Atomic operations on LDS ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/AtomicMemory.h"
#include "emulators/amdgpu/WorkGroup.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct LdsAtomic {
  AtomicOperation operation;
  uint32_t offset[2] = {};
  unsigned parts = 1; ///< 2: exchanges at two addresses
};

Step update(Wave &wave, const Instruction &instruction) {
  const auto &atomic = *static_cast<const LdsAtomic *>(instruction.extra);
  const uint32_t clock = wave.group.tickStore(wave);
  unsigned registers = atomic.operation.bytes / 4;
  Width width;
  width.bytes = atomic.operation.bytes;
  LaneData old(registers, isWhole(wave));
  LaneData second(registers, isWhole(wave)); // of the other address
  if (wave.expectSound(instruction.source[0], "an LDS address")) {
    Lanes32 buffer;
    const uint32_t *base = wave.read(instruction.source[0], buffer);
    Lanes64 at;
    StoreData first(wave, instruction.source[1], width);
    LaneSource data = first.source;
    std::unique_ptr<StoreData> other;
    if (instruction.source[2]) {
      other = std::make_unique<StoreData>(wave, instruction.source[2], width);
      for (unsigned i = 0; i < registers; ++i) {
        data.values[registers + i] = other->source.values[i];
        data.poison[registers + i] = other->source.poison[i];
      }
    }
    for (unsigned part = 0; part < atomic.parts; ++part) {
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        at[lane] = base[lane] + atomic.offset[part];
      updateMemory(wave, Space::Lds, at, wave.active, atomic.operation,
                   part ? other->source : data, registers, part ? second : old);
    }
  } else {
    old.poisonLanes(registers, wave.active);
    second.poisonLanes(registers, wave.active);
  }
  Source to = instruction.destination[0];
  if (to) {
    land(wave, to, width, old, bitOf(Counter::Lds));
    if (atomic.parts == 2)
      land(wave, registerOf(to, registers), width, second, bitOf(Counter::Lds));
  }
  issueLds(wave, to, clock);
  return Step::Next;
}

/// ds_append, ds_consume: a counter goes up or down by the number of active lanes, which
/// all get what it was. M0 is its address.
Step count(Wave &wave, const Instruction &instruction) {
  const uint32_t clock = wave.group.tickStore(wave);
  LaneData old(1, false);
  uint64_t at = (readM0(wave) & 0xffff) + static_cast<uint64_t>(instruction.immediate);
  Place place = findLds(wave, at, 4, 4, wave.firstLane(), Access::Atomic);
  if (place && wave.active) {
    uint32_t value, lanes = static_cast<uint32_t>(__builtin_popcountll(wave.active));
    memcpy(&value, place.data, 4);
    uint8_t poison = poisonFromShadow(place.shadow, 4);
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      old.values[0][lane] = value;
      old.poison[0][lane] = poison;
    }
    old.isPoisoned = poison != 0;
    value = instruction.flags ? value + lanes : value - lanes;
    memcpy(place.data, &value, 4);
    poisonToShadow(poison ? 0xf : 0, place.shadow, 4);
  } else if (!place) {
    old.poisonLanes(1, wave.active);
  }
  land(wave, instruction.destination[0], Width(), old, bitOf(Counter::Lds));
  issueLds(wave, instruction.destination[0], clock);
  return Step::Next;
}

bool decodeUpdate(Decoder &decoder, LdsAtomic atomic, bool returns, bool isReversed) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = update;
  unsigned registers = atomic.operation.bytes / 4;
  size_t first = returns ? 1 : 0;
  bool hasSecond = atomic.operation.hasSecond() || atomic.parts == 2;
  bool good = decoder.expect(first + 2 + hasSecond) &&
              (!returns || decoder.destination(0, instruction.destination[0],
                                               registers * atomic.parts)) &&
              decoder.source(first, Type::B32, instruction.source[0]) &&
              decoder.source(first + 1, Type::B32, instruction.source[1], registers) &&
              (!hasSecond ||
               decoder.source(first + 2, Type::B32, instruction.source[2], registers));
  if (isReversed)
    std::swap(instruction.source[1], instruction.source[2]);
  instruction.extra = decoder.keep(atomic);
  return good;
}
} // namespace

Decoded tilewright::amdgpu::decodeLdsAtomic(Decoder &decoder) {
  std::string_view rest = decoder.mnemonic();
  Instruction &instruction = decoder.instruction;
  if (!consumePrefix(rest, "ds_"))
    return Decoded::NotMine;
  if (rest == "append" || rest == "consume") {
    instruction.execute = count;
    instruction.flags = rest == "append";
    decoder.integer("offset", instruction.immediate);
    return decodedIf(decoder.expect(1) &&
                     decoder.destination(0, instruction.destination[0]));
  }
  LdsAtomic atomic;
  // wrxchg2st64_rtn_b32, storexchg_2addr_stride64_rtn_b32
  for (std::string_view exchange : {"wrxchg2", "storexchg_2addr"}) {
    std::string_view type = rest;
    if (!consumePrefix(type, exchange))
      continue;
    bool isStrided = consumePrefix(type, "st64") || consumePrefix(type, "_stride64");
    if (type != "_rtn_b32" && type != "_rtn_b64")
      return Decoded::NotMine;
    atomic.operation = {Atomic::Swap, static_cast<uint8_t>(type == "_rtn_b64" ? 8 : 4)};
    atomic.parts = 2;
    const char *names[] = {"offset0", "offset1"};
    for (unsigned part = 0; part < 2; ++part) {
      int64_t offset = 0;
      decoder.integer(names[part], offset);
      atomic.offset[part] =
          static_cast<uint32_t>(offset) * atomic.operation.bytes * (isStrided ? 64 : 1);
    }
    return decodedIf(decodeUpdate(decoder, atomic, true, false));
  }
  std::string name(rest);
  size_t rtn = name.find("rtn_");
  bool returns = rtn != std::string::npos, isReversed;
  if (returns)
    name.erase(rtn, 4);
  // Operations on global memory have names without a type, these do not.
  if (name.find_first_of("0123456789") == std::string::npos ||
      !parseAtomic(name, atomic.operation, isReversed))
    return Decoded::NotMine;
  int64_t offset = 0;
  decoder.integer("offset", offset);
  atomic.offset[0] = static_cast<uint32_t>(offset);
  return decodedIf(decodeUpdate(decoder, atomic, returns, isReversed));
}
