//===- SpecialRegisters.cpp - Names and values of special registers -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/SpecialRegisters.h"
#include "emulators/ptx/Block.h"

#include <chrono>

using namespace tilewright::ptx;
using tilewright::emulator::Dim3;

std::optional<SpecialRegister>
tilewright::ptx::parseSpecialRegister(std::string_view name) {
  using S = SpecialRegister;
  static const std::unordered_map<std::string_view, S> names = {
      {"%tid.x", S::TidX},
      {"%tid.y", S::TidY},
      {"%tid.z", S::TidZ},
      {"%ntid.x", S::NtidX},
      {"%ntid.y", S::NtidY},
      {"%ntid.z", S::NtidZ},
      {"%ctaid.x", S::CtaidX},
      {"%ctaid.y", S::CtaidY},
      {"%ctaid.z", S::CtaidZ},
      {"%nctaid.x", S::NctaidX},
      {"%nctaid.y", S::NctaidY},
      {"%nctaid.z", S::NctaidZ},
      {"%laneid", S::LaneId},
      {"%warpid", S::WarpId},
      {"%nwarpid", S::NwarpId},
      {"%smid", S::SmId},
      {"%nsmid", S::NsmId},
      {"%gridid", S::GridId},
      {"%clusterid.x", S::ClusteridX},
      {"%clusterid.y", S::ClusteridY},
      {"%clusterid.z", S::ClusteridZ},
      {"%nclusterid.x", S::NclusteridX},
      {"%nclusterid.y", S::NclusteridY},
      {"%nclusterid.z", S::NclusteridZ},
      {"%cluster_ctaid.x", S::ClusterCtaidX},
      {"%cluster_ctaid.y", S::ClusterCtaidY},
      {"%cluster_ctaid.z", S::ClusterCtaidZ},
      {"%cluster_nctaid.x", S::ClusterNctaidX},
      {"%cluster_nctaid.y", S::ClusterNctaidY},
      {"%cluster_nctaid.z", S::ClusterNctaidZ},
      {"%cluster_ctarank", S::ClusterCtaRank},
      {"%cluster_nctarank", S::ClusterNctaRank},
      {"%is_explicit_cluster", S::IsExplicitCluster},
      {"%lanemask_eq", S::LaneMaskEq},
      {"%lanemask_le", S::LaneMaskLe},
      {"%lanemask_lt", S::LaneMaskLt},
      {"%lanemask_ge", S::LaneMaskGe},
      {"%lanemask_gt", S::LaneMaskGt},
      {"%dynamic_smem_size", S::DynamicSmemSize},
      {"%total_smem_size", S::TotalSmemSize},
      {"%aggr_smem_size", S::AggrSmemSize},
      {"%reserved_smem_offset_begin", S::ReservedSmemBegin},
      {"%reserved_smem_offset_end", S::ReservedSmemEnd},
      {"%reserved_smem_offset_cap", S::ReservedSmemCapacity},
      {"%reserved_smem_offset_0", S::ReservedSmemOffset0},
      {"%reserved_smem_offset_1", S::ReservedSmemOffset1},
      {"%clock", S::Clock},
      {"%clock_hi", S::ClockHi},
      {"%clock64", S::Clock64},
      {"%globaltimer", S::GlobalTimer},
      {"%globaltimer_lo", S::GlobalTimerLo},
      {"%globaltimer_hi", S::GlobalTimerHi},
      {"%activemask", S::ActiveMask}};
  auto found = names.find(name);
  if (found != names.end())
    return found->second;
  constexpr std::string_view prefix = "%envreg";
  if (name.substr(0, prefix.size()) == prefix && name.size() <= prefix.size() + 2) {
    unsigned number = 0;
    for (char digit : name.substr(prefix.size())) {
      if (digit < '0' || digit > '9')
        return std::nullopt;
      number = number * 10 + (digit - '0');
    }
    if (number < 32 && name.size() > prefix.size())
      return static_cast<S>(static_cast<unsigned>(S::Environment0) + number);
  }
  return std::nullopt;
}

bool tilewright::ptx::isVolatile(SpecialRegister special) {
  return special >= SpecialRegister::Clock && special <= SpecialRegister::ActiveMask;
}

