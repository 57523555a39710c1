/* Calls every kernel of libdsk from C and compares what it writes with stored references.
 *
 * usage: check_c REFERENCES [DEVICE]
 *
 * REFERENCES is a folder that references.py wrote. All tensors are in the host's memory:
 * a stream of DEVICE ("cpu", "cuda", "hip-emulator:gfx942", ...) says where the kernels
 * run, and the library copies what a GPU needs.
 *
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include "dsk.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ARRAYS 16

/* A tensor with its name and memory. */
struct array {
  char name[64];
  dsk_tensor tensor;
  int64_t shape[5];
  int is_output;
};

/* One call of a function: the arrays that it has asked for, and what explain said. */
struct call {
  const char *references, *name; /* name: FUNCTION-BUILD */
  dsk_stream *stream;
  int count;
  struct array arrays[MOST_ARRAYS];
  char explained[512];
};

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  va_end(arguments);
  fputc('\n', stderr);
  exit(1);
}

static void must(dsk_status status) {
  if (status != DSK_OK)
    fail("%s", dsk_last_error());
}

/* ---- arrays in files -------------------------------------------------------------- */

static uint64_t count_of(const dsk_tensor *tensor) {
  uint64_t count = 1;
  for (int32_t i = 0; i < tensor->rank; ++i)
    count *= (uint64_t)tensor->shape[i];
  return count;
}

static void *allocate(uint64_t bytes) {
  void *memory = aligned_alloc(64, (bytes / 64 + 1) * 64);
  if (!memory)
    fail("no memory for %llu bytes", (unsigned long long)bytes);
  return memory;
}

/* Opens the file of an array, and describes it but for its data. */
static FILE *open_array(const struct call *call, const char *file, struct array *array) {
  char path[4096];
  snprintf(path, sizeof path, "%s/%s/%s.bin", call->references, call->name, file);
  FILE *stream = fopen(path, "rb");
  int64_t head[8];
  if (!stream || fread(head, sizeof head, 1, stream) != 1 || head[2] < 0 || head[2] > 5)
    fail("cannot read %s", path);
  memset(&array->tensor, 0, sizeof array->tensor);
  array->tensor.device_type = 1;
  array->tensor.type_code = (uint8_t)head[0];
  array->tensor.type_bits = (uint8_t)head[1];
  array->tensor.type_lanes = 1;
  array->tensor.rank = (int32_t)head[2];
  memcpy(array->shape, head + 3, sizeof array->shape);
  array->tensor.shape = array->shape;
  return stream;
}

static void read_array(const struct call *call, const char *file, struct array *array) {
  FILE *stream = open_array(call, file, array);
  uint64_t bytes = count_of(&array->tensor) * array->tensor.type_bits / 8;
  array->tensor.data = allocate(bytes);
  if (fread(array->tensor.data, 1, bytes, stream) != bytes)
    fail("%s/%s: %s.bin is too short", call->references, call->name, file);
  fclose(stream);
}

/* ---- arguments ------------------------------------------------------------------- */

/* The array of this name that the call has, or a new one with no data. */
static struct array *array_of(struct call *call, const char *name) {
  for (int i = 0; i < call->count; ++i)
    if (strcmp(call->arrays[i].name, name) == 0)
      return &call->arrays[i];
  if (call->count == MOST_ARRAYS)
    fail("%s has too many arrays", call->name);
  struct array *array = &call->arrays[call->count++];
  memset(array, 0, sizeof *array);
  snprintf(array->name, sizeof array->name, "%s", name);
  return array;
}

static const dsk_tensor *input(struct call *call, const char *name) {
  struct array *array = array_of(call, name);
  if (!array->tensor.data)
    read_array(call, name, array);
  return &array->tensor;
}

/* An output of the reference's shape, all bits set: not a number until it is written. */
static const dsk_tensor *output(struct call *call, const char *name, dsk_type_code code,
                                uint8_t bits) {
  struct array *array = array_of(call, name);
  if (!array->tensor.data) {
    char file[80];
    snprintf(file, sizeof file, "%s.value", name);
    fclose(open_array(call, file, array));
    array->tensor.type_code = (uint8_t)code;
    array->tensor.type_bits = bits;
    array->is_output = 1;
    uint64_t bytes = count_of(&array->tensor) * bits / 8;
    array->tensor.data = allocate(bytes);
    memset(array->tensor.data, 0xff, bytes);
  }
  return &array->tensor;
}

static float scalar(struct call *call, const char *name) {
  return *(const float *)input(call, name)->data;
}

/* ---- the kernels ----------------------------------------------------------------- */

/* Asks which build the call takes, and makes the call. */
#define CALL(function, ...)                                                              \
  do {                                                                                   \
    must(function##_explain(call->explained, sizeof call->explained, call->stream,       \
                            __VA_ARGS__));                                               \
    must(function(call->stream, __VA_ARGS__));                                           \
  } while (0)
#define IN(name) input(call, name)
#define BF16(name) output(call, name, DSK_DL_BFLOAT, 16)
#define F32(name) output(call, name, DSK_DL_FLOAT, 32)
#define I32(name) output(call, name, DSK_DL_INT, 32)

