//===- Machine.h - LLVM's part of a backend -----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_MACHINE_H
#define TILEWRIGHT_BACKENDS_MACHINE_H

#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

namespace tilewright {

/// A machine as LLVM knows it.
struct Machine {
  std::string triple, cpu, features;
  /// Passes in front of code generation, as `opt -passes` takes them.
  llvm::StringRef pipeline;
  /// Width that vectors are kept at; 0 for machines whose vectors are threads.
  int64_t vectorBits = 0;
  /// Tells LLVM, in front of its passes, what translation has not told.
  void (*prepare)(llvm::Module &module) = nullptr;
  /// Puts what LLVM's code generator gets wrong in other words, behind its passes.
  void (*finish)(llvm::Module &module) = nullptr;
};

/// The host's half of a program: any x86-64.
Machine getHostMachine();

/// What is left to do for LLVM: descriptors become scalars, address arithmetic is shared
/// and leaves the loops. The code is vectors, unrolled as it should be; -O2 takes five
/// times as long and makes it no faster.
extern const llvm::StringLiteral scalarPipeline;

/// The same for GPUs, where counters of loops take registers. On the CPU that pass gains
/// nothing, and its time is quadratic in the loops of a function.
extern const llvm::StringLiteral devicePipeline;

/// Optimises `module` in place, as far as it gets while `onward` holds.
llvm::Error optimizeModule(const Machine &machine, llvm::Module &module,
                           llvm::function_ref<bool()> onward);

/// An object file, or assembly.
llvm::Expected<std::string> emitModule(const Machine &machine, llvm::Module &module,
                                       bool assembly);

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_MACHINE_H
