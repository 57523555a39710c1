// Integer arithmetic of 8 to 64 bits.
#include "hip.h"

extern "C" __global__ void integers(const uint32_t *a, const uint32_t *b, uint32_t *out) {
  uint32_t x = a[at()], y = b[at()];
  uint32_t *o = out + at() * 24;
  int32_t sx = (int32_t)x, sy = (int32_t)y;
  o[0] = x + y;
  o[1] = x * y;
  o[2] = (uint32_t)(((uint64_t)x * y) >> 32);
  o[3] = (uint32_t)(((int64_t)sx * sy) >> 32);
  o[4] = x / (y | 1);
  o[5] = x % (y | 1);
  o[6] = (uint32_t)(sx / (sy | 1));
  o[7] = (uint32_t)(sx % (sy | 1));
  o[8] = x << (y & 31);
  o[9] = x >> (y & 31);
  o[10] = (uint32_t)(sx >> (y & 31));
  o[11] = __builtin_popcount(x);
  o[12] = x ? __builtin_clz(x) : 32;
  o[13] = x ? __builtin_ctz(x) : 32;
  o[14] = __builtin_bitreverse32(x);
  o[15] = __builtin_rotateleft32(x, y & 31);
  o[16] = x > y ? x : y;
  o[17] = (uint32_t)(sx < sy ? sx : sy);
  o[18] = __builtin_amdgcn_ubfe(x, y & 31, 7);
  o[19] = (uint32_t)__builtin_amdgcn_sbfe(sx, y & 31, 7);
  o[20] = __builtin_amdgcn_perm(x, y, 0x03050106);
  o[21] = __builtin_amdgcn_alignbit(x, y, 13);
  o[22] = __builtin_bswap32(x);
  o[23] = (x & 0xff) + ((y >> 8) & 0xff);
}

extern "C" __global__ void wide(const uint64_t *a, const uint64_t *b, uint64_t *out) {
  uint64_t x = a[at()], y = b[at()];
  uint64_t *o = out + at() * 10;
  o[0] = x + y;
  o[1] = x - y;
  o[2] = x * y;
  o[3] = x / (y | 1);
  o[4] = (uint64_t)((int64_t)x % (int64_t)(y | 1));
  o[5] = x << (y & 63);
  o[6] = (uint64_t)((int64_t)x >> (y & 63));
  o[7] = x > y ? x : y;
  o[8] = __builtin_popcountll(x);
  o[9] = (uint64_t)((unsigned __int128)x * y >> 64);
}
