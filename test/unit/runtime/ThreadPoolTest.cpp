//===- ThreadPoolTest.cpp - The thread pool ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tilewright/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <dlfcn.h>
#include <functional>
#include <memory>
#include <set>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace {

using Body = std::function<void(int64_t begin, int64_t end, void *arena)>;

/// Runs blocks [0, count) through the pool.
int32_t run(int64_t count, Body body, int64_t arenaBytes = 0,
            tw_interrupt_check check = nullptr, void *user = nullptr) {
  auto call = [](void *env, int64_t begin, int64_t end, void *arena) {
    (*static_cast<Body *>(env))(begin, end, arena);
  };
  return tw_thread_pool_v2.run(count, call, &body, arenaBytes, check, user);
}

/// With so many threads for the time of a test.
struct Threads {
  explicit Threads(int32_t count) { tw_set_num_threads(count); }
  ~Threads() { tw_set_num_threads(0); }
};

using Counts = std::vector<std::atomic<int>>;

Body countInto(Counts &counts) {
  return [&counts](int64_t begin, int64_t end, void *) {
    ASSERT_LT(begin, end);
    for (int64_t i = begin; i < end; ++i)
      counts[i].fetch_add(1);
  };
}

void expectOnes(const Counts &counts) {
  for (const auto &count : counts)
    ASSERT_EQ(count.load(), 1);
}

/// The pool can be used as before.
void expectAllRun(int64_t count) {
  Counts counts(count);
  ASSERT_EQ(run(count, countInto(counts)), TW_OK);
  expectOnes(counts);
}

TEST(ThreadPool, RunsEveryBlockOnce) {
  for (int32_t threads : {1, 2, 5})
    for (int64_t count : {0, 1, 2, 3, 7, 64, 1000, 12345}) {
      Threads scope(threads);
      Counts counts(count);
      ASSERT_EQ(run(count, countInto(counts)), TW_OK);
      expectOnes(counts);
    }
}

TEST(ThreadPool, AnInterruptedJobEndsAtTheNextBlock) {
  for (int32_t threads : {1, 3}) {
    Threads scope(threads);
    constexpr int64_t count = 100000;
    Counts counts(count);
    int asked = 0;
    auto check = [](void *user) -> int32_t { return ++*static_cast<int *>(user) == 2; };
    int32_t status = run(
        count,
        [&](int64_t begin, int64_t end, void *) {
          for (int64_t i = begin; i < end; ++i) {
            counts[i].fetch_add(1);
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
          }
        },
        0, check, &asked);
    EXPECT_EQ(status, TW_ERROR_INTERRUPTED);
    EXPECT_EQ(asked, 2) << "about ten times a second, and not after the end";
    int64_t ran = 0;
    for (auto &done : counts) {
      EXPECT_LE(done.load(), 1);
      ran += done.load();
    }
    // A fifth of a second of blocks of a millisecond, each piece a few of them.
    EXPECT_GT(ran, 10);
    EXPECT_LT(ran, 1000 * threads);
    expectAllRun(threads);
  }
}

TEST(ThreadPool, ShortJobsAreNotAskedFor) {
  int asked = 0;
  auto check = [](void *user) -> int32_t { return ++*static_cast<int *>(user); };
  Counts counts(1000);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(run(1000, countInto(counts), 0, check, &asked), TW_OK);
  EXPECT_EQ(asked, 0);
}

TEST(ThreadPool, ANegativeCountIsNone) {
  EXPECT_EQ(run(-3, [](int64_t, int64_t, void *) { FAIL(); }), TW_OK);
}

TEST(ThreadPool, BlocksPast32Bits) {
  Threads scope(2);
  std::atomic<int64_t> sum{0};
  constexpr int64_t count = int64_t(1) << 40;
  run(count, [&](int64_t begin, int64_t end, void *) { sum += end - begin; });
  EXPECT_EQ(sum, count);
}

TEST(ThreadPool, SeveralThreadsWork) {
  Threads scope(4);
  std::set<std::thread::id> seen;
  std::atomic<int> arrived{0};
  std::mutex lock;
  // Each block waits for the others: only four threads at once can finish this.
  run(4, [&](int64_t begin, int64_t end, void *) {
    ASSERT_EQ(end, begin + 1);
    ++arrived;
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (arrived < 4 && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
    std::lock_guard<std::mutex> guard(lock);
    seen.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(seen.size(), 4u);
}

// A fault of a worker is its own, and the program's handler has a say; what others send is
// for the program's threads.
TEST(ThreadPool, WorkersTakeFaultsAlone) {
  Threads scope(4);
  std::atomic<int> arrived{0}, differ{0};
  run(4, [&](int64_t, int64_t, void *) {
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    for (int fault : {SIGILL, SIGSEGV, SIGBUS, SIGFPE})
      differ += sigismember(&blocked, fault);
    if (getpid() != gettid())
      differ += !sigismember(&blocked, SIGINT) + !sigismember(&blocked, SIGTERM);
    ++arrived;
    auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (arrived < 4 && std::chrono::steady_clock::now() < limit)
      std::this_thread::yield();
  });
  EXPECT_EQ(arrived, 4);
  EXPECT_EQ(differ, 0);
}

TEST(ThreadPool, OneBlockRunsOnTheCaller) {
  Threads scope(4);
  std::thread::id where;
  run(1, [&](int64_t, int64_t, void *) { where = std::this_thread::get_id(); });
  EXPECT_EQ(where, std::this_thread::get_id());
}

TEST(ThreadPool, TheLimitOfThreadsHolds) {
  { // workers enough for the next test to see one too many
    Threads scope(6);
    run(6, [](int64_t, int64_t, void *) { usleep(1000); });
  }
  Threads scope(2);
  EXPECT_EQ(tw_num_threads(), 2);
  std::atomic<int> inside{0}, most{0};
  run(200, [&](int64_t, int64_t, void *) {
    int now = ++inside;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);)
      ;
    usleep(50);
    --inside;
  });
  EXPECT_LE(most, 2);
}

TEST(ThreadPool, NestedLaunchesRunInline) {
  Threads scope(3);
  Counts counts(16 * 50 * 3);
  run(16, [&](int64_t begin, int64_t end, void *) {
    for (int64_t i = begin; i < end; ++i)
      run(50, [&, i](int64_t first, int64_t last, void *) {
        auto self = std::this_thread::get_id();
        for (int64_t j = first; j < last; ++j)
          run(3, [&, j](int64_t from, int64_t to, void *) {
            EXPECT_EQ(std::this_thread::get_id(), self);
            for (int64_t k = from; k < to; ++k)
              counts[(i * 50 + j) * 3 + k].fetch_add(1);
          });
      });
  });
  expectOnes(counts);
}

TEST(ThreadPool, ManyCallersAtOnce) {
  Threads scope(3);
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 8; ++caller)
    callers.emplace_back([] {
      for (int round = 0; round < 200; ++round) {
        Counts counts(1 + round % 37);
        ASSERT_EQ(run(counts.size(), countInto(counts)), TW_OK);
        expectOnes(counts);
      }
    });
  for (std::thread &caller : callers)
    caller.join();
}

