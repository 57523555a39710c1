//===- LibraryWorkspace.cpp - The memory that a call of a library function needs ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch function asks for its memory before it gives any work away, and looks at none
// of it: it can be run with a host that only counts. So what a caller gives is compared
// with what is needed before anything runs.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "Error.h"
#include "Library.h"

#include <cinttypes>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Counting
//===----------------------------------------------------------------------===//

static int32_t skipBlocks(void *, int64_t, tw_block_fn, void *, int64_t) { return TW_OK; }

/// Adds to the sum in `context`, which stays at INT64_MAX once it is there, as sizes do.
static void *countBytes(void *context, int64_t bytes) {
  auto &sum = *static_cast<uint64_t *>(context);
  sum += bytes < 0 ? INT64_MAX : GivenMemory::rounded(static_cast<uint64_t>(bytes));
  if (sum > INT64_MAX)
    sum = INT64_MAX;
  alignas(64) static char nothing[64];
  return nothing;
}

static void printNothing(void *, const char *, int32_t, uint64_t, int64_t) {}
static void reportNothing(void *, const char *, const char *, int64_t) {}
static int32_t skipGrid(void *, const tw_grid_launch_v1 *) { return TW_OK; }

static void *countMessages(void *, const tw_message_site_v1 *, int64_t) {
  static uint64_t nothing[4];
  return nothing;
}

// What launch functions call of kernels that are compiled for checking; blocks, which do
// not run, call the rest.
static void beginNothing(void *, const int64_t *) {}
static void checkNoTensor(void *, int64_t, const void *, const int64_t *) {}
static void checkNoKernel(void *, int64_t, const int64_t *) {}

static constexpr tw_checks_v1 noChecks = {sizeof(tw_checks_v1),
                                          beginNothing,
                                          checkNoTensor,
                                          checkNoKernel,
                                          nullptr,
                                          nullptr,
                                          nullptr,
                                          nullptr};

static constexpr tw_host_v1 countingHost = {sizeof(tw_host_v1), skipBlocks,    countBytes,
                                            printNothing,       reportNothing, skipGrid,
                                            &noChecks,          countMessages};

/// The bytes of the workspaces of a call whose build is chosen.
static tw_status countWorkspace(const Call &call, uint64_t &bytes) {
  bytes = 0;
  int32_t status = call.kernel->image->launch(&countingHost, &bytes, call.words);
  if (status)
    return fail(TW_ERROR_FAULT, "%s: the launch function returned %" PRId32,
                call.function->name, status);
  if (bytes == INT64_MAX)
    return fail(TW_ERROR_MEMORY,
                "%s: these sizes ask for a workspace of a negative size, or of more "
                "than 2^63 - 1 bytes",
                call.function->name);
  return TW_OK;
}

static tw_status prepareAndChoose(Call &call, const void *const *values) {
  if (tw_status status = call.prepare(values))
    return status;
  tw_status status = call.choose(nullptr);
  return status == TW_ERROR_ARGUMENT ? call.explainFailure() : status;
}

tw_status tw_library_workspace(const tw_function_v1 *function, tw_stream *stream,
                               const void *const *values, uint64_t *bytes) {
  Call call(function, stream);
  if (tw_status status = prepareAndChoose(call, values))
    return status;
  return countWorkspace(call, *bytes);
}

//===----------------------------------------------------------------------===//
// Memory of the caller's
//===----------------------------------------------------------------------===//

/// Refuses memory in which a tensor lies as well. Of one in another memory than the
/// kernel's, which is copied for the launch, the address says nothing.
static tw_status checkApart(const Call &call, const char *memory, uint64_t bytes) {
  const Signature &signature = call.kernel->signature;
  auto extent = static_cast<int64_t>(bytes), stride = int64_t{1};
  Extent given = {reinterpret_cast<uint64_t>(memory), 1, 1, &extent, &stride};
  const uint64_t *words = call.words;
  for (int64_t i = 0; i < signature.parameterCount(); ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    if (parameter.kind != TW_PARAM_TENSOR) {
      ++words;
      continue;
    }
    bool isThere = call.arguments[i].device_type == call.device->functions->type;
    if (isThere && mayOverlap(given, placeOf(parameter, words)))
      return fail(TW_ERROR_ARGUMENT,
                  "%s: the workspace shares memory with argument '%s'; pass separate "
                  "memory",
                  call.function->name, signature.name(parameter));
    words += 1 + 2 * parameter.rank;
  }
  return TW_OK;
}

static tw_status checkGiven(const Call &call, const char *memory, uint64_t bytes,
                            uint64_t needed) {
  const char *name = call.function->name;
  if (!memory || bytes < needed)
    return fail(TW_ERROR_ARGUMENT,
                "%s: the workspace has %" PRIu64 " bytes%s, and this call needs %" PRIu64
                "; %s_workspace says how many",
                name, memory ? bytes : 0, memory ? "" : " (a null pointer)", needed,
                name);
  if (reinterpret_cast<uint64_t>(memory) % GivenMemory::alignment)
    return fail(TW_ERROR_ARGUMENT,
                "%s: the workspace is at %p; it begins at a multiple of %d bytes", name,
                static_cast<const void *>(memory),
                static_cast<int>(GivenMemory::alignment));
  return checkApart(call, memory, needed);
}

tw_status tw_library_launch_with_workspace(const tw_function_v1 *function,
                                           tw_stream *stream, const void *const *values,
                                           void *workspace, uint64_t bytes) {
  Call call(function, stream);
  if (tw_status status = prepareAndChoose(call, values))
    return status;
  uint64_t needed;
  if (tw_status status = countWorkspace(call, needed))
    return status;
  auto *memory = static_cast<char *>(workspace);
  if (needed)
    if (tw_status status = checkGiven(call, memory, bytes, needed))
      return status;
  return launchChecked(call.kernel, stream, call.arguments, call.count, call.words,
                       GivenMemory{needed ? memory : nullptr});
}
