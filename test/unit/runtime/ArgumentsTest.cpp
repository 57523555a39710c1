//===- ArgumentsTest.cpp - Checks of launch arguments ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernel.h"

#include <cmath>
#include <cstring>

using namespace tilewright::test;

namespace {

using Words = std::vector<uint64_t>;
using Sizes = std::vector<int64_t>;

/// Checks and returns the words, or fails the test.
Words accept(const TestKernel &kernel, std::vector<tw_argument_v1> arguments) {
  Words words(kernel.wordCount());
  EXPECT_EQ(
      tw_check_arguments(kernel.kernel, arguments.data(), arguments.size(), words.data()),
      TW_OK)
      << tw_last_error();
  return words;
}

/// The message of a check that fails.
std::string reject(const TestKernel &kernel, std::vector<tw_argument_v1> arguments) {
  Words words(kernel.wordCount());
  EXPECT_EQ(
      tw_check_arguments(kernel.kernel, arguments.data(), arguments.size(), words.data()),
      TW_ERROR_ARGUMENT);
  return tw_last_error();
}

uint64_t addressOf(const void *pointer) { return reinterpret_cast<uint64_t>(pointer); }

alignas(64) float memory[4096];
const Sizes two{3, 4};

//===----------------------------------------------------------------------===//
// What passes
//===----------------------------------------------------------------------===//

TEST(Arguments, WordsAreAddressExtentsStridesAndValues) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0), size(4)}), scalar("n", TW_I32)},
                    {{"m"}});
  Words words = accept(kernel, {tensorArgument(TW_F32, memory, two),
                                scalarArgument(TW_I64, uint64_t(-5))});
  EXPECT_EQ(words, (Words{addressOf(memory), 3, 4, 4, 1, uint64_t(-5)}));
}

TEST(Arguments, AKernelWithoutParameters) {
  TestKernel kernel({});
  EXPECT_EQ(tw_check_arguments(kernel.kernel, nullptr, 0, nullptr), TW_OK);
}

TEST(Arguments, AZeroDimensionalTensor) {
  TestKernel kernel({tensor("A", TW_F32, {})});
  EXPECT_EQ(accept(kernel, {tensorArgument(TW_F32, memory, {})}),
            (Words{addressOf(memory)}));
}

TEST(Arguments, StridesThatNoElementDependsOnAreIgnored) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0), symbol(1)})}, {{"m"}, {"n"}});
  Sizes column{5, 1}, row{1, 7}, empty{0, 7}, odd{1, 99}, far{99, 1};
  accept(kernel, {tensorArgument(TW_F32, memory, column, &odd)});
  // The word holds the stride that the kernel assumes.
  EXPECT_EQ(accept(kernel, {tensorArgument(TW_F32, memory, row, &far)})[3], 7u);
  accept(kernel, {tensorArgument(TW_F32, nullptr, empty, &odd)});
}

TEST(Arguments, StridedParameters) {
  TestKernel kernel(
      {tensor("A", TW_F32, {symbol(0), size(4)}).strided({any(), size(1)}),
       tensor("B", TW_F32, {symbol(0), size(4)}).strided({symbol(1), size(1)})},
      {{"m"}, {"pitch"}});
  Sizes pitched{8, 1}, backwards{-4, 1};
  Words words = accept(kernel, {tensorArgument(TW_F32, memory, two, &backwards),
                                tensorArgument(TW_F32, memory, two, &pitched)});
  EXPECT_EQ(words[3], uint64_t(-4));
  EXPECT_EQ(words[8], 8u);
}

