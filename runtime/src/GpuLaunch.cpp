//===- GpuLaunch.cpp - Launches on GPUs --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch function only gives work to a stream: its workspaces are allocated and freed
// in the stream's order, and its grids run behind each other. A launch whose kernels may
// print or fail is waited for, since what they said has to be read.
//
// All but that may as well be captured in a graph, by ours or by another library's call:
// memory in the stream's order is then the graph's.
//
//===----------------------------------------------------------------------===//

#include "Buffer.h"
#include "Error.h"
#include "GpuDevice.h"
#include "GpuMessages.h"
#include "Messages.h"

#include <cinttypes>

using namespace tilewright;

namespace {
/// One run of a launch function.
struct GpuLaunch {
  const GpuKernel &kernel;
  GpuDevice &device;
  void *stream;
  bool isCaptured;          // in a graph, to run later
  bool hasGrids = false;    // some were started
  GivenMemory given;        // for the workspaces
  tw_status status = TW_OK; // of the first host call that failed
  Array<uint64_t> workspaces;
  GpuMessages messages;
  LowestFault fault;

  const char *name() const { return kernel.artifact->name; }
};
} // namespace

//===----------------------------------------------------------------------===//
// What a launch function may call
//===----------------------------------------------------------------------===//

static GpuLaunch &launchOf(void *context) { return *static_cast<GpuLaunch *>(context); }

static int32_t parallelFor(void *context, int64_t, tw_block_fn, void *, int64_t) {
  GpuLaunch &launch = launchOf(context);
  if (!launch.status)
    launch.status =
        fail(TW_ERROR_UNSUPPORTED, "%s: %s runs grids of its code, not native blocks",
             launch.name(), launch.device.name);
  return launch.status;
}

/// Memory for the rest of the launch, or null with the error noted.
static void *allocate(GpuLaunch &launch, int64_t bytes) {
  if (launch.status)
    return nullptr;
  uint64_t address = 0;
  int result = launch.device.calls().allocateOn(
      &address, wholeWords(static_cast<uint64_t>(bytes)), launch.stream);
  if (!result && !launch.workspaces.push(address))
    launch.device.calls().freeOn(address, launch.stream), result = 2, address = 0;
  if (result)
    launch.status = failCall(launch.device, result,
                             "%s: no memory for a workspace of %" PRId64 " bytes",
                             launch.name(), bytes);
  return reinterpret_cast<void *>(address);
}

static void *workspace(void *context, int64_t bytes) {
  GpuLaunch &launch = launchOf(context);
  if (!launch.status)
    launch.status = checkWorkspaceSize(launch.name(), bytes);
  if (launch.status)
    return nullptr;
  return launch.given.next ? launch.given.take(bytes) : allocate(launch, bytes);
}

static void print(void *, const char *message, int32_t kind, uint64_t bits,
                  int64_t block) {
  printMessage(message, kind, bits, block);
}

static void fault(void *context, const char *message, const char *where, int64_t block) {
  launchOf(context).fault.add(launchOf(context).name(), message, where, block);
}

static int32_t launchGrid(void *context, const tw_grid_launch_v1 *grid) {
  GpuLaunch &launch = launchOf(context);
  if (launch.status)
    return launch.status;
  if (grid->grid[0] == 0 || grid->grid[1] == 0 || grid->grid[2] == 0)
    return TW_OK; // which drivers refuse
  // Launch functions make the most that 32 bits hold of what they do not.
  if (grid->grid[0] > INT32_MAX)
    return launch.status = fail(TW_ERROR_INVALID,
                                "%s: a grid has more blocks than 2^31 - 1, which is the "
                                "most that GPUs take; give each block more to do",
                                launch.name());
  GpuGrid started = {nullptr, grid, grid->stream ? grid->stream : launch.stream};
  launch.status =
      findFunction(launch.kernel, grid->entry, grid->shared_bytes, &started.function);
  if (launch.status)
    return launch.status;
  GpuDevice &device = launch.device;
  launch.hasGrids = true;
  if (int result = device.driver->vendor->launch(device.calls(), started))
    launch.status =
        failCall(device, result,
                 "%s: kernel '%s', a grid of %u x %u x %u blocks of %u x %u x %u threads",
                 launch.name(), grid->entry, grid->grid[0], grid->grid[1], grid->grid[2],
                 grid->block[0], grid->block[1], grid->block[2]);
  return launch.status;
}

static void *messages(void *context, const tw_message_site_v1 *sites, int64_t count) {
  GpuLaunch &launch = launchOf(context);
  if (launch.isCaptured && !launch.status)
    launch.status = fail(
        TW_ERROR_UNSUPPORTED,
        "%s: it prints or asserts, and what it says is read when it has run, which "
        "the capture of a graph cannot wait for; launch it outside of the capture, or "
        "without its prints and assertions",
        launch.name());
  void *memory = allocate(launch, GpuMessages::bytes);
  if (!memory)
    return nullptr;
  launch.status = launch.messages.add(launch.device, launch.stream, launch.name(), memory,
                                      sites, count);
  return launch.status ? nullptr : memory;
}

static constexpr tw_host_v1 host = {
    sizeof(tw_host_v1), parallelFor, workspace, print, fault, launchGrid,
    /*checks=*/nullptr, messages};

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

tw_status tilewright::launchOnGpu(const tw_kernel *kernel, tw_stream *stream,
                                  const uint64_t *words, GivenMemory given) {
  auto &launched = *static_cast<const GpuKernel *>(kernel);
  GpuDevice &device = launched.gpu();
  if (stream && stream->device != &device)
    return fail(TW_ERROR_INVALID, "%s: the stream is one of %s, and the kernel is for %s",
                kernel->artifact->name, stream->device->name, device.name);
  CurrentGpu current(device);
  GpuLaunch launch = {launched, device, handleOf(stream), false, false, given, TW_OK, {},
                      {},       {}};
  if (tw_status failed =
          findCapture(device, launch.stream, launch.name(), &launch.isCaptured))
    return failed;
  bool isRecording = stream && static_cast<GpuStream *>(stream)->isRecording;
  if (launch.isCaptured && !isRecording)
    __atomic_store_n(&launched.isCaptured, true, __ATOMIC_RELAXED);
  int32_t status = kernel->image->launch(&host, &launch, words);
  if (!launch.messages.isEmpty()) {
    tw_status read = launch.messages.read(device, launch.stream, launch.name(),
                                          /*isFailed=*/launch.status, launch.fault);
    if (!launch.status)
      launch.status = read;
  }
  for (size_t i = 0; i < launch.workspaces.size(); ++i)
    device.calls().freeOn(launch.workspaces[i], launch.stream);
  if (!launch.status)
    launch.status = launch.fault.report();
  if (launch.status && launch.hasGrids && isRecording)
    static_cast<GpuStream *>(stream)->isBroken = true;
  if (launch.status)
    return launch.status;
  if (status)
    return fail(TW_ERROR_FAULT, "%s: the launch function returned %" PRId32,
                launch.name(), status);
  return TW_OK;
}
