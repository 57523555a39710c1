//===- Dtypes.cpp - Element types of NumPy, DLPack and buffers ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Dtypes.h"

#include "Numpy.h"

#include "tilewright/abi.h"

using namespace tilewright;
using namespace tilewright::python;

namespace {

struct DtypeNames {
  int32_t dtype;
  int numpy; // type number; NPY_NOTYPE: one of ml_dtypes
  const char *mlDtypes;
  dlpack::DataType dlpack;
};

} // namespace

static constexpr DtypeNames table[] = {
    {TW_BOOL, NPY_BOOL, nullptr, {dlpack::Bool, 8, 1}},
    {TW_I8, NPY_INT8, nullptr, {dlpack::Int, 8, 1}},
    {TW_I16, NPY_INT16, nullptr, {dlpack::Int, 16, 1}},
    {TW_I32, NPY_INT32, nullptr, {dlpack::Int, 32, 1}},
    {TW_I64, NPY_INT64, nullptr, {dlpack::Int, 64, 1}},
    {TW_U8, NPY_UINT8, nullptr, {dlpack::UInt, 8, 1}},
    {TW_U16, NPY_UINT16, nullptr, {dlpack::UInt, 16, 1}},
    {TW_U32, NPY_UINT32, nullptr, {dlpack::UInt, 32, 1}},
    {TW_U64, NPY_UINT64, nullptr, {dlpack::UInt, 64, 1}},
    {TW_F16, NPY_FLOAT16, nullptr, {dlpack::Float, 16, 1}},
    {TW_BF16, NPY_NOTYPE, "bfloat16", {dlpack::Bfloat, 16, 1}},
    {TW_F32, NPY_FLOAT32, nullptr, {dlpack::Float, 32, 1}},
    {TW_F64, NPY_FLOAT64, nullptr, {dlpack::Float, 64, 1}},
    {TW_F8E4M3FN, NPY_NOTYPE, "float8_e4m3fn", {dlpack::Float8E4M3FN, 8, 1}},
    {TW_F8E5M2, NPY_NOTYPE, "float8_e5m2", {dlpack::Float8E5M2, 8, 1}},
    {TW_F8E4M3FNUZ, NPY_NOTYPE, "float8_e4m3fnuz", {dlpack::Float8E4M3FNUZ, 8, 1}},
    {TW_F8E5M2FNUZ, NPY_NOTYPE, "float8_e5m2fnuz", {dlpack::Float8E5M2FNUZ, 8, 1}},
    {TW_F8E4M3B11FNUZ,
     NPY_NOTYPE,
     "float8_e4m3b11fnuz",
     {dlpack::Float8E4M3B11FNUZ, 8, 1}},
    {TW_F8E8M0FNU, NPY_NOTYPE, "float8_e8m0fnu", {dlpack::Float8E8M0FNU, 8, 1}},
    // NumPy has no type of pairs: they are bytes. ml_dtypes gives each element a byte.
    {TW_F4E2M1FN, NPY_UINT8, nullptr, {dlpack::Float4E2M1FN, 4, 2}},
};

/// NumPy numbers the types of ml_dtypes when that is imported.
static int mlDtypeNumbers[TW_F4E2M1FN + 1];

/// Fills mlDtypeNumbers; false with an error set where there is no ml_dtypes.
static bool findMlDtypes() {
  if (mlDtypeNumbers[TW_BF16] != 0)
    return true;
  Ref module(PyImport_ImportModule("ml_dtypes"));
  if (!module)
    return false;
  for (const DtypeNames &entry : table) {
    if (!entry.mlDtypes)
      continue;
    Ref type(PyObject_GetAttrString(module.get(), entry.mlDtypes));
    if (!type)
      return false;
    PyArray_Descr *descr = PyArray_DescrFromTypeObject(type.get());
    if (!descr)
      return false;
    mlDtypeNumbers[entry.dtype] = descr->type_num;
    Py_DECREF(descr);
  }
  return true;
}

static int32_t integerOfSize(npy_intp size, bool isSigned) {
  int32_t one = isSigned ? TW_I8 : TW_U8;
  return size == 1 ? one : size == 2 ? one + 1 : size == 4 ? one + 2 : one + 3;
}

