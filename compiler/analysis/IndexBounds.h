//===- IndexBounds.h - What is known about the values of indices --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shows that an index lies inside a tensor. With n = memref.dim %x, 0 and
// bx < ceildiv(n, 64):
//
//   index                     as a linear form    shown from
//   bx * 64 + i               64 bx + i           i >= 0, bx >= 0
//   n - 1 - (bx * 64 + i)     n - 1 - 64 bx - i   i <= 63, bx <= q - 1, and
//                                                 64 q = n where n is a multiple of 64
//
// Every integer is a linear form: a constant plus multiples of atoms, the values
// that no rule takes apart. An atom has facts: linear forms that are not negative,
// over itself and atoms made before it. A form is shown to be non-negative by
// subtracting multiples of facts until only a constant is left.
//
// Arithmetic on `index` is taken not to overflow: extents and strides come from
// memory that exists. Arithmetic on other integers wraps, so a result that is not
// shown to fit its type is an atom.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_INDEXBOUNDS_H
#define TILEWRIGHT_COMPILER_ANALYSIS_INDEXBOUNDS_H

#include "dialects/tile/Tile.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

#include <map>
#include <optional>

namespace tilewright::tile {

/// A constant plus multiples of atoms.
struct LinearForm {
  int64_t constant = 0;
  /// Atoms in ascending order with their factors, none zero.
  llvm::SmallVector<std::pair<unsigned, int64_t>, 4> terms;

  int64_t factorOf(unsigned atom) const;
};

/// Facts about the integers of one function. Valid until its IR changes.
class IndexBounds {
public:
  explicit IndexBounds(mlir::func::FuncOp function);

  /// `value`, an integer or index, as a linear form.
  LinearForm form(mlir::Value value);

  /// The extent of dimension `dim` of a memref.
  LinearForm extent(mlir::Value memref, int64_t dim);

  /// The distance between neighbours along dimension `dim` of a memref, in elements;
  /// nothing where it is any.
  std::optional<LinearForm> stride(mlir::Value memref, int64_t dim);

  /// The value that an atom stands for or depends on; null for the sizes of tensors.
  mlir::Value valueOf(unsigned atom) const { return atoms[atom].value; }

  /// Whether `value` is shown not to be negative where `at` runs.
  bool isNonNegative(mlir::Value value, mlir::Operation *at);

  /// Whether `low` is shown to be below `high` where `at` runs.
  bool isBelow(mlir::Value low, mlir::Value high, mlir::Operation *at);

  /// Whether `index`, or the last of `count` from it on, is shown to be below the extent
  /// where `at` runs.
  bool isBelowExtent(mlir::Value index, mlir::Value memref, int64_t dim,
                     mlir::Operation *at, int64_t count = 1);

  /// Whether dimension `dim` of a memref is shown to have at most `most` elements where
  /// `at` runs.
  bool isExtentAtMost(mlir::Value memref, int64_t dim, const LinearForm &most,
                      mlir::Operation *at);

  /// Whether dimension `dim` of a memref is shown to have more than `least` elements
  /// where `at` runs, if it has any.
  bool isExtentAbove(mlir::Value memref, int64_t dim, int64_t least, mlir::Operation *at);

  /// Whether it is shown to have any.
  bool hasElements(mlir::Value memref, int64_t dim, mlir::Operation *at);

  /// Whether a rule takes `value` apart and shows that it does not wrap.
  bool isExact(mlir::Value value);

private:
  struct Atom {
    mlir::Value value;
    llvm::SmallVector<LinearForm, 2> facts;
    /// Where not empty, the atom equals one of these.
    llvm::SmallVector<LinearForm, 2> cases;
  };
  /// A product or sum that leaves 64 bits has no form.
  using MaybeForm = std::optional<LinearForm>;

  static MaybeForm combine(const LinearForm &a, int64_t aFactor, const LinearForm &b,
                           int64_t bFactor);
  static LinearForm constantForm(int64_t value);

  LinearForm makeAtom(mlir::Value value);
  LinearForm makeSymbol(llvm::StringRef name);
  MaybeForm evaluate(mlir::ArrayAttr steps);
  MaybeForm declared(mlir::Attribute size);
  void addFact(const MaybeForm &form);
  void addRange(const LinearForm &atom, int64_t low, int64_t high);

  LinearForm compute(mlir::Value value);
  LinearForm computeArgument(mlir::BlockArgument arg);
  MaybeForm computeOperation(mlir::Operation *op);
  LinearForm loopVariable(mlir::Value iv, const LinearForm &lower,
                          const LinearForm &upper, mlir::Value step);
  MaybeForm floorDivide(const LinearForm &dividend, int64_t divisor, mlir::Value result);
  LinearForm makeQuotient(const LinearForm &dividend, int64_t divisor,
                          mlir::Value result);
  MaybeForm remainder(const LinearForm &dividend, int64_t divisor, mlir::Value result);
  MaybeForm extremum(mlir::Operation *op, bool isMax);
  MaybeForm widen(mlir::Value from, bool isUnsigned, mlir::Value result);
  bool fits(const LinearForm &form, mlir::Type type);

  using Facts = llvm::SmallVector<LinearForm>;
  Facts factsAt(mlir::Operation *at);
  void addCondition(mlir::Value condition, bool holds, Facts &facts);
  bool prove(const MaybeForm &goal, llvm::ArrayRef<LinearForm> facts, unsigned &budget);
  bool prove(const MaybeForm &goal, llvm::ArrayRef<LinearForm> facts = {});

  mlir::func::FuncOp function;
  llvm::SmallVector<AssumeOp> assumptions;
  std::vector<Atom> atoms;
  llvm::DenseMap<mlir::Value, LinearForm> forms;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, LinearForm> extents;
  llvm::StringMap<LinearForm> symbols;
  /// Quotients of forms over sizes alone, by the form's constant, terms and divisor.
  std::map<std::tuple<int64_t, std::vector<std::pair<unsigned, int64_t>>, int64_t>,
           LinearForm>
      quotients;
};

} // namespace tilewright::tile

#endif // TILEWRIGHT_COMPILER_ANALYSIS_INDEXBOUNDS_H
