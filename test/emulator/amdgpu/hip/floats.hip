// Floating-point arithmetic; what is not exact has the bound of its instruction.
#include "hip.h"

extern "C" __global__ void floats(const float *a, const float *b, const float *c, float *out) {
  float x = a[at()], y = b[at()], z = c[at()];
  float *o = out + at() * 16;
  o[0] = x + y;
  o[1] = x * y;
  o[2] = __builtin_fmaf(x, y, z);
  o[3] = x / y;
  o[4] = __builtin_sqrtf(__builtin_fabsf(x));
  o[5] = __builtin_floorf(x);
  o[6] = __builtin_truncf(y);
  o[7] = __builtin_rintf(z);
  o[8] = __builtin_fminf(x, y);
  o[9] = __builtin_fmaxf(y, z);
  o[10] = __builtin_copysignf(x, y);
  o[11] = (float)(int)x;
  o[12] = (float)(unsigned)__builtin_fabsf(y);
  o[13] = (float)(half)x;
  o[14] = __builtin_amdgcn_fmed3f(x, y, z);
  o[15] = x < y ? x - z : y - z;
}

extern "C" __global__ void doubles(const double *a, const double *b, double *out) {
  double x = a[at()], y = b[at()];
  double *o = out + at() * 8;
  o[0] = x + y;
  o[1] = x * y;
  o[2] = __builtin_fma(x, y, x);
  o[3] = x / y;
  o[4] = __builtin_sqrt(__builtin_fabs(x));
  o[5] = __builtin_floor(x);
  o[6] = (double)(int)y;
  o[7] = (double)(float)x;
}

extern "C" __global__ void halves(const half *a, const half *b, half *out) {
  half x = a[at()], y = b[at()];
  half *o = out + at() * 6;
  o[0] = x + y;
  o[1] = x * y;
  o[2] = x - y;
  o[3] = __builtin_fmaf16(x, y, x);
  o[4] = x > y ? x : y;
  o[5] = (half)(short)y;
}

extern "C" __global__ void approximations(const float *a, float *out) {
  float x = a[at()];
  out[at() * 5 + 0] = __builtin_amdgcn_exp2f(x);
  out[at() * 5 + 1] = __builtin_amdgcn_logf(__builtin_fabsf(x));
  out[at() * 5 + 2] = __builtin_amdgcn_rcpf(x);
  out[at() * 5 + 3] = __builtin_amdgcn_rsqf(__builtin_fabsf(x));
  out[at() * 5 + 4] = __builtin_amdgcn_sinf(x);
}
