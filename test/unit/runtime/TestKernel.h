//===- TestKernel.h - Artifacts made in a test -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_RUNTIME_TEST_KERNEL_H
#define TILEWRIGHT_TEST_UNIT_RUNTIME_TEST_KERNEL_H

#include "tilewright/runtime.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tilewright::test {

struct Step {
  int64_t kind;
  int64_t value = 0;
};
struct Dim {
  int64_t kind;
  int64_t value;
  std::string text = {}; // of an expression
  std::vector<Step> steps = {};
};
inline Dim size(int64_t value) { return {TW_DIM_CONST, value}; }
inline Dim symbol(int64_t index) { return {TW_DIM_SYMBOL, index}; }
inline Dim contiguous() { return {TW_DIM_CONTIGUOUS, 0}; }
inline Dim any() { return {TW_DIM_ANY, 0}; }
inline Dim expression(std::string text, std::vector<Step> steps) {
  return {TW_DIM_EXPRESSION, 0, std::move(text), std::move(steps)};
}

struct Symbol {
  std::string name;
  int64_t minimum = 0;
  int64_t maximum = -1;
  int64_t multipleOf = 1;
};

struct Param {
  std::string name;
  int64_t dtype;
  std::vector<Dim> extents;
  std::vector<Dim> strides; // empty: contiguous
  int64_t flags = TW_PARAM_READ;
  int64_t alignment = 1;
  int64_t alias = 0;
  bool isScalar = false;
  int64_t scalarSymbol = -1;

  Param &writes() { return flags |= TW_PARAM_WRITE, *this; }
  Param &aligned(int64_t bytes) { return alignment = bytes, *this; }
  Param &mayShare(int64_t other) { return alias = other + 1, *this; }
  Param &strided(std::vector<Dim> dims) { return strides = std::move(dims), *this; }
};

inline Param tensor(std::string name, int64_t dtype, std::vector<Dim> extents) {
  Param param;
  param.name = std::move(name), param.dtype = dtype, param.extents = std::move(extents);
  return param;
}
inline Param scalar(std::string name, int64_t dtype, int64_t symbol = -1) {
  Param param;
  param.name = std::move(name), param.dtype = dtype;
  param.isScalar = true, param.scalarSymbol = symbol;
  return param;
}

/// The signature table of abi.h.
inline std::vector<int64_t> makeSignature(const std::vector<Param> &params,
                                          const std::vector<Symbol> &symbols) {
  std::string strings;
  auto intern = [&](const std::string &text) {
    int64_t offset = strings.size();
    strings += text + '\0';
    return offset;
  };
  std::vector<int64_t> table(TW_SIGNATURE_HEADER_WORDS), dims, expressions;
  int64_t launchWords = 0;
  int64_t firstDim = TW_SIGNATURE_HEADER_WORDS +
                     symbols.size() * TW_SIGNATURE_SYMBOL_WORDS +
                     params.size() * TW_SIGNATURE_PARAM_WORDS;
  for (const Symbol &s : symbols)
    table.insert(table.end(), {intern(s.name), s.minimum, s.maximum, s.multipleOf});
  for (const Param &p : params) {
    int64_t rank = p.isScalar ? (p.scalarSymbol < 0 ? 0 : -1 - p.scalarSymbol)
                              : static_cast<int64_t>(p.extents.size());
    table.insert(table.end(), {p.isScalar, intern(p.name), p.dtype, rank, p.flags,
                               p.alignment, firstDim + int64_t(dims.size()), p.alias});
    launchWords += p.isScalar ? 1 : 1 + 2 * rank;
    std::vector<Dim> entries = p.extents;
    for (size_t d = 0; d < p.extents.size(); ++d)
      entries.push_back(p.strides.empty() ? contiguous() : p.strides[d]);
    for (const Dim &dim : entries) {
      bool isExpression = dim.kind == TW_DIM_EXPRESSION;
      dims.insert(dims.end(),
                  {dim.kind, isExpression ? int64_t(expressions.size()) : dim.value});
      if (isExpression)
        expressions.insert(expressions.end(),
                           {intern(dim.text), int64_t(dim.steps.size())});
      for (const Step &step : dim.steps)
        expressions.insert(expressions.end(), {step.kind, step.value});
    }
  }
  for (size_t i = 0; i < dims.size(); i += 2)
    if (dims[i] == TW_DIM_EXPRESSION)
      dims[i + 1] += firstDim + int64_t(dims.size());
  table.insert(table.end(), dims.begin(), dims.end());
  table.insert(table.end(), expressions.begin(), expressions.end());
  int64_t stringOffset = table.size();
  strings.push_back('\0'); // never empty
  int64_t stringBytes = strings.size();
  strings.resize((strings.size() + 7) / 8 * 8);
  auto *words = reinterpret_cast<const int64_t *>(strings.data());
  table.insert(table.end(), words, words + strings.size() / 8);
  int64_t header[] = {TW_SIGNATURE_MAGIC,
                      int64_t(table.size()),
                      int64_t(params.size()),
                      int64_t(symbols.size()),
                      stringOffset,
                      stringBytes,
                      launchWords,
                      0};
  std::copy(std::begin(header), std::end(header), table.begin());
  return table;
}

inline int32_t launchNothing(const tw_host_v1 *, void *, const uint64_t *) { return 0; }

/// A kernel of an artifact that is part of the test.
class TestKernel {
  std::vector<int64_t> table;
  tw_image_v1 image;
  tw_artifact_v1 artifact;
  tw_device *device = nullptr;
  tw_module *module = nullptr;

public:
  const tw_kernel *kernel = nullptr;

  TestKernel(const std::vector<Param> &params, const std::vector<Symbol> &symbols = {},
             tw_launch_fn launch = launchNothing)
      : table(makeSignature(params, symbols)), image{"cpu", launch, nullptr, 0, nullptr},
        artifact{
            sizeof(artifact), TW_ABI_VERSION, "gemm", table.data(), "{}", 1, &image} {
    EXPECT_EQ(tw_device_open("cpu", &device), TW_OK) << tw_last_error();
    EXPECT_EQ(tw_module_from_artifact(&artifact, &module), TW_OK) << tw_last_error();
    EXPECT_EQ(tw_module_kernel(module, device, &kernel), TW_OK) << tw_last_error();
  }
  TestKernel(const TestKernel &) = delete;
  ~TestKernel() {
    tw_module_close(module);
    tw_device_close(device);
  }
  size_t wordCount() const { return table[6]; }
};

/// An argument for a tensor; what it points to must outlive it.
inline tw_argument_v1 tensorArgument(int32_t dtype, void *data,
                                     const std::vector<int64_t> &extents,
                                     const std::vector<int64_t> *strides = nullptr) {
  tw_argument_v1 argument{};
  argument.size = sizeof(argument);
  argument.kind = TW_PARAM_TENSOR;
  argument.dtype = dtype;
  argument.data = data;
  argument.extents = extents.data();
  argument.strides = strides ? strides->data() : nullptr;
  argument.rank = static_cast<int32_t>(extents.size());
  argument.device_type = 1;
  return argument;
}

inline tw_argument_v1 scalarArgument(int32_t dtype, uint64_t bits) {
  tw_argument_v1 argument{};
  argument.size = sizeof(argument);
  argument.kind = TW_PARAM_SCALAR;
  argument.dtype = dtype;
  argument.bits = bits;
  return argument;
}

} // namespace tilewright::test

#endif // TILEWRIGHT_TEST_UNIT_RUNTIME_TEST_KERNEL_H
