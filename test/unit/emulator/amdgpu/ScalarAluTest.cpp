//===- ScalarAluTest.cpp - Scalar arithmetic and logic ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

#include <algorithm>
#include <cmath>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
using U32 = uint32_t;
using U64 = uint64_t;
using I32 = int32_t;
using I64 = int64_t;

/// What is expected of an instruction: its result and SCC, which is as it was where
/// nothing sets it.
struct Result {
  U64 bits;
  bool scc;
};
struct Case {
  const char *cdna, *rdna; ///< "" where a target lacks it
  Result (*expected)(U64 a, U64 b, bool scc);
  unsigned firstBits = 32, secondBits = 32, resultBits = 32; ///< 0: no second source
};

I64 s(U64 v) { return I32(U32(v)); }
Result nonzero(U64 v) { return {v, v != 0}; }
Result overflow(I64 v) { return {U32(v), v != I32(v)}; }
unsigned ones(U64 v) { return unsigned(__builtin_popcountll(v)); }
I64 field(U64 a, U64 b, unsigned bits, bool isSigned) {
  unsigned offset = b % bits, width = b >> 16 & 127;
  U64 value = 0;
  for (unsigned i = 0; i < width && offset + i < bits; ++i)
    value |= (a >> (offset + i) & 1) << i;
  unsigned top = std::min(width, bits - offset);
  if (isSigned && top && top < 64 && value >> (top - 1) & 1)
    value |= ~U64(0) << top;
  return I64(value);
}

