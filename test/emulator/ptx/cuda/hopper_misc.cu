// Small things of sm_90: dependent launches, hints, elections, 128-bit accesses, fences.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hopper.cuh"

// Waits for the launch before, tells the next one it may start.
extern "C" __global__ void dependent(int *data) {
  asm volatile("griddepcontrol.wait;" ::: "memory");
  data[blockIdx.x * 32 + threadIdx.x] += 3;
  asm volatile("griddepcontrol.launch_dependents;" ::: "memory");
}

// Which lane of each warp is elected: any one of those in the mask.
extern "C" __global__ void elections(int *out) {
  uint32_t chosen, leader;
  uint32_t mask = threadIdx.x % 32 < 8 ? 0xff : 0xffffff00;
  if (threadIdx.x % 32 < 8)
    asm volatile("{ .reg .pred p; elect.sync %1|p, 0xff; selp.u32 %0, 1, 0, p; }"
                 : "=r"(chosen), "=r"(leader));
  else
    asm volatile("{ .reg .pred p; elect.sync %1|p, 0xffffff00; selp.u32 %0, 1, 0, p; }"
                 : "=r"(chosen), "=r"(leader));
  unsigned votes = __ballot_sync(mask, chosen);
  // One lane was elected, it is in the mask, and all were told the same.
  bool agreed = __popc(votes) == 1 && (votes & mask) && (mask >> leader & 1) &&
                (votes >> leader & 1);
  out[threadIdx.x] = agreed;
}

// Loads and stores with cache hints and policies: they change nothing.
extern "C" __global__ void hints(const int *in, int *out, const int4 *wide, int4 *wide_out) {
  int i = blockIdx.x * 32 + threadIdx.x, v, w;
  uint64_t policy, range;
  asm volatile("createpolicy.fractional.L2::evict_first.b64 %0, 1.0;" : "=l"(policy));
  asm volatile("createpolicy.fractional.L2::evict_last.L2::evict_unchanged.b64 %0, 0.5;"
               : "=l"(range));
  asm volatile("ld.global.nc.L1::no_allocate.L2::cache_hint.L2::128B.b32 %0, [%1], %2;"
               : "=r"(v)
               : "l"(in + i), "l"(policy));
  asm volatile("ld.global.L1::evict_last.L2::cache_hint.b32 %0, [%1], %2;"
               : "=r"(w)
               : "l"(in + i), "l"(range));
  asm volatile("prefetch.global.L2 [%0];" ::"l"(in + i));
  asm volatile("st.global.L1::evict_first.L2::cache_hint.b32 [%0], %1, %2;" ::"l"(out + i),
               "r"(v * 2 + w), "l"(policy)
               : "memory");
  int4 x;
  asm volatile("ld.global.cs.v4.b32 {%0, %1, %2, %3}, [%4];"
               : "=r"(x.x), "=r"(x.y), "=r"(x.z), "=r"(x.w)
               : "l"(wide + i));
  asm volatile("st.global.wt.v4.b32 [%0], {%1, %2, %3, %4};" ::"l"(wide_out + i), "r"(x.w),
               "r"(x.z), "r"(x.y), "r"(x.x)
               : "memory");
}

// Vector atomics, and atomics of 16-bit floats with their scopes.
extern "C" __global__ void vectors(float *f, const float *x, void *ones) {
  int i = blockIdx.x * 32 + threadIdx.x;
  float a, b;
  asm volatile("atom.global.add.v2.f32 {%0, %1}, [%2], {%3, %4};"
               : "=f"(a), "=f"(b)
               : "l"(f), "f"(x[i]), "f"(-x[i])
               : "memory");
  asm volatile("red.relaxed.gpu.global.add.v4.f32 [%0], {%1, %1, %2, %2};" ::"l"(f + 4),
               "f"(x[i]), "f"(x[i] * 2)
               : "memory");
  asm volatile("red.relaxed.sys.global.add.noftz.v2.bf16x2 [%0], {%1, %1};" ::"l"(ones),
               "r"(0x3f803f80)
               : "memory");
  if (a != a || b != b) // what the atomic returned is no NaN
    f[0] = a;
}

// Registers change hands between two warp groups.
extern "C" __global__ void __launch_bounds__(256, 1) registers(int *out) {
  if (threadIdx.x < 128)
    asm volatile("setmaxnreg.dec.sync.aligned.u32 24;");
  else
    asm volatile("setmaxnreg.inc.sync.aligned.u32 160;");
  out[threadIdx.x] = threadIdx.x / 128;
}
