// A transpose through a padded tile in shared memory, and one with a dynamic pitch.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

extern "C" __global__ void transpose(const float *in, float *out, int rows, int columns) {
  __shared__ float tile[32][33];
  int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += blockDim.y)
    if (x < columns && y + j < rows)
      tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * columns + x];
  __syncthreads();
  x = blockIdx.y * 32 + threadIdx.x;
  y = blockIdx.x * 32 + threadIdx.y;
  for (int j = 0; j < 32; j += blockDim.y)
    if (x < rows && y + j < columns)
      out[(y + j) * rows + x] = tile[threadIdx.x][threadIdx.y + j];
}

// Bytes, a tile of 16 x 16 in dynamic shared memory, the third grid dimension is the batch.
extern "C" __global__ void transpose_bytes(const uchar4 *in, unsigned char *out, int rows,
                                           int columns, int pitch) {
  extern __shared__ unsigned char bytes[];
  int batch = blockIdx.z;
  int x = blockIdx.x * 16 + threadIdx.x * 4, y = blockIdx.y * 16 + threadIdx.y;
  if (x < columns && y < rows) {
    uchar4 four = in[((batch * rows + y) * columns + x) / 4];
    unsigned char *at = bytes + threadIdx.y * pitch + threadIdx.x * 4;
    at[0] = four.x;
    at[1] = four.y;
    at[2] = four.z;
    at[3] = four.w;
  }
  __syncthreads();
  int r = blockIdx.y * 16 + threadIdx.y;
  for (int j = 0; j < 4; ++j) {
    int c = blockIdx.x * 16 + threadIdx.x * 4 + j;
    if (c < columns && r < rows)
      out[(batch * columns + c) * rows + r] = bytes[threadIdx.y * pitch + threadIdx.x * 4 + j];
  }
}
