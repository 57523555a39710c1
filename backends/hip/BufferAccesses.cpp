//===- BufferAccesses.cpp - Guarded accesses through buffers ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An instruction on a buffer adds 32 bits of a thread to the base of a descriptor, and
// compares them with its size: what is outside is read as zero and not written. So a
// guard is a number, and needs neither a branch nor another address of 64 bits.
//
//   x[by * 128 + r, k * 32 + c]    where x has n rows of 1000 f16
//
//   base      x + by * 128 * 2000                             of the block
//   size      min(max(n - by * 128, 0), 2^31 / 2000) * 2000   of the block
//   offset    k * 32 + c < 1000 ? r * 2000 + (k * 32 + c) * 2 : 2^31
//
// Rows behind the last one are past the size: their guard costs nothing. A column past
// the end would be one of the next row, so that its guard chooses an offset that no
// buffer has.
//
// Tensors are of any size: the base has 64 bits, the size is no greater than 2^31, and
// so far from the base each offset is shown to stay.
//
//===----------------------------------------------------------------------===//

#include "backends/hip/BufferPlan.h"
#include "backends/hip/Passes.h"
#include "compiler/analysis/IndexBounds.h"
#include "compiler/analysis/Memory.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "llvm/ADT/DenseSet.h"

namespace tilewright::hip {
#define GEN_PASS_DEF_BUFFERACCESSES
#include "backends/hip/Passes.h.inc"
} // namespace tilewright::hip

using namespace mlir;
using namespace tilewright;
using namespace tilewright::hip;
using namespace tilewright::tile;

/// An offset that no buffer has. With what an instruction adds, it is still below 2^32.
static constexpr int32_t kOutside = INT32_MIN;

/// The last word of gfx9's descriptors: elements of 32 bits. Loads of bytes heed no
/// format, but without one a descriptor is of no buffer.
static constexpr int32_t kDescriptorFlags = 7 << 12 | 4 << 15;

static constexpr int64_t kWidestBytes = 16;

namespace {
struct BufferAccessesPass
    : tilewright::hip::impl::BufferAccessesBase<BufferAccessesPass> {
  void runOnOperation() override;
};
} // namespace

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

namespace {
/// Emits what accesses a buffer.
class BufferEmitter {
public:
  BufferEmitter(const GuardedAccess &access, const BufferPlan &plan, IndexBounds &bounds)
      : access(access), plan(plan), bounds(bounds), b(access.op),
        loc(access.op->getLoc()) {}

  void emit();

private:
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  Value word(int64_t value) {
    return arith::ConstantIntOp::create(b, loc, b.getI32Type(), value);
  }
  Value emitGuard(size_t dim);
  Value emitBase(ArrayRef<IndexTerm> terms, int64_t constant);
  Value emitAddress();
  Value emitRecords();
  Value emitDescriptor();
  void addTo(Value &offset, ArrayRef<IndexTerm> terms, int64_t stride);
  Value choose(Value offset, bool ofLoop);
  Value emitOffset();
  Value emitLoad(Value descriptor, Value offset);
  void emitStore(Value descriptor, Value offset);

  const GuardedAccess &access;
  const BufferPlan &plan;
  IndexBounds &bounds;
  OpBuilder b;
  Location loc;
};
} // namespace

/// Whether the index is inside. As an unsigned number, a negative one is too large too.
Value BufferEmitter::emitGuard(size_t dim) {
  Value at = access.indices[dim];
  Value extent = b.createOrFold<memref::DimOp>(loc, access.memref, dim);
  const IndexParts &parts = plan.parts[dim];
  std::optional<int64_t> known = getConstantIntValue(extent);
  // One instruction compares 32 bits where both are known to have no more.
  if (known && *known <= INT32_MAX && !parts.hasBase() && parts.isNonNegative &&
      parts.bound && *parts.bound <= INT32_MAX) {
    at = arith::IndexCastOp::create(b, loc, b.getI32Type(), at);
    extent = word(*known);
  }
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, at, extent);
}

