//===- IntegerBytesOps.cpp - Sums over bytes, saturating packs ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerArithmetic.h"

using namespace tilewright::amdgpu;

namespace {
using U16 = uint16_t;
using U32 = uint32_t;
using U64 = uint64_t;

uint32_t distance(U32 a, U32 b) { return a > b ? a - b : b - a; }
uint32_t byteOf(U64 value, unsigned at) { return value >> (8 * at) & 0xff; }

/// The sum of the absolute differences of four bytes; `isMasked`: of those where b is not
/// zero.
template <bool isMasked> U32 differenceOfBytes(U32 a, U32 b) {
  U32 sum = 0;
  for (unsigned i = 0; i < 4; ++i)
    if (!isMasked || byteOf(b, i))
      sum += distance(byteOf(a, i), byteOf(b, i));
  return sum;
}
U32 plus(U32 a, U32 b, bool clamps) {
  U32 sum = a + b;
  return clamps && sum < a ? ~0u : sum;
}

template <bool isMasked, bool clamps> struct SumBytes {
  static U32 apply(U32 a, U32 b, U32 c) {
    return plus(differenceOfBytes<isMasked>(a, b), c, clamps);
  }
};
template <bool clamps> struct SumBytesHigh {
  static U32 apply(U32 a, U32 b, U32 c) {
    return plus(differenceOfBytes<false>(a, b) << 16, c, clamps);
  }
};
template <bool clamps> struct SumHalves {
  static U32 apply(U32 a, U32 b, U32 c) {
    return plus(distance(a & 0xffff, b & 0xffff) + distance(a >> 16, b >> 16), c, clamps);
  }
};
template <bool clamps> struct SumWord {
  static U32 apply(U32 a, U32 b, U32 c) { return plus(distance(a, b), c, clamps); }
};
struct Average {
  static U32 apply(U32 a, U32 b, U32 c) {
    U32 result = 0;
    for (unsigned i = 0; i < 4; ++i)
      result |= (byteOf(a, i) + byteOf(b, i) + (byteOf(c, i) & 1)) / 2 << (8 * i);
    return result;
  }
  static uint8_t poison(U32, U32, U32, uint8_t p, uint8_t q, uint8_t r) {
    return p | q | r;
  }
};
/// Four sums of the bytes from 0, 1, 2 and 3 on of a.
template <bool isMasked, bool clamps> struct SumWindows {
  static U64 apply(U64 a, U32 b, U64 c) {
    U64 result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      U64 sum = differenceOfBytes<isMasked>(static_cast<U32>(a >> (8 * i)), b) +
                (c >> (16 * i) & 0xffff);
      result |= (clamps ? std::min<U64>(sum, 0xffff) : sum & 0xffff) << (16 * i);
    }
    return result;
  }
};

/// Two values as integers of half their width, the nearest that there are.
template <typename From, typename To> struct SaturatePack {
  static U32 apply(U32 a, U32 b) {
    auto half = [](U32 value) {
      return static_cast<U32>(
          static_cast<U16>(saturate<To>(static_cast<int64_t>(static_cast<From>(value)))));
    };
    return half(a) | half(b) << 16;
  }
  static uint8_t poison(U32, U32, uint8_t p, uint8_t q) {
    return static_cast<uint8_t>((p ? 3 : 0) | (q ? 0xc : 0));
  }
};
struct SaturateBytes {
  static U16 apply(U32 a) {
    U32 low = saturate<uint8_t>(static_cast<int16_t>(a));
    U32 high = saturate<uint8_t>(static_cast<int16_t>(a >> 16));
    return static_cast<U16>(low | high << 8);
  }
  static uint8_t poison(U32, uint8_t p) {
    return static_cast<uint8_t>((p & 3 ? 1 : 0) | (p & 0xc ? 2 : 0));
  }
};
template <typename To> struct ShiftSaturate {
  static U16 apply(U32 a, U32 b, U32 c) {
    auto byte = [c](U32 value) {
      return static_cast<U32>(
          static_cast<uint8_t>(saturate<To>(static_cast<int32_t>(value) >> (c & 31))));
    };
    return static_cast<U16>(byte(a) | byte(b) << 8);
  }
};

constexpr Type B32 = Type::B32, B64 = Type::B64;
#define W3 ResultKind::Word, {B32, B32, B32}, 3
constexpr IntegerEntry entries[] = {
    {"v_sad_u8", map<U32, SumBytes<false, false>, U32, U32, U32>, W3,
     map<U32, SumBytes<false, true>, U32, U32, U32>},
    {"v_msad_u8", map<U32, SumBytes<true, false>, U32, U32, U32>, W3,
     map<U32, SumBytes<true, true>, U32, U32, U32>},
    {"v_sad_hi_u8", map<U32, SumBytesHigh<false>, U32, U32, U32>, W3,
     map<U32, SumBytesHigh<true>, U32, U32, U32>},
    {"v_sad_u16", map<U32, SumHalves<false>, U32, U32, U32>, W3,
     map<U32, SumHalves<true>, U32, U32, U32>},
    {"v_sad_u32", map<U32, SumWord<false>, U32, U32, U32>, W3,
     map<U32, SumWord<true>, U32, U32, U32>},
    {"v_lerp_u8", map<U32, Average, U32, U32, U32>, W3},
    {"v_qsad_pk_u16_u8",
     map<U64, SumWindows<false, false>, U64, U32, U64>,
     ResultKind::Pair,
     {B64, B32, B64},
     3,
     map<U64, SumWindows<false, true>, U64, U32, U64>},
    {"v_mqsad_pk_u16_u8",
     map<U64, SumWindows<true, false>, U64, U32, U64>,
     ResultKind::Pair,
     {B64, B32, B64},
     3,
     map<U64, SumWindows<true, true>, U64, U32, U64>},
    {"v_cvt_pk_u16_u32",
     map<U32, SaturatePack<uint32_t, uint16_t>, U32, U32>,
     ResultKind::Word,
     {B32, B32},
     2},
    {"v_cvt_pk_i16_i32",
     map<U32, SaturatePack<int32_t, int16_t>, U32, U32>,
     ResultKind::Word,
     {B32, B32},
     2},
    {"v_sat_pk_u8_i16", map<U16, SaturateBytes, U32>, ResultKind::Half, {B32}, 1},
    {"v_ashr_pk_i8_i32",
     map<U16, ShiftSaturate<int8_t>, U32, U32, U32>,
     ResultKind::Half,
     {B32, B32, B32},
     3},
    {"v_ashr_pk_u8_i32",
     map<U16, ShiftSaturate<uint8_t>, U32, U32, U32>,
     ResultKind::Half,
     {B32, B32, B32},
     3},
};
#undef W3
} // namespace

Decoded tilewright::amdgpu::decodeIntegerBytes(Decoder &decoder) {
  return decodeIntegers(decoder, entries);
}
