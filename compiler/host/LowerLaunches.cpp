//===- LowerLaunches.cpp - Launches of grids as calls of the runtime -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/host/HostCalls.h"
#include "compiler/host/Passes.h"
#include "dialects/simt/Simt.h"
#include "tilewright/abi.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace tilewright::host {
#define GEN_PASS_DEF_LOWERLAUNCHES
#include "compiler/host/Passes.h.inc"
} // namespace tilewright::host

using namespace mlir;
using namespace tilewright;
using namespace tilewright::host;
using namespace tilewright::tile;

namespace {
struct LowerLaunchesPass : tilewright::host::impl::LowerLaunchesBase<LowerLaunchesPass> {
  void runOnOperation() override;
};
} // namespace

/// The words of a memref: its address, and what its type leaves open.
static void addTensor(OpBuilder &b, Location loc, Value tensor,
                      SmallVectorImpl<Value> &words) {
  auto type = cast<MemRefType>(tensor.getType());
  Type i64 = b.getI64Type();
  auto addIndex = [&](Value index) {
    words.push_back(arith::IndexCastOp::create(b, loc, i64, index));
  };
  addIndex(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, tensor));
  auto layout = memref::ExtractStridedMetadataOp::create(b, loc, tensor);
  for (auto [extent, size] : llvm::zip(type.getShape(), layout.getSizes()))
    if (ShapedType::isDynamic(extent))
      addIndex(size);
  if (type.getLayout().isIdentity())
    return;
  auto [strides, offset] = type.getStridesAndOffset();
  for (auto [stride, value] : llvm::zip(strides, layout.getStrides()))
    if (ShapedType::isDynamic(stride))
      addIndex(value);
}

/// The argument's words; a narrow float as the integer with its bits.
static void addArgument(OpBuilder &b, Location loc, Value argument,
                        SmallVectorImpl<Value> &words) {
  Type type = argument.getType();
  if (isa<MemRefType>(type))
    return addTensor(b, loc, argument, words);
  if (type.isIndex())
    argument = arith::IndexCastOp::create(b, loc, b.getI64Type(), argument);
  else if (type.isInteger(1))
    argument = arith::ExtUIOp::create(b, loc, b.getI8Type(), argument);
  else if (isa<FloatType>(type) && type.getIntOrFloatBitWidth() <= 16)
    argument = arith::BitcastOp::create(
        b, loc, b.getIntegerType(type.getIntOrFloatBitWidth()), argument);
  words.push_back(argument);
}

/// Stores `values` as a struct on the stack of the launch function.
static Value storeStruct(OpBuilder &b, Location loc, LLVM::LLVMStructType type,
                         ArrayRef<Value> values, func::FuncOp function) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value memory;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.front());
    Value one = LLVM::ConstantOp::create(b, loc, b.getI64Type(), 1);
    memory = LLVM::AllocaOp::create(b, loc, pointer, type, one, /*alignment=*/64);
  }
  for (auto [field, value] : llvm::enumerate(values)) {
    Value slot =
        LLVM::GEPOp::create(b, loc, pointer, type, memory,
                            ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(field)});
    LLVM::StoreOp::create(b, loc, value, slot);
  }
  return memory;
}

/// Bytes of a struct of integers and floats whose widths are powers of two.
static int64_t countBytes(ArrayRef<Value> words) {
  int64_t bytes = 0;
  for (Value word : words) {
    int64_t size = word.getType().getIntOrFloatBitWidth() / 8;
    bytes = llvm::alignTo(bytes, size) + size;
  }
  return bytes;
}

static void lowerLaunch(LaunchGridOp launch) {
  Location loc = launch.getLoc();
  OpBuilder b(launch);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto function = launch->getParentOfType<func::FuncOp>();
  auto module = launch->getParentOfType<ModuleOp>();
  Operation *callee = SymbolTable::lookupSymbolIn(module, launch.getCallee());
  auto shared = callee->getAttrOfType<IntegerAttr>(simt::sharedAttrName);

  // A grid without blocks is not started: drivers refuse it.
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value any =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::sgt, launch.getBlocks(), zero);
  b = scf::IfOp::create(b, loc, any, /*withElseRegion=*/false).getThenBodyBuilder();

  SmallVector<Value> words;
  for (Value argument : launch.getArguments())
    addArgument(b, loc, argument, words);
  SmallVector<Type> types;
  for (Value word : words)
    types.push_back(word.getType());
  Value parameters = storeStruct(
      b, loc, LLVM::LLVMStructType::getLiteral(b.getContext(), types), words, function);

  // More blocks than a grid can have stay more than it can have.
  auto number = [&](Type type, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
  };
  Value blocks = arith::IndexCastOp::create(b, loc, i64, launch.getBlocks());
  blocks = arith::MinSIOp::create(b, loc, blocks, number(i64, UINT32_MAX));
  blocks = arith::TruncIOp::create(b, loc, i32, blocks);
  Value one = number(i32, 1);
  SmallVector<Value> fields{
      number(i64, sizeof(tw_grid_launch_v1)),
      makeString(b, loc, launch.getCallee().getLeafReference().getValue()),
      blocks,
      one,
      one,
      number(i32, launch.getThreads()),
      one,
      one,
      one,
      one,
      one,
      number(i32, shared ? shared.getInt() : 0),
      LLVM::ZeroOp::create(b, loc, pointer),
      parameters,
      number(i64, countBytes(words))};
  types.clear();
  for (Value field : fields)
    types.push_back(field.getType());
  Value grid = storeStruct(
      b, loc, LLVM::LLVMStructType::getLiteral(b.getContext(), types), fields, function);
  callField(b, loc, launch.getHost(), kLaunchGrid, i32, {launch.getState(), grid});
  launch.erase();
}

void LowerLaunchesPass::runOnOperation() {
  SmallVector<LaunchGridOp> launches;
  getOperation().walk([&](LaunchGridOp launch) { launches.push_back(launch); });
  for (LaunchGridOp launch : launches)
    lowerLaunch(launch);
}
