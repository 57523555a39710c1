//===- GpuTargetInfo.h - GPUs as atom selection knows them --------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_GPU_GPU_TARGET_INFO_H
#define TILEWRIGHT_BACKENDS_GPU_GPU_TARGET_INFO_H

#include "compiler/analysis/TargetInfo.h"

namespace tilewright {

/// What both vendors' targets have in common; they add their atoms.
class GpuTargetInfo : public TargetInfo {
public:
  /// With `swaps`, instructions compute transposes of products.
  GpuTargetInfo(std::string name, std::string model, int64_t lanes, int64_t sharedBytes,
                bool swaps)
      : name(std::move(name)), model(std::move(model)), lanes(lanes),
        sharedBytes(sharedBytes), swaps(swaps) {}

  std::string getName() const override { return name; }
  bool serves(tile::AtomAttrInterface atom, const GemmProblem &problem) const override;
  bool isUniform(tile::AtomAttrInterface, const GemmProblem &) const override {
    return true;
  }
  double estimateCycles(tile::AtomAttrInterface atom, const GemmProblem &problem,
                        bool swapped) const override;
  int64_t getTileBudget() const override { return sharedBytes; }
  bool expandsGemms() const override { return true; }

private:
  std::string name, model;
  int64_t lanes, sharedBytes;
  bool swaps;
};

} // namespace tilewright

#endif // TILEWRIGHT_BACKENDS_GPU_GPU_TARGET_INFO_H
