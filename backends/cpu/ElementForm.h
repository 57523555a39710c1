//===- ElementForm.h - What an element is made of ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The domain in which LoopStates interprets an iteration. `Place` is what an element's
// position in another tile is given by: a dimension of the tile that holds the element,
// or the index with which it was loaded.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_ELEMENTFORM_H
#define TILEWRIGHT_BACKENDS_CPU_ELEMENTFORM_H

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace tilewright::cpu {

/// An element of what a tile held at one time, or the extremum of those along a dimension
/// of that tile, which `at` leaves out then. Contents are numbered; 0 is nothing known.
template <typename Place> struct Origin {
  int64_t contents = 0;
  int64_t along = -1;
  bool isLargest = false; ///< or the smallest
  llvm::SmallVector<Place, 2> at;

  bool operator==(const Origin &other) const {
    return contents == other.contents && along == other.along &&
           isLargest == other.isLargest && at == other.at;
  }
};

/// What an element has of what the loop carries. `before` and `after` count the value
/// that the tile `carried` had before the iteration, and has after it:
///
/// - Free: none of it.
/// - Linear: before * old + after * new, times `scale` where there is one, and plus
///   something free where `hasFree`.
/// - Power: exp(before * old + after * new), times something free where `hasFree`; of
///   a `sum`, times its value before the iteration, and plus such powers without it.
///
/// What is free of a Linear is an element of `origin`; a Free one is that times `scale`
/// where there is one. A Power that `isTerm` is an exponential itself, or zero.
template <typename Place> struct ElementForm {
  enum Kind { Unknown, Free, Linear, Power };

  Kind kind = Unknown;
  bool isZero = false; ///< Free, and zero in every element
  int before = 0, after = 0;
  tile::AllocOp carried;
  llvm::SmallVector<Place, 2> at;
  bool hasFree = false;
  bool isTerm = false;
  Origin<Place> origin;
  mlir::Value scale;
  tile::AllocOp sum;
  llvm::SmallVector<Place, 2> sumAt;

  static ElementForm free(bool isZero = false) {
    ElementForm form;
    form.kind = Free;
    form.isZero = isZero;
    return form;
  }

  bool is(Kind other) const { return kind == other; }
  bool isSum() const { return kind == Power && sum; }
  /// An exponential of a difference and nothing else.
  bool isWeight() const { return kind == Power && !sum && !hasFree; }
  /// The value that `carried` had before the iteration.
  bool isOld() const {
    return kind == Linear && before == 1 && after == 0 && !hasFree && !scale;
  }
  bool refersTo(const ElementForm &other) const {
    return carried == other.carried && at == other.at;
  }
};

/// Where a tile's elements lie in others: by its own dimensions.
using TileForm = ElementForm<int64_t>;
/// Where a value was loaded from: by indices.
using ValueForm = ElementForm<mlir::Value>;

/// -a
template <typename Place> ElementForm<Place> negate(ElementForm<Place> a) {
  using Form = ElementForm<Place>;
  if (a.is(Form::Free))
    return Form::free(a.isZero);
  if (a.isSum())
    return {};
  if (a.is(Form::Power)) {
    a.hasFree = true; // the factor -1
    a.isTerm = false;
    return a;
  }
  a.before = -a.before;
  a.after = -a.after;
  a.origin = {};
  return a;
}

/// a + b
template <typename Place>
ElementForm<Place> add(ElementForm<Place> a, ElementForm<Place> b) {
  using Form = ElementForm<Place>;
  if (b.isSum() || (b.is(Form::Linear) && !a.is(Form::Linear)))
    std::swap(a, b);
  if (a.is(Form::Unknown) || b.is(Form::Unknown) || b.isSum())
    return {};
  if (b.isZero)
    return a;
  if (a.isZero)
    return b;
  if (a.is(Form::Free) && b.is(Form::Free))
    return Form::free();
  if (a.is(Form::Linear) && b.is(Form::Free)) {
    bool isElement = !a.hasFree && a.scale == b.scale;
    a.origin = isElement ? b.origin : Origin<Place>();
    a.hasFree = true;
    return a;
  }
  if (!a.refersTo(b) || a.kind != b.kind)
    return {};
  if (a.is(Form::Power)) {
    // Before the iteration a sum is made of powers of the old value.
    bool isAlike = a.before - (a.sum ? 1 : 0) == b.before && a.after == b.after;
    a.hasFree = true;
    a.isTerm = false;
    return isAlike ? a : Form();
  }
  a.before += b.before;
  a.after += b.after;
  a.hasFree |= b.hasFree;
  a.origin = {};
  // Of numbers that are rounded no difference of equals is nothing: s + x - s.
  bool isNothing = a.before == 0 && a.after == 0;
  return a.scale == b.scale && !isNothing ? a : Form();
}

/// a * b
template <typename Place>
ElementForm<Place> multiply(ElementForm<Place> a, ElementForm<Place> b) {
  using Form = ElementForm<Place>;
  if (b.isSum() || b.isOld() || a.is(Form::Free))
    std::swap(a, b);
  if (a.is(Form::Free) && b.is(Form::Free))
    return Form::free();
  if (a.isOld() && b.isWeight()) {
    b.sum = a.carried;
    b.sumAt = a.at;
    return b;
  }
  if (!a.is(Form::Power))
    return {};
  a.isTerm = false;
  if (b.is(Form::Free) && !a.sum) {
    a.hasFree = true;
    return a;
  }
  if (!b.is(Form::Power) || !a.refersTo(b) || b.sum || (a.sum && b.hasFree))
    return {};
  a.before += b.before;
  a.after += b.after;
  a.hasFree |= b.hasFree;
  return a;
}

/// One or the other, as something free decides.
template <typename Place>
ElementForm<Place> join(const ElementForm<Place> &a, const ElementForm<Place> &b) {
  using Form = ElementForm<Place>;
  if (a.is(Form::Free) && b.is(Form::Free))
    return Form::free(a.isZero && b.isZero);
  Form form = a.isZero ? b : a;
  if (a.isZero || b.isZero) {
    // Zero is a multiple of any power.
    form.hasFree = true;
    return form.is(Form::Power) && !form.sum ? form : Form();
  }
  bool isAlike = a.kind == b.kind && a.refersTo(b) && a.before == b.before &&
                 a.after == b.after && a.scale == b.scale && a.sum == b.sum &&
                 a.sumAt == b.sumAt;
  if (!(a.origin == b.origin))
    form.origin = {};
  form.hasFree |= b.hasFree;
  form.isTerm &= b.isTerm;
  return isAlike ? form : Form();
}

/// Replaces each place by what `replace` gives for it; Unknown where that is nothing, but
/// of an origin, which is lost.
template <typename To, typename From>
ElementForm<To> replacePlaces(const ElementForm<From> &form,
                              llvm::function_ref<std::optional<To>(From)> replace) {
  auto replaceAll = [&](llvm::ArrayRef<From> places, llvm::SmallVectorImpl<To> &to) {
    for (From place : places) {
      std::optional<To> at = replace(place);
      if (!at)
        return false;
      to.push_back(*at);
    }
    return true;
  };
  ElementForm<To> result;
  if (!replaceAll(form.at, result.at) || !replaceAll(form.sumAt, result.sumAt))
    return {};
  result.kind = static_cast<typename ElementForm<To>::Kind>(form.kind);
  result.isZero = form.isZero;
  result.before = form.before;
  result.after = form.after;
  result.carried = form.carried;
  result.hasFree = form.hasFree;
  result.isTerm = form.isTerm;
  result.scale = form.scale;
  result.sum = form.sum;
  if (replaceAll(form.origin.at, result.origin.at)) {
    result.origin.contents = form.origin.contents;
    result.origin.along = form.origin.along;
    result.origin.isLargest = form.origin.isLargest;
  } else {
    result.origin = {};
  }
  return result;
}

/// The form of what is converted from one type to another. Sums are no longer what they
/// were, nor are weights; a product may leave the range of f16 in a part of the loop that
/// begins with a smaller maximum.
template <typename Place>
ElementForm<Place> convert(ElementForm<Place> form, mlir::Type from, mlir::Type to) {
  using Form = ElementForm<Place>;
  if (from == to)
    return form;
  if (form.is(Form::Free))
    return Form::free(form.isZero);
  auto src = llvm::dyn_cast<mlir::FloatType>(from),
       dst = llvm::dyn_cast<mlir::FloatType>(to);
  if (!form.is(Form::Power) || !src || !dst)
    return {};
  if (dst.getWidth() >= 32 && dst.getWidth() >= src.getWidth())
    return form;
  form.hasFree = true;
  return form.sum || !(form.isTerm || dst.isBF16()) ? Form() : form;
}

/// The form of an element of a tile at `indices`.
inline ValueForm atIndices(const TileForm &form, mlir::ValueRange indices) {
  return replacePlaces<mlir::Value, int64_t>(
      form, [&](int64_t dim) { return std::optional<mlir::Value>(indices[dim]); });
}

/// The value that `carried` has when an iteration begins.
TileForm getOldForm(tile::AllocOp carried);

/// What a copy of a tile is made of.
TileForm getCopyForm(tile::CopyOp copy, const TileForm &src);

/// What a reduction makes of `src` alone.
TileForm getReducedForm(tile::ReduceOp reduce, const TileForm &src);

/// What a product of tiles is made of.
TileForm getProductForm(tile::GemmOp gemm, const TileForm &a, const TileForm &b);

/// Whether an extremum is the larger element.
bool isMaximum(mlir::arith::AtomicRMWKind kind);

/// The larger or smaller of two elements that `op` gives, or a reduction takes in.
std::optional<mlir::arith::AtomicRMWKind> getExtremum(mlir::Operation *op);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_ELEMENTFORM_H
