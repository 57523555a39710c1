//===- ApplySwizzles.cpp - Indices of tiles whose chunks change places --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/analysis/Memory.h"
#include "compiler/simt/Passes.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::simt {
#define GEN_PASS_DEF_APPLYSWIZZLES
#include "compiler/simt/Passes.h.inc"
} // namespace tilewright::simt

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;

namespace {
struct ApplySwizzlesPass : simt::impl::ApplySwizzlesBase<ApplySwizzlesPass> {
  void runOnOperation() override;
};

/// A tile that an operation accesses, and where.
struct TileAccess {
  Value memref;
  MutableOperandRange indices;
};
} // namespace

static std::optional<TileAccess> getTileAccess(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<TileAccess>>(op)
      .Case<memref::LoadOp, memref::StoreOp>([](auto access) {
        return TileAccess{access.getMemRef(), access.getIndicesMutable()};
      })
      .Case<vector::LoadOp, vector::StoreOp>([](auto access) {
        return TileAccess{access.getBase(), access.getIndicesMutable()};
      })
      .Case([](LoadMatrixOp load) {
        return TileAccess{load.getMemref(), load.getIndicesMutable()};
      })
      .Case([](CopyAsyncOp copy) {
        return TileAccess{copy.getDst(), copy.getDstIndicesMutable()};
      })
      .Default([](Operation *) { return std::nullopt; });
}

namespace {
/// A sum as what varies and a constant.
struct Sum {
  Value variable;
  int64_t constant = 0;
};
} // namespace

static Sum split(OpBuilder &builder, Value value) {
  if (auto constant = getConstantIntValue(value))
    return {nullptr, *constant};
  auto add = value.getDefiningOp<arith::AddIOp>();
  if (!add)
    return {value, 0};
  Sum a = split(builder, add.getLhs()), b = split(builder, add.getRhs());
  Sum sum{a.variable ? a.variable : b.variable, a.constant + b.constant};
  if (a.variable && b.variable)
    sum.variable =
        a.constant || b.constant
            ? arith::AddIOp::create(builder, add.getLoc(), a.variable, b.variable)
            : value;
  return sum;
}

/// column ^ (row / rows mod 2^bits) * chunk. Constants that the swizzle does not reach
/// stay outside of it, where addresses that differ by them share the rest.
static Value swizzle(OpBuilder &builder, Location loc, SwizzleAttr swizzle, Value row,
                     Value column) {
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  auto add = [&](const Sum &sum) -> Value {
    if (!sum.variable)
      return constant(sum.constant);
    if (!sum.constant)
      return sum.variable;
    return arith::AddIOp::create(builder, loc, sum.variable, constant(sum.constant));
  };
  Sum rows = split(builder, row), columns = split(builder, column);
  rows.constant %= swizzle.getRows() << swizzle.getBits();
  int64_t reach = swizzle.getChunk() << swizzle.getBits();
  int64_t beyond = columns.constant / reach * reach;
  columns.constant -= beyond;
  row = add(rows);
  if (swizzle.getRows() > 1)
    row = arith::DivUIOp::create(builder, loc, row, constant(swizzle.getRows()));
  row = arith::RemUIOp::create(builder, loc, row, constant(1 << swizzle.getBits()));
  row = arith::MulIOp::create(builder, loc, row, constant(swizzle.getChunk()));
  return add({arith::XOrIOp::create(builder, loc, add(columns), row), beyond});
}

void ApplySwizzlesPass::runOnOperation() {
  getOperation().walk([](Operation *op) {
    std::optional<TileAccess> access = getTileAccess(op);
    Operation *alloc =
        access ? tile::getBaseMemory(access->memref).getDefiningOp() : nullptr;
    auto attr = alloc ? alloc->getAttrOfType<SwizzleAttr>(swizzleAttrName) : nullptr;
    if (!attr)
      return;
    OpBuilder builder(op);
    SmallVector<Value> indices;
    for (OpOperand &index : access->indices)
      indices.push_back(index.get());
    indices.back() =
        swizzle(builder, op->getLoc(), attr, indices[indices.size() - 2], indices.back());
    access->indices.assign(indices);
  });
  getOperation().walk([](tile::AllocOp alloc) { alloc->removeAttr(swizzleAttrName); });
}
