//===- TensorCopyOps.cpp - cp.async.bulk.tensor -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/TensorBox.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// What shared addresses of tensor copies are multiples of.
static constexpr uint32_t tensorAlign = 128;

namespace {
struct TensorOperands {
  CopyAddress map, shared, barrier;
  unsigned rank = 1;
  uint32_t coordinates[maxTensorRank] = {noRegister, noRegister, noRegister, noRegister,
                                         noRegister};
  /// In im2col mode, and what the pixels are moved by; none in a store.
  bool isIm2col = false;
  uint32_t offsets[maxPixelRank] = {noRegister, noRegister, noRegister};
  uint32_t mask = noRegister;
  Reduction reduction = Reduction::None;
};
} // namespace

static bool expectSoundOperands(Warp &warp, const TensorOperands &operands) {
  for (unsigned i = 0; i < operands.rank; ++i)
    if (!warp.expectSound(operands.coordinates[i], "a coordinate"))
      return false;
  for (uint32_t offset : operands.offsets)
    if (!warp.expectSound(offset, "an offset"))
      return false;
  return warp.expectSound(operands.map.reg, "the tensor map's address") &&
         warp.expectSound(operands.shared.reg, "the shared memory's address") &&
         warp.expectSound(operands.barrier.reg, "the mbarrier's address") &&
         warp.expectSound(operands.mask, "the mask of blocks");
}

/// Whether a tiled box may start there. An H100 ends a program with an illegal
/// instruction where it may not; no manual says so.
static bool canStartAt(Warp &warp, const TensorMap &map, const int32_t *coordinates,
                       Access access, unsigned lane) {
  const int64_t offset = int64_t(coordinates[0]) * getBytes(map.type);
  if (offset % 16 != 0) {
    warp.stop(Rule::Misaligned,
              "the box starts " + std::to_string(offset) +
                  " bytes from the start of the inner dimension, and tensor copies start "
                  "at multiples of 16 alone",
              lane);
    return false;
  }
  if (access == Access::Read)
    return true;
  for (unsigned i = 0; i < map.rank; ++i)
    if (coordinates[i] < 0) {
      warp.stop(Rule::OutOfBounds,
                "coordinate " + std::to_string(i) + " is " +
                    std::to_string(coordinates[i]) +
                    ", and boxes that are stored or combined start inside the tensor or "
                    "after it, not before",
                lane);
      return false;
    }
  return true;
}

/// The box that `lane` names, its global memory found by `access`, Read or Sync; null
/// where a fault was reported.
static std::shared_ptr<TensorBox> findBox(Warp &warp, const TensorOperands &operands,
                                          unsigned lane, Access access) {
  std::optional<TensorMap> map =
      findTensorMap(warp, operands.map.of(warp, lane), operands.rank, lane);
  if (!map)
    return nullptr;
  if (map->isIm2col != operands.isIm2col) {
    warp.stop(Rule::Descriptor,
              map->isIm2col ? "the tensor map is an im2col one, and the copy is tiled"
                            : "the tensor map is a tiled one, and the copy is .im2col",
              lane);
    return nullptr;
  }
  int32_t coordinates[maxTensorRank] = {};
  for (unsigned i = 0; i < operands.rank; ++i)
    coordinates[i] = static_cast<int32_t>(warp.values(operands.coordinates[i])[lane]);
  uint16_t offsets[maxPixelRank] = {};
  for (unsigned i = 0; i < maxPixelRank; ++i)
    if (operands.offsets[i] != noRegister)
      offsets[i] = static_cast<uint16_t>(warp.values(operands.offsets[i])[lane]);
  if (!map->isIm2col && !canStartAt(warp, *map, coordinates, access, lane))
    return nullptr;
  auto box = operands.isIm2col ? std::make_shared<TensorBox>(*map, coordinates, offsets)
                               : std::make_shared<TensorBox>(*map, coordinates);
  return box->find(warp, lane, access) ? box : nullptr;
}

