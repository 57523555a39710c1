//===- Artifact.cpp - Native code, images and tables in one shared object -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Artifact.h"

#include "tilewright/abi.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/DebugInfoMetadata.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/Support/Path.h"

#include <zstd.h>

using namespace llvm;
using namespace tilewright;

/// A constant that nothing outside the artifact sees.
static GlobalVariable *addConstant(Module &module, Constant *value, StringRef name) {
  return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                            GlobalValue::InternalLinkage, value, name);
}

static GlobalVariable *addString(Module &module, StringRef text, StringRef name) {
  return addConstant(module, ConstantDataArray::getString(module.getContext(), text),
                     name);
}

void tilewright::addArtifact(Module &module, StringRef symbol, StringRef name,
                             const Image &image, ArrayRef<int64_t> signature,
                             StringRef manifest) {
  for (Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(GlobalValue::InternalLinkage);

  LLVMContext &context = module.getContext();
  Type *word = Type::getInt64Ty(context);
  Constant *null = ConstantPointerNull::get(PointerType::get(context, 0));
  auto number = [&](uint64_t value) { return ConstantInt::get(word, value); };

  // tw_image_v1
  Constant *data = null;
  if (!image.data.empty()) {
    GlobalVariable *bytes = addString(module, image.data, "tw.image");
    bytes->setAlignment(Align(64)); // loaders read it as what it holds
    data = bytes;
  }
  Constant *row = ConstantStruct::getAnon(
      {addString(module, image.target, "tw.target"), module.getFunction(image.launch),
       data, number(image.data.size()),
       addString(module, image.features, "tw.features")});
  Constant *images = ConstantArray::get(ArrayType::get(row->getType(), 1), {row});
  // tw_artifact_v1
  Constant *table = ConstantDataArray::get(context, signature);
  Constant *artifact = ConstantStruct::getAnon(
      {number(sizeof(tw_artifact_v1)), number(TW_ABI_VERSION),
       addString(module, name, "tw.name"), addConstant(module, table, "tw.signature"),
       addString(module, manifest, "tw.manifest"), number(1),
       addConstant(module, images, "tw.images")});
  // A kernel may have the artifact's name, which nothing outside needs of it.
  if (GlobalValue *taken = module.getNamedValue(symbol))
    taken->setName(symbol + ".launch");
  new GlobalVariable(module, artifact->getType(), /*isConstant=*/true,
                     GlobalValue::ExternalLinkage, artifact, symbol);
}

Error tilewright::compressImage(std::string &data) {
  std::string packed(ZSTD_compressBound(data.size()), '\0');
  std::unique_ptr<ZSTD_CCtx, size_t (*)(ZSTD_CCtx *)> context(ZSTD_createCCtx(),
                                                              ZSTD_freeCCtx);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_compressionLevel, 19);
  ZSTD_CCtx_setParameter(context.get(), ZSTD_c_checksumFlag, 1);
  size_t size = ZSTD_compress2(context.get(), packed.data(), packed.size(), data.data(),
                               data.size());
  if (ZSTD_isError(size))
    return createStringError("compressing an image failed: %s", ZSTD_getErrorName(size));
  packed.resize(size);
  data = std::move(packed);
  return Error::success();
}

void tilewright::dropFolders(Module &module) {
  DebugInfoFinder finder;
  finder.processModule(module);
  SetVector<DIFile *> files;
  for (DICompileUnit *unit : finder.compile_units())
    files.insert(unit->getFile());
  for (DISubprogram *function : finder.subprograms())
    files.insert(function->getFile());
  for (DIScope *scope : finder.scopes())
    files.insert(scope->getFile());
  LLVMContext &context = module.getContext();
  for (DIFile *file : files) {
    if (!file)
      continue;
    file->replaceOperandWith(
        0, MDString::get(context, sys::path::filename(file->getFilename())));
    file->replaceOperandWith(1, MDString::get(context, ""));
  }
}
