//===- ChecksTest.cpp - The checker against one that forgets nothing ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The checker keeps a few numbers for each element. Random kernels are run on it, and on
// a model that keeps every access: both must end each block at the same access.
//
//===----------------------------------------------------------------------===//

#include "Checks.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <vector>

using namespace tilewright;

namespace {

constexpr int64_t extent = 3, tensorSize = 5, tileSize = 4;

/// An access of a kernel, and who makes it.
struct Event {
  int64_t kernel, block, instance, iteration; // instance -1: in no loop
  int64_t kind, memory, element;
};

/// Memory 0 is a tensor, memory 1 a tile; site 6 * in loop + 3 * memory + kind.
std::vector<int64_t> makeTable() {
  int64_t memoriesAt = TW_CHECKS_HEADER_WORDS;
  int64_t listsAt = memoriesAt + 2 * TW_CHECKS_MEMORY_WORDS + TW_CHECKS_LOOP_WORDS +
                    12 * TW_CHECKS_SITE_WORDS;
  // Lists: the tile's extent, the loop's name and extent, a size.
  std::vector<int64_t> lists{tileSize, 2, extent, 1};
  int64_t stringsAt = listsAt + static_cast<int64_t>(lists.size());
  std::vector<int64_t> table{TW_CHECKS_MAGIC, stringsAt + 1, 2, 1, 12, stringsAt, 8, 0};
  auto append = [&](std::initializer_list<int64_t> words) {
    table.insert(table.end(), words);
  };
  append({0, 0, TW_F32, 1, 0, -1, TW_CHECK_WRITTEN, 0});
  append({0, 1, TW_F32, 1, listsAt, -1, TW_CHECK_WRITTEN, 0});
  append({-1, 1, listsAt + 1, listsAt + 2});
  for (int64_t inLoop : {0, 1})
    for (int64_t memory : {0, 1})
      for (int64_t kind : {TW_CHECK_READ, TW_CHECK_WRITE, TW_CHECK_ATOMIC})
        append({kind, memory, inLoop - 1, 4, 4, 1, 1, 4, listsAt + 3, -1, 0, 0, 0, 0});
  table.insert(table.end(), lists.begin(), lists.end());
  table.push_back(0x0000000000690061); // "a\0i\0", and "" at 4
  return table;
}

bool conflict(int64_t a, int64_t b) {
  return a == TW_CHECK_WRITE || b == TW_CHECK_WRITE || a != b;
}

/// What has happened so far.
class Model {
public:
  /// Whether `event` breaks a rule; it has happened where it does not.
  bool breaks(const Event &event) {
    bool wrong = event.memory == 1 && event.kind != TW_CHECK_WRITE;
    for (const Event &earlier : events) {
      if (earlier.memory != event.memory || earlier.element != event.element ||
          earlier.kernel != event.kernel)
        continue;
      bool sameBlock = earlier.block == event.block;
      if (sameBlock && event.memory == 1 && earlier.kind == TW_CHECK_WRITE)
        wrong = false; // written
    }
    for (const Event &earlier : events) {
      if (earlier.memory != event.memory || earlier.element != event.element ||
          earlier.kernel != event.kernel || !conflict(earlier.kind, event.kind))
        continue;
      bool otherBlock = earlier.block != event.block && event.memory == 0;
      bool otherIteration = earlier.block == event.block && event.instance >= 0 &&
                            earlier.instance == event.instance &&
                            earlier.iteration != event.iteration;
      wrong |= otherBlock || otherIteration;
    }
    if (!wrong)
      events.push_back(event);
    return wrong;
  }

private:
  std::vector<Event> events;
};

struct DestroyChecks {
  void operator()(Checks *checks) const { checks->destroy(); }
};

/// A kernel on the checker: what each block is to do, and how far it came.
struct Blocks {
  Checks *checks;
  std::vector<std::vector<Event>> blocks;
  std::vector<size_t> done;
};

void runBlock(void *env, int64_t block, int64_t, void *arena) {
  auto &run = *static_cast<Blocks *>(env);
  run.checks->tile(1, arena);
  int64_t instance = -1, iteration = -1;
  for (const Event &event : run.blocks[block]) {
    bool moves = event.instance != instance || event.iteration != iteration;
    // Iterations without an access are reached as well.
    if (event.instance >= 0 && moves)
      for (int64_t i = event.instance == instance ? iteration + 1 : 0;
           i <= event.iteration; ++i)
        run.checks->iteration(0, &i);
    instance = event.instance, iteration = event.iteration;
    int64_t site = 6 * (event.instance >= 0) + 3 * event.memory + event.kind;
    run.checks->access(site, &event.element);
    ++run.done[block];
  }
}

std::vector<Event> makeBlock(std::mt19937 &random, int64_t kernel, int64_t block) {
  auto draw = [&](int64_t count) { return static_cast<int64_t>(random() % count); };
  std::vector<Event> events;
  for (int64_t instance = 0; instance < 3; ++instance)
    for (int64_t i = draw(2) - 1; i < extent; i = i < 0 ? extent : i + 1)
      for (int64_t count = draw(3); count > 0; --count) {
        // Mostly elements of its own, else every block would end at once.
        int64_t memory = draw(2), own = i < 0 ? block : i;
        int64_t size = memory ? tileSize : tensorSize;
        int64_t element = draw(4) ? own % size : draw(size);
        events.push_back(
            {kernel, block, i < 0 ? -1 : instance, i, draw(3), memory, element});
      }
  return events;
}

TEST(Checks, EndsBlocksWhereTheModelDoes) {
  std::vector<int64_t> table = makeTable();
  size_t sound = 0, faulty = 0;
  for (unsigned seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    float tensor[tensorSize], tile[tileSize];
    std::unique_ptr<Checks, DestroyChecks> checks(Checks::create(table.data(), "test"));
    ASSERT_NE(checks, nullptr);
    int64_t layout[] = {tensorSize, 1}, blocks = 4;
    checks->tensor(0, tensor, layout);
    Model model;
    for (int64_t kernel = 0; kernel < 2; ++kernel) {
      Blocks run{checks.get(), {}, std::vector<size_t>(blocks)};
      for (int64_t block = 0; block < blocks; ++block)
        run.blocks.push_back(makeBlock(random, kernel, block));
      checks->kernel(1, &blocks);
      checks->runBlocks(blocks, runBlock, &run, tile);
      for (int64_t block = 0; block < blocks; ++block) {
        size_t expected = 0;
        const std::vector<Event> &events = run.blocks[block];
        while (expected < events.size() && !model.breaks(events[expected]))
          ++expected;
        ASSERT_EQ(run.done[block], expected)
            << "seed " << seed << ", kernel " << kernel << ", block " << block;
        ++(expected < events.size() ? faulty : sound);
      }
    }
  }
  // The programs are neither all sound nor all faulty.
  EXPECT_GT(sound, 2000u);
  EXPECT_GT(faulty, 2000u);
}

} // namespace
