/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Shared by amx_test.c and amx_refusals.c: configurations, and tests by name.
 */
#ifndef TILEWRIGHT_TEST_CROSS_AMX_TEST_H
#define TILEWRIGHT_TEST_CROSS_AMX_TEST_H

#include <immintrin.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* What ldtilecfg reads. */
struct config {
  uint8_t palette, start_row, reserved[14];
  uint16_t colsb[16];
  uint8_t rows[16];
};

static inline struct config config_of(int count, const int (*shapes)[2]) {
  struct config config = {.palette = 1};
  for (int t = 0; t < count; ++t)
    config.rows[t] = shapes[t][0], config.colsb[t] = shapes[t][1];
  return config;
}

/* GCC 12's own _tile_loadconfig, _tile_storeconfig and _tile_loadd do not say which
 * memory they read or write, and stores before them may come too late. */
static inline void load_config(const struct config *config) {
  asm volatile("ldtilecfg %0" ::"m"(*config));
}
static inline void store_config(struct config *config) {
  asm volatile("sttilecfg %0" : "=m"(*config));
}
#define LOAD(tile, base, stride)                                                         \
  do {                                                                                   \
    asm volatile("" ::: "memory");                                                       \
    _tile_loadd(tile, base, stride);                                                     \
  } while (0)

/* Tiles from 0 on: {rows, bytes of a row}... */
#define CONFIGURE(...)                                                                   \
  do {                                                                                   \
    const int shapes[][2] = {__VA_ARGS__};                                               \
    struct config config = config_of(sizeof(shapes) / sizeof(*shapes), shapes);          \
    load_config(&config);                                                                \
  } while (0)

struct test {
  const char *name;
  void (*run)(void);
};

#define TEST(function) {#function, function}

/* Runs the test that the program's argument names. The last of `tests` has no name. */
static inline int run_test(const struct test *tests, int count, char **names) {
  for (const struct test *test = tests; test->name; ++test)
    if (count == 2 && !strcmp(names[1], test->name)) {
      test->run();
      return 0;
    }
  fprintf(stderr, "usage: %s TEST\n", names[0]);
  return 2;
}

#endif
