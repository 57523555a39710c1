//===- IntegerShifts.h - Shifts of lanes --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The count is as many bits as the width needs: what is above may be undefined.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H

#include "emulators/amdgpu/IntegerAlu.h"

namespace tilewright::amdgpu {

template <typename T> struct ShiftLeft {
  static T apply(T a, uint32_t count) { return static_cast<T>(a << (count % bitsIn<T>)); }
  static uint64_t undefined(T, uint32_t count, uint64_t p, uint64_t q) {
    return q % bitsIn<T> ? ~uint64_t(0) : apply(static_cast<T>(p), count);
  }
};
template <typename T> struct ShiftRight {
  static T apply(T a, uint32_t count) { return static_cast<T>(a >> (count % bitsIn<T>)); }
  static uint64_t undefined(T, uint32_t count, uint64_t p, uint64_t q) {
    return q % bitsIn<T> ? ~uint64_t(0) : apply(static_cast<T>(p), count);
  }
};
template <typename T> struct ShiftRightSigned {
  static T apply(T a, uint32_t count) {
    return static_cast<T>(static_cast<Signed<T>>(a) >> (count % bitsIn<T>));
  }
  static uint64_t undefined(T, uint32_t count, uint64_t p, uint64_t q) {
    return q % bitsIn<T> ? ~uint64_t(0) : apply(static_cast<T>(p), count);
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
template <typename Operation> struct ReversedShift : Reversed<Operation> {
  static uint64_t undefined(uint32_t a, uint64_t b, uint64_t p, uint64_t q) {
    return Operation::undefined(static_cast<decltype(Operation::apply(0, 0))>(b), a, q,
                                p);
  }
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INTEGERSHIFTS_H
