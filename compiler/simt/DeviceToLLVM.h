//===- DeviceToLLVM.h - What all GPUs lower to LLVM alike ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_SIMT_DEVICE_TO_LLVM_H
#define TILEWRIGHT_COMPILER_SIMT_DEVICE_TO_LLVM_H

#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Transforms/DialectConversion.h"

#include <functional>

namespace tilewright::simt {

/// The symbol of zeros, which are read in place of what is outside of a tensor.
inline constexpr llvm::StringLiteral zerosName = "tilewright_zeros";

/// What differs between GPUs in the last conversion.
struct DeviceLowering {
  /// The vendor's dialect beside LLVM's.
  llvm::StringRef dialect;
  /// The address space of the stack, where local tiles are.
  unsigned stackSpace;
  /// LLVM's name for the threads of one device.
  llvm::StringRef deviceScope;
  /// Marks an entry, for blocks of so many threads.
  std::function<void(mlir::func::FuncOp entry, int64_t threads)> markEntry;
  /// Adds the patterns of operations on threads.
  std::function<void(mlir::LLVMTypeConverter &, mlir::RewritePatternSet &)> addPatterns;
};

/// The address of an element, with what is constant of it added last: addresses that
/// differ by a constant then share all else, and instructions have room for the constant.
/// `indices` are those before the conversion.
mlir::Value getElementAddress(mlir::ConversionPatternRewriter &rewriter,
                              mlir::Location loc, mlir::MemRefType type,
                              mlir::Value descriptor, mlir::ValueRange indices);

/// An operation whose value is in a register of 32 bits, never negative, as an index.
template <typename Op, typename Register>
struct RegisterLowering : mlir::ConvertOpToLLVMPattern<Op> {
  using mlir::ConvertOpToLLVMPattern<Op>::ConvertOpToLLVMPattern;

  mlir::LogicalResult
  matchAndRewrite(Op op, typename Op::Adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const override {
    mlir::Value number = Register::create(rewriter, op.getLoc(), rewriter.getI32Type());
    rewriter.replaceOpWithNewOp<mlir::LLVM::ZExtOp>(
        op, this->getTypeConverter()->getIndexType(), number);
    return mlir::success();
  }
};

/// Converts a device module to the LLVM dialect.
mlir::LogicalResult convertDeviceToLLVM(mlir::ModuleOp module,
                                        const DeviceLowering &lowering);

} // namespace tilewright::simt

#endif // TILEWRIGHT_COMPILER_SIMT_DEVICE_TO_LLVM_H
