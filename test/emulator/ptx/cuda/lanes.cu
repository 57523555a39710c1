// Arithmetic on the bytes and halves of a word: CUDA's SIMD intrinsics.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

extern "C" __global__ void lanes(const unsigned *x, const unsigned *y, unsigned *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned a = x[i], b = y[i], *o = out + i;
  auto put = [&](unsigned value) {
    *o = value;
    o += n;
  };
  put(__vadd2(a, b));
  put(__vadd4(a, b));
  put(__vsub4(a, b));
  put(__vabsdiffu4(a, b));
  put(__vabsdiffs4(a, b));
  put(__vavgu4(a, b));
  put(__vhaddu4(a, b));
  put(__vcmpgts4(a, b));
  put(__vcmpleu2(a, b));
  put(__vseteq4(a, b));
  put(__vmaxs4(a, b));
  put(__vminu2(a, b));
  put(__vaddss2(a, b));
  put(__vaddus4(a, b));
  put(__vsubss4(a, b));
  put(__vnegss2(a));
  put(__vabs4(a));
  put(__vsadu4(a, b));
  put(__vsads2(a, b));
  put(__vimin3_u16x2(a, b, 0x00050005));
  put(__viaddmin_s16x2_relu(a, b, a));
  put(__viaddmax_s32(a, b, 77));
  bool high, low;
  put(__vibmax_u16x2(a, b, &high, &low));
  put(high + 2 * low);
}
