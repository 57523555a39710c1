//===- HipTarget.h - The AMD GPU that code is compiled for ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_HIP_HIP_TARGET_H
#define TILEWRIGHT_BACKENDS_HIP_HIP_TARGET_H

#include "llvm/Support/Error.h"

namespace tilewright::hip {

/// A row of the table of architectures.
struct HipTarget {
  llvm::StringLiteral arch;
  /// Lanes of a wave.
  int64_t lanes;
  /// LDS that a work-group may have, in bytes.
  int64_t sharedBytes;
  /// Whether it has v_cvt_pk_bf16_f32.
  bool roundsToBF16;

  /// Reads `hip`, `hip:ARCH` or the same with `hip-emulator`; without an
  /// architecture, gfx942. An error names those that there are.
  static llvm::Expected<HipTarget> parse(llvm::StringRef spec);
};

/// Makes `hip:ARCH` known to atom selection.
void registerHipTarget();

} // namespace tilewright::hip

#endif // TILEWRIGHT_BACKENDS_HIP_HIP_TARGET_H
