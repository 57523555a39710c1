//===- GemmLayout.cpp - How warps share a product -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A small example, two instructions of 32 columns side by side, in each of two warps:
//
//   columns       0-31     32-63    64-95    96-127
//   warp          0        1        0        1         one after the other
//   columns       0, 2, .. 62       64, 66, .. 126
//   warp          0                 1                  interleaved: the first instruction
//   columns       1, 3, .. 63       65, 67, .. 127
//   warp          0                 1                  the second one
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/GemmLayout.h"

#include "llvm/Support/MathExtras.h"

#include "compiler/simt/FragmentLayout.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

AtomRole OrientedAtom::turn(AtomRole role) const {
  if (!swapped || role == AtomRole::C)
    return role;
  return role == AtomRole::A ? AtomRole::B : AtomRole::A;
}

AtomShape OrientedAtom::getShape() const {
  AtomShape shape = atom.getShape();
  if (swapped)
    std::swap(shape.m, shape.n);
  return shape;
}

LayoutAttr OrientedAtom::getLayout(AtomRole role) const {
  LayoutAttr layout = atom.getOperand(turn(role)).layout;
  if (!swapped)
    return layout;
  SmallVector<SmallVector<Factor, 3>> dims;
  for (int64_t dim = layout.getRank(); dim-- > 0;)
    dims.emplace_back(layout.getDim(dim));
  return tile::getLayout(layout.getContext(), dims, layout.getReplicate());
}

Type OrientedAtom::getElementType(AtomRole role) const {
  return atom.getOperand(turn(role)).elementType;
}

FailureOr<Value> OrientedAtom::emit(OpBuilder &builder, Location loc, Value a, Value b,
                                    Value c) const {
  if (swapped)
    std::swap(a, b);
  return atom.emit(builder, loc, {a, b, c});
}

Tiling simt::getTiling(AtomShape shape, int64_t m, int64_t n, int64_t warps,
                       StringRef policy) {
  Tiling best{};
  std::pair<int64_t, int64_t> bestCost{INT64_MAX, INT64_MAX};
  for (int64_t warpsM = 1; warpsM <= warps; ++warpsM) {
    if (warps % warpsM != 0)
      continue;
    int64_t warpsN = warps / warpsM;
    auto count = [](int64_t extent, int64_t size) {
      return static_cast<int64_t>(llvm::divideCeil(extent, size));
    };
    Tiling tiling{warpsM, warpsN, count(m, shape.m * warpsM), count(n, shape.n * warpsN)};
    int64_t second = policy == "full_row"   ? warpsN
                     : policy == "full_col" ? warpsM
                                            // rows and columns that it reads
                                            : tiling.m * shape.m + tiling.n * shape.n;
    std::pair<int64_t, int64_t> cost{tiling.m * tiling.n, second};
    if (cost < bestCost) {
      best = tiling;
      bestCost = cost;
    }
  }
  return best;
}

Tiling simt::getTiling(GemmOp gemm, int64_t warps) {
  OrientedAtom atom(gemm);
  Tiling tiling = getTiling(atom.getShape(), gemm.getM(), gemm.getN(), warps,
                            gemm.getPolicy().value_or(""));
  auto interleaves = [&](Value memref, bool isInnermostK, int64_t count) {
    return !isInnermostK && count > 1 && !atom.readsMatrices() &&
           getSpace(memref) == Space::Shared;
  };
  tiling.interleavesM = interleaves(gemm.getA(), !gemm.getTransposeA(), tiling.m);
  tiling.interleavesN = interleaves(gemm.getB(), gemm.getTransposeB(), tiling.n);
  return tiling;
}

/// The factors of a tile's rows (or columns): `inner` of an instruction, `warp` and those
/// `instructions` that a warp has.
static SmallVector<Factor, 3> combine(ArrayRef<Factor> inner, Factor warp,
                                      Factor instructions, bool interleaves) {
  SmallVector<Factor, 3> factors;
  if (!interleaves)
    factors.push_back(instructions);
  factors.push_back(warp);
  llvm::append_range(factors, inner);
  if (interleaves)
    factors.push_back(instructions);
  return factors;
}

LayoutAttr simt::getAccumulatorLayout(GemmOp gemm, int64_t warps) {
  Tiling tiling = getTiling(gemm, warps);
  LayoutAttr inner = OrientedAtom(gemm).getLayout(AtomRole::C);
  int64_t registers = inner.getExtent(FactorKind::Vector);
  return getLayout(
      gemm.getContext(),
      {combine(inner.getDim(0), {FactorKind::Warp, tiling.warpsM, tiling.warpsN},
               {FactorKind::Vector, tiling.m, registers * tiling.n}, tiling.interleavesM),
       combine(inner.getDim(1), {FactorKind::Warp, tiling.warpsN, 1},
               {FactorKind::Vector, tiling.n, registers}, tiling.interleavesN)});
}

