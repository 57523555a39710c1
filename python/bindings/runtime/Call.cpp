//===- Call.cpp - A call of a kernel from Python -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Call.h"

#include "Arguments.h"
#include "Graph.h"
#include "Kernel.h"
#include "Outputs.h"

using namespace tilewright;
using namespace tilewright::python;

namespace {

/// An array on the stack, or on the heap where it is long.
template <typename T, size_t N> class SmallArray {
  T few[N];
  std::unique_ptr<T[]> many;
  T *elements;

public:
  explicit SmallArray(size_t count)
      : many(count > N ? new T[count] : nullptr), elements(many ? many.get() : few) {}
  T &operator[](size_t index) { return elements[index]; }
  const T &operator[](size_t index) const { return elements[index]; }
  T *data() { return elements; }
};

/// One call.
class Call {
  KernelObject &kernel;
  Py_ssize_t count;
  SmallArray<PyObject *, 8> objects; // borrowed; null where none was given
  SmallArray<Argument, 8> arguments;
  SmallArray<uint64_t, 64> words;
  const Argument *maker = nullptr; // the tensor whose library makes the outputs

  const Parameter &parameter(Py_ssize_t index) const { return kernel.parameters[index]; }
  const char *kernelName() const { return kernel.info.name; }
  bool bindKeyword(PyObject *name, PyObject *object);
  bool rejectCount(Py_ssize_t given) const;
  bool describeFailure(Py_ssize_t index);
  bool readArguments();
  bool check();
  bool allocateOutputs(Ref *outputs);
  dlpack::Device outputDevice() const;
  const Argument *findOnDevice() const;
  void findPlaces(int32_t *places) const;
  bool hold(PyObject *held, const Ref *outputs) const;
  [[gnu::noinline]] bool record(GraphObject &graph, const Ref *outputs);
  [[gnu::noinline]] bool launchOnDevice(); // the CPU's launches are short
  bool launch(const Ref *outputs);

public:
  explicit Call(KernelObject &kernel)
      : kernel(kernel), count(static_cast<Py_ssize_t>(kernel.info.parameter_count)),
        objects(count), arguments(count), words(kernel.info.word_count) {}

  /// Sorts positional and keyword arguments to their parameters.
  bool bind(PyObject *const *args, Py_ssize_t argCount, PyObject *keywords);
  /// Checks the arguments and launches; the outputs, or None.
  PyObject *run();
};

} // namespace

//===----------------------------------------------------------------------===//
// Binding
//===----------------------------------------------------------------------===//

bool Call::rejectCount(Py_ssize_t given) const {
  Ref names(PyList_New(0));
  for (Py_ssize_t i = 0; names && i < count; ++i)
    if (!parameter(i).isOutput && PyList_Append(names.get(), parameter(i).name) != 0)
      return false;
  Ref comma(PyUnicode_FromString(", "));
  Ref list(names && comma ? PyUnicode_Join(comma.get(), names.get()) : nullptr);
  if (list)
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments (%U) but %zd were given",
                 kernelName(), PyList_GET_SIZE(names.get()), list.get(), given);
  return false;
}

bool Call::bindKeyword(PyObject *name, PyObject *object) {
  // Names are interned, so that the first comparison nearly always decides.
  Py_ssize_t index = 0;
  while (index < count && parameter(index).name != name)
    ++index;
  if (index == count)
    for (index = 0; index < count; ++index)
      if (PyUnicode_Compare(parameter(index).name, name) == 0)
        break;
  if (index == count) {
    PyErr_Format(PyExc_TypeError, "%s has no parameter '%U'; its parameters are %R",
                 kernelName(), name, kernel.names);
    return false;
  }
  if (objects[index]) {
    PyErr_Format(PyExc_TypeError, "%s got argument '%U' twice", kernelName(), name);
    return false;
  }
  objects[index] = object;
  return true;
}

bool Call::bind(PyObject *const *args, Py_ssize_t argCount, PyObject *keywords) {
  Py_ssize_t used = 0;
  for (Py_ssize_t i = 0; i < count; ++i)
    objects[i] = !parameter(i).isOutput && used < argCount ? args[used++] : nullptr;
  if (used < argCount)
    return rejectCount(argCount);
  for (Py_ssize_t i = 0; keywords && i < PyTuple_GET_SIZE(keywords); ++i)
    if (!bindKeyword(PyTuple_GET_ITEM(keywords, i), args[argCount + i]))
      return false;
  for (Py_ssize_t i = 0; i < count; ++i)
    if (!objects[i] && !parameter(i).isOutput) {
      PyErr_Format(PyExc_TypeError, "%s: argument '%U' is missing", kernelName(),
                   parameter(i).name);
      return false;
    }
  return true;
}