/// The sum of what a block has in common.
Value BufferEmitter::emitBase(ArrayRef<IndexTerm> terms, int64_t constant) {
  Value sum;
  for (auto [value, factor] : terms) {
    Value part = value;
    if (!part.getType().isIndex())
      part = arith::IndexCastOp::create(b, loc, b.getIndexType(), part);
    if (factor != 1)
      part = arith::MulIOp::create(b, loc, part, index(factor));
    sum = sum ? Value(arith::AddIOp::create(b, loc, sum, part)) : part;
  }
  if (constant || !sum)
    sum = sum ? Value(arith::AddIOp::create(b, loc, sum, index(constant)))
              : index(constant);
  return sum;
}

Value BufferEmitter::emitAddress() {
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, access.memref);
  Value bytes = index(access.elementBytes());
  auto advance = [&](Value elements) {
    Value distance = arith::MulIOp::create(b, loc, elements, bytes);
    address = arith::AddIOp::create(b, loc, address, distance);
  };
  auto [strides, offset] = access.memrefType().getStridesAndOffset();
  memref::ExtractStridedMetadataOp layout;
  auto getLayout = [&] {
    if (!layout)
      layout = memref::ExtractStridedMetadataOp::create(b, loc, access.memref);
    return layout;
  };
  if (ShapedType::isDynamic(offset))
    advance(getLayout().getOffset());
  else if (offset != 0)
    advance(index(offset));
  for (auto [dim, parts] : llvm::enumerate(plan.parts)) {
    if (!parts.hasBase())
      continue;
    Value stride = ShapedType::isDynamic(strides[dim]) ? getLayout().getStrides()[dim]
                                                       : index(strides[dim]);
    Value base = emitBase(parts.base, parts.baseConstant);
    advance(arith::MulIOp::create(b, loc, base, stride));
  }
  Value bits = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  Type pointer =
      LLVM::LLVMPointerType::get(b.getContext(), getDeviceAddressSpace(Space::Global));
  return LLVM::IntToPtrOp::create(b, loc, pointer, bits);
}

/// The bytes of the buffer.
Value BufferEmitter::emitRecords() {
  Value records = index(mostBufferBytes);
  if (plan.bounded) {
    size_t dim = *plan.bounded;
    int64_t row = plan.strides[dim] * access.elementBytes(), most = mostBufferBytes / row;
    const IndexParts &parts = plan.parts[dim];
    int64_t extent = access.memrefType().getDimSize(dim);
    if (!parts.hasBase() && !ShapedType::isDynamic(extent)) {
      records = index(std::min(extent, most) * row);
    } else {
      Value rows = memref::DimOp::create(b, loc, access.memref, dim);
      if (parts.hasBase())
        rows =
            arith::SubIOp::create(b, loc, rows, emitBase(parts.base, parts.baseConstant));
      rows = arith::MaxSIOp::create(b, loc, rows, index(0));
      rows = arith::MinSIOp::create(b, loc, rows, index(most));
      records = arith::MulIOp::create(b, loc, rows, index(row));
    }
  }
  for (size_t dim : plan.guardedForAll)
    records = arith::SelectOp::create(b, loc, emitGuard(dim), records, index(0));
  return arith::IndexCastOp::create(b, loc, b.getI64Type(), records);
}

/// As far out as its operands are known.
Value BufferEmitter::emitDescriptor() {
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Value> operands = {access.memref};
  for (const IndexParts &parts : plan.parts)
    for (auto [value, factor] : parts.base)
      operands.push_back(value);
  for (size_t dim : plan.guardedForAll)
    operands.push_back(access.indices[dim]);
  for (Operation *outer = access.op->getParentOp(); !isa<KernelOp>(outer);
       outer = outer->getParentOp()) {
    if (llvm::any_of(operands, [&](Value operand) {
          return outer->isAncestor(operand.getParentBlock()->getParentOp());
        }))
      break;
    b.setInsertionPoint(outer);
  }
  Type resource = LLVM::LLVMPointerType::get(b.getContext(), /*buffer resource*/ 8);
  Value stride = arith::ConstantIntOp::create(b, loc, b.getI16Type(), 0);
  Value address = emitAddress();
  return ROCDL::MakeBufferRsrcOp::create(b, loc, resource, address, stride, emitRecords(),
                                         word(kDescriptorFlags));
}

