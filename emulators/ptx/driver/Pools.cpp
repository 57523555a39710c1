//===- Pools.cpp - Memory pools -----------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

TW_CALL Result cuDeviceGetDefaultMemPool(Pool **pool, int device) {
  return getPool(pool, device);
}
TW_CALL_ALIAS(cuDeviceGetMemPool, cuDeviceGetDefaultMemPool);

TW_CALL Result cuDeviceSetMemPool(int device, Pool *pool) {
  return device ? InvalidDevice : checkPool(pool);
}

TW_CALL Result cuMemPoolSetAttribute(Pool *pool, int attribute, void *value) {
  return setPoolAttribute(pool, attribute, value);
}

TW_CALL Result cuMemPoolGetAttribute(Pool *pool, int attribute, void *value) {
  return getPoolAttribute(pool, attribute, value);
}

TW_CALL Result cuMemPoolTrimTo(Pool *pool, size_t) { return checkPool(pool); }

TW_CALL Result cuMemAllocFromPoolAsync(DevicePointer *address, size_t bytes, Pool *pool,
                                       Stream *stream) {
  return allocateFromPool("cuMemAllocFromPoolAsync", address, bytes, pool, stream);
}
TW_CALL_ALIAS(cuMemAllocFromPoolAsync_ptsz, cuMemAllocFromPoolAsync);
