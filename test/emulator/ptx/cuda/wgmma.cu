// wgmma over its types, widths, swizzles and sources. The tiles are laid out by the threads.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "wgmma.cuh"

// Where element (row, k) of a tile with its k dimension contiguous lies; rows of `Swizzle`
// bytes, or core matrices of 8 x 16 bytes, those along k one after another.
template <int Swizzle, int Size> __device__ int place_k(int row, int k, int depth) {
  int byte = k * Size;
  if constexpr (Swizzle == 0)
    return row / 8 * (depth * Size * 8) + byte / 16 * 128 + row % 8 * 16 + byte % 16;
  else {
    int at = row * Swizzle + byte % Swizzle;
    return at ^ ((at >> 7) % (Swizzle / 16)) << 4;
  }
}

// The same for a tile whose other dimension is contiguous: panels of `Swizzle` bytes of it.
template <int Swizzle> __device__ int place_mn(int row, int k, int depth) {
  constexpr int width = Swizzle ? Swizzle : 16;
  int byte = row * 2;
  int at = byte / width * (width * depth) + k * width + byte % width;
  return Swizzle ? at ^ ((at >> 7) % (width / 16)) << 4 : at;
}

template <int Swizzle, int Size, bool Transposed>
__device__ int place(int row, int k, int depth) {
  if constexpr (Transposed)
    return place_mn<Swizzle>(row, k, depth);
  else
    return place_k<Swizzle, Size>(row, k, depth);
}

// The descriptor of the part that one instruction of 32 bytes along k takes; `depth` elements
// along k are in the tile.
template <int Swizzle, int Size, bool Transposed>
__device__ uint64_t part(uint32_t tile, int step, int depth) {
  if (Transposed) {
    int width = Swizzle ? Swizzle : 16; // 16 values of k are 16 rows of this many bytes
    uint32_t at = tile + step * 16 * width;
    if (Swizzle == 0)
      return descriptor(at, 128, width * depth, 0);
    return descriptor(at, width * depth, 8 * width, Swizzle);
  }
  if (Swizzle == 0)
    return descriptor(tile + step * 256, 128, depth * Size * 8, 0);
  return descriptor(tile + step * 32, 16, 8 * Swizzle, Swizzle);
}

// d = a @ b, a [m, k], b [n, k] in memory; the grid is (n / N, m / 64). Tiles are `depth`
// elements deep. Op multiplies; D is the type of the sums, R their count per thread.
template <int N, typename T, typename D, int R, int SwizzleA, int SwizzleB, bool TransposedA,
          bool TransposedB, bool FromRegisters, typename Op>
__device__ void multiply(const T *a, const T *b, D *d, int n, int k, Op op) {
  constexpr int Size = sizeof(T);
  constexpr int row_bytes = SwizzleB ? SwizzleB : SwizzleA ? SwizzleA : 64;
  // A k-contiguous swizzled tile is as deep as its rows; others may be anything.
  constexpr int depth = (TransposedA || TransposedB) ? 32 : row_bytes / Size;
  static_assert(depth * Size % 32 == 0, "whole instructions");
  extern __shared__ __align__(1024) unsigned char tiles[];
  unsigned char *ta = tiles, *tb = tiles + 64 * depth * Size;
  int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
  D sum[R];
#pragma unroll 1
  for (int at = 0; at < k; at += depth) {
#pragma unroll 1
    for (int i = threadIdx.x; i < 64 * depth; i += 128)
      *(T *)(ta + place<SwizzleA, Size, TransposedA>(i / depth, i % depth, depth)) =
          a[(blockIdx.y * 64 + i / depth) * k + at + i % depth];
#pragma unroll 1
    for (int i = threadIdx.x; i < N * depth; i += 128)
      *(T *)(tb + place<SwizzleB, Size, TransposedB>(i / depth, i % depth, depth)) =
          b[(blockIdx.x * N + i / depth) * k + at + i % depth];
    proxy_fence();
    __syncthreads();
    wgmma_fence();
    for (int step = 0; step < depth * Size / 32; ++step) {
      uint64_t right = part<SwizzleB, Size, TransposedB>(shared_address(tb), step, depth);
      int add = at + step > 0; // the first one starts from zero
      if constexpr (FromRegisters) {
        unsigned x[4];
        for (int i = 0; i < 4; ++i) {
          int row = blockIdx.y * 64 + warp * 16 + lane / 4 + i % 2 * 8;
          int column = at + step * 32 / Size + (lane % 4 * 4 + i / 2 * 16) / Size;
          x[i] = *(const unsigned *)(a + row * k + column);
        }
        wgmma_fence();
        op(sum, x, right, add);
      } else {
        op(sum, part<SwizzleA, Size, TransposedA>(shared_address(ta), step, depth), right, add);
      }
    }
    wgmma_commit();
    wgmma_wait<0>();
    __syncthreads();
  }
  constexpr int pack = N / 2 / R; // two sums of f16 to a register
  for (int i = 0; i < R * pack; ++i) {
    int row = blockIdx.y * 64 + warp * 16 + lane / 4 + i / 2 % 2 * 8;
    int column = blockIdx.x * N + i / 4 * 8 + lane % 4 * 2 + i % 2;
    if constexpr (pack == 1)
      d[row * n + column] = sum[i];
    else
      ((unsigned short *)d)[row * n + column] = (unsigned short)((unsigned)sum[i / 2] >> i % 2 * 16);
  }
}

