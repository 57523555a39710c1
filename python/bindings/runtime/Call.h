//===- Call.h - A call of a kernel from Python -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_CALL_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_CALL_H

#include "PythonHelpers.h"

#include "tilewright/runtime.h"

#include <memory>
#include <vector>

namespace tilewright::python {

/// What a call needs to know of a parameter.
struct Parameter {
  PyObject *name; // interned; owned by KernelObject::names
  bool isScalar;
  bool isFloat;
  bool isOutput = false; // allocated where the call does not pass it
  int32_t dtype;
  int32_t rank;
  int64_t alignment;
  uint32_t firstWord; // of the words that a launch takes
};

/// An instance of `Kernel`.
struct KernelObject {
  PyObject_HEAD vectorcallfunc vectorcall;
  tw_device *device;
  tw_module *module;
  const tw_kernel *kernel;
  tw_kernel_info_v1 info;
  int32_t deviceType; // as DLPack numbers them
  PyObject *names;    // a tuple
  std::unique_ptr<Parameter[]> parameters;
  std::vector<Py_ssize_t> outputs; // parameters, in the order of out_idx
};

/// The vectorcall function of `Kernel`.
PyObject *callKernel(PyObject *kernel, PyObject *const *args, size_t argCount,
                     PyObject *keywords);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_CALL_H
