//===- GpuKernel.cpp - Images of GPUs, and their code on a device ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "GpuDevice.h"
#include "Image.h"
#include "Locks.h"

#include <cstdlib>
#include <cstring>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

tw_status tilewright::acceptsGpuImage(tw_device *device, const tw_image_v1 *image) {
  const GpuDevice &owner = gpu(device);
  const char *colon = strchr(image->target, ':');
  if (!colon || !image->data || image->data_size < 4)
    return fail(TW_ERROR_ARTIFACT, "an image for %s has no %s", image->target,
                colon ? "code" : "architecture");
  char head[4];
  if (tw_status status = readImageHead(image, head, sizeof(head)))
    return status;
  if (owner.driver->vendor->runs(owner.arch(), colon + 1, head))
    return TW_OK;
  return fail(TW_ERROR_UNSUPPORTED, "%s does not run code for %s; compile for '%s'",
              device->name, image->target, device->name);
}

tw_status tilewright::makeGpuKernel(tw_device *device, const tw_kernel &kernel,
                                    tw_kernel **made) {
  auto *created = static_cast<GpuKernel *>(malloc(sizeof(GpuKernel)));
  if (!created)
    return fail(TW_ERROR_MEMORY, "%s: no memory for a kernel", kernel.artifact->name);
  static_cast<tw_kernel &>(*created) = kernel;
  created->functions = device->functions;
  created->device = device;
  created->module = nullptr;
  created->isCaptured = false;
  created->entries = nullptr;
  retainGpu(gpu(device));
  *made = created;
  return TW_OK;
}

void tilewright::dropGpuKernel(tw_kernel *kernel) {
  auto *dropped = static_cast<GpuKernel *>(kernel);
  GpuDevice &device = dropped->gpu();
  // A graph of another's may run its code for as long as it likes. And while one of ours
  // is recorded nobody may wait for the device. In both cases the code stays loaded.
  bool stays =
      dropped->isCaptured || __atomic_load_n(&device.recordings, __ATOMIC_RELAXED) != 0;
  if (dropped->module && !stays) {
    CurrentGpu current(device);
    device.calls().finish(); // launches may still run its code
    device.calls().unloadModule(dropped->module);
  }
  while (GpuEntry *entry = dropped->entries) {
    dropped->entries = entry->next;
    free(entry);
  }
  free(dropped);
  releaseGpu(device);
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

// Options of a load; HIP numbers them as CUDA does.
static constexpr int errorLog = 5, errorLogBytes = 6;

static tw_status loadModule(const GpuKernel &kernel) {
  GpuDevice &device = kernel.gpu();
  char log[1024] = "";
  int options[] = {errorLog, errorLogBytes};
  void *values[] = {log, reinterpret_cast<void *>(sizeof(log))};
  ImageData image;
  if (tw_status status = image.unpack(kernel.artifact->name, kernel.image))
    return status;
  RelaxedThread relaxed(device.calls());
  int result =
      device.calls().loadModule(&kernel.module, image.data(), 2, options, values);
  if (!result)
    return TW_OK;
  kernel.module = nullptr;
  bool hasReport = device.calls().report; // which says the same
  return failCall(device, result, "%s: the code for %s cannot be loaded%s%s",
                  kernel.artifact->name, kernel.image->target,
                  *log && !hasReport ? ": " : "", hasReport ? "" : log);
}

/// The entry of a name that was asked for before, or null.
static GpuEntry *findEntry(const GpuKernel &kernel, const char *name) {
  GpuEntry *entry = __atomic_load_n(&kernel.entries, __ATOMIC_ACQUIRE);
  while (entry && strcmp(entry->name, name) != 0)
    entry = entry->next;
  return entry;
}

/// Looks a name up in the image.
static tw_status addEntry(const GpuKernel &kernel, const char *name, GpuEntry **added) {
  GpuDevice &device = kernel.gpu();
  void *function = nullptr;
  RelaxedThread relaxed(device.calls()); // drivers may load a kernel only now
  if (int result = device.calls().getFunction(&function, kernel.module, name))
    return failCall(device, result, "%s: the image for %s has no kernel '%s'",
                    kernel.artifact->name, kernel.image->target, name);
  size_t length = strlen(name) + 1;
  auto *entry = static_cast<GpuEntry *>(malloc(sizeof(GpuEntry) + length));
  if (!entry)
    return fail(TW_ERROR_MEMORY, "%s: no memory for a kernel", kernel.artifact->name);
  entry->function = function;
  entry->sharedBytes = 0;
  entry->next = kernel.entries;
  memcpy(entry->name, name, length);
  __atomic_store_n(&kernel.entries, entry, __ATOMIC_RELEASE);
  *added = entry;
  return TW_OK;
}

/// Lets an entry's launches have `bytes` of shared memory. Beyond a limit, which depends
/// on what the kernel has of its own, devices want to be asked.
static tw_status allowShared(const GpuKernel &kernel, GpuEntry &entry, uint32_t bytes) {
  if (bytes <= entry.sharedBytes)
    return TW_OK;
  GpuDevice &device = kernel.gpu();
  RelaxedThread relaxed(device.calls());
  if (int result =
          device.driver->vendor->allowShared(device.calls(), entry.function, bytes))
    return failCall(device, result, "%s: %u bytes of shared memory for '%s'",
                    kernel.artifact->name, bytes, entry.name);
  __atomic_store_n(&entry.sharedBytes, bytes, __ATOMIC_RELEASE);
  return TW_OK;
}

tw_status tilewright::findFunction(const GpuKernel &kernel, const char *name,
                                   uint32_t sharedBytes, void **function) {
  GpuEntry *entry = findEntry(kernel, name);
  tw_status status = TW_OK;
  if (!entry || __atomic_load_n(&entry->sharedBytes, __ATOMIC_ACQUIRE) < sharedBytes) {
    Locked loading(Lock::Loading);
    if (!kernel.module)
      status = loadModule(kernel);
    if (!status && !(entry = findEntry(kernel, name)))
      status = addEntry(kernel, name, &entry);
    if (!status)
      status = allowShared(kernel, *entry, sharedBytes);
  }
  if (!status)
    *function = entry->function;
  return status;
}
