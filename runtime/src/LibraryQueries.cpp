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
