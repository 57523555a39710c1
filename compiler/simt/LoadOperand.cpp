//===- LoadOperand.cpp - What a warp reads of an operand ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A thread's registers of an operand come from shared memory in one of two ways: by
// simt.load_matrix, which gives a register of up to four instructions' operands at once,
// or in runs of elements that are neighbours in the layout and in memory, of one element
// where there are no such. Where the thread has them already, as a former product left
// them or a loop nest made them, they are taken from there. Beyond the tile an operand is
// zero along K; what is read there in the other direction makes results that are dropped.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/LoadOperand.h"

#include "compiler/analysis/Alignment.h"
#include "dialects/simt/Simt.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

/// Rows of a matrix of simt.load_matrix, bytes of a row, and bytes that a lane gets.
static constexpr int64_t kMatrixRows = 8, kMatrixRowBytes = 16, kRegisterBytes = 4;
/// The widest access to shared memory.
static constexpr int64_t kAccessBytes = 16;

static Value constant(OpBuilder &builder, Location loc, int64_t value) {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

static Value add(OpBuilder &builder, Location loc, Value a, int64_t b) {
  return b ? Value(arith::AddIOp::create(builder, loc, a, constant(builder, loc, b))) : a;
}

static Value multiply(OpBuilder &builder, Location loc, Value a, int64_t b) {
  return arith::MulIOp::create(builder, loc, a, constant(builder, loc, b));
}

OperandLoader::OperandLoader(OpBuilder &builder, GemmOp gemm, AtomRole role,
                             const Tiling &tiling, const ThreadPlace &place)
    : loc(gemm.getLoc()), atom(gemm), layout(atom.getLayout(role)),
      shape(atom.getShape()), lane(place.lane),
      index(builder, loc, layout, place.lane, place.warp) {
  bool isA = role == AtomRole::A;
  bool transposed = isA ? gemm.getTransposeA() : gemm.getTransposeB();
  memref = isA ? gemm.getA() : gemm.getB();
  element = atom.getElementType(role);
  auto own = dyn_cast<FloatType>(cast<MemRefType>(memref.getType()).getElementType());
  isNarrow = own && own.getWidth() < element.getIntOrFloatBitWidth() &&
             !isa<FloatTF32Type>(element);
  size = isA ? shape.m : shape.n;
  count = isA ? tiling.m : tiling.n;
  warps = isA ? tiling.warpsM : tiling.warpsN;
  extent = isA ? gemm.getM() : gemm.getN();
  depth = gemm.getK();
  alongK = isA ? 1 : 0;
  isKFirst = isA == transposed;
  isInnermostK = !isKFirst;
  interleaves = isA ? tiling.interleavesM : tiling.interleavesN;
  registers = layout.getExtent(FactorKind::Vector);
  IndexBounds bounds(gemm->getParentOfType<func::FuncOp>());
  alignment = getOffsetAlignment(memref, bounds, kAccessBytes);
  // Warps along M are the outer digit of the warp's number, those along N the inner one.
  Value warp, warpsN = constant(builder, loc, tiling.warpsN);
  if (isA)
    warp = arith::DivUIOp::create(builder, loc, place.warp, warpsN);
  else
    warp = arith::RemUIOp::create(builder, loc, place.warp, warpsN);
  origin = multiply(builder, loc, warp, size);
  if (Operation *alloc = memref.getDefiningOp())
    if (auto own = alloc->getAttrOfType<LayoutAttr>(dealtAttrName))
      held = matchOperand(own, gemm, role, place.warps);
}

//===----------------------------------------------------------------------===//
// From registers
//===----------------------------------------------------------------------===//

SmallVector<SmallVector<Value>> OperandLoader::loadHeld(OpBuilder &builder, Value k) {
  int64_t steps = depth / shape.k, first = *getConstantIntValue(k) / shape.k;
  auto type =
      VectorType::get({registers}, cast<MemRefType>(memref.getType()).getElementType());
  SmallVector<SmallVector<Value>> operands(group);
  for (int64_t step = 0; step < group; ++step)
    for (int64_t number = 0; number < count; ++number) {
      SmallVector<Value> elements;
      for (int64_t reg = 0; reg < registers; ++reg) {
        int64_t place = (number * steps + first + step) * registers + reg;
        Value own = constant(builder, loc, held->registers[place]);
        elements.push_back(memref::LoadOp::create(builder, loc, memref, ValueRange{own}));
      }
      operands[step].push_back(
          vector::FromElementsOp::create(builder, loc, type, elements));
    }
  return operands;
}

/// Of the `number`-th rows or columns, where register `reg` is beyond the warp's first
/// and the lane's.
int64_t OperandLoader::rowOffset(int64_t number, int64_t reg) const {
  return number * warps * size + index.getOffset(1 - alongK, reg);
}

//===----------------------------------------------------------------------===//
// By matrices
//===----------------------------------------------------------------------===//

bool OperandLoader::canReadMatrices() const {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t bytes = type.getElementTypeBitWidth() / 8;
  return atom.readsMatrices() && !isNarrow && getSpace(type) == Space::Shared &&
         depth % shape.k == 0 && (isInnermostK || bytes == 2) && strides.back() == 1 &&
         strides.front() * bytes % kMatrixRowBytes == 0 &&
         alignment * bytes % kMatrixRowBytes == 0 &&
         extent * bytes % (isInnermostK ? 1 : kMatrixRowBytes) == 0 && bytes > 0;
}

SmallVector<Value> OperandLoader::loadMatrices(OpBuilder &builder, Value k) {
  auto type = cast<MemRefType>(memref.getType());
  int64_t pack = kRegisterBytes * 8 / type.getElementTypeBitWidth();
  int64_t words = registers / pack, total = count * words;
  // Where matrix `i` begins, beyond the warp's origin and the step's.
  auto rowAt = [&](int64_t i) { return rowOffset(i / words, i % words * pack); };
  auto depthAt = [&](int64_t i) { return index.getOffset(alongK, i % words * pack); };
  // Eight lanes after the other give the addresses of the rows of a matrix.
  Value row = arith::RemUIOp::create(builder, loc, lane, constant(builder, loc, 8));
  Value second = arith::RemUIOp::create(
      builder, loc, arith::DivUIOp::create(builder, loc, lane, constant(builder, loc, 8)),
      constant(builder, loc, 2));
  Value upper = arith::DivUIOp::create(builder, loc, lane, constant(builder, loc, 16));

  SmallVector<Value> registersOf;
  for (int64_t i = 0; i < total;) {
    int64_t together = total - i >= 4 ? 4 : total - i >= 2 ? 2 : 1;
    // How far apart the matrices are, as a function of two binary digits.
    auto isRegular = [&](auto at) { return at(i + 3) - at(i + 2) == at(i + 1) - at(i); };
    if (together == 4 && !(isRegular(rowAt) && isRegular(depthAt)))
      together = 2;
    // The constant comes last, so that addresses that differ by it share the rest.
    auto place = [&](Value base, auto at, bool isConsecutive) {
      if (together >= 2 && at(i + 1) != at(i))
        base = arith::AddIOp::create(builder, loc, base,
                                     multiply(builder, loc, second, at(i + 1) - at(i)));
      if (together == 4 && at(i + 2) != at(i))
        base = arith::AddIOp::create(builder, loc, base,
                                     multiply(builder, loc, upper, at(i + 2) - at(i)));
      if (isConsecutive)
        base = arith::AddIOp::create(builder, loc, base, row);
      return add(builder, loc, base, at(i));
    };
    Value outer = place(origin, rowAt, isInnermostK);
    Value inner = place(k, depthAt, !isInnermostK);
    if (count * warps * size != extent) // what is beyond the tile is dropped in the end
      outer = arith::MinUIOp::create(
          builder, loc, outer,
          constant(builder, loc, extent - (isInnermostK ? 1 : kMatrixRows)));
    SmallVector<Value> at{outer, inner};
    if (isKFirst)
      std::swap(at[0], at[1]);
    Value loaded = simt::LoadMatrixOp::create(
        builder, loc, VectorType::get({together}, builder.getI32Type()), memref, at,
        /*transpose=*/!isInnermostK);
    for (int64_t j = 0; j < together; ++j)
      registersOf.push_back(vector::ExtractOp::create(builder, loc, loaded, j));
    i += together;
  }
  SmallVector<Value> operands;
  for (int64_t number = 0; number < count; ++number) {
    Value packed = vector::FromElementsOp::create(
        builder, loc, VectorType::get({words}, builder.getI32Type()),
        ArrayRef(registersOf).slice(number * words, words));
    operands.push_back(vector::BitCastOp::create(
        builder, loc, VectorType::get({registers}, type.getElementType()), packed));
  }
  return operands;
}

//===----------------------------------------------------------------------===//
// By runs
//===----------------------------------------------------------------------===//

/// How many registers from each multiple of that number on are neighbours in memory.
int64_t OperandLoader::getRun() const {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t innermost = isInnermostK ? alongK : 1 - alongK;
  ArrayRef<Factor> factors = layout.getDim(innermost);
  if (strides.back() != 1 || factors.empty())
    return 1;
  const Factor &inner = factors.back();
  int64_t run = inner.kind == FactorKind::Vector && inner.stride == 1 ? inner.extent : 1;
  if (isInnermostK)
    run *= group;
  // The other operand, whose elements may be narrower, has a say in the group.
  run = std::gcd(run, kAccessBytes * 8 / type.getElementTypeBitWidth());
  run = std::gcd(run, alignment);
  bool isAligned =
      strides.front() % run == 0 && (isInnermostK ? depth : extent) % run == 0;
  return isAligned ? run : 1;
}

/// The run from (`outer`, `k`) on, or zeros where that is beyond the tile.
Value OperandLoader::loadRun(OpBuilder &builder, Value outer, Value k, int64_t run) {
  Value inside;
  auto guard = [&](Value at, int64_t limit) {
    Value below = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, at,
                                        constant(builder, loc, limit));
    inside = inside ? Value(arith::AndIOp::create(builder, loc, inside, below)) : below;
  };
  if (count * warps * size != extent)
    guard(outer, extent);
  if (depth % shape.k != 0)
    guard(k, depth);
  SmallVector<Value> at{outer, k};
  if (isKFirst)
    std::swap(at[0], at[1]);
  // Outside, the first elements are read and dropped.
  if (inside)
    for (Value &position : at)
      position = arith::SelectOp::create(builder, loc, inside, position,
                                         constant(builder, loc, 0));
  Type element = cast<MemRefType>(memref.getType()).getElementType();
  Value loaded;
  if (run == 1)
    loaded = memref::LoadOp::create(builder, loc, memref, at);
  else
    loaded = vector::LoadOp::create(
        builder, loc, VectorType::get({run}, element), memref, at,
        /*nontemporal=*/false, llvm::Align(run * element.getIntOrFloatBitWidth() / 8));
  if (!inside)
    return loaded;
  Value zero = arith::ConstantOp::create(builder, loc, zeroBits(loaded.getType()));
  return arith::SelectOp::create(builder, loc, inside, loaded, zero);
}

