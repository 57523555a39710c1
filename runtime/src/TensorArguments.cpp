//===- TensorArguments.cpp - Tensor arguments against a signature ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checker.h"

#include <cinttypes>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

tw_status Checker::rejectRank(int64_t index) const {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  Text came, expected;
  for (int64_t d = 0; d < given.rank; ++d)
    came.add("%s%" PRId64, d ? ", " : "", given.extents[d]);
  for (int64_t d = 0; d < parameter.rank; ++d) {
    const DimEntry &dim = signature.extents(parameter)[d];
    int64_t perItem = d == parameter.rank - 1 ? elementsPerItem(parameter.dtype) : 1;
    if (dim.kind == TW_DIM_CONST)
      expected.add("%s%" PRId64, d ? ", " : "", dim.value / perItem);
    else if (dim.kind == TW_DIM_EXPRESSION)
      expected.add("%s%s%s", d ? ", " : "", signature.text(signature.expression(dim)),
                   perItem > 1 ? " / 2" : "");
    else
      expected.add("%s%s%s", d ? ", " : "", nameOfSymbol(dim.value),
                   perItem > 1 ? " / 2" : "");
  }
  return reject(index, "has %d dimension%s, shape (%s); expected %" PRId64 ": (%s)",
                given.rank, given.rank == 1 ? "" : "s", came.data(), parameter.rank,
                expected.data());
}

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

/// A kernel takes memory of its own device; a GPU's takes the host's as well.
tw_status Checker::checkPlace(int64_t index) const {
  const tw_argument_v1 &given = argument(index);
  if (kernel.stagesHostMemory() && given.device_type == cpuDevice.type)
    return TW_OK;
  const tw_device *device = kernel.device;
  if (given.device_type == kernel.functions->type &&
      (!device || given.device_id == device->id))
    return TW_OK;
  Text expected;
  expected.add("%s", device ? device->name : kernel.functions->kind);
  if (device)
    expected.add(", whose memory is %s:%d; pass such memory, or the host's",
                 deviceTypeName(device->functions->type), device->id);
  return reject(index, "is on device %s:%d; this kernel runs on %s",
                deviceTypeName(given.device_type), given.device_id, expected.data());
}

