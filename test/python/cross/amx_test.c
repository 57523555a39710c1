/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * What instructions of AMX do, against plain C: of amx.c, or of a CPU that has them.
 *
 * usage: amx_test TEST
 */
#define _GNU_SOURCE
#include "amx_test.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHECK(condition, ...)                                                            \
  do {                                                                                   \
    if (!(condition)) {                                                                  \
      fprintf(stderr, "%s:%d: %s: ", __func__, __LINE__, #condition);                    \
      fprintf(stderr, __VA_ARGS__);                                                      \
      fprintf(stderr, "\n");                                                             \
      exit(1);                                                                           \
    }                                                                                    \
  } while (0)

static __thread uint64_t seed = 1;

static uint32_t draw(void) {
  seed = seed * 6364136223846793005u + 1442695040888963407u;
  return seed >> 32;
}

static void draw_bytes(void *bytes, size_t count) {
  for (size_t b = 0; b < count; ++b)
    ((uint8_t *)bytes)[b] = draw();
}

/*===--- Tiles and memory ----------------------------------------------------------===*/

enum { MIDDLE = 8192, MEMORY = 2 * MIDDLE };

/* Loads rows `from` apart and stores them `to` apart: only those bytes change. */
static void check_copy(int rows, int colsb, long from, long to) {
  static uint8_t source[MEMORY], target[MEMORY], expected[MEMORY];
  draw_bytes(source, MEMORY);
  draw_bytes(target, MEMORY);
  memcpy(expected, target, MEMORY);
  for (int r = 0; r < rows; ++r)
    memcpy(expected + MIDDLE + r * to, source + MIDDLE + r * from, colsb);
  CONFIGURE({16, 64}, {rows, colsb});
  LOAD(1, source + MIDDLE, from);
  _tile_stored(1, target + MIDDLE, to);
  CHECK(!memcmp(target, expected, MEMORY), "%dx%d, %ld to %ld", rows, colsb, from, to);
  _tile_stream_loadd(1, source + MIDDLE + 1, from);
  _tile_stored(1, target + MIDDLE + 1, to);
  for (int r = 0; r < rows; ++r)
    memcpy(expected + MIDDLE + 1 + r * to, source + MIDDLE + 1 + r * from, colsb);
  CHECK(!memcmp(target, expected, MEMORY), "%dx%d, %ld to %ld", rows, colsb, from, to);
}

static void check_memory(void) {
  static const int shapes[][2] = {{16, 64}, {1, 4}, {1, 64}, {16, 4}, {7, 52}, {15, 60}};
  static const long strides[] = {64, 65, 100, 500, -64, -77, -500};
  for (int s = 0; s < 6; ++s)
    for (int f = 0; f < 7; ++f)
      for (int t = 0; t < 7; ++t)
        check_copy(shapes[s][0], shapes[s][1], strides[f], strides[t]);
  check_copy(9, 32, 0, 64); /* the same row */
  check_copy(9, 32, 8, 40); /* rows that overlap */
}

/* Rows that end where memory does, and that begin where it does. */
static void check_edges(void) {
  const int page = 4096;
  uint8_t *memory = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(memory != MAP_FAILED, "no memory");
  CHECK(!mprotect(memory + page, page, PROT_READ | PROT_WRITE), "no access");
  draw_bytes(memory + page, page);
  CONFIGURE({3, 12});
  LOAD(0, memory + 2 * page - 76, 32);
  _tile_stored(0, memory + page + 64, -32);
  for (int r = 0; r < 3; ++r)
    CHECK(!memcmp(memory + page + 64 - 32 * r, memory + 2 * page - 76 + 32 * r, 12),
          "row %d", r);
}

/* Every way to write an address, in the encodings that they have. */
#define CHECK_ADDRESS(asm_register, asm_stride, address, offset, scale)                  \
  do {                                                                                   \
    uint8_t out[16 * 64];                                                                \
    CONFIGURE({0}, {0}, {16, 64});                                                       \
    register uint8_t *base asm(asm_register) = memory + MIDDLE - (offset);               \
    register long stride asm(asm_stride) = 104 / (scale);                                \
    asm volatile("tileloadd " address ", %%tmm2" ::"r"(base), "r"(stride) : "memory");   \
    _tile_stored(2, out, 64);                                                            \
    for (int r = 0; r < 16; ++r)                                                         \
      CHECK(!memcmp(out + 64 * r, memory + MIDDLE + 104 * r, 64), "%s row %d", address,  \
            r);                                                                          \
  } while (0)

static uint8_t memory[MEMORY];
static struct config memory_config;

static void check_addresses(void) {
  draw_bytes(memory, MEMORY);
  CHECK_ADDRESS("rax", "rbx", "(%%rax,%%rbx)", 0, 1);
  CHECK_ADDRESS("rcx", "rdx", "(%%rcx,%%rdx,2)", 0, 2);
  CHECK_ADDRESS("rsi", "rdi", "-5(%%rsi,%%rdi,4)", -5, 4);
  CHECK_ADDRESS("r8", "r9", "127(%%r8,%%r9,8)", 127, 8);
  CHECK_ADDRESS("r10", "r11", "128(%%r10,%%r11)", 128, 1);
  CHECK_ADDRESS("r12", "r13", "(%%r12,%%r13)", 0, 1);
  CHECK_ADDRESS("r13", "r12", "(%%r13,%%r12)", 0, 1);
  CHECK_ADDRESS("r14", "r15", "-1000(%%r14,%%r15)", -1000, 1);

  /* Without an index: the same row again. Without a base: from the displacement on. */
  uint8_t out[16 * 64];
  CONFIGURE({16, 64});
  asm volatile("tileloadd 64(%0), %%tmm0" ::"r"(memory) : "memory");
  _tile_stored(0, out, 64);
  CHECK(!memcmp(out, memory + 64, 64) && !memcmp(out + 960, memory + 64, 64), "no index");
  void *place = (void *)0x20000000;
  void *low = mmap(place, MEMORY, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  CHECK(low == place, "no memory there");
  asm volatile("tilestored %%tmm0, 0x20000000(,%0,8)" ::"r"(104L / 8) : "memory");
  CHECK(!memcmp(low + 104 * 15, memory + 64, 64), "no base");
}

static void check_config(void) {
  /* Where ldtilecfg may have its operand: in the program's memory, or the stack's. */
  static const int shapes[][2] = {{3, 12}, {16, 64}, {0, 0}, {1, 4}, {5, 20}};
  struct config on_stack = config_of(5, shapes), stored;
  memory_config = on_stack;
  uint8_t row[3 * 12];
  memset(row, 1, sizeof(row));
  load_config(&memory_config); /* relative to rip */
  store_config(&stored);
  CHECK(!memcmp(&stored, &on_stack, sizeof(stored)), "as it was loaded");
  _tile_stored(0, row, 12);
  for (int b = 0; b < 36; ++b)
    CHECK(!row[b], "tiles are zero at first, byte %d", b);
  memset(row, 1, sizeof(row));
  LOAD(0, row, 12);
  load_config(&on_stack);
  _tile_stored(0, row, 12);
  CHECK(!row[0] && !row[35], "tiles are zero anew");
  memset(row, 1, sizeof(row));
  LOAD(0, row, 12);
  _tile_zero(0);
  _tile_stored(0, row, 12);
  CHECK(!row[0] && !row[35], "a tile that was zeroed");
  struct config initial = {0};
  load_config(&initial);
  asm volatile("ldtilecfg -400(%0,%1,4)" ::"r"((uintptr_t)&on_stack + 320), "r"(20L)
               : "memory");
  store_config(&stored);
  CHECK(!memcmp(&stored, &on_stack, sizeof(stored)), "with an index");
  _tile_release();
  store_config(&stored);
  CHECK(!memcmp(&stored, &initial, sizeof(stored)), "released");
  load_config(&on_stack);
  initial.start_row = 9; /* palette 0: nothing else counts */
  load_config(&initial);
  initial.start_row = 0;
  store_config(&stored);
  CHECK(!memcmp(&stored, &initial, sizeof(stored)), "of palette 0");
}

/*===--- Products ------------------------------------------------------------------===*/

/* C of M rows and N columns += A B of K groups of 4 bytes. */
struct product {
  int m, n, k;
  uint8_t c[16][64], a[16][64], b[16][64], expected[16][64];
};

static const int shapes[][3] = {{16, 16, 16}, {1, 1, 1},   {16, 16, 1}, {1, 16, 16},
                                {16, 1, 16},  {7, 13, 11}, {13, 3, 16}, {2, 15, 5}};
enum { SHAPES = sizeof(shapes) / sizeof(*shapes) };

static struct product draw_product(int shape) {
  struct product p = {
      .m = shapes[shape][0], .n = shapes[shape][1], .k = shapes[shape][2]};
  draw_bytes(p.c, sizeof(p.c));
  draw_bytes(p.a, sizeof(p.a));
  draw_bytes(p.b, sizeof(p.b));
  return p;
}

/* The instruction is to have other registers than it has elsewhere, too. */
#define MULTIPLY(p, multiply, C, A, B)                                                   \
  do {                                                                                   \
    struct config config = {.palette = 1};                                               \
    config.rows[C] = (p)->m, config.colsb[C] = 4 * (p)->n;                               \
    config.rows[A] = (p)->m, config.colsb[A] = 4 * (p)->k;                               \
    config.rows[B] = (p)->k, config.colsb[B] = 4 * (p)->n;                               \
    load_config(&config);                                                                \
    LOAD(C, (p)->c, 64);                                                                 \
    LOAD(A, (p)->a, 64);                                                                 \
    LOAD(B, (p)->b, 64);                                                                 \
    multiply(C, A, B);                                                                   \
    _tile_stored(C, (p)->c, 64);                                                         \
  } while (0)

static void expect_bytes(struct product *p, bool a_signed, bool b_signed) {
  memcpy(p->expected, p->c, sizeof(p->c));
  for (int m = 0; m < p->m; ++m)
    for (int n = 0; n < p->n; ++n) {
      int64_t sum = 0;
      for (int k = 0; k < p->k; ++k)
        for (int byte = 0; byte < 4; ++byte) {
          uint8_t a = p->a[m][4 * k + byte], b = p->b[k][4 * n + byte];
          sum += (a_signed ? (int8_t)a : (int)a) * (b_signed ? (int8_t)b : (int)b);
        }
      uint32_t *c = (uint32_t *)p->expected[m] + n;
      *c += (uint32_t)sum;
    }
}

#define CHECK_BYTES(multiply, a_signed, b_signed, C, A, B)                               \
  do {                                                                                   \
    for (int s = 0; s < SHAPES; ++s) {                                                   \
      struct product p = draw_product(s);                                                \
      expect_bytes(&p, a_signed, b_signed);                                              \
      MULTIPLY(&p, multiply, C, A, B);                                                   \
      CHECK(!memcmp(p.c, p.expected, sizeof(p.c)), #multiply " %dx%dx%d", p.m, p.n,      \
            p.k);                                                                        \
    }                                                                                    \
  } while (0)

static void check_bytes(void) {
  CHECK_BYTES(_tile_dpbssd, true, true, 0, 1, 2);
  CHECK_BYTES(_tile_dpbsud, true, false, 7, 0, 5);
  CHECK_BYTES(_tile_dpbusd, false, true, 3, 6, 4);
  CHECK_BYTES(_tile_dpbuud, false, false, 6, 7, 0);
}

/* Sums past the largest number, and below the smallest. */
static void check_wrap_around(void) {
  struct product p = {.m = 1, .n = 2, .k = 16};
  memset(p.a, 0x80, sizeof(p.a));
  for (int k = 0; k < 16; ++k)
    memset(p.b[k], 0x80, 4), memset(p.b[k] + 4, 0x7f, 4);
  int32_t c[2] = {INT32_MAX - 5, INT32_MIN + 5}, result[2];
  memcpy(p.c, c, sizeof(c));
  MULTIPLY(&p, _tile_dpbssd, 0, 1, 2);
  memcpy(result, p.c, sizeof(result));
  CHECK(result[0] == INT32_MIN + (64 << 14) - 6, "%d", result[0]);
  CHECK(result[1] == INT32_MAX - 64 * 128 * 127 + 6, "%d", result[1]);
}

/*===--- Floating point ------------------------------------------------------------===*/

static float flush(float value) {
  return fabsf(value) < FLT_MIN ? copysignf(0, value) : value; /* NaNs stay */
}

static float float_at(const uint8_t *row, int n) {
  float value;
  memcpy(&value, row + 4 * n, sizeof(value));
  return flush(value);
}

static float bf16_at(const uint8_t *row, int n) {
  uint32_t bits = (uint32_t)(row[2 * n] | row[2 * n + 1] << 8) << 16;
  return float_at((const uint8_t *)&bits, 0);
}

static void expect_bf16(struct product *p) {
  memcpy(p->expected, p->c, sizeof(p->c));
  for (int m = 0; m < p->m; ++m)
    for (int n = 0; n < p->n; ++n) {
      float sums[2] = {0, 0};
      for (int k = 0; k < p->k; ++k)
        for (int odd = 0; odd < 2; ++odd)
          sums[odd] = flush(fmaf(bf16_at(p->a[m], 2 * k + odd),
                                 bf16_at(p->b[k], 2 * n + odd), sums[odd]));
      float sum = flush(float_at(p->c[m], n) + flush(sums[0] + sums[1]));
      memcpy(p->expected[m] + 4 * n, &sum, sizeof(sum));
    }
}

static void compare_bf16(struct product *p, const char *numbers) {
  expect_bf16(p);
  MULTIPLY(p, _tile_dpbf16ps, 4, 2, 1);
  for (int m = 0; m < 16; ++m)
    for (int n = 0; n < 16; ++n) {
      uint32_t got, wanted;
      memcpy(&got, p->c[m] + 4 * n, 4), memcpy(&wanted, p->expected[m] + 4 * n, 4);
      bool both_nan =
          (got & 0x7fffffff) > 0x7f800000 && (wanted & 0x7fffffff) > 0x7f800000;
      CHECK(both_nan || got == wanted, "%s %dx%dx%d: %08x, not %08x, at %d, %d", numbers,
            p->m, p->n, p->k, got, wanted, m, n);
    }
}

/* Numbers whose exponents are `least` to `most`, as bf16 or (C) the upper half of f32. */
static void draw_numbers(uint8_t (*rows)[64], int least, int most) {
  for (int h = 0; h < 16 * 32; ++h) {
    uint32_t bits = draw();
    bits = (bits & 0x807f) | (least + (bits >> 16) % (most - least + 1)) << 7;
    memcpy((uint8_t *)rows + 2 * h, &bits, 2);
  }
}

static void check_numbers(const char *name, int least, int most, int c_least,
                          int c_most) {
  for (int round = 0; round < 8; ++round)
    for (int s = 0; s < SHAPES; ++s) {
      struct product p = draw_product(s);
      draw_numbers(p.a, least, most);
      draw_numbers(p.b, least, most);
      draw_numbers(p.c, c_least, c_most);
      compare_bf16(&p, name);
    }
}

static void check_bf16(void) {
  check_numbers("near one", 120, 130, 120, 140);
  check_numbers("far apart", 90, 160, 100, 150);
  check_numbers("denormal operands", 0, 1, 120, 130);
  check_numbers("denormal results", 55, 72, 0, 20);
  check_numbers("near the largest", 180, 192, 240, 254);
  check_numbers("not finite", 250, 255, 250, 255);
  check_numbers("all", 0, 255, 0, 255);
  unsigned control = _mm_getcsr();
  _mm_setcsr(control | _MM_ROUND_UP);
  unsigned set = _mm_getcsr();
  struct product p = draw_product(0);
  draw_numbers(p.a, 120, 130), draw_numbers(p.b, 120, 130), draw_numbers(p.c, 120, 130);
  struct product q = p;
  MULTIPLY(&p, _tile_dpbf16ps, 0, 1, 2);
  CHECK(_mm_getcsr() == set, "the program's rounding has changed");
  _mm_setcsr(control);
  MULTIPLY(&q, _tile_dpbf16ps, 0, 1, 2);
  CHECK(!memcmp(p.c, q.c, sizeof(p.c)), "rounded as the program does");
}

/*===--- Threads and counts --------------------------------------------------------===*/

static void *run_thread(void *number) {
  seed = 1 + (uintptr_t)number;
  for (int round = 0; round < 300; ++round) {
    struct product p = draw_product((round + (uintptr_t)number) % SHAPES);
    expect_bytes(&p, true, true);
    MULTIPLY(&p, _tile_dpbssd, 0, 1, 2);
    CHECK(!memcmp(p.c, p.expected, sizeof(p.c)), "thread %zu", (size_t)number);
  }
  return NULL;
}

/* Each has tiles of its own. */
static void check_threads(void) {
  pthread_t threads[4];
  for (uintptr_t t = 0; t < 4; ++t)
    CHECK(!pthread_create(&threads[t], NULL, run_thread, (void *)t), "no thread");
  for (int t = 0; t < 4; ++t)
    pthread_join(threads[t], NULL);
}

/* 7 instructions, of which 2 are products. */
static void check_count(void) {
  CONFIGURE({16, 64}, {16, 64}, {16, 64});
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_dpbssd(0, 1, 2);
  _tile_dpbf16ps(0, 1, 2);
  _tile_release();
}

int main(int count, char **names) {
  static const struct test tests[] = {
      TEST(check_memory), TEST(check_edges),   TEST(check_addresses),
      TEST(check_config), TEST(check_bytes),   TEST(check_wrap_around),
      TEST(check_bf16),   TEST(check_threads), TEST(check_count),
      {NULL, NULL},
  };
  return run_test(tests, count, names);
}
