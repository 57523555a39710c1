//===- Limits.cpp - What this machine reaches --------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The limits that benchmarks compare with: multiply-adds on registers, as many
// independent chains as hide their latency, and reads of a buffer that no cache holds.
// All threads run a slice of a few milliseconds at once, again and again; the best
// slice counts, because what disturbs one only ever makes it slower.
//
//===----------------------------------------------------------------------===//

#include "Limits.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <pthread.h>
#include <string>
#include <sys/mman.h>
#include <thread>
#include <unistd.h>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

using namespace tilewright::python;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

namespace {

/// A loop of multiply-adds in registers.
struct ComputeLoop {
  const char *dtype;
  bool (*supported)();
  void (*run)(int64_t iterations);
  double operations; // in one iteration
};

} // namespace

/// Independent chains: two units times a latency of four, and some to spare.
static constexpr int chains = 12;

/// Keeps a vector in a register and its computation from being dropped.
#define KEEP(VECTOR) asm volatile("" : "+v"(VECTOR))

#define CHAINS(VECTOR, STEP)                                                             \
  VECTOR sum[chains] = {};                                                               \
  for (int k = 0; k < chains; ++k)                                                       \
    KEEP(sum[k]); /* or equal chains would become one */                                 \
  for (int64_t i = 0; i < iterations; ++i)                                               \
    for (int k = 0; k < chains; ++k)                                                     \
      sum[k] = STEP;                                                                     \
  for (int k = 0; k < chains; ++k)                                                       \
    KEEP(sum[k]);

#if defined(__x86_64__)

[[gnu::target("avx512f")]] static void fmaAvx512(int64_t iterations) {
  __m512 x = _mm512_set1_ps(0.5f);
  KEEP(x);
  CHAINS(__m512, _mm512_fmadd_ps(x, x, sum[k]))
}

[[gnu::target("avx2,fma")]] static void fmaAvx2(int64_t iterations) {
  __m256 x = _mm256_set1_ps(0.5f);
  KEEP(x);
  CHAINS(__m256, _mm256_fmadd_ps(x, x, sum[k]))
}

[[gnu::target("avx512f,avx512bf16")]] static void dotBf16(int64_t iterations) {
  __m512 half = _mm512_set1_ps(0.5f);
  KEEP(half);
  auto x = (__m512bh)half;
  CHAINS(__m512, _mm512_dpbf16_ps(sum[k], x, x))
}

[[gnu::target("avx512f,avx512vnni")]] static void dotI8Avx512(int64_t iterations) {
  __m512i x = _mm512_set1_epi8(1);
  KEEP(x);
  CHAINS(__m512i, _mm512_dpbusd_epi32(sum[k], x, x))
}

[[gnu::target("avx2,avxvnni")]] static void dotI8Avx2(int64_t iterations) {
  __m256i x = _mm256_set1_epi8(1);
  KEEP(x);
  CHAINS(__m256i, _mm256_dpbusd_avx_epi32(sum[k], x, x))
}

#define SUPPORTED(FEATURE) [] { return __builtin_cpu_supports(FEATURE) != 0; }

