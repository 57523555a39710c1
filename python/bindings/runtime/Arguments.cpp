//===- Arguments.cpp - Python objects as launch arguments --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"

#include "Dtypes.h"
#include "Numpy.h"

#include <cstring>

using namespace tilewright;
using namespace tilewright::python;

static PyObject *intern(const char *text) { return PyUnicode_InternFromString(text); }

//===----------------------------------------------------------------------===//
// What every kind of tensor sets
//===----------------------------------------------------------------------===//

/// Names an element type that the runtime does not know, for its message.
bool Argument::setForeignDtype(Ref name) {
  if (!name)
    return false;
  value.dtype = -1;
  value.dtype_name = PyUnicode_AsUTF8(name.get());
  dtypeText = std::move(name);
  return value.dtype_name;
}

/// Strides in elements. A rank that no kernel has needs none.
bool Argument::setByteStrides(const Py_ssize_t *byteStrides, Py_ssize_t itemSize) {
  if (value.rank > TW_MAX_RANK)
    return true;
  for (int32_t d = 0; d < value.rank; ++d) {
    if (byteStrides[d] % itemSize != 0) {
      PyErr_Format(PyExc_ValueError,
                   "its stride of %zd bytes in dimension %d is no multiple of its "
                   "element size, %zd",
                   byteStrides[d], d, itemSize);
      return false;
    }
    strides[d] = byteStrides[d] / itemSize;
  }
  value.strides = strides;
  return true;
}

bool Argument::setTensor(const dlpack::Tensor &tensor) {
  value.data = static_cast<char *>(tensor.data) + tensor.byteOffset;
  value.extents = tensor.shape;
  value.strides = tensor.strides;
  value.rank = tensor.rank;
  value.device_type = tensor.device.type;
  value.device_id = tensor.device.id;
  value.dtype = dtypeOfDLPack(tensor.dtype);
  if (value.dtype >= 0)
    return true;
  return setForeignDtype(
      Ref(PyUnicode_FromFormat("of DLPack code %d, %d bits, %d lanes", tensor.dtype.code,
                               tensor.dtype.bits, tensor.dtype.lanes)));
}

//===----------------------------------------------------------------------===//
// The kinds of tensors
//===----------------------------------------------------------------------===//

bool Argument::readNumpy(PyObject *object) {
  auto *array = reinterpret_cast<PyArrayObject *>(object);
  PyArray_Descr *descr = PyArray_DESCR(array);
  value.data = PyArray_DATA(array);
  static_assert(sizeof(npy_intp) == sizeof(int64_t));
  value.extents = reinterpret_cast<const int64_t *>(PyArray_DIMS(array));
  value.rank = PyArray_NDIM(array);
  value.device_type = dlpack::cpuDevice;
  if (!PyArray_ISWRITEABLE(array))
    value.flags = TW_ARGUMENT_READ_ONLY;
  value.dtype = dtypeOfNumpy(descr);
  if (value.dtype < 0)
    return setForeignDtype(Ref(PyObject_Str(reinterpret_cast<PyObject *>(descr))));
  return setByteStrides(PyArray_STRIDES(array), PyDataType_ELSIZE(descr));
}

/// The table of a type of tensors; null where it has none. Sets no error.
static const dlpack::ExchangeApi *loadExchangeApi(PyTypeObject *type) {
  static PyObject *name = intern("__dlpack_c_exchange_api__");
  Ref capsule(PyObject_GetAttr(reinterpret_cast<PyObject *>(type), name));
  const void *table =
      capsule ? PyCapsule_GetPointer(capsule.get(), "dlpack_exchange_api") : nullptr;
  PyErr_Clear();
  auto *api = static_cast<const dlpack::ExchangeApi *>(table);
  while (api && api->version.major > dlpack::majorVersion)
    api = api->previous;
  return api && api->version.major == dlpack::majorVersion ? api : nullptr;
}

/// As loadExchangeApi, remembered for the types met last: an attribute look-up costs
/// as much as all the rest of an argument.
static const dlpack::ExchangeApi *findExchangeApi(PyTypeObject *type) {
  struct Entry {
    PyTypeObject *type;
    const dlpack::ExchangeApi *api;
  };
  static Entry entries[8];
  static unsigned oldest = 0;
  for (const Entry &entry : entries)
    if (entry.type == type)
      return entry.api;
  const dlpack::ExchangeApi *api = loadExchangeApi(type);
  Entry &entry = entries[oldest++ % 8];
  Py_INCREF(type);
  Py_XDECREF(entry.type);
  entry = {type, api};
  return api;
}

bool Argument::readExchange(PyObject *object, const dlpack::ExchangeApi *table) {
  dlpack::Tensor tensor;
  if (table->exportBorrowed(object, &tensor) != 0)
    return false;
  api = table;
  return setTensor(tensor);
}

