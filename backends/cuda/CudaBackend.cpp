//===- CudaBackend.cpp - NVIDIA GPUs as a backend -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CudaBackend.h"

#include "backends/cuda/CudaAtoms.h"
#include "backends/cuda/CudaTarget.h"
#include "backends/cuda/Passes.h"
#include "backends/gpu/GpuBackend.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cuda;

/// Whole warps execute matrix instructions. LLVM takes them for arithmetic of a thread,
/// and moves them into a branch where only that uses what a lane gets.
static void markWarpInstructions(llvm::Module &module) {
  auto isOfWarp = [](StringRef name) {
    return name.consume_front("llvm.nvvm.") &&
           (name.starts_with("mma.") || name.starts_with("ldmatrix."));
  };
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = dyn_cast<llvm::CallBase>(&instruction);
          call && call->getCalledFunction() &&
          isOfWarp(call->getCalledFunction()->getName()))
        call->addFnAttr(llvm::Attribute::Convergent);
}

namespace {
class CudaBackend : public GpuBackend {
public:
  explicit CudaBackend(CudaTarget target) : target(target) {}

  std::string getTargetName() const override { return "cuda:" + target.arch.str(); }
  int64_t getTileBudget() const override { return target.sharedBytes; }
  std::optional<Machine> getDeviceMachine() const override {
    return Machine{"nvptx64-nvidia-cuda", target.arch.str(),
                   target.ptx.str(),      devicePipeline,
                   /*vectorBits=*/0,      markWarpInstructions};
  }
  /// PTX, which every driver assembles.
  bool loadsAssembly() const override { return true; }

protected:
  int64_t getLanes() const override { return 32; }
  int64_t getHeldBytes() const override { return 0; }
  bool hasAsyncCopies() const override { return true; }
  bool hasPackedFloats() const override { return false; }
  void addDeviceConversion(OpPassManager &pm) const override {
    pm.addPass(createConvertToNVVM());
  }
  /// `.loc` alone: with more in the PTX, ptxas compiles for debuggers and not for speed.
  LLVM::DIEmissionKind getLineTables() const override {
    return LLVM::DIEmissionKind::DebugDirectivesOnly;
  }

private:
  CudaTarget target;
};
} // namespace

llvm::Expected<std::unique_ptr<Backend>> cuda::createCudaBackend(StringRef spec) {
  registerCudaTarget();
  llvm::Expected<CudaTarget> target = CudaTarget::parse(spec);
  if (!target)
    return target.takeError();
  return std::make_unique<CudaBackend>(*target);
}

void cuda::registerCudaDialects(DialectRegistry &registry) {
  registry.insert<CudaDialect, simt::SimtDialect, NVVM::NVVMDialect>();
  registerNVVMDialectTranslation(registry);
}