const Case cases[] = {
    {"s_and_b32", "s_and_b32", [](U64 a, U64 b, bool) { return nonzero(a & b); }},
    {"s_or_b32", "s_or_b32", [](U64 a, U64 b, bool) { return nonzero(a | b); }},
    {"s_xor_b32", "s_xor_b32", [](U64 a, U64 b, bool) { return nonzero(a ^ b); }},
    {"s_andn2_b32", "s_and_not1_b32", [](U64 a, U64 b, bool) { return nonzero(a & ~b); }},
    {"s_orn2_b32", "s_or_not1_b32",
     [](U64 a, U64 b, bool) { return nonzero(U32(a | ~b)); }},
    {"s_nand_b32", "s_nand_b32",
     [](U64 a, U64 b, bool) { return nonzero(U32(~(a & b))); }},
    {"s_nor_b32", "s_nor_b32", [](U64 a, U64 b, bool) { return nonzero(U32(~(a | b))); }},
    {"s_xnor_b32", "s_xnor_b32",
     [](U64 a, U64 b, bool) { return nonzero(U32(~(a ^ b))); }},
    {"s_and_b64", "s_and_b64", [](U64 a, U64 b, bool) { return nonzero(a & b); }, 64, 64,
     64},
    {"s_xor_b64", "s_xor_b64", [](U64 a, U64 b, bool) { return nonzero(a ^ b); }, 64, 64,
     64},
    {"s_orn2_b64", "s_or_not1_b64", [](U64 a, U64 b, bool) { return nonzero(a | ~b); },
     64, 64, 64},
    {"s_not_b32", "s_not_b32", [](U64 a, U64, bool) { return nonzero(U32(~a)); }, 32, 0},
    {"s_not_b64", "s_not_b64", [](U64 a, U64, bool) { return nonzero(~a); }, 64, 0, 64},
    {"s_mov_b64", "s_mov_b64", [](U64 a, U64, bool c) { return Result{a, c}; }, 64, 0,
     64},
    {"s_lshl_b32", "s_lshl_b32",
     [](U64 a, U64 b, bool) { return nonzero(U32(a << b % 32)); }},
    {"s_lshr_b32", "s_lshr_b32", [](U64 a, U64 b, bool) { return nonzero(a >> b % 32); }},
    {"s_ashr_i32", "s_ashr_i32",
     [](U64 a, U64 b, bool) { return nonzero(U32(s(a) >> b % 32)); }},
    {"s_lshl_b64", "s_lshl_b64", [](U64 a, U64 b, bool) { return nonzero(a << b % 64); },
     64, 32, 64},
    {"s_lshr_b64", "s_lshr_b64", [](U64 a, U64 b, bool) { return nonzero(a >> b % 64); },
     64, 32, 64},
    {"s_ashr_i64", "s_ashr_i64",
     [](U64 a, U64 b, bool) { return nonzero(U64(I64(a) >> b % 64)); }, 64, 32, 64},
    {"s_bfe_u32", "s_bfe_u32",
     [](U64 a, U64 b, bool) { return nonzero(U32(field(a, b, 32, false))); }},
    {"s_bfe_i32", "s_bfe_i32",
     [](U64 a, U64 b, bool) { return nonzero(U32(field(a, b, 32, true))); }},
    {"s_bfe_u64", "s_bfe_u64",
     [](U64 a, U64 b, bool) { return nonzero(U64(field(a, b, 64, false))); }, 64, 32, 64},
    {"s_bfe_i64", "s_bfe_i64",
     [](U64 a, U64 b, bool) { return nonzero(U64(field(a, b, 64, true))); }, 64, 32, 64},
    {"s_bfm_b32", "s_bfm_b32",
     [](U64 a, U64 b, bool c) {
       return Result{U32(((U64(1) << a % 32) - 1) << b % 32), c};
     }},
    {"s_bfm_b64", "s_bfm_b64",
     [](U64 a, U64 b, bool c) { return Result{((U64(1) << a % 64) - 1) << b % 64, c}; },
     32, 32, 64},
    {"s_pack_ll_b32_b16", "s_pack_ll_b32_b16",
     [](U64 a, U64 b, bool c) { return Result{a % 65536 | b % 65536 << 16, c}; }},
    {"s_pack_lh_b32_b16", "s_pack_lh_b32_b16",
     [](U64 a, U64 b, bool c) { return Result{a % 65536 | b >> 16 << 16, c}; }},
    {"s_pack_hh_b32_b16", "s_pack_hh_b32_b16",
     [](U64 a, U64 b, bool c) { return Result{a >> 16 | b >> 16 << 16, c}; }},
    {"", "s_pack_hl_b32_b16",
     [](U64 a, U64 b, bool c) { return Result{a >> 16 | b % 65536 << 16, c}; }},
    {"s_sext_i32_i8", "s_sext_i32_i8",
     [](U64 a, U64, bool c) { return Result{U32(int8_t(a)), c}; }, 32, 0},
    {"s_sext_i32_i16", "s_sext_i32_i16",
     [](U64 a, U64, bool c) { return Result{U32(int16_t(a)), c}; }, 32, 0},
    {"s_brev_b32", "s_brev_b32",
     [](U64 a, U64, bool c) {
       U32 r = 0;
       for (int i = 0; i < 32; ++i)
         r = r << 1 | (a >> i & 1);
       return Result{r, c};
     },
     32, 0},
    {"s_bitreplicate_b64_b32", "s_bitreplicate_b64_b32",
     [](U64 a, U64, bool c) {
       U64 r = 0;
       for (int i = 0; i < 64; ++i)
         r |= (a >> i / 2 & 1) << i;
       return Result{r, c};
     },
     32, 0, 64},
    {"s_wqm_b64", "s_wqm_b64",
     [](U64 a, U64, bool) {
       U64 r = 0;
       for (int i = 0; i < 64; ++i)
         r |= U64((a >> i / 4 * 4 & 15) != 0) << i;
       return nonzero(r);
     },
     64, 0, 64},
    {"s_quadmask_b32", "s_quadmask_b32",
     [](U64 a, U64, bool) {
       U64 r = 0;
       for (int i = 0; i < 8; ++i)
         r |= U64((a >> i * 4 & 15) != 0) << i;
       return nonzero(r);
     },
     32, 0},
    {"s_add_u32", "s_add_u32",
     [](U64 a, U64 b, bool) { return Result{U32(a + b), (a + b) >> 32 != 0}; }},
    {"s_sub_u32", "s_sub_u32",
     [](U64 a, U64 b, bool) { return Result{U32(a - b), b > a}; }},
    {"s_add_i32", "s_add_i32", [](U64 a, U64 b, bool) { return overflow(s(a) + s(b)); }},
    {"s_sub_i32", "s_sub_i32", [](U64 a, U64 b, bool) { return overflow(s(a) - s(b)); }},
    {"s_addc_u32", "s_addc_u32",
     [](U64 a, U64 b, bool c) { return Result{U32(a + b + c), (a + b + c) >> 32 != 0}; }},
    {"s_subb_u32", "s_subb_u32",
     [](U64 a, U64 b, bool c) { return Result{U32(a - b - c), b + c > a}; }},
    {"s_lshl3_add_u32", "s_lshl3_add_u32",
     [](U64 a, U64 b, bool) { return Result{U32(a * 8 + b), (a * 8 + b) >> 32 != 0}; }},
    {"s_mul_i32", "s_mul_i32",
     [](U64 a, U64 b, bool c) { return Result{U32(a * b), c}; }},
    {"s_mul_hi_u32", "s_mul_hi_u32",
     [](U64 a, U64 b, bool c) { return Result{a * b >> 32, c}; }},
    {"s_mul_hi_i32", "s_mul_hi_i32",
     [](U64 a, U64 b, bool c) { return Result{U32(s(a) * s(b) >> 32), c}; }},
    {"s_min_u32", "s_min_u32",
     [](U64 a, U64 b, bool) { return Result{std::min(a, b), a < b}; }},
    {"s_min_i32", "s_min_i32",
     [](U64 a, U64 b, bool) { return Result{U32(std::min(s(a), s(b))), s(a) < s(b)}; }},
    {"s_max_u32", "s_max_u32",
     [](U64 a, U64 b, bool) { return Result{std::max(a, b), a >= b}; }},
    {"s_max_i32", "s_max_i32",
     [](U64 a, U64 b, bool) { return Result{U32(std::max(s(a), s(b))), s(a) >= s(b)}; }},
    {"s_abs_i32", "s_abs_i32",
     [](U64 a, U64, bool) { return nonzero(U32(s(a) < 0 ? -s(a) : s(a))); }, 32, 0},
    {"s_absdiff_i32", "s_absdiff_i32",
     [](U64 a, U64 b, bool) {
       U32 difference = U32(a - b); // wraps: of 0x80000000 and 1 it is 0x7fffffff
       return nonzero(difference >> 31 ? 0 - difference : difference);
     }},
    {"s_bcnt1_i32_b64", "s_bcnt1_i32_b64",
     [](U64 a, U64, bool) { return nonzero(ones(a)); }, 64, 0},
    {"s_bcnt0_i32_b32", "s_bcnt0_i32_b32",
     [](U64 a, U64, bool) { return nonzero(32 - ones(a)); }, 32, 0},
    {"s_ff1_i32_b64", "s_ctz_i32_b64",
     [](U64 a, U64, bool c) {
       for (U64 i = 0; i < 64; ++i)
         if (a >> i & 1)
           return Result{i, c};
       return Result{0xffffffff, c};
     },
     64, 0},
    {"s_flbit_i32_b32", "s_clz_i32_u32",
     [](U64 a, U64, bool c) {
       for (U64 i = 0; i < 32; ++i)
         if (a >> (31 - i) & 1)
           return Result{i, c};
       return Result{0xffffffff, c};
     },
     32, 0},
    {"s_flbit_i32_i64", "s_cls_i32_i64",
     [](U64 a, U64, bool c) {
       for (U64 i = 1; i < 64; ++i)
         if ((a >> (63 - i) & 1) != a >> 63)
           return Result{i, c};
       return Result{0xffffffff, c};
     },
     64, 0},
    {"s_cselect_b32", "s_cselect_b32",
     [](U64 a, U64 b, bool c) { return Result{c ? a : b, c}; }},
    {"s_cselect_b64", "s_cselect_b64",
     [](U64 a, U64 b, bool c) { return Result{c ? a : b, c}; }, 64, 64, 64},
    {"s_cmp_lt_i32", "s_cmp_lt_i32",
     [](U64 a, U64 b, bool) { return Result{0, s(a) < s(b)}; }, 32, 32, 0},
    {"s_cmp_ge_u32", "s_cmp_ge_u32", [](U64 a, U64 b, bool) { return Result{0, a >= b}; },
     32, 32, 0},
    {"s_cmp_le_i32", "s_cmp_le_i32",
     [](U64 a, U64 b, bool) { return Result{0, s(a) <= s(b)}; }, 32, 32, 0},
    {"s_cmp_gt_u32", "s_cmp_gt_u32", [](U64 a, U64 b, bool) { return Result{0, a > b}; },
     32, 32, 0},
    {"s_cmp_lg_u64", "s_cmp_lg_u64", [](U64 a, U64 b, bool) { return Result{0, a != b}; },
     64, 64, 0},
    {"s_bitcmp1_b64", "s_bitcmp1_b64",
     [](U64 a, U64 b, bool) { return Result{0, (a >> b % 64 & 1) != 0}; }, 64, 32, 0},
    {"s_bitcmp0_b32", "s_bitcmp0_b32",
     [](U64 a, U64 b, bool) { return Result{0, (a >> b % 32 & 1) == 0}; }, 32, 32, 0},
};

