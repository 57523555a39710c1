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
// bf16 dot products are half rate on Intel's cores: there f32 FMA on widened operands
// wins.
// clang-format off
static constexpr CpuModel cpuModels[] = {
    // name            narrow        bits fma  lat  bf16 lat  i8   i16  imul  ld  st   L1d       L2
    {"x86-64-v3",       "",           256,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  512 * KiB},
    {"haswell",         "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  256 * KiB},
    {"broadwell",       "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  256 * KiB},
    {"skylake",         "",           256,   2,   4,    0,   0,    0,  1.5,   0.7,   2,    1, 32 * KiB,  256 * KiB},
    {"alderlake",       "",           256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2, 48 * KiB, 1280 * KiB},
    {"raptorlake",      "",           256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2, 48 * KiB, 2048 * KiB},
    {"znver1",          "",           256,   1,   5,    0,   0,    0,  0.5,  0.25,   1,  0.5, 32 * KiB,  512 * KiB},
    {"znver2",          "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB,  512 * KiB},
    {"znver3",          "",           256,   2,   4,    0,   0,    0,  1.5,     1,   2,    1, 32 * KiB,  512 * KiB},
    {"x86-64-v4",       "x86-64-v3",  512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"skylake-avx512",  "skylake",    512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"cascadelake",     "skylake",    512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1, 32 * KiB, 1024 * KiB},
    {"icelake-server",  "alderlake",  512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1, 48 * KiB, 1280 * KiB},
    {"sapphirerapids",  "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"emeraldrapids",   "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"graniterapids",   "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1, 48 * KiB, 2048 * KiB},
    {"znver4",          "znver3",     512,   1,   4,    1,   6,    1,  0.7,   0.5,   1,  0.5, 32 * KiB, 1024 * KiB},
    {"znver5",          "znver3",     512,   2,   4,    2,   6,    2,  1.8,   1.8,   2,    1, 48 * KiB, 1024 * KiB},
};
// clang-format on

ArrayRef<CpuModel> tilewright::cpu::getCpuModels() { return cpuModels; }

const CpuModel *tilewright::cpu::findCpuModel(StringRef name) {
  const CpuModel *row =
      find_if(cpuModels, [&](const CpuModel &m) { return m.name == name; });
  return row == std::end(cpuModels) ? nullptr : row;
}

/// Whatever beyond x86-64-v2 LLVM may put into code on its own, or an atom asks for. The
/// runtime tests the same ones.
static constexpr StringLiteral codeFeatures[] = {
    "avx2",         "fma",        "f16c",
    "bmi",          "bmi2",       "lzcnt",
    "movbe",        "popcnt",     "gfni",
    "avxvnni",      "avx512f",    "avx512bw",
    "avx512cd",     "avx512dq",   "avx512vl",
    "avx512ifma",   "avx512vbmi", "avx512vbmi2",
    "avx512bitalg", "avx512vnni", "avx512vpopcntdq",
    "avx512bf16",   "avx512fp16",
};

StringMap<bool> tilewright::cpu::getCpuFeatures(StringRef cpu) {
  SmallVector<StringRef> named;
  X86::getFeaturesForCPU(cpu, named);
  StringMap<bool> features;
  for (StringRef feature : named) {
    features[feature] = true;
    X86::updateImpliedFeatures(feature, /*Enabled=*/true, features);
  }
  return features;
}

CpuTarget::CpuTarget(StringRef cpu, const CpuModel &model)
    : name("cpu:" + cpu.str()), cpu(cpu), model(model) {
  StringMap<bool> ofModel = getCpuFeatures(cpu);
  for (StringRef feature : codeFeatures)
    features[feature] = ofModel.lookup(feature);
}

/// Takes `feature` away, with all that builds on it.
void CpuTarget::removeFeature(StringRef feature) {
  if (!hasFeature(feature))
    return;
  name += (",-" + feature).str();
  StringMap<bool> implied;
  X86::updateImpliedFeatures(feature, /*Enabled=*/false, implied);
  features[feature] = false;
  for (StringRef other : codeFeatures)
    if (implied.count(other))
      features[other] = false;
}

/// Narrows the model to what the features allow.
Error CpuTarget::fitModel(StringRef spec) {
  if (!hasFeature("avx2") || !hasFeature("fma"))
    return createStringError("target '" + spec + "' (" + name +
                             ") lacks AVX2 or FMA, which kernels are compiled to; use a "
                             "machine or model of at least x86-64-v3");
  if (!hasFeature("avx512f") || !hasFeature("avx512bw") || !hasFeature("avx512vl"))
    if (const CpuModel *narrow = findCpuModel(model.narrow)) {
      int64_t l1Bytes = model.l1Bytes, l2Bytes = model.l2Bytes;
      model = *narrow;
      model.l1Bytes = l1Bytes, model.l2Bytes = l2Bytes;
    }
  return Error::success();
}

Expected<CpuTarget> CpuTarget::parse(StringRef spec) {
  StringRef rest = spec;
  bool isHost = spec == "cpu";
  if (!isHost && !rest.consume_front("cpu:"))
    return createStringError("'" + spec +
                             "' is not a CPU target; write 'cpu' for this "
                             "machine or 'cpu:MODEL'");
  StringMap<bool> host;
  if (isHost) {
#if !defined(__x86_64__)
    return createStringError(
        "this machine is not an x86-64; name the model to compile for, "
        "as in 'cpu:x86-64-v3'");
#endif
    host = sys::getHostCPUFeatures();
    rest = sys::getHostCPUName();
    if (!findCpuModel(rest))
      rest = host.lookup("avx512bw") ? "x86-64-v4" : "x86-64-v3";
  }
  auto [modelName, removed] = rest.split(',');
  const CpuModel *model = findCpuModel(modelName);
  if (!model)
    return createStringError(
        "unknown CPU model '" + modelName + "'; known are " +
        join(map_range(cpuModels, [](const CpuModel &m) { return m.name; }), ", ") +
        ", and 'cpu' for this machine");
  CpuTarget target(modelName, *model);
  SmallVector<StringRef> terms;
  removed.split(terms, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef term : terms)
    if (!term.consume_front("-") || !is_contained(codeFeatures, term))
      return createStringError("target '" + spec + "': '" + term +
                               "' takes no feature away; write '-' and one of " +
                               join(ArrayRef(codeFeatures), ", "));
  for (StringRef feature : codeFeatures)
    if (isHost ? !host.lookup(feature) : is_contained(terms, ("-" + feature).str()))
      target.removeFeature(feature);
  if (Error error = target.fitModel(spec))
    return error;
  return target;
}

std::string CpuTarget::getFeatures() const {
  SmallVector<std::string> terms;
  for (StringRef feature : codeFeatures)
    terms.push_back((hasFeature(feature) ? "+" : "-") + feature.str());
  // Tuning for older Intel cores splits 512-bit vectors; the atom was chosen for them.
  if (model.vectorBits == 512)
    terms.push_back("-prefer-256-bit");
  return join(terms, ",");
}

std::string CpuTarget::getRequiredFeatures() const {
  return join(make_filter_range(codeFeatures, [&](StringRef f) { return hasFeature(f); }),
              ",");
}