TEST(Arguments, AStrideSymbolIsWhatAStrideThatMattersSays) {
  TestKernel kernel(
      {tensor("A", TW_F32, {symbol(0), size(4)}).strided({symbol(2), size(1)}),
       tensor("B", TW_F32, {symbol(1), size(4)}).strided({symbol(2), size(1)})},
      {{"m"}, {"n"}, {"pitch"}});
  Sizes row{1, 4}, far{99, 1}, pitched{8, 1};
  Words words = accept(kernel, {tensorArgument(TW_F32, memory, row, &far),
                                tensorArgument(TW_F32, memory, two, &pitched)});
  EXPECT_EQ(words[3], 8u);
  EXPECT_EQ(words[8], 8u);
  words = accept(kernel, {tensorArgument(TW_F32, memory, row, &far),
                          tensorArgument(TW_F32, memory, row, &pitched)});
  EXPECT_EQ(words[3], 99u);
  EXPECT_EQ(words[8], 99u);
}

TEST(Arguments, AnAllocatedOutputGetsItsWords) {
  Param c = tensor("C", TW_F32, {symbol(0), symbol(1), size(2)}).writes();
  TestKernel kernel({c, tensor("A", TW_F32, {symbol(1), symbol(0)})}, {{"m"}, {"n"}});
  tw_argument_v1 output{};
  output.size = sizeof(output);
  output.flags = TW_ARGUMENT_ALLOCATE;
  Words words = accept(kernel, {output, tensorArgument(TW_F32, memory, two)});
  EXPECT_EQ(Words(words.begin(), words.begin() + 7), (Words{0, 4, 3, 2, 6, 2, 1}));
}

TEST(Arguments, AnOutputOfUnknownSizeCannotBeAllocated) {
  TestKernel kernel({tensor("C", TW_F32, {symbol(0)}).writes()}, {{"m"}});
  tw_argument_v1 output{};
  output.size = sizeof(output);
  output.flags = TW_ARGUMENT_ALLOCATE;
  EXPECT_EQ(reject(kernel, {output}),
            "gemm: argument 'C' cannot be allocated: no other argument gives the size "
            "m; pass the argument");
}

//===----------------------------------------------------------------------===//
// What does not
//===----------------------------------------------------------------------===//

TEST(Arguments, Count) {
  TestKernel kernel({tensor("A", TW_F32, {size(3)})});
  EXPECT_EQ(reject(kernel, {}), "gemm: got 0 arguments; expected 1");
}

TEST(Arguments, Kind) {
  TestKernel kernel({tensor("A", TW_F32, {size(3), size(4)}), scalar("n", TW_I32)});
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two), n = scalarArgument(TW_I64, 1);
  EXPECT_EQ(reject(kernel, {n, n}),
            "gemm: argument 'A' is a scalar; expected a tensor of float32");
  EXPECT_EQ(reject(kernel, {a, a}),
            "gemm: argument 'n' is a tensor; expected a scalar of type int32");
}

TEST(Arguments, Device) {
  TestKernel kernel({tensor("A", TW_F32, {size(3), size(4)})});
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two);
  a.device_type = 2, a.device_id = 1;
  EXPECT_EQ(reject(kernel, {a}),
            "gemm: argument 'A' is on device cuda:1; this kernel runs on cpu");
}

TEST(Arguments, Dtype) {
  TestKernel kernel({tensor("A", TW_BF16, {size(3), size(4)})});
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F16, memory, two)}),
            "gemm: argument 'A' has dtype float16; expected bfloat16");
  tw_argument_v1 a = tensorArgument(-1, memory, two);
  a.dtype_name = "complex64";
  EXPECT_EQ(reject(kernel, {a}),
            "gemm: argument 'A' has dtype complex64; expected bfloat16");
}

TEST(Arguments, Rank) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0), size(4)})}, {{"m"}});
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory, {2, 3, 4})}),
            "gemm: argument 'A' has 3 dimensions, shape (2, 3, 4); expected 2: (m, 4)");
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory, Sizes{12})}),
            "gemm: argument 'A' has 1 dimension, shape (12); expected 2: (m, 4)");
}

TEST(Arguments, ConstantSize) {
  TestKernel kernel({tensor("A", TW_F32, {size(3), size(5)})});
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory, two)}),
            "gemm: argument 'A' has size 4 in dimension 1; expected 5");
}

