//===- Harness.cpp - Instructions on a wave, for tests ------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "test/unit/emulator/amdgpu/Harness.h"

#include "test/unit/emulator/amdgpu/Evidence.h"

#include "llvm-c/Core.h"
#include "llvm-c/Object.h"
#include "llvm-c/Target.h"
#include "llvm-c/TargetMachine.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::amdgpu::test;
using namespace tilewright::emulator;

std::string tilewright::amdgpu::test::assemble(const Target &target,
                                               const std::string &text) {
  static bool once = [] {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
    LLVMInitializeAMDGPUAsmParser();
    return true;
  }();
  (void)once;
  const char *triple = "amdgcn-amd-amdhsa";
  char *error = nullptr;
  LLVMTargetRef found;
  if (LLVMGetTargetFromTriple(triple, &found, &error)) {
    ADD_FAILURE() << error;
    return "";
  }
  LLVMTargetMachineRef machine =
      LLVMCreateTargetMachine(found, triple, std::string(target.name).c_str(),
                              target.isRdna() ? "+real-true16" : "", LLVMCodeGenLevelNone,
                              LLVMRelocPIC, LLVMCodeModelDefault);
  LLVMContextRef context = LLVMContextCreate();
  LLVMContextSetDiagnosticHandler(
      context,
      [](LLVMDiagnosticInfoRef info, void *) {
        char *message = LLVMGetDiagInfoDescription(info);
        ADD_FAILURE() << message;
        LLVMDisposeMessage(message);
      },
      nullptr);
  LLVMModuleRef module = LLVMModuleCreateWithNameInContext("test", context);
  LLVMSetTarget(module, triple);
  std::string source =
      ".amdgcn_target \"amdgcn-amd-amdhsa--" + std::string(target.name) + "\"\n" + text;
  LLVMSetModuleInlineAsm2(module, source.c_str(), source.size());
  LLVMMemoryBufferRef object = nullptr;
  std::string code;
  if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &error,
                                          &object)) {
    ADD_FAILURE() << error << "\n" << text;
    LLVMDisposeMessage(error);
  } else {
    LLVMBinaryRef binary = LLVMCreateBinary(object, nullptr, &error);
    LLVMSectionIteratorRef section = LLVMObjectFileCopySectionIterator(binary);
    for (; !LLVMObjectFileIsSectionIteratorAtEnd(binary, section);
         LLVMMoveToNextSection(section))
      if (const char *name = LLVMGetSectionName(section); name && !strcmp(name, ".text"))
        code.assign(LLVMGetSectionContents(section), LLVMGetSectionSize(section));
    LLVMDisposeSectionIterator(section);
    LLVMDisposeBinary(binary);
    LLVMDisposeMemoryBuffer(object);
  }
  LLVMDisposeModule(module);
  LLVMContextDispose(context);
  LLVMDisposeTargetMachine(machine);
  return code;
}

Machine::Machine(const char *name, const std::string &text, unsigned items,
                 uint32_t ldsBytes, bool hazards)
    : device(*findTarget(name)) {
  const Target &target = device.target;
  auto object = std::make_unique<CodeObject>();
  object->target = &target;
  object->bytes = assemble(target, text + "\ns_endpgm\n");
  object->size = object->bytes.size();
  Segment segment;
  segment.size = segment.fileSize = object->size;
  segment.isExecutable = true;
  object->segments = {segment};
  Kernel kernel;
  kernel.name = "test";
  kernel.waveSize = target.waveSize;
  kernel.groupBytes = ldsBytes;
  kernel.privateBytes = 1024;
  // Denormals of all types, IEEE: what compilers set.
  kernel.rsrc1 = 0xf << 16 | 1 << 21 | 1 << 23;
  object->kernels = {kernel};
  std::string error;
  program = Program::load(std::move(object), device.memory, error);
  options.block = {items, 1, 1};
  options.checks.hazards = hazards;
  launch = std::make_unique<LaunchRun>(device, *program, program->getObject().kernels[0],
                                       options);
  launch->sharedBytes = ldsBytes;
  group = std::make_unique<WorkGroup>(*launch, Dim3{0, 0, 0});
}

Machine::~Machine() = default;

void Machine::set(uint16_t reg, uint32_t value) {
  set(reg, [value](unsigned) { return value; });
}

void Machine::set(uint16_t reg, const std::function<uint32_t(unsigned)> &value) {
  for (auto &wave : group->waves) {
    for (unsigned lane = 0; lane < wave->lanes; ++lane) {
      wave->vector(reg)[lane] = value(lane + wave->index * wave->lanes);
      wave->vectorPoison(reg)[lane] = 0;
    }
    wave->notePoison(reg);
  }
}

void Machine::poison(uint16_t reg, unsigned lane, uint8_t bytes) {
  for (auto &wave : group->waves) {
    wave->vectorPoison(reg)[lane] = bytes;
    wave->notePoison(reg);
  }
}

void Machine::setScalar(uint16_t reg, uint32_t value) {
  for (auto &wave : group->waves)
    wave->setRegister(reg, value);
}

void Machine::setScalar64(uint16_t reg, uint64_t value) {
  setScalar(reg, static_cast<uint32_t>(value));
  setScalar(static_cast<uint16_t>(reg + 1), static_cast<uint32_t>(value >> 32));
}

void Machine::setExec(uint64_t exec) { setScalar64(Exec, exec); }

std::vector<Fault> Machine::run() {
  for (;;) {
    Party::Outcome outcome = group->run(1000);
    if (outcome == Party::Outcome::Stuck || outcome == Party::Outcome::Waits)
      device.faults.add(group->describeDeadlock());
    if (outcome == Party::Outcome::Ran)
      continue;
    if (device.faults.isEmpty())
      writeEvidence(*group);
    return device.faults.take();
  }
}

void Machine::runClean() {
  for (const Fault &fault : run())
    ADD_FAILURE() << format(fault);
}

uint32_t Machine::get(uint16_t reg, unsigned lane, unsigned waveIndex) {
  return wave(waveIndex).vector(reg)[lane];
}

uint8_t Machine::getPoison(uint16_t reg, unsigned lane, unsigned waveIndex) {
  return wave(waveIndex).isPoisoned(reg) ? wave(waveIndex).vectorPoison(reg)[lane] : 0;
}

uint32_t Machine::getScalar(uint16_t reg, unsigned waveIndex) {
  return wave(waveIndex).getRegister(reg);
}

uint32_t Machine::getScalarPoison(uint16_t reg, unsigned waveIndex) {
  Source source;
  source.kind = Operand::Scalar;
  source.reg = reg;
  source.count = 1;
  return static_cast<uint32_t>(wave(waveIndex).readScalar(source).poison);
}
