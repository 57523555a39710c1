//===- SpreadRows.cpp - Rows of scans and selections among threads ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What expand-tiles makes of these takes a row by one thread, or compares all elements of
// a row with each other. Where a block has threads to spare, a row is theirs together.
//
// Selections become reductions, which lanes do by exchange. An element and its position
// are one integer that is the larger the earlier the element comes:
//
//   bits 63..32   the element's key, as integers are ordered
//   bits 31..0    2^31 - 1 - position: of equals the first is the largest
//
// The largest is the position of argmax; topk takes it off and looks again.
//
// A scan doubles the distance over which elements are combined with those before them:
//
//   tile     a    b    c    d
//   by 1     a    ab   bc   cd
//   by 2     a    ab   abc  abcd
//
// Each step goes from one tile into another, so that threads meet once for it; where
// there is no room for two of them, from a tile through registers into itself, and they
// meet twice.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/Passes.h"
#include "compiler/transforms/ExpandBuilder.h"

#include "llvm/Support/MathExtras.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_SPREADROWS
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

/// Keys of 64 bits that a thread holds at most.
static constexpr int64_t kMostKeys = 32;
/// Bytes of shared memory that a scan takes at most: a kernel may have use for the rest.
static constexpr int64_t kMostScratch = 16 * 1024;
/// Instructions, by which ways are compared: for an element, and for a step that threads
/// take together.
static constexpr int64_t kElement = 8, kStep = 40;

namespace {
/// An operation's rows and the threads that there are for them.
struct Rows {
  Rows(Value tile, int64_t dim, int64_t threads)
      : shape(shapeOf(tile)), dim(dim), threads(threads), extent(shape[dim]) {
    rest.assign(shape.begin(), shape.end());
    rest.erase(rest.begin() + dim);
    count = ShapedType::getNumElements(rest);
    share = llvm::divideCeil(count * extent, threads);
  }

  /// The coordinates of a row with `i` along the dimension.
  static SmallVector<Value> with(ArrayRef<Value> row, int64_t dim, Value i) {
    SmallVector<Value> all(row);
    all.insert(all.begin() + dim, i);
    return all;
  }
  /// The row of an element.
  SmallVector<Value> rowOf(ArrayRef<Value> at) const {
    SmallVector<Value> row(at);
    row.erase(row.begin() + dim);
    return row;
  }

  ArrayRef<int64_t> shape;
  SmallVector<int64_t> rest;
  int64_t dim, threads, extent;
  int64_t count; // of rows
  int64_t share; // elements of each thread
};

/// The keys of a tile with their positions.
class Keys {
public:
  Keys(ExpandBuilder &b, Value tile, const Rows &rows, bool isUnsigned, bool smallest);

  /// Finds the largest of each row; `found` has the iterations of rows.
  void findLargest(function_ref<void(ArrayRef<Value> row, Expr position)> found);
  /// Takes the largest that was found last off each row.
  void drop();

private:
  Value allocate(StringRef name, ArrayRef<int64_t> shape);
  Expr loadLargest(ArrayRef<Value> row);

  ExpandBuilder &b;
  const Rows &rows;
  Type i64;
  Value all, largest;
};
} // namespace

Value Keys::allocate(StringRef name, ArrayRef<int64_t> shape) {
  auto space = SpaceAttr::get(b.getContext(), Space::Fragment);
  auto type = MemRefType::get(shape.empty() ? ArrayRef<int64_t>(1) : shape, i64,
                              MemRefLayoutAttrInterface(), space);
  return AllocOp::create(b, b.getLoc(), type, b.getStringAttr(name), IntegerAttr());
}

Keys::Keys(ExpandBuilder &b, Value tile, const Rows &rows, bool isUnsigned, bool smallest)
    : b(b), rows(rows), i64(b.getI64Type()), all(allocate("keys", rows.shape)),
      largest(allocate("largest", rows.rest)) {
  b.parallel(rows.shape, [&](ArrayRef<Value> at) {
    Expr key = orderKey(b.expr(b.load(tile, at)), isUnsigned, smallest);
    Value position = arith::IndexCastOp::create(b, b.getLoc(), i64, at[rows.dim]);
    Expr earliness = b.constant(INT32_MAX, i64) - b.expr(position);
    Expr wide = key.to<arith::ExtSIOp>(i64);
    b.store(wide.apply<arith::ShLIOp>(wide.constant(32)) | earliness, all, at);
  });
}

