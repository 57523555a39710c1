//===- ApiTest.cpp - The emulator's C API -------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tilewright/emulator.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace {

const char *text = R"(.version 8.0
.target sm_80
.address_size 64
.global .align 4 .u32 seven = 7;
.visible .entry increase(.param .u64 memory, .param .u8 unused, .param .u32 by)
{
  .reg .b32 %r<4>;
  .reg .b64 %rd<2>;
  ld.param.u64 %rd1, [memory];
  ld.param.u32 %r1, [by];
  ld.global.u32 %r2, [%rd1];
  add.u32 %r3, %r1, %r2;
  st.global.u32 [%rd1], %r3;
  ret;
}
)";

/// A device with the module above.
struct ApiTest : testing::Test {
  tw_emulator_device *device = nullptr;
  tw_emulator_module *module = nullptr;
  const tw_emulator_kernel *kernel = nullptr;
  uint64_t memory = 0;

  void SetUp() override {
    tw_emulator_device_options_v1 options = {};
    options.size = sizeof(options);
    options.arch = "sm_80";
    ASSERT_EQ(tw_emulator_device_create(&options, &device), TW_EMULATOR_OK);
    ASSERT_EQ(tw_emulator_module_load(device, text, strlen(text), &module), TW_EMULATOR_OK)
        << tw_emulator_last_error();
    ASSERT_EQ(tw_emulator_module_kernel(module, "increase", &kernel), TW_EMULATOR_OK);
    ASSERT_EQ(tw_emulator_memory_allocate(device, 8, "words", &memory), TW_EMULATOR_OK);
  }
  void TearDown() override { tw_emulator_device_destroy(device); }

  tw_emulator_status launch(uint64_t address, uint32_t by = 1) {
    struct {
      uint64_t memory;
      uint8_t unused;
      uint32_t by;
    } params = {address, 0, by};
    tw_emulator_launch_v1 launch = {};
    launch.size = sizeof(launch);
    for (unsigned axis = 0; axis < 3; ++axis)
      launch.grid[axis] = launch.block[axis] = 1;
    launch.parameters = &params;
    launch.parameter_bytes = sizeof(params);
    return tw_emulator_launch(kernel, &launch);
  }
};

TEST_F(ApiTest, launches) {
  ASSERT_EQ(tw_emulator_memory_fill(device, memory, 40, 4, 2), TW_EMULATOR_OK);
  ASSERT_EQ(launch(memory, 2), TW_EMULATOR_OK) << tw_emulator_last_error();
  uint32_t words[2];
  ASSERT_EQ(tw_emulator_memory_read(device, words, memory, 8, 0), TW_EMULATOR_OK);
  EXPECT_EQ(words[0], 42u);
  EXPECT_EQ(words[1], 40u);
  char *json = nullptr;
  ASSERT_EQ(tw_emulator_report(device, &json), TW_EMULATOR_OK);
  EXPECT_NE(std::string(json).find("{\"name\": \"add.u32\", \"executions\": 1}"),
            std::string::npos);
  tw_emulator_text_free(json);
}

TEST_F(ApiTest, describesParameters) {
  tw_emulator_kernel_info_v1 info = {};
  info.size = sizeof(info);
  ASSERT_EQ(tw_emulator_kernel_info(kernel, &info), TW_EMULATOR_OK);
  EXPECT_STREQ(info.name, "increase");
  EXPECT_EQ(info.parameter_count, 3u);
  EXPECT_EQ(info.parameter_bytes, 16u);
  tw_emulator_parameter_v1 parameter = {};
  parameter.size = sizeof(parameter);
  ASSERT_EQ(tw_emulator_kernel_parameter(kernel, 2, &parameter), TW_EMULATOR_OK);
  EXPECT_STREQ(parameter.name, "by");
  EXPECT_STREQ(parameter.type, "u32");
  EXPECT_EQ(parameter.offset, 12u);
  EXPECT_EQ(tw_emulator_kernel_parameter(kernel, 3, &parameter), TW_EMULATOR_ERROR_NOT_FOUND);
}

TEST_F(ApiTest, findsVariables) {
  uint64_t address = 0, bytes = 0;
  ASSERT_EQ(tw_emulator_module_variable(module, "seven", &address, &bytes), TW_EMULATOR_OK);
  EXPECT_EQ(bytes, 4u);
  uint32_t value = 0;
  ASSERT_EQ(tw_emulator_memory_read(device, &value, address, 4, TW_EMULATOR_REPORT_NEVER_WRITTEN),
            TW_EMULATOR_OK);
  EXPECT_EQ(value, 7u);
  EXPECT_EQ(tw_emulator_module_variable(module, "eight", &address, &bytes),
            TW_EMULATOR_ERROR_NOT_FOUND);
}

