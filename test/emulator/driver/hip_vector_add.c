/* Written for HIP's runtime: runs on a GPU, and unchanged on the emulator's stand-in.
 *
 * usage: hip_vector_add FILE.hsaco CASE, where CASE is one of the functions below. Kernels of
 * the file are in vector_add.hip.
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#define __HIP_PLATFORM_AMD__
#include <hip/hip_runtime_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 1000

static void check(hipError_t result, const char *what) {
  if (result == hipSuccess)
    return;
  printf("%s: %s\n", what, hipGetErrorName(result));
  exit(1);
}
#define CHECK(call) check(call, #call)

static void expect(int condition, const char *what) {
  if (condition)
    return;
  printf("not so: %s\n", what);
  exit(1);
}
#define EXPECT(condition) expect(condition, #condition)

static const char *path; /* of the code object */
static hipModule_t module;
static hipFunction_t add;
static float *x, *y, *out; /* of the device */
static float host_x[COUNT], host_y[COUNT], host_out[COUNT];
static int count = COUNT;
static void *params[] = {&out, &x, &y, &count};

static void prepare(void) {
  CHECK(hipModuleGetFunction(&add, module, "add"));
  CHECK(hipMalloc((void **)&x, sizeof(host_x)));
  CHECK(hipMalloc((void **)&y, sizeof(host_y)));
  CHECK(hipMalloc((void **)&out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i) {
    host_x[i] = (float)i;
    host_y[i] = 0.5f * (float)i;
  }
  CHECK(hipMemcpyHtoD(x, host_x, sizeof(host_x)));
  CHECK(hipMemcpy(y, host_y, sizeof(host_y), hipMemcpyHostToDevice));
  CHECK(hipMemsetD32(out, 0, COUNT));
}

static void check_out(void) {
  memset(host_out, 0, sizeof(host_out));
  CHECK(hipMemcpyDtoH(host_out, out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i)
    EXPECT(host_out[i] == 1.5f * (float)i);
}

static void clear(void) { CHECK(hipMemset(out, 0, sizeof(host_out))); }

static void launches(void) {
  hipStream_t stream;
  CHECK(hipStreamCreateWithFlags(&stream, hipStreamNonBlocking));
  CHECK(hipModuleLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, params, NULL));
  CHECK(hipStreamSynchronize(stream));
  check_out();

  /* All parameters in a buffer. */
  clear();
  struct {
    float *out, *x, *y;
    int n;
  } packed = {out, x, y, COUNT};
  size_t bytes = sizeof(packed);
  void *extra[] = {HIP_LAUNCH_PARAM_BUFFER_POINTER, &packed, HIP_LAUNCH_PARAM_BUFFER_SIZE,
                   &bytes, HIP_LAUNCH_PARAM_END};
  CHECK(hipModuleLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, 0, NULL, extra));
  check_out();
  bytes = 4;
  EXPECT(hipModuleLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, 0, NULL, extra) ==
         hipErrorInvalidValue);

  clear();
  hipLaunchAttribute attribute;
  memset(&attribute, 0, sizeof(attribute));
  attribute.id = hipLaunchAttributeCooperative;
  attribute.val.cooperative = 1;
  HIP_LAUNCH_CONFIG config = {8, 1, 1, 128, 1, 1, 0, stream, &attribute, 1};
  CHECK(hipDrvLaunchKernelEx(&config, add, params, NULL));
  check_out();

  clear();
  CHECK(hipModuleLaunchCooperativeKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, params));
  check_out();

  /* Dynamic LDS. */
  hipFunction_t reverse;
  void *arguments[] = {&out, &x};
  CHECK(hipModuleGetFunction(&reverse, module, "reverse"));
  CHECK(hipModuleLaunchKernel(reverse, 5, 1, 1, 200, 1, 1, 200 * 4, stream, arguments, NULL));
  CHECK(hipMemcpyDtoH(host_out, out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i)
    EXPECT(host_out[i] == host_x[i / 200 * 200 + 199 - i % 200]);
  EXPECT(hipModuleLaunchKernel(reverse, 5, 1, 1, 200, 1, 1, 1 << 20, stream, arguments,
                               NULL) == hipErrorInvalidValue);
  CHECK(hipStreamDestroy(stream));

  EXPECT(hipModuleLaunchKernel(add, 0, 1, 1, 128, 1, 1, 0, 0, params, NULL) ==
         hipErrorInvalidValue);
  EXPECT(hipModuleLaunchKernel(add, 1, 1, 1, 2048, 1, 1, 0, 0, params, NULL) ==
         hipErrorInvalidValue);
  EXPECT(hipModuleLaunchKernel(NULL, 1, 1, 1, 64, 1, 1, 0, 0, params, NULL) ==
         hipErrorInvalidHandle);
}