/// The largest key of a row; of a tile of one dimension it is an element by itself.
Expr Keys::loadLargest(ArrayRef<Value> row) {
  SmallVector<Value> at(row);
  if (at.empty())
    at.push_back(b.index(0));
  return b.expr(b.load(largest, at));
}

void Keys::findLargest(function_ref<void(ArrayRef<Value> row, Expr position)> found) {
  ReduceOp::create(b, b.getLoc(), CombinerAttr::get(b.getContext(), Combiner::Max), all,
                   largest, rows.dim, /*accumulate=*/false, /*isUnsigned=*/false,
                   /*identity=*/Value());
  b.parallel(rows.rest, [&](ArrayRef<Value> row) {
    Expr earliness = loadLargest(row).to<arith::TruncIOp>(b.getI32Type());
    found(row, b.constant(INT32_MAX, b.getI32Type()) - earliness);
  });
}

void Keys::drop() {
  b.parallel(rows.shape, [&](ArrayRef<Value> at) {
    Expr key = b.expr(b.load(all, at));
    Expr none = key.constant(APInt::getSignedMinValue(64));
    b.store(select(equal(key, loadLargest(rows.rowOf(at))), none, key), all, at);
  });
}

/// Whether each thread has room for its part of the keys, and a key and a position fit.
static bool canHoldKeys(Value tile, const Rows &rows) {
  return elementOf(tile).getIntOrFloatBitWidth() <= 32 && rows.share <= kMostKeys;
}

static bool spreadPosition(ReduceOp op, int64_t threads) {
  std::optional<Combiner> kind = op.getCombiner();
  if (kind != Combiner::ArgMax && kind != Combiner::ArgMin)
    return false;
  Rows rows(op.getSrc(), op.getDim(), threads);
  if (rows.count >= threads || !canHoldKeys(op.getSrc(), rows))
    return false;
  ExpandBuilder b(op);
  Value dst = op.getDst();
  bool keepsDim = shapeOf(dst).size() == rows.shape.size();
  Keys keys(b, op.getSrc(), rows, op.getIsUnsigned(), kind == Combiner::ArgMin);
  keys.findLargest([&](ArrayRef<Value> row, Expr position) {
    SmallVector<Value> to(row);
    if (keepsDim || to.empty())
      to = Rows::with(row, keepsDim ? rows.dim : 0, b.index(0));
    b.store(castElements(position, elementOf(dst)), dst, to);
  });
  op.erase();
  return true;
}

static bool spreadTopK(TopKOp op, int64_t threads) {
  Rows rows(op.getSrc(), op.getDim(), threads);
  int64_t count = shapeOf(op.getValues())[rows.dim];
  // The other way compares each element with all of its row.
  if (!canHoldKeys(op.getSrc(), rows) ||
      count * (kElement * rows.share + kStep) >= kElement * rows.share * rows.extent)
    return false;
  ExpandBuilder b(op);
  Value src = b.keepFrom(op.getSrc(), op.getValues());
  if (src == op.getSrc())
    src = b.keepFrom(src, op.getIndices());
  Keys keys(b, src, rows, op.getIsUnsigned(), op.getSmallest());
  b.forLoop(count, 1, [&](Value turn) {
    keys.findLargest([&](ArrayRef<Value> row, Expr position) {
      Value there = arith::IndexCastOp::create(b, b.getLoc(), b.getIndexType(), position);
      SmallVector<Value> to = Rows::with(row, rows.dim, turn);
      b.store(b.load(src, Rows::with(row, rows.dim, there)), op.getValues(), to);
      b.store(castElements(position, elementOf(op.getIndices())), op.getIndices(), to);
    });
    keys.drop();
  });
  op.erase();
  return true;
}

