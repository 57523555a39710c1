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

static void storeElement(OpBuilder &b, simt::VectorStoreOp op) {
  vector::StoreOp::create(b, op.getLoc(), op.getValue(), op.getMemref(), op.getIndices(),
                          /*nontemporal=*/false,
                          getAlignment(cast<VectorType>(op.getValue().getType())));
}

static void lowerLoad(LoadOp op) {
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

/// The guard of what reads neighbours is an operand of it.
template <typename Access> static void lowerGuard(Access op) {
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

/// The address of the element that an atomic updates, as an integer.
static Value emitAddress(OpBuilder &b, AtomicOp op) {
  Location loc = op.getLoc();
  auto layout = memref::ExtractStridedMetadataOp::create(b, loc, op.getMemref());
  Value position = layout.getOffset();
  for (auto [index, stride] : llvm::zip_equal(op.getIndices(), layout.getStrides()))
    position = arith::AddIOp::create(b, loc, position,
                                     arith::MulIOp::create(b, loc, index, stride));
  // In a tile, elements of 4 bits have a byte each.
  int64_t width = op.getValue().getType().getIntOrFloatBitWidth();
  Value bytes = arith::ConstantIndexOp::create(b, loc, llvm::divideCeil(width, 8));
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, op.getMemref());
  address = arith::AddIOp::create(b, loc, address,
                                  arith::MulIOp::create(b, loc, position, bytes));
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
}

namespace {
/// The bits that an update exchanges: an element's, or those of a word that has it.
struct Exchanged {
  Value address;
  IntegerType type;
  /// How far the element is from the word's low end; null where there is nothing else.
  Value shift;

  Value extract(OpBuilder &b, Location loc, Value bits, Type element) const {
    Type narrow = b.getIntegerType(element.getIntOrFloatBitWidth());
    if (shift)
      bits = arith::TruncIOp::create(b, loc, narrow,
                                     arith::ShRUIOp::create(b, loc, bits, shift));
    return isa<IntegerType>(element) ? bits
                                     : arith::BitcastOp::create(b, loc, element, bits);
  }
  /// `former` with another element.
  Value insert(OpBuilder &b, Location loc, Value former, Value element) const {
    unsigned width = element.getType().getIntOrFloatBitWidth();
    if (!isa<IntegerType>(element.getType()))
      element = arith::BitcastOp::create(b, loc, b.getIntegerType(width), element);
    if (!shift)
      return element;
    Value ones = arith::ConstantIntOp::create(b, loc, type, (int64_t(1) << width) - 1);
    Value all = arith::ConstantIntOp::create(b, loc, type, -1);
    Value mask = arith::ShLIOp::create(b, loc, ones, shift);
    Value others =
        arith::AndIOp::create(b, loc, former, arith::XOrIOp::create(b, loc, mask, all));
    Value wide = arith::ExtUIOp::create(b, loc, type, element);
    return arith::OrIOp::create(b, loc, others,
                                arith::ShLIOp::create(b, loc, wide, shift));
  }
};
} // namespace

static Exchanged findExchanged(OpBuilder &b, AtomicOp op, bool sharesTiles) {
  Location loc = op.getLoc();
  unsigned width = op.getValue().getType().getIntOrFloatBitWidth();
  unsigned space = sharesTiles ? getDeviceAddressSpace(getSpace(op.getMemref())) : 0;
  Exchanged exchanged{emitAddress(b, op), b.getIntegerType(width), Value()};
  // Devices update words. LLVM would make that of a narrower update too, but may begin it
  // with a read that is not atomic.
  if (sharesTiles && width < 32) {
    Value three = arith::ConstantIntOp::create(b, loc, b.getI64Type(), 3);
    Value bytes = arith::AndIOp::create(b, loc, exchanged.address, three);
    exchanged.address = arith::SubIOp::create(b, loc, exchanged.address, bytes);
    exchanged.type = b.getI32Type();
    exchanged.shift = arith::TruncIOp::create(
        b, loc, exchanged.type, arith::ShLIOp::create(b, loc, bytes, three));
  }
  exchanged.address = LLVM::IntToPtrOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext(), space), exchanged.address);
  return exchanged;
}

