//===- Driver.h - What stand-ins for GPU drivers share ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stand-in has the entry points of a vendor's driver, each of which calls one of these
// functions, on the emulator's C API. There is one device. Work is done when it is asked
// for, whatever the stream, which is one of the orders that a driver may choose; only a
// capture defers it. A fault of a kernel is written to stderr at once and remembered by
// the context: calls that synchronise give it, as a driver's do, until the context is
// reset.
//
// A program that knows of the stand-in can have further devices, of any GPUs, beside each
// other (embedDevice). Their messages are its to ask for, and a launch gives its own
// fault: one that goes wrong spoils nothing for the next.
//
// Functions that begin with `call` take the name that messages have of the entry point.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_DRIVER_DRIVER_H
#define TILEWRIGHT_EMULATORS_COMMON_DRIVER_DRIVER_H

#include "emulators/common/driver/Objects.h"

#include <mutex>

/// An exported function.
#define TW_CALL extern "C" __attribute__((visibility("default")))
/// Another name of `function` of the same file.
#define TW_CALL_ALIAS(name, function)                                                    \
  TW_CALL __typeof__(function) name __attribute__((alias(#function)))

namespace tilewright::emulator::driver {

/// One device, and all that programs have there.
struct Driver {
  std::recursive_mutex lock; ///< held by every call
  int ordinal = 0;
  bool isEmbedded = false;
  tw_emulator_device *device = nullptr; ///< null before its start
  std::atomic<bool> isStarted{false};   ///< for who has not the lock
  std::string arch;
  int multiprocessors = 0;
  uint64_t memoryBytes = 0;
  Context primary;
  Handles<Module> modules;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Graph> graphs;
  Handles<GraphExec> executables;
  std::map<void *, size_t> hostMemory; ///< that the program allocated here
  std::unordered_map<const Function *, Module *> functions;
  std::vector<std::shared_ptr<Capture>> captures; ///< those that are going on
  uint64_t lastCapture = 0;
  std::map<DevicePointer, GraphMemory *> graphMemory; ///< by its addresses
  uint64_t lastStream = 2;      ///< after those of the default streams
  std::map<int, size_t> limits; ///< that programs have set
};

/// What is different between the vendors' drivers. Each stand-in defines its `vendor`.
struct Vendor {
  const char *arch;                ///< of the device, where the environment names none
  const char *launchCall;          ///< the name that faults of kernels are reported under
  Result badProgram;               ///< of a module that is none or is not modelled
  uintptr_t extraEnd;              ///< the word that ends a launch's `extra`
  unsigned arrayType, unifiedType; ///< of memory
  /// Whether the first call starts the driver, and threads that have set no context have
  /// the primary one.
  bool isImplicit;
  /// The multiprocessors of a device.
  int (*multiprocessorsOf)(const std::string &arch);
};
extern const Vendor vendor;

/// The device of the calling thread's current context, the first one where it has none.
Driver &getDriver();
/// By its ordinal; null where there is none.
Driver *findDriver(int ordinal);
int deviceCount();
double nowMilliseconds();
/// An exported function of this library; null where there is none.
void *findOwnSymbol(const char *name);

//===----------------------------------------------------------------------===//
// Starting, and entering calls
//===----------------------------------------------------------------------===//

/// Makes the emulator's device: of `arch` if that is set, else what the environment says.
Result start(Driver &driver);
/// Makes one more device, of `arch`, or finds the one that was made before.
Result embedDevice(int *ordinal, const char *arch);
/// The message of the calling thread's last failure on an embedded device and the records
/// of its faults, a JSON array; "" where there is none, or it was taken. They are valid
/// until the thread's next failure.
void takeReport(const char **text, const char **records);
/// Instructions of warps or waves that an embedded device has executed.
Result countInstructions(int ordinal, uint64_t *count);
/// Writes `message` to stderr, as the emulator's, and gives `result` back. Of an embedded
/// device it is kept for takeReport.
Result refuse(Result result, const std::string &message);
/// What a status of the emulator is as a driver's result; its message goes to stderr.
Result toResult(tw_emulator_status status, const char *call);

/// The calling thread's current context; null if there is none.
Context *currentContext();
bool isContext(const Context *context);
/// Keep other threads from the list of contexts, which is asked outside of calls too.
void lockContexts();
void unlockContexts();

/// While it lives, `driver` is the one that messages of this thread are about.
struct Entered {
  explicit Entered(Driver &driver);
  ~Entered();
  Driver *before;
};

/// Runs `work`, which gives a Result, under the lock of `driver`, once that has started.
template <typename Work> Result enterDriver(Driver &driver, Work work) {
  try {
    std::lock_guard<std::recursive_mutex> locked(driver.lock);
    Entered entered(driver);
    if (!driver.device) {
      if (!vendor.isImplicit)
        return NotInitialized;
      if (Result result = start(driver))
        return result;
    }
    return work(driver);
  } catch (const std::bad_alloc &) {
    return OutOfMemory;
  } catch (const std::exception &) {
    return Unknown;
  }
}

/// The same of the calling thread's device.
template <typename Work> Result enter(Work work) {
  return enterDriver(getDriver(), work);
}

/// The same of the device `device`, if there is one.
template <typename Work> Result enterDevice(int device, Work work) {
  Driver *found = findDriver(device);
  return enterDriver(found ? *found : *findDriver(0), [&](Driver &driver) {
    return found ? work(driver) : InvalidDevice;
  });
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

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

Result retainPrimary(Context **context, int device);
Result releasePrimary(int device);
Result resetPrimary(int device);
Result setPrimaryFlags(int device, unsigned flags);
Result getPrimaryState(int device, unsigned *flags, int *active);
Result createContext(Context **context, unsigned flags, int device);
Result destroyContext(Context *context);
Result getCurrentContext(Context **context);
Result setCurrentContext(Context *context);
Result pushContext(Context *context);
Result popContext(Context **context);
Result getContextDevice(int *device);
/// Makes the primary context of `device` current, where the current one is another's.
Result selectDevice(int device);
Result getContextFlags(unsigned *flags);
/// All work is done; gives the fault of a kernel.
Result synchronize();

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Whether the device holds `address`, and where its allocation is.
bool isDevice(Driver &driver, DevicePointer address, uint64_t *base = nullptr,
              uint64_t *bytes = nullptr);
inline DevicePointer toAddress(const void *pointer) {
  return reinterpret_cast<DevicePointer>(pointer);
}

Result allocate(const char *call, DevicePointer *address, size_t bytes);
/// In the order of a stream, which may capture.
Result allocateOnStream(const char *call, DevicePointer *address, size_t bytes,
                        Stream *stream);
Result releaseOnStream(const char *call, DevicePointer address, Stream *stream);
Result allocatePitch(const char *call, DevicePointer *address, size_t *pitch,
                     size_t width, size_t height);
Result release(const char *call, DevicePointer address);
Result getMemoryInfo(size_t *free, size_t *total);
Result getAddressRange(DevicePointer *base, size_t *bytes, DevicePointer address);
Result allocateHost(void **memory, size_t bytes);
Result releaseHost(void *memory);

/// A device has one pool of memory, its default one.
struct Pool;
Result getPool(Pool **pool, int device);
Result checkPool(Pool *pool);
Result allocateFromPool(const char *call, DevicePointer *address, size_t bytes,
                        Pool *pool, Stream *stream);
Result setPoolAttribute(Pool *pool, int attribute, const void *value);
Result getPoolAttribute(Pool *pool, int attribute, void *value);

/// Where an address of a copy is to be; Any is what the address itself says.
enum class Place { Any, Host, Device };
Result copyOnStream(const char *call, Stream *stream, DevicePointer to, Place toPlace,
                    DevicePointer from, Place fromPlace, size_t bytes);
/// Writes `count` times the low `width` bytes of `value`.
Result fill(const char *call, DevicePointer address, uint32_t value, uint32_t width,
            size_t count, Stream *stream);
/// The same in `height` rows that are `pitch` bytes apart.
Result fillRows(const char *call, DevicePointer address, size_t pitch, uint32_t value,
                uint32_t width, size_t count, size_t height, Stream *stream);

/// One side of a copy: where its first byte is, and how far rows and slices are apart.
struct Side {
  DevicePointer start = 0;
  size_t row = 0, slice = 0;
};
/// A side of a copy from what a driver's structure says of it.
Result describeSide(unsigned type, const void *host, DevicePointer device, size_t xBytes,
                    size_t y, size_t z, size_t pitch, size_t height, size_t width,
                    Side &side);
Result copyBox(const char *call, Stream *stream, const Side &to, const Side &from,
               size_t width, size_t height, size_t depth);
Result copyRows(const char *call, const Memcpy2D *given, Stream *stream);

/// What an address is.
struct PointerInfo {
  bool isDevice = false, isHost = false; ///< host memory that was allocated here
  uint64_t base = 0, bytes = 0;
};
PointerInfo describePointer(Driver &driver, DevicePointer address);
Result getPointerAttribute(void *data, int attribute, DevicePointer address);
Result getPointerAttributes(unsigned count, int *attributes, void **data,
                            DevicePointer address);

//===----------------------------------------------------------------------===//
// Modules and launches
//===----------------------------------------------------------------------===//

Result loadModule(const char *call, Module **module, const char *bytes, size_t length);
Result unloadModule(Module *module);
/// All of a file, or why not.
Result readFile(const char *path, std::string &bytes);
/// Puts `text` into the buffer for errors among the options of a load, if there is one.
void writeLog(const std::string &text, unsigned count, const int *options, void **values);
Result getFunction(const char *call, Function **function, Module *module,
                   const char *name);
Result getGlobal(DevicePointer *address, size_t *bytes, Module *module, const char *name);
/// How many threads a block of a function may have.
int maxThreads(const Function &function);

/// Fills a launch but for its parameters; an error where the function is none or an
/// extent is zero.
Result prepare(Driver &driver, Function *function, const unsigned (&grid)[3],
               const unsigned (&block)[3], unsigned sharedBytes, Launch &launch);
/// Fills a launch's parameters from an array of pointers or the buffer that `extra`
/// names.
Result packParameters(Launch &launch, void **params, void **extra);
/// Runs a kernel; a fault is kept in the current context, and the call succeeds, as an
/// asynchronous one does.
Result run(Driver &driver, Launch &launch);
Result launchHostFunction(Stream *stream, void (*function)(void *), void *data);

//===----------------------------------------------------------------------===//
// Streams, captures, events and graphs
//===----------------------------------------------------------------------===//

/// The stream that a handle means; null for those of the default stream.
bool findStream(Driver &driver, Stream *handle, Stream *&stream);
/// Whether a stream takes work: one of a failed capture does not, nor the default one
/// while a stream that it would wait for captures.
Result checkUse(Driver &driver, const Stream *stream);
/// Whether the thread may make a call that no capture would see, as an allocation. Where
/// it may not, the captures that keep it from that are invalid from then on.
Result checkUnsafe(Driver &driver);
/// Gives `result` back; the captures of the device are invalid where there are any.
Result failCaptures(Driver &driver, Result result);
/// A new node of what a stream captures, behind the stream's last ones.
GraphNode &addCaptured(Stream &stream, GraphNode::Kind kind);

/// Does `work` now, or notes it as a node where the stream captures.
Result submit(Driver &driver, Stream *stream, GraphNode::Kind kind,
              std::function<Result()> work);
/// The same for a kernel.
Result submit(Driver &driver, Stream *stream, Launch launch);

/// Runs `work` with the stream that a handle means.
template <typename Work> Result withStream(Stream *handle, Work work) {
  return enterContext([&](Driver &driver) {
    Stream *stream = nullptr;
    return findStream(driver, handle, stream) ? work(driver, stream) : InvalidHandle;
  });
}

Result createStream(Stream **stream, unsigned flags, int priority);
Result destroyStream(Stream *stream);
Result synchronizeStream(Stream *stream);
Result getStreamFlags(Stream *stream, unsigned *flags);
Result getStreamPriority(Stream *stream, int *priority);
Result getPriorityRange(int *least, int *greatest);
Result addCallback(Stream *stream, void (*callback)(Stream *, Result, void *),
                   void *data);
Result waitForEvent(Stream *stream, Event *event);
Result beginCapture(Stream *stream, int mode);
Result endCapture(Stream *stream, Graph **graph);
Result isCapturing(Stream *stream, int *status);
Result exchangeCaptureMode(int *mode);

Result createEvent(Event **event, unsigned flags);
Result destroyEvent(Event *event);
Result recordEvent(Event *event, Stream *stream);
Result synchronizeEvent(Event *event);
Result getElapsedTime(float *milliseconds, Event *from, Event *to);

/// Nodes of a capture that allocate memory, whose address is known at once, and free it.
Result captureAllocation(Driver &driver, const char *call, Stream &stream,
                         DevicePointer *address, size_t bytes);
Result captureRelease(Driver &driver, Stream &stream, DevicePointer address);

Result instantiateGraph(const char *call, GraphExec **executable, Graph *graph,
                        unsigned long long flags);
Result launchGraph(const char *call, GraphExec *executable, Stream *stream);
Result destroyGraph(Graph *graph);
Result destroyExecutable(GraphExec *executable);

} // namespace tilewright::emulator::driver

#endif // TILEWRIGHT_EMULATORS_COMMON_DRIVER_DRIVER_H
