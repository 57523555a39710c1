//===- Linker.cpp - Shared objects --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/Linker.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace tilewright;

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

Error tilewright::linkObject(StringRef object, StringRef output) {
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

Expected<std::string> tilewright::linkObject(StringRef object) {
  SmallString<128> output;
  if (std::error_code error = sys::fs::createTemporaryFile("tilewright", "so", output))
    return createStringError(error, "cannot write a temporary file: %s",
                             error.message().c_str());
  scope_exit cleanup([&] { sys::fs::remove(output); });
  if (Error error = linkObject(object, output))
    return error;
  auto linked = MemoryBuffer::getFile(output);
  if (!linked)
    return createStringError(linked.getError(), "cannot read '%s': %s", output.c_str(),
                             linked.getError().message().c_str());
  return (*linked)->getBuffer().str();
}
