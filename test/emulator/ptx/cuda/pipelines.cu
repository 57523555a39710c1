// Barriers, pipelines, latches and semaphores of libcu++, and waits between blocks.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cooperative_groups.h>
#include <cooperative_groups/memcpy_async.h>
#include <cuda/atomic>
#include <cuda/barrier>
#include <cuda/latch>
#include <cuda/pipeline>
#include <cuda/semaphore>

namespace cg = cooperative_groups;
constexpr auto device = cuda::thread_scope_device;
constexpr auto block_scope = cuda::thread_scope_block;

extern "C" __global__ void barrier_copy(const float *x, float *out, int n) {
  __shared__ cuda::barrier<block_scope> barrier;
  __shared__ alignas(16) float tile[256];
  auto block = cg::this_thread_block();
  if (threadIdx.x == 0)
    init(&barrier, blockDim.x);
  block.sync();
  for (int at = 0; at < n; at += 256) {
    cuda::memcpy_async(block, tile, x + at, cuda::aligned_size_t<16>(sizeof(tile)), barrier);
    barrier.arrive_and_wait();
    for (int i = threadIdx.x; i < 256; i += blockDim.x)
      out[at + i] = tile[255 - i] * 2;
    block.sync();
  }
}

// All threads copy three tiles ahead.
extern "C" __global__ void pipeline(const float *x, float *out, int n) {
  constexpr int stages = 3;
  __shared__ alignas(16) float tile[stages][128];
  __shared__ cuda::pipeline_shared_state<block_scope, stages> state;
  auto block = cg::this_thread_block();
  auto pipe = cuda::make_pipeline(block, &state);
  int tiles = n / 128, ahead = 0;
  for (int t = 0; t < tiles; ++t) {
    for (; ahead < tiles && ahead < t + stages; ++ahead) {
      pipe.producer_acquire();
      cuda::memcpy_async(block, tile[ahead % stages], x + ahead * 128,
                         cuda::aligned_size_t<16>(sizeof(tile[0])), pipe);
      pipe.producer_commit();
    }
    pipe.consumer_wait();
    block.sync();
    out[t * 128 + threadIdx.x] = tile[t % stages][127 - threadIdx.x] + t;
    block.sync();
    pipe.consumer_release();
  }
}

// The first warp copies, the others compute.
extern "C" __global__ void roles(const float *x, float *out, int n) {
  constexpr int stages = 2;
  __shared__ float tile[stages][128];
  __shared__ cuda::pipeline_shared_state<block_scope, stages> state;
  auto block = cg::this_thread_block();
  bool produces = threadIdx.x < 32;
  auto pipe = cuda::make_pipeline(block, &state,
                                  produces ? cuda::pipeline_role::producer
                                           : cuda::pipeline_role::consumer);
  for (int t = 0; t < n / 128; ++t) {
    if (produces) {
      pipe.producer_acquire();
      for (int i = threadIdx.x; i < 128; i += 32)
        cuda::memcpy_async(&tile[t % stages][i], &x[t * 128 + i], sizeof(float), pipe);
      pipe.producer_commit();
    } else {
      pipe.consumer_wait();
      int i = threadIdx.x - 32;
      out[t * 128 + i] = tile[t % stages][127 - i] + t;
      pipe.consumer_release();
    }
  }
}

extern "C" __global__ void latch(int *out) {
  using Latch = cuda::latch<block_scope>;
  __shared__ alignas(Latch) char storage[sizeof(Latch)];
  __shared__ int v[96];
  Latch &latch = *reinterpret_cast<Latch *>(storage);
  if (threadIdx.x == 0)
    new (&latch) Latch(96);
  __syncthreads();
  v[threadIdx.x] = threadIdx.x * 3;
  latch.arrive_and_wait();
  out[threadIdx.x] = v[95 - threadIdx.x];
}

extern "C" __global__ void semaphore(int *count, cuda::binary_semaphore<device> *lock) {
  lock->acquire();
  *count += 1;
  lock->release();
}

// Each block waits for the one before it.
extern "C" __global__ void chain(unsigned *out, unsigned *flags) {
  cuda::atomic_ref<unsigned, device> most(out[0]), count(out[1]), mixed(out[2]);
  most.fetch_max(threadIdx.x + blockIdx.x * 1000, cuda::memory_order_relaxed);
  count.fetch_add(1, cuda::memory_order_acq_rel);
  unsigned seen = mixed.load();
  while (!mixed.compare_exchange_weak(seen, seen * 3 + 1))
    ;
  if (threadIdx.x != 0)
    return;
  unsigned value = 1;
  if (blockIdx.x > 0) {
    cuda::atomic_ref<unsigned, device> before(flags[blockIdx.x - 1]);
    before.wait(0);
    value = before.load() + 1;
  }
  out[3 + blockIdx.x] = value;
  cuda::atomic_ref<unsigned, device> own(flags[blockIdx.x]);
  own.store(value);
  own.notify_all();
}
