//===- ThreadPool.cpp - The process's one thread pool ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// A launch is a job: a range of blocks that the caller and any idle workers take
// pieces of until none is left. A piece is at most a fixed share of what remains, so
// pieces are large for most of a job (few atomic operations, neighbouring blocks on one
// core) and single blocks at the end (no thread waits long for another). And a piece is
// short in time: a thread starts with one block and takes twice as many while that
// takes no tick of a coarse clock. So a job can be ended between pieces at once.
//
// Jobs live on their callers' stacks. A worker enters a job under the lock while the
// job is listed; the caller unlists its job, then waits for the workers inside.
//
//===----------------------------------------------------------------------===//

#include "tilewright/thread_pool.h"

#include "Futex.h"
#include "Memory.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <pthread.h>
#include <sched.h>

using namespace tilewright;

// What makes the object one per process; no attribute of C++ says it.
asm(".type tw_thread_pool_v2, @gnu_unique_object");

namespace {

/// In Job::inside: the caller sleeps until the workers have left.
constexpr uint32_t callerSleeps = uint32_t(1) << 31;
/// A thread takes 1/(16 * threads) of the blocks that remain.
constexpr int64_t piecesPerThread = 16;
constexpr int32_t maximumThreads = 1024;
/// How often a caller asks whether its job shall end. Asking may wait for a lock, such as
/// that of a Python interpreter, for milliseconds.
constexpr int64_t nanosecondsBetweenChecks = 100000000;

struct Job {
  tw_block_fn fn;
  void *env;
  int64_t count;
  int64_t arenaBytes;
  int64_t share; // a piece is 1/share of what remains
  int32_t seats; // how many more workers may enter; under the lock
  tw_interrupt_check check;
  void *user;
  Job *next = nullptr; // under the lock
  alignas(64) std::atomic<int64_t> taken{0};
  alignas(64) FutexWord inside{0}; // workers in the job, and callerSleeps
};

/// What a thread keeps between launches.
struct ThreadState {
  MemoryBlock arena;
  int depth = 0; // of launches inside launches
};

pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
Job *jobs = nullptr;   // with blocks left, in order of arrival; under the lock
int32_t workers = 0;   // started so far; under the lock
FutexWord arrivals{0}; // counts jobs; idle workers sleep on it
std::atomic<int32_t> sleepers{0};

pthread_once_t initialised = PTHREAD_ONCE_INIT;
int32_t defaultThreads = 1;
std::atomic<int32_t> threadLimit{1};
std::atomic<int64_t> spinNanoseconds{30000};

thread_local ThreadState state;
pthread_key_t stateKey; // frees a thread's arena when the thread ends

} // namespace

//===----------------------------------------------------------------------===//
// Settings
//===----------------------------------------------------------------------===//

/// A whole number in [0, maximum] from the environment, or -1.
static int64_t readEnvironment(const char *name, int64_t maximum) {
  const char *text = getenv(name);
  if (!text || !*text)
    return -1;
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (errno || *end || value < 0 || value > maximum) {
    fprintf(stderr, "tilewright: ignoring %s='%s': expected a whole number up to %lld\n",
            name, text, static_cast<long long>(maximum));
    return -1;
  }
  return value;
}

/// CPUs that the process may run on. The main thread's mask: the calling thread may
/// have been pinned by another library's pool.
static int32_t availableCpus() {
  cpu_set_t masks[16];
  constexpr size_t bytes = sizeof(masks);
  CPU_ZERO_S(bytes, masks);
  if (sched_getaffinity(getpid(), bytes, masks) != 0)
    return 1;
  int32_t count = CPU_COUNT_S(bytes, masks);
  return count < 1 ? 1 : count > maximumThreads ? maximumThreads : count;
}

static void initialise() {
  int64_t microseconds = readEnvironment("TILEWRIGHT_SPIN_MICROSECONDS", 1000000);
  if (microseconds >= 0)
    spinNanoseconds.store(microseconds * 1000);
  int64_t threads = readEnvironment("TILEWRIGHT_NUM_THREADS", maximumThreads);
  defaultThreads = threads > 0 ? static_cast<int32_t>(threads) : availableCpus();
  threadLimit.store(defaultThreads);
}

static int32_t numThreads() {
  pthread_once(&initialised, initialise);
  return threadLimit.load(std::memory_order_relaxed);
}

