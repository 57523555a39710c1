//===- LaunchTest.cpp - Launches on the host's threads ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MemoryHarness.h"

#include <pthread.h>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

/// No thread can be created while it lives: each would have a stack larger than any
/// address space.
class NoThreads {
public:
  NoThreads() {
    pthread_getattr_default_np(&before);
    pthread_attr_t wanted;
    pthread_attr_init(&wanted);
    pthread_attr_setstacksize(&wanted, size_t(1) << 48);
    EXPECT_EQ(pthread_setattr_default_np(&wanted), 0);
    pthread_attr_destroy(&wanted);
    pthread_t thread;
    auto nothing = [](void *) -> void * { return nullptr; };
    EXPECT_NE(pthread_create(&thread, nullptr, nothing, nullptr), 0);
  }
  ~NoThreads() { pthread_setattr_default_np(&before); }
  NoThreads(const NoThreads &) = delete;

private:
  pthread_attr_t before;
};

} // namespace

TEST(Launch, GoesOnWithFewerThreads) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 out", "ld.param.u64 %d0, [out];\nmov.u32 %r0, %ctaid.x;\n"
                                  "mul.wide.u32 %d1, %r0, 4;\nadd.u64 %d1, %d0, %d1;\n"
                                  "st.global.u32 [%d1], %r0;"),
            "");
  uint64_t out = h.empty<uint32_t>(64);
  h.options.threads = 8;
  NoThreads none;
  expectClean(h, h.arg(out).launch({64}, {1}));
  for (uint32_t i = 0; i < 64; ++i)
    EXPECT_EQ(h.get<uint32_t>(out, 64)[i], i);
}

TEST(Launch, SeesADeadlockWithFewerThreads) {
  Harness h;
  ASSERT_EQ(h.loadBody("u64 a", "ld.param.u64 %d0, [a];\nAGAIN:\n"
                                "ld.acquire.gpu.global.u32 %r0, [%d0];\n"
                                "setp.eq.u32 %p0, %r0, 0;\n@%p0 bra AGAIN;"),
            "");
  uint64_t flag = h.put(std::vector<uint32_t>{0});
  h.options.threads = 8;
  NoThreads none;
  EXPECT_EQ(h.arg(flag).launch({16}, {1}), "");
  EXPECT_TRUE(h.hasFault(Rule::Deadlock)) << h.faultText();
}
