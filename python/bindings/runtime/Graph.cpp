//===- Graph.cpp - Launches that are recorded and replayed -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Graph.h"

#include "Kernel.h"

#include <utility>

using namespace tilewright;
using namespace tilewright::python;

/// Holds a reference.
static thread_local GraphObject *recorded = nullptr;

GraphObject *python::recordedGraph() { return recorded; }

static GraphObject &self(PyObject *object) {
  return *reinterpret_cast<GraphObject *>(object);
}

static PyObject *fail(const char *message) {
  PyErr_SetString(PyExc_RuntimeError, message);
  return nullptr;
}

bool python::checkDevice(const GraphObject &graph, const KernelObject &kernel) {
  // A GPU is one device, however often it is opened; all CPUs are this machine's.
  bool isSame = kernel.deviceType == dlpack::cpuDevice
                    ? graph.info.device_type == dlpack::cpuDevice
                    : graph.device == kernel.device;
  if (!isSame)
    PyErr_Format(PyExc_RuntimeError,
                 "%s: the kernel is for %s, and the graph that is recorded is one of %s; "
                 "launch it outside of the `with` block",
                 kernel.info.name, kernel.info.target, graph.info.name);
  return isSame;
}

//===----------------------------------------------------------------------===//
// Recording
//===----------------------------------------------------------------------===//

static PyObject *create(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
  static const char *names[] = {"device", nullptr};
  const char *name;
  if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s:Graph", const_cast<char **>(names),
                                   &name))
    return nullptr;
  Ref object(PyType_GenericAlloc(type, 0));
  if (!object)
    return nullptr;
  GraphObject &graph = self(object.get());
  graph.info.size = sizeof(graph.info);
  tw_status status = tw_device_open(name, &graph.device);
  if (!status)
    status = tw_device_info(graph.device, &graph.info);
  if (status)
    return raise(status);
  graph.held = PyList_New(0);
  return graph.held ? object.release() : nullptr;
}

static PyObject *enter(PyObject *object, PyObject *) {
  GraphObject &graph = self(object);
  if (recorded)
    return fail("this thread records a graph already; its `with` block must end before "
                "another graph is recorded");
  if (graph.state != GraphObject::New)
    return fail("a graph is recorded once; make another one");
  tw_status status = tw_stream_create(graph.device, &graph.stream);
  if (!status)
    status = tw_graph_begin(graph.stream);
  if (status) {
    tw_stream_destroy(std::exchange(graph.stream, nullptr));
    return raise(status);
  }
  graph.state = GraphObject::Recording;
  Py_INCREF(object);
  recorded = &graph;
  Py_INCREF(object);
  return object;
}

/// After an exception nothing is kept of the recording.
static PyObject *leave(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  GraphObject &graph = self(object);
  if (recorded != &graph)
    return fail("the thread that has begun to record a graph ends it");
  recorded = nullptr;
  bool isKept = count == 0 || args[0] == Py_None;
  tw_status status = tw_graph_end(graph.stream, &graph.graph);
  if (status && isKept)
    raise(status);
  tw_stream_destroy(std::exchange(graph.stream, nullptr));
  graph.state = status || !isKept ? GraphObject::Failed : GraphObject::Recorded;
  if (graph.state == GraphObject::Failed) {
    tw_graph_destroy(std::exchange(graph.graph, nullptr));
    PyList_SetSlice(graph.held, 0, PY_SSIZE_T_MAX, nullptr);
  }
  Py_DECREF(object);
  return status && isKept ? nullptr : Py_NewRef(Py_False);
}

//===----------------------------------------------------------------------===//
// Replaying
//===----------------------------------------------------------------------===//

static const char *whyNot(const GraphObject &graph) {
  if (graph.state == GraphObject::Failed)
    return "the recording of the graph failed, and there is nothing to replay; record "
           "another one";
  if (graph.state == GraphObject::Recording)
    return "the graph is being recorded; replay it after its `with` block";
  if (recorded)
    return "a replay cannot be recorded; replay the graph after the `with` block of the "
           "one that this thread records";
  if (graph.state == GraphObject::New)
    return "the graph is empty: launch kernels in `with graph:` before it is replayed";
  return graph.launches
             ? nullptr
             : "the graph is empty: no kernel was launched in its `with` block";
}

