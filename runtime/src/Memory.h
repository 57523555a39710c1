//===- Memory.h - Arenas and workspaces --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_MEMORY_H
#define TILEWRIGHT_RUNTIME_SRC_MEMORY_H

#include <cstddef>
#include <cstdint>

namespace tilewright {

/// Memory from allocateMemory: aligned to 64 bytes, contents undefined.
struct MemoryBlock {
  void *data = nullptr;
  size_t capacity = 0;
};

/// At least `bytes`, on huge pages where that many fit; no data when there is none.
MemoryBlock allocateMemory(size_t bytes);
void freeMemory(MemoryBlock block);

/// As allocateMemory, but takes a block that fits from the cache of released ones:
/// fresh memory costs a page fault for every page at its first use.
MemoryBlock acquireMemory(size_t bytes);
void releaseMemory(MemoryBlock block);

/// Around fork(), so that the child does not inherit the cache's lock held.
void lockMemoryCache();
void unlockMemoryCache();

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_MEMORY_H
