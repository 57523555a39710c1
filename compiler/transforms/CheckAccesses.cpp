//===- CheckAccesses.cpp - Put a check beside every access --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs on what the front end wrote, before anything is moved or merged, so that a report
// is of the source's own accesses. Memories and loops get numbers; an access becomes a
// box of the memory that was allocated, whatever view it goes through.
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Passes.h"
#include "compiler/transforms/ViewBox.h"
#include "dialects/tile/Tile.h"

#include "compiler/analysis/Memory.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_CHECKACCESSES
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright::tile;

namespace {
struct CheckAccessesPass : tilewright::tile::impl::CheckAccessesBase<CheckAccessesPass> {
  using CheckAccessesBase::CheckAccessesBase;
  void runOnOperation() override;
};

/// Puts the checks into one function.
class Instrumenter {
public:
  Instrumenter(func::FuncOp function, bool values) : function(function), values(values) {}
  LogicalResult run();

private:
  void addMemory(Value memref, OpBuilder builder);
  void addLoop(Operation *loop);
  LogicalResult checkAccesses(Operation *op);
  void checkValue(Operation *op);
  FailureOr<Box> toBase(Box box, OpBuilder &builder);
  LogicalResult addCheck(Operation *op, Access access, OpBuilder builder,
                         bool inspect = false, bool first = false);
  FailureOr<CheckAccessOp> makeCheck(Operation *op, const Access &access, const Box &box,
                                     const Box &second, OpBuilder &builder);
  IntegerAttr getLoop(Operation *op);

  func::FuncOp function;
  bool values; // whether NaN and infinities are looked for
  DenseMap<Value, int64_t> memories;
  DenseMap<Operation *, int64_t> loops;
};
} // namespace

//===----------------------------------------------------------------------===//
// Memories and loops
//===----------------------------------------------------------------------===//

void Instrumenter::addMemory(Value memref, OpBuilder builder) {
  int64_t number = memories.size();
  memories[memref] = number;
  Operation *definition = memref.getDefiningOp();
  CheckMemoryOp::create(builder, memref.getLoc(), number, describeMemory(memref), memref,
                        definition ? getLoop(definition) : nullptr,
                        isa_and_nonnull<WorkspaceOp>(definition));
}

/// The number of the innermost loop around `op`; null outside of loops.
IntegerAttr Instrumenter::getLoop(Operation *op) {
  for (Operation *parent = op->getParentOp(); parent; parent = parent->getParentOp())
    if (auto found = loops.find(parent); found != loops.end())
      return Builder(op).getI64IntegerAttr(found->second);
  return nullptr;
}

/// What the source calls the variables of `loop`: the front end has the names, separated
/// by commas, in the loop's location.
static ArrayAttr getVariableNames(Operation *loop, size_t count) {
  SmallVector<StringRef> names;
  if (auto named = loop->getLoc()->findInstanceOf<NameLoc>())
    named.getName().getValue().split(names, ',');
  names.resize(count, "_");
  return Builder(loop).getStrArrayAttr(names);
}

/// Whether `op` is a loop with variables. What a `break` leaves is a while loop that has
/// one.
static bool isCounted(Operation *op) {
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return llvm::equal(loop.getAfter().getArgumentTypes(),
                       ArrayRef<Type>{IndexType::get(op->getContext())});
  return isa<ParallelOp, PipelinedOp, scf::ForOp>(op);
}

void Instrumenter::addLoop(Operation *loop) {
  Region &body = *cast<LoopLikeOpInterface>(loop).getLoopRegions().back();
  auto counted = dyn_cast<scf::ForOp>(loop);
  SmallVector<Value> variables(body.getArguments());
  if (counted) // whose other arguments are carried
    variables = {counted.getInductionVar()};
  auto parallel = dyn_cast<ParallelOp>(loop);
  OpBuilder builder = OpBuilder::atBlockBegin(&body.front());
  IntegerAttr outer = getLoop(loop);
  int64_t number = loops.size();
  loops[loop] = number;
  CheckIterationOp::create(builder, loop->getLoc(), builder.getI64IntegerAttr(number),
                           variables, getVariableNames(loop, variables.size()), outer,
                           parallel ? parallel.getExtentsAttr() : nullptr);
}

//===----------------------------------------------------------------------===//
// Accesses
//===----------------------------------------------------------------------===//

/// `box`, of a view, as a box of the memory that the view is of; failure where it is
/// none.
FailureOr<Box> Instrumenter::toBase(Box box, OpBuilder &builder) {
  while (auto view = box.memref.getDefiningOp<ViewLikeOpInterface>()) {
    FailureOr<Box> outer = failure();
    if (auto part = dyn_cast<memref::SubViewOp>(view.getOperation()))
      outer = getBoxOfSource(part, box, builder);
    else if (auto other = dyn_cast<ViewOp>(view.getOperation()))
      outer = getBoxOfSource(other, box, builder);
    if (failed(outer))
      return failure();
    box = *outer;
  }
  return box;
}

