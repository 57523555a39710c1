//===- LoadOps.cpp - Loads ----------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A handler is a template of the element's C++ type; a vector is several elements, .b128
// two of 64 bits. First the memory of the whole warp is looked up (MemoryAccess.h). Where
// all of it is sound, values are copied in loops without branches; where not, or where it
// cannot be found at once, lane by lane. Strong accesses of global memory are made lane
// by lane with the host's atomics, since other blocks run on other threads of the host: a
// store writes the shadow first and a load reads it last.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/MemoryAccess.h"
#include "emulators/ptx/MemoryOrder.h"

#include <type_traits>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// Loads one lane's elements; all of their shadow, or-ed.
template <typename T>
static uint8_t loadLane(Warp &warp, const Instruction &instruction, const Place &place,
                        unsigned lane) {
  uint8_t all = 0;
  bool isStrong = (instruction.flags & strongAccess) && place.space == Space::Global;
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    const uint8_t *from = place.data + i * sizeof(T);
    T value;
    if (isStrong)
      value = __atomic_load_n(reinterpret_cast<const T *>(from), __ATOMIC_ACQUIRE);
    else
      memcpy(&value, from, sizeof(T));
    const uint8_t *shadow = place.shadow + i * sizeof(T);
    all |= orBytes(shadow, sizeof(T));
    if (instruction.list[i] == noRegister)
      continue;
    warp.values(instruction.list[i])[lane] = value;
    warp.poison(instruction.list[i])[lane] = Warp::poisonFromShadow(shadow, sizeof(T));
  }
  return all;
}

/// Loads the active lanes' elements; false, with nothing done, where something is not
/// sound. Other lanes have the first active one's address, so all may be read.
template <typename T>
static bool loadSound(Warp &warp, const Instruction &instruction,
                      const WarpAccess &access, const Addresses &addresses) {
  const Span &span = access.span;
  const unsigned count = instruction.listSize;
  const unsigned stride = count * sizeof(T);
  uint64_t unsound = 0;
  if (access.pattern == Addresses::Scattered) {
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      for (unsigned i = 0; i < count; ++i) {
        T shadow;
        memcpy(&shadow, span.shadow + (addresses.of[lane] - span.start) + i * sizeof(T),
               sizeof(T));
        unsound |= shadow;
      }
  } else {
    unsound = orBytes(span.shadow, addresses.highest - addresses.lowest + stride);
  }
  if (unsound)
    return false;
  const bool isPartial = warp.active != allLanes;
  static constexpr uint8_t sound[lanesPerWarp] = {};
  for (unsigned i = 0; i < count; ++i) {
    if (instruction.list[i] == noRegister)
      continue;
    LaneBuffer buffer;
    uint64_t *values = isPartial ? buffer.lane : warp.values(instruction.list[i]);
    const uint8_t *from = span.data + i * sizeof(T);
    T value;
    if (access.pattern == Addresses::Uniform) {
      memcpy(&value, from, sizeof(T));
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
        values[lane] = value;
    } else if (access.pattern == Addresses::Unit && count == 1) {
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
        memcpy(&value, from + lane * sizeof(T), sizeof(T));
        values[lane] = value;
      }
    } else {
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
        memcpy(&value, from + (addresses.of[lane] - span.start), sizeof(T));
        values[lane] = value;
      }
    }
    if (isPartial)
      writeValues(warp, instruction.list[i], buffer);
    writePoison(warp, instruction.list[i], sound);
  }
  return true;
}

/// Extends what was loaded as T to the registers' width.
template <typename T> static void signExtend(Warp &warp, const Instruction &instruction) {
  using Signed = std::make_signed_t<T>;
  unsigned bytes = getBytes(instruction.source);
  uint64_t mask = bytes == 8 ? ~uint64_t(0) : (uint64_t(1) << 8 * bytes) - 1;
  uint8_t top = static_cast<uint8_t>(1u << (sizeof(T) - 1));
  uint8_t added = static_cast<uint8_t>((1u << bytes) - (1u << sizeof(T)));
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    if (instruction.list[i] == noRegister)
      continue;
    uint64_t *values = warp.values(instruction.list[i]);
    uint8_t *poison = warp.poison(instruction.list[i]);
    for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
      unsigned lane = __builtin_ctz(lanes);
      int64_t wide = static_cast<Signed>(values[lane]);
      values[lane] = static_cast<uint64_t>(wide) & mask;
      if (poison[lane] & top)
        poison[lane] |= added;
    }
  }
}

