//===- Artifact.cpp - Native code, images and tables in one shared object -----===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "driver/Artifact.h"

#include "tilewright/abi.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

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

void tilewright::addArtifact(Module &module, StringRef name, StringRef launch,
                             StringRef target, StringRef features,
                             ArrayRef<int64_t> signature, StringRef manifest) {
  for (Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(GlobalValue::InternalLinkage);

  LLVMContext &context = module.getContext();
  Type *word = Type::getInt64Ty(context);
  Constant *null = ConstantPointerNull::get(PointerType::get(context, 0));
  auto number = [&](uint64_t value) { return ConstantInt::get(word, value); };

  // tw_image_v1
  Constant *image = ConstantStruct::getAnon({addString(module, target, "tw.target"),
                                             module.getFunction(launch), null, number(0),
                                             addString(module, features, "tw.features")});
  Constant *images = ConstantArray::get(ArrayType::get(image->getType(), 1), {image});
  // tw_artifact_v1
  Constant *table = ConstantDataArray::get(context, signature);
  Constant *artifact = ConstantStruct::getAnon(
      {number(sizeof(tw_artifact_v1)), number(TW_ABI_VERSION),
       addString(module, name, "tw.name"), addConstant(module, table, "tw.signature"),
       addString(module, manifest, "tw.manifest"), number(1),
       addConstant(module, images, "tw.images")});
  new GlobalVariable(module, artifact->getType(), /*isConstant=*/true,
                     GlobalValue::ExternalLinkage, artifact, TW_ARTIFACT_SYMBOL);
}

/// lld, from TILEWRIGHT_LLD where it is set, the LLVM 22 folder or the PATH.
static Expected<std::string> findLinker() {
  if (const char *path = std::getenv("TILEWRIGHT_LLD"); path && *path) {
    if (!sys::fs::can_execute(path))
      return createStringError(
          "TILEWRIGHT_LLD is '%s', which cannot be run: set it to the "
          "ld.lld of LLVM 22, or unset it",
          path);
    return std::string(path);
  }
  StringRef inLLVM = "/usr/lib/llvm-22/bin/ld.lld";
  if (sys::fs::can_execute(inLLVM))
    return inLLVM.str();
  for (StringRef name : {"ld.lld-22", "ld.lld"})
    if (ErrorOr<std::string> path = sys::findProgramByName(name))
      return *path;
  return createStringError("the linker lld is missing: install lld-22, or set "
                           "TILEWRIGHT_LLD to ld.lld");
}

Error tilewright::linkArtifact(StringRef object, StringRef output) {
  Expected<std::string> linker = findLinker();
  if (!linker)
    return linker.takeError();
  int descriptor;
  SmallString<128> objectPath, errorPath;
  if (std::error_code error =
          sys::fs::createUniqueFile(output + ".%%%%%%.o", descriptor, objectPath))
    return createStringError(error, "cannot write beside '%s': %s", output.str().c_str(),
                             error.message().c_str());
  scope_exit cleanup([&] {
    sys::fs::remove(objectPath);
    sys::fs::remove(errorPath);
  });
  {
    raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
    stream << object;
    stream.flush();
    if (stream.has_error()) {
      std::error_code error = stream.error();
      stream.clear_error();
      return createStringError(error, "cannot write '%s': %s", objectPath.c_str(),
                               error.message().c_str());
    }
  }
  errorPath = objectPath;
  errorPath += ".log";
  std::optional<StringRef> redirects[] = {StringRef(""), StringRef(errorPath),
                                          StringRef(errorPath)};
  StringRef arguments[] = {*linker, "-shared", "--hash-style=gnu",
                           "-z",    "now",     "--build-id=none",
                           "-o",    output,    objectPath};
  std::string message;
  int status =
      sys::ExecuteAndWait(*linker, arguments, std::nullopt, redirects, 0, 0, &message);
  if (status == 0)
    return Error::success();
  if (auto log = MemoryBuffer::getFile(errorPath))
    message += (*log)->getBuffer().str();
  if (message.empty())
    message = "it ended with status " + std::to_string(status) +
              " and said nothing; is "
              "there space on the disk of '" +
              sys::path::parent_path(output).str() + "'?";
  return createStringError("%s failed: %s", linker->c_str(), message.c_str());
}
