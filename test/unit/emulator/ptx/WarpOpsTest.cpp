//===- WarpOpsTest.cpp - Tests of shfl, vote, match, redux, elect -------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Harness.h"

#include <random>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using namespace tilewright::emulator;

namespace {

/// Runs `body` in one warp of `threads`; it finds in[i] in %r1 and in64[i] in %d1 and
/// leaves results in %r2 and %r3, which are given back alternately.
struct WarpRun {
  std::vector<uint32_t> result;
  std::vector<uint8_t> shadow;
  Harness h;

  WarpRun(const std::string &body, const std::vector<uint32_t> &in, unsigned threads = 32,
          unsigned architecture = 90)
      : h(architecture) {
    std::string error = h.loadBody(
        "u64 in, u64 out",
        "ld.param.u64 %d2, [in]; ld.param.u64 %d3, [out]; mov.u32 %r0, %tid.x;\n"
        "mad.wide.u32 %d4, %r0, 4, %d2; ld.global.u32 %r1, [%d4];\n"
        "mul.wide.u32 %d1, %r1, 0x10001; mov.u32 %r2, 0; mov.u32 %r3, 0;\n" +
            body +
            "\nmad.wide.u32 %d5, %r0, 8, %d3; st.global.v2.u32 [%d5], {%r2, %r3};\n");
    EXPECT_EQ(error, "") << body;
    if (!error.empty())
      return;
    uint64_t from = h.put(in), to = h.empty<uint32_t>(64);
    EXPECT_EQ(h.arg(from).arg(to).launch({}, {threads, 1, 1}), "");
    result = h.get<uint32_t>(to, 64);
    shadow = h.shadow(to, 256);
  }
  void expectClean() { EXPECT_TRUE(h.faults.empty()) << h.faultText(); }
};

std::vector<uint32_t> randomWords(unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<uint32_t> words(32);
  for (uint32_t &word : words)
    word = random();
  return words;
}

const std::string toWord = "selp.u32 %r3, 1, 0, %p1;\n";

} // namespace

/// All modes, distances and segment widths, against the manual's pseudocode.
TEST(WarpOps, Shuffle) {
  auto in = randomWords();
  for (const char *mode : {"up", "down", "bfly", "idx"})
    for (unsigned b : {0u, 1u, 3u, 8u, 16u, 31u, 33u})
      for (unsigned c : {0u, 0x1fu, 0x1c1fu, 0x1c00u, 0x181fu, 0x100fu, 0x0007u}) {
        WarpRun run("shfl.sync." + std::string(mode) + ".b32 %r2|%p1, %r1, " +
                        std::to_string(b) + ", " + std::to_string(c) + ", -1;\n" + toWord,
                    in);
        run.expectClean();
        for (int lane = 0; lane < 32; ++lane) {
          int bval = b & 31, cval = c & 31, segment = c >> 8 & 31;
          int maxLane = (lane & segment) | (cval & ~segment), minLane = lane & segment;
          int j;
          bool p;
          switch (mode[0]) {
          case 'u':
            j = lane - bval;
            p = j >= maxLane;
            break;
          case 'd':
            j = lane + bval;
            p = j <= maxLane;
            break;
          case 'b':
            j = lane ^ bval;
            p = j <= maxLane;
            break;
          default:
            j = minLane | (bval & ~segment);
            p = j <= maxLane;
          }
          if (!p)
            j = lane;
          ASSERT_EQ(run.result[2 * lane], in[j]) << mode << b << " " << c << " " << lane;
          ASSERT_EQ(run.result[2 * lane + 1], uint32_t(p)) << mode << b << " " << c;
        }
      }
}

TEST(WarpOps, ShuffleByLane) {
  auto in = randomWords();
  // The source lane differs from lane to lane, and the result is the source register.
  WarpRun run(
      "mul.lo.u32 %r4, %r0, 5; add.u32 %r4, %r4, 3; mov.b32 %r2, %r1;\n"
      "shfl.sync.idx.b32 %r2, %r2, %r4, 31, -1; shfl.sync.idx.b32 _|%p1, %r1, 40, 7, "
      "-1;\n" +
          toWord,
      in);
  run.expectClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(run.result[2 * lane], in[(lane * 5 + 3) & 31]);
    EXPECT_EQ(run.result[2 * lane + 1], 0u); // lane 8 is beyond the clamp of 7
  }
}

