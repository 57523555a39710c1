//===- WarpMemory.cpp - What a lane's address names ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/GlobalRaces.h"
#include "emulators/ptx/GlobalWrites.h"

#include <cstdio>
#include <cstring>

using namespace tilewright::ptx;
using tilewright::emulator::Allocation;
using tilewright::emulator::Bytes;

static std::string hex(uint64_t value) {
  char text[24];
  snprintf(text, sizeof(text), "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

uint8_t Warp::poisonFromShadow(const uint8_t *shadow, unsigned bytes) {
  uint8_t poison = 0;
  for (unsigned i = 0; i < bytes && i < 8; ++i)
    poison |= (shadow[i] != 0) << i;
  return poison;
}

void Warp::poisonToShadow(uint8_t poison, uint8_t *shadow, unsigned bytes) {
  for (unsigned i = 0; i < bytes && i < 8; ++i)
    shadow[i] = poison >> i & 1 ? emulator::Undefined : emulator::Sound;
}

Bytes &Warp::localMemory(unsigned lane) {
  if (local.empty())
    local.resize(lanesPerWarp);
  uint64_t needed = frame().localEnd();
  Bytes &memory = local[lane];
  if (memory.size() < needed && needed <= localLimit) {
    Bytes grown(needed + needed / 2);
    if (memory.size()) {
      memcpy(grown.data(), memory.data(), memory.size());
      memcpy(grown.shadow(), memory.shadow(), memory.size());
    }
    memory = std::move(grown);
  }
  return memory;
}

Place Warp::find(Space space, uint64_t address, uint32_t bytes, uint32_t align,
                 unsigned lane, Access access) {
  auto refuse = [&](Rule rule, const std::string &what) {
    const char *verb = isRead(access)           ? "reads"
                       : access == Access::Sync ? "uses"
                                                : "writes";
    stop(rule,
         std::string("it ") + verb + " " + std::to_string(bytes) + " bytes at " +
             hex(address) + " of " + std::string(getName(space)) + " memory: " + what,
         lane);
    return Place();
  };
  if (align > 1 && address % align)
    return refuse(Rule::Misaligned,
                  "the address is no multiple of " + std::to_string(align));
  Place place;
  // Which space a generic address lies in.
  uint64_t offset = address;
  if (space == Space::Generic) {
    if (address - sharedWindow < windowBytes) {
      space = Space::SharedCluster;
      offset = address - sharedWindow;
      // In the window every block has its rank.
      offset += uint64_t(1) << sharedRankBits;
    } else if (address - localWindow < windowBytes) {
      space = Space::Local;
      offset = address - localWindow;
    } else if (address - paramWindow < windowBytes) {
      space = Space::Param;
      offset = address - paramWindow;
    } else {
      space = Space::Global;
    }
  }
  place.space = space;
  switch (space) {
  case Space::Shared:
  case Space::SharedCluster: {
    // Rank 0 in the upper bits is the block's own memory, r + 1 that of rank r.
    uint64_t rank = offset >> sharedRankBits;
    Block *owner = &block;
    if (rank) {
      if (rank - 1 >= block.cluster.blocks.size())
        return refuse(Rule::OutOfBounds, "no block of the cluster has that memory");
      owner = block.cluster.blocks[rank - 1].get();
      offset &= (uint64_t(1) << sharedRankBits) - 1;
      if (owner != &block && space == Space::Shared)
        return refuse(Rule::OutOfBounds, "it is another block's: use shared::cluster");
    }
    if (owner != &block && owner->warpsAlive() == 0)
      return refuse(Rule::UseAfterFree, "the block that owns it has exited");
    uint64_t at = offset - sharedStart;
    if (offset < sharedStart || at > owner->shared.size() ||
        bytes > owner->shared.size() - at)
      return refuse(Rule::OutOfBounds, "the block has " +
                                           std::to_string(owner->shared.size()) +
                                           " bytes from " + hex(sharedStart) + " on");
    place.space = Space::Shared;
    place.owner = owner;
    place.offset = static_cast<uint32_t>(at);
    place.data = owner->shared.data() + at;
    place.shadow = owner->shared.shadow() + at;
    // Objects lie at multiples of eight, and accesses are aligned.
    if (bytes && access != Access::Sync &&
        (place.shadow[0] | place.shadow[bytes - 1]) & emulator::Opaque)
      return refuse(Rule::InFlight, "an mbarrier lies there");
    owner->note(*this, place.offset, bytes, access, lane);
    return place;
  }
  case Space::Local: {
    Bytes &memory = localMemory(lane);
    uint64_t end = frame().localEnd();
    if (offset > end || bytes > end - offset || offset + bytes > memory.size())
      return refuse(Rule::OutOfBounds,
                    "the thread's frames have " + std::to_string(end) + " bytes");
    place.data = memory.data() + offset;
    place.shadow = memory.shadow() + offset;
    return place;
  }
  case Space::Param: {
    Bytes &memory = block.launch.params;
    if (!isRead(access))
      return refuse(Rule::ReadOnly, "parameters of a kernel are not written");
    if (offset > memory.size() || bytes > memory.size() - offset)
      return refuse(Rule::OutOfBounds, "the kernel's parameters have " +
                                           std::to_string(memory.size()) + " bytes");
    place.data = memory.data() + offset;
    place.shadow = memory.shadow() + offset;
    return place;
  }
  default:
    break;
  }
  auto &memory = block.launch.device.memory;
  Allocation *found = memory.find(address);
  if (!found) {
    Allocation *near = memory.findNear(address);
    if (!near)
      return refuse(Rule::OutOfBounds, "no allocation is there");
    return refuse(Rule::OutOfBounds, std::to_string(address - near->base - near->size) +
                                         " bytes past the end of " + near->name +
                                         ", which has " + std::to_string(near->size) +
                                         " bytes");
  }
  uint64_t at = address - found->base;
  if (found->freed)
    return refuse(Rule::UseAfterFree, found->name + " was freed");
  if (bytes > found->size - at)
    return refuse(Rule::OutOfBounds, "the last byte is " +
                                         std::to_string(bytes - (found->size - at)) +
                                         " past the end of " + found->name);
  if (!isRead(access) && found->readOnlyBytes)
    return refuse(Rule::ReadOnly, found->name + " is constant");
  place.space = Space::Global;
  place.allocation = found;
  place.data = found->memory.data() + at;
  place.shadow = found->memory.shadow() + at;
  if (block.launch.globalRaces)
    block.launch.globalRaces->note(*this, *found, at, bytes, access, lane);
  if (block.launch.globalWrites && !isRead(access) && access != Access::Sync)
    block.launch.globalWrites->noteGeneric(*this, *found, at, bytes);
  return place;
}