/* The last error stays until it is taken, whatever succeeds in between. */
static void errors(void) {
  (void)hipGetLastError();
  EXPECT(hipSetDevice(1) == hipErrorInvalidDevice);
  CHECK(hipSetDevice(0));
  EXPECT(hipPeekAtLastError() == hipErrorInvalidDevice);
  EXPECT(hipGetLastError() == hipErrorInvalidDevice);
  EXPECT(hipGetLastError() == hipSuccess);
  EXPECT(strcmp(hipGetErrorName(hipErrorInvalidDevice), "hipErrorInvalidDevice") == 0);
  EXPECT(strcmp(hipGetErrorString(hipErrorOutOfMemory), "out of memory") == 0);
  EXPECT(hipMemcpy(x, host_x, 4, (hipMemcpyKind)7) == hipErrorInvalidMemcpyDirection);
  EXPECT(hipMallocManaged((void **)&x, 4, 1) == hipErrorNotSupported);
}

static void graphs(void) {
  hipStream_t stream;
  hipGraph_t graph;
  hipGraphExec_t executable;
  hipStreamCaptureStatus status;
  CHECK(hipStreamCreate(&stream));
  CHECK(hipStreamBeginCapture(stream, hipStreamCaptureModeGlobal));
  CHECK(hipStreamIsCapturing(stream, &status));
  EXPECT(status == hipStreamCaptureStatusActive);
  CHECK(hipMemsetAsync(out, 0, sizeof(host_out), stream));
  CHECK(hipModuleLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, params, NULL));
  CHECK(hipStreamEndCapture(stream, &graph));
  CHECK(hipMemcpyDtoH(host_out, out, sizeof(host_out)));
  EXPECT(host_out[1] == 0);
  CHECK(hipGraphInstantiate(&executable, graph, NULL, NULL, 0));
  CHECK(hipGraphLaunch(executable, stream));
  CHECK(hipStreamSynchronize(stream));
  check_out();
  CHECK(hipGraphExecDestroy(executable));
  CHECK(hipGraphDestroy(graph));
  CHECK(hipStreamDestroy(stream));
}

static void events(void) {
  hipEvent_t from, to;
  float milliseconds = -1;
  CHECK(hipEventCreate(&from));
  CHECK(hipEventCreateWithFlags(&to, hipEventDefault));
  EXPECT(hipEventElapsedTime(&milliseconds, from, to) == hipErrorInvalidHandle);
  CHECK(hipEventRecord(from, 0));
  CHECK(hipModuleLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, 0, params, NULL));
  CHECK(hipEventRecord(to, 0));
  CHECK(hipEventQuery(to));
  CHECK(hipStreamWaitEvent(0, to, 0));
  CHECK(hipEventElapsedTime(&milliseconds, from, to));
  EXPECT(milliseconds > 0);
  CHECK(hipEventDestroy(to));
  EXPECT(hipEventDestroy(to) == hipErrorInvalidHandle);
}

