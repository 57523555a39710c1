//===- GpuTest.cpp - Launches on emulated GPUs -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The kernels are those of gpu_kernels.c, which clang has compiled for both vendors.
//
//===----------------------------------------------------------------------===//

#include "GpuTestKernel.h"

#include <cstdlib>
#include <thread>

using namespace tilewright::test;

class Gpu : public testing::TestWithParam<const char *> {};

INSTANTIATE_TEST_SUITE_P(Emulators, Gpu,
                         testing::Values("cuda-emulator:sm_80", "hip-emulator:gfx942"),
                         [](const auto &info) {
                           return std::string(info.param, 0, 4) == "cuda" ? "Cuda"
                                                                          : "Hip";
                         });

//===----------------------------------------------------------------------===//
// Devices, memory and streams
//===----------------------------------------------------------------------===//

TEST_P(Gpu, OneDeviceHoweverOftenItIsOpened) {
  std::string name = GetParam();
  GpuDevice first(name), second(name), byDefault(name.substr(0, name.find(':')));
  EXPECT_EQ(first.device, second.device);
  EXPECT_EQ(first.device, byDefault.device);
  tw_device_info_v1 info = {sizeof(info), nullptr, nullptr, 0, 0, 0};
  ASSERT_EQ(tw_device_info(first.device, &info), TW_OK);
  EXPECT_EQ(info.name, name);
  EXPECT_EQ(info.target, name.substr(0, name.find('-')) + name.substr(name.find(':')));
  EXPECT_EQ(info.device_type, name[0] == 'c' ? 2 : 10);
}

TEST_P(Gpu, ExecutedInstructionsAreCounted) {
  GpuDevice gpu(GetParam());
  GpuKernel add(gpu, addParams(), {{"n"}}, launchAdd);
  int64_t before = gpu.info().instructions;
  EXPECT_GE(before, 0); // of tests that ran before, on the same device
  std::vector<int64_t> counts;
  for (int64_t n : {128, 128, 1280}) {
    std::vector<float> a(n), c(n);
    std::vector<int64_t> extents = {n};
    tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                  tensorArgument(TW_F32, a.data(), extents),
                                  tensorArgument(TW_F32, c.data(), extents)};
    ASSERT_EQ(tw_launch(add.kernel, nullptr, arguments, 3), TW_OK) << tw_last_error();
    int64_t now = gpu.info().instructions;
    counts.push_back(now - before);
    before = now;
  }
  EXPECT_GT(counts[0], 0);
  EXPECT_EQ(counts[1], counts[0]);
  EXPECT_EQ(counts[2], 10 * counts[0]);
}

TEST(Gpus, TheFirstDescriptionOfADeviceIsServed) {
  GpuDevice gpu("cuda-emulator");
  tw_device_info_v1 info = {
      offsetof(tw_device_info_v1, instructions), nullptr, nullptr, 0, 0, 77};
  ASSERT_EQ(tw_device_info(gpu.device, &info), TW_OK);
  EXPECT_EQ(info.size, offsetof(tw_device_info_v1, instructions));
  EXPECT_STREQ(info.name, "cuda-emulator:sm_80");
  EXPECT_EQ(info.instructions, 77);
  info.size = 8;
  EXPECT_EQ(tw_device_info(gpu.device, &info), TW_ERROR_INVALID);
}

TEST_P(Gpu, AnUnknownArchitecture) {
  std::string name = GetParam();
  name += "9";
  tw_device *device;
  EXPECT_EQ(tw_device_open(name.c_str(), &device), TW_ERROR_UNSUPPORTED);
  EXPECT_NE(std::string(tw_last_error()).find(name), std::string::npos);
  EXPECT_NE(std::string(tw_last_error()).find("the emulator has"), std::string::npos);
}

