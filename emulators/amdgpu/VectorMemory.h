//===- VectorMemory.h - Loads and stores of each lane -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What all vector memory operations have in common, whatever way they make addresses:
// bytes go between the registers of lanes and one of three memories.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_VECTORMEMORY_H
#define TILEWRIGHT_EMULATORS_AMDGPU_VECTORMEMORY_H

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/MemoryAccess.h"

namespace tilewright::amdgpu {

enum class Space : uint8_t {
  Global,  ///< addresses are the device's
  Lds,     ///< offsets in the work-group's
  Private, ///< offsets in each lane's own
};

/// What an operation moves for each lane, and which part of registers that is.
struct Width {
  uint8_t bytes = 4; ///< of memory: 1, 2, 4, 8, 12, 16
  bool isSigned = false;
  enum Half : uint8_t { None, Low, High } half = None; ///< "d16": the rest is kept
  unsigned registers() const { return (bytes + 3u) / 4; }
};

/// The width that the end of a mnemonic names: "ubyte_d16_hi", "b64", "dwordx3".
bool parseLoadWidth(std::string_view text, Width &width);
bool parseStoreWidth(std::string_view text, Width &width);
/// Operand 0 as the destination of a load. The half that it leaves alone may be used
/// before it ends, but on CDNA, which leaves none alone.
bool loadDestination(Decoder &decoder, const Width &width, unsigned registers);
/// Modifiers that say what caches do, and nothing else: whether that is for the device.
/// On atomics `sc0`, `glc` and `th:TH_ATOMIC_RETURN` say more: take those first.
void takeCachePolicy(Decoder &decoder);
/// Takes `prefix` off the front of `text`; false where it does not start so.
bool consumePrefix(std::string_view &text, std::string_view prefix);

/// Values of all lanes on their way: dword `i` is in `values[i]`.
struct LaneData {
  /// Zeros of `registers`, where not all lanes are sure to be read.
  LaneData(unsigned registers, bool isWhole) {
    if (!isWhole)
      clear(registers);
  }
  Lanes32 values[4];
  LanePoison poison[4] = {};
  bool isPoisoned = false; ///< whether `poison` has any

  void clear(unsigned registers);
  /// Of `lanes` all is undefined.
  void poisonLanes(unsigned registers, uint64_t lanes);
};

/// Reads `bytes` (a multiple of four, or 1 or 2 into a dword's low end) for each of
/// `lanes` to the registers of `data` from `first` on. What cannot be read was reported
/// and is undefined.
void readMemory(Wave &wave, Space space, const Lanes64 &at, uint64_t lanes,
                unsigned bytes, unsigned align, LaneData &data, unsigned first = 0);
/// Writes them. `values` and `poison` (null: all defined) are of successive registers.
struct LaneSource {
  const uint32_t *values[4];
  const uint8_t *poison[4];
};
void writeMemory(Wave &wave, Space space, const Lanes64 &at, uint64_t lanes,
                 unsigned bytes, unsigned align, const LaneSource &source,
                 unsigned first = 0);

/// The registers of a store's data. The half that `width` says is moved to the low end.
struct StoreData {
  StoreData(Wave &wave, const Source &source, const Width &width);
  LaneSource source;

private:
  Lanes32 buffers[4];
  LanePoison poisonBuffers[4];
};

/// Writes what was read to the registers of `destination`, extended as `width` says, and
/// marks them as pending until `counter` is waited for. An operation that only `counter`
/// has yet to end writes its registers first, so these may be written again.
void land(Wave &wave, const Source &destination, const Width &width, LaneData &data,
          uint32_t counters);
/// Notes the end of an operation: what an s_waitcnt waits for. A counter of
/// `Counter::Load` also waits for what returns nothing on targets without a counter of
/// stores.
void issue(Wave &wave, Counter counter, const Source &destination, uint32_t ldsClock = 0,
           bool anyOrder = false, bool isLdsUnit = false,
           std::shared_ptr<const LdsRead> reads = nullptr);

/// The same for the LDS unit's accesses to memory. It does those of a wave in the order
/// that they were issued in, but has several queues for the waves: a barrier orders one
/// before other waves' accesses only after a wait. `storeClock` is of
/// WorkGroup::tickStore, 0 of a load, and `reads` what that loads.
void issueLds(Wave &wave, const Source &destination, uint32_t storeClock = 0,
              std::shared_ptr<const LdsRead> reads = nullptr);

/// What a load of the LDS unit reads, for as long as it is under way; nothing where there
/// is no race check.
class LdsReads {
public:
  void add(const Wave &wave, const Lanes64 &at, unsigned bytes);
  std::shared_ptr<const LdsRead> take() { return std::move(last); }

private:
  std::shared_ptr<const LdsRead> last;
};
/// Writes what was read to LDS, from where M0 and the instruction's offset say: a dword
/// or more for each lane, lane after lane. It is there when a wait covers it.
void landInLds(Wave &wave, const Width &width, uint32_t offset, LaneData &data);
/// M0, which must be defined.
uint32_t readM0(Wave &wave);

/// Whether all lanes there can be are active.
inline bool isWhole(const Wave &wave) { return wave.active == ~uint64_t(0); }

constexpr uint32_t bitOf(Counter counter) { return 1u << unsigned(counter); }

/// A register of several, alone.
inline Source registerOf(const Source &source, unsigned index) {
  Source one = source;
  if (source.kind == Operand::Vector || source.kind == Operand::Scalar)
    one.reg = static_cast<uint16_t>(source.reg + index);
  one.count = 1;
  return one;
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_VECTORMEMORY_H
