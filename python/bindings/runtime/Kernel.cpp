//===- Kernel.cpp - A loaded kernel as a Python callable ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Kernel.h"

#include "Call.h"

#include <structmember.h>

using namespace tilewright;
using namespace tilewright::python;

Errors python::errors;

/// Raises CheckError for what a checked launch reported.
static PyObject *raiseFaults() {
  Ref module(PyImport_ImportModule("tilewright.runtime.checking"));
  Ref type(module ? PyObject_GetAttrString(module.get(), "CheckError") : nullptr);
  Ref error(type ? PyObject_CallMethod(type.get(), "of_records", "ss", tw_last_error(),
                                       tw_last_faults())
                 : nullptr);
  if (error)
    PyErr_SetObject(type.get(), error.get());
  return nullptr;
}

PyObject *python::raise(tw_status status) {
  if (status == TW_ERROR_INTERRUPTED) // by an exception, which is set already
    return nullptr;
  if (status == TW_ERROR_FAULT && *tw_last_faults())
    return raiseFaults();
  PyObject *type = status == TW_ERROR_ARGUMENT   ? errors.launch
                   : status == TW_ERROR_FAULT    ? errors.fault
                   : status == TW_ERROR_ARTIFACT ? errors.artifact
                   : status == TW_ERROR_MEMORY   ? PyExc_MemoryError
                   : status == TW_ERROR_INVALID  ? PyExc_ValueError
                                                 : PyExc_RuntimeError;
  PyErr_SetString(type, tw_last_error());
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// Fills in the parameters from the signature table.
static bool readParameters(KernelObject &kernel) {
  const int64_t *words = kernel.info.signature;
  auto count = static_cast<Py_ssize_t>(kernel.info.parameter_count);
  const int64_t *entries =
      words + TW_SIGNATURE_HEADER_WORDS + words[3] * TW_SIGNATURE_SYMBOL_WORDS;
  auto *strings = reinterpret_cast<const char *>(words + words[4]);
  kernel.parameters.reset(new Parameter[count]);
  kernel.names = PyTuple_New(count);
  if (!kernel.names)
    return false;
  uint32_t word = 0;
  for (Py_ssize_t i = 0; i < count; ++i) {
    const int64_t *entry = entries + i * TW_SIGNATURE_PARAM_WORDS;
    PyObject *name = PyUnicode_InternFromString(strings + entry[1]);
    if (!name)
      return false;
    PyTuple_SET_ITEM(kernel.names, i, name);
    Parameter &parameter = kernel.parameters[i];
    parameter.name = name;
    parameter.isScalar = entry[0] == TW_PARAM_SCALAR;
    parameter.dtype = static_cast<int32_t>(entry[2]);
    parameter.isFloat = parameter.dtype >= TW_F16;
    parameter.rank = parameter.isScalar ? 0 : static_cast<int32_t>(entry[3]);
    parameter.alignment = entry[5];
    parameter.firstWord = word;
    word += parameter.isScalar ? 1 : 1 + 2 * parameter.rank;
  }
  return true;
}

/// Marks the parameters that the callable allocates and returns. `outIdx` is None, an
/// integer or a sequence of them; negative ones count from the end.
static bool readOutputs(KernelObject &kernel, PyObject *outIdx) {
  if (outIdx == Py_None)
    return true;
  Ref one(PyLong_Check(outIdx) ? PyTuple_Pack(1, outIdx) : nullptr);
  Ref indices(PySequence_Fast(one ? one.get() : outIdx,
                              "out_idx must be an integer or a sequence of integers"));
  if (!indices)
    return false;
  auto count = static_cast<Py_ssize_t>(kernel.info.parameter_count);
  for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(indices.get()); ++i) {
    Py_ssize_t index =
        PyNumber_AsSsize_t(PySequence_Fast_GET_ITEM(indices.get(), i), PyExc_IndexError);
    if (index == -1 && PyErr_Occurred())
      return false;
    Py_ssize_t given = index;
    index += index < 0 ? count : 0;
    if (index < 0 || index >= count) {
      PyErr_Format(PyExc_IndexError, "%s: out_idx %zd; the kernel has %zd parameters",
                   kernel.info.name, given, count);
      return false;
    }
    Parameter &parameter = kernel.parameters[index];
    if (parameter.isScalar || parameter.isOutput) {
      PyErr_Format(PyExc_ValueError, "%s: out_idx names '%U'%s", kernel.info.name,
                   parameter.name, parameter.isScalar ? ", which is a scalar" : " twice");
      return false;
    }
    parameter.isOutput = true;
    kernel.outputs.push_back(index);
  }
  return true;
}

static PyObject *kernelType;

