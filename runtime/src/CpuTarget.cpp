//===- CpuTarget.cpp - Whether this machine runs code for a CPU target -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CpuTarget.h"

#if defined(__x86_64__)
#include "Cpuid.h"
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

#include <cstring>

using namespace tilewright;

namespace {

/// An extension as LLVM names it, and where this machine says whether it has it.
struct Feature {
  const char *name;
#if defined(__x86_64__)
  CpuidBit bit;
  bool isPresent() const { return bit.isSet(); }
#elif defined(__aarch64__)
  unsigned long word; // of the auxiliary vector
  unsigned long bit;
  bool isPresent() const { return (getauxval(word) & bit) != 0; }
#endif
};

} // namespace

/// All that the compiler's CPU targets ask for.
#if defined(__x86_64__)
static constexpr SavedState none = SavedState::None, avx = SavedState::Avx,
                            avx512 = SavedState::Avx512, tiles = SavedState::Tiles;
static constexpr CpuidBit::Register eax = CpuidBit::Eax, ebx = CpuidBit::Ebx,
                                    ecx = CpuidBit::Ecx, edx = CpuidBit::Edx;
static constexpr uint32_t extended = 0x80000001;
static constexpr Feature features[] = {
    {"avx2", {7, 0, ebx, 5, avx}},
    {"fma", {1, 0, ecx, 12, avx}},
    {"f16c", {1, 0, ecx, 29, avx}},
    {"bmi", {7, 0, ebx, 3, none}},
    {"bmi2", {7, 0, ebx, 8, none}},
    {"lzcnt", {extended, 0, ecx, 5, none}},
    {"movbe", {1, 0, ecx, 22, none}},
    {"popcnt", {1, 0, ecx, 23, none}},
    {"gfni", {7, 0, ecx, 8, none}},
    {"avxvnni", {7, 1, eax, 4, avx}},
    {"avx512f", {7, 0, ebx, 16, avx512}},
    {"avx512bw", {7, 0, ebx, 30, avx512}},
    {"avx512cd", {7, 0, ebx, 28, avx512}},
    {"avx512dq", {7, 0, ebx, 17, avx512}},
    {"avx512vl", {7, 0, ebx, 31, avx512}},
    {"avx512ifma", {7, 0, ebx, 21, avx512}},
    {"avx512vbmi", {7, 0, ecx, 1, avx512}},
    {"avx512vbmi2", {7, 0, ecx, 6, avx512}},
    {"avx512bitalg", {7, 0, ecx, 12, avx512}},
    {"avx512vnni", {7, 0, ecx, 11, avx512}},
    {"avx512vpopcntdq", {7, 0, ecx, 14, avx512}},
    {"avx512bf16", {7, 1, eax, 5, avx512}},
    {"avx512fp16", {7, 0, edx, 23, avx512}},
    {"amx-tile", {7, 0, edx, 24, tiles}},
    {"amx-bf16", {7, 0, edx, 22, tiles}},
    {"amx-int8", {7, 0, edx, 25, tiles}},
};
#elif defined(__aarch64__)
static constexpr Feature features[] = {
    {"neon", AT_HWCAP, HWCAP_ASIMD},       {"lse", AT_HWCAP, HWCAP_ATOMICS},
    {"rdm", AT_HWCAP, HWCAP_ASIMDRDM},     {"rcpc", AT_HWCAP, HWCAP_LRCPC},
    {"fullfp16", AT_HWCAP, HWCAP_ASIMDHP}, {"fp16fml", AT_HWCAP, HWCAP_ASIMDFHM},
    {"dotprod", AT_HWCAP, HWCAP_ASIMDDP},  {"sha3", AT_HWCAP, HWCAP_SHA3},
    {"bf16", AT_HWCAP2, HWCAP2_BF16},      {"i8mm", AT_HWCAP2, HWCAP2_I8MM},
    {"complxnum", AT_HWCAP, HWCAP_FCMA},   {"sve", AT_HWCAP, HWCAP_SVE},
    {"sve2", AT_HWCAP2, HWCAP2_SVE2},
};
#endif

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
    if (!feature || !feature->isPresent())
      return required;
    required += *length + (required[*length] == ',');
  }
  return nullptr;
}
