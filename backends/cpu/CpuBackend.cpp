//===- CpuBackend.cpp - The CPU as a backend ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The whole path of a kernel to native code on one page: two pipelines over MLIR; what
// follows is LLVM's (Machine.h).
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuBackend.h"

#include "backends/cpu/CpuCost.h"
#include "backends/cpu/CpuOps.h"
#include "backends/cpu/CpuTarget.h"
#include "backends/cpu/IntegerSigns.h"
#include "backends/cpu/OneLaneStores.h"
#include "backends/cpu/Passes.h"
#include "compiler/host/Passes.h"
#include "compiler/transforms/Canonicalize.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

namespace {
class CpuBackend : public Backend {
public:
  explicit CpuBackend(CpuTarget target) : target(std::move(target)) {}

  std::string getTargetName() const override { return target.getName(); }
  std::string getRequiredFeatures() const override {
    return target.getRequiredFeatures();
  }
  int64_t getTileBudget() const override { return target.getTileBudget(); }
  void buildTilePipeline(OpPassManager &pm) const override;
  void buildLoweringPipeline(OpPassManager &pm) const override;
  Machine getMachine() const override {
    return {target.getArchitecture().triple.str(),
            target.getCpu().str(),
            target.getFeatures(),
            scalarPipeline,
            target.getVectorBits(),
            /*prepare=*/nullptr,
            [](llvm::Module &module) {
              storeSingleLanes(module);
              copySignsAsIntegers(module);
            }};
  }

private:
  CpuTarget target;
};
} // namespace

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

void CpuBackend::buildTilePipeline(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(tile::createSplitGridSync());
  pm.addPass(tile::createCanonicalize());
  pm.addPass(createCSEPass());
  pm.addPass(createSpecializeSizes());
  pm.addPass(createFitTiles());
  pm.addPass(createFuseBlocks({target.getTileBudget()}));
  pm.addPass(createSplitBlocks());
  pm.addPass(createSplitSums());
  pm.addPass(createFuseLoops());
  pm.addNestedPass<func::FuncOp>(tile::createProveBounds());
  pm.addPass(tile::createLegalizeAccumulators());
  pm.addPass(createMergeSteps({target.getTileBudget(), target.getModel().l2Bytes / 8}));
  pm.addPass(tile::createSelectAtoms({target.getName()}));
  pm.addPass(tile::createSequentializeLoops());
  pm.addPass(createPackOperands());
  pm.addPass(createForwardCopies());
  pm.addPass(createFinishProducts());
  pm.addPass(createTrimRows());
  pm.addPass(createSharePanels());
  pm.addPass(createPrefetchBlocks({target.getModel().l2Bytes / 4}));
  pm.addPass(createReadInPlace());
  pm.addPass(createSplitPanels({target.getModel().l1Bytes / 2}));
  pm.addPass(createPrefetchSteps({target.getModel().l2Bytes / 4}));
  pm.addPass(tile::createPlanMemory());
}

void CpuBackend::buildLoweringPipeline(OpPassManager &pm) const {
  int64_t bits = target.getVectorBits();
  // Tiles to loops and vectors.
  pm.addPass(createLowerGemm());
  pm.addPass(createLowerCopy({bits}));
  pm.addPass(createLowerReduce({bits}));
  pm.addPass(createLowerParallel({bits}));
  pm.addPass(createSkipUnitScales());
  pm.addPass(createStreamStores());
  pm.addPass(tile::createPlanMemory());
  pm.addPass(host::createOutlineKernels());
  pm.addPass(createOverlapBlocks());
  pm.addPass(tile::createLowerAccess());
  // Elements to machine arithmetic.
  pm.addPass(tile::createWidenFloats());
  bool avx512dq = bits == 512 && target.hasFeature("avx512dq");
  pm.addPass(createNativeCasts({avx512dq && target.hasFeature("avx512bf16"),
                                bits == 512 && target.hasFeature("avx512bw"),
                                bits == 512 && target.hasFeature("avx512vbmi")}));
  pm.addPass(tile::createExpandCasts());
  bool isArm = target.getModel().architecture == Architecture::AArch64;
  pm.addPass(createNativeMath({avx512dq, isArm}));
  pm.addPass(tile::createExpandMath());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(tile::createCanonicalize());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  // Everything to the LLVM dialect.
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass({/*allowPatternRollback=*/false}));
  pm.addPass(cpu::createConvertToLLVM());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void cpu::registerCpuDialects(DialectRegistry &registry) {
  registry.insert<CpuDialect, tile::TileDialect, func::FuncDialect, arith::ArithDialect,
                  math::MathDialect, scf::SCFDialect, cf::ControlFlowDialect,
                  memref::MemRefDialect, vector::VectorDialect, LLVM::LLVMDialect,
                  affine::AffineDialect, ub::UBDialect, index::IndexDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

llvm::Expected<std::unique_ptr<Backend>> cpu::createCpuBackend(StringRef spec) {
  registerCpuTarget();
  llvm::Expected<CpuTarget> target = CpuTarget::parse(spec);
  if (!target)
    return target.takeError();
  return std::make_unique<CpuBackend>(*target);
}
