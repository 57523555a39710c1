//===- Memory.cpp - Emulated memory that knows what it holds ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Memory.h"

#include <cstring>
#include <mutex>
#include <new>

using namespace tilewright::emulator;

/// What never-written memory holds: a large negative NaN in every float format.
static constexpr uint8_t poisonByte = 0xff;
/// Where global memory starts: far from zero and from the windows of the other spaces.
static constexpr uint64_t firstAddress = 0x0000'0200'0000'0000;
/// Unmapped bytes after each allocation, so that an access past its end hits nothing.
static constexpr uint64_t gap = 1 << 16;
static constexpr size_t lockCount = 1 << 12;

Bytes::Bytes(size_t size) : length(size), bytes(new (std::nothrow) uint8_t[2 * size]) {
  if (!bytes)
    length = 0;
  poison();
}

void Bytes::poison() {
  if (length == 0)
    return;
  memset(data(), poisonByte, length);
  memset(shadow(), NeverWritten, length);
}

namespace {
/// The allocation that a thread found last, and in which memory.
struct LastFound {
  uint64_t memory = 0;
  Allocation *allocation = nullptr;
};
} // namespace

static thread_local LastFound lastFound;
static std::atomic<uint64_t> identities{0};

GlobalMemory::GlobalMemory(uint64_t limit)
    : limit(limit), next(firstAddress), identity(++identities),
      locks(new std::atomic_flag[lockCount]()) {}

GlobalMemory::~GlobalMemory() = default;

Allocation *GlobalMemory::allocate(uint64_t size, std::string name, uint64_t align) {
  std::unique_lock<std::shared_mutex> guard(mutex);
  if (size > limit || used > limit - size)
    return nullptr;
  auto made = std::make_unique<Allocation>();
  align = align < 256 ? 256 : align;
  made->base = (next + align - 1) / align * align;
  made->size = size;
  made->name = std::move(name);
  made->memory = Bytes(size);
  made->serial = ++serials;
  if (made->memory.size() != size)
    return nullptr;
  used += size;
  next = made->base + size + gap;
  Allocation *result = made.get();
  allocations.emplace(result->base, std::move(made));
  return result;
}

bool GlobalMemory::retire(uint64_t base) {
  std::unique_lock<std::shared_mutex> guard(mutex);
  auto found = allocations.find(base);
  if (found == allocations.end() || found->second->freed)
    return false;
  Allocation &allocation = *found->second;
  allocation.freed = true;
  used -= allocation.size;
  retired.push_back(&allocation);
  return true;
}

void GlobalMemory::dropRetired() {
  std::unique_lock<std::shared_mutex> guard(mutex);
  for (Allocation *allocation : retired)
    allocation->memory = Bytes();
  retired.clear();
}

bool GlobalMemory::release(uint64_t base) {
  if (!retire(base))
    return false;
  dropRetired();
  return true;
}

Allocation *GlobalMemory::find(uint64_t address) {
  Allocation *last = lastFound.allocation;
  if (lastFound.memory == identity && address - last->base < last->size)
    return last;
  Allocation *found = findNear(address);
  if (!found || address - found->base >= found->size)
    return nullptr;
  lastFound = {identity, found};
  return found;
}

Allocation *GlobalMemory::findNear(uint64_t address) {
  std::shared_lock<std::shared_mutex> guard(mutex);
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  Allocation *before = std::prev(after)->second.get();
  return address - before->base < before->size + gap ? before : nullptr;
}

std::atomic_flag &GlobalMemory::lockOf(uint64_t address) {
  return locks[(address >> 4) % lockCount];
}
