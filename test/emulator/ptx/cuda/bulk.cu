// Bulk copies without a tensor map: to shared memory, back, with arithmetic, to a neighbour.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hopper.cuh"

// Each block moves pieces of 16 to 1,008 bytes there and back.
extern "C" __global__ void there_and_back(const char *in, char *out, int bytes) {
  extern __shared__ __align__(128) char data[];
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    barrier_init(&barrier, 1);
    barrier_fence();
  }
  __syncthreads();
  long long at = (long long)blockIdx.x * bytes;
  if (threadIdx.x == 0) {
    barrier_expect(&barrier, bytes);
    asm volatile("cp.async.bulk.prefetch.L2.global [%0], %1;" ::"l"(in + at), "r"(bytes));
    // Two copies announced by one expectation.
    int half = bytes / 32 * 16;
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1],"
                 " %2, [%3];" ::"r"(shared_address(data)),
                 "l"(in + at), "r"(half), "r"(shared_address(&barrier))
                 : "memory");
    asm volatile("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%0], [%1],"
                 " %2, [%3];" ::"r"(shared_address(data + half)),
                 "l"(in + at + half), "r"(bytes - half), "r"(shared_address(&barrier))
                 : "memory");
  }
  barrier_wait(&barrier, 0);
  for (int i = threadIdx.x; i < bytes; i += blockDim.x)
    data[i] ^= 0x5a;
  proxy_fence();
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("cp.async.bulk.global.shared::cta.bulk_group [%0], [%1], %2;" ::"l"(out + at),
                 "r"(shared_address(data)), "r"(bytes)
                 : "memory");
    bulk_commit();
    bulk_wait<0>();
  }
}

#define REDUCE(op, to)                                                                         \
  asm volatile("cp.reduce.async.bulk.global.shared::cta.bulk_group." op " [%0], [%1], 256;" :: \
                   "l"(to),                                                                    \
               "r"(shared_address(data))                                                       \
               : "memory")

// Every block adds its 256 bytes to the same place, as each type in turn.
extern "C" __global__ void reductions(const unsigned *in, char *out) {
  __shared__ __align__(128) unsigned data[64];
  for (int i = threadIdx.x; i < 64; i += 32)
    data[i] = in[blockIdx.x * 64 + i];
  proxy_fence();
  __syncwarp();
  if (threadIdx.x == 0) {
    REDUCE("add.u32", out);
    REDUCE("add.u64", out + 256);
    REDUCE("min.s32", out + 512);
    REDUCE("max.u32", out + 768);
    REDUCE("and.b32", out + 1024);
    REDUCE("or.b32", out + 1280);
    REDUCE("xor.b64", out + 1536);
    bulk_commit();
    bulk_wait_read<0>();
    bulk_wait<0>();
  }
}

// As floats: small integers, whose sums are exact.
extern "C" __global__ void float_reductions(const float *in, float *f, double *d, char *half,
                                            char *bfloat) {
  __shared__ __align__(128) unsigned data[64];
  int lane = threadIdx.x;
  auto publish = [] {
    proxy_fence();
    __syncwarp();
  };
  auto drain = [] {
    bulk_commit();
    bulk_wait<0>();
  };
  float x = in[blockIdx.x * 32 + lane];
  data[lane] = __float_as_uint(x);
  data[lane + 32] = __float_as_uint(-x);
  publish();
  if (lane == 0) {
    REDUCE("add.f32", f);
    drain();
  }
  __syncwarp();
  ((double *)data)[lane] = x;
  publish();
  if (lane == 0) {
    REDUCE("add.f64", d);
    drain();
  }
  __syncwarp();
  unsigned both;
  asm("cvt.rn.f16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(x), "f"(x * 2));
  data[lane] = data[lane + 32] = both;
  publish();
  if (lane == 0) {
    REDUCE("add.noftz.f16", half);
    REDUCE("max.f16", half + 256);
    drain();
  }
  __syncwarp();
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(both) : "f"(x), "f"(x * 2));
  data[lane] = data[lane + 32] = both;
  publish();
  if (lane == 0) {
    REDUCE("add.noftz.bf16", bfloat);
    drain();
  }
}

// Each block of a cluster sends its data to the next one, whose barrier it completes.
extern "C" __global__ void __cluster_dims__(4, 1, 1) ring(const int *in, int *out) {
  __shared__ __align__(128) int mine[64], received[64];
  __shared__ uint64_t barrier;
  uint32_t rank = cluster_rank();
  if (threadIdx.x == 0) {
    barrier_init(&barrier, 1);
    barrier_fence();
    barrier_expect(&barrier, 256);
  }
  mine[threadIdx.x] = in[blockIdx.x * 64 + threadIdx.x] * (rank + 1);
  proxy_fence();
  cluster_sync();
  if (threadIdx.x == 0) {
    uint32_t next = (rank + 1) % 4;
    asm volatile("cp.async.bulk.shared::cluster.shared::cta.mbarrier::complete_tx::bytes [%0],"
                 " [%1], 256, [%2];" ::"r"(map_rank(shared_address(received), next)),
                 "r"(shared_address(mine)), "r"(map_rank(shared_address(&barrier), next))
                 : "memory");
  }
  barrier_wait(&barrier, 0);
  out[blockIdx.x * 64 + threadIdx.x] = received[threadIdx.x];
  cluster_sync(); // nobody leaves while its memory is being read
}