std::string name(unsigned first, unsigned bits) {
  return bits == 64 ? "s[" + std::to_string(first) + ":" + std::to_string(first + 1) + "]"
                    : "s" + std::to_string(first);
}
} // namespace

TEST(ScalarAlu, Operations) {
  // One program runs each operation on pairs in s[20:21] and s[22:23], SCC set or not.
  // The result and SCC go to three vector registers, a lane for each pair.
  constexpr unsigned pairs = 32;
  auto itemOf = [](unsigned pair) { return pair * 17 % sampleCount; };
  for (const char *target : everyTarget) {
    std::string text;
    for (unsigned pair = 0; pair < pairs; ++pair) {
      U64 a = sample64(0, itemOf(pair)), b = sample64(1, itemOf(pair));
      for (unsigned half = 0; half < 2; ++half) {
        text += "s_mov_b32 s" + std::to_string(20 + half) + ", " +
                std::to_string(U32(a >> (32 * half))) + "\n";
        text += "s_mov_b32 s" + std::to_string(22 + half) + ", " +
                std::to_string(U32(b >> (32 * half))) + "\n";
      }
      uint16_t reg = 0;
      for (const Case &one : cases) {
        std::string mnemonic = isCdna(target) ? one.cdna : one.rdna;
        if (mnemonic.empty())
          continue;
        text += pair & 1 ? "s_cmp_eq_u32 0, 0\n" : "s_cmp_lg_u32 0, 0\n";
        text += mnemonic + " " + (one.resultBits ? name(24, one.resultBits) + ", " : "") +
                name(20, one.firstBits) +
                (one.secondBits ? ", " + name(22, one.secondBits) : "") + "\n";
        text += "s_cselect_b32 s26, 1, 0\n";
        for (unsigned j = 0; j < 3; ++j, ++reg)
          if (j == 2 || one.resultBits > 32 * j)
            text += "v_writelane_b32 v" + std::to_string(reg) + ", s" +
                    std::to_string(24 + j) + ", " + std::to_string(pair) + "\n";
      }
      ASSERT_LE(reg, 256);
    }
    Machine machine(target, text, 32);
    machine.runClean();
    uint16_t reg = 0;
    for (const Case &one : cases) {
      std::string mnemonic = isCdna(target) ? one.cdna : one.rdna;
      if (mnemonic.empty())
        continue;
      for (unsigned pair = 0; pair < pairs; ++pair) {
        U64 a = sample64(0, itemOf(pair)), b = sample64(1, itemOf(pair));
        Result expected = one.expected(one.firstBits == 64 ? a : U32(a),
                                       one.secondBits == 64 ? b : U32(b), pair & 1);
        U64 got = one.resultBits == 0 ? 0 : machine.get(reg, pair);
        if (one.resultBits == 64)
          got |= U64(machine.get(uint16_t(reg + 1), pair)) << 32;
        ASSERT_EQ(got, expected.bits)
            << target << " " << mnemonic << std::hex << " " << a << " " << b;
        ASSERT_EQ(machine.get(uint16_t(reg + 2), pair), U32(expected.scc))
            << target << " " << mnemonic << std::hex << " " << a << " " << b;
      }
      reg = uint16_t(reg + 3);
    }
  }
}

