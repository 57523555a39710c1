//===- DeviceToLLVM.cpp - What all GPUs lower to LLVM alike --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/DeviceToLLVM.h"

#include "compiler/lowering/TileToLLVM.h"
#include "dialects/simt/Simt.h"

#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/Pattern.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

/// The symbol of a block's shared memory, whose size a launch decides.
static constexpr llvm::StringLiteral arenaName = "tilewright_arena";
static constexpr int64_t zerosBytes = 32;
/// What the widest accesses to global and to shared memory ask for.
static constexpr int64_t accessAlignment = 16;
static constexpr int64_t arenaAlignment = 128;

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

/// Takes each memref as its address and what its type leaves open, as `lower-launches`
/// passes them.
static void exposeWords(func::FuncOp entry) {
  Block &body = entry.getBody().front();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  Location loc = entry.getLoc();
  Type index = builder.getIndexType();
  Type global = LLVM::LLVMPointerType::get(
      builder.getContext(), tile::getDeviceAddressSpace(tile::Space::Global));
  SmallVector<BlockArgument> arguments(body.getArguments());
  for (BlockArgument argument : arguments) {
    auto type = dyn_cast<MemRefType>(argument.getType());
    Value pointer =
        body.addArgument(type ? global : argument.getType(), argument.getLoc());
    if (!type) {
      argument.replaceAllUsesWith(pointer);
      continue;
    }
    auto [strides, offset] = type.getStridesAndOffset();
    int64_t openStrides = type.getLayout().isIdentity()
                              ? 0
                              : llvm::count_if(strides, ShapedType::isDynamic);
    SmallVector<Value> sizes, steps;
    for (int64_t i = 0; i < type.getNumDynamicDims(); ++i)
      sizes.push_back(body.addArgument(index, argument.getLoc()));
    for (int64_t i = 0; i < openStrides; ++i)
      steps.push_back(body.addArgument(index, argument.getLoc()));
    argument.replaceAllUsesWith(tile::FromPointerOp::create(builder, loc, type, pointer,
                                                            /*offset=*/0, sizes, steps));
  }
  body.eraseArguments(0, arguments.size());
  entry.setType(builder.getFunctionType(body.getArgumentTypes(), {}));
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

static void addArena(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
  LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/false,
                         LLVM::Linkage::External, arenaName, Attribute(), arenaAlignment,
                         tile::getDeviceAddressSpace(tile::Space::Shared));
}

namespace {
/// A shared tile is a part of the block's arena, a local one is on the stack.
struct AllocLowering : ConvertOpToLLVMPattern<tile::AllocOp> {
  AllocLowering(const LLVMTypeConverter &converter, unsigned stackSpace)
      : ConvertOpToLLVMPattern(converter), stackSpace(stackSpace) {}

  LogicalResult matchAndRewrite(tile::AllocOp op, OpAdaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<MemRefType>(op.getResult().getType());
    Value pointer = tile::getSpace(type) == tile::Space::Local
                        ? placeOnStack(op, type, rewriter)
                        : placeInArena(op, rewriter);
    rewriter.replaceOp(op,
                       tile::makeDescriptor(rewriter, op.getLoc(), *getTypeConverter(),
                                            pointer, type, ValueRange(), ValueRange()));
    return success();
  }

private:
  /// At the start of the function and as one array: so LLVM turns it into registers.
  Value placeOnStack(tile::AllocOp op, MemRefType type,
                     ConversionPatternRewriter &rewriter) const {
    OpBuilder::InsertionGuard guard(rewriter);
    auto function = op->getParentOfType<FunctionOpInterface>();
    rewriter.setInsertionPointToStart(&function.getFunctionBody().front());
    Type pointer = LLVM::LLVMPointerType::get(rewriter.getContext(), stackSpace);
    Type elements =
        LLVM::LLVMArrayType::get(getTypeConverter()->convertType(type.getElementType()),
                                 static_cast<uint64_t>(type.getNumElements()));
    Value one = LLVM::ConstantOp::create(rewriter, op.getLoc(), rewriter.getI64Type(), 1);
    return LLVM::AllocaOp::create(rewriter, op.getLoc(), pointer, elements, one);
  }

  Value placeInArena(tile::AllocOp op, ConversionPatternRewriter &rewriter) const {
    Location loc = op.getLoc();
    Type pointer = LLVM::LLVMPointerType::get(
        rewriter.getContext(), tile::getDeviceAddressSpace(tile::Space::Shared));
    Value arena = LLVM::AddressOfOp::create(rewriter, loc, pointer, arenaName);
    return LLVM::GEPOp::create(
        rewriter, loc, pointer, rewriter.getI8Type(), arena,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(op.getOffset().value_or(0))});
  }

  unsigned stackSpace;
};
} // namespace

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

