//===- GpuDevice.cpp - GPUs, their memory and their streams ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Buffer.h"
#include "Error.h"

#include "GpuDevice.h"
#include "Locks.h"

#include <cinttypes>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Failures
//===----------------------------------------------------------------------===//

/// The results after which a kernel has gone wrong; CUDA and HIP number them alike.
static bool isFault(int result) { return result >= 700 && result <= 720; }
static constexpr int outOfMemory = 2;

tw_status tilewright::failCall(const GpuDevice &device, int result, const char *format,
                               ...) {
  char message[512];
  va_list list;
  va_start(list, format);
  vsnprintf(message, sizeof(message), format, list);
  va_end(list);
  const GpuCalls &calls = device.calls();
  const char *name = nullptr, *text = nullptr, *report = "", *records = "";
  calls.errorName(result, &name);
  calls.errorText(result, &text);
  if (calls.report)
    calls.report(&report, &records);
  Buffer all;
  all.add("%s: %s: %s (%s)", message, device.name, text ? text : "an unknown error",
          name ? name : "no name");
  if (*report)
    all.add("\n%s", report);
  tw_status status = result == outOfMemory ? TW_ERROR_MEMORY
                     : isFault(result)     ? TW_ERROR_FAULT
                                           : TW_ERROR_DRIVER;
  return failWithRecords(status, all.text(), records);
}

CurrentGpu::CurrentGpu(const GpuDevice &device) : device(device) {
  const GpuVendor &vendor = *device.driver->vendor;
  if (vendor.getCurrent(device.calls(), &before) == 0 && before == device.current)
    return;
  isChanged = vendor.setCurrent(device.calls(), device.current) == 0;
}

CurrentGpu::~CurrentGpu() {
  if (isChanged)
    device.driver->vendor->setCurrent(device.calls(), before);
}

//===----------------------------------------------------------------------===//
// Opening and closing
//===----------------------------------------------------------------------===//

static GpuDriver drivers[] = {
    {&cudaVendor, /*isEmulator=*/false, nullptr, {}},
    {&cudaVendor, /*isEmulator=*/true, nullptr, {}},
    {&hipVendor, /*isEmulator=*/false, nullptr, {}},
    {&hipVendor, /*isEmulator=*/true, nullptr, {}},
};

static GpuDriver &driverOf(const DeviceFunctions *functions) {
  bool isEmulator = functions == &cudaEmulatorDevice || functions == &hipEmulatorDevice;
  bool isCuda = functions->type == cudaDevice.type;
  return drivers[(isCuda ? 0 : 2) + isEmulator];
}

static GpuDevice *devices = nullptr; // those that are open

/// Stand-ins make a device of any GPU.
static tw_status findEmulated(const GpuDriver &driver, const char *name,
                              const char *wanted, int *ordinal) {
  if (driver.calls.emulatedDevice(ordinal, wanted) == 0)
    return TW_OK;
  const char *report, *records;
  driver.calls.report(&report, &records);
  return fail(TW_ERROR_UNSUPPORTED, "device '%s': %s", name, report);
}

/// The first GPU of the machine that runs code for `wanted`; null is any.
static tw_status findInstalled(const GpuDriver &driver, const char *name,
                               const char *wanted, int *ordinal, char *arch,
                               size_t bytes) {
  const GpuVendor &vendor = *driver.vendor;
  static constexpr char noCode[4] = {};
  int count = 0;
  driver.calls.deviceCount(&count);
  Buffer found;
  for (int i = 0; i < count; ++i) {
    int handle;
    if (driver.calls.deviceGet(&handle, i) ||
        vendor.describe(driver.calls, handle, arch, bytes))
      continue;
    *ordinal = i;
    if (!wanted || vendor.runs(arch, wanted, noCode))
      return TW_OK;
    found.add("%s%s", i ? ", " : "", arch);
  }
  return fail(TW_ERROR_UNSUPPORTED,
              "device '%s': this machine has %s; the device '%s:%s' needs no GPU", name,
              *found.text() ? found.text() : "no GPU that tells what it is",
              vendor.emulator, wanted ? wanted : vendor.emulatedArch);
}

