//===- Devices.cpp - The runtime's start, and what its device is --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

#include <cstdio>
#include <cstring>

using namespace tilewright::hip;
using tilewright::amdgpu::Target;

static constexpr int kilo = 1024, mega = 1024 * 1024;
static constexpr Part parts[] = {
    {"gfx90a", "MI210", 104, 1700000, 1600000, 4096, 8 * mega, 64 * kilo},
    {"gfx942", "MI300X", 304, 2100000, 1300000, 8192, 4 * mega, 64 * kilo},
    {"gfx950", "MI355X", 256, 2400000, 2000000, 8192, 4 * mega, 160 * kilo},
    {"gfx1100", "RX 7900 XTX", 48, 2500000, 1250000, 384, 6 * mega, 128 * kilo},
    {"gfx1201", "RX 9070 XT", 32, 2970000, 1258000, 256, 8 * mega, 128 * kilo},
};

static const Part *findPart(const std::string &arch) {
  for (const Part &part : parts)
    if (part.arch == arch)
      return &part;
  return nullptr;
}

static int multiprocessorsOf(const std::string &arch) {
  const Part *part = findPart(arch);
  return part ? part->multiprocessors : 0; // the emulator refuses that arch
}

const Vendor tilewright::emulator::driver::vendor = {/*arch=*/"gfx942",
                                                     /*launchCall=*/"hipLaunchKernel",
                                                     /*badProgram=*/InvalidImage,
                                                     /*extraEnd=*/3,
                                                     /*arrayType=*/10,
                                                     /*unifiedType=*/11,
                                                     /*isImplicit=*/true,
                                                     multiprocessorsOf};

const Part &tilewright::hip::getPart(const Driver &driver) {
  return *findPart(driver.arch);
}

const Target &tilewright::hip::getTarget(const Driver &driver) {
  return *tilewright::amdgpu::findTarget(driver.arch);
}

//===----------------------------------------------------------------------===//
// Start
//===----------------------------------------------------------------------===//

/// Runs `work` once the driver has started, where there is the device `device`.
template <typename Work> static Result withDevice(int device, Work work) {
  return note(enterDevice(device, work));
}

TW_CALL Result hipInit(unsigned flags) {
  if (flags)
    return note(InvalidValue);
  return withDevice(0, [](Driver &) { return Success; });
}

TW_CALL Result hipDriverGetVersion(int *version) {
  if (!version)
    return note(InvalidValue);
  *version = driverVersion;
  return Success;
}
TW_CALL_ALIAS(hipRuntimeGetVersion, hipDriverGetVersion);

TW_CALL Result hipGetDeviceCount(int *count) {
  return withDevice(0, [&](Driver &) {
    if (!count)
      return InvalidValue;
    *count = deviceCount();
    return Success;
  });
}

TW_CALL Result hipGetDevice(int *device) { return note(getContextDevice(device)); }

TW_CALL Result hipSetDevice(int device) { return note(selectDevice(device)); }

TW_CALL Result hipDeviceGet(int *device, int ordinal) {
  return withDevice(ordinal, [&](Driver &) {
    if (!device)
      return InvalidValue;
    *device = ordinal;
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

static void describe(const Driver &driver, DeviceProperties &made) {
  const Part &part = getPart(driver);
  const Target &target = getTarget(driver);
  made = {};
  snprintf(made.name, sizeof(made.name), "Tilewright emulator (%s)", driver.arch.c_str());
  // On CDNA the names say which of the modes of memory are on.
  snprintf(made.gcnArchName, sizeof(made.gcnArchName), "%s%s", driver.arch.c_str(),
           target.isCdna() ? ":sramecc+:xnack-" : "");
  snprintf(made.uuid.bytes, sizeof(made.uuid.bytes), "tw-%s", driver.arch.c_str());
  made.totalGlobalBytes = driver.memoryBytes;
  made.sharedBytesPerBlock = made.sharedBytesPerBlockOptin = target.ldsBytes;
  made.sharedBytesPerMultiprocessor = made.maxSharedBytesPerMultiprocessor =
      static_cast<size_t>(part.sharedBytes);
  made.registersPerBlock = made.registersPerMultiprocessor = 65536;
  made.warpSize = static_cast<int>(target.waveSize);
  made.maxPitch = made.totalConstBytes = 0x7fffffff;
  made.maxThreadsPerBlock = 1024;
  for (int axis = 0; axis < 3; ++axis) {
    made.maxBlock[axis] = 1024;
    made.maxGrid[axis] = axis == 0 ? 0x7fffffff : 65536;
  }
  made.clockRate = part.clockRate;
  made.memoryClockRate = part.memoryClockRate;
  made.memoryBusWidth = part.memoryBusWidth;
  made.l2Bytes = part.l2Bytes;
  made.clockInstructionRate = 100000;
  made.major = majorOf(driver);
  made.minor = minorOf(driver);
  made.textureAlignment = made.texturePitchAlignment = 256;
  made.multiprocessors = driver.multiprocessors;
  made.maxThreadsPerMultiprocessor = maxThreadsPerMultiprocessor;
  made.maxBlocksPerMultiprocessor = maxBlocksPerMultiprocessor;
  made.concurrentKernels = made.deviceOverlap = made.copyEngines = 1;
  made.streamPriorities = made.cooperativeLaunch = made.memoryPools = 1;
  made.unifiedAddressing = made.hostRegister = 1;
  made.features = 0x1ffff; // all of hipDeviceArch_t's
}

TW_CALL Result hipGetDevicePropertiesR0600(DeviceProperties *properties, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!properties)
      return InvalidValue;
    describe(driver, *properties);
    return Success;
  });
}

