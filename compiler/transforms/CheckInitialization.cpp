//===- CheckInitialization.cpp - Reads of tiles that nothing wrote ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tells what is certain and leaves the rest to checking mode: the first access of a
// memory, in the order of the source, is a read, and no write can come before it by way
// of a loop around both. A write to one element counts as one to all.
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_CHECKINITIALIZATION
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct CheckInitializationPass
    : tilewright::tile::impl::CheckInitializationBase<CheckInitializationPass> {
  void runOnOperation() override;
};

/// What an operation does to one memory. What it does not say it may do.
struct Use {
  Operation *op;
  bool reads;
  bool writes;
};
} // namespace

static Use describeUse(Operation *op, Value memory) {
  FailureOr<Accesses> accesses = getElementAccesses(op);
  if (failed(accesses))
    return {op, /*reads=*/false, /*writes=*/true};
  Use use{op, false, false};
  for (const Access &access : *accesses)
    if (getBaseMemory(access.box.memref) == memory) {
      use.reads |= access.kind != AccessKind::Write;
      use.writes |= access.kind != AccessKind::Read;
    }
  return use;
}

/// The uses of `memory` in the order of the source, without those in loops of no steps.
static SmallVector<Use> findUses(Value memory) {
  llvm::SmallPtrSet<Operation *, 16> users(llvm::from_range, getUsersOfMemory(memory));
  SmallVector<Use> uses;
  memory.getParentRegion()->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op); loop && loop.getStaticTripCount() == 0)
      return WalkResult::skip();
    if (users.contains(op))
      uses.push_back(describeUse(op, memory));
    return WalkResult::advance();
  });
  return uses;
}

/// Whether the body of `op` may do nothing though `op` is reached: it is a branch, or a
/// loop that is not known to make a step.
static bool mayBeSkipped(Operation *op) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return !loop.getStaticTripCount();
  return !isa<ParallelOp>(op);
}

/// Whether what `read` reads ends as sides of selections alone, so that the source
/// may not ask for it: the front end reads both sides where that does no harm.
static bool isSpeculative(Operation *read) {
  if (!isa<memref::LoadOp, LoadOp>(read))
    return false;
  SetVector<Operation *> computed;
  computed.insert(read);
  bool isSelected = false;
  for (unsigned i = 0; i < computed.size(); ++i)
    for (OpOperand &use : computed[i]->getUses()) {
      Operation *user = use.getOwner();
      if (isa<arith::SelectOp>(user) && use.getOperandNumber() > 0)
        isSelected = true;
      else if (isPure(user))
        computed.insert(user);
      else
        return false;
    }
  return isSelected;
}

/// Whether a step of a loop around both may write before `read` reads: a later step
/// where the first one does not come to `read`. The blocks of one kernel have no order.
static bool mayComeBefore(Operation *write, Operation *read, Region *scope) {
  bool isSkipped = isSpeculative(read);
  for (Operation *around = read->getParentOp(); around && around != scope->getParentOp();
       around = around->getParentOp()) {
    if (isa<KernelOp>(around) && around->isAncestor(write))
      return true;
    if (isSkipped && isa<LoopLikeOpInterface>(around) && around->isAncestor(write))
      return true;
    isSkipped |= mayBeSkipped(around);
  }
  return false;
}

static LogicalResult check(Value memory) {
  SmallVector<Use> uses = findUses(memory);
  if (uses.empty() || !uses.front().reads)
    return success();
  Operation *read = uses.front().op;
  for (const Use &use : ArrayRef(uses).drop_front())
    if (use.writes && mayComeBefore(use.op, read, memory.getParentRegion()))
      return success();
  std::string name = describeMemory(memory);
  InFlightDiagnostic error = read->emitError();
  error << "'" << name << "' is " << (uses.front().writes ? "updated" : "read")
        << " before anything is written to it";
  error.attachNote() << "rule: tiles, variables and workspaces start undefined";
  error.attachNote() << "help: write '" << name
                     << "' first, with T.clear, T.fill, T.copy or a store";
  error.attachNote(memory.getLoc()) << "'" << name << "' is allocated here";
  return error;
}

void CheckInitializationPass::runOnOperation() {
  WalkResult result = getOperation().walk([](Operation *op) {
    if (!isa<AllocOp, WorkspaceOp>(op))
      return WalkResult::advance();
    return WalkResult(check(op->getResult(0)));
  });
  if (result.wasInterrupted())
    signalPassFailure();
}
