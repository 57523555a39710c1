// Products by MFMA, one wave each. Operands lie as AMD's instruction calculator says: of the
// lane l of 64, row l % M of A (column of B), elements (l / M) * k to (l / M) * k + k - 1.
#include "hip.h"

typedef half half4 __attribute__((ext_vector_type(4)));
typedef __bf16 bf16x4 __attribute__((ext_vector_type(4)));
typedef float float4 __attribute__((ext_vector_type(4)));
typedef float float16 __attribute__((ext_vector_type(16)));
typedef int int4 __attribute__((ext_vector_type(4)));
typedef double double4 __attribute__((ext_vector_type(4)));

extern "C" __global__ void f16_16(const half *a, const half *b, float *d) {
  unsigned l = threadIdx().x, row = l % 16, k = l / 16 * 4;
  half4 x, y;
  for (int i = 0; i < 4; ++i) {
    x[i] = a[row * 16 + k + i];
    y[i] = b[(k + i) * 16 + row];
  }
  float4 c = {1, 2, 3, 4};
  c = __builtin_amdgcn_mfma_f32_16x16x16f16(x, y, c, 0, 0, 0);
  for (int i = 0; i < 4; ++i)
    d[(l / 16 * 4 + i) * 16 + l % 16] = c[i];
}

extern "C" __global__ void f16_32(const half *a, const half *b, float *d) {
  unsigned l = threadIdx().x, row = l % 32, k = l / 32 * 4;
  half4 x, y;
  for (int i = 0; i < 4; ++i) {
    x[i] = a[row * 8 + k + i];
    y[i] = b[(k + i) * 32 + row];
  }
  float16 c = {};
  c = __builtin_amdgcn_mfma_f32_32x32x8f16(x, y, c, 0, 0, 0);
  for (int i = 0; i < 16; ++i)
    d[(i / 4 * 8 + l / 32 * 4 + i % 4) * 32 + l % 32] = c[i];
}

extern "C" __global__ void f32_32(const float *a, const float *b, float *d) {
  unsigned l = threadIdx().x;
  float16 c = {};
  c = __builtin_amdgcn_mfma_f32_32x32x2f32(a[l % 32 * 2 + l / 32], b[l / 32 * 32 + l % 32], c, 0, 0, 0);
  for (int i = 0; i < 16; ++i)
    d[(i / 4 * 8 + l / 32 * 4 + i % 4) * 32 + l % 32] = c[i];
}

extern "C" __global__ void f64_16(const double *a, const double *b, double *d) {
  unsigned l = threadIdx().x;
  double4 c = {};
  c = __builtin_amdgcn_mfma_f64_16x16x4f64(a[l % 16 * 4 + l / 16], b[l / 16 * 16 + l % 16], c, 0, 0, 0);
  for (int i = 0; i < 4; ++i)
    d[(l / 16 + 4 * i) * 16 + l % 16] = c[i];
}
