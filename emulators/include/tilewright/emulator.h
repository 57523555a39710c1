/*===- tilewright/emulator.h - GPU programs on any machine: the C API ------------===*
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 *===----------------------------------------------------------------------===*
 *
 * An emulated device executes a program and says what it does wrong. There is a library for
 * each vendor's programs, and both have this interface: libtilewright_ptx_emulator.so executes
 * NVIDIA's PTX text, libtilewright_amdgpu_emulator.so AMD's linked code objects.
 *
 * Functions that can fail return a tw_emulator_status; the message of the calling thread's
 * last failure is tw_emulator_last_error(). Nothing here exits, throws or prints. Calls for one
 * device may come from any thread and go one after another. A structure starts with its size as
 * the caller knows it, so that programs built with an older header go on working; what the
 * caller does not know is as it is where zero. Text that a call gives in a `char **` is the
 * caller's, to be freed with tw_emulator_text_free.
 *
 * What is called block, thread, warp and shared memory is work-group, work-item, wave and LDS
 * on AMD's devices.
 *
 * Addresses are the device's: numbers that only these calls and emulated programs
 * understand. An emulated program cannot touch the memory of its host.
 */
#ifndef TILEWRIGHT_EMULATOR_H
#define TILEWRIGHT_EMULATOR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define TW_EMULATOR_API __attribute__((visibility("default")))
#define TW_EMULATOR_API_VERSION 1

typedef enum tw_emulator_status {
  TW_EMULATOR_OK = 0,
  TW_EMULATOR_ERROR_INVALID = 1,   /* a call that breaks a rule of this header, or a launch that
                               * no device would take */
  TW_EMULATOR_ERROR_MEMORY = 2,    /* no memory left, of the device or of the host */
  TW_EMULATOR_ERROR_SYNTAX = 3,    /* no program, or one that uses what is not modelled */
  TW_EMULATOR_ERROR_NOT_FOUND = 4, /* no kernel or variable of that name */
  TW_EMULATOR_ERROR_FAULT = 5      /* the program broke a rule; see the device's faults */
} tw_emulator_status;

/* The message of this thread's last failed call; "" before there is one. Valid until the
 * thread's next failure. `line` and `column`, which may be null, get the place in the PTX
 * text that it is about, or 0. */
TW_EMULATOR_API const char *tw_emulator_last_error(void);
TW_EMULATOR_API void tw_emulator_last_error_place(uint32_t *line, uint32_t *column);

/* TW_EMULATOR_API_VERSION of the library that is running. */
TW_EMULATOR_API uint32_t tw_emulator_api_version(void);

TW_EMULATOR_API void tw_emulator_text_free(char *text);

/* ---- devices --------------------------------------------------------------- */

typedef struct tw_emulator_device tw_emulator_device;

/* In which order warps of a block and blocks of a grid go. */
typedef enum tw_emulator_order {
  TW_EMULATOR_FORWARD = 0,
  TW_EMULATOR_REVERSE = 1,
  TW_EMULATOR_SHUFFLED = 2 /* by `seed` */
} tw_emulator_order;

/* What is checked beside what a run needs to go on: the bits to turn checks off, or on
 * those that are off by default. */
typedef enum tw_emulator_checks {
  TW_EMULATOR_NO_UNINITIALISED = 1, /* undefined data may reach addresses, branches, the host */
  TW_EMULATOR_NO_SHARED_RACES = 2,
  TW_EMULATOR_NO_PROXY_FENCES = 4,
  TW_EMULATOR_GLOBAL_RACES = 8,   /* races on global memory, too */
  TW_EMULATOR_COUNT_BY_LINE = 16, /* statistics by line of the text, bank conflicts, sectors */
  TW_EMULATOR_TIME_PRODUCTS = 32, /* the host's time in matrix instructions */
  TW_EMULATOR_NO_LANE_RACES = 64  /* lanes of an NVIDIA warp taken to go in lockstep */
} tw_emulator_checks;

