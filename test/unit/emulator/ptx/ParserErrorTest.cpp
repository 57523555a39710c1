//===- ParserErrorTest.cpp - What is no PTX, and where ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {

/// The error of a body's text, which starts at line 6.
std::string bodyError(const std::string &text) {
  return getError(".entry k\n{ .reg .b32 %r<4>; .reg .pred p; .shared .b32 s;\n" + text +
                  "\n}");
}

std::string wholeError(const std::string &text) {
  SyntaxError error;
  EXPECT_EQ(parse(text, error), nullptr);
  return std::to_string(error.line) + ":" + std::to_string(error.column) + ": " +
         error.message;
}

} // namespace

TEST(ParserErrorTest, header) {
  EXPECT_EQ(wholeError(""), "1:1: expected '.version', found the end of the text");
  EXPECT_EQ(wholeError("\n  .target sm_80"), "2:3: expected '.version', found '.target'");
  EXPECT_EQ(wholeError(".version 8"), "1:10: expected a version like 8.7, found '8'");
  EXPECT_EQ(wholeError(".version 10.0"), "1:10: PTX 10.0 is newer than this emulator");
  EXPECT_EQ(wholeError(".version 8.0 .entry"),
            "1:14: expected '.target', found '.entry'");
  EXPECT_EQ(wholeError(".version 8.0 .target debug .file"),
            "1:28: expected a target like sm_90, found '.file'");
  EXPECT_EQ(wholeError(".version 8.0 .target sm_80 .address_size 48"),
            "1:42: expected 32 or 64, found '48'");
}

TEST(ParserErrorTest, modules) {
  EXPECT_EQ(getError("foo"), "4:1: expected a directive, found 'foo'");
  EXPECT_EQ(getError(".foo"),
            "4:1: expected a directive that a module can have, found '.foo'");
  EXPECT_EQ(getError(".alias f, g;"), "4:1: '.alias' is not modelled");
  EXPECT_EQ(getError(".section .debug { {"),
            "4:20: expected '}' at the end of the section, found the end of the text");
  EXPECT_EQ(getError(".file 1 a"), "4:9: expected a file's name, found 'a'");
  EXPECT_EQ(getError("/* never"),
            "4:1: expected a directive, found the comment has no end");
  EXPECT_EQ(getError(".file 1 \"abc"),
            "4:9: expected a file's name, found the string has no end");
}

TEST(ParserErrorTest, functions) {
  EXPECT_EQ(getError(".entry k() { ret;"), "4:18: expected an instruction, a label, a "
                                           "directive or '}', found the end of the text");
  EXPECT_EQ(getError(".entry k() .foo { ret; }"),
            "4:12: expected a directive of a function, found '.foo'");
  EXPECT_EQ(getError(".entry k() ret"),
            "4:12: expected '{', ';' or a directive of a function, found 'ret'");
  EXPECT_EQ(getError(".entry (.param .b32 r) k() { ret; }"),
            "4:8: expected the name of the entry, which has no results, found '('");
  EXPECT_EQ(getError(".entry k(.reg .b32 a) { ret; }"),
            "4:10: expected '.param', found '.reg'");
  EXPECT_EQ(getError(".func f() { ret; }\n.func f() { ret; }"),
            "5:7: 'f' has a body already");
  EXPECT_EQ(getError(".func f();\n.func f(.param .b32 a) { ret; }"),
            "5:7: 'f' was declared with other parameters");
  EXPECT_EQ(getError(".global .b32 f;\n.func f() { ret; }"),
            "5:7: 'f' is a variable already");
  EXPECT_EQ(getError(".extern .func f() { ret; }"), "4:19: 'f' is extern and has a body");
  EXPECT_EQ(getError(".entry k() .maxntid 1,2,3,4 { }"),
            "4:27: a fourth number where at most three belong");
  EXPECT_EQ(getError(".func f(.param .b32 a, .param .b32 a);"),
            "4:36: 'a' is declared already");
}

