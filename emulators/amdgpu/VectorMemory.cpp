//===- VectorMemory.cpp - Loads and stores of each lane -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/VectorMemory.h"
#include "emulators/amdgpu/MemoryStatistics.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

void LaneData::clear(unsigned registers) {
  memset(values, 0, registers * sizeof(values[0]));
}

void LaneData::poisonLanes(unsigned registers, uint64_t lanes) {
  for (unsigned i = 0; i < registers; ++i)
    for (uint64_t left = lanes; left; left &= left - 1)
      poison[i][__builtin_ctzll(left)] = 0xf;
  isPoisoned = true;
}

namespace {
/// Finds global memory for one lane after the other: mostly in one allocation.
template <unsigned bytes> class GlobalCursor {
public:
  static constexpr bool isLds = false;
  GlobalCursor(Wave &wave, unsigned align, Access access)
      : wave(wave), align(align), access(access) {}

  Place find(uint64_t address, unsigned lane) {
    if (address - base < room && address % align == 0)
      return {data + (address - base), shadow + (address - base)};
    Place place = findGlobal(wave, address, bytes, align, lane, access);
    // The race check wants to know of each access.
    if (place && !wave.group.launch.globalRaces)
      if (Allocation *found = wave.group.launch.device.memory.find(address)) {
        uint64_t skipped = access == Access::Read ? 0 : found->readOnlyBytes;
        base = found->base + skipped;
        room = found->size - skipped - bytes + 1;
        data = found->memory.data() + skipped;
        shadow = found->memory.shadow() + skipped;
      }
    return place;
  }
  /// The bytes of all lanes, `bytes` each, one after the other from `address` on, if they
  /// are in one allocation; nothing is reported.
  Place findRun(uint64_t address, uint64_t size) {
    Allocation *found = wave.group.launch.device.memory.find(address);
    if (!found || found->freed || wave.group.launch.globalRaces ||
        found->size - (address - found->base) < size || address % align ||
        (access != Access::Read && address - found->base < found->readOnlyBytes))
      return {};
    uint64_t offset = address - found->base;
    return {found->memory.data() + offset, found->memory.shadow() + offset};
  }

  void noteAll(const Lanes64 &, uint64_t) {}
  uint64_t copySound(const Lanes64 &, uint64_t lanes, LaneData &, unsigned) const {
    return lanes;
  }

private:
  Wave &wave;
  unsigned align;
  Access access;
  uint64_t base = 0, room = 0;
  uint8_t *data = nullptr, *shadow = nullptr;
};

/// All of the shadow's bits, of `size` bytes.
uint8_t joinShadow(const uint8_t *shadow, size_t size) {
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= size; i += 8) {
    uint64_t eight;
    memcpy(&eight, shadow + i, 8);
    all |= eight;
  }
  for (; i < size; ++i)
    all |= shadow[i];
  all |= all >> 32;
  all |= all >> 16;
  return static_cast<uint8_t>(all | all >> 8);
}

