//===- Pools.cpp - Memory pools -----------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each piece of memory is an allocation of its own, so that accesses are checked, and
// freed at once. A pool is a name alone: the device has its default one.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <map>

using namespace tilewright::cuda;

namespace {
struct Pool {
  std::map<int, uint64_t> attributes; ///< what programs have set
};

/// Numbered as the driver does.
enum PoolAttribute {
  ReuseFollowEvents = 1,
  ReuseAllowOpportunistic = 2,
  ReuseAllowInternal = 3,
  ReleaseThreshold = 4,
  ReservedNow = 5,
  ReservedHigh = 6,
  UsedNow = 7,
  UsedHigh = 8,
};
} // namespace

static Pool defaultPool = {
    {{ReuseFollowEvents, 1}, {ReuseAllowOpportunistic, 1}, {ReuseAllowInternal, 1}}};

TW_CALL Result cuDeviceGetDefaultMemPool(Pool **pool, int device) {
  return enter([&](Driver &) {
    if (device)
      return InvalidDevice;
    if (!pool)
      return InvalidValue;
    *pool = &defaultPool;
    return Success;
  });
}
TW_CALL_ALIAS(cuDeviceGetMemPool, cuDeviceGetDefaultMemPool);

TW_CALL Result cuDeviceSetMemPool(int device, Pool *pool) {
  return enter([&](Driver &) {
    return device ? InvalidDevice : pool == &defaultPool ? Success : InvalidValue;
  });
}

TW_CALL Result cuMemPoolSetAttribute(Pool *pool, int attribute, void *value) {
  return enter([&](Driver &) {
    if (pool != &defaultPool || !value)
      return InvalidValue;
    if (attribute >= ReuseFollowEvents && attribute <= ReuseAllowInternal)
      pool->attributes[attribute] = *static_cast<int *>(value);
    else if (attribute == ReleaseThreshold)
      pool->attributes[attribute] = *static_cast<uint64_t *>(value);
    else if (attribute != ReservedHigh && attribute != UsedHigh) // which may be reset
      return InvalidValue;
    return Success;
  });
}

TW_CALL Result cuMemPoolGetAttribute(Pool *pool, int attribute, void *value) {
  return enter([&](Driver &driver) {
    if (pool != &defaultPool || !value)
      return InvalidValue;
    if (attribute >= ReuseFollowEvents && attribute <= ReuseAllowInternal)
      *static_cast<int *>(value) = static_cast<int>(pool->attributes[attribute]);
    else if (attribute == ReleaseThreshold)
      *static_cast<uint64_t *>(value) = pool->attributes[attribute];
    else if (attribute >= ReservedNow && attribute <= UsedHigh)
      *static_cast<uint64_t *>(value) = tw_emulator_memory_used(driver.device);
    else
      return InvalidValue;
    return Success;
  });
}

TW_CALL Result cuMemPoolTrimTo(Pool *pool, size_t) {
  return enter([&](Driver &) { return pool == &defaultPool ? Success : InvalidValue; });
}

TW_CALL Result cuMemAlloc_v2(DevicePointer *address, size_t bytes);

TW_CALL Result cuMemAllocFromPoolAsync(DevicePointer *address, size_t bytes, Pool *pool,
                                       Stream *) {
  return pool == &defaultPool ? cuMemAlloc_v2(address, bytes) : InvalidValue;
}
TW_CALL_ALIAS(cuMemAllocFromPoolAsync_ptsz, cuMemAllocFromPoolAsync);
