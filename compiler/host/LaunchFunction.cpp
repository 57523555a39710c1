//===- LaunchFunction.cpp - The host side of the launch ABI --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/LaunchFunction.h"

#include "compiler/host/HostCalls.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace tilewright::host;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Grids
//===----------------------------------------------------------------------===//

SmallVector<Value> tilewright::host::delinearize(OpBuilder &builder, Location loc,
                                                 Value block, ValueRange grid) {
  SmallVector<Value> coordinates;
  for (Value extent : grid.drop_back()) {
    coordinates.push_back(arith::RemUIOp::create(builder, loc, block, extent));
    block = arith::DivUIOp::create(builder, loc, block, extent);
  }
  coordinates.push_back(block);
  return coordinates;
}

/// The product of two i64 that are not negative; the largest i64 where it overflows.
static Value multiplySaturating(OpBuilder &builder, Location loc, Value a, Value b) {
  auto wide = arith::MulSIExtendedOp::create(builder, loc, a, b);
  Type i64 = builder.getI64Type();
  Value zero = arith::ConstantIntOp::create(builder, loc, i64, 0);
  Value most = arith::ConstantIntOp::create(builder, loc, i64, INT64_MAX);
  // The high half is zero and the low one not negative where the product fits.
  Value excess =
      arith::OrIOp::create(builder, loc, wide.getHigh(),
                           arith::MinSIOp::create(builder, loc, wide.getLow(), zero));
  Value fits =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, excess, zero);
  return arith::SelectOp::create(builder, loc, fits, wide.getLow(), most);
}

Value tilewright::host::countBlocks(OpBuilder &builder, KernelOp kernel) {
  Location loc = kernel.getLoc();
  Type i64 = builder.getI64Type();
  Value zero = arith::ConstantIntOp::create(builder, loc, i64, 0), blocks;
  for (Value extent : kernel.getGrid()) {
    Value count = arith::IndexCastOp::create(builder, loc, i64, extent);
    count = arith::MaxSIOp::create(builder, loc, count, zero);
    blocks = blocks ? multiplySaturating(builder, loc, blocks, count) : count;
  }
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), blocks);
}

/// Moves constants that the kernel uses into it, so that they stay constants.
static void sinkConstants(KernelOp kernel) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(kernel.getBody(), captured);
  OpBuilder builder = OpBuilder::atBlockBegin(&kernel.getBody().front());
  for (Value value : captured)
    if (Operation *op = value.getDefiningOp();
        op && op->hasTrait<OpTrait::ConstantLike>())
      value.replaceUsesWithIf(builder.clone(*op)->getResult(0), [&](OpOperand &use) {
        return kernel.getBody().isAncestor(use.getOwner()->getParentRegion());
      });
}

llvm::SetVector<Value> tilewright::host::captureValues(KernelOp kernel) {
  sinkConstants(kernel);
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(kernel.getBody(), captured);
  return captured;
}

//===----------------------------------------------------------------------===//
// The launch function
//===----------------------------------------------------------------------===//

namespace {
/// Reads a launch function's argument words in order.
class WordReader {
public:
  WordReader(OpBuilder &builder, Location loc, Value words)
      : builder(builder), loc(loc), words(words) {}

  /// The next word as a value of `type`: an integer, a float, index or pointer.
  Value next(Type type) {
    Type pointer = words.getType();
    Value address = LLVM::GEPOp::create(builder, loc, pointer, builder.getI64Type(),
                                        words, ArrayRef<LLVM::GEPArg>{position++});
    if (isa<LLVM::LLVMPointerType>(type))
      return LLVM::LoadOp::create(builder, loc, type, address);
    Value word = LLVM::LoadOp::create(builder, loc, builder.getI64Type(), address);
    if (type.isIndex())
      return arith::IndexCastOp::create(builder, loc, type, word);
    unsigned bits = type.getIntOrFloatBitWidth();
    if (bits < 64)
      word = arith::TruncIOp::create(builder, loc, builder.getIntegerType(bits), word);
    return isa<FloatType>(type)
               ? Value(arith::BitcastOp::create(builder, loc, type, word))
               : word;
  }

