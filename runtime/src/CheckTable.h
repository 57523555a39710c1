//===- CheckTable.h - A view of the table of a checked kernel ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CHECK_TABLE_H
#define TILEWRIGHT_RUNTIME_SRC_CHECK_TABLE_H

#include "tilewright/checks.h"

namespace tilewright {

struct CheckMemory {
  int64_t name, space, dtype, rank, extents, loop, flags, reserved;

  bool isGlobal() const { return space == 0; }
};
static_assert(sizeof(CheckMemory) == TW_CHECKS_MEMORY_WORDS * 8);

struct CheckLoop {
  int64_t outer, rank, names, extents;

  bool isParallel() const { return extents != 0; }
};
static_assert(sizeof(CheckLoop) == TW_CHECKS_LOOP_WORDS * 8);

struct CheckSite {
  int64_t kind, memory, loop, operation, file, line, column, callers, sizes, axis,
      otherMemory, otherSizes, flags, reserved;
};
static_assert(sizeof(CheckSite) == TW_CHECKS_SITE_WORDS * 8);

/// The table's layout is in checks.h.
class CheckTable {
  const int64_t *words;

  const int64_t *memories() const { return words + TW_CHECKS_HEADER_WORDS; }
  const int64_t *loops() const {
    return memories() + memoryCount() * TW_CHECKS_MEMORY_WORDS;
  }
  const int64_t *sites() const { return loops() + loopCount() * TW_CHECKS_LOOP_WORDS; }

public:
  explicit CheckTable(const int64_t *words) : words(words) {}

  int64_t memoryCount() const { return words[2]; }
  int64_t loopCount() const { return words[3]; }
  int64_t siteCount() const { return words[4]; }

  const CheckMemory &memory(int64_t index) const {
    return reinterpret_cast<const CheckMemory *>(memories())[index];
  }
  const CheckLoop &loop(int64_t index) const {
    return reinterpret_cast<const CheckLoop *>(loops())[index];
  }
  const CheckSite &site(int64_t index) const {
    return reinterpret_cast<const CheckSite *>(sites())[index];
  }
  const int64_t *at(int64_t offset) const { return words + offset; }
  const char *string(int64_t offset) const {
    return reinterpret_cast<const char *>(words + words[5]) + offset;
  }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CHECK_TABLE_H