/// Lets the device's pool keep so much of what launches have freed. Else a driver gives
/// it back to the system whenever somebody waits for the device, and the next launch has
/// to wait until it is mapped again, which may take longer than the kernel. A device
/// without pools is none the worse.
static void keepFreedMemory(const GpuDevice &device) {
  constexpr int releaseThreshold = 4; // of CUmemPool_attribute and hipMemPoolAttr
  constexpr uint64_t kept = uint64_t(1) << 30;
  const GpuCalls &calls = device.calls();
  void *pool = nullptr;
  uint64_t bytes = 0;
  if (calls.defaultPool(&pool, device.handle) ||
      calls.getPoolAttribute(pool, releaseThreshold, &bytes) || bytes >= kept)
    return;
  bytes = kept;
  calls.setPoolAttribute(pool, releaseThreshold, &bytes);
}

/// Makes the device of a GPU and its context; the list's lock is held.
static tw_status makeDevice(const DeviceFunctions *functions, const char *name,
                            GpuDriver &driver, int ordinal, const char *arch,
                            GpuDevice **made) {
  auto *device = static_cast<GpuDevice *>(calloc(1, sizeof(GpuDevice)));
  if (!device)
    return fail(TW_ERROR_MEMORY, "device '%s': no memory", name);
  device->functions = functions;
  snprintf(device->name, sizeof(device->name), "%s:%.40s", functions->kind, arch);
  snprintf(device->target, sizeof(device->target), "%s:%.40s", functions->backend, arch);
  device->id = ordinal;
  device->driver = &driver;
  void *context = nullptr;
  int result = driver.calls.deviceGet(&device->handle, ordinal);
  if (!result)
    result = driver.calls.retainContext(&context, device->handle);
  if (result) {
    tw_status status = failCall(*device, result, "no context");
    free(device);
    return status;
  }
  device->current = driver.vendor->isCuda ? reinterpret_cast<uintptr_t>(context)
                                          : static_cast<uintptr_t>(ordinal);
  keepFreedMemory(*device);
  *made = device;
  return TW_OK;
}

static tw_status openDevice(const DeviceFunctions *functions, const char *name,
                            const char *wanted, tw_device **opened) {
  GpuDriver &driver = driverOf(functions);
  if (tw_status status = loadDriver(driver, name))
    return status;
  char arch[64] = "";
  int ordinal = 0;
  tw_status status;
  if (driver.isEmulator) {
    snprintf(arch, sizeof(arch), "%s", wanted ? wanted : driver.vendor->emulatedArch);
    status = findEmulated(driver, name, arch, &ordinal);
  } else {
    status = findInstalled(driver, name, wanted, &ordinal, arch, sizeof(arch));
  }
  if (status)
    return status;
  Locked open(Lock::Devices);
  GpuDevice *device = devices;
  while (device && (device->driver != &driver || device->id != ordinal))
    device = device->next;
  if (!device) {
    status = makeDevice(functions, name, driver, ordinal, arch, &device);
    if (!status) {
      device->next = devices;
      devices = device;
    }
  }
  if (!status)
    ++device->references;
  *opened = device;
  return status;
}

void tilewright::retainGpu(GpuDevice &device) {
  Locked open(Lock::Devices);
  ++device.references;
}

void tilewright::releaseGpu(GpuDevice &device) {
  Locked open(Lock::Devices);
  if (--device.references == 0) {
    GpuDevice **link = &devices;
    while (*link != &device)
      link = &(*link)->next;
    *link = device.next;
    device.calls().releaseContext(device.handle);
    free(&device);
  }
}

static void closeDevice(tw_device *device) { releaseGpu(gpu(device)); }