  /// The next tensor: its pointer, extents and strides.
  Value nextTensor(MemRefType type) {
    Value pointer = next(words.getType());
    Type index = builder.getIndexType();
    auto [strides, offset] = type.getStridesAndOffset();
    SmallVector<Value> dynamicSizes, dynamicStrides;
    for (int64_t extent : type.getShape()) {
      Value word = next(index);
      if (ShapedType::isDynamic(extent))
        dynamicSizes.push_back(word);
    }
    for (int64_t stride : strides) {
      Value word = next(index);
      if (ShapedType::isDynamic(stride) && !type.getLayout().isIdentity())
        dynamicStrides.push_back(word);
    }
    return FromPointerOp::create(builder, loc, type, pointer, 0, dynamicSizes,
                                 dynamicStrides);
  }

private:
  OpBuilder &builder;
  Location loc;
  Value words;
  int32_t position = 0;
};
} // namespace

/// Replaces a workspace by memory that the runtime hands out. Of a negative size it asks
/// for -1 bytes, which the runtime refuses by that name.
static void lowerWorkspace(WorkspaceOp workspace, Value host, Value state) {
  OpBuilder builder(workspace);
  Location loc = workspace.getLoc();
  auto type = cast<MemRefType>(workspace.getResult().getType());
  Type i64 = builder.getI64Type();
  auto sizes = workspace.getSizes().begin();
  Value bytes = arith::ConstantIntOp::create(
      builder, loc, i64, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  Value least;
  for (int64_t extent : type.getShape()) {
    Value size;
    if (ShapedType::isDynamic(extent)) {
      size = arith::IndexCastOp::create(builder, loc, i64, *sizes++);
      least = least ? arith::MinSIOp::create(builder, loc, least, size).getResult() : size;
    } else {
      size = arith::ConstantIntOp::create(builder, loc, i64, extent);
    }
    bytes = multiplySaturating(builder, loc, bytes, size);
  }
  if (least) {
    Value zero = arith::ConstantIntOp::create(builder, loc, i64, 0);
    Value negative = arith::ConstantIntOp::create(builder, loc, i64, -1);
    Value isNegative =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, least, zero);
    bytes = arith::SelectOp::create(builder, loc, isNegative, negative, bytes);
  }
  Value pointer =
      callField(builder, loc, host, kWorkspace, host.getType(), {state, bytes});
  Value memory = FromPointerOp::create(builder, loc, type, pointer, 0,
                                       workspace.getSizes(), ValueRange());
  workspace.replaceAllUsesWith(memory);
  workspace.erase();
}

LaunchArguments tilewright::host::makeLaunchFunction(func::FuncOp function,
                                                     OutlineFn outline) {
  Location loc = function.getLoc();
  Block &entry = function.front();
  unsigned parameters = entry.getNumArguments();
  OpBuilder builder = OpBuilder::atBlockBegin(&entry);
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value host = entry.addArgument(pointer, loc);
  Value state = entry.addArgument(pointer, loc);
  Value words = entry.addArgument(pointer, loc);

  WordReader reader(builder, loc, words);
  for (BlockArgument arg : entry.getArguments().take_front(parameters)) {
    auto tensor = dyn_cast<MemRefType>(arg.getType());
    arg.replaceAllUsesWith(tensor ? reader.nextTensor(tensor)
                                  : reader.next(arg.getType()));
  }
  entry.eraseArguments(0, parameters);
  Type status = builder.getI32Type();
  function.removeArgAttrsAttr();
  function.setType(builder.getFunctionType({pointer, pointer, pointer}, {status}));

  unsigned number = 0;
  SmallVector<KernelOp> kernels;
  function.walk([&](KernelOp kernel) { kernels.push_back(kernel); });
  for (KernelOp kernel : kernels) {
    std::string name = (function.getName() + ".kernel" + Twine(number++)).str();
    if (StringRef(name).starts_with("llvm."))
      name.insert(0, "_"); // LLVM's intrinsics alone are called so
    outline(kernel, name, host, state);
  }
  SmallVector<WorkspaceOp> workspaces;
  function.walk([&](WorkspaceOp workspace) { workspaces.push_back(workspace); });
  for (WorkspaceOp workspace : workspaces)
    lowerWorkspace(workspace, host, state);

  // Errors are recorded in the state, after which the runtime launches nothing.
  auto terminator = cast<func::ReturnOp>(function.back().getTerminator());
  builder.setInsertionPoint(terminator);
  Value ok = arith::ConstantIntOp::create(builder, loc, status, 0);
  func::ReturnOp::create(builder, loc, ok);
  terminator.erase();
  return {host, state};
}