void BufferEmitter::addTo(Value &offset, ArrayRef<IndexTerm> terms, int64_t stride) {
  for (auto [value, factor] : terms) {
    Value part = value;
    if (part.getType() != b.getI32Type())
      part = arith::IndexCastOp::create(
          b, loc, b.getI32Type(),
          part.getType().isIndex()
              ? part
              : arith::IndexCastOp::create(b, loc, b.getIndexType(), part));
    if (factor * stride != 1)
      part = arith::MulIOp::create(b, loc, part, word(factor * stride));
    offset = offset ? Value(arith::AddIOp::create(b, loc, offset, part)) : part;
  }
}

/// `offset`, or one outside where a guard does not hold: of those that depend on loops,
/// or of the others.
Value BufferEmitter::choose(Value offset, bool ofLoop) {
  Value inside;
  auto add = [&](Value guard) {
    inside = inside ? Value(arith::AndIOp::create(b, loc, inside, guard)) : guard;
  };
  for (size_t dim : plan.guarded)
    if (plan.parts[dim].loop.empty() != ofLoop)
      add(emitGuard(dim));
  if (auto load = dyn_cast<simt::VectorLoadOp>(access.op))
    if (load.getInside() && ofLoop)
      add(load.getInside());
  return inside ? Value(arith::SelectOp::create(b, loc, inside, offset, word(kOutside)))
                : offset;
}

/// Guards that do not depend on loops choose what does not either. What loops add leaves
/// an offset outside: it is less than 2^31.
Value BufferEmitter::emitOffset() {
  Value offset;
  int64_t constant = 0;
  for (auto [dim, parts] : llvm::enumerate(plan.parts)) {
    int64_t stride = plan.strides[dim] * access.elementBytes();
    addTo(offset, parts.lane, stride);
    if (parts.constant)
      constant += parts.constant * stride;
  }
  if (constant || !offset)
    offset = offset ? Value(arith::AddIOp::create(b, loc, offset, word(constant)))
                    : word(constant);
  offset = choose(offset, /*ofLoop=*/false);
  for (auto [dim, parts] : llvm::enumerate(plan.parts))
    addTo(offset, parts.loop, plan.strides[dim] * access.elementBytes());
  return choose(offset, /*ofLoop=*/true);
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// What one instruction moves: words of 32 bits, or less than one.
static VectorType getPieceType(OpBuilder &b, int64_t bytes) {
  int64_t piece = std::min(bytes, kWidestBytes), word = std::min<int64_t>(piece, 4);
  return VectorType::get({piece / word}, b.getIntegerType(word * 8));
}

static Value advance(OpBuilder &b, Location loc, Value offset, int64_t bytes) {
  if (bytes == 0)
    return offset;
  Value distance = arith::ConstantIntOp::create(b, loc, b.getI32Type(), bytes);
  return arith::AddIOp::create(b, loc, offset, distance);
}

Value BufferEmitter::emitLoad(Value descriptor, Value offset) {
  VectorType piece = getPieceType(b, access.bytes());
  bool isScalar = piece.getNumElements() == 1;
  Value zero = word(0), all;
  for (int64_t at = 0; at < access.bytes(); at += kWidestBytes) {
    Value moved = ROCDL::RawPtrBufferLoadOp::create(
        b, loc, isScalar ? piece.getElementType() : Type(piece), descriptor,
        advance(b, loc, offset, at), zero, zero, ArrayAttr(), ArrayAttr(), ArrayAttr());
    if (isScalar)
      moved = vector::BroadcastOp::create(b, loc, piece, moved);
    if (all) {
      auto indices = llvm::to_vector(llvm::seq<int64_t>(2 * piece.getNumElements()));
      moved = vector::ShuffleOp::create(b, loc, all, moved, indices);
    }
    all = moved;
  }
  auto type = dyn_cast<VectorType>(access.type);
  Type elements = type ? type : VectorType::get({1}, access.type);
  all = b.createOrFold<vector::BitCastOp>(loc, elements, all);
  return type ? all : vector::ExtractOp::create(b, loc, all, 0);
}

void BufferEmitter::emitStore(Value descriptor, Value offset) {
  VectorType piece = getPieceType(b, access.bytes());
  Value value = access.op->getOperand(0), zero = word(0);
  if (!isa<VectorType>(access.type))
    value = vector::BroadcastOp::create(b, loc, VectorType::get({1}, access.type), value);
  int64_t words = access.bytes() / (piece.getElementTypeBitWidth() / 8);
  value = b.createOrFold<vector::BitCastOp>(
      loc, VectorType::get({words}, piece.getElementType()), value);
  for (int64_t at = 0; at < access.bytes(); at += kWidestBytes) {
    Value moved = value;
    if (words > piece.getNumElements())
      moved = vector::ExtractStridedSliceOp::create(b, loc, value, at / 4,
                                                    piece.getNumElements(), 1);
    else if (words == 1)
      moved = vector::ExtractOp::create(b, loc, value, 0);
    ROCDL::RawPtrBufferStoreOp::create(b, loc, moved, descriptor,
                                       advance(b, loc, offset, at), zero, zero,
                                       ArrayAttr(), ArrayAttr(), ArrayAttr());
  }
}

void BufferEmitter::emit() {
  Value descriptor = emitDescriptor(), offset = emitOffset();
  if (access.isWrite())
    emitStore(descriptor, offset);
  else
    access.op->getResult(0).replaceAllUsesWith(emitLoad(descriptor, offset));
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// Moves what a block has in common out of branches that its threads take apart. Where it
/// is also needed behind them, LLVM would let it come out of the branch in vector
/// registers, and make a loop over all descriptors that the lanes of a wave might have.
static void leaveBranches(KernelOp kernel, IndexSplitter &splitter) {
  kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
    auto branch = dyn_cast<scf::IfOp>(op->getParentOp());
    while (branch && !splitter.isUniform(branch.getCondition()) && isPure(op) &&
           op->getNumRegions() == 0 && !op->hasTrait<OpTrait::IsTerminator>() &&
           llvm::all_of(op->getResults(),
                        [&](Value result) { return splitter.isUniform(result); }) &&
           llvm::none_of(op->getOperands(), [&](Value operand) {
             return branch->isAncestor(operand.getParentBlock()->getParentOp());
           })) {
      op->moveBefore(branch);
      branch = dyn_cast<scf::IfOp>(op->getParentOp());
    }
  });
}

