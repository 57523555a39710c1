//===- CudaTarget.h - The NVIDIA GPU that code is compiled for ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CUDA_CUDA_TARGET_H
#define TILEWRIGHT_BACKENDS_CUDA_CUDA_TARGET_H

#include "llvm/Support/Error.h"

namespace tilewright::cuda {

/// A row of the table of architectures.
struct CudaTarget {
  llvm::StringLiteral arch;
  /// The oldest PTX version with all that we use of the architecture.
  llvm::StringLiteral ptx;
  /// Shared memory that a block may have, in bytes.
  int64_t sharedBytes;

  /// Reads `cuda`, `cuda:ARCH` or the same with `cuda-emulator`; without an
  /// architecture, sm_80. An error names those that there are.
  static llvm::Expected<CudaTarget> parse(llvm::StringRef spec);
};

/// Makes `cuda:ARCH` known to atom selection.
void registerCudaTarget();

} // namespace tilewright::cuda

#endif // TILEWRIGHT_BACKENDS_CUDA_CUDA_TARGET_H
