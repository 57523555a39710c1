//===- CudaTargetInfo.cpp - NVIDIA GPUs as atom selection knows them ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/CudaAtoms.h"
#include "backends/cuda/CudaTarget.h"
#include "backends/gpu/GpuTargetInfo.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cuda;
using namespace tilewright::tile;

namespace {
class CudaTargetInfo : public GpuTargetInfo {
public:
  explicit CudaTargetInfo(const CudaTarget &target)
      : GpuTargetInfo("cuda:" + target.arch.str(), target.arch.rtrim('a').str(),
                      /*lanes=*/32, target.sharedBytes, /*swaps=*/false) {}

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<CudaDialect>();
  }

  /// mma.sync, which every one of them has.
  SmallVector<AtomAttrInterface> getAtoms(MLIRContext *context) const override {
    Builder b(context);
    Type f32 = b.getF32Type();
    return {
        MmaAttr::get(context, b.getF16Type(), f32),
        MmaAttr::get(context, b.getBF16Type(), f32),
        MmaAttr::get(context, FloatTF32Type::get(context), f32),
        MmaAttr::get(context, b.getF64Type(), b.getF64Type()),
        MmaAttr::get(context, b.getIntegerType(8), b.getI32Type()),
        MmaAttr::get(context, b.getIntegerType(8, /*isSigned=*/false), b.getI32Type())};
  }
};
} // namespace

void cuda::registerCudaTarget() {
  registerTarget("cuda",
                 [](StringRef name) -> llvm::Expected<std::unique_ptr<TargetInfo>> {
                   llvm::Expected<CudaTarget> target = CudaTarget::parse(name);
                   if (!target)
                     return target.takeError();
                   return std::make_unique<CudaTargetInfo>(*target);
                 });
}