TEST(Arguments, SizesThatShareASymbol) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0), symbol(1)}),
                     tensor("B", TW_F32, {symbol(1), symbol(0)}), scalar("k", TW_I32, 1)},
                    {{"m"}, {"k"}});
  Sizes good{4, 3}, bad{5, 3};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two);
  accept(kernel, {a, tensorArgument(TW_F32, memory, good), scalarArgument(TW_I64, 4)});
  EXPECT_EQ(
      reject(kernel, {a, tensorArgument(TW_F32, memory, bad), scalarArgument(TW_I64, 4)}),
      "gemm: argument 'B' has size 5 in dimension 0; expected k = 4, the size in "
      "dimension 1 of argument 'A'");
  EXPECT_EQ(
      reject(kernel,
             {a, tensorArgument(TW_F32, memory, good), scalarArgument(TW_I64, 6)}),
      "gemm: argument 'k' is 6; expected k = 4, the size in dimension 1 of argument "
      "'A'");
}

TEST(Arguments, AScalarMayBindTheSymbol) {
  TestKernel kernel({scalar("n", TW_I32, 0), tensor("A", TW_F32, {symbol(0), size(4)})},
                    {{"n"}});
  EXPECT_EQ(
      reject(kernel, {scalarArgument(TW_I64, 2), tensorArgument(TW_F32, memory, two)}),
      "gemm: argument 'A' has size 3 in dimension 0; expected n = 2, the value of "
      "argument 'n'");
}

TEST(Arguments, FactsOfSymbols) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0)})}, {{"m", 8, 64, 8}});
  auto message = [&](int64_t extent) {
    return reject(kernel, {tensorArgument(TW_F32, memory, Sizes{extent})});
  };
  EXPECT_EQ(message(0), "gemm: argument 'A' has size 0 in dimension 0; m must be at "
                        "least 8");
  EXPECT_EQ(message(72), "gemm: argument 'A' has size 72 in dimension 0; m must be at "
                         "most 64");
  EXPECT_EQ(message(12), "gemm: argument 'A' has size 12 in dimension 0; m must be a "
                         "multiple of 8");
  accept(kernel, {tensorArgument(TW_F32, memory, Sizes{16})});
}

TEST(Arguments, Strides) {
  TestKernel kernel({tensor("A", TW_F32, {size(3), size(4)}),
                     tensor("B", TW_F32, {size(3), size(4)}).strided({size(8), any()})});
  Sizes transposed{1, 3}, pitched{8, 1};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two);
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory, two, &transposed), a}),
            "gemm: argument 'A' has stride 3 in dimension 1; expected 1 (contiguous); "
            "pass a contiguous copy");
  EXPECT_EQ(reject(kernel, {a, a}),
            "gemm: argument 'B' has stride 4 in dimension 0; expected 8");
  accept(kernel, {a, tensorArgument(TW_F32, memory, two, &pitched)});
}

TEST(Arguments, Memory) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0)}).aligned(64),
                     tensor("C", TW_F32, {symbol(1)}).writes()},
                    {{"m"}, {"n"}});
  Sizes four{4}, none{0};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, four);
  tw_argument_v1 c = tensorArgument(TW_F32, memory + 64, four);
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory + 3, four), c}),
            "gemm: argument 'A' starts 12 bytes past a multiple of 64; expected memory "
            "aligned to 64 bytes");
  EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, nullptr, four), c}),
            "gemm: argument 'A' has no memory: its data pointer is null");
  accept(kernel, {tensorArgument(TW_F32, memory + 3, none), c});
  tw_argument_v1 readOnly = c;
  readOnly.flags = TW_ARGUMENT_READ_ONLY;
  EXPECT_EQ(reject(kernel, {a, readOnly}),
            "gemm: argument 'C' is read-only; the kernel writes to it; pass memory "
            "that may be written, or a copy");
  a.flags = TW_ARGUMENT_READ_ONLY;
  accept(kernel, {a, c});
}

