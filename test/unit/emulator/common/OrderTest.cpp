//===- OrderTest.cpp - What happens before what -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// AccessHistory keeps one history for sixteen bytes where it can and has a fast path for
// what is no conflict. Here it is compared with one that has neither.
//
//===----------------------------------------------------------------------===//

#include "emulators/common/Order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using namespace tilewright::emulator;

namespace {

enum class Kind { Read, StrongRead, Write, Rewrite, Atomic };

/// The rules, word by word.
class PlainHistory {
public:
  PlainHistory(size_t bytes, size_t agents)
      : words((bytes + 3) / 4, Word(agents)), agents(agents) {}

  AccessHistory::Conflict note(size_t offset, size_t size, uint32_t agent,
                               const VectorClock &now, uint32_t tag, Kind kind) {
    AccessHistory::Conflict all;
    for (size_t index = offset / 4; index * 4 < offset + size; ++index) {
      uint8_t bytes = 0;
      for (size_t i = 0; i < 4; ++i)
        if (index * 4 + i >= offset && index * 4 + i < offset + size)
          bytes |= 1 << i;
      noteWord(words[index], bytes, agent, now, tag, kind, all);
    }
    return all;
  }
  void markAsync(size_t offset, size_t size) {
    for (size_t index = offset / 4; index * 4 < offset + size; ++index)
      words[index].write.bytes |= AccessHistory::asyncMark;
  }
  const AccessHistory::LastWrite &getLastWrite(size_t offset) const {
    return words[offset / 4].write;
  }

private:
  /// When an agent accessed a word last, and which bytes of it at that time.
  struct Stamp {
    uint32_t clock = 0; // 0: never
    uint8_t bytes = 0;
    void add(uint32_t when, uint8_t more) {
      bytes = static_cast<uint8_t>(clock == when ? bytes | more : more);
      clock = when;
    }
  };
  struct Word {
    explicit Word(size_t agents) : reads(agents), atomics(agents) {}
    AccessHistory::LastWrite write, plain; // the last, and the last that was not atomic
    std::vector<Stamp> reads, atomics;
    uint32_t readTag = 0;
  };

  void noteWord(Word &word, uint8_t bytes, uint32_t agent, const VectorClock &now,
                uint32_t tag, Kind kind, AccessHistory::Conflict &all) {
    AccessHistory::LastWrite &last = word.write;
    AccessHistory::Conflict conflict;
    auto isUnordered = [&](uint32_t other, uint32_t clock) {
      return other != agent && clock > now[other];
    };
    const bool isStrong = kind == Kind::StrongRead || kind == Kind::Atomic;
    const bool isRead = kind == Kind::Read || kind == Kind::StrongRead;
    const uint32_t clock = now[agent] + 1;
    if (isUnordered(last.agent, last.clock) && (last.bytes & bytes) &&
        !(isStrong && last.atomic))
      conflict = {true, true, last.agent, last.tag};
    if (!isRead)
      for (uint32_t other = 0; other < agents; ++other)
        if (isUnordered(other, word.reads[other].clock) &&
            word.reads[other].bytes & bytes)
          conflict = {true, false, other, word.readTag};
    if (!isStrong)
      for (uint32_t other = 0; other < agents; ++other)
        if (isUnordered(other, word.atomics[other].clock) &&
            word.atomics[other].bytes & bytes)
          conflict = {true, true, other, last.tag};
    if (kind == Kind::Atomic) {
      if (last.atomic && isUnordered(word.plain.agent, word.plain.clock) &&
          (word.plain.bytes & bytes))
        conflict = {true, true, word.plain.agent, word.plain.tag};
      word.atomics[agent].add(clock, bytes);
    }
    if (conflict.found && kind == Kind::Rewrite)
      return;
    if (conflict.found)
      all = conflict;
    if (kind == Kind::StrongRead)
      return;
    if (isRead) {
      word.reads[agent].add(clock, bytes);
      word.readTag = tag;
      return;
    }
    if (last.agent == agent && last.clock == clock &&
        last.atomic == (kind == Kind::Atomic))
      bytes |= last.bytes & 0xf;
    if (kind != Kind::Atomic && bytes == 0xf)
      std::fill(word.reads.begin(), word.reads.end(), Stamp());
    last = {clock, static_cast<uint16_t>(agent), bytes, kind == Kind::Atomic, tag};
    if (kind != Kind::Atomic)
      word.plain = last;
  }

