//===- Limits.cpp - What this machine reaches --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The limits that benchmarks compare with: multiply-adds on registers, and reads and
// copies of buffers that no cache holds. All threads run a slice of a few milliseconds at
// once, again and again; the best slice counts, because what disturbs one only ever makes
// it slower.
//
//===----------------------------------------------------------------------===//

#include "Limits.h"

#include "LimitLoops.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tilewright::python;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The number in a file of /sys; 0 without the file.
static size_t readNumber(const std::string &path, std::string *rest = nullptr) {
  std::ifstream file(path);
  size_t number = 0;
  std::string ignored;
  file >> number >> (rest ? *rest : ignored);
  return file || file.eof() ? number : 0;
}

/// Bytes of the last-level caches of the cores that this process may use, each counted
/// once; 0 if the system does not say. (sysconf gives the cache of the whole socket where
/// a virtual machine has a few of its cores.)
static size_t lastCacheBytes() {
  cpu_set_t cores;
  if (sched_getaffinity(0, sizeof cores, &cores) != 0)
    return 0;
  std::map<std::string, size_t> found; // by the cores that share it
  for (int core = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &cores))
      continue;
    std::string cpu =
        "/sys/devices/system/cpu/cpu" + std::to_string(core) + "/cache/index";
    size_t level = 0, bytes = 0;
    std::string sharers;
    for (int index = 0;; ++index) {
      std::string cache = cpu + std::to_string(index), unit;
      size_t itsLevel = readNumber(cache + "/level");
      if (itsLevel == 0)
        break;
      if (itsLevel <= level)
        continue;
      level = itsLevel;
      bytes = readNumber(cache + "/size", &unit) << (unit == "K"   ? 10
                                                     : unit == "M" ? 20
                                                                   : 0);
      std::getline(std::ifstream(cache + "/shared_cpu_list"), sharers);
    }
    if (bytes > 0)
      found[sharers] = bytes;
  }
  size_t sum = 0;
  for (const auto &entry : found)
    sum += entry.second;
  return sum;
}

namespace {

/// Memory of which the caches hold next to nothing, on huge pages.
class BigBuffer {
  size_t size;
  char *memory;

public:
  BigBuffer() {
    size = std::max(size_t(256) << 20, lastCacheBytes() * 8);
    void *mapped =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memory = mapped == MAP_FAILED ? nullptr : static_cast<char *>(mapped);
    if (!memory)
      return;
    madvise(memory, size, MADV_HUGEPAGE);
    memset(memory, 1, size);
  }
  ~BigBuffer() {
    if (memory)
      munmap(memory, size);
  }
  BigBuffer(const BigBuffer &) = delete;
  char *data() const { return memory; }
  size_t bytes() const { return size; }
};

} // namespace

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

/// How long a limit is measured, and in how many slices at least.
static constexpr double measuredSeconds = 0.04;
static constexpr int leastSlices = 5;

namespace {

/// When a thread began its part of a slice, and when it was done.
struct alignas(64) Span {
  double start, end;
};

} // namespace

/// Runs `slice(thread)` on `threads` threads at once, `least` times and for `seconds`;
/// the shortest time in seconds from the first thread's start to the last one's end. (No
/// thread's clock is the time of all: one that wakes late would leave out what the others
/// have done without it.)
template <typename Slice>
static double shortestSlice(int threads, int least, double seconds, Slice slice) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, threads);
  std::vector<Span> spans(threads);
  auto run = [&](int thread) {
    spans[thread].start = now();
    slice(thread);
    spans[thread].end = now();
  };
  bool stop = false; // read behind a barrier
  auto help = [&](int thread) {
    for (;;) {
      pthread_barrier_wait(&barrier);
      if (stop)
        return;
      run(thread);
      pthread_barrier_wait(&barrier);
    }
  };
  std::vector<std::thread> helpers;
  for (int thread = 1; thread < threads; ++thread)
    helpers.emplace_back(help, thread);

  double shortest = 1e30, enough = now() + seconds;
  for (int done = 0; done < least || now() < enough; ++done) {
    pthread_barrier_wait(&barrier);
    run(0);
    pthread_barrier_wait(&barrier);
    Span all = spans[0];
    for (const Span &span : spans) {
      all.start = std::min(all.start, span.start);
      all.end = std::max(all.end, span.end);
    }
    shortest = std::min(shortest, all.end - all.start);
  }
  stop = true;
  pthread_barrier_wait(&barrier);
  for (std::thread &helper : helpers)
    helper.join();
  pthread_barrier_destroy(&barrier);
  return shortest;
}

/// GFLOP/s of the dtype's loop on all threads together; 0 without an instruction.
static double measureCompute(const char *dtype, int threads) {
  ComputeLoop loop = findComputeLoop(dtype);
  if (!loop.run)
    return 0;
  constexpr int64_t iterations = 1 << 19; // some milliseconds
  double seconds = shortestSlice(threads, leastSlices, measuredSeconds,
                                 [&](int) { loop.run(iterations); });
  return loop.operations * iterations * threads / seconds * 1e-9;
}

