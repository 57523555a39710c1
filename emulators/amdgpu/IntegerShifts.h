//===- IntegerShifts.h - Shifts of lanes --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The count is as many bits as the width needs, all in its lowest byte: what is above may
// be undefined.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H

#include "emulators/amdgpu/IntegerAlu.h"

namespace tilewright::amdgpu {

template <typename T> struct ShiftLeft {
  static T apply(T a, uint32_t count) { return static_cast<T>(a << (count % bitsIn<T>)); }
  static uint8_t poison(T, uint32_t count, uint8_t p, uint8_t q) {
    return q & 1 ? 0xff : bytesOf(apply(static_cast<T>(bitsOf(p)), count));
  }
};
template <typename T> struct ShiftRight {
  static T apply(T a, uint32_t count) { return static_cast<T>(a >> (count % bitsIn<T>)); }
  static uint8_t poison(T, uint32_t count, uint8_t p, uint8_t q) {
    return q & 1 ? 0xff : bytesOf(apply(static_cast<T>(bitsOf(p)), count));
  }
};
template <typename T> struct ShiftRightSigned {
  static T apply(T a, uint32_t count) {
    return static_cast<T>(static_cast<Signed<T>>(a) >> (count % bitsIn<T>));
  }
  static uint8_t poison(T, uint32_t count, uint8_t p, uint8_t q) {
    return q & 1 ? 0xff : bytesOf(apply(static_cast<T>(bitsOf(p)), count));
  }
};
/// Operations whose names end in `rev` have their operands the other way round.
template <typename Operation> struct Reversed {
  template <typename A, typename B> static auto apply(A a, B b) {
    return Operation::apply(b, a);
  }
  static uint8_t poison(uint64_t a, uint64_t b, uint8_t p, uint8_t q) {
    return Operation::poison(b, a, q, p);
  }
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H