TEST(ScalarAlu, ExecIsSavedAndChanged) {
  struct {
    const char *cdna, *rdna;
    U32 exec, saved;
  } const all[] = {
      {"s_and_saveexec", "s_and_saveexec", 0x8, 0xc},
      {"s_or_saveexec", "s_or_saveexec", 0xe, 0xc},
      {"s_xor_saveexec", "s_xor_saveexec", 0x6, 0xc},
      {"s_andn2_saveexec", "s_and_not1_saveexec", 0x2, 0xc},
      {"s_andn1_saveexec", "s_and_not0_saveexec", 0x4, 0xc},
      {"s_orn2_saveexec", "s_or_not1_saveexec", 0xfffffffb, 0xc},
      {"s_orn1_saveexec", "s_or_not0_saveexec", 0xfffffffd, 0xc},
      {"s_nand_saveexec", "s_nand_saveexec", 0xfffffff7, 0xc},
      {"s_andn1_wrexec", "s_and_not0_wrexec", 0x4, 0x4},
      {"s_andn2_wrexec", "s_and_not1_wrexec", 0x2, 0x2},
  };
  for (const char *target : everyTarget)
    for (const auto &one : all) {
      std::string text = isCdna(target) ? std::string(one.cdna) + "_b64 s[0:1], s[2:3]"
                                        : std::string(one.rdna) + "_b32 s0, s2";
      Machine machine(target, text);
      machine.setScalar64(2, 0xa);
      machine.setExec(0xc);
      machine.runClean();
      EXPECT_EQ(machine.getScalar(Exec), one.exec) << target << text;
      EXPECT_EQ(machine.getScalar(0), one.saved) << target << text;
      EXPECT_TRUE(machine.wave().scc);
    }
}

