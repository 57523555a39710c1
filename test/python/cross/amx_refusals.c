/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Uses of AMX that amx.c refuses, and a CPU that has AMX; and what is no use of it.
 *
 * usage: amx_refusals TEST
 */
#include "amx_test.h"

static char memory[16 * 64];

/* A configuration that is right but for a byte. */
static void load_changed(int byte, int value) {
  static const int shapes[][2] = {{16, 64}};
  struct config config = config_of(1, shapes);
  ((uint8_t *)&config)[byte] = value;
  load_config(&config);
}

static void palette(void) { load_changed(0, 2); }
static void reserved(void) { load_changed(15, 1); }
static void reserved_tile(void) { load_changed(32, 64); }
static void reserved_rows(void) { load_changed(56, 16); }
static void rows(void) { load_changed(48, 17); }
static void colsb(void) { load_changed(16, 65); }
static void no_rows(void) { load_changed(48, 0); }
static void no_colsb(void) { load_changed(16, 0); }

static void no_config(void) { _tile_zero(0); }
static void released(void) {
  CONFIGURE({16, 64});
  _tile_release();
  _tile_stored(0, memory, 64);
}
static void unused(void) {
  CONFIGURE({16, 64});
  LOAD(1, memory, 64);
}
static void odd_colsb(void) {
  CONFIGURE({16, 62});
  LOAD(0, memory, 64);
}

static void m(void) {
  CONFIGURE({15, 64}, {16, 64}, {16, 64});
  _tile_dpbf16ps(0, 1, 2);
}
static void n(void) {
  CONFIGURE({16, 64}, {16, 64}, {16, 60});
  _tile_dpbssd(0, 1, 2);
}
static void k(void) {
  CONFIGURE({16, 64}, {16, 64}, {15, 64});
  _tile_dpbuud(0, 1, 2);
}
static void same(void) {
  CONFIGURE({16, 64}, {16, 64});
  asm volatile(".byte 0xc4, 0xe2, 0x72, 0x5c, 0xc1"); /* tdpbf16ps 0, 1, 1 */
}
static void ud2(void) { asm volatile("ud2"); }
static void tile_8(void) { /* tilezero, with VEX.R */
  asm volatile(".byte 0xc4, 0x62, 0x7b, 0x49, 0xc0");
}

int main(int count, char **names) {
  static const struct test tests[] = {
      TEST(palette),
      TEST(reserved),
      TEST(reserved_tile),
      TEST(reserved_rows),
      TEST(rows),
      TEST(colsb),
      TEST(no_rows),
      TEST(no_colsb),
      TEST(no_config),
      TEST(released),
      TEST(unused),
      TEST(odd_colsb),
      TEST(m),
      TEST(n),
      TEST(k),
      TEST(same),
      TEST(ud2),
      TEST(tile_8),
      {NULL, NULL},
  };
  return run_test(tests, count, names);
}
