//===- FloatPacked.h - Operands that hold two floats --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOATPACKED_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOATPACKED_H

#include "emulators/amdgpu/FloatLanes.h"

namespace tilewright::amdgpu {

/// Of the low result and the high one: whether each source's high part is taken (op_sel,
/// op_sel_hi) and negated (neg_lo, neg_hi).
struct PackedModifiers {
  bool select[2][3] = {}, negate[2][3] = {};
};
bool decodePackedModifiers(Decoder &decoder, unsigned count, PackedModifiers &modifiers);

/// A source of two values of 16 bits, whose constants have the hardware's bits.
bool packedHalf(Decoder &decoder, size_t operand, Type type, Source &source);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOATPACKED_H
