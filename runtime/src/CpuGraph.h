//===- CpuGraph.h - Streams of the CPU, and what is recorded of them ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CPU_GRAPH_H
#define TILEWRIGHT_RUNTIME_SRC_CPU_GRAPH_H

#include "Buffer.h"
#include "Kernel.h"

#include <pthread.h>

namespace tilewright {

/// A launch, a copy or a fill.
struct CpuStep {
  const tw_kernel *kernel; // null: no launch
  uint64_t *words;         // of a launch; the graph's
  GivenMemory given;       // for its workspaces; its caller's
  void *to;
  const void *from; // null: a fill
  uint64_t bytes;
  uint8_t value;
};

struct CpuGraph : tw_graph {
  Array<CpuStep> steps;
};

/// Work runs on the launching thread, before the call returns; the lock keeps the
/// order when several threads use one stream.
struct CpuStream : tw_stream {
  pthread_mutex_t lock;
  CpuGraph *recording; // what work goes into instead; null: none
};

class StreamOrder {
  CpuStream *stream;

public:
  explicit StreamOrder(tw_stream *stream) : stream(static_cast<CpuStream *>(stream)) {
    if (stream)
      pthread_mutex_lock(&this->stream->lock);
  }
  StreamOrder(const StreamOrder &) = delete;
  ~StreamOrder() {
    if (stream)
      pthread_mutex_unlock(&stream->lock);
  }
  CpuGraph *recording() const { return stream ? stream->recording : nullptr; }
};

/// Adds a step; that of a launch gets a copy of its words.
tw_status recordStep(CpuGraph &graph, CpuStep step, const uint64_t *words);
/// Runs a kernel; of CpuDevice.cpp.
tw_status runOnCpu(const tw_kernel *kernel, const uint64_t *words, GivenMemory given);

tw_status beginCpuGraph(tw_stream *stream);
tw_status endCpuGraph(tw_stream *stream, tw_graph **graph);
tw_status launchCpuGraph(tw_graph *graph, tw_stream *stream);
void destroyCpuGraph(tw_graph *graph);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CPU_GRAPH_H
