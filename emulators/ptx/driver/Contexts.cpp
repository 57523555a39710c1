//===- Contexts.cpp - Contexts and each thread's current one ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

/// The calling thread's contexts, the current one last.
static thread_local std::vector<Context *> stack;

bool tilewright::cuda::isContext(const Context *context) {
  Driver &driver = getDriver();
  return context == &driver.primary ? driver.primary.references > 0
                                    : driver.contexts.has(context);
}

Context *tilewright::cuda::currentContext() {
  return stack.empty() || !isContext(stack.back()) ? nullptr : stack.back();
}

//===----------------------------------------------------------------------===//
// The primary context
//===----------------------------------------------------------------------===//

TW_CUDA Result cuDevicePrimaryCtxRetain(Context **context, int device) {
  return enter([&](Driver &driver) {
    if (!context || device != 0)
      return context ? InvalidDevice : InvalidValue;
    driver.primary.isPrimary = true;
    ++driver.primary.references;
    *context = &driver.primary;
    return Success;
  });
}

TW_CUDA Result cuDevicePrimaryCtxRelease_v2(int device) {
  return enter([&](Driver &driver) {
    if (device != 0)
      return InvalidDevice;
    if (driver.primary.references == 0)
      return InvalidContext;
    if (--driver.primary.references == 0)
      driver.primary.error = Success;
    return Success;
  });
}
TW_CUDA_ALIAS(cuDevicePrimaryCtxRelease, cuDevicePrimaryCtxRelease_v2);

TW_CUDA Result cuDevicePrimaryCtxReset_v2(int device) {
  return enter([&](Driver &driver) {
    if (device != 0)
      return InvalidDevice;
    driver.primary.error = Success;
    return Success;
  });
}
TW_CUDA_ALIAS(cuDevicePrimaryCtxReset, cuDevicePrimaryCtxReset_v2);

TW_CUDA Result cuDevicePrimaryCtxSetFlags_v2(int device, unsigned flags) {
  return enter([&](Driver &driver) {
    if (device != 0)
      return InvalidDevice;
    driver.primary.flags = flags;
    return Success;
  });
}
TW_CUDA_ALIAS(cuDevicePrimaryCtxSetFlags, cuDevicePrimaryCtxSetFlags_v2);

TW_CUDA Result cuDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return enter([&](Driver &driver) {
    if (!flags || !active || device != 0)
      return InvalidValue;
    *flags = driver.primary.flags;
    *active = driver.primary.references > 0;
    return Success;
  });
}

//===----------------------------------------------------------------------===//
// Others
//===----------------------------------------------------------------------===//

TW_CUDA Result cuCtxCreate_v2(Context **context, unsigned flags, int device) {
  return enter([&](Driver &driver) {
    if (!context || device != 0)
      return context ? InvalidDevice : InvalidValue;
    auto made = std::make_unique<Context>();
    made->flags = flags;
    *context = driver.contexts.add(std::move(made));
    stack.push_back(*context);
    return Success;
  });
}
TW_CUDA_ALIAS(cuCtxCreate, cuCtxCreate_v2);

/// With parameters about shares of the device, of which there are none here.
TW_CUDA Result cuCtxCreate_v3(Context **context, void *, int count, unsigned flags,
                              int device) {
  if (count)
    return refuse(NotSupported, "cuCtxCreate: execution affinity is not modelled");
  return cuCtxCreate_v2(context, flags, device);
}

TW_CUDA Result cuCtxCreate_v4(Context **context, void *params, unsigned flags,
                              int device) {
  if (params)
    return refuse(NotSupported, "cuCtxCreate: parameters are not modelled");
  return cuCtxCreate_v2(context, flags, device);
}

TW_CUDA Result cuCtxDestroy_v2(Context *context) {
  return enter([&](Driver &driver) {
    if (!driver.contexts.remove(context))
      return InvalidContext;
    if (!stack.empty() && stack.back() == context)
      stack.pop_back();
    return Success;
  });
}
TW_CUDA_ALIAS(cuCtxDestroy, cuCtxDestroy_v2);

