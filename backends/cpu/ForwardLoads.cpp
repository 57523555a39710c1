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

void tilewright::cpu::forwardLoads(AllocOp alloc) {
  memref::StoreOp store;
  SmallVector<memref::LoadOp> readers;
  for (Operation *user : alloc.getResult().getUsers()) { // a view is none of these
    auto load = dyn_cast<memref::LoadOp>(user);
    if (load)
      readers.push_back(load);
    else if (store || !(store = dyn_cast<memref::StoreOp>(user)))
      return;
  }
  auto loop = store ? dyn_cast<ParallelOp>(store->getParentOp()) : ParallelOp();
  LoadOp loaded = loop ? getLoaded(store.getValue()) : LoadOp();
  // Variables of the loop, and what is known outside of it.
  auto isGiven = [&](Value value) {
    Operation *definition = value.getDefiningOp();
    return !definition || !loop->isProperAncestor(definition);
  };
  if (!loaded || loaded->getParentOp() != loop || !getParameter(loaded.getMemref()) ||
      mayWrite(loop->getParentOfType<KernelOp>(), loaded.getMemref()) ||
      static_cast<int64_t>(readers.size()) > mostReaders ||
      !llvm::all_of(loaded.getIndices(),
                    [&](Value index) { return canRecompute(index, isGiven); }))
    return;
  // Each element is stored where the loop's variables say.
  SmallVector<Value> variables(loop.getBody().getArguments());
  for (auto [index, variable] : llvm::zip(store.getIndices(), variables))
    if (index != variable)
      return;
  if (store.getIndices().size() != variables.size())
    return;
  for (memref::LoadOp reader : readers) {
    auto other = dyn_cast<ParallelOp>(reader->getParentOp());
    if (!other || other->getBlock() != loop->getBlock() || !loop->isBeforeInBlock(other))
      return;
  }
  for (memref::LoadOp reader : readers) {
    OpBuilder builder(reader);
    IRMapping mapping;
    mapping.map(variables, SmallVector<Value>(reader.getIndices()));
    // The element itself, which is no arithmetic, comes from where it came.
    reader.replaceAllUsesWith(recompute(builder, store.getValue(), isGiven, mapping));
    reader.erase();
  }
  store.erase();
  alloc.erase();
}
