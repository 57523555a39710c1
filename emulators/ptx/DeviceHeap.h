//===- DeviceHeap.h - What programs allocate ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DEVICEHEAP_H
#define TILEWRIGHT_EMULATORS_PTX_DEVICEHEAP_H

#include "emulators/common/Memory.h"

#include <unordered_map>

namespace tilewright::ptx {

/// The heap of malloc and free of device code. Each piece is an allocation of global
/// memory, so all that is checked of those is checked of it. What no launch frees stays,
/// as on hardware, for the next ones. Any thread may call it.
class DeviceHeap {
public:
  explicit DeviceHeap(emulator::GlobalMemory &memory) : memory(memory) {}

  /// The address of `bytes` bytes that nothing has written; 0 where the heap is full.
  uint64_t allocate(uint64_t bytes, uint64_t align, const std::string &name);
  enum class Freed : uint8_t { Done, NotAllocated, Twice };
  Freed release(uint64_t address);

  /// Bytes that may be allocated at once; cudaLimitMallocHeapSize's default.
  std::atomic<uint64_t> limit{8 << 20};

private:
  emulator::GlobalMemory &memory;
  std::mutex lock;
  uint64_t used = 0;
  std::unordered_map<uint64_t, uint64_t> sizes; // by address; of freed ones, too
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_DEVICEHEAP_H
