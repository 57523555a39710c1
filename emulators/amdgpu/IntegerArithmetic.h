//===- IntegerArithmetic.h - Arithmetic of every width ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INTEGERARITHMETIC_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INTEGERARITHMETIC_H

#include "emulators/amdgpu/IntegerShifts.h"

namespace tilewright::amdgpu {

struct Add : Upward2 {
  template <typename T> static T apply(T a, T b) { return static_cast<T>(a + b); }
};
struct Subtract : Upward2 {
  template <typename T> static T apply(T a, T b) { return static_cast<T>(a - b); }
};
struct Multiply : Upward2 {
  template <typename T> static T apply(T a, T b) {
    return static_cast<T>(uint64_t(a) * b);
  }
};
struct MultiplyAdd : Upward3 {
  template <typename T> static T apply(T a, T b, T c) {
    return static_cast<T>(uint64_t(a) * b + c);
  }
};

// With `clamp`: the nearest value of the type `Value`, of 16 or 32 bits.
template <typename Value> struct AddClamped {
  template <typename T> static T apply(T a, T b) {
    return static_cast<T>(
        saturate<Value>(int64_t(static_cast<Value>(a)) + static_cast<Value>(b)));
  }
};
template <typename Value> struct SubtractClamped {
  template <typename T> static T apply(T a, T b) {
    return static_cast<T>(
        saturate<Value>(int64_t(static_cast<Value>(a)) - static_cast<Value>(b)));
  }
};
template <typename Value> struct MultiplyAddClamped {
  template <typename T> static T apply(T a, T b, T c) {
    return static_cast<T>(saturate<Value>(
        int64_t(static_cast<Value>(a)) * static_cast<Value>(b) + static_cast<Value>(c)));
  }
};
/// Of operations all of whose result is undefined where a source is.
template <typename Operation> struct ReversedWhole {
  template <typename A, typename B> static auto apply(A a, B b) {
    return Operation::apply(b, a);
  }
};

enum class Extreme : uint8_t { Min, Max };
template <Extreme extreme, typename Value> Value choose(Value a, Value b) {
  return extreme == Extreme::Min ? std::min(a, b) : std::max(a, b);
}
template <typename Value, Extreme extreme> struct Select2 {
  template <typename T> static T apply(T a, T b) {
    return static_cast<T>(choose<extreme>(static_cast<Value>(a), static_cast<Value>(b)));
  }
};
/// second(first(a, b), c)
template <typename Value, Extreme first, Extreme second> struct Select3 {
  template <typename T> static T apply(T a, T b, T c) {
    return Select2<Value, second>::apply(Select2<Value, first>::apply(a, b), c);
  }
};
template <typename Value> struct Median {
  template <typename T> static T apply(T a, T b, T c) {
    using Lower = Select2<Value, Extreme::Min>;
    using Upper = Select2<Value, Extreme::Max>;
    return Upper::apply(Lower::apply(a, b), Lower::apply(Upper::apply(a, b), c));
  }
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INTEGERARITHMETIC_H
