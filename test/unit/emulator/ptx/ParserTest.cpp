//===- ParserTest.cpp - Statements, operands and scopes -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ParserHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;

namespace {

/// The operands of one statement, with registers %r0 to %r9, %p0 to %p4, a vector %v and
/// a shared array s.
std::string operands(const std::string &text) {
  std::string printed = printBody(".reg .b32 %r<10>; .reg .pred %p<5>; .reg .v4 .f32 %v;"
                                  ".shared .b32 s[8];\n" +
                                  text + ";");
  size_t space = printed.find(' ');
  return space == printed.npos ? "" : printed.substr(space + 1);
}

} // namespace

//===- Modules ----------------------------------------------------------------===//

TEST(ParserTest, header) {
  SyntaxError error;
  auto module = parse("// comment\n.version 8.10 /* another\n */\n.target sm_80, debug\n"
                      ".address_size 32",
                      error);
  ASSERT_TRUE(module);
  EXPECT_EQ(module->versionMajor, 8u);
  EXPECT_EQ(module->versionMinor, 10u);
  EXPECT_EQ(module->target, "sm_80");
  EXPECT_EQ(module->addressBits, 32u);
}

TEST(ParserTest, sectionsAndPragmasMeanNothing) {
  auto module =
      parseModule(".file 1 \"dir/a.cu\", 123, 456\n.pragma \"nounroll\", \"x\";\n"
                  ".section .debug_str\n{\n$L__info_string0:\n.b8 95,0 // }\n}\n"
                  ".section .debug_loc { { } }\n.entry k { ret; }\n");
  EXPECT_EQ(module->files[1], "dir/a.cu");
  EXPECT_EQ(module->functions.size(), 1u);
}

TEST(ParserTest, locations) {
  auto module =
      parseBody("nop;\n.loc 1 10 3\nnop;\n"
                ".loc 1 20 5, function_name $L__s0+12, inlined_at 1 10 3\nnop;nop;\n"
                ".loc 1 0 0\nnop;");
  const std::vector<Statement> &body = module->functions[0].body;
  ASSERT_EQ(body.size(), 5u);
  EXPECT_EQ(body[0].location, 0u);
  EXPECT_EQ(module->locations[body[1].location].line, 10u);
  EXPECT_EQ(module->locations[body[2].location].line, 20u);
  EXPECT_EQ(module->locations[body[2].location].column, 5u);
  EXPECT_EQ(body[3].location, body[2].location);
  EXPECT_EQ(body[4].location, 0u) << "line 0 is no line";
  EXPECT_EQ(body[0].line, 5u);
  EXPECT_EQ(body[1].line, 7u);
}

TEST(ParserTest, locationsEndWithTheirFunction) {
  auto module = parseModule(".func f() { .loc 1 2 3\nret; }\n.func g() { ret; }");
  EXPECT_NE(module->functions[0].body[0].location, 0u);
  EXPECT_EQ(module->functions[1].body[0].location, 0u);
}

//===- Functions --------------------------------------------------------------===//

TEST(ParserTest, entryDirectives) {
  auto module = parseModule(
      ".visible .entry k(.param .u64 .ptr .global .align 16 a,"
      ".param .align 64 .b8 m[128], .param .f32 c)\n"
      ".maxntid 128, 2 .minnctapersm 3 .maxnctapersm 4 .maxnreg 168\n"
      ".reqntid 64 .reqnctapercluster 2, 1, 1 .explicitcluster .maxclusterrank 8\n"
      ".blocksareclusters .pragma \"x\"; .attribute(.unified(1, 2)) .noreturn\n{ ret; }");
  const Function &entry = module->functions.at(0);
  EXPECT_TRUE(entry.isEntry);
  EXPECT_FALSE(entry.isDeclaration);
  EXPECT_TRUE(entry.isNoReturn);
  EXPECT_EQ(entry.line, 4u);
  EXPECT_EQ(entry.maxThreads[0], 128u);
  EXPECT_EQ(entry.maxThreads[1], 2u);
  EXPECT_EQ(entry.maxThreads[2], 1u);
  EXPECT_EQ(entry.requiredThreads[0], 64u);
  EXPECT_EQ(entry.requiredThreads[2], 1u);
  EXPECT_EQ(entry.requiredCluster[0], 2u);
  EXPECT_TRUE(entry.explicitCluster);
  EXPECT_TRUE(entry.blocksAreClusters);
  EXPECT_EQ(entry.minBlocks, 3u);
  EXPECT_EQ(entry.maxRegisters, 168u);
  ASSERT_EQ(entry.params.size(), 3u);
  EXPECT_EQ(entry.params[0].type, Type::U64);
  EXPECT_EQ(entry.params[0].align, 8u) << "the alignment is of what it points to";
  EXPECT_EQ(entry.params[1].align, 64u);
  EXPECT_EQ(entry.params[1].size, 128u);
  EXPECT_EQ(entry.params[2].space, Space::Param);
}

