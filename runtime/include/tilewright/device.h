/*===- tilewright/device.h - Devices, memory, streams, graphs -------------- ===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * What a program needs of the runtime beside launching kernels. Functions that can fail
 * return a tw_status; the message of the calling thread's last failure is
 * tw_last_error(). Nothing here exits, throws or prints. Every function may be called
 * from any thread. Structures that the caller fills in start with their size.
 *
 * The headers of libraries that are built ahead of time hold a copy of this one in which
 * the names begin with the library's own.
 */
#ifndef TILEWRIGHT_DEVICE_H
#define TILEWRIGHT_DEVICE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- begin of what libraries' headers copy ---- */

#define TW_API __attribute__((visibility("default")))

typedef enum tw_status {
  TW_OK = 0,
  TW_ERROR_INVALID = 1,     /* a call that breaks a rule of this header */
  TW_ERROR_ARGUMENT = 2,    /* launch arguments that do not fit the signature */
  TW_ERROR_ARTIFACT = 3,    /* a file that is no usable artifact */
  TW_ERROR_UNSUPPORTED = 4, /* a device or target that this build or machine lacks */
  TW_ERROR_MEMORY = 5,      /* no memory left */
  TW_ERROR_FAULT = 6,       /* a kernel reported a fault */
  TW_ERROR_INTERRUPTED = 7, /* the interrupt check ended a launch */
  TW_ERROR_DRIVER = 8       /* a GPU's driver refused a call; the message has its text */
} tw_status;

/* The message of this thread's last failed call; "" before there is one. Valid until
 * the thread's next failure. */
TW_API const char *tw_last_error(void);

/* Where that call was the launch of a kernel compiled for checking, and it broke rules:
 * the faults, as a JSON array whose fields docs/checking.md lists. Else "". */
TW_API const char *tw_last_faults(void);

/* TW_ABI_VERSION of the library that is running. */
TW_API uint64_t tw_abi_version(void);

/* ---- devices --------------------------------------------------------------- */

typedef struct tw_device tw_device;
typedef struct tw_stream tw_stream;

/* `name` is "cpu" or a backend with an optional target: "cuda:sm_90a",
 * "cuda-emulator:sm_80", "hip:gfx942", ... Each open device is closed as often as it was
 * opened, after its streams, and before or after modules; docs/abi.md has more. */
TW_API tw_status tw_device_open(const char *name, tw_device **device);
TW_API void tw_device_close(tw_device *device);

typedef struct tw_device_info_v1 {
  uint64_t size;    /* sizeof(tw_device_info_v1), set by the caller */
  const char *name; /* with its target: "cuda-emulator:sm_80" */
  /* The best target whose code it runs: "cuda:sm_90a" of an H100. */
  const char *target;
  int32_t device_type; /* of its memory, as DLPack numbers them */
  int32_t device_id;
  /* Of an emulated GPU: how many instructions its warps or waves have executed in this
   * process until now. -1 where a device does not count. */
  int64_t instructions;
} tw_device_info_v1;

/* The strings live as long as the device. */
TW_API tw_status tw_device_info(tw_device *device, tw_device_info_v1 *info);

/* Waits for all work that was given to the device. */
TW_API tw_status tw_device_synchronize(tw_device *device);

/* Device memory, aligned to 64 bytes. Zero bytes give a pointer that may be freed. */
TW_API tw_status tw_memory_allocate(tw_device *device, uint64_t bytes, void **memory);
TW_API tw_status tw_memory_free(tw_device *device, void *memory);

/* In the order of the stream; NULL is the device's default stream, on which copies and
 * fills are complete when the call returns. `from` and `to` may each be host or device
 * memory. Host memory must stay until a stream has come past it. */
TW_API tw_status tw_memory_copy(tw_device *device, tw_stream *stream, void *to,
                                const void *from, uint64_t bytes);
TW_API tw_status tw_memory_fill(tw_device *device, tw_stream *stream, void *memory,
                                uint8_t value, uint64_t bytes);

/* Work on one stream runs in order. Errors may arrive at synchronisation. */
TW_API tw_status tw_stream_create(tw_device *device, tw_stream **stream);
/* A stream that was made by the device's driver, as PyTorch's are: a CUstream or a
 * hipStream_t, NULL for its default one. It stays its owner's; tw_stream_destroy gives
 * back what is made here. */
