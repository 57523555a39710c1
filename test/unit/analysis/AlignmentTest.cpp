//===- AlignmentTest.cpp - Powers of two that indices are multiples of --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Alignment.h"
#include "dialects/tile/Tile.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tilewright::tile;

namespace {
class Alignment : public ::testing::Test {
protected:
  Alignment() {
    context.loadDialect<TileDialect, arith::ArithDialect, func::FuncDialect,
                        memref::MemRefDialect>();
  }

  /// Parses a function whose last operation in front of the return gives the value.
  void parse(StringRef arguments, StringRef body) {
    std::string text =
        ("func.func @f(" + arguments + ") {\n" + body + "\nreturn\n}").str();
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
    function = *module->getOps<func::FuncOp>().begin();
    last = function.front().getTerminator()->getPrevNode()->getResult(0);
  }

  /// The alignment of where the last value begins.
  int64_t offset(StringRef arguments, StringRef body, int64_t limit = 16) {
    parse(arguments, body);
    IndexBounds bounds(function);
    return getOffsetAlignment(last, bounds, limit);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  Value last;
};
} // namespace

#define SHARED "#tile.space<shared>"
#define TILE "%t = tile.alloc \"t\" : memref<64x48xf16, " SHARED ">\n"

TEST_F(Alignment, OfNumbersIsAPowerOfTwoUpToTheLimit) {
  EXPECT_EQ(getAlignment(24, 16), 8);
  EXPECT_EQ(getAlignment(7, 16), 1);
  EXPECT_EQ(getAlignment(1024, 16), 16);
  EXPECT_EQ(getAlignment(-12, 16), 4);
  EXPECT_EQ(getAlignment(0, 16), 16); // a multiple of every number
}

TEST_F(Alignment, OfAFormIsThatOfItsLeastTerm) {
  EXPECT_EQ(getAlignment(LinearForm{32, {{0, 8}, {1, 64}}}, 16), 8);
  EXPECT_EQ(getAlignment(LinearForm{2, {{0, 8}}}, 16), 2);
  EXPECT_EQ(getAlignment(LinearForm{}, 16), 16);
}

TEST_F(Alignment, ATileBeginsAtAnyBoundary) {
  EXPECT_EQ(offset("", TILE), 16);
  EXPECT_EQ(offset("", TILE, 4), 4);
}

TEST_F(Alignment, OfAPartIsThatOfItsOffsetsTimesTheStrides) {
  auto at = [&](StringRef offsets, StringRef number) {
    return offset("%i: index", (TILE "%c24 = arith.constant 24 : index\n"
                                     "%m = arith.muli %i, %c24 : index\n"
                                     "%p = memref.subview %t[" +
                                offsets +
                                "] [8, 8] [1, 1] : memref<64x48xf16, " SHARED
                                "> to memref<8x8xf16, strided<[48, 1], offset: " +
                                number + ">, " SHARED ">")
                                   .str());
  };
  EXPECT_EQ(at("0, 0", "0"), 16);
  EXPECT_EQ(at("1, 0", "48"), 16); // a row of 48 elements further
  EXPECT_EQ(at("1, 4", "52"), 4);
  EXPECT_EQ(at("%i, 0", "?"), 16);
  EXPECT_EQ(at("0, %m", "?"), 8); // 24 i
  EXPECT_EQ(at("0, %i", "?"), 1);
  EXPECT_EQ(at("%i, 2", "?"), 2);
}

TEST_F(Alignment, OfAPartOfAPartIsTheLesserOne) {
  EXPECT_EQ(
      offset("", TILE
             "%p = memref.subview %t[0, 8] [16, 16] [1, 1] : memref<64x48xf16, " SHARED
             "> to memref<16x16xf16, strided<[48, 1], offset: 8>, " SHARED ">\n"
             "%q = memref.subview %p[1, 4] [8, 8] [1, 1] : "
             "memref<16x16xf16, strided<[48, 1], offset: 8>, " SHARED
             "> to memref<8x8xf16, strided<[48, 1], offset: 60>, " SHARED ">"),
      4);
}

TEST_F(Alignment, AStrideThatIsNotKnownIsAtLeastOneElement) {
  EXPECT_EQ(offset("%n: index",
                   "%w = tile.workspace \"w\"(%n, %n) : memref<?x?xf16, "
                   "#tile.space<global>>\n"
                   "%p = memref.subview %w[8, 4] [8, 8] [1, 1] : memref<?x?xf16, "
                   "#tile.space<global>> to memref<8x8xf16, strided<[?, 1], offset: ?>, "
                   "#tile.space<global>>"),
            4);
}

TEST_F(Alignment, AViewBeginsWhereItsTileDoes) {
  parse("", TILE "%v = tile.view %t : memref<64x48xf16, " SHARED
                 "> to memref<32x48xf32, " SHARED ">");
  Value base = getAlignedBase(last);
  ASSERT_TRUE(base);
  EXPECT_TRUE(base.getDefiningOp<AllocOp>());
}

TEST_F(Alignment, OnlyAKernelsParameterIsAlignedAmongArguments) {
  constexpr const char *tensor = "%x: memref<64xf32, #tile.space<global>>";
  constexpr const char *part =
      "%p = memref.subview %x[8] [8] [1] : memref<64xf32, #tile.space<global>> to "
      "memref<8xf32, strided<[1], offset: 8>, #tile.space<global>>";
  EXPECT_EQ(offset(tensor, part), 1);
  EXPECT_FALSE(getAlignedBase(function.getArgument(0)));

  function->setAttr("tile.signature", parseAttribute("{params = [{}]}", &context));
  IndexBounds bounds(function);
  EXPECT_EQ(getOffsetAlignment(last, bounds, 16), 8);
}
