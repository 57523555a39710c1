//===- WaitCounters.h - Memory operations under way ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A load writes its registers some time later; a counter says how many operations of a
// kind are under way, and an s_waitcnt waits until few enough are. Here every operation
// is done at once, but until a wait covers it, its registers may not be touched and what
// it did to LDS is not ordered before anything of other waves.
//
// Operations of one kind end in their order, except for scalar loads, which end in any:
// only a wait for none covers them. LDS operations and scalar loads share a counter
// before gfx12.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_WAITCOUNTERS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_WAITCOUNTERS_H

#include "emulators/amdgpu/Assembly.h"
#include "emulators/common/Memory.h"

#include <array>
#include <deque>
#include <memory>

namespace tilewright::amdgpu {

/// The counters of gfx12; earlier generations' waits cover several of them.
enum class Counter : uint8_t { Load, Store, Lds, Scalar, Sample, Bvh, Export, Count };

/// What a load reads of LDS: so many bytes at each lane's offset, and what else.
struct LdsRead {
  std::array<uint64_t, 64> at;
  uint64_t lanes = 0;
  unsigned bytes = 0;
  std::shared_ptr<const LdsRead> other;
};

/// An operation under way.
struct Outstanding {
  Counter counter = Counter::Load;
  bool isVector = true;
  uint16_t reg = 0;
  uint8_t count = 0; ///< registers that it will write; 0 of a store
  uint32_t line = 0; ///< offset of its instruction
  /// The clock of its agent when it was issued, where it is a store of the LDS unit, a
  /// flat operation or a load to LDS: a barrier orders it only after a wait. 0 of others.
  uint32_t ldsClock = 0;
  /// What a load of the LDS unit reads.
  std::shared_ptr<const LdsRead> reads;
  /// It is the LDS unit's own store; else a flat one, or a load to LDS.
  bool isLdsUnit = false;
  /// It may end before operations that were issued before it, or after later ones.
  bool anyOrder = false;
  /// What it has yet to write of LDS: so many bytes for each of these lanes, one lane's
  /// after the other's.
  uint8_t ldsBytes = 0;
  uint32_t ldsBegin = 0;
  uint64_t ldsLanes = 0;
  /// Of a single register, what it will write: 1 the lower half, 2 the upper.
  uint8_t halves = 3;
};

/// What a wait ended: loads, stores of the LDS unit, which keep their order among all
/// waves, and other stores.
struct Ended {
  uint64_t loads = 0, ldsStores = 0, stores = 0;

  void add(const Ended &other) {
    loads += other.loads;
    ldsStores += other.ldsStores;
    stores += other.stores;
  }
};

class WaitCounters {
public:
  /// `lds` is where loads to LDS write.
  explicit WaitCounters(emulator::Bytes &lds) : lds(lds) {}

  void issue(const Outstanding &operation);
  /// Waits until at most `most` operations of the counters in `mask` (a bit for each) are
  /// under way.
  Ended wait(uint32_t mask, unsigned most);
  /// The operation that has yet to write one of these registers, or one of these halves
  /// of it, or null. Those of the counters in `except` are passed over.
  const Outstanding *find(bool isVector, uint16_t reg, unsigned count, uint8_t halves,
                          uint32_t except = 0) const;
  /// Whether any has yet to write one of these registers.
  bool isPending(bool isVector, uint16_t reg, unsigned count) const {
    const uint8_t *counts = &pending[(isVector ? scalarRegisters : 0) + reg];
    unsigned any = counts[0];
    for (unsigned i = 1; i < count; ++i)
      any |= counts[i];
    return any;
  }
  /// The least ldsClock of the operations under way, of the LDS unit's own or of the
  /// others; 0 where there is none.
  uint32_t getOldestLdsClock(bool isLdsUnit) const;

  /// Calls `use` with the loads of the LDS unit that are under way.
  template <typename Use> void forReads(Use use) const {
    for (const Outstanding &one : operations)
      for (const LdsRead *read = one.reads.get(); read; read = read->other.get())
        use(one, *read);
  }

private:
  void finish(const Outstanding &operation);
  void countRegisters(const Outstanding &operation, int by);

  emulator::Bytes &lds;
  std::deque<Outstanding> operations; // the oldest first
  /// Operations that have yet to write each register: scalars, then vectors, and room for
  /// a range that starts at the last one.
  uint8_t pending[scalarRegisters + vectorRegisters + 64] = {};
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_WAITCOUNTERS_H
