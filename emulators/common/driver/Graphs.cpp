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
// Memory that a node allocates is there from the node's making on, so that its address is
// known; until a run comes to the node, and after its end, a program has no right to it,
// which is not checked.
//
//===----------------------------------------------------------------------===//

#include "emulators/common/driver/Driver.h"

#include <algorithm>

using namespace tilewright::emulator::driver;
namespace driver = tilewright::emulator::driver;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

GraphMemory::GraphMemory(Driver &driver, DevicePointer address)
    : driver(driver), address(address) {
  driver.graphMemory[address] = this;
}

/// What a run has left allocated stays so when its graph is no more.
GraphMemory::~GraphMemory() {
  driver.graphMemory.erase(address);
  if (!isLive)
    tw_emulator_memory_free(driver.device, address);
}

Result driver::captureAllocation(Driver &driver, const char *call, Stream &stream,
                                 DevicePointer *address, size_t bytes) {
  uint64_t made = 0;
  if (tw_emulator_status status =
          tw_emulator_memory_allocate(driver.device, bytes, nullptr, &made))
    return toResult(status, call);
  *address = made;
  auto memory = std::make_shared<GraphMemory>(driver, made);
  stream.capture->graph->memory.push_back(memory);
  addCaptured(stream, GraphNode::Allocate).work = [memory] {
    memory->isLive = true;
    return Success;
  };
  return Success;
}

Result driver::captureRelease(Driver &driver, Stream &stream, DevicePointer address) {
  auto found = driver.graphMemory.find(address);
  if (found == driver.graphMemory.end() ||
      !stream.capture->graph->released.insert(address).second)
    return InvalidValue;
  addCaptured(stream, GraphNode::Release).work = [&driver, address] {
    auto memory = driver.graphMemory.find(address);
    bool isLive = memory != driver.graphMemory.end() && memory->second->isLive;
    if (isLive)
      memory->second->isLive = false;
    return isLive ? Success : InvalidValue;
  };
  return Success;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

/// The bit of both vendors' flags that lets a launch free what the last one has left.
static constexpr unsigned long long autoFreeOnLaunch = 1;

Result driver::instantiateGraph(const char *call, GraphExec **executable, Graph *graph,
                                unsigned long long flags) {
  return enterContext([&](Driver &driver) {
    if (!executable)
      return InvalidValue;
    if (!driver.graphs.has(graph))
      return InvalidHandle;
    auto made = std::make_unique<GraphExec>();
    made->memory = graph->memory;
    made->releasesAtLaunch = flags & autoFreeOnLaunch;
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
    if (Result result = checkUse(driver, stream))
      return result;
    if (stream && stream->capture)
      return refuse(NotSupported,
                    std::string(call) + ": a graph in a capture is not modelled");
    for (const auto &memory : executable->memory) {
      if (memory->isLive && !executable->releasesAtLaunch)
        return refuse(InvalidValue, std::string(call) + ": memory of the graph's last "
                                                        "launch is allocated yet");
      memory->isLive = false;
    }
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
