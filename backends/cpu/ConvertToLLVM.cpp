//===- ConvertToLLVM.cpp - Outlined kernels to the LLVM dialect ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "backends/cpu/TileRegisters.h"
#include "compiler/lowering/TileToLLVM.h"
#include "dialects/tile/Tile.h"

#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_CONVERTTOLLVM
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::tile;

namespace {
/// The struct that carries captured values from the launch function to a kernel.
LLVM::LLVMStructType envType(MLIRContext *context, TypeRange converted) {
  return LLVM::LLVMStructType::getLiteral(context, SmallVector<Type>(converted));
}

struct CaptureLowering : ConvertOpToLLVMPattern<CaptureOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(CaptureOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type type = envType(rewriter.getContext(), adaptor.getValues().getTypes());
    // At the start of the function, so that a launch in a loop takes no more stack.
    Value env;
    {
      OpBuilder::InsertionGuard guard(rewriter);
      auto function = op->getParentOfType<FunctionOpInterface>();
      rewriter.setInsertionPointToStart(&function.getFunctionBody().front());
      Value one = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64Type(), 1);
      env = LLVM::AllocaOp::create(rewriter, loc, op.getEnv().getType(), type, one);
    }
    for (auto [position, value] : llvm::enumerate(adaptor.getValues())) {
      Value slot =
          LLVM::GEPOp::create(rewriter, loc, env.getType(), type, env,
                              ArrayRef<LLVM::GEPArg>{0, static_cast<int>(position)});
      LLVM::StoreOp::create(rewriter, loc, value, slot);
    }
    rewriter.replaceOp(op, env);
    return success();
  }
};

struct CapturedLowering : ConvertOpToLLVMPattern<CapturedOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(CapturedOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertTypes(op.getResultTypes(), types)))
      return failure();
    Type type = envType(rewriter.getContext(), types);
    SmallVector<Value> values;
    for (auto [position, fieldType] : llvm::enumerate(types)) {
      Value slot = LLVM::GEPOp::create(
          rewriter, loc, adaptor.getEnv().getType(), type, adaptor.getEnv(),
          ArrayRef<LLVM::GEPArg>{0, static_cast<int>(position)});
      values.push_back(LLVM::LoadOp::create(rewriter, loc, fieldType, slot));
    }
    rewriter.replaceOp(op, values);
    return success();
  }
};

struct LaunchLowering : ConvertOpToLLVMPattern<LaunchOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(LaunchOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(rewriter.getContext());
    Type i64 = rewriter.getI64Type(), i32 = rewriter.getI32Type();
    // parallel_for is the second field of tw_host_v1.
    Value slot = LLVM::GEPOp::create(rewriter, loc, pointer, pointer, adaptor.getHost(),
                                     ArrayRef<LLVM::GEPArg>{1});
    Value parallelFor = LLVM::LoadOp::create(rewriter, loc, pointer, slot);
    Value kernel = LLVM::AddressOfOp::create(rewriter, loc, pointer, op.getCallee());
    Value arena = LLVM::ConstantOp::create(rewriter, loc, i64, op.getArena());
    auto type = LLVM::LLVMFunctionType::get(i32, {pointer, i64, pointer, pointer, i64});
    LLVM::CallOp::create(rewriter, loc, type,
                         ValueRange{parallelFor, adaptor.getState(), adaptor.getBlocks(),
                                    kernel, adaptor.getEnv(), arena});
    rewriter.eraseOp(op);
    return success();
  }
};

/// A row of memory is moved by the CPU's own instruction for that, which does not fetch
/// the lines it overwrites.
struct MoveRowLowering : ConvertOpToLLVMPattern<memref::CopyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(memref::CopyOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto isRow = [](Value memref) {
      auto row = dyn_cast<MemRefType>(memref.getType());
      return row && row.getRank() == 1 && row.hasStaticShape() &&
             row.areTrailingDimsContiguous(1);
    };
    if (!isRow(op.getSource()) || !isRow(op.getTarget()))
      return rewriter.notifyMatchFailure(op, "not rows of constant length");
    auto address = [&](Value descriptor, Value memref) {
      return MemRefDescriptor(descriptor)
          .bufferPtr(rewriter, loc, *getTypeConverter(),
                     cast<MemRefType>(memref.getType()));
    };
    auto type = cast<MemRefType>(op.getTarget().getType());
    int64_t bytes =
        type.getNumElements() * llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    Value from = address(adaptor.getSource(), op.getSource());
    Value to = address(adaptor.getTarget(), op.getTarget());
    LLVM::MemcpyInlineOp::create(rewriter, loc, to, from,
                                 rewriter.getI64IntegerAttr(bytes),
                                 /*isVolatile=*/false);
    rewriter.eraseOp(op);
    return success();
  }
};

/// What bf16 instructions take and give, from and to the integers that hold its bits.
void castBitsForInstructions(ModuleOp module) {
  auto isBF16 = [](Type type) { return getElementTypeOrSelf(type).isBF16(); };
  module.walk([&](UnrealizedConversionCastOp cast) {
    if (cast.getNumOperands() != 1 || (!isBF16(cast.getType(0)) &&
                                       !isBF16(cast.getOperand(0).getType())))
      return;
    OpBuilder builder(cast);
    cast.replaceAllUsesWith(ValueRange{LLVM::BitcastOp::create(
        builder, cast.getLoc(), cast.getType(0), cast.getOperand(0))});
    cast.erase();
  });
}

struct ConvertToLLVMPass : tilewright::cpu::impl::ConvertToLLVMBase<ConvertToLLVMPass> {
  void runOnOperation() override;
};
} // namespace

void ConvertToLLVMPass::runOnOperation() {
  MLIRContext *context = &getContext();
  LowerToLLVMOptions options(context);
  LLVMTypeConverter converter(context, options);
  // All tiles are plain memory on a CPU.
  converter.addTypeAttributeConversion([](BaseMemRefType, SpaceAttr) {
    return TypeConverter::AttributeConversionResult::result(Attribute());
  });
  addElementConversions(converter);

  RewritePatternSet patterns(context);
  patterns.add<CaptureLowering, CapturedLowering, LaunchLowering>(converter);
  patterns.add<MoveRowLowering>(converter, /*benefit=*/2);
  tilewright::cpu::populateTileRegisterPatterns(converter, patterns);
  populateTileToLLVMPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  // A device's module is its own backend's business.
  target.markOpRecursivelyLegal<ModuleOp>(
      [](ModuleOp module) { return module->getParentOp() != nullptr; });
  // Patterns here never fail once they have changed something; keeping what they replace
  // for a way back is a third of the conversion's time.
  ConversionConfig withoutRollback;
  withoutRollback.allowPatternRollback = false;
  if (failed(applyFullConversion(getOperation(), target, std::move(patterns), withoutRollback)))
    return signalPassFailure();
  castBitsForInstructions(getOperation());
}