/// AVX-VNNI is bit 4 of EAX of CPUID leaf 7.1, which g++ 12 has no name for.
static bool hasAvxVnni() {
  unsigned eax = 7, ebx, ecx = 1, edx;
  asm("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
  return __builtin_cpu_supports("avx2") && (eax >> 4 & 1);
}

/// The first supported one of a dtype counts.
static const ComputeLoop computeLoops[] = {
    {"f32", SUPPORTED("avx512f"), fmaAvx512, chains * 16 * 2.0},
    {"f32", SUPPORTED("fma"), fmaAvx2, chains * 8 * 2.0},
    {"bf16", SUPPORTED("avx512bf16"), dotBf16, chains * 32 * 2.0},
    {"i8", SUPPORTED("avx512vnni"), dotI8Avx512, chains * 64 * 2.0},
    {"i8", hasAvxVnni, dotI8Avx2, chains * 32 * 2.0},
};

#else

static void multiplyAdd(int64_t iterations) {
  typedef float Vector __attribute__((vector_size(16)));
  Vector x = {0.5f, 0.5f, 0.5f, 0.5f};
#undef KEEP
#define KEEP(VECTOR) asm volatile("" : "+w"(VECTOR))
  KEEP(x);
  CHAINS(Vector, x * x + sum[k])
}

static const ComputeLoop computeLoops[] = {
    {"f32", [] { return true; }, multiplyAdd, chains * 4 * 2.0},
};

#endif

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

namespace {

/// Memory that the caches hold a small part of, on huge pages.
class BigBuffer {
  size_t size;
  char *memory;

public:
  explicit BigBuffer(int threads) {
    long cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
    size = std::max<size_t>(size_t(128) << 20, cache > 0 ? size_t(cache) * 4 : 0);
    size = size / (64 * threads) * (64 * threads);
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
  const char *data() const { return memory; }
  size_t bytes() const { return size; }
};

} // namespace

/// Reads a multiple of 64 bytes.
static void readMemory(const char *data, size_t bytes) {
  typedef uint64_t Vector __attribute__((vector_size(16)));
  Vector sum[4] = {};
  for (size_t i = 0; i < bytes; i += 64)
    for (int k = 0; k < 4; ++k)
      sum[k] |= *reinterpret_cast<const Vector *>(data + i + k * 16);
  for (int k = 0; k < 4; ++k)
    asm volatile("" : : "m"(sum[k]));
}

//===----------------------------------------------------------------------===//
// Measuring
//===----------------------------------------------------------------------===//

static double now() {
  using Clock = std::chrono::steady_clock;
  return std::chrono::duration<double>(Clock::now().time_since_epoch()).count();
}

static constexpr double measuredSeconds = 0.1;
static constexpr int leastSlices = 5;

/// Runs `slice(thread)` on `threads` threads at once, again and again for a while; the
/// shortest time in seconds.
template <typename Slice> static double shortestSlice(int threads, Slice slice) {
  pthread_barrier_t barrier;
  pthread_barrier_init(&barrier, nullptr, threads);
  bool stop = false; // read behind a barrier
  auto help = [&](int thread) {
    for (;;) {
      pthread_barrier_wait(&barrier);
      if (stop)
        return;
      slice(thread);
      pthread_barrier_wait(&barrier);
    }
  };
  std::vector<std::thread> helpers;
  for (int thread = 1; thread < threads; ++thread)
    helpers.emplace_back(help, thread);

  double shortest = 1e30, end = now() + measuredSeconds;
  for (int done = 0; done < leastSlices || now() < end; ++done) {
    pthread_barrier_wait(&barrier);
    double start = now();
    slice(0);
    pthread_barrier_wait(&barrier);
    shortest = std::min(shortest, now() - start);
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
  for (const ComputeLoop &loop : computeLoops) {
    if (strcmp(loop.dtype, dtype) != 0 || !loop.supported())
      continue;
    constexpr int64_t iterations = 1 << 19; // some milliseconds
    double seconds = shortestSlice(threads, [&](int) { loop.run(iterations); });
    return loop.operations * iterations * threads / seconds * 1e-9;
  }
  return 0;
}

/// GB/s read by all threads together; 0 without memory for the buffer.
static double measureReads(int threads) {
  BigBuffer buffer(threads);
  if (!buffer.data())
    return 0;
  size_t share = buffer.bytes() / threads;
  double seconds = shortestSlice(
      threads, [&](int thread) { readMemory(buffer.data() + thread * share, share); });
  return buffer.bytes() / seconds * 1e-9;
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

PyObject *tilewright::python::measureLimits(PyObject *, PyObject *argument) {
  long threads = PyLong_AsLong(argument);
  if (threads == -1 && PyErr_Occurred())
    return nullptr;
  if (threads < 1 || threads > 1024)
    return PyErr_Format(PyExc_ValueError,
                        "measure_limits(%ld): expected 1 to 1024 threads", threads);
  double f32, bf16, i8, reads;
  Py_BEGIN_ALLOW_THREADS;
  int count = static_cast<int>(threads);
  f32 = measureCompute("f32", count);
  bf16 = measureCompute("bf16", count);
  i8 = measureCompute("i8", count);
  reads = measureReads(count);
  Py_END_ALLOW_THREADS;
  return Py_BuildValue(
      "{s:s,s:l,s:{s:N,s:N,s:N},s:N}", "cpu", cpuName().c_str(), "threads", threads,
      "gflops", "f32", numberOrNone(f32).release(), "bf16", numberOrNone(bf16).release(),
      "i8", numberOrNone(i8).release(), "read_gbps", numberOrNone(reads).release());
}
