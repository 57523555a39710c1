//===- ElementForm.cpp - What an element is made of ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/ElementForm.h"

#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;
using namespace tilewright::tile;
using arith::AtomicRMWKind;

/// The value that `carried` has when an iteration begins.
TileForm cpu::getOldForm(AllocOp carried) {
  TileForm form;
  form.kind = TileForm::Linear;
  form.before = 1;
  form.carried = carried;
  llvm::append_range(form.at, llvm::seq<int64_t>(0, carried.getType().getRank()));
  return form;
}

/// Whether a region of a copy is the whole of its tile.
static bool isWhole(Value memref, ArrayRef<int64_t> offsets, ArrayRef<int64_t> sizes) {
  return llvm::all_of(offsets, [](int64_t offset) { return offset == 0; }) &&
         cast<MemRefType>(memref.getType()).getShape() == sizes;
}

TileForm cpu::getCopyForm(CopyOp copy, const TileForm &src) {
  auto from = cast<MemRefType>(copy.getSrc().getType()),
       to = cast<MemRefType>(copy.getDst().getType());
  bool isSame = from.getShape() == to.getShape() &&
                isWhole(copy.getSrc(), copy.getStaticSrcOffsets(), copy.getSrcSizes()) &&
                isWhole(copy.getDst(), copy.getStaticDstOffsets(), copy.getDstSizes());
  if (isSame)
    return convert(src, from.getElementType(), to.getElementType());
  return src.is(TileForm::Free) ? TileForm::free(src.isZero) : TileForm();
}

bool cpu::isMaximum(AtomicRMWKind kind) {
  return kind == AtomicRMWKind::maximumf || kind == AtomicRMWKind::maxnumf ||
         kind == AtomicRMWKind::maxs || kind == AtomicRMWKind::maxu;
}

TileForm cpu::getReducedForm(ReduceOp reduce, const TileForm &src) {
  int64_t along = reduce.getDim();
  bool isDropped = cast<MemRefType>(reduce.getSrc().getType()).getRank() !=
                   cast<MemRefType>(reduce.getDst().getType()).getRank();
  auto withoutDim = [&](int64_t dim) -> std::optional<int64_t> {
    if (dim == along)
      return std::nullopt;
    return isDropped && dim > along ? dim - 1 : dim;
  };
  TileForm form;
  if (src.is(TileForm::Free)) {
    form = TileForm::free();
    auto kind = getExtremum(reduce);
    auto dims = llvm::to_vector<2>(
        llvm::seq<int64_t>(0, cast<MemRefType>(reduce.getSrc().getType()).getRank()));
    // An extremum of a tile's own elements: not of a copy that has them in other places.
    if (!kind || src.origin.along >= 0 || src.origin.at != dims)
      return form;
    form.origin = {src.origin.contents, along, isMaximum(*kind), {}};
    for (int64_t dim : dims)
      if (std::optional<int64_t> left = withoutDim(dim))
        form.origin.at.push_back(*left);
    return form;
  }
  if (!src.is(TileForm::Power) || src.sum || reduce.getCombiner() != Combiner::Sum)
    return {};
  form = replacePlaces<int64_t, int64_t>(src, withoutDim);
  form.hasFree = true;
  return form;
}

TileForm cpu::getProductForm(GemmOp gemm, const TileForm &a, const TileForm &b) {
  // A power is of C's rows in A, and of its columns in B.
  auto asPartOfC = [](const TileForm &form, int64_t dim, int64_t dimOfC) {
    TileForm part = replacePlaces<int64_t, int64_t>(form, [&](int64_t at) {
      return at == dim ? std::optional(dimOfC) : std::nullopt;
    });
    part.hasFree = true;
    return part;
  };
  bool isFreeA = a.is(TileForm::Free), isFreeB = b.is(TileForm::Free);
  if (isFreeA && isFreeB)
    return TileForm::free();
  if (isFreeB && a.is(TileForm::Power) && !a.sum)
    return asPartOfC(a, gemm.getTransposeA() ? 1 : 0, 0);
  if (isFreeA && b.is(TileForm::Power) && !b.sum)
    return asPartOfC(b, gemm.getTransposeB() ? 0 : 1, 1);
  return {};
}

static std::optional<AtomicRMWKind> getExtremumOf(ReduceOp reduce) {
  if (!reduce.getCombiner())
    return std::nullopt;
  bool isFloat =
      isa<FloatType>(cast<MemRefType>(reduce.getDst().getType()).getElementType());
  bool isUnsigned = reduce.getIsUnsigned();
  switch (*reduce.getCombiner()) {
  case Combiner::Max:
    return isFloat      ? AtomicRMWKind::maximumf
           : isUnsigned ? AtomicRMWKind::maxu
                        : AtomicRMWKind::maxs;
  case Combiner::AbsMax: // of the most negative integer it is that
    return isFloat ? AtomicRMWKind::maximumf : AtomicRMWKind::maxu;
  case Combiner::Min:
    return isFloat      ? AtomicRMWKind::minimumf
           : isUnsigned ? AtomicRMWKind::minu
                        : AtomicRMWKind::mins;
  case Combiner::MaxNum:
  case Combiner::AbsMaxNum:
    return AtomicRMWKind::maxnumf;
  case Combiner::MinNum:
    return AtomicRMWKind::minnumf;
  default:
    return std::nullopt;
  }
}

std::optional<AtomicRMWKind> cpu::getExtremum(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<AtomicRMWKind>>(op)
      .Case([](ReduceOp reduce) { return getExtremumOf(reduce); })
      .Case([](arith::MaximumFOp) { return AtomicRMWKind::maximumf; })
      .Case([](arith::MinimumFOp) { return AtomicRMWKind::minimumf; })
      .Case([](arith::MaxNumFOp) { return AtomicRMWKind::maxnumf; })
      .Case([](arith::MinNumFOp) { return AtomicRMWKind::minnumf; })
      .Case([](arith::MaxSIOp) { return AtomicRMWKind::maxs; })
      .Case([](arith::MaxUIOp) { return AtomicRMWKind::maxu; })
      .Case([](arith::MinSIOp) { return AtomicRMWKind::mins; })
      .Case([](arith::MinUIOp) { return AtomicRMWKind::minu; })
      .Default([](Operation *) { return std::nullopt; });
}
