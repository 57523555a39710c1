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

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace llvm;
using namespace tilewright::cpu;

static constexpr int64_t KiB = 1024;
static constexpr Architecture X86 = Architecture::X86_64, ARM = Architecture::AArch64;

// Instructions per cycle of one core, at the vector width in the second column. The rows
// of znver4 and sapphirerapids agree with GEMM kernels timed on such machines, that of
// znver5 with each instruction timed in a loop; the other rows of x86-64 follow the
// vendors' manuals, those of AArch64 LLVM's scheduling models, which follow Arm's.
// bf16 dot products are half rate on Intel's cores: there f32 FMA on widened operands
// wins.
// clang-format off
static constexpr CpuModel cpuModels[] = {
    // name                  narrow        bits fma  lat  bf16 lat  i8   i16  imul  ld  st  shuf any  L1d       L2
    {"x86-64-v3",       X86, "",           256,   2,   4,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB,  512 * KiB},
    {"haswell",         X86, "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB,  256 * KiB},
    {"broadwell",       X86, "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB,  256 * KiB},
    {"skylake",         X86, "",           256,   2,   4,    0,   0,    0,  1.5,   0.7,   2,    1,   1,   3, 32 * KiB,  256 * KiB},
    {"alderlake",       X86, "",           256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2,   1,   3, 48 * KiB, 1280 * KiB},
    {"raptorlake",      X86, "",           256,   2,   4,    0,   0,  1.5,  1.5,   0.7,   3,    2,   1,   3, 48 * KiB, 2048 * KiB},
    {"znver1",          X86, "",           256,   1,   5,    0,   0,    0,  0.5,  0.25,   1,  0.5,   1,   3, 32 * KiB,  512 * KiB},
    {"znver2",          X86, "",           256,   2,   5,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB,  512 * KiB},
    {"znver3",          X86, "",           256,   2,   4,    0,   0,    0,  1.5,     1,   2,    1,   1,   3, 32 * KiB,  512 * KiB},
    {"x86-64-v4",       X86, "x86-64-v3",  512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB, 1024 * KiB},
    {"skylake-avx512",  X86, "skylake",    512,   2,   4,    0,   0,    0,    1,   0.5,   2,    1,   1,   3, 32 * KiB, 1024 * KiB},
    {"cascadelake",     X86, "skylake",    512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1,   1,   3, 32 * KiB, 1024 * KiB},
    {"icelake-server",  X86, "alderlake",  512,   2,   4,    0,   0,    1,    1,   0.5,   2,    1,   1,   3, 48 * KiB, 1280 * KiB},
    {"sapphirerapids",  X86, "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1,   1,   3, 48 * KiB, 2048 * KiB},
    {"emeraldrapids",   X86, "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1,   1,   3, 48 * KiB, 2048 * KiB},
    {"graniterapids",   X86, "alderlake",  512,   2,   4,  0.5,  10,    1,    1,   0.5,   2,    1,   1,   3, 48 * KiB, 2048 * KiB},
    {"znver4",          X86, "znver3",     512,   1,   4,    1,   6,    1,  0.7,   0.5,   1,  0.5,   1,   3, 32 * KiB, 1024 * KiB},
    {"znver5",          X86, "znver3",     512,   2,   4,    2,   6,    2,  1.8,   1.8,   2,    1,   1,   3, 48 * KiB, 1024 * KiB},
    {"neoverse-n1",     ARM, "",           128,   2,   4,    0,   0,    2,    0,   0.5,   2,    1,   2,   2, 64 * KiB, 1024 * KiB},
    {"neoverse-n2",     ARM, "",           128,   2,   4,    2,   4,    2,    0,     1,   3,    2,   2,   2, 64 * KiB, 1024 * KiB},
    {"neoverse-v1",     ARM, "",           128,   4,   4,    4,   4,    4,    0,     2,   3,    2,   4,   4, 64 * KiB, 1024 * KiB},
    {"neoverse-v2",     ARM, "",           128,   4,   4,    4,   5,    4,    0,     2,   3,    2,   4,   4, 64 * KiB, 1024 * KiB},
};
// clang-format on

ArrayRef<CpuModel> tilewright::cpu::getCpuModels() { return cpuModels; }

const CpuModel *tilewright::cpu::findCpuModel(StringRef name) {
  const CpuModel *row =
      find_if(cpuModels, [&](const CpuModel &m) { return m.name == name; });
  return row == std::end(cpuModels) ? nullptr : row;
}

CpuTarget::CpuTarget(StringRef cpu, const CpuModel &model)
    : name("cpu:" + cpu.str()), cpu(cpu), model(model) {
  StringMap<bool> ofModel = getArchitecture().getFeatures(cpu);
  for (StringRef feature : getArchitecture().features)
    features[feature] = ofModel.lookup(feature);
}

/// Takes `feature` away, with all that builds on it.
void CpuTarget::removeFeature(StringRef feature) {
  if (!hasFeature(feature))
    return;
  name += (",-" + feature).str();
  StringMap<bool> dependents = getArchitecture().getDependents(feature);
  for (StringRef other : getArchitecture().features)
    if (dependents.contains(other))
      features[other] = false;
}

/// Narrows the model to what the features allow.
Error CpuTarget::fitModel(StringRef spec) {
  const ArchitectureInfo &architecture = getArchitecture();
  if (!all_of(architecture.base, [&](StringRef f) { return hasFeature(f); }))
    return createStringError("target '" + spec + "' (" + name + ") lacks " +
                             architecture.baseName +
                             ", which kernels are compiled to; use a machine or model of "
                             "at least " +
                             architecture.leastModel);
  if (!hasFeature("avx512f") || !hasFeature("avx512bw") || !hasFeature("avx512vl"))
    if (const CpuModel *narrow = findCpuModel(model.narrow)) {
      int64_t l1Bytes = model.l1Bytes, l2Bytes = model.l2Bytes;
      model = *narrow;
      model.l1Bytes = l1Bytes, model.l2Bytes = l2Bytes;
    }
  return Error::success();
}

/// What this machine has and lets a process use.
static StringMap<bool> getHostFeatures() {
  StringMap<bool> features = sys::getHostCPUFeatures();
#if defined(__x86_64__) && defined(__linux__)
  // Linux gives the tiles of AMX to processes that ask; a sandbox may not let them.
  constexpr long requestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
  constexpr long tileData = 18;              // its bit in XCR0
  if (features.lookup("amx-tile") &&
      syscall(SYS_arch_prctl, requestPermission, tileData) != 0)
    features["amx-tile"] = false;
#endif
  return features;
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
    host = getHostFeatures();
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
  ArrayRef<StringLiteral> features = target.getArchitecture().features;
  SmallVector<StringRef> terms;
  removed.split(terms, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  for (StringRef term : terms)
    if (!term.consume_front("-") || !is_contained(features, term))
      return createStringError("target '" + spec + "': '" + term +
                               "' takes no feature away; write '-' and one of " +
                               join(features, ", "));
  for (StringRef feature : features)
    if (isHost ? !host.lookup(feature) : is_contained(terms, ("-" + feature).str()))
      target.removeFeature(feature);
  if (Error error = target.fitModel(spec))
    return error;
  return target;
}

std::string CpuTarget::getFeatures() const {
  SmallVector<std::string> terms;
  for (StringRef feature : getArchitecture().features)
    terms.push_back((hasFeature(feature) ? "+" : "-") + feature.str());
  // Tuning for older Intel cores splits 512-bit vectors; the atom was chosen for them.
  if (model.vectorBits == 512)
    terms.push_back("-prefer-256-bit");
  return join(terms, ",");
}

std::string CpuTarget::getRequiredFeatures() const {
  return join(make_filter_range(getArchitecture().features,
                                [&](StringRef f) { return hasFeature(f); }),
              ",");
}
