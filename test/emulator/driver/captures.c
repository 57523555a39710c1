/* What captures of streams allow and what not, and memory that graphs allocate: the same rules
 * for CUDA's driver and, with -DHIP, for HIP. Runs on a GPU, and unchanged on the emulators'
 * stand-ins.
 *
 * Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
 * SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
 */
#ifdef HIP
#define __HIP_PLATFORM_AMD__
#include <hip/hip_runtime_api.h>
#define CALL(cuda, hip) hip
typedef hipError_t result;
typedef hipStream_t stream_handle;
typedef hipGraph_t graph_handle;
typedef hipGraphExec_t exec_handle;
typedef hipEvent_t event_handle;
typedef hipDeviceptr_t pointer;
typedef hipStreamCaptureMode capture_mode;
typedef hipStreamCaptureStatus capture_status;
#else
#include <cuda.h>
#define CALL(cuda, hip) cuda
typedef CUresult result;
typedef CUstream stream_handle;
typedef CUgraph graph_handle;
typedef CUgraphExec exec_handle;
typedef CUevent event_handle;
typedef CUdeviceptr pointer;
typedef CUstreamCaptureMode capture_mode;
typedef CUstreamCaptureStatus capture_status;
#endif
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CtxSynchronize CALL(cuCtxSynchronize, hipDeviceSynchronize)
#define EventCreate CALL(cuEventCreate, hipEventCreateWithFlags)
#define EventQuery CALL(cuEventQuery, hipEventQuery)
#define EventRecord CALL(cuEventRecord, hipEventRecord)
#define GraphDestroy CALL(cuGraphDestroy, hipGraphDestroy)
#define GraphExecDestroy CALL(cuGraphExecDestroy, hipGraphExecDestroy)
#define GraphInstantiate CALL(cuGraphInstantiate, hipGraphInstantiateWithFlags)
#define GraphLaunch CALL(cuGraphLaunch, hipGraphLaunch)
#define MemAlloc CALL(cuMemAlloc, hipMalloc)
#define MemAllocAsync CALL(cuMemAllocAsync, hipMallocAsync)
#define MemFree CALL(cuMemFree, hipFree)
#define MemFreeAsync CALL(cuMemFreeAsync, hipFreeAsync)
#define MemcpyDtoDAsync CALL(cuMemcpyDtoDAsync, hipMemcpyDtoDAsync)
#define MemcpyDtoH CALL(cuMemcpyDtoH, hipMemcpyDtoH)
#define MemcpyHtoD CALL(cuMemcpyHtoD, hipMemcpyHtoD)
#define MemsetD32 CALL(cuMemsetD32, hipMemsetD32)
#define MemsetD32Async CALL(cuMemsetD32Async, hipMemsetD32Async)
#define StreamBeginCapture CALL(cuStreamBeginCapture, hipStreamBeginCapture)
#define StreamCreate CALL(cuStreamCreate, hipStreamCreateWithFlags)
#define StreamEndCapture CALL(cuStreamEndCapture, hipStreamEndCapture)
#define StreamIsCapturing CALL(cuStreamIsCapturing, hipStreamIsCapturing)
#define StreamQuery CALL(cuStreamQuery, hipStreamQuery)
#define StreamSynchronize CALL(cuStreamSynchronize, hipStreamSynchronize)
#define StreamWaitEvent CALL(cuStreamWaitEvent, hipStreamWaitEvent)
#define ThreadExchangeStreamCaptureMode \
  CALL(cuThreadExchangeStreamCaptureMode, hipThreadExchangeStreamCaptureMode)
#define GLOBAL CALL(CU_STREAM_CAPTURE_MODE_GLOBAL, hipStreamCaptureModeGlobal)
#define RELAXED CALL(CU_STREAM_CAPTURE_MODE_RELAXED, hipStreamCaptureModeRelaxed)
#define INVALIDATED \
  CALL(CU_STREAM_CAPTURE_STATUS_INVALIDATED, hipStreamCaptureStatusInvalidated)
