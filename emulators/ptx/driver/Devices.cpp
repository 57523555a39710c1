//===- Devices.cpp - The driver's start, and what its device is ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <cstdio>
#include <cstring>

using namespace tilewright::cuda;

static int multiprocessorsOf(const std::string &arch) {
  return capabilityOf(arch) >= 90 ? 132 : 108;
}

const Vendor tilewright::emulator::driver::vendor = {/*arch=*/"sm_90a",
                                                     /*launchCall=*/"cuLaunchKernel",
                                                     /*badProgram=*/InvalidPtx,
                                                     /*extraEnd=*/0,
                                                     /*arrayType=*/3,
                                                     /*unifiedType=*/4,
                                                     /*isImplicit=*/false,
                                                     multiprocessorsOf};

TW_CALL Result cuInit(unsigned flags) {
  if (flags)
    return InvalidValue;
  Driver &driver = *findDriver(0);
  std::lock_guard<std::recursive_mutex> locked(driver.lock);
  return driver.device ? Success : start(driver);
}

TW_CALL Result cuDriverGetVersion(int *version) {
  if (!version)
    return InvalidValue;
  *version = driverVersion;
  return Success;
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

TW_CALL Result cuDeviceGet(int *device, int ordinal) {
  return enterDevice(ordinal, [&](Driver &) {
    if (!device)
      return InvalidValue;
    *device = ordinal;
    return Success;
  });
}

TW_CALL Result cuDeviceGetCount(int *count) {
  return enter([&](Driver &) {
    if (!count)
      return InvalidValue;
    *count = deviceCount();
    return Success;
  });
}

TW_CALL Result cuDeviceGetName(char *name, int length, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!name || length <= 0)
      return InvalidValue;
    snprintf(name, static_cast<size_t>(length), "Tilewright emulator (%s)",
             driver.arch.c_str());
    return Success;
  });
}

TW_CALL Result cuDeviceGetUuid(Uuid *uuid, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!uuid)
      return InvalidValue;
    memset(uuid->bytes, 0, sizeof(uuid->bytes));
    snprintf(uuid->bytes, sizeof(uuid->bytes), "tw-%s", driver.arch.c_str());
    return Success;
  });
}
TW_CALL_ALIAS(cuDeviceGetUuid_v2, cuDeviceGetUuid);

TW_CALL Result cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!bytes)
      return InvalidValue;
    *bytes = driver.memoryBytes;
    return Success;
  });
}
TW_CALL_ALIAS(cuDeviceTotalMem, cuDeviceTotalMem_v2);

TW_CALL Result cuDeviceComputeCapability(int *major, int *minor, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!major || !minor)
      return InvalidValue;
    *major = majorOf(driver);
    *minor = minorOf(driver);
    return Success;
  });
}

/// The value of an attribute by the driver's number: limits as the architecture's data
/// centre part has them, and no where a feature is asked for that is not emulated.
static int getAttribute(const Driver &driver, int attribute) {
  bool hopper = majorOf(driver) >= 9, large = hopper || minorOf(driver) == 0;
  int shared = hopper ? 227 : large ? 163 : 99; // KiB that a block may have
  switch (attribute) {
  case 1: // threads of a block
  case 2:
  case 3:
    return 1024;
  case 4:
    return 64;
  case 5: // blocks of a grid
    return 0x7fffffff;
  case 6:
  case 7:
    return 65535;
  case 8: // shared memory of a block that does not ask for more
    return 48 * 1024;
  case 9: // constant memory
    return 64 * 1024;
  case 10: // lanes of a warp
    return 32;
  case 11: // pitch
    return 0x7fffffff;
  case 12: // registers of a block
  case 82: // and of a multiprocessor
    return 65536;
  case 13: // kilohertz
    return hopper ? 1980000 : 1410000;
  case 14: // alignment of textures
  case 30:
    return 512;
  case 15: // copies overlap
  case 31: // kernels at once
  case 41: // one address space
  case 78: // priorities
  case 79: // caches
  case 80:
  case 90:  // preemption
  case 95:  // cooperative launches
  case 115: // stream-ordered allocation
    return 1;
  case 16: // multiprocessors
    return driver.multiprocessors;
  case 36: // kilohertz of memory
    return hopper ? 2619000 : 1215000;
  case 37: // bits of its bus
    return 5120;
  case 38: // bytes of cache
    return (hopper ? 50 : 40) << 20;
  case 39: // threads of a multiprocessor
    return large ? 2048 : 1536;
  case 40: // copy engines
    return 3;
  case 51: // pitch of textures
    return 32;
  case 75:
    return majorOf(driver);
  case 76:
    return minorOf(driver);
  case 81: // shared memory of a multiprocessor
    return (shared + 1) * 1024;
  case 87: // single to double precision
    return large ? 2 : 64;
  case 97: // shared memory of a block that asks for it
    return shared * 1024;
  case 106: // blocks of a multiprocessor
    return large ? 32 : 16;
  case 111: // shared memory that the system takes of a block
    return 1024;
  case 120: // clusters
  case 127: // tensor maps
    return hopper;
  default:
    return 0;
  }
}

TW_CALL Result cuDeviceGetAttribute(int *value, int attribute, int device) {
  return enterDevice(device, [&](Driver &driver) {
    if (!value || attribute < 1 || attribute > 1023)
      return InvalidValue;
    *value = getAttribute(driver, attribute);
    return Success;
  });
}

TW_CALL Result cuDeviceGetPCIBusId(char *id, int length, int device) {
  return enterDevice(device, [&](Driver &) {
    if (!id || length < 13)
      return InvalidValue;
    snprintf(id, static_cast<size_t>(length), "0000:00:00.0");
    return Success;
  });
}

TW_CALL Result cuDeviceCanAccessPeer(int *can, int, int) {
  return enter([&](Driver &) {
    if (!can)
      return InvalidValue;
    *can = 0;
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// What no driver has
//===----------------------------------------------------------------------===//

TW_CALL Result cuTilewrightDevice(int *device, const char *arch) {
  return embedDevice(device, arch);
}

TW_CALL void cuTilewrightReport(const char **text, const char **records) {
  takeReport(text, records);
}

TW_CALL Result cuTilewrightInstructions(int device, uint64_t *count) {
  return countInstructions(device, count);
}
