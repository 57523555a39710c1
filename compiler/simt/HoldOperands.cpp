//===- HoldOperands.cpp - Operands that stay in registers -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   fill %q                                fill %q
//   tile.pipelined {                       %h = tile.alloc in fragment
//     tile.gemm %q, %k into %s         ->  %h = %q
//   }                                      tile.pipelined {
//                                            tile.gemm %h, %k into %s
//                                          }
//
// What each thread needs of %q is read once, and the memory of %q is free for the loop's
// own tiles: where shared memory says how many blocks are live, that is what counts.
//
//===----------------------------------------------------------------------===//

#include "compiler/simt/HoldOperands.h"

#include "compiler/analysis/Memory.h"
#include "compiler/simt/GemmLayout.h"
#include "compiler/transforms/ExpandBuilder.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::simt;
using namespace tilewright::tile;

namespace {
/// An operand that may be held.
struct Held {
  GemmOp gemm;
  AtomRole role;
  AllocOp tile;
};
} // namespace

static Value getOperand(GemmOp gemm, AtomRole role) {
  return role == AtomRole::A ? gemm.getA() : gemm.getB();
}

/// Whether instructions divide the product: beyond it a fragment is not zero.
static bool isWhole(GemmOp gemm, int64_t warps) {
  AtomShape shape = OrientedAtom(gemm).getShape();
  Tiling tiling = getTiling(gemm, warps);
  return tiling.m * tiling.warpsM * shape.m == gemm.getM() &&
         tiling.n * tiling.warpsN * shape.n == gemm.getN() && gemm.getK() % shape.k == 0;
}

static std::optional<Held> findHeld(PipelinedOp loop, GemmOp gemm, AtomRole role,
                                    int64_t warps) {
  Value operand = getOperand(gemm, role);
  AtomRole otherRole = role == AtomRole::A ? AtomRole::B : AtomRole::A;
  auto tile = operand.getDefiningOp<AllocOp>();
  auto type = cast<MemRefType>(operand.getType());
  bool isShared = tile && getSpace(operand) == Space::Shared &&
                  getSpace(getOperand(gemm, otherRole)) == Space::Shared &&
                  getOperand(gemm, otherRole) != operand;
  if (!isShared || !gemm.getAtom() || loop->isAncestor(tile) || mayWrite(loop, operand) ||
      OrientedAtom(gemm).getElementType(role) != type.getElementType() ||
      !isWhole(gemm, warps))
    return std::nullopt;
  return Held{gemm, role, tile};
}

static int64_t getBytes(Held held, int64_t warps) {
  auto type = cast<MemRefType>(getOperand(held.gemm, held.role).getType());
  LayoutAttr layout = getOperandLayout(held.gemm, held.role, warps);
  return layout.getExtent(FactorKind::Vector) * type.getElementTypeBitWidth() / 8;
}

static AllocOp hold(PipelinedOp loop, Held held) {
  ExpandBuilder b(loop);
  Value tile = held.tile.getResult();
  auto type = cast<MemRefType>(tile.getType());
  auto local =
      MemRefType::get(type.getShape(), type.getElementType(), MemRefLayoutAttrInterface(),
                      SpaceAttr::get(b.getContext(), Space::Fragment));
  auto fragment =
      AllocOp::create(b, loop.getLoc(), local, held.tile.getNameAttr(), IntegerAttr());
  b.parallel(type.getShape(), [&](ArrayRef<Value> at) {
    b.store(b.load(tile, at), fragment.getResult(), at);
  });
  (held.role == AtomRole::A ? held.gemm.getAMutable() : held.gemm.getBMutable())
      .assign(fragment.getResult());
  return fragment;
}

SmallVector<AllocOp> simt::holdOperands(KernelOp kernel, int64_t warps, int64_t bytes) {
  SmallVector<AllocOp> fragments;
  kernel->walk([&](PipelinedOp loop) {
    int64_t left = bytes;
    loop->walk([&](GemmOp gemm) {
      for (AtomRole role : {AtomRole::A, AtomRole::B}) {
        std::optional<Held> held = findHeld(loop, gemm, role, warps);
        if (!held || getBytes(*held, warps) > left)
          continue;
        left -= getBytes(*held, warps);
        fragments.push_back(hold(loop, *held));
      }
    });
  });
  return fragments;
}