SmallVector<Value> OperandLoader::loadRuns(OpBuilder &builder, Value k, int64_t number) {
  int64_t run = getRun(), total = group * registers;
  Value first = add(builder, loc, origin, number * warps * size);
  // A lane's place along K, in runs that are as much longer as steps are together.
  Value lanePlace = index.get(builder, loc, alongK, 0);
  if (group > 1)
    lanePlace = multiply(builder, loc, lanePlace, group);
  lanePlace = arith::AddIOp::create(builder, loc, k, lanePlace);
  SmallVector<Value> elements;
  for (int64_t reg = 0; reg < total; reg += run) {
    int64_t own = group > 1 ? 0 : reg;
    Value outer = arith::AddIOp::create(builder, loc, first,
                                        index.get(builder, loc, 1 - alongK, own));
    Value inner =
        add(builder, loc, lanePlace, group > 1 ? reg : index.getOffset(alongK, reg));
    Value loaded = loadRun(builder, outer, inner, run);
    if (run == total && run > 1 && group == 1)
      return {loaded};
    if (run == 1)
      elements.push_back(loaded);
    else
      for (int64_t i = 0; i < run; ++i)
        elements.push_back(vector::ExtractOp::create(builder, loc, loaded, i));
  }
  auto type = VectorType::get({registers}, elements.front().getType());
  SmallVector<Value> operands;
  for (int64_t step = 0; step < group; ++step)
    operands.push_back(vector::FromElementsOp::create(
        builder, loc, type, ArrayRef(elements).slice(step * registers, registers)));
  return operands;
}