/// Half warps with their own masks; a source that takes no part gives undefined data.
TEST(WarpOps, ShuffleParties) {
  auto in = randomWords();
  WarpRun halves("setp.lt.u32 %p0, %r0, 16; selp.b32 %r4, 0xffff, 0xffff0000, %p0;\n"
                 "shfl.sync.bfly.b32 %r2, %r1, 5, 31, %r4;\n"
                 "@%p0 bra A; shfl.sync.idx.b32 %r3, %r1, 20, 31, 0xffff0000; bra B;\n"
                 "A: shfl.sync.idx.b32 %r3, %r1, 20, 31, 0xffff; B:",
                 in);
  halves.expectClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(halves.result[2 * lane], in[lane ^ 5]);
    uint8_t expected = lane < 16 ? Undefined : Sound;
    for (unsigned byte = 0; byte < 4; ++byte)
      EXPECT_EQ(halves.shadow[8 * lane + 4 + byte], expected) << lane;
    if (lane >= 16) {
      EXPECT_EQ(halves.result[2 * lane + 1], in[20]);
    }
  }
  // A warp of 20 lanes, all of them named, or more than there are.
  WarpRun tooMany("shfl.sync.down.b32 %r2, %r1, 4, 31, -1;", in, 20);
  EXPECT_TRUE(tooMany.h.hasFault(Rule::Convergence)) << tooMany.h.faultText();
  WarpRun partial("shfl.sync.down.b32 %r2, %r1, 4, 31, 0xfffff;", in, 20);
  partial.expectClean();
  for (unsigned lane = 0; lane < 20; ++lane) {
    EXPECT_EQ(partial.shadow[8 * lane], lane + 4 < 20 ? Sound : Undefined);
    if (lane + 4 < 20) {
      EXPECT_EQ(partial.result[2 * lane], in[lane + 4]);
    }
  }
}

/// Lanes that come late are waited for; those that have exited are not.
TEST(WarpOps, WaitsForLanes) {
  auto in = randomWords();
  WarpRun late("and.b32 %r4, %r0, 3; setp.eq.u32 %p0, %r4, 2; @%p0 bra A;\n"
               "add.u32 %r1, %r1, 1; bra B;\nA: add.u32 %r1, %r1, 2;\n"
               "B: shfl.sync.down.b32 %r2, %r1, 1, 31, -1;",
               in);
  late.expectClean();
  for (unsigned lane = 0; lane < 31; ++lane)
    EXPECT_EQ(late.result[2 * lane], in[lane + 1] + ((lane + 1) % 4 == 2 ? 2 : 1));
  WarpRun exited("setp.gt.u32 %p0, %r0, 9; @%p0 exit; setp.ne.u32 %p1, %r0, 3;\n"
                 "vote.sync.ballot.b32 %r2, %p1, -1; redux.sync.add.u32 %r3, %r0, -1;",
                 in);
  exited.expectClean();
  for (unsigned lane = 0; lane < 10; ++lane) {
    EXPECT_EQ(exited.result[2 * lane], 0x3f7u);
    EXPECT_EQ(exited.result[2 * lane + 1], 45u);
  }
}

TEST(WarpOps, Convergence) {
  auto in = randomWords();
  const char *bodies[] = {
      // A lane that is not named.
      "shfl.sync.idx.b32 %r2, %r1, 0, 31, 0x7fffffff;",
      // A lane that is named and passes by.
      "setp.eq.u32 %p0, %r0, 4; @!%p0 shfl.sync.idx.b32 %r2, %r1, 0, 31, -1;",
      // Lanes that disagree about who takes part.
      "setp.eq.u32 %p0, %r0, 4; selp.b32 %r4, 0x10, -1, %p0;\n"
      "shfl.sync.idx.b32 %r2, %r1, 0, 31, %r4;",
      // Two halves at two instructions, each naming all.
      "setp.lt.u32 %p0, %r0, 16; @%p0 bra A; shfl.sync.idx.b32 %r2, %r1, 0, 31, -1;\n"
      "bra B; A: shfl.sync.idx.b32 %r3, %r1, 0, 31, -1; B:"};
  for (const char *body : bodies) {
    WarpRun run(body, in);
    EXPECT_TRUE(run.h.hasFault(Rule::Convergence)) << body << run.h.faultText();
  }
  WarpRun undefined("vote.sync.any.pred %p1, %p9, %r50;", in);
  EXPECT_TRUE(undefined.h.hasFault(Rule::Uninitialised));
}

