/*===- tilewright/thread_pool.h - The process's one thread pool -----------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * A process may hold several copies of the runtime: in the Python extension and in
 * each library compiled ahead of time. Their worker threads would compete, so they
 * share the pool of whichever copy was loaded first: tw_thread_pool_v2 has the ELF
 * binding "unique", of which the dynamic linker keeps one definition per process, in
 * RTLD_LOCAL libraries too. Its layout is fixed; a new one gets a new symbol.
 */
#ifndef TILEWRIGHT_THREAD_POOL_H
#define TILEWRIGHT_THREAD_POOL_H

#include "tilewright/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tw_thread_pool_functions_v2 {
  uint64_t size; /* sizeof(tw_thread_pool_functions_v2) */
  /* Runs blocks [0, count) on the calling thread and idle workers; returns when all
   * are done. Called from inside a block it runs all of them on the calling thread.
   * TW_OK; TW_ERROR_MEMORY before any block ran; TW_ERROR_INTERRUPTED where `check`,
   * which may be NULL, asked for an end, and then every block has run or will never. */
  int32_t (*run)(int64_t count, tw_block_fn fn, void *env, int64_t arena_bytes,
                 tw_interrupt_check check, void *user);
  void (*set_num_threads)(int32_t threads);
  int32_t (*num_threads)(void);
} tw_thread_pool_functions_v2;

extern TW_API const tw_thread_pool_functions_v2 tw_thread_pool_v2;

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_THREAD_POOL_H */
