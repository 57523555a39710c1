//===- MemoryStatistics.h - What memory accesses cost -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_MEMORYSTATISTICS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_MEMORYSTATISTICS_H

#include "emulators/amdgpu/VectorMemory.h"

namespace tilewright::amdgpu {

/// Counts an access of `lanes` to `bytes` bytes each at `at`: the bytes, and where the
/// launch asks for it, by instruction, sectors of 32 bytes of global memory, and cycles
/// of LDS. A cycle gives each bank's word of four bytes once; lanes go in groups that
/// would fill the banks.
void countAccess(Wave &wave, Space space, const Lanes64 &at, uint64_t lanes,
                 unsigned bytes, Access access);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_MEMORYSTATISTICS_H