static void addZeros(ModuleOp module) {
  OpBuilder builder = OpBuilder::atBlockBegin(module.getBody());
  auto type = LLVM::LLVMArrayType::get(builder.getI8Type(), zerosBytes);
  auto zeros = DenseElementsAttr::get(VectorType::get({zerosBytes}, builder.getI8Type()),
                                      builder.getI8IntegerAttr(0));
  LLVM::GlobalOp::create(builder, module.getLoc(), type, /*isConstant=*/true,
                         LLVM::Linkage::Internal, zerosName, zeros, accessAlignment,
                         tile::getDeviceAddressSpace(tile::Space::Global));
}

/// Parts of a sum that vary, and the constant.
static int64_t splitSum(Value value, SmallVectorImpl<Value> &variables) {
  if (auto constant = getConstantIntValue(value))
    return *constant;
  auto add = value.getDefiningOp<arith::AddIOp>();
  if (!add) {
    variables.push_back(value);
    return 0;
  }
  int64_t constant = splitSum(add.getLhs(), variables);
  return constant + splitSum(add.getRhs(), variables);
}

Value simt::getElementAddress(ConversionPatternRewriter &rewriter, Location loc,
                              MemRefType type, Value descriptor, ValueRange indices) {
  MemRefDescriptor memory(descriptor);
  auto [strides, offset] = type.getStridesAndOffset();
  Type index = rewriter.getI64Type();
  auto multiply = [&](Value value, int64_t dim) -> Value {
    if (strides[dim] == 1)
      return value;
    Value stride =
        ShapedType::isDynamic(strides[dim])
            ? memory.stride(rewriter, loc, dim)
            : Value(LLVM::ConstantOp::create(rewriter, loc, index, strides[dim]));
    return LLVM::MulOp::create(rewriter, loc, value, stride);
  };
  auto add = [&](Value sum, Value value) -> Value {
    return sum ? Value(LLVM::AddOp::create(rewriter, loc, sum, value)) : value;
  };
  Value sum;
  if (ShapedType::isDynamic(offset))
    sum = memory.offset(rewriter, loc);
  int64_t constant = ShapedType::isDynamic(offset) ? 0 : offset;
  SmallVector<Value> parts;
  for (auto [dim, position] : llvm::enumerate(indices)) {
    SmallVector<Value> variables;
    int64_t known = splitSum(position, variables);
    Value varying;
    for (Value variable : variables)
      varying = add(varying, rewriter.getRemappedValue(variable));
    if (varying)
      parts.push_back(multiply(varying, dim));
    if (known == 0)
      continue;
    if (ShapedType::isDynamic(strides[dim]))
      parts.push_back(
          multiply(LLVM::ConstantOp::create(rewriter, loc, index, known), dim));
    else
      constant += known * strides[dim];
  }
  Value lanes;
  for (Value part : parts)
    lanes = add(lanes, part);
  // Field 1 is the address; most descriptors are made of one that is at hand.
  Value address = rewriter.createOrFold<LLVM::ExtractValueOp>(loc, descriptor, 1);
  Type bytes = rewriter.getI8Type();
  int64_t size = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  auto advance = [&](Value elements) {
    Value scaled = elements;
    if (size != 1)
      scaled = LLVM::MulOp::create(rewriter, loc, elements,
                                   LLVM::ConstantOp::create(rewriter, loc, index, size));
    address =
        LLVM::GEPOp::create(rewriter, loc, address.getType(), bytes, address, scaled);
  };
  if (sum)
    advance(sum);
  if (lanes)
    advance(lanes);
  if (int64_t distance = constant * size; llvm::isInt<32>(distance) && distance != 0)
    address = LLVM::GEPOp::create(rewriter, loc, address.getType(), bytes, address,
                                  LLVM::GEPArg(static_cast<int32_t>(distance)));
  else if (distance != 0)
    advance(LLVM::ConstantOp::create(rewriter, loc, index, constant));
  return address;
}

