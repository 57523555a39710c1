//===- HipTargetInfo.cpp - AMD GPUs as atom selection knows them --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/gpu/GpuTargetInfo.h"
#include "backends/hip/HipAtoms.h"
#include "backends/hip/HipTarget.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::hip;
using namespace tilewright::tile;

namespace {
class HipTargetInfo : public GpuTargetInfo {
public:
  /// MFMA leaves neighbours of a column with a lane. Of the transpose those are
  /// neighbours of a row: stores are wide, rows are reduced in a lane, and they are where
  /// the next product takes its operand A.
  explicit HipTargetInfo(const HipTarget &target)
      : GpuTargetInfo("hip:" + target.arch.str(), target.arch.str(), target.lanes,
                      target.sharedBytes, /*swaps=*/true),
        arch(target.arch) {}

  void getDependentDialects(DialectRegistry &registry) const override {
    registry.insert<HipDialect>();
  }

  /// For each element type the small instruction, which fits more tiles, and the large
  /// one, which reads less for each product.
  SmallVector<AtomAttrInterface> getAtoms(MLIRContext *context) const override {
    Builder b(context);
    Type f16 = b.getF16Type(), bf16 = b.getBF16Type(), f32 = b.getF32Type();
    Type f64 = b.getF64Type(), i8 = b.getIntegerType(8), i32 = b.getI32Type();
    SmallVector<AtomAttrInterface> atoms;
    auto add = [&](int64_t m, int64_t k, Type element, Type accumulator) {
      atoms.push_back(MfmaAttr::get(context, m, k, /*blocks=*/1, element, accumulator));
    };
    bool isFirst = arch == "gfx90a", isLatest = arch == "gfx950";
    if (!isFirst) { // which has none of fp8; what a byte means changed with gfx950
      Type e4m3 = isLatest ? Type(Float8E4M3FNType::get(context))
                           : Float8E4M3FNUZType::get(context);
      Type e5m2 = isLatest ? Type(Float8E5M2Type::get(context))
                           : Float8E5M2FNUZType::get(context);
      for (Type fp8 : {e4m3, e5m2}) {
        add(32, 16, fp8, f32);
        add(16, 32, fp8, f32);
      }
    }
    for (Type half : {f16, bf16}) {
      if (isLatest) {
        add(32, 16, half, f32);
        add(16, 32, half, f32);
      }
      add(32, 8, half, f32);
      add(16, 16, half, f32);
    }
    add(32, 2, f32, f32);
    add(16, 4, f32, f32);
    add(16, 4, f64, f64);
    if (isLatest) {
      add(32, 32, i8, i32);
      add(16, 64, i8, i32);
    }
    add(32, isFirst ? 8 : 16, i8, i32);
    add(16, isFirst ? 16 : 32, i8, i32);
    return atoms;
  }

private:
  StringRef arch;
};
} // namespace

void hip::registerHipTarget() {
  registerTarget("hip",
                 [](StringRef name) -> llvm::Expected<std::unique_ptr<TargetInfo>> {
                   llvm::Expected<HipTarget> target = HipTarget::parse(name);
                   if (!target)
                     return target.takeError();
                   return std::make_unique<HipTargetInfo>(*target);
                 });
}