TEST(Arguments, Overlap) {
  Param c = tensor("C", TW_F32, {symbol(0)}).writes();
  TestKernel apart({tensor("A", TW_F32, {symbol(0)}), c}, {{"m"}});
  TestKernel shared({tensor("A", TW_F32, {symbol(0)}), c.mayShare(0)}, {{"m"}});
  Sizes eight{8}, none{0};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, eight);
  for (int distance : {-7, 0, 7})
    EXPECT_EQ(reject(apart, {tensorArgument(TW_F32, memory + 16, eight),
                             tensorArgument(TW_F32, memory + 16 + distance, eight)}),
              "gemm: argument 'C' shares memory with argument 'A', and the kernel writes "
              "to it; pass separate memory or a copy");
  accept(apart, {a, tensorArgument(TW_F32, memory + 8, eight)});
  accept(apart,
         {tensorArgument(TW_F32, memory, none), tensorArgument(TW_F32, memory, none)});
  accept(shared, {a, a});
  accept(shared, {a, tensorArgument(TW_F32, memory + 8, eight)});
  for (int distance : {-7, 7})
    EXPECT_EQ(
        reject(shared, {tensorArgument(TW_F32, memory + 16, eight),
                        tensorArgument(TW_F32, memory + 16 + distance, eight)}),
        "gemm: argument 'C' shares a part of its memory with argument 'A', of which "
        "it is declared an alias; pass the same memory or separate memory");
}

TEST(Arguments, AliasesHaveTheSameStrides) {
  Param a = tensor("A", TW_F32, {symbol(0), symbol(1)}).strided({any(), any()});
  Param c = a;
  c.name = "C";
  TestKernel kernel({a, c.writes().mayShare(0)}, {{"m"}, {"n"}});
  Sizes square{2, 2}, rows{2, 1}, columns{1, 2};
  tw_argument_v1 given = tensorArgument(TW_F32, memory, square, &rows);
  accept(kernel, {given, given});
  EXPECT_NE(reject(kernel, {given, tensorArgument(TW_F32, memory, square, &columns)})
                .find("shares a part of its memory"),
            std::string::npos);
}

//===----------------------------------------------------------------------===//
// Sizes that are expressions
//===----------------------------------------------------------------------===//

/// A (m) and B (an expression of m and 7).
static std::vector<Param> withExpression(int64_t kind) {
  Dim size = expression("m op 7", {{TW_STEP_SYMBOL, 0}, {TW_STEP_CONST, 7}, {kind}});
  return {tensor("B", TW_F32, {size}), tensor("A", TW_F32, {symbol(0)})};
}

TEST(Arguments, ExpressionsOfSizes) {
  for (auto [kind, expected] :
       std::vector<std::pair<int64_t, int64_t>>{{TW_STEP_ADD, 17},
                                                {TW_STEP_SUB, 3},
                                                {TW_STEP_MUL, 70},
                                                {TW_STEP_FLOORDIV, 1},
                                                {TW_STEP_MOD, 3},
                                                {TW_STEP_CEILDIV, 2},
                                                {TW_STEP_MIN, 7},
                                                {TW_STEP_MAX, 10}}) {
    TestKernel kernel(withExpression(kind), {{"m"}});
    Sizes ten{10}, right{expected}, wrong{expected + 1};
    tw_argument_v1 a = tensorArgument(TW_F32, memory, ten);
    accept(kernel, {tensorArgument(TW_F32, memory, right), a});
    EXPECT_EQ(reject(kernel, {tensorArgument(TW_F32, memory, wrong), a}),
              "gemm: argument 'B' has size " + std::to_string(expected + 1) +
                  " in dimension 0; expected m op 7 = " + std::to_string(expected) +
                  "; m = 10 by argument 'A'");
  }
}

