//===- Objects.h - What programs have of a driver ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What stands behind the handles that a stand-in gives out.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_DRIVER_OBJECTS_H
#define TILEWRIGHT_EMULATORS_COMMON_DRIVER_OBJECTS_H

#include "emulators/common/driver/Types.h"
#include "emulators/include/tilewright/emulator.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace tilewright::emulator::driver {

struct Driver;

struct Context {
  bool isPrimary = false;
  unsigned flags = 0;
  std::atomic<unsigned> references{0}; ///< of the primary one
  Result error = Success;              ///< of a kernel
};

struct Module {
  tw_emulator_module *module = nullptr;
  std::map<std::string, std::unique_ptr<Function>> functions;
};

struct Function {
  Module *module = nullptr;
  const tw_emulator_kernel *kernel = nullptr;
  tw_emulator_kernel_info_v1 info = {};
  int maxDynamicShared = 0; ///< what the program has asked for
  int carveout = -1;
  bool allowsLargeClusters = false;
};

/// A kernel with its arguments, ready to run.
struct Launch {
  Function *function = nullptr;
  tw_emulator_launch_v1 launch = {};
  std::vector<uint8_t> params;
};

struct GraphNode {
  Graph *graph = nullptr;
  std::vector<GraphNode *> dependencies;
  enum Kind { Kernel, Memcpy, Memset, Host, Empty, Allocate, Release } kind = Empty;
  Launch launch;                ///< of a kernel
  std::function<Result()> work; ///< of others; may be null
};

/// Memory that a node of a graph allocates. Its address is the node's for good; what is
/// there lasts from the node's run to that of the node that frees it, or to a call that
/// does. Only then may the address be another's.
struct GraphMemory {
  Driver &driver;
  DevicePointer address;
  bool isLive = false;

  GraphMemory(Driver &driver, DevicePointer address);
  GraphMemory(const GraphMemory &) = delete;
  ~GraphMemory();
};

struct Graph {
  std::vector<std::unique_ptr<GraphNode>> nodes;
  std::vector<std::shared_ptr<GraphMemory>> memory; ///< that its nodes allocate
  std::set<DevicePointer> released;                 ///< and free
};

/// What one step of an instantiated graph does, and which node it was made of.
struct GraphStep {
  const GraphNode *node;
  GraphNode copy;
};

struct GraphExec {
  std::vector<GraphStep> steps;
  std::vector<std::shared_ptr<GraphMemory>> memory;
  bool releasesAtLaunch = false; ///< what its last launch has left allocated
};

/// What the work of some streams goes into instead of being done.
struct Capture {
  Graph *graph = nullptr;
  Stream *origin = nullptr; ///< on which it began and ends
  uint64_t id = 0;
  int mode = CaptureGlobal;
  std::thread::id thread; ///< that began it
  bool isInvalid = false; ///< after a call that it does not allow
  bool isOver = false;
};

struct Stream {
  unsigned flags = 0;
  int priority = 0;
  uint64_t id = 0;
  std::shared_ptr<Capture> capture; ///< that its work goes into
  std::vector<GraphNode *> last;    ///< the nodes that its next one comes after
};

struct Event {
  unsigned flags = 0;
  bool isRecorded = false;
  double milliseconds = 0;
  std::shared_ptr<Capture> capture; ///< of the stream that has recorded it last
  std::vector<GraphNode *> last;    ///< that stream's nodes then
};

/// Objects of one kind that programs have handles to.
template <typename T> class Handles {
public:
  T *add(std::unique_ptr<T> object) {
    T *handle = object.get();
    live.emplace(handle, std::move(object));
    return handle;
  }
  bool has(const T *handle) const { return live.count(const_cast<T *>(handle)) != 0; }
  bool remove(T *handle) { return live.erase(handle) != 0; }
  template <typename Work> void forEach(Work work) {
    for (auto &entry : live)
      work(*entry.first);
  }

private:
  std::unordered_map<T *, std::unique_ptr<T>> live;
};

} // namespace tilewright::emulator::driver

#endif // TILEWRIGHT_EMULATORS_COMMON_DRIVER_OBJECTS_H
