//===- TileRegisters.cpp - Operations on tiles as instructions of AMX ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/TileRegisters.h"

#include "backends/cpu/CpuOps.h"

#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace tilewright::cpu;

static void callIntrinsic(OpBuilder &b, Location loc, StringRef name,
                          ValueRange operands) {
  LLVM::CallIntrinsicOp::create(b, loc, b.getStringAttr(name), operands);
}

static Value number(OpBuilder &b, Location loc, int64_t tile) {
  return LLVM::ConstantOp::create(b, loc, b.getI8Type(), tile);
}

namespace {
/// The 64 bytes that a configuration has: the palette, which numbers the shapes that the
/// machine allows, from byte 16 on the bytes of each tile's rows, from 48 on how many.
struct TileShapesLowering : ConvertOpToLLVMPattern<TileShapesOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(TileShapesOp op, OpAdaptor,
                                ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    if (op.getRows().empty()) {
      callIntrinsic(b, loc, "llvm.x86.tilerelease", {});
      b.eraseOp(op);
      return success();
    }
    SmallVector<int8_t> bytes(64, 0);
    bytes[0] = 1;
    for (auto [tile, rows] : llvm::enumerate(op.getRows())) {
      bytes[16 + 2 * tile] = static_cast<int8_t>(op.getBytes()[tile]);
      bytes[48 + tile] = static_cast<int8_t>(rows);
    }
    Value memory;
    { // at the start of the function, so that a product in a loop takes no more stack
      OpBuilder::InsertionGuard guard(b);
      auto function = op->getParentOfType<FunctionOpInterface>();
      b.setInsertionPointToStart(&function.getFunctionBody().front());
      Value one = LLVM::ConstantOp::create(b, loc, b.getI64Type(), 1);
      auto pointer = LLVM::LLVMPointerType::get(b.getContext());
      auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
      memory = LLVM::AllocaOp::create(b, loc, pointer, type, one, /*alignment=*/64);
    }
    auto type = VectorType::get(bytes.size(), b.getI8Type());
    Value content = LLVM::ConstantOp::create(
        b, loc, type, DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes)));
    LLVM::StoreOp::create(b, loc, content, memory);
    callIntrinsic(b, loc, "llvm.x86.ldtilecfg", memory);
    b.eraseOp(op);
    return success();
  }
};

struct TileZeroLowering : ConvertOpToLLVMPattern<TileZeroOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(TileZeroOp op, OpAdaptor,
                                ConversionPatternRewriter &b) const override {
    callIntrinsic(b, op.getLoc(), "llvm.x86.tilezero",
                  number(b, op.getLoc(), op.getTile()));
    b.eraseOp(op);
    return success();
  }
};

/// Loads and stores take a pointer and the bytes from a row to the next.
template <typename AccessOp>
struct TileAccessLowering : ConvertOpToLLVMPattern<AccessOp> {
  using ConvertOpToLLVMPattern<AccessOp>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(AccessOp op, typename AccessOp::Adaptor adaptor,
                                ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    auto type = cast<MemRefType>(op.getMemory().getType());
    Value at = this->getStridedElementPtr(b, loc, type, adaptor.getMemory(),
                                          {adaptor.getRow(), adaptor.getColumn()});
    int64_t offset, elementBytes = type.getElementTypeBitWidth() / 8;
    SmallVector<int64_t> strides;
    if (failed(type.getStridesAndOffset(strides, offset)))
      return failure();
    auto constant = [&](int64_t value) -> Value {
      return LLVM::ConstantOp::create(b, loc, b.getI64Type(), value);
    };
    Value stride = ShapedType::isDynamic(strides[0])
                       ? MemRefDescriptor(adaptor.getMemory()).stride(b, loc, 0)
                       : constant(strides[0]);
    Value bytes = LLVM::MulOp::create(b, loc, stride, constant(elementBytes));
    bool isLoad = std::is_same_v<AccessOp, TileLoadOp>;
    callIntrinsic(b, loc, isLoad ? "llvm.x86.tileloadd64" : "llvm.x86.tilestored64",
                  {number(b, loc, op.getTile()), at, bytes});
    b.eraseOp(op);
    return success();
  }
};

struct TileMultiplyLowering : ConvertOpToLLVMPattern<TileMultiplyOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(TileMultiplyOp op, OpAdaptor,
                                ConversionPatternRewriter &b) const override {
    Location loc = op.getLoc();
    StringRef name = op.getInstruction() == Instruction::TileBF16 ? "llvm.x86.tdpbf16ps"
                     : op.getInstruction() == Instruction::TileI8 ? "llvm.x86.tdpbssd"
                                                                  : "llvm.x86.tdpbuud";
    callIntrinsic(b, loc, name,
                  {number(b, loc, op.getC()), number(b, loc, op.getA()),
                   number(b, loc, op.getB())});
    b.eraseOp(op);
    return success();
  }
};
} // namespace

void tilewright::cpu::populateTileRegisterPatterns(const LLVMTypeConverter &converter,
                                                   RewritePatternSet &patterns) {
  patterns.add<TileShapesLowering, TileZeroLowering,
               TileAccessLowering<TileLoadOp>, TileAccessLowering<TileStoreOp>,
               TileMultiplyLowering>(converter);
}
