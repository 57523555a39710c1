//===- CpuTarget.cpp - Whether this machine runs code for a CPU target -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTarget.h"

#include <cstring>

using namespace tilewright;

#if defined(__x86_64__)

namespace {

/// An extension, and whether this machine has it.
struct Feature {
  const char *name;
  bool (*present)();
};

/// A CPU name, and how much of `features` its code may use.
struct CpuModel {
  const char *name;
  int featureCount;
};

} // namespace

#define FEATURE(NAME) {NAME, [] { return __builtin_cpu_supports(NAME) != 0; }}
/// In the order in which CPUs got them: a model that has one has those before it.
static const Feature features[] = {
    FEATURE("x86-64-v2"),  FEATURE("avx"),        FEATURE("x86-64-v3"),
    FEATURE("x86-64-v4"),  FEATURE("avx512vnni"), FEATURE("avx512vbmi2"),
    FEATURE("avx512bf16"),
};
#undef FEATURE

/// `x86-64` and models without an entry are tested for nothing.
static constexpr CpuModel models[] = {
    {"x86-64-v2", 1},      {"nehalem", 1},       {"westmere", 1},
    {"sandybridge", 2},    {"ivybridge", 2},     {"x86-64-v3", 3},
    {"haswell", 3},        {"broadwell", 3},     {"skylake", 3},
    {"alderlake", 3},      {"raptorlake", 3},    {"znver1", 3},
    {"znver2", 3},         {"znver3", 3},        {"x86-64-v4", 4},
    {"skylake-avx512", 4}, {"cascadelake", 5},   {"icelake-client", 6},
    {"icelake-server", 6}, {"tigerlake", 6},     {"rocketlake", 6},
    {"sapphirerapids", 7}, {"emeraldrapids", 7}, {"graniterapids", 7},
    {"znver4", 7},         {"znver5", 7},
};

const char *tilewright::findMissingCpuFeature(const char *target) {
  for (const CpuModel &model : models) {
    if (strcmp(model.name, target) != 0)
      continue;
    for (int i = 0; i < model.featureCount; ++i)
      if (!features[i].present())
        return features[i].name;
  }
  return nullptr;
}

#else

const char *tilewright::findMissingCpuFeature(const char *) { return nullptr; }

#endif
