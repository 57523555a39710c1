//===- Linker.cpp - Shared objects --------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/Linker.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <mutex>
#include <unistd.h>

using namespace llvm;
using namespace tilewright;

LLD_HAS_DRIVER(elf)

/// Runs lld, which has one context for a whole process, with what it says in `said`.
static bool runLinker(ArrayRef<const char *> arguments, std::string &said) {
  static std::mutex mutex;
  static bool isBroken = false;
  std::lock_guard lock(mutex);
  if (isBroken) {
    said = "it crashed earlier in this process; start a new one";
    return false;
  }
  raw_string_ostream log(said);
  lld::Result result = lld::lldMain(arguments, log, log, {{lld::Gnu, &lld::elf::link}});
  isBroken = !result.canRunAgain;
  return result.retCode == 0;
}

/// Whether a file of `size` bytes finds room beside `output`. lld does not come back from
/// a disk that is full: its output buffer ends the process, or its context.
static std::error_code findRoom(StringRef output, size_t size) {
  int descriptor;
  SmallString<128> path;
  if (std::error_code error =
          sys::fs::createUniqueFile(output + ".%%%%%%.room", descriptor, path))
    return error;
  int status = posix_fallocate(descriptor, 0, static_cast<off_t>(size));
  close(descriptor);
  sys::fs::remove(path);
  return {status, std::generic_category()};
}

Error tilewright::linkObject(StringRef object, StringRef output) {
  int descriptor;
  SmallString<128> objectPath;
  if (std::error_code error =
          sys::fs::createUniqueFile(output + ".%%%%%%.o", descriptor, objectPath))
    return createStringError(error, "cannot write beside '%s': %s", output.str().c_str(),
                             error.message().c_str());
  scope_exit cleanup([&] { sys::fs::remove(objectPath); });
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
  // Segments begin on pages of their own.
  constexpr size_t pages = 64 * 1024;
  if (std::error_code error = findRoom(output, 2 * object.size() + pages))
    return createStringError(error, "cannot write '%s': %s", output.str().c_str(),
                             error.message().c_str());
  std::string path = output.str(), said;
  const char *arguments[] = {"ld.lld",
                             "-shared",
                             "--hash-style=gnu",
                             "-z",
                             "now",
                             "--build-id=none",
                             "-o",
                             path.c_str(),
                             "--no-mmap-output-file",
                             "--threads=1",
                             objectPath.c_str()};
  if (runLinker(arguments, said))
    return Error::success();
  if (said.empty())
    said = "it said nothing";
  return createStringError("linking failed: %s", said.c_str());
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
