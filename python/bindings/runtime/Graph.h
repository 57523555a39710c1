//===- Graph.h - Launches that are recorded and replayed ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_GRAPH_H
#define TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_GRAPH_H

#include "Call.h"
#include "DLPack.h"

namespace tilewright::python {

/// An instance of `Graph`.
struct GraphObject {
  enum State { New, Recording, Recorded, Failed };

  PyObject_HEAD tw_device *device;
  tw_stream *stream; // that launches are recorded by; null but while they are
  tw_graph *graph;   // null: not recorded
  State state;
  Py_ssize_t launches;
  PyObject *held; // a list: the kernels and tensors of the launches
  tw_device_info_v1 info;
  const dlpack::ExchangeApi
      *api; // of the library whose stream replays go to; may be null
};

/// The graph that the calling thread records; null where it records none.
GraphObject *recordedGraph();

/// Whether a kernel's launches can go into a graph; if not, with the error set.
bool checkDevice(const GraphObject &graph, const KernelObject &kernel);

/// The type `Graph`; a new reference, or nullptr with an error set.
PyObject *makeGraphType();

} // namespace tilewright::python

#endif // TILEWRIGHT_PYTHON_BINDINGS_RUNTIME_GRAPH_H
