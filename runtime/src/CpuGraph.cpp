//===- CpuGraph.cpp - Launches on the CPU that are recorded and run again ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No driver does it here, and there is little to gain by it: programs that use graphs are
// to run unchanged.
//
//===----------------------------------------------------------------------===//

#include "CpuGraph.h"

#include "Error.h"

#include <new>

using namespace tilewright;

static tw_status failMemory() {
  return fail(TW_ERROR_MEMORY, "cpu: no memory for a graph");
}

tw_status tilewright::recordStep(CpuGraph &graph, CpuStep step, const uint64_t *words) {
  if (step.kernel) {
    size_t bytes = static_cast<size_t>(step.kernel->signature.launchWords()) * 8;
    step.words = static_cast<uint64_t *>(malloc(bytes ? bytes : 1));
    if (!step.words)
      return failMemory();
    memcpy(step.words, words, bytes);
  }
  if (graph.steps.push(step))
    return TW_OK;
  free(step.words);
  return failMemory();
}

tw_status tilewright::beginCpuGraph(tw_stream *stream) {
  auto *memory = static_cast<CpuGraph *>(malloc(sizeof(CpuGraph)));
  if (!memory)
    return failMemory();
  StreamOrder order(stream);
  if (order.recording()) {
    free(memory);
    return fail(TW_ERROR_INVALID, "cpu: the stream's work goes into a graph already");
  }
  auto *graph = new (memory) CpuGraph();
  graph->device = stream->device;
  static_cast<CpuStream *>(stream)->recording = graph;
  return TW_OK;
}

tw_status tilewright::endCpuGraph(tw_stream *stream, tw_graph **graph) {
  StreamOrder order(stream);
  *graph = order.recording();
  static_cast<CpuStream *>(stream)->recording = nullptr;
  if (!*graph)
    return fail(TW_ERROR_INVALID, "cpu: no graph was begun on the stream");
  return TW_OK;
}

tw_status tilewright::launchCpuGraph(tw_graph *graph, tw_stream *stream) {
  StreamOrder order(stream);
  if (order.recording())
    return fail(TW_ERROR_INVALID, "cpu: the stream's work goes into a graph, and a graph "
                                  "cannot be a part of another");
  const Array<CpuStep> &steps = static_cast<CpuGraph *>(graph)->steps;
  for (size_t i = 0; i < steps.size(); ++i) {
    const CpuStep &step = steps[i];
    if (step.kernel) {
      if (tw_status status = runOnCpu(step.kernel, step.words, step.given))
        return status;
    } else if (step.from) {
      memmove(step.to, step.from, step.bytes);
    } else {
      memset(step.to, step.value, step.bytes);
    }
  }
  return TW_OK;
}

void tilewright::destroyCpuGraph(tw_graph *graph) {
  auto *destroyed = static_cast<CpuGraph *>(graph);
  for (size_t i = 0; i < destroyed->steps.size(); ++i)
    free(destroyed->steps[i].words);
  destroyed->~CpuGraph();
  free(destroyed);
}
