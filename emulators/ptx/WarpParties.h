//===- WarpParties.h - Who executes a warp-wide instruction together ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each lane names by a mask whom it executes the instruction with. Lanes with the same
// mask are a party; several may stand at one instruction (two half warps). A party goes
// on when all lanes that it names and that have not exited are there; lanes that have
// exited or never were may be named, as the manual allows (shfl reports the latter).
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_WARPPARTIES_H
#define TILEWRIGHT_EMULATORS_PTX_WARPPARTIES_H

#include "emulators/ptx/Elementwise.h"

namespace tilewright::ptx {

/// Finds the parties of the active lanes, whose masks `maskRegister` holds, and says
/// Next; Wait where lanes have yet to come, Stop where a fault was reported.
Step gatherParties(Warp &warp, uint32_t maskRegister, std::vector<uint32_t> &parties);

inline bool isPoisoned(Warp &warp, uint32_t reg) {
  PoisonWords words;
  words.add(warp, {reg, 0xff});
  return !words.isSound();
}

/// Calls `body` with the lanes of each party once all have come.
template <typename Body> Step forEachParty(Warp &warp, uint32_t maskRegister, Body body) {
  // All lanes with one mask that names all is what nearly every program has.
  const uint64_t *masks = warp.values(maskRegister);
  if (warp.active == allLanes && !isPoisoned(warp, maskRegister)) {
    uint64_t every = ~uint64_t(0);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      every &= masks[lane];
    if (static_cast<uint32_t>(every) == allLanes) {
      body(allLanes);
      return Step::Next;
    }
  }
  std::vector<uint32_t> parties;
  Step step = gatherParties(warp, maskRegister, parties);
  if (step == Step::Next)
    for (uint32_t party : parties)
      body(party);
  return step;
}

/// Calls `body` for each of `lanes`.
template <typename Body> void forEachLaneOf(uint32_t lanes, Body body) {
  for (; lanes; lanes &= lanes - 1)
    body(static_cast<unsigned>(__builtin_ctz(lanes)));
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_WARPPARTIES_H
