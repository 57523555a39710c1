// Functions that stay functions: recursion, structs by value, pointers to locals.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

__device__ __noinline__ int ackermann(int m, int n) {
  if (m == 0)
    return n + 1;
  if (n == 0)
    return ackermann(m - 1, 1);
  return ackermann(m - 1, ackermann(m, n - 1));
}

struct Complex {
  double re, im;
};

__device__ __noinline__ Complex multiply(Complex a, Complex b) {
  return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

__device__ __noinline__ void divide(int a, int b, int *quotient, short *remainder) {
  *quotient = a / b;
  *remainder = (short)(a % b);
}

__device__ __noinline__ float mixed(signed char a, unsigned short b, float c, long long d,
                                    bool e) {
  return e ? a + b * c : (float)d;
}

// Quicksort between two pointers, of a piece of global memory per thread.
__device__ __noinline__ void quicksort(int *low, int *high) {
  while (high - low > 1) {
    int pivot = low[(high - low) / 2];
    int *i = low, *j = high - 1;
    while (i <= j) {
      while (*i < pivot)
        ++i;
      while (*j > pivot)
        --j;
      if (i <= j) {
        int t = *i;
        *i++ = *j;
        *j-- = t;
      }
    }
    if (j + 1 - low > 1)
      quicksort(low, j + 1);
    low = i;
  }
}

extern "C" __global__ void call(const int *m, const int *n, int *out, double *powers,
                                int *quotients, int *remainders, float *mixes) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  out[i] = ackermann(m[i], n[i]);
  Complex z = {0.6, 0.8}, power = {1, 0};
  for (int k = 0; k < n[i]; ++k) // a call in a loop that lanes leave at different times
    power = multiply(power, z);
  powers[2 * i] = power.re;
  powers[2 * i + 1] = power.im;
  int q;
  short r;
  divide(1000003 * (i + 1), m[i] - 5, &q, &r);
  quotients[i] = q;
  remainders[i] = r;
  mixes[i] = mixed((signed char)(i - 64), (unsigned short)(65535 - i), 0.5f, 1ll << 40, i % 3);
}

extern "C" __global__ void sort_pieces(int *data, const int *offsets, int pieces) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < pieces)
    quicksort(data + offsets[i], data + offsets[i + 1]);
}
