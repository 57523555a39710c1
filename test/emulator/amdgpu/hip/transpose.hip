// Transposition through LDS, of any size; the tile's rows are one element longer.
#include "hip.h"

extern "C" __global__ __launch_bounds__(256) void transpose(const float *x, float *out, unsigned rows, unsigned columns) {
  __shared__ float tile[32][33];
  unsigned x0 = blockIdx().x * 32, y0 = blockIdx().y * 32;
  for (unsigned j = threadIdx().y; j < 32; j += 8)
    if (y0 + j < rows && x0 + threadIdx().x < columns)
      tile[j][threadIdx().x] = x[(y0 + j) * columns + x0 + threadIdx().x];
  sync();
  for (unsigned j = threadIdx().y; j < 32; j += 8)
    if (x0 + j < columns && y0 + threadIdx().x < rows)
      out[(x0 + j) * rows + y0 + threadIdx().x] = tile[threadIdx().x][j];
}

// 16-byte elements and dynamic LDS.
extern "C" __global__ void reverse(const uint64_t *x, uint64_t *out) {
  extern __shared__ uint64_t buffer[];
  unsigned n = blockDim().x, t = threadIdx().x, base = blockIdx().x * n * 2;
  buffer[2 * t] = x[base + 2 * t];
  buffer[2 * t + 1] = x[base + 2 * t + 1];
  sync();
  out[base + 2 * t] = buffer[2 * (n - 1 - t)];
  out[base + 2 * t + 1] = buffer[2 * (n - 1 - t) + 1];
}
