//===- LdmatrixTest.cpp - ldmatrix, stmatrix, movmatrix -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

constexpr unsigned words = 2048; // of shared memory

/// Shared memory with a row of 16 bytes for each of 32 lanes, in an order of its own.
struct Rows {
  std::vector<uint32_t> memory = std::vector<uint32_t>(words);
  std::vector<uint32_t> addresses = std::vector<uint32_t>(32);

  Rows() {
    for (uint32_t &word : memory)
      word = static_cast<uint32_t>(randomBits()());
    for (unsigned lane = 0; lane < 32; ++lane)
      addresses[lane] = (lane * 37 % 64) * 16 + (lane & 3) * 1024;
  }
  uint16_t element(unsigned lane, unsigned column) const {
    uint32_t word = memory[addresses[lane] / 4 + column / 2];
    return static_cast<uint16_t>(column % 2 ? word >> 16 : word);
  }
};

/// Copies the shared memory from buffer m, and the lane's address, from buffer a, to %r1.
const char *const prologue = R"(
ld.param.u64 %d0, [m];
ld.param.u64 %d1, [a];
ld.param.u64 %d2, [o];
mov.u32 %r0, %tid.x;
mul.wide.u32 %d3, %r0, 4;
add.s64 %d4, %d0, %d3;
mov.u32 %r2, s;
shl.b32 %r3, %r0, 2;
add.u32 %r3, %r3, %r2;
mov.u32 %r4, 0;
loop:
ld.global.u32 %r5, [%d4];
st.shared.u32 [%r3], %r5;
add.s64 %d4, %d4, 128;
add.u32 %r3, %r3, 128;
add.u32 %r4, %r4, 1;
setp.lt.u32 %p0, %r4, 64;
@%p0 bra loop;
bar.sync 0;
add.s64 %d1, %d1, %d3;
ld.global.u32 %r1, [%d1];
add.u32 %r1, %r1, %r2;
add.s64 %d2, %d2, %d3;
)";
const char *const shared = ".shared .align 16 .b8 s[8192];\n";
const char *const params = "u64 m, u64 a, u64 o";

std::string list(unsigned count, unsigned first) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += (i ? ", %r" : "%r") + std::to_string(first + i);
  return text + "}";
}

} // namespace

TEST(Ldmatrix, EachFormAgainstTheTable) {
  for (unsigned count : {1u, 2u, 4u})
    for (bool transposed : {false, true})
      for (bool generic : {false, true}) {
        std::string mnemonic = "ldmatrix.sync.aligned.m8n8.x" + std::to_string(count) +
                               (transposed ? ".trans" : "") + (generic ? "" : ".shared") +
                               ".b16";
        SCOPED_TRACE(mnemonic);
        Rows rows;
        Harness harness(80);
        std::string body = prologue;
        std::string address = "[%r1]";
        if (generic) {
          body += "cvt.u64.u32 %d5, %r1;\ncvta.shared.u64 %d5, %d5;\n";
          address = "[%d5]";
        }
        body += mnemonic + " " + list(count, 10) + ", " + address + ";\n";
        for (unsigned i = 0; i < count; ++i)
          body += "st.global.b32 [%d2+" + std::to_string(i * 128) + "], %r" +
                  std::to_string(10 + i) + ";\n";
        ASSERT_EQ(harness.loadBody(params, body, shared), "");
        uint64_t result = harness.empty<uint32_t>(count * 32);
        harness.arg(harness.put(rows.memory))
            .arg(harness.put(rows.addresses))
            .arg(result);
        ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
        ASSERT_TRUE(harness.faults.empty()) << harness.faultText();
        auto found = harness.get<uint32_t>(result, count * 32);
        for (unsigned i = 0; i < count; ++i)
          for (unsigned lane = 0; lane < 32; ++lane)
            for (unsigned e = 0; e < 2; ++e) {
              unsigned row = lane / 4, column = lane % 4 * 2 + e;
              uint16_t expected = transposed ? rows.element(i * 8 + column, row)
                                             : rows.element(i * 8 + row, column);
              EXPECT_EQ(found[i * 32 + lane] >> (16 * e) & 0xffff, expected)
                  << "lane " << lane << " register " << i;
            }
      }
}

