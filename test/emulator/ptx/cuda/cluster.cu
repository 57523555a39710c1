// Clusters: ranks and shapes, shared memory of other blocks, barriers across blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hopper.cuh"
#include <cooperative_groups.h>

#define SPECIAL(name)                                                                          \
  ({                                                                                           \
    unsigned value;                                                                            \
    asm volatile("mov.u32 %0, %%" name ";" : "=r"(value));                                     \
    value;                                                                                     \
  })

// 16 words per block; the shape of the cluster is given at launch.
extern "C" __global__ void shapes(unsigned *out) {
  if (threadIdx.x)
    return;
  unsigned *o = out + ((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * 16;
  *o++ = SPECIAL("cluster_ctaid.x");
  *o++ = SPECIAL("cluster_ctaid.y");
  *o++ = SPECIAL("cluster_ctaid.z");
  *o++ = SPECIAL("cluster_nctaid.x");
  *o++ = SPECIAL("cluster_nctaid.y");
  *o++ = SPECIAL("cluster_nctaid.z");
  *o++ = SPECIAL("cluster_ctarank");
  *o++ = SPECIAL("cluster_nctarank");
  *o++ = SPECIAL("clusterid.x");
  *o++ = SPECIAL("clusterid.y");
  *o++ = SPECIAL("clusterid.z");
  *o++ = SPECIAL("nclusterid.x");
  *o++ = SPECIAL("nclusterid.y");
  *o++ = SPECIAL("nclusterid.z");
  unsigned is_explicit;
  asm volatile("{ .reg .pred p; mov.pred p, %%is_explicit_cluster; selp.u32 %0, 1, 0, p; }"
               : "=r"(is_explicit));
  *o++ = is_explicit;
  *o++ = 1;
}

// A histogram over the shared memory of four blocks: each holds a quarter of the bins.
extern "C" __global__ void __cluster_dims__(4, 1, 1) histogram(const unsigned char *data,
                                                               unsigned *bins, int n) {
  __shared__ unsigned local[64];
  local[threadIdx.x] = 0;
  cluster_sync();
  for (int i = blockIdx.x * 64 + threadIdx.x; i < n; i += gridDim.x * 64) {
    unsigned bin = data[i];
    uint32_t remote = map_rank(shared_address(&local[bin % 64]), bin / 64);
    asm volatile("red.relaxed.cluster.shared::cluster.add.u32 [%0], 1;" ::"r"(remote)
                 : "memory");
  }
  cluster_sync();
  atomicAdd(&bins[cluster_rank() * 64 + threadIdx.x], local[threadIdx.x]);
}

// Each block reads its neighbour's memory, by ld.shared::cluster and by generic addresses.
extern "C" __global__ void __cluster_dims__(2, 2, 1) neighbours(const int *in, int *out) {
  __shared__ int local[32];
  __shared__ long long wide[32];
  auto cluster = cooperative_groups::this_cluster();
  int block = blockIdx.y * gridDim.x + blockIdx.x, lane = threadIdx.x;
  local[lane] = in[block * 32 + lane];
  wide[lane] = (long long)in[block * 32 + lane] << 33;
  cluster.sync();
  uint32_t rank = cluster.block_rank();
  int near;
  asm volatile("ld.shared::cluster.u32 %0, [%1];"
               : "=r"(near)
               : "r"(map_rank(shared_address(&local[31 - lane]), rank ^ 1)));
  const long long *far = cluster.map_shared_rank(wide, rank ^ 2);
  long long seen = far[(lane + 5) % 32];
  // And writes into the memory of the one diagonally across.
  cluster.sync();
  int *across = cluster.map_shared_rank(local, rank ^ 3);
  across[lane] = near * 7;
  cluster.sync();
  int *o = out + (block * 32 + lane) * 3;
  o[0] = near;
  o[1] = (int)(seen >> 33);
  o[2] = local[lane];
}

// Remote arrivals: all blocks tell rank 0 that they are ready, which then sends each a word by
// an asynchronous store that completes a transaction on the receiver's barrier.
extern "C" __global__ void __cluster_dims__(4, 1, 1) signals(const int *in, int *out) {
  __shared__ uint64_t ready, sent;
  __shared__ int word[2];
  uint32_t rank = cluster_rank();
  if (threadIdx.x == 0) {
    barrier_init(&ready, 4);
    barrier_init(&sent, 1);
    barrier_fence();
    barrier_expect(&sent, 8);
  }
  cluster_sync();
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%0];" ::"r"(
                     map_rank(shared_address(&ready), 0))
                 : "memory");
    if (rank == 0) {
      unsigned done = 0;
      while (!done)
        asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64"
                     " p, [%1], 0; selp.u32 %0, 1, 0, p; }"
                     : "=r"(done)
                     : "r"(shared_address(&ready))
                     : "memory");
      for (uint32_t to = 0; to < 4; ++to) {
        uint32_t place = map_rank(shared_address(word), to);
        uint32_t barrier = map_rank(shared_address(&sent), to);
        asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1,"
                     " [%2];" ::"r"(place),
                     "r"(in[blockIdx.x + to]), "r"(barrier)
                     : "memory");
        asm volatile("st.async.weak.shared::cluster.mbarrier::complete_tx::bytes.u32 [%0], %1,"
                     " [%2];" ::"r"(place + 4),
                     "r"(in[blockIdx.x + to] * 3), "r"(barrier)
                     : "memory");
      }
    }
  }
  barrier_wait(&sent, 0);
  if (threadIdx.x < 2)
    out[blockIdx.x * 2 + threadIdx.x] = word[threadIdx.x];
  cluster_sync();
}