TEST(ParserTest, directivesLeftOutAreZero) {
  auto module = parseModule(".entry k { ret; }");
  EXPECT_EQ(module->functions[0].maxThreads[0], 0u);
  EXPECT_EQ(module->functions[0].requiredCluster[2], 0u);
}

TEST(ParserTest, declarationsAndDefinitionsAreOne) {
  auto module = parseModule(".extern .func (.param .b32 r) vprintf(.param .b64 _, "
                            ".param .b64 _);\n.func (.param .b32 r) f(.param .b32 a);\n"
                            ".func g() { ret; }\n.func g() .noreturn;\n"
                            ".visible .func (.param .b32 x) f(.param .b32 y) { ret; }");
  ASSERT_EQ(module->functions.size(), 3u);
  EXPECT_EQ(module->functions[0].name, "vprintf");
  EXPECT_TRUE(module->functions[0].isDeclaration);
  EXPECT_EQ(module->functions[0].params.size(), 2u);
  EXPECT_EQ(module->functions[1].name, "f");
  EXPECT_FALSE(module->functions[1].isDeclaration);
  EXPECT_EQ(module->functions[1].results.at(0).name, "x");
  EXPECT_EQ(module->functions[2].body.size(), 1u);
  EXPECT_TRUE(module->functions[2].isNoReturn);
}

TEST(ParserTest, registerParameters) {
  auto module = parseModule(
      ".func (.reg .u32 r) f(.reg .u32 a, .reg .v2 .f32 v) { add.u32 r, a, 1; }"
      ".entry k { .reg .u32 x; call (x), f, (5, x); }");
  const Function &function = module->functions.at(0);
  EXPECT_EQ(function.params.at(0).space, Space::Register);
  EXPECT_EQ(function.registers.size(), 4u);
  EXPECT_EQ(print(function.body[0], function), "add|u32 r/0 a/1 1");
  EXPECT_EQ(print(module->functions[1].body[0], module->functions[1]),
            "call (x/0) f (5,x/0)");
}

TEST(ParserTest, calls) {
  EXPECT_EQ(printBody(".param .b32 r; .param .b64 a; .reg .b64 %rd<2>;\n"
                      "proto: .callprototype (.param .b32 _) _ (.param .b64 _, "
                      ".param .align 8 .b8 _[16]) .noreturn;\n"
                      "call.uni (r), \n kernel, \n(\na, a\n);\n"
                      "call (_), %rd1, (a), proto;\ncall kernel;\ncall kernel, ();"),
            "call|uni (r) kernel (a,a)\ncall (_) %rd1/0 (a) proto\ncall kernel\n"
            "call kernel ()");
}

TEST(ParserTest, tables) {
  auto module = parseBody(".reg .b32 i; .reg .b64 f;\nA: nop;\n"
                          "T: .branchtargets A, B, A;\nC: .calltargets kernel;\n"
                          "brx.idx i, T;\ncall f, C;\nB: ret;");
  const Function &function = module->functions[0];
  ASSERT_EQ(function.tables.size(), 2u);
  EXPECT_EQ(function.tables[0].name, "T");
  ASSERT_EQ(function.tables[0].targets.size(), 3u);
  EXPECT_EQ(function.tables[0].targets[1].kind, Operand::Label);
  EXPECT_EQ(function.labels[function.tables[0].targets[1].reg], 3u);
  EXPECT_EQ(function.labels[function.tables[0].targets[2].reg], 0u);
  EXPECT_EQ(function.tables[1].targets.at(0).name, "kernel");
  EXPECT_EQ(print(function.body[1], function), "brx|idx i/0 T");
  EXPECT_EQ(function.labels.size(), 2u) << "names of tables are no labels";
}

//===- Statements -------------------------------------------------------------===//

