/*===- gpu_kernels.c - Kernels for both vendors' GPUs ---------------------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===--------------------------------------------------------------------------===*
 *
 * What the tests of the runtime launch, without Tilewright's compiler: clang makes PTX
 * and code objects of this. Blocks have 128 threads.
 */

#define GLOBAL __attribute__((address_space(1)))
#define SHARED __attribute__((address_space(3)))
typedef long long i64;
typedef unsigned long long u64;

#if defined(__NVPTX__)
#define KERNEL __attribute__((nvptx_kernel)) void
static i64 block_id(void) { return __nvvm_read_ptx_sreg_ctaid_x(); }
static i64 thread_id(void) { return __nvvm_read_ptx_sreg_tid_x(); }
#else
#define KERNEL __attribute__((amdgpu_kernel)) void
static i64 block_id(void) { return __builtin_amdgcn_workgroup_id_x(); }
static i64 thread_id(void) { return __builtin_amdgcn_workitem_id_x(); }
#endif

static i64 index(void) { return block_id() * 128 + thread_id(); }

/* c = a + b */
KERNEL add(const GLOBAL float *a, const GLOBAL float *b, GLOBAL float *c, i64 n) {
  i64 i = index();
  if (i < n)
    c[i] = a[i] + b[i];
}

/* c = by * a, elements of rows `a0` apart, of columns `a1`, and so of c */
KERNEL scale(const GLOBAL float *a, GLOBAL float *c, float by, i64 rows, i64 columns,
             i64 a0, i64 a1, i64 c0, i64 c1) {
  i64 i = index();
  if (i < rows * columns)
    c[i / columns * c0 + i % columns * c1] = by * a[i / columns * a0 + i % columns * a1];
}

/* An element that is far behind the last. */
KERNEL outside(GLOBAL float *c, i64 n) {
  if (thread_id() == 0)
    c[n + (1 << 20)] = 1;
}

extern SHARED float shared[];

/* The block's elements in reverse, by way of the last bytes of its shared memory. */
KERNEL reverse(const GLOBAL float *a, GLOBAL float *c, i64 last) {
  SHARED float *tile = shared + last - 127;
  tile[thread_id()] = a[index()];
#if defined(__NVPTX__)
  __syncthreads();
#else
  __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
  __builtin_amdgcn_s_barrier();
  __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
#endif
  c[index()] = tile[127 - thread_id()];
}

static void print(GLOBAL u64 *messages, u64 site, u64 bits) {
  u64 number =
      __scoped_atomic_fetch_add(&messages[0], 1, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE);
  if (number >= messages[1])
    return;
  messages[4 + 3 * number] = site;
  messages[5 + 3 * number] = (u64)block_id();
  messages[6 + 3 * number] = bits;
}

static void fail(GLOBAL u64 *messages, u64 site) {
  __scoped_atomic_fetch_min(&messages[2], (u64)block_id() << 16 | site, __ATOMIC_RELAXED,
                            __MEMORY_SCOPE_DEVICE);
}

/* Prints its block's first element `times` times, and fails where it is negative. */
KERNEL say(const GLOBAL float *a, i64 n, i64 times, GLOBAL u64 *messages) {
  if (thread_id() != 0)
    return;
  float first = a[block_id() * 128];
  for (i64 i = 0; i < times; ++i)
    print(messages, 0, __builtin_bit_cast(u64, (double)first));
  if (first < 0)
    fail(messages, 1);
}