static void memory(void) {
  hipPointerAttribute_t attributes;
  hipMemoryType type;
  hipDeviceptr_t base;
  size_t size, free, total;
  void *host = NULL;
  CHECK(hipPointerGetAttributes(&attributes, x + 4));
  EXPECT(attributes.type == hipMemoryTypeDevice && attributes.devicePointer == x + 4);
  CHECK(hipPointerGetAttributes(&attributes, host_x));
  EXPECT(attributes.type == hipMemoryTypeUnregistered);
  CHECK(hipHostMalloc(&host, 64, hipHostMallocDefault));
  CHECK(hipPointerGetAttributes(&attributes, host));
  EXPECT(attributes.type == hipMemoryTypeHost && attributes.hostPointer == host);
  CHECK(hipHostFree(host));
  EXPECT(hipPointerGetAttribute(&type, HIP_POINTER_ATTRIBUTE_MEMORY_TYPE, host_x) ==
         hipErrorInvalidValue);
  CHECK(hipMemGetAddressRange(&base, &size, x + 4));
  EXPECT(base == x && size == sizeof(host_x));
  CHECK(hipMemGetInfo(&free, &total));
  EXPECT(free < total);

  CHECK(hipMemcpyDtoD(out, x, sizeof(host_x)));
  CHECK(hipMemcpy(host_out, out, sizeof(host_out), hipMemcpyDefault));
  EXPECT(memcmp(host_out, host_x, sizeof(host_x)) == 0);
  EXPECT(hipMemcpyHtoD(out + 1, host_x, sizeof(host_x)) == hipErrorInvalidValue);
  EXPECT(hipMemcpy(host_out, host_x, 4, hipMemcpyHostToDevice) == hipErrorInvalidValue);
  CHECK(hipMemsetD16(out, 0x1234, 2));
  CHECK(hipMemsetD8((char *)out + 4, 0x56, 4));
  unsigned words[2];
  CHECK(hipMemcpyDtoH(words, out, sizeof(words)));
  EXPECT(words[0] == 0x12341234 && words[1] == 0x56565656);
  CHECK(hipFree(out));
  EXPECT(hipFree(out) == hipErrorInvalidValue);

  hipDeviceptr_t table;
  CHECK(hipModuleGetGlobal(&table, &size, module, "table"));
  EXPECT(size == 16);
  int numbers[4];
  CHECK(hipMemcpyDtoH(numbers, table, sizeof(numbers)));
  EXPECT(numbers[0] == 1 && numbers[3] == 4);
}

/* Copies and fills of rows. */
static void boxes(void) {
  static unsigned char from[6 * 40], to[6 * 40];
  void *rows;
  size_t pitch = 0;
  for (size_t i = 0; i < sizeof(from); ++i)
    from[i] = (unsigned char)i;
  CHECK(hipMallocPitch(&rows, &pitch, 40, 6));
  CHECK(hipMemset2D(rows, pitch, 255, 40, 6));
  hip_Memcpy2D down = {.srcMemoryType = hipMemoryTypeHost, .srcHost = from, .srcPitch = 40,
                       .srcXInBytes = 8, .srcY = 1, .dstMemoryType = hipMemoryTypeDevice,
                       .dstDevice = rows, .dstPitch = pitch, .dstXInBytes = 4, .dstY = 2,
                       .WidthInBytes = 20, .Height = 3};
  CHECK(hipMemcpyParam2D(&down));
  CHECK(hipMemcpy2D(to, 40, rows, pitch, 40, 6, hipMemcpyDeviceToHost));
  for (int row = 0; row < 6; ++row)
    for (int column = 0; column < 40; ++column)
      EXPECT(to[row * 40 + column] == (row >= 2 && row < 5 && column >= 4 && column < 24
                                           ? from[(row - 1) * 40 + column + 4]
                                           : 255));
  EXPECT(hipMemcpy2D(to, 40, rows, pitch, 50, 6, hipMemcpyDeviceToHost) ==
         hipErrorInvalidValue);
  EXPECT(hipMemcpy2D(to, 40, from, 40, 40, 6, hipMemcpyDeviceToHost) ==
         hipErrorInvalidValue);
}

