//===- DecodeTest.cpp - Modules that are refused, and where -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Texts that fuzzing found (emulators/ptx/fuzz) or that are like them: none may crash,
// and every error names a line.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

const std::string header = ".version 8.7\n.target sm_90a\n.address_size 64\n";

/// The error of `text`, whose first line is 4, on a device with little memory.
std::string decodeError(const std::string &text) {
  tilewright::emulator::GlobalMemory memory(1 << 20);
  SyntaxError error;
  auto module = parse(header + text, error);
  if (module && decode(std::move(module), memory, error))
    return "";
  return std::to_string(error.line) + ": " + error.message;
}

/// The error of a body in Harness's kernel, without its line.
std::string bodyError(const std::string &body, const std::string &globals = "") {
  Harness harness;
  return harness.loadBody("u64 a", body, globals);
}

#define EXPECT_HAS(text, part)                                                           \
  EXPECT_NE(std::string(text).find(part), std::string::npos) << text

} // namespace

TEST(Decode, ErrorsOfVariablesNameTheirLine) {
  EXPECT_EQ(decodeError("\n.global .b8 x[16];\n.global\n.b8 big[1 << 21];"),
            "7: no memory for variable big");
  EXPECT_HAS(decodeError("\n.shared .b32 s;\n.global .u64 p = s;"),
             "6: the initial value of p names s");
  EXPECT_HAS(decodeError(".entry k() {\n.shared .b32 s;\n.global .u64 p = s; ret; }"),
             "6: the initial value of p names s");
}

TEST(Decode, InitialValuesAreBounded) {
  // What they take is not what the text says, so all of a module together count.
  EXPECT_EQ(decodeError(".global .b8 a[2][40000000] = {{}, {1}};\n"
                        ".global .b8 b[2][40000000] = {{}, {1}};"),
            "5: the initial value of 'b' is too large");
}

TEST(Decode, ParametersAreBounded) {
  EXPECT_HAS(decodeError("\n.entry k(.param .b8 a[4294967296]) { ret; }"),
             "5: the parameters and call arguments of k have 4294967296 bytes");
  EXPECT_HAS(decodeError(".entry k() { .param .b8 a[2000000]; ret; }"),
             "4: the parameters and call arguments of k");
  EXPECT_EQ(decodeError(".entry k(.param .b8 a[32764]) { ret; }"), "");
}

TEST(Decode, SharedMemoryBeyond32Bits) {
  Harness harness;
  ASSERT_EQ(harness.loadBody("u64 a", "st.shared.u32 [s], 1;",
                             ".shared .align 4 .b8 s[4294967300];"),
            "");
  EXPECT_HAS(harness.arg(uint64_t(0)).launch({}, {32, 1, 1}),
             "needs 4294967300 bytes of shared memory");
}

TEST(Decode, VariablesOfFunctionsHaveAddresses) {
  Harness harness;
  ASSERT_EQ(harness.loadBody("u64 a",
                             ".global .u32 x = 7; .global .u64 p = x;\n"
                             "ld.param.u64 %d1, [a]; ld.global.u64 %d2, [p];\n"
                             "ld.global.u32 %r1, [%d2]; st.global.u32 [%d1], %r1;"),
            "");
  uint64_t result = harness.empty<uint32_t>(1);
  EXPECT_EQ(harness.arg(result).launch({}, {1, 1, 1}), "");
  EXPECT_EQ(harness.faultText(), "");
  EXPECT_EQ(harness.get<uint32_t>(result, 1)[0], 7u);
}

TEST(Decode, ResultsThatMayNotBeSinks) {
  EXPECT_HAS(bodyError("vadd4.u32.u32.u32 _, %r1, %r2, %r3;"), "may not be a sink");
  EXPECT_HAS(bodyError("stacksave.u64 _;"), "may not be a sink");
}

TEST(Decode, Calls) {
  EXPECT_HAS(decodeError(".entry f() { ret; }\n.entry k() { call f; ret; }"),
             "f is a kernel");
  const std::string print =
      ".extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 b);\n";
  const std::string call = ".entry k() { .param .b64 x; .param .b64 y; .param .b8 z;\n"
                           "call (z), vprintf, (x, y); ret; }";
  EXPECT_HAS(decodeError(print + call), "the arguments are not those of vprintf");
}