/// After a strong load: whether it polls.
static Step endStrongLoad(Warp &warp, const Instruction &instruction,
                          const Addresses &addresses, Space space) {
  uint64_t seen = warp.active;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    seen = mix(seen, addresses.of[lane]);
    for (unsigned i = 0; i < instruction.listSize; ++i)
      if (instruction.list[i] != noRegister)
        seen = mix(seen, warp.values(instruction.list[i])[lane]);
  }
  return poll(warp, instruction, space, seen);
}

template <typename T> static Step load(Warp &warp, const Instruction &instruction) {
  Addresses addresses;
  if (!addresses.compute(warp, instruction))
    return Step::Stop;
  const uint32_t size = instruction.listSize * sizeof(T);
  const bool isStrong = instruction.flags & strongAccess;
  const Access access = isStrong ? Access::StrongRead : Access::Read;
  WarpAccess all = findAll(warp, instruction, addresses, size, /*isRead=*/true);
  noteAll(warp, instruction, all, addresses, size, access);
  Space space = all.span.space;
  Busy busy;
  std::optional<AccessOrder> order;
  if (isStrong)
    order.emplace(warp, instruction);
  bool isDone = all.span && !isStrong && loadSound<T>(warp, instruction, all, addresses);
  auto loadOne = [&](unsigned lane, uint64_t address, Place &place) {
    space = place.space;
    busy.add(loadLane<T>(warp, instruction, place, lane), lane);
    // Of lanes at one address the first speaks for all.
    bool isFirst = all.pattern != Addresses::Uniform || lane == warp.firstLane();
    if (isStrong && isFirst && (place.owner || place.allocation))
      order->acquireFrom(getSyncWord(place, address));
    return true;
  };
  if (!isDone &&
      !forPlaces(warp, instruction, all, addresses, size, access, warp.active, loadOne))
    return Step::Stop;
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/true, busy.lane);
  if (instruction.flags & signExtends)
    signExtend<T>(warp, instruction);
  countAccess(warp, instruction, space, /*isRead=*/true, addresses, size);
  return isStrong ? endStrongLoad(warp, instruction, addresses, space) : Step::Next;
}

/// A kernel's own parameter is the same for all.
template <typename T>
static Step loadParameter(Warp &warp, const Instruction &instruction) {
  const Bytes &params = warp.block.launch.params;
  uint64_t at = static_cast<uint64_t>(instruction.immediate);
  uint32_t size = instruction.listSize * sizeof(T);
  if (at > params.size() || size > params.size() - at)
    return warp.stop(Rule::OutOfBounds,
                     "it reads " + std::to_string(size) + " bytes at " +
                         std::to_string(instruction.immediate) + " of the kernel's " +
                         std::to_string(params.size()) + " bytes of parameters",
                     warp.firstLane());
  if (at % size)
    return warp.stop(Rule::Misaligned,
                     "parameter offset " + std::to_string(at) + " is no multiple of " +
                         std::to_string(size),
                     warp.firstLane());
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    if (instruction.list[i] == noRegister)
      continue;
    T value;
    memcpy(&value, params.data() + at + i * sizeof(T), sizeof(T));
    uint64_t *values = warp.values(instruction.list[i]);
    uint8_t *poison = warp.poison(instruction.list[i]);
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
      if (warp.active >> lane & 1) {
        values[lane] = value;
        poison[lane] = soundValue;
      }
  }
  if (instruction.flags & signExtends)
    signExtend<T>(warp, instruction);
  return Step::Next;
}

template <typename T> static Handler choose(const Instruction &instruction) {
  return instruction.flags & inKernelParams ? loadParameter<T> : load<T>;
}

Handler tilewright::ptx::chooseLoad(const Instruction &instruction, unsigned bytes) {
  switch (bytes) {
  case 1:
    return choose<uint8_t>(instruction);
  case 2:
    return choose<uint16_t>(instruction);
  case 4:
    return choose<uint32_t>(instruction);
  default:
    return choose<uint64_t>(instruction);
  }
}
