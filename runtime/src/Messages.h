//===- Messages.h - What running kernels say ---------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_MESSAGES_H
#define TILEWRIGHT_RUNTIME_SRC_MESSAGES_H

#include "Error.h"

#include <pthread.h>

namespace tilewright {

/// Gives `line` to whoever receives what kernels print.
void printLine(const char *line);
/// The same of a message, as `print` of the host table takes it.
void printMessage(const char *message, int32_t kind, uint64_t bits, int64_t block);

/// The fault of the lowest block, which does not depend on the order of blocks.
class LowestFault {
  pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
  bool isSet = false;
  int64_t lowest = 0;
  char text[1024];

public:
  void add(const char *kernel, const char *message, const char *where, int64_t block);
  /// TW_OK, or the recorded failure. Once nothing adds any more.
  tw_status report() const { return isSet ? fail(TW_ERROR_FAULT, "%s", text) : TW_OK; }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_MESSAGES_H