TEST(Decode, RegistersOf128Bits) {
  // Only .b128 and halves that a vector names use them.
  for (const char *body :
       {"add.u64 %d0, %q, %d1;", "add.u64 %q, %d0, %d1;", "mov.b64 %d0, %q;",
        "mov.u32 %q, 5;", "mov.b64 {%r0, %r1}, %q;", "mov.b128 {%q, %d0}, %q;",
        "ld.global.u32 %q, [%d0];", "ld.global.s32 %q, [%d0];",
        "ld.global.u32 %r0, [%q];", "ld.global.v2.u64 {%d0, %q}, [%d1];",
        "st.global.u64 [%d0], %q;", "st.global.b128 [%d0], %d1;",
        "atom.global.add.u64 %d0, [%d1], %q;", "cvt.u64.u32 %q, %r0;",
        "shfl.sync.idx.b32 %q, %r0, 0, 31, -1;", "selp.b64 %q, %d0, %d1, %p0;",
        "setp.eq.u64 %p0, %q, %d0;",
        "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%q, %g1}, {%g2}, {%g3}, "
        "{%g0, %g1};"})
    EXPECT_HAS(bodyError(std::string(".reg .b128 %q;\n") + body), "128") << body;
  EXPECT_EQ(bodyError(".reg .b128 %q, %s;\nmov.b128 %q, {%d0, %d1};\nmov.b128 %s, %q;\n"
                      "mov.b128 {%d0, %d1}, %s;\nld.global.b128 %q, [%d0];\n"
                      "st.global.b128 [%d0], %q;\n"
                      "atom.global.cas.b128 %q, [%d0], %q, %s;"),
            "");
}

TEST(Decode, NothingIsLeftOfAModuleThatFails) {
  tilewright::emulator::GlobalMemory memory(1 << 20);
  const std::string variables = header + ".global .b8 a[1000];\n.const .b8 c[100];\n";
  for (const std::string &rest :
       {std::string(".entry k() { .global .b8 b[10]; nonsense; ret; }"),
        std::string(".global .b8 big[1 << 21];"),
        std::string(".shared .b32 s;\n.global .u64 p = s;")}) {
    SyntaxError error;
    auto module = parse(variables + rest, error);
    ASSERT_TRUE(module) << error.message;
    EXPECT_FALSE(decode(std::move(module), memory, error));
    EXPECT_EQ(memory.getUsed(), 0u) << rest;
  }
}

TEST(Decode, TypesThatAreMissing) {
  EXPECT_HAS(bodyError("mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2 "
                       "{%f0,%f1,%f2,%f3}, {%r1,%r2,%r3,%r4}, {%r5,%r6}, "
                       "{%f0,%f1,%f2,%f3};"),
             "the types of C and D");
  EXPECT_HAS(bodyError(".reg .b128 %w; ld.param.s8 %w, [a];"), "128 bits");
}

TEST(Decode, OffsetsWrapAround) {
  // 2^63 - 1 is odd, so bytes.
  for (const char *body :
       {"ld.global.u8 %h1, [x+9223372036854775807];",
        "mov.u64 %d1, 0x7fffffffffffffff; ld.u8 %h1, [%d1+9223372036854775807];",
        "mov.u64 %d1, l; ld.local.u8 %h1, [l+9223372036854775807];",
        "mov.u64 %d1, l+9223372036854775807; ld.local.u8 %h1, [%d1];",
        "ld.u8 %h1, [0xffffffffffffffff];"}) {
    Harness harness;
    ASSERT_EQ(harness.loadBody("u64 a",
                               std::string(".local .b8 pad; .local .b8 l;\n") + body,
                               ".global .b8 x;\n"),
              "");
    EXPECT_EQ(harness.arg(uint64_t(0)).launch({}, {32, 1, 1}), "");
    EXPECT_TRUE(harness.hasFault(Rule::OutOfBounds)) << body << harness.faultText();
  }
}

TEST(Decode, EmptyThings) {
  Harness harness;
  ASSERT_EQ(harness.load(header + ".func f() { ret; }\n.entry k() {\n.reg .b64 %d;\n"
                                  "call f; alloca.u64 %d, 0; ret; }"),
            "");
  EXPECT_EQ(harness.launch({}, {32, 1, 1}), "");
  EXPECT_EQ(harness.faultText(), "");
}

TEST(Decode, WidthsOfPrintf) {
  auto print = [](const std::string &bytes) {
    Harness harness;
    EXPECT_EQ(harness.load(
                  header +
                  ".extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 "
                  "b);\n.global .b8 text[] = {" +
                  bytes +
                  "};\n.global .u32 values[2] = {7, 9};\n.entry k() {\n.reg .b64 %d<3>;\n"
                  ".param .b64 x; .param .b64 y; .param .b32 z;\nmov.u64 %d1, text;\n"
                  "cvta.global.u64 %d1, %d1; mov.u64 %d2, values;\n"
                  "cvta.global.u64 %d2, %d2; st.param.b64 [x], %d1;\n"
                  "st.param.b64 [y], %d2; call (z), vprintf, (x, y); ret; }"),
              "");
    EXPECT_EQ(harness.launch({}, {1, 1, 1}), "");
    return harness.hasFault(Rule::Unsupported) ? "refused" : harness.device.output;
  };
  EXPECT_EQ(print("37, 51, 100, 10, 0"), "  7\n");                   // %3d
  EXPECT_EQ(print("37, 57, 57, 57, 57, 100, 0"), "refused");         // %9999d
  EXPECT_EQ(print("37, 46, 57, 57, 57, 57, 57, 100, 0"), "refused"); // %.99999d
}
