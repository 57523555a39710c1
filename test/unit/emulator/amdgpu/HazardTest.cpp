//===- HazardTest.cpp - Wait states between dependent instructions ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Pairs of instructions, and how many wait states AMD's ISA documents and LLVM want in
// between: with one less the pair is reported, with as many it is not.
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Harness.h"

#include <list>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
struct Pair {
  const char *gpu, *first, *second;
  unsigned needed;
};

#define MFMA8 "v_mfma_f32_32x32x8_f16 v[0:15], v[64:65], v[80:81], v[0:15]"
#define MFMA4 "v_mfma_f32_16x16x16_f16 v[0:3], v[64:65], v[80:81], v[0:3]"
#define MFMA2 "v_mfma_f32_4x4x4_16b_f16 v[0:3], v[64:65], v[80:81], v[0:3]"
#define MFMA16 "v_mfma_f32_32x32x4_2b_f16 v[0:31], v[64:65], v[80:81], v[0:31]"
#define FLOAT16 "v_mfma_f32_32x32x2_f32 v[0:15], v64, v80, v[0:15]"
#define DOUBLE16 "v_mfma_f64_16x16x4_f64 v[0:7], v[64:65], v[80:81], v[0:7]"
#define DOUBLE4 "v_mfma_f64_4x4x4_4b_f64 v[0:1], v[64:65], v[80:81], v[0:1]"
#define READ "v_mov_b32_e32 v100, v1"
#define STORE "global_store_dword v[100:101], v1, off"

