// mbarriers: states and parities, transactions, copies that arrive, the barriers of libcu++.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda/barrier>
#include <cuda_runtime.h>

__device__ unsigned shared_address(const void *p) { return (unsigned)__cvta_generic_to_shared(p); }

// One warp produces what another consumes, through two slots with a full and an empty barrier
// each. The waits poll with the state that arriving gave, or with the parity of the phase.
extern "C" __global__ void slots(const int *in, int *out, int steps) {
  __shared__ unsigned long long full[2], empty[2];
  __shared__ int slot[2][32];
  int lane = threadIdx.x % 32;
  if (threadIdx.x == 0)
    for (int i = 0; i < 2; ++i) {
      asm volatile("mbarrier.init.shared.b64 [%0], 32;" ::"r"(shared_address(&full[i])));
      asm volatile("mbarrier.init.shared.b64 [%0], 32;" ::"r"(shared_address(&empty[i])));
    }
  __syncthreads();
  auto wait = [](unsigned long long *barrier, int parity) {
    unsigned done = 0;
    while (!done)
      asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], %2;"
                   " selp.u32 %0, 1, 0, p; }"
                   : "=r"(done)
                   : "r"(shared_address(barrier)), "r"(parity)
                   : "memory");
  };
  auto arrive = [](unsigned long long *barrier) {
    unsigned long long state;
    asm volatile("mbarrier.arrive.shared.b64 %0, [%1];"
                 : "=l"(state)
                 : "r"(shared_address(barrier))
                 : "memory");
    return state;
  };
  for (int step = 0; step < steps; ++step) {
    int s = step % 2, parity = step / 2 % 2;
    if (threadIdx.x < 32) {
      wait(&empty[s], parity ^ 1); // the first time round nobody has to arrive
      slot[s][lane] = in[step * 32 + lane] + step;
      arrive(&full[s]);
    } else {
      wait(&full[s], parity);
      out[step * 32 + lane] = slot[s][31 - lane];
      arrive(&empty[s]);
    }
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.inval.shared.b64 [%0];" ::"r"(shared_address(&full[0])));
    full[0] = 5; // the memory is free again
  }
}

// Arrivals that cannot complete a phase, the count that is pending, and waiting by state.
extern "C" __global__ void counts(int *out) {
  __shared__ unsigned long long barrier;
  unsigned b = shared_address(&barrier);
  if (threadIdx.x == 0)
    asm volatile("mbarrier.init.shared.b64 [%0], %1;" ::"r"(b), "r"(64 + 3));
  __syncthreads();
  unsigned long long state;
  unsigned pending = 0, done, before;
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.arrive.noComplete.shared.b64 %0, [%1], 3;"
                 : "=l"(state)
                 : "r"(b)
                 : "memory");
    asm volatile("mbarrier.pending_count.b64 %0, %1;" : "=r"(pending) : "l"(state));
  }
  __syncthreads();
  // Nobody but thread 0 has arrived: the phase is not over.
  asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], 0;"
               " selp.u32 %0, 1, 0, p; }"
               : "=r"(before)
               : "r"(b)
               : "memory");
  __syncthreads();
  asm volatile("mbarrier.arrive.shared.b64 %0, [%1];" : "=l"(state) : "r"(b) : "memory");
  do
    asm volatile("{ .reg .pred p; mbarrier.test_wait.shared.b64 p, [%1], %2;"
                 " selp.u32 %0, 1, 0, p; }"
                 : "=r"(done)
                 : "r"(b), "l"(state)
                 : "memory");
  while (!done);
  // The count before the arrival or the one after it: the manual leaves that open.
  bool counted = threadIdx.x || pending == 67 || pending == 64;
  out[threadIdx.x] = counted * 4 + done + before * 2;
}

// cp.async that arrives at a barrier when its copies have landed.
extern "C" __global__ void copies(const int4 *in, int4 *out) {
  __shared__ unsigned long long barrier;
  __shared__ int4 data[64];
  unsigned b = shared_address(&barrier);
  if (threadIdx.x == 0)
    asm volatile("mbarrier.init.shared.b64 [%0], 64;" ::"r"(b));
  __syncthreads();
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(
                   shared_address(&data[threadIdx.x])),
               "l"(in + threadIdx.x)
               : "memory");
  asm volatile("cp.async.mbarrier.arrive.noinc.shared.b64 [%0];" ::"r"(b) : "memory");
  unsigned done = 0;
  while (!done)
    asm volatile("{ .reg .pred p; mbarrier.test_wait.parity.shared.b64 p, [%1], 0;"
                 " selp.u32 %0, 1, 0, p; }"
                 : "=r"(done)
                 : "r"(b)
                 : "memory");
  out[threadIdx.x] = data[63 - threadIdx.x];
}

// libcu++: rounds of neighbours, out of which threads drop one by one.
extern "C" __global__ void library(int *out) {
#pragma nv_diag_suppress static_var_with_dynamic_init // init() below does it
  __shared__ cuda::barrier<cuda::thread_scope_block> barrier;
  __shared__ int values[64];
  int i = threadIdx.x;
  if (i == 0)
    init(&barrier, blockDim.x);
  values[i] = i;
  __syncthreads();
  int rounds = i % 8 + 1;
  for (int round = 0; round < rounds; ++round) {
    int sum = values[i] + values[i ^ 8]; // the partner makes as many rounds
    barrier.arrive_and_wait();
    values[i] = sum;
    if (round + 1 < rounds)
      barrier.wait(barrier.arrive());
  }
  barrier.arrive_and_drop();
  out[i] = values[i];
}

#if __CUDA_ARCH__ >= 900
// A phase is over when the arrivals and the announced bytes have come.
extern "C" __global__ void transactions(int *out) {
  __shared__ unsigned long long barrier;
  unsigned b = shared_address(&barrier);
  auto poll = [&](int parity) {
    unsigned done;
    asm volatile("{ .reg .pred p; mbarrier.try_wait.parity.shared::cta.b64 p, [%1], %2, 10;"
                 " selp.u32 %0, 1, 0, p; }"
                 : "=r"(done)
                 : "r"(b), "r"(parity)
                 : "memory");
    return done;
  };
  if (threadIdx.x == 0) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], 2;" ::"r"(b) : "memory");
    asm volatile("mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%0], 48;" ::"r"(b) : "memory");
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], 16;" ::"r"(b) : "memory");
    asm volatile("mbarrier.arrive.release.cta.shared::cta.b64 _, [%0];" ::"r"(b) : "memory");
    out[0] = poll(0);
    asm volatile("mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%0], 60;" ::"r"(b)
                 : "memory");
    out[1] = poll(0);
    asm volatile("mbarrier.complete_tx.relaxed.cta.shared::cta.b64 [%0], 4;" ::"r"(b)
                 : "memory");
    out[2] = poll(0);
    out[3] = poll(1); // the phase that now runs
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0], 2;" ::"r"(b) : "memory");
    out[4] = poll(1);
  }
}
#endif
