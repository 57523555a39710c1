/* Written for the CUDA driver: runs on a GPU, and unchanged on the emulator's stand-in.
 *
 * usage: vector_add FILE.ptx CASE, where CASE is one of the functions below. Kernels of the
 * file: add(out, x, y, n), and wild(out), which writes past the end of its argument.
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#include <cuda.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT 1000

static void check(CUresult result, const char *what) {
  const char *name = "?";
  if (result == CUDA_SUCCESS)
    return;
  cuGetErrorName(result, &name);
  printf("%s: %s\n", what, name);
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

static const char *path; /* of the PTX */
static CUmodule module;
static CUfunction add;
static CUdeviceptr x, y, out;
static float host_x[COUNT], host_y[COUNT], host_out[COUNT];
static int count = COUNT;
static void *params[] = {&out, &x, &y, &count};

static void prepare(void) {
  CHECK(cuModuleGetFunction(&add, module, "add"));
  CHECK(cuMemAlloc(&x, sizeof(host_x)));
  CHECK(cuMemAlloc(&y, sizeof(host_y)));
  CHECK(cuMemAlloc(&out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i) {
    host_x[i] = (float)i;
    host_y[i] = 0.5f * (float)i;
  }
  CHECK(cuMemcpyHtoD(x, host_x, sizeof(host_x)));
  CHECK(cuMemcpyHtoD(y, host_y, sizeof(host_y)));
  CHECK(cuMemsetD32(out, 0, COUNT));
}

static void check_out(void) {
  memset(host_out, 0, sizeof(host_out));
  CHECK(cuMemcpyDtoH(host_out, out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i)
    EXPECT(host_out[i] == 1.5f * (float)i);
}

static void clear(void) { CHECK(cuMemsetD8(out, 0, sizeof(host_out))); }

static void launches(void) {
  CUstream stream;
  CHECK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CHECK(cuLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, params, NULL));
  CHECK(cuStreamSynchronize(stream));
  check_out();

  /* All parameters in a buffer. */
  clear();
  struct {
    CUdeviceptr out, x, y;
    int n;
  } packed = {out, x, y, COUNT};
  size_t bytes = sizeof(packed);
  void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes,
                   CU_LAUNCH_PARAM_END};
  CHECK(cuLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, 0, NULL, extra));
  check_out();

  /* With attributes. */
  clear();
  CUlaunchAttribute attributes[3];
  memset(attributes, 0, sizeof(attributes));
  attributes[0].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
  attributes[0].value.clusterDim.x = 2;
  attributes[0].value.clusterDim.y = 1;
  attributes[0].value.clusterDim.z = 1;
  attributes[1].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION;
  attributes[1].value.programmaticStreamSerializationAllowed = 1;
  attributes[2].id = CU_LAUNCH_ATTRIBUTE_COOPERATIVE;
  attributes[2].value.cooperative = 1;
  CUlaunchConfig config;
  memset(&config, 0, sizeof(config));
  config.gridDimX = 8;
  config.gridDimY = config.gridDimZ = config.blockDimY = config.blockDimZ = 1;
  config.blockDimX = 128;
  config.hStream = stream;
  config.attrs = attributes;
  config.numAttrs = 3;
  CHECK(cuLaunchKernelEx(&config, add, params, NULL));
  CHECK(cuCtxSynchronize());
  check_out();

  clear();
  CHECK(cuLaunchCooperativeKernel(add, 8, 1, 1, 128, 1, 1, 0, stream, params));
  check_out();
  CHECK(cuStreamDestroy(stream));

  EXPECT(cuLaunchKernel(add, 0, 1, 1, 128, 1, 1, 0, 0, params, NULL) ==
         CUDA_ERROR_INVALID_VALUE);
  EXPECT(cuLaunchKernel(add, 1, 1, 1, 128, 1, 1, 64 * 1024, 0, params, NULL) ==
         CUDA_ERROR_INVALID_VALUE);
  CHECK(cuFuncSetAttribute(add, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 64 * 1024));
  CHECK(cuLaunchKernel(add, 1, 1, 1, 128, 1, 1, 64 * 1024, 0, params, NULL));
}

