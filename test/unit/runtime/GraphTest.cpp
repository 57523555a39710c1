//===- GraphTest.cpp - Graphs of launches ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GpuTestKernel.h"

using namespace tilewright::test;

class Graph : public testing::TestWithParam<const char *> {};

INSTANTIATE_TEST_SUITE_P(Emulators, Graph,
                         testing::Values("cuda-emulator:sm_80", "hip-emulator:gfx942"),
                         [](const auto &info) {
                           return std::string(info.param, 0, 4) == "cuda" ? "Cuda"
                                                                          : "Hip";
                         });

static bool says(const char *text) { return strstr(tw_last_error(), text) != nullptr; }

/// C = 2 * A + A by way of a workspace.
static int32_t launchTriple(const tw_host_v1 *host, void *context,
                            const uint64_t *words) {
  uint64_t n = words[1];
  void *twice = host->workspace(context, static_cast<int64_t>(4 * n));
  if (!twice)
    return TW_ERROR_MEMORY;
  Parameters first, second;
  first.add(words[0]).add(twice).add(2.0f).add(uint64_t(1)).add(n);
  first.add(n).add(uint64_t(1)).add(n).add(uint64_t(1));
  if (int32_t status = startGrid(host, context, "scale", (n + 127) / 128, first))
    return status;
  second.add(twice).add(words[0]).add(words[3]).add(n);
  return startGrid(host, context, "add", (n + 127) / 128, second);
}

static std::vector<Param> tripleParams() {
  return {tensor("A", TW_F32, {symbol(0)}), tensor("C", TW_F32, {symbol(0)}).writes()};
}

/// A grid, and then a buffer for messages.
static int32_t launchSay(const tw_host_v1 *host, void *context, const uint64_t *words) {
  if (int32_t status = launchTriple(host, context, words))
    return status;
  tw_message_site_v1 site = {sizeof(site), "said", "say.py:1:1", TW_PRINT_NONE, 0};
  return host->messages(context, &site, 1) ? 0 : TW_ERROR_UNSUPPORTED;
}

namespace {
struct Stream {
  tw_stream *stream = nullptr;
  explicit Stream(GpuDevice &gpu) {
    EXPECT_EQ(tw_stream_create(gpu.device, &stream), TW_OK) << tw_last_error();
  }
  ~Stream() { tw_stream_destroy(stream); }
  operator tw_stream *() const { return stream; }
};
} // namespace

TEST_P(Graph, RunsAsOftenAsItIsLaunched) {
  GpuDevice gpu(GetParam());
  GpuKernel triple(gpu, tripleParams(), {{"n"}}, launchTriple);
  GpuKernel add(gpu, addParams(), {{"n"}}, launchAdd);
  Stream stream(gpu), other(gpu);
  constexpr int64_t n = 300;
  DeviceArray<float> a(gpu, n), b(gpu, n), c(gpu, n);
  std::vector<int64_t> extents = {n};
  c.write(std::vector<float>(n, -1));
  b.write(std::vector<float>(n, -1));
  // b = 3 a; c = b + a; the last element of c is zero.
  tw_argument_v1 first[] = {a.argument(extents), b.argument(extents)};
  tw_argument_v1 second[] = {b.argument(extents), a.argument(extents),
                             c.argument(extents)};
  ASSERT_EQ(tw_graph_begin(stream), TW_OK) << tw_last_error();
  EXPECT_EQ(tw_graph_begin(stream), TW_ERROR_INVALID);
  ASSERT_EQ(tw_launch(triple.kernel, stream, first, 2), TW_OK) << tw_last_error();
  ASSERT_EQ(tw_launch(add.kernel, stream, second, 3), TW_OK) << tw_last_error();
  ASSERT_EQ(
      tw_memory_fill(gpu.device, stream, static_cast<float *>(c.data) + n - 1, 0, 4),
      TW_OK);
  EXPECT_EQ(tw_stream_synchronize(stream), TW_ERROR_INVALID);
  // Whoever does other things meanwhile is not disturbed.
  EXPECT_EQ(c.read(), std::vector<float>(n, -1));
  {
    DeviceArray<float> more(gpu, n);
  }
  tw_graph *graph = nullptr;
  ASSERT_EQ(tw_graph_end(stream, &graph), TW_OK) << tw_last_error();
  EXPECT_EQ(tw_graph_end(stream, &graph), TW_ERROR_INVALID);
  for (float value : {1.0f, 5.0f})
    for (tw_stream *on :
         {stream.stream, other.stream, static_cast<tw_stream *>(nullptr)}) {
      a.write(std::vector<float>(n, value));
      c.write(std::vector<float>(n, -1));
      ASSERT_EQ(tw_graph_launch(graph, on), TW_OK) << tw_last_error();
      std::vector<float> expected(n, 4 * value);
      expected.back() = 0;
      EXPECT_EQ(c.read(), expected);
    }
  // The stream works as before, and a graph goes into no other.
  ASSERT_EQ(tw_launch(triple.kernel, stream, first, 2), TW_OK) << tw_last_error();
  EXPECT_EQ(b.read(), std::vector<float>(n, 15));
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  EXPECT_EQ(tw_graph_launch(graph, stream), TW_ERROR_INVALID);
  EXPECT_TRUE(says("cannot be a part of another")) << tw_last_error();
  tw_graph_destroy(graph);
} // the stream ends with what was begun