TEST(Stmatrix, EachFormAgainstTheTable) {
  for (unsigned count : {1u, 2u, 4u})
    for (bool transposed : {false, true}) {
      std::string mnemonic = "stmatrix.sync.aligned.x" + std::to_string(count) + ".m8n8" +
                             (transposed ? ".trans" : "") + ".shared::cta.b16";
      SCOPED_TRACE(mnemonic);
      Rows rows;
      Harness harness;
      std::string body = prologue;
      for (unsigned i = 0; i < count; ++i)
        body += "ld.global.b32 %r" + std::to_string(10 + i) + ", [%d2+" +
                std::to_string(i * 128) + "];\n";
      body += mnemonic + " [%r1+0], " + list(count, 10) + ";\nbar.sync 0;\n" + R"(
shl.b32 %r3, %r0, 2;
add.u32 %r3, %r3, %r2;
add.s64 %d4, %d0, %d3;
mov.u32 %r4, 0;
back:
ld.shared.u32 %r5, [%r3];
st.global.u32 [%d4], %r5;
add.s64 %d4, %d4, 128;
add.u32 %r3, %r3, 128;
add.u32 %r4, %r4, 1;
setp.lt.u32 %p0, %r4, 64;
@%p0 bra back;
)";
      ASSERT_EQ(harness.loadBody(params, body, shared), "");
      std::vector<uint32_t> registers(count * 32);
      for (uint32_t &word : registers)
        word = static_cast<uint32_t>(randomBits()());
      uint64_t memory = harness.put(rows.memory);
      harness.arg(memory).arg(harness.put(rows.addresses)).arg(harness.put(registers));
      ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
      ASSERT_TRUE(harness.faults.empty()) << harness.faultText();
      Rows expected = rows, found = rows;
      found.memory = harness.get<uint32_t>(memory, words);
      for (unsigned i = 0; i < count; ++i)
        for (unsigned lane = 0; lane < 32; ++lane)
          for (unsigned e = 0; e < 2; ++e) {
            unsigned row = lane / 4, column = lane % 4 * 2 + e;
            if (transposed)
              std::swap(row, column);
            uint32_t &word =
                expected.memory[rows.addresses[i * 8 + row] / 4 + column / 2];
            uint32_t value = registers[i * 32 + lane] >> (16 * e) & 0xffff;
            word = column % 2 ? (word & 0xffff) | value << 16 : (word & ~0xffffu) | value;
          }
      EXPECT_EQ(found.memory, expected.memory);
    }
}

TEST(Movmatrix, Transposes) {
  Harness harness(80);
  ASSERT_EQ(harness.loadBody("u64 a, u64 o", R"(
ld.param.u64 %d0, [a];
ld.param.u64 %d1, [o];
mov.u32 %r0, %tid.x;
mul.wide.u32 %d2, %r0, 4;
add.s64 %d0, %d0, %d2;
add.s64 %d1, %d1, %d2;
ld.global.b32 %r1, [%d0];
movmatrix.sync.aligned.m8n8.trans.b16 %r2, %r1;
st.global.b32 [%d1], %r2;
)"),
            "");
  std::vector<uint16_t> from(64);
  for (uint16_t &element : from)
    element = static_cast<uint16_t>(randomBits()());
  uint64_t result = harness.empty<uint16_t>(64);
  harness.arg(harness.put(from)).arg(result);
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  ASSERT_TRUE(harness.faults.empty()) << harness.faultText();
  // Lanes in order hold a matrix row by row.
  auto to = harness.get<uint16_t>(result, 64);
  for (unsigned row = 0; row < 8; ++row)
    for (unsigned column = 0; column < 8; ++column)
      EXPECT_EQ(to[row * 8 + column], from[column * 8 + row]);
}

//===----------------------------------------------------------------------===//
// Faults
//===----------------------------------------------------------------------===//

