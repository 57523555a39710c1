//===- LibraryQueries.cpp - What a call of a library function would do -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Library.h"

#include <cinttypes>
#include <cstdio>

using namespace tilewright;

tw_status tw_library_explain(const tw_function_v1 *function, tw_stream *stream,
                             const void *const *values, char *text, uint64_t size) {
  Call call(function, stream);
  if (tw_status status = call.prepare(values))
    return status;
  Buffer reasons;
  if (tw_status status = call.choose(&reasons))
    return status == TW_ERROR_ARGUMENT ? call.explainFailure() : status;
  bool isChosen = __atomic_load_n(&function->state->only, __ATOMIC_RELAXED) != 0;
  const char *why = isChosen          ? "chosen by hand"
                    : call.build == 0 ? "the first that takes the arguments"
                                      : "the first that takes the arguments, as";
  snprintf(text, size, "%s: build %s (%" PRIu64 " of %" PRIu64 ") for %s, %s%s",
           function->name, function->builds[call.build].name, call.build + 1,
           function->build_count, call.kernel->image->target, why, reasons.text());
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Workspace
//===----------------------------------------------------------------------===//

// A launch function asks for its memory before it gives any work away, and looks at none
// of it: it can be run with a host that only counts.

static int32_t skipBlocks(void *, int64_t, tw_block_fn, void *, int64_t) { return TW_OK; }

static void *countBytes(void *context, int64_t bytes) {
  *static_cast<uint64_t *>(context) += (static_cast<uint64_t>(bytes) + 63) / 64 * 64;
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

static constexpr tw_host_v1 countingHost = {
    sizeof(tw_host_v1), skipBlocks, countBytes, printNothing,
    reportNothing,      skipGrid,   nullptr,    countMessages};

tw_status tw_library_workspace(const tw_function_v1 *function, tw_stream *stream,
                               const void *const *values, uint64_t *bytes) {
  Call call(function, stream);
  if (tw_status status = call.prepare(values))
    return status;
  if (tw_status status = call.choose(nullptr))
    return status == TW_ERROR_ARGUMENT ? call.explainFailure() : status;
  *bytes = 0;
  int32_t status = call.kernel->image->launch(&countingHost, bytes, call.words);
  return static_cast<tw_status>(status);
}
