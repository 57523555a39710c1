//===- Driver.cpp - From the text of a module to an artifact ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Driver.h"

#include "backends/Linker.h"
#include "compiler/transforms/Passes.h"
#include "dialects/simt/Simt.h"
#include "driver/Artifact.h"
#include "driver/Backends.h"
#include "driver/Containment.h"
#include "driver/EmitObject.h"
#include "driver/Plan.h"
#include "driver/Signature.h"
#include "driver/Stages.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Target/LLVMIR/ModuleTranslation.h"
#include "tilewright/abi.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/JSON.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <atomic>
#include <chrono>

using namespace mlir;
using namespace tilewright;

namespace {
/// What the calling thread and the one that compiles know of each other.
struct Progress {
  std::atomic<bool> interrupted{false};
  std::string step = "the compiler"; // what is running, for a report of its crash
};

/// Tells the progress of passes, and ends them where that is asked for.
struct PassProgress : PassInstrumentation {
  explicit PassProgress(Progress &progress) : progress(progress) {}

  void runBeforePass(Pass *pass, Operation *op) override {
    if (StringRef name = pass->getArgument(); !name.empty())
      progress.step = ("the pass " + name).str();
    // A pass manager has no way to stop, but a pass is an action, and those of this
    // context are not done any more.
    if (progress.interrupted.load(std::memory_order_relaxed))
      op->getContext()->registerActionHandler(
          [](function_ref<void()>, const tracing::Action &) {});
  }

  Progress &progress;
};

/// Adds the time until its end to `result.seconds`.
class PhaseTimer {
public:
  PhaseTimer(CompileResult &result, StringRef name)
      : result(result), name(name.str()), start(std::chrono::steady_clock::now()) {}
  ~PhaseTimer() {
    std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
    result.seconds.emplace_back(name, elapsed.count());
  }

private:
  CompileResult &result;
  std::string name;
  std::chrono::steady_clock::time_point start;
};

/// One compilation.
class Compilation {
public:
  Compilation(const CompileOptions &options, Progress &progress, CompileResult &result);

  void run(const std::string &ir);

private:
  bool parse(const std::string &ir);
  bool encode(func::FuncOp function);
  bool runPipeline(StringRef phase, function_ref<void(OpPassManager &)> build);
  void leaveOutPasses();
  bool makeImage(std::string &image);
  bool optimize(const Machine &machine, llvm::Module &code);
  bool list(const Machine &machine, llvm::Module &code);
  bool translate();
  bool emit();
  bool goesOn(StringRef step);
  void fail(StringRef message);
  bool check(llvm::Error error);

  const CompileOptions &options;
  Progress &progress;
  CompileResult &result;
  DialectRegistry registry;
  std::unique_ptr<MLIRContext> context;
  std::unique_ptr<Backend> backend;
  OwningOpRef<ModuleOp> module;
  StageNames stageNames;
  std::unique_ptr<StageReplacer> replacer; // where a stage is to be replaced
  std::string name;
  std::vector<int64_t> signature;
  llvm::LLVMContext llvmContext;
  std::unique_ptr<llvm::Module> llvmModule;
};
} // namespace

//===----------------------------------------------------------------------===//
// Diagnostics
//===----------------------------------------------------------------------===//

/// The place in the source that `loc` names, and the chain of macro calls around it.
static void resolveLocation(Location loc, CompilerDiagnostic &diagnostic) {
  auto place = [](Location inner) {
    SourceLocation found;
    inner->walk([&](Location part) {
      auto file = dyn_cast<FileLineColLoc>(part);
      if (!file)
        return WalkResult::advance();
      found = {file.getFilename().str(), file.getLine(), file.getColumn()};
      return WalkResult::interrupt();
    });
    return found;
  };
  while (auto call = dyn_cast<CallSiteLoc>(loc)) {
    if (diagnostic.location.file.empty())
      diagnostic.location = place(call.getCallee());
    loc = call.getCaller();
    auto next = dyn_cast<CallSiteLoc>(loc);
    diagnostic.callers.push_back(place(next ? next.getCallee() : loc));
  }
  if (diagnostic.location.file.empty())
    diagnostic.location = place(loc);
}

