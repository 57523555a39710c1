//===- CudaTarget.cpp - The NVIDIA GPU that code is compiled for --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CudaTarget.h"

using namespace tilewright::cuda;

static constexpr int64_t KiB = 1024;

/// Shared memory is what a block may opt in to ("Technical Specifications per Compute
/// Capability" of the CUDA C++ Programming Guide).
static constexpr CudaTarget targets[] = {
    {"sm_80", "+ptx80", 163 * KiB},  {"sm_86", "+ptx80", 99 * KiB},
    {"sm_87", "+ptx80", 163 * KiB},  {"sm_89", "+ptx84", 99 * KiB},
    {"sm_90", "+ptx80", 227 * KiB},  {"sm_90a", "+ptx80", 227 * KiB},
    {"sm_100", "+ptx86", 227 * KiB}, {"sm_100a", "+ptx86", 227 * KiB},
    {"sm_103", "+ptx88", 227 * KiB}, {"sm_103a", "+ptx88", 227 * KiB},
    {"sm_120", "+ptx87", 99 * KiB},  {"sm_120a", "+ptx87", 99 * KiB},
};

llvm::Expected<CudaTarget> CudaTarget::parse(llvm::StringRef spec) {
  llvm::StringRef arch = spec.split(':').second;
  if (arch.empty())
    arch = "sm_80";
  std::string known;
  for (const CudaTarget &target : targets) {
    if (target.arch == arch)
      return target;
    known += (known.empty() ? "" : ", ") + target.arch.str();
  }
  return llvm::createStringError("target '%s': unknown architecture '%s'; known are: %s",
                                 spec.str().c_str(), arch.str().c_str(), known.c_str());
}
