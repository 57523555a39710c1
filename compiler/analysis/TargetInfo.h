//===- TargetInfo.h - What target-independent passes ask a target -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_COMPILER_ANALYSIS_TARGET_INFO_H
#define TILEWRIGHT_COMPILER_ANALYSIS_TARGET_INFO_H

#include "dialects/tile/Tile.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <memory>

namespace tilewright {

/// A gemm as a cost function sees it.
struct GemmProblem {
  struct Operand {
    mlir::Type element;
    /// Whether consecutive elements of K, not of the other dimension, are neighbours.
    bool alongK;
    /// How many executions of the gemm read the tile between two writes to it: over so
    /// many the work of bringing it into another form is spread.
    double uses;
    /// The type in which it is multiplied, which `precision` may make another one.
    mlir::Type product = element;
    /// Bytes from one row to the next where it is read from: in the tensor that one copy
    /// fills the tile from, or else in the tile. Nothing where that is not known.
    std::optional<int64_t> rowBytes = std::nullopt;
  };
  int64_t m, n, k;
  Operand a, b;
  mlir::Type c;
  bool isUnsigned, clear;
  int64_t threads = 0; // of the block, as the kernel says

  /// With `countsUses` false, operands count as used once.
  static GemmProblem get(tile::GemmOp gemm, bool countsUses = true);
  /// The problem C^T += B^T A^T.
  GemmProblem getTransposed() const {
    return {n, m, k, b, a, c, isUnsigned, clear, threads};
  }
};

/// A target as `select-atoms` and memory planning know it. One object per backend and
/// model; backends implement it.
class TargetInfo {
public:
  virtual ~TargetInfo() = default;

  /// With the model, as in `cpu:znver4`.
  virtual std::string getName() const = 0;
  /// Adds the dialects of its atoms.
  virtual void getDependentDialects(mlir::DialectRegistry &registry) const = 0;
  /// All atoms of the target; the order breaks ties of cost.
  virtual llvm::SmallVector<tile::AtomAttrInterface>
  getAtoms(mlir::MLIRContext *context) const = 0;
  /// Whether `atom` computes what `tile.gemm` says on operands of these types.
  virtual bool serves(tile::AtomAttrInterface atom, const GemmProblem &problem) const = 0;
  /// Whether with `atom` each element of C is summed by the same operations, wherever
  /// in C it lies.
  virtual bool isUniform(tile::AtomAttrInterface atom,
                         const GemmProblem &problem) const = 0;
  /// Estimated cycles of one execution of the gemm with `atom`, with bringing the
  /// operands into its form; infinite where that is no choice. `swapped` means that
  /// `problem` was transposed.
  virtual double estimateCycles(tile::AtomAttrInterface atom, const GemmProblem &problem,
                                bool swapped) const = 0;
  /// Bytes that the tiles of a block may take.
  virtual int64_t getTileBudget() const = 0;
  /// Whether a gemm that no atom serves is left without one, to be expanded.
  virtual bool expandsGemms() const { return false; }
};

/// Makes a target from its name; an error says which names are known.
using TargetFactory =
    std::function<llvm::Expected<std::unique_ptr<TargetInfo>>(llvm::StringRef)>;

/// Makes targets named `family` or `family:...` known to `createTarget`; the first
/// factory of a family stays. Threads may do so at the same time.
void registerTarget(llvm::StringRef family, TargetFactory factory);

llvm::Expected<std::unique_ptr<TargetInfo>> createTarget(llvm::StringRef name);

} // namespace tilewright

#endif // TILEWRIGHT_COMPILER_ANALYSIS_TARGET_INFO_H
