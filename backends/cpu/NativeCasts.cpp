//===- NativeCasts.cpp - Conversions that a CPU has instructions for ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// AVX-512 BF16 rounds a register of f32 to bf16 in one instruction, but takes denormals
// for zero and keeps what NaNs carry. Registers that hold either are rare: they take a
// branch with the seven operations on integers that are right for all numbers.
//
// Floats of 8 and 4 bits are widened by tables (TableCasts.cpp).
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/Passes.h"
#include "backends/cpu/TableCasts.h"
#include "dialects/tile/Tile.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace tilewright::cpu {
#define GEN_PASS_DEF_NATIVECASTS
#include "backends/cpu/Passes.h.inc"
} // namespace tilewright::cpu

using namespace mlir;
using tilewright::tile::CastOp;

/// Whether `cast` rounds a register, or half of one, of f32 to bf16.
static bool isNative(CastOp cast) {
  auto from = dyn_cast<VectorType>(cast.getInput().getType());
  auto to = dyn_cast<VectorType>(cast.getResult().getType());
  return from && to && from.getRank() == 1 && from.getElementType().isF32() &&
         to.getElementType().isBF16() &&
         llvm::is_contained({8, 16}, from.getNumElements());
}

static Value call(OpBuilder &b, Location loc, const Twine &name, Type type,
                  ValueRange operands) {
  return LLVM::CallIntrinsicOp::create(b, loc, type, b.getStringAttr(name), operands)
      .getResult(0);
}

static void expand(CastOp op) {
  constexpr int64_t quietNaN = 0x01, denormal = 0x20, signallingNaN = 0x80;
  OpBuilder b(op);
  Location loc = op.getLoc();
  Value x = op.getInput();
  Type result = op.getResult().getType();
  int64_t lanes = cast<VectorType>(result).getNumElements();
  std::string bits = std::to_string(lanes * 32);
  Value classes =
      arith::ConstantIntOp::create(b, loc, quietNaN | denormal | signallingNaN,
                                   /*width=*/32u);
  Value odd = call(b, loc, "llvm.x86.avx512.fpclass.ps." + bits,
                   VectorType::get(lanes, b.getI1Type()), {x, classes});
  odd = LLVM::BitcastOp::create(b, loc, b.getIntegerType(lanes), odd);
  Value none = arith::ConstantIntOp::create(b, loc, 0, static_cast<unsigned>(lanes));
  Value anyOdd = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, odd, none);
  auto branch = scf::IfOp::create(b, loc, result, anyOdd, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, b.clone(*op)->getResults());
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(
      b, loc, call(b, loc, "llvm.x86.avx512bf16.cvtneps2bf16." + bits, result, x));
  op.getResult().replaceAllUsesWith(branch.getResult(0));
  op.erase();
}

namespace {
struct NativeCasts : tilewright::cpu::impl::NativeCastsBase<NativeCasts> {
  using NativeCastsBase::NativeCastsBase;

  void runOnOperation() override {
    SmallVector<CastOp> rounded, widened;
    getOperation()->walk([&](CastOp cast) {
      if (avx512bf16 && isNative(cast))
        rounded.push_back(cast);
      else if (avx512bw && tilewright::cpu::hasTable(cast, avx512vbmi))
        widened.push_back(cast);
    });
    llvm::for_each(rounded, expand);
    llvm::for_each(widened, tilewright::cpu::expandByTable);
  }
};
} // namespace
