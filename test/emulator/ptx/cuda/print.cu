// printf, assert and trap.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cassert>
#include <cstdio>

extern "C" __global__ void print(const int *in, const double *d) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (in[i] > 2)
    printf("%d: %5d|%-6x|%s|%c|%lld\n", i, in[i], in[i] * 255, in[i] % 2 ? "odd" : "even",
           'a' + i, (long long)in[i] << 40);
  if (i == 5)
    printf("%.3f %e %g %8.2f %% %u %p\n", d[0], d[1], (double)(float)d[2], -d[0], ~0u,
           (void *)0x1234);
  if (i == 1)
    printf("no arguments\n");
}

extern "C" __global__ void check(const int *in, int *out) {
  int i = threadIdx.x;
  assert(in[i] < 90 && "too large");
  out[i] = in[i];
}

extern "C" __global__ void stop(const int *in, int *out) {
  int i = threadIdx.x;
  if (in[i] == 63)
    __trap();
  out[i] = in[i];
}
