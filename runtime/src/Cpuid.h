//===- Cpuid.h - What an x86-64 says of its extensions -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// GCC's __builtin_cpu_supports asks the CPU when a library is loaded, which libraries
// that are never called should not do, and which takes microseconds on a virtual machine.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_CPUID_H
#define TILEWRIGHT_RUNTIME_SRC_CPUID_H

#include <cpuid.h>
#include <cstdint>
#include <sys/syscall.h>
#include <unistd.h>

namespace tilewright {

/// Registers that the operating system has to save for an extension, as XCR0 has them.
enum class SavedState : uint32_t { None = 0, Avx = 0x06, Avx512 = 0xe6, Tiles = 0x60000 };

/// Where CPUID has an extension's bit.
struct CpuidBit {
  uint32_t leaf, subleaf;
  enum Register { Eax, Ebx, Ecx, Edx } reg;
  int bit;
  SavedState state;

  bool isSet() const {
    uint32_t registers[4];
    if (!isSaved(state) ||
        !__get_cpuid_count(leaf, subleaf, &registers[Eax], &registers[Ebx],
                           &registers[Ecx], &registers[Edx]))
      return false;
    return registers[reg] >> bit & 1;
  }

private:
  static bool isSaved(SavedState state) {
    auto wanted = static_cast<uint32_t>(state);
    uint32_t eax, ebx, ecx = 0, edx;
    if (!wanted)
      return true;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx) || !(ecx & bit_OSXSAVE))
      return false;
    uint32_t low, high;
    asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (low & wanted) == wanted && (state != SavedState::Tiles || mayUseTiles());
  }

  /// The tiles of AMX are 8 KiB more of each thread's state, which Linux gives to
  /// processes that ask; asking again is harmless.
  static bool mayUseTiles() {
    constexpr long requestPermission = 0x1023; // ARCH_REQ_XCOMP_PERM
    constexpr long tileData = 18;              // its bit in XCR0
    return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
  }
};

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_CPUID_H