TW_API tw_status tw_stream_wrap(tw_device *device, void *native, tw_stream **stream);
TW_API tw_status tw_stream_synchronize(tw_stream *stream);
TW_API void tw_stream_destroy(tw_stream *stream);

/* ---- graphs ------------------------------------------------------------------- */

/* Work that is given to a stream once and then run as often as one likes. On a GPU that
 * is the driver's graph, which one call starts. */
typedef struct tw_graph tw_graph;

/* From here to tw_graph_end launches, copies and fills that are given to this stream are
 * noted instead of done, without regard to what it was given before. On a GPU a launch
 * fails of a kernel that prints or asserts, or with tensors in host memory; what was
 * noted before stays. Nobody can wait for the stream meanwhile. */
TW_API tw_status tw_graph_begin(tw_stream *stream);
/* Gives the graph. It fails where the driver has ended the graph before, or a launch
 * failed halfway; the stream can be used again all the same. */
TW_API tw_status tw_graph_end(tw_stream *stream, tw_graph **graph);
/* Runs it all, in the order of the stream; NULL is the device's default one. The
 * addresses and numbers are those of the launches that were noted: kernels and memory
 * must still be there, until the work is done. On the CPU a step that fails ends the
 * call. */
TW_API tw_status tw_graph_launch(tw_graph *graph, tw_stream *stream);
/* Before its device is closed. */
TW_API void tw_graph_destroy(tw_graph *graph);

/* ---- process-wide settings ---------------------------------------------------- */

/* How many threads a launch may use, the caller included. Zero restores the default:
 * TILEWRIGHT_NUM_THREADS, else the number of CPUs this process may run on. Results do
 * not depend on it. */
TW_API void tw_set_num_threads(int32_t threads);
TW_API int32_t tw_num_threads(void);

/* Receives the lines that kernels print, without line ends, from any thread and
 * without order between blocks. NULL restores the default, standard output. */
typedef void (*tw_print_handler)(const char *line, void *user);
TW_API void tw_set_print_handler(tw_print_handler handler, void *user);

/* Asked by the launching thread, between blocks and about ten times a second, whether
 * the launch shall end: a number other than 0 ends it with TW_ERROR_INTERRUPTED as soon
 * as the blocks that are running have ended. What the kernel writes is then partly
 * written; device and kernel can be used again. A program that is to heed Ctrl-C returns
 * here what its handler of SIGINT has set. NULL, the default, asks nothing. */
typedef int32_t (*tw_interrupt_check)(void *user);
TW_API void tw_set_interrupt_check(tw_interrupt_check check, void *user);

/* ---- tensors -------------------------------------------------------------------- */

/* A tensor in memory of the host or of a device. The layout is that of DLPack's DLTensor:
 * a pointer to one may be passed in its place. Elements of less than a byte are bytes of
 * TW_DL_UINT with two elements each, or TW_DL_FLOAT4 with lanes = 2. */
typedef struct tw_tensor {
  void *data;
  int32_t device_type; /* 1 host, 2 CUDA, 10 ROCm, as DLPack numbers them */
  int32_t device_id;
  int32_t rank;
  uint8_t type_code; /* tw_type_code */
  uint8_t type_bits; /* of an element */
  uint16_t type_lanes;
  const int64_t *shape;
  const int64_t *strides; /* in elements; NULL where the tensor is contiguous */
  uint64_t byte_offset;   /* of the first element from `data` */
} tw_tensor;

/* Kinds of elements, as DLPack numbers them. */
typedef enum tw_type_code {
  TW_DL_INT = 0,
  TW_DL_UINT = 1,
  TW_DL_FLOAT = 2,
  TW_DL_BFLOAT = 4,
  TW_DL_BOOL = 6,
  TW_DL_FLOAT8_E4M3B11FNUZ = 9,
  TW_DL_FLOAT8_E4M3FN = 10,
  TW_DL_FLOAT8_E4M3FNUZ = 11,
  TW_DL_FLOAT8_E5M2 = 12,
  TW_DL_FLOAT8_E5M2FNUZ = 13,
  TW_DL_FLOAT8_E8M0FNU = 14,
  TW_DL_FLOAT4_E2M1FN = 17
} tw_type_code;

/* ---- end of what libraries' headers copy ---- */

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_DEVICE_H */
