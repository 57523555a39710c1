//===- Combiner.h - How reductions and scans combine elements -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_TRANSFORMS_COMBINER_H
#define TILEWRIGHT_COMPILER_TRANSFORMS_COMBINER_H

#include "compiler/transforms/Expr.h"
#include "dialects/tile/Tile.h"

namespace tilewright {

/// How a `tile.reduce` or `tile.scan` combines, on scalars and vectors alike: as one of
/// the dialect's combiners, or by a region. Elements are combined as accumulators: f32
/// for narrower floats, i8 truth values for `any` and `all`, else the element type
/// itself.
class ElementCombiner {
public:
  template <typename Op>
  explicit ElementCombiner(Op op)
      : ElementCombiner(op.getCombiner(), op.getSrc().getType().getElementType(),
                        op.getIsUnsigned(), &op.getBody(), op.getIdentity()) {}
  /// Combines elements of type `element` as `kind` says.
  ElementCombiner(tile::Combiner kind, mlir::Type element, bool isUnsigned)
      : ElementCombiner(kind, element, isUnsigned, nullptr, {}) {}

  mlir::Type accumulatorType() const { return accumulator; }
  /// Whether the result is of the elements that are no NaN.
  bool leavesNaNOut() const { return kind && tile::leavesNaNOut(*kind); }
  /// The accumulator that holds `element` of the source alone.
  Expr fromSource(Expr element) const;
  /// The accumulator that holds a former result, and the result it stands for.
  Expr fromResult(Expr result) const;
  Expr toResult(Expr accumulated, mlir::Type element) const;

  /// What `x` and then `y` make.
  Expr combine(Expr x, Expr y) const;
  /// The accumulator of nothing, of type `type`.
  Expr identity(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type) const;

private:
  ElementCombiner(std::optional<tile::Combiner> kind, mlir::Type element, bool isUnsigned,
                  mlir::Region *body, mlir::Value neutral);

  bool isTruth() const {
    return kind == tile::Combiner::Any || kind == tile::Combiner::All;
  }
  Expr inlineBody(Expr x, Expr y) const;
  mlir::TypedAttr identityElement() const;

  std::optional<tile::Combiner> kind;
  mlir::Type accumulator;
  bool isUnsigned;
  /// Where there is no kind: the region, and the element that it leaves others unchanged
  /// with, which an inclusive scan does not need.
  mlir::Region *body;
  mlir::Value neutral;
};

/// `x` converted by a `tile.cast`.
Expr castElements(Expr x, mlir::Type element, bool isUnsigned = false);

/// An integer that orders elements of a float or integer type as themselves: 32 bits
/// wide, or 64 for wider elements. Zeros of either sign are equal. A NaN is larger than
/// all else. With `reversed`, smaller elements have larger keys, but a NaN still the
/// largest.
Expr orderKey(Expr element, bool isUnsigned, bool reversed);
mlir::Type orderKeyType(mlir::Type element);

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_TRANSFORMS_COMBINER_H