static PyObject *replay(PyObject *object, PyObject *) {
  GraphObject &graph = self(object);
  if (const char *message = whyNot(graph))
    return fail(message);
  void *native = nullptr;
  if (graph.api && graph.api->currentStream(graph.info.device_type, graph.info.device_id,
                                            &native) != 0)
    return nullptr;
  tw_stream *stream = nullptr;
  tw_status status = native ? tw_stream_wrap(graph.device, native, &stream) : TW_OK;
  if (!status) {
    Py_BEGIN_ALLOW_THREADS;
    status = tw_graph_launch(graph.graph, stream);
    Py_END_ALLOW_THREADS;
  }
  if (status)
    raise(status);
  tw_stream_destroy(stream);
  if (status || PyErr_CheckSignals() != 0)
    return nullptr;
  Py_RETURN_NONE;
}

//===----------------------------------------------------------------------===//
// The type
//===----------------------------------------------------------------------===//

static int traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self(object).held);
  return 0;
}

/// The graph ends before what it uses.
static int clear(PyObject *object) {
  GraphObject &graph = self(object);
  tw_graph_destroy(std::exchange(graph.graph, nullptr));
  graph.state = GraphObject::Failed;
  Py_CLEAR(graph.held);
  return 0;
}

static void deallocate(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  PyObject_GC_UnTrack(object);
  clear(object);
  tw_device_close(self(object).device);
  type->tp_free(object);
  Py_DECREF(type);
}

static PyObject *represent(PyObject *object) {
  const GraphObject &graph = self(object);
  return PyUnicode_FromFormat("<tilewright graph of %zd launches on %s>", graph.launches,
                              graph.info.name);
}

static PyObject *getDevice(PyObject *object, void *) {
  return PyUnicode_FromString(self(object).info.name);
}

static PyObject *getLaunches(PyObject *object, void *) {
  return PyLong_FromSsize_t(self(object).launches);
}

static PyGetSetDef properties[] = {
    {"device", getDevice, nullptr, "The device's name with its target.", nullptr},
    {"launches", getLaunches, nullptr, "How many launches are recorded.", nullptr},
    {},
};

static PyMethodDef methods[] = {
    {"__enter__", enter, METH_NOARGS, "Begins to record this thread's launches."},
    {"__exit__", reinterpret_cast<PyCFunction>(leave), METH_FASTCALL,
     "Ends the recording; after an exception nothing is kept of it."},
    {"replay", replay, METH_NOARGS,
     "replay()\n--\n\n"
     "Runs the recorded launches in their order, with the memory and numbers that they\n"
     "had. On a GPU they are given to PyTorch's current stream, where tensors are\n"
     "PyTorch's, else to the default stream, and not waited for; on the CPU they are\n"
     "done when the call returns.\n\n"
     "Raises RuntimeError where nothing is recorded, or where the driver refuses, and "
     "on\n"
     "the CPU what a launch raises."},
    {},
};

static constexpr char graphDoc[] =
    "Graph(device)\n--\n\n"
    "Launches of kernels on one device, to be replayed with little cost.\n\n"
    "    with tilewright.Graph('cuda') as graph:\n"
    "        kernel(a, b)\n"
    "        other(b, c)\n"
    "    graph.replay()\n\n"
    "The thread's launches in the block are recorded and not run. A graph keeps their\n"
    "kernels and tensors; new inputs are written into the same tensors. On a GPU it is\n"
    "the driver's graph, and tensors must be in the device's memory; kernels that print\n"
    "or assert cannot be recorded there.";

PyObject *python::makeGraphType() {
  static PyType_Slot slots[] = {
      {Py_tp_new, reinterpret_cast<void *>(create)},
      {Py_tp_dealloc, reinterpret_cast<void *>(deallocate)},
      {Py_tp_traverse, reinterpret_cast<void *>(traverse)},
      {Py_tp_clear, reinterpret_cast<void *>(clear)},
      {Py_tp_repr, reinterpret_cast<void *>(represent)},
      {Py_tp_getset, properties},
      {Py_tp_methods, methods},
      {Py_tp_doc, const_cast<char *>(graphDoc)},
      {0, nullptr},
  };
  static PyType_Spec spec = {"tilewright._runtime.Graph", sizeof(GraphObject), 0,
                             Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, slots};
  return PyType_FromSpec(&spec);
}
