//===- HipBackend.cpp - AMD GPUs as a backend -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/HipBackend.h"

#include "backends/Linker.h"
#include "backends/gpu/GpuBackend.h"
#include "backends/hip/HipAtoms.h"
#include "backends/hip/HipTarget.h"
#include "backends/hip/MatrixHazards.h"
#include "backends/hip/Passes.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Target/LLVMIR/Dialect/ROCDL/ROCDLToLLVMIRTranslation.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::hip;

namespace {
class HipBackend : public GpuBackend {
public:
  explicit HipBackend(HipTarget target) : target(target) {}

  std::string getTargetName() const override { return "hip:" + target.arch.str(); }
  int64_t getTileBudget() const override { return target.sharedBytes; }
  std::optional<Machine> getDeviceMachine() const override {
    // Accesses are as wide as their alignment is known to be, whatever mode the driver
    // has set for others.
    return Machine{"amdgcn-amd-amdhsa", target.arch.str(), "-unaligned-access-mode",
                   devicePipeline};
  }
  /// A code object: what LLVM emits, linked.
  llvm::Expected<std::string> makeImage(std::string emitted) const override {
    return linkObject(emitted);
  }

protected:
  int64_t getLanes() const override { return target.lanes; }
  /// A quarter of the registers: there are more of them than there is LDS.
  int64_t getHeldBytes() const override { return 64 * 4; }
  bool hasAsyncCopies() const override { return false; }
  bool hasPackedFloats() const override { return true; }
  void addAccessPasses(OpPassManager &pm) const override {
    pm.addNestedPass<func::FuncOp>(createBufferAccesses());
  }
  void addDeviceConversion(OpPassManager &pm) const override {
    pm.addPass(createConvertToROCDL({target.roundsToBF16}));
  }
  LLVM::DIEmissionKind getLineTables() const override {
    return LLVM::DIEmissionKind::LineTablesOnly;
  }

private:
  HipTarget target;
};
} // namespace

llvm::Expected<std::unique_ptr<Backend>> hip::createHipBackend(StringRef spec) {
  registerHipTarget();
  llvm::Expected<HipTarget> target = HipTarget::parse(spec);
  if (!target)
    return target.takeError();
  return std::make_unique<HipBackend>(*target);
}

void hip::registerHipDialects(DialectRegistry &registry) {
  registry.insert<HipDialect, simt::SimtDialect, ROCDL::ROCDLDialect>();
  registerROCDLDialectTranslation(registry);
  registerMatrixHazards();
}
