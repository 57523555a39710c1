//===- ModuleTest.cpp - Loading artifacts ------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestKernel.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

using namespace tilewright::test;

namespace {

/// The path of a library that CMakeLists.txt builds from TestArtifact.c.
std::string artifact(const std::string &variant) {
  return std::string(ARTIFACT_FOLDER) + "/libruntime_artifact_" + variant + ".so";
}

/// The message of opening a file that is no usable artifact.
std::string messageOf(const std::string &path) {
  tw_module *module = nullptr;
  EXPECT_EQ(tw_module_open(path.c_str(), &module), TW_ERROR_ARTIFACT) << path;
  EXPECT_EQ(module, nullptr);
  std::string message = tw_last_error();
  EXPECT_EQ(message.rfind(path + ": ", 0), 0u) << message;
  return message.substr(path.size() + 2);
}

/// A file with some content, for the time of a test.
class TemporaryFile {
public:
  std::string path = testing::TempDir() + "tilewright-module-test.so";
  explicit TemporaryFile(const std::string &content) {
    std::ofstream(path, std::ios::binary) << content;
  }
  ~TemporaryFile() { unlink(path.c_str()); }
};

std::string contentOf(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Module, OpensAndTells) {
  tw_device *device;
  tw_module *module;
  const tw_kernel *kernel;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  ASSERT_EQ(tw_module_open(artifact("sound").c_str(), &module), TW_OK) << tw_last_error();
  ASSERT_EQ(tw_module_kernel(module, device, &kernel), TW_OK) << tw_last_error();
  tw_kernel_info_v1 info{};
  EXPECT_EQ(tw_kernel_info(kernel, &info), TW_ERROR_INVALID) << "no size is set";
  info.size = sizeof(info);
  ASSERT_EQ(tw_kernel_info(kernel, &info), TW_OK);
  EXPECT_STREQ(info.name, "nothing");
  EXPECT_STREQ(info.target, "cpu");
  EXPECT_STREQ(info.manifest, "{}");
  EXPECT_EQ(info.parameter_count, 0u);
  EXPECT_EQ(info.word_count, 0u);
  EXPECT_EQ(tw_launch(kernel, nullptr, nullptr, 0), TW_OK);
  tw_module_close(module);
  tw_device_close(device);
}

TEST(Module, MissingAndForeignFiles) {
  EXPECT_EQ(messageOf("/nowhere/kernel.so"),
            "cannot be opened: No such file or directory");
  EXPECT_EQ(messageOf("/"), "is not a regular file; it is no kernel artifact");
  TemporaryFile text("not an ELF file, though it is longer than a header of one is, so "
                     "that its length alone does not tell");
  EXPECT_EQ(messageOf(text.path), "is not a shared object; it is no kernel artifact");
  TemporaryFile empty("");
  EXPECT_EQ(messageOf(empty.path), "is not a shared object; it is no kernel artifact");
  EXPECT_EQ(messageOf(artifact("other_symbol")),
            "has no symbol tw_artifact; it is no kernel artifact");
}

TEST(Module, AnotherMachine) {
  std::string content = contentOf(artifact("sound"));
  content[18] = '\x02', content[19] = '\0'; // e_machine: SPARC
  TemporaryFile file(content);
  EXPECT_EQ(messageOf(file.path).find("has code for another kind of machine, and this"),
            0u);
}

/// Cut anywhere, a file is an error or, behind all that is loaded, still sound.
TEST(Module, TruncatedFiles) {
  std::string content = contentOf(artifact("sound"));
  ASSERT_GT(content.size(), 4096u);
  int errors = 0;
  for (size_t length = 0; length < content.size(); length += 97) {
    TemporaryFile file(content.substr(0, length));
    tw_module *module = nullptr;
    tw_status status = tw_module_open(file.path.c_str(), &module);
    if (status == TW_OK)
      tw_module_close(module);
    else
      ++errors;
    ASSERT_TRUE(status == TW_OK || status == TW_ERROR_ARTIFACT);
  }
  EXPECT_GT(errors, 20);
}

TEST(Module, OtherVersions) {
  EXPECT_EQ(messageOf(artifact("version_2")),
            "the artifact has ABI version 2, this runtime version 1; compile the kernel "
            "again");
  EXPECT_NE(messageOf(artifact("small")).find("compile the kernel again"),
            std::string::npos);
  EXPECT_EQ(messageOf(artifact("no_image")), "the artifact is incomplete");
  EXPECT_EQ(messageOf(artifact("bad_magic")),
            "the signature table has the wrong magic number");
}

/// Whether a kernel with an extent of these steps is refused.
static bool isMalformed(std::vector<Step> steps) {
  auto table = makeSignature(
      {tensor("A", TW_F32, {symbol(0), expression("e", std::move(steps))})}, {{"m"}});
  tw_image_v1 image{"cpu", launchNothing, nullptr, 0};
  tw_artifact_v1 artifact{
      sizeof(artifact), TW_ABI_VERSION, "e", table.data(), "{}", 1, &image};
  tw_module *module = nullptr;
  tw_status status = tw_module_from_artifact(&artifact, &module);
  if (status == TW_OK)
    tw_module_close(module);
  else
    EXPECT_NE(std::string(tw_last_error()).find("malformed dimension"),
              std::string::npos);
  return status != TW_OK;
}

TEST(Module, MalformedExpressions) {
  Step m{TW_STEP_SYMBOL, 0}, two{TW_STEP_CONST, 2}, add{TW_STEP_ADD};
  EXPECT_FALSE(isMalformed({m, two, add}));
  EXPECT_TRUE(isMalformed({}));
  EXPECT_TRUE(isMalformed({m, add}));
  EXPECT_TRUE(isMalformed({m, two}));
  EXPECT_TRUE(isMalformed({{TW_STEP_SYMBOL, 1}}));
  EXPECT_TRUE(isMalformed({m, two, {TW_STEP_MAX + 1}}));
  EXPECT_FALSE(isMalformed(std::vector<Step>(1, m)));
  EXPECT_TRUE(isMalformed(std::vector<Step>(TW_MAX_EXPRESSION_STEPS + 1, m)));
}

TEST(Module, ImagesAreChosenByDevice) {
  tw_device *device;
  tw_module *module;
  const tw_kernel *kernel = nullptr;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  ASSERT_EQ(tw_module_open(artifact("cuda").c_str(), &module), TW_OK);
  EXPECT_EQ(tw_module_kernel(module, device, &kernel), TW_ERROR_UNSUPPORTED);
  EXPECT_STREQ(tw_last_error(), "nothing: the artifact has no image for cpu");
  tw_module_close(module);

  auto table = makeSignature({}, {});
  tw_image_v1 images[] = {{"cuda:sm_90a", nullptr, "", 1},
                          {"cpu:x86-64", launchNothing, nullptr, 0},
                          {"cpu", launchNothing, nullptr, 0}};
  tw_artifact_v1 several{sizeof(several), TW_ABI_VERSION, "k", table.data(), "{}", 3,
                         images};
  ASSERT_EQ(tw_module_from_artifact(&several, &module), TW_OK);
  ASSERT_EQ(tw_module_kernel(module, device, &kernel), TW_OK);
  tw_kernel_info_v1 info{};
  info.size = sizeof(info);
  ASSERT_EQ(tw_kernel_info(kernel, &info), TW_OK);
  EXPECT_STREQ(info.target, "cpu:x86-64");
  tw_module_close(module);
  tw_device_close(device);
}

/// An image is passed over where the machine lacks, or the runtime does not know, an
/// extension that its code uses.
TEST(Module, ImagesAreChosenByFeatures) {
  tw_device *device;
  tw_module *module;
  const tw_kernel *kernel = nullptr;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  auto table = makeSignature({}, {});
  tw_image_v1 images[] = {{"cpu:future", launchNothing, nullptr, 0, "avx2,avx9000,fma"},
                          {"cpu:x86-64-v3", launchNothing, nullptr, 0, "avx2,fma"}};
  tw_artifact_v1 artifact{
      sizeof(artifact), TW_ABI_VERSION, "k", table.data(), "{}", 2, images};
  ASSERT_EQ(tw_module_from_artifact(&artifact, &module), TW_OK);
  ASSERT_EQ(tw_module_kernel(module, device, &kernel), TW_OK) << tw_last_error();
  tw_kernel_info_v1 info{};
  info.size = sizeof(info);
  ASSERT_EQ(tw_kernel_info(kernel, &info), TW_OK);
  EXPECT_STREQ(info.target, "cpu:x86-64-v3");
  tw_module_close(module);

  artifact.image_count = 1;
  ASSERT_EQ(tw_module_from_artifact(&artifact, &module), TW_OK);
  EXPECT_EQ(tw_module_kernel(module, device, &kernel), TW_ERROR_UNSUPPORTED);
  EXPECT_STREQ(
      tw_last_error(),
      "cpu:future code needs avx9000, which this machine's CPU lacks; compile the "
      "kernel for 'cpu' on this machine, or for an older model");
  tw_module_close(module);
  tw_device_close(device);
}

/// Every word of a table, spoilt, gives an error or a table that can be used.
TEST(Module, SpoiltSignaturesAreErrors) {
  Param c = tensor("C", TW_F32, {symbol(1), size(8)}).strided({any(), size(1)}).writes();
  const auto sound = makeSignature(
      {tensor("A", TW_F32, {symbol(0), symbol(1)}), c, scalar("n", TW_I32, 1)},
      {{"m", 0, 64, 8}, {"n"}});
  tw_image_v1 image{"cpu", launchNothing, nullptr, 0};
  tw_device *device;
  ASSERT_EQ(tw_device_open("cpu", &device), TW_OK);
  int errors = 0;
  for (size_t word = 0; word < sound.size(); ++word)
    for (int64_t value : {int64_t(-1), int64_t(-2), int64_t(3), int64_t(100),
                          int64_t(1) << 40, INT64_MIN, INT64_MAX}) {
      auto table = sound;
      table[word] = value;
      tw_artifact_v1 spoilt{sizeof(spoilt), TW_ABI_VERSION, "k", table.data(), "{}", 1,
                            &image};
      tw_module *module;
      const tw_kernel *kernel;
      if (tw_module_from_artifact(&spoilt, &module) != TW_OK) {
        ++errors;
        continue;
      }
      ASSERT_EQ(tw_module_kernel(module, device, &kernel), TW_OK);
      std::vector<int64_t> a{8, 4}, b{4, 8};
      static float memory[128];
      tw_argument_v1 arguments[] = {tensorArgument(TW_F32, memory, a),
                                    tensorArgument(TW_F32, memory + 64, b),
                                    scalarArgument(TW_I64, 4)};
      tw_launch(kernel, nullptr, arguments, 3);
      tw_module_close(module);
    }
  EXPECT_GT(errors, 100);
  tw_device_close(device);
}

} // namespace