TW_CALL Result hipGetDevicePropertiesR0000(OldDeviceProperties *old, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!old)
      return InvalidValue;
    DeviceProperties made;
    describe(driver, made);
    *old = {};
    memcpy(old->name, made.name, sizeof(old->name));
    memcpy(old->gcnArchName, made.gcnArchName, sizeof(old->gcnArchName));
    memcpy(old->maxBlock, made.maxBlock, sizeof(old->maxBlock));
    memcpy(old->maxGrid, made.maxGrid, sizeof(old->maxGrid));
    old->totalGlobalBytes = made.totalGlobalBytes;
    old->sharedBytesPerBlock = made.sharedBytesPerBlock;
    old->maxSharedBytesPerMultiprocessor = made.maxSharedBytesPerMultiprocessor;
    old->registersPerBlock = made.registersPerBlock;
    old->warpSize = made.warpSize;
    old->maxThreadsPerBlock = made.maxThreadsPerBlock;
    old->clockRate = made.clockRate;
    old->memoryClockRate = made.memoryClockRate;
    old->memoryBusWidth = made.memoryBusWidth;
    old->totalConstBytes = made.totalConstBytes;
    old->major = made.major;
    old->minor = made.minor;
    old->multiprocessors = made.multiprocessors;
    old->l2Bytes = made.l2Bytes;
    old->maxThreadsPerMultiprocessor = made.maxThreadsPerMultiprocessor;
    old->clockInstructionRate = made.clockInstructionRate;
    old->features = made.features;
    old->concurrentKernels = made.concurrentKernels;
    old->cooperativeLaunch = made.cooperativeLaunch;
    old->maxPitch = made.maxPitch;
    old->textureAlignment = made.textureAlignment;
    old->texturePitchAlignment = made.texturePitchAlignment;
    return Success;
  });
}
/// The name of programs that were compiled before there were two.
TW_CALL_ALIAS(hipGetDeviceProperties, hipGetDevicePropertiesR0000);