typedef struct tw_emulator_device_options_v1 {
  uint64_t size;          /* sizeof(tw_emulator_device_options_v1) */
  const char *arch;       /* "sm_80", "sm_86", "sm_89", "sm_90" or "sm_90a" */
  uint64_t memory_bytes;  /* that may be allocated at once; 0: 64 GiB */
  uint32_t threads;       /* of the host that run blocks; 0: all */
  uint32_t checks;        /* tw_emulator_checks */
  uint32_t order;         /* tw_emulator_order */
  uint32_t multiprocessors; /* that the program is told of; 0: 132 */
  uint64_t seed;
  uint64_t max_steps;     /* instructions that a warp may execute in a launch; 0: any */
} tw_emulator_device_options_v1;

TW_EMULATOR_API tw_emulator_status tw_emulator_device_create(const tw_emulator_device_options_v1 *options,
                                              tw_emulator_device **device);
/* Also ends the device's modules and memory. */
TW_EMULATOR_API void tw_emulator_device_destroy(tw_emulator_device *device);

/* ---- memory ------------------------------------------------------------------ */

/* New memory, never written, aligned to 256 bytes. `name` is what reports call it; it may
 * be null. Zero bytes give an address that may be freed and not accessed. */
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_allocate(tw_emulator_device *device, uint64_t bytes,
                                                const char *name, uint64_t *address);
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_free(tw_emulator_device *device, uint64_t address);
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_write(tw_emulator_device *device, uint64_t address,
                                             const void *from, uint64_t bytes);

typedef enum tw_emulator_read_flags {
  TW_EMULATOR_READ_ANYTHING = 1,     /* no report of undefined data */
  TW_EMULATOR_REPORT_NEVER_WRITTEN = 2 /* report bytes that nothing has written, too */
} tw_emulator_read_flags;

/* Copies to the host. Bytes that came from undefined data are copied and reported: the
 * call gives TW_EMULATOR_ERROR_FAULT and adds a fault to the device's. `flags` are
 * tw_emulator_read_flags. */
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_read(tw_emulator_device *device, void *to,
                                            uint64_t address, uint64_t bytes,
                                            uint32_t flags);
/* Writes `count` times the low `width` (1, 2 or 4) bytes of `value`. */
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_fill(tw_emulator_device *device, uint64_t address,
                                            uint32_t value, uint32_t width, uint64_t count);
/* Within the device, undefined data included. The ranges may overlap. */
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_copy(tw_emulator_device *device, uint64_t to,
                                            uint64_t from, uint64_t bytes);
/* The live allocation that holds `address`; TW_EMULATOR_ERROR_NOT_FOUND where none does. */
TW_EMULATOR_API tw_emulator_status tw_emulator_memory_find(tw_emulator_device *device, uint64_t address,
                                            uint64_t *base, uint64_t *bytes);
TW_EMULATOR_API uint64_t tw_emulator_memory_used(tw_emulator_device *device);
/* Sets how many bytes programs may allocate at once by malloc: 8 MiB at first. NVIDIA's only. */
TW_EMULATOR_API void tw_emulator_memory_set_heap(tw_emulator_device *device, uint64_t bytes);

/* ---- modules and kernels ------------------------------------------------------- */

typedef struct tw_emulator_module tw_emulator_module;
typedef struct tw_emulator_kernel tw_emulator_kernel;

/* Loads PTX text, which need not end in a zero byte, or a linked code object, or clang's bundle
 * of several, of which the device's is taken. */
TW_EMULATOR_API tw_emulator_status tw_emulator_module_load(tw_emulator_device *device, const char *text,
                                            uint64_t length, tw_emulator_module **module);
/* Frees the module, its kernels and its variables. */
TW_EMULATOR_API void tw_emulator_module_unload(tw_emulator_module *module);
TW_EMULATOR_API uint32_t tw_emulator_module_kernel_count(tw_emulator_module *module);
/* Null past the last. Kernels live as long as the module. */
TW_EMULATOR_API const tw_emulator_kernel *tw_emulator_module_kernel_at(tw_emulator_module *module,
                                                        uint32_t index);
TW_EMULATOR_API tw_emulator_status tw_emulator_module_kernel(tw_emulator_module *module, const char *name,
                                              const tw_emulator_kernel **kernel);
/* Where a variable of the module lies in global memory. */
TW_EMULATOR_API tw_emulator_status tw_emulator_module_variable(tw_emulator_module *module, const char *name,
                                                uint64_t *address, uint64_t *bytes);

