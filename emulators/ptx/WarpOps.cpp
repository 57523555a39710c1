//===- WarpOps.cpp - Instructions of a whole warp -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a lane reads from one that does not take part is undefined.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Elementwise.h"
#include "emulators/ptx/Redux.h"
#include "emulators/ptx/WarpParties.h"

#include <cstdio>

using namespace tilewright::ptx;

//===----------------------------------------------------------------------===//
// shfl
//===----------------------------------------------------------------------===//

namespace {
enum class Shuffle : uint8_t { Up, Down, Butterfly, Index };

/// Where each lane's value comes from: a lane of its segment, else (0) itself.
struct ShuffleSources {
  int32_t lane[lanesPerWarp], inSegment[lanesPerWarp];
};
} // namespace

template <Shuffle mode>
static void getSources(const uint64_t *b, const uint64_t *c, ShuffleSources &sources) {
  for (int32_t self = 0; self < int32_t(lanesPerWarp); ++self) {
    int32_t by = b[self] & 31, clamp = c[self] & 31, segment = c[self] >> 8 & 31;
    int32_t least = self & segment, most = least | (clamp & ~segment);
    int32_t from = mode == Shuffle::Up          ? self - by
                   : mode == Shuffle::Down      ? self + by
                   : mode == Shuffle::Butterfly ? self ^ by
                                                : least | (by & ~segment);
    int32_t inSegment = mode == Shuffle::Up ? from >= most : from <= most;
    sources.inSegment[self] = inSegment;
    sources.lane[self] = inSegment ? from : self;
  }
}

/// Writes `results` to the lanes of `party`.
static void writeParty(Warp &warp, uint32_t reg, uint32_t party,
                       const LaneBuffer &results, const uint8_t *poison) {
  uint32_t active = warp.active;
  warp.active = party;
  writeValues(warp, reg, results);
  writePoison(warp, reg, poison);
  warp.active = active;
}

/// Reports that `party` names lanes that no thread of the block has ever been: what they
/// hold is nothing, unlike the votes of lanes that are not there.
static void expectPresent(Warp &warp, uint32_t maskRegister, uint32_t party) {
  unsigned first = __builtin_ctz(party);
  uint32_t mask = static_cast<uint32_t>(warp.values(maskRegister)[first]);
  if (!(mask & ~warp.present))
    return;
  char text[96];
  snprintf(text, sizeof(text),
           "its mask %#x names lane %d, and the block's last warp has %d lanes", mask,
           __builtin_ctz(mask & ~warp.present), __builtin_popcount(warp.present));
  warp.report(Rule::Convergence, text, first);
}

/// Operands: d, a, b, c, mask, predicate (or none).
template <Shuffle mode> static Step shuffle(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  // The result may be one of the sources, so all is read before a party's is written.
  ShuffleSources sources;
  getSources<mode>(warp.values(reg[2]), warp.values(reg[3]), sources);
  PoisonWords from, how;
  from.add(warp, {reg[1], poisonOfBytes(4)});
  how.add(warp, {reg[2], poisonOfBytes(4)});
  how.add(warp, {reg[3], poisonOfBytes(4)});
  const uint64_t *a = warp.values(reg[1]);
  LaneBuffer results;
  for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
    results.lane[lane] = static_cast<uint32_t>(a[sources.lane[lane]]);
  return forEachParty(warp, reg[4], [&](uint32_t party) {
    expectPresent(warp, reg[4], party);
    uint8_t poison[lanesPerWarp] = {};
    uint32_t undefined = 0;
    if (party != allLanes || !from.isSound() || !how.isSound())
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
        bool isThere = party >> sources.lane[lane] & 1;
        poison[lane] = how[lane] || !isThere ? undefinedValue : from[sources.lane[lane]];
        undefined |= uint32_t(how[lane] != 0) << lane;
      }
    if (reg[0] != noRegister)
      writeParty(warp, reg[0], party, results, poison);
    if (reg[5] != noRegister) {
      uint32_t inSegment = 0;
      for (unsigned lane = 0; lane < lanesPerWarp; ++lane)
        inSegment |= uint32_t(sources.inSegment[lane]) << lane;
      Predicate &predicate = warp.predicate(reg[5]);
      predicate.value = (predicate.value & ~party) | (inSegment & party);
      predicate.poison = (predicate.poison & ~party) | (undefined & party);
    }
  });
}

