//===- Block.h - A thread block, its cluster and their shared memory ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_BLOCK_H
#define TILEWRIGHT_EMULATORS_PTX_BLOCK_H

#include "emulators/common/Order.h"
#include "emulators/ptx/LaneHistory.h"
#include "emulators/ptx/Launch.h"
#include "emulators/ptx/Warp.h"

#include <list>

namespace tilewright::ptx {

class Cluster;

/// State that a family of instructions keeps in a block or cluster; as WarpState.
struct BlockState {
  virtual ~BlockState() = default;
};

/// Addresses of the windows that generic addresses of other spaces lie in. Shared memory
/// of the block with rank r in its cluster is at sharedWindow + (r << sharedRankBits). As
/// a shared::cluster address of 32 bits it is at (r + 1) << sharedRankBits, and one below
/// 1 << sharedRankBits is the block's own.
constexpr uint64_t sharedWindow = 0x0000'0001'0000'0000;
constexpr unsigned sharedRankBits = 24;
constexpr uint64_t localWindow = 0x0000'0002'0000'0000;
constexpr uint64_t paramWindow = 0x0000'0003'0000'0000;
constexpr uint64_t windowBytes = 0x0000'0001'0000'0000;
/// The generic address of a shared or shared::cluster address, and back. `rank` is of the
/// block that asks.
inline uint64_t sharedToGeneric(uint64_t address, uint32_t rank) {
  uint64_t named = address >> sharedRankBits;
  uint64_t offset = address & ((uint64_t(1) << sharedRankBits) - 1);
  return sharedWindow + ((named ? named - 1 : rank) << sharedRankBits) + offset;
}
inline uint64_t genericToShared(uint64_t address, uint32_t rank) {
  uint64_t named = (address - sharedWindow) >> sharedRankBits;
  uint64_t offset = address & ((uint64_t(1) << sharedRankBits) - 1);
  return named == rank ? offset : (named + 1) << sharedRankBits | offset;
}
/// Where a block's shared memory starts: the first kilobyte is the system's on sm_90, and
/// alignments up to it are met by what starts here.
constexpr uint32_t sharedStart = 1024;

class Block {
public:
  Block(Cluster &cluster, emulator::Dim3 id, uint32_t rank);
  ~Block();

  Cluster &cluster;
  LaunchRun &launch;
  const emulator::Dim3 id;
  const uint32_t rank; ///< in its cluster
  std::vector<std::unique_ptr<Warp>> warps;
  /// Shared memory; address `sharedStart + i` is byte i.
  const emulator::Pool<emulator::Bytes>::Pointer sharedOwner;
  emulator::Bytes &shared;

  // The race check on shared memory. Agents are the cluster's warps: `agentOf`.
  emulator::Pool<emulator::AccessHistory>::Pointer history;
  uint32_t agentOf(const Warp &warp) const;
  emulator::VectorClock &clockOf(const Warp &warp);
  /// Release to and acquire from the clock of a synchronisation object.
  void release(Warp &warp, emulator::VectorClock &object);
  void acquire(Warp &warp, const emulator::VectorClock &object);
  /// Notes an access of `warp` to `size` bytes at `offset` of this block's shared memory
  /// and reports a conflict at `lane`.
  void note(Warp &warp, uint32_t offset, unsigned size, Access access, unsigned lane);
  /// As `note` for each of `lanes`, at its offset of `offsets`.
  void noteLanes(Warp &warp, const uint32_t *offsets, unsigned size, Access access,
                 uint32_t lanes);
  /// The race check within a warp, where it is asked for.
  emulator::Pool<LaneHistory>::Pointer laneHistory;
  /// Notes what `lanes` of `warp` do to this block's shared memory, as LaneHistory::note,
  /// and reports lanes of the warp that meet.
  void noteInWarp(Warp &warp, const uint32_t *offsets, unsigned size,
                  LaneHistory::Kind kind, uint32_t lanes) {
    if (laneHistory)
      noteKnownLanes(warp, offsets, size, kind, lanes);
  }
  /// Ranges of this block's shared memory that asynchronous copies have yet to read; a
  /// write to one is reported.
  struct AsyncSource {
    uint32_t begin, end, line;
  };
  std::list<AsyncSource> asyncSources;
  /// How many wgmma.mma_async have yet to read each 16 bytes, and the line of one; empty
  /// until the first.
  struct MatrixSource {
    uint32_t readers = 0, line = 0;
  };
  std::vector<MatrixSource> matrixSources;
  /// How tensor copies laid out what they wrote to each 16 bytes (AsyncCopy.h); empty
  /// until the first.
  std::vector<uint8_t> tensorLayouts;

  template <typename T> T &state() {
    for (auto &one : states)
      if (auto *found = dynamic_cast<T *>(one.get()))
        return *found;
    states.push_back(std::make_unique<T>());
    return static_cast<T &>(*states.back());
  }

  uint32_t threadCount() const;
  uint32_t warpsAlive() const;
  /// The last lanes of `warp` exit; reports copies that still use the block's shared
  /// memory if it is the block's last warp.
  void checkExit(Warp &warp);

private:
  void noteKnownLanes(Warp &warp, const uint32_t *offsets, unsigned size,
                      LaneHistory::Kind kind, uint32_t lanes);
  void reportSources(Warp &warp, uint32_t offset, unsigned size, unsigned lane);
  void reportConflict(Warp &warp, uint32_t offset, Access access,
                      const emulator::AccessHistory::Conflict &conflict, unsigned lane);

  std::vector<std::unique_ptr<BlockState>> states;
  std::vector<emulator::VectorClock> clocks; // of own warps
};

/// Blocks that run together and see each other's shared memory; one block where the
/// launch has no clusters.
class Cluster : public emulator::Party {
public:
  Cluster(LaunchRun &launch, emulator::Dim3 id);
  ~Cluster() override;

  LaunchRun &launch;
  const emulator::Dim3 id;
  std::vector<std::unique_ptr<Block>> blocks;

  template <typename T> T &state() {
    for (auto &one : states)
      if (auto *found = dynamic_cast<T *>(one.get()))
        return *found;
    states.push_back(std::make_unique<T>());
    return static_cast<T &>(*states.back());
  }

  Outcome run(uint64_t rounds) override;
  /// Something changed that a warp may wait for: an arrival, a completed copy.
  void noteProgress() { turns.noteProgress(); }
  uint64_t getProgress() const { return turns.getProgress(); }
  /// A number that no warp of the cluster has had as its epoch (LaneHistory.h).
  uint32_t getNewEpoch() { return ++epochs; }
  Statistics *getStatistics() { return &statistics; }
  /// Its number in the grid.
  uint32_t getNumber() const;
  /// The report of a deadlock: what each warp that is not done waits for. Its rule is
  /// another one where lanes of a warp wait for others of it.
  emulator::Fault describeDeadlock() const override;

private:
  std::vector<std::unique_ptr<BlockState>> states;
  emulator::Turns<Warp> turns;
  uint32_t epochs = 0;
  Statistics statistics; // added to the launch's at the end
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_BLOCK_H