TEST(ThreadPool, WorkersThatSleepWakeUp) {
  Threads scope(2);
  for (int round = 0; round < 20; ++round) {
    usleep(500); // longer than workers spin
    Counts counts(64);
    run(64, countInto(counts));
    expectOnes(counts);
  }
}

//===----------------------------------------------------------------------===//
// Arenas
//===----------------------------------------------------------------------===//

TEST(ThreadPool, ArenasAreAlignedAndApart) {
  Threads scope(3);
  for (int64_t bytes : {1, 100, 4096, 3 << 20, 64}) {
    std::mutex lock;
    std::set<char *> inUse;
    run(
        64,
        [&](int64_t, int64_t, void *arena) {
          ASSERT_NE(arena, nullptr);
          EXPECT_EQ(reinterpret_cast<uintptr_t>(arena) % 64, 0u);
          auto *memory = static_cast<char *>(arena);
          {
            std::lock_guard<std::mutex> guard(lock);
            EXPECT_TRUE(inUse.insert(memory).second);
          }
          memset(memory, 0x5a, bytes);
          usleep(20);
          std::lock_guard<std::mutex> guard(lock);
          inUse.erase(memory);
        },
        bytes);
  }
}

TEST(ThreadPool, ANestedArenaIsAnother) {
  Threads scope(2);
  run(
      8,
      [](int64_t, int64_t, void *outer) {
        memset(outer, 1, 256);
        run(4, [](int64_t, int64_t, void *inner) { memset(inner, 2, 512); }, 512);
        for (int i = 0; i < 256; ++i)
          ASSERT_EQ(static_cast<char *>(outer)[i], 1);
      },
      256);
}

TEST(ThreadPool, AnImpossibleArenaIsAnErrorBeforeAnyBlock) {
  EXPECT_EQ(
      run(8, [](int64_t, int64_t, void *) { FAIL(); }, INT64_MAX / 2), TW_ERROR_MEMORY);
  Counts counts(8);
  EXPECT_EQ(run(8, countInto(counts), 128), TW_OK);
  expectOnes(counts);
}

//===----------------------------------------------------------------------===//
// The process around it
//===----------------------------------------------------------------------===//

TEST(ThreadPool, AChildOfForkStartsItsOwnWorkers) {
  Threads scope(3);
  Counts before(100);
  run(100, countInto(before));
  pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    alarm(20); // a deadlock kills the child
    std::atomic<int> arrived{0};
    run(3, [&](int64_t, int64_t, void *) {
      ++arrived;
      while (arrived < 3)
        std::this_thread::yield();
    });
    _exit(arrived == 3 ? 0 : 1);
  }
  int status;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  Counts after(100);
  run(100, countInto(after));
  expectOnes(after);
}

#if defined(__x86_64__)
TEST(ThreadPool, BlocksSeeTheDefaultFloatingPointMode) {
  Threads scope(3);
  unsigned before = _mm_getcsr();
  _mm_setcsr(before | 0x8040); // flush denormals
  std::atomic<unsigned> seen{0};
  run(64, [&](int64_t, int64_t, void *) { seen |= _mm_getcsr() & 0xffc0; });
  EXPECT_EQ(_mm_getcsr() & 0x8040, 0x8040u) << "the caller keeps its own mode";
  _mm_setcsr(before);
  EXPECT_EQ(seen, 0x1f80u);
}
#endif

TEST(ThreadPool, CopiesOfTheRuntimeShareOnePool) {
  std::set<const void *> pools;
  for (const char *path : {POOL_COPY_A, POOL_COPY_B}) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    auto pool = reinterpret_cast<const void *(*)()>(dlsym(library, "poolOfThisCopy"));
    ASSERT_NE(pool, nullptr);
    pools.insert(pool());
  }
  EXPECT_EQ(pools.size(), 1u);
  EXPECT_EQ(*pools.begin(), &tw_thread_pool_v2);
}

} // namespace
