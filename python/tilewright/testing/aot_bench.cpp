//===- aot_bench.cpp - What a library costs in a C++ program ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Built by aot_bench.py twice: as a program with the archive in it, and as a shared
// object, whose functions Python calls in turn with kernels that it has compiled itself.
//
//   aot_bench launch ROUNDS CALLS   seconds of a call of an empty kernel, for each round
//   aot_bench load LIBRARY          seconds that dlopen takes
//
//===----------------------------------------------------------------------===//

#include "aotbench.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>

/// The clock, or what this thread has run: others have no part in the second.
static double seconds(clockid_t clock) {
  timespec now;
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

static void launch(int rounds, int calls) {
  static float memory[3][64];
  aotbench_set_num_threads(1);
  aotbench::tensor a(memory[0], {4, 5}), b(memory[1], {5, 6}), c(memory[2], {4, 6});
  aotbench::empty(a, b, c);
  for (int round = 0; round < rounds; ++round) {
    double begun = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (int call = 0; call < calls; ++call)
      aotbench::empty(a, b, c);
    std::printf("%.10f\n", (seconds(CLOCK_THREAD_CPUTIME_ID) - begun) / calls);
  }
}

static int load(const char *path) {
  double begun = seconds(CLOCK_MONOTONIC);
  void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  double taken = seconds(CLOCK_MONOTONIC) - begun;
  if (!library) {
    std::fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  std::printf("%.10f\n", taken);
  return 0;
}

extern "C" void run_threads(int threads) { aotbench_set_num_threads(threads); }

extern "C" void run_gemm(float *a, float *b, float *c, long m, long n, long k) {
  aotbench::gemm({a, {m, k}}, {b, {k, n}}, {c, {m, n}});
}

extern "C" void run_rmsnorm(float *x, float *weight, float *out, long rows, long n) {
  aotbench::rmsnorm({x, {rows, n}}, {weight, {n}}, {out, {rows, n}});
}

int main(int count, char **arguments) {
  if (count == 4 && std::strcmp(arguments[1], "launch") == 0)
    return launch(std::atoi(arguments[2]), std::atoi(arguments[3])), 0;
  if (count == 3 && std::strcmp(arguments[1], "load") == 0)
    return load(arguments[2]);
  std::fprintf(stderr, "usage: aot_bench launch ROUNDS CALLS | load LIBRARY\n");
  return 2;
}
