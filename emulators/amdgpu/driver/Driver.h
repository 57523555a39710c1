//===- Driver.h - A stand-in for HIP's runtime --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// libamdhip64.so with the calls that launchers and compiled HIP programs make. As HIP's
// runtime it starts with the first call, and each thread has the device's primary context
// until it sets another.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_DRIVER_H
#define TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_DRIVER_H

#include "emulators/amdgpu/Target.h"
#include "emulators/amdgpu/driver/Types.h"
#include "emulators/common/driver/Driver.h"

namespace tilewright::hip {

/// HIP 7.1, major * 10000000 + minor * 100000 + patch.
constexpr int driverVersion = 70100000;

/// Notes a call's result for hipGetLastError and gives it back.
Result note(Result result);

/// What programs are told of a device: the numbers of a well-known product of each GPU.
struct Part {
  std::string_view arch;
  const char *product;
  int multiprocessors;            ///< compute units, on RDNA pairs of them
  int clockRate, memoryClockRate; ///< kHz
  int memoryBusWidth, l2Bytes;
  int sharedBytes; ///< LDS of a multiprocessor
};
/// Of the driver's device.
const Part &getPart(const Driver &driver);
const amdgpu::Target &getTarget(const Driver &driver);
/// gfx942 is 9.4, gfx1100 is 11.0.
inline int majorOf(const Driver &driver) {
  return static_cast<int>(getTarget(driver).generation);
}
inline int minorOf(const Driver &driver) {
  return driver.arch[driver.arch.size() - 2] - '0';
}

constexpr int maxThreadsPerMultiprocessor = 2048, maxBlocksPerMultiprocessor = 32;
/// Loads the code object for the device out of `image`, which is one or a bundle of them;
/// `why`, if it is not null, is why there is none.
Result loadImage(const char *call, Module **module, std::string_view image,
                 std::string *why = nullptr);

/// The function of a kernel of the program itself, which it names by an address of the
/// host. A function of a module stands for itself.
Result findHostFunction(const void *host, Function **function);

/// Copies in the direction that hipMemcpyKind says.
Result copyAs(const char *call, DevicePointer to, DevicePointer from, size_t bytes,
              int kind, Stream *stream);

Result launch(const LaunchConfig &config, Function *function, void **params,
              void **extra);

} // namespace tilewright::hip

#endif // TILEWRIGHT_EMULATORS_AMDGPU_DRIVER_DRIVER_H
