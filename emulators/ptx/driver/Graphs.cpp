//===- Graphs.cpp - Graphs of work --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An executable graph is a list of steps, each after those it depends on. A launch does
// one after the other.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>

using namespace tilewright::cuda;

TW_CUDA Result cuGraphCreate(Graph **graph, unsigned flags) {
  return enter([&](Driver &driver) {
    if (!graph || flags)
      return InvalidValue;
    *graph = driver.graphs.add(std::make_unique<Graph>());
    return Success;
  });
}

TW_CUDA Result cuGraphDestroy(Graph *graph) {
  return enter([&](Driver &driver) {
    return driver.graphs.remove(graph) ? Success : InvalidHandle;
  });
}

static bool hasNode(const Graph &graph, const GraphNode *node) {
  return std::any_of(graph.nodes.begin(), graph.nodes.end(),
                     [&](const auto &one) { return one.get() == node; });
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

/// Adds `made` to `graph` after `dependencies`.
static Result addNode(Driver &driver, GraphNode **node, Graph *graph,
                      GraphNode *const *dependencies, size_t count,
                      std::unique_ptr<GraphNode> made) {
  if (!node || (count && !dependencies))
    return InvalidValue;
  if (!driver.graphs.has(graph))
    return InvalidHandle;
  for (size_t i = 0; i < count; ++i) {
    if (!hasNode(*graph, dependencies[i]))
      return InvalidValue;
    made->dependencies.push_back(dependencies[i]);
  }
  made->graph = graph;
  graph->nodes.push_back(std::move(made));
  *node = graph->nodes.back().get();
  return Success;
}

static Result makeLaunch(Driver &driver, const KernelNodeParams &params, Launch &launch) {
  launch.function = params.function;
  if (!driver.functions.count(launch.function))
    return InvalidHandle;
  launch.launch.size = sizeof(launch.launch);
  std::copy_n(params.grid, 3, launch.launch.grid);
  std::copy_n(params.block, 3, launch.launch.block);
  launch.launch.shared_bytes = params.sharedBytes;
  return packParameters(launch, params.params, params.extra);
}

TW_CUDA Result cuGraphAddKernelNode(GraphNode **node, Graph *graph,
                                    GraphNode *const *dependencies, size_t count,
                                    const KernelNodeParams *params) {
  return enterContext([&](Driver &driver) {
    if (!params)
      return InvalidValue;
    auto made = std::make_unique<GraphNode>();
    made->kind = GraphNode::Kernel;
    if (Result result = makeLaunch(driver, *params, made->launch))
      return result;
    return addNode(driver, node, graph, dependencies, count, std::move(made));
  });
}

/// The second version's structure says in which context to run, and there it may name the
/// function in another field.
static Result readSecondVersion(const KernelNodeParams *params, KernelNodeParams &read) {
  if (!params)
    return InvalidValue;
  read = *params;
  if (!read.function)
    read.function = read.kernel;
  return read.context && !isContext(read.context) ? InvalidContext : Success;
}

TW_CUDA Result cuGraphAddKernelNode_v2(GraphNode **node, Graph *graph,
                                       GraphNode *const *dependencies, size_t count,
                                       const KernelNodeParams *params) {
  KernelNodeParams read;
  if (Result result = readSecondVersion(params, read))
    return result;
  return cuGraphAddKernelNode(node, graph, dependencies, count, &read);
}

TW_CUDA Result cuGraphAddEmptyNode(GraphNode **node, Graph *graph,
                                   GraphNode *const *dependencies, size_t count) {
  return enterContext([&](Driver &driver) {
    return addNode(driver, node, graph, dependencies, count,
                   std::make_unique<GraphNode>());
  });
}

TW_CUDA Result cuGraphAddMemsetNode(GraphNode **node, Graph *graph,
                                    GraphNode *const *dependencies, size_t count,
                                    const MemsetNodeParams *params, Context *) {
  return enterContext([&](Driver &driver) {
    if (!params)
      return InvalidValue;
    auto made = std::make_unique<GraphNode>();
    made->kind = GraphNode::Memset;
    made->work = [&driver, fill = *params] {
      for (size_t row = 0; row < fill.height; ++row)
        if (tw_emulator_status status =
                tw_emulator_memory_fill(driver.device, fill.address + row * fill.pitch,
                                        fill.value, fill.elementBytes, fill.width))
          return toResult(status, "cuGraphLaunch");
      return Success;
    };
    return addNode(driver, node, graph, dependencies, count, std::move(made));
  });
}

TW_CUDA Result cuGraphAddDependencies(Graph *graph, GraphNode *const *from,
                                      GraphNode *const *to, size_t count) {
  return enter([&](Driver &driver) {
    if (!driver.graphs.has(graph))
      return InvalidHandle;
    for (size_t i = 0; i < count; ++i) {
      if (!hasNode(*graph, from[i]) || !hasNode(*graph, to[i]))
        return InvalidValue;
      to[i]->dependencies.push_back(from[i]);
    }
    return Success;
  });
}

TW_CUDA Result cuGraphGetNodes(Graph *graph, GraphNode **nodes, size_t *count) {
  return enter([&](Driver &driver) {
    if (!count || !driver.graphs.has(graph))
      return count ? InvalidHandle : InvalidValue;
    if (nodes) {
      size_t given = std::min(*count, graph->nodes.size());
      for (size_t i = 0; i < given; ++i)
        nodes[i] = graph->nodes[i].get();
      for (size_t i = given; i < *count; ++i)
        nodes[i] = nullptr;
    }
    *count = graph->nodes.size();
    return Success;
  });
}

TW_CUDA Result cuGraphNodeGetType(GraphNode *node, int *type) {
  return enter([&](Driver &) {
    if (!node || !type)
      return InvalidValue;
    static constexpr int types[] = {0, 1, 2, 3, 5}; // by GraphNode::Kind
    *type = types[node->kind];
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

TW_CUDA Result cuGraphInstantiateWithFlags(GraphExec **executable, Graph *graph,
                                           unsigned long long) {
  return enterContext([&](Driver &driver) {
    if (!executable)
      return InvalidValue;
    if (!driver.graphs.has(graph))
      return InvalidHandle;
    auto made = std::make_unique<GraphExec>();
    std::vector<const GraphNode *> done;
    auto isDone = [&](const GraphNode *node) {
      return std::find(done.begin(), done.end(), node) != done.end();
    };
    while (done.size() < graph->nodes.size()) {
      size_t before = done.size();
      for (const auto &node : graph->nodes)
        if (!isDone(node.get()) &&
            std::all_of(node->dependencies.begin(), node->dependencies.end(), isDone)) {
          done.push_back(node.get());
          made->steps.push_back({node.get(), *node});
        }
      if (done.size() == before)
        return refuse(InvalidValue,
                      "cuGraphInstantiate: the graph's nodes wait for each other");
    }
    *executable = driver.executables.add(std::move(made));
    return Success;
  });
}
TW_CUDA_ALIAS(cuGraphInstantiate, cuGraphInstantiateWithFlags);

/// Of CUDA 11, with a log that nothing is written to.
TW_CUDA Result cuGraphInstantiate_v2(GraphExec **executable, Graph *graph, GraphNode **,
                                     char *log, size_t bytes) {
  if (log && bytes)
    *log = 0;
  return cuGraphInstantiateWithFlags(executable, graph, 0);
}

TW_CUDA Result cuGraphExecKernelNodeSetParams(GraphExec *executable, GraphNode *node,
                                              const KernelNodeParams *params) {
  return enterContext([&](Driver &driver) {
    if (!params || !driver.executables.has(executable))
      return params ? InvalidHandle : InvalidValue;
    for (GraphStep &step : executable->steps)
      if (step.node == node && step.copy.kind == GraphNode::Kernel)
        return makeLaunch(driver, *params, step.copy.launch);
    return InvalidValue;
  });
}

TW_CUDA Result cuGraphExecKernelNodeSetParams_v2(GraphExec *executable, GraphNode *node,
                                                 const KernelNodeParams *params) {
  KernelNodeParams read;
  if (Result result = readSecondVersion(params, read))
    return result;
  return cuGraphExecKernelNodeSetParams(executable, node, &read);
}

/// All the steps of a graph, as one piece of a stream's work.
static Result runSteps(Driver &driver, GraphExec &executable) {
  for (GraphStep &step : executable.steps) {
    Result result = step.copy.kind == GraphNode::Kernel ? run(driver, step.copy.launch)
                    : step.copy.work                    ? step.copy.work()
                                                        : Success;
    if (result != Success)
      return result;
    if (Context *context = currentContext(); context && context->error != Success)
      return Success; // as an asynchronous launch: who waits is told
  }
  return Success;
}

TW_CUDA Result cuGraphLaunch(GraphExec *executable, Stream *handle) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    if (!driver.executables.has(executable) || !findStream(driver, handle, stream))
      return InvalidHandle;
    if (stream && stream->capture)
      return refuse(NotSupported, "cuGraphLaunch: a graph in a capture is not modelled");
    return runSteps(driver, *executable);
  });
}
TW_CUDA_ALIAS(cuGraphLaunch_ptsz, cuGraphLaunch);

TW_CUDA Result cuGraphUpload(GraphExec *executable, Stream *) {
  return enterContext([&](Driver &driver) {
    return driver.executables.has(executable) ? Success : InvalidHandle;
  });
}
TW_CUDA_ALIAS(cuGraphUpload_ptsz, cuGraphUpload);

TW_CUDA Result cuGraphExecDestroy(GraphExec *executable) {
  return enter([&](Driver &driver) {
    return driver.executables.remove(executable) ? Success : InvalidHandle;
  });
}
