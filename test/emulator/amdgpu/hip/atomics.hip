// Atomics on global memory and LDS, with and without results.
#include "hip.h"

extern "C" __global__ void atomics(const int *x, int *results, uint64_t *wide, float *floats, unsigned n) {
  unsigned i = at();
  if (i >= n)
    return;
  int v = x[i];
  __hip_atomic_fetch_add(&results[0], v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_min(&results[1], v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_max(&results[2], v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_and(&results[3], v | 0xff, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_or(&results[4], v & 0xff0, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_xor(&results[5], v, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_add(&wide[0], (uint64_t)v * 1000003, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_add(&floats[0], 1.0f, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  // A ticket each; the set of all is 0 to n - 1.
  int ticket = __hip_atomic_fetch_add(&results[6], 1, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  __hip_atomic_fetch_add(&wide[1], (uint64_t)ticket, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  // A product by compare and swap.
  int old = __hip_atomic_load(&results[7], __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
  while (!__hip_atomic_compare_exchange_strong(&results[7], &old, old * (2 * v + 1), __ATOMIC_RELAXED,
                                               __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT)) {
  }
}

extern "C" __global__ __launch_bounds__(256) void histogram(const uint8_t *x, unsigned *bins, unsigned n) {
  __shared__ unsigned local[256];
  local[threadIdx().x] = 0;
  sync();
  for (unsigned i = at(); i < n; i += 4 * blockDim().x)
    __hip_atomic_fetch_add(&local[x[i]], 1u, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_WORKGROUP);
  sync();
  if (local[threadIdx().x])
    __hip_atomic_fetch_add(&bins[threadIdx().x], local[threadIdx().x], __ATOMIC_RELAXED,
                           __HIP_MEMORY_SCOPE_AGENT);
}