static Step loadTensor(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const TensorOperands *>(instruction.extra);
  if (!expectSoundOperands(warp, operands))
    return Step::Stop;
  return forEachLane(warp, [&](unsigned lane) {
    std::shared_ptr<TensorBox> box = findBox(warp, operands, lane, Access::Read);
    if (!box)
      return false;
    std::optional<uint32_t> mask;
    if (operands.mask != noRegister)
      mask = static_cast<uint16_t>(warp.values(operands.mask)[lane]);
    // Whatever part of the box is inside, all of it is written and completed.
    uint32_t bytes = box->getMap().boxBytes();
    box->startCopy(warp, lane, Access::Read);
    GlobalReader reader(warp, instruction, lane);
    std::vector<LoadTarget> targets =
        findTargets(warp, operands.shared, operands.barrier, bytes, tensorAlign, lane,
                    Access::Write, mask, Proxy::Async, getLayout(box->getMap()));
    for (const LoadTarget &target : targets)
      defer(warp, *target.barrier, bytes, [to = target.place, box, reader] {
        box->checkUnchanged(reader);
        box->load(to);
      });
    warp.block.cluster.getStatistics()->globalRead += box->insideBytes();
    return !targets.empty();
  });
}

/// What combines elements of a tensor; null where the hardware does not.
static Combine getTensorCombine(Reduction reduction, TensorType tensorType) {
  bool bitwise = reduction >= Reduction::And;
  Type type;
  switch (tensorType) {
  case TensorType::U32:
    type = bitwise ? Type::B32 : Type::U32;
    break;
  case TensorType::S32:
    type = bitwise ? Type::B32 : Type::S32;
    break;
  case TensorType::U64:
    type = bitwise ? Type::B64 : Type::U64;
    break;
  case TensorType::S64:
    type = bitwise ? Type::B64 : Type::S64;
    break;
  case TensorType::F16:
    type = Type::F16;
    break;
  case TensorType::BF16:
    type = Type::BF16;
    break;
  case TensorType::F32:
  case TensorType::F32Ftz:
    type = Type::F32;
    break;
  default:
    return nullptr;
  }
  return getCombine(reduction, type);
}

static Step storeTensor(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const TensorOperands *>(instruction.extra);
  if (!expectSoundOperands(warp, operands))
    return Step::Stop;
  bool reduces = operands.reduction != Reduction::None;
  BulkGroups &groups = warp.state<BulkGroups>();
  GlobalMemory &memory = warp.block.launch.device.memory;
  return forEachLane(warp, [&](unsigned lane) {
    std::shared_ptr<TensorBox> box = findBox(warp, operands, lane, Access::Sync);
    if (!box)
      return false;
    Combine combine = nullptr;
    if (reduces) {
      combine = getTensorCombine(operands.reduction, box->getMap().type);
      if (!combine) {
        warp.stop(Rule::Unsupported,
                  "the reduction does not go with the tensor map's element type", lane);
        return false;
      }
    }
    uint32_t bytes = box->getMap().boxBytes();
    Place from = warp.find(operands.shared.space, operands.shared.of(warp, lane), bytes,
                           tensorAlign, lane, Access::Sync);
    if (!from)
      return false;
    box->startCopy(warp, lane, reduces ? Access::Atomic : Access::Write);
    WriteBack write;
    if (combine)
      write = [box, combine, &memory, offset = from.offset](const uint8_t *data,
                                                            const uint8_t *shadow) {
        box->reduce(memory, combine, offset, data, shadow);
      };
    else
      write = [box, offset = from.offset](const uint8_t *data, const uint8_t *shadow) {
        box->store(offset, data, shadow);
      };
    groups.add(lane, SharedSource(warp, from, bytes, lane), std::move(write));
    warp.block.cluster.getStatistics()->globalWritten += box->insideBytes();
    return true;
  });
}

