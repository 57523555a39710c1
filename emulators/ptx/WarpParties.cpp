//===- WarpParties.cpp - Who executes a warp-wide instruction together --------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/WarpParties.h"

#include <cstdio>

using namespace tilewright::ptx;

Step tilewright::ptx::gatherParties(Warp &warp, uint32_t maskRegister,
                                    std::vector<uint32_t> &parties) {
  parties.clear();
  if (!warp.expectSound(maskRegister, "the member mask"))
    return Step::Stop;
  const uint64_t *masks = warp.values(maskRegister);
  char text[128];
  for (uint32_t lanes = warp.active; lanes;) {
    unsigned lane = __builtin_ctz(lanes);
    uint32_t mask = static_cast<uint32_t>(masks[lane]), same = 0;
    for (uint32_t rest = lanes; rest; rest &= rest - 1) {
      unsigned other = __builtin_ctz(rest);
      same |= uint32_t(static_cast<uint32_t>(masks[other]) == mask) << other;
    }
    if (same & ~mask) {
      snprintf(text, sizeof(text),
               "lane %d executes it, and its mask %#x does not name it",
               __builtin_ctz(same & ~mask), mask);
      return warp.stop(Rule::Convergence, text, __builtin_ctz(same & ~mask));
    }
    uint32_t missing = mask & warp.alive & ~same;
    if (missing & warp.group->lanes) {
      unsigned other = __builtin_ctz(missing & warp.group->lanes);
      snprintf(text, sizeof(text),
               warp.active >> other & 1
                   ? "lane %d names lane %u by mask %#x, which names others itself"
                   : "lane %d names lane %u by mask %#x, whose guard is false",
               lane, other, mask);
      return warp.stop(Rule::Convergence, text, lane);
    }
    if (missing)
      return warp.waitForLanes(Rule::Convergence, missing);
    parties.push_back(same);
    lanes &= ~same;
  }
  return Step::Next;
}