/// Loops over the elements of `box`; it, and the `other` that has one for each of them,
/// become one element, and `builder` is in the innermost loop.
static void loopOverElements(Box &box, std::optional<Box> &other, OpBuilder &builder,
                             Location loc) {
  Value zero = arith::ConstantIndexOp::create(builder, loc, 0);
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  size_t otherDim = 0;
  for (auto [dim, size] : llvm::enumerate(box.sizes)) {
    if (size == 1)
      continue;
    Value count = ShapedType::isDynamic(size)
                      ? memref::DimOp::create(builder, loc, box.memref, dim).getResult()
                      : arith::ConstantIndexOp::create(builder, loc, size).getResult();
    auto loop = scf::ForOp::create(builder, loc, zero, count, one);
    builder.setInsertionPointToStart(loop.getBody());
    auto step = [&](Box &moved, size_t along) {
      Value start = getValueOrCreateConstantIndexOp(builder, loc, moved.offsets[along]);
      moved.offsets[along] =
          arith::AddIOp::create(builder, loc, start, loop.getInductionVar()).getResult();
      moved.sizes[along] = 1;
    };
    step(box, dim);
    while (other && otherDim < other->sizes.size() && other->sizes[otherDim] == 1)
      ++otherDim;
    if (other && otherDim < other->sizes.size())
      step(*other, otherDim);
  }
}

/// What reports call an operation: nothing for the access of a single element.
static std::string nameOf(Operation *op) {
  if (isa<memref::LoadOp, memref::StoreOp, LoadOp, StoreOp>(op))
    return "";
  std::string name = ("T." + op->getName().stripDialect()).str();
  if (auto reduce = dyn_cast<ReduceOp>(op); reduce && reduce.getCombiner()) {
    StringRef combiner = stringifyCombiner(*reduce.getCombiner());
    combiner.consume_back("num");
    name += ("_" + combiner).str();
  } else if (auto atomic = dyn_cast<AtomicOp>(op)) {
    StringRef combiner = stringifyCombiner(atomic.getCombiner());
    combiner.consume_front("bit");
    name += ("_" + (atomic.getCombiner() == Combiner::Sum ? "add" : combiner)).str();
  }
  return name;
}

/// Whether sizes are the same but for those of 1.
static bool haveSameShape(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
  auto spans = [](int64_t size) { return size != 1; };
  return llvm::equal(llvm::make_filter_range(a, spans),
                     llvm::make_filter_range(b, spans));
}

/// Checks an access where `builder` is. What is a box of a view and none of the memory is
/// checked element by element.
LogicalResult Instrumenter::addCheck(Operation *op, Access access, OpBuilder builder,
                                     bool inspect, bool first) {
  FailureOr<Box> box = toBase(access.box, builder);
  FailureOr<Box> other = access.other ? toBase(*access.other, builder) : box;
  if ((failed(box) || failed(other)) && !access.axis) {
    if (access.other && !haveSameShape(access.box.sizes, access.other->sizes))
      access.other = std::nullopt;
    if (first) { // what is inspected begins here, and not again at each element
      Access start = access;
      llvm::fill(start.box.sizes, 1);
      if (start.other)
        llvm::fill(start.other->sizes, 1);
      if (failed(addCheck(op, start, builder, inspect, first)))
        return failure();
      first = false;
    }
    loopOverElements(access.box, access.other, builder, op->getLoc());
    box = toBase(access.box, builder);
    other = access.other ? toBase(*access.other, builder) : box;
  }
  if (failed(box) || failed(other))
    return op->emitError("checking mode cannot follow this view of ")
           << describeMemory(access.box.memref);
  FailureOr<CheckAccessOp> check = makeCheck(op, access, *box, *other, builder);
  if (failed(check))
    return failure();
  check->setInspect(inspect);
  check->setFirst(first);
  return success();
}