TEST(ParserTest, modifiers) {
  EXPECT_EQ(
      printBody(".reg .b64 a; .reg .b32 x; .reg .pred p; .reg .f32 f;\n"
                "cp.async.bulk.tensor.2d.shared::cluster.global.tile"
                ".mbarrier::complete_tx::bytes.L2::cache_hint "
                "[x], [a, {x, 1}], [x+8], a;\n"
                "@!p wgmma.mma_async.sync.aligned.m64n256k16.f32.f16.f16 {f, f}, a, a, "
                "p, 1, -1;\n"
                "@ p ld.global.L2::128B.b32 x, [a];\ntcgen05.cp.128x256b [x], a;\n"
                "mov .u32 x , 1 ;"),
      "cp|async|bulk|tensor|2d|shared::cluster|global|tile|mbarrier::complete_tx::bytes|"
      "L2::cache_hint [x/1] [a/0,{x/1,1}] [x/1+8] a/0\n"
      "@!p wgmma|mma_async|sync|aligned|m64n256k16|f32|f16|f16 {f/3,f/3} a/0 a/0 "
      "p/2 1 -1\n@p ld|global|L2::128B|b32 x/1 [a/0]\n"
      "tcgen05|cp|128x256b [x/1] a/0\nmov|u32 x/1 1");
}

TEST(ParserTest, textOfStatements) {
  auto module = parseBody(".reg .pred p;\nL: @p  bra\n  L ; ret;");
  EXPECT_EQ(module->functions[0].body[0].text, "@p  bra\n  L");
  EXPECT_EQ(module->functions[0].body[1].text, "ret");
  EXPECT_EQ(module->functions[0].body[1].line, 7u);
}

TEST(ParserTest, addresses) {
  EXPECT_EQ(operands("ld.b32 %r1, [%r2]"), "%r1/4 [%r2/5]"); // after the four of %v
  EXPECT_EQ(operands("a [%r2+16]"), "[%r2/4+16]");
  EXPECT_EQ(operands("a [%r2 + 0]"), "[%r2/4]");
  EXPECT_EQ(operands("a [%r2+-4]"), "[%r2/4+-4]");
  EXPECT_EQ(operands("a [%r2-4]"), "[%r2/4+-4]");
  EXPECT_EQ(operands("a [%r2+4*(2+1)-2]"), "[%r2/4+10]");
  EXPECT_EQ(operands("a [s+8-4]"), "[s+4]");
  EXPECT_EQ(operands("a [param]"), "[param]");
  EXPECT_EQ(operands("a [0x400]"), "[1024]");
  EXPECT_EQ(operands("a [%v.y+4]"), "[%v/1+4]");
  EXPECT_EQ(operands("a [%r0, {%r1,%r2}, {1, 2}], [s], 3"),
            "[%r0/4,{%r1/5,%r2/6},{1,2}] [s] 3");
}

TEST(ParserTest, registersAndPairs) {
  EXPECT_EQ(operands("a %p1|%p2, !%p3, _, _|%p1, %r1|%p4"),
            "%p1/4|%p2/5 !%p3/6 _ _|%p1/4 %r1/7|%p4/8");
  EXPECT_EQ(operands("a {%r1, _}, {%r2}, %v, %v.w, %v.g"),
            "{%r1/4,_} {%r2/5} {%v/0,%v/1,%v/2,%v/3} %v/3 %v/1");
  EXPECT_EQ(operands("a %tid.x, %envreg31, %clock64, WARP_SZ, %laneid, %tid"),
            "special %tid.x special %envreg31 special %clock64 special WARP_SZ special "
            "%laneid special %tid");
  EXPECT_EQ(operands("a s, s+4, kernel"), "s s+4 kernel");
}

TEST(ParserTest, numbers) {
  EXPECT_EQ(operands("a 10, 0x1F, 0b101, 017, 0, 5U, 0xffU"), "10 31 5 15 0 5 255");
  EXPECT_EQ(operands("a -1, ~0, !5, !0, +3, 0xFFFFFFFFFFFFFFFF"), "-1 -1 0 1 3 -1");
  EXPECT_EQ(operands("a 0f3F800000, 0F00000001, 0d3FF0000000000000, 1.5, 1e3, -2.0"),
            "f:3f800000 f:1 d:3ff0000000000000 d:3ff8000000000000 d:408f400000000000 "
            "d:c000000000000000");
  EXPECT_EQ(operands("a 2., .5"), "d:4000000000000000 d:3fe0000000000000");
}