//===----------------------------------------------------------------------===//
// Reading and checking
//===----------------------------------------------------------------------===//

/// The first line of an exception's message; PyTorch's go on with a C++ backtrace.
static Ref firstLine(PyObject *exception) {
  Ref text(PyObject_Str(exception));
  Ref lines(text ? PyUnicode_Splitlines(text.get(), 0) : nullptr);
  if (!lines || PyList_GET_SIZE(lines.get()) == 0)
    return text;
  return borrow(PyList_GET_ITEM(lines.get(), 0));
}

/// Turns a failure to read an argument into a message that names it.
bool Call::describeFailure(Py_ssize_t index) {
  const Parameter &failed = parameter(index);
  if (!PyErr_Occurred()) {
    PyErr_Format(PyExc_TypeError, "%s: argument '%U' is of type %s; expected %s",
                 kernelName(), failed.name, Py_TYPE(objects[index])->tp_name,
                 failed.isScalar ? "a number"
                                 : "a tensor: a NumPy array, a PyTorch tensor, or an "
                                   "object with __dlpack__ or the buffer protocol");
    return false;
  }
  if (!PyErr_ExceptionMatches(PyExc_Exception) ||
      PyErr_ExceptionMatches(PyExc_MemoryError))
    return false;
  PyObject *type, *cause, *traceback;
  PyErr_Fetch(&type, &cause, &traceback);
  PyErr_NormalizeException(&type, &cause, &traceback);
  Py_XDECREF(type);
  Py_XDECREF(traceback);
  Ref reason = firstLine(cause);
  if (reason)
    PyErr_Format(errors.launch, "%s: argument '%U' cannot be read: %U", kernelName(),
                 failed.name, reason.get());
  PyObject *value;
  PyErr_Fetch(&type, &value, &traceback);
  PyErr_NormalizeException(&type, &value, &traceback);
  PyException_SetCause(value, cause); // takes the reference
  PyErr_Restore(type, value, traceback);
  return false;
}

bool Call::readArguments() {
  for (Py_ssize_t i = 0; i < count; ++i) {
    const Parameter &expected = parameter(i);
    PyObject *object = objects[i];
    if (!object)
      arguments[i].setAllocated();
    else if (expected.isScalar ? !arguments[i].readScalar(object, expected.isFloat)
                               : !arguments[i].readTensor(object))
      return describeFailure(i);
  }
  return true;
}

