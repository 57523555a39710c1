//===- HalfLanes.cpp - Operations on halves of registers ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/HalfLanes.h"

using namespace tilewright::amdgpu;

ReadSource<uint16_t>::ReadSource(Wave &wave, const Source &source) {
  // abs and neg are of the half.
  Source whole = source;
  whole.keep = ~uint64_t(0);
  whole.flip = 0;
  whole.halves = source.isHigh ? 2 : 1;
  Lanes32 buffer;
  const uint32_t *all = wave.read(whole, buffer);
  const unsigned shift = source.isHigh ? 16 : 0;
  const uint16_t keep = static_cast<uint16_t>(source.keep);
  const uint16_t flip = static_cast<uint16_t>(source.flip);
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    values[lane] = static_cast<uint16_t>((all[lane] >> shift & keep) ^ flip);
  const uint8_t *undefined = wave.readPoison(whole, poisonBuffer);
  poison = undefined ? poisonBuffer.v : nullptr;
  for (unsigned lane = 0; undefined && lane < maxLanes; ++lane)
    poisonBuffer[lane] = undefined[lane] >> (shift / 8) & 3;
}

void tilewright::amdgpu::writeLanes(Wave &wave, const Instruction &instruction,
                                    const LaneArray<uint16_t> &values,
                                    const uint8_t *poison) {
  Source to = instruction.destination[0];
  const bool zeroes = instruction.flags & zeroesOtherHalf;
  const unsigned shift = to.isHigh ? 16 : 0;
  if (!zeroes)
    to.halves = to.isHigh ? 2 : 1;
  const uint32_t *old = wave.vector(to.reg);
  const uint32_t kept = zeroes ? 0 : 0xffff0000u >> shift;
  Lanes32 merged;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    merged[lane] = uint32_t(values[lane]) << shift | (old[lane] & kept);
  LanePoison oldBuffer, mergedPoison;
  const uint8_t *oldPoison = zeroes ? nullptr : wave.readPoison(to, oldBuffer);
  if (poison || oldPoison) {
    const unsigned keptBytes = 0xc >> (shift / 8);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      mergedPoison[lane] =
          static_cast<uint8_t>((poison ? (poison[lane] & 3u) << (shift / 8) : 0) |
                               (oldPoison ? oldPoison[lane] & keptBytes : 0));
  }
  wave.write(to, merged.v, poison || oldPoison ? mergedPoison.v : nullptr);
}
