//===- Error.cpp - The calling thread's last failure -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"

#include <cstdarg>
#include <cstdio>

static thread_local char lastError[2048];

tw_status tilewright::fail(tw_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(lastError, sizeof(lastError), format, arguments);
  va_end(arguments);
  return status;
}

const char *tw_last_error(void) { return lastError; }

uint64_t tw_abi_version(void) { return TW_ABI_VERSION; }
