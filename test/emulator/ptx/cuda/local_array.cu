// Arrays that each thread indexes by data: they must live in local memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

// Sorts the first `count[i]` of 24 numbers per thread by insertion.
extern "C" __global__ void insertion_sort(const int *in, const int *count, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int values[24];
  for (int j = 0; j < 24; ++j)
    values[j] = in[i * 24 + j];
  for (int j = 1; j < count[i]; ++j) {
    int v = values[j], k = j;
    for (; k > 0 && values[k - 1] > v; --k)
      values[k] = values[k - 1];
    values[k] = v;
  }
  for (int j = 0; j < 24; ++j)
    out[i * 24 + j] = values[j];
}

struct Item {
  unsigned char tag;
  short weight;
  double value;
};

// Follows a permutation through an array of structs, with pointers into local memory.
extern "C" __global__ void chase(const int *start, const int *steps, double *out, int n) {
  Item items[16];
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  for (int j = 0; j < 16; ++j) {
    items[j].tag = (j * 7 + 3) % 16;
    items[j].weight = (short)(j - 8);
    items[j].value = j * 0.5 + i;
  }
  if (i >= n)
    return;
  Item *at = &items[start[i] & 15];
  double sum = 0;
  for (int s = 0; s < steps[i]; ++s) {
    sum += at->value * at->weight;
    at->weight += 1;
    at = &items[at->tag];
  }
  out[i] = sum;
}
