//===- ParserVariableTest.cpp - Variables and initial values ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserHarness.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {

/// The last variable of a module.
Variable parseVariable(const std::string &text) {
  auto module = parseModule(text);
  return module->variables.empty() ? Variable() : module->variables.back();
}

/// The initial value as elements of type T, with zeros at the end.
template <typename T> std::vector<T> getValues(const Variable &variable) {
  std::vector<uint8_t> bytes = variable.initial;
  bytes.resize(variable.size);
  std::vector<T> values(bytes.size() / sizeof(T));
  memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

} // namespace

TEST(ParserVariableTest, declarations) {
  auto module = parseModule(".extern .shared .align 16 .b8 dyn[];\n"
                            ".visible .global .align 4 .u32 a, b[4], c[2][3];\n"
                            ".const .v4 .f32 v; .weak .global .v2 .b64 w[8];\n"
                            ".global .attribute(.managed) .b128 m; .shared .f16x2 h;");
  ASSERT_EQ(module->variables.size(), 8u);
  const std::vector<Variable> &all = module->variables;
  EXPECT_TRUE(all[0].isExtern);
  EXPECT_EQ(all[0].size, 0u);
  EXPECT_EQ(all[0].align, 16u);
  EXPECT_EQ(all[0].space, Space::Shared);
  EXPECT_EQ(all[1].size, 4u);
  EXPECT_EQ(all[2].size, 16u);
  EXPECT_EQ(all[3].size, 24u);
  EXPECT_FALSE(all[3].hasInitial);
  EXPECT_EQ(all[4].vector, 4u);
  EXPECT_EQ(all[4].size, 16u);
  EXPECT_EQ(all[4].align, 16u);
  EXPECT_EQ(all[4].space, Space::Const);
  EXPECT_EQ(all[5].size, 128u);
  EXPECT_EQ(all[6].align, 16u);
  EXPECT_EQ(all[7].size, 4u);
}

TEST(ParserVariableTest, externThenDefined) {
  auto module = parseModule(".extern .global .b32 a; .extern .global .b32 a;\n"
                            ".global .b32 b; .visible .global .b32 a = 5;");
  ASSERT_EQ(module->variables.size(), 2u);
  EXPECT_EQ(module->variables[0].name, "a");
  EXPECT_FALSE(module->variables[0].isExtern);
  EXPECT_TRUE(module->variables[0].hasInitial);
}

TEST(ParserVariableTest, integers) {
  EXPECT_EQ(getValues<uint8_t>(parseVariable(".global .b8 x[4] = {1, 255, -1, 256};")),
            (std::vector<uint8_t>{1, 255, 255, 0}));
  EXPECT_EQ(getValues<int32_t>(parseVariable(".global .s32 x = 3+4;")),
            std::vector<int32_t>{7});
  EXPECT_EQ(getValues<uint64_t>(parseVariable(".const .u64 x[3] = {1, 1<<40};")),
            (std::vector<uint64_t>{1, uint64_t(1) << 40, 0}));
  EXPECT_EQ(getValues<uint32_t>(parseVariable(".global .b32 x[2] = {};")),
            (std::vector<uint32_t>{0, 0}));
}

TEST(ParserVariableTest, nestedBraces) {
  Variable x = parseVariable(".global .s32 x[][2][2] = {{{-1, 0}, {2}}, {{3}}, {}};");
  EXPECT_EQ(x.size, 48u);
  EXPECT_EQ(getValues<int32_t>(x),
            (std::vector<int32_t>{-1, 0, 2, 0, 3, 0, 0, 0, 0, 0, 0, 0}));
  EXPECT_EQ(
      getValues<int32_t>(parseVariable(".global .v2 .b32 x[2] = {{1, 2}, {3, 4}};")),
      (std::vector<int32_t>{1, 2, 3, 4}));
  EXPECT_EQ(getValues<float>(parseVariable(".global .v4 .f32 x = {1.0, 2.0};")),
            (std::vector<float>{1, 2, 0, 0}));
}

TEST(ParserVariableTest, floats) {
  EXPECT_EQ(getValues<float>(parseVariable(".global .f32 x[] = {.05, 0f40000000, -1e2, "
                                           "0d3FF8000000000000};")),
            (std::vector<float>{.05f, 2, -100, 1.5f}));
  EXPECT_EQ(getValues<double>(parseVariable(".global .f64 x[3] = {0d3FF8000000000000, "
                                            "0f3F800000, .1};")),
            (std::vector<double>{1.5, 1, .1}));
  EXPECT_EQ(getValues<uint32_t>(parseVariable(".global .b32 x = 0f3F800000;")),
            std::vector<uint32_t>{0x3f800000});
}