static CompilerDiagnostic::Severity convertSeverity(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Note:
    return CompilerDiagnostic::Severity::Note;
  case DiagnosticSeverity::Warning:
    return CompilerDiagnostic::Severity::Warning;
  case DiagnosticSeverity::Error:
    return CompilerDiagnostic::Severity::Error;
  case DiagnosticSeverity::Remark:
    return CompilerDiagnostic::Severity::Remark;
  }
  llvm_unreachable("unknown severity");
}

static void record(Diagnostic &diagnostic, CompileResult &result) {
  CompilerDiagnostic entry{
      convertSeverity(diagnostic.getSeverity()), diagnostic.str(), {}, {}};
  resolveLocation(diagnostic.getLocation(), entry);
  result.diagnostics.push_back(std::move(entry));
  for (Diagnostic &note : diagnostic.getNotes())
    record(note, result);
}

void Compilation::fail(StringRef message) {
  result.diagnostics.push_back(
      {CompilerDiagnostic::Severity::Error, message.str(), {}, {}});
}

bool Compilation::check(llvm::Error error) {
  if (!error)
    return true;
  fail(llvm::toString(std::move(error)));
  return false;
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

Compilation::Compilation(const CompileOptions &options, Progress &progress,
                         CompileResult &result)
    : options(options), progress(progress), result(result) {
  registerBackendDialects(registry);
  // One thread: modules are small, and the caller compiles many at once.
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->getDiagEngine().registerHandler([&](Diagnostic &diagnostic) {
    record(diagnostic, result);
    return success();
  });
  // Without a handler LLVM prints errors and leaves the process.
  llvmContext.setDiagnosticHandlerCallBack(
      [](const llvm::DiagnosticInfo *info, void *self) {
        if (info->getSeverity() != llvm::DS_Error)
          return;
        std::string message;
        llvm::raw_string_ostream stream(message);
        llvm::DiagnosticPrinterRawOStream printer(stream);
        info->print(printer);
        auto &compilation = *static_cast<Compilation *>(self);
        compilation.result.fault = compilation.progress.step + ": " + message;
      },
      this);
}

bool Compilation::parse(const std::string &ir) {
  PhaseTimer timer(result, "parse");
  const auto &[stage, other] = options.replacement;
  if (!stage.empty() && !options.without.empty()) {
    fail("a stage is replaced, or passes are left out, not both");
    return false;
  }
  if (!stage.empty()) {
    replacer = StageReplacer::create(*context, stage, other);
    if (!replacer)
      return false;
  }
  leaveOutPasses();
  module = parseSourceString<ModuleOp>(ir, ParserConfig(context.get()));
  if (!module)
    return false;
  for (auto function : module->getOps<func::FuncOp>()) {
    if (!function.isPublic())
      continue;
    if (!name.empty()) {
      fail("a module holds one public function; this one holds more");
      return false;
    }
    name = function.getName().str();
    if (!encode(function))
      return false;
  }
  if (name.empty())
    fail("the module holds no public function");
  return !name.empty();
}

/// From now on passes that options name are not run, if there are any.
void Compilation::leaveOutPasses() {
  if (options.without.empty())
    return;
  context->registerActionHandler(
      [this](function_ref<void()> run, const tracing::Action &action) {
        auto *execution = dyn_cast<PassExecutionAction>(&action);
        if (!execution ||
            !llvm::is_contained(options.without, execution->getPass().getArgument()))
          run();
      });
}

bool Compilation::encode(func::FuncOp function) {
  FailureOr<std::vector<int64_t>> table = encodeSignature(function);
  if (succeeded(table))
    signature = std::move(*table);
  return succeeded(table);
}

bool Compilation::runPipeline(StringRef phase,
                              function_ref<void(OpPassManager &)> build) {
  PhaseTimer timer(result, phase);
  PassManager pm(context.get());
  pm.enableVerifier(true);
  pm.addInstrumentation(std::make_unique<PassProgress>(progress));
  if (options.keepStages)
    pm.addInstrumentation(std::make_unique<StageRecorder>(stageNames, result));
  build(pm);
  return succeeded(pm.run(*module)) && goesOn("the compiler");
}

/// False where the compilation shall end; else `step` is what follows.
bool Compilation::goesOn(StringRef step) {
  progress.step = step.str();
  result.interrupted = progress.interrupted.load(std::memory_order_relaxed);
  return !result.interrupted;
}

/// The module of a device to what it loads, out of `module`, which keeps the host's half.
bool Compilation::makeImage(std::string &image) {
  std::optional<Machine> machine = backend->getDeviceMachine();
  auto device =
      machine ? module->lookupSymbol<ModuleOp>(simt::deviceModuleName) : ModuleOp();
  if (!device)
    return true;
  std::unique_ptr<llvm::Module> translated;
  {
    PhaseTimer timer(result, "translate-device");
    progress.step = "the translation to LLVM";
    translated = translateModuleToLLVMIR(device, llvmContext, name);
    device.erase();
    if (!translated)
      return false;
  }
  if (!options.symbol.empty())
    dropFolders(*translated);
  if (!optimize(*machine, *translated) || !list(*machine, *translated))
    return false;
  PhaseTimer timer(result, "codegen-device");
  auto emitted = emitModule(*machine, *translated, backend->loadsAssembly());
  if (!emitted)
    return check(emitted.takeError());
  auto made = backend->makeImage(std::move(*emitted));
  if (!made)
    return check(made.takeError());
  image = std::move(*made);
  return goesOn("the compiler") && result.fault.empty();
}

bool Compilation::optimize(const Machine &machine, llvm::Module &code) {
  if (!goesOn("LLVM's optimiser"))
    return false;
  PhaseTimer timer(result, "optimize");
  auto onward = [this] { return !progress.interrupted.load(); };
  return check(optimizeModule(machine, code, onward)) && goesOn("code generation");
}

/// The kernels' code as text, where that is asked for and not there yet.
bool Compilation::list(const Machine &machine, llvm::Module &code) {
  if (options.emitLLVM && result.llvm.empty()) {
    llvm::raw_string_ostream stream(result.llvm);
    code.print(stream, nullptr);
  }
  if (options.emitAssembly && result.assembly.empty()) {
    // Code generation changes the module, so the listing is made from a copy.
    auto listing = emitModule(machine, *llvm::CloneModule(code), /*assembly=*/true);
    if (!listing)
      return check(listing.takeError());
    result.assembly = std::move(*listing);
  }
  return true;
}

bool Compilation::translate() {
  Image image{result.target, name, result.features, ""};
  if (!makeImage(image.data))
    return false;
  if (!options.symbol.empty() && !image.data.empty()) {
    result.image = image.data;
    if (!check(compressImage(image.data)))
      return false;
  }
  PhaseTimer timer(result, "translate");
  progress.step = "the translation to LLVM";
  llvmModule = translateModuleToLLVMIR(*module, llvmContext, name);
  if (!llvmModule)
    return false;
  addArtifact(*llvmModule, options.symbol.empty() ? TW_ARTIFACT_SYMBOL : options.symbol,
              name, image, signature, result.manifest);
  return true;
}

bool Compilation::emit() {
  Machine machine = backend->getMachine();
  if (!optimize(machine, *llvmModule) || !list(machine, *llvmModule))
    return false;
  std::string object;
  {
    PhaseTimer timer(result, "codegen");
    auto emitted = emitModule(machine, *llvmModule, /*assembly=*/false);
    if (!emitted)
      return check(emitted.takeError());
    object = std::move(*emitted);
  }
  if (!goesOn("the linker") || !result.fault.empty())
    return false;
  if (!options.output.empty()) {
    PhaseTimer timer(result, "link");
    if (!check(options.symbol.empty() ? linkObject(object, options.output)
                                      : writeFile(options.output, object)))
      return false;
  }
  if (options.emitObject)
    result.object = std::move(object);
  return true;
}

void Compilation::run(const std::string &ir) {
  auto created = createBackend(options.target);
  if (!created)
    return (void)check(created.takeError());
  backend = std::move(*created);
  result.target = backend->getTargetName();
  result.features = backend->getRequiredFeatures();
  if (backend->getDeviceMachine() && options.checking != Checking::None)
    return fail("checking mode (debug=) is for the CPU, and the target is " +
                result.target + "; an emulated GPU checks every access as it is");
  if (!parse(ir))
    return;
  auto buildTilePipeline = [&](OpPassManager &pm) {
    // First, so that checks are of the accesses that the source has.
    if (options.checking == Checking::None)
      pm.addNestedPass<func::FuncOp>(tile::createCheckInitialization());
    else
      pm.addNestedPass<func::FuncOp>(
          tile::createCheckAccesses({options.checking == Checking::AccessesAndValues}));
    backend->buildTilePipeline(pm);
  };
  if (!runPipeline("tile", buildTilePipeline))
    return;
  // With what passes ask of the arguments.
  if (!encode(module->lookupSymbol<func::FuncOp>(name)))
    return;
  llvm::json::Value plan = describePlan(*module, backend->getTileBudget());
  result.plan = llvm::formatv("{0:2}", plan).str();
  if (options.planOnly) {
    result.ok = true;
    return;
  }
  llvm::json::Object manifest{{"name", name},
                              {"target", result.target},
                              {"compiler", compilerVersion()},
                              {"plan", std::move(plan)}};
  result.manifest = llvm::formatv("{0}", llvm::json::Value(std::move(manifest))).str();
  if (!runPipeline("lower",
                   [&](OpPassManager &pm) { backend->buildLoweringPipeline(pm); }))
    return;
  if (replacer && !replacer->isDone())
    return fail(replacer->getFlaw().empty()
                    ? "no stage '" + options.replacement.stage +
                          "' has something that the replacement holds too"
                    : "the replacement of stage '" + options.replacement.stage +
                          "' is of another kernel: it " + replacer->getFlaw());
  result.signature = signature;
  result.ok = translate() && emit();
}

CompileResult tilewright::compile(const std::string &ir, const CompileOptions &options) {
  CompileResult result;
  Progress progress;
  std::string reason =
      runContained([&] { Compilation(options, progress, result).run(ir); },
                   [&] {
                     if (options.interrupted && options.interrupted())
                       progress.interrupted.store(true, std::memory_order_relaxed);
                   });
  if (reason.empty())
    return result;
  CompileResult crashed; // what the other one holds may be half written
  crashed.fault = progress.step + ": " + reason;
  return crashed;
}

std::string tilewright::makeReproducer(const std::string &ir, const std::string &target) {
  auto backend = createBackend(target);
  if (!backend) {
    llvm::consumeError(backend.takeError());
    return ir;
  }
  OpPassManager pm(ModuleOp::getOperationName());
  (*backend)->buildTilePipeline(pm);
  (*backend)->buildLoweringPipeline(pm);
  pm.addPass(createEmitObject((*backend)->getTargetName()));
  std::string pipeline;
  llvm::raw_string_ostream stream(pipeline);
  pm.printAsTextualPipeline(stream);
  return llvm::formatv("{0}\n{{-#\n  external_resources: {{\n    mlir_reproducer: {{\n"
                       "      pipeline: \"{1}\",\n      disable_threading: true,\n"
                       "      verify_each: true\n    }\n  }\n#-}\n",
                       ir, pipeline);
}

std::string tilewright::compilerVersion() {
  return "tilewright " TILEWRIGHT_VERSION ", LLVM " LLVM_VERSION_STRING;
}

std::string tilewright::resolveTarget(const std::string &target, std::string &error) {
  auto backend = createBackend(target);
  if (backend)
    return (*backend)->getTargetName();
  error = llvm::toString(backend.takeError());
  return "";
}