static void graphs(void) {
  CUstream stream, other;
  CUgraph graph;
  CUgraphExec exec;
  CUevent fork, join;
  CUstreamCaptureStatus status;
  CHECK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
  CHECK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
  CHECK(cuEventCreate(&fork, CU_EVENT_DISABLE_TIMING));
  CHECK(cuEventCreate(&join, CU_EVENT_DISABLE_TIMING));
  CHECK(cuStreamBeginCapture(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
  CHECK(cuStreamIsCapturing(stream, &status));
  EXPECT(status == CU_STREAM_CAPTURE_STATUS_ACTIVE);
  CHECK(cuMemsetD32Async(out, 0, COUNT, stream));
  CHECK(cuEventRecord(fork, stream));
  CHECK(cuStreamWaitEvent(other, fork, 0));
  CHECK(cuLaunchKernel(add, 8, 1, 1, 128, 1, 1, 0, other, params, NULL));
  CHECK(cuEventRecord(join, other));
  CHECK(cuStreamWaitEvent(stream, join, 0));
  CHECK(cuStreamEndCapture(stream, &graph));
  CHECK(cuMemcpyDtoH(host_out, out, sizeof(host_out)));
  EXPECT(host_out[1] == 0);
  CHECK(cuGraphInstantiate(&exec, graph, 0));
  CHECK(cuGraphLaunch(exec, stream));
  CHECK(cuStreamSynchronize(stream));
  check_out();
  CHECK(cuGraphExecDestroy(exec));
  CHECK(cuGraphDestroy(graph));

  /* Nodes by hand, given against their order. */
  CUgraphNode fill_node, add_node;
  CUDA_KERNEL_NODE_PARAMS node = {.func = add, .gridDimX = 8, .gridDimY = 1, .gridDimZ = 1,
                                  .blockDimX = 128, .blockDimY = 1, .blockDimZ = 1,
                                  .kernelParams = params};
  CUDA_MEMSET_NODE_PARAMS fill = {.dst = out, .elementSize = 4, .width = COUNT, .height = 1};
  CUcontext context;
  CHECK(cuCtxGetCurrent(&context));
  CHECK(cuGraphCreate(&graph, 0));
  CHECK(cuGraphAddMemsetNode(&fill_node, graph, NULL, 0, &fill, context));
  CHECK(cuGraphAddKernelNode(&add_node, graph, &fill_node, 1, &node));
  CHECK(cuGraphInstantiate(&exec, graph, 0));
  CHECK(cuGraphLaunch(exec, 0));
  check_out();
  CHECK(cuGraphExecDestroy(exec));
  CHECK(cuGraphDestroy(graph));
}

static void memory(void) {
  CUmemorytype type;
  CUdeviceptr base;
  size_t size, free, total;
  CHECK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, x + 16));
  EXPECT(type == CU_MEMORYTYPE_DEVICE);
  CHECK(cuMemGetAddressRange(&base, &size, x + 16));
  EXPECT(base == x && size == sizeof(host_x));
  EXPECT(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, (CUdeviceptr)host_x) ==
         CUDA_ERROR_INVALID_VALUE);
  CHECK(cuMemGetInfo(&free, &total));
  EXPECT(free < total);
  CHECK(cuMemcpyDtoD(out, x, sizeof(host_x)));
  CHECK(cuMemcpy((CUdeviceptr)host_out, out, sizeof(host_out)));
  EXPECT(memcmp(host_out, host_x, sizeof(host_x)) == 0);
  EXPECT(cuMemcpyHtoD(out + 4, host_x, sizeof(host_x)) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuMemFree(out));
  EXPECT(cuMemFree(out) == CUDA_ERROR_INVALID_VALUE);

  CUdeviceptr table;
  CHECK(cuModuleGetGlobal(&table, &size, module, "table"));
  EXPECT(size == 16);
  int words[4];
  CHECK(cuMemcpyDtoH(words, table, sizeof(words)));
  EXPECT(words[0] == 1 && words[3] == 4);
}

static void device(void) {
  int value, major, version;
  char name[64];
  CHECK(cuDriverGetVersion(&version));
  CHECK(cuDeviceGetName(name, sizeof(name), 0));
  CHECK(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, 0));
  CHECK(cuDeviceGetAttribute(&value, CU_DEVICE_ATTRIBUTE_WARP_SIZE, 0));
  EXPECT(value == 32);
  CHECK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, add));
  EXPECT(value == 1024);
  CHECK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&value, add, 256, 0));
  EXPECT(value > 0);
  CUresult (*allocate)(CUdeviceptr *, size_t) = NULL;
  CUdriverProcAddressQueryResult found;
  CHECK(cuGetProcAddress("cuMemAlloc", (void **)&allocate, 12000, 0, &found));
  EXPECT(found == CU_GET_PROC_ADDRESS_SUCCESS && allocate == cuMemAlloc);
  EXPECT(cuGetProcAddress("cuNoSuchThing", (void **)&allocate, 12000, 0, &found) ==
             CUDA_SUCCESS &&
         found == CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
  printf("%s, major %d\n", name, major);
}

/* The launch succeeds, and who waits for it is told. */
static void faults(void) {
  CUfunction wild;
  void *arguments[] = {&out};
  CHECK(cuModuleGetFunction(&wild, module, "wild"));
  CHECK(cuLaunchKernel(wild, 1, 1, 1, 32, 1, 1, 0, 0, arguments, NULL));
  EXPECT(cuCtxSynchronize() == CUDA_ERROR_LAUNCH_FAILED);
  EXPECT(cuMemcpyDtoH(host_out, out, 4) == CUDA_ERROR_LAUNCH_FAILED);
  CHECK(cuDevicePrimaryCtxReset(0));
  CHECK(cuCtxSynchronize());
}

static void images(void) {
  CUmodule other;
  CUfunction none;
  char log[256] = "";
  CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
  void *values[] = {log, (void *)sizeof(log)};
  EXPECT(cuModuleLoadDataEx(&other, ".version 8.0\n.target sm_80\nnonsense", 2, options,
                            values) == CUDA_ERROR_INVALID_PTX);
  EXPECT(strstr(log, "line 3") != NULL);
  EXPECT(cuModuleLoadData(&other, "\177ELF\2\1\1") == CUDA_ERROR_NO_BINARY_FOR_GPU);
  EXPECT(cuModuleGetFunction(&none, module, "none") == CUDA_ERROR_NOT_FOUND);
}

