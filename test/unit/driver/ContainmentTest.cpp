//===- ContainmentTest.cpp - Code that crashes, contained -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Containment.h"

#include "llvm/Support/ErrorHandling.h"
#include "gtest/gtest.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

using namespace tilewright;

namespace {

std::string run(llvm::function_ref<void()> body) {
  return runContained(body, [] {});
}

/// Faults, also where a sanitizer would tell of it first and end the process.
[[gnu::no_sanitize("address", "undefined")]] void writeToNull() {
  *static_cast<volatile int *>(nullptr) = 1;
}

/// Uses more stack than there is.
[[gnu::noinline]] int recurse(volatile int *depth) {
  volatile char frame[4096];
  frame[0] = static_cast<char>(*depth);
  *depth = *depth + 1;
  return *depth < 0 ? 0 : recurse(depth) + frame[0];
}

TEST(Containment, WhatEndsWellSaysNothing) {
  bool ran = false;
  EXPECT_EQ(run([&] { ran = true; }), "");
  EXPECT_TRUE(ran);
}

TEST(Containment, CrashesEndTheBodyAlone) {
  EXPECT_EQ(run([] { abort(); }), "Aborted");
  EXPECT_EQ(run(writeToNull), "Segmentation fault");
  EXPECT_EQ(run([] { raise(SIGFPE); }), "Floating point exception");
  EXPECT_EQ(run([] {
              volatile int depth = 0;
              recurse(&depth);
            }),
            "Segmentation fault");
}

TEST(Containment, FatalErrorsOfLLVMKeepTheirReason) {
  for (bool withCrash : {true, false})
    EXPECT_EQ(run([=] { llvm::report_fatal_error("cannot select this", withCrash); }),
              "cannot select this");
  EXPECT_EQ(run([] {}), "") << "and leave nothing behind";
}

TEST(Containment, HandlersAreThoseOfBefore) {
  struct sigaction ours{}, found{};
  ours.sa_handler = [](int) {};
  for (int signal : {SIGSEGV, SIGABRT, SIGFPE}) {
    struct sigaction before;
    sigaction(signal, &ours, &before);
    run([] { abort(); });
    sigaction(signal, &before, &found);
    EXPECT_EQ(found.sa_handler, ours.sa_handler);
  }
}

TEST(Containment, ThreadsCrashEachByThemselves) {
  std::atomic<int> crashed{0}, finished{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 25; ++i) {
        bool crashes = (i + t) % 2;
        std::string reason = run([=] {
          if (crashes)
            abort();
        });
        (reason.empty() ? finished : crashed)++;
        EXPECT_EQ(reason.empty(), !crashes);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(crashed, 50);
  EXPECT_EQ(finished, 50);
}

TEST(Containment, TheCallerIsAskedWhileItWaits) {
  std::atomic<bool> goOn{true};
  std::thread::id asked;
  std::string reason = runContained(
      [&] {
        while (goOn)
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
      },
      [&] {
        asked = std::this_thread::get_id();
        goOn = false;
      });
  EXPECT_EQ(reason, "");
  EXPECT_EQ(asked, std::this_thread::get_id());
}

} // namespace
