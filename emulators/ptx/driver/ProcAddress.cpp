//===- ProcAddress.cpp - Functions by name ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program asks for "cuMemAlloc" and says for which version of CUDA it was compiled;
// what it gets is what that version's header calls by the name, which is the newest
// variant that had come by then. Only those whose parameters differ between versions need
// a rule.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/driver/Driver.h"

using namespace tilewright::cuda;

namespace {
struct Variant {
  const char *name;
  int since; ///< the version of CUDA
  const char *symbol;
};
} // namespace

/// The newest of a name first.
static constexpr Variant variants[] = {
    {"cuCtxCreate", 13000, "cuCtxCreate_v4"},
    {"cuCtxCreate", 0, "cuCtxCreate_v2"},
    {"cuStreamBeginCapture", 10010, "cuStreamBeginCapture_v2"},
    {"cuStreamGetCaptureInfo", 13000, nullptr},
    {"cuStreamGetCaptureInfo", 11030, "cuStreamGetCaptureInfo_v2"},
    {"cuGraphAddKernelNode", 12000, "cuGraphAddKernelNode_v2"},
    {"cuGraphExecKernelNodeSetParams", 12000, "cuGraphExecKernelNodeSetParams_v2"},
    {"cuGraphInstantiate", 12000, "cuGraphInstantiateWithFlags"},
    {"cuGraphInstantiate", 0, "cuGraphInstantiate_v2"},
    {"cuGraphAddDependencies", 13000, nullptr},
    {"cuGetProcAddress", 12000, "cuGetProcAddress_v2"},
};

static void *find(const std::string &name, int version) {
  if (name.compare(0, 2, "cu") != 0)
    return nullptr;
  for (const Variant &variant : variants)
    if (name == variant.name && version >= variant.since)
      return variant.symbol ? findOwnSymbol(variant.symbol) : nullptr;
  // The others differ in the width of sizes alone, which were 64 bits long before.
  if (void *second = findOwnSymbol((name + "_v2").c_str()))
    return second;
  return findOwnSymbol(name.c_str());
}

TW_CALL Result cuGetProcAddress_v2(const char *symbol, void **function, int version,
                                   uint64_t, int *status) {
  if (!symbol || !function)
    return InvalidValue;
  *function = find(symbol, version);
  if (status)
    *status = *function ? 0 : 1;
  // With a status, what is not there is no error.
  return *function || status ? Success : NotFound;
}
TW_CALL_ALIAS(cuGetProcAddress_v2_ptsz, cuGetProcAddress_v2);

TW_CALL Result cuGetProcAddress(const char *symbol, void **function, int version,
                                uint64_t flags) {
  return cuGetProcAddress_v2(symbol, function, version, flags, nullptr);
}
TW_CALL_ALIAS(cuGetProcAddress_ptsz, cuGetProcAddress);
