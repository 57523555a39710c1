//===- CacheOps.cpp - Instructions that only caches know ----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// There are no caches here, so hints do nothing. What they are given is checked all the
// same; a prefetch may be of any address, as on hardware.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/CacheOps.h"
#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/MemoryAccess.h"
#include "emulators/ptx/MemoryOrder.h"

using namespace tilewright::ptx;
using namespace tilewright::emulator;

/// What discard and applypriority work on: a line of the second-level cache.
static constexpr uint32_t lineBytes = 128;

static Step hint(Warp &warp, const Instruction &instruction) {
  return warp.expectSound(instruction.operand[0], "the address") ? Step::Next
                                                                 : Step::Stop;
}

static Step hintLine(Warp &warp, const Instruction &instruction) {
  Addresses addresses;
  if (!addresses.compute(warp, instruction))
    return Step::Stop;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    if (!warp.find(instruction.space, addresses.of[lane], lineBytes, lineBytes, lane,
                   Access::StrongRead))
      return Step::Stop;
  }
  return Step::Next;
}

/// discard: the line holds nothing any more.
static Step discardLine(Warp &warp, const Instruction &instruction) {
  Addresses addresses;
  if (!addresses.compute(warp, instruction))
    return Step::Stop;
  Busy busy;
  for (uint32_t lanes = warp.active; lanes; lanes &= lanes - 1) {
    unsigned lane = __builtin_ctz(lanes);
    Place place = warp.find(instruction.space, addresses.of[lane], lineBytes, lineBytes,
                            lane, Access::Write);
    if (!place)
      return Step::Stop;
    busy.add(orBytes(place.shadow, lineBytes), lane);
    for (uint32_t i = 0; i < lineBytes; ++i)
      if (!(place.shadow[i] & busyShadow))
        place.shadow[i] = Undefined;
  }
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/false, busy.lane);
  noteProgress(warp, Space::Global);
  return Step::Next;
}

/// createpolicy: a value that only cache hints take.
static Step createPolicy(Warp &warp, const Instruction &instruction) {
  LaneBuffer results;
  for (uint64_t &lane : results.lane)
    lane = 0x10f0'0000'0000'0000;
  writeValues(warp, instruction.operand[0], results);
  spreadPoison(warp, instruction.operand[0]);
  return Step::Next;
}

static void decodePrefetch(Decoder &d) {
  bool isTensorMap = d.take("tensormap");
  d.result.space = d.takeSpace();
  if (!isTensorMap && !d.takeOneOf({"L1", "L2"}) &&
      !d.takeOneOf({"L2::evict_last", "L2::evict_normal"}))
    return d.fail("no level is given");
  if (!d.expectOperands(1, 1))
    return;
  if (d.result.space == Space::Const)
    d.result.space = Space::Generic; // nothing is read: any variable will do
  decodeAddress(d, d.at(0));
  d.result.execute = hint;
}

/// discard.global.L2 [a], 128; applypriority.global.L2::evict_normal [a], 128.
static void decodeLine(Decoder &d, bool isDiscard) {
  d.result.space = d.takeSpace();
  if (d.result.space != Space::Global && d.result.space != Space::Generic)
    return d.fail("only global memory has that cache");
  if (!d.take(isDiscard ? "L2" : "L2::evict_normal"))
    return d.fail("no level is given");
  if (!d.expectOperands(2, 2))
    return;
  if (d.integer(d.at(1)) != lineBytes)
    return d.fail("the size is 128");
  decodeAddress(d, d.at(0));
  d.result.execute = isDiscard ? discardLine : hintLine;
}

/// createpolicy.fractional.L2::evict_last.b64 p, 1.0; .range with an address and two
/// sizes; .cvt.L2 of an access property.
static void decodePolicy(Decoder &d) {
  std::optional<unsigned> form = d.takeOneOf({"fractional", "range", "cvt"});
  if (!form)
    return d.fail("it is neither .fractional nor .range nor .cvt");
  if (d.takeSpace() != Space::Generic && *form != 1)
    return d.fail("only .range has a state space");
  d.take("L2");
  d.takeCacheHints();
  if (d.takeType() != Type::B64)
    return d.fail("its type is .b64");
  static constexpr size_t least[] = {1, 4, 2}, most[] = {2, 4, 2};
  if (!d.expectOperands(least[*form], most[*form]))
    return;
  d.result.operand[0] = d.destination(size_t(0));
  if (d.result.operand[0] == noRegister)
    return d.fail("the result may not be a sink");
  if (*form == 1) {
    const Operand &address = d.at(1);
    if (address.kind != Operand::Address)
      return d.fail("an address in brackets is expected");
  }
  for (size_t i = *form == 1 ? 2 : 1; i < d.operandCount(); ++i)
    d.source(i, *form == 0 ? Type::F32 : *form == 1 ? Type::U32 : Type::B64);
  d.result.execute = createPolicy;
}

void tilewright::ptx::decodeCacheControl(Decoder &d) {
  std::string_view opcode = d.statement.opcode;
  if (opcode == "prefetch" || opcode == "prefetchu")
    return decodePrefetch(d);
  if (opcode == "createpolicy")
    return decodePolicy(d);
  decodeLine(d, opcode == "discard");
}
