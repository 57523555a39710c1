//===- LowerAccess.cpp - Single loads, stores and atomics ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "compiler/transforms/Passes.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/TypeSwitch.h"

namespace tilewright::tile {
#define GEN_PASS_DEF_LOWERACCESS
#include "compiler/transforms/Passes.h.inc"
} // namespace tilewright::tile

using namespace mlir;
using namespace tilewright;
using namespace tilewright::tile;

namespace {
struct LowerAccessPass : tilewright::tile::impl::LowerAccessBase<LowerAccessPass> {
  using LowerAccessBase::LowerAccessBase;
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// Whether the indices that are not known to be inside are: null where all are known.
template <typename Access> static Value emitGuard(OpBuilder &builder, Access op) {
  Location loc = op.getLoc();
  ArrayRef<bool> inbounds = op.getInbounds();
  Value inside;
  for (auto [dim, index] : llvm::enumerate(op.getIndices())) {
    if (!inbounds.empty() && inbounds[dim])
      continue;
    // Seen as unsigned, a negative index is too large as well.
    Value extent = memref::DimOp::create(builder, loc, op.getMemref(), dim);
    Value below =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index, extent);
    inside = inside ? Value(arith::AndIOp::create(builder, loc, inside, below)) : below;
  }
  return inside;
}

/// What `emit` gives under `guard`, and zero where it is false.
static Value emitGuarded(OpBuilder &builder, Location loc, Value guard, Type type,
                         function_ref<Value(OpBuilder &)> emit) {
  if (!guard)
    return emit(builder);
  auto branch = scf::IfOp::create(builder, loc, type, guard, /*withElseRegion=*/true);
  OpBuilder inside = branch.getThenBodyBuilder();
  Value value = emit(inside);
  scf::YieldOp::create(inside, loc, value);
  OpBuilder outside = branch.getElseBodyBuilder();
  Value zero = arith::ConstantOp::create(outside, loc, zeroBits(type));
  scf::YieldOp::create(outside, loc, zero);
  return branch.getResult(0);
}

namespace {
/// Where an element that shares its byte is: the byte, and how far from its low end.
struct PairedElement {
  Value bytes;
  SmallVector<Value> indices;
  Value shift;
};
} // namespace

template <typename Access> static PairedElement findPaired(OpBuilder &b, Access op) {
  Location loc = op.getLoc();
  SmallVector<Value> indices(op.getIndices());
  Value last = indices.back(), one = arith::ConstantIndexOp::create(b, loc, 1);
  Value two = arith::ConstantIndexOp::create(b, loc, 2);
  indices.back() = arith::ShRUIOp::create(b, loc, last, one);
  Value isHigh = arith::AndIOp::create(b, loc, last, one);
  Value shift = arith::IndexCastOp::create(b, loc, b.getI8Type(),
                                           arith::ShLIOp::create(b, loc, isHigh, two));
  return {PairsOp::create(b, loc, op.getMemref()), indices, shift};
}

static Value loadElement(OpBuilder &b, LoadOp op) {
  Location loc = op.getLoc();
  if (!holdsPairs(cast<MemRefType>(op.getMemref().getType())))
    return memref::LoadOp::create(b, loc, op.getMemref(), op.getIndices());
  PairedElement at = findPaired(b, op);
  Value pair = memref::LoadOp::create(b, loc, at.bytes, at.indices);
  Value code = arith::TruncIOp::create(b, loc, b.getIntegerType(4),
                                       arith::ShRUIOp::create(b, loc, pair, at.shift));
  return arith::BitcastOp::create(b, loc, op.getResult().getType(), code);
}

/// An element that shares its byte is cleared and set by two atomic operations: another
/// thread may write the byte's other half at the same time.
static void storeElement(OpBuilder &b, StoreOp op) {
  Location loc = op.getLoc();
  if (!holdsPairs(cast<MemRefType>(op.getMemref().getType()))) {
    memref::StoreOp::create(b, loc, op.getValue(), op.getMemref(), op.getIndices());
    return;
  }
  PairedElement at = findPaired(b, op);
  Value code = arith::BitcastOp::create(b, loc, b.getIntegerType(4), op.getValue());
  Value bits = arith::ShLIOp::create(
      b, loc, arith::ExtUIOp::create(b, loc, b.getI8Type(), code), at.shift);
  Value high = arith::ConstantIntOp::create(b, loc, b.getI8Type(), 0xf0);
  Value keep = arith::ShRUIOp::create(b, loc, high, at.shift);
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::andi, keep, at.bytes,
                              at.indices);
  memref::AtomicRMWOp::create(b, loc, arith::AtomicRMWKind::ori, bits, at.bytes,
                              at.indices);
}

