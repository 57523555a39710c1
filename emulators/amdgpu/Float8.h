//===- Float8.h - Formats of eight bits and fewer -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOAT8_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOAT8_H

#include "emulators/amdgpu/FloatLanes.h"

namespace tilewright::amdgpu {

/// What fp8 and bf8 are on a target: without infinities and with one NaN on gfx942
/// ("fnuz"), OCP's later.
const emulator::Format &fp8Of(const Target &target);
const emulator::Format &bf8Of(const Target &target);

/// `value` in a small format, to nearest even. Too large ones are the largest where
/// FP16_OVFL says so and the format has something else.
uint32_t roundToSmall(const emulator::Format &format, double value, bool saturates);

/// The same, up with the probability of what is cut off: where `seed`, a fraction of
/// 2^32, and the part cut off make up a whole one.
uint32_t roundStochastically(const emulator::Format &format, double value, uint32_t seed,
                             bool saturates);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOAT8_H
