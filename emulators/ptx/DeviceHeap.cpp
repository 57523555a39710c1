//===- DeviceHeap.cpp - What programs allocate --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/DeviceHeap.h"

using namespace tilewright::ptx;
using tilewright::emulator::Allocation;

uint64_t DeviceHeap::allocate(uint64_t bytes, uint64_t align, const std::string &name) {
  std::lock_guard<std::mutex> guard(lock);
  if (bytes == 0 || bytes > limit || used > limit - bytes)
    return 0;
  Allocation *made = memory.allocate(bytes, name, align);
  if (!made)
    return 0;
  used += bytes;
  sizes.emplace(made->base, bytes);
  return made->base;
}

DeviceHeap::Freed DeviceHeap::release(uint64_t address) {
  std::lock_guard<std::mutex> guard(lock);
  auto found = sizes.find(address);
  if (found == sizes.end())
    return Freed::NotAllocated;
  if (!memory.retire(address))
    return Freed::Twice;
  used -= found->second;
  return Freed::Done;
}
