//===- Futex.h - Waiting without burning a core ------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_RUNTIME_SRC_FUTEX_H
#define TILEWRIGHT_RUNTIME_SRC_FUTEX_H

#include <atomic>
#include <climits>
#include <cstdint>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace tilewright {

using FutexWord = std::atomic<uint32_t>;
static_assert(sizeof(FutexWord) == 4, "the kernel waits on a plain 32-bit word");

/// Sleeps while `word` holds `expected`; may return early.
inline void futexWait(FutexWord &word, uint32_t expected) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, nullptr, nullptr, 0);
}

inline void futexWake(FutexWord &word, int waiters = INT_MAX) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, waiters, nullptr, nullptr, 0);
}

inline int64_t nowNanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

/// Spins until `done()` or for about `nanoseconds`; returns what `done()` said last.
template <typename Condition> bool spinUntil(int64_t nanoseconds, Condition done) {
  if (done())
    return true;
  int64_t end = nowNanoseconds() + nanoseconds;
  do {
    for (int i = 0; i < 16; ++i) {
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
      if (done())
        return true;
    }
  } while (nowNanoseconds() < end);
  return false;
}

} // namespace tilewright

#endif // TILEWRIGHT_RUNTIME_SRC_FUTEX_H