const Pair pairs[] = {
    // The result of a matrix instruction that is read, stored, overwritten.
    {"gfx942", MFMA2, READ, 5},
    {"gfx942", MFMA4, READ, 7},
    {"gfx942", MFMA8, READ, 11},
    {"gfx942", MFMA16, READ, 19},
    {"gfx942", FLOAT16, READ, 18},
    {"gfx942", DOUBLE4, READ, 6},
    {"gfx942", DOUBLE16, READ, 11},
    {"gfx942", MFMA8, STORE, 11},
    {"gfx942", MFMA8, "ds_write_b32 v100, v1", 11},
    {"gfx942", DOUBLE4, "global_store_dwordx2 v[100:101], v[0:1], off", 9},
    {"gfx942", DOUBLE16, "global_store_dwordx2 v[100:101], v[0:1], off", 18},
    {"gfx942", MFMA8, "v_mov_b32_e32 v1, v100", 11},
    {"gfx942", MFMA8, "global_load_dword v1, v[100:101], off", 11},
    {"gfx942", "v_mfma_f32_32x32x8_f16 a[0:15], v[64:65], v[80:81], 0",
     "v_accvgpr_read_b32 v1, a1", 11},
    {"gfx942", "v_mfma_i32_16x16x32_i8 v[0:3], v[64:65], v[80:81], 0", READ, 7},
    {"gfx942", "v_mfma_f32_32x32x4_xf32 v[0:15], v[64:65], v[80:81], 0", READ, 11},
    {"gfx942", "v_mfma_f32_32x32x16_fp8_fp8 v[0:15], v[64:65], v[80:81], 0", READ, 11},
    {"gfx942", "v_smfmac_f32_16x16x32_f16 v[0:3], v[64:65], v[80:83], v90", READ, 7},
    {"gfx90a", "v_mfma_f32_4x4x4f16 v[0:3], v[64:65], v[80:81], v[0:3]", READ, 5},
    {"gfx90a", "v_mfma_f32_16x16x16f16 v[0:3], v[64:65], v[80:81], v[0:3]", READ, 11},
    {"gfx90a", "v_mfma_f32_32x32x8f16 v[0:15], v[64:65], v[80:81], v[0:15]", READ, 19},
    {"gfx950", "v_mfma_f32_16x16x32_f16 v[0:3], v[64:67], v[80:83], v[0:3]", READ, 8},
    {"gfx950", "v_mfma_f32_32x32x16_f16 v[0:15], v[64:67], v[80:83], v[0:15]", READ, 12},
    {"gfx950", "v_mfma_f32_16x16x128_f8f6f4 v[0:3], v[64:67], v[80:83], 0 cbsz:4 blgp:4",
     READ, 8},
    {"gfx950", "v_mfma_f32_16x16x128_f8f6f4 v[0:3], v[64:71], v[80:83], 0 blgp:4", READ,
     12},
    {"gfx950", MFMA16, READ, 20},
    {"gfx950", DOUBLE16, READ, 19},
    {"gfx950", DOUBLE16, "v_mov_b32_e32 v1, v100", 11},
    // Another matrix instruction.
    {"gfx942", MFMA8, "v_mfma_f32_16x16x16_f16 v[100:103], v[0:1], v[80:81], 0", 11},
    {"gfx942", MFMA8, "v_mfma_f32_16x16x16_f16 v[100:103], v[80:81], v[14:15], 0", 11},
    {"gfx942", MFMA8, MFMA8, 0}, // the same C: forwarded
    {"gfx942", MFMA2, MFMA2, 2},
    {"gfx942", DOUBLE4, DOUBLE4, 4},
    {"gfx942", MFMA8, "v_mfma_f32_16x16x16_f16 v[100:103], v[80:81], v[80:81], v[2:5]",
     9},
    {"gfx942", FLOAT16, "v_mfma_f32_16x16x4_f32 v[100:103], v80, v80, v[2:5]", 16},
    {"gfx942", DOUBLE16, "v_mfma_f64_4x4x4_4b_f64 v[100:101], v[80:81], v[80:81], v[2:3]",
     9},
    {"gfx950", DOUBLE16, "v_mfma_f64_4x4x4_4b_f64 v[100:101], v[80:81], v[80:81], v[2:3]",
     17},
    {"gfx90a", "v_mfma_f32_16x16x16f16 v[0:3], v[64:65], v[80:81], 0",
     "v_mfma_f32_4x4x4f16 v[100:103], v[64:65], v[80:81], v[2:5]", 8},
    // C is read late.
    {"gfx942", "v_mfma_f32_32x32x8_f16 v[0:15], v[64:65], v[80:81], v[16:31]",
     "v_mov_b32_e32 v17, v100", 7},
    {"gfx90a", "v_mfma_f32_32x32x8f16 v[0:15], v[64:65], v[80:81], v[16:31]",
     "v_mov_b32_e32 v17, v100", 15},
    // Before a matrix instruction.
    {"gfx942", "v_mov_b32_e32 v64, v100", MFMA8, 2},
    {"gfx90a", "v_mov_b32_e32 v64, v100",
     "v_mfma_f32_32x32x8f16 v[0:15], v[64:65], v[80:81], 0", 2},
    {"gfx942", "v_mov_b32_e32 v3, v100", MFMA8, 2},
    {"gfx942", "v_cmpx_gt_u32_e64 s[0:1], v100, v101", MFMA8, 4},
    {"gfx942", DOUBLE16, "v_fma_f64 v[100:101], v[102:103], v[104:105], v[106:107]", 2},
    // Vector instructions that write scalars.
    {"gfx942", "v_readfirstlane_b32 s4, v0", "global_load_dword v1, v2, s[4:5]", 5},
    {"gfx90a", "v_readfirstlane_b32 s4, v0", "buffer_load_dword v1, v2, s[4:7], 0 offen",
     5},
    {"gfx942", "v_readfirstlane_b32 s4, v0", "v_readlane_b32 s5, v1, s4", 4},
    {"gfx942", "v_readfirstlane_b32 s4, v0", "v_writelane_b32 v1, 5, s4", 4},
    {"gfx942", "v_cmp_gt_u32_e32 vcc, v0, v1", "v_div_fmas_f32 v2, v3, v4, v5", 4},
    {"gfx90a", "v_cmp_gt_u32_e32 vcc, v0, v1",
     "v_div_fmas_f64 v[2:3], v[4:5], v[4:5], v[4:5]", 4},
    {"gfx942", "v_readfirstlane_b32 s4, v0", "v_mov_b32_e32 v1, s4", 2},
    {"gfx942", "v_cmp_gt_u32_e32 vcc, v0, v1", "v_cndmask_b32_e32 v2, v3, v4, vcc", 2},
    {"gfx942", "v_add_co_u32_e32 v0, vcc, v1, v2",
     "v_addc_co_u32_e32 v3, vcc, v4, v5, vcc", 2},
    // EXEC, DPP, lanes.
    {"gfx942", "v_cmpx_gt_u32_e64 s[0:1], v100, v101",
     "v_mov_b32_dpp v0, v1 quad_perm:[1,0,3,2] row_mask:0xf bank_mask:0xf", 5},
    {"gfx942", "v_add_u32_e32 v1, v2, v3",
     "v_mov_b32_dpp v0, v1 row_shr:1 row_mask:0xf bank_mask:0xf", 2},
    {"gfx90a", "v_add_u32_e32 v1, v2, v3",
     "v_mov_b32_dpp v0, v1 row_shr:1 row_mask:0xf bank_mask:0xf", 2},
    {"gfx942", "v_add_u32_e32 v1, v2, v3", "v_readlane_b32 s0, v1, 3", 1},
    {"gfx942", "v_cmpx_gt_u32_e64 s[0:1], v100, v101", "v_readfirstlane_b32 s4, v0", 4},
    {"gfx950", "v_add_u32_e32 v1, v2, v3", "v_permlane16_swap_b32_e32 v1, v4", 2},
    // Results of other pipelines.
    {"gfx942", "v_exp_f32_e32 v1, v2", "v_add_f32_e32 v3, v1, v1", 1},
    {"gfx942", "v_exp_f32_e32 v1, v2", "v_rcp_f32_e32 v3, v1", 0},
    {"gfx90a", "v_exp_f32_e32 v1, v2", "v_add_f32_e32 v3, v1, v1", 0},
    {"gfx942",
     "v_add_f16_sdwa v1, v2, v3 dst_sel:WORD_1 dst_unused:UNUSED_PRESERVE "
     "src0_sel:WORD_1 "
     "src1_sel:DWORD",
     "v_mov_b32_e32 v4, v1", 1},
    {"gfx942", "v_dot2_f32_f16 v1, v2, v3, v4", "v_mov_b32_e32 v5, v1", 3},
    {"gfx942", "v_dot2_f32_f16 v1, v2, v3, v4", "v_mov_b32_e32 v1, v5", 3},
    // Stores read their data late.
    {"gfx90a", "global_store_dwordx4 v[10:11], v[4:7], off", "v_mov_b32_e32 v5, v0", 1},
    {"gfx942", "global_store_dwordx4 v[10:11], v[4:7], off", "v_mov_b32_e32 v5, v0", 2},
    {"gfx942", "buffer_store_dwordx4 v[4:7], v1, s[4:7], 0 offen", "v_mov_b32_e32 v5, v0",
     2},
    {"gfx942", "global_store_dwordx2 v[10:11], v[4:5], off", "v_mov_b32_e32 v5, v0", 0},
    // Scalars with side effects.
    {"gfx942", "s_mov_b32 m0, s4", "buffer_load_dword v1, s[4:7], 0 offen lds", 1},
    {"gfx942", "s_mov_b32 m0, s4", "s_sendmsg sendmsg(MSG_INTERRUPT)", 1},
    {"gfx942", "s_setreg_b32 hwreg(HW_REG_MODE, 2, 2), s0",
     "s_getreg_b32 s1, hwreg(HW_REG_MODE)", 2},
    {"gfx942", "s_setreg_b32 hwreg(HW_REG_MODE, 2, 2), s0",
     "s_setreg_b32 hwreg(HW_REG_MODE, 0, 2), s0", 2},
    // Independent, or interlocked.
    {"gfx942", MFMA8, "v_mov_b32_e32 v100, v64", 0},
    {"gfx942", "s_mov_b32 s4, s5", "v_mov_b32_e32 v1, s4", 0},
    {"gfx942", "v_mov_b32_e32 v1, v2", "v_mov_b32_e32 v3, v1", 0},
    {"gfx1100", "v_cmp_gt_u32_e32 vcc_lo, v0, v1", "v_cndmask_b32_e32 v2, v3, v4, vcc_lo",
     0},
};

