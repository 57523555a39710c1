//===- FloatSelectOps.cpp - Smaller and larger values of lanes ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Three kinds: `min` up to gfx11 (a NaN loses, but a signalling one wins in IEEE mode),
// `min_num` of gfx12 (a NaN loses), `minimum` of gfx12 and gfx950 (a NaN wins). -0 is
// less than +0 in all of them.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatSelectOps.h"

using namespace tilewright::amdgpu;

namespace {
template <typename F, typename Operation, size_t... index>
Step runSelectSources(Wave &wave, const Instruction &instruction,
                      std::index_sequence<index...> indices) {
  using Bits = typename F::Bits;
  ReadSource<Bits> sources[] = {ReadSource<Bits>(wave, instruction.source[index])...};
  const Bits *in[] = {valuesOf(sources[index])...};
  LaneArray<Bits> result;
  selectLanes<F, Operation>({wave, instruction.flags, F::isSingle}, result, in, indices);
  LanePoison buffer;
  writeResult(wave, instruction, result, anyPoison(sources, buffer));
  return Step::Next;
}

template <typename F, typename Operation, unsigned count>
Step select(Wave &wave, const Instruction &instruction) {
  return runSelectSources<F, Operation>(wave, instruction,
                                        std::make_index_sequence<count>());
}

/// The result of one operation is the first source of another.
template <typename First, typename Second> struct Chain {
  template <typename F>
  static typename F::Bits apply(bool isIeee, typename F::Bits a, typename F::Bits b,
                                typename F::Bits c) {
    return Second::template apply<F>(isIeee, First::template apply<F>(isIeee, a, b), c);
  }
};

/// The middle one of three; the least where one is a NaN.
template <typename Min, typename Max> struct Middle {
  template <typename F>
  static typename F::Bits apply(bool isIeee, typename F::Bits a, typename F::Bits b,
                                typename F::Bits c) {
    using Bits = typename F::Bits;
    // Without branches, so that lanes go together.
    Bits least = Chain<Min, Min>::template apply<F>(isIeee, a, b, c);
    Bits largest = Chain<Max, Max>::template apply<F>(isIeee, a, b, c);
    Bits ofBc = Max::template apply<F>(isIeee, b, c);
    Bits ofAc = Max::template apply<F>(isIeee, a, c);
    Bits ofAb = Max::template apply<F>(isIeee, a, b);
    Bits middle = largest == b ? ofAc : ofAb;
    middle = largest == a ? ofBc : middle;
    return isNan<F>(a) | isNan<F>(b) | isNan<F>(c) ? least : middle;
  }
};

constexpr Type F16 = Type::F16, F32 = Type::F32, F64 = Type::F64;
constexpr auto Plain = FloatEntry::Plain, ZeroesHalf = FloatEntry::ZeroesHalf;

template <typename F, typename Operation>
constexpr FloatEntry two(std::string_view name, FloatEntry::Kind kind = Plain) {
  return {name, select<F, Operation, 2>, F::type, {F::type, F::type}, 2, kind};
}
template <typename F, typename Operation>
constexpr FloatEntry three(std::string_view name) {
  return {name, select<F, Operation, 3>, F::type, {F::type, F::type, F::type}, 3};
}

using OldMin = Old<false>;
using OldMax = Old<true>;
using NumMin = Number<false>;
using NumMax = Number<true>;
using Minimum = Propagating<false>;
using Maximum = Propagating<true>;

constexpr FloatEntry entries[] = {
    two<Single, OldMin>("v_min_f32"),
    two<Single, OldMax>("v_max_f32"),
    two<Double, OldMin>("v_min_f64"),
    two<Double, OldMax>("v_max_f64"),
    two<Half, OldMin>("v_min_f16", ZeroesHalf),
    two<Half, OldMax>("v_max_f16", ZeroesHalf),
    three<Single, Chain<OldMin, OldMin>>("v_min3_f32"),
    three<Single, Chain<OldMax, OldMax>>("v_max3_f32"),
    three<Single, Middle<OldMin, OldMax>>("v_med3_f32"),
    three<Single, Chain<OldMin, OldMax>>("v_minmax_f32"),
    three<Single, Chain<OldMax, OldMin>>("v_maxmin_f32"),
    three<Half, Chain<OldMin, OldMin>>("v_min3_f16"),
    three<Half, Chain<OldMax, OldMax>>("v_max3_f16"),
    three<Half, Middle<OldMin, OldMax>>("v_med3_f16"),
    three<Half, Chain<OldMin, OldMax>>("v_minmax_f16"),
    three<Half, Chain<OldMax, OldMin>>("v_maxmin_f16"),

    two<Single, NumMin>("v_min_num_f32"),
    two<Single, NumMax>("v_max_num_f32"),
    two<Double, NumMin>("v_min_num_f64"),
    two<Double, NumMax>("v_max_num_f64"),
    two<Half, NumMin>("v_min_num_f16"),
    two<Half, NumMax>("v_max_num_f16"),
    three<Single, Chain<NumMin, NumMin>>("v_min3_num_f32"),
    three<Single, Chain<NumMax, NumMax>>("v_max3_num_f32"),
    three<Single, Middle<NumMin, NumMax>>("v_med3_num_f32"),
    three<Single, Chain<NumMin, NumMax>>("v_minmax_num_f32"),
    three<Single, Chain<NumMax, NumMin>>("v_maxmin_num_f32"),
    three<Half, Chain<NumMin, NumMin>>("v_min3_num_f16"),
    three<Half, Chain<NumMax, NumMax>>("v_max3_num_f16"),
    three<Half, Middle<NumMin, NumMax>>("v_med3_num_f16"),
    three<Half, Chain<NumMin, NumMax>>("v_minmax_num_f16"),
    three<Half, Chain<NumMax, NumMin>>("v_maxmin_num_f16"),

    two<Single, Minimum>("v_minimum_f32"),
    two<Single, Maximum>("v_maximum_f32"),
    two<Double, Minimum>("v_minimum_f64"),
    two<Double, Maximum>("v_maximum_f64"),
    two<Half, Minimum>("v_minimum_f16"),
    two<Half, Maximum>("v_maximum_f16"),
    three<Single, Chain<Minimum, Minimum>>("v_minimum3_f32"),
    three<Single, Chain<Maximum, Maximum>>("v_maximum3_f32"),
    three<Single, Chain<Minimum, Maximum>>("v_minimummaximum_f32"),
    three<Single, Chain<Maximum, Minimum>>("v_maximumminimum_f32"),
    three<Half, Chain<Minimum, Minimum>>("v_minimum3_f16"),
    three<Half, Chain<Maximum, Maximum>>("v_maximum3_f16"),
    three<Half, Chain<Minimum, Maximum>>("v_minimummaximum_f16"),
    three<Half, Chain<Maximum, Minimum>>("v_maximumminimum_f16"),
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatSelect(Decoder &decoder) {
  return decodeFloats(decoder, entries);
}
