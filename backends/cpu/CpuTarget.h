//===- CpuTarget.h - The CPU that code is compiled for ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H
#define TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H

#include "backends/cpu/CpuFeatures.h"

#include "llvm/Support/Error.h"

namespace tilewright::cpu {

/// Bytes that caches fetch and write back together, on every model.
inline constexpr int64_t cacheLine = 64;

/// What a core can do per cycle, with vectors of `vectorBits`. A feature that exists but
/// is slow (bf16 dot products on Intel) shows here and nowhere else. Vectors of 512 bits
/// are AVX-512, of 256 AVX2, of 128 NEON.
struct CpuModel {
  llvm::StringRef name;
  Architecture architecture;
  /// The row that stands for it where AVX-512 is hidden; empty for other rows.
  llvm::StringRef narrow;
  int64_t vectorBits;
  double fma;         ///< f32 or f64 multiply-adds
  double fmaLatency;  ///< cycles
  double bf16Dot;     ///< vdpbf16ps; bfdot
  double bf16Latency; ///< cycles
  double int8Dot;     ///< vpdpbusd; sdot
  double int16Dot;    ///< vpmaddwd and the addition
  double intMultiply; ///< vpmulld and the addition; mla
  double loads;       ///< vector loads that hit L1
  double stores;      ///< vector stores that hit L1
  double shuffles;    ///< of lanes of one or two vectors
  double vectorPorts; ///< vector operations of any kind that may start
  int64_t l1Bytes, l2Bytes;
};

/// The models that a target may name.
llvm::ArrayRef<CpuModel> getCpuModels();

/// The row of `name`, or null.
const CpuModel *findCpuModel(llvm::StringRef name);

/// A CPU model, less the features that a machine hides from its guests.
class CpuTarget {
public:
  /// Reads `cpu` (the machine this runs on) or `cpu:MODEL[,-FEATURE...]`. An error names
  /// the models.
  static llvm::Expected<CpuTarget> parse(llvm::StringRef spec);

  /// `cpu:MODEL[,-FEATURE...]`, also where the specification was `cpu`: one name for
  /// equal targets.
  const std::string &getName() const { return name; }
  /// What LLVM calls the CPU.
  llvm::StringRef getCpu() const { return cpu; }
  /// Features for a target machine, as `+avx2,-avx512f,...`.
  std::string getFeatures() const;
  /// Of the features that compiled code may use, those that it may here: `avx2,fma,...`.
  std::string getRequiredFeatures() const;
  bool hasFeature(llvm::StringRef feature) const { return features.lookup(feature); }

  const CpuModel &getModel() const { return model; }
  const ArchitectureInfo &getArchitecture() const {
    return getArchitectureInfo(model.architecture);
  }
  /// Width of a vector register, at most what the features allow.
  int64_t getVectorBits() const { return model.vectorBits; }
  /// Vector registers that code can name.
  int64_t getVectorRegisters() const { return model.vectorBits == 256 ? 16 : 32; }
  /// Bytes that a block's tiles should fit: most of L2, the rest is for what streams.
  int64_t getTileBudget() const { return model.l2Bytes / 4 * 3; }

private:
  CpuTarget(llvm::StringRef cpu, const CpuModel &model);
  void removeFeature(llvm::StringRef feature);
  llvm::Error fitModel(llvm::StringRef spec);

  std::string name, cpu;
  CpuModel model;
  llvm::StringMap<bool> features; // of the architecture's, which are there
};

} // namespace tilewright::cpu

#endif // TILEWRIGHT_BACKENDS_CPU_CPU_TARGET_H
