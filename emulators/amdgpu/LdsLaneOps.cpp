//===- LdsLaneOps.cpp - Exchanges between lanes through the LDS unit ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ds_permute, ds_bpermute and ds_swizzle use the crossbar before LDS and no memory, but
// they are waited for like any LDS operation.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorMemory.h"

using namespace tilewright::amdgpu;

namespace {
void finish(Wave &wave, const Instruction &instruction, LaneData &data) {
  land(wave, instruction.destination[0], Width(), data, bitOf(Counter::Lds));
  issue(wave, Counter::Lds, instruction.destination[0]);
}

/// Lanes that one operation spans: RDNA's waves of 64 lanes are two halves to it.
unsigned span(const Wave &wave) {
  return wave.group.launch.device.target.isRdna() ? 32 : wave.lanes;
}

/// A register of all lanes, and what of it is undefined (null: nothing).
struct Values {
  Values(Wave &wave, const Source &source)
      : values(wave.read(source, buffer)), poison(wave.readPoison(source, poisonBuffer)) {
  }
  uint8_t poisonOf(unsigned lane) const { return poison ? poison[lane] & 0xf : 0; }
  Lanes32 buffer;
  LanePoison poisonBuffer;
  const uint32_t *values;
  const uint8_t *poison;
};

/// ds_bpermute_b32 v0, v1, v2: each lane gets v2 of the lane that v1 / 4 says. Lanes that
/// are not active give zero, unless the operation fetches them as well (`flags`).
Step backward(Wave &wave, const Instruction &instruction) {
  Values index(wave, instruction.source[0]), value(wave, instruction.source[1]);
  LaneData data(1, false);
  unsigned width = span(wave);
  uint64_t gives = instruction.flags ? ~uint64_t(0) : wave.active;
  for (unsigned lane = 0; lane < wave.lanes; ++lane) {
    uint32_t address = index.values[lane] + static_cast<uint32_t>(instruction.immediate);
    unsigned from = (lane & ~(width - 1)) | (address / 4 & (width - 1));
    bool given = gives >> from & 1;
    data.values[0][lane] = given ? value.values[from] : 0;
    uint8_t poison = index.poisonOf(lane) ? 0xf : given ? value.poisonOf(from) : 0;
    data.poison[0][lane] = poison;
    data.isPoisoned |= poison != 0;
  }
  finish(wave, instruction, data);
  return Step::Next;
}

/// ds_permute_b32 v0, v1, v2: each active lane sends its v2 to the lane that v1 / 4 says;
/// the highest sender wins, and who is sent nothing gets zero.
Step forward(Wave &wave, const Instruction &instruction) {
  Values index(wave, instruction.source[0]), value(wave, instruction.source[1]);
  LaneData data(1, false);
  unsigned width = span(wave);
  for (uint64_t left = wave.active; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    // Where it goes is not known, so no lane knows what it got.
    if (index.poisonOf(lane)) {
      data.poisonLanes(1, wave.active);
      break;
    }
    uint32_t address = index.values[lane] + static_cast<uint32_t>(instruction.immediate);
    unsigned to = (lane & ~(width - 1)) | (address / 4 & (width - 1));
    data.values[0][to] = value.values[lane];
    data.poison[0][to] = value.poisonOf(lane);
    data.isPoisoned |= value.poisonOf(lane) != 0;
  }
  finish(wave, instruction, data);
  return Step::Next;
}

/// The lane of 0 to 31 that lane `lane` gets from, by the pattern in the offset.
unsigned swizzle(uint32_t pattern, unsigned lane) {
  if (pattern >= 0xe000) { // FFT: the bits that are not in the mask, reversed
    uint32_t mask = pattern & 0x1f;
    unsigned reversed = 0;
    for (unsigned bit = 0; bit < 5; ++bit)
      reversed |= (lane >> bit & 1) << (4 - bit);
    return reversed >> __builtin_popcount(mask) | (lane & mask);
  }
  if (pattern >= 0xc000) { // rotation of the bits' values, but for those in the mask
    uint32_t mask = pattern & 0x1f, distance = pattern >> 5 & 0x1f;
    uint32_t moved = pattern >> 10 & 1 ? lane - distance : lane + distance;
    return (lane & mask) | (moved & ~mask & 0x1f);
  }
  if (pattern & 0x8000) // any of each four
    return (lane & ~3u) | (pattern >> (2 * (lane & 3)) & 3);
  uint32_t keep = pattern & 0x1f, set = pattern >> 5 & 0x1f, flip = pattern >> 10 & 0x1f;
  return ((lane & keep) | set) ^ flip;
}

Step swizzleLanes(Wave &wave, const Instruction &instruction) {
  Values value(wave, instruction.source[0]);
  LaneData data(1, false);
  for (unsigned lane = 0; lane < wave.lanes; ++lane) {
    unsigned from = (lane & 32) | swizzle(instruction.flags, lane & 31);
    if (!(wave.active >> from & 1))
      continue;
    data.values[0][lane] = value.values[from];
    data.poison[0][lane] = value.poisonOf(from);
    data.isPoisoned |= value.poisonOf(from) != 0;
  }
  finish(wave, instruction, data);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// The pattern of "swizzle(SWAP,16)", "swizzle(BITMASK_PERM,"01pi0")" or a number.
bool parsePattern(std::string_view text, uint32_t &pattern) {
  int64_t number;
  if (parseInteger(text, number)) {
    pattern = static_cast<uint32_t>(number);
    return number >= 0 && number <= 0xffff;
  }
  if (!consumePrefix(text, "swizzle(") || text.empty() || text.back() != ')')
    return false;
  text.remove_suffix(1);
  std::string_view mode = text.substr(0, text.find(','));
  text.remove_prefix(std::min(text.size(), mode.size() + 1));
  if (mode == "BITMASK_PERM") {
    if (text.size() != 7 || text.front() != '"' || text.back() != '"')
      return false;
    uint32_t keep = 0, set = 0, flip = 0;
    for (char c : text.substr(1, 5)) {
      if (c != '0' && c != '1' && c != 'p' && c != 'i')
        return false;
      keep = keep << 1 | (c == 'p' || c == 'i');
      set = set << 1 | (c == '1');
      flip = flip << 1 | (c == 'i');
    }
    pattern = keep | set << 5 | flip << 10;
    return true;
  }
  std::vector<int64_t> values;
  if (!parseIntegers(text, values))
    return false;
  auto value = [&](size_t index) { return static_cast<uint32_t>(values[index]); };
  if (mode == "QUAD_PERM" && values.size() == 4)
    pattern = 0x8000 | value(0) | value(1) << 2 | value(2) << 4 | value(3) << 6;
  else if (mode == "BROADCAST" && values.size() == 2)
    pattern = ((32 - value(0)) & 0x1f) | value(1) << 5;
  else if (mode == "SWAP" && values.size() == 1)
    pattern = 0x1f | value(0) << 10;
  else if (mode == "REVERSE" && values.size() == 1)
    pattern = 0x1f | (value(0) - 1) << 10;
  else if (mode == "ROTATE" && values.size() == 2)
    pattern = 0xc000 | value(0) << 10 | value(1) << 5;
  else if (mode == "FFT" && values.size() == 1)
    pattern = 0xe000 | value(0);
  else
    return false;
  return true;
}
} // namespace

Decoded tilewright::amdgpu::decodeLdsLanes(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  Instruction &instruction = decoder.instruction;
  if (name == "ds_swizzle_b32") {
    instruction.execute = swizzleLanes;
    std::string_view pattern = "0";
    decoder.text("offset", pattern);
    if (!parsePattern(pattern, instruction.flags)) {
      decoder.fail("a swizzle that is not known");
      return Decoded::Failed;
    }
    return decodedIf(decoder.expect(2) &&
                     decoder.destination(0, instruction.destination[0]) &&
                     decoder.source(1, Type::B32, instruction.source[0]));
  }
  if (name != "ds_permute_b32" && name != "ds_bpermute_b32" &&
      name != "ds_bpermute_fi_b32")
    return Decoded::NotMine;
  instruction.execute = name == "ds_permute_b32" ? forward : backward;
  instruction.flags = name == "ds_bpermute_fi_b32";
  decoder.integer("offset", instruction.immediate);
  return decodedIf(decoder.expect(3) &&
                   decoder.destination(0, instruction.destination[0]) &&
                   decoder.source(1, Type::B32, instruction.source[0]) &&
                   decoder.source(2, Type::B32, instruction.source[1]));
}
