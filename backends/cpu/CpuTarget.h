//===- CpuTarget.h - The CPU that code is compiled for ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H
#define TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

namespace tilewright::cpu {

/// What a core can do per cycle, with vectors of `vectorBits`. A feature that exists but
/// is slow (bf16 dot products on Intel) shows here and nowhere else.
struct CpuModel {
  llvm::StringRef name;
  int64_t vectorBits;
  double fma;           ///< f32 or f64 multiply-adds
  double fmaLatency;    ///< cycles
  double bf16Dot;       ///< vdpbf16ps
  double bf16Latency;   ///< cycles
  double int8Dot;       ///< vpdpbusd and a subtraction
  double int16Dot;      ///< vpmaddwd and the addition
  double intMultiply;   ///< vpmulld and the addition
  double loads;         ///< vector loads that hit L1
  double stores;        ///< vector stores that hit L1
  int64_t l1Bytes, l2Bytes;
};

/// The models that a target may name.
llvm::ArrayRef<CpuModel> getCpuModels();

/// The row of `name`, or null.
const CpuModel *findCpuModel(llvm::StringRef name);

/// A CPU model with the features that code may use.
class CpuTarget {
public:
  /// Reads `cpu` (the machine this runs on) or `cpu:MODEL`. An error names the models.
  static llvm::Expected<CpuTarget> parse(llvm::StringRef spec);

  /// `cpu:MODEL`, also where the specification was `cpu`.
  std::string getName() const { return "cpu:" + cpuName; }
  /// What LLVM calls the CPU.
  llvm::StringRef getCpu() const { return cpuName; }
  /// Features for a target machine, as `+avx2,+fma,...`.
  std::string getFeatures() const;
  bool hasFeature(llvm::StringRef feature) const { return features.contains(feature); }

  const CpuModel &getModel() const { return model; }
  /// Width of a vector register, at most what the features allow.
  int64_t getVectorBits() const { return model.vectorBits; }
  /// Vector registers that code can name.
  int64_t getVectorRegisters() const { return model.vectorBits == 512 ? 32 : 16; }
  /// Bytes that a block's tiles should fit: half of L2, the rest is for what streams.
  int64_t getTileBudget() const { return model.l2Bytes / 2; }

private:
  CpuTarget(std::string cpuName, const CpuModel &model) : cpuName(cpuName), model(model) {}
  llvm::Error restrictToFeatures(llvm::StringRef spec);

  std::string cpuName;
  CpuModel model;
  llvm::StringSet<> features;
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H
