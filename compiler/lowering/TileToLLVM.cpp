//===- TileToLLVM.cpp - What all targets lower to LLVM alike -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/lowering/TileToLLVM.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"

using namespace mlir;
using namespace tilewright::tile;

Value tilewright::tile::makeDescriptor(ConversionPatternRewriter &rewriter, Location loc,
                                       const LLVMTypeConverter &converter, Value pointer,
                                       MemRefType type, ValueRange dynamicSizes,
                                       ValueRange dynamicStrides) {
  Type index = converter.getIndexType();
  auto descriptor = MemRefDescriptor::poison(rewriter, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(rewriter, loc, pointer);
  descriptor.setAlignedPtr(rewriter, loc, pointer);
  descriptor.setConstantOffset(rewriter, loc, 0);

  auto [strides, offset] = type.getStridesAndOffset();
  auto sizeOperand = dynamicSizes.begin();
  SmallVector<Value> sizes;
  auto constant = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(rewriter, loc, index, rewriter.getIndexAttr(value));
  };
  for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
    sizes.push_back(ShapedType::isDynamic(extent) ? *sizeOperand++ : constant(extent));
    descriptor.setSize(rewriter, loc, dim, sizes.back());
  }
  // The identity layout's dynamic strides are products of the sizes inside them.
  Value running;
  for (int64_t dim = type.getRank() - 1; dim >= 0; --dim) {
    if (!ShapedType::isDynamic(strides[dim])) {
      descriptor.setConstantStride(rewriter, loc, dim, strides[dim]);
      running = constant(strides[dim]);
    } else if (type.getLayout().isIdentity()) {
      running = LLVM::MulOp::create(rewriter, loc, running, sizes[dim + 1]);
      descriptor.setStride(rewriter, loc, dim, running);
    }
  }
  auto strideOperand = dynamicStrides.begin();
  for (auto [dim, stride] : llvm::enumerate(strides))
    if (ShapedType::isDynamic(stride) && !type.getLayout().isIdentity())
      descriptor.setStride(rewriter, loc, dim, *strideOperand++);
  return descriptor;
}

namespace {
struct FromPointerLowering : ConvertOpToLLVMPattern<FromPointerOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(FromPointerOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<MemRefType>(op.getResult().getType());
    Value pointer = adaptor.getPointer();
    if (op.getOffset() != 0)
      pointer = LLVM::GEPOp::create(
          rewriter, op.getLoc(), pointer.getType(), rewriter.getI8Type(), pointer,
          ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(op.getOffset())});
    rewriter.replaceOp(op,
                       makeDescriptor(rewriter, op.getLoc(), *getTypeConverter(), pointer,
                                      type, adaptor.getSizes(), adaptor.getStrides()));
    return success();
  }
};

struct ViewLowering : ConvertOpToLLVMPattern<ViewOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(ViewOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value pointer =
        MemRefDescriptor(adaptor.getSource()).alignedPtr(rewriter, op.getLoc());
    rewriter.replaceOp(op,
                       makeDescriptor(rewriter, op.getLoc(), *getTypeConverter(), pointer,
                                      cast<MemRefType>(op.getResult().getType()),
                                      adaptor.getSizes(), /*dynamicStrides=*/{}));
    return success();
  }
};

/// An element of 4 bits is a byte: the bits of one, and one made of bits.
struct NibbleBitcastLowering : ConvertOpToLLVMPattern<arith::BitcastOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::BitcastOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Type to = getTypeConverter()->convertType(op.getType());
    if (isa<Float4E2M1FNType>(getElementTypeOrSelf(op.getType())))
      rewriter.replaceOpWithNewOp<LLVM::ZExtOp>(op, to, adaptor.getIn());
    else if (isa<Float4E2M1FNType>(getElementTypeOrSelf(op.getIn())))
      rewriter.replaceOpWithNewOp<LLVM::TruncOp>(op, to, adaptor.getIn());
    else
      return rewriter.notifyMatchFailure(op, "not of 4-bit elements");
    return success();
  }
};

/// Conversions that give a bf16, which is bits elsewhere (as below), go through f32: from
/// it they round, and the integers that folding makes a bf16 of at once are exact in it.
template <typename Op, typename LLVMOp>
struct ToBF16Lowering : ConvertOpToLLVMPattern<Op> {
  using ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(Op op, typename Op::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isBF16())
      return rewriter.notifyMatchFailure(op, "not to bf16");
    Location loc = op.getLoc();
    Value wide = adaptor.getIn();
    if (isa<IntegerType>(getElementTypeOrSelf(wide))) {
      Type f32 = rewriter.getF32Type();
      if (auto vector = dyn_cast<VectorType>(op.getType()))
        f32 = vector.clone(f32);
      wide = LLVMOp::create(rewriter, loc, f32, wide);
    }
    Value rounded = LLVM::FPTruncOp::create(rewriter, loc, op.getType(), wide);
    rewriter.replaceOpWithNewOp<LLVM::BitcastOp>(
        op, this->getTypeConverter()->convertType(op.getType()), rounded);
    return success();
  }
};

