//===- CallTest.cpp - Calls, what they return, and how deep they go -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

/// A kernel that stores what `f` makes of each thread's number; `more` follows the call.
struct Caller {
  Harness harness;
  uint64_t out = 0;

  std::string run(const std::string &function, uint32_t threads = 32) {
    std::string error = harness.loadBody(
        "u64 out",
        "ld.param.u64 %d0, [out];\nmov.u32 %r0, %tid.x;\n"
        ".param .b32 a;\n.param .b32 r;\nst.param.b32 [a], %r0;\n"
        "call (r), f, (a);\nld.param.b32 %r1, [r];\nmul.wide.u32 %d1, %r0, 4;\n"
        "add.u64 %d1, %d0, %d1;\nst.global.u32 [%d1], %r1;",
        function);
    if (!error.empty())
      return error;
    out = harness.empty<uint32_t>(threads);
    harness.arg(out);
    return harness.launch({1}, {threads});
  }
  std::vector<uint32_t> results(uint32_t threads = 32) {
    return harness.get<uint32_t>(out, threads);
  }
};

/// A function `f` that calls itself for ever, with `more` declared.
std::string recursive(const std::string &more) {
  return ".func (.param .b32 r) f(.param .b32 n)\n{\n.reg .b32 %x;\n" + more +
         ".param .b32 a;\n.param .b32 s;\nld.param.b32 %x, [n];\nst.param.b32 [a], %x;\n"
         "call (s), f, (a);\nld.param.b32 %x, [s];\nst.param.b32 [r], %x;\n}\n";
}

/// The one fault of `caller`'s run, which is a call's limit.
void expectLimit(const Caller &caller, const std::string &text) {
  ASSERT_EQ(caller.harness.faults.size(), 1u) << caller.harness.faultText();
  const auto &fault = caller.harness.faults[0];
  EXPECT_EQ(fault.rule, Rule::Limit);
  EXPECT_NE(fault.message.find(text), std::string::npos) << fault.message;
  EXPECT_EQ(fault.site.instruction, "call (s), f, (a)");
  EXPECT_NE(fault.site.line, 0u);
}

} // namespace

TEST(Call, TheEndOfABodyReturnsResults) {
  Caller caller;
  expectClean(caller.harness,
              caller.run(".func (.param .b32 r) f(.param .b32 n)\n{\n.reg .b32 %x;\n"
                         "ld.param.b32 %x, [n];\nadd.u32 %x, %x, 5;\n"
                         "st.param.b32 [r], %x;\n}\n"));
  for (uint32_t i = 0; i < 32; ++i)
    EXPECT_EQ(caller.results()[i], i + 5);
  for (uint8_t shadow : caller.harness.shadow(caller.out, 128))
    EXPECT_EQ(shadow, tilewright::emulator::Sound);
}

TEST(Call, LanesThatReturnApart) {
  // Some return in the middle, some at the end, and some have stored nothing.
  Caller caller;
  expectClean(caller.harness,
              caller.run(".func (.param .b32 r) f(.param .b32 n)\n{\n.reg .b32 %x;\n"
                         ".reg .pred %q, %e;\nld.param.b32 %x, [n];\n"
                         "setp.eq.u32 %e, %x, 31;\nsetp.lt.u32 %q, %x, 8;\n"
                         "@%q st.param.b32 [r], 1;\n@%q ret;\nadd.u32 %x, %x, 100;\n"
                         "@!%e st.param.b32 [r], %x;\n}\n"));
  for (uint32_t i = 0; i < 31; ++i)
    EXPECT_EQ(caller.results()[i], i < 8 ? 1 : i + 100);
  std::vector<uint8_t> shadow = caller.harness.shadow(caller.out, 128);
  EXPECT_EQ(shadow[4 * 30], tilewright::emulator::Sound);
  EXPECT_EQ(shadow[4 * 31], tilewright::emulator::Undefined);
}

TEST(Call, EndlessRecursionIsALimit) {
  Caller caller;
  EXPECT_EQ(caller.run(recursive("")), "");
  expectLimit(caller, "nested 512 deep");
}

TEST(Call, FramesKeepLocalMemory) {
  Caller caller;
  EXPECT_EQ(caller.run(recursive(".local .b8 large[100000];\n")), "");
  expectLimit(caller, "600000 bytes of local memory");
}

TEST(Call, FramesKeepTheHostsMemory) {
  Caller caller;
  caller.harness.device.frameLimit = 1 << 24;
  EXPECT_EQ(caller.run(recursive(".reg .b64 %many<1000>;\nmov.u64 %many999, 0;\n"), 1024),
            "");
  expectLimit(caller, "more than 16 MiB");
  // What has returned counts no more: each call takes a quarter of what there is.
  Caller other;
  other.harness.device.frameLimit = 40'000;
  expectClean(
      other.harness,
      other.run(".func (.param .b32 r) g(.param .b32 n)\n{\n"
                "st.param.b32 [r], 1;\n}\n"
                ".func (.param .b32 r) f(.param .b32 n)\n{\n"
                ".reg .b32 %x, %i, %s;\n.reg .pred %q;\n.param .b32 a;\n"
                ".param .b32 b;\nmov.u32 %i, 0;\nmov.u32 %s, 0;\nAGAIN:\n"
                "st.param.b32 [a], %i;\ncall (b), g, (a);\nld.param.b32 %x, [b];\n"
                "add.u32 %s, %s, %x;\nadd.u32 %i, %i, 1;\n"
                "setp.lt.u32 %q, %i, 50;\n@%q bra AGAIN;\nst.param.b32 [r], %s;\n}\n"));
  EXPECT_EQ(other.results()[9], 50u);
}