/// Of each position along K a lane reads the neighbours that its instructions take, and
/// deals them out to these.
SmallVector<SmallVector<Value>> OperandLoader::loadInterleaved(OpBuilder &builder,
                                                               Value k) {
  auto type = cast<MemRefType>(memref.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t run = std::gcd(count, kAccessBytes * 8 / type.getElementTypeBitWidth());
  if (strides.back() != 1)
    run = 1;
  run = std::gcd(std::gcd(run, alignment), std::gcd(strides.front(), extent));
  Value lanePlace = index.get(builder, loc, alongK, 0);
  if (group > 1)
    lanePlace = multiply(builder, loc, lanePlace, group);
  lanePlace = arith::AddIOp::create(builder, loc, k, lanePlace);
  SmallVector<SmallVector<Value>> elements(count); // of each instruction
  for (int64_t reg = 0; reg < group * registers; ++reg) {
    int64_t own = group > 1 ? 0 : reg;
    Value first = arith::AddIOp::create(builder, loc, origin,
                                        index.get(builder, loc, 1 - alongK, own));
    first = multiply(builder, loc, first, count);
    Value inner =
        add(builder, loc, lanePlace, group > 1 ? reg : index.getOffset(alongK, reg));
    for (int64_t number = 0; number < count; number += run) {
      Value loaded = loadRun(builder, add(builder, loc, first, number), inner, run);
      for (int64_t i = 0; i < run; ++i)
        elements[number + i].push_back(
            run == 1 ? loaded : vector::ExtractOp::create(builder, loc, loaded, i));
    }
  }
  auto vector = VectorType::get({registers}, type.getElementType());
  SmallVector<SmallVector<Value>> steps(group);
  for (int64_t step = 0; step < group; ++step)
    for (ArrayRef<Value> own : elements)
      steps[step].push_back(vector::FromElementsOp::create(
          builder, loc, vector, own.slice(step * registers, registers)));
  return steps;
}

SmallVector<SmallVector<Value>> OperandLoader::loadAsStored(OpBuilder &builder, Value k) {
  if (held)
    return loadHeld(builder, k);
  if (canReadMatrices())
    return {loadMatrices(builder, k)};
  if (interleaves)
    return loadInterleaved(builder, k);
  SmallVector<SmallVector<Value>> steps(group);
  for (int64_t number = 0; number < count; ++number)
    for (auto [step, operands] : llvm::zip(steps, loadRuns(builder, k, number)))
      step.push_back(operands);
  return steps;
}

SmallVector<SmallVector<Value>> OperandLoader::load(OpBuilder &builder, Value k) {
  SmallVector<SmallVector<Value>> steps = loadAsStored(builder, k);
  if (isNarrow)
    for (SmallVector<Value> &operands : steps)
      for (Value &operand : operands)
        operand = CastOp::create(builder, loc, VectorType::get({registers}, element),
                                 operand, /*unsignedSource=*/false,
                                 /*unsignedResult=*/false, /*keepInfinity=*/false);
  return steps;
}
