//===- SdwaTest.cpp - Parts of sources and of results -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Samples.h"

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;

namespace {
struct Part {
  const char *name;
  unsigned shift, bits;
};
const Part parts[] = {{"BYTE_0", 0, 8},  {"BYTE_1", 8, 8},  {"BYTE_2", 16, 8},
                      {"BYTE_3", 24, 8}, {"WORD_0", 0, 16}, {"WORD_1", 16, 16},
                      {"DWORD", 0, 32}};
const char *cdna[] = {"gfx90a", "gfx942"};

uint32_t select(uint32_t value, const Part &part, bool isSigned) {
  int64_t bits = int64_t(value >> part.shift) & ((int64_t(1) << part.bits) - 1);
  if (isSigned && bits >> (part.bits - 1) & 1)
    bits -= int64_t(1) << part.bits;
  return uint32_t(bits);
}
} // namespace

TEST(Sdwa, SourcesAreSelectedAndExtended) {
  for (const char *target : cdna) {
    std::string text;
    auto reg = [](const Part &a, bool isSigned) {
      return uint16_t(10 + 2 * (&a - parts) + isSigned);
    };
    auto other = [](const Part &a) { return parts[(&a - parts + 3) % 7]; };
    for (const Part &a : parts)
      for (bool isSigned : {false, true})
        text += "v_add_u32_sdwa v" + std::to_string(reg(a, isSigned)) +
                (isSigned ? ", sext(v0), v1" : ", v0, sext(v1)") +
                " dst_sel:DWORD dst_unused:UNUSED_PAD src0_sel:" + a.name +
                " src1_sel:" + other(a).name + "\n";
    auto machine = runSamples(target, text);
    for (const Part &a : parts)
      for (bool isSigned : {false, true})
        for (unsigned item = 0; item < sampleCount; ++item)
          ASSERT_EQ(resultOf(*machine, reg(a, isSigned), item),
                    select(sample(0, item), a, isSigned) +
                        select(sample(1, item), other(a), !isSigned))
              << a.name;
  }
}

TEST(Sdwa, ResultsAreMerged) {
  const char *kinds[] = {"UNUSED_PAD", "UNUSED_SEXT", "UNUSED_PRESERVE"};
  for (const char *target : cdna) {
    std::string text;
    auto reg = [](const Part &to, int kind) {
      return uint16_t(10 + 3 * (&to - parts) + kind);
    };
    for (const Part &to : parts)
      for (int kind = 0; kind < 3; ++kind)
        text += "v_add_u32_sdwa v" + std::to_string(reg(to, kind)) +
                ", v0, v1 dst_sel:" + to.name + " dst_unused:" + kinds[kind] +
                " src0_sel:DWORD src1_sel:DWORD\n";
    auto machine = runSamples(target, text);
    for (const Part &to : parts)
      for (int kind = 0; kind < 3; ++kind)
        for (unsigned item = 0; item < sampleCount; ++item) {
          uint32_t sum = sample(0, item) + sample(1, item);
          uint64_t mask = ((uint64_t(1) << to.bits) - 1) << to.shift;
          uint64_t expected = uint64_t(sum) << to.shift & mask;
          if (kind == 1)
            expected = uint64_t(select(sum, {"", 0, to.bits}, true)) << to.shift;
          if (kind == 2)
            expected |= 0xa5a5a5a5 & ~mask;
          ASSERT_EQ(resultOf(*machine, reg(to, kind), item), uint32_t(expected))
              << to.name << kinds[kind];
        }
  }
}

TEST(Sdwa, ComparisonsAndCarries) {
  for (const char *target : cdna) {
    auto machine = runSamples(
        target, "v_cmp_lt_i16_sdwa s[2:3], v0, sext(v1) src0_sel:WORD_1 src1_sel:BYTE_3\n"
                "v_add_co_u32_sdwa v10, vcc, v0, v1 dst_sel:DWORD dst_unused:UNUSED_PAD "
                "src0_sel:BYTE_1 src1_sel:DWORD");
    for (unsigned item = 0; item < sampleCount; ++item) {
      uint32_t a = sample(0, item), b = sample(1, item);
      ASSERT_EQ(maskBit(*machine, 2, item), int16_t(a >> 16) < int8_t(b >> 24));
      uint64_t sum = uint64_t(a >> 8 & 0xff) + b;
      ASSERT_EQ(resultOf(*machine, 10, item), uint32_t(sum));
      ASSERT_EQ(maskBit(*machine, Vcc, item), sum >> 32);
    }
  }
}

TEST(Sdwa, UndefinedBytesAreSelected) {
  Machine machine("gfx942",
                  "v_mov_b32_sdwa v1, v0 dst_sel:BYTE_2 dst_unused:UNUSED_PRESERVE "
                  "src0_sel:BYTE_1\n"
                  "v_mov_b32_sdwa v2, v0 dst_sel:WORD_1 dst_unused:UNUSED_PAD "
                  "src0_sel:WORD_1\n"
                  "v_mov_b32_sdwa v3, sext(v0) dst_sel:DWORD dst_unused:UNUSED_PAD "
                  "src0_sel:BYTE_1");
  machine.set(0, 1);
  machine.set(1, 1);
  machine.poison(0, 4, 0x2);
  machine.poison(1, 4, 0x5);
  machine.runClean();
  EXPECT_EQ(machine.getPoison(1, 4), 0x5);
  EXPECT_EQ(machine.getPoison(2, 4), 0);
  EXPECT_EQ(machine.getPoison(3, 4), 0xf);
}
