//===- HalfLanes.h - Operations on halves of registers ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sources and results of sixteen bits are in the half that Source::isHigh says. A result
// leaves the register's other half as it is, except for operations of gfx9 that are as
// old as gfx8, which zero it.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_HALFLANES_H
#define TILEWRIGHT_EMULATORS_AMDGPU_HALFLANES_H

#include "emulators/amdgpu/VectorAlu.h"

namespace tilewright::amdgpu {

/// Of Instruction::flags: the result's other half becomes zero.
constexpr uint32_t zeroesOtherHalf = uint32_t(1) << 31;

template <> struct ReadSource<uint16_t> {
  ReadSource(Wave &wave, const Source &source);
  ReadSource(ToRead from) : ReadSource(from.wave, from.source) {}
  ReadSource(const ReadSource &) = delete;
  LaneArray<uint16_t> values;
  LanePoison poisonBuffer;
  const uint8_t *poison;
};

void writeLanes(Wave &wave, const Instruction &instruction,
                const LaneArray<uint16_t> &values, const uint8_t *poison);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_HALFLANES_H
