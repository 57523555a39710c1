//===- Graphs.cpp - Building graphs of work -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <algorithm>

using namespace tilewright::cuda;

TW_CALL Result cuGraphCreate(Graph **graph, unsigned flags) {
  return enter([&](Driver &driver) {
    if (!graph || flags)
      return InvalidValue;
    *graph = driver.graphs.add(std::make_unique<Graph>());
    return Success;
  });
}

TW_CALL Result cuGraphDestroy(Graph *graph) { return destroyGraph(graph); }

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
  if (Result result = prepare(driver, params.function, params.grid, params.block,
                              params.sharedBytes, launch))
    return result;
  return packParameters(launch, params.params, params.extra);
}

TW_CALL Result cuGraphAddKernelNode(GraphNode **node, Graph *graph,
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

TW_CALL Result cuGraphAddKernelNode_v2(GraphNode **node, Graph *graph,
                                       GraphNode *const *dependencies, size_t count,
                                       const KernelNodeParams *params) {
  KernelNodeParams read;
  if (Result result = readSecondVersion(params, read))
    return result;
  return cuGraphAddKernelNode(node, graph, dependencies, count, &read);
}

TW_CALL Result cuGraphAddEmptyNode(GraphNode **node, Graph *graph,
                                   GraphNode *const *dependencies, size_t count) {
  return enterContext([&](Driver &driver) {
    return addNode(driver, node, graph, dependencies, count,
                   std::make_unique<GraphNode>());
  });
}

TW_CALL Result cuGraphAddMemsetNode(GraphNode **node, Graph *graph,
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

TW_CALL Result cuGraphAddDependencies(Graph *graph, GraphNode *const *from,
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

TW_CALL Result cuGraphGetNodes(Graph *graph, GraphNode **nodes, size_t *count) {
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

TW_CALL Result cuGraphNodeGetType(GraphNode *node, int *type) {
  return enter([&](Driver &) {
    if (!node || !type)
      return InvalidValue;
    static constexpr int types[] = {0, 1, 2, 3, 5, 10, 11}; // by GraphNode::Kind
    *type = types[node->kind];
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

TW_CALL Result cuGraphInstantiateWithFlags(GraphExec **executable, Graph *graph,
                                           unsigned long long flags) {
  return instantiateGraph("cuGraphInstantiate", executable, graph, flags);
}
TW_CALL_ALIAS(cuGraphInstantiate, cuGraphInstantiateWithFlags);

/// Of CUDA 11, with a log that nothing is written to.
TW_CALL Result cuGraphInstantiate_v2(GraphExec **executable, Graph *graph, GraphNode **,
                                     char *log, size_t bytes) {
  if (log && bytes)
    *log = 0;
  return instantiateGraph("cuGraphInstantiate", executable, graph, 0);
}

TW_CALL Result cuGraphExecKernelNodeSetParams(GraphExec *executable, GraphNode *node,
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

TW_CALL Result cuGraphExecKernelNodeSetParams_v2(GraphExec *executable, GraphNode *node,
                                                 const KernelNodeParams *params) {
  KernelNodeParams read;
  if (Result result = readSecondVersion(params, read))
    return result;
  return cuGraphExecKernelNodeSetParams(executable, node, &read);
}

TW_CALL Result cuGraphLaunch(GraphExec *executable, Stream *handle) {
  return launchGraph("cuGraphLaunch", executable, handle);
}
TW_CALL_ALIAS(cuGraphLaunch_ptsz, cuGraphLaunch);

TW_CALL Result cuGraphUpload(GraphExec *executable, Stream *) {
  return enterContext([&](Driver &driver) {
    return driver.executables.has(executable) ? Success : InvalidHandle;
  });
}
TW_CALL_ALIAS(cuGraphUpload_ptsz, cuGraphUpload);

TW_CALL Result cuGraphExecDestroy(GraphExec *executable) {
  return destroyExecutable(executable);
}
