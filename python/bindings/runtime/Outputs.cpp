//===- Outputs.cpp - Tensors that a launch allocates -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Outputs.h"

#include "Dtypes.h"
#include "Numpy.h"

#include "tilewright/abi.h"

#include <algorithm>
#include <cstdlib>

using namespace tilewright;
using namespace tilewright::python;

/// What NumPy's own allocator guarantees.
static constexpr int64_t numpyAlignment = 16;

static void freeCapsule(PyObject *capsule) {
  free(PyCapsule_GetPointer(capsule, nullptr));
}

/// An array over memory that is aligned better than NumPy's own.
static Ref allocateAligned(PyArray_Descr *descr, const OutputShape &shape) {
  int64_t bytes = PyDataType_ELSIZE(descr);
  for (int32_t d = 0; d < shape.rank; ++d)
    if (__builtin_mul_overflow(bytes, shape.extents[d], &bytes))
      bytes = INT64_MAX;
  void *memory = nullptr;
  if (posix_memalign(&memory, shape.alignment, bytes ? bytes : 1) != 0) {
    Py_DECREF(descr);
    return Ref(PyErr_NoMemory());
  }
  Ref owner(PyCapsule_New(memory, nullptr, freeCapsule));
  if (!owner) {
    free(memory);
    Py_DECREF(descr);
    return nullptr;
  }
  Ref array(PyArray_NewFromDescr(&PyArray_Type, descr, shape.rank, shape.extents, nullptr,
                                 memory, NPY_ARRAY_WRITEABLE, nullptr));
  if (array && PyArray_SetBaseObject(reinterpret_cast<PyArrayObject *>(array.get()),
                                     owner.release()) != 0)
    return nullptr;
  return array;
}

static Ref allocateNumpy(const OutputShape &shape, uint64_t &address) {
  PyArray_Descr *descr = numpyTypeOf(shape.dtype);
  if (!descr)
    return nullptr;
  // Both calls take the reference to the element type.
  Ref array = shape.alignment <= numpyAlignment
                  ? Ref(PyArray_Empty(shape.rank, shape.extents, descr, 0))
                  : allocateAligned(descr, shape);
  if (array)
    address = reinterpret_cast<uint64_t>(
        PyArray_DATA(reinterpret_cast<PyArrayObject *>(array.get())));
  return array;
}

static void setAllocationError(void *, const char *, const char *message) {
  PyGILState_STATE gil = PyGILState_Ensure();
  PyErr_SetString(PyExc_RuntimeError, message);
  PyGILState_Release(gil);
}

Ref python::allocateOutput(const OutputShape &elements, const dlpack::ExchangeApi *api,
                           dlpack::Device device, uint64_t &address) {
  // Arrays have an element for each item of memory.
  int64_t extents[TW_MAX_RANK];
  std::copy_n(elements.extents, elements.rank, extents);
  OutputShape shape = elements;
  shape.extents = extents;
  if (shape.rank > 0)
    extents[shape.rank - 1] /= elementsPerItem(shape.dtype);
  if (!api)
    return allocateNumpy(shape, address);
  dlpack::Tensor prototype{};
  prototype.device = device;
  prototype.rank = shape.rank;
  prototype.dtype = dlpackTypeOf(shape.dtype);
  prototype.shape = const_cast<int64_t *>(shape.extents);
  dlpack::VersionedTensor *tensor;
  if (api->allocate(&prototype, &tensor, nullptr, setAllocationError) != 0)
    return nullptr;
  address = reinterpret_cast<uint64_t>(tensor->tensor.data) + tensor->tensor.byteOffset;
  void *object;
  return Ref(api->import(tensor, &object) == 0 ? static_cast<PyObject *>(object)
                                               : nullptr);
}
