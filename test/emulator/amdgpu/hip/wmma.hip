// Products by WMMA, one wave each: 16x16x16. On gfx11 the upper half of the wave holds A's
// rows and B's columns a second time; on gfx12 each half holds eight elements of them.
#include "hip.h"

typedef float float8 __attribute__((ext_vector_type(8)));
typedef int int8v __attribute__((ext_vector_type(8)));

#if __gfx12__ || __gfx1201__
constexpr unsigned held = 8;
#define SUFFIX(name) name##_w32_gfx12
#else
constexpr unsigned held = 16;
#define SUFFIX(name) name##_w32
#endif
typedef half halves __attribute__((ext_vector_type(held)));
typedef int ints __attribute__((ext_vector_type(held / 4)));

/// The first of the elements of A's row, or B's column, that a lane holds.
static __device__ inline unsigned first() { return held == 8 ? threadIdx().x / 16 * 8 : 0; }
/// The row of element i of the result.
static __device__ inline unsigned rowOf(unsigned i) {
  return held == 8 ? threadIdx().x / 16 * 8 + i : 2 * i + threadIdx().x / 16;
}

extern "C" __global__ void f16_f32(const half *a, const half *b, float *d) {
  unsigned lane = threadIdx().x % 16;
  halves x, y;
  for (unsigned i = 0; i < held; ++i) {
    x[i] = a[lane * 16 + first() + i];
    y[i] = b[(first() + i) * 16 + lane];
  }
  float8 c = {1, 2, 3, 4, 5, 6, 7, 8};
  c = SUFFIX(__builtin_amdgcn_wmma_f32_16x16x16_f16)(x, y, c);
  for (unsigned i = 0; i < 8; ++i)
    d[rowOf(i) * 16 + lane] = c[i];
}

extern "C" __global__ void s8_s32(const int8_t *a, const int8_t *b, int *d) {
  unsigned lane = threadIdx().x % 16;
  ints x, y;
  for (unsigned i = 0; i < held / 4; ++i) {
    unsigned p = 0, q = 0;
    for (unsigned j = 0; j < 4; ++j) {
      p |= (unsigned)(uint8_t)a[lane * 16 + first() + 4 * i + j] << (8 * j);
      q |= (unsigned)(uint8_t)b[(first() + 4 * i + j) * 16 + lane] << (8 * j);
    }
    x[i] = (int)p;
    y[i] = (int)q;
  }
  int8v c = {};
  c = SUFFIX(__builtin_amdgcn_wmma_i32_16x16x16_iu8)(true, x, true, y, c, false);
  for (unsigned i = 0; i < 8; ++i)
    d[rowOf(i) * 16 + lane] = c[i];
}
