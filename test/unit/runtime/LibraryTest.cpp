//===- LibraryTest.cpp - Functions of libraries that are called at once ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernel.h"

#include "tilewright/library.h"

#include <atomic>
#include <deque>
#include <functional>
#include <mutex>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

using namespace tilewright::test;

namespace {

constexpr int threadCount = 8;

/// A library of `count` functions add(X: i32[n] written, by: i32), of two builds each:
/// the first is for an X that nobody passes. Threads find none of them bound.
class TestLibrary {
  static int32_t add(const tw_host_v1 *, void *, const uint64_t *words) {
    for (uint64_t i = 0; i < words[1]; ++i)
      reinterpret_cast<int32_t *>(words[0])[i] += static_cast<int32_t>(words[3]);
    return 0;
  }
  static std::vector<int64_t> signature(const Dim &size) {
    return makeSignature({tensor("X", TW_I32, {size}).writes(), scalar("by", TW_I32)},
                         size.kind == TW_DIM_SYMBOL ? std::vector<Symbol>{{"n"}}
                                                    : std::vector<Symbol>{});
  }

  /// States of functions that live as long as the process, as those of a library that is
  /// linked: what they are bound to is theirs.
  static std::vector<tw_function_state_v1> &makeStates(size_t count) {
    static std::mutex lock;
    static auto *all = new std::deque<std::vector<tw_function_state_v1>>;
    std::lock_guard<std::mutex> guard(lock);
    return all->emplace_back(count);
  }

  std::vector<int64_t> tables[2] = {signature(size(999)), signature(symbol(0))};
  tw_image_v1 image{"cpu", add, nullptr, 0, nullptr};
  tw_artifact_v1 artifacts[2];
  const tw_artifact_v1 *pointers[2] = {&artifacts[0], &artifacts[1]};
  tw_build_v1 builds[2] = {{"fixed", 1, &pointers[0]}, {"any", 1, &pointers[1]}};
  std::vector<tw_function_state_v1> &states;
  std::vector<tw_function_v1> functions;
  tw_seal_v1 seal = {TW_SEAL_MAGIC, 0, {}, 0};

public:
  tw_library_v1 library{};

  explicit TestLibrary(size_t count) : states(makeStates(count)) {
    for (int i = 0; i < 2; ++i)
      artifacts[i] = {sizeof(tw_artifact_v1),
                      TW_ABI_VERSION,
                      "add",
                      tables[i].data(),
                      "{}",
                      1,
                      &image};
    for (tw_function_state_v1 &state : states)
      functions.push_back({&library, "test_add", 2, builds, &state});
    library = {sizeof(library), TW_ABI_VERSION,   "test", "1.0", "{}",
               count,           functions.data(), {},     &seal};
  }
  TestLibrary(const TestLibrary &) = delete;

  /// Whether a call of a function, with memory of its own, does what it is to do.
  bool call(size_t function) const {
    int32_t memory[50] = {}, by = 7;
    int64_t shape[] = {50};
    tw_tensor x = {memory, 1, 0, 1, TW_DL_INT, 32, 1, shape, nullptr, 0};
    const void *arguments[] = {&x, &by};
    if (tw_library_launch(&functions[function], nullptr, arguments) != TW_OK)
      return false;
    for (int32_t value : memory)
      if (value != 7)
        return false;
    return true;
  }
  /// What a call would do; "" where it fails.
  std::string explain(size_t function) const {
    int32_t memory[50] = {}, by = 7;
    int64_t shape[] = {50};
    tw_tensor x = {memory, 1, 0, 1, TW_DL_INT, 32, 1, shape, nullptr, 0};
    const void *arguments[] = {&x, &by};
    char text[500] = "";
    tw_library_explain(&functions[function], nullptr, arguments, text, sizeof(text));
    return text;
  }
};

/// `work(thread)` in several threads, which begin together.
void atOnce(const std::function<void(int)> &work) {
  std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < threadCount; ++i)
    threads.emplace_back([&, i] {
      for (++arrived; arrived < threadCount;)
        std::this_thread::yield();
      work(i);
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Library, TheFirstCallMayComeFromManyThreads) {
  constexpr size_t count = 50;
  TestLibrary library(count);
  std::atomic<int> right{0};
  atOnce([&](int) {
    for (size_t i = 0; i < count; ++i)
      right += library.call(i);
  });
  EXPECT_EQ(right, threadCount * int(count)) << tw_last_error();
}

TEST(Library, ABuildIsChosenWhileOthersCall) {
  TestLibrary library(1);
  std::atomic<int> right{0}, refused{0};
  atOnce([&](int thread) {
    for (int i = 0; i < 50; ++i) {
      if (thread == 0) {
        EXPECT_EQ(
            tw_library_choose(&library.library, "test_add", i % 2 ? "any" : nullptr),
            TW_OK);
        continue;
      }
      right += library.call(0);
      refused += library.explain(0).find("build any (2 of 2)") == std::string::npos;
    }
  });
  EXPECT_EQ(right, (threadCount - 1) * 50);
  EXPECT_EQ(refused, 0);
}

// A thread that binds a function must not leave a child with a lock that nobody gives
// back.
TEST(Library, AChildCallsWhileTheParentsThreadsMakeFirstCalls) {
  std::atomic<bool> stop{false};
  std::vector<std::thread> threads;
  for (int i = 0; i < threadCount; ++i)
    threads.emplace_back([&] {
      while (!stop) {
        TestLibrary library(20);
        for (size_t function = 0; function < 20; ++function)
          library.call(function);
      }
    });
  TestLibrary library(1);
  for (int i = 0; i < 8 && !HasFailure(); ++i) {
    pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      alarm(20); // a deadlock kills the child
      _exit(library.call(0) ? 0 : 1);
    }
    int status;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
  stop = true;
  for (std::thread &thread : threads)
    thread.join();
}

} // namespace
