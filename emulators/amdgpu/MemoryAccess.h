//===- MemoryAccess.h - From an address to the bytes there --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_MEMORYACCESS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_MEMORYACCESS_H

#include "emulators/amdgpu/WorkGroup.h"

namespace tilewright::amdgpu {

/// Host memory of an emulated address, found for one access of one lane.
struct Place {
  uint8_t *data = nullptr, *shadow = nullptr;
  explicit operator bool() const { return data != nullptr; }
};

/// `bytes` of global memory at `address`: inside one live allocation, writable where they
/// are written, aligned. A place without data means that a fault was reported.
Place findGlobal(Wave &wave, uint64_t address, uint32_t bytes, uint32_t align,
                 unsigned lane, Access access);
/// The same of LDS, at `offset`; noted for the race check.
Place findLds(Wave &wave, uint64_t offset, uint32_t bytes, uint32_t align, unsigned lane,
              Access access);

/// Poison of up to 8 bytes, as a value's: a bit for each.
uint8_t poisonFromShadow(const uint8_t *shadow, unsigned bytes);
void poisonToShadow(uint8_t poison, uint8_t *shadow, unsigned bytes);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_MEMORYACCESS_H