TEST(ParserTest, expressions) {
  EXPECT_EQ(operands("a 1+2*3, (1+2)*3, 7 % 4, 7/2, -7/2, 1<<4|1, 6&3, 6^3"),
            "7 9 3 3 -3 17 2 5");
  EXPECT_EQ(operands("a 1<2, 2<=1, -1<1, -1<1U, 1==1, 1!=1, 2&&0, 2||0"),
            "1 0 1 0 1 0 0 1");
  EXPECT_EQ(operands("a 1 ? 2 : 3, 0 ? 2 : 0 ? 3 : 4, (.u64)-1 >> 63, (.s64)5"),
            "2 4 1 5");
  EXPECT_EQ(operands("a WARP_SZ-1, -WARP_SZ, 1<<70, -1>>70, 10-2-3"), "31 -32 0 -1 5");
  EXPECT_EQ(operands("a 1.0+0.5, 1.0<2, 0x8000000000000000/-1"),
            "d:3ff8000000000000 1 0");
  EXPECT_EQ(operands("a (-9223372036854775807-1)/-1, (-9223372036854775807-1)%-1"),
            "-9223372036854775808 0");
}

//===- Scopes -----------------------------------------------------------------===//

TEST(ParserTest, registersOfRangesAreMadeWhenUsed) {
  auto module = parseBody(".reg .b32 %r<1000>, x; .reg .v2 .b32 %w<4>;\n"
                          "mov.b32 %r7, %r999; mov.b32 %w3.y, %r7;");
  const Function &function = module->functions[0];
  EXPECT_EQ(print(function.body[0], function), "mov|b32 %r7/1 %r999/2");
  EXPECT_EQ(print(function.body[1], function), "mov|b32 %w3/4 %r7/1");
  EXPECT_EQ(function.registers.size(), 5u);
}

TEST(ParserTest, blocksHideRegistersOfBlocksAround) {
  EXPECT_EQ(printBody(".reg .b32 %r<4>, x;\nmov.b32 x, %r1;\n"
                      "{ .reg .b64 x; .reg .b64 %r<2>; mov.b64 x, %r1; mov.b32 x, %r3;\n"
                      "  { .reg .pred x; a x, %r1; } }\n"
                      "mov.b32 x, %r1; { .reg .b64 x; a x; }"),
            "mov|b32 x/0 %r1/1\nmov|b64 x/2 %r1/3\nmov|b32 x/2 %r3/4\na x/5 %r1/3\n"
            "mov|b32 x/0 %r1/1\na x/6");
}

TEST(ParserTest, labelsOfBlocks) {
  auto module = parseBody("L: bra L; { bra L; bra M; L: nop; bra L; } { L: bra L; }\n"
                          "M: bra L; bra E; E:");
  const Function &function = module->functions[0];
  std::vector<uint32_t> targets;
  for (const Statement &statement : function.body)
    if (statement.opcode == "bra")
      targets.push_back(function.labels.at(statement.operands.at(0).reg));
  EXPECT_EQ(targets, (std::vector<uint32_t>{0, 3, 6, 3, 5, 0, 8}));
  EXPECT_EQ(function.body.size(), 8u) << "the last label stands after all statements";
}

TEST(ParserTest, variablesOfBlocksGetNamesOfTheirOwn) {
  auto module =
      parseModule(".global .b32 g;\n.func f() {\n{ .param .b32 a; st.b32 [a], g; }\n"
                  "{ .param .b32 a; st.b32 [a+4], 1; { .local .b32 g; a g; } }\na g; }");
  const Function &function = module->functions.at(0);
  ASSERT_EQ(function.variables.size(), 3u);
  EXPECT_EQ(function.variables[0].name, "a");
  EXPECT_NE(function.variables[1].name, "a");
  EXPECT_NE(function.variables[2].name, "g");
  EXPECT_EQ(print(function.body[0], function), "st|b32 [a] g");
  EXPECT_EQ(print(function.body[1], function),
            "st|b32 [" + function.variables[1].name + "+4] 1");
  EXPECT_EQ(print(function.body[2], function), "a " + function.variables[2].name);
  EXPECT_EQ(print(function.body[3], function), "a g");
}