/// What is reported of `text`, instruction by instruction.
std::vector<std::string> check(const char *gpu, const std::string &text) {
  const Target &target = *findTarget(gpu);
  std::string code = assemble(target, text);
  Disassembler disassembler(target);
  Hazards hazards(target);
  std::list<std::string> texts;
  std::list<HazardTraits> traits;
  std::vector<std::string> reports;
  for (size_t at = 0; at < code.size();) {
    texts.emplace_back();
    size_t size = disassembler.disassemble(reinterpret_cast<const uint8_t *>(&code[at]),
                                           code.size() - at, texts.back());
    if (!size)
      break;
    traits.push_back(findHazardTraits(target, texts.back()));
    if (!hazards.issue(traits.back(), static_cast<uint32_t>(at),
                       static_cast<uint32_t>(size)))
      reports.push_back(hazards.describe());
    at += size;
  }
  return reports;
}

/// s_nop for `states` wait states.
std::string wait(unsigned states) {
  std::string text;
  for (; states; states -= std::min(states, 8u))
    text += "s_nop " + std::to_string(std::min(states, 8u) - 1) + "\n";
  return text;
}

class HazardPairs : public testing::TestWithParam<Pair> {};
INSTANTIATE_TEST_SUITE_P(Every, HazardPairs, testing::ValuesIn(pairs),
                         [](const auto &info) { return std::to_string(info.index); });
} // namespace

