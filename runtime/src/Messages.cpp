//===- Messages.cpp - What running kernels say -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Messages.h"
#include "Locks.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

using namespace tilewright;

static void printToStandardOutput(const char *line, void *) { puts(line); }

static tw_print_handler printHandler = printToStandardOutput;
static void *printUser = nullptr;

void tw_set_print_handler(tw_print_handler handler, void *user) {
  Locked printing(Lock::Printing);
  printHandler = handler ? handler : printToStandardOutput;
  printUser = user;
}

void tilewright::printLine(const char *line) {
  tw_print_handler handler;
  void *user;
  {
    Locked printing(Lock::Printing);
    handler = printHandler;
    user = printUser;
  }
  handler(line, user);
}

void tilewright::printMessage(const char *message, int32_t kind, uint64_t bits,
                              int64_t block) {
  char value[64] = "";
  double number;
  memcpy(&number, &bits, sizeof(number));
  if (kind == TW_PRINT_I64)
    snprintf(value, sizeof(value), ": %" PRId64, static_cast<int64_t>(bits));
  else if (kind == TW_PRINT_U64)
    snprintf(value, sizeof(value), ": %" PRIu64, bits);
  else if (kind == TW_PRINT_F64)
    snprintf(value, sizeof(value), ": %.9g", number);
  char line[1024];
  snprintf(line, sizeof(line), "%s%s (block %" PRId64 ")", message, value, block);
  printLine(line);
}

void LowestFault::add(const char *kernel, const char *message, const char *where,
                      int64_t block) {
  pthread_mutex_lock(&lock);
  if (!isSet || block < lowest) {
    isSet = true;
    lowest = block;
    snprintf(text, sizeof(text), "%s: %s: %s (block %" PRId64 ")", where, kernel, message,
             block);
  }
  pthread_mutex_unlock(&lock);
}
