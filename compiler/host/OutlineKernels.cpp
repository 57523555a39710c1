//===- OutlineKernels.cpp - Kernels become functions over block ranges --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The two sides of the launch ABI (docs/abi.md). A launch function
//
//   i32 NAME(host table, state, words)
//
// rebuilds the parameters from the words, computes sizes and grids, and launches
// each kernel with the values that its region uses, stored by `tile.capture`. A
// kernel's function
//
//   void NAME.kernelN(env, first block, past-the-end block, arena)
//
// loads them back and runs its share of the blocks, bx fastest.
//
//===----------------------------------------------------------------------===//

#include "compiler/host/HostCalls.h"
#include "compiler/host/LowerChecks.h"
#include "compiler/host/Passes.h"
#include "dialects/tile/Tile.h"
#include "tilewright/abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Transforms/RegionUtils.h"

namespace tilewright::host {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "compiler/host/Passes.h.inc"
} // namespace tilewright::host

using namespace mlir;
using namespace tilewright::host;
using namespace tilewright::tile;

namespace {
struct OutlineKernelsPass
    : tilewright::host::impl::OutlineKernelsBase<OutlineKernelsPass> {
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Prints and assertions
//===----------------------------------------------------------------------===//

static void lowerPrint(PrintOp op, Value host, Value state, Value block) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Type i64 = builder.getI64Type();
  int32_t kind = TW_PRINT_NONE;
  Value bits = arith::ConstantIntOp::create(builder, loc, i64, 0);
  if (Value value = op.getValue()) {
    if (isa<FloatType>(value.getType())) {
      kind = TW_PRINT_F64;
      Value wide =
          CastOp::create(builder, loc, builder.getF64Type(), value, false, false);
      bits = arith::BitcastOp::create(builder, loc, i64, wide);
    } else {
      kind = op.getIsUnsigned() ? TW_PRINT_U64 : TW_PRINT_I64;
      bits = CastOp::create(builder, loc, i64, value, op.getIsUnsigned(), false);
    }
  }
  Value message = makeString(builder, loc, op.getMessage());
  Value kindValue =
      arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), kind);
  callField(builder, loc, host, kPrint, LLVM::LLVMVoidType::get(builder.getContext()),
            {state, message, kindValue, bits, block});
  op.erase();
}

static void lowerAssert(AssertOp op, Value host, Value state, Value block) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value yes = arith::ConstantIntOp::create(builder, loc, builder.getI1Type(), 1);
  Value failed = arith::XOrIOp::create(builder, loc, op.getCondition(), yes);
  builder = scf::IfOp::create(builder, loc, failed, /*withElseRegion=*/false)
                .getThenBodyBuilder();
  Value message = makeString(builder, loc, op.getMessage());
  Value where = makeString(builder, loc, describe(getPlace(loc)));
  callField(builder, loc, host, kFault, LLVM::LLVMVoidType::get(builder.getContext()),
            {state, message, where, block});
  op.erase();
}

