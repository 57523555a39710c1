//===- HipTarget.cpp - The AMD GPU that code is compiled for --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/hip/HipTarget.h"

using namespace tilewright::hip;

static constexpr int64_t KiB = 1024;

/// LDS of a work-group ("Local Data Share" of AMD's ISA documents).
static constexpr HipTarget targets[] = {
    {"gfx90a", 64, 64 * KiB, false},
    {"gfx942", 64, 64 * KiB, false},
    {"gfx950", 64, 160 * KiB, true},
};

llvm::Expected<HipTarget> HipTarget::parse(llvm::StringRef spec) {
  llvm::StringRef arch = spec.split(':').second;
  if (arch.empty())
    arch = "gfx942";
  std::string known;
  for (const HipTarget &target : targets) {
    if (target.arch == arch)
      return target;
    known += (known.empty() ? "" : ", ") + target.arch.str();
  }
  return llvm::createStringError("target '%s': unknown architecture '%s'; known are: %s",
                                 spec.str().c_str(), arch.str().c_str(), known.c_str());
}
