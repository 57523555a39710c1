//===- Error.h - The calling thread's last failure ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_ERROR_H
#define TILEWRIGHT_RUNTIME_SRC_ERROR_H

#include "tilewright/runtime.h"

namespace tilewright {

/// Records the message of a failure for tw_last_error and returns `status`.
[[gnu::format(printf, 2, 3)]] tw_status fail(tw_status status, const char *format, ...);

/// As `fail`, with records of faults, a JSON array, for tw_last_faults.
tw_status failWithRecords(tw_status status, const char *message, const char *records);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_ERROR_H