TEST_P(Gpu, Memory) {
  GpuDevice gpu(GetParam());
  DeviceArray<float> there(gpu, 1001);
  std::vector<float> numbers(1001), back(1001);
  for (size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = i * 0.5f;
  EXPECT_EQ(reinterpret_cast<uintptr_t>(there.data) % 64, 0u);
  there.write(numbers);
  EXPECT_EQ(there.read(), numbers);
  ASSERT_EQ(tw_memory_fill(gpu.device, nullptr, there.data, 0, 4 * 500), TW_OK);
  std::fill_n(numbers.begin(), 500, 0.0f);
  EXPECT_EQ(there.read(), numbers);
  void *none;
  EXPECT_EQ(tw_memory_allocate(gpu.device, 0, &none), TW_OK);
  EXPECT_EQ(tw_memory_free(gpu.device, none), TW_OK);
  void *large = nullptr;
  EXPECT_EQ(tw_memory_allocate(gpu.device, uint64_t(1) << 50, &large), TW_ERROR_MEMORY);
  EXPECT_NE(strstr(tw_last_error(), "out of memory"), nullptr) << tw_last_error();
}

TEST_P(Gpu, ADriversErrorHasItsText) {
  GpuDevice gpu(GetParam());
  int local = 0;
  EXPECT_NE(tw_memory_free(gpu.device, &local), TW_OK);
  EXPECT_NE(strstr(tw_last_error(), "invalid argument"), nullptr) << tw_last_error();
}

TEST_P(Gpu, Streams) {
  GpuDevice gpu(GetParam());
  GpuKernel add(gpu, addParams(), {{"n"}}, launchAdd);
  tw_stream *stream, *wrapped;
  ASSERT_EQ(tw_stream_create(gpu.device, &stream), TW_OK);
  ASSERT_EQ(tw_stream_wrap(gpu.device, nullptr, &wrapped), TW_OK);
  for (tw_stream *one : {stream, wrapped}) {
    DeviceArray<float> a(gpu, 300), b(gpu, 300), c(gpu, 300);
    std::vector<float> numbers(300, 1.5f);
    ASSERT_EQ(tw_memory_copy(gpu.device, one, a.data, numbers.data(), 1200), TW_OK);
    ASSERT_EQ(tw_memory_copy(gpu.device, one, b.data, a.data, 1200), TW_OK);
    std::vector<int64_t> extents = {300};
    tw_argument_v1 arguments[] = {a.argument(extents), b.argument(extents),
                                  c.argument(extents)};
    ASSERT_EQ(tw_launch(add.kernel, one, arguments, 3), TW_OK) << tw_last_error();
    ASSERT_EQ(tw_stream_synchronize(one), TW_OK);
    EXPECT_EQ(c.read(), std::vector<float>(300, 3.0f));
    tw_stream_destroy(one);
  }
  EXPECT_EQ(tw_device_synchronize(gpu.device), TW_OK);
}

TEST(Gpus, AStreamOfAnotherDeviceIsRefused) {
  GpuDevice cuda("cuda-emulator"), hip("hip-emulator");
  GpuKernel nothing(cuda, {}, {}, launchNothing);
  tw_stream *stream;
  ASSERT_EQ(tw_stream_create(hip.device, &stream), TW_OK);
  EXPECT_EQ(tw_launch(nothing.kernel, stream, nullptr, 0), TW_ERROR_INVALID);
  tw_stream_destroy(stream);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

TEST_P(Gpu, OddSizes) {
  GpuDevice gpu(GetParam());
  GpuKernel add(gpu, addParams(), {{"n"}}, launchAdd);
  for (int64_t n : {1, 127, 128, 129, 1001}) {
    std::vector<float> a(n, 2.0f), b(n), c(n);
    for (int64_t i = 0; i < n; ++i)
      b[i] = i;
    std::vector<int64_t> extents = {n};
    tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                  tensorArgument(TW_F32, b.data(), extents),
                                  tensorArgument(TW_F32, c.data(), extents)};
    ASSERT_EQ(tw_launch(add.kernel, nullptr, arguments, 3), TW_OK) << tw_last_error();
    for (int64_t i = 0; i < n; ++i)
      ASSERT_EQ(c[i], 2.0f + i);
  }
}

/// (2 * A) + A by way of a workspace.
static int32_t launchTwice(const tw_host_v1 *host, void *context, const uint64_t *words) {
  uint64_t n = words[1];
  void *twice = host->workspace(context, static_cast<int64_t>(4 * n));
  void *unused = host->workspace(context, 0);
  if (!twice || !unused)
    return TW_ERROR_MEMORY;
  Parameters first, second;
  first.add(words[0]).add(twice).add(2.0f).add(uint64_t(1)).add(n);
  first.add(n).add(uint64_t(1)).add(n).add(uint64_t(1));
  if (int32_t status = startGrid(host, context, "scale", (n + 127) / 128, first))
    return status;
  second.add(twice).add(words[0]).add(words[3]).add(n);
  return startGrid(host, context, "add", (n + 127) / 128, second);
}

TEST_P(Gpu, WorkspacesAreFreed) {
  GpuDevice gpu(GetParam());
  GpuKernel twice(
      gpu, {tensor("A", TW_F32, {symbol(0)}), tensor("C", TW_F32, {symbol(0)}).writes()},
      {{"n"}}, launchTwice);
  std::vector<float> a(5000, 3.0f), c(5000);
  std::vector<int64_t> extents = {5000};
  tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                tensorArgument(TW_F32, c.data(), extents)};
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(tw_launch(twice.kernel, nullptr, arguments, 2), TW_OK) << tw_last_error();
  EXPECT_EQ(c, std::vector<float>(5000, 9.0f));
}

