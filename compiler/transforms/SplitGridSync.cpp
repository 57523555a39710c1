//===- SplitGridSync.cpp - Kernels that end at every grid_sync ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   kernel (b) {                   kernel (b) { A }
//     A                            for t {
//     for t { B; grid_sync; C } =>   kernel (b) { B }
//     D                              kernel (b) { C }
//   }                              }
//                                  kernel (b) { D }
//
// A part is a run of operations of one block without a grid_sync. Values that it uses
// from other parts are computed again at its start; what that cannot give is refused.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_SPLITGRIDSYNC
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

namespace {
/// Splits one kernel.
class KernelSplitter {
public:
  explicit KernelSplitter(KernelOp kernel) : kernel(kernel), host(kernel) {}

  LogicalResult run();

private:
  using Part = SmallVector<Operation *>;

  LogicalResult splitBlock(Block &block);
  LogicalResult splitLoop(Operation *loop);
  LogicalResult emitPart(const Part &part);
  LogicalResult emitOperation(Operation *op, OpBuilder &builder, IRMapping &mapping);
  FailureOr<Value> recompute(Value value, Operation *user, OpBuilder &builder,
                             IRMapping &mapping);
  FailureOr<Value> computeUniform(Value value, Operation *loop);
  LogicalResult checkContents(AllocOp alloc, const Part &part);
  LogicalResult refuse(Operation *user, const Twine &what, Operation *made);

  KernelOp kernel;
  OpBuilder host;
  /// Variables of loops, and what their bounds are made of, outside the kernel.
  IRMapping uniform;
  /// The grid_sync in front of the part at hand; of the first part, the one after it.
  Operation *sync = nullptr;
};
} // namespace

