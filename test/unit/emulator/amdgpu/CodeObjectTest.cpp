//===- CodeObjectTest.cpp - Linked objects, and damaged ones ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Program.h"
#include "test/unit/emulator/amdgpu/Vectors.h"

#include <gtest/gtest.h>

#include <random>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

namespace {
/// Reads, loads and decodes all there is; nothing may crash.
std::string load(std::string bytes) {
  std::string error;
  auto object = readCodeObject(std::move(bytes), error);
  if (!object)
    return error;
  GlobalMemory memory(uint64_t(1) << 31);
  std::vector<uint64_t> entries;
  for (const Kernel &kernel : object->kernels)
    entries.push_back(kernel.entry);
  auto program = Program::load(std::move(object), memory, error);
  if (!program)
    return error;
  for (uint64_t entry : entries)
    for (uint64_t at = entry; at < entry + 64;) {
      const Instruction *found = program->at(at, error);
      if (!found)
        break;
      program->getSource(at);
      at += found->size;
    }
  return "";
}
} // namespace

TEST(CodeObject, KernelsAndTheirArguments) {
  std::string error;
  auto object = readCodeObject(readVector("vadd.gfx942.hsaco"), error);
  ASSERT_TRUE(object) << error;
  EXPECT_EQ(object->target->gpu, Gpu::Gfx942);
  const Kernel *kernel = object->findKernel("vadd");
  ASSERT_TRUE(kernel);
  EXPECT_FALSE(object->findKernel("vsub"));
  EXPECT_EQ(kernel->waveSize, 64u);
  EXPECT_EQ(kernel->kernargBytes, 48u);
  EXPECT_EQ(kernel->maxThreads, 256u);
  ASSERT_EQ(kernel->arguments.size(), 6u);
  EXPECT_EQ(kernel->arguments[0].kind, "global_buffer");
  EXPECT_EQ(kernel->arguments[3].kind, "by_value");
  EXPECT_EQ(kernel->arguments[3].offset, 24u);
  EXPECT_EQ(kernel->arguments[3].size, 4u);
  EXPECT_GT(kernel->preloadLength, 0u);
}

TEST(CodeObject, WhatIsNone) {
  EXPECT_NE(load("").find("no code object"), std::string::npos);
  EXPECT_NE(load("some text").find("no code object"), std::string::npos);
  EXPECT_NE(load("__CLANG_OFFLOAD_BUNDLE__...").find("bundle"), std::string::npos);
  EXPECT_NE(load("\177ELF").find("damaged"), std::string::npos);
  std::string other = readVector("vadd.gfx942.hsaco");
  other[18] = 62; // x86-64
  EXPECT_NE(load(other).find("not for AMD"), std::string::npos);
  std::string unknown = readVector("vadd.gfx942.hsaco");
  unknown[48] = 0x2c; // gfx900
  EXPECT_NE(load(unknown).find("not emulated"), std::string::npos);
}

TEST(CodeObject, CutShortAnywhere) {
  std::string whole = readVector("vadd.gfx1201.hsaco");
  EXPECT_EQ(load(whole), "");
  for (size_t length = 0; length < whole.size(); length += 7)
    load(whole.substr(0, length));
}

TEST(CodeObject, DamagedAnywhere) {
  std::string whole = readVector("vadd.gfx942.hsaco");
  std::mt19937 random(1);
  for (unsigned i = 0; i < 4000; ++i) {
    std::string damaged = whole;
    unsigned changes = 1 + random() % 4;
    for (unsigned j = 0; j < changes; ++j)
      damaged[random() % (j % 2 ? damaged.size() : 1536)] = static_cast<char>(random());
    load(damaged);
  }
}