static void libraries(void) {
  CUlibrary library;
  CUkernel kernel;
  CUfunction function;
  const char *name = NULL;
  unsigned kernels = 0;
  size_t offset = 0, size = 0;
  int value = 0;
  CHECK(cuLibraryLoadFromFile(&library, path, NULL, NULL, 0, NULL, NULL, 0));
  CHECK(cuLibraryGetKernelCount(&kernels, library));
  EXPECT(kernels == 2);
  CHECK(cuLibraryGetKernel(&kernel, library, "add"));
  CHECK(cuKernelGetName(&name, kernel));
  EXPECT(strcmp(name, "add") == 0);
  CHECK(cuKernelGetParamInfo(kernel, 3, &offset, &size));
  EXPECT(offset == 24 && size == 4);
  CHECK(cuKernelGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel, 0));
  EXPECT(value == 1024);
  CHECK(cuKernelGetFunction(&function, kernel));
  CHECK(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, 0, params, NULL));
  check_out();
  clear();
  CHECK(cuLaunchKernel((CUfunction)kernel, 8, 1, 1, 128, 1, 1, 0, 0, params, NULL));
  check_out();
  CHECK(cuLibraryUnload(library));
  EXPECT(cuKernelGetFunction(&function, kernel) == CUDA_ERROR_INVALID_HANDLE);
}

/* Copies and fills of rows and slices. */
static void boxes(void) {
  static unsigned char from[6 * 40], to[6 * 40];
  CUdeviceptr rows;
  size_t pitch = 0;
  for (size_t i = 0; i < sizeof(from); ++i)
    from[i] = (unsigned char)i;
  CHECK(cuMemAllocPitch(&rows, &pitch, 40, 6, 4));
  CHECK(cuMemsetD2D8(rows, pitch, 255, 40, 6));
  CUDA_MEMCPY2D down = {.srcMemoryType = CU_MEMORYTYPE_HOST, .srcHost = from, .srcPitch = 40,
                        .srcXInBytes = 8, .srcY = 1, .dstMemoryType = CU_MEMORYTYPE_DEVICE,
                        .dstDevice = rows, .dstPitch = pitch, .dstXInBytes = 4, .dstY = 2,
                        .WidthInBytes = 20, .Height = 3};
  CHECK(cuMemcpy2D(&down));
  CUDA_MEMCPY3D up = {.srcMemoryType = CU_MEMORYTYPE_DEVICE, .srcDevice = rows,
                      .srcPitch = pitch, .srcHeight = 3, .dstMemoryType = CU_MEMORYTYPE_HOST,
                      .dstHost = to, .dstPitch = 40, .dstHeight = 3, .WidthInBytes = 40,
                      .Height = 3, .Depth = 2};
  CHECK(cuMemcpy3D(&up));
  for (int y = 0; y < 6; ++y)
    for (int x = 0; x < 40; ++x)
      EXPECT(to[y * 40 + x] == (y >= 2 && y < 5 && x >= 4 && x < 24
                                    ? from[(y - 1) * 40 + x + 4]
                                    : 255));
  down.WidthInBytes = 50;
  EXPECT(cuMemcpy2D(&down) == CUDA_ERROR_INVALID_VALUE);
  CHECK(cuMemsetD2D16(rows, pitch, 0x1234, 3, 2));
  CHECK(cuMemsetD2D32(rows + 8, pitch, 7, 1, 2));
  unsigned words[4];
  CHECK(cuMemcpyDtoH(words, rows + pitch, sizeof(words)));
  EXPECT(words[0] == 0x12341234 && words[1] == 0xffff1234 && words[2] == 7);
  CHECK(cuMemFree(rows));

  CUmemoryPool pool;
  CHECK(cuDeviceGetDefaultMemPool(&pool, 0));
  CHECK(cuMemAllocFromPoolAsync(&rows, 64, pool, 0));
  CHECK(cuMemPoolTrimTo(pool, 0));
  CHECK(cuMemFreeAsync(rows, 0));
}

int main(int argc, char **argv) {
  static const struct {
    const char *name;
    void (*run)(void);
  } cases[] = {{"launches", launches}, {"graphs", graphs}, {"memory", memory},
               {"device", device},     {"faults", faults}, {"images", images},
               {"libraries", libraries}, {"boxes", boxes}};
  CUcontext context;
  if (argc != 3)
    return 2;
  path = argv[1];
  EXPECT(cuCtxGetCurrent(&context) == CUDA_ERROR_NOT_INITIALIZED);
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
  CHECK(cuModuleLoad(&module, argv[1]));
  prepare();
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i)
    if (strcmp(argv[2], cases[i].name) == 0)
      cases[i].run();
  CHECK(cuModuleUnload(module));
  CHECK(cuDevicePrimaryCtxRelease(0));
  puts("done");
  return 0;
}