/// The alignment that an access to neighbours has (simt.vector_load C4).
static llvm::Align getAlignment(VectorType type) {
  return llvm::Align(
      std::min<int64_t>(16, type.getNumElements() * type.getElementTypeBitWidth() / 8));
}

static Value loadElement(OpBuilder &b, simt::VectorLoadOp op) {
  auto type = cast<VectorType>(op.getResult().getType());
  return vector::LoadOp::create(b, op.getLoc(), type, op.getMemref(), op.getIndices(),
                                /*nontemporal=*/false, getAlignment(type));
}

static void storeElement(OpBuilder &b, simt::VectorStoreOp op) {
  vector::StoreOp::create(b, op.getLoc(), op.getValue(), op.getMemref(), op.getIndices(),
                          /*nontemporal=*/false,
                          getAlignment(cast<VectorType>(op.getValue().getType())));
}

template <typename Load> static void lowerLoad(Load op) {
  OpBuilder builder(op);
  Value guard = emitGuard(builder, op);
  Type type = op.getResult().getType();
  op.replaceAllUsesWith(emitGuarded(builder, op.getLoc(), guard, type,
                                    [&](OpBuilder &b) { return loadElement(b, op); }));
  op.erase();
}

template <typename Store> static void lowerStore(Store op) {
  OpBuilder builder(op);
  if (Value guard = emitGuard(builder, op))
    builder = scf::IfOp::create(builder, op.getLoc(), guard, /*withElseRegion=*/false)
                  .getThenBodyBuilder();
  storeElement(builder, op);
  op.erase();
}

/// The guard of an asynchronous copy is an operand of it.
static void lowerCopy(simt::CopyAsyncOp op) {
  OpBuilder builder(op);
  Value guard = emitGuard(builder, op), inside = op.getInside();
  if (guard && inside)
    guard = arith::AndIOp::create(builder, op.getLoc(), inside, guard);
  if (guard)
    op.getInsideMutable().assign(guard);
  op.setInbounds(SmallVector<bool>(op.getIndices().size(), true));
}

//===----------------------------------------------------------------------===//
// Atomics
//===----------------------------------------------------------------------===//

static arith::AtomicRMWKind atomicKind(AtomicOp op) {
  using Kind = arith::AtomicRMWKind;
  bool isFloat = isa<FloatType>(op.getValue().getType());
  switch (op.getCombiner()) {
  case Combiner::Sum:
    return isFloat ? Kind::addf : Kind::addi;
  case Combiner::Max:
    return isFloat ? Kind::maximumf : op.getIsUnsigned() ? Kind::maxu : Kind::maxs;
  case Combiner::Min:
    return isFloat ? Kind::minimumf : op.getIsUnsigned() ? Kind::minu : Kind::mins;
  case Combiner::BitAnd:
    return Kind::andi;
  case Combiner::BitOr:
    return Kind::ori;
  case Combiner::BitXor:
    return Kind::xori;
  default:
    llvm_unreachable("the verifier admits no other combiner (tile.atomic C2)");
  }
}

/// The combination of two elements, in f32 where they are floats of 8 bits.
static Value combine(OpBuilder &b, AtomicOp op, Value former) {
  Location loc = op.getLoc();
  Value value = op.getValue();
  Type type = value.getType();
  bool widens = isa<FloatType>(type) && type.getIntOrFloatBitWidth() < 16;
  auto widen = [&](Value v) {
    return widens ? Value(CastOp::create(b, loc, b.getF32Type(), v, false, false)) : v;
  };
  Value result =
      arith::getReductionOp(atomicKind(op), b, loc, widen(former), widen(value));
  bool isSum = op.getCombiner() == Combiner::Sum;
  return widens ? Value(CastOp::create(b, loc, type, result, false, false,
                                       /*keepInfinity=*/!isSum))
                : result;
}

