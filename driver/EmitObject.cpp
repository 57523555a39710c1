//===- EmitObject.cpp - The LLVM part of the compiler as a pass -----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/EmitObject.h"

#include "dialects/simt/Simt.h"
#include "driver/Backends.h"

#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;
using namespace tilewright;

namespace {
struct EmitObject : PassWrapper<EmitObject, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(EmitObject)

  explicit EmitObject(StringRef name = "cpu") { target = name.str(); }
  EmitObject(const EmitObject &other) : PassWrapper(other) {}

  StringRef getArgument() const override { return "emit-object"; }
  StringRef getDescription() const override {
    return "Make an object file of a module in the LLVM dialect, and drop it";
  }

  void runOnOperation() override {
    auto backend = createBackend(target);
    if (!backend)
      return failWith(backend.takeError());
    std::optional<Machine> machine = (*backend)->getDeviceMachine();
    auto device = getOperation().lookupSymbol<ModuleOp>(simt::deviceModuleName);
    if (machine && device) {
      emit(device, *machine, (*backend)->loadsAssembly());
      device.erase();
    }
    emit(getOperation(), (*backend)->getMachine(), false);
  }

  void emit(ModuleOp module, const Machine &machine, bool assembly) {
    llvm::LLVMContext context;
    std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(module, context);
    if (!translated)
      return signalPassFailure();
    if (llvm::Error error = optimizeModule(machine, *translated, [] { return true; }))
      return failWith(std::move(error));
    if (auto object = emitModule(machine, *translated, assembly); !object)
      failWith(object.takeError());
  }

  void failWith(llvm::Error error) {
    getOperation().emitError() << llvm::toString(std::move(error));
    signalPassFailure();
  }

  Option<std::string> target{
      *this, "target", llvm::cl::desc("what to emit code for: cpu, cuda:sm_80, ...")};
};
} // namespace

std::unique_ptr<Pass> tilewright::createEmitObject(StringRef target) {
  return std::make_unique<EmitObject>(target);
}

void tilewright::registerEmitObject() {
  registerPass([] { return createEmitObject(); });
}
