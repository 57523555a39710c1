//===- ConvertToLLVM.cpp - Outlined kernels to the LLVM dialect ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "dialects/tile/Tile.h"

#include "mlir/Analysis/DataLayoutAnalysis.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"

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

/// The descriptor of memory at `pointer`, for a type whose layout has offset zero.
/// `dynamicSizes` and `dynamicStrides` are what the type leaves open, in order; of the
/// identity layout strides follow from the sizes.
Value describe(ConversionPatternRewriter &rewriter, Location loc,
               const LLVMTypeConverter &converter, Value pointer, MemRefType type,
               ValueRange dynamicSizes, ValueRange dynamicStrides) {
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
    rewriter.replaceOp(op, describe(rewriter, op.getLoc(), *getTypeConverter(), pointer,
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
    rewriter.replaceOp(op, describe(rewriter, op.getLoc(), *getTypeConverter(), pointer,
                                    cast<MemRefType>(op.getResult().getType()),
                                    adaptor.getSizes(), /*dynamicStrides=*/{}));
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

/// The operands of bf16 instructions, from the integers that hold their bits.
void castBitsForAtoms(ModuleOp module) {
  module.walk([](UnrealizedConversionCastOp cast) {
    if (cast.getNumOperands() != 1 || !getElementTypeOrSelf(cast.getType(0)).isBF16())
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

  RewritePatternSet patterns(context);
  patterns.add<CaptureLowering, CapturedLowering, FromPointerLowering, ViewLowering,
               LaunchLowering>(converter);
  patterns.add<MoveRowLowering, NibbleBitcastLowering, NibbleConstantLowering>(
      converter, /*benefit=*/2);
  patterns.add<PairsLowering>(converter);
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

  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  if (failed(applyFullConversion(getOperation(), target, std::move(patterns))))
    return signalPassFailure();
  castBitsForAtoms(getOperation());
}
