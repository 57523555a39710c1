//===- Driver.h - From the text of a module to an artifact --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler as a function. This header names no LLVM type, so that the Python
// extension, and any other user, builds without LLVM's headers.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_DRIVER_H
#define TILEWRIGHT_DRIVER_DRIVER_H

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tilewright {

struct SourceLocation {
  std::string file;
  unsigned line = 0, column = 0;
};

struct CompilerDiagnostic {
  enum class Severity { Error, Warning, Remark, Note };
  Severity severity;
  std::string message;
  SourceLocation location;
  std::vector<SourceLocation> callers; // of the macro the location is in, innermost first
};

/// What a kernel looks for while it runs (docs/checking.md).
enum class Checking { None, Accesses, AccessesAndValues };

struct CompileOptions {
  std::string target = "cpu";
  Checking checking = Checking::None;
  std::string output; // where the artifact goes; empty for none
  /// What the artifact is called where the output is an object file, for a library that
  /// holds many (Library.h), and its image compressed; empty where it is a shared object.
  std::string symbol;
  bool planOnly = false;   // stop when memory is planned
  bool keepStages = false; // keep the IR after each stage
  bool emitLLVM = false, emitAssembly = false, emitObject = false;
  /// The IR that takes the place of what came out of a stage, in the form in which stages
  /// are kept: IR that somebody changed by hand goes on to an artifact that can be run.
  /// Empty names of stages replace nothing.
  struct {
    std::string stage, ir;
  } replacement;
  /// Passes that are left out, by their names: what is compiled then must do the same, or
  /// a pass needs one that is not there. For tests, and to find the pass that errs.
  std::vector<std::string> without;
  /// Asked on the calling thread every few milliseconds: true ends the compilation at its
  /// next pass.
  std::function<bool()> interrupted;
};

struct CompileResult {
  bool ok = false;
  bool interrupted = false;
  std::string fault; // the compiler's own, as in "the pass cse: Segmentation fault"
  std::vector<CompilerDiagnostic> diagnostics;
  std::string target;   // with the model, as in "cpu:znver4"
  std::string features; // of native code, as tw_image_v1 has them
  std::string plan;     // JSON: what each kernel's memory is used for
  std::string manifest;
  std::vector<int64_t> signature; // the table of abi.h
  std::string llvm, assembly, object;
  std::string image; // what a device loads, where the output is an object file
  std::vector<std::pair<std::string, std::string>> stages;
  std::vector<std::pair<std::string, double>> seconds; // where the time went
};

/// Compiles the `tile` module with text `ir`. May be called by several threads at once; a
/// crash of the compiler is a result like another.
CompileResult compile(const std::string &ir, const CompileOptions &options);

/// What compiled code depends on beside its input: part of every cache key.
std::string compilerVersion();

/// The full name of `target`, as in "cpu:znver4" for "cpu"; empty, with a message in
/// `error`, where there is no such target.
std::string resolveTarget(const std::string &target, std::string &error);

/// `ir` with the passes that `compile` runs on it for `target`, in the form that
/// `tilewright-opt --run-reproducer` runs; `ir` alone where there is no such target.
std::string makeReproducer(const std::string &ir, const std::string &target);

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_DRIVER_H
