//===- Module.cpp - The extension tilewright._runtime ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#define TILEWRIGHT_IMPORTS_NUMPY
#include "Numpy.h"

#include "Graph.h"
#include "Kernel.h"
#include "Limits.h"
#include "Raw.h"

using namespace tilewright::python;

/// Kernels print to sys.stdout, from any thread of a launch.
static void printLine(const char *line, void *) {
  PyGILState_STATE gil = PyGILState_Ensure();
  PySys_FormatStdout("%s\n", line);
  PyGILState_Release(gil);
}

/// Python's own handlers run in the main thread alone; elsewhere nothing is asked.
static int32_t checkSignals(void *) {
  PyGILState_STATE gil = PyGILState_Ensure();
  int status = PyErr_CheckSignals();
  PyGILState_Release(gil);
  return status;
}

static PyObject *setNumThreads(PyObject *, PyObject *argument) {
  long threads = PyLong_AsLong(argument);
  if (threads == -1 && PyErr_Occurred())
    return nullptr;
  if (threads < 0 || threads > INT32_MAX)
    return PyErr_Format(PyExc_ValueError,
                        "set_num_threads(%ld): expected a positive number, or 0 for "
                        "the default",
                        threads);
  tw_set_num_threads(static_cast<int32_t>(threads));
  Py_RETURN_NONE;
}

static PyObject *numThreads(PyObject *, PyObject *) {
  return PyLong_FromLong(tw_num_threads());
}

static PyMethodDef functions[] = {
    {"load", reinterpret_cast<PyCFunction>(load), METH_VARARGS | METH_KEYWORDS,
     "load(path, out_idx=None, device='cpu')\n--\n\n"
     "The kernel of the artifact at `path`, a callable. `out_idx` lists parameters\n"
     "that the callable allocates and returns.\n\n"
     "Raises ArtifactError where the file is no usable artifact."},
    {"open_library", openLibrary, METH_VARARGS,
     "open_library(path, device, /)\n--\n\n"
     "The library at `path`: its name, release and manifest, and a list of (function,\n"
     "builds), where a build is its name and the kernel for `device`, or the reason why\n"
     "there is none.\n\n"
     "Raises ArtifactError where the file is no usable library."},
    {"device_name", deviceName, METH_O,
     "device_name(device, /)\n--\n\n"
     "A device's name with its target: 'cuda-emulator:sm_80' of 'cuda-emulator'.\n\n"
     "Raises RuntimeError, which says what is missing, where there is no such device."},
    {"device_info", deviceInfo, METH_O,
     "device_info(device, /)\n--\n\n"
     "What a device is: a dict of `name`, `target` (the best that it runs),\n"
     "`device_type` and `device_id` (of its memory, as DLPack numbers them), and\n"
     "`instructions`: how many those of an emulated GPU's warps were in this process\n"
     "until now; None where a device does not count.\n\n"
     "Raises RuntimeError, which says what is missing, where there is no such device."},
    {"as_dtype", reinterpret_cast<PyCFunction>(asDtype), METH_FASTCALL,
     "as_dtype(array, dtype, /)\n--\n\n"
     "An array of integers whose bits are elements of another dtype of the same size, "
     "as\n"
     "an argument of a launch: `as_dtype(bits, \"float8_e4m3fn\")` of a uint8 array. "
     "Nothing\n"
     "is copied. `dtype` is a name, or a dtype of the language, of NumPy or of "
     "PyTorch.\n\n"
     "Raises TypeError where there is no such dtype. That the sizes are equal is "
     "checked\n"
     "by the launch."},
    {"set_num_threads", setNumThreads, METH_O,
     "set_num_threads(threads, /)\n--\n\n"
     "How many threads a launch may use; 0 restores the default. Results do not\n"
     "depend on it."},
    {"num_threads", numThreads, METH_NOARGS,
     "num_threads()\n--\n\nHow many threads a launch may use."},
    {"measure_limits", measureLimits, METH_O,
     "measure_limits(threads, /)\n--\n\n"
     "What this machine reaches with so many threads: a dict of `cpu` (its name),\n"
     "`gflops` (by dtype: multiply-adds in registers, two operations each; None where\n"
     "the CPU has no instruction for it), `read_gbps` (reading memory), `copy_gbps`\n"
     "(reading and writing: both are counted) and `last_cache_bytes` (of the cores that\n"
     "this process may use; 0 if the system does not say)."},
    {"measure_memory",
     reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(measureMemory)),
     METH_FASTCALL,
     "measure_memory(to, from, threads, slices, /)\n--\n\n"
     "`read_gbps` and `copy_gbps` of measure_limits alone, between two arrays that the\n"
     "caller keeps: each of two loops runs over them `slices` times, and the best time\n"
     "counts. `to` is overwritten.\n\n"
     "Raises ValueError for arrays of different or too few bytes, or not at multiples "
     "of\n"
     "64 bytes, and for no slices."},
    {},
};

static PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    "_runtime",
    "Loads and launches compiled kernels; knows nothing of the compiler.",
    -1,
    functions,
    nullptr,
    nullptr,
    nullptr,
    nullptr};

static bool addError(PyObject *module, PyObject *&error, const char *name, PyObject *base,
                     const char *doc) {
  error = PyErr_NewExceptionWithDoc(name, doc, base, nullptr);
  return error && PyModule_AddObjectRef(module, name + sizeof("tilewright"), error) == 0;
}

static bool addContents(PyObject *module) {
  Ref type(makeKernelType()), raw(makeRawType()), graph(makeGraphType());
  return type && raw && graph &&
         PyModule_AddObjectRef(module, "Kernel", type.get()) == 0 &&
         PyModule_AddObjectRef(module, "Graph", graph.get()) == 0 &&
         PyModule_AddObjectRef(module, "Raw", raw.get()) == 0 &&
         addError(module, errors.launch, "tilewright.LaunchError", PyExc_ValueError,
                  "An argument of a launch does not fit the kernel.") &&
         addError(module, errors.fault, "tilewright.KernelFault", PyExc_RuntimeError,
                  "A running kernel reported a fault.") &&
         addError(module, errors.artifact, "tilewright.ArtifactError", PyExc_RuntimeError,
                  "A file is no usable kernel artifact.");
}

PyMODINIT_FUNC PyInit__runtime() {
  if (PyArray_ImportNumPyAPI() < 0)
    return nullptr;
  Ref module(PyModule_Create(&definition));
  if (!module || !addContents(module.get()))
    return nullptr;
  tw_set_print_handler(printLine, nullptr);
  tw_set_interrupt_check(checkSignals, nullptr);
  return module.release();
}
