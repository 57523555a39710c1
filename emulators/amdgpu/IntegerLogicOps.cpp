//===- IntegerLogicOps.cpp - Logic, shifts and bit fields of lanes ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/IntegerAlu.h"
#include "emulators/amdgpu/IntegerShifts.h"
#include "emulators/amdgpu/UndefinedBits.h"

using namespace tilewright::amdgpu;

namespace {
using U16 = uint16_t;
using U32 = uint32_t;
using U64 = uint64_t;

// Values are computed in their own type, for the compiler to vectorise; what is undefined
// of them is found as of scalars.
#define LOGIC(name, expression, undefined)                                               \
  struct name {                                                                          \
    template <typename T> static T apply(T a, T b) {                                     \
      return static_cast<T>(expression);                                                 \
    }                                                                                    \
    static ScalarValue both(ScalarValue a, ScalarValue b) { return undefined(a, b); }    \
  }
LOGIC(And, a &b, andOf);
LOGIC(Or, a | b, orOf);
LOGIC(Xor, a ^ b, xorOf);
LOGIC(Xnor, ~(a ^ b), xnorOf);
#undef LOGIC

template <typename Logic> struct Bitwise {
  template <typename T> static T apply(T a, T b) { return Logic::apply(a, b); }
  static U64 undefined(U64 a, U64 b, U64 p, U64 q) {
    return Logic::both({a, p}, {b, q}).poison;
  }
};
/// The origin of what is undefined of `value` under `mask`, where that is defined.
Origin findMasked(Wave &wave, const Source &value, const Source &mask) {
  Lanes32 undefined, ofMask;
  if (!Origins::isRegister(value) || !wave.readUndefined(value, undefined))
    return {};
  if (!wave.readUndefined(mask, ofMask))
    ofMask = {};
  uint64_t lanes = 0;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    lanes |= uint64_t(undefined[lane] && !ofMask[lane]) << lane;
  lanes &= wave.active;
  return lanes ? wave.origins.find(value, lanes) : Origin();
}
Step andLanes(Wave &wave, const Instruction &instruction) {
  Origin origin = findMasked(wave, instruction.source[0], instruction.source[1]);
  if (!origin.number)
    origin = findMasked(wave, instruction.source[1], instruction.source[0]);
  map<U32, Bitwise<And>, U32, U32>(wave, instruction);
  if (wave.isPoisoned(instruction.destination[0].reg))
    wave.origins.set(instruction.destination[0], origin);
  return Step::Next;
}
Step xorLanes(Wave &wave, const Instruction &instruction) {
  const Source &first = instruction.source[0], &second = instruction.source[1];
  const uint64_t shared = wave.origins.findShared(first, second);
  if (!shared)
    return map<U32, Bitwise<Xor>, U32, U32>(wave, instruction);
  ReadSource<U32> a(wave, first), b(wave, second);
  UndefinedLanes<U32> p(wave, first, a), q(wave, second, b);
  Lanes32 result, undefined;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    result[lane] = a.values[lane] ^ b.values[lane];
    undefined[lane] =
        shared >> lane & 1 ? p.bits[lane] ^ q.bits[lane] : p.bits[lane] | q.bits[lane];
  }
  writeLanes(wave, instruction, result, undefined);
  return Step::Next;
}

/// Second(First(a, b), c)
template <typename First, typename Second> struct Bitwise3 {
  static U32 apply(U32 a, U32 b, U32 c) { return Second::apply(First::apply(a, b), c); }
  static U64 undefined(U64 a, U64 b, U64 c, U64 p, U64 q, U64 r) {
    return Second::both(First::both({a, p}, {b, q}), {c, r}).poison;
  }
};
struct Not {
  template <typename T> static T apply(T a) { return static_cast<T>(~a); }
  static U64 undefined(U64, U64 p) { return p; }
};

