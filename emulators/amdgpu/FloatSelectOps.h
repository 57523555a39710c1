//===- FloatSelectOps.h - Smaller and larger values ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_FLOATSELECTOPS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_FLOATSELECTOPS_H

#include "emulators/amdgpu/FloatLanes.h"

namespace tilewright::amdgpu {

/// Bits in the order of the values: -0 before +0.
template <typename F> constexpr auto orderOf(typename F::Bits bits) {
  using Signed = std::make_signed_t<typename F::Bits>;
  // The magnitude of a negative value counts down.
  constexpr typename F::Bits rest = typename F::Bits(~signBit<F>);
  return static_cast<Signed>(bits & signBit<F> ? typename F::Bits(bits ^ rest) : bits);
}
/// Of two that are no NaNs.
template <typename F, bool larger>
constexpr typename F::Bits extremeOf(typename F::Bits a, typename F::Bits b) {
  bool isFirst = larger ? orderOf<F>(a) >= orderOf<F>(b) : orderOf<F>(a) <= orderOf<F>(b);
  return isFirst ? a : b;
}
template <typename F> constexpr typename F::Bits quiet(typename F::Bits nan) {
  return nan | quietBit<F>;
}

template <bool larger> struct Old {
  template <typename F>
  static typename F::Bits apply(bool isIeee, typename F::Bits a, typename F::Bits b) {
    typename F::Bits result = extremeOf<F, larger>(a, b);
    result = isNan<F>(b) ? a : result;
    result = isNan<F>(a) ? b : result;
    result = isIeee && isSignalling<F>(b) ? quiet<F>(b) : result;
    return isIeee && isSignalling<F>(a) ? quiet<F>(a) : result;
  }
};
template <bool larger> struct Number {
  template <typename F>
  static typename F::Bits apply(bool, typename F::Bits a, typename F::Bits b) {
    typename F::Bits result = extremeOf<F, larger>(a, b);
    result = isNan<F>(b) ? a : result;
    typename F::Bits ofNan = isNan<F>(b) ? quiet<F>(a) : b;
    return isNan<F>(a) ? ofNan : result;
  }
};
template <bool larger> struct Propagating {
  template <typename F>
  static typename F::Bits apply(bool, typename F::Bits a, typename F::Bits b) {
    typename F::Bits result = extremeOf<F, larger>(a, b);
    result = isNan<F>(b) ? quiet<F>(b) : result;
    // A signalling NaN comes before a quiet one.
    return isNan<F>(a) && !(isSignalling<F>(b) && !isSignalling<F>(a)) ? quiet<F>(a)
                                                                       : result;
  }
};

template <typename F, typename Operation, typename... Sources>
[[gnu::noinline]] void pickLanes(bool isIeee,
                                 LaneArray<typename F::Bits> &__restrict result,
                                 const Sources *__restrict... in) {
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = Operation::template apply<F>(isIeee, in[lane]...);
}

template <typename F, typename Operation, size_t... index>
void selectLanes(const Environment &environment, LaneArray<typename F::Bits> &result,
                 const typename F::Bits **in, std::index_sequence<index...>) {
  constexpr size_t count = sizeof...(index);
  LaneArray<typename F::Bits> copies[count];
  if (environment.flushesSources)
    for (size_t i = 0; i < count; ++i) {
      memcpy(copies[i].v, in[i], sizeof(copies[i].v));
      flushLanes<F>(copies[i]);
      in[i] = copies[i].v;
    }
  pickLanes<F, Operation>(environment.isIeee, result, in[index]...);
  if (environment.changesResults())
    finishLanes<F>(environment, result);
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_FLOATSELECTOPS_H
