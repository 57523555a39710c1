// Kernel parameters of every size, structs by value, and variables of the module.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

struct Inner {
  short a;
  double b;
};
struct Settings {
  char first;
  int table[8];
  Inner inner[2];
  unsigned long long mark;
  unsigned char last;
};

__constant__ float weights[4] = {1.5f, -2.0f, 0.25f, 8.0f};
__constant__ int order[4] = {2, 0, 3, 1};
__device__ int counter = 40;
__device__ double column[3] = {1.0, 2.0, 3.0};
__device__ double *cursor = &column[1];
__device__ const char text[] = "tile";

// The table is indexed by data, a struct lies in parameter space.
extern "C" __global__ void by_value(Settings s, float *out, const int *index, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n)
    out[i] = s.table[index[i] & 7] + s.inner[i & 1].a * (float)s.inner[1 - (i & 1)].b +
             s.first - s.last + (s.mark >> 60);
}

extern "C" __global__ void scalars(signed char a, unsigned char b, short c, unsigned short d,
                                   int e, unsigned f, long long g, unsigned long long h,
                                   float i, double j, bool k, float3 l, double *out) {
  double all[] = {(double)a, (double)b, (double)c, (double)d,        (double)e,
                  (double)f, (double)g, (double)h, (double)i,        j,
                  k ? 1. : 0., l.x,     l.y,       l.z};
  for (int n = threadIdx.x; n < 14; n += blockDim.x)
    out[n] = all[n];
}

// Reads and changes variables of the module; the second launch sees the first one's work.
extern "C" __global__ void variables(float *out, int *ints) {
  int i = threadIdx.x;
  if (i < 4)
    out[i] = weights[order[i]];
  if (i == 0) {
    ints[0] = atomicAdd(&counter, 2);
    out[4] = (float)*cursor;
    *cursor += 10;
    cursor = cursor == &column[1] ? &column[2] : &column[0];
    ints[1] = text[1] + text[4];
  }
}
