//===- BufferOps.cpp - Loads and stores of buffers ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/BufferAddress.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct BufferAccess {
  Width width;
  BufferMode mode;
  Source data; ///< of a store: the instruction's sources are the address's
};

/// The lanes all of whose dwords are in range: each is checked alone.
uint64_t findWhole(const Wave &wave, const BufferAddresses &addresses,
                   const Width &width) {
  unsigned last = std::min<unsigned>(width.bytes, 4);
  uint64_t whole = wave.active;
  for (unsigned i = 0; i < width.registers(); ++i)
    whole &= addresses.inRange(4 * i, last);
  return whole;
}

/// Calls `move` with lanes, bytes and first register: for all that is in range.
template <typename Move>
void moveInRange(const Wave &wave, const BufferAddresses &addresses, const Width &width,
                 uint64_t whole, const Move &move) {
  unsigned dwords = width.registers();
  if (whole == wave.active || dwords == 1)
    return move(whole, width.bytes, 0u);
  for (unsigned i = 0; i < dwords; ++i)
    move(addresses.inRange(4 * i, 4), 4u, i);
}

void read(Wave &wave, const Instruction &instruction, const BufferAccess &access,
          LaneData &data) {
  BufferAddresses addresses;
  if (!addresses.find(wave, instruction, access.mode)) {
    data.poisonLanes(access.width.registers(), wave.active);
    return;
  }
  uint64_t whole = findWhole(wave, addresses, access.width);
  if (whole != wave.active) // what is out of range is zero
    data.clear(access.width.registers());
  moveInRange(wave, addresses, access.width, whole,
              [&](uint64_t lanes, unsigned bytes, unsigned first) {
                Lanes64 at = addresses.at;
                for (unsigned lane = 0; first && lane < maxLanes; ++lane)
                  at[lane] += 4 * first;
                readMemory(wave, addresses.space, at, lanes, bytes, 1, data, first);
              });
}

Step load(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const BufferAccess *>(instruction.extra);
  LaneData data(access.width.registers(), isWhole(wave));
  read(wave, instruction, access, data);
  land(wave, instruction.destination[0], access.width, data, bitOf(Counter::Load));
  issue(wave, Counter::Load, instruction.destination[0]);
  return Step::Next;
}

/// What is out of range becomes zero in LDS as well.
Step loadToLds(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const BufferAccess *>(instruction.extra);
  LaneData data(access.width.registers(), false);
  read(wave, instruction, access, data);
  landInLds(wave, access.width, access.mode.offset, data);
  return Step::Next;
}

Step store(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const BufferAccess *>(instruction.extra);
  BufferAddresses addresses;
  if (addresses.find(wave, instruction, access.mode)) {
    StoreData data(wave, access.data, access.width);
    moveInRange(wave, addresses, access.width, findWhole(wave, addresses, access.width),
                [&](uint64_t lanes, unsigned bytes, unsigned first) {
                  Lanes64 at = addresses.at;
                  for (unsigned lane = 0; first && lane < maxLanes; ++lane)
                    at[lane] += 4 * first;
                  writeMemory(wave, addresses.space, at, lanes, bytes, 1, data.source,
                              first);
                });
  }
  issue(wave, Counter::Store, {});
  return Step::Next;
}
} // namespace

Decoded tilewright::amdgpu::decodeBuffer(Decoder &decoder) {
  std::string_view rest = decoder.mnemonic();
  if (!consumePrefix(rest, "buffer_"))
    return Decoded::NotMine;
  bool isLoad = consumePrefix(rest, "load_");
  BufferAccess access;
  if (!(isLoad ? parseLoadWidth(rest, access.width)
               : consumePrefix(rest, "store_") && parseStoreWidth(rest, access.width)))
    return Decoded::NotMine;
  Instruction &instruction = decoder.instruction;
  takeCachePolicy(decoder);
  bool toLds = isLoad && decoder.flag("lds");
  instruction.execute = toLds ? loadToLds : isLoad ? load : store;
  instruction.isLateInLds = toLds;
  size_t first = toLds ? 0 : 1;
  unsigned registers = access.width.registers();
  bool good = decoder.expect(first + 3) &&
              (toLds    ? true
               : isLoad ? loadDestination(decoder, access.width, registers)
                        : decoder.source(0, Type::B32, access.data, registers)) &&
              decodeBufferAddress(decoder, first, access.mode);
  instruction.extra = decoder.keep(access);
  return decodedIf(good);
}
