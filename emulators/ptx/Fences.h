//===- Fences.h - What fences make visible, and to whom -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A proxy fence orders what lies before it on the way of synchronisation from a write to
// its use, whoever executes it. So a warp's vector clock has four rows of a clock for
// each agent, and joining clocks carries all of them along:
//
//   row 0, Generic:      how far of the agent's past is synchronised with
//   row 1, Async:        how far of it a proxy fence on the way has made visible to the
//                        async proxy (cp.async.bulk, tensor copies, wgmma) in shared
//                        memory
//   row 2, MbarrierInit: how far of its mbarrier.inits fence.mbarrier_init has published
//   row 3, AsyncGlobal:  as row 1, in global memory
//
//   fence.proxy.async:   own clock steps on, then row 1 := max(row 1, row 0), and so row
//                        3; with a state space one of the two
//   fence.mbarrier_init: own clock steps on, then row 2's own clock := own clock
//
// Fences of the memory model work with relaxed operations: what a warp had released by
// its last releasing fence goes with its relaxed arrivals, and what its relaxed waits
// observed is acquired by its next acquiring fence.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_FENCES_H
#define TILEWRIGHT_EMULATORS_PTX_FENCES_H

#include "emulators/ptx/Block.h"

#include <unordered_set>

namespace tilewright::ptx {

enum class View : uint8_t { Generic, Async, MbarrierInit, AsyncGlobal };

/// How far of `agent`'s past `warp` sees through `view`. For a word's LastWrite `last`,
/// `last.clock <= visibleClock(warp, View::Async, last.agent)` says that what `warp`
/// starts now in the async proxy sees the write.
uint32_t visibleClock(const Warp &warp, View view, uint32_t agent);

/// What a warp's fences did.
struct WarpFences : WarpState {
  emulator::VectorClock released;   ///< by the last releasing fence
  bool hasReleasedToDevice = false; ///< by a fence of a scope beyond the cluster
  emulator::VectorClock
      observed; ///< by relaxed operations since the last acquiring fence
  /// Generic addresses of tensor maps that fence.proxy.tensormap acquired.
  std::unordered_set<uint64_t> tensorMaps;
};

/// Release to and acquire from a synchronisation object by an operation of `warp` that is
/// relaxed: only fences give it an order.
void releaseRelaxed(Warp &warp, emulator::VectorClock &object);
void acquireRelaxed(Warp &warp, const emulator::VectorClock &object);

/// The fences themselves.
void fenceRelease(Warp &warp);
void fenceAcquire(Warp &warp);
void fenceProxyAsync(Warp &warp, bool ofShared, bool ofGlobal);
void fenceMbarrierInit(Warp &warp);

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_FENCES_H
