//===- Contexts.cpp - Contexts and each thread's current one ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/driver/Driver.h"

using namespace tilewright::hip;

TW_CALL Result hipDevicePrimaryCtxRetain(Context **context, int device) {
  return note(retainPrimary(context, device));
}

TW_CALL Result hipDevicePrimaryCtxRelease(int device) {
  return note(releasePrimary(device));
}

TW_CALL Result hipDevicePrimaryCtxReset(int device) { return note(resetPrimary(device)); }

TW_CALL Result hipDevicePrimaryCtxSetFlags(int device, unsigned flags) {
  return note(setPrimaryFlags(device, flags));
}

TW_CALL Result hipDevicePrimaryCtxGetState(int device, unsigned *flags, int *active) {
  return note(getPrimaryState(device, flags, active));
}

TW_CALL Result hipCtxCreate(Context **context, unsigned flags, int device) {
  return note(createContext(context, flags, device));
}

TW_CALL Result hipCtxDestroy(Context *context) { return note(destroyContext(context)); }

TW_CALL Result hipCtxGetCurrent(Context **context) {
  return note(getCurrentContext(context));
}

TW_CALL Result hipCtxSetCurrent(Context *context) {
  return note(setCurrentContext(context));
}

TW_CALL Result hipCtxPushCurrent(Context *context) { return note(pushContext(context)); }

TW_CALL Result hipCtxPopCurrent(Context **context) { return note(popContext(context)); }

TW_CALL Result hipCtxGetDevice(int *device) { return note(getContextDevice(device)); }

TW_CALL Result hipCtxGetFlags(unsigned *flags) { return note(getContextFlags(flags)); }

TW_CALL Result hipCtxSynchronize() { return note(synchronize()); }
