// Conversions between formats; those of 16 bits over all their patterns.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_fp8.h>
#include <cuda_runtime.h>

// 65,536 threads: each makes what its pattern is in every other format.
extern "C" __global__ void from_half(float *f, unsigned short *b, unsigned char *e4,
                                     unsigned char *e5, short *s) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  __half h = __ushort_as_half(i);
  f[i] = __half2float(h);
  b[i] = __bfloat16_as_ushort(__float2bfloat16_rn(__half2float(h)));
  e4[i] = __nv_cvt_halfraw_to_fp8(h, __NV_SATFINITE, __NV_E4M3);
  e5[i] = __nv_cvt_halfraw_to_fp8(h, __NV_SATFINITE, __NV_E5M2);
  s[i] = __half2short_rn(h);
}

extern "C" __global__ void from_bfloat(float *f, unsigned short *h, unsigned char *e4,
                                       unsigned char *e5, int *s) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  __nv_bfloat16 b = __ushort_as_bfloat16(i);
  f[i] = __bfloat162float(b);
  h[i] = __half_as_ushort(__float2half_rn(__bfloat162float(b)));
  e4[i] = __nv_cvt_bfloat16raw_to_fp8(b, __NV_SATFINITE, __NV_E4M3);
  e5[i] = __nv_cvt_bfloat16raw_to_fp8(b, __NV_SATFINITE, __NV_E5M2);
  s[i] = __bfloat162int_rz(b);
}

// Two values per 16 bits.
extern "C" __global__ void from_fp8(unsigned *e4, unsigned *e5) {
  unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
  __half2_raw x = __nv_cvt_fp8x2_to_halfraw2(i, __NV_E4M3);
  __half2_raw y = __nv_cvt_fp8x2_to_halfraw2(i, __NV_E5M2);
  e4[i] = x.y << 16 | x.x;
  e5[i] = y.y << 16 | y.x;
}

// f32 to 16 bits in every rounding; pairs pack the first into the high half.
extern "C" __global__ void to_16_bits(const float *x, unsigned short *out, unsigned *pairs) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float a = x[i];
  unsigned short *o = out + i * 7;
  o[0] = __half_as_ushort(__float2half_rn(a));
  o[1] = __half_as_ushort(__float2half_rz(a));
  o[2] = __half_as_ushort(__float2half_ru(a));
  o[3] = __half_as_ushort(__float2half_rd(a));
  o[4] = __bfloat16_as_ushort(__float2bfloat16_rn(a));
  o[5] = __bfloat16_as_ushort(__float2bfloat16_rz(a));
  asm("cvt.rn.relu.bf16.f32 %0, %1;" : "=h"(o[6]) : "f"(a));
  float b = x[i ^ 1];
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(pairs[i * 3]) : "f"(a), "f"(b));
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pairs[i * 3 + 1]) : "f"(a), "f"(b));
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(pairs[i * 3 + 2]) : "f"(a));
}

extern "C" __global__ void to_integers(const float *x, const double *d, int *out,
                                       long long *wide, unsigned char *bytes) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  float a = x[i];
  int *o = out + i * 7;
  o[0] = __float2int_rn(a);
  o[1] = __float2int_rz(a);
  o[2] = __float2int_ru(a);
  o[3] = __float2int_rd(a);
  o[4] = (int)__float2uint_rn(a);
  o[5] = __double2int_rn(d[i]);
  o[6] = __double2uint_rz(d[i]);
  wide[i * 3] = __float2ll_rn(a);
  wide[i * 3 + 1] = (long long)__float2ull_rz(a);
  wide[i * 3 + 2] = __double2ll_rd(d[i]);
  unsigned byte;
  asm("{ .reg .u8 t; cvt.rni.sat.u8.f32 t, %1; cvt.u32.u8 %0, t; }" : "=r"(byte) : "f"(a));
  bytes[i] = byte;
}

extern "C" __global__ void from_integers(const int *x, const long long *y, float *out,
                                         double *wide, int *narrow) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  int a = x[i];
  float *o = out + i * 9;
  o[0] = __int2float_rn(a);
  o[1] = __int2float_rz(a);
  o[2] = __int2float_ru(a);
  o[3] = __uint2float_rd(a);
  o[4] = __ll2float_rn(y[i]);
  o[5] = __ull2float_rn(y[i]);
  o[6] = __double2float_rn(a * 1.1);
  o[7] = __double2float_rd(a * 1.1);
  o[8] = __half2float(__int2half_rn(a >> 12));
  wide[i * 3] = __int2double_rn(a);
  wide[i * 3 + 1] = __ll2double_rn(y[i]);
  wide[i * 3 + 2] = __ull2double_rz(y[i]);
  int s;
  asm("cvt.sat.s8.s32 %0, %1;" : "=r"(s) : "r"(a));
  narrow[i * 3] = s;
  asm("cvt.sat.u16.s32 %0, %1;" : "=r"(s) : "r"(a));
  narrow[i * 3 + 1] = s;
  narrow[i * 3 + 2] = (signed char)a + (unsigned short)a;
}