/// `d` or `d|p` as operands 0 and `predicate`.
static void decodeResults(Decoder &d, unsigned predicate) {
  const Operand &results = d.at(0);
  if (results.kind != Operand::Pair) {
    d.result.operand[0] = d.destination(results);
    return;
  }
  d.result.operand[0] = d.destination(results.items[0]);
  d.result.operand[predicate] = d.predicate(results.items[1]);
}

static void decodeShuffle(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("without .sync it is of older architectures");
  std::optional<unsigned> mode = d.takeOneOf({"up", "down", "bfly", "idx"});
  if (!mode || d.takeType() != Type::B32)
    return d.fail("its form is shfl.sync.{up,down,bfly,idx}.b32");
  if (!d.expectOperands(5, 5))
    return;
  decodeResults(d, 5);
  for (size_t i = 1; i < 5; ++i)
    d.result.operand[i] = d.source(i, Type::B32);
  static constexpr Handler handlers[] = {shuffle<Shuffle::Up>, shuffle<Shuffle::Down>,
                                         shuffle<Shuffle::Butterfly>,
                                         shuffle<Shuffle::Index>};
  d.result.execute = handlers[*mode];
}

//===----------------------------------------------------------------------===//
// vote
//===----------------------------------------------------------------------===//

namespace {
enum class Vote : uint8_t { All, Any, Uniform, Ballot };
} // namespace

/// Flag: the source predicate is negated.
static constexpr uint32_t negates = 1;

/// Operands: d, the predicate, mask.
template <Vote mode> static Step vote(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  Predicate source = warp.predicate(reg[1]);
  if (instruction.flags & negates)
    source.value = ~source.value;
  return forEachParty(warp, reg[2], [&](uint32_t party) {
    uint32_t poison = source.poison & party;
    uint32_t yes = source.value & party & ~poison, no = ~source.value & party & ~poison;
    if (mode == Vote::Ballot) {
      if (reg[0] == noRegister)
        return;
      // Bytes of the result whose lanes are undefined.
      uint8_t bytes = 0;
      for (unsigned i = 0; i < 4; ++i)
        bytes |= (poison >> 8 * i & 0xff ? 1 : 0) << i;
      forEachLaneOf(party, [&](unsigned lane) {
        warp.values(reg[0])[lane] = yes;
        warp.poison(reg[0])[lane] = bytes;
      });
      return;
    }
    if (reg[0] == noRegister)
      return;
    // What one sound lane decides does not depend on undefined ones.
    bool result = mode == Vote::All   ? no == 0
                  : mode == Vote::Any ? yes != 0
                                      : yes == 0 || no == 0;
    bool isDecided = mode == Vote::All   ? no != 0
                     : mode == Vote::Any ? yes != 0
                                         : yes != 0 && no != 0;
    Predicate &predicate = warp.predicate(reg[0]);
    predicate.value = (predicate.value & ~party) | (result ? party : 0);
    predicate.poison =
        (predicate.poison & ~party) | (poison != 0 && !isDecided ? party : 0);
  });
}

static void decodeVote(Decoder &d) {
  if (!d.take("sync"))
    return d.fail("without .sync it is of older architectures");
  std::optional<unsigned> mode = d.takeOneOf({"all", "any", "uni", "ballot"});
  bool isBallot = mode == 3u;
  if (!mode || d.takeType() != (isBallot ? Type::B32 : Type::Pred))
    return d.fail("its form is vote.sync.{all,any,uni}.pred or vote.sync.ballot.b32");
  if (!d.expectOperands(3, 3))
    return;
  d.result.operand[0] = isBallot ? d.destination(size_t(0)) : d.predicate(size_t(0));
  d.result.operand[1] = d.condition(d.at(1));
  d.result.flags = d.at(1).negated ? negates : 0;
  d.result.operand[2] = d.source(2, Type::B32);
  static constexpr Handler handlers[] = {vote<Vote::All>, vote<Vote::Any>,
                                         vote<Vote::Uniform>, vote<Vote::Ballot>};
  d.result.execute = handlers[*mode];
}

//===----------------------------------------------------------------------===//
// match
//===----------------------------------------------------------------------===//

