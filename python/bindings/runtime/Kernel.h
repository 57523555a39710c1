//===- Kernel.h - A loaded kernel as a Python callable -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_KERNEL_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_KERNEL_H

#include "PythonHelpers.h"

#include "tilewright/library.h"

namespace tilewright::python {

/// The exception classes, made with the module.
struct Errors {
  PyObject *launch;   // tilewright.LaunchError, a ValueError
  PyObject *fault;    // tilewright.KernelFault, a RuntimeError
  PyObject *artifact; // tilewright.ArtifactError, a RuntimeError
};
extern Errors errors;

/// Raises the exception for a status, with the runtime's message; returns nullptr.
PyObject *raise(tw_status status);

/// The type `Kernel`; a new reference, or nullptr with an error set.
PyObject *makeKernelType();

/// load(path, out_idx=None, device="cpu") -> Kernel
PyObject *load(PyObject *module, PyObject *args, PyObject *kwargs);

/// open_library(path, device) -> (name, release, manifest, functions)
PyObject *openLibrary(PyObject *module, PyObject *args);

/// device_name(device) -> str
PyObject *deviceName(PyObject *module, PyObject *device);

/// device_info(device) -> dict
PyObject *deviceInfo(PyObject *module, PyObject *device);

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_KERNEL_H