struct ShiftLeftOr {
  static U32 apply(U32 a, U32 b, U32 c) { return (a << (b & 31)) | c; }
  static U64 undefined(U32 a, U32 b, U32 c, U32 p, U32 q, U32 r) {
    return q & 31 ? ~U64(0) : orOf({a << (b & 31), p << (b & 31)}, {c, r}).poison;
  }
};

/// Offset and width are five bits each.
template <bool isSigned> struct ExtractField {
  static U32 apply(U32 a, U32 b, U32 c) {
    return static_cast<U32>(extractBits(a, b & 31, c & 31, 32, isSigned));
  }
  static U64 undefined(U32, U32 b, U32 c, U32 p, U32 q, U32 r) {
    return (q | r) & 31 ? ~U64(0) : apply(p, b, c);
  }
};
struct InsertField {
  static U32 apply(U32 mask, U32 b, U32 c) { return (mask & b) | (~mask & c); }
  static U64 undefined(U64 mask, U64 b, U64 c, U64 x, U64 y, U64 z) {
    // Where the mask is undefined, two equal bits are defined nevertheless.
    return (mask & ~x & y) | (~mask & ~x & z) | (x & (y | z | (b ^ c)));
  }
};
struct MakeMask {
  static U32 apply(U32 a, U32 b) { return ((1u << (a & 31)) - 1) << (b & 31); }
};
struct Reverse {
  static U32 apply(U32 a) {
    a = (a >> 1 & 0x55555555) | (a & 0x55555555) << 1;
    a = (a >> 2 & 0x33333333) | (a & 0x33333333) << 2;
    a = (a >> 4 & 0x0f0f0f0f) | (a & 0x0f0f0f0f) << 4;
    return __builtin_bswap32(a);
  }
  static U64 undefined(U32, U32 p) { return apply(p); }
};
/// {a, b} >> c
template <unsigned unit> struct Align {
  static U32 apply(U32 a, U32 b, U32 c) {
    return static_cast<U32>((U64(a) << 32 | b) >> (c % (32 / unit) * unit));
  }
  static U64 undefined(U32, U32, U32 c, U32 p, U32 q, U32 r) {
    return r % (32 / unit) ? ~U64(0) : apply(p, q, c);
  }
};

/// Each byte of c selects one of {a, b}, its sign, or a constant.
struct Permute {
  static U32 apply(U32 a, U32 b, U32 c) {
    U64 bytes = U64(a) << 32 | b;
    U32 result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      U32 select = c >> (8 * i) & 0xff;
      U32 byte = select < 8    ? static_cast<U32>(bytes >> (8 * select) & 0xff)
                 : select < 12 ? 0xff * static_cast<U32>(bytes >> (16 * select - 113) & 1)
                 : select == 12 ? 0
                                : 0xff;
      result |= byte << (8 * i);
    }
    return result;
  }
  static uint8_t poison(U32, U32, U32 c, uint8_t p, uint8_t q, uint8_t r) {
    unsigned bytes = (p & 0xfu) << 4 | (q & 0xfu), result = 0;
    for (unsigned i = 0; i < 4; ++i) {
      U32 select = c >> (8 * i) & 0xff;
      unsigned undefined = select < 8    ? bytes >> select & 1
                           : select < 12 ? bytes >> (2 * select - 15) & 1
                                         : 0;
      result |= (undefined | (r >> i & 1)) << i;
    }
    return static_cast<uint8_t>(result);
  }
};

struct CountOnes : Upward2 {
  static U32 apply(U32 a, U32 b) { return static_cast<U32>(__builtin_popcount(a)) + b; }
  static uint8_t poison(U32, U32, uint8_t p, uint8_t q) { return p ? 0xff : upward(q); }
};
struct LeadingZeros {
  static U32 apply(U32 a) { return a ? static_cast<U32>(__builtin_clz(a)) : ~0u; }
};
struct TrailingZeros {
  static U32 apply(U32 a) { return a ? static_cast<U32>(__builtin_ctz(a)) : ~0u; }
};
struct LeadingSigns {
  static U32 apply(U32 a) {
    return LeadingZeros::apply(a ^ static_cast<U32>(static_cast<int32_t>(a) >> 31));
  }
};