typedef struct tw_emulator_kernel_info_v1 {
  uint64_t size; /* sizeof(tw_emulator_kernel_info_v1), set by the caller */
  const char *name;
  uint32_t parameter_count;
  uint32_t line;             /* in the text */
  uint64_t parameter_bytes;  /* of the block of parameters that a launch takes */
  uint64_t shared_bytes;     /* static */
  uint64_t local_bytes;      /* of a thread's frame */
  uint32_t registers;        /* of 32 bits: PTX's virtual ones, AMD's vector registers */
  uint32_t max_threads[3];   /* .maxntid; 0 where absent */
  uint32_t required_threads[3]; /* .reqntid */
  uint32_t required_cluster[3]; /* .reqnctapercluster */
} tw_emulator_kernel_info_v1;

TW_EMULATOR_API tw_emulator_status tw_emulator_kernel_info(const tw_emulator_kernel *kernel,
                                            tw_emulator_kernel_info_v1 *info);

typedef struct tw_emulator_parameter_v1 {
  uint64_t size; /* sizeof(tw_emulator_parameter_v1), set by the caller */
  const char *name;
  const char *type;   /* "u64", "f32", "b8" of the elements of an array */
  uint64_t offset;    /* in the block of parameters */
  uint64_t bytes;
  uint32_t align;
} tw_emulator_parameter_v1;

TW_EMULATOR_API tw_emulator_status tw_emulator_kernel_parameter(const tw_emulator_kernel *kernel,
                                                 uint32_t index,
                                                 tw_emulator_parameter_v1 *parameter);

/* ---- launches ------------------------------------------------------------------ */

typedef enum tw_emulator_launch_flags {
  TW_EMULATOR_COOPERATIVE = 1 /* blocks may wait for all others of the grid */
} tw_emulator_launch_flags;

/* One executed instruction of a traced warp: its line, and its text with what its
 * registers held. */
typedef void (*tw_emulator_trace_fn)(void *context, uint32_t line, const char *text);

typedef struct tw_emulator_launch_v1 {
  uint64_t size; /* sizeof(tw_emulator_launch_v1) */
  uint32_t grid[3];
  uint32_t block[3];
  uint32_t cluster[3]; /* 0 as 1; all 0 where the kernel's directive says */
  uint32_t shared_bytes; /* dynamic */
  uint32_t flags;        /* tw_emulator_launch_flags */
  uint32_t trace_warp;   /* of block `trace_block`, where `trace` is not null */
  uint32_t trace_block[3];
  const void *parameters; /* laid out as tw_emulator_kernel_parameter says */
  uint64_t parameter_bytes;
  tw_emulator_trace_fn trace;  /* called from a thread of the emulator */
  void *trace_context;
} tw_emulator_launch_v1;

/* Runs a grid to its end. TW_EMULATOR_ERROR_FAULT where the program broke a rule: the message
 * is the faults' text, and the device keeps them. Memory holds what the grid has written
 * until then. */
TW_EMULATOR_API tw_emulator_status tw_emulator_launch(const tw_emulator_kernel *kernel,
                                       const tw_emulator_launch_v1 *launch);

/* What the last launch of the device executed, as JSON: totals, executions by opcode, and
 * by line of the text where TW_EMULATOR_COUNT_BY_LINE is set. `product_seconds`, of all threads
 * of the host, is 0 unless TW_EMULATOR_TIME_PRODUCTS is set. */
TW_EMULATOR_API tw_emulator_status tw_emulator_report(tw_emulator_device *device, char **json);
/* Instructions of warps or waves that all launches of the device have executed. */
TW_EMULATOR_API uint64_t tw_emulator_instructions(tw_emulator_device *device);
/* What programs have printed since the last call. */
TW_EMULATOR_API tw_emulator_status tw_emulator_take_output(tw_emulator_device *device, char **text);

/* ---- faults --------------------------------------------------------------------- */

typedef struct tw_emulator_fault_v1 {
  uint64_t size;       /* sizeof(tw_emulator_fault_v1), set by the caller */
  const char *rule;    /* its name: "out-of-bounds" */
  const char *explanation; /* what the rule is */
  const char *message; /* what happened */
  const char *kernel;  /* "" for what happened at a read by the host */
  uint32_t block[3];
  uint32_t thread[3];
  uint32_t line;           /* in the PTX text; 0 where none */
  uint32_t source_line;    /* in `file`; 0 where nothing tells */
  const char *instruction;
  const char *file;        /* the source that the PTX was compiled from; "" */
  uint64_t repeated;       /* how many more times at this instruction */
} tw_emulator_fault_v1;

