/*===- tilewright/runtime.h - The runtime's C API -------------------------- ===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * Artifacts, argument checks and launches; device.h has the rest, and the rules that hold
 * for all of it.
 */
#ifndef TILEWRIGHT_RUNTIME_H
#define TILEWRIGHT_RUNTIME_H

#include "tilewright/abi.h"
#include "tilewright/device.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- modules and kernels ---------------------------------------------------- */

typedef struct tw_module tw_module;
typedef struct tw_kernel tw_kernel;

/* Loads the artifact at `path`. A truncated or foreign file is an error. */
TW_API tw_status tw_module_open(const char *path, tw_module **module);
/* An artifact that is linked into the program. It must outlive the module. */
TW_API tw_status tw_module_from_artifact(const tw_artifact_v1 *artifact,
                                         tw_module **module);
TW_API void tw_module_close(tw_module *module);

/* The artifact's kernel for a device: its first image that the device can run. The
 * kernel lives as long as the module; a GPU stays open as long as there are kernels for
 * it. */
TW_API tw_status tw_module_kernel(tw_module *module, tw_device *device,
                                  const tw_kernel **kernel);

typedef struct tw_kernel_info_v1 {
  uint64_t size; /* sizeof(tw_kernel_info_v1), set by the caller */
  const char *name;
  const char *target; /* of the chosen image */
  const char *manifest;
  const int64_t *signature;
  uint64_t parameter_count;
  uint64_t word_count; /* of the words that a launch takes */
} tw_kernel_info_v1;

TW_API tw_status tw_kernel_info(const tw_kernel *kernel, tw_kernel_info_v1 *info);

/* ---- launches ---------------------------------------------------------------- */

typedef enum tw_argument_flags {
  TW_ARGUMENT_READ_ONLY = 1, /* the memory may not be written */
  /* The caller will allocate it: only `size`, `kind` and `flags` are read, and the
   * check fills in the argument's words but for the pointer. */
  TW_ARGUMENT_ALLOCATE = 2
} tw_argument_flags;

typedef struct tw_argument_v1 {
  uint64_t size; /* sizeof(tw_argument_v1): also the step of an array of arguments */
  int32_t kind;  /* tw_param_kind */
  int32_t dtype; /* a tensor's tw_dtype, -1 for others; of a scalar TW_BOOL, TW_I64,
                  * TW_U64 or TW_F64: converted to the parameter's, if that can hold it */
  uint64_t bits; /* a scalar's value */
  void *data;
  /* Of elements; where these share bytes (TW_F4E2M1FN), of bytes along the last
   * dimension. Bytes of TW_U8 may be given for such a parameter as well. */
  const int64_t *extents;
  const int64_t *strides; /* in elements, or such bytes; NULL is contiguous */
  int32_t rank;
  int32_t flags;
  int32_t device_type; /* as DLPack numbers them: 1 CPU, 2 CUDA, 10 ROCm */
  int32_t device_id;
  const char *dtype_name; /* for messages where dtype is -1; may be NULL */
} tw_argument_v1;

/* Checks arguments against the kernel's signature and writes `words` (word_count of
 * them) for tw_launch_words. The message of TW_ERROR_ARGUMENT names the argument, what
 * was expected and what came. */
TW_API tw_status tw_check_arguments(const tw_kernel *kernel,
                                    const tw_argument_v1 *arguments, uint64_t count,
                                    uint64_t *words);

/* Starts the kernel with checked words, whose tensors are in the device's memory. NULL is
 * the device's default stream. */
TW_API tw_status tw_launch_words(const tw_kernel *kernel, tw_stream *stream,
                                 const uint64_t *words);

/* The same with tensors that may be elsewhere: `device_types` says for each parameter
 * where, as DLPack numbers them (a scalar's is not read). For a GPU's kernel those in
 * host memory are copied to the device, and what the kernel writes is copied back before
 * the call returns; where there is none, the call is tw_launch_words. */
TW_API tw_status tw_launch_placed(const tw_kernel *kernel, tw_stream *stream,
                                  const uint64_t *words, const int32_t *device_types);

/* tw_check_arguments and tw_launch_placed. */
TW_API tw_status tw_launch(const tw_kernel *kernel, tw_stream *stream,
                           const tw_argument_v1 *arguments, uint64_t count);

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_RUNTIME_H */
