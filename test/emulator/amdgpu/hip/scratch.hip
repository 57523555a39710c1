// Arrays in private memory with dynamic indices, calls and recursion.
#include "hip.h"

extern "C" __global__ void sorted(const int *x, int *out) {
  int values[16];
  for (int i = 0; i < 16; ++i)
    values[i] = x[at() * 16 + i];
#pragma clang loop unroll(disable)
  for (int i = 1; i < 16; ++i) {
    int v = values[i], j = i;
#pragma clang loop unroll(disable)
    for (; j > 0 && values[j - 1] > v; --j)
      values[j] = values[j - 1];
    values[j] = v;
  }
#pragma clang loop unroll(disable)
  for (int i = 0; i < 16; ++i)
    out[at() * 16 + i] = values[i];
}

static __device__ __attribute__((noinline)) int fibonacci(int n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static __device__ __attribute__((noinline)) float horner(const float *c, float x, int n) {
  float sum = 0;
  for (int i = 0; i < n; ++i)
    sum = sum * x + c[i];
  return sum;
}

extern "C" __global__ void calls(const int *n, const float *x, int *fib, float *poly) {
  float c[4] = {1.0f, -2.0f, 0.5f, static_cast<float>(threadIdx().x)};
  fib[at()] = fibonacci(n[at()]);
  poly[at()] = horner(c, x[at()], 4);
}
