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

#include "emulators/common/driver/Driver.h"

using namespace tilewright::emulator::driver;

struct tilewright::emulator::driver::Pool {
  std::map<int, uint64_t> attributes; ///< what programs have set
};

namespace {
/// Numbered as both vendors' drivers do.
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

Result tilewright::emulator::driver::getPool(Pool **pool, int device) {
  return enterDevice(device, [&](Driver &) {
    if (!pool)
      return InvalidValue;
    *pool = &defaultPool;
    return Success;
  });
}

Result tilewright::emulator::driver::checkPool(Pool *pool) {
  return enter([&](Driver &) { return pool == &defaultPool ? Success : InvalidValue; });
}

Result tilewright::emulator::driver::allocateFromPool(const char *call,
                                                      DevicePointer *address,
                                                      size_t bytes, Pool *pool,
                                                      Stream *stream) {
  Result result = checkPool(pool);
  return result ? result : allocateOnStream(call, address, bytes, stream);
}

Result tilewright::emulator::driver::setPoolAttribute(Pool *pool, int attribute,
                                                      const void *value) {
  return enter([&](Driver &) {
    if (pool != &defaultPool || !value)
      return InvalidValue;
    if (attribute >= ReuseFollowEvents && attribute <= ReuseAllowInternal)
      pool->attributes[attribute] = *static_cast<const int *>(value);
    else if (attribute == ReleaseThreshold)
      pool->attributes[attribute] = *static_cast<const uint64_t *>(value);
    else if (attribute != ReservedHigh && attribute != UsedHigh) // which may be reset
      return InvalidValue;
    return Success;
  });
}

Result tilewright::emulator::driver::getPoolAttribute(Pool *pool, int attribute,
                                                      void *value) {
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
