//===- PythonHelpers.h - Small helpers over the CPython API --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_PYTHON_HELPERS_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_PYTHON_HELPERS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <memory>

namespace tilewright::python {

struct ReleaseReference {
  void operator()(PyObject *object) const { Py_DECREF(object); }
};

/// An owned reference; empty after a failure, with the Python error set.
using Ref = std::unique_ptr<PyObject, ReleaseReference>;

inline Ref borrow(PyObject *object) {
  Py_XINCREF(object);
  return Ref(object);
}

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_PYTHON_HELPERS_H
