//===- GpuBackend.h - What the GPUs' backends share ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_GPU_GPU_BACKEND_H
#define TILEWRIGHT_BACKENDS_GPU_GPU_BACKEND_H

#include "backends/Backend.h"

#include "mlir/Dialect/LLVMIR/LLVMAttrs.h"

namespace tilewright {

/// Both pipelines, with room for the passes that are a vendor's own.
class GpuBackend : public Backend {
public:
  std::string getRequiredFeatures() const override { return ""; }
  void buildTilePipeline(mlir::OpPassManager &pm) const override;
  void buildLoweringPipeline(mlir::OpPassManager &pm) const override;
  Machine getMachine() const override { return getHostMachine(); }

protected:
  /// Threads of a warp or wave.
  virtual int64_t getLanes() const = 0;
  /// What a thread may keep, through a loop, of operands that the loop only reads.
  virtual int64_t getHeldBytes() const = 0;
  /// Whether copies to shared memory run without registers.
  virtual bool hasAsyncCopies() const = 0;
  /// Whether there are instructions for two f32 at once.
  virtual bool hasPackedFloats() const = 0;
  /// Adds passes for what threads access, which is not lowered yet.
  virtual void addAccessPasses(mlir::OpPassManager &) const {}
  /// Adds the conversion of the device module to the LLVM dialect.
  virtual void addDeviceConversion(mlir::OpPassManager &pm) const = 0;
  /// How code says which line of the source it is from.
  virtual mlir::LLVM::DIEmissionKind getLineTables() const = 0;
};

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_GPU_GPU_BACKEND_H