namespace {
/// A guard chooses the address: a branch around each of a thread's loads would keep them
/// from being on their way together.
struct VectorLoadLowering : ConvertOpToLLVMPattern<VectorLoadOp> {
  using ConvertOpToLLVMPattern::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(VectorLoadOp op, OpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    auto type = cast<VectorType>(op.getResult().getType());
    Value address =
        getElementAddress(rewriter, loc, cast<MemRefType>(op.getMemref().getType()),
                          adaptor.getMemref(), op.getIndices());
    int64_t bytes = type.getNumElements() * type.getElementTypeBitWidth() / 8;
    if (adaptor.getInside()) {
      Value zeros =
          LLVM::AddressOfOp::create(rewriter, loc, address.getType(), zerosName);
      address =
          LLVM::SelectOp::create(rewriter, loc, adaptor.getInside(), address, zeros);
    }
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(op, getTypeConverter()->convertType(type),
                                              address, std::min(bytes, accessAlignment));
    return success();
  }
};

/// Of elements and of neighbours, from tiles.
template <typename Load> struct LoadLowering : ConvertOpToLLVMPattern<Load> {
  using ConvertOpToLLVMPattern<Load>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(Load op, typename Load::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    Value descriptor = adaptor.getOperands().front();
    auto memref = cast<MemRefType>(op->getOperand(0).getType());
    Value address =
        getElementAddress(rewriter, op.getLoc(), memref, descriptor, op.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::LoadOp>(
        op, this->getTypeConverter()->convertType(op.getResult().getType()), address,
        op.getAlignment().value_or(0), /*isVolatile=*/false, op.getNontemporal());
    return success();
  }
};

template <typename Store> struct StoreLowering : ConvertOpToLLVMPattern<Store> {
  using ConvertOpToLLVMPattern<Store>::ConvertOpToLLVMPattern;

  LogicalResult matchAndRewrite(Store op, typename Store::Adaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto memref = cast<MemRefType>(op->getOperand(1).getType());
    Value address = getElementAddress(rewriter, op.getLoc(), memref,
                                      adaptor.getOperands()[1], op.getIndices());
    rewriter.replaceOpWithNewOp<LLVM::StoreOp>(op, adaptor.getOperands().front(), address,
                                               op.getAlignment().value_or(0),
                                               /*isVolatile=*/false, op.getNontemporal());
    return success();
  }
};
} // namespace

//===----------------------------------------------------------------------===//
// The conversion
//===----------------------------------------------------------------------===//

/// Takes what descriptors were made of in place of what is read from them, and removes
/// those that nothing reads: a pointer in a descriptor escapes, and what it points to
/// would stay on the stack.
static void removeDescriptors(ModuleOp module) {
  SmallVector<Operation *> operations;
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    operations.push_back(op);
    SmallVector<OpFoldResult> parts;
    if (auto extract = dyn_cast<LLVM::ExtractValueOp>(op))
      if (succeeded(op->fold(parts)) && parts.size() == 1)
        if (auto part = dyn_cast<Value>(parts.front()); part && part != extract.getRes())
          extract.getRes().replaceAllUsesWith(part);
  });
  for (Operation *op : llvm::reverse(operations))
    if (isOpTriviallyDead(op))
      op->erase();
}

LogicalResult simt::convertDeviceToLLVM(ModuleOp module, const DeviceLowering &lowering) {
  for (auto function : module.getOps<func::FuncOp>())
    if (auto threads = function->getAttrOfType<IntegerAttr>(threadsAttrName)) {
      exposeWords(function);
      lowering.markEntry(function, threads.getInt());
    }

  MLIRContext *context = module.getContext();
  LowerToLLVMOptions options(context);
  LLVMTypeConverter converter(context, options);
  converter.addTypeAttributeConversion(
      [&](BaseMemRefType, tile::SpaceAttr space) -> Attribute {
        unsigned number = space.getValue() == tile::Space::Local
                              ? lowering.stackSpace
                              : tile::getDeviceAddressSpace(space.getValue());
        return IntegerAttr::get(IntegerType::get(context, 64), number);
      });
  tile::addElementConversions(converter);
  addArena(module);
  addZeros(module);

  RewritePatternSet patterns(context);
  patterns.add<AllocLowering>(converter, lowering.stackSpace);
  patterns.add<VectorLoadLowering>(converter);
  patterns.add<LoadLowering<memref::LoadOp>, LoadLowering<vector::LoadOp>,
               StoreLowering<memref::StoreOp>, StoreLowering<vector::StoreOp>>(
      converter, /*benefit=*/2);
  tile::populateTileToLLVMPatterns(converter, patterns);
  lowering.addPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  target.addLegalDialect(lowering.dialect);
  if (failed(applyFullConversion(module, target, std::move(patterns))))
    return failure();
  removeDescriptors(module);

  // Atomic operations promise nothing beside their own indivisibility.
  module.walk([&](Operation *op) {
    if (auto atomic = dyn_cast<LLVM::AtomicRMWOp>(op)) {
      atomic.setOrdering(LLVM::AtomicOrdering::monotonic);
      atomic.setSyncscope(lowering.deviceScope);
    } else if (auto exchange = dyn_cast<LLVM::AtomicCmpXchgOp>(op)) {
      exchange.setSuccessOrdering(LLVM::AtomicOrdering::monotonic);
      exchange.setSyncscope(lowering.deviceScope);
      // What the first attempt expects is read while others may be exchanging.
      for (Operation *user : exchange.getPtr().getUsers())
        if (auto load = dyn_cast<LLVM::LoadOp>(user)) {
          load.setOrdering(LLVM::AtomicOrdering::monotonic);
          load.setSyncscope(lowering.deviceScope);
          load.setAlignment(
              llvm::divideCeil(exchange.getVal().getType().getIntOrFloatBitWidth(), 8));
        }
    }
  });
  return success();
}
