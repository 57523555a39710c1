// Arithmetic on pairs of 16-bit floats; every operation rounds once.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

extern "C" __global__ void halves(const __half2 *x, const __half2 *y, const __half2 *z,
                                  __half2 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  __half2 a = x[i], b = y[i], c = z[i], *o = out + i * 18;
  *o++ = __hadd2_rn(a, b);
  *o++ = __hsub2_rn(a, b);
  *o++ = __hmul2_rn(a, b);
  *o++ = __hfma2(a, b, c);
  *o++ = __hfma2_relu(a, b, c);
  *o++ = __hfma2_sat(a, b, c);
  *o++ = __hadd2_sat(a, b);
  *o++ = __hmin2(a, b);
  *o++ = __hmax2_nan(a, b);
  *o++ = __hneg2(__habs2(a));
  *o++ = __hlt2(a, b);
  *o++ = __hgeu2(a, b);
  *o++ = __halves2half2(__hfma(a.x, b.y, c.x), __hmax(a.x, b.y));
  *o++ = __lows2half2(a, b);
  *o++ = __lowhigh2highlow(a);
  *o++ = h2rint(a);
  *o++ = __float2half2_rn(__hgt(a.x, b.x) ? 1.0f : __hbne2(a, b) ? 2.0f : 3.0f);
  *o++ = __h2div(a, b);
}

extern "C" __global__ void bfloats(const __nv_bfloat162 *x, const __nv_bfloat162 *y,
                                   const __nv_bfloat162 *z, __nv_bfloat162 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  __nv_bfloat162 a = x[i], b = y[i], c = z[i], *o = out + i * 9;
  *o++ = __hadd2_rn(a, b);
  *o++ = __hmul2_rn(a, b);
  *o++ = __hfma2(a, b, c);
  *o++ = __hfma2_relu(a, b, c);
  *o++ = __hmin2(a, b);
  *o++ = __hmax2(a, b);
  *o++ = __habs2(__hneg2(a));
  *o++ = __halves2bfloat162(__hfma(a.x, b.y, c.x), __float2bfloat16(__hlt(a.x, b.y)));
  *o++ = __hsub2_rn(a, b);
}

// Approximations of 16 bits.
extern "C" __global__ void functions(const __half2 *x, __half2 *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned in = *(const unsigned *)&x[i], *o = (unsigned *)(out + i * 5);
  asm("ex2.approx.f16x2 %0, %1;" : "=r"(o[0]) : "r"(in));
  asm("tanh.approx.f16x2 %0, %1;" : "=r"(o[1]) : "r"(in));
  out[i * 5 + 2] = h2exp(x[i]);
  out[i * 5 + 3] = h2sqrt(__habs2(x[i]));
  out[i * 5 + 4] = h2log2(__habs2(x[i]));
}
