/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 *
 * Launches one kernel of an artifact on memory that files hold.
 *
 * usage: launch ARTIFACT FILE...
 *
 * The arguments come on standard input, each as numbers that a space or line end follows:
 *
 *   0 DTYPE FILE OFFSET RANK EXTENT... STRIDE...   a tensor, strides in elements
 *   1 DTYPE BITS                                   a scalar
 *   2 FILE                                         an output, into a new file
 *
 * Files are mapped and shared, so that what the kernel writes is in them afterwards. Of an
 * output DTYPE RANK EXTENT... goes to standard output. The message of a failure goes to
 * standard error; the exit status is then tw_status.
 */
#include "tilewright/runtime.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST = 256 }; /* parameters */

static void require(tw_status status) {
  if (status) {
    fprintf(stderr, "%s\n", tw_last_error());
    exit(status);
  }
}

static int64_t read_number(void) {
  int64_t number;
  if (scanf("%" SCNd64, &number) != 1) {
    fprintf(stderr, "a number is missing\n");
    exit(TW_ERROR_INVALID);
  }
  return number;
}

/* All of a file; with `bytes` other than 0 of a new one of that size. */
static char *map_file(const char *path, int64_t bytes) {
  struct stat facts;
  int file = open(path, O_RDWR | (bytes ? O_CREAT : 0), 0600);
  if (file < 0 || (bytes && ftruncate(file, bytes) != 0) || fstat(file, &facts) != 0) {
    perror(path);
    exit(TW_ERROR_INVALID);
  }
  char *memory =
      mmap(NULL, facts.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (memory == MAP_FAILED) {
    perror(path);
    exit(TW_ERROR_MEMORY);
  }
  return memory;
}

/* A parameter's words of the signature: kind, name, dtype, rank, ... */
static const int64_t *row_of(const tw_kernel_info_v1 *info, uint64_t parameter) {
  return info->signature + TW_SIGNATURE_HEADER_WORDS +
         info->signature[3] * TW_SIGNATURE_SYMBOL_WORDS +
         parameter * TW_SIGNATURE_PARAM_WORDS;
}

/* Makes the memory of an output whose extents are in its words, and tells its shape. */
static void make_output(const tw_kernel_info_v1 *info, uint64_t parameter, uint64_t *word,
                        const char *path) {
  static const int64_t sizes[] = {1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 1, 1, 1, 1, 1, 1};
  const int64_t *row = row_of(info, parameter);
  int64_t dtype = row[2], rank = row[3], bytes = sizes[dtype];
  printf("%" PRId64 " %" PRId64, dtype, rank);
  for (int64_t d = 0; d < rank; ++d) {
    bytes *= word[1 + d];
    printf(" %" PRId64, (int64_t)word[1 + d]);
  }
  printf("\n");
  word[0] = (uint64_t)map_file(path, bytes ? bytes : 1);
}

int main(int count, char **paths) {
  if (count < 2) {
    fprintf(stderr, "usage: launch ARTIFACT FILE...\n");
    return TW_ERROR_INVALID;
  }
  tw_device *device;
  tw_module *module;
  const tw_kernel *kernel;
  require(tw_device_open("cpu", &device));
  require(tw_module_open(paths[1], &module));
  require(tw_module_kernel(module, device, &kernel));
  tw_kernel_info_v1 info = {.size = sizeof(info)};
  require(tw_kernel_info(kernel, &info));

  static tw_argument_v1 arguments[MOST];
  static int64_t shapes[MOST][2][TW_MAX_RANK];
  static uint64_t words[MOST * (1 + 2 * TW_MAX_RANK)];
  const char *outputs[MOST] = {NULL};
  for (uint64_t i = 0; i < info.parameter_count; ++i) {
    tw_argument_v1 *argument = &arguments[i];
    argument->size = sizeof(*argument);
    argument->kind = read_number();
    if (argument->kind == 2) {
      argument->kind = TW_PARAM_TENSOR;
      argument->flags = TW_ARGUMENT_ALLOCATE;
      outputs[i] = paths[2 + read_number()];
      continue;
    }
    argument->dtype = read_number();
    argument->device_type = 1;
    if (argument->kind == TW_PARAM_SCALAR) {
      argument->bits = read_number();
      continue;
    }
    char *memory = map_file(paths[2 + read_number()], 0);
    argument->data = memory + read_number();
    argument->rank = read_number();
    argument->extents = shapes[i][0];
    argument->strides = shapes[i][1];
    for (int part = 0; part < 2; ++part)
      for (int d = 0; d < argument->rank; ++d)
        shapes[i][part][d] = read_number();
  }
  require(tw_check_arguments(kernel, arguments, info.parameter_count, words));
  uint64_t *word = words;
  for (uint64_t i = 0; i < info.parameter_count; ++i) {
    if (outputs[i])
      make_output(&info, i, word, outputs[i]);
    const int64_t *row = row_of(&info, i);
    word += row[0] == TW_PARAM_SCALAR ? 1 : 1 + 2 * row[3];
  }
  require(tw_launch_words(kernel, NULL, words));
  tw_module_close(module);
  tw_device_close(device);
  return TW_OK;
}
