//===- Backend.h - What a backend gives the driver ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_BACKEND_H
#define TILEWRIGHT_BACKENDS_BACKEND_H

#include "backends/Machine.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/PassManager.h"

namespace tilewright {

/// One target of one backend: its passes and how its code becomes bytes.
class Backend {
public:
  virtual ~Backend() = default;

  /// The target with its model, as in "cpu:znver4".
  virtual std::string getTargetName() const = 0;
  /// The instruction-set extensions that native code uses, for tw_image_v1.
  virtual std::string getRequiredFeatures() const = 0;
  /// Bytes that the tiles of a block should fit.
  virtual int64_t getTileBudget() const = 0;
  /// From `tile` as the front end wrote it to tiles in their final form.
  virtual void buildTilePipeline(mlir::OpPassManager &pm) const = 0;
  /// From there to launch functions and kernels in the LLVM dialect.
  virtual void buildLoweringPipeline(mlir::OpPassManager &pm) const = 0;
  /// The machine of native code: of the kernels on a CPU, else of the launch function.
  virtual Machine getMachine() const = 0;

  /// The machine of the module `@device`; nothing where kernels are native code.
  virtual std::optional<Machine> getDeviceMachine() const { return std::nullopt; }
  /// Makes what a driver loads of what LLVM emits for that machine.
  virtual llvm::Expected<std::string> makeImage(std::string emitted) const {
    return emitted;
  }
  /// Whether that is assembly, not an object file.
  virtual bool loadsAssembly() const { return false; }
};

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_BACKEND_H
