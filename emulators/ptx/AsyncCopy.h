//===- AsyncCopy.h - What asynchronous copies share ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A copy lands at the wait that covers it, never before, as late as hardware may do it:
//
//   cp.async            reads when it is issued, writes at wait_group or at the wait for
//                       the mbarrier that cp.async.mbarrier.arrive named
//   bulk, to shared     reads and writes at the wait for its mbarrier
//   st.async, red.async reads when it is issued, writes at the wait for its mbarrier
//   bulk, to global     reads its source at wait_group.read and writes at wait_group, or
//                       when the thread exits
//
// Until then what will be written is Pending in the memory's shadow (but for what is
// combined with data there, which several copies may be under way to), and what will be
// read of shared memory is among its block's asyncSources.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_ASYNCCOPY_H
#define TILEWRIGHT_EMULATORS_PTX_ASYNCCOPY_H

#include "emulators/ptx/Block.h"
#include "emulators/ptx/Decode.h"
#include "emulators/ptx/Mbarrier.h"
#include "emulators/ptx/Reduction.h"
#include "emulators/ptx/TensorMap.h"

#include <cstring>
#include <functional>
#include <list>

namespace tilewright::ptx {

//===----------------------------------------------------------------------===//
// Operands
//===----------------------------------------------------------------------===//

/// An address operand; instructions here have several.
struct CopyAddress {
  Space space = Space::Generic;
  uint32_t reg = noRegister;
  int64_t offset = 0;

  uint64_t of(Warp &warp, unsigned lane) const {
    uint64_t address = warp.values(reg)[lane] + static_cast<uint64_t>(offset);
    // Addresses of shared memory have 32 bits.
    return space == Space::Shared || space == Space::SharedCluster ? uint32_t(address)
                                                                   : address;
  }
};
CopyAddress takeAddress(Decoder &decoder, const Operand &operand, Space space);
/// The space of shared memory that the next modifier names: .shared, .shared::cta or,
/// where `mayBeCluster`, .shared::cluster; Generic if it is none of them.
Space takeSharedSpace(Decoder &decoder, bool mayBeCluster);

/// Calls `perLane` for each active lane; goes on with the next instruction if it always
/// returned true.
template <typename F> Step forEachLane(Warp &warp, F &&perLane) {
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1)
    if (!perLane(static_cast<unsigned>(__builtin_ctz(lanes))))
      return Step::Stop;
  return Step::Next;
}

/// Copies what is known of bytes; those that nobody wrote are undefined data from now on.
inline void copyShadow(uint8_t *to, const uint8_t *from, size_t bytes) {
  size_t at = 0;
  for (; at + 8 <= bytes; at += 8) {
    uint64_t eight;
    memcpy(&eight, from + at, 8);
    if (eight != 0)
      break;
    memset(to + at, emulator::Sound, 8);
  }
  for (; at < bytes; ++at)
    to[at] = from[at] == emulator::Sound ? emulator::Sound : emulator::Undefined;
}

//===----------------------------------------------------------------------===//
// Checks, each of `bytes` bytes of shared memory that a copy starts to use
//===----------------------------------------------------------------------===//

/// Reports bytes that another copy has yet to write, or that hold an mbarrier.
void checkSettled(Warp &warp, const Place &place, uint32_t bytes, unsigned lane);
/// Reports data that generic instructions wrote and no proxy fence made visible to what
/// `warp` now starts in the async proxy: copies, and whoever else works there.
void checkVisibleToAsync(Warp &warp, const Block &owner, uint32_t offset, uint32_t bytes,
                         unsigned lane);
/// Whether it has nothing to report of `bytes` bytes at each of `offsets`.
bool areVisibleToAsync(const Warp &warp, const Block &owner,
                       const std::vector<uint32_t> &offsets, uint32_t bytes);
/// By which way an asynchronous operation uses memory: cp.async, st.async and red.async
/// go the way of ordinary instructions, and what they wrote others find there.
enum class Proxy : uint8_t { Generic, Async };
/// `lane` of `warp` starts a copy that will write what `place`, found by Access::Sync,
/// names: it is Pending from now on, unless the copy combines data (Access::Atomic).
void beginWrite(Warp &warp, const Place &place, uint32_t bytes, unsigned lane,
                Access access, Proxy proxy);

/// The layout of data in shared memory that the async proxy wrote last: unknown, rows of
/// more than 16 bytes in order, or by a swizzle as wgmma reads it (of 0, 32, 64 or 128
/// bytes, where that of 0 has rows of 16 bytes).
enum class TensorLayout : uint8_t {
  Unknown,
  Rows,
  Swizzle0,
  Swizzle32,
  Swizzle64,
  Swizzle128
};
TensorLayout getLayout(const TensorMap &map);
void setLayout(Block &block, uint32_t offset, uint32_t bytes, TensorLayout layout);
/// Reports chunks of 16 bytes of a matrix, of which `what` says that its swizzle has
/// `width` bytes, that a tensor copy laid out otherwise.
void checkLayout(Warp &warp, const std::vector<uint32_t> &chunks, uint32_t width,
                 const char *what);

