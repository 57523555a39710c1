//===- tilewright-opt.cpp - Run any pass on any IR ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuCost.h"
#include "backends/cpu/Passes.h"
#include "backends/cuda/CudaTarget.h"
#include "backends/cuda/Passes.h"
#include "backends/hip/HipTarget.h"
#include "backends/hip/Passes.h"
#include "compiler/host/Passes.h"
#include "compiler/simt/Passes.h"
#include "compiler/transforms/Passes.h"
#include "dialects/tile/Tile.h"
#include "driver/Backends.h"
#include "driver/EmitObject.h"

#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  tilewright::registerBackendDialects(registry);
  mlir::registerAllPasses();
  tilewright::cpu::registerCpuTarget();
  tilewright::cuda::registerCudaTarget();
  tilewright::hip::registerHipTarget();
  tilewright::tile::registerTilewrightTransformsPasses();
  tilewright::host::registerTilewrightHostPasses();
  tilewright::simt::registerTilewrightSimtPasses();
  tilewright::cpu::registerTilewrightCpuPasses();
  tilewright::cuda::registerTilewrightCudaPasses();
  tilewright::hip::registerTilewrightHipPasses();
  tilewright::registerEmitObject();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Tilewright optimizer driver\n", registry));
}
