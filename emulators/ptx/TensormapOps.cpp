//===- TensormapOps.cpp - Tensor maps that programs make ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A kernel makes a map in shared memory field by field and copies it to global memory by
// tensormap.cp_fenceproxy. Copies see it after fence.proxy.tensormap acquired it in their
// block; a map that was changed since is reported.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Fences.h"
#include "emulators/ptx/TensorBox.h"

#include <cstring>
#include <unordered_set>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

namespace {
/// Global addresses of the maps that a cluster has changed.
struct ChangedMaps : BlockState {
  std::unordered_set<uint64_t> addresses;
};

enum class Field : uint8_t {
  GlobalAddress,
  Rank,
  BoxDim,
  GlobalDim,
  GlobalStride,
  ElementStride,
  ElementType,
  Interleave,
  Swizzle,
  SwizzleAtomicity,
  Fill
};

struct ReplaceOperands {
  CopyAddress map;
  Field field = Field::Rank;
  unsigned ordinal = 0; ///< dimension; of strides, dimension - 1
  uint32_t value = noRegister;
};

struct CopyOperands {
  CopyAddress to, from;
};
} // namespace

static void noteChange(Warp &warp, uint64_t address) {
  warp.block.cluster.state<ChangedMaps>().addresses.insert(address);
  for (auto &block : warp.block.cluster.blocks)
    for (auto &other : block->warps)
      other->state<WarpFences>().tensorMaps.erase(address);
}

static bool hasAcquired(Block &block, uint64_t address) {
  for (auto &warp : block.warps)
    if (warp->state<WarpFences>().tensorMaps.count(address))
      return true;
  return false;
}

/// Whether all 128 bytes at `place` hold data; reports where not.
static bool expectSoundMap(Warp &warp, const Place &place, unsigned lane) {
  for (size_t i = 0; i < tensorMapBytes; ++i)
    if (place.shadow[i] != Sound) {
      warp.stop(place.shadow[i] & Pending ? Rule::InFlight : Rule::Uninitialised,
                "byte " + std::to_string(i) + " of the tensor map was not written", lane);
      return false;
    }
  return true;
}

static std::optional<TensorMap> decodeAt(Warp &warp, const Place &place, bool mayBeBlank,
                                         unsigned lane) {
  if (!expectSoundMap(warp, place, lane))
    return std::nullopt;
  std::optional<TensorMap> map = decode(place.data, mayBeBlank);
  if (!map)
    warp.stop(Rule::Descriptor,
              "what lies there is no tensor map: nothing encoded it, or something wrote "
              "over it",
              lane);
  return map;
}

std::optional<TensorMap> tilewright::ptx::findTensorMap(Warp &warp, uint64_t address,
                                                        unsigned rank, unsigned lane) {
  Place place = warp.find(Space::Generic, address, tensorMapBytes, tensorMapAlign, lane,
                          Access::Read);
  if (!place)
    return std::nullopt;
  if (place.space != Space::Global && place.space != Space::Param) {
    warp.stop(
        Rule::Descriptor,
        "a tensor map that copies use lies in global, constant or parameter memory, "
        "not in " +
            std::string(getName(place.space)) + " memory",
        lane);
    return std::nullopt;
  }
  std::optional<TensorMap> map = decodeAt(warp, place, /*mayBeBlank=*/false, lane);
  if (!map)
    return std::nullopt;
  if (TensorMapProblem problem = check(*map)) {
    warp.stop(problem.rule, "the tensor map cannot be used: " + problem.message, lane);
    return std::nullopt;
  }
  if (map->rank != rank) {
    warp.stop(Rule::Descriptor,
              "the tensor map has " + std::to_string(map->rank) +
                  " dimensions, and the instruction " + std::to_string(rank),
              lane);
    return std::nullopt;
  }
  if (warp.block.launch.options.checks.proxyFences && place.space == Space::Global &&
      warp.block.cluster.state<ChangedMaps>().addresses.count(address) &&
      !hasAcquired(warp.block, address))
    warp.report(Rule::ProxyFence,
                "the kernel changed the tensor map, and no fence.proxy.tensormap has "
                "acquired it since",
                lane);
  return map;
}

//===----------------------------------------------------------------------===//
// Handlers
//===----------------------------------------------------------------------===//

/// Sets a field; false where the value does not fit in it.
static bool setField(TensorMap &map, const ReplaceOperands &operands, uint64_t value) {
  unsigned i = operands.ordinal;
  uint32_t narrow = static_cast<uint32_t>(value);
  auto fits = [&](uint32_t most) { return narrow <= most; };
  switch (operands.field) {
  case Field::GlobalAddress:
    map.address = value;
    return true;
  case Field::Rank:
    map.rank = narrow + 1;
    return fits(maxTensorRank - 1);
  case Field::BoxDim:
    map.box[i] = narrow;
    return fits(256);
  case Field::GlobalDim:
    map.dims[i] = narrow;
    return true;
  case Field::GlobalStride:
    map.strides[i] = value;
    return true;
  case Field::ElementStride:
    map.elementStrides[i] = narrow;
    return fits(8);
  case Field::ElementType:
    map.type = static_cast<TensorType>(narrow);
    return fits(15);
  case Field::Interleave:
    map.interleave = static_cast<uint8_t>(narrow);
    return fits(2);
  case Field::Swizzle:
    map.swizzle = static_cast<TensorSwizzle>(narrow);
    return fits(4);
  case Field::SwizzleAtomicity: // the decoder takes 0 alone
    return true;
  case Field::Fill:
    map.fillsWithNaN = narrow;
    return fits(1);
  }
  return false;
}

