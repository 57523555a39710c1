//===- Arguments.cpp - Python objects as launch arguments --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Arguments.h"

#include "Dtypes.h"
#include "Numpy.h"
#include "Raw.h"

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

/// Where a tensor has an element type that the runtime does not know, names it as the
/// tensor's library does.
void Argument::nameDtypeAs(PyObject *object) {
  if (value.dtype >= 0)
    return;
  Ref dtype(PyObject_GetAttrString(object, "dtype"));
  if (!dtype || !setForeignDtype(Ref(PyObject_Str(dtype.get()))))
    PyErr_Clear();
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

/// An array of a subclass: one that hides elements would show them to a kernel.
bool Argument::readSubclass(PyObject *object) {
  Ref module(PyImport_ImportModule("numpy.ma"));
  Ref masked(module ? PyObject_GetAttrString(module.get(), "MaskedArray") : nullptr);
  int isMasked = masked ? PyObject_IsInstance(object, masked.get()) : -1;
  if (isMasked > 0)
    PyErr_SetString(PyExc_ValueError, "it is a masked array, and kernels know no masks; "
                                      "pass its .data, or .filled(value)");
  return isMasked == 0 && readNumpy(object);
}

/// What a type of tensors has for us.
struct python::TensorType {
  PyTypeObject *type;
  const dlpack::ExchangeApi *api; // null: none
  PyObject *isNegative;           // PyTorch's method `is_neg`; null: none
};

static const dlpack::ExchangeApi *loadExchangeApi(PyObject *type) {
  static PyObject *name = intern("__dlpack_c_exchange_api__");
  Ref capsule(PyObject_GetAttr(type, name));
  const void *table =
      capsule ? PyCapsule_GetPointer(capsule.get(), "dlpack_exchange_api") : nullptr;
  auto *api = static_cast<const dlpack::ExchangeApi *>(table);
  while (api && api->version.major > dlpack::majorVersion)
    api = api->previous;
  return api && api->version.major == dlpack::majorVersion ? api : nullptr;
}

/// Looks a type up, and remembers those met last: an attribute look-up costs as much as
/// all the rest of an argument. Sets no error.
static const TensorType &findTensorType(PyTypeObject *type) {
  static TensorType entries[8];
  static unsigned oldest = 0;
  for (const TensorType &entry : entries)
    if (entry.type == type)
      return entry;
  auto *object = reinterpret_cast<PyObject *>(type);
  const dlpack::ExchangeApi *api = loadExchangeApi(object);
  PyObject *isNegative = api ? PyObject_GetAttrString(object, "is_neg") : nullptr;
  PyErr_Clear();
  TensorType &entry = entries[oldest++ % 8];
  Py_INCREF(type);
  Py_XDECREF(entry.type);
  Py_XDECREF(entry.isNegative);
  entry = {type, api, isNegative};
  return entry;
}

/// PyTorch's tensors may be lazily negated, which DLPack cannot say. One is the imaginary
/// part of a conjugate: the memory of a complex tensor, every other number of it.
static bool mayBeNegative(const dlpack::Tensor &tensor) {
  bool everyOther = tensor.dtype.code == dlpack::Float && tensor.strides;
  for (int32_t d = 0; everyOther && d < tensor.rank; ++d)
    everyOther = tensor.strides[d] % 2 == 0;
  return everyOther;
}

bool Argument::readExchange(PyObject *object, const TensorType &type) {
  dlpack::Tensor tensor;
  api = type.api;
  if (api->exportBorrowed(object, &tensor) != 0)
    return false;
  if (type.isNegative && mayBeNegative(tensor)) {
    Ref negative(PyObject_CallOneArg(type.isNegative, object));
    if (negative.get() == Py_True)
      PyErr_SetString(PyExc_ValueError, "its memory holds the negatives of its elements; "
                                        "pass its resolve_neg()");
    if (negative.get() != Py_False)
      return false;
  }
  if (!setTensor(tensor))
    return false;
  nameDtypeAs(object);
  return true;
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
    // What is written to a copy is lost.
    if (managed->flags & (dlpack::flagReadOnly | dlpack::flagCopied))
      value.flags = TW_ARGUMENT_READ_ONLY;
    return setTensor(managed->tensor);
  }
  // Before version 1 DLPack had no way to say that a tensor may not be written. JAX's may
  // not, and are exported so.
  value.flags = TW_ARGUMENT_READ_ONLY;
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

/// The tensor of integers that a Raw holds, as one of the element type that it declares.
bool Argument::readRaw(PyObject *object) {
  const RawObject &raw = *reinterpret_cast<RawObject *>(object);
  if (!readTensor(raw.array)) {
    if (!PyErr_Occurred())
      PyErr_Format(PyExc_ValueError, "as_dtype was given a %s, which is no tensor",
                   Py_TYPE(raw.array)->tp_name);
    return false;
  }
  dlpack::DataType declared = dlpackTypeOf(raw.dtype);
  bool isInteger =
      value.kind == TW_PARAM_TENSOR && value.dtype >= TW_I8 && value.dtype <= TW_U64;
  if (!isInteger || dlpackTypeOf(value.dtype).bits != declared.bits) {
    PyErr_Format(PyExc_ValueError,
                 "as_dtype takes %S from integers of %d bits; pass such a view of it",
                 raw.name, declared.bits);
    return false;
  }
  value.dtype = raw.dtype;
  return true;
}

Ref Argument::hold(PyObject *object) const {
  if (keeper)
    return Ref(PyTuple_Pack(2, object, keeper.get()));
  if (hasBuffer) // which keeps a bytearray from growing
    return Ref(PyMemoryView_FromObject(object));
  return borrow(object);
}

void Argument::setAllocated() {
  value.size = sizeof(value);
  value.kind = TW_PARAM_TENSOR;
  value.flags = TW_ARGUMENT_ALLOCATE;
}

bool Argument::readTensor(PyObject *object) {
  value.size = sizeof(value);
  value.kind = TW_PARAM_TENSOR;
  if (PyArray_CheckExact(object))
    return readNumpy(object);
  const TensorType &type = findTensorType(Py_TYPE(object));
  if (type.api && type.api->exportBorrowed)
    return readExchange(object, type);
  if (PyArray_Check(object))
    return readSubclass(object);
  if (isRaw(object))
    return readRaw(object);
  static PyObject *dlpackName = intern("__dlpack__");
  if (Ref method{PyObject_GetAttr(object, dlpackName)}) {
    if (!readCapsule(method.get()))
      return false;
    nameDtypeAs(object);
    return true;
  }
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
  if (PyArray_Check(object)) {
    auto *array = reinterpret_cast<PyArrayObject *>(object);
    if (PyArray_TYPE(array) == NPY_OBJECT)
      return false;
    if (PyArray_SIZE(array) != 1) {
      PyErr_Format(PyExc_ValueError, "it has %zd elements, and a scalar is one",
                   static_cast<Py_ssize_t>(PyArray_SIZE(array)));
      return false;
    }
    Ref element(PyArray_ToScalar(PyArray_DATA(array), array));
    return element && readScalar(element.get(), isFloat);
  }
  const PyNumberMethods *number = Py_TYPE(object)->tp_as_number;
  if (!number)
    return false;
  if (number->nb_index && !isFloat) {
    Ref integer(PyNumber_Index(object));
    return integer && readInteger(integer.get());
  }
  return number->nb_float && readFloat(object);
}