static void setNumThreads(int32_t threads) {
  pthread_once(&initialised, initialise);
  if (threads <= 0)
    threads = defaultThreads;
  threadLimit.store(threads > maximumThreads ? maximumThreads : threads);
}

//===----------------------------------------------------------------------===//
// A thread's part
//===----------------------------------------------------------------------===//

namespace {

/// Gives kernels the default floating-point environment: a caller that flushes
/// denormals must not make results depend on which thread ran a block.
class FloatEnvironment {
#if defined(__x86_64__)
  uint32_t saved = __builtin_ia32_stmxcsr();

public:
  FloatEnvironment() { __builtin_ia32_ldmxcsr(0x1f80); }
  ~FloatEnvironment() { __builtin_ia32_ldmxcsr(saved); }
#elif defined(__aarch64__)
  uint64_t saved;

public:
  FloatEnvironment() {
    asm volatile("mrs %0, fpcr" : "=r"(saved));
    asm volatile("msr fpcr, %0" : : "r"(uint64_t(0)));
  }
  ~FloatEnvironment() { asm volatile("msr fpcr, %0" : : "r"(saved)); }
#endif
};

/// The calling thread's arena for one launch: the thread's own, or a passing one
/// where an outer launch is using that.
class Arena {
  MemoryBlock passing;
  void *pointer = nullptr;
  bool valid = true;

public:
  explicit Arena(size_t bytes) {
    if (bytes == 0)
      return;
    if (state.depth > 0) {
      passing = acquireMemory(bytes);
      pointer = passing.data;
    } else {
      if (state.arena.capacity < bytes) {
        if (state.arena.data)
          freeMemory(state.arena);
        state.arena = allocateMemory(bytes);
        pthread_setspecific(stateKey, &state);
      }
      pointer = state.arena.data;
    }
    valid = pointer != nullptr;
  }
  ~Arena() {
    if (passing.data)
      releaseMemory(passing);
  }
  explicit operator bool() const { return valid; }
  void *data() const { return pointer; }
};

} // namespace

/// Nanoseconds of a clock that moves every few milliseconds and is read in a few
/// nanoseconds.
static int64_t readCoarseClock() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
  return time.tv_sec * int64_t(1000000000) + time.tv_nsec;
}

/// Takes pieces of the job until none is left. The caller's thread also asks its check;
/// false where that ended the job.
static bool work(Job &job, void *arena, bool isCaller) {
  FloatEnvironment environment;
  ++state.depth;
  bool finished = true;
  int64_t begin = job.taken.load(std::memory_order_relaxed);
  int64_t most = 1, before = 0, asked = 0;
  if (job.count - begin > 1)
    before = asked = readCoarseClock();
  while (begin < job.count) {
    int64_t piece = std::min((job.count - begin) / job.share, most);
    int64_t end = begin + (piece > 0 ? piece : 1);
    if (!job.taken.compare_exchange_weak(begin, end, std::memory_order_relaxed))
      continue;
    job.fn(job.env, begin, end, arena);
    begin = job.taken.load(std::memory_order_relaxed);
    if (begin >= job.count)
      break;
    int64_t now = readCoarseClock();
    if (now != before)
      most = std::max<int64_t>(most / 2, 1);
    else if (most < job.count / 2)
      most *= 2;
    before = now;
    if (!isCaller || !job.check || now - asked < nanosecondsBetweenChecks)
      continue;
    asked = now;
    if (job.check(job.user)) {
      begin = job.count;
      job.taken.store(begin, std::memory_order_relaxed);
      finished = false;
    }
  }
  --state.depth;
  return finished;
}

/// Enters the first job that has blocks and a seat left.
static Job *enterJob() {
  pthread_mutex_lock(&lock);
  Job *job = jobs;
  while (job && (job->seats == 0 || job->taken.load() >= job->count))
    job = job->next;
  if (job) {
    --job->seats;
    job->inside.fetch_add(1);
  }
  pthread_mutex_unlock(&lock);
  return job;
}

static void leaveJob(Job &job) {
  // The job may be gone after the subtraction; waking looks at its address alone.
  if (job.inside.fetch_sub(1) == (callerSleeps | 1))
    futexWake(job.inside);
}