static int32_t launchTooLarge(const tw_host_v1 *host, void *context, const uint64_t *) {
  if (host->workspace(context, int64_t(1) << 50))
    return 0;
  Parameters none;
  return startGrid(host, context, "add", 1, none); // not run: it would fault
}

static int32_t launchNegative(const tw_host_v1 *host, void *context, const uint64_t *) {
  return host->workspace(context, -1) ? 0 : TW_ERROR_MEMORY;
}

static int32_t launchBlocks(const tw_host_v1 *host, void *context, const uint64_t *) {
  return host->parallel_for(context, 1, nullptr, nullptr, 0);
}

static int32_t launchUnknown(const tw_host_v1 *host, void *context, const uint64_t *) {
  Parameters none;
  return startGrid(host, context, "nothing_of_the_kind", 1, none);
}

static int32_t launchEmpty(const tw_host_v1 *host, void *context, const uint64_t *) {
  Parameters none;
  return startGrid(host, context, "add", 0, none);
}

static int32_t launchFive(const tw_host_v1 *, void *, const uint64_t *) { return 5; }

TEST_P(Gpu, WhatGoesWrong) {
  GpuDevice gpu(GetParam());
  auto run = [&](tw_launch_fn launch) {
    GpuKernel kernel(gpu, {}, {}, launch);
    return tw_launch(kernel.kernel, nullptr, nullptr, 0);
  };
  auto says = [](const char *text) { return strstr(tw_last_error(), text) != nullptr; };
  EXPECT_EQ(run(launchTooLarge), TW_ERROR_MEMORY);
  EXPECT_TRUE(says("gemm: no memory for a workspace of 1125899906842624 bytes"))
      << tw_last_error();
  EXPECT_EQ(run(launchNegative), TW_ERROR_INVALID);
  EXPECT_TRUE(says("a size of a workspace (T.alloc_global) is negative"))
      << tw_last_error();
  EXPECT_EQ(run(launchBlocks), TW_ERROR_UNSUPPORTED);
  EXPECT_TRUE(says("not native blocks")) << tw_last_error();
  EXPECT_EQ(run(launchUnknown), TW_ERROR_DRIVER);
  EXPECT_TRUE(says("has no kernel 'nothing_of_the_kind'")) << tw_last_error();
  EXPECT_EQ(run(launchEmpty), TW_OK);
  EXPECT_EQ(run(launchFive), TW_ERROR_FAULT);
  EXPECT_TRUE(says("returned 5")) << tw_last_error();
}

/// Shared memory beyond what devices give unasked.
static int32_t launchReverse(const tw_host_v1 *host, void *context,
                             const uint64_t *words) {
  Parameters parameters;
  uint32_t shared = 60 << 10;
  parameters.add(words[0]).add(words[3]).add(uint64_t(shared / 4 - 1));
  return startGrid(host, context, "reverse", words[1] / 128, parameters, shared);
}

TEST_P(Gpu, MuchSharedMemory) {
  GpuDevice gpu(GetParam());
  GpuKernel reverse(
      gpu, {tensor("A", TW_F32, {symbol(0)}), tensor("C", TW_F32, {symbol(0)}).writes()},
      {{"n", 0, -1, 128}}, launchReverse);
  std::vector<float> a(256), c(256);
  for (int i = 0; i < 256; ++i)
    a[i] = i;
  std::vector<int64_t> extents = {256};
  tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                tensorArgument(TW_F32, c.data(), extents)};
  for (int i = 0; i < 2; ++i)
    ASSERT_EQ(tw_launch(reverse.kernel, nullptr, arguments, 2), TW_OK) << tw_last_error();
  for (int i = 0; i < 256; ++i)
    EXPECT_EQ(c[i], i / 128 * 128 + 127 - i % 128);
}

TEST_P(Gpu, ThreadsLaunchAtOnce) {
  GpuDevice gpu(GetParam());
  GpuKernel add(gpu, addParams(), {{"n"}}, launchAdd);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int round = 0; round < 5; ++round) {
        std::vector<float> a(200 + t, t), b(200 + t, round), c(200 + t);
        std::vector<int64_t> extents = {200 + t};
        tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                      tensorArgument(TW_F32, b.data(), extents),
                                      tensorArgument(TW_F32, c.data(), extents)};
        wrong[t] += tw_launch(add.kernel, nullptr, arguments, 3) != TW_OK ||
                    c != std::vector<float>(200 + t, t + round);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

