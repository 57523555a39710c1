// Clocks, sleep, special registers, and fences that order what blocks tell each other.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <cuda/atomic>
#include <cuda_runtime.h>

#define SPECIAL(name)                                                                          \
  ({                                                                                           \
    unsigned value;                                                                            \
    asm volatile("mov.u32 %0, %%" name ";" : "=r"(value));                                     \
    value;                                                                                     \
  })

// Time does not run backwards, and goes on while a thread sleeps.
extern "C" __global__ void time_passes(int *out) {
  long long before = clock64();
  unsigned small = clock();
  unsigned long long world;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(world));
  __nanosleep(100);
  unsigned long long later;
  asm volatile("mov.u64 %0, %%globaltimer;" : "=l"(later));
  long long after = clock64();
  out[blockIdx.x * blockDim.x + threadIdx.x] =
      (after > before) + 2 * (later >= world) + 4 * ((unsigned)clock() != small);
}

extern "C" __global__ void registers(unsigned *out) {
  int at = ((blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x) * 24 +
           (threadIdx.z * blockDim.y + threadIdx.y) * blockDim.x + threadIdx.x;
  unsigned *o = out + at * 20;
  *o++ = SPECIAL("tid.x");
  *o++ = SPECIAL("tid.y");
  *o++ = SPECIAL("tid.z");
  *o++ = SPECIAL("ntid.x");
  *o++ = SPECIAL("ntid.y");
  *o++ = SPECIAL("ntid.z");
  *o++ = SPECIAL("ctaid.x");
  *o++ = SPECIAL("ctaid.y");
  *o++ = SPECIAL("ctaid.z");
  *o++ = SPECIAL("nctaid.x");
  *o++ = SPECIAL("nctaid.y");
  *o++ = SPECIAL("nctaid.z");
  *o++ = SPECIAL("laneid");
  *o++ = SPECIAL("lanemask_eq");
  *o++ = SPECIAL("lanemask_le");
  *o++ = SPECIAL("lanemask_gt");
  *o++ = SPECIAL("lanemask_ge");
  *o++ = SPECIAL("total_smem_size") >= SPECIAL("dynamic_smem_size");
  *o++ = SPECIAL("dynamic_smem_size");
  *o++ = SPECIAL("smid") < SPECIAL("nsmid");
}

// Block 0 writes data and then a flag; the others wait for it and pass it on, each by another
// kind of store.
extern "C" __global__ void pass_on(int *data, unsigned *flags) {
  unsigned block = blockIdx.x;
  if (block) {
    if (threadIdx.x == 0) {
      cuda::atomic_ref<unsigned, cuda::thread_scope_device> flag(flags[block - 1]);
      while (flag.load(cuda::memory_order_acquire) == 0)
        ;
    }
    __syncthreads();
    data[block * 64 + threadIdx.x] = data[(block - 1) * 64 + (threadIdx.x + 1) % 64] + 1;
  } else {
    data[threadIdx.x] = threadIdx.x * 10;
  }
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0) {
    if (block % 3 == 0)
      asm volatile("st.release.gpu.global.u32 [%0], 1;" ::"l"(flags + block) : "memory");
    else if (block % 3 == 1)
      asm volatile("red.release.gpu.global.add.u32 [%0], 1;" ::"l"(flags + block) : "memory");
    else {
      __threadfence_system();
      *(volatile unsigned *)(flags + block) = 1;
    }
  }
}