void BufferAccessesPass::runOnOperation() {
  llvm::SmallDenseSet<std::pair<Attribute, Value>> told; // of the turns of a nest once
  IndexBounds bounds(getOperation());
  getOperation().walk([&](KernelOp kernel) {
    SmallVector<GuardedAccess> accesses;
    llvm::SmallDenseMap<Value, int64_t> counts;
    kernel.walk([&](Operation *op) {
      if (std::optional<GuardedAccess> access = GuardedAccess::get(op)) {
        accesses.push_back(*access);
        ++counts[access->memref];
      }
    });
    if (accesses.empty())
      return;
    IndexSplitter splitter(kernel);
    leaveBranches(kernel, splitter);
    BufferPlanner planner(splitter);
    SmallVector<Operation *> replaced;
    for (const GuardedAccess &access : accesses) {
      // What all threads read is read by scalar instructions, which know no buffers.
      if (planner.isUniform(access))
        continue;
      // A descriptor takes more instructions than one guard.
      if (counts[access.memref] == 1 && !access.op->getParentOfType<scf::ForOp>())
        continue;
      auto plan = planner.plan(access);
      if (auto *reason = std::get_if<StringRef>(&plan)) {
        ++numLeft;
        if (told.insert({LocationAttr(access.op->getLoc()), access.memref}).second)
          access.op->emitRemark("guards ")
              << (access.isWrite() ? "what it writes of " : "what it reads of ")
              << describeMemory(access.memref) << " by itself: " << *reason;
        continue;
      }
      BufferEmitter(access, std::get<BufferPlan>(plan), bounds).emit();
      ++numBuffers;
      replaced.push_back(access.op);
    }
    // Not before: what is known of values is known by their names.
    for (Operation *op : replaced)
      op->erase();
  });
}