  std::vector<Word> words;
  size_t agents;
};

AccessHistory::Conflict note(AccessHistory &history, size_t offset, size_t size,
                             const Accessor &by, Kind kind) {
  switch (kind) {
  case Kind::Read:
    return history.noteRead(offset, size, by);
  case Kind::StrongRead:
    return history.noteRead(offset, size, by, /*isStrong=*/true);
  case Kind::Write:
    return history.noteWrite(offset, size, by);
  case Kind::Rewrite:
    return history.noteRewrite(offset, size, by);
  case Kind::Atomic:
    return history.noteAtomic(offset, size, by);
  }
  return {};
}

/// Of several conflicts, more than 64 agents may find another one.
void expectEqual(const AccessHistory::Conflict &got,
                 const AccessHistory::Conflict &expected, size_t agents) {
  ASSERT_EQ(got.found, expected.found);
  if (!expected.found || agents > 64)
    return;
  ASSERT_EQ(got.wasWrite, expected.wasWrite);
  ASSERT_EQ(got.agent, expected.agent);
  ASSERT_EQ(got.tag, expected.tag);
}

/// A history and the plain one of the same accesses, by agents that now and then
/// synchronise.
class Pair {
public:
  Pair(uint32_t seed, size_t agents)
      : agents(agents), plain(bytes, agents), clocks(agents, VectorClock(agents)),
        random(seed) {
    history.reset(bytes, agents);
  }

  static constexpr size_t bytes = 148; // the last granule is a part of one
  uint32_t below(size_t limit) { return static_cast<uint32_t>(random() % limit); }

  void step(Kind kind) {
    uint32_t agent = below(agents), tag = 1 + below(1000);
    // Small and large accesses, most of them aligned.
    size_t size = size_t(1) << below(7);
    size_t offset = below(bytes / size) * size;
    if (below(8) == 0)
      offset = below(bytes - size + 1);
    Accessor by(agent, clocks[agent], tag);
    expectEqual(note(history, offset, size, by, kind),
                plain.note(offset, size, agent, clocks[agent], tag, kind), agents);
    if (kind == Kind::Write && below(4) == 0) {
      history.markAsync(offset, size);
      plain.markAsync(offset, size);
    }
  }
  void synchronise() {
    uint32_t from = below(agents), to = below(agents);
    clocks[from].step(from);
    clocks[to].join(clocks[from]);
  }
  /// Everybody with everybody.
  void barrier() {
    VectorClock all;
    for (uint32_t agent = 0; agent < agents; ++agent) {
      clocks[agent].step(agent);
      all.join(clocks[agent]);
    }
    for (VectorClock &clock : clocks)
      clock.join(all);
  }
  /// Reads or writes by lanes together: each anywhere, or one beside the other.
  void stepLanes(bool isRead) {
    uint32_t agent = below(agents), tag = 1 + below(1000);
    constexpr unsigned count = 64;
    static constexpr uint32_t sizes[] = {1, 2, 4, 8, 12, 16};
    const uint32_t size = sizes[below(6)];
    uint64_t offsets[count], lanes = random() | uint64_t(random()) << 32;
    if (below(2))
      lanes = ~uint64_t(0);
    const bool isRow = below(2);
    const uint32_t places = static_cast<uint32_t>(bytes) / size, first = below(places);
    for (unsigned lane = 0; lane < count; ++lane)
      offsets[lane] = (isRow ? (first + lane) % places : below(places)) * size;
    if (below(4) == 0)
      offsets[below(count)] = below(static_cast<uint32_t>(bytes) / 16 - 1) * 16 + 4;
    Accessor by(agent, clocks[agent], tag);
    const uint64_t left = isRead ? history.noteLaneReads(offsets, lanes, size, by)
                                 : history.noteLaneWrites(offsets, lanes, size, by);
    ASSERT_EQ(left & ~lanes, 0u);
    const Kind kind = isRead ? Kind::Read : Kind::Write;
    // Of what was noted there is nothing to report.
    for (uint64_t pass : {lanes & ~left, left})
      for (unsigned lane = 0; lane < count; ++lane) {
        if (!(pass >> lane & 1))
          continue;
        auto expected = plain.note(offsets[lane], size, agent, clocks[agent], tag, kind);
        expectEqual(left >> lane & 1 ? note(history, offsets[lane], size, by, kind)
                                     : AccessHistory::Conflict(),
                    expected, agents);
      }
  }
  void compareLastWrites() {
    size_t next = 0;
    history.forLastWrites(0, bytes, [&](size_t at, const auto &last) {
      EXPECT_GE(at, next);
      for (; next < at; next += 4)
        EXPECT_EQ(plain.getLastWrite(next), previous);
      previous = last;
      return false;
    });
    for (; next < bytes; next += 4)
      EXPECT_EQ(plain.getLastWrite(next), previous);
  }

private:
  const size_t agents;
  AccessHistory history;
  PlainHistory plain;
  std::vector<VectorClock> clocks;
  std::mt19937 random;
  AccessHistory::LastWrite previous;
};

} // namespace

