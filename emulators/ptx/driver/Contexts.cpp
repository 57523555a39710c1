//===- Contexts.cpp - Contexts and each thread's current one ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

TW_CALL Result cuDevicePrimaryCtxRetain(Context **context, int device) {
  return retainPrimary(context, device);
}

TW_CALL Result cuDevicePrimaryCtxRelease_v2(int device) { return releasePrimary(device); }
TW_CALL_ALIAS(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2);

TW_CALL Result cuDevicePrimaryCtxReset_v2(int device) { return resetPrimary(device); }
TW_CALL_ALIAS(cuDevicePrimaryCtxReset, cuDevicePrimaryCtxReset_v2);

TW_CALL Result cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  return setPrimaryFlags(device, flags);
}
TW_CALL_ALIAS(cuDevicePrimaryCtxSetFlags, cuDevicePrimaryCtxSetFlags_v2);

TW_CALL Result cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return getPrimaryState(device, flags, active);
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

TW_CALL Result cuCtxCreate_v2(Context **context, unsigned flags, int device) {
  return createContext(context, flags, device);
}
TW_CALL_ALIAS(cuCtxCreate, cuCtxCreate_v2);

/// With parameters about shares of the device, of which there are none here.
TW_CALL Result cuCtxCreate_v3(Context **context, void *, int count, unsigned flags,
                              int device) {
  if (count)
    return refuse(NotSupported, "cuCtxCreate: execution affinity is not modelled");
  return createContext(context, flags, device);
}

TW_CALL Result cuCtxCreate_v4(Context **context, void *params, unsigned flags,
                              int device) {
  if (params)
    return refuse(NotSupported, "cuCtxCreate: parameters are not modelled");
  return createContext(context, flags, device);
}

TW_CALL Result cuCtxDestroy_v2(Context *context) { return destroyContext(context); }
TW_CALL_ALIAS(cuCtxDestroy, cuCtxDestroy_v2);

TW_CALL Result cuCtxGetCurrent(Context **context) { return getCurrentContext(context); }

TW_CALL Result cuCtxSetCurrent(Context *context) { return setCurrentContext(context); }

TW_CALL Result cuCtxPushCurrent_v2(Context *context) { return pushContext(context); }
TW_CALL_ALIAS(cuCtxPushCurrent, cuCtxPushCurrent_v2);

TW_CALL Result cuCtxPopCurrent_v2(Context **context) { return popContext(context); }
TW_CALL_ALIAS(cuCtxPopCurrent, cuCtxPopCurrent_v2);

TW_CALL Result cuCtxGetDevice(int *device) { return getContextDevice(device); }

TW_CALL Result cuCtxGetFlags(unsigned *flags) { return getContextFlags(flags); }

TW_CALL Result cuCtxGetApiVersion(Context *context, unsigned *version) {
  return enter([&](Driver &) {
    if (!version || (context && !isContext(context)))
      return version ? InvalidContext : InvalidValue;
    *version = driverVersion;
    return Success;
  });
}

TW_CALL Result cuCtxSynchronize() { return synchronize(); }

TW_CALL Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return getPriorityRange(least, greatest);
}

TW_CALL Result cuCtxGetId(Context *context, unsigned long long *id) {
  return enter([&](Driver &) {
    if (!context)
      context = currentContext();
    if (!id || !isContext(context))
      return id ? InvalidContext : InvalidValue;
    *id = reinterpret_cast<uintptr_t>(context);
    return Success;
  });
}

/// There is nothing to profile.
TW_CALL Result cuProfilerStart() {
  return enterContext([](Driver &) { return Success; });
}
TW_CALL_ALIAS(cuProfilerStop, cuProfilerStart);

static constexpr int heapLimit = 2;
/// Sizes of stack, printf's buffer and heap. The heap alone is limited here; the others
/// are only kept.
static constexpr size_t defaultLimits[] = {1024, 1 << 20, 8 << 20};

TW_CALL Result cuCtxGetLimit(size_t *value, int limit) {
  return enterContext([&](Driver &driver) {
    if (!value)
      return InvalidValue;
    auto set = driver.limits.find(limit);
    *value = set != driver.limits.end()         ? set->second
             : limit >= 0 && limit <= heapLimit ? defaultLimits[limit]
                                                : 0;
    return Success;
  });
}

TW_CALL Result cuCtxSetLimit(int limit, size_t value) {
  return enterContext([&](Driver &driver) {
    if (limit == heapLimit)
      tw_emulator_memory_set_heap(driver.device, value);
    driver.limits[limit] = value;
    return Success;
  });
}

TW_CALL Result cuCtxGetCacheConfig(int *config) {
  return enterContext([&](Driver &) {
    if (!config)
      return InvalidValue;
    *config = 0;
    return Success;
  });
}

TW_CALL Result cuCtxSetCacheConfig(int) {
  return enterContext([](Driver &) { return Success; });
}