#define ACTIVE CALL(CU_STREAM_CAPTURE_STATUS_ACTIVE, hipStreamCaptureStatusActive)
#define NON_BLOCKING CALL(CU_STREAM_NON_BLOCKING, hipStreamNonBlocking)
#define BLOCKING CALL(CU_STREAM_DEFAULT, hipStreamDefault)
#define NO_TIMING CALL(CU_EVENT_DISABLE_TIMING, hipEventDisableTiming)
#define CAPTURE_UNSUPPORTED \
  CALL(CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED, hipErrorStreamCaptureUnsupported)
#define CAPTURE_INVALIDATED \
  CALL(CUDA_ERROR_STREAM_CAPTURE_INVALIDATED, hipErrorStreamCaptureInvalidated)
#define CAPTURE_MERGE CALL(CUDA_ERROR_STREAM_CAPTURE_MERGE, hipErrorStreamCaptureMerge)
#define CAPTURE_UNJOINED \
  CALL(CUDA_ERROR_STREAM_CAPTURE_UNJOINED, hipErrorStreamCaptureUnjoined)
#define CAPTURE_ISOLATION \
  CALL(CUDA_ERROR_STREAM_CAPTURE_ISOLATION, hipErrorStreamCaptureIsolation)
#define CAPTURE_IMPLICIT \
  CALL(CUDA_ERROR_STREAM_CAPTURE_IMPLICIT, hipErrorStreamCaptureImplicit)
#define CAPTURED_EVENT CALL(CUDA_ERROR_CAPTURED_EVENT, hipErrorCapturedEvent)
#define ILLEGAL_STATE CALL(CUDA_ERROR_ILLEGAL_STATE, hipErrorIllegalState)
#define INVALID_VALUE CALL(CUDA_ERROR_INVALID_VALUE, hipErrorInvalidValue)

#define COUNT 1000