TEST(Order, AccessesAsWordByWord) {
  for (uint32_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed, seed % 2 ? 3 : 9);
    for (unsigned i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) {
      pair.step(static_cast<Kind>(pair.below(4)));
      if (pair.below(2))
        pair.synchronise();
      if (pair.below(20) == 0)
        pair.barrier();
      if (pair.below(3) == 0)
        pair.stepLanes(pair.below(2));
      pair.compareLastWrites();
    }
  }
}

TEST(Order, AtomicsAsWordByWord) {
  for (uint32_t seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed, 4);
    for (unsigned i = 0; i < 200 && !testing::Test::HasFatalFailure(); ++i) {
      // The first atomic operation comes when there is a history already.
      pair.step(static_cast<Kind>(pair.below(i < 50 ? 4 : 5)));
      if (pair.below(2))
        pair.synchronise();
      if (pair.below(20) == 0)
        pair.barrier();
    }
  }
}

TEST(Order, AnAtomicOperationHidesNoWriteBeforeIt) {
  AccessHistory history;
  history.reset(16, 2);
  VectorClock first(2), second(2);
  first.step(0);
  second.step(1);
  EXPECT_FALSE(history.noteWrite(0, 4, Accessor(0, first, 1)).found);
  EXPECT_FALSE(history.noteAtomic(0, 4, Accessor(0, first, 2)).found);
  AccessHistory::Conflict conflict = history.noteAtomic(0, 4, Accessor(1, second, 3));
  EXPECT_TRUE(conflict.found);
  EXPECT_EQ(conflict.tag, 1u);
}

TEST(Order, MoreAgentsThanBits) {
  for (uint32_t seed = 0; seed < 15; ++seed) {
    SCOPED_TRACE(seed);
    Pair pair(seed, 130);
    for (unsigned i = 0; i < 400 && !testing::Test::HasFatalFailure(); ++i) {
      pair.step(static_cast<Kind>(pair.below(4)));
      for (unsigned j = 0; j < 8; ++j)
        pair.synchronise();
      if (pair.below(20) == 0)
        pair.barrier();
      if (pair.below(3) == 0)
        pair.stepLanes(pair.below(2));
    }
  }
}

TEST(Order, ResetForgets) {
  AccessHistory history;
  VectorClock first(2), second(2);
  for (size_t bytes : {64u, 64u, 16u, 128u}) {
    history.reset(bytes, 2);
    // Whole granules and words.
    for (size_t size : {16u, 4u}) {
      EXPECT_FALSE(history.noteWrite(0, size, Accessor(0, first, 1)).found);
      auto conflict = history.noteRead(0, size, Accessor(1, second, 2));
      EXPECT_TRUE(conflict.found && conflict.wasWrite);
      history.reset(bytes, 2);
      EXPECT_FALSE(history.noteRead(0, size, Accessor(1, second, 2)).found);
      conflict = history.noteWrite(0, size, Accessor(0, first, 1));
      EXPECT_TRUE(conflict.found && !conflict.wasWrite);
      history.reset(bytes, 2);
    }
  }
}