TEST(Arguments, ExpressionsWithoutAValue) {
  Dim quotient =
      expression("7 // m", {{TW_STEP_CONST, 7}, {TW_STEP_SYMBOL, 0}, {TW_STEP_FLOORDIV}});
  Dim product =
      expression("m * m", {{TW_STEP_SYMBOL, 0}, {TW_STEP_SYMBOL, 0}, {TW_STEP_MUL}});
  Param a = tensor("A", TW_F32, {symbol(0), size(0)});
  TestKernel divides({a, tensor("B", TW_F32, {quotient})}, {{"m"}});
  TestKernel squares({a, tensor("B", TW_F32, {product})}, {{"m"}});
  Sizes none{0, 0}, huge{int64_t(1) << 40, 0}, one{1};
  tw_argument_v1 b = tensorArgument(TW_F32, memory, one);
  EXPECT_EQ(reject(divides, {tensorArgument(TW_F32, memory, none), b}),
            "gemm: argument 'B' has the size 7 // m, which has no 64-bit value for these "
            "sizes");
  EXPECT_EQ(reject(squares, {tensorArgument(TW_F32, memory, huge), b}),
            "gemm: argument 'B' has the size m * m, which has no 64-bit value for these "
            "sizes");
}

/// A (m, 2), and B (m) with a stride of m op 3.
static std::vector<Param> withStride(int64_t kind) {
  Dim stride = expression("m op 3", {{TW_STEP_SYMBOL, 0}, {TW_STEP_CONST, 3}, {kind}});
  return {tensor("B", TW_F32, {symbol(0)}).strided({stride}),
          tensor("A", TW_F32, {symbol(0), size(2)})};
}

TEST(Arguments, StridesThatAreExpressions) {
  TestKernel kernel(withStride(TW_STEP_SUB), {{"m"}});
  Sizes seven{7}, square{7, 2}, four{4}, three{3};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, square);
  accept(kernel, {tensorArgument(TW_F32, memory, seven, &four), a});
  EXPECT_EQ(
      reject(kernel, {tensorArgument(TW_F32, memory, seven, &three), a}),
      "gemm: argument 'B' has stride 3 in dimension 0; expected m op 3 = 4; m = 7 by "
      "argument 'B'");
}

TEST(Arguments, AnExpressionIsAStrideThatNoElementDependsOn) {
  TestKernel kernel(withStride(TW_STEP_MUL), {{"m"}});
  for (int64_t m : {0, 1}) {
    Sizes size{m}, rows{m, 2}, nine{9};
    tw_argument_v1 arguments[] = {tensorArgument(TW_F32, memory, size, &nine),
                                  tensorArgument(TW_F32, memory, rows)};
    uint64_t words[8];
    ASSERT_EQ(tw_check_arguments(kernel.kernel, arguments, 2, words), TW_OK);
    EXPECT_EQ(words[2], static_cast<uint64_t>(3 * m));
  }
}

TEST(Arguments, AStrideWithoutAValue) {
  Dim square =
      expression("m * m", {{TW_STEP_SYMBOL, 0}, {TW_STEP_SYMBOL, 0}, {TW_STEP_MUL}});
  TestKernel kernel({tensor("B", TW_F32, {symbol(0), size(0)}).strided({square, any()})},
                    {{"m"}});
  Sizes huge{int64_t(1) << 40, 0};
  EXPECT_EQ(
      reject(kernel, {tensorArgument(TW_F32, memory, huge)}),
      "gemm: argument 'B' has the stride m * m, which has no 64-bit value for these "
      "sizes");
}