/// What an attribute of the device is; 0 where a feature is asked for that is not
/// emulated.
static int getAttribute(const Driver &driver, int attribute) {
  DeviceProperties all;
  describe(driver, all);
  switch (attribute) {
  case AttributeAsyncEngineCount:
    return all.copyEngines;
  case AttributeClockRate:
    return all.clockRate;
  case AttributeConcurrentKernels:
    return all.concurrentKernels;
  case AttributeCooperativeLaunch:
    return all.cooperativeLaunch;
  case AttributeDeviceOverlap:
    return all.deviceOverlap;
  case AttributeL2CacheSize:
    return all.l2Bytes;
  case AttributeComputeCapabilityMajor:
    return all.major;
  case AttributeComputeCapabilityMinor:
    return all.minor;
  case AttributeMaxBlocksPerMultiProcessor:
    return all.maxBlocksPerMultiprocessor;
  case AttributeMaxBlockDimX:
  case AttributeMaxBlockDimY:
  case AttributeMaxBlockDimZ:
    return all.maxBlock[attribute - AttributeMaxBlockDimX];
  case AttributeMaxGridDimX:
  case AttributeMaxGridDimY:
  case AttributeMaxGridDimZ:
    return all.maxGrid[attribute - AttributeMaxGridDimX];
  case AttributeMaxThreadsDim:
  case AttributeMaxThreadsPerBlock:
    return all.maxThreadsPerBlock;
  case AttributeMaxThreadsPerMultiProcessor:
    return all.maxThreadsPerMultiprocessor;
  case AttributeMaxPitch:
  case AttributeTotalConstantMemory:
    return static_cast<int>(all.maxPitch);
  case AttributeMemoryBusWidth:
    return all.memoryBusWidth;
  case AttributeMemoryClockRate:
    return all.memoryClockRate;
  case AttributeMultiprocessorCount:
    return all.multiprocessors;
  case AttributeMaxRegistersPerBlock:
  case AttributeMaxRegistersPerMultiprocessor:
    return all.registersPerBlock;
  case AttributeMaxSharedMemoryPerBlock:
  case AttributeSharedMemPerBlockOptin:
    return static_cast<int>(all.sharedBytesPerBlock);
  case AttributeSharedMemPerMultiprocessor:
  case AttributeMaxSharedMemoryPerMultiprocessor:
    return static_cast<int>(all.sharedBytesPerMultiprocessor);
  case AttributeStreamPrioritiesSupported:
    return all.streamPriorities;
  case AttributeTextureAlignment:
  case AttributeTexturePitchAlignment:
    return static_cast<int>(all.textureAlignment);
  case AttributeUnifiedAddressing:
    return all.unifiedAddressing;
  case AttributeWarpSize:
    return all.warpSize;
  case AttributeMemoryPoolsSupported:
    return all.memoryPools;
  case AttributeHostRegisterSupported:
    return all.hostRegister;
  case AttributeClockInstructionRate:
  case AttributeWallClockRate:
    return all.clockInstructionRate;
  default:
    return 0;
  }
}

TW_CALL Result hipDeviceGetAttribute(int *value, int attribute, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!value || attribute < 0)
      return InvalidValue;
    *value = getAttribute(driver, attribute);
    return Success;
  });
}

TW_CALL Result hipDeviceComputeCapability(int *major, int *minor, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!major || !minor)
      return InvalidValue;
    *major = getAttribute(driver, AttributeComputeCapabilityMajor);
    *minor = getAttribute(driver, AttributeComputeCapabilityMinor);
    return Success;
  });
}

TW_CALL Result hipDeviceGetName(char *name, int length, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!name || length <= 0)
      return InvalidValue;
    snprintf(name, static_cast<size_t>(length), "Tilewright emulator (%s)",
             driver.arch.c_str());
    return Success;
  });
}

TW_CALL Result hipDeviceGetUuid(Uuid *uuid, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!uuid)
      return InvalidValue;
    DeviceProperties made;
    describe(driver, made);
    *uuid = made.uuid;
    return Success;
  });
}

TW_CALL Result hipDeviceTotalMem(size_t *bytes, int device) {
  return withDevice(device, [&](Driver &driver) {
    if (!bytes)
      return InvalidValue;
    *bytes = driver.memoryBytes;
    return Success;
  });
}

TW_CALL Result hipDeviceGetPCIBusId(char *id, int length, int device) {
  return withDevice(device, [&](Driver &) {
    if (!id || length < 13)
      return InvalidValue;
    snprintf(id, static_cast<size_t>(length), "0000:00:00.0");
    return Success;
  });
}

TW_CALL Result hipDeviceCanAccessPeer(int *can, int device, int) {
  return withDevice(device, [&](Driver &) {
    if (!can)
      return InvalidValue;
    *can = 0;
    return Success;
  });
}

TW_CALL Result hipDeviceSynchronize() { return note(synchronize()); }

/// Forgets the fault of a kernel. Memory stays, which HIP itself would free.
TW_CALL Result hipDeviceReset() { return note(resetPrimary(getDriver().ordinal)); }

TW_CALL Result hipDeviceGetStreamPriorityRange(int *least, int *greatest) {
  return note(getPriorityRange(least, greatest));
}

TW_CALL Result hipSetDeviceFlags(unsigned flags) {
  return note(setPrimaryFlags(getDriver().ordinal, flags));
}

TW_CALL Result hipGetDeviceFlags(unsigned *flags) { return note(getContextFlags(flags)); }

//===----------------------------------------------------------------------===//
// What HIP has not
//===----------------------------------------------------------------------===//

TW_CALL Result hipTilewrightDevice(int *device, const char *arch) {
  return embedDevice(device, arch);
}

TW_CALL void hipTilewrightReport(const char **text, const char **records) {
  takeReport(text, records);
}

TW_CALL Result hipTilewrightInstructions(int device, uint64_t *count) {
  return countInstructions(device, count);
}
