// Integer arithmetic of 16, 32, 64 and 128 bits.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

extern "C" __global__ void words(const int *x, const int *y, const int *z, int *out, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  int a = x[i], b = y[i], c = z[i], *o = out + i * 16, d;
  int safe = b == 0 || (a == (int)0x80000000 && b == -1) ? 3 : b;
  *o++ = a * b + c;
  *o++ = __mulhi(a, b);
  *o++ = __umulhi(a, b);
  *o++ = a / safe;
  *o++ = a % safe;
  *o++ = (unsigned)a / (unsigned)safe;
  *o++ = (unsigned)a % (unsigned)safe;
  *o++ = a / 7 + (unsigned)a / 10u; // by a constant: multiplications
  asm("mad.hi.s32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  *o++ = d;
  asm("add.sat.s32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
  *o++ = d;
  asm("sub.sat.s32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
  *o++ = d;
  asm("mul24.lo.s32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(b));
  *o++ = d;
  asm("mad24.hi.u32 %0, %1, %2, %3;" : "=r"(d) : "r"(a), "r"(b), "r"(c));
  *o++ = d;
  *o++ = min(a, b) ^ max((unsigned)a, (unsigned)c);
  *o++ = abs(a) - c;
  *o++ = -a ^ ~b;
}

extern "C" __global__ void halfwords(const short *x, const short *y, short *out, int *wide,
                                     int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  short a = x[i], b = y[i], d;
  short safe = b == 0 || (a == -32768 && b == -1) ? 3 : b;
  unsigned short ud, ua = a, ub = b;
  int w;
  short *o = out + i * 8;
  asm("mul.lo.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "h"(b));
  *o++ = d;
  asm("mul.hi.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "h"(b));
  *o++ = d;
  asm("mad.lo.u16 %0, %1, %2, %1;" : "=h"(ud) : "h"(ua), "h"(ub));
  *o++ = ud;
  asm("div.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "h"(safe));
  *o++ = d;
  asm("rem.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "h"(safe));
  *o++ = d;
  asm("shr.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "r"(b & 31));
  *o++ = d;
  asm("min.s16 %0, %1, %2;" : "=h"(d) : "h"(a), "h"(b));
  *o++ = d;
  asm("max.u16 %0, %1, %2;" : "=h"(ud) : "h"(ua), "h"(ub));
  *o++ = ud;
  asm("mul.wide.s16 %0, %1, %2;" : "=r"(w) : "h"(a), "h"(b));
  wide[2 * i] = w;
  asm("mad.wide.u16 %0, %1, %2, %3;" : "=r"(w) : "h"(ua), "h"(ub), "r"(i));
  wide[2 * i + 1] = w;
}

extern "C" __global__ void doublewords(const long long *x, const long long *y, long long *out,
                                       int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  typedef unsigned long long U;
  long long a = x[i], b = y[i], *o = out + i * 14;
  long long safe = b == 0 || (a == (long long)(1ull << 63) && b == -1) ? 3 : b;
  *o++ = a * b + 5;
  *o++ = __mul64hi(a, b);
  *o++ = __umul64hi(a, b);
  *o++ = a / safe;
  *o++ = a % safe;
  *o++ = (U)a / (U)safe;
  *o++ = (U)a % (U)safe;
  *o++ = (long long)(int)a * (int)b + a; // mad.wide
  *o++ = (U)(unsigned)a * (unsigned)b;
  *o++ = llabs(a) ^ min(a, b) ^ max((U)a, (U)b);
  __int128 square = (__int128)a * b + a;
  *o++ = (long long)square;
  *o++ = (long long)(square >> 64);
  unsigned __int128 shifted = (unsigned __int128)square << (i & 63);
  *o++ = (long long)(shifted >> 64);
  // A chain of carries and one of borrows.
  unsigned s0, s1, s2;
  asm("{ add.cc.u32 %0, %3, %4; addc.cc.u32 %1, %5, %6; addc.u32 %2, 0, 0;"
      "  sub.cc.u32 %0, %0, %5; subc.cc.u32 %1, %1, %3; subc.u32 %2, %2, 0;"
      "  mad.lo.cc.u32 %0, %3, %4, %0; madc.hi.u32 %1, %3, %4, %1; }"
      : "=&r"(s0), "=&r"(s1), "=&r"(s2)
      : "r"((unsigned)a), "r"((unsigned)b), "r"((unsigned)(a >> 32)), "r"((unsigned)(b >> 32)));
  *o++ = (long long)((U)s1 << 32 | s0) ^ ((long long)s2 << 7);
}