TEST_F(ApiTest, collectsFaults) {
  ASSERT_EQ(launch(memory + 4), TW_EMULATOR_OK); // what it reads was never written
  uint32_t words[2];
  ASSERT_EQ(tw_emulator_memory_read(device, words, memory, 8, 0), TW_EMULATOR_ERROR_FAULT);
  ASSERT_EQ(tw_emulator_memory_read(device, words, memory, 8, TW_EMULATOR_READ_ANYTHING),
            TW_EMULATOR_OK);
  ASSERT_EQ(launch(memory + 8), TW_EMULATOR_ERROR_FAULT);
  uint32_t line = 0;
  tw_emulator_last_error_place(&line, nullptr);
  EXPECT_EQ(line, 11u);
  ASSERT_EQ(tw_emulator_fault_count(device), 2u);
  tw_emulator_fault_v1 fault = {};
  fault.size = sizeof(fault);
  ASSERT_EQ(tw_emulator_fault(device, 0, &fault), TW_EMULATOR_OK);
  EXPECT_STREQ(fault.rule, "uninitialised");
  EXPECT_STREQ(fault.kernel, "");
  ASSERT_EQ(tw_emulator_fault(device, 1, &fault), TW_EMULATOR_OK);
  EXPECT_STREQ(fault.rule, "out-of-bounds");
  EXPECT_STREQ(fault.kernel, "increase");
  EXPECT_EQ(fault.line, 11u);
  EXPECT_EQ(tw_emulator_fault(device, 2, &fault), TW_EMULATOR_ERROR_NOT_FOUND);
  char *json = nullptr;
  ASSERT_EQ(tw_emulator_faults_json(device, &json), TW_EMULATOR_OK);
  EXPECT_EQ(json[0], '[');
  tw_emulator_text_free(json);
  tw_emulator_faults_clear(device);
  EXPECT_EQ(tw_emulator_fault_count(device), 0u);
}

TEST_F(ApiTest, refusesWrongCalls) {
  EXPECT_EQ(tw_emulator_memory_free(device, memory + 1), TW_EMULATOR_ERROR_INVALID);
  EXPECT_EQ(tw_emulator_memory_write(device, memory, "123456789", 9), TW_EMULATOR_ERROR_INVALID);
  EXPECT_NE(std::string(tw_emulator_last_error()).find("words has 8 bytes"),
            std::string::npos);
  EXPECT_EQ(tw_emulator_memory_fill(device, memory, 0, 3, 1), TW_EMULATOR_ERROR_INVALID);
  EXPECT_EQ(tw_emulator_memory_fill(device, memory, 0, 4, UINT64_MAX / 2),
            TW_EMULATOR_ERROR_INVALID);
  EXPECT_EQ(tw_emulator_memory_copy(device, memory, 0, 4), TW_EMULATOR_ERROR_INVALID);
  EXPECT_EQ(tw_emulator_launch(nullptr, nullptr), TW_EMULATOR_ERROR_INVALID);
  tw_emulator_launch_v1 launch = {};
  launch.size = sizeof(launch);
  EXPECT_EQ(tw_emulator_launch(kernel, &launch), TW_EMULATOR_ERROR_INVALID); // no threads
  uint64_t base = 0, bytes = 0;
  EXPECT_EQ(tw_emulator_memory_find(device, memory + 8, &base, &bytes),
            TW_EMULATOR_ERROR_NOT_FOUND);
  EXPECT_EQ(tw_emulator_memory_free(device, memory), TW_EMULATOR_OK);
  EXPECT_EQ(tw_emulator_memory_free(device, memory), TW_EMULATOR_ERROR_INVALID);
  EXPECT_EQ(launch.size, sizeof(launch));
}

TEST_F(ApiTest, refusesText) {
  tw_emulator_module *other = nullptr;
  uint32_t line = 0, column = 0;
  EXPECT_EQ(tw_emulator_module_load(device, "", 0, &other), TW_EMULATOR_ERROR_SYNTAX);
  std::string broken = std::string(text) + "\n.visible";
  EXPECT_EQ(tw_emulator_module_load(device, broken.data(), broken.size(), &other),
            TW_EMULATOR_ERROR_SYNTAX);
  tw_emulator_last_error_place(&line, &column);
  EXPECT_EQ(line, 17u);
  // Text need not end in a zero byte.
  std::vector<char> exact(text, text + strlen(text));
  EXPECT_EQ(tw_emulator_module_load(device, exact.data(), exact.size(), &other), TW_EMULATOR_OK);
  tw_emulator_module_unload(other);
}

/// Structures of other versions of the header.
TEST_F(ApiTest, takesOtherSizes) {
  struct {
    tw_emulator_device_options_v1 known;
    uint64_t newer;
  } options = {};
  options.known.size = sizeof(options);
  options.known.arch = "sm_90a";
  tw_emulator_device *other = nullptr;
  ASSERT_EQ(tw_emulator_device_create(&options.known, &other), TW_EMULATOR_OK);
  tw_emulator_device_destroy(other);
  options.newer = 1;
  EXPECT_EQ(tw_emulator_device_create(&options.known, &other), TW_EMULATOR_ERROR_INVALID);
  // An older one, which ends after the architecture.
  options.known.size = 16;
  options.known.order = 99;
  ASSERT_EQ(tw_emulator_device_create(&options.known, &other), TW_EMULATOR_OK);
  tw_emulator_device_destroy(other);
  options.known.size = 0;
  EXPECT_EQ(tw_emulator_device_create(&options.known, &other), TW_EMULATOR_ERROR_INVALID);
  // What does not fit the caller's structure is not written.
  tw_emulator_parameter_v1 parameter = {};
  parameter.size = 16;
  parameter.bytes = 99;
  ASSERT_EQ(tw_emulator_kernel_parameter(kernel, 0, &parameter), TW_EMULATOR_OK);
  EXPECT_STREQ(parameter.name, "memory");
  EXPECT_EQ(parameter.bytes, 99u);
}

} // namespace
