//===- RecomputeTest.cpp - Values that can be computed elsewhere --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Recompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tilewright;

namespace {
class Recompute : public ::testing::Test {
protected:
  Recompute() {
    context.loadDialect<arith::ArithDialect, func::FuncDialect, memref::MemRefDialect,
                        scf::SCFDialect>();
  }

  /// Parses a function of %i, %j and %m whose last operation in front of the return gives
  /// the value.
  void parse(StringRef body) {
    std::string text = ("func.func @f(%i: index, %j: index, %m: memref<8xindex>) {\n" +
                        body + "\nreturn\n}")
                           .str();
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
    function = *module->getOps<func::FuncOp>().begin();
    last = function.front().getTerminator()->getPrevNode()->getResult(0);
  }

  /// Whether the last value can be recomputed where %i is given.
  bool can(StringRef body) {
    parse(body);
    return canRecompute(last, [&](Value value) { return value == argument(0); });
  }

  Value argument(unsigned number) { return function.getArgument(number); }

  /// How many operations of the function are of a kind.
  template <typename Op> int64_t count() {
    return llvm::range_size(function.front().getOps<Op>());
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  func::FuncOp function;
  Value last;
};
} // namespace

#define SUM "%c = arith.constant 3 : index\n%s = arith.addi %i, %c : index\n"

TEST_F(Recompute, ArithmeticOnWhatIsGivenCanBeDone) {
  EXPECT_TRUE(can(SUM));
  EXPECT_TRUE(can(SUM "%t = arith.muli %s, %s : index"));
  EXPECT_TRUE(can("%d = arith.constant 5 : index"));
}

TEST_F(Recompute, AnArgumentThatIsNotGivenCannot) {
  EXPECT_FALSE(can("%s = arith.addi %j, %j : index"));
  EXPECT_FALSE(can(SUM "%t = arith.muli %s, %j : index"));
}

TEST_F(Recompute, WhatComesFromMemoryOrARegionCannot) {
  EXPECT_FALSE(can("%x = memref.load %m[%i] : memref<8xindex>"));
  EXPECT_FALSE(can("%b = arith.constant true\n"
                   "%x = scf.if %b -> index {\nscf.yield %i : index\n} else {\n"
                   "scf.yield %i : index\n}"));
}

TEST_F(Recompute, WhatMayDivideByZeroCannot) {
  EXPECT_FALSE(can("%x = arith.divui %i, %i : index"));
  EXPECT_TRUE(can("%c = arith.constant 4 : index\n%x = arith.divui %i, %c : index"));
}

TEST_F(Recompute, AGivenValueIsNotAskedWhereItComesFrom) {
  parse("%x = memref.load %m[%j] : memref<8xindex>\n%s = arith.addi %x, %x : index");
  auto isLoaded = [](Value value) { return value.getDefiningOp<memref::LoadOp>(); };
  EXPECT_TRUE(canRecompute(last, isLoaded));
}

TEST_F(Recompute, EachOperationIsDoneOnceWithWhatStandsForTheGiven) {
  parse(SUM "%t = arith.muli %s, %s : index");
  OpBuilder builder(function.front().getTerminator());
  IRMapping mapping;
  mapping.map(argument(0), argument(1));
  auto isGiven = [&](Value value) { return value == argument(0); };
  Value copy = recompute(builder, last, isGiven, mapping);
  auto product = copy.getDefiningOp<arith::MulIOp>();
  ASSERT_TRUE(product);
  EXPECT_NE(copy, last);
  EXPECT_EQ(product.getLhs(), product.getRhs());
  EXPECT_EQ(product.getLhs().getDefiningOp<arith::AddIOp>().getLhs(), argument(1));
  EXPECT_EQ(count<arith::AddIOp>(), 2);

  // What was computed is known.
  EXPECT_EQ(recompute(builder, last, isGiven, mapping), copy);
  EXPECT_EQ(count<arith::MulIOp>(), 2);
}

TEST_F(Recompute, AGivenValueStandsForItself) {
  parse(SUM);
  OpBuilder builder(function.front().getTerminator());
  IRMapping mapping;
  auto isGiven = [&](Value value) { return value == argument(0); };
  EXPECT_EQ(recompute(builder, argument(0), isGiven, mapping), argument(0));
  Value copy = recompute(builder, last, isGiven, mapping);
  EXPECT_EQ(copy.getDefiningOp<arith::AddIOp>().getLhs(), argument(0));
}
