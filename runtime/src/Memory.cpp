//===- Memory.cpp - Arenas and workspaces ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"

#include <cstdlib>
#include <cstring>
#include <pthread.h>
#include <sys/mman.h>

using namespace tilewright;

static constexpr size_t hugePage = size_t(2) << 20;
static constexpr size_t alignment = 64;

static size_t roundUp(size_t bytes, size_t multiple) {
  return (bytes + multiple - 1) / multiple * multiple;
}

MemoryBlock tilewright::allocateMemory(size_t bytes) {
  if (bytes > SIZE_MAX / 2)
    return {};
  size_t capacity = roundUp(bytes ? bytes : 1, alignment);
  if (capacity < hugePage) {
    void *data = nullptr;
    if (posix_memalign(&data, alignment, capacity) != 0)
      return {};
    return {data, capacity};
  }

  // Map one huge page more than asked for and give back what lies outside.
  capacity = roundUp(capacity, hugePage);
  void *mapped = mmap(nullptr, capacity + hugePage, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED)
    return {};
  char *start = static_cast<char *>(mapped);
  size_t before = roundUp(reinterpret_cast<size_t>(start), hugePage) -
                  reinterpret_cast<size_t>(start);
  if (before)
    munmap(start, before);
  munmap(start + before + capacity, hugePage - before);
  madvise(start + before, capacity, MADV_HUGEPAGE);
  return {start + before, capacity};
}

void tilewright::freeMemory(MemoryBlock block) {
  if (block.capacity >= hugePage)
    munmap(block.data, block.capacity);
  else
    free(block.data);
}

//===----------------------------------------------------------------------===//
// The cache of released blocks
//===----------------------------------------------------------------------===//

static constexpr int cacheEntries = 16;
static constexpr size_t cacheBytes = size_t(256) << 20;

/// Released blocks, the one released longest ago first.
static MemoryBlock cached[cacheEntries];
static int cachedCount = 0;
static size_t cachedBytes = 0;
static pthread_mutex_t cacheLock = PTHREAD_MUTEX_INITIALIZER;

static MemoryBlock takeCached(int index) {
  MemoryBlock block = cached[index];
  --cachedCount;
  memmove(cached + index, cached + index + 1,
          (cachedCount - index) * sizeof(MemoryBlock));
  cachedBytes -= block.capacity;
  return block;
}

MemoryBlock tilewright::acquireMemory(size_t bytes) {
  pthread_mutex_lock(&cacheLock);
  int best = -1;
  for (int i = 0; i < cachedCount; ++i)
    if (cached[i].capacity >= bytes &&
        (best < 0 || cached[i].capacity < cached[best].capacity))
      best = i;
  // A block much larger than needed is left for those who need it.
  bool fits = best >= 0 && cached[best].capacity / 4 <= bytes + alignment;
  MemoryBlock block = fits ? takeCached(best) : MemoryBlock{};
  pthread_mutex_unlock(&cacheLock);
  return fits ? block : allocateMemory(bytes);
}

void tilewright::releaseMemory(MemoryBlock block) {
  if (block.capacity > cacheBytes)
    return freeMemory(block);
  MemoryBlock dropped[cacheEntries];
  int droppedCount = 0;
  pthread_mutex_lock(&cacheLock);
  while (cachedCount == cacheEntries || cachedBytes + block.capacity > cacheBytes)
    dropped[droppedCount++] = takeCached(0);
  cached[cachedCount++] = block;
  cachedBytes += block.capacity;
  pthread_mutex_unlock(&cacheLock);
  for (int i = 0; i < droppedCount; ++i)
    freeMemory(dropped[i]);
}

void tilewright::lockMemoryCache() { pthread_mutex_lock(&cacheLock); }
void tilewright::unlockMemoryCache() { pthread_mutex_unlock(&cacheLock); }
