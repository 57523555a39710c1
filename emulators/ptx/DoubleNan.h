//===- DoubleNan.h - Which NaN of f64 is kept ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DOUBLENAN_H
#define TILEWRIGHT_EMULATORS_PTX_DOUBLENAN_H

#include "emulators/common/Float.h"

namespace tilewright::ptx {

/// The bits of `result`, or where it is a NaN, the operand's that is one, made quiet: of
/// several b's before c's before a's, as an H100 keeps them.
inline uint64_t keptNan(double result, uint64_t a, uint64_t b, uint64_t c) {
  if (result == result)
    return emulator::bitCast<uint64_t>(result);
  for (uint64_t bits : {b, c, a})
    if (bits << 1 > emulator::doubleInfinity << 1)
      return bits | uint64_t(1) << 51;
  return emulator::bitCast<uint64_t>(result);
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_DOUBLENAN_H