/// The callable of a module, which it owns from here on; an error leaves it to the
/// caller.
static PyObject *makeKernel(tw_module *module, const char *deviceName, PyObject *outIdx) {
  Ref object(PyType_GenericAlloc(reinterpret_cast<PyTypeObject *>(kernelType), 0));
  if (!object)
    return nullptr;
  auto &kernel = *reinterpret_cast<KernelObject *>(object.get());
  new (&kernel.parameters) std::unique_ptr<Parameter[]>();
  new (&kernel.outputs) std::vector<Py_ssize_t>();
  kernel.vectorcall = callKernel;

  tw_status status = tw_device_open(deviceName, &kernel.device);
  if (!status)
    status = tw_module_kernel(module, kernel.device, &kernel.kernel);
  kernel.info.size = sizeof(kernel.info);
  if (!status)
    status = tw_kernel_info(kernel.kernel, &kernel.info);
  tw_device_info_v1 device{sizeof(device)};
  if (!status)
    status = tw_device_info(kernel.device, &device);
  if (status)
    return raise(status);
  kernel.deviceType = device.device_type;
  if (!readParameters(kernel) || !readOutputs(kernel, outIdx))
    return nullptr;
  kernel.module = module;
  return object.release();
}

PyObject *python::load(PyObject *, PyObject *args, PyObject *kwargs) {
  static const char *names[] = {"path", "out_idx", "device", nullptr};
  PyObject *pathBytes = nullptr, *outIdx = Py_None;
  const char *deviceName = "cpu";
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|Os:load", const_cast<char **>(names),
                                   PyUnicode_FSConverter, &pathBytes, &outIdx,
                                   &deviceName))
    return nullptr;
  Ref path(pathBytes);
  tw_device *device = nullptr; // whether there is one is said first
  if (tw_status status = tw_device_open(deviceName, &device))
    return raise(status);
  tw_module *module = nullptr;
  tw_status status = tw_module_open(PyBytes_AS_STRING(path.get()), &module);
  tw_device_close(device);
  if (status)
    return raise(status);
  PyObject *kernel = makeKernel(module, deviceName, outIdx);
  if (!kernel)
    tw_module_close(module);
  return kernel;
}

//===----------------------------------------------------------------------===//
// Libraries
//===----------------------------------------------------------------------===//

/// The callable of a build's first artifact that the device runs, or the reason why there
/// is none, as a string.
static PyObject *makeBuild(const tw_build_v1 &build, const char *deviceName) {
  Ref reason(PyUnicode_FromString("it has no code for this kind of device"));
  const char *colon = strpbrk(deviceName, ":-");
  size_t kind = colon ? static_cast<size_t>(colon - deviceName) : strlen(deviceName);
  for (uint64_t i = 0; i < build.artifact_count; ++i) {
    const tw_artifact_v1 *artifact = build.artifacts[i];
    if (strncmp(artifact->images[0].target, deviceName, kind) != 0)
      continue;
    tw_module *module = nullptr;
    if (tw_status status = tw_module_from_artifact(artifact, &module))
      return raise(status);
    if (PyObject *kernel = makeKernel(module, deviceName, Py_None))
      return kernel;
    tw_module_close(module);
    if (!PyErr_ExceptionMatches(errors.artifact) &&
        !PyErr_ExceptionMatches(PyExc_RuntimeError))
      return nullptr;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    Ref first(type), second(value), third(trace);
    reason = Ref(PyObject_Str(value));
  }
  return reason.release();
}

static PyObject *makeBuilds(const tw_function_v1 &function, const char *deviceName) {
  Ref builds(PyList_New(0));
  for (uint64_t i = 0; builds && i < function.build_count; ++i) {
    PyObject *made = makeBuild(function.builds[i], deviceName);
    Ref row(made ? Py_BuildValue("(sN)", function.builds[i].name, made) : nullptr);
    if (!row || PyList_Append(builds.get(), row.get()) < 0)
      return nullptr;
  }
  return builds.release();
}

PyObject *python::openLibrary(PyObject *, PyObject *args) {
  const char *path, *deviceName;
  if (!PyArg_ParseTuple(args, "ss:open_library", &path, &deviceName))
    return nullptr;
  tw_device *device = nullptr; // that there is one; kernels open it for themselves
  if (tw_status status = tw_device_open(deviceName, &device))
    return raise(status);
  tw_device_close(device);
  const tw_library_v1 *library;
  if (tw_status status = tw_library_open(path, &library))
    return raise(status);
  Ref functions(PyList_New(0));
  for (uint64_t i = 0; functions && i < library->function_count; ++i) {
    const tw_function_v1 &function = library->functions[i];
    PyObject *builds = makeBuilds(function, deviceName);
    Ref row(builds ? Py_BuildValue("(sN)", function.name, builds) : nullptr);
    if (!row || PyList_Append(functions.get(), row.get()) < 0)
      return nullptr;
  }
  return functions ? Py_BuildValue("(sssN)", library->name, library->release,
                                   library->manifest, functions.release())
                   : nullptr;
}

