//===- CpuDevice.cpp - Launches on the host's cores --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Checks.h"
#include "CpuGraph.h"
#include "CpuTarget.h"
#include "Error.h"
#include "Kernel.h"
#include "Memory.h"
#include "Messages.h"

#include "tilewright/thread_pool.h"

#include <atomic>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Ending launches
//===----------------------------------------------------------------------===//

/// Set once by most programs, read by every launch.
static std::atomic<tw_interrupt_check> interruptCheck{nullptr};
static std::atomic<void *> interruptUser{nullptr};

void tw_set_interrupt_check(tw_interrupt_check check, void *user) {
  // Never the new check with the old user.
  interruptCheck.store(nullptr);
  interruptUser.store(user);
  interruptCheck.store(check);
}

//===----------------------------------------------------------------------===//
// What a launch function may call
//===----------------------------------------------------------------------===//

namespace {

/// One run of a launch function.
struct Launch {
  const tw_kernel *kernel;
  tw_status status = TW_OK; // of the host calls, which run on the launching thread
  GivenMemory given;        // for the workspaces
  struct Workspace *workspaces = nullptr;
  Checks *checks = nullptr; // of a kernel compiled for checking
  LowestFault fault;
};

/// Global memory of one launch.
struct Workspace {
  MemoryBlock memory;
  Workspace *next;
};

} // namespace

namespace {
struct CheckedRun {
  Checks *checks;
  int64_t count;
  tw_block_fn fn;
  void *env;
  bool wasInterrupted = false;
};
} // namespace

/// Runs blocks under the launch's checker, on this thread. What a fault has left behind
/// is not for the kernels that follow.
static int32_t runChecked(Launch &launch, int64_t count, tw_block_fn fn, void *env,
                          int64_t arenaBytes) {
  CheckedRun run{launch.checks, count, fn, env};
  auto runAll = [](void *user, int64_t, int64_t, void *arena) {
    auto &run = *static_cast<CheckedRun *>(user);
    run.wasInterrupted = run.checks->runBlocks(
        run.count, run.fn, run.env, arena, interruptCheck.load(), interruptUser.load());
  };
  int32_t status =
      tw_thread_pool_v2.run(1, runAll, &run, arenaBytes, /*check=*/nullptr, nullptr);
  if (run.wasInterrupted)
    return TW_ERROR_INTERRUPTED;
  if (launch.checks->isOutOfMemory())
    launch.status = fail(TW_ERROR_MEMORY, "%s: no memory for checking",
                         launch.kernel->artifact->name);
  else if (launch.checks->hasFaults())
    launch.status = TW_ERROR_FAULT;
  return status ? status : launch.status;
}

static int32_t parallelFor(void *context, int64_t count, tw_block_fn fn, void *env,
                           int64_t arenaBytes) {
  auto &launch = *static_cast<Launch *>(context);
  // A kernel must not run on a workspace that there was no memory for.
  if (launch.status)
    return launch.status;
  if (count == INT64_MAX) // what a launch function makes of a product that overflows
    return launch.status =
               fail(TW_ERROR_INVALID, "%s: a grid has more blocks than 2^63 - 1",
                    launch.kernel->artifact->name);
  int32_t status =
      launch.checks ? runChecked(launch, count, fn, env, arenaBytes)
                    : tw_thread_pool_v2.run(count, fn, env, arenaBytes,
                                            interruptCheck.load(), interruptUser.load());
  if (status == TW_ERROR_MEMORY)
    launch.status =
        fail(TW_ERROR_MEMORY, "%s: no memory for an arena of %" PRId64 " bytes",
             launch.kernel->artifact->name, arenaBytes);
  if (status == TW_ERROR_INTERRUPTED)
    launch.status = fail(TW_ERROR_INTERRUPTED, "%s: the launch was interrupted",
                         launch.kernel->artifact->name);
  return status;
}

static void *workspace(void *context, int64_t bytes) {
  auto &launch = *static_cast<Launch *>(context);
  if (tw_status wrong = checkWorkspaceSize(launch.kernel->artifact->name, bytes)) {
    launch.status = wrong;
    return nullptr;
  }
  if (launch.given.next)
    return launch.given.take(bytes);
  auto *node = static_cast<Workspace *>(malloc(sizeof(Workspace)));
  MemoryBlock memory;
  if (node)
    memory = acquireMemory(bytes);
  if (!memory.data) {
    free(node);
    launch.status =
        fail(TW_ERROR_MEMORY, "%s: no memory for a workspace of %" PRId64 " bytes",
             launch.kernel->artifact->name, bytes);
    return nullptr;
  }
  *node = {memory, launch.workspaces};
  launch.workspaces = node;
  return memory.data;
}