static void check(result result, const char *what) {
  if (result == CALL(CUDA_SUCCESS, hipSuccess))
    return;
  printf("%s: %d\n", what, (int)result);
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

static pointer x, out; /* of the device */
static float host_x[COUNT], host_out[COUNT];

/* Ends a capture of `stream` in which a call was not allowed: there is no graph, and the stream
 * works again. */
static void end_invalid(stream_handle stream) {
  graph_handle graph = (graph_handle)&graph;
  capture_status status;
  CHECK(StreamIsCapturing(stream, &status));
  EXPECT(status == INVALIDATED);
  EXPECT(MemsetD32Async(out, 0, COUNT, stream) == CAPTURE_INVALIDATED);
  EXPECT(StreamEndCapture(stream, &graph) == CAPTURE_INVALIDATED);
  EXPECT(graph == NULL);
  CHECK(MemsetD32Async(out, 0, COUNT, stream));
}

/* What captures do not allow. */
static void captures(void) {
  const capture_mode global = GLOBAL;
  capture_mode mode = RELAXED;
  stream_handle stream, other, blocking;
  capture_status status;
  event_handle event, outside;
  graph_handle graph;
  pointer memory;
  CHECK(StreamCreate(&stream, NON_BLOCKING));
  CHECK(StreamCreate(&other, NON_BLOCKING));
  CHECK(StreamCreate(&blocking, BLOCKING));
  CHECK(EventCreate(&event, NO_TIMING));
  CHECK(EventCreate(&outside, NO_TIMING));
  EXPECT(StreamBeginCapture(NULL, global) == CAPTURE_UNSUPPORTED);
  EXPECT(StreamEndCapture(stream, &graph) == ILLEGAL_STATE);

#define REFUSED(call, error)                                                              \
  CHECK(StreamBeginCapture(stream, global));                                              \
  EXPECT((call) == error);                                                                \
  end_invalid(stream)
  REFUSED(StreamSynchronize(stream), CAPTURE_UNSUPPORTED);
  REFUSED(StreamQuery(stream), CAPTURE_UNSUPPORTED);
  REFUSED(CtxSynchronize(), CAPTURE_UNSUPPORTED);
  REFUSED(MemAlloc(&memory, 4), CAPTURE_UNSUPPORTED);
  REFUSED(MemFree(out), CAPTURE_UNSUPPORTED);
  REFUSED((EventRecord(event, stream), EventQuery(event)), CAPTURED_EVENT);
  REFUSED((EventRecord(outside, other), StreamWaitEvent(stream, outside, 0)),
          CAPTURE_ISOLATION);

  /* A thread that says so may allocate, or one beside whose capture nothing can go wrong. */
  CHECK(StreamBeginCapture(stream, global));
  EXPECT(StreamBeginCapture(stream, global) == ILLEGAL_STATE);
  CHECK(ThreadExchangeStreamCaptureMode(&mode));
  EXPECT(mode == global);
  CHECK(MemAlloc(&memory, 4));
  CHECK(MemFree(memory));
  CHECK(ThreadExchangeStreamCaptureMode(&mode));
  CHECK(MemcpyDtoH(host_out, out, 4));
  CHECK(StreamEndCapture(stream, &graph));
  CHECK(GraphDestroy(graph));

  /* The legacy stream would wait for a blocking one; to ask whether it captures is allowed. */
  CHECK(StreamBeginCapture(blocking, RELAXED));
  CHECK(MemAlloc(&memory, 4));
  EXPECT(StreamIsCapturing(NULL, &status) == CAPTURE_IMPLICIT);
  CHECK(StreamIsCapturing(blocking, &status));
  EXPECT(status == ACTIVE);
  EXPECT(MemcpyDtoH(host_out, out, 4) == CAPTURE_IMPLICIT);
  end_invalid(blocking);

  /* A stream that has joined must be waited for. */
  CHECK(StreamBeginCapture(stream, global));
  CHECK(EventRecord(event, stream));
  CHECK(StreamWaitEvent(other, event, 0));
  CHECK(MemsetD32Async(out, 0, COUNT, other));
  EXPECT(StreamEndCapture(stream, &graph) == CAPTURE_UNJOINED);
  CHECK(StreamBeginCapture(stream, global));
  CHECK(StreamBeginCapture(other, global));
  CHECK(EventRecord(event, stream));
  EXPECT(StreamWaitEvent(other, event, 0) == CAPTURE_MERGE);
  end_invalid(stream);
  end_invalid(other);
}

/* Memory that a graph allocates: its launches may follow each other once it is freed. */
static void graph_memory(void) {
  stream_handle stream;
  graph_handle graph;
  exec_handle exec;
  pointer memory = 0;
  int i;
  CHECK(StreamCreate(&stream, NON_BLOCKING));
  for (i = 0; i < 2; ++i) {
    int is_freed = i == 1;
    CHECK(StreamBeginCapture(stream, GLOBAL));
    EXPECT(MemFreeAsync(out, stream) == INVALID_VALUE);
    CHECK(MemAllocAsync(&memory, sizeof(host_out), stream));
    CHECK(MemcpyDtoDAsync(memory, x, sizeof(host_out), stream));
    CHECK(MemcpyDtoDAsync(out, memory, sizeof(host_out), stream));
    if (is_freed) {
      CHECK(MemFreeAsync(memory, stream));
      EXPECT(MemFreeAsync(memory, stream) == INVALID_VALUE);
    }
    CHECK(StreamEndCapture(stream, &graph));
    CHECK(GraphInstantiate(&exec, graph, 0));
    CHECK(MemsetD32(out, 0, COUNT));
    CHECK(GraphLaunch(exec, stream));
    CHECK(MemcpyDtoH(host_out, out, sizeof(host_out)));
    EXPECT(memcmp(host_out, host_x, sizeof(host_out)) == 0);
    if (!is_freed) {
      EXPECT(GraphLaunch(exec, stream) == INVALID_VALUE);
      CHECK(MemFreeAsync(memory, stream));
    }
    EXPECT(MemFreeAsync(memory, stream) == INVALID_VALUE);
    CHECK(GraphLaunch(exec, stream));
    CHECK(GraphExecDestroy(exec));
    CHECK(GraphDestroy(graph));
    if (!is_freed) /* which outlives the graph */
      CHECK(MemFree(memory));
  }
}

int main(void) {
#ifndef HIP
  CUcontext context;
  CHECK(cuInit(0));
  CHECK(cuDevicePrimaryCtxRetain(&context, 0));
  CHECK(cuCtxSetCurrent(context));
#endif
  CHECK(MemAlloc(&x, sizeof(host_x)));
  CHECK(MemAlloc(&out, sizeof(host_out)));
  for (int i = 0; i < COUNT; ++i)
    host_x[i] = (float)i;
  CHECK(MemcpyHtoD(x, host_x, sizeof(host_x)));
  captures();
  graph_memory();
  puts("done");
  return 0;
}
