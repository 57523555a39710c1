//===- Program.cpp - A code object loaded for execution -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Program.h"

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/Hazards.h"

#include "llvm-c/Disassembler.h"
#include "llvm-c/Target.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;

Disassembler::Disassembler(const Target &target) {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUDisassembler();
  });
  // Halves of registers as v0.l and v0.h, which LLVM does not take for granted on gfx12.
  context = LLVMCreateDisasmCPUFeatures(
      "amdgcn-amd-amdhsa", std::string(target.name).c_str(),
      target.isRdna() ? "+real-true16" : "", nullptr, 0, nullptr, nullptr);
}

Disassembler::~Disassembler() {
  if (context)
    LLVMDisasmDispose(context);
}

size_t Disassembler::disassemble(const uint8_t *bytes, size_t size, std::string &text) {
  char buffer[512];
  if (!context)
    return 0;
  size_t length = LLVMDisasmInstruction(context, const_cast<uint8_t *>(bytes), size, 0,
                                        buffer, sizeof(buffer));
  if (!length)
    return 0;
  text = buffer;
  text.erase(0, text.find_first_not_of(" \t"));
  std::replace(text.begin(), text.end(), '\t', ' ');
  // A comment may follow, which says what an operand stands for.
  size_t comment = text.find(" //");
  if (comment != std::string::npos)
    text.erase(comment);
  return length;
}

Program::Program(std::unique_ptr<CodeObject> object, GlobalMemory &memory,
                 Allocation *allocation)
    : object(std::move(object)), memory(memory), allocation(allocation),
      decoded((this->object->size + 3) / 4), lines(this->object->bytes),
      disassembler(*this->object->target) {}

Program::~Program() { memory.release(allocation->base); }

std::unique_ptr<Program> Program::load(std::unique_ptr<CodeObject> object,
                                       GlobalMemory &memory, std::string &error) {
  Allocation *allocation = memory.allocate(object->size, "the code object", 4096);
  if (!allocation) {
    error = "the device has no memory left for the code object's " +
            std::to_string(object->size) + " bytes";
    return nullptr;
  }
  Bytes &bytes = allocation->memory;
  for (const Segment &segment : object->segments) {
    uint8_t *data = bytes.data() + segment.address;
    memcpy(data, object->bytes.data() + segment.offset, segment.fileSize);
    memset(data + segment.fileSize, 0, segment.size - segment.fileSize);
    memset(bytes.shadow() + segment.address, Sound, segment.size);
  }
  // ld.lld puts what may not be written first: tables and code.
  uint64_t writable = object->size;
  for (const Segment &segment : object->segments)
    if (segment.isWritable)
      writable = std::min(writable, segment.address);
  allocation->readOnlyBytes = writable;
  for (const Relocation &relocation : object->relocations) {
    uint64_t value = allocation->base + static_cast<uint64_t>(relocation.addend);
    memcpy(bytes.data() + relocation.address, &value, sizeof(value));
  }
  return std::unique_ptr<Program>(new Program(std::move(object), memory, allocation));
}

const Instruction *Program::decode(uint64_t offset, std::string &error) {
  auto code = std::find_if(object->segments.begin(), object->segments.end(),
                           [&](const Segment &segment) {
                             return segment.isExecutable && offset >= segment.address &&
                                    offset - segment.address < segment.fileSize;
                           });
  if (offset % 4 || code == object->segments.end()) {
    error = "there is no code";
    return nullptr;
  }
  std::lock_guard<std::mutex> guard(lock);
  if (const Instruction *found = decoded[offset / 4].load(std::memory_order_relaxed))
    return found;
  Instruction instruction;
  const char *bytes = object->bytes.data() + code->offset + (offset - code->address);
  size_t left = code->fileSize - (offset - code->address);
  size_t size = disassembler.disassemble(reinterpret_cast<const uint8_t *>(bytes), left,
                                         instruction.text);
  if (!size) {
    error = "this is no instruction of " + std::string(object->target->name);
    return nullptr;
  }
  instruction.offset = static_cast<uint32_t>(offset);
  instruction.size = static_cast<uint32_t>(size);
  std::string reason =
      decodeInstruction(*object->target, instruction.text, instruction, owned);
  if (!reason.empty()) {
    error = "`" + instruction.text + "`: " + reason;
    return nullptr;
  }
  auto hazards = std::make_shared<const HazardTraits>(
      findHazardTraits(*object->target, instruction.text));
  instruction.hazards = hazards.get();
  owned.push_back(std::move(hazards));
  std::string mnemonic = instruction.text.substr(0, instruction.text.find(' '));
  instruction.opcode =
      opcodes.try_emplace(mnemonic, static_cast<uint32_t>(opcodes.size())).first->second;
  instructions.push_back(std::move(instruction));
  decoded[offset / 4].store(&instructions.back(), std::memory_order_release);
  return &instructions.back();
}

std::vector<std::string> Program::getMnemonics() {
  std::lock_guard<std::mutex> guard(lock);
  std::vector<std::string> names(opcodes.size());
  for (const auto &entry : opcodes)
    names[entry.second] = entry.first;
  return names;
}
