//===- Graphs.cpp - Executing graphs of work ----------------------------------===//
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

#include "emulators/common/driver/Driver.h"

#include <algorithm>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

Result driver::instantiateGraph(const char *call, GraphExec **executable, Graph *graph) {
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
                      std::string(call) + ": the graph's nodes wait for each other");
    }
    *executable = driver.executables.add(std::move(made));
    return Success;
  });
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

Result driver::launchGraph(const char *call, GraphExec *executable, Stream *handle) {
  return withStream(handle, [&](Driver &driver, Stream *stream) {
    if (!driver.executables.has(executable))
      return InvalidHandle;
    if (stream && stream->capture)
      return refuse(NotSupported,
                    std::string(call) + ": a graph in a capture is not modelled");
    return runSteps(driver, *executable);
  });
}

Result driver::destroyGraph(Graph *graph) {
  return enter([&](Driver &driver) {
    return driver.graphs.remove(graph) ? Success : InvalidHandle;
  });
}

Result driver::destroyExecutable(GraphExec *executable) {
  return enter([&](Driver &driver) {
    return driver.executables.remove(executable) ? Success : InvalidHandle;
  });
}