typedef unsigned short u16;
typedef unsigned char u8;

#define KERNEL(name, N, T, D, R, SA, SB, TA, TB, Registers, source, op, tail, c)               \
  extern "C" __global__ void __launch_bounds__(128)                                            \
      name(const T *a, const T *b, D *d, int n, int k) {                                       \
    multiply<N, T, D, R, SA, SB, TA, TB, Registers>(                                           \
        a, b, d, n, k,                                                                         \
        [](D *sum, auto x, uint64_t y, int add) { source(op, tail, c, sum, x, y, add); });     \
  }
#define SHARED(R) WGMMA_SHARED_##R
#define REGISTERS(R) WGMMA_REGISTERS_##R

// Scales 1 and 1, nothing transposed; and the two transpositions.
#define NN ", 1, 1, 0, 0"
#define NT ", 1, 1, 0, 1"
#define TN ", 1, 1, 1, 0"
#define TT ", 1, 1, 1, 1"
#define F16(n) "m64n" #n "k16.f32.f16.f16"
#define BF16(n) "m64n" #n "k16.f32.bf16.bf16"

KERNEL(f16_n8, 8, u16, float, 4, 0, 0, false, false, false, SHARED(4), F16(8), NN, "f")
KERNEL(f16_n64, 64, u16, float, 32, 128, 128, false, false, false, SHARED(32), F16(64), NN, "f")
KERNEL(bf16_n128, 128, u16, float, 64, 64, 64, false, false, false, SHARED(64), BF16(128), NN,
       "f")
KERNEL(bf16_n256, 256, u16, float, 128, 32, 32, false, false, false, SHARED(128), BF16(256), NN,
       "f")
// -a @ b.
KERNEL(f16_minus, 64, u16, float, 32, 128, 128, false, false, false, SHARED(32), F16(64),
       ", -1, 1, 0, 0", "f")
KERNEL(f16_sums, 64, u16, unsigned, 16, 128, 128, false, false, false, SHARED(16),
       "m64n64k16.f16.f16.f16", NN, "r")
KERNEL(f16_nt_128, 128, u16, float, 64, 64, 128, false, true, false, SHARED(64), F16(128), NT,
       "f")
KERNEL(f16_nt_64, 64, u16, float, 32, 64, 64, false, true, false, SHARED(32), F16(64), NT, "f")
KERNEL(f16_nt_32, 64, u16, float, 32, 64, 32, false, true, false, SHARED(32), F16(64), NT, "f")
KERNEL(f16_nt_0, 64, u16, float, 32, 64, 0, false, true, false, SHARED(32), F16(64), NT, "f")
KERNEL(bf16_tn_128, 64, u16, float, 32, 128, 64, true, false, false, SHARED(32), BF16(64), TN,
       "f")
KERNEL(bf16_tt_32, 64, u16, float, 32, 32, 128, true, true, false, SHARED(32), BF16(64), TT,
       "f")
KERNEL(f16_registers, 64, u16, float, 32, 128, 128, false, false, true, REGISTERS(32), F16(64),
       ", 1, 1, 0", "f")
KERNEL(bf16_registers_nt, 64, u16, float, 32, 64, 128, false, true, true, REGISTERS(32),
       BF16(64), ", 1, 1, 1", "f")
KERNEL(tf32_n64, 64, float, float, 32, 128, 128, false, false, false, SHARED(32),
       "m64n64k8.f32.tf32.tf32", ", 1, 1", "f")
KERNEL(tf32_registers, 64, float, float, 32, 64, 64, false, false, true, REGISTERS(32),
       "m64n64k8.f32.tf32.tf32", ", 1, 1", "f")
KERNEL(e4m3_n64, 64, u8, float, 32, 128, 128, false, false, false, SHARED(32),
       "m64n64k32.f32.e4m3.e4m3", ", 1, 1", "f")
KERNEL(e5m2_e4m3, 64, u8, float, 32, 64, 64, false, false, false, SHARED(32),
       "m64n64k32.f32.e5m2.e4m3", ", 1, 1", "f")
KERNEL(s8_n64, 64, u8, int, 32, 128, 128, false, false, false, SHARED(32),
       "m64n64k32.s32.s8.s8", "", "r")
KERNEL(u8_s8_registers, 64, u8, int, 32, 32, 32, false, false, true, REGISTERS(32),
       "m64n64k32.s32.u8.s8", "", "r")
