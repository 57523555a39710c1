// Bit operations, with the amounts that go past the word.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda_runtime.h>

#define OP3(name, type, constraint, text)                                                      \
  __device__ __forceinline__ type name(type a, unsigned b, unsigned c) {                       \
    type d;                                                                                    \
    asm(text " %0, %1, %2, %3;" : "=" constraint(d) : constraint(a), "r"(b), "r"(c));          \
    return d;                                                                                  \
  }
OP3(bfe_u32, unsigned, "r", "bfe.u32")
OP3(bfe_s32, int, "r", "bfe.s32")
OP3(bfe_u64, unsigned long long, "l", "bfe.u64")
OP3(bfe_s64, long long, "l", "bfe.s64")
OP3(prmt, unsigned, "r", "prmt.b32")
OP3(prmt_f4e, unsigned, "r", "prmt.b32.f4e")
OP3(prmt_b4e, unsigned, "r", "prmt.b32.b4e")
OP3(prmt_rc8, unsigned, "r", "prmt.b32.rc8")
OP3(prmt_ecl, unsigned, "r", "prmt.b32.ecl")
OP3(prmt_ecr, unsigned, "r", "prmt.b32.ecr")
OP3(prmt_rc16, unsigned, "r", "prmt.b32.rc16")
OP3(shf_l_wrap, unsigned, "r", "shf.l.wrap.b32")
OP3(shf_l_clamp, unsigned, "r", "shf.l.clamp.b32")
OP3(shf_r_wrap, unsigned, "r", "shf.r.wrap.b32")
OP3(shf_r_clamp, unsigned, "r", "shf.r.clamp.b32")
OP3(sad, unsigned, "r", "sad.u32")

__device__ int bfind(int a) {
  int d;
  asm("bfind.s32 %0, %1;" : "=r"(d) : "r"(a));
  return d;
}
__device__ unsigned bfind_shift(unsigned a) {
  unsigned d;
  asm("bfind.shiftamt.u32 %0, %1;" : "=r"(d) : "r"(a));
  return d;
}
__device__ unsigned bfi(unsigned a, unsigned b, unsigned at, unsigned count) {
  unsigned d;
  asm("bfi.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(at), "r"(count));
  return d;
}
__device__ unsigned shl(unsigned a, unsigned n) {
  unsigned d;
  asm("shl.b32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(n));
  return d;
}
__device__ unsigned shr(unsigned a, unsigned n) {
  unsigned d;
  asm("shr.u32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(n));
  return d;
}
__device__ int sar(int a, unsigned n) {
  int d;
  asm("shr.s32 %0, %1, %2;" : "=r"(d) : "r"(a), "r"(n));
  return d;
}
template <int Table> __device__ unsigned lop3(unsigned a, unsigned b, unsigned c) {
  unsigned d;
  asm("lop3.b32 %0, %1, %2, %3, %4;" : "=r"(d) : "r"(a), "r"(b), "r"(c), "n"(Table));
  return d;
}

extern "C" __global__ void bits(const unsigned *x, const unsigned *y, const unsigned *z,
                                unsigned *out, unsigned long long *wide, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= n)
    return;
  unsigned a = x[i], b = y[i], c = z[i], *o = out + i * 40;
  unsigned long long l = (unsigned long long)a << 32 | b;
  *o++ = __popc(a);
  *o++ = __clz(a);
  *o++ = __brev(a);
  *o++ = __ffs(a);
  *o++ = __popcll(l);
  *o++ = __clzll(l);
  *o++ = bfind(a);
  *o++ = bfind_shift(a);
  *o++ = bfe_u32(a, b & 63, c & 63);
  *o++ = bfe_s32(a, b & 63, c & 63);
  *o++ = bfi(a, b, c & 63, c >> 8 & 63);
  *o++ = prmt(a, b, c & 0xffff);
  *o++ = prmt_f4e(a, b, c);
  *o++ = prmt_b4e(a, b, c);
  *o++ = prmt_rc8(a, b, c);
  *o++ = prmt_ecl(a, b, c);
  *o++ = prmt_ecr(a, b, c);
  *o++ = prmt_rc16(a, b, c);
  *o++ = shf_l_wrap(a, b, c & 127);
  *o++ = shf_l_clamp(a, b, c & 127);
  *o++ = shf_r_wrap(a, b, c & 127);
  *o++ = shf_r_clamp(a, b, c & 127);
  *o++ = sad(a, b, c);
  *o++ = shl(a, c & 63);
  *o++ = shr(a, c & 63);
  *o++ = sar(a, c & 63);
  *o++ = lop3<0x96>(a, b, c);
  *o++ = lop3<0xe8>(a, b, c);
  *o++ = lop3<0x1b>(a, b, c);
  *o++ = __dp4a((int)a, (int)b, (int)c);
  *o++ = __dp4a(a, b, c);
  *o++ = __dp2a_lo((int)a, (int)b, (int)c);
  *o++ = __dp2a_hi(a, b, c);
  *o++ = __vadd4(a, b);
  *o++ = __vmaxs2(a, b);
  *o++ = __vabsdiffu4(a, b);
  *o++ = __vcmpgtu2(a, b);
  *o++ = __mul24((int)a, (int)b);
  *o++ = __umulhi(a, b);
  *o++ = a & ~b | (b ^ c);
  wide[i * 4] = __brevll(l);
  wide[i * 4 + 1] = bfe_u64(l, c & 127, c >> 8 & 127);
  wide[i * 4 + 2] = bfe_s64(l, c & 127, c >> 8 & 127);
  wide[i * 4 + 3] = l << (c & 63) ^ (long long)l >> (c >> 8 & 63);
}
