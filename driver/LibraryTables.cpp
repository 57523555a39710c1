//===- LibraryTables.cpp - What a library holds beside its artifacts ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A function that users call, in C:
//
//   int32_t NAME_scale(stream *s, const tensor *x, float by) {
//     const void *arguments[] = {x, &by};
//     return tw_library_launch(&functions[0], s, arguments);
//   }
//
// and beside it NAME_scale_explain and NAME_scale_workspace, which begin with where the
// answer goes, and NAME_scale_with_workspace, which begins with the caller's memory.
//
//===----------------------------------------------------------------------===//

#include "driver/LibraryTables.h"

#include "tilewright/library.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;
using namespace tilewright;

namespace {
class TableBuilder {
  Module &module;
  const LibrarySpec &spec;
  std::vector<std::string> &exported;
  LLVMContext &context;
  Type *word, *pointer;

public:
  TableBuilder(Module &module, const LibrarySpec &spec,
               std::vector<std::string> &exported)
      : module(module), spec(spec), exported(exported), context(module.getContext()),
        word(Type::getInt64Ty(context)), pointer(PointerType::get(context, 0)) {}

  void build();

private:
  Constant *number(uint64_t value) { return ConstantInt::get(word, value); }
  GlobalVariable *addConstant(Constant *value, const Twine &name) {
    return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                              GlobalValue::InternalLinkage, value, name);
  }
  Constant *addString(StringRef text) {
    return addConstant(ConstantDataArray::getString(context, text), "tw.string");
  }
  /// An array of rows, which are structures or pointers, and how many.
  Constant *addArray(ArrayRef<Constant *> rows, const Twine &name) {
    auto *type = ArrayType::get(rows.front()->getType(), rows.size());
    return addConstant(ConstantArray::get(type, rows), name);
  }

  Constant *addBuild(const LibraryBuild &build);
  Constant *addFunction(const LibraryFunction &function, Constant *library,
                        GlobalVariable *states, unsigned index);
  Constant *addRanges();
  Constant *addSeal();
  Type *typeOf(char parameter);
  void addEntry(const LibraryFunction &function, Constant *row, StringRef suffix,
                StringRef callee, ArrayRef<Type *> before);
  void addChoose(Constant *library);
};
} // namespace

Constant *TableBuilder::addBuild(const LibraryBuild &build) {
  SmallVector<Constant *> artifacts;
  for (const LibraryArtifact &artifact : build.artifacts)
    artifacts.push_back(module.getOrInsertGlobal(
        artifact.symbol, ArrayType::get(Type::getInt8Ty(context), 0)));
  return ConstantStruct::getAnon({addString(build.name), number(artifacts.size()),
                                  addArray(artifacts, "tw.artifacts")});
}

Constant *TableBuilder::addFunction(const LibraryFunction &function, Constant *library,
                                    GlobalVariable *states, unsigned index) {
  SmallVector<Constant *> builds;
  for (const LibraryBuild &build : function.builds)
    builds.push_back(addBuild(build));
  Constant *state = ConstantExpr::getInBoundsGetElementPtr(
      states->getValueType(), states, ArrayRef<Constant *>{number(0), number(index)});
  return ConstantStruct::getAnon({library, addString(spec.name + "_" + function.name),
                                  number(builds.size()), addArray(builds, "tw.builds"),
                                  state});
}

Type *TableBuilder::typeOf(char parameter) {
  switch (parameter) {
  case 't':
    return pointer;
  case 'i':
    return Type::getInt32Ty(context);
  case 'l':
    return word;
  case 'f':
    return Type::getFloatTy(context);
  case 'd':
    return Type::getDoubleTy(context);
  }
  llvm_unreachable("no kind of parameter");
}

/// One of the functions that pass arguments on. `before` are the types of what stands
/// before the stream, which the runtime takes last.
void TableBuilder::addEntry(const LibraryFunction &function, Constant *row,
                            StringRef suffix, StringRef callee, ArrayRef<Type *> before) {
  SmallVector<Type *> types(before);
  types.push_back(pointer);
  for (char parameter : function.parameters)
    types.push_back(typeOf(parameter));
  Type *status = Type::getInt32Ty(context);
  std::string name = spec.name + "_" + function.name + suffix.str();
  auto *entry = Function::Create(FunctionType::get(status, types, false),
                                 GlobalValue::ExternalLinkage, name, module);
  exported.push_back(name);

  IRBuilder<> builder(BasicBlock::Create(context, "", entry));
  size_t first = before.size() + 1, count = function.parameters.size();
  auto *arrayType = ArrayType::get(pointer, count);
  Value *array = builder.CreateAlloca(arrayType);
  for (size_t i = 0; i < count; ++i) {
    Value *argument = entry->getArg(first + i);
    if (function.parameters[i] != 't') {
      Value *place = builder.CreateAlloca(argument->getType());
      builder.CreateStore(argument, place);
      argument = place;
    }
    builder.CreateStore(argument,
                        builder.CreateConstInBoundsGEP2_64(arrayType, array, 0, i));
  }
  SmallVector<Value *> passed{row, entry->getArg(before.size()), array};
  for (size_t i = 0; i < before.size(); ++i)
    passed.push_back(entry->getArg(i));
  SmallVector<Type *> passedTypes;
  for (Value *value : passed)
    passedTypes.push_back(value->getType());
  FunctionCallee runtime =
      module.getOrInsertFunction(callee, FunctionType::get(status, passedTypes, false));
  builder.CreateRet(builder.CreateCall(runtime, passed));
}