static Value getOperand(GemmOp gemm, AtomRole role) {
  return role == AtomRole::A ? gemm.getA() : gemm.getB();
}

/// Whether K is the memref's last dimension.
static bool isInnermostK(GemmOp gemm, AtomRole role) {
  return role == AtomRole::A ? !gemm.getTransposeA() : gemm.getTransposeB();
}

/// The elements along K that a lane has of an instruction's operand, one after the other,
/// where that is all that it has; else 0.
static int64_t getRunAlongK(LayoutAttr layout, int64_t alongK) {
  int64_t run = 1;
  for (const Factor &factor : layout.getDim(alongK)) {
    if (factor.kind == FactorKind::Lane)
      continue;
    if (factor.kind != FactorKind::Vector || factor.stride != 1)
      return 0;
    run = factor.extent;
  }
  return run == layout.getExtent(FactorKind::Vector) ? run : 0;
}

int64_t simt::getBestGroup(GemmOp gemm, AtomRole role) {
  constexpr int64_t accessBytes = 16;
  OrientedAtom atom(gemm);
  int64_t run = getRunAlongK(atom.getLayout(role), role == AtomRole::A ? 1 : 0);
  auto type = cast<MemRefType>(getOperand(gemm, role).getType());
  auto [strides, offset] = type.getStridesAndOffset();
  int64_t bits = type.getElementTypeBitWidth();
  if (run == 0 || getSpace(type) != Space::Shared || !isInnermostK(gemm, role) ||
      atom.readsMatrices() || bits % 8 != 0 || strides.back() != 1)
    return 1;
  int64_t best = accessBytes * 8 / (run * bits), k = atom.getShape().k;
  while (best > 1 &&
         (gemm.getK() % (best * k) != 0 || strides.front() % (best * run) != 0))
    best /= 2;
  return std::max<int64_t>(best, 1);
}

int64_t simt::getHeldGroup(GemmOp gemm, AtomRole role) {
  AtomRole other = role == AtomRole::A ? AtomRole::B : AtomRole::A;
  LayoutAttr layout = OrientedAtom(gemm).getLayout(role);
  bool isRun = getRunAlongK(layout, role == AtomRole::A ? 1 : 0) != 0;
  return isRun && isInnermostK(gemm, role) ? getBestGroup(gemm, other) : 1;
}

std::optional<HeldOperand> simt::matchOperand(LayoutAttr held, GemmOp gemm, AtomRole role,
                                              int64_t warps) {
  for (int64_t group : {getHeldGroup(gemm, role), int64_t(1)})
    if (auto registers = matchRegisters(held, getOperandLayout(gemm, role, warps, group)))
      return HeldOperand{group, std::move(*registers)};
  return std::nullopt;
}

LayoutAttr simt::getOperandLayout(GemmOp gemm, AtomRole role, int64_t warps,
                                  int64_t group) {
  OrientedAtom atom(gemm);
  Tiling tiling = getTiling(gemm, warps);
  bool isA = role == AtomRole::A;
  LayoutAttr inner = atom.getLayout(role);
  int64_t registers = inner.getExtent(FactorKind::Vector);
  int64_t steps = llvm::divideCeil(gemm.getK(), atom.getShape().k);
  Factor warp{FactorKind::Warp, isA ? tiling.warpsM : tiling.warpsN,
              isA ? tiling.warpsN : 1};
  Factor others{FactorKind::Warp, isA ? tiling.warpsN : tiling.warpsM,
                isA ? 1 : tiling.warpsN};
  int64_t alongK = isA ? 1 : 0;
  SmallVector<SmallVector<Factor, 3>> dims(2);
  dims[alongK] = {{FactorKind::Vector, steps / group, registers * group}};
  llvm::append_range(dims[alongK], inner.getDim(alongK));
  if (group > 1) { // in front of the lane's run
    bool hasRun = dims[alongK].back().kind == FactorKind::Vector;
    dims[alongK].insert(dims[alongK].end() - hasRun,
                        {FactorKind::Vector, group, registers});
  }
  dims[1 - alongK] =
      combine(inner.getDim(1 - alongK), warp,
              {FactorKind::Vector, isA ? tiling.m : tiling.n, registers * steps},
              isA ? tiling.interleavesM : tiling.interleavesN);
  SmallVector<Factor> replicate(inner.getReplicate());
  replicate.push_back(others);
  if (isA ? gemm.getTransposeA() : gemm.getTransposeB())
    std::swap(dims[0], dims[1]);
  return getLayout(gemm.getContext(), dims, replicate);
}