TEST(WarpOps, Vote) {
  for (uint32_t bits : {0u, ~0u, 0x1234fedcu, 1u, 0x80000000u, 0x0000ffffu}) {
    std::vector<uint32_t> in(32);
    for (unsigned i = 0; i < 32; ++i)
      in[i] = bits >> i & 1;
    for (uint32_t mask : {~0u, 0x00ff00ffu}) {
      std::string m = std::to_string(mask);
      WarpRun run("setp.ne.u32 %p0, %r1, 0; shr.u32 %r5, " + m +
                      ", %r0; and.b32 %r5, %r5, 1;\n"
                      "setp.ne.u32 %p8, %r5, 0;\n"
                      "@%p8 vote.sync.ballot.b32 %r2, %p0, " +
                      m +
                      ";\n"
                      "@%p8 vote.sync.ballot.b32 %r10, !%p0, " +
                      m +
                      ";\n"
                      "@%p8 xor.b32 %r2, %r2, %r10; @%p8 xor.b32 %r2, %r2, %r10;\n"
                      "@!%p8 bra E;\n"
                      "vote.sync.all.pred %p1, %p0, " +
                      m +
                      "; selp.u32 %r3, 1, 0, %p1;\n"
                      "vote.sync.any.pred %p2, %p0, " +
                      m +
                      "; selp.u32 %r4, 2, 0, %p2;\n"
                      "or.b32 %r3, %r3, %r4;\n"
                      "vote.sync.uni.pred %p3, %p0, " +
                      m +
                      "; selp.u32 %r4, 4, 0, %p3;\n"
                      "or.b32 %r3, %r3, %r4;\n"
                      "vote.sync.all.pred %p4, !%p0, " +
                      m +
                      "; selp.u32 %r4, 8, 0, %p4;\n"
                      "or.b32 %r3, %r3, %r4; E:\n",
                  in);
      run.expectClean();
      for (unsigned lane = 0; lane < 32; ++lane) {
        if (!(mask >> lane & 1))
          continue;
        uint32_t yes = bits & mask, no = ~bits & mask;
        EXPECT_EQ(run.result[2 * lane], yes);
        uint32_t expected =
            (no == 0) | (yes != 0) << 1 | (yes == 0 || no == 0) << 2 | (yes == 0) << 3;
        EXPECT_EQ(run.result[2 * lane + 1], expected) << bits << " " << mask;
      }
    }
  }
}

TEST(WarpOps, Match) {
  auto in = randomWords();
  for (unsigned i = 0; i < 32; ++i)
    in[i] = in[i] % 5;
  WarpRun any("match.any.sync.b32 %r2, %r1, -1; match.any.sync.b64 %r3, %d1, -1;", in);
  any.expectClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    uint32_t same = 0;
    for (unsigned other = 0; other < 32; ++other)
      same |= uint32_t(in[other] == in[lane]) << other;
    EXPECT_EQ(any.result[2 * lane], same);
    EXPECT_EQ(any.result[2 * lane + 1], same);
  }
  WarpRun differ("match.all.sync.b32 %r2|%p1, %r1, -1;\n" + toWord, in);
  WarpRun equal("match.all.sync.b64 %r2|%p1, %d1, -1;\n" + toWord,
                std::vector<uint32_t>(32, 77));
  differ.expectClean();
  equal.expectClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(differ.result[2 * lane], 0u);
    EXPECT_EQ(differ.result[2 * lane + 1], 0u);
    EXPECT_EQ(equal.result[2 * lane], ~0u);
    EXPECT_EQ(equal.result[2 * lane + 1], 1u);
  }
}

TEST(WarpOps, Redux) {
  auto in = randomWords(9);
  uint32_t sum = 0, all = ~0u, any = 0, odd = 0, umin = ~0u, umax = 0;
  int32_t smin = INT32_MAX, smax = INT32_MIN;
  for (uint32_t x : in) {
    sum += x;
    all &= x;
    any |= x;
    odd ^= x;
    umin = std::min(umin, x);
    umax = std::max(umax, x);
    smin = std::min(smin, int32_t(x));
    smax = std::max(smax, int32_t(x));
  }
  std::pair<const char *, uint32_t> cases[] = {
      {"add.u32", sum},  {"add.s32", sum},  {"and.b32", all},
      {"or.b32", any},   {"xor.b32", odd},  {"min.u32", umin},
      {"max.u32", umax}, {"min.s32", smin}, {"max.s32", smax}};
  for (const auto &[name, expected] : cases) {
    WarpRun run("redux.sync." + std::string(name) + " %r2, %r1, -1;\n", in);
    run.expectClean();
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(run.result[2 * lane], expected) << name;
  }
  // One undefined lane makes it undefined for all.
  WarpRun undefined("setp.eq.u32 %p0, %r0, 3; mov.u32 %r4, 5; @%p0 mov.u32 %r4, %r60;\n"
                    "redux.sync.add.u32 %r2, %r4, -1;",
                    in);
  EXPECT_EQ(undefined.shadow[0], Undefined);
}

