//===- Raw.h - Integers that stand for another element type -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_RAW_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_RAW_H

#include "PythonHelpers.h"

#include <cstdint>

namespace tilewright::python {

/// An instance of `Raw`: a tensor of integers whose bits are elements of `dtype`.
struct RawObject {
  PyObject_HEAD PyObject *array;
  PyObject *name; // of the dtype, as it was given
  int32_t dtype;
};

bool isRaw(PyObject *object);

/// The type `Raw`; a new reference, or nullptr with an error set.
PyObject *makeRawType();

/// as_dtype(array, dtype) -> Raw
PyObject *asDtype(PyObject *module, PyObject *const *args, Py_ssize_t count);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_RAW_H
