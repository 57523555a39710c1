//===- Containment.cpp - Run code that may crash --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Containment.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/CrashRecoveryContext.h"
#include "llvm/Support/ErrorHandling.h"

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <memory>
#include <mutex>
#include <pthread.h>

using namespace tilewright;

/// What faulty code raises itself; LLVM's recovery handles the same ones.
static constexpr int crashSignals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP};

/// What LLVM gave as the reason of a fatal error on this thread.
static thread_local std::string fatalReason;

static void handleFatalError(void *, const char *reason, bool) {
  auto *recovery = llvm::CrashRecoveryContext::GetCurrent();
  if (!recovery)
    return; // somebody else's use of LLVM: it ends the process, as without us
  fatalReason = llvm::StringRef(reason).rtrim().str();
  recovery->HandleExit(/*RetCode=*/1);
}

namespace {

/// LLVM's handlers are in place while one of these exists.
class Handlers {
  static std::mutex lock;
  static int users;

public:
  Handlers() {
    std::lock_guard<std::mutex> guard(lock);
    if (users++ > 0)
      return;
    llvm::CrashRecoveryContext::Enable();
    llvm::install_fatal_error_handler(handleFatalError);
    // A handler has no stack to run on after an overflow but an alternate one.
    for (int signal : crashSignals) {
      struct sigaction action;
      sigaction(signal, nullptr, &action);
      action.sa_flags |= SA_ONSTACK;
      sigaction(signal, &action, nullptr);
    }
  }
  ~Handlers() {
    std::lock_guard<std::mutex> guard(lock);
    if (--users > 0)
      return;
    llvm::remove_fatal_error_handler();
    llvm::CrashRecoveryContext::Disable();
  }
};

std::mutex Handlers::lock;
int Handlers::users = 0;

/// The calling thread's stack for signal handlers.
class SignalStack {
  static constexpr size_t bytes = 64 << 10;
  std::unique_ptr<char[]> memory{new char[bytes]};
  stack_t before{};

public:
  SignalStack() {
    stack_t stack{};
    stack.ss_sp = memory.get();
    stack.ss_size = bytes;
    sigaltstack(&stack, &before);
  }
  ~SignalStack() { sigaltstack(&before, nullptr); }
};

} // namespace

/// Leaves signals that mean the process, such as Ctrl-C, to other threads.
static void blockForeignSignals() {
  sigset_t signals;
  sigfillset(&signals);
  for (int signal : crashSignals)
    sigdelset(&signals, signal);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
}

/// Runs `body` on the calling thread; what ended it early.
static std::string recover(llvm::function_ref<void()> body) {
  SignalStack stack;
  llvm::CrashRecoveryContext recovery;
  fatalReason.clear();
  if (recovery.RunSafely(body))
    return "";
  if (!fatalReason.empty())
    return fatalReason;
  // As a shell counts: 128 and the signal's number.
  return strsignal(recovery.RetCode - 128);
}

namespace {
/// A body on its way, shared by its thread and the one that waits for it.
struct Task {
  llvm::function_ref<void()> body;
  std::mutex lock;
  std::condition_variable changed;
  bool ended = false;
  std::string reason;
};
} // namespace

static void *runTask(void *argument) {
  auto &task = *static_cast<Task *>(argument);
  blockForeignSignals();
  std::string reason = recover(task.body);
  std::lock_guard<std::mutex> guard(task.lock);
  task.reason = std::move(reason);
  task.ended = true;
  task.changed.notify_one();
  return nullptr;
}

/// Starts a thread with a large stack; false where there is no room for one.
static bool startThread(pthread_t &thread, Task &task) {
  constexpr size_t stackBytes = size_t(256) << 20;
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stackBytes);
  int status = pthread_create(&thread, &attributes, runTask, &task);
  pthread_attr_destroy(&attributes);
  return status == 0;
}

std::string tilewright::runContained(llvm::function_ref<void()> body,
                                     llvm::function_ref<void()> whileWaiting) {
  constexpr std::chrono::milliseconds patience(20);
  Handlers handlers;
  Task task{body, {}, {}, false, {}};
  pthread_t thread;
  if (!startThread(thread, task))
    return recover(body);
  {
    std::unique_lock<std::mutex> guard(task.lock);
    while (!task.changed.wait_for(guard, patience, [&] { return task.ended; })) {
      guard.unlock();
      whileWaiting();
      guard.lock();
    }
  }
  pthread_join(thread, nullptr);
  return task.reason;
}
