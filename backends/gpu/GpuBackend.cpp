//===- GpuBackend.cpp - What the GPUs' backends share -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The whole path of a kernel to a GPU on one page.
//
//===----------------------------------------------------------------------===//

#include "backends/gpu/GpuBackend.h"

#include "backends/cpu/Passes.h"
#include "compiler/host/Passes.h"
#include "compiler/simt/Passes.h"
#include "compiler/transforms/Canonicalize.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/Transforms/Passes.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace tilewright;

void GpuBackend::buildTilePipeline(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(tile::createSplitGridSync());
  pm.addPass(tile::createCanonicalize());
  pm.addPass(createCSEPass());
  pm.addPass(tile::createLegalizeAccumulators());
  pm.addNestedPass<func::FuncOp>(simt::createChooseThreads({getLanes()}));
  pm.addPass(tile::createSelectAtoms({getTargetName()}));
  pm.addNestedPass<func::FuncOp>(simt::createSpreadRows());
  pm.addPass(tile::createExpandTiles({/*keepReductions=*/true}));
  pm.addNestedPass<func::FuncOp>(tile::createProveBounds());
  // What the block does, by all its threads or by one.
  pm.addNestedPass<func::FuncOp>(simt::createIsolateEffects());
  pm.addNestedPass<func::FuncOp>(simt::createDealFragments({getLanes(), getHeldBytes()}));
  // How threads reach memory, and what runs ahead.
  pm.addNestedPass<func::FuncOp>(simt::createVectorizeAccesses());
  pm.addNestedPass<func::FuncOp>(simt::createSwizzleTiles());
  pm.addNestedPass<func::FuncOp>(
      simt::createPipelineLoops({hasAsyncCopies(), getTileBudget()}));
  pm.addNestedPass<func::FuncOp>(simt::createVerifyChannels());
  pm.addPass(tile::createPlanMemory());
  pm.addNestedPass<func::FuncOp>(simt::createInsertBarriers({getTargetName()}));
}

void GpuBackend::buildLoweringPipeline(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(
      simt::createCheckSharedMemory({getTileBudget(), getTargetName()}));
  pm.addNestedPass<func::FuncOp>(simt::createLowerChannels({getTargetName()}));
  pm.addNestedPass<func::FuncOp>(
      simt::createDistribute({getLanes(), getTargetName(), hasPackedFloats()}));
  pm.addPass(createCSEPass()); // each access has its own indices until then
  pm.addNestedPass<func::FuncOp>(simt::createApplySwizzles());
  addAccessPasses(pm);
  pm.addPass(host::createOutlineGrids());
  pm.addPass(tile::createLowerAccess({/*sharesTiles=*/true}));
  // Elements to machine arithmetic.
  pm.addPass(tile::createWidenFloats());
  pm.nest<ModuleOp>().addPass(tile::createExpandCasts({/*nativeBF16=*/true}));
  pm.addPass(tile::createExpandCasts());
  pm.addPass(tile::createExpandDivisions());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(tile::createCanonicalize());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  pm.nest<ModuleOp>().addPass(simt::createNarrowLoops());
  pm.nest<ModuleOp>().addPass(tile::createExpandMath({/*nativeExp2=*/true}));
  // The launch function, which is native code, and the device module to the LLVM dialect:
  // the latter in the end, since there is most of it then.
  pm.addPass(host::createLowerLaunches());
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass({/*allowPatternRollback=*/false}));
  pm.addPass(cpu::createConvertToLLVM());
  addDeviceConversion(pm.nest<ModuleOp>());
  pm.addPass(createReconcileUnrealizedCastsPass());
  // Lines of the source, by which emulators and profilers tell where they are.
  pm.nest<ModuleOp>().addPass(LLVM::createDIScopeForLLVMFuncOpPass({getLineTables()}));
}
