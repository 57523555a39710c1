//===- StreamStores.cpp - What no cache holds is stored past the caches -------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A store reads the line that it writes to from memory first, which is a third of the
// traffic of a copy. A nontemporal store does not, but its line is not in a cache
// afterwards. So loops over vectors that write a tensor get a second form, which a launch
// takes where that tensor is larger than what caches hold. It stores whole lines past the
// caches; a part of a line at either end of the row is stored as before:
//
//     for j = 0 to 4096 step 16 {      if (size of Y >= 32 MiB) {
//       Y[i, j .. j+15] = v              first = elements of row i before a line begins
//     }                                  for j = 0 to first step 16 {
//                                          Y[i, j .. first-1] = v
//                                        }
//                                  =>    for j = first to last step 16 {
//                                          Y[i, j .. j+15] = v   nontemporal
//                                        }
//                                        for j = last to 4096 step 16 {
//                                          at min(j, 4080): Y[i, last .. 4095] = v
//                                        }
//                                      } else { the loop as it was }
//
// Some elements are computed twice then, which the loop has to allow. None is stored
// twice: a line that both kinds of store write would be read from memory first, which the
// stores behind it wait for. Nontemporal stores may be seen after later ones, so a fence
// will end the blocks that a thread runs one after the other (OutlineKernels.cpp).
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuTarget.h"
#include "backends/cpu/LoopBuilder.h"
#include "backends/cpu/MoveTogether.h"
#include "backends/cpu/Passes.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/MapVector.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_STREAMSTORES
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using namespace tilewright::cpu;
using namespace tilewright::tile;

/// A tensor of so many bytes is not expected to be in a cache when it is read.
static constexpr int64_t streamedBytes = 32 << 20;
/// Of a shorter row too much is in lines that it shares.
static constexpr int64_t leastRow = 512;

//===----------------------------------------------------------------------===//
// What can be streamed
//===----------------------------------------------------------------------===//

