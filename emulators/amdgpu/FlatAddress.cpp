//===- FlatAddress.cpp - Addresses of global, flat and scratch operations -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FlatAddress.h"

using namespace tilewright::amdgpu;

bool FlatAddresses::find(Wave &wave, const Instruction &instruction,
                         const FlatMode &mode) {
  const Source &vector = instruction.source[0], &base = instruction.source[1];
  if (vector && !wave.expectSound(vector, "an address"))
    return false;
  uint64_t start = static_cast<uint64_t>(mode.offset);
  if (base) {
    ScalarValue value = wave.readScalar(base);
    if (value.poison) {
      wave.report(Rule::Uninitialised, "the base of an address is undefined",
                  wave.firstLane());
      return false;
    }
    start += value.bits;
  }
  if (vector.count == 1) {
    Lanes32 buffer;
    const uint32_t *offsets = wave.read(vector, buffer);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] = start + offsets[lane];
  } else if (vector) {
    Lanes64 buffer;
    const uint64_t *values = wave.read(vector, buffer);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] = start + values[lane];
  } else {
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] = start;
  }
  if (mode.addsThread)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      at[lane] += 4 * lane;

  auto &lds = lanes[unsigned(Space::Lds)], &own = lanes[unsigned(Space::Private)];
  if (mode.segment == FlatMode::Scratch)
    own = wave.active;
  if (mode.segment == FlatMode::Flat)
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      uint64_t aperture = at[lane] & ~uint64_t(0xffffffff);
      lds |= uint64_t(aperture == sharedAperture) << lane;
      own |= uint64_t(aperture == privateAperture) << lane;
    }
  lds &= wave.active;
  own &= wave.active;
  lanes[unsigned(Space::Global)] = wave.active & ~(lds | own);
  for (uint64_t left = lds | own; left; left &= left - 1)
    at[__builtin_ctzll(left)] &= 0xffffffff;
  return true;
}

bool tilewright::amdgpu::consumeSegment(std::string_view &mnemonic, FlatMode &mode) {
  mode.segment = mnemonic.substr(0, 5) == "flat_"      ? FlatMode::Flat
                 : mnemonic.substr(0, 8) == "scratch_" ? FlatMode::Scratch
                                                       : FlatMode::Global;
  return consumePrefix(mnemonic, "global_") || consumePrefix(mnemonic, "flat_") ||
         consumePrefix(mnemonic, "scratch_");
}

bool tilewright::amdgpu::decodeFlatAddress(Decoder &decoder, size_t vector, size_t scalar,
                                           FlatMode &mode) {
  Instruction &instruction = decoder.instruction;
  instruction.isLateInLds |= mode.segment == FlatMode::Flat;
  decoder.integer("offset", mode.offset);
  bool isScratch = mode.segment == FlatMode::Scratch;
  auto isOff = [&](size_t index) {
    return index >= decoder.count() || decoder.operand(index).kind == Operand::Off;
  };
  bool hasBase = mode.segment != FlatMode::Flat && !isOff(scalar);
  if (hasBase &&
      !decoder.source(scalar, isScratch ? Type::B32 : Type::B64, instruction.source[1]))
    return false;
  if (mode.addsThread || (isScratch && isOff(vector)))
    return true;
  return decoder.source(vector, hasBase || isScratch ? Type::B32 : Type::B64,
                        instruction.source[0]);
}

void tilewright::amdgpu::issueFlat(Wave &wave, const FlatMode &mode, Counter first,
                                   const Source &destination) {
  bool isFlat = mode.segment == FlatMode::Flat;
  // On gfx9 they end in any order with other operations of their counters.
  bool anyOrder = isFlat && wave.group.launch.device.target.isCdna();
  issue(wave, first, destination, 0, anyOrder);
  if (isFlat)
    issue(wave, Counter::Lds, destination, wave.group.tickLate(wave), anyOrder);
}

uint32_t tilewright::amdgpu::orderOf(const Wave &wave, const FlatMode &mode) {
  if (mode.segment != FlatMode::Flat)
    return bitOf(Counter::Load);
  return wave.group.launch.device.target.isCdna()
             ? 0
             : bitOf(Counter::Load) | bitOf(Counter::Lds);
}