/// A truth table, `immediate`, of three bits: a is the highest of the index.
template <typename T> Step bitOperation(Wave &wave, const Instruction &instruction) {
  ReadSource<T> a(wave, instruction.source[0]), b(wave, instruction.source[1]),
      c(wave, instruction.source[2]);
  LaneArray<T> result = {};
  for (unsigned index = 0; index < 8; ++index) {
    if (!(instruction.immediate >> index & 1))
      continue;
    const T x = static_cast<T>(index & 4 ? 0 : ~0u),
            y = static_cast<T>(index & 2 ? 0 : ~0u),
            z = static_cast<T>(index & 1 ? 0 : ~0u);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result[lane] |= static_cast<T>((a.values[lane] ^ x) & (b.values[lane] ^ y) &
                                     (c.values[lane] ^ z));
  }
  if (!a.poison && !b.poison && !c.poison) {
    writeLanes(wave, instruction, result, nullptr);
    return Step::Next;
  }
  UndefinedLanes<T> x(wave, instruction.source[0], a), y(wave, instruction.source[1], b),
      z(wave, instruction.source[2], c);
  LaneArray<T> undefined;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    T can[2] = {};
    for (unsigned index = 0; index < 8; ++index)
      can[instruction.immediate >> index & 1] |=
          static_cast<T>(((index & 4 ? a.values[lane] : ~a.values[lane]) | x.bits[lane]) &
                         ((index & 2 ? b.values[lane] : ~b.values[lane]) | y.bits[lane]) &
                         ((index & 1 ? c.values[lane] : ~c.values[lane]) | z.bits[lane]));
    undefined[lane] = can[0] & can[1];
  }
  writeLanes(wave, instruction, result, undefined);
  return Step::Next;
}

/// v_mbcnt_lo, v_mbcnt_hi: the ones of `a` at lanes below, and b.
template <unsigned first> Step countBelow(Wave &wave, const Instruction &instruction) {
  ReadSource<U32> a(wave, instruction.source[0]), b(wave, instruction.source[1]);
  Lanes32 result;
  LanePoison poison;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    unsigned below = lane < first ? 0 : std::min(lane - first, 32u);
    U32 mask = static_cast<U32>((U64(1) << below) - 1);
    result[lane] = CountOnes::apply(a.values[lane] & mask, b.values[lane]);
    poison[lane] = CountOnes::poison(
        0, 0, a.poison ? bytesOf(bitsOf(a.poison[lane]) & mask) : uint8_t(0),
        b.poison ? b.poison[lane] : uint8_t(0));
  }
  writeLanes(wave, instruction, result, a.poison || b.poison ? poison.v : nullptr);
  return Step::Next;
}

constexpr Type B16 = Type::B16, B32 = Type::B32, B64 = Type::B64;
constexpr ResultKind Word = ResultKind::Word, Pair = ResultKind::Pair,
                     Half = ResultKind::Half;
