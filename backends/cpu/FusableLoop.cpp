//===- FusableLoop.cpp - Loops whose iterations use elements of their own -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/FusableLoop.h"
#include "backends/cpu/TileDims.h"
#include "compiler/analysis/Memory.h"
#include "compiler/analysis/Overwrites.h"
#include "compiler/analysis/Recompute.h"
#include "compiler/transforms/ExpandBuilder.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;

//===----------------------------------------------------------------------===//
// Analysis
//===----------------------------------------------------------------------===//

bool FusableLoop::Index::operator==(const Index &other) const {
  if (variable != other.variable)
    return false;
  if (base == other.base)
    return true;
  auto constant = [](Value value) -> std::optional<int64_t> {
    return value ? getConstantIntValue(value) : 0;
  };
  auto left = constant(base), right = constant(other.base);
  return left && right && *left == *right;
}

SmallVector<int64_t> tilewright::cpu::dropUnits(ArrayRef<int64_t> sizes) {
  SmallVector<int64_t> kept(sizes);
  llvm::erase(kept, 1);
  return kept;
}

/// Whether `value` is the same in all iterations of `loop`.
static bool isInvariant(ParallelOp loop, Value value) {
  return canRecompute(value, [&](Value given) {
    auto argument = dyn_cast<BlockArgument>(given);
    return argument ? argument.getOwner() != &loop.getBody().front()
                    : !loop->isProperAncestor(given.getDefiningOp());
  });
}

/// `value`, an index of an element of `loop`, as a variable and what is added to it.
std::optional<FusableLoop::Index> FusableLoop::getIndex(ParallelOp loop,
                                                        Value value) const {
  if (auto argument = dyn_cast<BlockArgument>(value);
      argument && argument.getOwner() == &loop.getBody().front()) {
    ArrayRef<int64_t> sizes = loop.getExtents();
    if (sizes[argument.getArgNumber()] == 1)
      return Index{};
    return Index{llvm::count_if(sizes.take_front(argument.getArgNumber()),
                                [](int64_t size) { return size != 1; }),
                 Value()};
  }
  if (isInvariant(loop, value))
    return Index{-1, value};
  auto sum = value.getDefiningOp<arith::AddIOp>();
  if (!sum)
    return std::nullopt;
  auto left = getIndex(loop, sum.getLhs()), right = getIndex(loop, sum.getRhs());
  if (!left || !right || (left->base && right->base) ||
      (left->variable >= 0 && right->variable >= 0))
    return std::nullopt;
  return Index{std::max(left->variable, right->variable),
               left->base ? left->base : right->base};
}

/// Notes an access; false where neighbours of a row are not neighbours in memory.
bool FusableLoop::addAccess(Value memref, SmallVector<Index> indices, bool isWrite) {
  // Elements of 4 bits share bytes with their neighbours.
  if (cast<MemRefType>(memref.getType()).getElementTypeBitWidth() == 4)
    return false;
  int64_t along = static_cast<int64_t>(extents.size()) - 1;
  for (const Index &index : ArrayRef(indices).drop_back(indices.empty() ? 0 : 1))
    if (index.variable == along && along >= 0)
      return false;
  accesses.push_back({memref, std::move(indices), isWrite});
  return true;
}

bool FusableLoop::analyze(ParallelOp loop) {
  extents = dropUnits(loop.getExtents());
  for (Operation &inner : loop.getBody().front()) {
    ++size;
    auto add = [&](Value memref, ValueRange operands, bool isWrite) {
      SmallVector<Index> indices;
      for (Value operand : operands) {
        std::optional<Index> index = getIndex(loop, operand);
        if (!index)
          return false;
        indices.push_back(*index);
      }
      return addAccess(memref, std::move(indices), isWrite);
    };
    bool isKnown = llvm::TypeSwitch<Operation *, bool>(&inner)
                       .Case<memref::LoadOp, LoadOp>([&](auto load) {
                         return add(load.getMemref(), load.getIndices(), false);
                       })
                       .Case<memref::StoreOp, StoreOp>([&](auto store) {
                         return add(store.getMemref(), store.getIndices(), true);
                       })
                       .Default([](Operation *other) {
                         return other->getNumRegions() == 0 && isMemoryEffectFree(other);
                       });
    if (!isKnown)
      return false;
  }
  return true;
}

static bool isOperandOfGemm(Value memref) {
  return llvm::any_of(getUsersOfMemory(getBaseMemory(memref)),
                      [](Operation *user) { return isa<GemmOp>(user); });
}

