//===- Combiner.h - How reductions and scans combine elements -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_COMBINER_H
#define TILEWRIGHT_BACKENDS_CPU_COMBINER_H

#include "compiler/transforms/Expr.h"
#include "dialects/tile/Tile.h"

namespace tilewright::cpu {

/// A `tile` combiner on elements of one type, scalars or vectors alike. Elements are
/// combined as accumulators: f32 for narrower floats, i8 truth values for `any` and
/// `all`, else the element type itself.
class Combiner {
public:
  Combiner(tile::Combiner kind, mlir::Type element, bool isUnsigned);

  mlir::Type accumulatorType() const { return accumulator; }
  /// The accumulator that holds `element` of the source alone.
  Expr fromSource(Expr element) const;
  /// The accumulator that holds a former result, and the result it stands for.
  Expr fromResult(Expr result) const;
  Expr toResult(Expr accumulated, mlir::Type element) const;

  Expr combine(Expr x, Expr y) const;
  /// The accumulator of nothing, of type `type`.
  Expr identity(mlir::OpBuilder &b, mlir::Location loc, mlir::Type type) const;

private:
  mlir::TypedAttr identityElement() const;

  tile::Combiner kind;
  mlir::Type accumulator;
  bool isUnsigned;
};

/// `x` converted by a `tile.cast`.
Expr castElements(Expr x, mlir::Type element, bool isUnsigned = false);

/// An integer that orders elements of a float or integer type as themselves: 32 bits
/// wide, or 64 for wider elements. Zeros of either sign are equal. A NaN is larger than
/// all else. With `reversed`, smaller elements have larger keys, but a NaN still the
/// largest.
Expr orderKey(Expr element, bool isUnsigned, bool reversed);
mlir::Type orderKeyType(mlir::Type element);

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_COMBINER_H
