//===- Numpy.h - NumPy's C API in several files ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// NumPy's header keeps its function table in a variable: Module.cpp has it, every
// other file refers to it.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_NUMPY_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_NUMPY_H

#include "PythonHelpers.h"

#define NPY_NO_DEPRECATED_API NPY_2_0_API_VERSION
#define NPY_TARGET_VERSION NPY_2_0_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL tilewrightNumpyApi
#ifndef TILEWRIGHT_IMPORTS_NUMPY
#define NO_IMPORT_ARRAY
#endif
#include <numpy/arrayobject.h>

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_NUMPY_H