struct NibbleConstantLowering : ConvertOpToLLVMPattern<arith::ConstantOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(arith::ConstantOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    if (!isa<Float4E2M1FNType>(getElementTypeOrSelf(op.getType())))
      return rewriter.notifyMatchFailure(op, "not of 4-bit elements");
    auto code = [](const APFloat &value) { return value.bitcastToAPInt().zext(8); };
    TypedAttr codes;
    if (auto vector = dyn_cast<DenseFPElementsAttr>(op.getValue()))
      codes = vector.mapValues(rewriter.getI8Type(), code);
    else
      codes = rewriter.getIntegerAttr(rewriter.getI8Type(),
                                      code(cast<FloatAttr>(op.getValue()).getValue()));
    rewriter.replaceOpWithNewOp<LLVM::ConstantOp>(op, codes.getType(), codes);
    return success();
  }
};

/// The bytes of a tensor of pairs: its memory, with rows half as long.
struct PairsLowering : ConvertOpToLLVMPattern<PairsOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(PairsOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getBytes().getType());
    MemRefDescriptor elements(adaptor.getElements());
    auto bytes =
        MemRefDescriptor::poison(rewriter, loc, getTypeConverter()->convertType(type));
    bytes.setAllocatedPtr(rewriter, loc, elements.allocatedPtr(rewriter, loc));
    bytes.setAlignedPtr(rewriter, loc, elements.alignedPtr(rewriter, loc));
    bytes.setConstantOffset(rewriter, loc, 0);
    Value one = createIndexAttrConstant(rewriter, loc, getIndexType(), 1);
    auto half = [&](Value x) -> Value {
      return LLVM::LShrOp::create(rewriter, loc, x, one);
    };
    int64_t last = type.getRank() - 1;
    for (int64_t dim = 0; dim <= last; ++dim) {
      Value size = elements.size(rewriter, loc, dim);
      Value stride = elements.stride(rewriter, loc, dim);
      bytes.setSize(rewriter, loc, dim, dim == last ? half(size) : size);
      bytes.setStride(rewriter, loc, dim, dim == last ? stride : half(stride));
    }
    rewriter.replaceOp(op, Value(bytes));
    return success();
  }
};
} // namespace

void tilewright::tile::addElementConversions(LLVMTypeConverter &converter) {
  MLIRContext *context = &converter.getContext();
  // Code computes with bf16 in atoms alone. Elsewhere it is bits: LLVM would move a bf16
  // through f32 where the CPU has no bf16 registers, and so change its NaNs.
  // An element of 4 bits has a byte for itself in vectors too, as it has in tiles.
  Type bits = IntegerType::get(context, 16), byte = IntegerType::get(context, 8);
  converter.addConversion([=](BFloat16Type) { return bits; });
  converter.addConversion([=](Float4E2M1FNType) { return byte; });
  converter.addConversion([=](VectorType type) -> std::optional<Type> {
    if (type.getRank() != 1)
      return std::nullopt;
    if (type.getElementType().isBF16())
      return type.clone(bits);
    return isa<Float4E2M1FNType>(type.getElementType())
               ? std::optional<Type>(type.clone(byte))
               : std::nullopt;
  });
}

void tilewright::tile::populateTileToLLVMPatterns(LLVMTypeConverter &converter,
                                                  RewritePatternSet &patterns) {
  patterns.add<FromPointerLowering, PairsLowering, ViewLowering>(converter);
  patterns.add<NibbleBitcastLowering, NibbleConstantLowering,
               ToBF16Lowering<arith::TruncFOp, LLVM::FPTruncOp>,
               ToBF16Lowering<arith::SIToFPOp, LLVM::SIToFPOp>,
               ToBF16Lowering<arith::UIToFPOp, LLVM::UIToFPOp>>(converter,
                                                                /*benefit=*/2);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  index::populateIndexToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  vector::populateVectorMaskMaterializationPatterns(patterns,
                                                    /*force32BitVectorIndices=*/false);
  vector::populateVectorMaskOpLoweringPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
}