TEST(WarpOps, ReduxOfFloats) {
  std::vector<float> values(32);
  for (int i = 0; i < 32; ++i)
    values[i] = (i - 20) * 0.5f;
  values[4] = NAN;
  std::vector<uint32_t> in(32);
  memcpy(in.data(), values.data(), 128);
  auto bits = [](float value) {
    uint32_t word;
    memcpy(&word, &value, 4);
    return word;
  };
  std::pair<const char *, uint32_t> cases[] = {
      {"min.f32", bits(-10)},      {"max.f32", bits(5.5f)},
      {"min.abs.f32", bits(0)},    {"max.abs.f32", bits(10)},
      {"min.NaN.f32", 0x7fffffff}, {"max.abs.NaN.f32", 0x7fffffff}};
  for (const auto &[name, expected] : cases) {
    WarpRun run("redux.sync." + std::string(name) + " %r2, %r1, -1;\n", in, 32, 100);
    for (unsigned lane = 0; lane < 32; ++lane)
      EXPECT_EQ(run.result[2 * lane], expected) << name;
  }
}

TEST(WarpOps, ElectAndActiveMask) {
  auto in = randomWords();
  WarpRun run("elect.sync %r2|%p1, -1; selp.u32 %r3, 1, 0, %p1;\n"
              "setp.lt.u32 %p0, %r0, 12; @%p0 bra E; activemask.b32 %r2;\n"
              "elect.sync _|%p1, 0xfffff000; @%p1 add.u32 %r3, %r3, 2; E:",
              in);
  run.expectClean();
  for (unsigned lane = 0; lane < 32; ++lane) {
    EXPECT_EQ(run.result[2 * lane], lane < 12 ? 0 : 0xfffff000u);
    EXPECT_EQ(run.result[2 * lane + 1], lane == 0 ? 1u : lane == 12 ? 2u : 0u);
  }
}

TEST(WarpOps, UndefinedPredicates) {
  auto in = randomWords();
  // Only lane 9's predicate is undefined: byte 1 of a ballot; any is decided by lane 0.
  WarpRun run("setp.eq.u32 %p0, %r0, 9; mov.u32 %r4, 1; @%p0 mov.u32 %r4, %r60;\n"
              "setp.ne.u32 %p1, %r4, 0; vote.sync.ballot.b32 %r2, %p1, -1;\n"
              "vote.sync.any.pred %p2, %p1, -1; selp.u32 %r3, 1, 0, %p2;",
              in);
  run.expectClean();
  EXPECT_EQ(run.shadow[0], Sound);
  EXPECT_EQ(run.shadow[1], Undefined);
  EXPECT_EQ(run.shadow[2], Sound);
  EXPECT_EQ(run.shadow[4], Sound);
}

TEST(WarpOps, RefusesWhatIsNotPtx) {
  for (const char *line :
       {"shfl.idx.b32 %r1, %r2, 0, 31;", "shfl.sync.idx.b64 %d1, %d2, 0, 31, -1;",
        "vote.all.pred %p1, %p2;", "vote.sync.ballot.pred %p1, %p2, -1;",
        "match.any.sync.b32 %r1|%p1, %r2, -1;", "match.any.sync.b16 %r1, %h1, -1;",
        "redux.sync.and.u32 %r1, %r2, -1;", "redux.sync.min.f32 %f1, %f2, -1;",
        "redux.add.u32 %r1, %r2, -1;", "elect.sync %r1, -1;", "activemask.b64 %d1;",
        "shfl.sync.xor.b32 %r1, %r2, 0, 31, -1;"}) {
    Harness h;
    EXPECT_NE(h.loadBody("u64 in", line), "") << line;
  }
}
