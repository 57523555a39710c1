//===- InitialState.h - What a wave's registers hold when it starts -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_INITIALSTATE_H
#define TILEWRIGHT_EMULATORS_AMDGPU_INITIALSTATE_H

#include "emulators/amdgpu/WorkGroup.h"

namespace tilewright::amdgpu {

/// Writes the arguments, hidden ones included, and the dispatch packet to memory.
/// "" or why they cannot be.
std::string prepareMemory(LaunchRun &launch);
/// Frees them.
void releaseMemory(LaunchRun &launch);

/// Sets the registers that the kernel's descriptor asks for, and where the wave starts.
void initialise(Wave &wave);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_INITIALSTATE_H
