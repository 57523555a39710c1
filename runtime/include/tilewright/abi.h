/*===- tilewright/abi.h - What compiled kernels and the runtime agree on ------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * Version 1. The prose is in docs/abi.md. Every structure starts with its size,
 * so that a newer side can tell what an older one knows.
 */
#ifndef TILEWRIGHT_ABI_H
#define TILEWRIGHT_ABI_H

#include "tilewright/checks.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TW_ABI_VERSION 1

/* ---- dtypes --------------------------------------------------------------- */

typedef enum tw_dtype {
  TW_BOOL = 0, /* one byte, 0 or 1 */
  TW_I8 = 1,
  TW_I16 = 2,
  TW_I32 = 3,
  TW_I64 = 4,
  TW_U8 = 5,
  TW_U16 = 6,
  TW_U32 = 7,
  TW_U64 = 8,
  TW_F16 = 9,
  TW_BF16 = 10,
  TW_F32 = 11,
  TW_F64 = 12,
  TW_F8E4M3FN = 13,
  TW_F8E5M2 = 14,
  TW_F8E4M3FNUZ = 15,
  TW_F8E5M2FNUZ = 16,
  TW_F8E4M3B11FNUZ = 17,
  TW_F8E8M0FNU = 18, /* a power of two: the exponent of a float32 */
  TW_F4E2M1FN = 19   /* two to a byte along the last dimension, the even one low */
} tw_dtype;

/* ---- the host table: what a launch function may call ---------------------- */

typedef struct tw_grid_launch_v1 tw_grid_launch_v1;

/* One worker's share of a launch: linear blocks [begin, end), bx fastest. `arena`
 * is the worker's scratch memory, aligned to 64 bytes, contents undefined. */
typedef void (*tw_block_fn)(void *env, int64_t begin, int64_t end, void *arena);

/* Value kinds of `print`. */
typedef enum tw_print_kind {
  TW_PRINT_NONE = 0,
  TW_PRINT_I64 = 1,
  TW_PRINT_U64 = 2,
  TW_PRINT_F64 = 3
} tw_print_kind;

/* A print or assertion of a device image's kernels. */
typedef struct tw_message_site_v1 {
  uint64_t size; /* sizeof(tw_message_site_v1) */
  const char *message;
  const char *where; /* "file:line:column" */
  int32_t kind;      /* tw_print_kind of the value */
  int32_t is_fault;  /* an assertion */
} tw_message_site_v1;

typedef struct tw_host_v1 {
  uint64_t size; /* sizeof(tw_host_v1) as the caller knows it */
  /* Runs blocks [0, count) on the device's workers and returns when all are done.
   * 0, or a tw_status. */
  int32_t (*parallel_for)(void *context, int64_t count, tw_block_fn fn, void *env,
                          int64_t arena_bytes);
  /* Global memory, 64-byte aligned, freed when the launch ends; NULL when there is
   * none (the context then holds the error, and parallel_for runs nothing more). */
  void *(*workspace)(void *context, int64_t bytes);
  /* `bits` holds the value as the kind says (a double's bits for F64). */
  void (*print)(void *context, const char *message, int32_t kind, uint64_t bits,
                int64_t block);
  /* Records a fault; the first one of a launch is reported. `where` is
   * "file:line:column". */
  void (*fault)(void *context, const char *message, const char *where, int64_t block);
  /* Starts a grid of a device image's kernel on the launch's stream; 0, or a
   * tw_status. Native code of a CPU image has no use for it, and the CPU refuses. */
  int32_t (*launch_grid)(void *context, const tw_grid_launch_v1 *launch);
  /* What kernels compiled for checking call; NULL where the device has no checker. */
  const tw_checks_v1 *checks;
  /* Device memory through which kernels print and fail, in 64-bit words: [0] the number
   * of records asked for, [1] the capacity in records, [2] the lowest fault as
   * block << 16 | site (all ones: none), [3] 0; then records of three words: site,
   * linear block, bits of the value. NULL on the CPU. */
  void *(*messages)(void *context, const tw_message_site_v1 *sites, int64_t count);
} tw_host_v1;

/* One grid of a device image's kernel. */
struct tw_grid_launch_v1 {
  uint64_t size;     /* sizeof(tw_grid_launch_v1) */
  const char *entry; /* the kernel's name in the image */
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t cluster[3]; /* 1, 1, 1 where there are no clusters */
  uint32_t shared_bytes;
  void *stream; /* the device's own stream; NULL is the launch's */
  /* By value, as the entry lays them out; tensor maps take 128 bytes, aligned to 64. */
  const void *parameters;
  uint64_t parameter_bytes;
};

