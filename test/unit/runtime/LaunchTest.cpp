//===- LaunchTest.cpp - Devices, streams and launches ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernel.h"

#include <chrono>
#include <cstring>
#include <string>
#include <thread>

using namespace tilewright::test;

namespace {

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

TEST(Device, NamesThatAreNone) {
  tw_device *device = nullptr;
  for (const char *name : {"", "cpu2", "cp", "tpu:v4", ":sm_80", "cuda-emulators"})
    EXPECT_EQ(tw_device_open(name, &device), TW_ERROR_INVALID) << name;
  EXPECT_EQ(device, nullptr);
}

TEST(Device, AModelMayBeNamed) {
  tw_device *device;
  for (const char *name : {"cpu", "cpu:x86-64-v3", "cpu:znver4,-avx512f"}) {
    EXPECT_EQ(tw_device_open(name, &device), TW_OK) << tw_last_error();
    tw_device_close(device);
  }
}

TEST(Device, Memory) {
  tw_device *device;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  void *a = nullptr, *b = nullptr, *none = nullptr;
  ASSERT_EQ(tw_memory_allocate(device, 1000, &a), TW_OK);
  ASSERT_EQ(tw_memory_allocate(device, 1000, &b), TW_OK);
  ASSERT_EQ(tw_memory_allocate(device, 0, &none), TW_OK);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(a) % 64, 0u);
  tw_stream *stream;
  ASSERT_EQ(tw_stream_create(device, &stream), TW_OK);
  EXPECT_EQ(tw_memory_fill(device, stream, a, 0x5a, 1000), TW_OK);
  EXPECT_EQ(tw_memory_copy(device, nullptr, b, a, 1000), TW_OK);
  EXPECT_EQ(tw_stream_synchronize(stream), TW_OK);
  EXPECT_EQ(static_cast<char *>(b)[999], 0x5a);
  tw_stream_destroy(stream);
  for (void *memory : {a, b, none})
    EXPECT_EQ(tw_memory_free(device, memory), TW_OK);
  EXPECT_EQ(tw_memory_allocate(device, uint64_t(1) << 60, &a), TW_ERROR_MEMORY);
  EXPECT_NE(strstr(tw_last_error(), "1152921504606846976 bytes"), nullptr);
  tw_device_close(device);
}

TEST(Device, ErrorsAreOfTheirThread) {
  tw_device *device;
  ASSERT_EQ(tw_device_open("nonsense", &device), TW_ERROR_INVALID);
  std::string here = tw_last_error();
  std::thread([] { EXPECT_STREQ(tw_last_error(), ""); }).join();
  EXPECT_EQ(tw_last_error(), here);
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

struct Scale {
  float *data;
  float by;
};

void scaleBlocks(void *env, int64_t begin, int64_t end, void *) {
  auto &scale = *static_cast<Scale *>(env);
  for (int64_t i = begin; i < end; ++i)
    scale.data[i] *= scale.by;
}

/// scale(A: [m] f32, by: f32)
int32_t launchScale(const tw_host_v1 *host, void *context, const uint64_t *words) {
  Scale scale;
  scale.data = reinterpret_cast<float *>(words[0]);
  memcpy(&scale.by, &words[3], sizeof(float));
  return host->parallel_for(context, int64_t(words[1]), scaleBlocks, &scale, 0);
}

uint64_t bitsOf(double value) {
  uint64_t bits;
  memcpy(&bits, &value, sizeof(bits));
  return bits;
}

TEST(Launch, ChecksAndRuns) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0)}).writes(), scalar("by", TW_F32)},
                    {{"m"}}, launchScale);
  std::vector<float> data(10000, 2);
  std::vector<int64_t> sizes{10000};
  tw_argument_v1 arguments[] = {tensorArgument(TW_F32, data.data(), sizes),
                                scalarArgument(TW_F64, bitsOf(1.5))};
  ASSERT_EQ(tw_launch(kernel.kernel, nullptr, arguments, 2), TW_OK) << tw_last_error();
  EXPECT_EQ(data, std::vector<float>(10000, 3));
  arguments[1].dtype = TW_I32;
  EXPECT_EQ(tw_launch(kernel.kernel, nullptr, arguments, 2), TW_ERROR_ARGUMENT);
  EXPECT_EQ(data, std::vector<float>(10000, 3));
}

