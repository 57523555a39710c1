//===- AsyncStoreOps.cpp - st.async and red.async -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each lane stores to, or combines with, shared memory of a block of its cluster, and an
// mbarrier of that block is told of the bytes. The value is read when the instruction is
// issued; memory changes at the wait for the mbarrier, as by a bulk copy. Unlike bulk
// copies, both are performed in the generic proxy.
//
// The forms without an mbarrier, .release of global memory on sm_100, are not modelled.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/AsyncCopy.h"
#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/MemoryAccess.h"

#include <cstring>

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// The longest vector.
static constexpr uint32_t valueLimit = 16;

namespace {
/// The list of the instruction has the registers of the value.
struct AsyncStore {
  CopyAddress to, barrier;
  Combine combine = nullptr; ///< null: a store
  uint32_t width = 0;        ///< bytes of an element
};

/// What a lane stores.
struct Value {
  uint8_t data[valueLimit], shadow[valueLimit];
};
} // namespace

static Value readValue(Warp &warp, const Instruction &instruction, uint32_t width,
                       unsigned lane) {
  Value value;
  for (unsigned i = 0; i < instruction.listSize; ++i) {
    uint32_t reg = instruction.list[i];
    memcpy(value.data + i * width, &warp.values(reg)[lane], width);
    Warp::poisonToShadow(warp.poison(reg)[lane], value.shadow + i * width, width);
  }
  return value;
}

static Step issueStore(Warp &warp, const Instruction &instruction) {
  const auto &store = *static_cast<const AsyncStore *>(instruction.extra);
  if (!warp.expectSound(store.to.reg, "the destination's address") ||
      !warp.expectSound(store.barrier.reg, "the mbarrier's address"))
    return Step::Stop;
  const uint32_t bytes = instruction.listSize * store.width;
  const Access access = store.combine ? Access::Atomic : Access::Write;
  return forEachLane(warp, [&](unsigned lane) {
    std::vector<LoadTarget> targets =
        findTargets(warp, store.to, store.barrier, bytes, /*align=*/bytes, lane, access,
                    /*mask=*/std::nullopt, Proxy::Generic);
    if (targets.empty())
      return false;
    Place to = targets[0].place;
    Value value = readValue(warp, instruction, store.width, lane);
    defer(warp, *targets[0].barrier, bytes,
          [to, value, bytes, combine = store.combine, width = store.width] {
            if (combine)
              return reduceElements(combine, width, to.data, to.shadow, value.data,
                                    value.shadow, bytes);
            memcpy(to.data, value.data, bytes);
            memcpy(to.shadow, value.shadow, bytes);
          });
    return true;
  });
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// The combinations that the hardware has: additions are of .u64 too, the others of 32
/// bits.
static Combine takeCombine(Decoder &d, Type &type) {
  Reduction reduction = takeReduction(d);
  type = d.takeType();
  bool fits = type == Type::U32 || type == Type::S32 || type == Type::B32 ||
              (type == Type::U64 && reduction == Reduction::Add);
  Combine combine = fits ? getCombine(reduction, type) : nullptr;
  if (!combine)
    d.fail("there is no such reduction");
  return combine;
}

void tilewright::ptx::decodeAsyncStore(Decoder &d, bool reduces) {
  expectArchitecture(d, 90);
  AsyncStore store;
  Instruction &result = d.result;
  bool isWeak = d.take("weak"), isRelaxed = d.take("relaxed");
  bool isOfCluster = d.take("cluster");
  if (reduces ? isWeak || !isRelaxed || !isOfCluster : isRelaxed || isOfCluster)
    return d.fail(reduces ? "its form is red.async.relaxed.cluster"
                          : "an asynchronous store is weak");
  result.space = d.take("shared::cluster") ? Space::SharedCluster : Space::Generic;
  if (!d.take("mbarrier::complete_tx::bytes") &&
      (reduces || result.space == Space::SharedCluster))
    return d.fail("it names .mbarrier::complete_tx::bytes");
  unsigned count = 1;
  if (reduces) {
    store.combine = takeCombine(d, result.type);
  } else {
    std::optional<unsigned> vector = d.takeOneOf({"v2", "v4"});
    count = vector ? 2u << *vector : 1;
    result.type = d.takeType();
    switch (result.type) {
    case Type::B32:
    case Type::B64:
    case Type::U32:
    case Type::U64:
    case Type::S32:
    case Type::S64:
    case Type::F32:
    case Type::F64:
      break;
    default:
      return d.fail("it has no type of 32 or 64 bits");
    }
  }
  store.width = getBytes(result.type);
  if (store.width * count > valueLimit)
    return d.fail("the vector is longer than 16 bytes");
  if (d.failed() || !d.expectOperands(3, 3))
    return;
  const Operand &data = d.at(1);
  if ((data.kind == Operand::Vector ? data.items.size() : 1) != count)
    return d.fail("the data has not as many registers as the vector elements");
  store.to = takeAddress(d, d.at(0), result.space);
  addData(d, data, /*isSource=*/true);
  // The mbarrier lies where the destination does.
  store.barrier = takeAddress(d, d.at(2), result.space);
  result.extra = d.keep(store);
  result.execute = issueStore;
}