static Step prefetchTensor(Warp &warp, const Instruction &instruction) {
  const auto &operands = *static_cast<const TensorOperands *>(instruction.extra);
  if (!expectSoundOperands(warp, operands))
    return Step::Stop;
  return forEachLane(warp, [&](unsigned lane) {
    return findBox(warp, operands, lane, Access::Read) != nullptr;
  });
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// [map, {coordinates}].
static void takeTensor(Decoder &decoder, const Operand &operand,
                       TensorOperands &operands) {
  operands.map = takeAddress(decoder, operand, Space::Generic);
  if (operand.kind != Operand::Address || operand.items.size() != 2 ||
      operand.items[1].kind != Operand::Vector ||
      operand.items[1].items.size() != operands.rank)
    return decoder.fail(
        "a tensor map with as many coordinates as dimensions is expected");
  for (unsigned i = 0; i < operands.rank; ++i)
    operands.coordinates[i] = decoder.source(operand.items[1].items[i], Type::S32);
}

/// {offsets} of a load or prefetch in im2col mode.
static void takeOffsets(Decoder &decoder, const Operand &operand,
                        TensorOperands &operands) {
  if (operand.kind != Operand::Vector || operand.items.size() != operands.rank - 2)
    return decoder.fail("two offsets fewer than dimensions are expected");
  for (unsigned i = 0; i < operands.rank - 2; ++i)
    operands.offsets[i] = decoder.source(operand.items[i], Type::U16);
}

void tilewright::ptx::decodeTensorCopy(Decoder &decoder, bool reduces, bool prefetches) {
  TensorOperands operands;
  std::optional<unsigned> dimensions = decoder.takeOneOf({"1d", "2d", "3d", "4d", "5d"});
  if (!dimensions)
    return decoder.fail("it names no number of dimensions");
  operands.rank = *dimensions + 1;
  for (std::string_view modifier : decoder.statement.modifiers)
    if (modifier.substr(0, 8) == "im2col::" || modifier.substr(0, 6) == "tile::" ||
        modifier.substr(0, 9) == "cta_group")
      return decoder.fail("." + std::string(modifier) + " is not modelled");
  bool hasOffsets = decoder.take("im2col");
  operands.isIm2col = hasOffsets || decoder.take("im2col_no_offs");
  if (operands.isIm2col && operands.rank < 3)
    return decoder.fail("an im2col copy has 3 to 5 dimensions");
  if (!operands.isIm2col)
    decoder.take("tile");
  bool hasPolicy = decoder.take("L2::cache_hint");

  if (prefetches) {
    if (!decoder.take("L2") || !decoder.take("global"))
      return decoder.fail("a prefetch is .L2.global");
    if (operands.isIm2col && !hasOffsets)
      return decoder.fail("a prefetch in im2col mode has offsets: .im2col");
    size_t count = 1 + hasOffsets + hasPolicy;
    if (!decoder.expectOperands(count, count))
      return;
    takeTensor(decoder, decoder.at(0), operands);
    if (hasOffsets)
      takeOffsets(decoder, decoder.at(1), operands);
    decoder.result.extra = decoder.keep(operands);
    decoder.result.execute = prefetchTensor;
    return;
  }
  if (!decoder.take("global"))
    return decoder.fail("one of its sides is .global");
  decoder.program.copiesGlobal = true;
  if (reduces || decoder.take("bulk_group")) {
    if (hasOffsets)
      return decoder.fail("a store in im2col mode is .im2col_no_offs");
    if (reduces) {
      operands.reduction = takeReduction(decoder);
      if (!decoder.take("bulk_group"))
        return decoder.fail("it completes by .bulk_group");
    }
    Space space = takeSharedSpace(decoder, false);
    if (space != Space::Shared)
      return decoder.fail("its source is .shared::cta");
    if (!decoder.expectOperands(2 + hasPolicy, 2 + hasPolicy))
      return;
    takeTensor(decoder, decoder.at(0), operands);
    operands.shared = takeAddress(decoder, decoder.at(1), space);
    decoder.result.extra = decoder.keep(operands);
    decoder.result.execute = storeTensor;
    return;
  }
  Space space = takeSharedSpace(decoder, true);
  if (space == Space::Generic || !decoder.take("mbarrier::complete_tx::bytes"))
    return decoder.fail("a load names .shared::cta or .shared::cluster and "
                        ".mbarrier::complete_tx::bytes");
  if (operands.isIm2col && !hasOffsets)
    return decoder.fail("a load in im2col mode has offsets: .im2col");
  bool multicasts = space == Space::SharedCluster && decoder.take("multicast::cluster");
  size_t count = 3 + hasOffsets + multicasts + hasPolicy;
  if (!decoder.expectOperands(count, count))
    return;
  operands.shared = takeAddress(decoder, decoder.at(0), space);
  takeTensor(decoder, decoder.at(1), operands);
  operands.barrier = takeAddress(decoder, decoder.at(2), space);
  if (hasOffsets)
    takeOffsets(decoder, decoder.at(3), operands);
  if (multicasts)
    operands.mask = decoder.source(3 + hasOffsets, Type::U16);
  decoder.result.extra = decoder.keep(operands);
  decoder.result.execute = loadTensor;
}
