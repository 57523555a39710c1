//===- Target.h - The GPUs that are emulated ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_TARGET_H
#define TILEWRIGHT_EMULATORS_AMDGPU_TARGET_H

#include <cstdint>
#include <string_view>

namespace tilewright::amdgpu {

/// In the order of their making, so that `>=` asks for "this one or a later one" within
/// CDNA (gfx9) and within RDNA (gfx11, gfx12).
enum class Gpu : uint8_t { Gfx90a, Gfx942, Gfx950, Gfx1100, Gfx1201 };

struct Target {
  Gpu gpu;
  std::string_view name; ///< "gfx942"
  unsigned generation;   ///< 9, 11, 12
  unsigned waveSize;     ///< what its compilers use: 64 on CDNA, 32 on RDNA
  uint32_t ldsBytes;     ///< that one work-group may have
  uint32_t elfMachine;   ///< EF_AMDGPU_MACH of its code objects

  bool isCdna() const { return generation == 9; }
  bool isRdna() const { return generation > 9; }
};

inline constexpr Target targets[] = {
    {Gpu::Gfx90a, "gfx90a", 9, 64, 64 * 1024, 0x03f},
    {Gpu::Gfx942, "gfx942", 9, 64, 64 * 1024, 0x04c},
    {Gpu::Gfx950, "gfx950", 9, 64, 160 * 1024, 0x04f},
    {Gpu::Gfx1100, "gfx1100", 11, 32, 64 * 1024, 0x041},
    {Gpu::Gfx1201, "gfx1201", 12, 32, 64 * 1024, 0x04e},
};

/// The target of a name such as "gfx942"; null where there is none.
inline const Target *findTarget(std::string_view name) {
  for (const Target &target : targets)
    if (target.name == name)
      return &target;
  return nullptr;
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_TARGET_H
