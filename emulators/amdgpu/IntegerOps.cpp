//===- IntegerOps.cpp - Integer arithmetic, logic and shifts of lanes ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorAlu.h"

using namespace tilewright::amdgpu;

namespace {
/// All bits of each byte that has a bit in `poison`, and back.
constexpr uint32_t bitsOf(uint8_t poison) {
  return (poison & 1 ? 0xffu : 0) | (poison & 2 ? 0xff00u : 0) |
         (poison & 4 ? 0xff0000u : 0) | (poison & 8 ? 0xff000000u : 0);
}
constexpr uint8_t bytesOf(uint32_t bits) {
  return static_cast<uint8_t>((bits & 0xff ? 1 : 0) | (bits & 0xff00 ? 2 : 0) |
                              (bits & 0xff0000 ? 4 : 0) | (bits & 0xff000000 ? 8 : 0));
}

struct And {
  static uint32_t apply(uint32_t a, uint32_t b) { return a & b; }
  /// A defined zero decides.
  static uint8_t poison(uint32_t a, uint32_t b, uint8_t p, uint8_t q) {
    uint32_t x = bitsOf(p), y = bitsOf(q);
    return bytesOf((x & (b | y)) | (y & (a | x)));
  }
};
struct AndOr {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) { return (a & b) | c; }
};
struct Or {
  static uint32_t apply(uint32_t a, uint32_t b) { return a | b; }
  static uint8_t poison(uint32_t a, uint32_t b, uint8_t p, uint8_t q) {
    uint32_t x = bitsOf(p), y = bitsOf(q);
    return bytesOf((x & (~b | y)) | (y & (~a | x)));
  }
};
struct Or3 {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) { return a | b | c; }
};
struct ShiftLeftOr {
  static uint32_t apply(uint32_t a, uint32_t b, uint32_t c) {
    return (a << (b & 31)) | c;
  }
};
struct AddU32 {
  static uint32_t apply(uint32_t a, uint32_t b) { return a + b; }
};
struct ShiftRightArithmeticReversed {
  static uint32_t apply(uint32_t a, uint32_t b) {
    return static_cast<uint32_t>(static_cast<int32_t>(b) >> (a & 31));
  }
};
struct ShiftLeft64Reversed {
  static uint64_t apply(uint32_t a, uint64_t b) { return b << (a & 63); }
};
struct ShiftLeftAdd64 {
  static uint64_t apply(uint64_t a, uint32_t b, uint64_t c) { return (a << (b & 7)) + c; }
};
struct GreaterI32 {
  static bool apply(uint32_t a, uint32_t b) {
    return static_cast<int32_t>(a) > static_cast<int32_t>(b);
  }
};
struct LessI32 {
  static bool apply(uint32_t a, uint32_t b) {
    return static_cast<int32_t>(a) < static_cast<int32_t>(b);
  }
};

using U32 = uint32_t;
using U64 = uint64_t;
constexpr Type B32 = Type::B32, B64 = Type::B64;
constexpr VectorEntry entries[] = {
    {"v_and_b32", map<U32, And, U32, U32>, {B32, B32}, 2},
    {"v_and_or_b32", map<U32, AndOr, U32, U32, U32>, {B32, B32, B32}, 3},
    {"v_or_b32", map<U32, Or, U32, U32>, {B32, B32}, 2},
    {"v_or3_b32", map<U32, Or3, U32, U32, U32>, {B32, B32, B32}, 3},
    {"v_lshl_or_b32", map<U32, ShiftLeftOr, U32, U32, U32>, {B32, B32, B32}, 3},
    {"v_add_u32", map<U32, AddU32, U32, U32>, {B32, B32}, 2},
    {"v_add_nc_u32", map<U32, AddU32, U32, U32>, {B32, B32}, 2},
    {"v_ashrrev_i32", map<U32, ShiftRightArithmeticReversed, U32, U32>, {B32, B32}, 2},
    {"v_lshlrev_b64", map<U64, ShiftLeft64Reversed, U32, U64>, {B32, B64}, 2, 2},
    {"v_lshl_add_u64", map<U64, ShiftLeftAdd64, U64, U32, U64>, {B64, B32, B64}, 3, 2},
    {"v_cmp_gt_i32", compare<GreaterI32, U32>, {B32, B32}, 2, 0},
    {"v_cmp_lt_i32", compare<LessI32, U32>, {B32, B32}, 2, 0},
};
} // namespace

Decoded tilewright::amdgpu::decodeInteger(Decoder &decoder) {
  return decodeVectors(decoder, entries);
}