TEST(Launch, LaunchesOnOneStreamRunInOrder) {
  TestKernel kernel({tensor("A", TW_F32, {symbol(0)}).writes(), scalar("by", TW_F32)},
                    {{"m"}}, launchScale);
  tw_device *device;
  tw_stream *stream;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  ASSERT_EQ(tw_stream_create(device, &stream), TW_OK);
  std::vector<float> data(64, 1);
  std::vector<int64_t> sizes{64};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      tw_argument_v1 arguments[] = {tensorArgument(TW_F32, data.data(), sizes),
                                    scalarArgument(TW_F64, bitsOf(2))};
      for (int j = 0; j < 5; ++j)
        EXPECT_EQ(tw_launch(kernel.kernel, stream, arguments, 2), TW_OK);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(tw_stream_synchronize(stream), TW_OK);
  EXPECT_EQ(data, std::vector<float>(64, 1 << 20));
  tw_stream_destroy(stream);
  tw_device_close(device);
}

TEST(Launch, WorkspacesAreApartAndLiveForTheCall) {
  auto launch = [](const tw_host_v1 *host, void *context, const uint64_t *) -> int32_t {
    void *workspaces[4];
    for (int i = 0; i < 4; ++i) {
      int64_t bytes = int64_t(1000) << 4 * i;
      workspaces[i] = host->workspace(context, bytes);
      EXPECT_EQ(reinterpret_cast<uintptr_t>(workspaces[i]) % 64, 0u);
      memset(workspaces[i], i, bytes);
    }
    EXPECT_NE(host->workspace(context, 0), nullptr);
    for (int i = 0; i < 4; ++i)
      EXPECT_EQ(static_cast<char *>(workspaces[i])[(1000 << 4 * i) - 1], i);
    return 0;
  };
  TestKernel kernel({}, {}, launch);
  for (int round = 0; round < 50; ++round)
    ASSERT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_OK);
}

TEST(Launch, NoMemoryIsAnError) {
  auto workspace = [](const tw_host_v1 *host, void *context, const uint64_t *) {
    return host->workspace(context, int64_t(1) << 60) ? 0 : int32_t(TW_ERROR_MEMORY);
  };
  TestKernel first({}, {}, workspace);
  EXPECT_EQ(tw_launch(first.kernel, nullptr, nullptr, 0), TW_ERROR_MEMORY);
  EXPECT_STREQ(tw_last_error(),
               "gemm: no memory for a workspace of 1152921504606846976 bytes");
  auto arena = [](const tw_host_v1 *host, void *context, const uint64_t *) {
    return host->parallel_for(
        context, 2, [](void *, int64_t, int64_t, void *) { FAIL(); }, nullptr,
        int64_t(1) << 60);
  };
  TestKernel second({}, {}, arena);
  EXPECT_EQ(tw_launch(second.kernel, nullptr, nullptr, 0), TW_ERROR_MEMORY);
  EXPECT_STREQ(tw_last_error(),
               "gemm: no memory for an arena of 1152921504606846976 bytes");
}

/// Blocks 7, 17, 27, ... of 100 fail.
int32_t launchFaulty(const tw_host_v1 *host, void *context, const uint64_t *) {
  struct Env {
    const tw_host_v1 *host;
    void *context;
  } env{host, context};
  return host->parallel_for(
      context, 100,
      [](void *pointer, int64_t begin, int64_t end, void *) {
        auto &env = *static_cast<Env *>(pointer);
        for (int64_t i = begin; i < end; ++i)
          if (i % 10 == 7)
            env.host->fault(env.context, "page out of range", "mla.py:12:5", i);
      },
      &env, 0);
}

TEST(Launch, TheFaultOfTheLowestBlockIsReported) {
  TestKernel kernel({}, {}, launchFaulty);
  for (int threads : {1, 2, 4}) {
    tw_set_num_threads(threads);
    EXPECT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_ERROR_FAULT);
    EXPECT_STREQ(tw_last_error(), "mla.py:12:5: gemm: page out of range (block 7)");
  }
  tw_set_num_threads(0);
}

