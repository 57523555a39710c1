//===- Stages.cpp - The IR between passes, to look at and to replace ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Stages.h"

#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace tilewright;

std::string StageNames::next(StringRef pass) {
  int run = ++runs[pass];
  return run == 1 ? pass.str() : (pass + "-" + Twine(run)).str();
}

void StageRecorder::runAfterPass(Pass *pass, Operation *op) {
  StringRef name = pass->getArgument();
  if (name.empty())
    return;
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream);
  result.stages.emplace_back(names.next(name), std::move(text));
}

std::unique_ptr<StageReplacer> StageReplacer::create(MLIRContext &context,
                                                     const std::string &stage,
                                                     const std::string &ir) {
  auto replacer = std::make_unique<StageReplacer>();
  replacer->stage = stage;
  replacer->replacement =
      parseSourceString<ModuleOp>(ir, ParserConfig(&context), "<" + stage + ">");
  if (!replacer->replacement)
    return nullptr;
  // Between the pass and the verifier, so that what is put in is verified as if the pass
  // had made it.
  context.registerActionHandler(
      [self = replacer.get()](function_ref<void()> run, const tracing::Action &action) {
        run();
        if (auto *execution = dyn_cast<PassExecutionAction>(&action))
          self->afterPass(execution->getPass(), execution->getOp());
      });
  return replacer;
}

/// The operation of `module`, maybe the module itself, that stands for `op`.
static Operation *findCounterpart(ModuleOp module, Operation *op) {
  StringRef symbol = SymbolTable::getSymbolAttrName();
  auto isIt = [&](Operation *other) {
    return other->getName() == op->getName() &&
           other->getAttr(symbol) == op->getAttr(symbol);
  };
  if (isIt(module))
    return module;
  for (Operation &other : *module.getBody())
    if (isIt(&other))
      return &other;
  return nullptr;
}

/// What others call or start: the public functions of a module, or a function itself.
static SmallVector<FunctionOpInterface> getEntries(Operation *op) {
  SmallVector<FunctionOpInterface> entries;
  auto add = [&](Operation *one) {
    if (auto function = dyn_cast<FunctionOpInterface>(one))
      if (cast<SymbolOpInterface>(one).isPublic())
        entries.push_back(function);
  };
  add(op);
  if (auto module = dyn_cast<ModuleOp>(op))
    for (Operation &one : *module.getBody())
      add(&one);
  return entries;
}

/// Why `source` is no other form of `op`: it lacks a function, or has another of its
/// name.
static std::string findFlaw(Operation *op, Operation *source) {
  SmallVector<FunctionOpInterface> there = getEntries(source);
  for (FunctionOpInterface entry : getEntries(op)) {
    auto other = llvm::find_if(
        there, [&](FunctionOpInterface one) { return one.getName() == entry.getName(); });
    if (other == there.end())
      return "has no function '" + entry.getName().str() + "'";
    if (other->getFunctionType() != entry.getFunctionType())
      return "has other parameters of '" + entry.getName().str() + "'";
  }
  return {};
}

void StageReplacer::afterPass(const Pass &pass, Operation *op) {
  if (pass.getArgument().empty() || names.next(pass.getArgument()) != stage)
    return;
  Operation *source = findCounterpart(*replacement, op);
  if (!source)
    return;
  flaw = findFlaw(op, source);
  if (!flaw.empty())
    return;
  op->setAttrs(source->getAttrDictionary());
  for (auto [region, other] : llvm::zip(op->getRegions(), source->getRegions()))
    region.takeBody(other);
  done = true;
}