//===----------------------------------------------------------------------===//
// Images
//===----------------------------------------------------------------------===//

TEST_P(Gpu, AnImageForTooMuchIsRefused) {
  std::string name = GetParam();
  bool isCuda = name[0] == 'c';
  GpuDevice gpu(name);
  const char *code = isCuda ? "cuda:sm_90" : "hip:gfx950";
  GpuKernel kernel(gpu, {}, {}, launchNothing, code);
  EXPECT_EQ(kernel.status, TW_ERROR_UNSUPPORTED);
  EXPECT_EQ(kernel.error,
            name + " does not run code for " + code + "; compile for '" + name + "'");
}

TEST(Gpus, PtxRunsOnLaterGpus) {
  GpuDevice ampere("cuda-emulator:sm_80"), ada("cuda-emulator:sm_89"),
      hopper("cuda-emulator:sm_90a");
  auto status = [](GpuDevice &gpu, const char *target) {
    return GpuKernel(gpu, {}, {}, launchNothing, target).status;
  };
  EXPECT_EQ(status(ada, "cuda:sm_80"), TW_OK);
  EXPECT_EQ(status(hopper, "cuda:sm_80"), TW_OK);
  EXPECT_EQ(status(hopper, "cuda:sm_90a"), TW_OK);
  EXPECT_EQ(status(ampere, "cuda:sm_86"), TW_ERROR_UNSUPPORTED);
  EXPECT_EQ(status(ada, "cuda:sm_90a"), TW_ERROR_UNSUPPORTED);
  EXPECT_EQ(status(hopper, "cuda:sm_80a"), TW_ERROR_UNSUPPORTED);
  EXPECT_EQ(status(hopper, "cuda:sm_8x"), TW_ERROR_UNSUPPORTED);
  EXPECT_EQ(status(hopper, "cuda"), TW_ERROR_ARTIFACT);
}

TEST_P(Gpu, CodeThatIsNone) {
  GpuDevice gpu(GetParam());
  GpuKernel kernel(gpu, addParams(), {{"n"}}, launchAdd, nullptr, "this is no code");
  ASSERT_EQ(kernel.status, TW_OK); // which is found out when it is loaded
  std::vector<float> a(1), b(1), c(1);
  std::vector<int64_t> extents = {1};
  tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                tensorArgument(TW_F32, b.data(), extents),
                                tensorArgument(TW_F32, c.data(), extents)};
  EXPECT_EQ(tw_launch(kernel.kernel, nullptr, arguments, 3), TW_ERROR_DRIVER);
  EXPECT_NE(strstr(tw_last_error(), "cannot be loaded"), nullptr) << tw_last_error();
}

/// Two GPUs in one process, one artifact each, launches in turns.
TEST(Gpus, TwoOfAVendor) {
  for (auto [first, second] :
       {std::pair("cuda-emulator:sm_80", "cuda-emulator:sm_90a"),
        std::pair("hip-emulator:gfx942", "hip-emulator:gfx1100")}) {
    GpuDevice gpus[] = {GpuDevice(first), GpuDevice(second)};
    EXPECT_NE(gpus[0].device, gpus[1].device);
    GpuKernel adds[] = {GpuKernel(gpus[0], addParams(), {{"n"}}, launchAdd),
                        GpuKernel(gpus[1], addParams(), {{"n"}}, launchAdd)};
    DeviceArray<float> there(gpus[0], 8);
    for (int round = 0; round < 4; ++round) {
      std::vector<float> a(8, round), c(8);
      std::vector<int64_t> extents = {8};
      tw_argument_v1 arguments[] = {tensorArgument(TW_F32, a.data(), extents),
                                    tensorArgument(TW_F32, a.data(), extents),
                                    tensorArgument(TW_F32, c.data(), extents)};
      ASSERT_EQ(tw_launch(adds[round % 2].kernel, nullptr, arguments, 3), TW_OK)
          << tw_last_error();
      EXPECT_EQ(c, std::vector<float>(8, 2 * round));
    }
    // Memory of the one is none of the other's.
    std::vector<int64_t> extents = {8};
    tw_argument_v1 arguments[] = {there.argument(extents), there.argument(extents),
                                  there.argument(extents)};
    EXPECT_EQ(tw_launch(adds[1].kernel, nullptr, arguments, 3), TW_ERROR_ARGUMENT);
    EXPECT_NE(strstr(tw_last_error(), second), nullptr) << tw_last_error();
  }
}
