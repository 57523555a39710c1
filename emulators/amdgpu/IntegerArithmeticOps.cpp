//===- IntegerArithmeticOps.cpp - Integer arithmetic of lanes -----------------===//
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

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

struct MultiplyHighU32 {
  static U32 apply(U32 a, U32 b) { return static_cast<U32>(U64(a) * b >> 32); }
};
struct MultiplyHighI32 {
  static U32 apply(U32 a, U32 b) {
    return static_cast<U32>(int64_t(int32_t(a)) * int32_t(b) >> 32);
  }
};

/// Twenty-four bits as a number.
template <bool isSigned> int64_t low24(U32 a) {
  return isSigned ? static_cast<int32_t>(a << 8) >> 8
                  : static_cast<int64_t>(a & 0xffffff);
}
/// Bases of operations on three bytes: the fourth may be undefined.
struct Bytes24 {
  static uint8_t poison(U64, U64, uint8_t p, uint8_t q) { return upward((p | q) & 7); }
};
template <bool isSigned> struct Multiply24 : Bytes24 {
  static U32 apply(U32 a, U32 b) {
    return static_cast<U32>(low24<isSigned>(a) * low24<isSigned>(b));
  }
};
template <bool isSigned> struct MultiplyHigh24 {
  static U32 apply(U32 a, U32 b) {
    return static_cast<U32>(low24<isSigned>(a) * low24<isSigned>(b) >> 32);
  }
  static uint8_t poison(U64, U64, uint8_t p, uint8_t q) { return wholeIf((p | q) & 7); }
};
template <bool isSigned> struct MultiplyAdd24 {
  static U32 apply(U32 a, U32 b, U32 c) { return Multiply24<isSigned>::apply(a, b) + c; }
  static uint8_t poison(U64, U64, U64, uint8_t p, uint8_t q, uint8_t r) {
    return upward(((p | q) & 7) | r);
  }
};
template <bool isSigned> struct MultiplyAdd24Clamped {
  using Value = std::conditional_t<isSigned, int32_t, uint32_t>;
  static U32 apply(U32 a, U32 b, U32 c) {
    int64_t product = low24<isSigned>(a) * low24<isSigned>(b);
    return static_cast<U32>(saturate<Value>(product + static_cast<Value>(c)));
  }
  static uint8_t poison(U64, U64, U64, uint8_t p, uint8_t q, uint8_t r) {
    return wholeIf(((p | q) & 7) | r);
  }
};

/// v_mad_u64_u32 v[0:1], vcc, v2, v3, v[4:5]: the mask has bit 64 of the sum.
template <bool isSigned> Step multiplyAdd64(Wave &wave, const Instruction &instruction) {
  using Wide = std::conditional_t<isSigned, __int128, unsigned __int128>;
  using Narrow = std::conditional_t<isSigned, int32_t, uint32_t>;
  using Sum = std::conditional_t<isSigned, int64_t, uint64_t>;
  ReadSource<U32> a(wave, instruction.source[0]), b(wave, instruction.source[1]);
  ReadSource<U64> c(wave, instruction.source[2]);
  Lanes64 result;
  LanePoison poison;
  ScalarValue carry;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    Wide sum =
        Wide(static_cast<Narrow>(a.values[lane])) * static_cast<Narrow>(b.values[lane]) +
        static_cast<Sum>(c.values[lane]);
    result[lane] = static_cast<U64>(sum);
    carry.bits |= static_cast<U64>(sum >> 64 & 1) << lane;
  }
  const bool any = a.poison || b.poison || c.poison;
  for (unsigned lane = 0; any && lane < maxLanes; ++lane) {
    unsigned bits = (a.poison ? a.poison[lane] : 0) | (b.poison ? b.poison[lane] : 0) |
                    (c.poison ? c.poison[lane] : 0);
    poison[lane] = upward(bits);
    carry.poison |= U64(bits != 0) << lane;
  }
  wave.write(instruction.destination[0], result.v, any ? poison.v : nullptr);
  carry.bits &= wave.active;
  carry.poison &= wave.active;
  wave.writeMask(instruction.destination[1], carry);
  return Step::Next;
}

bool decodeMultiplyAdd64(Decoder &decoder, bool isSigned) {
  Instruction &instruction = decoder.instruction;
  instruction.execute = isSigned ? multiplyAdd64<true> : multiplyAdd64<false>;
  return decoder.expect(5) && decoder.destination(0, instruction.destination[0], 2) &&
         decoder.destination(1, instruction.destination[1],
                             decoder.target.waveSize / 32) &&
         decoder.source(2, Type::B32, instruction.source[0]) &&
         decoder.source(3, Type::B32, instruction.source[1]) &&
         decoder.source(4, isSigned ? Type::I64 : Type::B64, instruction.source[2]);
}

//===----------------------------------------------------------------------===//
// Sums with something else
//===----------------------------------------------------------------------===//

/// Where undefined bytes are after a shift.
template <typename T> uint8_t shiftedLeft(U32 count, uint8_t poison) {
  return bytesOf(ShiftLeft<T>::apply(static_cast<T>(bitsOf(poison)), count));
}
struct ShiftLeftAdd {
  static U32 apply(U32 a, U32 b, U32 c) { return (a << (b & 31)) + c; }
  static uint8_t poison(U64, U32 b, U64, uint8_t p, uint8_t q, uint8_t r) {
    return q & 1 ? 0xff : upward(shiftedLeft<U32>(b, p) | r);
  }
};
struct ShiftLeftAdd64 {
  static U64 apply(U64 a, U32 b, U64 c) { return (a << (b & 7)) + c; }
  static uint8_t poison(U64, U32 b, U64, uint8_t p, uint8_t q, uint8_t r) {
    return q & 1 ? 0xff : upward(shiftedLeft<U64>(b & 7, p) | r);
  }
};
struct AddShiftLeft {
  static U32 apply(U32 a, U32 b, U32 c) { return (a + b) << (c & 31); }
  static uint8_t poison(U64, U64, U32 c, uint8_t p, uint8_t q, uint8_t r) {
    return r & 1 ? 0xff : shiftedLeft<U32>(c, upward(p | q));
  }
};
struct Add3 : Upward3 {
  static U32 apply(U32 a, U32 b, U32 c) { return a + b + c; }
};
struct XorAdd : Upward3 {
  static U32 apply(U32 a, U32 b, U32 c) { return (a ^ b) + c; }
};

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

