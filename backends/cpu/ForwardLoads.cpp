//===- ForwardLoads.cpp - Elements that are read again where they came from ---===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A tile that holds what a tensor holds takes stores, and room in L1 beside the tensor's
// own lines. Where one loop fills it, and loops in the same block read it, these read the
// tensor, whose elements are in L1 already:
//
//     parallel (i, j) {                        parallel (i, j) {
//       t[i, j] = X[row + i, j]                  combine sum X[row + i, j] into s[i]
//       combine sum t[i, j] into s[i]    =>    }
//     }                                        parallel (i, j) {
//     parallel (i, j) { ... t[i, j] ... }        ... X[row + i, j] ...
//                                              }
//
// So do they where a loop then puts something else in the place of every element, which
// is what the tile is kept for.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/FusableLoop.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Recompute.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// Readers of a tile beyond which its elements are better converted once.
static constexpr int64_t mostReaders = 2;

/// The element of a tensor that `value` is, perhaps made f32 from bf16, which costs next
/// to nothing.
static LoadOp getLoaded(Value value) {
  if (auto cast = value.getDefiningOp<CastOp>())
    if (cast.getType().isF32() && cast.getOperand().getType().isBF16())
      value = cast.getOperand();
  return value.getDefiningOp<LoadOp>();
}

/// Whether `indices` are the variables of `loop`, in their order.
static bool areVariables(ValueRange indices, ParallelOp loop) {
  return llvm::equal(indices, loop.getBody().getArguments());
}

/// The operation of `alloc`'s block that `user` is or is in.
static Operation *getStep(AllocOp alloc, Operation *user) {
  return alloc->getBlock()->findAncestorOpInBlock(*user);
}

namespace {
/// How the readers of a tile get its elements from the tensor.
struct Forwarding {
  memref::StoreOp store;
  SmallVector<memref::LoadOp> readers;

  /// With those of the tile's users that see what one loop has filled it with.
  static std::optional<Forwarding> find(ArrayRef<Operation *> users);
  void apply();
  ParallelOp loop() const { return cast<ParallelOp>(store->getParentOp()); }
  /// Variables of the loop, and what is known outside of it.
  bool isGiven(Value value) const {
    Operation *definition = value.getDefiningOp();
    return !definition || !loop()->isProperAncestor(definition);
  }
};
} // namespace

std::optional<Forwarding> Forwarding::find(ArrayRef<Operation *> users) {
  Forwarding found;
  for (Operation *user : users) { // a view is none of these
    auto load = dyn_cast<memref::LoadOp>(user);
    if (load)
      found.readers.push_back(load);
    else if (found.store || !(found.store = dyn_cast<memref::StoreOp>(user)))
      return std::nullopt;
  }
  if (!found.store || !isa<ParallelOp>(found.store->getParentOp()) ||
      static_cast<int64_t>(found.readers.size()) > mostReaders)
    return std::nullopt;
  ParallelOp loop = found.loop();
  LoadOp loaded = getLoaded(found.store.getValue());
  if (!loaded || loaded->getParentOp() != loop || !getParameter(loaded.getMemref()) ||
      mayWrite(loop->getParentOfType<KernelOp>(), loaded.getMemref()) ||
      !areVariables(found.store.getIndices(), loop) ||
      !llvm::all_of(loaded.getIndices(), [&](Value index) {
        return canRecompute(index, [&](Value value) { return found.isGiven(value); });
      }))
    return std::nullopt;
  bool areLater = llvm::all_of(found.readers, [&](memref::LoadOp reader) {
    auto other = dyn_cast<ParallelOp>(reader->getParentOp());
    return other && other->getBlock() == loop->getBlock() && loop->isBeforeInBlock(other);
  });
  return areLater ? std::optional(found) : std::nullopt;
}

void Forwarding::apply() {
  SmallVector<Value> variables(loop().getBody().getArguments());
  for (memref::LoadOp reader : readers) {
    OpBuilder builder(reader);
    IRMapping mapping;
    mapping.map(variables, SmallVector<Value>(reader.getIndices()));
    // The element itself, which is no arithmetic, comes from where it came.
    reader.replaceAllUsesWith(recompute(
        builder, store.getValue(), [&](Value value) { return isGiven(value); }, mapping));
    reader.erase();
  }
  store.erase();
}

/// The store of a later loop that writes every element of the tile, and before that reads
/// no other than this one; null without one.
static memref::StoreOp findOverwrite(AllocOp alloc, Operation *filling) {
  memref::StoreOp found;
  for (Operation *user : alloc.getResult().getUsers()) {
    auto store = dyn_cast<memref::StoreOp>(user);
    auto loop = store ? dyn_cast<ParallelOp>(store->getParentOp()) : ParallelOp();
    if (!loop || loop->getBlock() != alloc->getBlock() ||
        !filling->isBeforeInBlock(loop) || !areVariables(store.getIndices(), loop) ||
        loop.getExtents() != alloc.getType().getShape())
      continue;
    bool isAlone = llvm::all_of(alloc.getResult().getUsers(), [&](Operation *other) {
      auto load = dyn_cast<memref::LoadOp>(other);
      return other == store || getStep(alloc, other) != loop ||
             (load && load->getParentOp() == loop && load->isBeforeInBlock(store) &&
              areVariables(load.getIndices(), loop));
    });
    if (isAlone && (!found || loop->isBeforeInBlock(found->getParentOp())))
      found = store;
  }
  return found;
}

void tilewright::cpu::forwardLoads(AllocOp alloc) {
  SmallVector<Operation *> users(alloc.getResult().getUsers());
  if (users.empty())
    return;
  if (std::optional<Forwarding> all = Forwarding::find(users)) {
    all->apply();
    alloc.erase();
    return;
  }
  Operation *first =
      getStep(alloc, *llvm::min_element(users, [&](auto *a, auto *b) {
                return getStep(alloc, a)->isBeforeInBlock(getStep(alloc, b));
              }));
  memref::StoreOp overwrite = findOverwrite(alloc, first);
  if (!overwrite)
    return;
  // What stands in the tile from there on is another matter, and keeps the tile.
  auto isNew = [&](Operation *user) {
    return user == overwrite ||
           overwrite->getParentOp()->isBeforeInBlock(getStep(alloc, user));
  };
  llvm::erase_if(users, isNew);
  if (std::optional<Forwarding> old = Forwarding::find(users))
    old->apply();
}
