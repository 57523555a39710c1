//===- Error.cpp - The calling thread's last failure -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <pthread.h>

static thread_local char lastError[2048];

// Reports of faults have any length: the message, and after its zero byte the records. A
// thread's are freed when it ends.
static thread_local char *lastReport = nullptr;
static pthread_key_t reportKey;
static pthread_once_t reportOnce = PTHREAD_ONCE_INIT;

static void keepReport(char *report) {
  pthread_once(&reportOnce, [] { pthread_key_create(&reportKey, free); });
  free(lastReport);
  lastReport = report;
  pthread_setspecific(reportKey, report);
}

tw_status tilewright::fail(tw_status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(lastError, sizeof(lastError), format, arguments);
  va_end(arguments);
  if (lastReport)
    keepReport(nullptr);
  return status;
}

tw_status tilewright::failWithRecords(tw_status status, const char *message,
                                      const char *records) {
  fail(status, "%s", message);
  size_t length = strlen(message) + 1;
  auto *report = static_cast<char *>(malloc(length + strlen(records) + 1));
  if (report) {
    strcpy(report, message);
    strcpy(report + length, records);
    keepReport(report);
  }
  return status;
}

const char *tw_last_faults(void) {
  return lastReport ? lastReport + strlen(lastReport) + 1 : "";
}

const char *tw_last_error(void) { return lastReport ? lastReport : lastError; }

uint64_t tw_abi_version(void) { return TW_ABI_VERSION; }
