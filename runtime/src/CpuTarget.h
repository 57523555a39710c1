//===- CpuTarget.h - Whether this machine runs code for a CPU target ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H
#define TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H

namespace tilewright {

/// The first instruction-set extension that `target` (an LLVM CPU name: "znver4",
/// "x86-64-v3"; "" for any) uses and this machine lacks, or nullptr. A name that the
/// table does not know is taken to fit.
const char *findMissingCpuFeature(const char *target);

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CPU_TARGET_H