TEST(ScalarAlu, Immediates) {
  for (const char *target : everyTarget) {
    std::string add = std::string(target) == "gfx1201" ? "s_addk_co_i32" : "s_addk_i32";
    std::string text = "s_movk_i32 s0, 0x8001\ns_movk_i32 s1, 7\n" + add +
                       " s1, 0xfffe\ns_movk_i32 s2, 9\ns_mulk_i32 s2, 0xfffd\n"
                       "s_mov_b32 s3, 0\ns_bitset1_b32 s3, s1\ns_cmp_eq_u32 s1, 5\n"
                       "s_cmovk_i32 s4, 0x1234\ns_cmp_eq_u32 s1, 6\ns_cmov_b32 s4, s1\n";
    if (std::string(target) != "gfx1201")
      text += "s_cmpk_lt_i32 s0, 0x8002\ns_cselect_b32 s5, 1, 0\n"
              "s_cmpk_lt_u32 s1, 0x8002\ns_cselect_b32 s6, 1, 0\n";
    Machine machine(target, text);
    machine.runClean();
    EXPECT_EQ(machine.getScalar(0), 0xffff8001u);
    EXPECT_EQ(machine.getScalar(1), 5u);
    EXPECT_EQ(machine.getScalar(2), U32(-27));
    EXPECT_EQ(machine.getScalar(3), 32u);
    EXPECT_EQ(machine.getScalar(4), 0x1234u);
    if (std::string(target) != "gfx1201") {
      EXPECT_EQ(machine.getScalar(5), 1u);
      EXPECT_EQ(machine.getScalar(6), 1u);
    }
  }
}

TEST(ScalarAlu, ModeIsReadAndWritten) {
  for (const char *target : everyTarget) {
    std::string mode =
        std::string(target) == "gfx1201" ? "HW_REG_WAVE_MODE" : "HW_REG_MODE";
    Machine machine(target, "s_setreg_imm32_b32 hwreg(" + mode + ", 2, 2), 3\n" +
                                "s_getreg_b32 s0, hwreg(" + mode + ", 0, 8)\n" +
                                "s_getreg_b32 s1, hwreg(" + mode + ", 4, 4)");
    machine.wave().mode = 0xf1;
    machine.runClean();
    EXPECT_EQ(machine.getScalar(0), 0xfdu);
    EXPECT_EQ(machine.getScalar(1), 0xfu);
  }
}

TEST(ScalarAlu, UndefinedBitsStayWhereTheyAre) {
  Machine machine("gfx942", "s_and_b32 s1, s0, 0xffff0000\ns_lshr_b64 s[2:3], s[4:5], 8\n"
                            "s_add_u32 s6, s4, s5\ns_cselect_b32 s7, s8, s8");
  for (uint16_t reg : {4, 8})
    machine.setScalar(reg, 1);
  machine.runClean();
  EXPECT_EQ(machine.getScalarPoison(1), 0xffff0000u);
  EXPECT_EQ(machine.getScalarPoison(2), 0xff000000u);
  EXPECT_EQ(machine.getScalarPoison(3), 0x00ffffffu);
  EXPECT_EQ(machine.getScalarPoison(6), 0xffffffffu);
  EXPECT_EQ(machine.getScalarPoison(7), 0u);
}