TEST(Arguments, AllocatedByExpressions) {
  std::vector<Param> params = withExpression(TW_STEP_SUB);
  TestKernel kernel(params, {{"m"}});
  Sizes ten{10}, three{3};
  tw_argument_v1 arguments[] = {tensorArgument(TW_F32, nullptr, ten),
                                tensorArgument(TW_F32, memory, ten)};
  arguments[0].flags = TW_ARGUMENT_ALLOCATE;
  uint64_t words[6];
  ASSERT_EQ(tw_check_arguments(kernel.kernel, arguments, 2, words), TW_OK);
  EXPECT_EQ(words[1], 3u);
  arguments[1].extents = three.data();
  ASSERT_EQ(tw_check_arguments(kernel.kernel, arguments, 2, words), TW_ERROR_ARGUMENT);
  EXPECT_STREQ(tw_last_error(),
               "gemm: argument 'B' cannot be allocated: its size m op 7 is -4");
}

TEST(Arguments, InputsMayOverlap) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0)}), tensor("B", TW_F32, {symbol(0)})},
                    {{"m"}});
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two);
  a.rank = 1;
  accept(kernel, {a, a});
}

TEST(Arguments, AnOutputMayNotRepeatElements) {
  TestKernel kernel(
      {tensor("A", TW_F32, {size(3), size(4)}).strided({any(), any()}),
       tensor("C", TW_F32, {size(3), size(4)}).strided({any(), any()}).writes()});
  Sizes broadcast{0, 1};
  tw_argument_v1 a = tensorArgument(TW_F32, memory, two, &broadcast);
  EXPECT_EQ(reject(kernel, {a, tensorArgument(TW_F32, memory + 64, two, &broadcast)}),
            "gemm: argument 'C' has elements that share memory; the kernel writes to "
            "it");
  accept(kernel, {a, tensorArgument(TW_F32, memory + 64, two)});
}

TEST(Arguments, Scalars) {
  TestKernel integer({scalar("n", TW_I32)}), real({scalar("x", TW_F32)});
  double half = 0.5, huge = 1e300;
  uint64_t halfBits, hugeBits;
  memcpy(&halfBits, &half, 8), memcpy(&hugeBits, &huge, 8);
  EXPECT_EQ(reject(integer, {scalarArgument(TW_F64, halfBits)}),
            "gemm: argument 'n' is a floating-point number; expected a scalar of type "
            "int32");
  EXPECT_EQ(reject(integer, {scalarArgument(TW_I64, 3000000000)}),
            "gemm: argument 'n' is 3000000000, which int32 cannot hold");
  EXPECT_EQ(reject(integer, {scalarArgument(TW_U64, ~uint64_t(0))}),
            "gemm: argument 'n' is 18446744073709551615, which int32 cannot hold");
  EXPECT_EQ(reject(real, {scalarArgument(TW_F64, hugeBits)}),
            "gemm: argument 'x' is 1e+300, which float32 cannot hold");
  EXPECT_EQ(reject(real, {scalarArgument(TW_F16, 0)}),
            "gemm: argument 'x' is given as float16; a scalar is given as bool, int64, "
            "uint64 or float64");
  EXPECT_EQ(accept(real, {scalarArgument(TW_F64, halfBits)}), (Words{0x3f000000}));
}

TEST(Arguments, AStructureWithoutItsSizeIsRefused) {
  TestKernel kernel({scalar("n", TW_I32)});
  tw_argument_v1 argument{};
  uint64_t word;
  EXPECT_EQ(tw_check_arguments(kernel.kernel, &argument, 1, &word), TW_ERROR_INVALID);
}

TEST(Arguments, ALargerStructureIsSteppedOver) {
  TestKernel kernel({scalar("n", TW_I32), scalar("m", TW_I32)});
  struct Larger {
    tw_argument_v1 known;
    uint64_t news;
  } arguments[2] = {{scalarArgument(TW_I64, 3), 0}, {scalarArgument(TW_I64, 4), 0}};
  arguments[0].known.size = arguments[1].known.size = sizeof(Larger);
  uint64_t words[2];
  ASSERT_EQ(tw_check_arguments(kernel.kernel, &arguments[0].known, 2, words), TW_OK);
  EXPECT_EQ(words[1], 4u);
}

} // namespace
