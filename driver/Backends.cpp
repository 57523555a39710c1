//===- Backends.cpp - The backends that there are -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Backends.h"

#include "backends/cpu/CpuBackend.h"

using namespace tilewright;

llvm::Expected<std::unique_ptr<Backend>>
tilewright::createBackend(llvm::StringRef target) {
  llvm::StringRef family = target.split(':').first;
  if (family == "cpu")
    return cpu::createCpuBackend(target);
  return llvm::createStringError("no backend for target '%s'; known are: cpu, cpu:MODEL",
                                 target.str().c_str());
}
