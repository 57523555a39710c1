//===- IntegerHalfOps.cpp - Integers of sixteen bits --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerArithmetic.h"

using namespace tilewright::amdgpu;

namespace {
using U16 = uint16_t;
using I16 = int16_t;
using U32 = uint32_t;

struct Move16 {
  static U16 apply(U16 a) { return a; }
  static uint8_t poison(U16, uint8_t p) { return p; }
};
template <typename From> struct Widen {
  static U32 apply(U16 a) { return static_cast<U32>(static_cast<From>(a)); }
  static uint8_t poison(U16, uint8_t p) {
    return static_cast<uint8_t>((p & 3) | (std::is_signed_v<From> && p & 2 ? 0xc : 0));
  }
};
/// The product of two halves and a word.
template <typename Half> struct MultiplyAddWide : Upward3 {
  static U32 apply(U16 a, U16 b, U32 c) {
    return static_cast<U32>(int64_t(static_cast<Half>(a)) * static_cast<Half>(b)) + c;
  }
};
template <typename Half> struct MultiplyAddWideClamped {
  using Value = std::conditional_t<std::is_signed_v<Half>, int32_t, uint32_t>;
  static U32 apply(U16 a, U16 b, U32 c) {
    return static_cast<U32>(saturate<Value>(
        int64_t(static_cast<Half>(a)) * static_cast<Half>(b) + static_cast<Value>(c)));
  }
};

template <typename Operation> constexpr Handler two = map<U16, Operation, U16, U16>;
template <typename Operation>
constexpr Handler three = map<U16, Operation, U16, U16, U16>;
template <typename Value, Extreme first>
constexpr Handler select2 = two<Select2<Value, first>>;
template <typename Value, Extreme both>
constexpr Handler select3 = three<Select3<Value, both, both>>;

constexpr Type B16 = Type::B16, B32 = Type::B32;
constexpr Extreme Min = Extreme::Min, Max = Extreme::Max;
#define OLD2 ResultKind::OldHalf, {B16, B16}, 2
#define NEW2 ResultKind::Half, {B16, B16}, 2
#define NEW3 ResultKind::Half, {B16, B16, B16}, 3
constexpr IntegerEntry entries[] = {
    {"v_mov_b16", map<U16, Move16, U16>, ResultKind::Half, {B16}, 1},
    {"v_add_u16", two<Add>, OLD2, two<AddClamped<U16>>},
    {"v_add_nc_u16", two<Add>, NEW2, two<AddClamped<U16>>},
    {"v_add_i16", two<Add>, NEW2, two<AddClamped<I16>>},
    {"v_add_nc_i16", two<Add>, NEW2, two<AddClamped<I16>>},
    {"v_sub_u16", two<Subtract>, OLD2, two<SubtractClamped<U16>>},
    {"v_sub_nc_u16", two<Subtract>, NEW2, two<SubtractClamped<U16>>},
    {"v_sub_i16", two<Subtract>, NEW2, two<SubtractClamped<I16>>},
    {"v_sub_nc_i16", two<Subtract>, NEW2, two<SubtractClamped<I16>>},
    {"v_subrev_u16", two<Reversed<Subtract>>, OLD2,
     two<ReversedWhole<SubtractClamped<U16>>>},
    {"v_mul_lo_u16", two<Multiply>, OLD2},
    {"v_lshlrev_b16", two<ReversedShift<ShiftLeft<U16>>>, OLD2},
    {"v_lshrrev_b16", two<ReversedShift<ShiftRight<U16>>>, OLD2},
    {"v_ashrrev_i16", two<ReversedShift<ShiftRightSigned<U16>>>, OLD2},
    {"v_min_u16", select2<U16, Min>, OLD2},
    {"v_max_u16", select2<U16, Max>, OLD2},
    {"v_min_i16", select2<I16, Min>, OLD2},
    {"v_max_i16", select2<I16, Max>, OLD2},
    {"v_min3_u16", select3<U16, Min>, NEW3},
    {"v_max3_u16", select3<U16, Max>, NEW3},
    {"v_min3_i16", select3<I16, Min>, NEW3},
    {"v_max3_i16", select3<I16, Max>, NEW3},
    {"v_med3_u16", three<Median<U16>>, NEW3},
    {"v_med3_i16", three<Median<I16>>, NEW3},
    {"v_mad_u16", three<MultiplyAdd>, NEW3, three<MultiplyAddClamped<U16>>},
    {"v_mad_i16", three<MultiplyAdd>, NEW3, three<MultiplyAddClamped<I16>>},
    {"v_mad_legacy_u16",
     three<MultiplyAdd>,
     ResultKind::OldHalf,
     {B16, B16, B16},
     3,
     three<MultiplyAddClamped<U16>>},
    {"v_mad_legacy_i16",
     three<MultiplyAdd>,
     ResultKind::OldHalf,
     {B16, B16, B16},
     3,
     three<MultiplyAddClamped<I16>>},
    {"v_mad_u32_u16",
     map<U32, MultiplyAddWide<U16>, U16, U16, U32>,
     ResultKind::Word,
     {B16, B16, B32},
     3,
     map<U32, MultiplyAddWideClamped<U16>, U16, U16, U32>},
    {"v_mad_i32_i16",
     map<U32, MultiplyAddWide<I16>, U16, U16, U32>,
     ResultKind::Word,
     {B16, B16, B32},
     3,
     map<U32, MultiplyAddWideClamped<I16>, U16, U16, U32>},
    {"v_cvt_u32_u16", map<U32, Widen<U16>, U16>, ResultKind::Word, {B16}, 1},
    {"v_cvt_i32_i16", map<U32, Widen<I16>, U16>, ResultKind::Word, {B16}, 1},
};
#undef OLD2
#undef NEW2
#undef NEW3
} // namespace

Decoded tilewright::amdgpu::decodeIntegerHalf(Decoder &decoder) {
  return decodeIntegers(decoder, entries);
}