/// Whether an operation of `function` reads `tensor`, or one of which it is an alias.
static bool isRead(Value tensor, func::FuncOp function) {
  return function
      .walk([&](MemoryEffectOpInterface op) {
        SmallVector<MemoryEffects::EffectInstance> effects;
        op.getEffects(effects);
        bool reads = llvm::any_of(effects, [&](const auto &effect) {
          return isa<MemoryEffects::Read>(effect.getEffect()) && effect.getValue() &&
                 isa<MemRefType>(effect.getValue().getType()) &&
                 mayOverlap(tensor, effect.getValue());
        });
        return reads ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

static int64_t getElementBytes(Value tensor) {
  return cast<MemRefType>(tensor.getType()).getElementTypeBitWidth() / 8;
}

/// Whether all of `tensor` is known to be smaller than what is streamed.
static bool isSmall(Value tensor) {
  auto type = cast<MemRefType>(tensor.getType());
  return type.hasStaticShape() &&
         type.getNumElements() * getElementBytes(tensor) < streamedBytes;
}

/// Whether `store`, in `loop`, writes vectors one after the other along a long row of a
/// large tensor.
static bool canStream(vector::StoreOp store, scf::ForOp loop) {
  Value tensor = store.getBase();
  auto type = cast<MemRefType>(tensor.getType());
  auto vector = store.getVectorType();
  if (!isa<BlockArgument>(tensor) || !getParameter(tensor) ||
      type.getElementTypeBitWidth() < 8 || vector.getRank() != 1 ||
      !hasContiguousRows(type) || isSmall(tensor))
    return false;
  int64_t lanes = vector.getNumElements(), bytes = getElementBytes(tensor);
  auto end = getConstantIntValue(loop.getUpperBound());
  bool isLong = end && *end % lanes == 0 && *end * bytes >= leastRow &&
                getConstantIntValue(loop.getLowerBound()) == 0;
  auto outside = [&](Value index) { return loop.isDefinedOutsideOfLoop(index); };
  return isLong && lanes * bytes >= 16 && lanes * bytes <= cacheLine &&
         getConstantIntValue(loop.getStep()) == lanes && loop.getNumResults() == 0 &&
         store.getIndices().back() == loop.getInductionVar() &&
         llvm::all_of(store.getIndices().drop_back(), outside);
}

/// Whether iterations of `loop` may run twice: none of them reads what one writes.
static bool canRepeat(scf::ForOp loop) {
  Effects effects(loop);
  return !effects.isUnknown && llvm::none_of(effects.writes, [&](Value written) {
    return llvm::any_of(effects.reads,
                        [&](Value read) { return mayOverlap(written, read); });
  });
}

namespace {
/// The loops of a kernel that can stream, with their stores.
using Streams = llvm::MapVector<scf::ForOp, SmallVector<vector::StoreOp>>;

/// Gives the loops of one kernel their second form.
class KernelStreams {
public:
  explicit KernelStreams(KernelOp kernel) : kernel(kernel) {}
  void run();

private:
  Streams find();
  void addForm(scf::ForOp loop, ArrayRef<vector::StoreOp> stores);
  Value isLarge(Value tensor);

  KernelOp kernel;
  /// Whether a tensor is streamed, decided where the kernel begins.
  llvm::MapVector<Value, Value> large;
};
} // namespace

Streams KernelStreams::find() {
  auto function = kernel->getParentOfType<func::FuncOp>();
  llvm::DenseMap<Value, bool> read;
  Streams streams;
  kernel.walk([&](vector::StoreOp store) {
    auto loop = dyn_cast<scf::ForOp>(store->getParentOp());
    if (!loop || !canStream(store, loop) || !canRepeat(loop))
      return;
    auto [known, isNew] = read.try_emplace(store.getBase(), false);
    if (isNew)
      known->second = isRead(store.getBase(), function);
    if (!known->second)
      streams[loop].push_back(store);
  });
  return streams;
}

//===----------------------------------------------------------------------===//
// The second form
//===----------------------------------------------------------------------===//

/// Whether `tensor` is as large as what is streamed.
Value KernelStreams::isLarge(Value tensor) {
  Value &known = large[tensor];
  if (known)
    return known;
  LoopBuilder b(&kernel.getBody().front().front());
  Value bytes = b.index(getElementBytes(tensor));
  for (int64_t dim = 0; dim < cast<MemRefType>(tensor.getType()).getRank(); ++dim)
    bytes = b.createOrFold<arith::MulIOp>(
        b.getLoc(), bytes, b.index(memref::getMixedSize(b, b.getLoc(), tensor, dim)));
  known = b.compare(arith::CmpIPredicate::sge, bytes, b.index(streamedBytes));
  return known;
}

/// The elements that `store` writes before a line begins.
static Value countBeforeLine(LoopBuilder &b, vector::StoreOp store) {
  Location loc = b.getLoc();
  Value tensor = store.getBase();
  auto parts = memref::ExtractStridedMetadataOp::create(b, loc, tensor);
  Value elements = parts.getOffset();
  for (auto [index, stride] :
       llvm::zip(store.getIndices().drop_back(), parts.getStrides()))
    elements = b.add(elements, b.createOrFold<arith::MulIOp>(loc, index, stride));
  int64_t bytes = getElementBytes(tensor);
  Value base = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, tensor);
  Value address = b.add(base, b.mul(elements, bytes));
  Value before =
      arith::AndIOp::create(b, loc, b.sub(b.index(0), address), b.index(cacheLine - 1));
  return arith::DivUIOp::create(b, loc, before, b.index(bytes));
}

/// Has `store` store the lanes of `mask` alone.
static void storeWhere(vector::StoreOp store, Value mask) {
  OpBuilder b(store);
  vector::MaskedStoreOp::create(b, store.getLoc(), store.getBase(), store.getIndices(),
                                mask, store.getValueToStore());
  store.erase();
}

/// Keeps the tiles that are read at the end of a block until the next one of the thread:
/// what streams may run there (OverlapBlocks.cpp).
static void keepTiles(scf::IfOp branch) {
  if (!isa<KernelOp>(branch->getParentOp()) || branch->getNextNode())
    return;
  branch.walk([](vector::LoadOp load) {
    if (auto tile = getBaseMemory(load.getBase()).getDefiningOp<AllocOp>())
      tile.setKept(true);
  });
}

void KernelStreams::addForm(scf::ForOp loop, ArrayRef<vector::StoreOp> stores) {
  LoopBuilder b(loop);
  Location loc = b.getLoc();
  Value condition, first;
  for (vector::StoreOp store : stores) {
    condition = b.both(condition, isLarge(store.getBase()));
    Value before = countBeforeLine(b, store);
    // Their lines have to begin together.
    if (first)
      condition = b.both(condition, b.compare(arith::CmpIPredicate::eq, first, before));
    else
      first = before;
  }
  auto branch = scf::IfOp::create(b, loc, condition, /*withElseRegion=*/true);
  loop->moveBefore(branch.elseBlock()->getTerminator());

  b.setInsertionPointToStart(branch.thenBlock());
  int64_t lanes = *getConstantIntValue(loop.getStep());
  vector::StoreOp store = stores.front();
  int64_t line = cacheLine / getElementBytes(store.getBase());
  Value end = loop.getUpperBound();
  Value part = arith::RemUIOp::create(b, loc, b.sub(end, first), b.index(line));
  Value last = b.sub(end, part);
  auto maskType = VectorType::get({lanes}, b.getI1Type());
  auto createMask = [&](Value count) -> Value {
    return vector::CreateMaskOp::create(b, loc, maskType, count);
  };
  // Elements from one on to another; of those that `mask` gives for a vector at `j`, or
  // all of them past the caches.
  auto repeat = [&](Value from, Value to,
                    llvm::function_ref<Value(Value j)> mask = nullptr) {
    b.forLoop(from, to, lanes, [&](Value j) {
      if (mask)
        j = b.min(j, b.sub(end, b.index(lanes)));
      Value lanesToStore = mask ? mask(j) : Value();
      IRMapping mapping;
      mapping.map(loop.getInductionVar(), j);
      for (Operation &op : loop.getBody()->without_terminator())
        b.clone(op, mapping);
      for (vector::StoreOp store : stores) {
        auto copy = cast<vector::StoreOp>(mapping.lookup(store.getOperation()));
        if (mask) {
          storeWhere(copy, lanesToStore);
          continue;
        }
        copy.setNontemporal(true);
        copy.setAlignment(lanes * getElementBytes(store.getBase()));
      }
    });
  };
  keepTiles(branch);
  repeat(b.index(0), first, [&](Value j) { return createMask(b.sub(first, j)); });
  repeat(last, end, [&](Value j) -> Value {
    Value all = arith::ConstantOp::create(b, loc, DenseElementsAttr::get(maskType, true));
    return arith::XOrIOp::create(b, loc, createMask(b.sub(last, j)), all);
  });
  repeat(first, last);
}

void KernelStreams::run() {
  for (auto &[loop, stores] : find())
    addForm(loop, stores);
}

namespace {
struct StreamStores : tilewright::cpu::impl::StreamStoresBase<StreamStores> {
  void runOnOperation() override {
    getOperation()->walk([](KernelOp kernel) { KernelStreams(kernel).run(); });
  }
};
} // namespace
