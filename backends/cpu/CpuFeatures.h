//===- CpuFeatures.h - Architectures and their extensions ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPU_FEATURES_H
#define TILEWRIGHT_BACKENDS_CPU_CPU_FEATURES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"

namespace tilewright::cpu {

enum class Architecture { X86_64, AArch64 };

/// What holds for all CPUs of an architecture. Features have LLVM's names.
struct ArchitectureInfo {
  llvm::StringLiteral triple;
  /// Whatever beyond the first level of the architecture LLVM may put into code on its
  /// own, or an atom asks for. The runtime tests the same ones.
  llvm::ArrayRef<llvm::StringLiteral> features;
  /// Those without which there are no kernels, and for an error what they are called and
  /// the least model that has them.
  llvm::ArrayRef<llvm::StringLiteral> base;
  llvm::StringLiteral baseName, leastModel;
  /// The features of a CPU as LLVM knows it, with those that they imply.
  llvm::StringMap<bool> (*getFeatures)(llvm::StringRef cpu);
  /// A feature and all that build on it.
  llvm::StringMap<bool> (*getDependents)(llvm::StringRef feature);
};

const ArchitectureInfo &getArchitectureInfo(Architecture architecture);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_FEATURES_H
