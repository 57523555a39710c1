//===- Arguments.cpp - Launch arguments against a signature ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "Error.h"
#include "Scalar.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

Text &Text::add(const char *format, ...) {
  va_list list;
  va_start(list, format);
  length += vsnprintf(buffer + length, sizeof(buffer) - length, format, list);
  va_end(list);
  if (length >= sizeof(buffer))
    length = sizeof(buffer) - 1;
  return *this;
}

/// Records "KERNEL: argument 'NAME' ...".
tw_status Checker::reject(int64_t index, const char *format, ...) const {
  char text[1024];
  va_list list;
  va_start(list, format);
  vsnprintf(text, sizeof(text), format, list);
  va_end(list);
  return fail(TW_ERROR_ARGUMENT, "%s: argument '%s' %s", kernel.artifact->name,
              nameOf(index), text);
}

Text tilewright::describeValue(int64_t dim, bool isStride, int64_t value) {
  Text text;
  if (dim < 0)
    text.add("is %" PRId64, value);
  else
    text.add("has %s %" PRId64 " in dimension %" PRId64, isStride ? "stride" : "size",
             value, dim);
  return text;
}

tw_status Checker::rejectBound(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                               int64_t value) const {
  const Binding &bound = bindings[symbol];
  Text source;
  if (bound.dim < 0)
    source.add("the value");
  else
    source.add("the %s in dimension %d", bound.isStride ? "stride" : "size", bound.dim);
  return reject(index, "%s; expected %s = %" PRId64 ", %s of argument '%s'",
                describeValue(dim, isStride, value).data(), nameOfSymbol(symbol),
                bound.value, source.data(), nameOf(bound.parameter));
}

//===----------------------------------------------------------------------===//
// Symbols
//===----------------------------------------------------------------------===//

/// Gives a symbol its value, or compares it with the one it has.
tw_status Checker::bind(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                        int64_t value) {
  Binding &bound = bindings[symbol];
  if (bound.parameter >= 0)
    return bound.value == value ? TW_OK
                                : rejectBound(symbol, index, dim, isStride, value);
  const SymbolEntry &facts = signature.symbol(symbol);
  bool tooLarge = facts.maximum >= 0 && value > facts.maximum;
  if (value < facts.minimum || tooLarge || value % facts.multipleOf != 0) {
    Text rule;
    if (value < facts.minimum)
      rule.add("at least %" PRId64, facts.minimum);
    else if (tooLarge)
      rule.add("at most %" PRId64, facts.maximum);
    else
      rule.add("a multiple of %" PRId64, facts.multipleOf);
    return reject(index, "%s; %s must be %s", describeValue(dim, isStride, value).data(),
                  nameOfSymbol(symbol), rule.data());
  }
  bound = {value, static_cast<int32_t>(index), static_cast<int32_t>(dim), isStride};
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

tw_status Checker::checkScalar(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  const char *expected = dtypeName(parameter.dtype);
  if (given.kind != TW_PARAM_SCALAR)
    return reject(index, "is a tensor; expected a scalar of type %s", expected);
  uint64_t &word = *wordsOf[index];
  switch (convertScalar(parameter.dtype, given.dtype, given.bits, word)) {
  case ScalarResult::Converted:
    break;
  case ScalarResult::NotAnInteger:
    return reject(index, "is a floating-point number; expected a scalar of type %s",
                  expected);
  case ScalarResult::NotAScalar:
    return reject(index,
                  "is given as %s; a scalar is given as bool, int64, uint64 or "
                  "float64",
                  dtypeName(given.dtype));
  case ScalarResult::OutOfRange: {
    Text value;
    if (given.dtype == TW_F64) {
      double number;
      memcpy(&number, &given.bits, sizeof(number));
      value.add("%g", number);
    } else if (given.dtype == TW_I64) {
      value.add("%" PRId64, static_cast<int64_t>(given.bits));
    } else {
      value.add("%" PRIu64, given.bits);
    }
    return reject(index, "is %s, which %s cannot hold", value.data(), expected);
  }
  }
  if (parameter.symbol() < 0)
    return TW_OK;
  return bind(parameter.symbol(), index, -1, false, static_cast<int64_t>(word));
}

//===----------------------------------------------------------------------===//
// The whole check
//===----------------------------------------------------------------------===//

tw_status Checker::run() {
  int64_t count = signature.parameterCount();
  for (int64_t i = 0; i < signature.symbolCount(); ++i)
    bindings[i].parameter = -1;
  uint64_t *next = words;
  for (int64_t i = 0; i < count; ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    wordsOf[i] = next;
    next += parameter.kind == TW_PARAM_SCALAR ? 1 : 1 + 2 * parameter.rank;
    if (argument(i).flags & TW_ARGUMENT_ALLOCATE)
      continue;
    tw_status status =
        parameter.kind == TW_PARAM_SCALAR ? checkScalar(i) : checkTensor(i);
    if (status)
      return status;
  }
  for (int64_t i = 0; hasOpenStrides && i < count; ++i)
    if (tw_status status = settleStrides(i))
      return status;
  for (int64_t i = 0; i < count; ++i)
    if (tw_status status = argument(i).flags & TW_ARGUMENT_ALLOCATE ? fillAllocated(i)
                                                                    : checkExpressions(i))
      return status;
  for (int64_t i = 0; i < count; ++i)
    if (tw_status status = checkOverlap(i))
      return status;
  return TW_OK;
}

tw_status tw_check_arguments(const tw_kernel *kernel, const tw_argument_v1 *arguments,
                             uint64_t count, uint64_t *words) {
  auto expected = static_cast<uint64_t>(kernel->signature.parameterCount());
  if (count != expected)
    return fail(TW_ERROR_ARGUMENT, "%s: got %" PRIu64 " arguments; expected %" PRIu64,
                kernel->artifact->name, count, expected);
  if (count && arguments->size < sizeof(tw_argument_v1))
    return fail(TW_ERROR_INVALID,
                "tw_argument_v1.size is %" PRIu64 "; set it to sizeof(tw_argument_v1)",
                arguments->size);
  return Checker(*kernel, arguments, words).run();
}
