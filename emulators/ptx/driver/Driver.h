//===- Driver.h - A stand-in for the CUDA driver ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// libcuda.so.1 with the calls that launchers make, on the emulator's C API. There is one
// device. Work is done when it is asked for, whatever the stream, which is one of the
// orders that a driver may choose; only a capture defers it. A fault of a kernel is
// written to stderr at once and remembered by the context: calls that synchronise give
// it, as a driver's do, until the context is reset.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H
#define TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H

#include "emulators/include/tilewright/emulator.h"
#include "emulators/ptx/driver/Types.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

/// An exported function.
#define TW_CUDA extern "C" __attribute__((visibility("default")))
/// Another name of `function` of the same file.
#define TW_CUDA_ALIAS(name, function)                                                    \
  TW_CUDA __typeof__(function) name __attribute__((alias(#function)))

namespace tilewright::cuda {

/// What an image is for: versions that programs see. Newer than those for which launchers
/// patch tensor maps by hand (CUDA 13.1 and older), since the emulator's are others.
constexpr int driverVersion = 13020;

struct Context {
  bool isPrimary = false;
  unsigned flags = 0;
  unsigned references = 0; ///< of the primary one
  Result error = Success;  ///< of a kernel
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
  enum Kind { Kernel, Memcpy, Memset, Host, Empty } kind = Empty;
  Launch launch;                ///< of a kernel
  std::function<Result()> work; ///< of others; may be null
};

struct Graph {
  std::vector<std::unique_ptr<GraphNode>> nodes;
};

/// What one step of an instantiated graph does, and which node it was made of.
struct GraphStep {
  const GraphNode *node;
  GraphNode copy;
};

struct GraphExec {
  std::vector<GraphStep> steps;
};

struct Stream {
  unsigned flags = 0;
  int priority = 0;
  uint64_t id = 0;
  Graph *capture = nullptr; ///< what the stream's work goes into instead
  bool isOrigin = false;    ///< the one that the capture began on
  uint64_t captureId = 0;
};

struct Event {
  unsigned flags = 0;
  bool isRecorded = false;
  double milliseconds = 0;
  Graph *capture = nullptr; ///< where a capturing stream has recorded it
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

/// The process's driver.
struct Driver {
  std::recursive_mutex lock;            ///< held by every call
  tw_emulator_device *device = nullptr; ///< null before cuInit
  std::string arch;
  int major = 0, minor = 0;
  uint64_t memoryBytes = 0;
  Context primary;
  Handles<Context> contexts; ///< but the primary one
  Handles<Module> modules;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Graph> graphs;
  Handles<GraphExec> executables;
  std::map<void *, size_t> hostMemory; ///< that the program allocated here
  std::unordered_map<const Function *, Module *> functions;
  uint64_t captures = 0;
};

Driver &getDriver();
/// The calling thread's current context; null if there is none.
Context *currentContext();
bool isContext(const Context *context);

/// Writes `message` to stderr, as the emulator's, and gives `result` back.
Result refuse(Result result, const std::string &message);
/// What a status of the emulator is as a driver's result; its message goes to stderr.
Result toResult(tw_emulator_status status, const char *call);
/// Writes what programs have printed to stdout.
void flushOutput();

/// Runs `work`, which gives a Result, under the driver's lock, once cuInit was called.
template <typename Work> Result enter(Work work) {
  try {
    Driver &driver = getDriver();
    std::lock_guard<std::recursive_mutex> locked(driver.lock);
    return driver.device ? work(driver) : NotInitialized;
  } catch (const std::bad_alloc &) {
    return OutOfMemory;
  } catch (const std::exception &) {
    return Unknown;
  }
}

/// The same where the thread has a current context. After a fault it gives the fault.
template <typename Work> Result enterContext(Work work) {
  return enter([&](Driver &driver) {
    Context *context = currentContext();
    if (!context)
      return InvalidContext;
    return context->error == Success ? work(driver) : context->error;
  });
}

/// The stream that a handle means; null for those of the default stream.
bool findStream(Driver &driver, Stream *handle, Stream *&stream);
/// Does `work` now, or notes it as a node where the stream captures.
Result submit(Driver &driver, Stream *stream, GraphNode::Kind kind,
              std::function<Result()> work);
/// The same for a kernel.
Result submit(Driver &driver, Stream *stream, Launch launch);
/// Runs a kernel; a fault is kept in the current context, and the call succeeds, as an
/// asynchronous one does.
Result run(Driver &driver, Launch &launch);
/// Fills a launch's parameters from an array of pointers or the buffer that `extra`
/// names.
Result packParameters(Launch &launch, void **params, void **extra);
/// Whether the device holds `address`, and where its allocation is.
bool isDevice(Driver &driver, DevicePointer address, uint64_t *base = nullptr,
              uint64_t *bytes = nullptr);
/// Copies between any two of host and device; each address says which it is.
Result copy(Driver &driver, DevicePointer to, DevicePointer from, size_t bytes);
double nowMilliseconds();

} // namespace tilewright::cuda

#endif // TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H