constexpr IntegerEntry entries[] = {
    {"v_and_b32", andLanes, Word, {B32, B32}, 2},
    {"v_or_b32", map<U32, Bitwise<Or>, U32, U32>, Word, {B32, B32}, 2},
    {"v_xor_b32", xorLanes, Word, {B32, B32}, 2},
    {"v_xnor_b32", map<U32, Bitwise<Xnor>, U32, U32>, Word, {B32, B32}, 2},
    {"v_not_b32", map<U32, Not, U32>, Word, {B32}, 1},
    {"v_and_b16", map<U16, Bitwise<And>, U16, U16>, Half, {B16, B16}, 2},
    {"v_or_b16", map<U16, Bitwise<Or>, U16, U16>, Half, {B16, B16}, 2},
    {"v_xor_b16", map<U16, Bitwise<Xor>, U16, U16>, Half, {B16, B16}, 2},
    {"v_not_b16", map<U16, Not, U16>, Half, {B16}, 1},
    {"v_and_or_b32",
     map<U32, Bitwise3<And, Or>, U32, U32, U32>,
     Word,
     {B32, B32, B32},
     3},
    {"v_or3_b32", map<U32, Bitwise3<Or, Or>, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_xor3_b32", map<U32, Bitwise3<Xor, Xor>, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_lshl_or_b32", map<U32, ShiftLeftOr, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_bfe_u32", map<U32, ExtractField<false>, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_bfe_i32", map<U32, ExtractField<true>, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_bfi_b32", map<U32, InsertField, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_bfm_b32", map<U32, MakeMask, U32, U32>, Word, {B32, B32}, 2},
    {"v_bfrev_b32", map<U32, Reverse, U32>, Word, {B32}, 1},
    // The count of these is a half of a register on gfx11.
    {"v_alignbit_b32", map<U32, Align<1>, U32, U32, U16>, Word, {B32, B32, B16}, 3},
    {"v_alignbyte_b32", map<U32, Align<8>, U32, U32, U16>, Word, {B32, B32, B16}, 3},
    {"v_perm_b32", map<U32, Permute, U32, U32, U32>, Word, {B32, B32, B32}, 3},
    {"v_lshlrev_b32",
     map<U32, ReversedShift<ShiftLeft<U32>>, U32, U32>,
     Word,
     {B32, B32},
     2},
    {"v_lshrrev_b32",
     map<U32, ReversedShift<ShiftRight<U32>>, U32, U32>,
     Word,
     {B32, B32},
     2},
    {"v_ashrrev_i32",
     map<U32, ReversedShift<ShiftRightSigned<U32>>, U32, U32>,
     Word,
     {B32, B32},
     2},
    {"v_lshlrev_b64",
     map<U64, ReversedShift<ShiftLeft<U64>>, U32, U64>,
     Pair,
     {B32, B64},
     2},
    {"v_lshrrev_b64",
     map<U64, ReversedShift<ShiftRight<U64>>, U32, U64>,
     Pair,
     {B32, B64},
     2},
    {"v_ashrrev_i64",
     map<U64, ReversedShift<ShiftRightSigned<U64>>, U32, U64>,
     Pair,
     {B32, Type::I64},
     2},
    {"v_bcnt_u32_b32", map<U32, CountOnes, U32, U32>, Word, {B32, B32}, 2},
    {"v_mbcnt_lo_u32_b32", countBelow<0>, Word, {B32, B32}, 2},
    {"v_mbcnt_hi_u32_b32", countBelow<32>, Word, {B32, B32}, 2},
    {"v_ffbh_u32", map<U32, LeadingZeros, U32>, Word, {B32}, 1},
    {"v_clz_i32_u32", map<U32, LeadingZeros, U32>, Word, {B32}, 1},
    {"v_ffbl_b32", map<U32, TrailingZeros, U32>, Word, {B32}, 1},
    {"v_ctz_i32_b32", map<U32, TrailingZeros, U32>, Word, {B32}, 1},
    {"v_ffbh_i32", map<U32, LeadingSigns, U32>, Word, {B32}, 1},
    {"v_cls_i32", map<U32, LeadingSigns, U32>, Word, {B32}, 1},
    {"v_bitop3_b32", bitOperation<U32>, Word, {B32, B32, B32}, 3},
    {"v_bitop3_b16", bitOperation<U16>, Half, {B16, B16, B16}, 3},
};
} // namespace

Decoded tilewright::amdgpu::decodeIntegerLogic(Decoder &decoder) {
  decoder.integer("bitop3", decoder.instruction.immediate);
  return decodeIntegers(decoder, entries);
}