TEST(ParserVariableTest, addresses) {
  auto module = parseModule(".func f();\n.global .b8 a[16];\n"
                            ".global .u64 t[5] = {a, 7, generic(a)+8, f, a+4*2-1};");
  const Variable &table = module->variables.back();
  ASSERT_EQ(table.relocations.size(), 4u);
  EXPECT_EQ(table.relocations[0].at, 0u);
  EXPECT_EQ(table.relocations[0].name, "a");
  EXPECT_FALSE(table.relocations[0].generic);
  EXPECT_EQ(table.relocations[0].bytes, 8u);
  EXPECT_EQ(table.relocations[1].at, 16u);
  EXPECT_TRUE(table.relocations[1].generic);
  EXPECT_EQ(table.relocations[1].addend, 8);
  EXPECT_EQ(table.relocations[2].name, "f");
  EXPECT_EQ(table.relocations[3].addend, 7);
  EXPECT_EQ(getValues<uint64_t>(table), (std::vector<uint64_t>{0, 7, 0, 0, 0}));
}

TEST(ParserVariableTest, ofFunctions) {
  auto module = parseBody(".local .align 8 .b8 depot[24]; .global .b32 g = 5;\n"
                          ".shared .align 8 .b64 bar[2]; .param .b32 r;\n"
                          "mov.u64 bar, depot;");
  const std::vector<Variable> &all = module->functions[0].variables;
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].space, Space::Local);
  EXPECT_EQ(all[0].size, 24u);
  EXPECT_EQ(getValues<uint32_t>(all[1]), std::vector<uint32_t>{5});
  EXPECT_EQ(all[2].size, 16u);
  EXPECT_EQ(all[3].space, Space::Param);
  EXPECT_TRUE(module->variables.empty());
}

TEST(ParserVariableTest, errors) {
  EXPECT_EQ(getError(".global .b32 x[2] = {1,2,3};"),
            "4:26: more values than 'x' has elements");
  EXPECT_EQ(getError(".global .b32 x[2][2] = {1,2};"), "4:25: expected '{', found '1'");
  EXPECT_EQ(getError(".global .b32 x = {1};"), "4:18: expected a number, found '{'");
  EXPECT_EQ(getError(".global .f32 x = 1;"), "4:18: a number that '.f32' does not have");
  EXPECT_EQ(getError(".global .b8 x = 1.0;"), "4:17: a number that '.b8' does not have");
  EXPECT_EQ(getError(".global .f16 x = 1.0;"), "4:18: no initial value is possible for "
                                               "'.f16'");
  EXPECT_EQ(getError(".shared .b32 x = 1;"),
            "4:16: no initial value is possible in '.shared'");
  EXPECT_EQ(getError(".global .b8 a; .global .u8 x[2] = {0xff(a), 1};"),
            "4:40: parts of addresses like 0xff(name) are not modelled");
  EXPECT_EQ(getError(".global .u64 x = y;"), "4:18: no variable or function 'y'");
  EXPECT_EQ(getError(".global .b8 a; .global .u8 x = a;"),
            "4:32: an address does not fit '.u8'");
  EXPECT_EQ(getError(".global .b32 x[];"), "4:14: 'x' needs a size or an initial value");
  EXPECT_EQ(getError(".global .b32 x[0];"), "4:16: an extent is a positive integer");
  EXPECT_EQ(getError(".global .b32 x[2][];"),
            "4:20: only the first extent of an array may be left out");
  EXPECT_EQ(getError(".global .b32 x[1<<40][1<<40];"),
            "4:29: 'x' is larger than any memory");
  EXPECT_EQ(getError(".global .b8 x[1<<30] = \"abc\";"), "4:24: expected '{', found a "
                                                         "string");
  EXPECT_EQ(getError(".global .b32 x[][1<<30] = {{},{1}};"),
            "4:33: the initial value of 'x' is too large");
  EXPECT_EQ(getError(".global .b32 x; .global .b32 x;"), "4:30: 'x' is declared already");
  EXPECT_EQ(getError(".global .align 3 .b32 x;"), "4:16: an alignment is a power of two");
  EXPECT_EQ(getError(".global .texref t;"),
            "4:9: expected a type that a variable can have, found '.texref'");
  EXPECT_EQ(getError(".global .pred x;"),
            "4:9: expected a type that a variable can have, found '.pred'");
  EXPECT_EQ(getError(".global .v4 .b64 x;"), "4:18: a vector of more than 16 bytes");
  EXPECT_EQ(getError(".shared .b32 a<4>;"),
            "4:15: ranges of names are modelled for registers only");
  EXPECT_EQ(getError(".local .b32 x;"), "4:1: '.local' outside a function");
}