TW_CUDA Result cuCtxGetCurrent(Context **context) {
  return enter([&](Driver &) {
    if (!context)
      return InvalidValue;
    *context = currentContext();
    return Success;
  });
}

TW_CUDA Result cuCtxSetCurrent(Context *context) {
  return enter([&](Driver &) {
    if (context && !isContext(context))
      return InvalidContext;
    if (!stack.empty())
      stack.pop_back();
    if (context)
      stack.push_back(context);
    return Success;
  });
}

TW_CUDA Result cuCtxPushCurrent_v2(Context *context) {
  return enter([&](Driver &) {
    if (!isContext(context))
      return InvalidContext;
    stack.push_back(context);
    return Success;
  });
}
TW_CUDA_ALIAS(cuCtxPushCurrent, cuCtxPushCurrent_v2);

TW_CUDA Result cuCtxPopCurrent_v2(Context **context) {
  return enter([&](Driver &) {
    if (stack.empty())
      return InvalidContext;
    if (context)
      *context = stack.back();
    stack.pop_back();
    return Success;
  });
}
TW_CUDA_ALIAS(cuCtxPopCurrent, cuCtxPopCurrent_v2);

TW_CUDA Result cuCtxGetDevice(int *device) {
  return enter([&](Driver &) {
    if (!device)
      return InvalidValue;
    if (!currentContext())
      return InvalidContext;
    *device = 0;
    return Success;
  });
}

TW_CUDA Result cuCtxGetFlags(unsigned *flags) {
  return enter([&](Driver &) {
    Context *context = currentContext();
    if (!context || !flags)
      return flags ? InvalidContext : InvalidValue;
    *flags = context->flags;
    return Success;
  });
}

TW_CUDA Result cuCtxGetApiVersion(Context *context, unsigned *version) {
  return enter([&](Driver &) {
    if (!version || (context && !isContext(context)))
      return version ? InvalidContext : InvalidValue;
    *version = driverVersion;
    return Success;
  });
}

TW_CUDA Result cuCtxSynchronize(void) {
  return enterContext([](Driver &) { return Success; });
}

TW_CUDA Result cuCtxGetStreamPriorityRange(int *least, int *greatest) {
  return enterContext([&](Driver &) {
    if (least)
      *least = 0;
    if (greatest)
      *greatest = -5;
    return Success;
  });
}

TW_CUDA Result cuCtxGetId(Context *context, unsigned long long *id) {
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
TW_CUDA Result cuProfilerStart() {
  return enterContext([](Driver &) { return Success; });
}
TW_CUDA_ALIAS(cuProfilerStop, cuProfilerStart);

static constexpr int heapLimit = 2;
/// Sizes of stack, printf's buffer and heap. The heap alone is limited here; the others
/// are only kept.
static std::map<int, size_t> limits = {{0, 1024}, {1, 1 << 20}, {heapLimit, 8 << 20}};

TW_CUDA Result cuCtxGetLimit(size_t *value, int limit) {
  return enterContext([&](Driver &) {
    if (!value)
      return InvalidValue;
    *value = limits[limit];
    return Success;
  });
}

TW_CUDA Result cuCtxSetLimit(int limit, size_t value) {
  return enterContext([&](Driver &driver) {
    if (limit == heapLimit)
      tw_emulator_memory_set_heap(driver.device, value);
    limits[limit] = value;
    return Success;
  });
}

TW_CUDA Result cuCtxGetCacheConfig(int *config) {
  return enterContext([&](Driver &) {
    if (!config)
      return InvalidValue;
    *config = 0;
    return Success;
  });
}

TW_CUDA Result cuCtxSetCacheConfig(int) {
  return enterContext([](Driver &) { return Success; });
}