bool FusableLoop::analyze(CopyOp copy) {
  extents = dropUnits(copy.getSrcSizes());
  if (extents != dropUnits(copy.getDstSizes()))
    return false;
  // Packing and sharing know operands by the copies that fill them.
  if (!isTile(copy.getSrc().getType()) && isOperandOfGemm(copy.getDst()))
    return false;
  size = 3;
  auto add = [&](Value memref, ArrayRef<int64_t> sizes, ArrayRef<OpFoldResult> offsets,
                 bool isWrite) {
    SmallVector<Index> indices;
    int64_t variable = 0;
    for (auto [size, offset] : llvm::zip_equal(sizes, offsets)) {
      std::optional<int64_t> constant = getConstantIntValue(offset);
      Value base = dyn_cast_if_present<Value>(offset);
      if (constant && *constant == 0)
        base = Value();
      else if (!base)
        return false; // a part of a tile
      indices.push_back({size == 1 ? -1 : variable++, base});
    }
    return addAccess(memref, std::move(indices), isWrite);
  };
  return add(copy.getSrc(), copy.getSrcSizes(), copy.getMixedSrcOffsets(), false) &&
         add(copy.getDst(), copy.getDstSizes(), copy.getMixedDstOffsets(), true);
}

std::optional<FusableLoop> FusableLoop::get(Operation *op) {
  FusableLoop loop(op);
  auto parallel = dyn_cast<ParallelOp>(op);
  auto copy = dyn_cast<CopyOp>(op);
  if ((parallel && loop.analyze(parallel)) || (copy && loop.analyze(copy)))
    return loop;
  return std::nullopt;
}

bool FusableLoop::canRunWith(const FusableLoop &other) const {
  if (extents != other.extents || (isa<CopyOp>(op) && isa<CopyOp>(other.op)))
    return false;
  bool saves = false;
  for (const Access &first : accesses)
    for (const Access &second : other.accesses) {
      bool isSame = first.memref == second.memref;
      saves |= isSame;
      if ((!first.isWrite && !second.isWrite) || !mayOverlap(first.memref, second.memref))
        continue;
      // Declared aliases are the same memory element by element, or apart.
      bool areParameters = getParameter(first.memref) && getParameter(second.memref);
      if (!isSame && !areParameters)
        return false;
      // Each iteration has elements of its own, and the same ones in both.
      for (int64_t variable = 0; variable < static_cast<int64_t>(extents.size());
           ++variable)
        if (llvm::none_of(first.indices,
                          [&](const Index &index) { return index.variable == variable; }))
          return false;
      if (first.indices != second.indices)
        return false;
    }
  return saves;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// The variables of a loop of `extents` in the dimensions of a region: by place where the
/// region is the loop's space, else those that count, in order.
static SmallVector<Value> matchVariables(ArrayRef<int64_t> extents, Block &body,
                                         ArrayRef<int64_t> sizes) {
  SmallVector<Value> variables;
  size_t next = 0;
  for (auto [dim, size] : llvm::enumerate(sizes)) {
    if (sizes == extents) {
      variables.push_back(body.getArgument(dim));
    } else if (size == 1) {
      variables.push_back(Value());
    } else {
      while (extents[next] == 1)
        ++next;
      variables.push_back(body.getArgument(next++));
    }
  }
  return variables;
}

void FusableLoop::emitCopy(CopyOp copy, Block &body) const {
  auto loop = cast<ParallelOp>(body.getParentOp());
  ExpandBuilder builder(loop);
  builder.setInsertionPointToEnd(&body);
  auto getPlace = [&](ArrayRef<int64_t> sizes, ArrayRef<OpFoldResult> offsets) {
    SmallVector<Value> variables = matchVariables(loop.getExtents(), body, sizes);
    return llvm::map_to_vector(llvm::zip_equal(offsets, variables), [&](auto pair) {
      return builder.addTo(std::get<0>(pair), std::get<1>(pair));
    });
  };
  SmallVector<Value> from = getPlace(copy.getSrcSizes(), copy.getMixedSrcOffsets());
  SmallVector<Value> to = getPlace(copy.getDstSizes(), copy.getMixedDstOffsets());
  Value value = builder.load(copy.getSrc(), from);
  Type element = elementOf(copy.getDst());
  if (value.getType() != element) {
    auto isUnsigned = [&](Type type) {
      return copy.getIsUnsigned() && isa<IntegerType>(type);
    };
    value = CastOp::create(builder, copy.getLoc(), element, value,
                           isUnsigned(value.getType()), isUnsigned(element));
  }
  builder.store(value, copy.getDst(), to);
}

void FusableLoop::emitInto(Block &body) const {
  if (auto copy = dyn_cast<CopyOp>(op))
    return emitCopy(copy, body);
  auto loop = cast<ParallelOp>(op);
  auto target = cast<ParallelOp>(body.getParentOp());
  OpBuilder builder = OpBuilder::atBlockEnd(&body);
  IRMapping mapping;
  SmallVector<Value> variables =
      matchVariables(target.getExtents(), body, loop.getExtents());
  for (auto [old, variable] : llvm::zip_equal(loop.getBody().getArguments(), variables)) {
    if (!variable)
      variable = arith::ConstantIndexOp::create(builder, loop.getLoc(), 0);
    mapping.map(old, variable);
  }
  for (Operation &inner : loop.getBody().front())
    builder.clone(inner, mapping);
}
