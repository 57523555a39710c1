// mma.sync by its fragment tables: one warp per tile, operands straight from global memory.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

// a is [m, k], b is [n, k], both so that a thread's values along k lie together; c, d [m, n].
// The grid is (n / 8, m / 16), or (n / 8, m / 8) for the shapes with 8 rows.
struct Lane {
  int group, thread; // lane / 4 and lane % 4
  __device__ Lane() : group(threadIdx.x / 4), thread(threadIdx.x % 4) {}
};

template <typename T> __device__ unsigned word(const T *at) { return *(const unsigned *)at; }

// Registers of A and B for 16 x 8 tiles with `step` elements per register along k, `parts`
// registers along k: rows g and g + 8 alternate.
template <typename T, int Parts> struct Operands {
  unsigned a[2 * Parts], b[Parts];
  __device__ void load(const T *pa, const T *pb, int k, int at) {
    constexpr int per = 4 / sizeof(T);
    Lane lane;
    for (int part = 0; part < Parts; ++part) {
      int column = at + lane.thread * per + part * 4 * per;
      a[2 * part] = word(pa + (blockIdx.y * 16 + lane.group) * k + column);
      a[2 * part + 1] = word(pa + (blockIdx.y * 16 + lane.group + 8) * k + column);
      b[part] = word(pb + (blockIdx.x * 8 + lane.group) * k + column);
    }
  }
};

// Where accumulator i of a 16 x 8 tile lies in the matrix.
__device__ int place(int i, int n) {
  Lane lane;
  return (blockIdx.y * 16 + lane.group + 8 * (i / 2)) * n + blockIdx.x * 8 + lane.thread * 2 +
         i % 2;
}

#define KERNEL_32(name, T, Parts, K, D, text)                                                  \
  extern "C" __global__ void name(const T *a, const T *b, const D *c, D *d, int n, int k) {    \
    D sum[4];                                                                                  \
    for (int i = 0; i < 4; ++i)                                                                \
      sum[i] = c[place(i, n)];                                                                 \
    for (int at = 0; at < k; at += K) {                                                        \
      Operands<T, Parts> x;                                                                    \
      x.load(a, b, k, at);                                                                     \
      text;                                                                                    \
    }                                                                                          \
    for (int i = 0; i < 4; ++i)                                                                \
      d[place(i, n)] = sum[i];                                                                 \
  }
#define MMA4(op, constraint)                                                                   \
  asm volatile(op " {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"                     \
               : "+" constraint(sum[0]), "+" constraint(sum[1]), "+" constraint(sum[2]),       \
                 "+" constraint(sum[3])                                                        \
               : "r"(x.a[0]), "r"(x.a[1]), "r"(x.a[2]), "r"(x.a[3]), "r"(x.b[0]), "r"(x.b[1]))
#define MMA2(op, constraint)                                                                   \
  asm volatile(op " {%0,%1,%2,%3}, {%4,%5}, {%6}, {%0,%1,%2,%3};"                              \
               : "+" constraint(sum[0]), "+" constraint(sum[1]), "+" constraint(sum[2]),       \
                 "+" constraint(sum[3])                                                        \
               : "r"(x.a[0]), "r"(x.a[1]), "r"(x.b[0]))

typedef unsigned short u16;
KERNEL_32(f16_k16, u16, 2, 16, float,
          MMA4("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", "f"))
KERNEL_32(bf16_k16, u16, 2, 16, float,
          MMA4("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", "f"))
KERNEL_32(f16_k8, u16, 1, 8, float,
          MMA2("mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32", "f"))
KERNEL_32(bf16_k8, u16, 1, 8, float,
          MMA2("mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32", "f"))
KERNEL_32(tf32_k8, float, 2, 8, float,
          MMA4("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", "f"))
KERNEL_32(tf32_k4, float, 1, 4, float,
          MMA2("mma.sync.aligned.m16n8k4.row.col.f32.tf32.tf32.f32", "f"))
KERNEL_32(s8_k32, signed char, 2, 32, int,
          MMA4("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", "r"))
KERNEL_32(u8_k32, unsigned char, 2, 32, int,
          MMA4("mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32", "r"))
// Signed by unsigned, and a sum that stops at the ends of its range.
KERNEL_32(s8_u8_sat, signed char, 2, 32, int,
          MMA4("mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.u8.s32", "r"))
KERNEL_32(s8_k16, signed char, 1, 16, int,
          MMA2("mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32", "r"))

// Sums in f16: two to a register.
extern "C" __global__ void f16_sums(const u16 *a, const u16 *b, const u16 *c, u16 *d, int n,
                                    int k) {
  unsigned sum[2] = {word(c + place(0, n)), word(c + place(2, n))};
  for (int at = 0; at < k; at += 16) {
    Operands<u16, 2> x;
    x.load(a, b, k, at);
    asm volatile("mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0,%1}, {%2,%3,%4,%5},"
                 " {%6,%7}, {%0,%1};"
                 : "+r"(sum[0]), "+r"(sum[1])
                 : "r"(x.a[0]), "r"(x.a[1]), "r"(x.a[2]), "r"(x.a[3]), "r"(x.b[0]), "r"(x.b[1]));
  }
  *(unsigned *)(d + place(0, n)) = sum[0];
  *(unsigned *)(d + place(2, n)) = sum[1];
}

// f64 tiles are 8 x 8 x 4.
extern "C" __global__ void f64_k4(const double *a, const double *b, const double *c, double *d,
                                  int n, int k) {
  Lane lane;
  int at = (blockIdx.y * 8 + lane.group) * n + blockIdx.x * 8 + lane.thread * 2;
  double x = c[at], y = c[at + 1];
  for (int step = 0; step < k; step += 4) {
    double left = a[(blockIdx.y * 8 + lane.group) * k + step + lane.thread];
    double right = b[(blockIdx.x * 8 + lane.group) * k + step + lane.thread];
    asm volatile("mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64 {%0,%1}, {%2}, {%3}, {%0,%1};"
                 : "+d"(x), "+d"(y)
                 : "d"(left), "d"(right));
  }
  d[at] = x;
  d[at + 1] = y;
}
