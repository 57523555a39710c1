//===- Checks.h - What an emulated device checks -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_CHECKS_H
#define TILEWRIGHT_EMULATORS_COMMON_CHECKS_H

namespace tilewright::emulator {

/// What a device checks beyond what it needs to go on, and what it counts and measures.
/// Each vendor's derive from it.
struct Checks {
  bool uninitialised = true;
  bool sharedRaces = true;
  bool globalRaces = false;
  bool statistics = false;    ///< bank conflicts, sectors and counts by instruction
  bool timesProducts = false; ///< measures the time in matrix instructions
};

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_CHECKS_H
