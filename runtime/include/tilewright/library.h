/*===- tilewright/library.h - Libraries that are built ahead of time ----------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * What `tilewright build` writes into a library, and what the functions that it exports
 * call. Users of a library have its own header; the prose is in docs/libraries.md.
 */
#ifndef TILEWRIGHT_LIBRARY_H
#define TILEWRIGHT_LIBRARY_H

#include "tilewright/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One build of a function: a kernel with its compile-time arguments, compiled for each
 * target. Of its artifacts for one kind of device, those that ask more of it come first.
 */
typedef struct tw_build_v1 {
  const char *name;
  uint64_t artifact_count;
  const tw_artifact_v1 *const *artifacts;
} tw_build_v1;

/* What a process knows of a function; zeroes where the library begins. */
typedef struct tw_function_state_v1 {
  void *bound;   /* kernels by device */
  uint64_t only; /* 1 + the build that alone is considered; 0: all are */
} tw_function_state_v1;

/* A function of the library. Its builds have the same parameters, but for dtypes, ranks
 * and sizes of tensors. */
typedef struct tw_function_v1 {
  const struct tw_library_v1 *library;
  const char *name;
  uint64_t build_count;
  const tw_build_v1 *builds;
  tw_function_state_v1 *state;
} tw_function_v1;

/* The fingerprints of a shared library's code and constants, with which these are
 * compared when a function is first called. What builds the library finds the seal by its
 * magic. */
#define TW_SEAL_MAGIC "tilewright seal"
typedef struct tw_seal_v1 {
  char magic[16];
  uint64_t is_set;          /* 0 in an archive, whose code is linked by others */
  uint64_t fingerprints[2]; /* of tw_library_v1.ranges */
  uint64_t is_whole;        /* what a comparison came to */
} tw_seal_v1;

typedef struct tw_library_v1 {
  uint64_t size;    /* sizeof(tw_library_v1) */
  uint64_t version; /* TW_ABI_VERSION */
  const char *name;
  const char *release;  /* the library's own version */
  const char *manifest; /* JSON; its schema is docs/manifest.schema.json */
  uint64_t function_count;
  const tw_function_v1 *functions;
  const char *ranges[2][2]; /* of code and of constants: begin and end */
  tw_seal_v1 *seal;
} tw_library_v1;

/* The symbol by which a shared library is known. */
#define TW_LIBRARY_SYMBOL "tw_library"

/* The library at `path`, which stays loaded. */
TW_API tw_status tw_library_open(const char *path, const tw_library_v1 **library);

/* In what follows `arguments` are pointers, one for each parameter: of a tensor to its
 * tw_tensor; of a scalar to an int32_t (for parameters of bool, int8, int16 and int32), a
 * uint32_t (uint8, uint16, uint32), an int64_t, a uint64_t, a float (float16, bfloat16,
 * float32) or a double. `stream` is that of a device; NULL is the default one of the
 * device that has the tensors, which is the host where all are in its memory. */

/* Launches the function's first build that takes the arguments. */
TW_API tw_status tw_library_launch(const tw_function_v1 *function, tw_stream *stream,
                                   const void *const *arguments);

/* Writes to `text`, of `size` bytes, which build a launch would take and why, and why it
 * would not take those before it. */
TW_API tw_status tw_library_explain(const tw_function_v1 *function, tw_stream *stream,
                                    const void *const *arguments, char *text,
                                    uint64_t size);

/* The bytes of memory that a launch allocates and frees again, apart from its threads'
 * scratch memory. */
TW_API tw_status tw_library_workspace(const tw_function_v1 *function, tw_stream *stream,
                                      const void *const *arguments, uint64_t *bytes);

/* Launches as tw_library_launch does, but takes that memory from `workspace`, of `bytes`
 * bytes and aligned to 64, where the kernel runs. It is not used before the call, and
 * free again when the launch has run. NULL where none is needed. */
TW_API tw_status tw_library_launch_with_workspace(const tw_function_v1 *function,
                                                  tw_stream *stream,
                                                  const void *const *arguments,
                                                  void *workspace, uint64_t bytes);

/* From here on the function named `function` has this build alone; all where it is NULL.
 */
TW_API tw_status tw_library_choose(const tw_library_v1 *library, const char *function,
                                   const char *build);

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_LIBRARY_H */
