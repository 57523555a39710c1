//===- Limits.h - What this machine reaches ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMITS_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMITS_H

#include "PythonHelpers.h"

namespace tilewright::python {

/// measure_limits(threads) -> dict
PyObject *measureLimits(PyObject *module, PyObject *threads);

/// measure_memory(to, from, threads, slices) -> dict
PyObject *measureMemory(PyObject *module, PyObject *const *arguments, Py_ssize_t count);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_LIMITS_H
