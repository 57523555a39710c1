//===- OutlineKernels.cpp - Kernels become functions over block ranges --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// On a CPU a launch function (LaunchFunction.h) launches each kernel with the values
// that its region uses, stored by `tile.capture`. A kernel's function
//
//   void NAME.kernelN(env, first block, past-the-end block, arena)
//
// loads them back and runs its share of the blocks, bx fastest. Where these store past
// the caches, a fence follows them: such stores may be seen after later ones, of which
// one says that the blocks are done.
//
//===----------------------------------------------------------------------===//

#include "compiler/host/HostCalls.h"
#include "compiler/host/LaunchFunction.h"
#include "compiler/host/LowerChecks.h"
#include "compiler/host/Passes.h"
#include "dialects/tile/Tile.h"
#include "tilewright/abi.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

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
  PrintedValue printed = makePrinted(builder, op);
  Value message = makeString(builder, loc, op.getMessage());
  Value kindValue =
      arith::ConstantIntOp::create(builder, loc, builder.getI32Type(), printed.kind);
  callField(builder, loc, host, kPrint, LLVM::LLVMVoidType::get(builder.getContext()),
            {state, message, kindValue, printed.bits, block});
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

static bool storesPastCaches(KernelOp kernel) {
  return kernel
      .walk([](vector::StoreOp store) {
        return store.getNontemporal() ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Makes `kernel` a function named `name` and a launch of it.
static void outlineKernel(KernelOp kernel, StringRef name, Value host, Value state,
                          CheckLowering *checks) {
  Location loc = kernel.getLoc();
  llvm::SetVector<Value> captured = captureValues(kernel);
  captured.insert(kernel.getGrid().begin(), kernel.getGrid().end());
  captured.insert(host);
  captured.insert(state);

  // The launch.
  OpBuilder builder(kernel);
  Type index = builder.getIndexType();
  Type pointer = LLVM::LLVMPointerType::get(builder.getContext());
  Value blocks = countBlocks(builder, kernel);
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
  if (storesPastCaches(kernel))
    LLVM::FenceOp::create(builder, loc, LLVM::AtomicOrdering::seq_cst, StringRef());
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

void OutlineKernelsPass::runOnOperation() {
  for (func::FuncOp function :
       llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
    if (!function.isPublic() || function.isExternal())
      continue;
    std::optional<CheckLowering> checks;
    if (CheckLowering::isNeeded(function))
      checks.emplace(function);
    auto [host, state] = makeLaunchFunction(
        function, [&](KernelOp kernel, StringRef name, Value host, Value state) {
          outlineKernel(kernel, name, host, state, checks ? &*checks : nullptr);
        });
    if (!checks)
      continue;
    checks->lower(function, host, state);
    checks->finish();
  }
}
