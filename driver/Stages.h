//===- Stages.h - The IR between passes, to look at and to replace ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_DRIVER_STAGES_H
#define TILEWRIGHT_DRIVER_STAGES_H

#include "driver/Driver.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassInstrumentation.h"
#include "llvm/ADT/StringMap.h"

namespace tilewright {

/// Names stages as passes run: the second run of a pass, maybe of another pipeline, is
/// the stage `NAME-2`.
class StageNames {
public:
  std::string next(llvm::StringRef pass);

private:
  llvm::StringMap<int> runs;
};

/// Keeps the text of what each pass ran on in `result.stages`.
struct StageRecorder : mlir::PassInstrumentation {
  StageRecorder(StageNames &names, CompileResult &result)
      : names(names), result(result) {}
  void runAfterPass(mlir::Pass *pass, mlir::Operation *op) override;

  StageNames &names;
  CompileResult &result;
};

/// Puts other IR in the place of what comes out of one stage.
class StageReplacer {
public:
  /// Reads `ir`, and watches the passes of `context`. What is wrong with the text is
  /// reported there; the result is then null.
  static std::unique_ptr<StageReplacer>
  create(mlir::MLIRContext &context, const std::string &stage, const std::string &ir);

  /// Whether the stage came, and what it is of could be replaced.
  bool isDone() const { return done; }
  /// Why it could not be: the text is of another kernel. Empty where none was met.
  const std::string &getFlaw() const { return flaw; }

private:
  void afterPass(const mlir::Pass &pass, mlir::Operation *op);

  StageNames names;
  std::string stage, flaw;
  mlir::OwningOpRef<mlir::ModuleOp> replacement;
  bool done = false;
};

} // namespace tilewright

#endif // TILEWRIGHT_DRIVER_STAGES_H