/// NAME_choose(function, build).
void TableBuilder::addChoose(Constant *library) {
  Type *status = Type::getInt32Ty(context);
  std::string name = spec.name + "_choose";
  auto *entry = Function::Create(FunctionType::get(status, {pointer, pointer}, false),
                                 GlobalValue::ExternalLinkage, name, module);
  exported.push_back(name);
  IRBuilder<> builder(BasicBlock::Create(context, "", entry));
  FunctionCallee runtime = module.getOrInsertFunction(
      "tw_library_choose", FunctionType::get(status, {pointer, pointer, pointer}, false));
  builder.CreateRet(
      builder.CreateCall(runtime, {library, entry->getArg(0), entry->getArg(1)}));
}

/// Where code and constants begin and end: linkers define symbols for sections whose
/// names could be C's.
Constant *TableBuilder::addRanges() {
  SmallVector<Constant *> ranges;
  for (StringRef section : {codeSection, constantSection}) {
    SmallVector<Constant *> ends;
    for (StringRef end : {"__start_", "__stop_"}) {
      auto *symbol = cast<GlobalVariable>(module.getOrInsertGlobal(
          (end + sectionName(spec, section)).str(), Type::getInt8Ty(context)));
      symbol->setVisibility(GlobalValue::HiddenVisibility);
      ends.push_back(symbol);
    }
    ranges.push_back(ConstantArray::get(ArrayType::get(pointer, 2), ends));
  }
  return ConstantArray::get(ArrayType::get(ranges[0]->getType(), 2), ranges);
}

/// A tw_seal_v1 without fingerprints.
Constant *TableBuilder::addSeal() {
  Constant *magic = ConstantDataArray::getString(context, TW_SEAL_MAGIC);
  auto *words = ArrayType::get(word, 4);
  auto *type = StructType::get(magic->getType(), words);
  return new GlobalVariable(
      module, type, /*isConstant=*/false, GlobalValue::InternalLinkage,
      ConstantStruct::get(type, {magic, ConstantAggregateZero::get(words)}), "tw.seal");
}

void TableBuilder::build() {
  size_t count = spec.functions.size();
  auto *stateType = StructType::get(pointer, word); // tw_function_state_v1
  auto *statesType = ArrayType::get(stateType, count);
  auto *states = new GlobalVariable(module, statesType, /*isConstant=*/false,
                                    GlobalValue::InternalLinkage,
                                    ConstantAggregateZero::get(statesType), "tw.states");
  // tw_library_v1, which the functions point to.
  auto *libraryType =
      StructType::get(word, word, pointer, pointer, pointer, word, pointer,
                      ArrayType::get(ArrayType::get(pointer, 2), 2), pointer);
  auto *exportedTable =
      new GlobalVariable(module, libraryType, /*isConstant=*/true,
                         GlobalValue::ExternalLinkage, nullptr, TW_LIBRARY_SYMBOL);
  SmallVector<Constant *> rows;
  for (auto [index, function] : llvm::enumerate(spec.functions))
    rows.push_back(addFunction(function, exportedTable, states, index));
  Constant *table = addArray(rows, "tw.functions");
  exportedTable->setInitializer(
      ConstantStruct::get(libraryType, {number(sizeof(tw_library_v1)),
                                        number(TW_ABI_VERSION), addString(spec.name),
                                        addString(spec.release), addString(spec.manifest),
                                        number(count), table, addRanges(), addSeal()}));
  for (auto [index, function] : llvm::enumerate(spec.functions)) {
    Constant *row = ConstantExpr::getInBoundsGetElementPtr(
        cast<GlobalVariable>(table)->getValueType(), table,
        ArrayRef<Constant *>{number(0), number(index)});
    addEntry(function, row, "", "tw_library_launch", {});
    addEntry(function, row, "_explain", "tw_library_explain", {pointer, word});
    addEntry(function, row, "_workspace", "tw_library_workspace", {pointer});
    addEntry(function, row, "_with_workspace", "tw_library_launch_with_workspace",
             {pointer, word});
  }
  addChoose(exportedTable);
}

void tilewright::addLibraryTables(Module &module, const LibrarySpec &spec,
                                  std::vector<std::string> &exported) {
  TableBuilder(module, spec, exported).build();
}
