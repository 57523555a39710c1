//===- CpuFeatures.cpp - Architectures and their extensions -------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuFeatures.h"

#include "llvm/TargetParser/AArch64TargetParser.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace llvm;
using namespace tilewright::cpu;

//===----------------------------------------------------------------------===//
// x86-64
//===----------------------------------------------------------------------===//

static constexpr StringLiteral x86Features[] = {
    "avx2",         "fma",        "f16c",
    "bmi",          "bmi2",       "lzcnt",
    "movbe",        "popcnt",     "gfni",
    "avxvnni",      "avx512f",    "avx512bw",
    "avx512cd",     "avx512dq",   "avx512vl",
    "avx512ifma",   "avx512vbmi", "avx512vbmi2",
    "avx512bitalg", "avx512vnni", "avx512vpopcntdq",
    "avx512bf16",   "avx512fp16", "amx-tile",
    "amx-bf16",     "amx-int8",
};
static constexpr StringLiteral x86Base[] = {"avx2", "fma"};

static StringMap<bool> getX86Features(StringRef cpu) {
  SmallVector<StringRef> named;
  X86::getFeaturesForCPU(cpu, named);
  StringMap<bool> features;
  for (StringRef feature : named) {
    features[feature] = true;
    X86::updateImpliedFeatures(feature, /*Enabled=*/true, features);
  }
  return features;
}

static StringMap<bool> getX86Dependents(StringRef feature) {
  StringMap<bool> disabled, dependents;
  X86::updateImpliedFeatures(feature, /*Enabled=*/false, disabled);
  dependents[feature] = true;
  for (const auto &entry : disabled)
    dependents[entry.getKey()] = true;
  return dependents;
}

//===----------------------------------------------------------------------===//
// AArch64
//===----------------------------------------------------------------------===//

static constexpr StringLiteral aarch64Features[] = {
    "neon", "lse",  "rdm",  "rcpc",      "fullfp16", "fp16fml", "dotprod",
    "sha3", "bf16", "i8mm", "complxnum", "sve",      "sve2",
};
static constexpr StringLiteral aarch64Base[] = {"neon"};

/// The enabled extensions of `set`, without the sign that LLVM's lists have.
static StringMap<bool> getEnabled(const AArch64::ExtensionSet &set) {
  StringMap<bool> features;
  for (const AArch64::ExtensionInfo &extension : AArch64::Extensions)
    if (set.Enabled.test(extension.ID))
      features[extension.PosTargetFeature.ltrim('+')] = true;
  return features;
}

static StringMap<bool> getAArch64Features(StringRef cpu) {
  AArch64::ExtensionSet set;
  if (std::optional<AArch64::CpuInfo> info = AArch64::parseCpu(cpu))
    set.addCPUDefaults(*info);
  return getEnabled(set);
}

static StringMap<bool> getAArch64Dependents(StringRef feature) {
  AArch64::ExtensionSet set;
  for (const AArch64::ExtensionInfo &extension : AArch64::Extensions)
    set.enable(extension.ID);
  StringMap<bool> all = getEnabled(set), dependents;
  if (auto extension = AArch64::targetFeatureToExtension(("+" + feature).str()))
    set.disable(extension->ID);
  StringMap<bool> rest = getEnabled(set);
  for (const auto &entry : all)
    if (!rest.contains(entry.getKey()))
      dependents[entry.getKey()] = true;
  return dependents;
}

//===----------------------------------------------------------------------===//
// Both
//===----------------------------------------------------------------------===//

const ArchitectureInfo &tilewright::cpu::getArchitectureInfo(Architecture architecture) {
  static const ArchitectureInfo x86{"x86_64-unknown-linux-gnu",
                                    x86Features,
                                    x86Base,
                                    "AVX2 or FMA",
                                    "x86-64-v3",
                                    getX86Features,
                                    getX86Dependents};
  static const ArchitectureInfo aarch64{"aarch64-unknown-linux-gnu",
                                        aarch64Features,
                                        aarch64Base,
                                        "NEON",
                                        "neoverse-n1",
                                        getAArch64Features,
                                        getAArch64Dependents};
  return architecture == Architecture::X86_64 ? x86 : aarch64;
}