static bool holdsSync(Operation *op) {
  return op->walk([](GridSyncOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Whether running `op` again gives the same result, wherever its operands exist.
static bool isRepeatable(Operation *op) {
  return op->getNumRegions() == 0 && isMemoryEffectFree(op);
}

//===----------------------------------------------------------------------===//
// What lives across
//===----------------------------------------------------------------------===//

/// Reports that what `made` gives would have to live until `user`.
LogicalResult KernelSplitter::refuse(Operation *user, const Twine &what,
                                     Operation *made) {
  InFlightDiagnostic error = emitError(user->getLoc());
  error
      << what
      << " lives across T.grid_sync, where each block ends its part; keep it in a global "
         "tensor, such as one of T.alloc_global, and read it back";
  error.attachNote(sync->getLoc()) << "the T.grid_sync is here";
  error.attachNote(made->getLoc()) << "it is made here";
  return failure();
}

/// Checks that `part`, which `alloc` is not in, needs nothing that the tile held before.
LogicalResult KernelSplitter::checkContents(AllocOp alloc, const Part &part) {
  Block *block = part.front()->getBlock();
  auto isInPart = [&](Operation *user) {
    Operation *holder = block->findAncestorOpInBlock(*user);
    return holder && llvm::is_contained(part, holder);
  };
  SmallVector<Operation *> users = getUsersOfMemory(alloc.getResult());
  SmallVector<Operation *> inside = llvm::filter_to_vector(users, isInPart);
  bool repeats = block != alloc->getBlock(); // the part before may be this one
  if (inside.size() == users.size() && !repeats)
    return success();
  if (isOverwrittenFirst(alloc.getResult(), inside, block))
    return success();
  StringRef name = alloc.getName().value_or("a tile");
  return refuse(getFirstIn(inside, block), name, alloc);
}

//===----------------------------------------------------------------------===//
// Computing again
//===----------------------------------------------------------------------===//

/// `value` of the kernel in the part that `builder` writes, computed there if need be.
FailureOr<Value> KernelSplitter::recompute(Value value, Operation *user,
                                           OpBuilder &builder, IRMapping &mapping) {
  if (Value known = mapping.lookupOrNull(value))
    return known;
  if (Value known = uniform.lookupOrNull(value))
    return known;
  Operation *made = value.getDefiningOp();
  if (!made || !kernel->isAncestor(made))
    return value;
  if (!isa<AllocOp>(made) && !isRepeatable(made))
    return refuse(user, "a value that is read from memory", made);
  for (Value operand : made->getOperands()) {
    FailureOr<Value> again = recompute(operand, user, builder, mapping);
    if (failed(again))
      return failure();
    mapping.map(operand, *again);
  }
  builder.clone(*made, mapping);
  return mapping.lookup(value);
}

/// `value`, a bound of `loop`, outside the kernel.
FailureOr<Value> KernelSplitter::computeUniform(Value value, Operation *loop) {
  if (Value known = uniform.lookupOrNull(value))
    return known;
  Operation *made = value.getDefiningOp();
  if (made ? !kernel->isAncestor(made) : value.getParentRegion() != &kernel.getBody())
    return value;
  // Where the grid is empty nothing in the kernel runs, but the bounds are computed.
  if (!made || !isRepeatable(made) || !isSpeculatable(made))
    return emitError(loop->getLoc())
           << "T.grid_sync stands in a loop whose bounds are not the same for all "
              "blocks; "
              "take bounds that follow from sizes and scalar parameters, or compute them "
              "in front of T.Kernel";
  for (Value operand : made->getOperands()) {
    FailureOr<Value> again = computeUniform(operand, loop);
    if (failed(again))
      return failure();
    uniform.map(operand, *again);
  }
  host.clone(*made, uniform);
  return uniform.lookup(value);
}

//===----------------------------------------------------------------------===//
// Parts
//===----------------------------------------------------------------------===//

/// Copies `op` into a part, after what it uses.
LogicalResult KernelSplitter::emitOperation(Operation *op, OpBuilder &builder,
                                            IRMapping &mapping) {
  llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
  getUsedValuesDefinedAbove(op->getRegions(), used);
  for (Value value : used) {
    FailureOr<Value> here = recompute(value, op, builder, mapping);
    if (failed(here))
      return failure();
    mapping.map(value, *here);
  }
  builder.clone(*op, mapping);
  return success();
}

/// Makes a kernel of `part`, unless it has no effect. What is computed only for other
/// parts is left to them.
LogicalResult KernelSplitter::emitPart(const Part &part) {
  auto isOnDemand = [](Operation *op) { return isa<AllocOp>(op) || isRepeatable(op); };
  if (llvm::all_of(part,
                   [&](Operation *op) { return isOnDemand(op) || isa<AssumeOp>(op); }))
    return success();
  WalkResult contents = kernel.walk([&](AllocOp alloc) -> WalkResult {
    bool isOwn = llvm::any_of(part, [&](Operation *op) { return op->isAncestor(alloc); });
    return isOwn ? success() : checkContents(alloc, part);
  });
  if (contents.wasInterrupted())
    return failure();

  auto made = cast<KernelOp>(host.cloneWithoutRegions(*kernel));
  Block &body = made.getBody().emplaceBlock();
  IRMapping mapping;
  for (BlockArgument argument : kernel.getBody().getArguments())
    mapping.map(argument, body.addArgument(argument.getType(), argument.getLoc()));
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  for (Operation *op : part)
    if (!isOnDemand(op) && failed(emitOperation(op, builder, mapping)))
      return failure();
  return success();
}

/// Makes a loop around the kernel's parts of one inside the kernel.
LogicalResult KernelSplitter::splitLoop(Operation *loop) {
  SmallVector<Value, 3> bounds;
  for (Value bound : loop->getOperands()) {
    FailureOr<Value> outside = computeUniform(bound, loop);
    if (failed(outside))
      return failure();
    bounds.push_back(*outside);
  }
  auto outer = scf::ForOp::create(host, loop->getLoc(), bounds[0], bounds[1], bounds[2]);
  Block &body = loop->getRegion(0).front();
  uniform.map(body.getArgument(0), outer.getInductionVar());
  OpBuilder::InsertionGuard guard(host);
  host.setInsertionPointToStart(outer.getBody());
  return splitBlock(body);
}

LogicalResult KernelSplitter::splitBlock(Block &block) {
  Part part;
  auto endPart = [&]() {
    LogicalResult result = emitPart(part);
    part.clear();
    return result;
  };
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>())
      continue;
    if (!holdsSync(&op)) {
      part.push_back(&op);
      continue;
    }
    if (failed(endPart()))
      return failure();
    if (isa<GridSyncOp>(op))
      sync = &op;
    else if (failed(splitLoop(&op)))
      return failure();
  }
  return endPart();
}

LogicalResult KernelSplitter::run() {
  kernel.walk([&](GridSyncOp op) {
    sync = op;
    return WalkResult::interrupt();
  });
  if (failed(splitBlock(kernel.getBody().front())))
    return failure();
  kernel.erase();
  return success();
}

namespace {
struct SplitGridSyncPass : tilewright::tile::impl::SplitGridSyncBase<SplitGridSyncPass> {
  void runOnOperation() override {
    SmallVector<KernelOp> kernels;
    getOperation().walk([&](KernelOp kernel) {
      if (holdsSync(kernel))
        kernels.push_back(kernel);
    });
    for (KernelOp kernel : kernels)
      if (failed(KernelSplitter(kernel).run()))
        return signalPassFailure();
  }
};
} // namespace