TEST_P(Graph, WhatCannotBeRecorded) {
  GpuDevice gpu(GetParam());
  GpuKernel say(gpu, tripleParams(), {{"n"}}, launchSay);
  GpuKernel triple(gpu, tripleParams(), {{"n"}}, launchTriple);
  Stream stream(gpu);
  DeviceArray<float> a(gpu, 8), c(gpu, 8);
  a.write(std::vector<float>(8, 1));
  c.write(std::vector<float>(8, 0));
  std::vector<float> here(8);
  std::vector<int64_t> extents = {8};
  tw_argument_v1 there[] = {a.argument(extents), c.argument(extents)};
  tw_argument_v1 mixed[] = {tensorArgument(TW_F32, here.data(), extents),
                            c.argument(extents)};
  tw_graph *graph = nullptr;
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  EXPECT_EQ(tw_launch(triple.kernel, stream, mixed, 2), TW_ERROR_ARGUMENT);
  EXPECT_TRUE(says("argument 'A' is in the host's memory")) << tw_last_error();
  ASSERT_EQ(tw_launch(triple.kernel, stream, there, 2), TW_OK) << tw_last_error();
  ASSERT_EQ(tw_graph_end(stream, &graph), TW_OK) << tw_last_error();
  ASSERT_EQ(tw_graph_launch(graph, stream), TW_OK) << tw_last_error();
  EXPECT_EQ(c.read(), std::vector<float>(8, 3));
  tw_graph_destroy(graph);
  // Half of a launch is no graph.
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  EXPECT_EQ(tw_launch(say.kernel, stream, there, 2), TW_ERROR_UNSUPPORTED);
  EXPECT_TRUE(says("it prints or asserts")) << tw_last_error();
  EXPECT_EQ(tw_graph_end(stream, &graph), TW_ERROR_UNSUPPORTED);
  EXPECT_TRUE(says("a part of it was recorded")) << tw_last_error();
  EXPECT_EQ(tw_launch(say.kernel, stream, there, 2), TW_OK) << tw_last_error();
}

TEST_P(Graph, AStreamOfAnotherDeviceIsRefused) {
  std::string other = GetParam()[0] == 'c' ? "hip-emulator" : "cuda-emulator";
  GpuDevice gpu(GetParam()), second(other);
  Stream stream(gpu), foreign(second);
  tw_graph *graph = nullptr;
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  ASSERT_EQ(tw_graph_end(stream, &graph), TW_OK) << tw_last_error();
  EXPECT_EQ(tw_graph_launch(graph, foreign), TW_ERROR_INVALID);
  EXPECT_EQ(tw_graph_launch(graph, stream), TW_OK) << tw_last_error();
  tw_graph_destroy(graph);
}

//===----------------------------------------------------------------------===//
// The CPU
//===----------------------------------------------------------------------===//

TEST(CpuGraph, CopiesAndFillsRunAgain) {
  GpuDevice cpu("cpu");
  Stream stream(cpu);
  float from[4] = {1, 2, 3, 4}, to[4] = {};
  tw_graph *graph = nullptr;
  EXPECT_EQ(tw_graph_end(stream, &graph), TW_ERROR_INVALID);
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  EXPECT_EQ(tw_graph_begin(stream), TW_ERROR_INVALID);
  ASSERT_EQ(tw_memory_copy(cpu.device, stream, to, from, sizeof(from)), TW_OK);
  ASSERT_EQ(tw_memory_fill(cpu.device, stream, to, 0, 4), TW_OK);
  EXPECT_EQ(to[1], 0);
  ASSERT_EQ(tw_graph_end(stream, &graph), TW_OK);
  for (float value : {7.0f, 9.0f}) {
    from[1] = value;
    ASSERT_EQ(tw_graph_launch(graph, stream), TW_OK);
    EXPECT_EQ(to[0], 0);
    EXPECT_EQ(to[1], value);
  }
  ASSERT_EQ(tw_graph_begin(stream), TW_OK);
  EXPECT_EQ(tw_graph_launch(graph, stream), TW_ERROR_INVALID);
  tw_graph_destroy(graph);
}
