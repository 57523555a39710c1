//===- CpuTarget.cpp - The CPU that code is compiled for ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuTarget.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/X86TargetParser.h"

using namespace llvm;
using namespace tilewright::cpu;

static constexpr int64_t KiB = 1024;

// Instructions per cycle of one core, at the vector width in the second column. The rows
// of znver4 and sapphirerapids agree with GEMM kernels timed on such machines, that of
// znver5 with each instruction timed in a loop; the others follow the vendors' manuals.
// bf16 dot products are half rate on Intel's cores: there f32 FMA on widened operands wins.
// clang-format off
static constexpr CpuModel cpuModels[] = {
    // name            bits fma  lat  bf16 lat  i8   i16  imul  ld  st   L1d       L2
    {"x86-64-v3",       256,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  512 * KiB},
    {"haswell",         256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  256 * KiB},
    {"broadwell",       256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  256 * KiB},
    {"skylake",         256,   2,   4,    0,   0,    0,  1.5,   0.7,   2,    1, 32 * KiB,  256 * KiB},
    {"alderlake",       256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2, 48 * KiB, 1280 * KiB},
    {"raptorlake",      256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2, 48 * KiB, 2048 * KiB},
    {"znver1",          256,   1,   5,    0,   0,    0,  0.5,  0.25,   1,  0.5, 32 * KiB,  512 * KiB},
    {"znver2",          256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  512 * KiB},
    {"znver3",          256,   2,   4,    0,   0,    0,  1.5,     1,   2,    1, 32 * KiB,  512 * KiB},
    {"x86-64-v4",       512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"skylake-avx512",  512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"cascadelake",     512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"icelake-server",  512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1, 48 * KiB, 1280 * KiB},
    {"sapphirerapids",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"emeraldrapids",   512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"graniterapids",   512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"znver4",          512,   1,   4,    1,   6,    1,  0.7,   0.5,   1,  0.5, 32 * KiB, 1024 * KiB},
    {"znver5",          512,   2,   4,    2,   6,    2,  1.8,   1.8,   2,    1, 48 * KiB, 1024 * KiB},
};
// clang-format on

ArrayRef<CpuModel> tilewright::cpu::getCpuModels() { return cpuModels; }

const CpuModel *tilewright::cpu::findCpuModel(StringRef name) {
  const CpuModel *row = find_if(cpuModels, [&](const CpuModel &m) { return m.name == name; });
  return row == std::end(cpuModels) ? nullptr : row;
}

/// The features of the machine this runs on.
static StringSet<> getHostFeatures() {
  StringSet<> features;
  for (const StringMapEntry<bool> &feature : sys::getHostCPUFeatures())
    if (feature.second)
      features.insert(feature.first());
  return features;
}

Expected<CpuTarget> CpuTarget::parse(StringRef spec) {
  StringRef name = spec;
  if (name != "cpu" && !name.consume_front("cpu:"))
    return createStringError("'" + spec + "' is not a CPU target; write 'cpu' for this "
                                          "machine or 'cpu:MODEL'");
#if !defined(__x86_64__)
  if (spec == "cpu")
    return createStringError("this machine is not an x86-64; name the model to compile for, "
                             "as in 'cpu:x86-64-v3'");
#endif
  bool isHost = spec == "cpu";
  if (isHost)
    name = sys::getHostCPUName();
  const CpuModel *model = findCpuModel(name);
  StringSet<> features = isHost ? getHostFeatures() : StringSet<>();
  if (isHost && !model)
    model = findCpuModel(features.contains("avx512bw") ? "x86-64-v4" : "x86-64-v3");
  if (!model) {
    std::string known = join(
        map_range(cpuModels, [](const CpuModel &m) { return m.name; }), ", ");
    return createStringError("unknown CPU model '" + name + "'; known are " + known +
                             ", and 'cpu' for this machine");
  }
  CpuTarget target(name.str(), *model);
  if (isHost) {
    target.features = std::move(features);
  } else {
    SmallVector<StringRef> ofModel;
    X86::getFeaturesForCPU(name, ofModel);
    for (StringRef feature : ofModel)
      target.features.insert(feature);
  }
  if (Error error = target.restrictToFeatures(spec))
    return error;
  return target;
}

/// Narrows the model to what the features allow: a virtual machine may hide some.
Error CpuTarget::restrictToFeatures(StringRef spec) {
  if (!hasFeature("avx2") || !hasFeature("fma"))
    return createStringError("target '" + spec + "' (" + cpuName +
                             ") lacks AVX2 or FMA, which kernels are compiled to; use a "
                             "machine or model of at least x86-64-v3");
  bool has512 = hasFeature("avx512f") && hasFeature("avx512bw") && hasFeature("avx512vl");
  if (model.vectorBits == 512 && !has512)
    model.vectorBits = 256;
  return Error::success();
}

std::string CpuTarget::getFeatures() const {
  SmallVector<std::string> terms;
  for (const auto &feature : features)
    terms.push_back("+" + feature.first().str());
  llvm::sort(terms);
  // Tuning for older Intel cores splits 512-bit vectors; the atom was chosen for them.
  if (model.vectorBits == 512)
    terms.push_back("-prefer-256-bit");
  return join(terms, ",");
}