static void print(void *, const char *message, int32_t kind, uint64_t bits,
                  int64_t block) {
  printMessage(message, kind, bits, block);
}

static void fault(void *context, const char *message, const char *where, int64_t block) {
  auto &launch = *static_cast<Launch *>(context);
  if (launch.checks)
    return launch.checks->trap(message, where, block);
  launch.fault.add(launch.kernel->artifact->name, message, where, block);
}

static int32_t launchGrid(void *context, const tw_grid_launch_v1 *grid) {
  auto &launch = *static_cast<Launch *>(context);
  launch.status = fail(TW_ERROR_UNSUPPORTED,
                       "%s: '%s' is a device kernel, and the CPU runs native blocks",
                       launch.kernel->artifact->name, grid->entry);
  return launch.status;
}

//===----------------------------------------------------------------------===//
// What a kernel compiled for checking may call
//===----------------------------------------------------------------------===//

static Launch &launchOf(void *context) { return *static_cast<Launch *>(context); }

static void beginChecks(void *context, const int64_t *table) {
  Launch &launch = launchOf(context);
  launch.checks = Checks::create(table, launch.kernel->artifact->name);
  if (!launch.checks)
    launch.status = fail(TW_ERROR_MEMORY, "%s: no memory for checking",
                         launch.kernel->artifact->name);
}

static void checkTensor(void *context, int64_t memory, const void *data,
                        const int64_t *layout) {
  if (Checks *checks = launchOf(context).checks)
    checks->tensor(memory, data, layout);
}

static void checkKernel(void *context, int64_t rank, const int64_t *grid) {
  if (Checks *checks = launchOf(context).checks)
    checks->kernel(rank, grid);
}

static void checkTile(void *context, int64_t memory, void *data) {
  launchOf(context).checks->tile(memory, data);
}

static void checkIteration(void *context, int64_t loop, const int64_t *variables) {
  launchOf(context).checks->iteration(loop, variables);
}

static void checkAccess(void *context, int64_t site, const int64_t *offsets) {
  launchOf(context).checks->access(site, offsets);
}

static void checkValue(void *context, int64_t site, int64_t count, const double *values) {
  launchOf(context).checks->value(site, count, values);
}

static constexpr tw_checks_v1 checkCalls = {
    sizeof(tw_checks_v1), beginChecks, checkTensor, checkKernel, checkTile,
    checkIteration,       checkAccess, checkValue};

static constexpr tw_host_v1 host = {
    sizeof(tw_host_v1), parallelFor, workspace, print, fault,
    launchGrid,         &checkCalls, nullptr};

//===----------------------------------------------------------------------===//
// Streams and launches
//===----------------------------------------------------------------------===//

tw_status tilewright::runOnCpu(const tw_kernel *kernel, const uint64_t *words,
                               GivenMemory given) {
  Launch launch;
  launch.kernel = kernel;
  launch.given = given;
  int32_t status = kernel->image->launch(&host, &launch, words);
  while (Workspace *node = launch.workspaces) {
    launch.workspaces = node->next;
    releaseMemory(node->memory);
    free(node);
  }
  if (Checks *checks = launch.checks) {
    Buffer text, records;
    bool hasFaults = checks->hasFaults();
    checks->format(text, records);
    checks->destroy();
    if (hasFaults)
      return failWithRecords(TW_ERROR_FAULT, text.text(), records.text());
  }
  if (launch.status != TW_ERROR_INTERRUPTED)
    if (tw_status fault = launch.fault.report())
      return fault;
  if (launch.status)
    return launch.status;
  if (status)
    return fail(TW_ERROR_FAULT, "%s: the launch function returned %" PRId32,
                kernel->artifact->name, status);
  return TW_OK;
}

