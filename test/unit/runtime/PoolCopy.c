//===- PoolCopy.c - A library with a copy of the runtime of its own ----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tilewright/thread_pool.h"

__attribute__((visibility("default"))) const void *poolOfThisCopy(void) {
  return &tw_thread_pool_v2;
}