/// Calls the object's `__dlpack__` and views the capsule's tensor, which the capsule
/// frees when it is dropped unconsumed.
bool Argument::readCapsule(PyObject *method) {
  static PyObject *empty = PyTuple_New(0);
  static PyObject *versioned = Py_BuildValue("{s:(II)}", "max_version", 1u, 0u);
  keeper = Ref(PyObject_Call(method, empty, versioned));
  if (!keeper && PyErr_ExceptionMatches(PyExc_TypeError)) {
    PyErr_Clear();
    keeper = Ref(PyObject_Call(method, empty, nullptr));
  }
  if (!keeper)
    return false;
  if (PyCapsule_IsValid(keeper.get(), "dltensor_versioned")) {
    auto *managed = static_cast<dlpack::VersionedTensor *>(
        PyCapsule_GetPointer(keeper.get(), "dltensor_versioned"));
    if (managed->version.major != dlpack::majorVersion) {
      PyErr_Format(PyExc_BufferError, "it exports DLPack version %d; this is version %d",
                   managed->version.major, dlpack::majorVersion);
      return false;
    }
    if (managed->flags & dlpack::flagReadOnly)
      value.flags = TW_ARGUMENT_READ_ONLY;
    return setTensor(managed->tensor);
  }
  auto *managed = static_cast<dlpack::ManagedTensor *>(
      PyCapsule_GetPointer(keeper.get(), "dltensor"));
  return managed && setTensor(managed->tensor);
}

bool Argument::readBuffer(PyObject *object) {
  if (PyObject_GetBuffer(object, &buffer, PyBUF_RECORDS_RO) != 0)
    return false;
  hasBuffer = true;
  value.data = buffer.buf;
  value.extents = reinterpret_cast<const int64_t *>(buffer.shape);
  value.rank = buffer.ndim;
  value.device_type = dlpack::cpuDevice;
  if (buffer.readonly)
    value.flags = TW_ARGUMENT_READ_ONLY;
  value.dtype = dtypeOfBuffer(buffer.format);
  if (value.dtype < 0)
    return setForeignDtype(Ref(PyUnicode_FromFormat("'%s'", buffer.format)));
  // ctypes leaves out the strides of its arrays, which are contiguous.
  return !buffer.strides || setByteStrides(buffer.strides, buffer.itemsize);
}

void Argument::setAllocated() {
  value.size = sizeof(value);
  value.kind = TW_PARAM_TENSOR;
  value.flags = TW_ARGUMENT_ALLOCATE;
}

bool Argument::readTensor(PyObject *object) {
  value.size = sizeof(value);
  value.kind = TW_PARAM_TENSOR;
  if (PyArray_Check(object))
    return readNumpy(object);
  const dlpack::ExchangeApi *table = findExchangeApi(Py_TYPE(object));
  if (table && table->exportBorrowed)
    return readExchange(object, table);
  static PyObject *dlpackName = intern("__dlpack__");
  if (Ref method{PyObject_GetAttr(object, dlpackName)})
    return readCapsule(method.get());
  PyErr_Clear();
  if (PyObject_CheckBuffer(object))
    return readBuffer(object);
  if (PyFloat_Check(object) || PyLong_Check(object)) {
    value.kind = TW_PARAM_SCALAR;
    return true;
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

bool Argument::readInteger(PyObject *object) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  value.dtype = TW_I64;
  if (overflow > 0) {
    value.dtype = TW_U64;
    value.bits = PyLong_AsUnsignedLongLong(object);
    return !PyErr_Occurred();
  }
  if (overflow < 0)
    PyErr_SetString(PyExc_OverflowError, "it is less than any 64-bit integer");
  value.bits = static_cast<uint64_t>(number);
  return !PyErr_Occurred();
}

bool Argument::readFloat(PyObject *object) {
  double number = PyFloat_AsDouble(object);
  value.dtype = TW_F64;
  memcpy(&value.bits, &number, sizeof(number));
  return number != -1.0 || !PyErr_Occurred();
}

bool Argument::readScalar(PyObject *object, bool isFloat) {
  value.size = sizeof(value);
  value.kind = TW_PARAM_SCALAR;
  if (PyBool_Check(object) || PyArray_IsScalar(object, Bool)) {
    int truth = PyObject_IsTrue(object);
    value.dtype = TW_BOOL;
    value.bits = truth;
    return truth >= 0;
  }
  if (PyLong_Check(object))
    return readInteger(object);
  if (PyFloat_Check(object))
    return readFloat(object);
  const PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
  if (!number)
    return false;
  if (number->nb_index && !isFloat) {
    Ref integer(PyNumber_Index(object));
    return integer && readInteger(integer.get());
  }
  return number->nb_float && readFloat(object);
}