/// The same of LDS.
template <unsigned bytes> class LdsCursor {
public:
  static constexpr bool isLds = true;
  LdsCursor(Wave &wave, unsigned align, Access access)
      : wave(wave), lds(wave.group.lds), align(align), access(access) {}

  /// Notes together what it can of the accesses of `lanes` at `at`; to be called before
  /// `find`.
  void noteAll(const Lanes64 &at, uint64_t lanes) {
    uint64_t plain = 0;
    for (uint64_t left = lanes; left; left &= left - 1) {
      const uint64_t offset = at[__builtin_ctzll(left)];
      if (!isInside(offset, bytes))
        continue;
      const uint8_t state = joinShadow(lds.shadow() + offset, bytes);
      if (state & Pending)
        continue;
      plain |= left & -left;
      if (!state)
        sound |= left & -left;
    }
    noted = plain & ~wave.group.noteLanes(wave, at, plain, bytes, access);
  }
  Place find(uint64_t offset, unsigned lane) {
    if (noted >> lane & 1)
      return {lds.data() + offset, lds.shadow() + offset};
    // Lanes that read the same are one access.
    if (last && offset == lastOffset && access == Access::Read)
      return last;
    lastOffset = offset;
    return last = findLds(wave, offset, bytes, align, lane, access);
  }
  Place findRun(uint64_t offset, uint64_t size) {
    if (!isInside(offset, size) || (joinShadow(lds.shadow() + offset, size) & Pending))
      return {};
    return findLds(wave, offset, static_cast<uint32_t>(size), align, wave.firstLane(),
                   access);
  }
  bool isNoted(unsigned lane) const { return noted >> lane & 1; }
  /// Copies what is defined to lanes that were noted together; the other lanes.
  uint64_t copySound(const Lanes64 &at, uint64_t lanes, LaneData &data,
                     unsigned first) const {
    for (uint64_t left = lanes & noted & sound; left; left &= left - 1) {
      const unsigned lane = __builtin_ctzll(left);
      uint32_t words[(bytes + 3) / 4] = {};
      memcpy(words, lds.data() + at[lane], bytes);
      for (unsigned i = 0; i < (bytes + 3) / 4; ++i)
        data.values[first + i][lane] = words[i];
    }
    return lanes & ~(noted & sound);
  }
  bool isInside(uint64_t offset, uint64_t size) const {
    return offset <= lds.size() && size <= lds.size() - offset && offset % align == 0;
  }

private:
  Wave &wave;
  Bytes &lds;
  unsigned align;
  Access access;
  uint64_t noted = 0, sound = 0;
  Place last;
  uint64_t lastOffset = 0;
};

/// The lanes from 0 on that are all in `lanes`, where it has no others; else 0.
unsigned countRun(uint64_t lanes) {
  return lanes & (lanes + 1) ? 0 : static_cast<unsigned>(__builtin_popcountll(lanes));
}

/// Whether lane `i` of the first `count` accesses the bytes after lane `i` - 1's.
bool isContiguous(const Lanes64 &at, unsigned count, unsigned bytes) {
  uint64_t start = at[0], other = 0;
  for (unsigned lane = 0; lane < count; ++lane)
    other |= at[lane] ^ (start + uint64_t(lane) * bytes);
  return count > 1 && !other;
}

bool isSound(const uint8_t *shadow, size_t size) { return !joinShadow(shadow, size); }

/// `words` dwords, or `bytes` of one, from memory to lane `lane`.
template <unsigned bytes>
void gather(const Place &place, unsigned lane, LaneData &data, unsigned first) {
  constexpr unsigned registers = (bytes + 3) / 4;
  uint32_t words[registers] = {}, states[registers] = {};
  memcpy(words, place.data, bytes);
  memcpy(states, place.shadow, bytes);
  uint32_t any = 0;
  for (unsigned i = 0; i < registers; ++i) {
    data.values[first + i][lane] = words[i];
    any |= states[i];
  }
  if (!any)
    return;
  data.isPoisoned = true;
  for (unsigned i = 0; i < registers; ++i)
    data.poison[first + i][lane] =
        poisonFromShadow(reinterpret_cast<const uint8_t *>(&states[i]), 4);
}

template <unsigned bytes>
void scatter(const Place &place, unsigned lane, const LaneSource &source,
             unsigned first) {
  constexpr unsigned registers = (bytes + 3) / 4;
  uint32_t words[registers];
  uint8_t states[registers * 4] = {};
  for (unsigned i = 0; i < registers; ++i) {
    words[i] = source.values[first + i][lane];
    const uint8_t *poison = source.poison[first + i];
    if (poison && poison[lane])
      poisonToShadow(poison[lane], states + 4 * i, 4);
  }
  memcpy(place.data, words, bytes);
  memcpy(place.shadow, states, bytes);
}

