//===- LibraryCallsTest.cpp - printf, malloc and free -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <map>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

//===----------------------------------------------------------------------===//
// printf
//===----------------------------------------------------------------------===//

/// The bytes of a string as PTX initialises them.
static std::string bytesOf(const std::string &text) {
  std::string bytes;
  for (unsigned char c : text)
    bytes += std::to_string(c) + ", ";
  return "{" + bytes + "0}";
}

/// Prints by `format` the arguments that `pack` stores to [args], in one thread, and
/// stores what vprintf gives back at the address that this gives.
static uint64_t print(Harness &h, const std::string &format, const std::string &pack) {
  std::string globals =
      ".extern .func (.param .b32 r) vprintf(.param .b64 f, .param .b64 a);\n"
      ".global .align 1 .b8 text[] = " +
      bytesOf(format) + ";\n.global .align 1 .b8 word[] = " + bytesOf("word") + ";\n";
  EXPECT_EQ(h.loadBody("u64 out",
                       ".local .align 8 .b8 args[64];\nld.param.u64 %d0, [out];\n"
                       "{ .param .b64 f; .param .b64 a; .param .b32 r;\n" +
                           pack +
                           "\ncvta.global.u64 %d1, text; st.param.b64 [f], %d1;\n"
                           "cvta.local.u64 %d2, args; st.param.b64 [a], %d2;\n"
                           "call (r), vprintf, (f, a);\n"
                           "ld.param.b32 %r1, [r]; st.global.b32 [%d0], %r1; }",
                       globals),
            "");
  uint64_t out = h.empty<uint32_t>(1);
  h.arg(out);
  EXPECT_EQ(h.launch({1, 1, 1}, {1, 1, 1}), "");
  return out;
}

TEST(Printf, WidthsAndPrecisions) {
  Harness h;
  std::string word = "cvta.global.u64 %d3, word; st.local.u64 [args], %d3;";
  print(h, "[%s|%7s|%-7s|%.2s]",
        word + "st.local.u64 [args+8], %d3; st.local.u64 [args+16], %d3;"
               "st.local.u64 [args+24], %d3;");
  EXPECT_EQ(h.device.output, "[word|   word|word   |wo]");
  h.device.output.clear();
  print(h, "%*d|%-4d|%04x",
        "st.local.u32 [args], 5; st.local.u32 [args+4], -7;"
        "st.local.u32 [args+8], 3; st.local.u32 [args+12], 255;");
  EXPECT_EQ(h.device.output, "   -7|3   |00ff");
  h.device.output.clear();
  print(h, "%900d!", "st.local.u32 [args], 1;");
  EXPECT_EQ(h.device.output, std::string(899, ' ') + "1!");
  h.device.output.clear();
  print(h, "%s", "st.local.u64 [args], 0;");
  EXPECT_EQ(h.device.output, "(null)");
}

TEST(Printf, GivesTheNumberOfArguments) {
  for (auto [format, count] : std::map<std::string, uint32_t>{
           {"none %%", 0}, {"%d", 1}, {"%d %*d", 3}, {"%lld %f", 2}}) {
    Harness h;
    uint64_t out = print(
        h, format, "st.local.v2.u64 [args], {1, 2}; st.local.v2.u64 [args+16], {3, 4};");
    EXPECT_EQ(h.faultText(), "") << format;
    EXPECT_EQ(h.get<uint32_t>(out, 1)[0], count) << format;
  }
}

TEST(Printf, UndefinedArgument) {
  Harness h;
  print(h, "%d %d\n", "st.local.u32 [args], 1;");
  EXPECT_TRUE(h.hasFault(Rule::Uninitialised));
  EXPECT_NE(h.faultText().find("it prints argument 2"), std::string::npos);
}

//===----------------------------------------------------------------------===//
// malloc and free
//===----------------------------------------------------------------------===//

static constexpr const char *heapFunctions =
    ".extern .func (.param .b64 r) malloc(.param .b64 n);\n"
    ".extern .func free(.param .b64 p);\n"
    ".extern .func (.param .b64 r) __cuda_syscall_aligned_malloc(.param .b64 n, "
    ".param .b64 a);\n";

/// %dTO = malloc(bytes), and free(%dFROM).
static std::string allocate(const std::string &to, const std::string &bytes) {
  return "{ .param .b64 n; .param .b64 r; st.param.b64 [n], " + bytes +
         "; call (r), malloc, (n); ld.param.b64 " + to + ", [r]; }\n";
}
static std::string release(const std::string &from) {
  return "{ .param .b64 p; st.param.b64 [p], " + from + "; call free, (p); }\n";
}

