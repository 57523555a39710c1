//===- FaultLog.h - What a checked launch did wrong --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reports are texts and JSON records of the emulators' schema: rules that mean the same
// have the same names, and so have fields (docs/checking.md).
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_FAULT_LOG_H
#define TILEWRIGHT_RUNTIME_SRC_FAULT_LOG_H

#include "Buffer.h"

#include <cstdint>

namespace tilewright {

enum class Rule { OutOfBounds, Uninitialised, Race, NonFinite, Trap };

/// The variables of the loops around a place and their values.
struct Iteration {
  static constexpr int maximum = 32; // deeper loops are left out of reports
  int count = 0;
  const char *names[maximum];
  int64_t values[maximum];

  void add(const char *name, int64_t value) {
    if (count < maximum)
      names[count] = name, values[count] = value, ++count;
  }
};

/// Where in the source, and who was there.
struct FaultPlace {
  const char *operation = "", *file = "", *callers = "";
  int64_t line = 0, column = 0;
  int64_t block[3] = {0, 0, 0};
  Iteration iteration;
};

struct Fault {
  Rule rule;
  /// What tells the place from others: a second fault there is counted, not listed.
  const void *key;
  const char *message;
  FaultPlace place;
  /// The element, where there is one.
  const char *memory = "";
  int rank = 0;
  const int64_t *index = nullptr;
  /// Of a race: the other access, and what it did; nullptr where there is none.
  const FaultPlace *other = nullptr;
  const char *otherAccess = "";
};

/// The faults of one launch, in the order in which they arose.
class FaultLog {
  struct Entry {
    Rule rule;
    const void *key;
    Buffer text, json;
    uint64_t repeated;
  };
  static constexpr int maximum = 32;
  Entry entries[maximum];
  int count = 0;
  uint64_t unlisted = 0;

public:
  void add(const char *kernel, const Fault &fault);
  bool isEmpty() const { return count == 0; }
  /// All reports, and all records as a JSON array.
  void format(Buffer &text, Buffer &json);
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_FAULT_LOG_H