/* Faults since the device was made or they were last cleared. Their strings live until
 * then. */
TW_EMULATOR_API uint32_t tw_emulator_fault_count(tw_emulator_device *device);
TW_EMULATOR_API tw_emulator_status tw_emulator_fault(tw_emulator_device *device, uint32_t index,
                                      tw_emulator_fault_v1 *fault);
TW_EMULATOR_API tw_emulator_status tw_emulator_faults_text(tw_emulator_device *device, char **text);
TW_EMULATOR_API tw_emulator_status tw_emulator_faults_json(tw_emulator_device *device, char **json);
TW_EMULATOR_API void tw_emulator_faults_clear(tw_emulator_device *device);

/* ---- tensor maps (NVIDIA's only) ---------------------------------------------------- */

/* Numbered as the driver's own enumerations are. */
typedef enum tw_emulator_element {
  TW_EMULATOR_ELEMENT_U8 = 0,
  TW_EMULATOR_ELEMENT_U16 = 1,
  TW_EMULATOR_ELEMENT_U32 = 2,
  TW_EMULATOR_ELEMENT_S32 = 3,
  TW_EMULATOR_ELEMENT_U64 = 4,
  TW_EMULATOR_ELEMENT_S64 = 5,
  TW_EMULATOR_ELEMENT_F16 = 6,
  TW_EMULATOR_ELEMENT_F32 = 7,
  TW_EMULATOR_ELEMENT_F64 = 8,
  TW_EMULATOR_ELEMENT_BF16 = 9,
  TW_EMULATOR_ELEMENT_F32_FTZ = 10,
  TW_EMULATOR_ELEMENT_TF32 = 11,
  TW_EMULATOR_ELEMENT_TF32_FTZ = 12
} tw_emulator_element;

typedef struct tw_emulator_tensor_map_v1 {
  uint64_t size; /* sizeof(tw_emulator_tensor_map_v1) */
  uint64_t address;
  uint32_t element;    /* tw_emulator_element */
  uint32_t rank;       /* 1 to 5 */
  uint64_t extents[5]; /* in elements, the inner one first */
  uint64_t strides[4]; /* in bytes, of all but the inner one */
  uint32_t box[5];
  uint32_t element_strides[5]; /* 0 as 1 */
  uint32_t interleave; /* 0 none, 1 16 bytes, 2 32 bytes */
  uint32_t swizzle;    /* 0 none, 1 32 bytes, 2 64 bytes, 3 128 bytes */
  uint32_t fill;       /* outside the tensor: 0 zeros, 1 NaN */
  uint32_t l2_promotion; /* 0 to 3, of no consequence */
} tw_emulator_tensor_map_v1;

/* Fills 128 bytes at `map`, which a kernel takes by value in a parameter aligned to 64.
 * Only emulated programs understand them. */
TW_EMULATOR_API tw_emulator_status tw_emulator_tensor_map_encode(const tw_emulator_tensor_map_v1 *tensor,
                                                  void *map);

/* What an im2col map has instead of a box. Of the tensor's box, box[0] alone counts: the
 * channels of a pixel. */
typedef struct tw_emulator_im2col_v1 {
  uint64_t size;    /* sizeof(tw_emulator_im2col_v1) */
  int32_t lower[3]; /* corners of the pixels, of dimensions 1 to rank - 2 */
  int32_t upper[3];
  uint32_t pixels; /* of a column: 1 to 1024 */
} tw_emulator_im2col_v1;
TW_EMULATOR_API tw_emulator_status tw_emulator_tensor_map_encode_im2col(
    const tw_emulator_tensor_map_v1 *tensor, const tw_emulator_im2col_v1 *im2col, void *map);

/* Gives an encoded map another address. */
TW_EMULATOR_API tw_emulator_status tw_emulator_tensor_map_move(void *map, uint64_t address);

#ifdef __cplusplus
}
#endif

#endif /* TILEWRIGHT_EMULATOR_H */
