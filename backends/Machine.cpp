//===- Machine.cpp - LLVM's part of a backend ---------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/Machine.h"

#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"

using namespace llvm;
using namespace tilewright;

#define SIMPLIFY                                                                         \
  "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"         \
  "loop-mssa(loop-rotate,licm),"
#define SHARE "gvn,instcombine<no-verify-fixpoint>,simplifycfg,adce"
// Addresses that differ by a constant share what they have in common: an unrolled loop
// then has one address to compute, and constants in its loads. Last, since instcombine
// would join them again.
#define SPLIT "separate-const-offset-from-gep,early-cse<memssa>,loop-mssa(licm)"

const StringLiteral tilewright::scalarPipeline = SIMPLIFY SHARE "," SPLIT "),globaldce";
const StringLiteral tilewright::devicePipeline =
    SIMPLIFY "loop(indvars)," SHARE "),globaldce";

#undef SPLIT
#undef SIMPLIFY
#undef SHARE

Machine tilewright::getHostMachine() {
  return {"x86_64-unknown-linux-gnu", "x86-64", "", scalarPipeline};
}

static void initializeTargets() {
  static const bool initialized = [] {
#define INITIALIZE(TARGET)                                                               \
  LLVMInitialize##TARGET##TargetInfo();                                                  \
  LLVMInitialize##TARGET##Target();                                                      \
  LLVMInitialize##TARGET##TargetMC();                                                    \
  LLVMInitialize##TARGET##AsmPrinter();
    INITIALIZE(X86)
    INITIALIZE(AArch64)
    INITIALIZE(NVPTX)
    INITIALIZE(AMDGPU)
#undef INITIALIZE
    // Addresses in shared memory have 32 bits on NVIDIA's GPUs too, which LLVM makes no
    // use of unless it is told.
    auto &options = cl::getRegisteredOptions();
    if (auto found = options.find("nvptx-short-ptr"); found != options.end())
      static_cast<cl::opt<bool> *>(found->second)->setValue(true);
    return true;
  }();
  (void)initialized;
}

static Expected<std::unique_ptr<TargetMachine>>
createTargetMachine(const Machine &machine) {
  initializeTargets();
  Triple triple(machine.triple);
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return createStringError(error);
  TargetOptions options;
  options.AllowFPOpFusion = FPOpFusion::Standard;
  return std::unique_ptr<TargetMachine>(
      target->createTargetMachine(triple, machine.cpu, machine.features, options,
                                  Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
}

/// In a build for AddressSanitizer the code of CPU kernels is checked as well: LLVM puts
/// a check in front of each access, and the process has the sanitizer's library already.
static void checkAddresses(const Machine &machine, Module &module,
                           std::string &pipeline) {
#ifdef TILEWRIGHT_CHECK_ADDRESSES
  if (!machine.vectorBits)
    return;
  for (Function &function : module)
    if (!function.isDeclaration())
      function.addFnAttr(Attribute::SanitizeAddress);
  pipeline += ",asan";
#endif
}

Error tilewright::optimizeModule(const Machine &machine, Module &module,
                                 function_ref<bool()> onward) {
  auto target = createTargetMachine(machine);
  if (!target)
    return target.takeError();
  module.setTargetTriple((*target)->getTargetTriple());
  module.setDataLayout((*target)->createDataLayout());
  for (Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.cpu);
    function.addFnAttr("target-features", machine.features);
    function.addFnAttr(Attribute::NoUnwind);
    if (!machine.vectorBits)
      continue;
    // Vectors are as wide as the atoms and loops made them.
    std::string bits = std::to_string(machine.vectorBits);
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
  }
  if (machine.prepare)
    machine.prepare(module);
  PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback(
      [&](StringRef, Any) { return onward(); });
  PassBuilder builder(target->get(), PipelineTuningOptions(), std::nullopt, &callbacks);
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager graphs;
  ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  ModulePassManager passes;
  std::string pipeline = machine.pipeline.str();
  checkAddresses(machine, module, pipeline);
  if (Error error = builder.parsePassPipeline(passes, pipeline))
    return error;
  passes.run(module, modules);
  if (machine.finish)
    machine.finish(module);
  return Error::success();
}

Expected<std::string> tilewright::emitModule(const Machine &machine, Module &module,
                                             bool assembly) {
  auto target = createTargetMachine(machine);
  if (!target)
    return target.takeError();
  SmallVector<char, 0> buffer;
  raw_svector_ostream stream(buffer);
  legacy::PassManager passes;
  auto kind = assembly ? CodeGenFileType::AssemblyFile : CodeGenFileType::ObjectFile;
  if ((*target)->addPassesToEmitFile(passes, stream, nullptr, kind))
    return createStringError("this LLVM cannot emit code for %s", machine.triple.c_str());
  passes.run(module);
  return std::string(buffer.begin(), buffer.end());
}