TEST_P(HazardPairs, NeedSoManyWaitStates) {
  const Pair &pair = GetParam();
  SCOPED_TRACE(std::string(pair.gpu) + "\n" + pair.first + "\n" + pair.second);
  std::string first = std::string(pair.first) + "\n";
  EXPECT_TRUE(check(pair.gpu, first + wait(pair.needed) + pair.second).empty());
  if (!pair.needed)
    return;
  auto reports = check(pair.gpu, first + wait(pair.needed - 1) + pair.second);
  ASSERT_EQ(reports.size(), 1u);
  EXPECT_NE(reports[0].find(std::to_string(pair.needed) + " wait states are needed"),
            std::string::npos)
      << reports[0];
}

TEST(Hazard, OtherInstructionsAreWaitStates) {
  std::string others;
  for (unsigned i = 0; i < 10; ++i)
    others += "s_mov_b32 s0, s1\n";
  EXPECT_EQ(check("gfx942", MFMA8 "\n" + others + READ).size(), 1u);
  EXPECT_EQ(check("gfx942", MFMA8 "\n" + others + "s_waitcnt vmcnt(0)\n" READ).size(),
            0u);
}

TEST(Hazard, AnAddendIsTheResultOfItsLastWriterAlone) {
  std::string older = "v_mfma_i32_16x16x32_i8 v[2:5], v[64:65], v[80:81], 0\n";
  std::string newer = "v_mfma_i32_16x16x32_i8 v[0:3], v[64:65], v[80:81], 0\n";
  std::string reader = "v_mfma_i32_16x16x32_i8 v[0:3], v[64:65], v[80:81], v[0:3]";
  EXPECT_EQ(check("gfx942", older + newer + reader).size(), 0u);
  EXPECT_EQ(check("gfx942", newer + older + reader).size(), 1u);
}

TEST(Hazard, IsFoundOnEveryWayToAnInstruction) {
  // In line, enough stands in between; after the jump back, which skips it, not.
  const Target &target = *findTarget("gfx942");
  HazardTraits matrix = findHazardTraits(target, MFMA8);
  HazardTraits wait = findHazardTraits(target, "s_nop 15");
  HazardTraits read = findHazardTraits(target, READ);
  Hazards hazards(target);
  for (unsigned i = 0; i < 3; ++i) {
    EXPECT_TRUE(hazards.issue(wait, 0, 4));
    EXPECT_TRUE(hazards.issue(wait, 4, 4));
    EXPECT_TRUE(hazards.issue(matrix, 8, 8));
    EXPECT_TRUE(hazards.issue(wait, 16, 4));
    EXPECT_TRUE(hazards.issue(read, 20, 4));
  }
  EXPECT_TRUE(hazards.issue(matrix, 8, 8));
  EXPECT_FALSE(hazards.issue(read, 20, 4));
}

TEST(Hazard, Gfx90aForgetsAWriteBeforeAProductOfDoubles) {
  std::string product = "v_mfma_f64_16x16x4f64 v[0:7], v[64:65], v[80:81], v[0:7]\n";
  std::string before = "v_mov_b32_e32 v100, v101\n" + product;
  std::string store = "global_store_dword v[102:103], v100, off";
  EXPECT_EQ(check("gfx90a", before + store).size(), 1u);
  EXPECT_EQ(check("gfx90a", before + "s_nop 0\n" + store).size(), 0u);
  EXPECT_EQ(check("gfx90a", "v_mov_b32_e32 v100, v101\n" + store).size(), 0u);
}

