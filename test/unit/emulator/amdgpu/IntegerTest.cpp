//===- IntegerTest.cpp - Integers of lanes ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;

namespace {
using U32 = uint32_t;
using U64 = uint64_t;
using I32 = int32_t;
using I64 = int64_t;

/// An instruction on v0, v1, v2 into v10, as CDNA and as RDNA call it ("" where they lack
/// it), and what it gives.
struct Case {
  const char *cdna, *rdna, *operands;
  U32 (*expected)(U32 a, U32 b, U32 c);
};

U32 bytes(U32 v, int i) { return v >> (8 * i) & 255; }
I32 low24(U32 v) { return I32(v & 0xffffff) - ((v & 0x800000) ? 0x1000000 : 0); }
U32 clampTo(I64 v, I64 low, I64 high) { return U32(v < low ? low : v > high ? high : v); }
U32 field(U32 a, U32 b, U32 c, bool isSigned) {
  U32 offset = b % 32, width = c % 32, value = a >> offset;
  if (width == 0)
    return 0;
  if (offset + width > 32)
    return isSigned ? U32(I32(a) >> offset) : value;
  U32 mask = (1u << width) - 1;
  bool extends = isSigned && value >> (width - 1) & 1;
  return extends ? value | ~mask : value & mask;
}
const Case cases[] = {
    {"v_and_b32", "v_and_b32", "v10, v0, v1", [](U32 a, U32 b, U32) { return a & b; }},
    {"v_or_b32", "v_or_b32", "v10, v0, v1", [](U32 a, U32 b, U32) { return a | b; }},
    {"v_xor_b32", "v_xor_b32", "v10, v0, v1", [](U32 a, U32 b, U32) { return a ^ b; }},
    {"v_xnor_b32", "v_xnor_b32", "v10, v0, v1", [](U32 a, U32 b, U32) { return ~a ^ b; }},
    {"v_not_b32", "v_not_b32", "v10, v0", [](U32 a, U32, U32) { return ~a; }},
    {"v_and_or_b32", "v_and_or_b32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a & b) | c; }},
    {"v_or3_b32", "v_or3_b32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return a | b | c; }},
    {"", "v_xor3_b32", "v10, v0, v1, v2", [](U32 a, U32 b, U32 c) { return a ^ b ^ c; }},
    {"v_lshl_or_b32", "v_lshl_or_b32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a << b % 32) | c; }},
    {"v_lshlrev_b32", "v_lshlrev_b32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return b << a % 32; }},
    {"v_lshrrev_b32", "v_lshrrev_b32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return b >> a % 32; }},
    {"v_ashrrev_i32", "v_ashrrev_i32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(I64(I32(b)) >> a % 32); }},
    {"v_bfe_u32", "v_bfe_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return field(a, b, c, false); }},
    {"v_bfe_i32", "v_bfe_i32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return field(a, b, c, true); }},
    {"v_bfi_b32", "v_bfi_b32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return c ^ (a & (b ^ c)); }},
    {"v_bfm_b32", "v_bfm_b32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(((U64(1) << a % 32) - 1) << b % 32); }},
    {"v_bfrev_b32", "v_bfrev_b32", "v10, v0",
     [](U32 a, U32, U32) {
       U32 r = 0;
       for (int i = 0; i < 32; ++i)
         r = r << 1 | (a >> i & 1);
       return r;
     }},
    {"v_alignbit_b32", "v_alignbit_b32", "v10, v0, v1, 13",
     [](U32 a, U32 b, U32) { return a << 19 | b >> 13; }},
    {"v_alignbyte_b32", "v_alignbyte_b32", "v10, v0, v1, 7",
     [](U32 a, U32 b, U32) { return a << 8 | b >> 24; }},
    {"v_perm_b32", "v_perm_b32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       U32 r = 0;
       for (int i = 0; i < 4; ++i) {
         U32 s = bytes(c, i), v = 0xff;
         if (s <= 3)
           v = bytes(b, int(s));
         else if (s <= 7)
           v = bytes(a, int(s) - 4);
         else if (s == 8 || s == 9)
           v = b >> (s == 8 ? 15 : 31) & 1 ? 255 : 0;
         else if (s == 10 || s == 11)
           v = a >> (s == 10 ? 15 : 31) & 1 ? 255 : 0;
         else if (s == 12)
           v = 0;
         r |= v << (8 * i);
       }
       return r;
     }},
    {"v_bcnt_u32_b32", "v_bcnt_u32_b32", "v10, v0, v1",
     [](U32 a, U32 b, U32) {
       for (int i = 0; i < 32; ++i)
         b += a >> i & 1;
       return b;
     }},
    {"v_ffbh_u32", "v_clz_i32_u32", "v10, v0",
     [](U32 a, U32, U32) {
       for (U32 i = 0; i < 32; ++i)
         if (a >> (31 - i) & 1)
           return i;
       return ~0u;
     }},
    {"v_ffbl_b32", "v_ctz_i32_b32", "v10, v0",
     [](U32 a, U32, U32) {
       for (U32 i = 0; i < 32; ++i)
         if (a >> i & 1)
           return i;
       return ~0u;
     }},
    {"v_ffbh_i32", "v_cls_i32", "v10, v0",
     [](U32 a, U32, U32) {
       for (U32 i = 1; i < 32; ++i)
         if ((a >> (31 - i) & 1) != a >> 31)
           return i;
       return ~0u;
     }},
    {"v_add_u32", "v_add_nc_u32", "v10, v0, v1", [](U32 a, U32 b, U32) { return a + b; }},
    {"v_add_u32", "v_add_nc_u32", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) { return clampTo(I64(a) + b, 0, 0xffffffff); }},
    {"v_add_i32", "v_add_nc_i32", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) { return clampTo(I64(I32(a)) + I32(b), INT32_MIN, INT32_MAX); }},
    {"v_sub_u32", "v_sub_nc_u32", "v10, v0, v1", [](U32 a, U32 b, U32) { return a - b; }},
    {"v_sub_u32", "v_sub_nc_u32", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) { return a > b ? a - b : 0; }},
    {"v_sub_i32", "v_sub_nc_i32", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) { return clampTo(I64(I32(a)) - I32(b), INT32_MIN, INT32_MAX); }},
    {"v_subrev_u32", "v_subrev_nc_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return b - a; }},
    {"v_subrev_u32", "v_subrev_nc_u32", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) { return b > a ? b - a : 0; }},
    {"v_add3_u32", "v_add3_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return a + b + c; }},
    {"v_xad_u32", "v_xad_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a ^ b) + c; }},
    {"v_lshl_add_u32", "v_lshl_add_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a << b % 32) + c; }},
    {"v_add_lshl_u32", "v_add_lshl_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a + b) << c % 32; }},
    {"v_mul_lo_u32", "v_mul_lo_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return a * b; }},
    {"v_mul_hi_u32", "v_mul_hi_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(U64(a) * b >> 32); }},
    {"v_mul_hi_i32", "v_mul_hi_i32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(I64(I32(a)) * I32(b) >> 32); }},
    {"v_mul_u32_u24", "v_mul_u32_u24", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return (a & 0xffffff) * (b & 0xffffff); }},
    {"v_mul_i32_i24", "v_mul_i32_i24", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(I64(low24(a)) * low24(b)); }},
    {"v_mul_hi_u32_u24", "v_mul_hi_u32_u24", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(U64(a & 0xffffff) * (b & 0xffffff) >> 32); }},
    {"v_mul_hi_i32_i24", "v_mul_hi_i32_i24", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return U32(I64(low24(a)) * low24(b) >> 32); }},
    {"v_mad_u32_u24", "v_mad_u32_u24", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return (a & 0xffffff) * (b & 0xffffff) + c; }},
    {"v_mad_i32_i24", "v_mad_i32_i24", "v10, v0, v1, v2 clamp",
     [](U32 a, U32 b, U32 c) {
       return clampTo(I64(low24(a)) * low24(b) + I32(c), INT32_MIN, INT32_MAX);
     }},
    {"v_min_u32", "v_min_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return a < b ? a : b; }},
    {"v_max_u32", "v_max_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return a < b ? b : a; }},
    {"v_min_i32", "v_min_i32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return I32(a) < I32(b) ? a : b; }},
    {"v_max_i32", "v_max_i32", "v10, v0, v1",
     [](U32 a, U32 b, U32) { return I32(a) < I32(b) ? b : a; }},
    {"v_min3_i32", "v_min3_i32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return U32(std::min({I32(a), I32(b), I32(c)})); }},
    {"v_max3_u32", "v_max3_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return std::max({a, b, c}); }},
    {"v_med3_i32", "v_med3_i32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       I32 v[] = {I32(a), I32(b), I32(c)};
       std::sort(v, v + 3);
       return U32(v[1]);
     }},
    {"v_med3_u32", "v_med3_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       U32 v[] = {a, b, c};
       std::sort(v, v + 3);
       return v[1];
     }},
    {"", "v_maxmin_i32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return U32(std::min(std::max(I32(a), I32(b)), I32(c))); }},
    {"", "v_minmax_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return std::max(std::min(a, b), c); }},
    {"v_sad_u8", "v_sad_u8", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       for (int i = 0; i < 4; ++i)
         c += U32(std::abs(I32(bytes(a, i)) - I32(bytes(b, i))));
       return c;
     }},
    {"v_msad_u8", "v_msad_u8", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       for (int i = 0; i < 4; ++i)
         c += bytes(b, i) ? U32(std::abs(I32(bytes(a, i)) - I32(bytes(b, i)))) : 0;
       return c;
     }},
    {"v_sad_u16", "v_sad_u16", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       return c + U32(std::abs(I32(a & 0xffff) - I32(b & 0xffff))) +
              U32(std::abs(I32(a >> 16) - I32(b >> 16)));
     }},
    {"v_sad_u32", "v_sad_u32", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) { return c + (a < b ? b - a : a - b); }},
    {"v_lerp_u8", "v_lerp_u8", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       U32 r = 0;
       for (int i = 0; i < 4; ++i)
         r |= (bytes(a, i) + bytes(b, i) + (bytes(c, i) & 1)) >> 1 << (8 * i);
       return r;
     }},
    {"v_cvt_pk_u16_u32", "v_cvt_pk_u16_u32", "v10, v0, v1",
     [](U32 a, U32 b, U32) {
       return std::min(a, 0xffffu) | std::min(b, 0xffffu) << 16;
     }},
    {"v_cvt_pk_i16_i32", "v_cvt_pk_i16_i32", "v10, v0, v1",
     [](U32 a, U32 b, U32) {
       return (clampTo(I32(a), -32768, 32767) & 0xffff) |
              clampTo(I32(b), -32768, 32767) << 16;
     }},
    {"v_dot4_u32_u8", "v_dot4_u32_u8", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       for (int i = 0; i < 4; ++i)
         c += bytes(a, i) * bytes(b, i);
       return c;
     }},
    {"v_dot4_i32_i8", "", "v10, v0, v1, v2 clamp",
     [](U32 a, U32 b, U32 c) {
       I64 s = I32(c);
       for (int i = 0; i < 4; ++i)
         s += I64(int8_t(bytes(a, i))) * int8_t(bytes(b, i));
       return clampTo(s, INT32_MIN, INT32_MAX);
     }},
    {"", "v_dot4_i32_iu8", "v10, v0, v1, v2 neg_lo:[1,0,0] clamp",
     [](U32 a, U32 b, U32 c) {
       I64 s = I32(c);
       for (int i = 0; i < 4; ++i)
         s += I64(int8_t(bytes(a, i))) * bytes(b, i);
       return clampTo(s, INT32_MIN, INT32_MAX);
     }},
    {"v_dot4c_i32_i8", "", "v10, v0, v1",
     [](U32 a, U32 b, U32) {
       U32 s = 0xa5a5a5a5;
       for (int i = 0; i < 4; ++i)
         s += U32(int8_t(bytes(a, i)) * int8_t(bytes(b, i)));
       return s;
     }},
    {"v_pk_add_u16", "v_pk_add_u16", "v10, v0, v1 op_sel:[1,0] op_sel_hi:[0,1]",
     [](U32 a, U32 b, U32) {
       return ((a >> 16) + b) % 65536 | ((a & 0xffff) + (b >> 16)) << 16;
     }},
    {"v_pk_add_i16", "v_pk_add_i16", "v10, v0, v1 clamp",
     [](U32 a, U32 b, U32) {
       return (clampTo(int16_t(a) + int16_t(b), -32768, 32767) & 0xffff) |
              clampTo(int16_t(a >> 16) + int16_t(b >> 16), -32768, 32767) << 16;
     }},
    {"v_pk_mad_u16", "v_pk_mad_u16", "v10, v0, v1, v2",
     [](U32 a, U32 b, U32 c) {
       return (a * b + c) % 65536 | ((a >> 16) * (b >> 16) + (c >> 16)) << 16;
     }},
    {"v_pk_lshlrev_b16", "v_pk_lshlrev_b16", "v10, 3, v1 op_sel_hi:[0,1]",
     [](U32, U32 b, U32) { return (b << 3 & 0xffff) | (b >> 16 << 3) << 16; }},
    {"v_pk_max_i16", "v_pk_max_i16", "v10, v0, v1",
     [](U32 a, U32 b, U32) {
       return (U32(std::max(int16_t(a), int16_t(b))) & 0xffff) |
              U32(std::max(int16_t(a >> 16), int16_t(b >> 16))) << 16;
     }},
};
} // namespace

TEST(Integer, Operations) {
  for (const char *target : everyTarget) {
    // One program: each operation has its own result.
    std::string text;
    uint16_t next = 10;
    std::vector<std::pair<const Case *, uint16_t>> all;
    for (const Case &one : cases) {
      std::string name = isCdna(target) ? one.cdna : one.rdna;
      if (name.empty())
        continue;
      std::string operands = one.operands;
      operands.replace(operands.find("v10"), 3, "v" + std::to_string(next));
      text += name + " " + operands + "\n";
      all.push_back({&one, next++});
    }
    auto machine = runSamples(target, text);
    for (const auto &[one, reg] : all)
      for (unsigned item = 0; item < sampleCount; ++item)
        ASSERT_EQ(resultOf(*machine, reg, item),
                  one->expected(sample(0, item), sample(1, item), sample(2, item)))
            << target << " " << one->cdna << " " << one->rdna << " " << one->operands
            << std::hex << " " << sample(0, item) << " " << sample(1, item) << " "
            << sample(2, item);
  }
}

TEST(Integer, Pairs) {
  struct {
    const char *cdna, *rdna;
    U64 (*expected)(U64 a, U64 b, U64 c, U32 x, U32 y);
  } const pairs[] = {
      {"v_lshlrev_b64 v[10:11], v0, v[4:5]", "v_lshlrev_b64 v[10:11], v0, v[4:5]",
       [](U64 a, U64, U64, U32 x, U32) { return a << x % 64; }},
      {"v_lshrrev_b64 v[10:11], v0, v[4:5]", "v_lshrrev_b64 v[10:11], v0, v[4:5]",
       [](U64 a, U64, U64, U32 x, U32) { return a >> x % 64; }},
      {"v_ashrrev_i64 v[10:11], v0, v[4:5]", "v_ashrrev_i64 v[10:11], v0, v[4:5]",
       [](U64 a, U64, U64, U32 x, U32) { return U64(I64(a) >> x % 64); }},
      {"v_mad_u64_u32 v[10:11], vcc, v0, v1, v[8:9]",
       "v_mad_u64_u32 v[10:11], vcc_lo, v0, v1, v[8:9]",
       [](U64, U64, U64 c, U32 x, U32 y) { return U64(x) * y + c; }},
      {"v_mad_i64_i32 v[10:11], vcc, v0, v1, v[8:9]",
       "v_mad_i64_i32 v[10:11], vcc_lo, v0, v1, v[8:9]",
       [](U64, U64, U64 c, U32 x, U32 y) { return U64(I64(I32(x)) * I32(y)) + c; }},
      {"v_pk_mov_b32 v[10:11], v[4:5], v[6:7] op_sel:[1,0]", "",
       [](U64 a, U64 b, U64, U32, U32) { return a >> 32 | b << 32; }},
  };
  for (const char *target : everyTarget)
    for (const auto &one : pairs) {
      std::string text = isCdna(target) ? one.cdna : one.rdna;
      if (text.empty())
        continue;
      auto machine = runSamples(target, text);
      for (unsigned item = 0; item < sampleCount; ++item)
        ASSERT_EQ(resultOf(*machine, 10, item) | U64(resultOf(*machine, 11, item)) << 32,
                  one.expected(sample64(0, item), sample64(1, item), sample64(4, item),
                               sample(0, item), sample(1, item)))
            << target << " " << text << " " << item;
      if (text.find("v_mad_u64") == 0)
        for (unsigned item = 0; item < sampleCount; ++item) {
          U64 product = U64(sample(0, item)) * sample(1, item);
          EXPECT_EQ(maskBit(*machine, Vcc, item), product + sample64(4, item) < product);
        }
    }
}

TEST(Integer, CarriesAndChoices) {
  for (const char *target : everyTarget) {
    const bool cdna = isCdna(target);
    const std::string vcc = cdna ? "vcc" : "vcc_lo";
    auto machine = runSamples(
        target, "v_cmp_lt_u32 " + vcc + ", v2, v1\nv_cndmask_b32 v13, v0, v1, " + vcc +
                    "\nv_" + (cdna ? "addc_co_u32" : "add_co_ci_u32") + " v10, " + vcc +
                    ", v0, v1, " + vcc + "\ns_mov_b64 s[0:1], vcc\nv_sub_co_u32 v11, " +
                    vcc + ", v0, v1\ns_mov_b64 s[2:3], vcc\nv_" +
                    (cdna ? "subbrev_co_u32" : "subrev_co_ci_u32") + " v12, " + vcc +
                    ", v0, v1, " + vcc);
    for (unsigned item = 0; item < sampleCount; ++item) {
      U32 a = sample(0, item), b = sample(1, item), c = sample(2, item);
      U64 sum = U64(a) + b + (c < b);
      ASSERT_EQ(resultOf(*machine, 13, item), c < b ? b : a);
      ASSERT_EQ(resultOf(*machine, 10, item), U32(sum));
      ASSERT_EQ(maskBit(*machine, 0, item), sum >> 32);
      ASSERT_EQ(resultOf(*machine, 11, item), a - b);
      ASSERT_EQ(maskBit(*machine, 2, item), a < b);
      ASSERT_EQ(resultOf(*machine, 12, item), b - a - (a < b));
      ASSERT_EQ(maskBit(*machine, Vcc, item), U64(b) < U64(a) + (a < b));
    }
  }
}

TEST(Integer, Comparisons) {
  const char *relations[] = {"lt", "eq", "le", "gt", "ne", "ge"};
  auto holds = [](int relation, auto a, auto b) {
    const bool all[] = {a<b, a == b, a <= b, a> b, a != b, a >= b};
    return all[relation];
  };
  for (const char *target : everyTarget)
    for (int relation = 0; relation < 6; ++relation) {
      std::string text;
      const char *types[] = {"i32", "u32", "i64", "u64"};
      for (int type = 0; type < 4; ++type) {
        std::string to = isCdna(target) ? "s[" + std::to_string(2 * type) + ":" +
                                              std::to_string(2 * type + 1) + "]"
                                        : "s" + std::to_string(2 * type);
        text += std::string("v_cmp_") + relations[relation] + "_" + types[type] +
                "_e64 " + to + (type < 2 ? ", v0, v1\n" : ", v[4:5], v[6:7]\n");
      }
      auto machine = runSamples(target, text);
      for (unsigned item = 0; item < sampleCount; ++item) {
        U32 a = sample(0, item), b = sample(1, item);
        U64 x = sample64(0, item), y = sample64(1, item);
        ASSERT_EQ(maskBit(*machine, 0, item), holds(relation, I32(a), I32(b)));
        ASSERT_EQ(maskBit(*machine, 2, item), holds(relation, a, b));
        ASSERT_EQ(maskBit(*machine, 4, item), holds(relation, I64(x), I64(y)));
        ASSERT_EQ(maskBit(*machine, 6, item), holds(relation, x, y));
      }
    }
}

TEST(Integer, ComparisonsThatSetExec) {
  for (const char *target : everyTarget) {
    Machine machine(target, isCdna(target) ? "v_cmpx_gt_u32 vcc, 5, v0\nv_mov_b32 v1, 1"
                                           : "v_cmpx_gt_u32 5, v0\nv_mov_b32 v1, 1");
    machine.set(0, [](unsigned lane) { return lane; });
    machine.set(1, 0u);
    machine.setExec(0x16);
    machine.setScalar64(Vcc, 0);
    machine.runClean();
    EXPECT_EQ(machine.getScalar(Exec), 0x16u);
    EXPECT_EQ(machine.getScalar(Vcc), isCdna(target) ? 0x16u : 0u);
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(machine.get(1, lane), lane < 5 && 0x16 >> lane & 1) << target << lane;
  }
}

TEST(Integer, TruthTables) {
  for (int table : {0x1b, 0x96, 0xca, 0x01}) {
    auto machine = runSamples("gfx950", "v_bitop3_b32 v10, v0, v1, v2 bitop3:" +
                                            std::to_string(table));
    for (unsigned item = 0; item < sampleCount; ++item) {
      U32 expected = 0;
      for (int bit = 0; bit < 32; ++bit) {
        int index = (sample(0, item) >> bit & 1) * 4 + (sample(1, item) >> bit & 1) * 2 +
                    (sample(2, item) >> bit & 1);
        expected |= U32(table >> index & 1) << bit;
      }
      ASSERT_EQ(resultOf(*machine, 10, item), expected);
    }
  }
}

TEST(Integer, UndefinedBytesGoWhereTheirBitsGo) {
  struct {
    const char *text;
    uint8_t poison;
  } const all[] = {
      {"v_lshlrev_b32 v10, 8, v0", 0x8},
      {"v_lshrrev_b32 v10, 16, v0", 0x1},
      {"v_ashrrev_i32 v10, 4, v0", 0x6},
      {"v_perm_b32 v10, v0, v1, v2", 0x5},
      {"v_bfe_u32 v10, v0, 0, 16", 0},
      {"v_bfe_i32 v10, v0, 16, 8", 0xf},
      {"v_alignbit_b32 v10, v0, v1, 16", 0},
      {"v_alignbit_b32 v10, v1, v0, 16", 0x1},
      {"v_and_b32 v10, 0xff00ffff, v0", 0},
      {"v_or_b32 v10, 0xff0000, v0", 0},
      {"v_bfi_b32 v10, v3, v0, v1", 0},
      {"v_bfi_b32 v10, v3, v1, v0", 0x4},
      {"v_mul_u32_u24 v10, v0, v1", 0xc},
      {"v_lshl_or_b32 v10, v0, 16, v1", 0},
      {"v_mul_lo_u32 v10, v0, v1", 0xc},
      {"v_xad_u32 v10, v0, v1, v1", 0xc},
      {"v_min_u32 v10, v0, v1", 0xf},
      {"v_pk_add_u16 v10, v0, v1", 0xc},
      {"v_pk_add_u16 v10, v0, v1 op_sel_hi:[0,1]", 0},
  };
  for (const char *target : everyTarget)
    for (const auto &one : all) {
      Machine machine(target, one.text);
      machine.set(0, 0x12345678);
      machine.set(1, 0);
      machine.set(3, 0xffff);
      machine.set(2, 0x0c060406); // v0's byte 2, 0, 2 again, and zero
      machine.poison(0, 3, 0x4);
      machine.runClean();
      EXPECT_EQ(machine.getPoison(10, 3), one.poison) << target << " " << one.text;
      EXPECT_EQ(machine.getPoison(10, 2), 0) << target << " " << one.text;
    }
}