/// Makes prints and assertions of `function` calls of the runtime.
static void lowerMessages(func::FuncOp function, Value host, Value state, Value block) {
  SmallVector<Operation *> messages;
  function.walk([&](Operation *op) {
    if (isa<PrintOp, AssertOp>(op))
      messages.push_back(op);
  });
  for (Operation *op : messages) {
    if (auto print = dyn_cast<PrintOp>(op))
      lowerPrint(print, host, state, block);
    else
      lowerAssert(cast<AssertOp>(op), host, state, block);
  }
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Replaces tiles by views of the arena and local variables by stack slots at the
/// start of the function, where LLVM turns them into registers.
static void placeTiles(func::FuncOp function, Value arena) {
  SmallVector<AllocOp> allocs;
  function.walk([&](AllocOp alloc) { allocs.push_back(alloc); });
  for (AllocOp alloc : allocs) {
    OpBuilder builder(alloc);
    auto type = cast<MemRefType>(alloc.getResult().getType());
    Value memory;
    if (getSpace(type) == Space::Local) {
      builder.setInsertionPointToStart(&function.front());
      memory = memref::AllocaOp::create(builder, alloc.getLoc(), type);
    } else {
      memory = FromPointerOp::create(builder, alloc.getLoc(), type, arena,
                                     alloc.getOffset().value_or(0), ValueRange(),
                                     ValueRange());
    }
    alloc.replaceAllUsesWith(memory);
    alloc.erase();
  }
}

/// The coordinates of linear block number `block` in `grid`, the first fastest.
static SmallVector<Value> delinearize(OpBuilder &builder, Location loc, Value block,
                                      ValueRange grid) {
  SmallVector<Value> coordinates;
  for (Value extent : grid.drop_back()) {
    coordinates.push_back(arith::RemUIOp::create(builder, loc, block, extent));
    block = arith::DivUIOp::create(builder, loc, block, extent);
  }
  coordinates.push_back(block);
  return coordinates;
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

/// Makes `kernel` a function named `name` and a launch of it.
static void outlineKernel(KernelOp kernel, StringRef name, Value host, Value state,
                          CheckLowering *checks) {
  Location loc = kernel.getLoc();
  sinkConstants(kernel);
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(kernel.getBody(), captured);
  captured.insert(kernel.getGrid().begin(), kernel.getGrid().end());
  captured.insert(host);
  captured.insert(state);

  // The launch.
  OpBuilder builder(kernel);
  Type index = builder.getIndexType();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Type i64 = builder.getI64Type();
  Value zero = arith::ConstantIntOp::create(builder, loc, i64, 0), blocks;
  for (Value extent : kernel.getGrid()) {
    Value count = arith::IndexCastOp::create(builder, loc, i64, extent);
    count = arith::MaxSIOp::create(builder, loc, count, zero);
    blocks = blocks ? multiplySaturating(builder, loc, blocks, count) : count;
  }
  blocks = arith::IndexCastOp::create(builder, loc, index, blocks);
  if (checks)
    checks->announceKernel(builder, loc, kernel.getGrid(), host, state);
  Value env = CaptureOp::create(builder, loc, pointer, captured.getArrayRef());
  auto arenaBytes = kernel->getAttrOfType<IntegerAttr>("tile.arena");
  LaunchOp::create(builder, loc, name, blocks, arenaBytes ? arenaBytes.getInt() : 0, env,
                   host, state);

  // The function.
  builder.setInsertionPoint(kernel->getParentOfType<func::FuncOp>());
  auto type = builder.getFunctionType({pointer, index, index, pointer}, {});
  auto function = func::FuncOp::create(builder, loc, name, type);
  function.setPrivate();
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  SmallVector<Type> types;
  for (Value value : captured)
    types.push_back(value.getType());
  auto unpacked = CapturedOp::create(builder, loc, types, entry->getArgument(0));
  IRMapping mapping;
  mapping.map(captured.getArrayRef(), unpacked.getValues());

  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  auto loop =
      scf::ForOp::create(builder, loc, entry->getArgument(1), entry->getArgument(2), one);
  func::ReturnOp::create(builder, loc);
  builder.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> grid;
  for (Value extent : kernel.getGrid())
    grid.push_back(mapping.lookup(extent));
  mapping.map(kernel.getBody().getArguments(),
              delinearize(builder, loc, loop.getInductionVar(), grid));
  for (Operation &op : kernel.getBody().front())
    builder.clone(op, mapping);
  placeTiles(function, entry->getArgument(3));
  builder.setInsertionPointToStart(loop.getBody());
  Value block = arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                           loop.getInductionVar());
  lowerMessages(function, mapping.lookup(host), mapping.lookup(state), block);
  if (checks)
    checks->lower(function, mapping.lookup(host), mapping.lookup(state));
  kernel.erase();
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

/// Replaces a workspace by memory that the runtime hands out.
static void lowerWorkspace(WorkspaceOp workspace, Value host, Value state) {
  OpBuilder builder(workspace);
  Location loc = workspace.getLoc();
  auto type = cast<MemRefType>(workspace.getResult().getType());
  Type i64 = builder.getI64Type();
  auto sizes = workspace.getSizes().begin();
  Value bytes = arith::ConstantIntOp::create(
      builder, loc, i64, llvm::divideCeil(type.getElementTypeBitWidth(), 8));
  for (int64_t extent : type.getShape())
    bytes = multiplySaturating(
        builder, loc, bytes,
        ShapedType::isDynamic(extent)
            ? arith::IndexCastOp::create(builder, loc, i64, *sizes++).getResult()
            : arith::ConstantIntOp::create(builder, loc, i64, extent).getResult());
  Value pointer =
      callField(builder, loc, host, kWorkspace, host.getType(), {state, bytes});
  Value memory = FromPointerOp::create(builder, loc, type, pointer, 0,
                                       workspace.getSizes(), ValueRange());
  workspace.replaceAllUsesWith(memory);
  workspace.erase();
}

/// Gives `function` the launch ABI and outlines its kernels.
static void makeLaunchFunction(func::FuncOp function, CheckLowering *checks) {
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
    outlineKernel(kernel, name, host, state, checks);
  }
  SmallVector<WorkspaceOp> workspaces;
  function.walk([&](WorkspaceOp workspace) { workspaces.push_back(workspace); });
  for (WorkspaceOp workspace : workspaces)
    lowerWorkspace(workspace, host, state);

  if (checks)
    checks->lower(function, host, state);

  // Errors are recorded in the state, after which the runtime launches nothing.
  auto terminator = cast<func::ReturnOp>(function.back().getTerminator());
  builder.setInsertionPoint(terminator);
  Value ok = arith::ConstantIntOp::create(builder, loc, status, 0);
  func::ReturnOp::create(builder, loc, ok);
  terminator.erase();
}

void OutlineKernelsPass::runOnOperation() {
  for (func::FuncOp function :
       llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
    if (!function.isPublic() || function.isExternal())
      continue;
    if (!CheckLowering::isNeeded(function)) {
      makeLaunchFunction(function, nullptr);
      continue;
    }
    CheckLowering checks(function);
    makeLaunchFunction(function, &checks);
    checks.finish();
  }
}
