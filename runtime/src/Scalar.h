//===- Scalar.h - Scalar arguments in a parameter's dtype --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_SCALAR_H
#define TILEWRIGHT_RUNTIME_SRC_SCALAR_H

#include <cstdint>

namespace tilewright {

enum class ScalarResult { Converted, OutOfRange, NotAnInteger, NotAScalar };

/// Converts a value, given as the bits of a TW_BOOL, TW_I64, TW_U64 or TW_F64, to the
/// word that a launch function takes for a parameter of `dtype`. Integers must fit,
/// floats round to nearest-even and may not overflow to infinity.
ScalarResult convertScalar(int64_t dtype, int64_t from, uint64_t bits, uint64_t &word);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_SCALAR_H
