//===- Driver.h - A stand-in for the CUDA driver ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// libcuda.so.1 with the calls that launchers make.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H
#define TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H

#include "emulators/common/driver/Driver.h"
#include "emulators/ptx/driver/Types.h"

#include <cstdlib>

namespace tilewright::cuda {

/// What an image is for: versions that programs see. Newer than those for which launchers
/// patch tensor maps by hand (CUDA 13.1 and older), since the emulator's are others.
constexpr int driverVersion = 13020;

/// 90 of "sm_90a".
inline int capabilityOf(const std::string &arch) {
  return arch.size() > 3 ? atoi(arch.c_str() + 3) : 0;
}
inline int majorOf(const Driver &driver) { return capabilityOf(driver.arch) / 10; }
inline int minorOf(const Driver &driver) { return capabilityOf(driver.arch) % 10; }

} // namespace tilewright::cuda

#endif // TILEWRIGHT_EMULATORS_PTX_DRIVER_DRIVER_H
