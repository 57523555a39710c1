//===- Arguments.cpp - Launch arguments against a signature ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Kernel.h"
#include "Overlap.h"
#include "Scalar.h"

#include <cinttypes>
#include <cstdarg>
#include <cstdio>
#include <cstring>

using namespace tilewright;

namespace {

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
  [[gnu::format(printf, 2, 3)]] Text &add(const char *format, ...) {
    va_list list;
    va_start(list, format);
    length += vsnprintf(buffer + length, sizeof(buffer) - length, format, list);
    va_end(list);
    if (length >= sizeof(buffer))
      length = sizeof(buffer) - 1;
    return *this;
  }
  const char *data() const { return buffer; }
};

/// One check of one launch's arguments.
class Checker {
  const tw_kernel &kernel;
  const Signature &signature;
  const tw_argument_v1 *arguments;
  uint64_t *words;
  Binding bindings[maximumSymbols];
  uint64_t *wordsOf[maximumParameters];

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
  Extent place(int64_t index) const;

  [[gnu::format(printf, 3, 4)]] tw_status reject(int64_t index, const char *format,
                                                 ...) const;
  tw_status rejectRank(int64_t index) const;
  tw_status rejectBound(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                        int64_t value) const;
  tw_status bind(int64_t symbol, int64_t index, int64_t dim, bool isStride,
                 int64_t value);
  tw_status checkScalar(int64_t index);
  tw_status checkTensor(int64_t index);
  tw_status checkExtents(int64_t index);
  tw_status checkStrides(int64_t index);
  tw_status checkMemory(int64_t index);
  tw_status checkOverlap(int64_t index);
  tw_status fillAllocated(int64_t index);

public:
  Checker(const tw_kernel &kernel, const tw_argument_v1 *arguments, uint64_t *words)
      : kernel(kernel), signature(kernel.signature), arguments(arguments),
        words(words) {}
  tw_status run();
};

} // namespace

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

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

tw_status Checker::rejectRank(int64_t index) const {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  Text came, expected;
  for (int64_t d = 0; d < given.rank; ++d)
    came.add("%s%" PRId64, d ? ", " : "", given.extents[d]);
  for (int64_t d = 0; d < parameter.rank; ++d) {
    const DimEntry &dim = signature.extents(parameter)[d];
    if (dim.kind == TW_DIM_CONST)
      expected.add("%s%" PRId64, d ? ", " : "", dim.value);
    else
      expected.add("%s%s", d ? ", " : "", nameOfSymbol(dim.value));
  }
  return reject(index, "has %d dimension%s, shape (%s); expected %" PRId64 ": (%s)",
                given.rank, given.rank == 1 ? "" : "s", came.data(), parameter.rank,
                expected.data());
}

static Text describeValue(int64_t dim, bool isStride, int64_t value) {
  Text text;
  if (dim < 0)
    text.add("is %" PRId64, value);
  else
    text.add("has %s %" PRId64 " in dimension %" PRId64, isStride ? "stride" : "size",
             value, dim);
  return text;
}

