//===- Tensor.cpp - Arguments of library functions ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"

#include "Error.h"

#include <cstring>

using namespace tilewright;

/// The dtype of DLPack's numbers, -1 where we have none.
static int32_t dtypeOf(const tw_tensor &tensor) {
  static constexpr struct {
    uint8_t code, bits;
    uint16_t lanes;
    tw_dtype dtype;
  } table[] = {
      {TW_DL_FLOAT, 32, 1, TW_F32},
      {TW_DL_BFLOAT, 16, 1, TW_BF16},
      {TW_DL_FLOAT, 16, 1, TW_F16},
      {TW_DL_INT, 32, 1, TW_I32},
      {TW_DL_INT, 64, 1, TW_I64},
      {TW_DL_INT, 8, 1, TW_I8},
      {TW_DL_INT, 16, 1, TW_I16},
      {TW_DL_UINT, 8, 1, TW_U8},
      {TW_DL_UINT, 16, 1, TW_U16},
      {TW_DL_UINT, 32, 1, TW_U32},
      {TW_DL_UINT, 64, 1, TW_U64},
      {TW_DL_FLOAT, 64, 1, TW_F64},
      {TW_DL_BOOL, 8, 1, TW_BOOL},
      {TW_DL_FLOAT8_E4M3FN, 8, 1, TW_F8E4M3FN},
      {TW_DL_FLOAT8_E5M2, 8, 1, TW_F8E5M2},
      {TW_DL_FLOAT8_E4M3FNUZ, 8, 1, TW_F8E4M3FNUZ},
      {TW_DL_FLOAT8_E5M2FNUZ, 8, 1, TW_F8E5M2FNUZ},
      {TW_DL_FLOAT8_E4M3B11FNUZ, 8, 1, TW_F8E4M3B11FNUZ},
      {TW_DL_FLOAT8_E8M0FNU, 8, 1, TW_F8E8M0FNU},
      {TW_DL_FLOAT4_E2M1FN, 4, 2, TW_F4E2M1FN},
  };
  for (const auto &row : table)
    if (row.code == tensor.type_code && row.bits == tensor.type_bits &&
        row.lanes == tensor.type_lanes)
      return row.dtype;
  return -1;
}

static tw_status readTensor(const tw_tensor *tensor, const char *function,
                            const char *parameter, tw_argument_v1 &argument) {
  if (!tensor)
    return fail(TW_ERROR_ARGUMENT, "%s: argument '%s' is a null pointer; pass a tensor",
                function, parameter);
  if (tensor->rank < 0 || tensor->rank > TW_MAX_RANK)
    return fail(TW_ERROR_ARGUMENT,
                "%s: argument '%s' has %d dimensions; a tensor has 0 to %d", function,
                parameter, tensor->rank, TW_MAX_RANK);
  if (tensor->rank > 0 && !tensor->shape)
    return fail(TW_ERROR_ARGUMENT,
                "%s: argument '%s' has %d dimensions and a null pointer as its shape",
                function, parameter, tensor->rank);
  argument.kind = TW_PARAM_TENSOR;
  argument.dtype = dtypeOf(*tensor);
  argument.dtype_name = "of an unknown kind";
  argument.data = static_cast<char *>(tensor->data) + tensor->byte_offset;
  argument.rank = tensor->rank;
  argument.extents = tensor->shape;
  argument.strides = tensor->strides;
  argument.device_type = tensor->device_type;
  argument.device_id = tensor->device_id;
  return TW_OK;
}

template <typename T> static T read(const void *value) {
  T result;
  memcpy(&result, value, sizeof(result));
  return result;
}

static void readScalar(const void *value, int64_t dtype, tw_argument_v1 &argument) {
  argument.kind = TW_PARAM_SCALAR;
  switch (dtype) {
  case TW_BOOL:
  case TW_I8:
  case TW_I16:
  case TW_I32:
    argument.dtype = TW_I64;
    argument.bits = static_cast<uint64_t>(int64_t{read<int32_t>(value)});
    return;
  case TW_U8:
  case TW_U16:
  case TW_U32:
    argument.dtype = TW_U64;
    argument.bits = read<uint32_t>(value);
    return;
  case TW_I64:
    argument.dtype = TW_I64;
    argument.bits = read<uint64_t>(value);
    return;
  case TW_U64:
    argument.dtype = TW_U64;
    argument.bits = read<uint64_t>(value);
    return;
  default: {
    double number = dtype == TW_F64 ? read<double>(value) : double{read<float>(value)};
    argument.dtype = TW_F64;
    memcpy(&argument.bits, &number, sizeof(number));
  }
  }
}

tw_status tilewright::readArguments(const char *function, const Signature &signature,
                                    const void *const *values,
                                    tw_argument_v1 *arguments) {
  for (int64_t i = 0; i < signature.parameterCount(); ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    arguments[i] = {};
    arguments[i].size = sizeof(tw_argument_v1);
    if (parameter.kind == TW_PARAM_SCALAR)
      readScalar(values[i], parameter.dtype, arguments[i]);
    else if (tw_status status =
                 readTensor(static_cast<const tw_tensor *>(values[i]), function,
                            signature.name(parameter), arguments[i]))
      return status;
  }
  return TW_OK;
}
