// A HIP program as `hipcc` compiles one, with HIP's headers: kernels, variables and launches in
// one source.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include <hip/hip_runtime.h>

#include <cstdio>
#include <cstdlib>

#define CHECK(call)                                                                      \
  if (hipError_t failed = call) {                                                        \
    printf("%s: %s\n", #call, hipGetErrorName(failed));                                  \
    exit(1);                                                                             \
  }
#define EXPECT(condition)                                                                \
  if (!(condition)) {                                                                    \
    printf("not so: %s\n", #condition);                                                  \
    exit(1);                                                                             \
  }

__device__ int counter = 7;
__constant__ float weights[3] = {0.25f, 0.5f, 0.25f};

/// A tile of the input and its neighbours through LDS.
__global__ __launch_bounds__(256) void smooth(const float *x, float *out, int n) {
  __shared__ float tile[258];
  int i = blockIdx.x * blockDim.x + threadIdx.x, t = threadIdx.x + 1;
  tile[t] = i < n ? x[i] : 0;
  if (threadIdx.x == 0) {
    tile[0] = i > 0 ? x[i - 1] : 0;
    int next = i + static_cast<int>(blockDim.x);
    tile[blockDim.x + 1] = next < n ? x[next] : 0;
  }
  __syncthreads();
  if (i < n)
    out[i] = weights[0] * tile[t - 1] + weights[1] * tile[t] + weights[2] * tile[t + 1];
  if (i == 0)
    atomicAdd(&counter, 1);
}

template <typename T> __global__ void scale(T *x, T by) { x[threadIdx.x] *= by; }

int main() {
  constexpr int n = 1000;
  float host[n], result[n], *x, *out;
  for (int i = 0; i < n; ++i)
    host[i] = static_cast<float>(i * i % 17);
  CHECK(hipMalloc(&x, sizeof(host)));
  CHECK(hipMalloc(&out, sizeof(host)));
  CHECK(hipMemcpy(x, host, sizeof(host), hipMemcpyHostToDevice));
  float triple[3] = {0.5f, 1, 0.5f};
  CHECK(hipMemcpyToSymbol(HIP_SYMBOL(weights), triple, sizeof(triple)));

  smooth<<<dim3(4), dim3(256)>>>(x, out, n);
  CHECK(hipGetLastError());
  hipStream_t stream;
  CHECK(hipStreamCreate(&stream));
  scale<float><<<1, 100, 0, stream>>>(out, 10);
  CHECK(hipStreamSynchronize(stream));
  CHECK(hipMemcpy(result, out, sizeof(result), hipMemcpyDeviceToHost));
  for (int i = 0; i < n; ++i) {
    float left = i ? host[i - 1] : 0, right = i + 1 < n ? host[i + 1] : 0;
    EXPECT(result[i] == (0.5f * left + host[i] + 0.5f * right) * (i < 100 ? 10 : 1));
  }

  int value = 0;
  CHECK(hipMemcpyFromSymbol(&value, HIP_SYMBOL(counter), sizeof(value)));
  EXPECT(value == 8);
  size_t bytes = 0;
  CHECK(hipGetSymbolSize(&bytes, HIP_SYMBOL(weights)));
  EXPECT(bytes == 12);
  EXPECT(hipMemcpyToSymbol(HIP_SYMBOL(weights), host, 16) == hipErrorInvalidValue);
  EXPECT(hipMemcpyToSymbol(&value, &value, 4) == hipErrorInvalidSymbol);

  hipFuncAttributes attributes;
  CHECK(hipFuncGetAttributes(&attributes, reinterpret_cast<const void *>(smooth)));
  EXPECT(attributes.maxThreadsPerBlock == 256 && attributes.sharedSizeBytes == 258 * 4);
  int grid = 0, block = 0;
  CHECK(hipOccupancyMaxPotentialBlockSize(&grid, &block, smooth, 0, 0));
  EXPECT(block == 256 && grid > 0);

  (void)hipGetLastError();
  smooth<<<1, 512>>>(x, out, n);
  EXPECT(hipGetLastError() == hipErrorInvalidConfiguration);
  EXPECT(hipLaunchKernel(&value, dim3(1), dim3(1), nullptr, 0, nullptr) ==
         hipErrorInvalidDeviceFunction);

  // Beyond the array: told to who waits.
  smooth<<<dim3(4), dim3(256)>>>(x, out, n + 1);
  EXPECT(hipDeviceSynchronize() == hipErrorLaunchFailure);
  puts("done");
}