TEST(Launch, Prints) {
  auto launch = [](const tw_host_v1 *host, void *context, const uint64_t *) -> int32_t {
    host->print(context, "start", TW_PRINT_NONE, 0, 0);
    host->print(context, "i", TW_PRINT_I64, uint64_t(-3), 1);
    host->print(context, "u", TW_PRINT_U64, uint64_t(-3), 2);
    host->print(context, "x", TW_PRINT_F64, bitsOf(0.1), 3);
    return 0;
  };
  TestKernel kernel({}, {}, launch);
  std::string lines;
  tw_set_print_handler(
      [](const char *line, void *user) {
        *static_cast<std::string *>(user) += std::string(line) + '\n';
      },
      &lines);
  ASSERT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_OK);
  tw_set_print_handler(nullptr, nullptr);
  EXPECT_EQ(lines, "start (block 0)\ni: -3 (block 1)\n"
                   "u: 18446744073709551613 (block 2)\nx: 0.1 (block 3)\n");
}

TEST(Launch, CanBeInterrupted) {
  // Two grids of blocks of a millisecond; the second never starts.
  auto launch = [](const tw_host_v1 *host, void *context, const uint64_t *) -> int32_t {
    auto sleep = [](void *, int64_t begin, int64_t end, void *) {
      std::this_thread::sleep_for(std::chrono::milliseconds(end - begin));
    };
    auto never = [](void *, int64_t, int64_t, void *) { ADD_FAILURE(); };
    host->parallel_for(context, 100000, sleep, nullptr, 0);
    return host->parallel_for(context, 1, never, nullptr, 0);
  };
  TestKernel kernel({}, {}, launch);
  int32_t asked = 0;
  tw_set_interrupt_check(
      [](void *user) -> int32_t { return ++*static_cast<int32_t *>(user); }, &asked);
  EXPECT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_ERROR_INTERRUPTED);
  tw_set_interrupt_check(nullptr, nullptr);
  EXPECT_NE(strstr(tw_last_error(), "interrupted"), nullptr);
  EXPECT_EQ(asked, 1);
}

TEST(Launch, GridsAreForDeviceImages) {
  auto launch = [](const tw_host_v1 *host, void *context, const uint64_t *) {
    tw_grid_launch_v1 grid{};
    grid.size = sizeof(grid);
    grid.entry = "gemm_kernel_0";
    return host->launch_grid(context, &grid);
  };
  TestKernel kernel({}, {}, launch);
  EXPECT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_ERROR_UNSUPPORTED);
  EXPECT_NE(strstr(tw_last_error(), "gemm_kernel_0"), nullptr);
}

TEST(Launch, AFailingLaunchFunctionIsAFault) {
  auto launch = [](const tw_host_v1 *, void *, const uint64_t *) { return int32_t(42); };
  TestKernel kernel({}, {}, launch);
  EXPECT_EQ(tw_launch(kernel.kernel, nullptr, nullptr, 0), TW_ERROR_FAULT);
  EXPECT_STREQ(tw_last_error(), "gemm: the launch function returned 42");
}

TEST(Launch, LaunchesInsideLaunches) {
  static TestKernel *inner;
  TestKernel scale({tensor("A", TW_F32, {symbol(0)}).writes(), scalar("by", TW_F32)},
                   {{"m"}}, launchScale);
  inner = &scale;
  auto launch = [](const tw_host_v1 *host, void *context, const uint64_t *) {
    return host->parallel_for(
        context, 16,
        [](void *, int64_t begin, int64_t end, void *) {
          for (int64_t i = begin; i < end; ++i) {
            std::vector<float> data(100, 1);
            std::vector<int64_t> sizes{100};
            tw_argument_v1 arguments[] = {tensorArgument(TW_F32, data.data(), sizes),
                                          scalarArgument(TW_I64, 3)};
            EXPECT_EQ(tw_launch(inner->kernel, nullptr, arguments, 2), TW_OK);
            EXPECT_EQ(data, std::vector<float>(100, 3));
          }
        },
        nullptr, 0);
  };
  TestKernel outer({}, {}, launch);
  EXPECT_EQ(tw_launch(outer.kernel, nullptr, nullptr, 0), TW_OK);
}

} // namespace