static void *workerMain(void *) {
  pthread_setname_np(pthread_self(), "tilewright");
  for (;;) {
    uint32_t seen = arrivals.load();
    while (Job *job = enterJob()) {
      // Without an arena the others do this thread's share.
      if (Arena arena(job->arenaBytes); arena)
        work(*job, arena.data(), /*isCaller=*/false);
      leaveJob(*job);
    }
    auto arrived = [seen] { return arrivals.load(std::memory_order_relaxed) != seen; };
    if (spinUntil(spinNanoseconds.load(std::memory_order_relaxed), arrived))
      continue;
    sleepers.fetch_add(1);
    futexWait(arrivals, seen);
    sleepers.fetch_sub(1);
  }
  return nullptr;
}

//===----------------------------------------------------------------------===//
// A caller's part
//===----------------------------------------------------------------------===//

/// Starts workers until there are `wanted`. Fewer are no error: the caller can do
/// all the work.
static void startWorkers(int32_t wanted) {
  if (workers >= wanted)
    return;
  // Signals are for the program's own threads, but for faults: those are of the thread that
  // made them, and kill where they are blocked, whatever handler the program has.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int fault : {SIGILL, SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGSYS})
    sigdelset(&blocked, fault);
  pthread_sigmask(SIG_SETMASK, &blocked, &before);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  for (pthread_t thread; workers < wanted; ++workers)
    if (pthread_create(&thread, &attributes, workerMain, nullptr) != 0)
      break;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

static void publish(Job &job) {
  pthread_mutex_lock(&lock);
  startWorkers(job.seats);
  Job **last = &jobs;
  while (*last)
    last = &(*last)->next;
  *last = &job;
  int32_t wanted = job.seats;
  pthread_mutex_unlock(&lock);
  arrivals.fetch_add(1);
  if (sleepers.load() > 0)
    futexWake(arrivals, wanted);
}

/// Unlists the job and returns when every worker has left it.
static void finish(Job &job) {
  pthread_mutex_lock(&lock);
  Job **place = &jobs;
  while (*place != &job)
    place = &(*place)->next;
  *place = job.next;
  pthread_mutex_unlock(&lock);

  auto empty = [&job] { return job.inside.load(std::memory_order_acquire) == 0; };
  if (spinUntil(spinNanoseconds.load(std::memory_order_relaxed), empty))
    return;
  uint32_t inside = job.inside.fetch_or(callerSleeps) | callerSleeps;
  while (inside != callerSleeps) {
    futexWait(job.inside, inside);
    inside = job.inside.load(std::memory_order_acquire);
  }
}

static int32_t run(int64_t count, tw_block_fn fn, void *env, int64_t arenaBytes,
                   tw_interrupt_check check, void *user) {
  if (count <= 0)
    return TW_OK;
  Arena arena(arenaBytes > 0 ? arenaBytes : 0);
  if (!arena)
    return TW_ERROR_MEMORY;
  int32_t threads = state.depth > 0 ? 1 : numThreads();
  if (threads > count)
    threads = static_cast<int32_t>(count);
  Job job{fn,          env,   count, arenaBytes, threads * piecesPerThread,
          threads - 1, check, user};
  if (threads == 1) {
    job.share = 1;
    return work(job, arena.data(), /*isCaller=*/true) ? TW_OK : TW_ERROR_INTERRUPTED;
  }
  publish(job);
  bool finished = work(job, arena.data(), /*isCaller=*/true);
  finish(job);
  return finished ? TW_OK : TW_ERROR_INTERRUPTED;
}

const tw_thread_pool_functions_v2 tw_thread_pool_v2 = {
    sizeof(tw_thread_pool_functions_v2), run, setNumThreads, numThreads};

void tw_set_num_threads(int32_t threads) { tw_thread_pool_v2.set_num_threads(threads); }
int32_t tw_num_threads(void) { return tw_thread_pool_v2.num_threads(); }

//===----------------------------------------------------------------------===//
// Threads' ends and forks
//===----------------------------------------------------------------------===//

static void freeThreadState(void *pointer) {
  auto *ended = static_cast<ThreadState *>(pointer);
  freeMemory(ended->arena);
  ended->arena = {};
}

static void beforeFork() {
  pthread_mutex_lock(&lock);
  lockMemoryCache();
}

static void afterForkInParent() {
  unlockMemoryCache();
  pthread_mutex_unlock(&lock);
}

/// The child has the forking thread alone: it starts workers again when it needs them.
static void afterForkInChild() {
  jobs = nullptr;
  workers = 0;
  sleepers.store(0);
  afterForkInParent();
}

[[gnu::constructor]] static void prepareThreadPool() {
  pthread_key_create(&stateKey, freeThreadState);
  pthread_atfork(beforeFork, afterForkInParent, afterForkInChild);
}
