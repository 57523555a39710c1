//===- Backends.cpp - The backends that there are -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Backends.h"

#include "backends/cpu/CpuBackend.h"
#include "backends/cuda/CudaBackend.h"
#include "backends/hip/HipBackend.h"

using namespace tilewright;

llvm::Expected<std::unique_ptr<Backend>>
tilewright::createBackend(llvm::StringRef target) {
  llvm::StringRef family = target.split(':').first;
  if (family == "cpu")
    return cpu::createCpuBackend(target);
  if (family == "cuda" || family == "cuda-emulator")
    return cuda::createCudaBackend(target);
  if (family == "hip" || family == "hip-emulator")
    return hip::createHipBackend(target);
  return llvm::createStringError(
      "no backend for target '%s'; known are: cpu, cpu:MODEL, cuda:ARCH, hip:ARCH, "
      "cuda-emulator:ARCH, hip-emulator:ARCH",
      target.str().c_str());
}

void tilewright::registerBackendDialects(mlir::DialectRegistry &registry) {
  cpu::registerCpuDialects(registry);
  cuda::registerCudaDialects(registry);
  hip::registerHipDialects(registry);
}