/// Gives what `make` makes of a device's description.
template <typename Make> static PyObject *describe(PyObject *argument, Make make) {
  const char *name = PyUnicode_AsUTF8(argument);
  if (!name)
    return nullptr;
  tw_device *device;
  if (tw_status status = tw_device_open(name, &device))
    return raise(status);
  tw_device_info_v1 info{sizeof(info)};
  tw_status status;
  Py_BEGIN_ALLOW_THREADS // an emulator answers when the launch that runs has ended
      status = tw_device_info(device, &info);
  Py_END_ALLOW_THREADS PyObject *result = status ? raise(status) : make(info);
  tw_device_close(device);
  return result;
}

PyObject *python::deviceName(PyObject *, PyObject *argument) {
  return describe(argument, [](const tw_device_info_v1 &info) {
    return PyUnicode_FromString(info.name);
  });
}

PyObject *python::deviceInfo(PyObject *, PyObject *argument) {
  return describe(argument, [](const tw_device_info_v1 &info) {
    Ref count(info.instructions < 0 ? Py_NewRef(Py_None)
                                    : PyLong_FromLongLong(info.instructions));
    return count ? Py_BuildValue("{s:s,s:s,s:i,s:i,s:O}", "name", info.name, "target",
                                 info.target, "device_type", int{info.device_type},
                                 "device_id", int{info.device_id}, "instructions",
                                 count.get())
                 : nullptr;
  });
}

//===----------------------------------------------------------------------===//
// The type
//===----------------------------------------------------------------------===//

static KernelObject &self(PyObject *object) {
  return *reinterpret_cast<KernelObject *>(object);
}

static void deallocate(PyObject *object) {
  KernelObject &kernel = self(object);
  tw_module_close(kernel.module);
  tw_device_close(kernel.device);
  Py_XDECREF(kernel.names);
  kernel.parameters.~unique_ptr();
  kernel.outputs.~vector();
  PyTypeObject *type = Py_TYPE(object);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *represent(PyObject *object) {
  const tw_kernel_info_v1 &info = self(object).info;
  return PyUnicode_FromFormat("<tilewright kernel %s for %s>", info.name, info.target);
}

static PyObject *getName(PyObject *object, void *) {
  return PyUnicode_FromString(self(object).info.name);
}

static PyObject *getTarget(PyObject *object, void *) {
  return PyUnicode_FromString(self(object).info.target);
}

static PyObject *getManifest(PyObject *object, void *) {
  return PyUnicode_FromString(self(object).info.manifest);
}

static PyObject *getParameters(PyObject *object, void *) {
  PyObject *names = self(object).names;
  Py_INCREF(names);
  return names;
}

static PyGetSetDef properties[] = {
    {"name", getName, nullptr, "The kernel's name.", nullptr},
    {"target", getTarget, nullptr, "The target of the loaded image.", nullptr},
    {"manifest", getManifest, nullptr, "The artifact's manifest, a JSON text.", nullptr},
    {"parameters", getParameters, nullptr, "The parameters' names, in order.", nullptr},
    {},
};

static PyMemberDef members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(KernelObject, vectorcall), READONLY,
     nullptr},
    {},
};

static constexpr char kernelDoc[] =
    "A kernel of a loaded artifact; calling it launches it and waits for it.\n\n"
    "Arguments are the parameters in order, without those of out_idx, or by name:\n"
    "NumPy arrays, PyTorch tensors, whatever has __dlpack__ or the buffer protocol,\n"
    "and numbers. Nothing is copied but, for a kernel of a GPU, arrays of the host, to\n"
    "the device and back; tensors on the device are given to PyTorch's current stream,\n"
    "which is not waited for. The outputs of out_idx are allocated, by PyTorch where\n"
    "the first tensor is PyTorch's, on its device, and returned.\n\n"
    "Raises LaunchError where an argument does not fit the kernel, TypeError where\n"
    "one is missing or no tensor at all, KernelFault where the kernel reported one.";

PyObject *python::makeKernelType() {
  static PyType_Slot slots[] = {
      {Py_tp_dealloc, reinterpret_cast<void *>(deallocate)},
      {Py_tp_repr, reinterpret_cast<void *>(represent)},
      {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
      {Py_tp_getset, properties},
      {Py_tp_members, members},
      {Py_tp_doc, const_cast<char *>(kernelDoc)},
      {0, nullptr},
  };
  static PyType_Spec spec = {"tilewright._runtime.Kernel", sizeof(KernelObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL |
                                 Py_TPFLAGS_DISALLOW_INSTANTIATION,
                             slots};
  kernelType = PyType_FromSpec(&spec);
  Py_XINCREF(kernelType);
  return kernelType;
}
