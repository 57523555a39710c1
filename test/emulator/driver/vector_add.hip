// Kernels for hip_vector_add.c, without ROCm's headers.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hip.h"

extern "C" __constant__ int table[4] = {1, 2, 3, 4};

extern "C" __global__ void add(float *out, const float *x, const float *y, int n) {
  int i = static_cast<int>(at());
  if (i < n)
    out[i] = x[i] + y[i];
}

// Through dynamic LDS.
extern "C" __global__ void reverse(float *out, const float *x) {
  extern __shared__ float buffer[];
  buffer[threadIdx().x] = x[at()];
  sync();
  out[at()] = buffer[blockDim().x - 1 - threadIdx().x];
}

// Writes past the end of its argument.
extern "C" __global__ void wild(float *out) { out[1000 + at()] = 1; }