static uint32_t get(const Dim3 &dim, unsigned axis) {
  return axis == 0 ? dim.x : axis == 1 ? dim.y : dim.z;
}

uint64_t tilewright::ptx::readSpecialRegister(Warp &warp, SpecialRegister special,
                                              unsigned lane) {
  using S = SpecialRegister;
  Block &block = warp.block;
  const LaunchOptions &options = block.launch.options;
  uint32_t thread = warp.index * lanesPerWarp + lane;
  auto axisOf = [&](S first) {
    return static_cast<unsigned>(special) - static_cast<unsigned>(first);
  };
  auto isOneOf = [&](S first) { return special >= first && axisOf(first) < 3; };
  if (isOneOf(S::TidX)) {
    const Dim3 &size = options.block;
    uint32_t parts[] = {thread % size.x, thread / size.x % size.y,
                        thread / size.x / size.y};
    return parts[axisOf(S::TidX)];
  }
  if (isOneOf(S::NtidX))
    return get(options.block, axisOf(S::NtidX));
  if (isOneOf(S::CtaidX))
    return get(block.id, axisOf(S::CtaidX));
  if (isOneOf(S::NctaidX))
    return get(options.grid, axisOf(S::NctaidX));
  if (isOneOf(S::ClusteridX))
    return get(block.cluster.id, axisOf(S::ClusteridX));
  if (isOneOf(S::NclusteridX))
    return get(options.grid, axisOf(S::NclusteridX)) /
           get(options.cluster, axisOf(S::NclusteridX));
  if (isOneOf(S::ClusterCtaidX))
    return get(block.id, axisOf(S::ClusterCtaidX)) %
           get(options.cluster, axisOf(S::ClusterCtaidX));
  if (isOneOf(S::ClusterNctaidX))
    return get(options.cluster, axisOf(S::ClusterNctaidX));
  // A clock that goes on with the warp is enough for what is not timed.
  auto nanoseconds = [] {
    return static_cast<uint64_t>(
        std::chrono::steady_clock::now().time_since_epoch().count());
  };
  uint32_t bit = 1u << lane;
  switch (special) {
  case S::LaneId:
    return lane;
  case S::WarpId:
    return warp.index;
  case S::NwarpId: // of a multiprocessor, whatever the block has
    return block.launch.device.architecture % 10 ? 48 : 64;
  case S::SmId:
    return (block.id.x + block.id.y * options.grid.x) %
           block.launch.device.multiprocessors;
  case S::NsmId:
    return block.launch.device.multiprocessors;
  case S::GridId:
    return block.launch.gridId;
  case S::ClusterCtaRank:
    return block.rank;
  case S::ClusterNctaRank:
    return options.cluster.count();
  case S::IsExplicitCluster:
    return options.cluster.count() > 1;
  case S::LaneMaskEq:
    return bit;
  case S::LaneMaskLe:
    return bit | (bit - 1);
  case S::LaneMaskLt:
    return bit - 1;
  case S::LaneMaskGe:
    return ~(bit - 1);
  case S::LaneMaskGt:
    return ~(bit | (bit - 1));
  case S::DynamicSmemSize:
    return options.dynamicShared;
  case S::TotalSmemSize:
  case S::AggrSmemSize:
    return block.launch.userShared() + sharedStart;
  case S::ReservedSmemBegin:
  case S::ReservedSmemOffset0:
    return sharedStart + block.launch.userShared();
  case S::ReservedSmemEnd:
    return sharedStart + block.launch.sharedBytes;
  case S::ReservedSmemCapacity:
    return reservedSharedBytes;
  case S::ReservedSmemOffset1:
    return sharedStart + block.launch.userShared() + reservedSharedBytes / 2;
  case S::Clock:
    return static_cast<uint32_t>(warp.steps);
  case S::ClockHi:
    return warp.steps >> 32;
  case S::Clock64:
    return warp.steps;
  case S::GlobalTimer:
    return nanoseconds();
  case S::GlobalTimerLo:
    return static_cast<uint32_t>(nanoseconds());
  case S::GlobalTimerHi:
    return nanoseconds() >> 32;
  case S::ActiveMask:
    return warp.active;
  default:
    if (special >= S::Environment0 && special < S::Count)
      return options.environment[axisOf(S::Environment0)];
    return 0;
  }
}