/// Runs `body`, in which %d0 is the address of 64 words, and gives that.
static uint64_t run(Harness &h, const std::string &body, uint32_t threads = 1) {
  EXPECT_EQ(h.loadBody("u64 out", "ld.param.u64 %d0, [out];\n" + body, heapFunctions),
            "");
  uint64_t out = h.empty<uint64_t>(64);
  h.arg(out);
  EXPECT_EQ(h.launch({1, 1, 1}, {threads, 1, 1}), "");
  return out;
}

TEST(Heap, MemoryOfEachThread) {
  Harness h;
  uint64_t out =
      run(h,
          "mov.u32 %r0, %tid.x; cvt.u64.u32 %d1, %r0;\n" + allocate("%d2", "64") +
              "st.u64 [%d2+56], %d1; ld.u64 %d3, [%d2+56];\n"
              "shl.b64 %d4, %d1, 3; add.u64 %d4, %d4, %d0; st.global.u64 [%d4], %d3;\n" +
              release("%d2"),
          64);
  EXPECT_EQ(h.faultText(), "");
  std::vector<uint64_t> got = h.get<uint64_t>(out, 64);
  for (uint64_t i = 0; i < 64; ++i)
    EXPECT_EQ(got[i], i);
  EXPECT_EQ(h.device.memory.getUsed(), 512u); // the output alone
}

TEST(Heap, IsFullAndHasRoomAgain) {
  Harness h;
  h.device.heap.limit = 1000;
  uint64_t out =
      run(h, allocate("%d1", "600") + allocate("%d2", "600") + release("%d2") +
                 release("%d1") + allocate("%d3", "600") + allocate("%d4", "0") +
                 "st.global.u64 [%d0], %d2; st.global.u64 [%d0+8], %d4;\n"
                 "st.u8 [%d3+599], 1;\n" +
                 release("%d3"));
  EXPECT_EQ(h.faultText(), "");
  EXPECT_EQ(h.get<uint64_t>(out, 2), (std::vector<uint64_t>{0, 0}));
}

TEST(Heap, Faults) {
  auto check = [](const std::string &body, Rule rule, const std::string &what) {
    SCOPED_TRACE(body);
    Harness h;
    run(h, body);
    EXPECT_TRUE(h.hasFault(rule));
    EXPECT_NE(h.faultText().find(what), std::string::npos) << h.faultText();
  };
  std::string one = allocate("%d1", "16");
  check(one + "st.u32 [%d1+16], 1;", Rule::OutOfBounds, "malloc of line");
  check(one + release("%d1") + "st.u32 [%d1], 1;", Rule::UseAfterFree, "malloc of line");
  check(one + release("%d1") + release("%d1"), Rule::UseAfterFree, "freed before");
  check(one + "add.u64 %d1, %d1, 8;\n" + release("%d1"), Rule::OutOfBounds,
        "not the start");
  check(release("%d0"), Rule::OutOfBounds, "not the start");
  check(one + "ld.u32 %r1, [%d1]; add.u64 %d2, %d1, 0; cvt.u64.u32 %d3, %r1;\n" +
            release("%d3"),
        Rule::Uninitialised, "argument 1 depends on undefined data");
}

TEST(Heap, Alignment) {
  Harness h;
  uint64_t out = run(
      h, "{ .param .b64 n; .param .b64 a; .param .b64 r; st.param.b64 [n], 100;"
         "st.param.b64 [a], 4096; call (r), __cuda_syscall_aligned_malloc, (n, a);"
         "ld.param.b64 %d1, [r]; } and.b64 %d2, %d1, 4095; st.global.u64 [%d0], %d2;");
  EXPECT_EQ(h.faultText(), "");
  EXPECT_EQ(h.get<uint64_t>(out, 1)[0], 0u);
}

TEST(LibraryCalls, AreDeclaredAsTheyAre) {
  Harness h;
  std::string wrong = ".extern .func (.param .b32 r) malloc(.param .b64 n);\n";
  EXPECT_NE(h.loadBody("u64 a",
                       "{ .param .b64 n; .param .b32 r; call (r), malloc, (n); }", wrong)
                .find("the arguments are not those of malloc"),
            std::string::npos);
}