TEST(ParserErrorTest, statements) {
  EXPECT_EQ(bodyError("  mov.u32 %r1 %r2;"), "6:15: expected ',' or ';', found '%r2'");
  EXPECT_EQ(bodyError("mov.u32 %r1, ;"), "6:14: expected an operand, found ';'");
  EXPECT_EQ(bodyError("ret"), "7:1: expected an operand, found '}'");
  EXPECT_EQ(bodyError(";"),
            "6:1: expected an instruction, a label, a directive or '}', found ';'");
  EXPECT_EQ(bodyError("%r1 = 5;"),
            "6:1: expected an instruction, a label, a directive or '}', found '%r1'");
  EXPECT_EQ(bodyError("@%r1 ret;"), "6:2: a guard is a predicate register");
  EXPECT_EQ(bodyError("@5 ret;"), "6:2: expected a predicate, found '5'");
  EXPECT_EQ(bodyError("bra M;"), "6:5: no label 'M'");
  EXPECT_EQ(bodyError("bra M; { M: }"), "6:5: no label 'M'");
  EXPECT_EQ(bodyError("bra %r1+5;"), "6:8: expected ',' or ';', found '+'");
  EXPECT_EQ(bodyError("L: L:"), "6:4: 'L' is declared already");
  EXPECT_EQ(bodyError("L: mov.u32 %r1, L;"), "6:17: the label 'L' as an operand");
  EXPECT_EQ(bodyError("T: .branchtargets A, B; A:"), "6:22: no label 'B'");
  EXPECT_EQ(bodyError("T: .calltargets s;"),
            "6:17: expected the name of a function declared before, found 's'");
  EXPECT_EQ(bodyError(".foo"),
            "6:1: expected a directive that a function can have, found '.foo'");
  EXPECT_EQ(bodyError("mov.u32 %r1, `;"),
            "6:14: expected an operand, found a character that PTX does not use");
}

TEST(ParserErrorTest, operands) {
  EXPECT_EQ(bodyError("mov.u32 %r4, 0;"), "6:9: '%r4' is not declared");
  EXPECT_EQ(bodyError("mov.u32 x, 0;"), "6:9: 'x' is not declared");
  EXPECT_EQ(bodyError("mov.u32 %r01, 0;"), "6:9: '%r01' is not declared");
  EXPECT_EQ(bodyError("mov.u32 %r1, %tid.q;"), "6:18: '%tid' has no component 'q'");
  EXPECT_EQ(bodyError("mov.u32 %r1, %laneid.x;"), "6:21: '%laneid' has no component 'x'");
  EXPECT_EQ(bodyError("mov.u32 %r1.x, 0;"), "6:12: '%r1' has no component 'x'");
  EXPECT_EQ(bodyError("mov.u32 %r1, !%r2;"), "6:15: '!' belongs to a predicate register");
  EXPECT_EQ(bodyError("ld.u32 %r1, [%r2;"), "6:17: expected '+', ',' or ']', found ';'");
  EXPECT_EQ(bodyError("ld.u32 %r1, [s+%r2];"), "6:16: expected a number, found '%r2'");
  EXPECT_EQ(bodyError("ld.u32 %r1, [1.0];"),
            "6:14: an address starts with a register, a name or an integer");
  EXPECT_EQ(bodyError("ld.u32 %r1, s[1];"), "6:14: expected ',' or ';', found '['");
  EXPECT_EQ(bodyError("mov.b64 {%r1, %r2, %r3;"), "6:23: expected ',' or '}', found ';'");
  EXPECT_EQ(bodyError("mov.b64 {}, %r3;"), "6:10: expected an operand, found '}'");
  EXPECT_EQ(bodyError("mov.b64 {{%r1}};"), "6:10: expected an operand, found '{'");
  EXPECT_EQ(bodyError("a p|5;"), "6:5: expected a register or '_' after '|', found '5'");
}

TEST(ParserErrorTest, numbers) {
  EXPECT_EQ(bodyError("a 09;"), "6:3: expected an operand, found not a number");
  EXPECT_EQ(bodyError("a 0x;"), "6:3: expected an operand, found not a number");
  EXPECT_EQ(bodyError("a 5u;"), "6:3: expected an operand, found not a number");
  EXPECT_EQ(bodyError("a 0f12;"),
            "6:3: expected an operand, found 0f needs eight hexadecimal digits");
  EXPECT_EQ(bodyError("a 18446744073709551616;"),
            "6:3: expected an operand, found the integer does not fit 64 bits");
  EXPECT_EQ(bodyError("a 5/0;"), "6:6: a division by zero");
  EXPECT_EQ(bodyError("a -0f3F800000;"), "6:3: '-' of such a float is not possible");
  EXPECT_EQ(bodyError("a 1.0 & 2;"), "6:10: floats have no '&'");
  EXPECT_EQ(bodyError("a (1;"), "6:5: expected ')', found ';'");
}

TEST(ParserErrorTest, nestingIsBounded) {
  std::string many(100000, '(');
  EXPECT_NE(bodyError("a " + many + "1;").find("nested too deeply"), std::string::npos);
  EXPECT_NE(bodyError("a " + std::string(100000, '-') + "1;").find("nested too deeply"),
            std::string::npos);
  EXPECT_NE(bodyError(std::string(100000, '{')).find("too many blocks"),
            std::string::npos);
  std::string ternary = "a ";
  for (int i = 0; i < 100000; ++i)
    ternary += "1?1:";
  EXPECT_NE(bodyError(ternary + "1;").find("nested too deeply"), std::string::npos);
  std::string casts = "a ";
  for (int i = 0; i < 100000; ++i)
    casts += "(.s64)";
  EXPECT_NE(bodyError(casts + "1;").find("nested too deeply"), std::string::npos);
}
