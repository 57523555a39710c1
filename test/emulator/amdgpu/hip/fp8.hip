// Conversions of 8-bit floats: the fnuz forms of gfx942, OCP's of later ones.
#include "hip.h"

extern "C" __global__ void widen(const uint32_t *x, float *e4m3, float *e5m2) {
  uint32_t v = x[at()];
  e4m3[at() * 4 + 0] = __builtin_amdgcn_cvt_f32_fp8(v, 0);
  e4m3[at() * 4 + 1] = __builtin_amdgcn_cvt_f32_fp8(v, 1);
  e4m3[at() * 4 + 2] = __builtin_amdgcn_cvt_f32_fp8(v, 2);
  e4m3[at() * 4 + 3] = __builtin_amdgcn_cvt_f32_fp8(v, 3);
  e5m2[at() * 4 + 0] = __builtin_amdgcn_cvt_f32_bf8(v, 0);
  e5m2[at() * 4 + 1] = __builtin_amdgcn_cvt_f32_bf8(v, 1);
  e5m2[at() * 4 + 2] = __builtin_amdgcn_cvt_f32_bf8(v, 2);
  e5m2[at() * 4 + 3] = __builtin_amdgcn_cvt_f32_bf8(v, 3);
}

extern "C" __global__ void narrow(const half *x, uint8_t *e4m3, uint8_t *e5m2) {
  float a = (float)x[at() * 2], b = (float)x[at() * 2 + 1];
  uint32_t p = __builtin_amdgcn_cvt_pk_fp8_f32(a, b, 0, false);
  uint32_t q = __builtin_amdgcn_cvt_pk_bf8_f32(a, b, 0, true);
  e4m3[at() * 2] = (uint8_t)p;
  e4m3[at() * 2 + 1] = (uint8_t)(p >> 8);
  e5m2[at() * 2] = (uint8_t)(q >> 16);
  e5m2[at() * 2 + 1] = (uint8_t)(q >> 24);
}
