//===- MemoryTest.cpp - Arenas and workspaces --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/src/Memory.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <vector>

using namespace tilewright;

namespace {

constexpr size_t mebibyte = size_t(1) << 20;

uintptr_t addressOf(MemoryBlock block) { return reinterpret_cast<uintptr_t>(block.data); }

TEST(Memory, IsAlignedAndWritable) {
  for (size_t bytes : {size_t(0), size_t(1), size_t(64), size_t(65), 2 * mebibyte - 1,
                       2 * mebibyte, 2 * mebibyte + 1, 7 * mebibyte}) {
    MemoryBlock block = allocateMemory(bytes);
    ASSERT_NE(block.data, nullptr);
    EXPECT_GE(block.capacity, bytes);
    EXPECT_EQ(addressOf(block) % 64, 0u);
    if (bytes >= 2 * mebibyte) {
      EXPECT_EQ(addressOf(block) % (2 * mebibyte), 0u) << "huge pages";
    }
    memset(block.data, 0x5a, block.capacity);
    freeMemory(block);
  }
}

TEST(Memory, ThatThereIsNotIsNoBlock) {
  EXPECT_EQ(allocateMemory(SIZE_MAX).data, nullptr);
  EXPECT_EQ(allocateMemory(size_t(1) << 60).data, nullptr);
}

TEST(Memory, ReleasedBlocksAreTakenAgain) {
  MemoryBlock first = acquireMemory(3 * mebibyte);
  releaseMemory(first);
  MemoryBlock again = acquireMemory(3 * mebibyte - 100);
  EXPECT_EQ(again.data, first.data);
  MemoryBlock other = acquireMemory(3 * mebibyte);
  EXPECT_NE(other.data, again.data) << "one block, one owner";
  releaseMemory(again);
  releaseMemory(other);
}

TEST(Memory, ALargeBlockIsNotSpentOnASmallOne) {
  MemoryBlock large = acquireMemory(64 * mebibyte);
  releaseMemory(large);
  MemoryBlock small = acquireMemory(1000);
  EXPECT_LT(small.capacity, mebibyte);
  releaseMemory(small);
}

/// A process that once used much memory does not keep it all.
TEST(Memory, TheCacheIsBounded) {
  std::vector<MemoryBlock> blocks;
  for (int i = 0; i < 40; ++i)
    blocks.push_back(acquireMemory(20 * mebibyte));
  for (MemoryBlock block : blocks)
    releaseMemory(block);
  int mapped = 0;
  for (MemoryBlock block : blocks) {
    // mincore fails for what was unmapped.
    unsigned char resident;
    mapped += mincore(block.data, 1, &resident) == 0;
  }
  EXPECT_GT(mapped, 0);
  EXPECT_LE(mapped * 20, 256);
}

TEST(Memory, ManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([t] {
      for (int i = 0; i < 300; ++i) {
        size_t bytes = 100 + (i * 7919) % 50000;
        MemoryBlock block = acquireMemory(bytes);
        memset(block.data, t, bytes);
        std::this_thread::yield();
        for (size_t k = 0; k < bytes; k += 97)
          ASSERT_EQ(static_cast<char *>(block.data)[k], t);
        releaseMemory(block);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
