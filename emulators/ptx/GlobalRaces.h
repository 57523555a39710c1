//===- GlobalRaces.h - The race check on global memory, of warps --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parties are clusters (a single block where the launch has none). What releases and
// acquires between them:
//
//   release   an operation with .release or .acq_rel: all that its warp has synchronised
//             with; or a relaxed one of a warp that has executed a releasing fence
//             before: what there was at the fence
//   acquire   an operation with .acquire or .acq_rel, or the next acquiring fence after a
//             relaxed one
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H
#define TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H

#include "emulators/common/GlobalRaces.h"
#include "emulators/ptx/Warp.h"

namespace tilewright::ptx {

class GlobalRaces {
public:
  /// Notes an access of `warp` to `size` bytes at `offset` of `allocation` and reports a
  /// conflict at `lane`.
  void note(Warp &warp, const emulator::Allocation &allocation, uint64_t offset,
            uint32_t size, Access access, unsigned lane, bool isNonCoherent = false);
  /// As emulator::GlobalRaces has it.
  void release(Warp &warp, uint64_t address, const emulator::VectorClock &clock,
               bool isStore);
  void forget(uint64_t address) { races.forget(address); }
  void acquire(Warp &warp, uint64_t address, bool isRelaxed);
  /// `warp` executes an acquiring fence of a scope beyond the cluster.
  void acquireByFence(Warp &warp);

private:
  emulator::GlobalRaces races;
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_GLOBALRACES_H
