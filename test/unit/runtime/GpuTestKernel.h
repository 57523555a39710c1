//===- GpuTestKernel.h - Artifacts with code for GPUs, made in a test --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_RUNTIME_GPU_TEST_KERNEL_H
#define TILEWRIGHT_TEST_UNIT_RUNTIME_GPU_TEST_KERNEL_H

#include "TestKernel.h"

#include <cstring>
#include <fstream>
#include <iterator>

namespace tilewright::test {

struct GpuDevice {
  std::string name;
  tw_device *device = nullptr;

  explicit GpuDevice(std::string given) : name(std::move(given)) {
    EXPECT_EQ(tw_device_open(name.c_str(), &device), TW_OK) << tw_last_error();
  }
  GpuDevice(const GpuDevice &) = delete;
  ~GpuDevice() { tw_device_close(device); }

  tw_device_info_v1 info() const {
    tw_device_info_v1 info = {sizeof(info), nullptr, nullptr, 0, 0, 0};
    EXPECT_EQ(tw_device_info(device, &info), TW_OK);
    return info;
  }
};

/// The code of gpu_kernels.c for a target such as "cuda:sm_80", with a zero byte behind.
inline std::string readCode(const std::string &target) {
  bool isCuda = target.rfind("cuda", 0) == 0;
  std::string arch = target.substr(target.find(':') + 1);
  if (isCuda)
    arch = "sm_80"; // which later ones run as well
  std::ifstream file(std::string(GPU_CODE_FOLDER "/") + arch + ".code", std::ios::binary);
  EXPECT_TRUE(file) << arch;
  return std::string(std::istreambuf_iterator<char>(file), {}) + '\0';
}

/// A kernel for a device, with an image of gpu_kernels.c, or of `code`.
class GpuKernel {
  std::vector<int64_t> table;
  std::string target, code;
  tw_image_v1 image;
  tw_artifact_v1 artifact;
  tw_module *module = nullptr;

public:
  const tw_kernel *kernel = nullptr;
  tw_status status;
  std::string error;

  GpuKernel(GpuDevice &gpu, const std::vector<Param> &params,
            const std::vector<Symbol> &symbols, tw_launch_fn launch,
            const char *forTarget = nullptr, const char *otherCode = nullptr)
      : table(makeSignature(params, symbols)),
        target(forTarget ? forTarget : gpu.info().target),
        code(otherCode ? otherCode : readCode(gpu.info().target)),
        image{target.c_str(), launch, code.data(), code.size(), nullptr},
        artifact{
            sizeof(artifact), TW_ABI_VERSION, "gemm", table.data(), "{}", 1, &image} {
    EXPECT_EQ(tw_module_from_artifact(&artifact, &module), TW_OK) << tw_last_error();
    status = tw_module_kernel(module, gpu.device, &kernel);
    error = tw_last_error();
  }
  GpuKernel(const GpuKernel &) = delete;
  ~GpuKernel() { tw_module_close(module); }
};

/// Memory of a device.
template <typename T> struct DeviceArray {
  GpuDevice &gpu;
  size_t count;
  void *data = nullptr;

  DeviceArray(GpuDevice &gpu, size_t count) : gpu(gpu), count(count) {
    EXPECT_EQ(tw_memory_allocate(gpu.device, count * sizeof(T), &data), TW_OK);
  }
  DeviceArray(const DeviceArray &) = delete;
  ~DeviceArray() { EXPECT_EQ(tw_memory_free(gpu.device, data), TW_OK); }

  void write(const std::vector<T> &from) {
    EXPECT_EQ(tw_memory_copy(gpu.device, nullptr, data, from.data(), count * sizeof(T)),
              TW_OK);
  }
  std::vector<T> read() {
    std::vector<T> to(count);
    EXPECT_EQ(tw_memory_copy(gpu.device, nullptr, to.data(), data, count * sizeof(T)),
              TW_OK);
    return to;
  }
  tw_argument_v1 argument(const std::vector<int64_t> &extents) {
    tw_argument_v1 argument = tensorArgument(TW_F32, data, extents);
    argument.device_type = gpu.info().device_type;
    argument.device_id = gpu.info().device_id;
    return argument;
  }
};

/// A kernel's parameters as they lie in memory.
struct Parameters {
  alignas(8) char bytes[128];
  uint64_t size = 0;

  template <typename T> Parameters &add(T value) {
    size = (size + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    memcpy(bytes + size, &value, sizeof(T));
    size += sizeof(T);
    return *this;
  }
};

/// Starts `blocks` blocks of 128 threads.
inline int32_t startGrid(const tw_host_v1 *host, void *context, const char *entry,
                         uint64_t blocks, const Parameters &parameters,
                         uint32_t shared = 0) {
  tw_grid_launch_v1 launch = {sizeof(launch),
                              entry,
                              {static_cast<uint32_t>(blocks), 1, 1},
                              {128, 1, 1},
                              {1, 1, 1},
                              shared,
                              nullptr,
                              parameters.bytes,
                              parameters.size};
  return host->launch_grid(context, &launch);
}

/// add(A, B, C): C = A + B.
inline std::vector<Param> addParams() {
  return {tensor("A", TW_F32, {symbol(0)}), tensor("B", TW_F32, {symbol(0)}),
          tensor("C", TW_F32, {symbol(0)}).writes()};
}
inline int32_t launchAdd(const tw_host_v1 *host, void *context, const uint64_t *words) {
  Parameters parameters;
  parameters.add(words[0]).add(words[3]).add(words[6]).add(words[1]);
  return startGrid(host, context, "add", (words[1] + 127) / 128, parameters);
}

} // namespace tilewright::test

#endif // TILEWRIGHT_TEST_UNIT_RUNTIME_GPU_TEST_KERNEL_H