template <template <unsigned> class Cursor, unsigned bytes>
void readWith(Wave &wave, const Lanes64 &at, uint64_t lanes, unsigned align,
              LaneData &data, unsigned first) {
  Cursor<bytes> cursor(wave, align, Access::Read);
  constexpr unsigned registers = (bytes + 3) / 4;
  unsigned count = countRun(lanes);
  if (isContiguous(at, count, bytes))
    if (Place place = cursor.findRun(at[0], uint64_t(count) * bytes)) {
      if (bytes == 4 && isSound(place.shadow, count * bytes)) {
        memcpy(data.values[first].v, place.data, count * bytes);
        return;
      }
      for (unsigned lane = 0; lane < count; ++lane)
        gather<bytes>({place.data + lane * bytes, place.shadow + lane * bytes}, lane,
                      data, first);
      return;
    }
  cursor.noteAll(at, lanes);
  for (uint64_t left = cursor.copySound(at, lanes, data, first); left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    if (Place place = cursor.find(at[lane], lane)) {
      gather<bytes>(place, lane, data, first);
      continue;
    }
    data.isPoisoned = true;
    for (unsigned i = 0; i < registers; ++i) {
      data.values[first + i][lane] = 0;
      data.poison[first + i][lane] = 0xf;
    }
  }
}

/// Whether all that is to be written is there already, and defined.
template <unsigned bytes>
bool isThere(const Place &place, unsigned lane, const LaneSource &source,
             unsigned first) {
  uint32_t words[(bytes + 3) / 4];
  for (unsigned i = 0; i < (bytes + 3) / 4; ++i) {
    words[i] = source.values[first + i][lane];
    if (source.poison[first + i] && source.poison[first + i][lane])
      return false;
  }
  return !memcmp(place.data, words, bytes) && isSound(place.shadow, bytes);
}

template <template <unsigned> class Cursor, unsigned bytes>
void writeWith(Wave &wave, const Lanes64 &at, uint64_t lanes, unsigned align,
               const LaneSource &source, unsigned first) {
  Cursor<bytes> cursor(wave, align, Access::Write);
  unsigned count = countRun(lanes);
  if (!Cursor<bytes>::isLds && isContiguous(at, count, bytes))
    if (Place place = cursor.findRun(at[0], uint64_t(count) * bytes)) {
      if (bytes == 4 && !source.poison[first]) {
        memcpy(place.data, source.values[first], count * bytes);
        memset(place.shadow, Sound, count * bytes);
        return;
      }
      for (unsigned lane = 0; lane < count; ++lane)
        scatter<bytes>({place.data + lane * bytes, place.shadow + lane * bytes}, lane,
                       source, first);
      return;
    }
  cursor.noteAll(at, lanes);
  for (uint64_t left = lanes; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    if constexpr (Cursor<bytes>::isLds) {
      // Waves that write the same value do not race.
      Bytes &lds = wave.group.lds;
      const uint64_t offset = at[lane];
      if (!cursor.isNoted(lane) && cursor.isInside(offset, bytes) &&
          isThere<bytes>({lds.data() + offset, lds.shadow() + offset}, lane, source,
                         first)) {
        wave.group.note(wave, static_cast<uint32_t>(offset), bytes, Access::Rewrite,
                        lane);
        continue;
      }
    }
    if (Place place = cursor.find(at[lane], lane))
      scatter<bytes>(place, lane, source, first);
  }
}

//===----------------------------------------------------------------------===//
// Private memory
//===----------------------------------------------------------------------===//

/// Dword `i` of all lanes is one row, as the hardware has it: lanes mostly access the
/// same offset.
bool findPrivate(Wave &wave, uint64_t offset, unsigned bytes, unsigned lane,
                 Access access) {
  uint64_t size = wave.privateBytes();
  if (offset < size && bytes <= size - offset)
    return true;
  wave.report(Rule::OutOfBounds,
              std::string("it ") + (access == Access::Read ? "reads " : "writes ") +
                  std::to_string(bytes) + " bytes of private memory at " +
                  std::to_string(static_cast<int64_t>(offset)) + ", and each lane has " +
                  std::to_string(size),
              lane);
  return false;
}

size_t privateByte(uint64_t offset, unsigned lane) {
  return (offset / 4 * maxLanes + lane) * 4 + offset % 4;
}

