//===- FloatOps.cpp - Floating-point arithmetic of lanes ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/FloatOps.h"

using namespace tilewright::amdgpu;

namespace {
constexpr Type F16 = Type::F16, F32 = Type::F32, F64 = Type::F64;
constexpr auto Accumulates = FloatEntry::Accumulates;
constexpr auto ZeroesHalf = FloatEntry::ZeroesHalf;

constexpr FloatEntry entries[] = {
    {"v_add_f32", runFloat<Single, Add, 2>, F32, {F32, F32}, 2},
    {"v_sub_f32", runFloat<Single, Subtract, 2>, F32, {F32, F32}, 2},
    {"v_subrev_f32", runFloat<Single, SubtractReversed, 2>, F32, {F32, F32}, 2},
    {"v_mul_f32", runFloat<Single, Multiply, 2>, F32, {F32, F32}, 2},
    {"v_mul_legacy_f32", runFloat<Single, MultiplyLegacy, 2>, F32, {F32, F32}, 2},
    {"v_mul_dx9_zero_f32", runFloat<Single, MultiplyLegacy, 2>, F32, {F32, F32}, 2},
    {"v_fma_f32", runFloat<Single, Fma, 3>, F32, {F32, F32, F32}, 3},
    {"v_fmaak_f32", runFloat<Single, Fma, 3>, F32, {F32, F32, F32}, 3},
    {"v_fmamk_f32", runFloat<Single, Fma, 3>, F32, {F32, F32, F32}, 3},
    {"v_fmac_f32", runFloat<Single, Fma, 3>, F32, {F32, F32, F32}, 3, Accumulates},
    {"v_mad_f32", runFloat<Single, Mad, 3>, F32, {F32, F32, F32}, 3},
    {"v_madak_f32", runFloat<Single, Mad, 3>, F32, {F32, F32, F32}, 3},
    {"v_madmk_f32", runFloat<Single, Mad, 3>, F32, {F32, F32, F32}, 3},
    {"v_mac_f32", runFloat<Single, Mad, 3>, F32, {F32, F32, F32}, 3, Accumulates},
    {"v_mad_legacy_f32", runFloat<Single, MadLegacy, 3>, F32, {F32, F32, F32}, 3},
    {"v_fma_legacy_f32", runFloat<Single, FmaLegacy, 3>, F32, {F32, F32, F32}, 3},
    {"v_fma_dx9_zero_f32", runFloat<Single, FmaLegacy, 3>, F32, {F32, F32, F32}, 3},
    {"v_fmac_dx9_zero_f32",
     runFloat<Single, FmaLegacy, 3>,
     F32,
     {F32, F32, F32},
     3,
     Accumulates},
    {"v_fmac_legacy_f32",
     runFloat<Single, FmaLegacy, 3>,
     F32,
     {F32, F32, F32},
     3,
     Accumulates},

    {"v_add_f64", runFloat<Double, Add, 2>, F64, {F64, F64}, 2},
    {"v_mul_f64", runFloat<Double, Multiply, 2>, F64, {F64, F64}, 2},
    {"v_fma_f64", runFloat<Double, Fma, 3>, F64, {F64, F64, F64}, 3},
    {"v_fmac_f64", runFloat<Double, Fma, 3>, F64, {F64, F64, F64}, 3, Accumulates},

    {"v_add_f16", runFloat<Half, Add, 2>, F16, {F16, F16}, 2, ZeroesHalf},
    {"v_sub_f16", runFloat<Half, Subtract, 2>, F16, {F16, F16}, 2, ZeroesHalf},
    {"v_subrev_f16", runFloat<Half, SubtractReversed, 2>, F16, {F16, F16}, 2, ZeroesHalf},
    {"v_mul_f16", runFloat<Half, Multiply, 2>, F16, {F16, F16}, 2, ZeroesHalf},
    {"v_fma_f16", runFloat<Half, Fma, 3>, F16, {F16, F16, F16}, 3},
    {"v_fmaak_f16", runFloat<Half, Fma, 3>, F16, {F16, F16, F16}, 3},
    {"v_fmamk_f16", runFloat<Half, Fma, 3>, F16, {F16, F16, F16}, 3},
    {"v_fmac_f16", runFloat<Half, Fma, 3>, F16, {F16, F16, F16}, 3, Accumulates},
    {"v_mad_f16", runFloat<Half, MadF16, 3>, F16, {F16, F16, F16}, 3},
    {"v_madak_f16", runFloat<Half, MadF16, 3>, F16, {F16, F16, F16}, 3},
    {"v_madmk_f16", runFloat<Half, MadF16, 3>, F16, {F16, F16, F16}, 3},
    {"v_mac_f16", runFloat<Half, MadF16, 3>, F16, {F16, F16, F16}, 3, Accumulates},
};
} // namespace

Decoded tilewright::amdgpu::decodeFloatArithmetic(Decoder &decoder) {
  return decodeFloats(decoder, entries);
}

Decoded tilewright::amdgpu::decodeFloat(Decoder &decoder) {
  constexpr Family topics[] = {
      decodeFloatArithmetic, decodeFloatFunctions, decodeFloatSelect,  decodeFloatScale,
      decodeFloatDivide,     decodeFloatCompare,   decodeFloatConvert, decodeFloatPack,
      decodeFloatPacked,     decodeFloatMixed,     decodeFloat8,       decodeFloatScaled,
  };
  for (Family topic : topics)
    if (Decoded decoded = topic(decoder); decoded != Decoded::NotMine)
      return decoded;
  return Decoded::NotMine;
}
