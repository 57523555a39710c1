/*===- threads.c - Many threads, and processes that fork ------------------------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * usage: threads first   all threads call functions for the first time at once
 *        threads fork    a child calls after its parent has, and while threads call
 */
#include "sample.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 16, ROWS = 64, COLUMNS = 32 };

static pthread_barrier_t begin;

static void require(int condition, const char *what) {
  if (condition)
    return;
  fprintf(stderr, "%s: %s\n", what, sample_last_error());
  exit(1);
}

static sample_tensor tensor(void *data, uint8_t code, int32_t rank, const int64_t *shape) {
  sample_tensor made = {.data = data, .device_type = 1, .rank = rank, .type_code = code,
                        .type_bits = 32, .type_lanes = 1, .shape = shape};
  return made;
}

/* Calls every function on arrays of its own, and an argument that is refused: its message is
 * this thread's. */
static void call_all(int seed) {
  static const int64_t shape[] = {ROWS, COLUMNS}, length[] = {ROWS};
  float x[ROWS * COLUMNS], y[ROWS * COLUMNS];
  int32_t ones[ROWS], sums[ROWS];
  for (int i = 0; i < ROWS * COLUMNS; ++i)
    x[i] = (float)(i + seed), y[i] = -1;
  for (int i = 0; i < ROWS; ++i)
    ones[i] = 1, sums[i] = seed;
  sample_tensor X = tensor(x, SAMPLE_DL_FLOAT, 2, shape);
  sample_tensor Y = tensor(y, SAMPLE_DL_FLOAT, 2, shape);
  sample_tensor One = tensor(ones, SAMPLE_DL_INT, 1, length);
  sample_tensor Sum = tensor(sums, SAMPLE_DL_INT, 1, length);
  require(sample_affine(NULL, &X, &Y, 2, seed, 1) == SAMPLE_OK, "affine");
  for (int i = 0; i < ROWS * COLUMNS; ++i)
    require(y[i] == 2 * x[i] + (float)seed, "affine's result");
  require(sample_accumulate(NULL, &One, &Sum) == SAMPLE_OK, "accumulate");
  for (int i = 0; i < ROWS; ++i)
    require(sums[i] == seed + 1, "accumulate's result");
  char text[512];
  require(sample_affine_explain(text, sizeof(text), NULL, &X, &Y, 2, seed, 1) == SAMPLE_OK,
          "explain");
  require(strstr(text, "build f32") != NULL, text);
  Y.rank = 20 + seed;
  require(sample_affine(NULL, &X, &Y, 2, seed, 1) == SAMPLE_ERROR_ARGUMENT, "refusal");
  char expected[64];
  snprintf(expected, sizeof(expected), "'Y' has %d dimensions", 20 + seed);
  require(strstr(sample_last_error(), expected) != NULL, "the message of this thread");
  sample_device *device;
  require(sample_device_open("cpu", &device) == SAMPLE_OK, "device");
  sample_device_close(device);
  require(sample_choose("sample_affine", seed % 2 ? "f32" : NULL) == SAMPLE_OK, "choose");
}

static void *first_call(void *seed) {
  pthread_barrier_wait(&begin);
  call_all((int)(intptr_t)seed);
  return NULL;
}

static void start(pthread_t *threads, void *(*work)(void *)) {
  pthread_barrier_init(&begin, NULL, THREADS);
  for (intptr_t i = 0; i < THREADS; ++i)
    require(pthread_create(&threads[i], NULL, work, (void *)i) == 0, "a thread");
}

static void join(const pthread_t *threads) {
  for (int i = 0; i < THREADS; ++i)
    pthread_join(threads[i], NULL);
}

/* What becomes of a child that calls all functions; one that hangs is ended. */
static void fork_and_call(int seed) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(60);
    call_all(seed);
    _exit(0);
  }
  int status = -1;
  waitpid(child, &status, 0);
  require(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a child");
}

int main(int count, char **arguments) {
  pthread_t threads[THREADS];
  require(count == 2, "usage: threads (first|fork)");
  if (strcmp(arguments[1], "fork") == 0) {
    fork_and_call(1); /* before the first call */
    start(threads, first_call);
    for (int i = 0; i < 20; ++i)
      fork_and_call(i); /* while others make their first */
    join(threads);
    call_all(3);
    fork_and_call(4); /* after it */
  } else {
    start(threads, first_call);
    join(threads);
  }
  puts("done");
  return 0;
}