void readPrivate(Wave &wave, const Lanes64 &at, uint64_t lanes, unsigned bytes,
                 LaneData &data, unsigned first) {
  Bytes &memory = wave.privateMemory();
  for (uint64_t left = lanes; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    bool found = findPrivate(wave, at[lane], bytes, lane, Access::Read);
    for (unsigned i = 0; i < (bytes + 3) / 4; ++i) {
      uint32_t word = 0;
      uint8_t poison = 0;
      unsigned part = std::min(bytes - 4 * i, 4u);
      if (!found)
        poison = 0xf;
      for (unsigned byte = 0; found && byte < part; ++byte) {
        size_t index = privateByte(at[lane] + 4 * i + byte, lane);
        word |= uint32_t(memory.data()[index]) << (8 * byte);
        poison |= (memory.shadow()[index] != Sound) << byte;
      }
      data.values[first + i][lane] = word;
      data.poison[first + i][lane] = poison;
      data.isPoisoned |= poison != 0;
    }
  }
}

void writePrivate(Wave &wave, const Lanes64 &at, uint64_t lanes, unsigned bytes,
                  const LaneSource &source, unsigned first) {
  Bytes &memory = wave.privateMemory();
  for (uint64_t left = lanes; left; left &= left - 1) {
    unsigned lane = __builtin_ctzll(left);
    if (!findPrivate(wave, at[lane], bytes, lane, Access::Write))
      continue;
    for (unsigned byte = 0; byte < bytes; ++byte) {
      unsigned reg = first + byte / 4;
      const uint8_t *poison = source.poison[reg];
      size_t index = privateByte(at[lane] + byte, lane);
      memory.data()[index] =
          static_cast<uint8_t>(source.values[reg][lane] >> (8 * (byte % 4)));
      memory.shadow()[index] =
          poison && poison[lane] >> (byte % 4) & 1 ? Undefined : Sound;
    }
  }
}

/// Calls `use` with the width as a constant.
template <typename Use> void withBytes(unsigned bytes, Use use) {
  switch (bytes) {
  case 1:
    return use(std::integral_constant<unsigned, 1>());
  case 2:
    return use(std::integral_constant<unsigned, 2>());
  case 4:
    return use(std::integral_constant<unsigned, 4>());
  case 8:
    return use(std::integral_constant<unsigned, 8>());
  case 12:
    return use(std::integral_constant<unsigned, 12>());
  default:
    return use(std::integral_constant<unsigned, 16>());
  }
}
} // namespace

void tilewright::amdgpu::readMemory(Wave &wave, Space space, const Lanes64 &at,
                                    uint64_t lanes, unsigned bytes, unsigned align,
                                    LaneData &data, unsigned first) {
  countAccess(wave, space, at, lanes, bytes, Access::Read);
  if (space == Space::Private)
    return readPrivate(wave, at, lanes, bytes, data, first);
  withBytes(bytes, [&](auto width) {
    if (space == Space::Global)
      readWith<GlobalCursor, width>(wave, at, lanes, align, data, first);
    else
      readWith<LdsCursor, width>(wave, at, lanes, align, data, first);
  });
}

void tilewright::amdgpu::writeMemory(Wave &wave, Space space, const Lanes64 &at,
                                     uint64_t lanes, unsigned bytes, unsigned align,
                                     const LaneSource &source, unsigned first) {
  countAccess(wave, space, at, lanes, bytes, Access::Write);
  if (space == Space::Private)
    return writePrivate(wave, at, lanes, bytes, source, first);
  withBytes(bytes, [&](auto width) {
    if (space == Space::Global)
      writeWith<GlobalCursor, width>(wave, at, lanes, align, source, first);
    else
      writeWith<LdsCursor, width>(wave, at, lanes, align, source, first);
  });
  if (space == Space::Global)
    wave.group.launch.globalProgress.fetch_add(1, std::memory_order_relaxed);
  else
    wave.group.noteProgress();
}