/// An update by compare and exchange, for elements that there is no atomic arithmetic on.
/// Gives the former element.
static Value emitExchangeLoop(OpBuilder &b, AtomicOp op, bool sharesTiles) {
  Location loc = op.getLoc();
  Type type = op.getValue().getType();
  Exchanged exchanged = findExchanged(b, op, sharesTiles);
  Value first = LLVM::LoadOp::create(b, loc, exchanged.type, exchanged.address);
  auto attempt = [&](OpBuilder &inside, Location, ValueRange former) {
    Value element = exchanged.extract(inside, loc, former[0], type);
    Value updated =
        exchanged.insert(inside, loc, former[0], combine(inside, op, element));
    Value exchange = LLVM::AtomicCmpXchgOp::create(
        inside, loc, exchanged.address, former[0], updated, LLVM::AtomicOrdering::acq_rel,
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
  auto loop =
      scf::WhileOp::create(b, loc, TypeRange(exchanged.type), first, attempt, again);
  return exchanged.extract(b, loc, loop.getResult(0), type);
}

static bool isBitwise(Combiner combiner) {
  return combiner == Combiner::BitAnd || combiner == Combiner::BitOr ||
         combiner == Combiner::BitXor;
}

/// A bitwise update as one of the whole word, whose other bits it leaves as they are.
static Value emitBitwise(OpBuilder &b, AtomicOp op) {
  Location loc = op.getLoc();
  bool isAnd = op.getCombiner() == Combiner::BitAnd;
  auto kind = isAnd                                 ? LLVM::AtomicBinOp::_and
              : op.getCombiner() == Combiner::BitOr ? LLVM::AtomicBinOp::_or
                                                    : LLVM::AtomicBinOp::_xor;
  Exchanged exchanged = findExchanged(b, op, /*sharesTiles=*/true);
  Value others = arith::ConstantIntOp::create(b, loc, exchanged.type, isAnd ? -1 : 0);
  Value word = exchanged.insert(b, loc, others, op.getValue());
  Value former = LLVM::AtomicRMWOp::create(b, loc, kind, exchanged.address, word,
                                           LLVM::AtomicOrdering::acq_rel);
  return exchanged.extract(b, loc, former, op.getValue().getType());
}

/// Whether there is an atomic operation of LLVM's for it that is one on the target.
static bool isNative(AtomicOp op, bool sharesTiles) {
  Type type = op.getValue().getType();
  unsigned width = type.getIntOrFloatBitWidth();
  bool isFloat = isa<FloatType>(type), isSum = op.getCombiner() == Combiner::Sum;
  if (type.isBF16() || (isFloat && width < 16))
    return false;
  if (!sharesTiles)
    return true;
  // On a device LLVM makes loops of the others.
  return isFloat ? isSum : width >= 32;
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
    if (isNative(op, sharesTiles))
      return memref::AtomicRMWOp::create(b, loc, atomicKind(op), op.getValue(),
                                         op.getMemref(), op.getIndices());
    if (isBitwise(op.getCombiner()))
      return emitBitwise(b, op);
    return emitExchangeLoop(b, op, sharesTiles);
  };
  op.replaceAllUsesWith(emitGuarded(builder, loc, guard, type, emit));
  op.erase();
}

void LowerAccessPass::runOnOperation() {
  getOperation()->walk([&](Operation *op) {
    llvm::TypeSwitch<Operation *>(op)
        .Case([](LoadOp load) { lowerLoad(load); })
        .Case<StoreOp, simt::VectorStoreOp>([](auto store) { lowerStore(store); })
        .Case<simt::VectorLoadOp, simt::CopyAsyncOp>(
            [](auto access) { lowerGuard(access); })
        .Case([&](AtomicOp atomic) { lowerAtomic(atomic, sharesTiles); })
        .Case([](AssumeOp assume) { assume.erase(); });
  });
}
