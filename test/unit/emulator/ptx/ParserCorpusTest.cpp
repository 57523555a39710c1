//===- ParserCorpusTest.cpp - Whole files, large and damaged ones -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserHarness.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {

using Path = std::filesystem::path;

/// The PTX files of test/emulator/ptx/vectors; none where the folder is not there.
std::vector<Path> findVectors() {
  std::vector<Path> found;
  std::error_code missing;
  for (const auto &entry : std::filesystem::directory_iterator(VECTORS, missing))
    if (entry.path().extension() == ".ptx")
      found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::string read(const Path &path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// One of everything, so that damage reaches all of the parser.
const char sample[] = R"(
.version 8.7
.target sm_90a, debug
.address_size 64
.file 1 "a.cu"
.extern .func (.param .b32 r) vprintf(.param .b64 a, .param .b64 _);
.extern .shared .align 16 .b8 dyn[];
.global .align 4 .s32 grid[][2] = {{-1, 0}, {0, 2}, {3}};
.const .f32 half[3] = {.5, 0f3F000000, 1e-3};
.visible .global .u64 table[3] = {grid, generic(grid)+8, vprintf};
.section .debug_str { $L__s0: .b8 1,2,3 }
.visible .entry kernel(.param .u64 .ptr .global .align 16 a, .param .align 64 .b8 m[128])
.maxntid 128, 1, 1 .minnctapersm 2 .reqnctapercluster 2 .explicitcluster
{
  .reg .pred %p<4>; .reg .b32 %r<20>; .reg .b64 %rd<4>; .reg .v2 .f32 %v<2>;
  .shared .align 8 .b64 bar[2];
  .loc 1 10 3, function_name $L__s0+12, inlined_at 1 20 5
  mov.u32 %r1, %tid.x;
  setp.lt.u32 %p1|%p2, %r1, WARP_SZ-1;
  @!%p1 bra $L1;
  ld.global.v2.b32 {%r2, %r3}, [%rd1+-16];
  cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes
    [dyn], [m, {%r1, 0}], [bar+8];
$T: .branchtargets $L1, $L2;
  brx.idx %r1, $T;
  { .reg .b32 %r<2>; .param .b64 q; st.param.b64 [q], (1 ? 2 : 3) << 4;
  proto: .callprototype (.param .b32 _) _ (.param .b64 _);
    call.uni (%r1), %rd1, (q), proto; }
$L1: mov.f32 %v1.x, 0d3FF0000000000000;
$L2: .pragma "nounroll"; /* end */
  ret; // done
}
)";

void expectSaneResult(const std::string &text) {
  SyntaxError error;
  auto module = parse(text, error);
  if (!module) {
    EXPECT_FALSE(error.message.empty());
    EXPECT_GE(error.line, 1u);
    EXPECT_GE(error.column, 1u);
    return;
  }
  EXPECT_TRUE(error.message.empty());
  for (const Function &function : module->functions) {
    for (uint32_t label : function.labels)
      EXPECT_LE(label, function.body.size());
    // `print` looks registers up.
    for (const Statement &statement : function.body)
      print(statement, function);
  }
}

/// Characters that mean much.
const char telling[] = "{}()[];,.:%@<>=\"'/*\0\n0x+-!|?_$";

/// Parses `count` damaged copies of `text`.
void damage(const std::string &text, unsigned count, uint32_t seed) {
  std::mt19937 random(seed);
  for (unsigned i = 0; i < count; ++i) {
    std::string damaged = text;
    unsigned changes = 1 + random() % 4;
    for (; changes > 0 && !damaged.empty(); --changes) {
      size_t at = random() % damaged.size();
      size_t length = 1 + random() % 12, other = random() % damaged.size();
      switch (random() % 6) {
      case 0:
        damaged.erase(at, length);
        break;
      case 1:
        damaged.insert(at, damaged.substr(at, length));
        break;
      case 2:
        damaged[at] ^= char(1 << random() % 8);
        break;
      case 3:
        damaged[at] = telling[random() % (sizeof telling - 1)];
        break;
      case 4:
        damaged.insert(at, damaged.substr(other, length * 4));
        break;
      case 5:
        damaged.resize(at);
        break;
      }
    }
    expectSaneResult(damaged);
    if (testing::Test::HasFailure())
      FAIL() << damaged;
  }
}

} // namespace

TEST(ParserCorpusTest, vectors) {
  std::vector<Path> paths = findVectors();
  ASSERT_FALSE(paths.empty()) << "the vectors are part of the repository";
  for (const Path &path : paths) {
    SyntaxError error;
    auto module = parse(read(path), error);
    EXPECT_TRUE(module) << path << ":" << error.line << ":" << error.column << ": "
                        << error.message;
    size_t statements = 0;
    if (module)
      for (const Function &function : module->functions)
        statements += function.body.size();
    EXPECT_GT(statements, 0u) << path;
  }
}

TEST(ParserCorpusTest, largeFile) {
  std::string text = header + ".visible .entry k(.param .u64 p)\n{\n.reg .b32 %r<8000>;\n"
                              ".reg .b64 %rd<10>;\n.reg .pred %p<10>;\n";
  unsigned lines = 8;
  for (unsigned i = 0; lines < 4000; ++i, lines += 4) {
    std::string label = "$L" + std::to_string(i);
    text += label + ":\n\tmad.lo.s32 \t%r" + std::to_string(2 * i + 2) + ", %r" +
            std::to_string(2 * i) + ", 12, %tid.x;\n\t@%p3 bra " + label +
            ";\n\tst.shared.v4.b32 \t[%rd1+" + std::to_string(16 * i) +
            "], {%r1, %r2, %r3, %r4};\n";
  }
  text += "}\n";
  auto start = std::chrono::steady_clock::now();
  SyntaxError error;
  auto module = parse(text, error);
  std::chrono::duration<double, std::milli> took =
      std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(module) << error.line << ": " << error.message;
  EXPECT_EQ(module->functions[0].body.size(), 3u * ((4000 - 8) / 4));
  printf("%u lines in %.2f ms\n", lines, took.count());
}

TEST(ParserCorpusTest, sampleIsSound) {
  SyntaxError error;
  EXPECT_TRUE(parse(sample, error))
      << error.line << ":" << error.column << ": " << error.message;
}

TEST(ParserCorpusTest, damagedTextIsAnErrorOrNot) { damage(sample, 20000, 1); }

TEST(ParserCorpusTest, damagedVectors) {
  std::vector<Path> paths = findVectors();
  for (size_t i = 0; i < paths.size(); i += 8)
    damage(read(paths[i]), 100, uint32_t(i));
}

TEST(ParserCorpusTest, everyBeginningIsAnErrorOrNot) {
  std::string text = sample;
  for (size_t length = 0; length < text.size(); ++length)
    expectSaneResult(text.substr(0, length));
}

TEST(ParserCorpusTest, anyBytes) {
  std::mt19937 random(7);
  for (unsigned i = 0; i < 2000; ++i) {
    std::string text = i % 2 ? header + ".entry k {" : "";
    for (unsigned length = random() % 200; length > 0; --length)
      text += char(random());
    expectSaneResult(text);
  }
}