/// Of an emulator; a driver does not count.
static int64_t countInstructions(tw_device *device) {
  GpuDevice &owner = gpu(device);
  uint64_t count = 0;
  if (!owner.driver->isEmulator || owner.calls().instructions(owner.handle, &count))
    return -1;
  return static_cast<int64_t>(count);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static uint64_t addressOf(const void *memory) {
  return reinterpret_cast<uint64_t>(memory);
}

static tw_status allocate(tw_device *device, uint64_t bytes, void **memory) {
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  uint64_t address = 0;
  if (int result = owner.calls().allocate(&address, wholeWords(bytes)))
    return failCall(owner, result, "%" PRIu64 " bytes of memory", bytes);
  *memory = reinterpret_cast<void *>(address);
  return TW_OK;
}

static tw_status freeMemory(tw_device *device, void *memory) {
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  if (int result = owner.calls().free(addressOf(memory)))
    return failCall(owner, result, "memory is freed");
  return TW_OK;
}

/// What was given to the default stream is done when a call returns.
static int completeDefault(const GpuDevice &device, tw_stream *stream, int result) {
  return result || stream ? result : device.calls().synchronizeStream(nullptr);
}

static tw_status copy(tw_device *device, tw_stream *stream, void *to, const void *from,
                      uint64_t bytes) {
  if (bytes == 0)
    return TW_OK;
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  int result = owner.driver->vendor->copy(owner.calls(), addressOf(to), addressOf(from),
                                          bytes, handleOf(stream));
  if ((result = completeDefault(owner, stream, result)))
    return failCall(owner, result, "a copy of %" PRIu64 " bytes", bytes);
  return TW_OK;
}

static tw_status fill(tw_device *device, tw_stream *stream, void *memory, uint8_t value,
                      uint64_t bytes) {
  if (bytes == 0)
    return TW_OK;
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  int result = owner.calls().fill(addressOf(memory), value, bytes, handleOf(stream));
  if ((result = completeDefault(owner, stream, result)))
    return failCall(owner, result, "a fill of %" PRIu64 " bytes", bytes);
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

static tw_status finish(tw_device *device) {
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  if (int result = owner.calls().finish())
    return failCall(owner, result, "work that was given to the device failed");
  return TW_OK;
}

static tw_status makeStream(tw_device *device, void *handle, bool isOwn,
                            tw_stream **stream) {
  auto *made = static_cast<GpuStream *>(malloc(sizeof(GpuStream)));
  if (!made)
    return fail(TW_ERROR_MEMORY, "%s: no memory for a stream", device->name);
  made->device = device;
  made->handle = handle;
  made->isOwn = isOwn;
  made->isRecording = made->isBroken = false;
  made->outside = nullptr;
  *stream = made;
  return TW_OK;
}

static tw_status wrapStream(tw_device *device, void *native, tw_stream **stream) {
  return makeStream(device, native, /*isOwn=*/false, stream);
}

static tw_status createStream(tw_device *device, tw_stream **stream) {
  GpuDevice &owner = gpu(device);
  CurrentGpu current(owner);
  void *handle = nullptr;
  if (int result = owner.calls().createStream(&handle, 0))
    return failCall(owner, result, "a new stream");
  tw_status status = makeStream(device, handle, /*isOwn=*/true, stream);
  if (status)
    owner.calls().destroyStream(handle);
  return status;
}

static tw_status synchronize(tw_stream *stream) {
  GpuDevice &owner = gpu(stream->device);
  if (static_cast<GpuStream *>(stream)->isRecording)
    return fail(TW_ERROR_INVALID,
                "%s: the stream's work goes into a graph; there is nothing to wait for",
                owner.name);
  CurrentGpu current(owner);
  if (int result = owner.calls().synchronizeStream(handleOf(stream)))
    return failCall(owner, result, "work that was given to the stream failed");
  return TW_OK;
}

static void destroyStream(tw_stream *stream) {
  auto *destroyed = static_cast<GpuStream *>(stream);
  if (destroyed->isOwn || destroyed->isRecording) {
    GpuDevice &owner = gpu(stream->device);
    CurrentGpu current(owner);
    if (destroyed->isRecording)
      dropRecording(stream);
    if (destroyed->isOwn)
      owner.calls().destroyStream(destroyed->handle);
  }
  free(destroyed);
}

//===----------------------------------------------------------------------===//
// The kinds of devices
//===----------------------------------------------------------------------===//

static constexpr DeviceFunctions makeFunctions(const char *kind, const char *backend,
                                               int32_t type) {
  return {kind,           backend,          type,
          openDevice,     closeDevice,      acceptsGpuImage,
          allocate,       freeMemory,       copy,
          fill,           finish,           createStream,
          wrapStream,     synchronize,      destroyStream,
          launchOnGpu,    beginGpuGraph,    endGpuGraph,
          launchGpuGraph, destroyGpuGraph,  makeGpuKernel,
          dropGpuKernel,  countInstructions};
}

const DeviceFunctions tilewright::cudaDevice = makeFunctions("cuda", "cuda", 2);
const DeviceFunctions tilewright::cudaEmulatorDevice =
    makeFunctions("cuda-emulator", "cuda", 2);
const DeviceFunctions tilewright::hipDevice = makeFunctions("hip", "hip", 10);
const DeviceFunctions tilewright::hipEmulatorDevice =
    makeFunctions("hip-emulator", "hip", 10);