template <typename T, typename Operation> constexpr Handler two = map<T, Operation, T, T>;
template <typename T, typename Operation>
constexpr Handler three = map<T, Operation, T, T, T>;

constexpr Type B32 = Type::B32, B64 = Type::B64;
constexpr ResultKind Word = ResultKind::Word, Pair = ResultKind::Pair;
using I32 = int32_t;
template <typename Value, Extreme first>
constexpr Handler select2 = two<U32, Select2<Value, first>>;
template <typename Value, Extreme first, Extreme second>
constexpr Handler select3 = three<U32, Select3<Value, first, second>>;
constexpr Extreme Min = Extreme::Min, Max = Extreme::Max;

#define W2 Word, {B32, B32}, 2
#define W3 Word, {B32, B32, B32}, 3
constexpr IntegerEntry entries[] = {
    {"v_add_u32", two<U32, Add>, W2, two<U32, AddClamped<U32>>},
    {"v_add_nc_u32", two<U32, Add>, W2, two<U32, AddClamped<U32>>},
    {"v_add_i32", two<U32, Add>, W2, two<U32, AddClamped<I32>>},
    {"v_add_nc_i32", two<U32, Add>, W2, two<U32, AddClamped<I32>>},
    {"v_sub_u32", two<U32, Subtract>, W2, two<U32, SubtractClamped<U32>>},
    {"v_sub_nc_u32", two<U32, Subtract>, W2, two<U32, SubtractClamped<U32>>},
    {"v_sub_i32", two<U32, Subtract>, W2, two<U32, SubtractClamped<I32>>},
    {"v_sub_nc_i32", two<U32, Subtract>, W2, two<U32, SubtractClamped<I32>>},
    {"v_subrev_u32", two<U32, Reversed<Subtract>>, W2,
     two<U32, ReversedWhole<SubtractClamped<U32>>>},
    {"v_subrev_nc_u32", two<U32, Reversed<Subtract>>, W2,
     two<U32, ReversedWhole<SubtractClamped<U32>>>},
    {"v_add3_u32", three<U32, Add3>, W3},
    {"v_xad_u32", three<U32, XorAdd>, W3},
    {"v_lshl_add_u32", three<U32, ShiftLeftAdd>, W3},
    {"v_add_lshl_u32", three<U32, AddShiftLeft>, W3},
    {"v_lshl_add_u64", map<U64, ShiftLeftAdd64, U64, U32, U64>, Pair, {B64, B32, B64}, 3},
    {"v_mul_lo_u32", two<U32, Multiply>, W2},
    {"v_mul_hi_u32", two<U32, MultiplyHighU32>, W2},
    {"v_mul_hi_i32", two<U32, MultiplyHighI32>, W2},
    {"v_mul_u32_u24", two<U32, Multiply24<false>>, W2},
    {"v_mul_i32_i24", two<U32, Multiply24<true>>, W2},
    {"v_mul_hi_u32_u24", two<U32, MultiplyHigh24<false>>, W2},
    {"v_mul_hi_i32_i24", two<U32, MultiplyHigh24<true>>, W2},
    {"v_mad_u32_u24", three<U32, MultiplyAdd24<false>>, W3,
     three<U32, MultiplyAdd24Clamped<false>>},
    {"v_mad_i32_i24", three<U32, MultiplyAdd24<true>>, W3,
     three<U32, MultiplyAdd24Clamped<true>>},
    {"v_min_u32", select2<U32, Min>, W2},
    {"v_max_u32", select2<U32, Max>, W2},
    {"v_min_i32", select2<I32, Min>, W2},
    {"v_max_i32", select2<I32, Max>, W2},
    {"v_min3_u32", select3<U32, Min, Min>, W3},
    {"v_max3_u32", select3<U32, Max, Max>, W3},
    {"v_min3_i32", select3<I32, Min, Min>, W3},
    {"v_max3_i32", select3<I32, Max, Max>, W3},
    {"v_maxmin_u32", select3<U32, Max, Min>, W3},
    {"v_minmax_u32", select3<U32, Min, Max>, W3},
    {"v_maxmin_i32", select3<I32, Max, Min>, W3},
    {"v_minmax_i32", select3<I32, Min, Max>, W3},
    {"v_med3_u32", three<U32, Median<U32>>, W3},
    {"v_med3_i32", three<U32, Median<I32>>, W3},
};
#undef W2
#undef W3
} // namespace

Decoded tilewright::amdgpu::decodeIntegerArithmetic(Decoder &decoder) {
  std::string_view name = decoder.mnemonic();
  if (name == "v_mad_u64_u32" || name == "v_mad_co_u64_u32")
    return decodedIf(decodeMultiplyAdd64(decoder, false));
  if (name == "v_mad_i64_i32" || name == "v_mad_co_i64_i32")
    return decodedIf(decodeMultiplyAdd64(decoder, true));
  return decodeIntegers(decoder, entries);
}