static void device(void) {
  hipDeviceProp_t properties;
  hipDevice_t ordinal;
  int value, version, number;
  char name[64];
  CHECK(hipDriverGetVersion(&version));
  EXPECT(version / 10000000 >= 6);
  CHECK(hipGetDeviceCount(&number));
  EXPECT(number == 1);
  CHECK(hipDeviceGet(&ordinal, 0));
  CHECK(hipDeviceGetName(name, sizeof(name), ordinal));
  CHECK(hipGetDeviceProperties(&properties, 0));
  EXPECT(strcmp(properties.name, name) == 0);
  EXPECT(properties.maxThreadsPerBlock == 1024);
  CHECK(hipDeviceGetAttribute(&value, hipDeviceAttributeWarpSize, 0));
  EXPECT(value == properties.warpSize);
  CHECK(hipDeviceGetAttribute(&value, hipDeviceAttributeMultiprocessorCount, 0));
  EXPECT(value == properties.multiProcessorCount);

  CHECK(hipFuncGetAttribute(&value, HIP_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, add));
  EXPECT(value == 1024);
  CHECK(hipFuncGetAttribute(&value, HIP_FUNC_ATTRIBUTE_NUM_REGS, add));
  EXPECT(value > 0 && value <= 512);
  CHECK(hipFuncSetAttribute(add, hipFuncAttributeMaxDynamicSharedMemorySize, 32 * 1024));
  CHECK(hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(&value, add, 256, 0));
  EXPECT(value == 8);
  CHECK(hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(&value, add, 256, 40 * 1024));
  EXPECT(value == (int)(properties.sharedMemPerMultiprocessor / (40 * 1024)));

  hipError_t (*get)(hipDeviceProp_t *, int) = NULL;
  hipDriverProcAddressQueryResult found;
  CHECK(hipGetProcAddress("hipGetDeviceProperties", (void **)&get, version, 0, &found));
  EXPECT(found == HIP_GET_PROC_ADDRESS_SUCCESS && get == hipGetDeviceProperties);
  EXPECT(hipGetProcAddress("hipNoSuchThing", (void **)&get, version, 0, &found) ==
             hipErrorNotFound &&
         found == HIP_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);

  hipCtx_t context;
  CHECK(hipDevicePrimaryCtxRetain(&context, 0));
  CHECK(hipCtxPushCurrent(context));
  CHECK(hipCtxGetDevice(&ordinal));
  CHECK(hipCtxPopCurrent(NULL));
  CHECK(hipDevicePrimaryCtxRelease(0));
  printf("%s, %s, %d lanes, %zu bytes\n", name, properties.gcnArchName, properties.warpSize,
         properties.sharedMemPerBlock);
}

/* The launch succeeds, and who waits for it is told. */
static void faults(void) {
  hipFunction_t wild;
  void *arguments[] = {&out};
  CHECK(hipModuleGetFunction(&wild, module, "wild"));
  CHECK(hipModuleLaunchKernel(wild, 1, 1, 1, 64, 1, 1, 0, 0, arguments, NULL));
  EXPECT(hipDeviceSynchronize() == hipErrorLaunchFailure);
  EXPECT(hipMemcpyDtoH(host_out, out, 4) == hipErrorLaunchFailure);
  CHECK(hipDeviceReset());
  CHECK(hipDeviceSynchronize());
}

static void images(void) {
  static char bytes[1 << 20], log[256];
  hipModule_t other;
  hipFunction_t none;
  hipJitOption options[] = {hipJitOptionErrorLogBuffer, hipJitOptionErrorLogBufferSizeBytes};
  void *values[] = {log, (void *)sizeof(log)};
  FILE *file = fopen(path, "rb");
  EXPECT(file != NULL && fread(bytes, 1, sizeof(bytes), file) > 64);
  fclose(file);
  CHECK(hipModuleLoadData(&other, bytes));
  CHECK(hipModuleUnload(other));
  EXPECT(hipModuleUnload(other) == hipErrorInvalidHandle);
  static const char text[64] = "some text";
  EXPECT(hipModuleLoadDataEx(&other, text, 2, options, values) == hipErrorInvalidImage);
  EXPECT(strstr(log, "neither") != NULL);
  if (bytes[0] == 0x7f) {
    bytes[16] = 1; /* no longer a shared object */
    EXPECT(hipModuleLoadDataEx(&other, bytes, 2, options, values) == hipErrorInvalidImage);
    EXPECT(strstr(log, "not linked") != NULL);
  }
  EXPECT(hipModuleLoad(&other, "no/such/file") == hipErrorFileNotFound);
  EXPECT(hipModuleGetFunction(&none, module, "none") == hipErrorNotFound);
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"launches", launches}, {"errors", errors}, {"graphs", graphs},
               {"events", events},     {"memory", memory}, {"boxes", boxes},
               {"device", device},     {"faults", faults}, {"images", images}};
  if (argc != 3)
    return 2;
  path = argv[1];
  /* Starts the runtime by itself. */
  CHECK(hipModuleLoad(&module, path));
  prepare();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i)
    if (strcmp(argv[2], cases[i].name) == 0)
      cases[i].run();
  CHECK(hipModuleUnload(module));
  puts("done");
  return 0;
}
