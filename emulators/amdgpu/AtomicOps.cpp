//===- AtomicOps.cpp - Global, flat and buffer atomic operations --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/AtomicMemory.h"
#include "emulators/amdgpu/BufferAddress.h"
#include "emulators/amdgpu/FlatAddress.h"

using namespace tilewright::amdgpu;

namespace {
struct AtomicAccess {
  AtomicOperation operation;
  FlatMode flat;
  BufferMode buffer;
  Source data; ///< the new value, then what is compared
  bool returns = false;

  unsigned registers() const { return operation.bytes / 4; }
  unsigned dataRegisters() const { return registers() * (operation.hasSecond() ? 2 : 1); }
  /// The registers of the data as if they were stored.
  Width dataWidth() const {
    Width width;
    width.bytes = static_cast<uint8_t>(4 * dataRegisters());
    return width;
  }
};

void finish(Wave &wave, const Instruction &instruction, const AtomicAccess &access,
            LaneData &old) {
  const Source &to = instruction.destination[0];
  if (access.returns) {
    Width width;
    width.bytes = access.operation.bytes;
    land(wave, to, width, old, orderOf(wave, access.flat));
  }
  issueFlat(wave, access.flat, access.returns ? Counter::Load : Counter::Store, to);
}

Step updateFlat(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const AtomicAccess *>(instruction.extra);
  LaneData old(access.registers(), isWhole(wave));
  FlatAddresses addresses;
  if (addresses.find(wave, instruction, access.flat)) {
    StoreData data(wave, access.data, access.dataWidth());
    addresses.each([&](Space space, uint64_t lanes) {
      updateMemory(wave, space, addresses.at, lanes, access.operation, data.source,
                   access.registers(), old);
    });
  } else {
    old.poisonLanes(access.registers(), wave.active);
  }
  finish(wave, instruction, access, old);
  return Step::Next;
}

Step updateBuffer(Wave &wave, const Instruction &instruction) {
  const auto &access = *static_cast<const AtomicAccess *>(instruction.extra);
  LaneData old(access.registers(), false);
  BufferAddresses addresses;
  if (addresses.find(wave, instruction, access.buffer)) {
    StoreData data(wave, access.data, access.dataWidth());
    // All of it is in range, or none.
    uint64_t lanes = addresses.inRange(0, access.operation.bytes) &
                     addresses.inRange(access.operation.bytes - 4, 4);
    updateMemory(wave, addresses.space, addresses.at, lanes, access.operation,
                 data.source, access.registers(), old);
  } else {
    old.poisonLanes(access.registers(), wave.active);
  }
  finish(wave, instruction, access, old);
  return Step::Next;
}

/// Whether the operation returns what memory held, by its cache policy.
bool takeReturns(Decoder &decoder) {
  bool returns = decoder.flag("sc0") | decoder.flag("glc");
  std::string_view policy;
  if (decoder.text("th", policy))
    returns |= policy.find("RETURN") != std::string_view::npos;
  decoder.ignore({"sc1", "nt", "slc", "dlc", "scc", "scope", "nv"});
  return returns;
}

/// global_atomic_add v0, v[2:3], v4, off sc0
bool decodeFlatAtomic(Decoder &decoder, AtomicAccess access) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = updateFlat;
  access.returns = takeReturns(decoder);
  size_t first = access.returns ? 1 : 0;
  bool good = decoder.expect(countOperands(access.flat, first + 1)) &&
              (!access.returns ||
               decoder.destination(0, instruction.destination[0], access.registers())) &&
              decoder.source(first + 1, Type::B32, access.data, access.dataRegisters()) &&
              decodeFlatAddress(decoder, first, first + 2, access.flat);
  instruction.extra = decoder.keep(access);
  return good;
}

/// buffer_atomic_add v1, v2, s[4:7], 0 offen sc0: one operand is data and result.
bool decodeBufferAtomic(Decoder &decoder, AtomicAccess access) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = updateBuffer;
  access.returns = takeReturns(decoder);
  bool good = decoder.expect(4) &&
              decoder.source(0, Type::B32, access.data, access.dataRegisters()) &&
              decodeBufferAddress(decoder, 1, access.buffer);
  if (access.returns) {
    instruction.destination[0] = access.data;
    instruction.destination[0].count = static_cast<uint8_t>(access.registers());
  }
  instruction.extra = decoder.keep(access);
  return good;
}
} // namespace

Decoded tilewright::amdgpu::decodeAtomic(Decoder &decoder) {
  std::string_view rest = decoder.mnemonic();
  AtomicAccess access;
  bool isBuffer = consumePrefix(rest, "buffer_"), isReversed;
  if ((!isBuffer && !consumeSegment(rest, access.flat)) ||
      !consumePrefix(rest, "atomic_") || access.flat.segment == FlatMode::Scratch ||
      !parseAtomic(rest, access.operation, isReversed) || isReversed)
    return Decoded::NotMine;
  return decodedIf(isBuffer ? decodeBufferAtomic(decoder, access)
                            : decodeFlatAtomic(decoder, access));
}