TEST(Hazard, WmmaThatFollowsItsFactorNeedsAVectorInstructionInBetween) {
  for (const char *gpu : {"gfx1100", "gfx1201"}) {
    bool isOld = std::string(gpu) == "gfx1100";
    std::string last = isOld ? "7], " : "3], ";
    std::string name = "v_wmma_f16_16x16x16_f16 ",
                b = isOld ? "v[80:87], " : "v[80:83], ";
    std::string first = name + "v[0:" + last + b + b + "0\n";
    std::string second = name + "v[16:" + (isOld ? "23], " : "19], ");
    std::string factor = "v[0:" + last;
    EXPECT_EQ(check(gpu, first + second + factor + b + "0").size(), 1u);
    EXPECT_EQ(check(gpu, first + second + b + factor + "0").size(), 1u);
    EXPECT_EQ(check(gpu, first + "s_nop 3\n" + second + b + factor + "0").size(), 1u);
    EXPECT_EQ(check(gpu, first + "v_nop\n" + second + b + factor + "0").size(), 0u);
    std::string dual = "v_dual_mov_b32 v40, v41 :: v_dual_mov_b32 v43, v42\n";
    EXPECT_EQ(check(gpu, first + dual + second + b + factor + "0").size(), 0u);
    EXPECT_EQ(check(gpu, first + second + b + b + (isOld ? "v[0:7]" : "v[0:3]")).size(),
              0u);
  }
}

TEST(Hazard, Gfx11ReadsTranscendentalResultsTooEarly) {
  const std::string first = "v_exp_f32_e32 v1, v2\n";
  const std::string dual = "v_dual_mov_b32 v4, v1 :: v_dual_mov_b32 v7, v6\n";
  std::string others;
  for (unsigned i = 0; i < 6; ++i) {
    EXPECT_EQ(check("gfx1100", first + others + "v_mov_b32_e32 v3, v1").size(), 1u) << i;
    EXPECT_EQ(check("gfx1100", first + others + dual).size(), 1u) << i;
    others += "v_mov_b32_e32 v8, v9\n";
  }
  EXPECT_EQ(check("gfx1100", first + others + "v_mov_b32_e32 v3, v1").size(), 0u);
  for (const char *between :
       {"s_waitcnt_depctr 0xfff\n", "s_waitcnt_depctr depctr_va_vdst(0)\n",
        "global_load_b32 v10, v11, s[0:1]\n",
        "v_exp_f32_e32 v10, v11\nv_exp_f32_e32 v12, v13\n"})
    EXPECT_EQ(check("gfx1100", first + between + "v_mov_b32_e32 v3, v1").size(), 0u)
        << between;
  EXPECT_EQ(check("gfx1100", first + "s_nop 7\nv_mov_b32_e32 v3, v1").size(), 1u);
  EXPECT_EQ(check("gfx1201", first + "v_mov_b32_e32 v3, v1").size(), 0u);
}

TEST(Hazard, IsReportedWhereItHappens) {
  for (bool waits : {false, true}) {
    Machine machine("gfx942",
                    std::string(MFMA8 "\n") + (waits ? wait(11) : wait(10)) + READ, 64, 0,
                    true);
    for (uint16_t reg : {64, 65, 80, 81})
      machine.set(reg, 0);
    for (uint16_t reg = 0; reg < 16; ++reg)
      machine.set(reg, 0);
    auto faults = machine.run();
    ASSERT_EQ(faults.size(), waits ? 0u : 1u);
    if (waits)
      continue;
    EXPECT_EQ(faults[0].rule, Rule::Hazard);
    EXPECT_STREQ(getName(faults[0].rule), "hazard");
    EXPECT_EQ(faults[0].message,
              "it reads the result of the instruction at 0x0 (v1): 11 wait states are "
              "needed in between, and 10 are there");
    EXPECT_EQ(faults[0].site.line, 16u);
    EXPECT_EQ(faults[0].site.instruction, READ);
  }
}