static void mla_decode(struct call *call) {
  CALL(dsk_mla_decode, IN("Q"), IN("Cache"), IN("Lengths"), IN("Table"),
       scalar(call, "scale_log2"), BF16("Out"), F32("Lse"));
}

static void sparse_mla(struct call *call) {
  CALL(dsk_sparse_mla, IN("Q"), IN("KV"), IN("Indices"), IN("Length"), IN("Sink"),
       scalar(call, "scale_log2"), BF16("Out"), F32("MaxLogits"), F32("Lse"));
}

static void indexer(struct call *call) {
  CALL(dsk_indexer, IN("Q"), IN("Cache"), IN("Scale"), IN("Weights"), IN("Starts"),
       IN("Ends"), IN("Table"), F32("Logits"));
}

static void topk(struct call *call) {
  CALL(dsk_topk, IN("X"), IN("Starts"), IN("Ends"), I32("Indices"));
}

static void moe_gate(struct call *call) {
  CALL(dsk_moe_gate, IN("Logits"), IN("Bias"), F32("Weights"), I32("Ids"));
}

static void grouped_gemm(struct call *call) {
  CALL(dsk_grouped_gemm, IN("A"), IN("B"), IN("Offsets"), BF16("C"));
}

static void swiglu(struct call *call) { CALL(dsk_swiglu, IN("X"), BF16("Out")); }

static void moe_combine(struct call *call) {
  CALL(dsk_moe_combine, IN("Rows"), IN("Weights"), IN("Positions"), IN("Addend"),
       BF16("Out"));
}

static const struct {
  const char *name;
  void (*run)(struct call *);
} kernels[] = {
    {"mla_decode-h16", mla_decode},
    {"mla_decode-h128", mla_decode},
    {"sparse_mla-h16", sparse_mla},
    {"sparse_mla-h128", sparse_mla},
    {"indexer-f8", indexer},
    {"indexer-bf16", indexer},
    {"topk-default", topk},
    {"moe_gate-v2lite", moe_gate},
    {"moe_gate-v3", moe_gate},
    {"grouped_gemm-gate_up", grouped_gemm},
    {"grouped_gemm-down", grouped_gemm},
    {"swiglu-v2lite", swiglu},
    {"swiglu-v3", swiglu},
    {"moe_combine-v2lite", moe_combine},
    {"moe_combine-v3", moe_combine},
};

/* ---- results --------------------------------------------------------------------- */

static double number(const dsk_tensor *tensor, uint64_t i) {
  if (tensor->type_code == DSK_DL_BFLOAT) {
    uint32_t bits = (uint32_t)((const uint16_t *)tensor->data)[i] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
  }
  if (tensor->type_code == DSK_DL_INT)
    return ((const int32_t *)tensor->data)[i];
  return ((const float *)tensor->data)[i];
}

/* The largest error of an element of an output, as a share of its bound: infinite of a
 * wrong infinity or a NaN. */
static double error_of(const struct call *call, const struct array *array) {
  char file[80];
  struct array value = {0}, bound = {0};
  snprintf(file, sizeof file, "%s.value", array->name);
  read_array(call, file, &value);
  snprintf(file, sizeof file, "%s.bound", array->name);
  read_array(call, file, &bound);
  double worst = 0;
  uint64_t count = count_of(&array->tensor);
  for (uint64_t i = 0; i < count; ++i) {
    double got = number(&array->tensor, i),
           wanted = ((const double *)value.tensor.data)[i];
    if (got == wanted)
      continue;
    double share = fabs(got - wanted) / ((const double *)bound.tensor.data)[i];
    if (!(share <= worst))
      worst = isnan(share) ? INFINITY : share;
  }
  free(value.tensor.data);
  free(bound.tensor.data);
  return worst;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3)
    fail("usage: %s REFERENCES [DEVICE]", argv[0]);
  const char *name = argc == 3 ? argv[2] : "cpu";
  dsk_device *device;
  dsk_stream *stream;
  must(dsk_device_open(name, &device));
  must(dsk_stream_create(device, &stream));
  const int count = sizeof kernels / sizeof *kernels;
  int right = 0;
  for (int k = 0; k < count; ++k) {
    struct call call = {argv[1], kernels[k].name, stream, 0, {{{0}, {0}, {0}, 0}}, ""};
    kernels[k].run(&call);
    must(dsk_stream_synchronize(stream));
    double worst = 0;
    for (int i = 0; i < call.count; ++i) {
      const double error =
          call.arrays[i].is_output ? error_of(&call, &call.arrays[i]) : 0;
      worst = error > worst ? error : worst;
      free(call.arrays[i].tensor.data);
    }
    right += worst <= 1;
    call.explained[strcspn(call.explained, ",")] = 0; /* why comes after a comma */
    printf("%-60s error / bound %.3f\n", call.explained, worst);
  }
  dsk_stream_destroy(stream);
  dsk_device_close(device);
  printf("C on %s: %d of %d calls of libdsk are within their bounds\n", name, right,
         count);
  return right == count ? 0 : 1;
}
