//===- Reduction.h - What cp.reduce.async.bulk does to each element -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_REDUCTION_H
#define TILEWRIGHT_EMULATORS_PTX_REDUCTION_H

#include "emulators/ptx/Decode.h"

namespace tilewright::ptx {

enum class Reduction : uint8_t { None, Add, Min, Max, Inc, Dec, And, Or, Xor };

/// Takes the modifier that names a reduction; None, after a failure, if there is none.
Reduction takeReduction(Decoder &decoder);

/// to := to op from, of one element.
using Combine = void (*)(uint8_t *to, const uint8_t *from);
/// How elements of `type` are combined; null where the hardware has no such reduction.
Combine getCombine(Reduction reduction, Type type);

/// Combines `bytes` bytes of elements of `width` bytes each, undefined data with its
/// mark.
void reduceElements(Combine combine, unsigned width, uint8_t *to, uint8_t *toShadow,
                    const uint8_t *from, const uint8_t *fromShadow, size_t bytes);
/// As above, of global memory at `address`, in turn with other threads' atomics.
void reduceGlobal(emulator::GlobalMemory &memory, Combine combine, unsigned width,
                  uint64_t address, uint8_t *to, uint8_t *toShadow, const uint8_t *from,
                  const uint8_t *fromShadow, size_t bytes);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_REDUCTION_H