/// Operands: d, a, mask, predicate (or none).
template <typename T, bool isAll>
static Step match(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  uint64_t a[lanesPerWarp];
  uint8_t aPoison[lanesPerWarp];
  memcpy(a, warp.values(reg[1]), sizeof(a));
  memcpy(aPoison, warp.poison(reg[1]), sizeof(aPoison));
  return forEachParty(warp, reg[2], [&](uint32_t party) {
    uint8_t poison = 0;
    forEachLaneOf(party, [&](unsigned lane) {
      poison |= aPoison[lane] & poisonOfBytes(sizeof(T));
    });
    bool isEqual = true;
    forEachLaneOf(party, [&](unsigned lane) {
      uint32_t same = 0;
      forEachLaneOf(party, [&](unsigned other) {
        same |= uint32_t(T(a[other]) == T(a[lane])) << other;
      });
      isEqual &= same == party;
      if (reg[0] == noRegister)
        return;
      warp.values(reg[0])[lane] = isAll && same != party ? 0 : same;
      warp.poison(reg[0])[lane] = poison ? undefinedValue : soundValue;
    });
    if (reg[3] != noRegister) {
      Predicate &predicate = warp.predicate(reg[3]);
      predicate.value = (predicate.value & ~party) | (isEqual ? party : 0);
      predicate.poison = (predicate.poison & ~party) | (poison ? party : 0);
    }
  });
}

static void decodeMatch(Decoder &d) {
  bool isAll = d.take("all");
  if ((!isAll && !d.take("any")) || !d.take("sync"))
    return d.fail("its form is match.{any,all}.sync");
  Type type = d.takeType();
  if (type != Type::B32 && type != Type::B64)
    return d.fail("its type is .b32 or .b64");
  if (!d.expectOperands(3, 3))
    return;
  if (!isAll && d.at(0).kind == Operand::Pair)
    return d.fail("only match.all gives a predicate");
  decodeResults(d, 3);
  d.result.operand[1] = d.source(1, type);
  d.result.operand[2] = d.source(2, Type::B32);
  bool isWide = type == Type::B64;
  d.result.execute = isAll ? (isWide ? match<uint64_t, true> : match<uint32_t, true>)
                           : (isWide ? match<uint64_t, false> : match<uint32_t, false>);
}

//===----------------------------------------------------------------------===//
// elect, activemask
//===----------------------------------------------------------------------===//

/// Operands: d, mask, predicate.
static Step elect(Warp &warp, const Instruction &instruction) {
  const uint32_t *reg = instruction.operand;
  return forEachParty(warp, reg[1], [&](uint32_t party) {
    unsigned leader = __builtin_ctz(party);
    if (reg[0] != noRegister)
      forEachLaneOf(party, [&](unsigned lane) {
        warp.values(reg[0])[lane] = leader;
        warp.poison(reg[0])[lane] = soundValue;
      });
    if (reg[2] != noRegister) {
      Predicate &predicate = warp.predicate(reg[2]);
      predicate.value = (predicate.value & ~party) | 1u << leader;
      predicate.poison &= ~party;
    }
  });
}

static void decodeElect(Decoder &d) {
  expectArchitecture(d, 90);
  if (!d.take("sync"))
    return d.fail("its form is elect.sync");
  if (!d.expectOperands(2, 2))
    return;
  if (d.at(0).kind != Operand::Pair)
    return d.fail("its results are d|p");
  decodeResults(d, 2);
  d.result.operand[1] = d.source(1, Type::B32);
  d.result.execute = elect;
}

static Step activeMask(Warp &warp, const Instruction &instruction) {
  forEachLaneOf(warp.active, [&](unsigned lane) {
    warp.values(instruction.operand[0])[lane] = warp.active;
    warp.poison(instruction.operand[0])[lane] = soundValue;
  });
  return Step::Next;
}

void tilewright::ptx::decodeWarp(Decoder &d) {
  std::string_view opcode = d.statement.opcode;
  if (opcode == "shfl")
    return decodeShuffle(d);
  if (opcode == "vote")
    return decodeVote(d);
  if (opcode == "match")
    return decodeMatch(d);
  if (opcode == "redux")
    return decodeRedux(d);
  if (opcode == "elect")
    return decodeElect(d);
  if (d.takeType() != Type::B32 || !d.expectOperands(1, 1))
    return d.fail("its form is activemask.b32");
  d.result.operand[0] = d.destination(size_t(0));
  if (d.result.operand[0] == noRegister)
    return d.fail("the result may not be a sink");
  d.result.execute = activeMask;
}
