//===- AtomicMemory.h - Read-modify-write operations on memory ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_ATOMICMEMORY_H
#define TILEWRIGHT_EMULATORS_AMDGPU_ATOMICMEMORY_H

#include "emulators/amdgpu/VectorMemory.h"

namespace tilewright::amdgpu {

enum class Atomic : uint8_t {
  Add,
  Subtract,
  ReverseSubtract, ///< data - memory
  SubtractClamp,   ///< not below zero
  SubtractIf,      ///< only where memory is not less
  Increment,       ///< to data, then zero
  Decrement,       ///< to zero, then data
  MinSigned,
  MinUnsigned,
  MaxSigned,
  MaxUnsigned,
  And,
  Or,
  Xor,
  Swap,
  CompareSwap, ///< to data where memory is `second`
  MaskedOr,    ///< clears data's bits, sets `second`'s
  Wrap,        ///< minus data where memory is not less, else plus `second`
  FloatAdd,
  FloatMin,
  FloatMax,
  FloatCompareSwap,
  AddF16x2,
  AddBF16x2,
};

struct AtomicOperation {
  Atomic kind = Atomic::Add;
  uint8_t bytes = 4;
  bool hasSecond() const {
    return kind == Atomic::CompareSwap || kind == Atomic::FloatCompareSwap ||
           kind == Atomic::MaskedOr || kind == Atomic::Wrap;
  }
};

/// The operation that a mnemonic names after "atomic_" or "ds_", without "rtn_":
/// "smin_x2", "add_u32", "cmpst_f64". `isReversed` is set where the compared value is
/// written before the new one, as gfx9's LDS operations do.
bool parseAtomic(std::string_view name, AtomicOperation &operation, bool &isReversed);

/// What memory holds afterwards.
uint64_t applyAtomic(AtomicOperation operation, uint64_t old, uint64_t data,
                     uint64_t second);

/// Does the operation for each of `lanes`, the lowest first. `data` has the registers of
/// the data, then from `secondAt` on of the second; `old` gets what memory held.
void updateMemory(Wave &wave, Space space, const Lanes64 &at, uint64_t lanes,
                  AtomicOperation operation, const LaneSource &data, unsigned secondAt,
                  LaneData &old);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_ATOMICMEMORY_H
