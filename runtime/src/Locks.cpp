//===- Locks.cpp - Locks of the process ----------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Locks.h"

#include <pthread.h>

using namespace tilewright;

static pthread_mutex_t locks[] = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                  PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER,
                                  PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER};
static_assert(sizeof(locks) / sizeof(*locks) == static_cast<int>(Lock::Printing) + 1);

static pthread_mutex_t *find(Lock lock) { return &locks[static_cast<int>(lock)]; }

Locked::Locked(Lock lock) : lock(lock) { pthread_mutex_lock(find(lock)); }
Locked::~Locked() { pthread_mutex_unlock(find(lock)); }

static void freeInChild() {
  for (pthread_mutex_t &lock : locks)
    lock = PTHREAD_MUTEX_INITIALIZER;
}

[[gnu::constructor]] static void prepareLocks() {
  pthread_atfork(nullptr, nullptr, freeInChild);
}