//===----------------------------------------------------------------------===//
// Bulk copies
//===----------------------------------------------------------------------===//

/// Notes an access to global memory for the race check between blocks, where it is on,
/// and reports bytes that a bulk copy has yet to write.
void noteGlobal(Warp &warp, const Place &place, uint64_t bytes, Access access,
                unsigned lane);
/// The same of a copy that `lane` of `warp` starts in the async proxy; what it will
/// write, if it does not combine data (Access::Atomic), is Pending from now on. `place`
/// was found by Access::Read or Sync.
void beginGlobal(Warp &warp, const Place &place, uint64_t bytes, Access access,
                 unsigned lane);

/// Who started a copy that reads global memory when it lands, and when: nobody may write
/// there until then.
class GlobalReader {
public:
  GlobalReader(Warp &warp, const Instruction &instruction, unsigned lane);
  /// Reports a write to the `bytes` bytes at `place`, which the copy reads now.
  void check(const Place &place, uint64_t bytes) const;

private:
  Warp &warp;
  const Instruction &instruction;
  const unsigned lane;
  const uint32_t since;
};

/// A range of shared memory that a copy has yet to read.
class SharedSource {
public:
  /// Checks `bytes` at `place`, which `lane` of `warp` gives away to the copy.
  SharedSource(Warp &warp, const Place &place, uint32_t bytes, unsigned lane);

  Block &owner;
  const uint32_t offset, bytes;
  const uint8_t *data() const { return owner.shared.data() + offset; }
  const uint8_t *shadow() const { return owner.shared.shadow() + offset; }
  /// The copy has read it.
  void release() { owner.asyncSources.erase(entry); }

private:
  std::list<Block::AsyncSource>::iterator entry;
};

/// Writes what was read from a copy's source.
using WriteBack = std::function<void(const uint8_t *data, const uint8_t *shadow)>;

/// Copies from shared memory that complete by bulk groups.
class BulkGroups : public WarpState {
public:
  ~BulkGroups() override;
  void add(unsigned lane, SharedSource source, WriteBack write);
  /// Ends the open group of each of `lanes`.
  void commit(uint32_t lanes);
  /// All but the last `left` groups of `lanes` have read their sources and, unless
  /// `readsOnly`, written.
  void wait(Warp &warp, uint32_t lanes, uint64_t left, bool readsOnly);
  void exit(Warp &warp, uint32_t lanes) override;

private:
  struct Copy {
    unsigned lane;
    uint64_t group; ///< number among the lane's
    SharedSource source;
    WriteBack write;
    bool wasRead = false;
    std::vector<uint8_t> data, shadow;
  };
  void read(Warp &warp, Copy &copy, bool mayNote);
  void writeBack(Warp &warp, Copy &copy);

  std::list<Copy> copies; // as issued
  uint64_t committed[lanesPerWarp] = {};
  size_t buffered = 0; // bytes read and not yet written
};

/// What a bulk copy to shared memory tells: an mbarrier in each destination's block.
struct LoadTarget {
  Place place;
  Mbarrier *barrier;
};
/// The destinations of a copy of `bytes` to `to` that `barrier` is told of, in each block
/// of `mask` at the same place (where there is a mask); the copy begins to write them.
/// Empty where a fault was reported.
std::vector<LoadTarget> findTargets(Warp &warp, const CopyAddress &to,
                                    const CopyAddress &barrier, uint32_t bytes,
                                    uint32_t align, unsigned lane, Access access,
                                    std::optional<uint32_t> mask, Proxy proxy,
                                    TensorLayout layout = TensorLayout::Unknown);
/// Lets `land` run when the barrier is waited for, and `bytes` complete then.
void defer(Warp &warp, Mbarrier &barrier, uint32_t bytes, std::function<void()> land);

// Decoders of the groups of instructions behind decodeAsyncCopy, each in the file of its
// name; the modifiers that told them apart are taken.
void decodeBulkCopy(Decoder &decoder, bool reduces); // BulkCopyOps.cpp
void decodeBulkPrefetch(Decoder &decoder);           // BulkCopyOps.cpp
void decodeBulkGroup(Decoder &decoder, bool isWait); // AsyncCopy.cpp
void decodeTensorCopy(Decoder &decoder, bool reduces,
                      bool prefetches); // TensorCopyOps.cpp
void decodeTensormap(Decoder &decoder); // TensormapOps.cpp
/// Behind decodeMemory and decodeAtomic; `async` is taken.
void decodeAsyncStore(Decoder &decoder, bool reduces); // AsyncStoreOps.cpp

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_ASYNCCOPY_H
