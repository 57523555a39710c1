//===- CodeObject.h - A linked AMDGPU code object -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An ELF shared object, as ld.lld links it: segments to map, relocations, kernels with a
// descriptor each, and metadata that says what their arguments are. Described in LLVM's
// "User Guide for AMDGPU Backend" (code object V4 to V6).
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_CODEOBJECT_H
#define TILEWRIGHT_EMULATORS_AMDGPU_CODEOBJECT_H

#include "emulators/amdgpu/Target.h"

#include <memory>
#include <string>
#include <vector>

namespace tilewright::amdgpu {

/// A kernel's parameter, or a hidden one: `kind` is the metadata's value kind, such as
/// "global_buffer", "by_value", "hidden_block_count_x".
struct Argument {
  std::string name, kind;
  uint32_t offset = 0, size = 0;
  bool isHidden() const { return kind.compare(0, 7, "hidden_") == 0; }
};

struct Kernel {
  std::string name;
  uint64_t descriptor = 0; ///< its address in the object
  uint64_t entry = 0;      ///< the code's
  uint32_t groupBytes = 0, privateBytes = 0, kernargBytes = 0;
  uint32_t rsrc1 = 0, rsrc2 = 0, rsrc3 = 0;
  uint16_t properties = 0;
  uint16_t preloadLength = 0, preloadOffset = 0; ///< in dwords
  unsigned waveSize = 64;
  uint32_t maxThreads = 1024;
  uint32_t vectorRegisters = 0; ///< that a wave has, accumulation registers included
  std::vector<Argument> arguments;
};

struct Segment {
  uint64_t address = 0, size = 0; ///< in memory
  uint64_t offset = 0, fileSize = 0;
  bool isWritable = false, isExecutable = false;
};

/// Of a 64-bit word: it becomes the load address plus `addend`.
struct Relocation {
  uint64_t address = 0;
  int64_t addend = 0;
};

/// A symbol of the object: a variable or a function.
struct Symbol {
  std::string name;
  uint64_t address = 0, size = 0;
};

struct CodeObject {
  const Target *target = nullptr;
  std::string bytes;
  uint64_t size = 0; ///< from address 0 to the last segment's end
  std::vector<Segment> segments;
  std::vector<Relocation> relocations;
  std::vector<Symbol> symbols;
  std::vector<Kernel> kernels;

  const Kernel *findKernel(std::string_view name) const;
};

/// Reads an object; null with `error` filled where it is damaged, is none, or is for a
/// GPU that is not emulated.
std::unique_ptr<CodeObject> readCodeObject(std::string bytes, std::string &error);

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_CODEOBJECT_H