int32_t python::dtypeOfNumpy(PyArray_Descr *descr) {
  if (!PyArray_ISNBO(descr->byteorder))
    return -1;
  int number = descr->type_num;
  switch (number) {
  case NPY_FLOAT:
    return TW_F32;
  case NPY_DOUBLE:
    return TW_F64;
  case NPY_HALF:
    return TW_F16;
  case NPY_BOOL:
    return TW_BOOL;
  case NPY_BYTE:
  case NPY_SHORT:
  case NPY_INT:
  case NPY_LONG:
  case NPY_LONGLONG:
    return integerOfSize(PyDataType_ELSIZE(descr), true);
  case NPY_UBYTE:
  case NPY_USHORT:
  case NPY_UINT:
  case NPY_ULONG:
  case NPY_ULONGLONG:
    return integerOfSize(PyDataType_ELSIZE(descr), false);
  }
  if (number < NPY_USERDEF)
    return -1;
  if (!findMlDtypes()) {
    PyErr_Clear();
    return -1;
  }
  for (const DtypeNames &entry : table)
    if (entry.mlDtypes && mlDtypeNumbers[entry.dtype] == number)
      return entry.dtype;
  return -1;
}

int32_t python::dtypeOfDLPack(dlpack::DataType type) {
  for (const DtypeNames &entry : table)
    if (entry.dlpack.code == type.code && entry.dlpack.bits == type.bits &&
        entry.dlpack.lanes == type.lanes)
      return entry.dtype;
  return -1;
}

int32_t python::dtypeOfBuffer(const char *format) {
  if (!format)
    return TW_U8;
  // "=" has standard sizes, in which l is 4 bytes; "<" is this byte order.
  bool standard = *format == '=' || *format == '<';
  if (standard || *format == '@')
    ++format;
  if (!format[0] || format[1])
    return -1;
  switch (format[0]) {
  case '?':
    return TW_BOOL;
  case 'b':
    return TW_I8;
  case 'B':
  case 'c':
    return TW_U8;
  case 'h':
    return TW_I16;
  case 'H':
    return TW_U16;
  case 'i':
    return TW_I32;
  case 'I':
    return TW_U32;
  case 'l':
    return standard ? TW_I32 : integerOfSize(sizeof(long), true);
  case 'L':
    return standard ? TW_U32 : integerOfSize(sizeof(long), false);
  case 'q':
    return TW_I64;
  case 'Q':
    return TW_U64;
  case 'e':
    return TW_F16;
  case 'f':
    return TW_F32;
  case 'd':
    return TW_F64;
  default:
    return -1;
  }
}

int64_t python::elementsPerItem(int32_t dtype) { return table[dtype].dlpack.lanes; }

int32_t python::dtypeOfObject(PyObject *object) {
  // NumPy knows the names of the narrow floats once ml_dtypes is there.
  if (!findMlDtypes())
    return -1;
  // Dtypes of the language and of PyTorch have NumPy's names, types such as numpy.int8
  // not.
  Ref name(PyType_Check(object) ? nullptr : PyObject_Str(object));
  static PyObject *torch = PyUnicode_InternFromString("torch.");
  if (name && PyUnicode_Tailmatch(name.get(), torch, 0, PY_SSIZE_T_MAX, -1) == 1)
    name.reset(PyUnicode_Substring(name.get(), 6, PY_SSIZE_T_MAX));
  PyArray_Descr *descr = nullptr;
  if (!PyErr_Occurred() && PyArray_DescrConverter(name ? name.get() : object, &descr)) {
    int32_t dtype = dtypeOfNumpy(descr);
    Py_DECREF(descr);
    if (dtype >= 0)
      return dtype;
  }
  PyErr_Format(PyExc_TypeError,
               "as_dtype: %R is no dtype of a kernel's tensor; give a name, as in "
               "\"bfloat16\"",
               object);
  return -1;
}

dlpack::DataType python::dlpackTypeOf(int32_t dtype) { return table[dtype].dlpack; }

PyArray_Descr *python::numpyTypeOf(int32_t dtype) {
  int number = table[dtype].numpy;
  if (number == NPY_NOTYPE) {
    if (!findMlDtypes())
      return nullptr;
    number = mlDtypeNumbers[dtype];
  }
  return PyArray_DescrFromType(number);
}