static tw_status launch(const tw_kernel *kernel, tw_stream *stream, const uint64_t *words,
                        GivenMemory given) {
  StreamOrder order(stream);
  if (CpuGraph *graph = order.recording())
    return recordStep(*graph, {kernel, nullptr, given, nullptr, nullptr, 0, 0}, words);
  return runOnCpu(kernel, words, given);
}

static tw_status createStream(tw_device *device, tw_stream **stream) {
  auto *created = static_cast<CpuStream *>(malloc(sizeof(CpuStream)));
  if (!created)
    return fail(TW_ERROR_MEMORY, "no memory for a stream");
  created->device = device;
  created->recording = nullptr;
  pthread_mutex_init(&created->lock, nullptr);
  *stream = created;
  return TW_OK;
}

static tw_status wrapStream(tw_device *, void *, tw_stream **) {
  return fail(TW_ERROR_UNSUPPORTED, "cpu: there are no streams but tw_stream_create's");
}

/// Waits for launches that other threads are running.
static tw_status synchronize(tw_stream *stream) {
  StreamOrder order(stream);
  return TW_OK;
}

static void destroyStream(tw_stream *stream) {
  auto *created = static_cast<CpuStream *>(stream);
  if (created->recording)
    destroyCpuGraph(created->recording);
  pthread_mutex_destroy(&created->lock);
  free(created);
}

//===----------------------------------------------------------------------===//
// The device and its memory
//===----------------------------------------------------------------------===//

static tw_status openDevice(const DeviceFunctions *functions, const char *name,
                            const char *, tw_device **device) {
  auto *opened = static_cast<tw_device *>(malloc(sizeof(tw_device)));
  if (!opened)
    return fail(TW_ERROR_MEMORY, "device '%s': no memory", name);
  opened->functions = functions;
  snprintf(opened->name, sizeof(opened->name), "%s", name);
  snprintf(opened->target, sizeof(opened->target), "%s", name);
  opened->id = 0;
  *device = opened;
  return TW_OK;
}

static void closeDevice(tw_device *device) { free(device); }

static tw_status finish(tw_device *) { return TW_OK; }

static tw_status accepts(tw_device *, const tw_image_v1 *image) {
  size_t length;
  if (const char *missing = findMissingCpuFeature(image->features, &length))
    return fail(TW_ERROR_UNSUPPORTED,
                "%s code needs %.*s, which this machine's CPU lacks; compile the kernel "
                "for 'cpu' on this machine, or for an older model",
                image->target, static_cast<int>(length), missing);
  return TW_OK;
}

static tw_status allocate(tw_device *, uint64_t bytes, void **memory) {
  if (posix_memalign(memory, 64, bytes ? bytes : 1) != 0)
    return fail(TW_ERROR_MEMORY, "cpu: no memory for %" PRIu64 " bytes", bytes);
  return TW_OK;
}

static tw_status freeAllocated(tw_device *, void *memory) {
  free(memory);
  return TW_OK;
}

static tw_status copy(tw_device *, tw_stream *stream, void *to, const void *from,
                      uint64_t bytes) {
  StreamOrder order(stream);
  if (CpuGraph *graph = order.recording(); graph && bytes)
    return recordStep(*graph, {nullptr, nullptr, {}, to, from, bytes, 0}, nullptr);
  if (bytes)
    memmove(to, from, bytes);
  return TW_OK;
}

static tw_status fill(tw_device *, tw_stream *stream, void *memory, uint8_t value,
                      uint64_t bytes) {
  StreamOrder order(stream);
  if (CpuGraph *graph = order.recording(); graph && bytes)
    return recordStep(*graph, {nullptr, nullptr, {}, memory, nullptr, bytes, value},
                      nullptr);
  if (bytes)
    memset(memory, value, bytes);
  return TW_OK;
}

const DeviceFunctions tilewright::cpuDevice = {"cpu",
                                               "cpu",
                                               1,
                                               openDevice,
                                               closeDevice,
                                               accepts,
                                               allocate,
                                               freeAllocated,
                                               copy,
                                               fill,
                                               finish,
                                               createStream,
                                               wrapStream,
                                               synchronize,
                                               destroyStream,
                                               launch,
                                               beginCpuGraph,
                                               endCpuGraph,
                                               launchCpuGraph,
                                               destroyCpuGraph,
                                               /*makeKernel=*/nullptr,
                                               /*dropKernel=*/nullptr,
                                               /*countInstructions=*/nullptr};