/// GB/s that pass through all threads together, in the best of two loops, `ways` times
/// the bytes that are read; each loop runs `least` times and for `seconds`.
static double memoryRate(const MemoryLoop (&loops)[2], char *to, const char *from,
                         size_t bytes, int threads, int least, double seconds,
                         double ways) {
  // Parts begin where a vector may.
  size_t share = bytes / threads / 4096 * 4096;
  double shortest = 1e30;
  for (const MemoryLoop &loop : loops)
    shortest = std::min(shortest, shortestSlice(threads, least, seconds, [&](int thread) {
                          loop.run(to + thread * share, from + thread * share, share);
                        }));
  return ways * share * threads / shortest * 1e-9;
}

static std::string cpuName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    size_t colon = line.find(": ");
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos)
      return line.substr(colon + 2);
  }
  return "unknown";
}

/// A Python float, or None for zero.
static Ref numberOrNone(double value) {
  return value > 0 ? Ref(PyFloat_FromDouble(value)) : borrow(Py_None);
}

/// The number of threads that a caller names; 0 with the Python error set.
static int threadCount(const char *function, PyObject *argument) {
  long threads = PyLong_AsLong(argument);
  if (threads == -1 && PyErr_Occurred())
    return 0;
  if (threads >= 1 && threads <= 1024)
    return static_cast<int>(threads);
  PyErr_Format(PyExc_ValueError, "%s: expected 1 to 1024 threads, not %ld", function,
               threads);
  return 0;
}

PyObject *tilewright::python::measureLimits(PyObject *, PyObject *argument) {
  int count = threadCount("measure_limits", argument);
  if (count == 0)
    return nullptr;
  double f32, bf16, i8, reads = 0, copies = 0;
  Py_BEGIN_ALLOW_THREADS;
  f32 = measureCompute("f32", count);
  bf16 = measureCompute("bf16", count);
  i8 = measureCompute("i8", count);
  BigBuffer from, to;
  if (from.data() && to.data()) {
    auto measure = [&](const MemoryLoop(&loops)[2], double ways) {
      return memoryRate(loops, to.data(), from.data(), from.bytes(), count, leastSlices,
                        measuredSeconds, ways);
    };
    reads = measure(readLoops, 1);
    copies = measure(copyLoops, 2);
  }
  Py_END_ALLOW_THREADS;
  return Py_BuildValue("{s:s,s:l,s:n,s:{s:N,s:N,s:N},s:N,s:N}", "cpu", cpuName().c_str(),
                       "threads", static_cast<long>(count), "last_cache_bytes",
                       static_cast<Py_ssize_t>(lastCacheBytes()), "gflops", "f32",
                       numberOrNone(f32).release(), "bf16", numberOrNone(bf16).release(),
                       "i8", numberOrNone(i8).release(), "read_gbps",
                       numberOrNone(reads).release(), "copy_gbps",
                       numberOrNone(copies).release());
}

namespace {

/// The memory of a Python object, for as long as this is.
class Borrowed {
  Py_buffer buffer = {};

public:
  Borrowed(PyObject *object, int flags) { PyObject_GetBuffer(object, &buffer, flags); }
  ~Borrowed() { PyBuffer_Release(&buffer); }
  Borrowed(const Borrowed &) = delete;
  /// Null with the Python error set.
  char *data() const { return static_cast<char *>(buffer.buf); }
  size_t bytes() const { return static_cast<size_t>(buffer.len); }
};

} // namespace

PyObject *tilewright::python::measureMemory(PyObject *, PyObject *const *arguments,
                                            Py_ssize_t count) {
  if (count != 4)
    return PyErr_Format(PyExc_TypeError,
                        "measure_memory: expected to, from, threads, slices");
  Borrowed to(arguments[0], PyBUF_WRITABLE), from(arguments[1], PyBUF_SIMPLE);
  if (PyErr_Occurred())
    return nullptr;
  int threads = threadCount("measure_memory", arguments[2]);
  long slices = PyLong_AsLong(arguments[3]);
  if (PyErr_Occurred())
    return nullptr;
  size_t bytes = from.bytes();
  auto lies = [](const char *data) {
    return reinterpret_cast<uintptr_t>(data) % 64 == 0;
  };
  if (to.bytes() != bytes || bytes < size_t(4096) * threads || !lies(to.data()) ||
      !lies(from.data()) || slices < 1 || slices > 1000)
    return PyErr_Format(
        PyExc_ValueError,
        "measure_memory: expected two arrays of as many bytes, 4096 for a "
        "thread at least, at multiples of 64 bytes, and 1 to 1000 "
        "slices");
  double reads, copies;
  Py_BEGIN_ALLOW_THREADS;
  auto measure = [&](const MemoryLoop(&loops)[2], double ways) {
    return memoryRate(loops, to.data(), from.data(), bytes, threads,
                      static_cast<int>(slices), 0, ways);
  };
  reads = measure(readLoops, 1);
  copies = measure(copyLoops, 2);
  Py_END_ALLOW_THREADS;
  return Py_BuildValue("{s:d,s:d}", "read_gbps", reads, "copy_gbps", copies);
}
