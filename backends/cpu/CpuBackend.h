//===- CpuBackend.h - The CPU as a backend ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPUBACKEND_H
#define TILEWRIGHT_BACKENDS_CPU_CPUBACKEND_H

#include "backends/Backend.h"

namespace tilewright::cpu {

/// The backend of `spec`: "cpu", the machine this runs on, or "cpu:MODEL".
llvm::Expected<std::unique_ptr<Backend>> createCpuBackend(llvm::StringRef spec);

/// Adds the dialects and interfaces of the CPU's pipelines.
void registerCpuDialects(mlir::DialectRegistry &registry);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPUBACKEND_H