FailureOr<CheckAccessOp> Instrumenter::makeCheck(Operation *op, const Access &access,
                                                 const Box &box, const Box &second,
                                                 OpBuilder &builder) {
  SmallVector<Value> offsets, otherOffsets;
  SmallVector<int64_t> starts, otherStarts;
  dispatchIndexOpFoldResults(box.offsets, offsets, starts);
  IntegerAttr axis, otherNumber;
  DenseI64ArrayAttr otherStartsAttr, otherSizes;
  Value other;
  if (access.axis) {
    if (box.memref != access.box.memref) // which may have other dimensions
      return op->emitError("checking mode cannot follow rows of a view of ")
             << describeMemory(box.memref);
    axis = builder.getI64IntegerAttr(*access.axis);
  }
  if (access.other) {
    // Seen as elements of another size the sides no longer match: all of this one counts.
    if (access.axis || haveSameShape(box.sizes, second.sizes)) {
      dispatchIndexOpFoldResults(second.offsets, otherOffsets, otherStarts);
      other = second.memref;
      otherNumber = builder.getI64IntegerAttr(memories.lookup(other));
      otherStartsAttr = builder.getDenseI64ArrayAttr(otherStarts);
      otherSizes = builder.getDenseI64ArrayAttr(second.sizes);
    }
  }
  return CheckAccessOp::create(
      builder, op->getLoc(), access.kind, memories.lookup(box.memref), box.memref,
      offsets, builder.getDenseI64ArrayAttr(starts),
      builder.getDenseI64ArrayAttr(box.sizes), axis, otherNumber, other, otherOffsets,
      otherStartsAttr, otherSizes, builder.getStringAttr(nameOf(op)), getLoop(op),
      /*inspect=*/false, /*first=*/false);
}

static bool holdsFloats(Value memref) {
  return isa<FloatType>(cast<MemRefType>(memref.getType()).getElementType());
}

/// Whether `op` writes an infinity that was asked for: what an exclusive scan begins
/// with.
static bool writesInfinity(Operation *op) {
  auto scan = dyn_cast<ScanOp>(op);
  if (!scan || !scan.getExclusive())
    return false;
  if (scan.getCombiner())
    return *scan.getCombiner() != Combiner::Sum;
  APFloat identity(0.0);
  return matchPattern(scan.getIdentity(), m_ConstantFloat(&identity)) &&
         identity.isInfinity();
}

LogicalResult Instrumenter::checkAccesses(Operation *op) {
  FailureOr<Accesses> accesses = getElementAccesses(op);
  if (failed(accesses))
    return op->emitOpError(
        "is not covered by checking mode, as it does not say which elements it accesses");
  auto known = dyn_cast<AccessOpInterface>(op);
  bool inspects = values && known && known.computes() && !writesInfinity(op);
  OpBuilder before(op), after(op->getContext());
  after.setInsertionPointAfter(op);
  bool isFirst = true;
  for (Access access : *accesses) {
    bool inspectsIt = inspects && access.kind == AccessKind::Read;
    if (failed(addCheck(op, access, before, inspectsIt, inspectsIt && isFirst)))
      return failure();
    isFirst &= !inspectsIt;
    if (inspects && access.kind == AccessKind::Write && holdsFloats(access.box.memref)) {
      access.kind = AccessKind::Result;
      if (failed(addCheck(op, access, after)))
        return failure();
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// What a kernel's author writes for an operation on floats.
static StringRef symbolOf(Operation *op) {
  return llvm::StringSwitch<StringRef>(op->getName().stripDialect())
      .Case("addf", "+")
      .Case("subf", "-")
      .Case("mulf", "*")
      .Case("divf", "/")
      .Case("negf", "-")
      .Case("remf", "%")
      .Case("cast", "conversion")
      .Default(op->getName().stripDialect());
}

/// Checks the result of arithmetic on floats. Constants are there on purpose, and a
/// selection or the bits of an integer are not computed.
void Instrumenter::checkValue(Operation *op) {
  if (op->getNumResults() != 1 || !isa<FloatType>(op->getResult(0).getType()) ||
      !(isa<CastOp>(op) ||
        isa<arith::ArithDialect, math::MathDialect>(op->getDialect())) ||
      isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp>(op))
    return;
  OpBuilder builder(op->getContext());
  builder.setInsertionPointAfter(op);
  CheckValueOp::create(builder, op->getLoc(), op->getResult(0), op->getOperands(),
                       builder.getStringAttr(symbolOf(op)), getLoop(op));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

LogicalResult Instrumenter::run() {
  // What was there before the checks, from outside in.
  SmallVector<Operation *> ops;
  function.getBody().walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });

  OpBuilder start = OpBuilder::atBlockBegin(&function.getBody().front());
  for (BlockArgument argument : function.getArguments())
    if (isa<MemRefType>(argument.getType()))
      addMemory(argument, start);
  for (Operation *op : ops) {
    if (isa<AllocOp, WorkspaceOp>(op)) {
      OpBuilder after(op->getContext());
      after.setInsertionPointAfter(op);
      addMemory(op->getResult(0), after);
    }
    // A combiner's region is part of the operation that has it.
    if (!op->getParentOfType<KernelOp>() || isa<ReduceOp, ScanOp>(op->getParentOp()))
      continue;
    if (isCounted(op))
      addLoop(op);
    if (failed(checkAccesses(op)))
      return failure();
    if (values)
      checkValue(op);
  }
  return success();
}

void CheckAccessesPass::runOnOperation() {
  func::FuncOp function = getOperation();
  if (function.isExternal())
    return;
  if (failed(Instrumenter(function, values).run()))
    signalPassFailure();
}
