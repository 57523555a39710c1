// Tensor copies of rank 1 to 5. What lies in shared memory after a load is written out raw,
// and raw bytes are what a store starts from: swizzles and fills can be seen.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "hopper.cuh"

// Coordinates of a box, the inner one first.
struct At {
  int c[5];
};

#define LOAD(rank, list, ...)                                                                  \
  asm volatile("cp.async.bulk.tensor." rank ".shared::cluster.global.tile.mbarrier::"          \
               "complete_tx::bytes [%0], [%1, {" list "}], [%2];" ::"r"(shared_address(box)),  \
               "l"(&map), "r"(shared_address(&barrier)), __VA_ARGS__                           \
               : "memory")
#define STORE(rank, list, ...)                                                                 \
  asm volatile("cp.async.bulk.tensor." rank ".global.shared::cta.tile.bulk_group [%0, {" list  \
               "}], [%1];" ::"l"(&map),                                                        \
               "r"(shared_address(box)), __VA_ARGS__                                           \
               : "memory")
#define REDUCE(op)                                                                             \
  asm volatile("cp.reduce.async.bulk.tensor.2d.global.shared::cta." op ".tile.bulk_group"      \
               " [%0, {%2, %3}], [%1];" ::"l"(&map),                                           \
               "r"(shared_address(box)), "r"(at.c[0]), "r"(at.c[1])                            \
               : "memory")

// One warp loads the box at `at`, and the same box further on at `step * blockIdx.x`.
extern "C" __global__ void load(const __grid_constant__ CUtensorMap map, At at, At step,
                                int rank, int bytes, unsigned *out) {
  extern __shared__ __align__(1024) unsigned box[];
  __shared__ uint64_t barrier;
  if (threadIdx.x == 0) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(&map) : "memory");
    barrier_init(&barrier, 1);
    barrier_fence();
  }
  __syncwarp();
  int c[5];
  for (int i = 0; i < 5; ++i)
    c[i] = at.c[i] + step.c[i] * (int)blockIdx.x;
  if (threadIdx.x == 0) {
    barrier_expect(&barrier, bytes);
    if (rank == 1)
      LOAD("1d", "%3", "r"(c[0]));
    else if (rank == 2)
      LOAD("2d", "%3, %4", "r"(c[0]), "r"(c[1]));
    else if (rank == 3)
      LOAD("3d", "%3, %4, %5", "r"(c[0]), "r"(c[1]), "r"(c[2]));
    else if (rank == 4)
      LOAD("4d", "%3, %4, %5, %6", "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]));
    else
      LOAD("5d", "%3, %4, %5, %6, %7", "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]), "r"(c[4]));
  }
  barrier_wait(&barrier, 0);
  for (int i = threadIdx.x; i < bytes / 4; i += 32)
    out[blockIdx.x * (bytes / 4) + i] = box[i];
}

extern "C" __global__ void store(const __grid_constant__ CUtensorMap map, At at, At step,
                                 int rank, int bytes, const unsigned *in) {
  extern __shared__ __align__(1024) unsigned box[];
  for (int i = threadIdx.x; i < bytes / 4; i += 32)
    box[i] = in[blockIdx.x * (bytes / 4) + i];
  proxy_fence();
  __syncwarp();
  int c[5];
  for (int i = 0; i < 5; ++i)
    c[i] = at.c[i] + step.c[i] * (int)blockIdx.x;
  if (threadIdx.x == 0) {
    if (rank == 1)
      STORE("1d", "%2", "r"(c[0]));
    else if (rank == 2)
      STORE("2d", "%2, %3", "r"(c[0]), "r"(c[1]));
    else if (rank == 3)
      STORE("3d", "%2, %3, %4", "r"(c[0]), "r"(c[1]), "r"(c[2]));
    else if (rank == 4)
      STORE("4d", "%2, %3, %4, %5", "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]));
    else
      STORE("5d", "%2, %3, %4, %5, %6", "r"(c[0]), "r"(c[1]), "r"(c[2]), "r"(c[3]), "r"(c[4]));
    bulk_commit();
    bulk_wait<0>();
  }
}

// Every block combines its box with the same place of the tensor.
extern "C" __global__ void reduce(const __grid_constant__ CUtensorMap map, At at, int kind,
                                  int bytes, const unsigned *in) {
  extern __shared__ __align__(1024) unsigned box[];
  for (int i = threadIdx.x; i < bytes / 4; i += 32)
    box[i] = in[blockIdx.x * (bytes / 4) + i];
  proxy_fence();
  __syncwarp();
  if (threadIdx.x == 0) {
    if (kind == 0)
      REDUCE("add");
    else if (kind == 1)
      REDUCE("min");
    else if (kind == 2)
      REDUCE("max");
    else if (kind == 3)
      REDUCE("and");
    else if (kind == 4)
      REDUCE("or");
    else
      REDUCE("xor");
    bulk_commit();
    bulk_wait<0>();
  }
}

// A cluster of four: each block loads a quarter of the rows for all, then rank 1 one more box
// for ranks 0 and 2 alone.
extern "C" __global__ void __cluster_dims__(4, 1, 1)
    multicast(const __grid_constant__ CUtensorMap map, unsigned *out) {
  __shared__ __align__(1024) unsigned rows[4][256], more[256];
  __shared__ uint64_t barrier, second;
  uint32_t rank = cluster_rank();
  bool chosen = rank == 0 || rank == 2;
  if (threadIdx.x == 0) {
    barrier_init(&barrier, 1);
    barrier_init(&second, 1);
    barrier_fence();
    barrier_expect(&barrier, 4 * 1024);
    if (chosen)
      barrier_expect(&second, 1024);
  }
  for (int i = threadIdx.x; i < 256; i += 32)
    more[i] = 7;
  proxy_fence();
  cluster_sync();
  auto send = [&](void *to, uint64_t *on, int x, int y, uint16_t mask) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::"
                 "bytes.multicast::cluster [%0], [%1, {%4, %5}], [%2], %3;" ::"r"(
                     shared_address(to)),
                 "l"(&map), "r"(shared_address(on)), "h"(mask), "r"(x), "r"(y)
                 : "memory");
  };
  int base = blockIdx.x / 4 * 32;
  if (threadIdx.x == 0) {
    send(rows[rank], &barrier, 0, base + rank * 8, 15);
    if (rank == 1)
      send(more, &second, 16, base, 5);
  }
  barrier_wait(&barrier, 0);
  if (chosen)
    barrier_wait(&second, 0);
  unsigned *o = out + blockIdx.x * 1280;
  for (int i = threadIdx.x; i < 1024; i += 32)
    o[i] = rows[i / 256][i % 256];
  for (int i = threadIdx.x; i < 256; i += 32)
    o[1024 + i] = more[i];
  cluster_sync();
}