static Step replaceField(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const ReplaceOperands *>(instruction.extra);
  if (!warp.expectSound(operands.map.reg, "the tensor map's address") ||
      !warp.expectSound(operands.value, "the new value"))
    return Step::Stop;
  return forEachLane(warp, [&](unsigned lane) {
    uint64_t address = operands.map.of(warp, lane);
    Place place = warp.find(operands.map.space, address, tensorMapBytes, tensorMapAlign,
                            lane, Access::Write);
    std::optional<TensorMap> map;
    if (place)
      map = decodeAt(warp, place, /*mayBeBlank=*/true, lane);
    if (!map)
      return false;
    uint64_t value = warp.values(operands.value)[lane];
    if (!setField(*map, operands, value)) {
      warp.stop(Rule::Descriptor, "the field cannot hold " + std::to_string(value), lane);
      return false;
    }
    encode(place.data, *map);
    if (place.space == Space::Global)
      noteChange(warp, address);
    return true;
  });
}

/// tensormap.cp_fenceproxy: the warp copies a map from shared to global memory.
static Step copyMap(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const CopyOperands *>(instruction.extra);
  if (!warp.haveConverged(warp.present)) {
    return warp.waitForLanes(Rule::Convergence, warp.alive & ~warp.group->lanes);
  }
  if (warp.active != warp.alive)
    return warp.stop(Rule::Convergence, "not all lanes of the warp execute it",
                     warp.firstLane());
  if (!warp.expectSound(operands.to.reg, "the destination's address") ||
      !warp.expectSound(operands.from.reg, "the source's address"))
    return Step::Stop;
  unsigned lane = warp.firstLane();
  uint64_t address = operands.to.of(warp, lane);
  Place to = warp.find(Space::Global, address, tensorMapBytes, tensorMapAlign, lane,
                       Access::Write);
  if (!to)
    return Step::Stop;
  Place from = warp.find(Space::Shared, operands.from.of(warp, lane), tensorMapBytes,
                         tensorMapAlign, lane, Access::Read);
  if (!from)
    return Step::Stop;
  if (!expectSoundMap(warp, from, lane))
    return Step::Stop;
  memcpy(to.data, from.data, tensorMapBytes);
  memset(to.shadow, Sound, tensorMapBytes);
  noteChange(warp, address);
  warp.block.launch.globalProgress.fetch_add(1, std::memory_order_relaxed);
  return Step::Next;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static void decodeReplace(Decoder &decoder) {
  ReplaceOperands operands;
  std::optional<unsigned> field = decoder.takeOneOf(
      {"global_address", "rank", "box_dim", "global_dim", "global_stride",
       "element_stride", "elemtype", "interleave_layout", "swizzle_mode",
       "swizzle_atomicity", "fill_mode"});
  if (!decoder.take("tile") || !field || !decoder.take("b1024"))
    return decoder.fail("its form is tensormap.replace.tile.FIELD.b1024");
  operands.field = static_cast<Field>(*field);
  bool isWide =
      operands.field == Field::GlobalAddress || operands.field == Field::GlobalStride;
  bool isIndexed =
      operands.field >= Field::BoxDim && operands.field <= Field::ElementStride;
  if (!decoder.take(isWide ? "b64" : "b32"))
    return decoder.fail(isWide ? "the value's type is .b64" : "the value's type is .b32");
  Space space = decoder.take("global") ? Space::Global : takeSharedSpace(decoder, false);
  if (!decoder.expectOperands(2 + isIndexed, 2 + isIndexed))
    return;
  operands.map = takeAddress(decoder, decoder.at(0), space);
  if (isIndexed) {
    std::optional<int64_t> ordinal = decoder.integer(decoder.at(1));
    int64_t count = maxTensorRank - (operands.field == Field::GlobalStride);
    if (!ordinal || *ordinal < 0 || *ordinal >= count)
      return decoder.fail("the dimension is a constant from 0 to " +
                          std::to_string(count - 1));
    operands.ordinal = static_cast<unsigned>(*ordinal);
  }
  const Operand &value = decoder.at(1 + isIndexed);
  if (operands.field == Field::SwizzleAtomicity && decoder.integer(value) != int64_t(0))
    return decoder.fail("swizzle atoms other than 16 bytes are not modelled");
  operands.value = decoder.source(value, isWide ? Type::B64 : Type::B32);
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = replaceField;
}

static void decodeCopyMap(Decoder &decoder) {
  CopyOperands operands;
  bool known = decoder.take("global") &&
               takeSharedSpace(decoder, false) == Space::Shared &&
               decoder.take("tensormap::generic") && decoder.take("release") &&
               decoder.takeOneOf({"cta", "cluster", "gpu", "sys"}) &&
               decoder.take("sync") && decoder.take("aligned");
  if (!known)
    return decoder.fail("its form is tensormap.cp_fenceproxy.global.shared::cta."
                        "tensormap::generic.release.SCOPE.sync.aligned");
  if (!decoder.expectOperands(3, 3))
    return;
  operands.to = takeAddress(decoder, decoder.at(0), Space::Global);
  operands.from = takeAddress(decoder, decoder.at(1), Space::Shared);
  if (decoder.integer(decoder.at(2)) != int64_t(tensorMapBytes))
    return decoder.fail("a tensor map has 128 bytes");
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = copyMap;
}

void tilewright::ptx::decodeTensormap(Decoder &decoder) {
  if (decoder.take("replace"))
    return decodeReplace(decoder);
  if (decoder.take("cp_fenceproxy"))
    return decodeCopyMap(decoder);
  decoder.fail("it is not modelled");
}