static bool spreadScan(ScanOp op, int64_t threads) {
  Rows rows(op.getSrc(), op.getDim(), threads);
  int64_t steps = llvm::Log2_64_Ceil(rows.extent);
  int64_t together = (steps + 1) * (kElement * rows.share + kStep);
  int64_t alone = kElement * rows.extent * llvm::divideCeil(rows.count, threads);
  ElementCombiner combiner(op);
  Type element = elementOf(op.getDst()), accumulator = combiner.accumulatorType();
  // A result that holds what is combined needs no further memory.
  bool inPlace = !op.getExclusive() && element == accumulator &&
                 getSpace(op.getDst()) == Space::Shared;
  int64_t bytes =
      rows.count * rows.extent * llvm::divideCeil(accumulator.getIntOrFloatBitWidth(), 8);
  if (together >= alone || (!inPlace && bytes > kMostScratch))
    return false;
  ExpandBuilder b(op);
  Value src = op.getSrc();
  if (inPlace)
    src = b.keepFrom(src, op.getDst(), /*orItself=*/true);
  Value running = inPlace ? op.getDst() : b.allocate("running", rows.shape, accumulator);
  const bool alternates = (inPlace ? bytes : 2 * bytes) <= kMostScratch;
  Value next;
  if (alternates) {
    next = b.allocate("next", rows.shape, accumulator);
  } else {
    auto space = SpaceAttr::get(b.getContext(), Space::Fragment);
    auto type =
        MemRefType::get(rows.shape, accumulator, MemRefLayoutAttrInterface(), space);
    next = AllocOp::create(b, b.getLoc(), type, b.getStringAttr("next"), IntegerAttr());
  }

  /// What stands `distance` before an element, and whether there is such.
  auto before = [&](ArrayRef<Value> at, int64_t distance) {
    Value i = at[rows.dim], first = b.index(0), last = b.index(rows.extent - 1), there;
    Value exists;
    if (op.getReverse()) {
      there = b.add(i, distance);
      exists = b.compare(arith::CmpIPredicate::sle, there, last);
      there = b.min(there, last);
    } else {
      there = b.sub(i, b.index(distance));
      exists = b.compare(arith::CmpIPredicate::sge, there, first);
      there = b.max(there, first);
    }
    SmallVector<Value> place(at);
    place[rows.dim] = there;
    return std::pair(b.expr(b.load(running, place)), b.expr(exists));
  };

  auto copyInto = [&](Value to, Value from) {
    b.parallel(rows.shape,
               [&](ArrayRef<Value> at) { b.store(b.load(from, at), to, at); });
  };
  if (src != running) {
    if (inPlace && alternates && steps % 2 == 1) // the last step ends in the result
      std::swap(running, next);
    b.parallel(rows.shape, [&](ArrayRef<Value> at) {
      b.store(combiner.fromSource(b.expr(b.load(src, at))), running, at);
    });
  }
  for (int64_t distance = 1; distance < rows.extent; distance *= 2) {
    b.parallel(rows.shape, [&](ArrayRef<Value> at) {
      auto [earlier, exists] = before(at, distance);
      Expr own = b.expr(b.load(running, at));
      b.store(select(exists, combiner.combine(earlier, own), own), next, at);
    });
    if (alternates)
      std::swap(running, next);
    else
      copyInto(running, next);
  }
  if (inPlace) {
    if (running != op.getDst())
      copyInto(op.getDst(), running);
    op.erase();
    return true;
  }
  b.parallel(rows.shape, [&](ArrayRef<Value> at) {
    Expr result = b.expr(b.load(running, at));
    if (op.getExclusive()) {
      auto [earlier, exists] = before(at, 1);
      Expr nothing = combiner.identity(b, b.getLoc(), accumulator);
      result = select(exists, earlier, nothing);
    }
    b.store(combiner.toResult(result, element), op.getDst(), at);
  });
  op.erase();
  return true;
}

namespace {
struct SpreadRowsPass : tilewright::simt::impl::SpreadRowsBase<SpreadRowsPass> {
  using SpreadRowsBase::SpreadRowsBase;
  void runOnOperation() override {
    SmallVector<std::pair<Operation *, int64_t>> ops;
    getOperation().walk([&](KernelOp kernel) {
      int64_t threads = kernel.getThreads().value_or(1);
      kernel.walk([&](Operation *op) {
        if (isa<ReduceOp, TopKOp, ScanOp>(op) && !op->getParentOfType<ParallelOp>())
          ops.emplace_back(op, threads);
      });
    });
    for (auto [op, threads] : ops) {
      bool isSpread = false;
      if (auto reduce = dyn_cast<ReduceOp>(op))
        isSpread = spreadPosition(reduce, threads);
      else if (auto topk = dyn_cast<TopKOp>(op))
        isSpread = spreadTopK(topk, threads);
      else
        isSpread = spreadScan(cast<ScanOp>(op), threads);
      numSpread += isSpread;
    }
  }
};
} // namespace