tw_status Checker::rejectBound(int64_t symbol, int64_t index, int64_t dim,
                               bool isStride, int64_t value) const {
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
    return reject(index, "%s; %s must be %s",
                  describeValue(dim, isStride, value).data(), nameOfSymbol(symbol),
                  rule.data());
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
    return reject(index, "is given as %s; a scalar is given as bool, int64, uint64 or "
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
// Tensors
//===----------------------------------------------------------------------===//

static const char *deviceTypeName(int32_t type) {
  switch (type) {
  case 1:
    return "cpu";
  case 2:
    return "cuda";
  case 10:
    return "hip";
  default:
    return "another device";
  }
}

tw_status Checker::checkTensor(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  if (given.kind != TW_PARAM_TENSOR)
    return reject(index, "is a scalar; expected a tensor of %s",
                  dtypeName(parameter.dtype));
  if (given.device_type != kernel.functions->type)
    return reject(index, "is on device %s:%d; this kernel runs on %s",
                  deviceTypeName(given.device_type), given.device_id,
                  kernel.functions->kind);
  if (given.dtype != parameter.dtype)
    return reject(index, "has dtype %s; expected %s",
                  given.dtype < 0 && given.dtype_name ? given.dtype_name
                                                      : dtypeName(given.dtype),
                  dtypeName(parameter.dtype));
  if (given.rank != parameter.rank)
    return rejectRank(index);
  if (tw_status status = checkExtents(index))
    return status;
  if (tw_status status = checkStrides(index))
    return status;
  return checkMemory(index);
}

tw_status Checker::checkExtents(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  const DimEntry *dims = signature.extents(parameter);
  for (int64_t d = 0; d < parameter.rank; ++d) {
    int64_t extent = given.extents[d];
    wordsOf[index][1 + d] = extent;
    if (extent < 0)
      return reject(index, "has the negative size %" PRId64 " in dimension %" PRId64,
                    extent, d);
    if (dims[d].kind == TW_DIM_SYMBOL) {
      if (tw_status status = bind(dims[d].value, index, d, false, extent))
        return status;
    } else if (extent != dims[d].value) {
      return reject(index, "has size %" PRId64 " in dimension %" PRId64
                           "; expected %" PRId64,
                    extent, d, dims[d].value);
    }
  }
  return TW_OK;
}

/// A stride that no element depends on (the extent is at most 1, or the tensor is
/// empty) is right whatever it is; a launch then takes the one expected.
tw_status Checker::checkStrides(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  const DimEntry *dims = signature.strides(parameter);
  bool empty = false;
  for (int64_t d = 0; d < parameter.rank; ++d)
    empty |= given.extents[d] == 0;

  uint64_t *strides = wordsOf[index] + 1 + parameter.rank;
  int64_t rowMajor = 1;     // the product of the extents behind
  int64_t nextContiguous = 1; // the next dimension's stride times its extent
  for (int64_t d = parameter.rank - 1; d >= 0; --d) {
    int64_t extent = given.extents[d];
    int64_t stride = given.strides ? given.strides[d] : rowMajor;
    bool matters = extent > 1 && !empty;
    int64_t expected = stride;
    if (dims[d].kind == TW_DIM_CONST)
      expected = dims[d].value;
    else if (dims[d].kind == TW_DIM_CONTIGUOUS)
      expected = nextContiguous;
    if (matters && stride != expected)
      return reject(index, "has stride %" PRId64 " in dimension %" PRId64
                           "; expected %" PRId64 "%s",
                    stride, d, expected,
                    dims[d].kind == TW_DIM_CONTIGUOUS
                        ? " (contiguous); pass a contiguous copy"
                        : "");
    if (dims[d].kind == TW_DIM_SYMBOL) {
      const Binding &bound = bindings[dims[d].value];
      if (!matters && bound.parameter >= 0)
        expected = bound.value;
      else if (tw_status status = bind(dims[d].value, index, d, true, stride))
        return status;
    }
    strides[d] = expected;
    nextContiguous = expected * extent;
    rowMajor *= extent;
  }
  return TW_OK;
}

tw_status Checker::checkMemory(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  auto address = reinterpret_cast<uint64_t>(given.data);
  *wordsOf[index] = address;
  if ((parameter.flags & TW_PARAM_WRITE) && (given.flags & TW_ARGUMENT_READ_ONLY))
    return reject(index, "is read-only; the kernel writes to it");
  for (int64_t d = 0; d < parameter.rank; ++d)
    if (given.extents[d] == 0)
      return TW_OK;
  if (address == 0)
    return reject(index, "has no memory: its data pointer is null");
  uint64_t past = address & static_cast<uint64_t>(parameter.alignment - 1);
  if (past)
    return reject(index, "starts %" PRIu64 " bytes past a multiple of %" PRId64
                         "; expected memory aligned to %" PRId64 " bytes",
                  past, parameter.alignment, parameter.alignment);
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Overlap
//===----------------------------------------------------------------------===//

Extent Checker::place(int64_t index) const {
  const ParameterEntry &parameter = signature.parameter(index);
  auto *extents = reinterpret_cast<const int64_t *>(wordsOf[index] + 1);
  return {*wordsOf[index], itemSize(parameter.dtype), parameter.rank, extents,
          extents + parameter.rank};
}

/// What the kernel writes shares memory with nothing else, unless declared.
tw_status Checker::checkOverlap(int64_t index) {
  const ParameterEntry &written = signature.parameter(index);
  if (!(written.flags & TW_PARAM_WRITE) || written.kind != TW_PARAM_TENSOR ||
      (argument(index).flags & TW_ARGUMENT_ALLOCATE))
    return TW_OK;
  Extent place = this->place(index);
  if (mayOverlapItself(place))
    return reject(index, "has elements that share memory; the kernel writes to it");
  for (int64_t other = 0; other < signature.parameterCount(); ++other) {
    const ParameterEntry &parameter = signature.parameter(other);
    if (other == index || parameter.kind != TW_PARAM_TENSOR ||
        (argument(other).flags & TW_ARGUMENT_ALLOCATE) ||
        written.alias == other + 1 || parameter.alias == index + 1)
      continue;
    if (mayOverlap(place, this->place(other)))
      return reject(index, "shares memory with argument '%s', and the kernel writes "
                           "to it; pass separate memory or a copy",
                    nameOf(other));
  }
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Arguments that the caller allocates
//===----------------------------------------------------------------------===//

/// Fills in extents and contiguous strides from the symbols that other arguments gave.
tw_status Checker::fillAllocated(int64_t index) {
  const ParameterEntry &parameter = signature.parameter(index);
  if (parameter.kind != TW_PARAM_TENSOR)
    return reject(index, "is a scalar and cannot be allocated");
  const DimEntry *extents = signature.extents(parameter);
  const DimEntry *strides = signature.strides(parameter);
  uint64_t *word = wordsOf[index];
  *word = 0;
  int64_t contiguous = 1;
  for (int64_t d = parameter.rank - 1; d >= 0; --d) {
    int64_t extent = extents[d].value;
    if (extents[d].kind == TW_DIM_SYMBOL) {
      const Binding &bound = bindings[extents[d].value];
      if (bound.parameter < 0)
        return reject(index, "cannot be allocated: no other argument gives the size "
                             "%s; pass the argument",
                      nameOfSymbol(extents[d].value));
      extent = bound.value;
    }
    int64_t stride = contiguous;
    if (strides[d].kind == TW_DIM_CONST)
      stride = strides[d].value;
    else if (strides[d].kind == TW_DIM_SYMBOL &&
             bindings[strides[d].value].parameter >= 0)
      stride = bindings[strides[d].value].value;
    if (stride != contiguous && extent > 1)
      return reject(index, "cannot be allocated: its stride in dimension %" PRId64
                           " is %" PRId64 ", of a contiguous tensor %" PRId64
                           "; pass the argument",
                    d, stride, contiguous);
    word[1 + d] = extent;
    word[1 + parameter.rank + d] = stride;
    contiguous *= extent;
  }
  return TW_OK;
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
  for (int64_t i = 0; i < count; ++i)
    if (argument(i).flags & TW_ARGUMENT_ALLOCATE)
      if (tw_status status = fillAllocated(i))
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