static void expectFault(const std::string &body, Rule rule, unsigned threads = 32) {
  SCOPED_TRACE(body);
  Rows rows;
  Harness harness;
  ASSERT_EQ(harness.loadBody(params, prologue + body, shared), "");
  harness.arg(harness.put(rows.memory)).arg(harness.put(rows.addresses));
  harness.arg(harness.empty<uint32_t>(256));
  ASSERT_EQ(harness.launch({1, 1, 1}, {threads, 1, 1}), "");
  EXPECT_TRUE(harness.hasFault(rule)) << harness.faultText();
}

TEST(Ldmatrix, Faults) {
  const std::string load =
      "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10,%r11,%r12,%r13}, ";
  expectFault(load + "[%r1+8];\n", Rule::Misaligned);
  expectFault(load + "[%r1+8192];\n", Rule::OutOfBounds);
  expectFault(load + "[%r99];\n", Rule::Uninitialised);
  expectFault("setp.lt.u32 %p1, %r0, 31;\n@%p1 " + load + "[%r1];\n", Rule::Convergence);
  expectFault("setp.lt.u32 %p1, %r0, 16;\n@%p1 exit;\n" + load + "[%r1];\n",
              Rule::Convergence);
  expectFault(load + "[%r1];\n", Rule::Convergence, 24);
}

TEST(Ldmatrix, LanesWithoutARowNeedNoAddress) {
  Rows rows;
  Harness harness;
  std::string body = prologue;
  body += "setp.lt.u32 %p1, %r0, 8;\n@%p1 mov.u32 %r20, %r1;\n"
          "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r10}, [%r20];\n";
  ASSERT_EQ(harness.loadBody(params, body, shared), "");
  harness.arg(harness.put(rows.memory)).arg(harness.put(rows.addresses));
  harness.arg(harness.empty<uint32_t>(32));
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  EXPECT_TRUE(harness.faults.empty()) << harness.faultText();
}

TEST(Ldmatrix, CarriesUndefinedElements) {
  // The upper half of a word of shared memory is never written.
  Rows rows;
  Harness harness;
  std::string body = prologue;
  body += R"(
mov.u32 %r6, t;
and.b32 %r7, %r0, 7;
shl.b32 %r7, %r7, 4;
add.u32 %r6, %r6, %r7;
cvt.u16.u32 %h0, %r0;
st.shared.u16 [%r6], %h0;
st.shared.u16 [%r6+4], %h0;
bar.warp.sync -1;
ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r10}, [%r6];
st.global.b32 [%d2], %r10;
)";
  ASSERT_EQ(harness.loadBody(params, body,
                             std::string(shared) + ".shared .align 16 .b8 t[128];\n"),
            "");
  uint64_t result = harness.empty<uint32_t>(32);
  harness.arg(harness.put(rows.memory)).arg(harness.put(rows.addresses)).arg(result);
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  auto shadow = harness.shadow(result, 128);
  for (unsigned lane = 0; lane < 32; ++lane) {
    bool lowDefined = lane % 4 < 2;
    for (unsigned byte = 0; byte < 4; ++byte)
      EXPECT_EQ(shadow[lane * 4 + byte] == 0, byte < 2 && lowDefined) << lane;
  }
}

TEST(Ldmatrix, RefusesWhatIsNotModelled) {
  for (const char *text :
       {"ldmatrix.sync.aligned.m16n16.x1.trans.shared.b8 {%r10,%r11}, [%r1];",
        "ldmatrix.sync.aligned.m8n16.x1.shared.b8x16.b6x16_p32 {%r10}, [%r1];",
        "ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r10}, [%r1];",
        "ldmatrix.sync.aligned.m8n8.x1.global.b16 {%r10}, [%d1];",
        "ldmatrix.m8n8.x1.shared.b16 {%r10}, [%r1];"}) {
    Harness harness;
    EXPECT_NE(harness.loadBody(params, text, shared), "") << text;
  }
  Harness old(80);
  EXPECT_NE(old.loadBody(params, "stmatrix.sync.aligned.m8n8.x1.shared.b16 [%r1], {%r2};",
                         shared),
            "");
}
