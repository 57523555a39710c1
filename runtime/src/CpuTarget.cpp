//===- CpuTarget.cpp - Whether this machine runs code for a CPU target -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTarget.h"

#include <cstring>

using namespace tilewright;

namespace {

/// An extension as LLVM names it, and whether this machine has it.
struct Feature {
  const char *name;
  bool (*present)();
};

} // namespace

#define FEATURE(NAME) {NAME, [] { return __builtin_cpu_supports(NAME) != 0; }}
/// All that the compiler's CPU targets ask for.
static const Feature features[] = {
#if defined(__x86_64__)
    FEATURE("avx2"),         FEATURE("fma"),        FEATURE("f16c"),
    FEATURE("bmi"),          FEATURE("bmi2"),       FEATURE("lzcnt"),
    FEATURE("movbe"),        FEATURE("popcnt"),     FEATURE("gfni"),
    FEATURE("avxvnni"),      FEATURE("avx512f"),    FEATURE("avx512bw"),
    FEATURE("avx512cd"),     FEATURE("avx512dq"),   FEATURE("avx512vl"),
    FEATURE("avx512ifma"),   FEATURE("avx512vbmi"), FEATURE("avx512vbmi2"),
    FEATURE("avx512bitalg"), FEATURE("avx512vnni"), FEATURE("avx512vpopcntdq"),
    FEATURE("avx512bf16"),   FEATURE("avx512fp16"),
#endif
};
#undef FEATURE

/// The row of the feature whose name is the `length` bytes at `name`, or nullptr.
static const Feature *findFeature(const char *name, size_t length) {
  for (const Feature &feature : features)
    if (strlen(feature.name) == length && strncmp(feature.name, name, length) == 0)
      return &feature;
  return nullptr;
}

const char *tilewright::findMissingCpuFeature(const char *required, size_t *length) {
  while (required && *required) {
    *length = strcspn(required, ",");
    const Feature *feature = findFeature(required, *length);
    if (!feature || !feature->present())
      return required;
    required += *length + (required[*length] == ',');
  }
  return nullptr;
}