/* A launch function. `words` holds, for each parameter in order: a tensor's data
 * pointer, its extents, its strides in elements; a scalar's value (integers
 * sign- or zero-extended, floats as the bits of their own type). */
typedef int32_t (*tw_launch_fn)(const tw_host_v1 *host, void *context,
                                const uint64_t *words);

/* ---- the signature: a relocation-free table of 64-bit words --------------- */

/* Layout of the table, in int64_t words:
 *   header:  TW_SIGNATURE_MAGIC, total words, parameter count, symbol count,
 *            string bytes' offset (in words), string bytes' length,
 *            words that a launch takes, 0
 *   symbol:  name (string offset), minimum, maximum, multiple_of   (each symbol)
 *   param:   kind, name (string offset), dtype, rank, flags, alignment (bytes),
 *            first dim (word offset of its dims), alias            (each parameter)
 *   dims:    per dimension: extent kind, extent value; then per dimension:
 *            stride kind, stride value
 *   expressions: text (string offset), steps, then per step: kind, value
 *   strings: UTF-8, each ending in a zero byte
 * An extent is TW_DIM_CONST (value), TW_DIM_SYMBOL (symbol index) or
 * TW_DIM_EXPRESSION (word offset of an expression, whose steps are in postfix order:
 * operands are pushed, an operator takes two of them for its result). A stride, in
 * elements, is one of these, TW_DIM_CONTIGUOUS (the next dimension's stride times
 * its extent; 1 for the last one) or TW_DIM_ANY. Dims take 4 * rank words; the
 * strides' entries follow the extents'. A scalar parameter has no dims; where it
 * defines a symbol its rank is -1 - symbol, else 0. A maximum of -1 is no bound. `alias` is 0, or 1 + the index of the parameter whose memory this one may
 * be: where the two share any memory, they are the same elements. Without it, what a
 * kernel writes overlaps no other argument. */
#define TW_SIGNATURE_MAGIC 0x0000314749535754 /* "TWSIG1" */
#define TW_SIGNATURE_HEADER_WORDS 8
#define TW_SIGNATURE_SYMBOL_WORDS 4
#define TW_SIGNATURE_PARAM_WORDS 8
#define TW_MAX_RANK 16
#define TW_MAX_EXPRESSION_STEPS 64

typedef enum tw_param_kind { TW_PARAM_TENSOR = 0, TW_PARAM_SCALAR = 1 } tw_param_kind;

typedef enum tw_param_flags {
  TW_PARAM_READ = 1, /* the kernel reads it */
  TW_PARAM_WRITE = 2 /* the kernel writes it */
} tw_param_flags;

typedef enum tw_dim_kind {
  TW_DIM_CONST = 0,
  TW_DIM_SYMBOL = 1,
  TW_DIM_CONTIGUOUS = 2,
  TW_DIM_ANY = 3,
  TW_DIM_EXPRESSION = 4
} tw_dim_kind;

/* A step of an expression. Division and remainder round down; a divisor of zero, and a
 * result of more than 64 bits, fit no launch. */
typedef enum tw_step_kind {
  TW_STEP_CONST = 0,  /* value */
  TW_STEP_SYMBOL = 1, /* symbol index */
  TW_STEP_ADD = 2,
  TW_STEP_SUB = 3,
  TW_STEP_MUL = 4,
  TW_STEP_FLOORDIV = 5,
  TW_STEP_MOD = 6,
  TW_STEP_CEILDIV = 7,
  TW_STEP_MIN = 8,
  TW_STEP_MAX = 9
} tw_step_kind;

/* ---- the artifact ---------------------------------------------------------- */

/* A device image inside an artifact. For a CPU image `launch` is native code of
 * the artifact itself and `data` is NULL. For a GPU's, `launch` starts grids of what
 * `data` holds: PTX text that ends in a zero byte, a cubin, or a code object. */
typedef struct tw_image_v1 {
  const char *target; /* "cpu:znver4", "cuda:sm_90a", ... */
  tw_launch_fn launch;
  const void *data;
  uint64_t data_size;
  /* The instruction-set extensions that the code uses, as LLVM names them, with commas
   * between: "avx2,fma"; NULL or "" for none. */
  const char *features;
} tw_image_v1;

/* The one symbol an artifact exports: `tw_artifact`. */
typedef struct tw_artifact_v1 {
  uint64_t size;    /* sizeof(tw_artifact_v1) */
  uint64_t version; /* TW_ABI_VERSION */
  const char *name; /* the kernel's name */
  const int64_t *signature;
  const char *manifest; /* JSON */
  uint64_t image_count;
  const tw_image_v1 *images;
} tw_artifact_v1;

#define TW_ARTIFACT_SYMBOL "tw_artifact"

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_ABI_H */
