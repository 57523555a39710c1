//===- FlatOps.cpp - Global, flat and scratch loads and stores ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FlatAddress.h"

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

namespace {
struct FlatAccess {
  Width width;
  FlatMode mode;
};

void read(Wave &wave, const Instruction &instruction, const FlatAccess &access,
          LaneData &data) {
  FlatAddresses addresses;
  if (!addresses.find(wave, instruction, access.mode))
    return data.poisonLanes(access.width.registers(), wave.active);
  addresses.each([&](Space space, uint64_t lanes) {
    readMemory(wave, space, addresses.at, lanes, access.width.bytes, 1, data);
  });
}

Step load(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const FlatAccess *>(instruction.extra);
  LaneData data(access.width.registers(), isWhole(wave));
  read(wave, instruction, access, data);
  land(wave, instruction.destination[0], access.width, data, orderOf(wave, access.mode));
  issueFlat(wave, access.mode, Counter::Load, instruction.destination[0]);
  return Step::Next;
}

Step loadToLds(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const FlatAccess *>(instruction.extra);
  LaneData data(access.width.registers(), isWhole(wave));
  read(wave, instruction, access, data);
  landInLds(wave, access.width, static_cast<uint32_t>(access.mode.offset), data);
  return Step::Next;
}

Step store(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const FlatAccess *>(instruction.extra);
  FlatAddresses addresses;
  if (addresses.find(wave, instruction, access.mode)) {
    StoreData data(wave, instruction.source[2], access.width);
    addresses.each([&](Space space, uint64_t lanes) {
      writeMemory(wave, space, addresses.at, lanes, access.width.bytes, 1, data.source);
    });
  }
  issueFlat(wave, access.mode, Counter::Store, {});
  return Step::Next;
}

/// global_load_dword v0, v[2:3], off offset:16
/// global_load_lds_dword v1, s[0:1]
bool decodeLoad(Decoder &decoder, FlatAccess access, bool toLds) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = toLds ? loadToLds : load;
  instruction.isLateInLds = toLds;
  size_t address = toLds ? 0 : 1;
  size_t scalar = address + !access.mode.addsThread;
  bool good =
      decoder.expect(countOperands(access.mode, address) - access.mode.addsThread);
  good = good &&
         (toLds || loadDestination(decoder, access.width, access.width.registers())) &&
         decodeFlatAddress(decoder, address, scalar, access.mode);
  instruction.extra = decoder.keep(access);
  return good;
}

/// global_store_dword v2, v1, s[0:1]
bool decodeStore(Decoder &decoder, FlatAccess access) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = store;
  size_t from = access.mode.addsThread ? 0 : 1;
  bool good =
      decoder.expect(countOperands(access.mode, from)) &&
      decoder.source(from, Type::B32, instruction.source[2], access.width.registers()) &&
      decodeFlatAddress(decoder, 0, from + 1, access.mode);
  instruction.extra = decoder.keep(access);
  return good;
}
} // namespace

Decoded tilewright::amdgpu::decodeFlat(Decoder &decoder) {
  std::string_view rest = decoder.mnemonic();
  FlatAccess access;
  if (!consumeSegment(rest, access.mode))
    return Decoded::NotMine;
  bool isLoad = consumePrefix(rest, "load_");
  if (!isLoad && !consumePrefix(rest, "store_"))
    return Decoded::NotMine;
  bool toLds = isLoad && consumePrefix(rest, "lds_");
  access.mode.addsThread = !toLds && consumePrefix(rest, "addtid_");
  if (!(isLoad ? parseLoadWidth(rest, access.width)
               : parseStoreWidth(rest, access.width)))
    return Decoded::NotMine;
  takeCachePolicy(decoder);
  return decodedIf(isLoad ? decodeLoad(decoder, access, toLds)
                          : decodeStore(decoder, access));
}