tw_status Checker::checkTensor(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  if (given.kind != TW_PARAM_TENSOR)
    return reject(index, "is a scalar; expected a tensor of %s",
                  dtypeName(parameter.dtype));
  if (given.device_type != kernel.functions->type || kernel.device)
    if (tw_status status = checkPlace(index))
      return status;
  bool isPaired = elementsPerItem(parameter.dtype) > 1;
  if (given.dtype != parameter.dtype && !(isPaired && given.dtype == TW_U8))
    return reject(index, "has dtype %s; expected %s%s",
                  given.dtype < 0 && given.dtype_name ? given.dtype_name
                                                      : dtypeName(given.dtype),
                  dtypeName(parameter.dtype),
                  isPaired ? " in pairs: bytes (uint8) with two elements each, the even "
                             "one in the low half, as tilewright.pack_pairs makes them"
                           : "");
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
    if (extent < 0)
      return reject(index, "has the negative size %" PRId64 " in dimension %" PRId64,
                    extent, d);
    if (d == parameter.rank - 1)
      extent = product(extent, elementsPerItem(parameter.dtype));
    wordsOf[index][1 + d] = extent;
    if (dims[d].kind == TW_DIM_SYMBOL) {
      if (tw_status status = bind(dims[d].value, index, d, false, extent))
        return status;
    } else if (dims[d].kind == TW_DIM_CONST && extent != dims[d].value) {
      return reject(index,
                    "has size %" PRId64 " in dimension %" PRId64 "; expected %" PRId64,
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
  int64_t rowMajor = 1;       // the product of the extents behind
  int64_t nextContiguous = 1; // the next dimension's stride times its extent
  int64_t last = parameter.rank - 1, perItem = elementsPerItem(parameter.dtype);
  for (int64_t d = last; d >= 0; --d) {
    auto extent = static_cast<int64_t>(wordsOf[index][1 + d]);
    int64_t stride = rowMajor;
    // Within an item elements follow each other; a step of the caller's is an item.
    if (given.strides)
      stride =
          d == last && given.strides[d] == 1 ? 1 : product(given.strides[d], perItem);
    bool matters = given.extents[d] > 1 && !empty;
    int64_t expected = stride;
    if (dims[d].kind == TW_DIM_CONST)
      expected = dims[d].value;
    else if (dims[d].kind == TW_DIM_CONTIGUOUS)
      expected = nextContiguous;
    if (matters && stride != expected)
      return reject(
          index,
          "has stride %" PRId64 " in dimension %" PRId64 "; expected %" PRId64 "%s",
          stride, d, expected,
          dims[d].kind == TW_DIM_CONTIGUOUS ? " (contiguous); pass a contiguous copy"
                                            : "");
    if (dims[d].kind == TW_DIM_SYMBOL) {
      if (!matters)
        hasOpenStrides = true;
      else if (tw_status status = bind(dims[d].value, index, d, true, stride))
        return status;
    }
    strides[d] = expected;
    nextContiguous = product(expected, extent);
    rowMajor = product(rowMajor, extent);
  }
  return TW_OK;
}

/// Gives strides that no element depends on the value of their symbol. Every argument was
/// looked at: only where none says what the symbol is does such a stride decide.
tw_status Checker::settleStrides(int64_t index) {
  const ParameterEntry &parameter = signature.parameter(index);
  if (parameter.kind != TW_PARAM_TENSOR || (argument(index).flags & TW_ARGUMENT_ALLOCATE))
    return TW_OK;
  const DimEntry *dims = signature.strides(parameter);
  uint64_t *strides = wordsOf[index] + 1 + parameter.rank;
  for (int64_t d = parameter.rank - 1; d >= 0; --d) {
    if (dims[d].kind != TW_DIM_SYMBOL)
      continue;
    const Binding &bound = bindings[dims[d].value];
    if (bound.parameter >= 0)
      strides[d] = bound.value;
    else if (tw_status status =
                 bind(dims[d].value, index, d, true, static_cast<int64_t>(strides[d])))
      return status;
  }
  return TW_OK;
}

tw_status Checker::checkMemory(int64_t index) {
  const tw_argument_v1 &given = argument(index);
  const ParameterEntry &parameter = signature.parameter(index);
  auto address = reinterpret_cast<uint64_t>(given.data);
  *wordsOf[index] = address;
  if ((parameter.flags & TW_PARAM_WRITE) && (given.flags & TW_ARGUMENT_READ_ONLY))
    return reject(index, "is read-only; the kernel writes to it; pass memory that may be "
                         "written, or a copy");
  for (int64_t d = 0; d < parameter.rank; ++d)
    if (given.extents[d] == 0)
      return TW_OK;
  if (address == 0)
    return reject(index, "has no memory: its data pointer is null");
  // What is copied to a device is aligned there; elements are whole all the same.
  int64_t alignment = parameter.alignment, item = itemSize(parameter.dtype);
  if (kernel.stagesHostMemory() && given.device_type == cpuDevice.type)
    alignment = item < alignment ? item : alignment;
  uint64_t past = address & static_cast<uint64_t>(alignment - 1);
  if (past)
    return reject(index,
                  "starts %" PRIu64 " bytes past a multiple of %" PRId64
                  "; expected memory aligned to %" PRId64 " bytes",
                  past, alignment, alignment);
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

/// `a kind b`; false where no 64-bit integer is the result.
static bool compute(int64_t kind, int64_t a, int64_t b, int64_t &result) {
  switch (kind) {
  case TW_STEP_ADD:
    return !__builtin_add_overflow(a, b, &result);
  case TW_STEP_SUB:
    return !__builtin_sub_overflow(a, b, &result);
  case TW_STEP_MUL:
    return !__builtin_mul_overflow(a, b, &result);
  case TW_STEP_MIN:
    result = a < b ? a : b;
    return true;
  case TW_STEP_MAX:
    result = a < b ? b : a;
    return true;
  default:
    break;
  }
  if (b == 0 || (a == INT64_MIN && b == -1))
    return false;
  int64_t quotient = a / b, rest = a % b;
  bool sameSign = (rest < 0) == (b < 0);
  if (kind == TW_STEP_MOD)
    result = rest != 0 && !sameSign ? rest + b : rest;
  else if (kind == TW_STEP_FLOORDIV)
    result = quotient - (rest != 0 && !sameSign);
  else
    result = quotient + (rest != 0 && sameSign);
  return true;
}

/// The value of the expression of a size or stride; every argument that is passed was
/// looked at.
tw_status Checker::evaluate(const DimEntry &dim, int64_t index, bool isStride,
                            int64_t &value) const {
  const char *what = isStride ? "stride" : "size";
  const ExpressionEntry &expression = signature.expression(dim);
  int64_t stack[TW_MAX_EXPRESSION_STEPS];
  int64_t depth = 0;
  for (int64_t i = 0; i < expression.count; ++i) {
    const StepEntry &step = expression.steps()[i];
    if (step.kind == TW_STEP_CONST) {
      stack[depth++] = step.value;
    } else if (step.kind == TW_STEP_SYMBOL) {
      const Binding &bound = bindings[step.value];
      if (bound.parameter < 0)
        return reject(index, "has the %s %s, and no argument gives %s", what,
                      signature.text(expression), nameOfSymbol(step.value));
      stack[depth++] = bound.value;
    } else {
      --depth;
      if (!compute(step.kind, stack[depth - 1], stack[depth], stack[depth - 1]))
        return reject(index, "has the %s %s, which has no 64-bit value for these sizes",
                      what, signature.text(expression));
    }
  }
  value = stack[0];
  return TW_OK;
}

tw_status Checker::rejectExpression(int64_t index, int64_t dim, bool isStride,
                                    const ExpressionEntry &expression, int64_t value,
                                    int64_t expected) const {
  Text sizes;
  for (int64_t i = 0; i < expression.count; ++i)
    if (const StepEntry &step = expression.steps()[i]; step.kind == TW_STEP_SYMBOL)
      sizes.add("; %s = %" PRId64 " by argument '%s'", nameOfSymbol(step.value),
                bindings[step.value].value, nameOf(bindings[step.value].parameter));
  return reject(index, "%s; expected %s = %" PRId64 "%s",
                describeValue(dim, isStride, value).data(), signature.text(expression),
                expected, sizes.data());
}

/// Compares extents, and strides that an element depends on, with the expressions
/// declared for them. A stride that no element depends on takes the value of its own.
tw_status Checker::checkExpressions(int64_t index) {
  const ParameterEntry &parameter = signature.parameter(index);
  if (parameter.kind != TW_PARAM_TENSOR)
    return TW_OK;
  uint64_t *given = wordsOf[index] + 1; // extents, then strides
  const DimEntry *dims = signature.extents(parameter);
  bool empty = false;
  for (int64_t d = 0; d < parameter.rank; ++d)
    empty |= given[d] == 0;
  for (int64_t d = 0; d < 2 * parameter.rank; ++d) {
    if (dims[d].kind != TW_DIM_EXPRESSION)
      continue;
    bool isStride = d >= parameter.rank;
    int64_t dim = isStride ? d - parameter.rank : d;
    auto value = static_cast<int64_t>(given[d]);
    int64_t expected;
    if (tw_status status = evaluate(dims[d], index, isStride, expected))
      return status;
    if (isStride && (empty || given[dim] == 1))
      given[d] = expected;
    else if (value != expected)
      return rejectExpression(index, dim, isStride, signature.expression(dims[d]), value,
                              expected);
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
        return reject(index,
                      "cannot be allocated: no other argument gives the size "
                      "%s; pass the argument",
                      nameOfSymbol(extents[d].value));
      extent = bound.value;
    } else if (extents[d].kind == TW_DIM_EXPRESSION) {
      if (tw_status status = evaluate(extents[d], index, false, extent))
        return status;
      if (extent < 0)
        return reject(index, "cannot be allocated: its size %s is %" PRId64,
                      signature.text(signature.expression(extents[d])), extent);
    }
    if (d == parameter.rank - 1 && extent % elementsPerItem(parameter.dtype))
      return reject(index,
                    "cannot be allocated: a row of %" PRId64
                    " elements of %s is no whole number of bytes",
                    extent, dtypeName(parameter.dtype));
    int64_t stride = contiguous;
    if (strides[d].kind == TW_DIM_CONST)
      stride = strides[d].value;
    else if (strides[d].kind == TW_DIM_SYMBOL &&
             bindings[strides[d].value].parameter >= 0)
      stride = bindings[strides[d].value].value;
    else if (strides[d].kind == TW_DIM_EXPRESSION)
      if (tw_status status = evaluate(strides[d], index, true, stride))
        return status;
    if (stride != contiguous && extent > 1)
      return reject(index,
                    "cannot be allocated: its stride in dimension %" PRId64 " is %" PRId64
                    ", of a contiguous tensor %" PRId64 "; pass the argument",
                    d, stride, contiguous);
    word[1 + d] = extent;
    word[1 + parameter.rank + d] = stride;
    contiguous = product(contiguous, extent);
  }
  return TW_OK;
}
