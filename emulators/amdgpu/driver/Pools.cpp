//===- Pools.cpp - Memory pools -----------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

TW_CALL Result hipDeviceGetDefaultMemPool(Pool **pool, int device) {
  return note(getPool(pool, device));
}

TW_CALL Result hipDeviceGetMemPool(Pool **pool, int device) {
  return note(getPool(pool, device));
}

TW_CALL Result hipDeviceSetMemPool(int device, Pool *pool) {
  return note(device ? InvalidDevice : checkPool(pool));
}

TW_CALL Result hipMemPoolSetAttribute(Pool *pool, int attribute, void *value) {
  return note(setPoolAttribute(pool, attribute, value));
}

TW_CALL Result hipMemPoolGetAttribute(Pool *pool, int attribute, void *value) {
  return note(getPoolAttribute(pool, attribute, value));
}

TW_CALL Result hipMemPoolTrimTo(Pool *pool, size_t) { return note(checkPool(pool)); }

TW_CALL Result hipMallocFromPoolAsync(DevicePointer *address, size_t bytes, Pool *pool,
                                      Stream *stream) {
  return note(allocateFromPool("hipMallocFromPoolAsync", address, bytes, pool, stream));
}
