//===- Checker.h - One check of launch arguments -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CHECKER_H
#define TILEWRIGHT_RUNTIME_SRC_CHECKER_H

#include "Kernel.h"
#include "Overlap.h"

#include <cstddef>

namespace tilewright {

/// What gave a symbol its value.
struct Binding {
  int64_t value;
  int32_t parameter; // -1: nothing yet
  int32_t dim;       // -1: a scalar's value
  bool isStride;
};

/// A short text, for the parts of messages.
class Text {
  char buffer[256];
  size_t length = 0;

public:
  Text() { buffer[0] = 0; }
  [[gnu::format(printf, 2, 3)]] Text &add(const char *format, ...);
  const char *data() const { return buffer; }
};

/// "has size 3 in dimension 0", "has stride 1 in dimension 2"; a scalar has no dimension.
Text describeValue(int64_t dim, bool isStride, int64_t value);

/// Wraps for sizes that no memory has; an empty tensor may have them.
inline int64_t product(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// Where a tensor is, from its launch words.
Extent placeOf(const ParameterEntry &parameter, const uint64_t *words);

/// One check of one launch's arguments.
class Checker {
  const tw_kernel &kernel;
  const Signature &signature;
  const tw_argument_v1 *arguments;
  uint64_t *words;
  Binding bindings[maximumSymbols];
  uint64_t *wordsOf[maximumParameters];
  bool hasOpenStrides = false; // some symbol's stride is one that no element depends on

  const tw_argument_v1 &argument(int64_t index) const {
    auto *bytes = reinterpret_cast<const char *>(arguments) + index * arguments->size;
    return *reinterpret_cast<const tw_argument_v1 *>(bytes);
  }
  const char *nameOf(int64_t index) const {
    return signature.name(signature.parameter(index));
  }
  const char *nameOfSymbol(int64_t symbol) const {
    return signature.name(signature.symbol(symbol));
  }
  Extent place(int64_t index) const {
    return placeOf(signature.parameter(index), wordsOf[index]);
  }
  bool isSamePlace(const Extent &a, const Extent &b) const;

  [[gnu::format(printf, 3, 4)]] tw_status reject(int64_t index, const char *format,
                                                 ...) const;
  tw_status rejectRank(int64_t index) const;
  tw_status rejectBound(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                        int64_t value) const;
  tw_status bind(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                 int64_t value);
  tw_status checkScalar(int64_t index);
  tw_status checkPlace(int64_t index) const;
  tw_status checkTensor(int64_t index);
  tw_status checkExtents(int64_t index);
  tw_status checkStrides(int64_t index);
  tw_status settleStrides(int64_t index);
  tw_status checkMemory(int64_t index);
  tw_status evaluate(const DimEntry &dim, int64_t index, bool isStride,
                     int64_t &value) const;
  tw_status rejectExpression(int64_t index, int64_t dim, bool isStride,
                             const ExpressionEntry &expression, int64_t value,
                             int64_t expected) const;
  tw_status checkExpressions(int64_t index);
  tw_status checkOverlap(int64_t index);
  tw_status fillAllocated(int64_t index);

public:
  Checker(const tw_kernel &kernel, const tw_argument_v1 *arguments, uint64_t *words)
      : kernel(kernel), signature(kernel.signature), arguments(arguments), words(words) {}
  tw_status run();
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CHECKER_H