bool Call::check() {
  SmallArray<tw_argument_v1, 8> values(count);
  for (Py_ssize_t i = 0; i < count; ++i)
    values[i] = arguments[i].get();
  tw_status status =
      tw_check_arguments(kernel.kernel, values.data(), count, words.data());
  if (status)
    raise(status);
  return status == TW_OK;
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// The library of the first tensor given makes the outputs, on its device.
bool Call::allocateOutputs(Ref *outputs) {
  for (Py_ssize_t i = 0; i < count; ++i)
    if (objects[i] && !parameter(i).isScalar) {
      maker = &arguments[i];
      break;
    }
  for (size_t i = 0; i < kernel.outputs.size(); ++i) {
    Py_ssize_t index = kernel.outputs[i];
    const Parameter &output = parameter(index);
    if (objects[index]) {
      outputs[i] = borrow(objects[index]);
      continue;
    }
    uint64_t *word = &words[output.firstWord];
    OutputShape shape{output.dtype, output.rank,
                      reinterpret_cast<const int64_t *>(word + 1), output.alignment};
    outputs[i] =
        allocateOutput(shape, maker ? maker->api : nullptr, outputDevice(), *word);
    if (!outputs[i])
      return false;
  }
  return true;
}

/// Where outputs are: with the first tensor, if its library makes them, else in NumPy's
/// memory.
dlpack::Device Call::outputDevice() const {
  if (!maker || !maker->api)
    return {dlpack::cpuDevice, 0};
  return {maker->get().device_type, maker->get().device_id};
}

/// The first tensor on the device whose library says what stream it gives its work to;
/// null where there is none: work then goes to the device's default one.
const Argument *Call::findOnDevice() const {
  for (Py_ssize_t i = 0; i < count; ++i)
    if (objects[i] && arguments[i].api &&
        arguments[i].get().device_type == kernel.deviceType)
      return &arguments[i];
  return nullptr;
}

/// Where each argument's memory is, as DLPack numbers devices.
void Call::findPlaces(int32_t *places) const {
  for (Py_ssize_t i = 0; i < count; ++i)
    places[i] = objects[i] ? arguments[i].get().device_type : outputDevice().type;
}

/// Adds to a list what a launch uses: the kernel, and what its tensors are in.
bool Call::hold(PyObject *held, const Ref *outputs) const {
  if (PyList_Append(held, reinterpret_cast<PyObject *>(&kernel)) != 0)
    return false;
  for (Py_ssize_t i = 0; i < count; ++i) {
    if (!objects[i] || parameter(i).isScalar)
      continue;
    Ref tensor = arguments[i].hold(objects[i]);
    if (!tensor || PyList_Append(held, tensor.get()) != 0)
      return false;
  }
  for (size_t i = 0; i < kernel.outputs.size(); ++i)
    if (PyList_Append(held, outputs[i].get()) != 0)
      return false;
  return true;
}

/// Puts the launch into a graph instead of running it.
bool Call::record(GraphObject &graph, const Ref *outputs) {
  if (!checkDevice(graph, kernel) || !hold(graph.held, outputs))
    return false;
  SmallArray<int32_t, 8> places(count);
  findPlaces(places.data());
  if (tw_status status =
          tw_launch_placed(kernel.kernel, graph.stream, words.data(), places.data())) {
    raise(status);
    return false;
  }
  ++graph.launches;
  if (const Argument *argument = findOnDevice(); argument && !graph.api)
    graph.api = argument->api;
  return true;
}

/// Launches on a device that has memory of its own.
bool Call::launchOnDevice() {
  SmallArray<int32_t, 8> places(count);
  findPlaces(places.data());
  void *native = nullptr;
  if (const Argument *argument = findOnDevice())
    if (argument->api->currentStream(argument->get().device_type,
                                     argument->get().device_id, &native) != 0)
      return false;
  tw_stream *stream = nullptr;
  tw_status status = native ? tw_stream_wrap(kernel.device, native, &stream) : TW_OK;
  if (!status) {
    Py_BEGIN_ALLOW_THREADS;
    status = tw_launch_placed(kernel.kernel, stream, words.data(), places.data());
    Py_END_ALLOW_THREADS;
  }
  if (status)
    raise(status);
  tw_stream_destroy(stream);
  return status == TW_OK && PyErr_CheckSignals() == 0;
}

bool Call::launch(const Ref *outputs) {
  if (GraphObject *graph = recordedGraph())
    return record(*graph, outputs);
  if (kernel.deviceType != dlpack::cpuDevice)
    return launchOnDevice();
  tw_status status;
  Py_BEGIN_ALLOW_THREADS;
  status = tw_launch_words(kernel.kernel, nullptr, words.data());
  Py_END_ALLOW_THREADS;
  if (status)
    raise(status);
  // A Ctrl-C during the last block takes effect now.
  return status == TW_OK && PyErr_CheckSignals() == 0;
}

PyObject *Call::run() {
  if (!readArguments() || !check())
    return nullptr;
  size_t outputCount = kernel.outputs.size();
  if (outputCount == 0) {
    if (!launch(nullptr))
      return nullptr;
    Py_RETURN_NONE;
  }
  SmallArray<Ref, 4> outputs(outputCount);
  if (!allocateOutputs(outputs.data()) || !launch(outputs.data()))
    return nullptr;
  if (outputCount == 1)
    return outputs[0].release();
  PyObject *tuple = PyTuple_New(static_cast<Py_ssize_t>(outputCount));
  for (size_t i = 0; tuple && i < outputCount; ++i)
    PyTuple_SET_ITEM(tuple, i, outputs[i].release());
  return tuple;
}

PyObject *python::callKernel(PyObject *object, PyObject *const *args, size_t argCount,
                             PyObject *keywords) {
  Call call(*reinterpret_cast<KernelObject *>(object));
  if (!call.bind(args, PyVectorcall_NARGS(argCount), keywords))
    return nullptr;
  return call.run();
}
