//===- CpuBackend.cpp - The CPU as a backend ----------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The whole path of a kernel to native code on one page: two pipelines over MLIR, LLVM's
// scalar optimisations (the code is vectors already), and code generation.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuBackend.h"

#include "backends/cpu/CpuCost.h"
#include "backends/cpu/CpuOps.h"
#include "backends/cpu/CpuTarget.h"
#include "backends/cpu/Passes.h"
#include "compiler/host/Passes.h"
#include "compiler/transforms/Passes.h"

#include "mlir/Conversion/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Index/IR/IndexDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Passes.h"
#include "mlir/Dialect/UB/IR/UBOps.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Triple.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

namespace {
class CpuBackend : public Backend {
public:
  explicit CpuBackend(CpuTarget target) : target(std::move(target)) {}

  std::string getTargetName() const override { return target.getName(); }
  std::string getRequiredFeatures() const override {
    return target.getRequiredFeatures();
  }
  int64_t getTileBudget() const override { return target.getTileBudget(); }
  void buildTilePipeline(OpPassManager &pm) const override;
  void buildLoweringPipeline(OpPassManager &pm) const override;
  llvm::Error optimize(llvm::Module &module,
                       llvm::function_ref<bool()> onward) const override;
  llvm::Expected<std::string> emit(llvm::Module &module, bool assembly) const override;

private:
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createTargetMachine() const;

  CpuTarget target;
};
} // namespace

//===----------------------------------------------------------------------===//
// MLIR
//===----------------------------------------------------------------------===//

void CpuBackend::buildTilePipeline(OpPassManager &pm) const {
  pm.addNestedPass<func::FuncOp>(tile::createSplitGridSync());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addNestedPass<func::FuncOp>(tile::createProveBounds());
  pm.addPass(tile::createLegalizeAccumulators());
  pm.addPass(tile::createSelectAtoms({target.getName()}));
  pm.addPass(tile::createSequentializeLoops());
  pm.addPass(createPackOperands());
  pm.addPass(createForwardCopies());
  pm.addPass(tile::createPlanMemory());
}

void CpuBackend::buildLoweringPipeline(OpPassManager &pm) const {
  int64_t bits = target.getVectorBits();
  // Tiles to loops and vectors.
  pm.addPass(createLowerGemm());
  pm.addPass(createLowerCopy({bits}));
  pm.addPass(createLowerReduce({bits}));
  pm.addPass(createLowerParallel({bits}));
  pm.addPass(tile::createPlanMemory());
  pm.addPass(host::createOutlineKernels());
  pm.addPass(createLowerAccess());
  // Elements to machine arithmetic.
  pm.addPass(tile::createWidenFloats());
  pm.addPass(tile::createExpandCasts());
  pm.addPass(tile::createExpandMath());
  pm.addPass(arith::createArithExpandOpsPass());
  pm.addPass(memref::createExpandOpsPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  pm.addPass(createLoopInvariantCodeMotionPass());
  // Everything to the LLVM dialect.
  pm.addPass(memref::createExpandStridedMetadataPass());
  pm.addPass(createLowerAffinePass());
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(cpu::createConvertToLLVM());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void cpu::registerCpuDialects(DialectRegistry &registry) {
  registry.insert<CpuDialect, tile::TileDialect, func::FuncDialect, arith::ArithDialect,
                  math::MathDialect, scf::SCFDialect, cf::ControlFlowDialect,
                  memref::MemRefDialect, vector::VectorDialect, LLVM::LLVMDialect,
                  affine::AffineDialect, ub::UBDialect, index::IndexDialect>();
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
}

//===----------------------------------------------------------------------===//
// LLVM
//===----------------------------------------------------------------------===//

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
CpuBackend::createTargetMachine() const {
  static const bool initialized = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)initialized;
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *llvmTarget = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!llvmTarget)
    return llvm::createStringError(error);
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(llvmTarget->createTargetMachine(
      triple, target.getCpu(), target.getFeatures(), options, llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Default));
}

/// What is left to do for LLVM: descriptors become scalars, address arithmetic is shared
/// and leaves the loops. The code is vectors, unrolled as it should be; -O2 takes five
/// times as long and makes it no faster.
static constexpr const char *llvmPipeline =
    "function(sroa,early-cse<memssa>,simplifycfg,instcombine<no-verify-fixpoint>,"
    "loop-mssa(licm),loop(indvars),gvn,instcombine<no-verify-fixpoint>,simplifycfg,adce),"
    "globaldce";

llvm::Error CpuBackend::optimize(llvm::Module &module,
                                 llvm::function_ref<bool()> onward) const {
  auto machine = createTargetMachine();
  if (!machine)
    return machine.takeError();
  module.setTargetTriple((*machine)->getTargetTriple());
  module.setDataLayout((*machine)->createDataLayout());
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", (*machine)->getTargetCPU());
    function.addFnAttr("target-features", (*machine)->getTargetFeatureString());
    // Vectors are as wide as the atoms and loops made them.
    std::string bits = std::to_string(target.getVectorBits());
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  llvm::PassInstrumentationCallbacks callbacks;
  callbacks.registerShouldRunOptionalPassCallback(
      [&](StringRef, llvm::Any) { return onward(); });
  llvm::PassBuilder builder(machine->get(), llvm::PipelineTuningOptions(), std::nullopt,
                            &callbacks);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graphs;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graphs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graphs, modules);
  llvm::ModulePassManager passes;
  if (llvm::Error error = builder.parsePassPipeline(passes, llvmPipeline))
    return error;
  passes.run(module, modules);
  return llvm::Error::success();
}

llvm::Expected<std::string> CpuBackend::emit(llvm::Module &module, bool assembly) const {
  auto machine = createTargetMachine();
  if (!machine)
    return machine.takeError();
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream stream(buffer);
  llvm::legacy::PassManager passes;
  auto kind =
      assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, kind))
    return llvm::createStringError("this LLVM cannot emit x86-64 code");
  passes.run(module);
  return std::string(buffer.begin(), buffer.end());
}

llvm::Expected<std::unique_ptr<Backend>> cpu::createCpuBackend(StringRef spec) {
  registerCpuTarget();
  llvm::Expected<CpuTarget> target = CpuTarget::parse(spec);
  if (!target)
    return target.takeError();
  return std::make_unique<CpuBackend>(*target);
}
