//===- TransposeOps.cpp - Loads that transpose between lanes ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each lane reads a run of elements from its own address; then groups of lanes exchange
// them, so that a lane has one column of what its group read:
//
//   ds_read_b64_tr_b16   16 lanes read a tile of 4 rows of 16; a row is 4 lanes'
//   ds_read_b64_tr_b8    of 8 rows of 16; a row is 2 lanes'
//   ds_read_b64_tr_b4    of 16 rows of 16; a row is one lane's
//   ds_read_b96_tr_b6    the same
//   global_load_tr_b128  8 lanes read 8 rows of 8 elements of 16 bits
//   global_load_tr_b64   16 lanes read 8 rows of 16 bytes; of each eight lanes, the
//                        first four read the left half of four rows, the others the right
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FlatAddress.h"
#include "emulators/amdgpu/WorkGroup.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct Transpose {
  std::string_view name;
  unsigned bits, bytes, group, align;
  bool isGlobal = false;

  unsigned elements() const { return bytes * 8 / bits; }
  /// The lane that read element `index` of lane `lane`'s result, in which place.
  unsigned lane(unsigned lane, unsigned index) const {
    unsigned first = lane / group * group, column = lane % group;
    if (isGlobal && bits == 8)
      return first + index / 4 * 8 + column / 8 * 4 + index % 4;
    return first + index * (group / elements()) + column / elements();
  }
  unsigned place(unsigned lane) const { return lane % elements(); }
};
constexpr Transpose transposes[] = {
    {"ds_read_b64_tr_b16", 16, 8, 16, 8},
    {"ds_read_b64_tr_b8", 8, 8, 16, 8},
    {"ds_read_b64_tr_b4", 4, 8, 16, 8},
    {"ds_read_b96_tr_b6", 6, 12, 16, 4},
    {"global_load_tr_b128", 16, 16, 8, 1, true},
    {"global_load_tr_b64", 8, 8, 16, 1, true},
};

struct TransposedLoad {
  const Transpose *shape = nullptr;
  FlatMode flat;
  uint32_t offset = 0; ///< in LDS
};

/// Bit `bit` to `bit` + `count` - 1 of a lane's registers, at most 16 of them.
uint32_t getBits(const LaneData &data, unsigned lane, unsigned bit, unsigned count) {
  uint64_t both = data.values[bit / 32][lane];
  if (bit / 32 < 3)
    both |= uint64_t(data.values[bit / 32 + 1][lane]) << 32;
  return static_cast<uint32_t>(both >> (bit % 32)) & ((1u << count) - 1);
}

void exchange(const Wave &wave, const Transpose &shape, const LaneData &read,
              LaneData &result) {
  result.isPoisoned = read.isPoisoned;
  for (unsigned lane = 0; lane < wave.lanes; ++lane)
    for (unsigned i = 0; i < shape.elements(); ++i) {
      unsigned from = shape.lane(lane, i), bit = shape.place(lane) * shape.bits;
      uint64_t value = getBits(read, from, bit, shape.bits);
      unsigned to = i * shape.bits;
      value <<= to % 32;
      result.values[to / 32][lane] |= static_cast<uint32_t>(value);
      if (to / 32 < 3)
        result.values[to / 32 + 1][lane] |= static_cast<uint32_t>(value >> 32);
      if (!read.isPoisoned)
        continue;
      bool poison = false;
      for (unsigned byte = bit / 8; byte <= (bit + shape.bits - 1) / 8; ++byte)
        poison |= read.poison[byte / 4][from] >> (byte % 4) & 1;
      for (unsigned byte = to / 8; poison && byte <= (to + shape.bits - 1) / 8; ++byte)
        result.poison[byte / 4][lane] |= static_cast<uint8_t>(1u << (byte % 4));
    }
}

Step load(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const TransposedLoad *>(instruction.extra);
  const Transpose &shape = *access.shape;
  Width width;
  width.bytes = static_cast<uint8_t>(shape.bytes);
  uint64_t all = wave.lanes == 64 ? ~uint64_t(0) : (uint64_t(1) << wave.lanes) - 1;
  if (wave.active != all)
    return wave.stop(Rule::Convergence, "a load that transposes needs all lanes active",
                     wave.firstLane());
  LdsReads reads;
  LaneData read(4, false), result(4, false);
  if (shape.isGlobal) {
    FlatAddresses addresses;
    if (addresses.find(wave, instruction, access.flat))
      readMemory(wave, Space::Global, addresses.at, wave.active, shape.bytes, shape.align,
                 read);
    else
      read.poisonLanes(4, wave.active);
  } else if (wave.expectSound(instruction.source[0], "an LDS address")) {
    Lanes32 buffer;
    const uint32_t *base = wave.read(instruction.source[0], buffer);
    Lanes64 at;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] = base[lane] + access.offset;
    readMemory(wave, Space::Lds, at, wave.active, shape.bytes, shape.align, read);
    reads.add(wave, at, shape.bytes);
  } else {
    read.poisonLanes(4, wave.active);
  }
  exchange(wave, shape, read, result);
  const Source &to = instruction.destination[0];
  land(wave, to, width, result, bitOf(shape.isGlobal ? Counter::Load : Counter::Lds));
  if (shape.isGlobal)
    issue(wave, Counter::Load, to);
  else
    issueLds(wave, to, 0, reads.take());
  return Step::Next;
}
} // namespace

Decoded tilewright::amdgpu::decodeTransposedLoad(Decoder &decoder) {
  TransposedLoad access;
  for (const Transpose &one : transposes)
    if (one.name == decoder.mnemonic())
      access.shape = &one;
  if (!access.shape)
    return Decoded::NotMine;
  Instruction &instruction = decoder.instruction;
  instruction.execute = load;
  bool isGlobal = access.shape->isGlobal, good;
  if (isGlobal) {
    takeCachePolicy(decoder);
    good = decoder.expect(3) && decodeFlatAddress(decoder, 1, 2, access.flat);
  } else {
    int64_t offset = 0;
    decoder.integer("offset", offset);
    access.offset = static_cast<uint32_t>(offset);
    good = decoder.expect(2) && decoder.source(1, Type::B32, instruction.source[0]);
  }
  good =
      good && decoder.destination(0, instruction.destination[0], access.shape->bytes / 4);
  instruction.extra = decoder.keep(access);
  return decodedIf(good);
}