/// The address of the element that an atomic updates.
static Value emitAddress(OpBuilder &b, AtomicOp op, bool sharesTiles) {
  Location loc = op.getLoc();
  auto layout = memref::ExtractStridedMetadataOp::create(b, loc, op.getMemref());
  Value position = layout.getOffset();
  for (auto [index, stride] : llvm::zip_equal(op.getIndices(), layout.getStrides()))
    position = arith::AddIOp::create(b, loc, position,
                                     arith::MulIOp::create(b, loc, index, stride));
  Value bytes = arith::ConstantIndexOp::create(
      b, loc, op.getValue().getType().getIntOrFloatBitWidth() / 8);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, op.getMemref());
  address = arith::AddIOp::create(b, loc, address,
                                  arith::MulIOp::create(b, loc, position, bytes));
  address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  unsigned space = sharesTiles ? getDeviceAddressSpace(getSpace(op.getMemref())) : 0;
  return LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext(), space), address);
}

/// An update by compare and exchange of the element's bits, for floats that LLVM has no
/// atomic arithmetic on. Gives the former element.
static Value emitExchangeLoop(OpBuilder &b, AtomicOp op, bool sharesTiles) {
  Location loc = op.getLoc();
  Type type = op.getValue().getType();
  Type bits = b.getIntegerType(type.getIntOrFloatBitWidth());
  Value address = emitAddress(b, op, sharesTiles);
  Value first = LLVM::LoadOp::create(b, loc, bits, address);
  auto attempt = [&](OpBuilder &inside, Location, ValueRange former) {
    Value element = arith::BitcastOp::create(inside, loc, type, former[0]);
    Value updated =
        arith::BitcastOp::create(inside, loc, bits, combine(inside, op, element));
    Value exchange = LLVM::AtomicCmpXchgOp::create(inside, loc, address, former[0],
                                                   updated, LLVM::AtomicOrdering::acq_rel,
                                                   LLVM::AtomicOrdering::monotonic);
    Value seen = LLVM::ExtractValueOp::create(inside, loc, exchange, 0);
    Value done = LLVM::ExtractValueOp::create(inside, loc, exchange, 1);
    Value yes = arith::ConstantIntOp::create(inside, loc, inside.getI1Type(), 1);
    scf::ConditionOp::create(inside, loc, arith::XOrIOp::create(inside, loc, done, yes),
                             seen);
  };
  auto again = [&](OpBuilder &inside, Location, ValueRange seen) {
    scf::YieldOp::create(inside, loc, seen);
  };
  auto loop = scf::WhileOp::create(b, loc, bits, first, attempt, again);
  return arith::BitcastOp::create(b, loc, type, loop.getResult(0));
}

static void lowerAtomic(AtomicOp op, bool sharesTiles) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  Value guard = emitGuard(builder, op);
  Type type = op.getResult().getType();
  auto emit = [&](OpBuilder &b) -> Value {
    // Where one thread runs a block, nobody else sees its shared tiles.
    if (!sharesTiles && getSpace(op.getMemref()) == Space::Shared) {
      Value former = memref::LoadOp::create(b, loc, op.getMemref(), op.getIndices());
      memref::StoreOp::create(b, loc, combine(b, op, former), op.getMemref(),
                              op.getIndices());
      return former;
    }
    // On a device the extrema of floats too: what stands for their instruction there
    // begins with a read that is not atomic.
    bool isFloat = isa<FloatType>(type), isSum = op.getCombiner() == Combiner::Sum;
    if (type.isBF16() || (isFloat && type.getIntOrFloatBitWidth() < 16) ||
        (sharesTiles && isFloat && !isSum))
      return emitExchangeLoop(b, op, sharesTiles);
    return memref::AtomicRMWOp::create(b, loc, atomicKind(op), op.getValue(),
                                       op.getMemref(), op.getIndices());
  };
  op.replaceAllUsesWith(emitGuarded(builder, loc, guard, type, emit));
  op.erase();
}

void LowerAccessPass::runOnOperation() {
  getOperation()->walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case<LoadOp, simt::VectorLoadOp>([](auto load) { lowerLoad(load); })
        .Case<StoreOp, simt::VectorStoreOp>([](auto store) { lowerStore(store); })
        .Case([](simt::CopyAsyncOp copy) { lowerCopy(copy); })
        .Case([&](AtomicOp atomic) { lowerAtomic(atomic, sharesTiles); })
        .Case([](AssumeOp assume) { assume.erase(); });
  });
}