TEST(ScalarAlu, LoadsOfBytesAndBuffers) {
  std::vector<U32> values(16);
  for (U32 i = 0; i < 16; ++i)
    values[i] = 0x80818283 + i;
  Machine bytes("gfx1201", "s_load_u8 s0, s[4:5], 0x1\ns_load_i8 s1, s[4:5], 0x1\n"
                           "s_load_i16 s2, s[4:5], 0x6\ns_wait_kmcnt 0");
  Allocation *array = bytes.allocate(values);
  bytes.setScalar64(4, array->base);
  bytes.runClean();
  EXPECT_EQ(bytes.getScalar(0), 0x82u);
  EXPECT_EQ(bytes.getScalar(1), 0xffffff82u);
  EXPECT_EQ(bytes.getScalar(2), 0xffff8081u);
  for (const char *target : everyTarget) {
    std::string load = isCdna(target) ? "s_buffer_load_dwordx4" : "s_buffer_load_b128";
    std::string wait =
        std::string(target) == "gfx1201" ? "s_wait_kmcnt 0" : "s_waitcnt lgkmcnt(0)";
    Machine machine(target, load + " s[0:3], s[8:11], 0x8\n" + wait);
    Allocation *buffer = machine.allocate(values);
    machine.setScalar64(8, buffer->base);
    machine.setScalar(10, 16); // bytes
    machine.setScalar(11, 0);
    machine.runClean();
    EXPECT_EQ(machine.getScalar(0), values[2]);
    EXPECT_EQ(machine.getScalar(1), values[3]);
    EXPECT_EQ(machine.getScalar(2), 0u);
    EXPECT_EQ(machine.getScalar(3), 0u);
  }
}

TEST(ScalarAlu, Calls) {
  for (const char *target : everyTarget) {
    Machine machine(target,
                    "s_mov_b32 s4, 0\ns_call_b64 s[0:1], 2\ns_add_u32 s4, s4, 16\n"
                    "s_branch 2\ns_add_u32 s4, s4, 1\ns_setpc_b64 s[0:1]");
    machine.runClean();
    EXPECT_EQ(machine.getScalar(4), 17u);
  }
}

TEST(ScalarAlu, Floats) {
  auto bits = [](float value) {
    U32 result;
    memcpy(&result, &value, 4);
    return result;
  };
  const float values[] = {0.0f, -0.0f, 1.5f, -2.75f, 3e38f, 1e-40f, INFINITY, 0.1f};
  for (float a : values)
    for (float b : values) {
      Machine machine("gfx1201", "s_add_f32 s2, s0, s1\ns_mul_f32 s3, s0, s1\n"
                                 "s_mov_b32 s4, 1.0\ns_fmac_f32 s4, s0, s1\n"
                                 "s_max_num_f32 s5, s0, s1\ns_cmp_lt_f32 s0, s1\n"
                                 "s_cselect_b32 s6, 1, 0\ns_cvt_i32_f32 s7, s0\n"
                                 "s_cvt_pk_rtz_f16_f32 s8, 0.5, 1.0\ns_floor_f32 s9, s0\n"
                                 "s_cmp_nlt_f32 s0, s1\ns_cselect_b32 s10, 1, 0");
      machine.setScalar(0, bits(a));
      machine.setScalar(1, bits(b));
      machine.runClean();
      auto expect = [&](uint16_t reg, float value) {
        U32 got = machine.getScalar(reg);
        if (std::isnan(value))
          EXPECT_EQ(got & 0x7fc00000, 0x7fc00000u) << reg;
        else
          EXPECT_EQ(got, bits(value)) << reg << " " << a << " " << b;
      };
      expect(2, a + b);
      expect(3, a * b);
      expect(4, std::fma(a, b, 1.0f));
      expect(5, a == 0 && b == 0 ? (std::signbit(a) ? b : a) : std::max(a, b));
      EXPECT_EQ(machine.getScalar(6), U32(a < b));
      EXPECT_EQ(machine.getScalar(10), U32(!(a < b)));
      EXPECT_EQ(machine.getScalar(7), U32(std::abs(a) < 2e9f       ? I32(a)
                                          : std::isinf(a) || a > 0 ? INT32_MAX
                                                                   : 0));
      EXPECT_EQ(machine.getScalar(8), 0x3c003800u);
      expect(9, std::floor(a));
    }
}
