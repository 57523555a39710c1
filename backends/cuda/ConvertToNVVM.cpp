//===- ConvertToNVVM.cpp - Device modules to the NVVM dialect -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cuda/Passes.h"
#include "compiler/simt/DeviceToLLVM.h"
#include "dialects/simt/Simt.h"

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace tilewright::cuda {
#define GEN_PASS_DEF_CONVERTTONVVM
#include "backends/cuda/Passes.h.inc"
} // namespace tilewright::cuda

using namespace mlir;
using namespace tilewright;

namespace {
struct BarrierLowering : ConvertOpToLLVMPattern<simt::BarrierOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::BarrierOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::Barrier0Op>(op);
    return success();
  }
};

struct LoadMatrixLowering : ConvertOpToLLVMPattern<simt::LoadMatrixOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::LoadMatrixOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getMemref().getType());
    Value address = simt::getElementAddress(rewriter, loc, type, adaptor.getMemref(),
                                            op.getIndices());
    auto vector = cast<VectorType>(op.getResult().getType());
    int64_t count = vector.getNumElements();
    Type word = rewriter.getI32Type();
    Type given = count == 1 ? word
                            : LLVM::LLVMStructType::getLiteral(
                                  getContext(), SmallVector<Type>(count, word));
    auto shape = NVVM::LdStMatrixShapeAttr::get(getContext(), 8, 8);
    Value loaded = NVVM::LdMatrixOp::create(rewriter, loc, given, address, count,
                                            op.getTranspose() ? NVVM::MMALayout::col
                                                              : NVVM::MMALayout::row,
                                            shape, NVVM::LdStMatrixEltType::B16);
    Value result = LLVM::PoisonOp::create(rewriter, loc, vector);
    for (int64_t i = 0; i < count; ++i) {
      Value part =
          count == 1 ? loaded : LLVM::ExtractValueOp::create(rewriter, loc, loaded, i);
      Value position = LLVM::ConstantOp::create(rewriter, loc, rewriter.getI64Type(), i);
      result = LLVM::InsertElementOp::create(rewriter, loc, result, part, position);
    }
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct CopyAsyncLowering : ConvertOpToLLVMPattern<simt::CopyAsyncOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::CopyAsyncOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto src = cast<MemRefType>(op.getMemref().getType());
    auto dst = cast<MemRefType>(op.getDst().getType());
    Value from =
        simt::getElementAddress(rewriter, loc, src, adaptor.getMemref(), op.getIndices());
    Value to =
        simt::getElementAddress(rewriter, loc, dst, adaptor.getDst(), op.getDstIndices());
    int64_t bytes = op.getCount() * src.getElementTypeBitWidth() / 8;
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, loc, rewriter.getI32Type(), value);
    };
    // What is not read is written as zero.
    Value read;
    if (adaptor.getInside())
      read = LLVM::SelectOp::create(rewriter, loc, adaptor.getInside(), constant(bytes),
                                    constant(0));
    // Whole sectors need no place in L1.
    auto cache =
        bytes == 16 ? NVVM::LoadCacheModifierKind::CG : NVVM::LoadCacheModifierKind::CA;
    NVVM::CpAsyncOp::create(rewriter, loc, to, from, bytes, cache, read);
    rewriter.eraseOp(op);
    return success();
  }
};

struct CommitCopiesLowering : ConvertOpToLLVMPattern<simt::CommitCopiesOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::CommitCopiesOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::CpAsyncCommitGroupOp>(op);
    return success();
  }
};

struct WaitCopiesLowering : ConvertOpToLLVMPattern<simt::WaitCopiesOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::WaitCopiesOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<NVVM::CpAsyncWaitGroupOp>(op, op.getPending());
    return success();
  }
};

/// Results below the least normal number become 0, and in exchange it is one instruction.
struct Exp2Lowering : ConvertOpToLLVMPattern<math::Exp2Op> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(math::Exp2Op op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "not of f32");
    rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
        op, op.getType(), rewriter.getStringAttr("llvm.nvvm.ex2.approx.ftz.f32"),
        adaptor.getOperand());
    return success();
  }
};

struct ShuffleXorLowering : ConvertOpToLLVMPattern<simt::ShuffleXorOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::ShuffleXorOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(rewriter, op.getLoc(), rewriter.getI32Type(),
                                      value);
    };
    rewriter.replaceOpWithNewOp<NVVM::ShflOp>(
        op, rewriter.getI32Type(), /*thread_mask=*/constant(-1), adaptor.getValue(),
        constant(op.getMask()), /*mask_and_clamp=*/constant(31), NVVM::ShflKind::bfly,
        /*return_value_and_is_valid=*/UnitAttr());
    return success();
  }
};

struct VoteLowering : ConvertOpToLLVMPattern<simt::VoteOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(simt::VoteOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Type word = rewriter.getI32Type();
    Value all = LLVM::ConstantOp::create(rewriter, loc, word, -1);
    auto vote = [&](Type type, NVVM::VoteSyncKind kind) -> Value {
      return NVVM::VoteSyncOp::create(rewriter, loc, type, all, adaptor.getValue(), kind);
    };
    switch (op.getKind()) {
    case simt::Vote::Any:
      rewriter.replaceOp(op, vote(rewriter.getI1Type(), NVVM::VoteSyncKind::any));
      break;
    case simt::Vote::All:
      rewriter.replaceOp(op, vote(rewriter.getI1Type(), NVVM::VoteSyncKind::all));
      break;
    case simt::Vote::Ballot:
      rewriter.replaceOpWithNewOp<LLVM::ZExtOp>(op, rewriter.getI64Type(),
                                                vote(word, NVVM::VoteSyncKind::ballot));
      break;
    }
    return success();
  }
};

struct ConvertToNVVMPass : tilewright::cuda::impl::ConvertToNVVMBase<ConvertToNVVMPass> {
  void runOnOperation() override;
};
} // namespace

void ConvertToNVVMPass::runOnOperation() {
  simt::DeviceLowering lowering{
      /*dialect=*/"nvvm", /*stackSpace=*/0, /*deviceScope=*/"device",
      [](func::FuncOp entry, int64_t threads) {
        Builder builder(entry);
        entry->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(), builder.getUnitAttr());
        int32_t shape[] = {static_cast<int32_t>(threads), 1, 1};
        entry->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                       builder.getDenseI32ArrayAttr(shape));
      },
      [](LLVMTypeConverter &converter, RewritePatternSet &patterns) {
        patterns.add<Exp2Lowering>(converter, /*benefit=*/2);
        patterns.add<simt::RegisterLowering<simt::ThreadIdOp, NVVM::ThreadIdXOp>,
                     simt::RegisterLowering<simt::BlockIdOp, NVVM::BlockIdXOp>,
                     BarrierLowering, CommitCopiesLowering, CopyAsyncLowering,
                     LoadMatrixLowering, ShuffleXorLowering, VoteLowering,
                     WaitCopiesLowering>(converter);
      }};
  if (failed(simt::convertDeviceToLLVM(getOperation(), lowering)))
    signalPassFailure();
}
