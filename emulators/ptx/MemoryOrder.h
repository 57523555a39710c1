//===- MemoryOrder.h - Acquire, release and waiting by polling ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Strong loads, strong stores and atomic operations order what races are checked for.
// Each word that they synchronise through has a clock: of the cluster's warps, kept in
// the cluster, for shared memory, and of clusters (GlobalRaces.h) for global memory.
//
// They also are what programs poll with. A warp that keeps seeing the same yields, so
// that others run. If its registers are the same too it can do nothing but wait; if they
// are not it counts or keeps time, and that is progress, for a while.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MEMORYORDER_H
#define TILEWRIGHT_EMULATORS_PTX_MEMORYORDER_H

#include "emulators/ptx/Block.h"

namespace tilewright::ptx {

/// A word that is synchronised through: in `owner`'s shared memory, or at a device
/// address.
struct SyncWord {
  Block *owner = nullptr;
  uint64_t address = 0; ///< or offset
};

/// The one at `place`, whose address is `address`.
inline SyncWord getSyncWord(const Place &place, uint64_t address) {
  return place.space == Space::Shared ? SyncWord{place.owner, place.offset}
                                      : SyncWord{nullptr, address};
}

struct SyncClocks;

/// The order that the strong accesses of one instruction of a warp give; it reads the
/// instruction's AccessFlags.
class AccessOrder {
public:
  AccessOrder(Warp &warp, const Instruction &instruction);

  /// Before a strong store or (not `isStore`) atomic operation, and after a strong load
  /// or atomic operation.
  void releaseTo(SyncWord word, bool isStore) {
    if (mayRelease)
      releaseClock(word, isStore);
  }
  void acquireFrom(SyncWord word) {
    if (mayAcquire)
      acquireClock(word);
  }

private:
  void releaseClock(SyncWord word, bool isStore);
  void acquireClock(SyncWord word);

  Warp &warp;
  const uint32_t flags;
  SyncClocks *clocks = nullptr;
  bool isRelease = false, mayRelease = false, mayAcquire = false;
};

/// The warp wrote to `space`: spinning warps may go on.
void noteProgress(Warp &warp, Space space);

/// The warp polled `space` by `instruction` and saw what `seen` is a hash of: Next, or
/// Yield where it has seen it several times running.
Step poll(Warp &warp, const Instruction &instruction, Space space, uint64_t seen);

inline uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * 0x9e3779b97f4a7c15;
  return hash ^ hash >> 29;
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MEMORYORDER_H
