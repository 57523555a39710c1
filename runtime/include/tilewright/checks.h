/*===- tilewright/checks.h - What kernels compiled for checking call ------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * A kernel compiled for checking tells the runtime what it is about to access; the
 * runtime keeps who wrote and read each element, and ends a block that breaks a rule
 * (docs/checking.md). Memories, loops and sites (places in the source) are numbers;
 * a table says what they are.
 */
#ifndef TILEWRIGHT_CHECKS_H
#define TILEWRIGHT_CHECKS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum tw_check_kind {
  TW_CHECK_READ = 0,
  TW_CHECK_WRITE = 1,
  TW_CHECK_ATOMIC = 2,
  TW_CHECK_RESULT = 3, /* values just written, compared with those inspected */
  TW_CHECK_VALUE = 4   /* a scalar that was computed; the site has no memory */
} tw_check_kind;

typedef enum tw_check_flags {
  TW_CHECK_INSPECT = 1,   /* site: look for NaN and infinities in what is read */
  TW_CHECK_FIRST = 2,     /* site: forget what was inspected before */
  TW_CHECK_UNDEFINED = 4, /* memory: a workspace, whose elements start undefined */
  TW_CHECK_WRITTEN = 8    /* memory: some site writes it */
} tw_check_flags;

/* Layout of the table, in int64_t words:
 *   header:  TW_CHECKS_MAGIC, total words, memories, loops, sites, string bytes'
 *            offset (in words), string bytes' length, 0
 *   memory:  name (string offset), space (0 global, 1 shared, 2 fragment, 3 local),
 *            dtype (tw_dtype), rank, extents' word offset (0: said at run time),
 *            innermost loop that it is allocated in (-1: none), flags, 0
 *   loop:    outer loop (-1: none), rank, names' word offset (string offsets),
 *            extents' word offset (0: the loop's iterations are in order)
 *   site:    kind, memory, loop (-1: none), operation (string offset, "" for a plain
 *            element), file, line, column, callers (places, with newlines between),
 *            sizes' word offset (-1 for a size: all of the dimension), axis (-1: none),
 *            memory of the other box, its sizes' word offset (0: there is none), flags, 0
 * The other box is a row of indices where there is an axis, else where elements go.
 * Outer loops come before inner ones. */
#define TW_CHECKS_MAGIC 0x0000314b48435754 /* "TWCHK1" */
#define TW_CHECKS_HEADER_WORDS 8
#define TW_CHECKS_MEMORY_WORDS 8
#define TW_CHECKS_LOOP_WORDS 4
#define TW_CHECKS_SITE_WORDS 14

typedef struct tw_checks_v1 {
  uint64_t size; /* sizeof(tw_checks_v1) as the caller knows it */
  /* Before any other call of a launch. The table must live as long as the launch. */
  void (*begin)(void *context, const int64_t *table);
  /* A tensor or workspace: its extents, then its strides in elements. */
  void (*tensor)(void *context, int64_t memory, const void *data, const int64_t *layout);
  /* The next parallel_for is over a grid of these extents. */
  void (*kernel)(void *context, int64_t rank, const int64_t *grid);

  /* In a block. Each of these may end it, by not returning. */

  /* A tile that was allocated: its elements become undefined. */
  void (*tile)(void *context, int64_t memory, void *data);
  /* An iteration begins; `variables` has one value for each of the loop's. */
  void (*iteration)(void *context, int64_t loop, const int64_t *variables);
  /* The first element of the box, then that of the other one where there is one. */
  void (*access)(void *context, int64_t site, const int64_t *offsets);
  /* A scalar that was computed, then the operands that it was computed from. */
  void (*value)(void *context, int64_t site, int64_t count, const double *values);
} tw_checks_v1;

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_CHECKS_H */
