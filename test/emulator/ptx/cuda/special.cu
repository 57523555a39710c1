// Functions of floats: the instructions themselves, and the library built on them.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

#define UNARY(name, text)                                                                      \
  __device__ __forceinline__ float name(float x) {                                             \
    float y;                                                                                   \
    asm(text " %0, %1;" : "=f"(y) : "f"(x));                                                   \
    return y;                                                                                  \
  }
UNARY(ex2, "ex2.approx.f32")
UNARY(ex2_ftz, "ex2.approx.ftz.f32")
UNARY(lg2, "lg2.approx.f32")
UNARY(sin_approx, "sin.approx.f32")
UNARY(cos_approx, "cos.approx.f32")
UNARY(tanh_approx, "tanh.approx.f32")
UNARY(rcp_approx, "rcp.approx.f32")
UNARY(rcp_ftz, "rcp.approx.ftz.f32")
UNARY(rsqrt_approx, "rsqrt.approx.f32")
UNARY(sqrt_approx, "sqrt.approx.f32")
__device__ __forceinline__ float div_full(float a, float b) {
  float c;
  asm("div.full.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}
__device__ __forceinline__ float min_nan(float a, float b) {
  float c;
  asm("min.NaN.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}
__device__ __forceinline__ float max_abs(float a, float b) {
  float c;
#if __CUDA_ARCH__ >= 860
  asm("max.xorsign.abs.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
#else
  c = copysignf(fmaxf(fabsf(a), fabsf(b)), a);
  c = signbit(b) ? -c : c;
#endif
  return c;
}
__device__ __forceinline__ float sat(float a, float b) {
  float c;
  asm("fma.rn.sat.f32 %0, %1, %2, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}
__device__ __forceinline__ float add_ftz(float a, float b) {
  float c;
  asm("add.rn.ftz.f32 %0, %1, %2;" : "=f"(c) : "f"(a), "f"(b));
  return c;
}

// x is small, y positive.
extern "C" __global__ void approximations(const float *x, const float *y, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float a = x[i], b = y[i], *o = out + i * 11;
  o[0] = ex2(a * 16);
  o[1] = ex2_ftz(a * 16);
  o[2] = lg2(b);
  o[3] = sin_approx(a);
  o[4] = cos_approx(a);
  o[5] = tanh_approx(a);
  o[6] = rcp_approx(b);
  o[7] = rcp_ftz(b);
  o[8] = rsqrt_approx(b);
  o[9] = sqrt_approx(b);
  o[10] = div_full(a, b);
}

// Everything here is rounded exactly, in one of four directions.
extern "C" __global__ void roundings(const float *x, const float *y, const float *z, float *out,
                                     int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float a = x[i], b = y[i], c = z[i], *o = out + i * 20;
#define FOUR(name, ...)                                                                        \
  *o++ = name##_rn(__VA_ARGS__);                                                               \
  *o++ = name##_rz(__VA_ARGS__);                                                               \
  *o++ = name##_ru(__VA_ARGS__);                                                               \
  *o++ = name##_rd(__VA_ARGS__);
  FOUR(__fadd, a, b)
  FOUR(__fmul, a, b)
  FOUR(__fmaf, a, b, c)
  FOUR(__fdiv, a, b)
  FOUR(__fsqrt, fabsf(a))
}

// NaN, infinity, zeros of both signs and subnormals, where what comes out is fixed.
extern "C" __global__ void edges(const float *x, const float *y, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float a = x[i], b = y[i], *o = out + i * 16;
  *o++ = a + b;
  *o++ = a * b;
  *o++ = fminf(a, b);
  *o++ = fmaxf(a, b);
  *o++ = min_nan(a, b);
  *o++ = isnan(a) || isnan(b) ? 0.0f : max_abs(a, b);
  *o++ = sat(a, b);
  *o++ = add_ftz(a, b);
  *o++ = fabsf(a) - copysignf(1.0f, b);
  *o++ = __saturatef(a);
  *o++ = a < b ? 1.0f : 2.0f;
  *o++ = !(a >= b) ? 1.0f : 2.0f;
  *o++ = a != b ? 1.0f : 2.0f;
  *o++ = isnan(a) || isinf(b) ? 1.0f : 2.0f;
  *o++ = rintf(a) + truncf(b);
  *o++ = floorf(a) - ceilf(b);
}

extern "C" __global__ void library(const float *x, const float *y, float *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  float a = x[i], b = y[i], *o = out + i * 13;
  o[0] = expf(a);
  o[1] = logf(b);
  o[2] = sinf(a * 1000); // some beyond what one reduction step can do
  o[3] = cosf(a * 1e6f);
  o[4] = tanf(a);
  o[5] = tanhf(a);
  o[6] = powf(b, a);
  o[7] = erff(a);
  o[8] = atan2f(a, b);
  o[9] = log1pf(b);
  o[10] = cbrtf(a);
  o[11] = __expf(a);
  o[12] = fmodf(a * 100, b);
}

extern "C" __global__ void doubles(const double *x, const double *y, double *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  double a = x[i], b = y[i], *o = out + i * 14;
  o[0] = a + b * 3;
  o[1] = a / b;
  o[2] = sqrt(b);
  o[3] = 1 / b;
  o[4] = exp(a);
  o[5] = log(b);
  o[6] = sin(a * 1e5);
  o[7] = cos(a);
  o[8] = pow(b, a);
  o[9] = erf(a);
  o[10] = __dadd_rd(a, b);
  o[11] = __ddiv_ru(a, b);
  o[12] = __fma_rz(a, b, a);
  o[13] = fmin(rint(a), (double)(float)b);
}
