//===- Libraries.cpp - Modules that no context has, and their kernels ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// There is one device, so a library is a module, and its kernels are the module's
// functions: each handle does for the other.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

#include <cstring>

using namespace tilewright::cuda;

TW_CALL Result cuModuleLoadDataEx(Module **, const void *, unsigned, int *, void **);
TW_CALL Result cuModuleLoad(Module **, const char *);
TW_CALL Result cuModuleUnload(Module *);
TW_CALL Result cuModuleGetFunction(Function **, Module *, const char *);
TW_CALL Result cuModuleGetFunctionCount(unsigned *, Module *);
TW_CALL Result cuModuleEnumerateFunctions(Function **, unsigned, Module *);
TW_CALL Result cuModuleGetGlobal_v2(DevicePointer *, size_t *, Module *, const char *);
TW_CALL Result cuFuncGetAttribute(int *, int, Function *);
TW_CALL Result cuFuncSetAttribute(Function *, int, int);
TW_CALL Result cuFuncSetCacheConfig(Function *, int);
TW_CALL Result cuFuncGetName(const char **, Function *);
TW_CALL Result cuFuncGetParamInfo(Function *, size_t, size_t *, size_t *);

TW_CALL Result cuLibraryLoadData(Module **library, const void *code, int *jitOptions,
                                 void **jitValues, unsigned jitCount, int *, void **,
                                 unsigned) {
  return cuModuleLoadDataEx(library, code, jitCount, jitOptions, jitValues);
}

TW_CALL Result cuLibraryLoadFromFile(Module **library, const char *path, int *, void **,
                                     unsigned, int *, void **, unsigned) {
  return cuModuleLoad(library, path);
}

TW_CALL Result cuLibraryUnload(Module *library) { return cuModuleUnload(library); }

TW_CALL Result cuLibraryGetKernel(Function **kernel, Module *library, const char *name) {
  return cuModuleGetFunction(kernel, library, name);
}

TW_CALL Result cuLibraryGetModule(Module **module, Module *library) {
  return enterContext([&](Driver &driver) {
    if (!module || !driver.modules.has(library))
      return module ? InvalidHandle : InvalidValue;
    *module = library;
    return Success;
  });
}

TW_CALL Result cuLibraryGetGlobal(DevicePointer *address, size_t *bytes, Module *library,
                                  const char *name) {
  return cuModuleGetGlobal_v2(address, bytes, library, name);
}

TW_CALL Result cuLibraryGetKernelCount(unsigned *count, Module *library) {
  return cuModuleGetFunctionCount(count, library);
}

TW_CALL Result cuLibraryEnumerateKernels(Function **kernels, unsigned count,
                                         Module *library) {
  return cuModuleEnumerateFunctions(kernels, count, library);
}

TW_CALL Result cuKernelGetFunction(Function **function, Function *kernel) {
  return enterContext([&](Driver &driver) {
    if (!function || !driver.functions.count(kernel))
      return function ? InvalidHandle : InvalidValue;
    *function = kernel;
    return Success;
  });
}

TW_CALL Result cuKernelGetLibrary(Module **library, Function *kernel) {
  return enterContext([&](Driver &driver) {
    if (!library || !driver.functions.count(kernel))
      return library ? InvalidHandle : InvalidValue;
    *library = kernel->module;
    return Success;
  });
}

TW_CALL Result cuKernelGetAttribute(int *value, int attribute, Function *kernel,
                                    int device) {
  return device ? InvalidDevice : cuFuncGetAttribute(value, attribute, kernel);
}

TW_CALL Result cuKernelSetAttribute(int attribute, int value, Function *kernel,
                                    int device) {
  return device ? InvalidDevice : cuFuncSetAttribute(kernel, attribute, value);
}

TW_CALL Result cuKernelSetCacheConfig(Function *kernel, int config, int device) {
  return device ? InvalidDevice : cuFuncSetCacheConfig(kernel, config);
}

TW_CALL Result cuKernelGetName(const char **name, Function *kernel) {
  return cuFuncGetName(name, kernel);
}

TW_CALL Result cuKernelGetParamInfo(Function *kernel, size_t index, size_t *offset,
                                    size_t *bytes) {
  return cuFuncGetParamInfo(kernel, index, offset, bytes);
}
