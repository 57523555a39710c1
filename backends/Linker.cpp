//===- Linker.cpp - Object files and shared objects ---------------------------===//
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
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <mutex>
#include <unistd.h>

using namespace llvm;
using namespace tilewright;

LLD_HAS_DRIVER(elf)

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

Error tilewright::writeFile(StringRef path, StringRef bytes) {
  std::error_code error;
  raw_fd_ostream stream(path, error);
  if (!error) {
    stream << bytes;
    stream.close();
    error = stream.error();
    stream.clear_error();
  }
  if (error)
    return createStringError(error, "cannot write '%s': %s", path.str().c_str(),
                             error.message().c_str());
  return Error::success();
}

Error tilewright::runLinker(ArrayRef<std::string> arguments, StringRef output,
                            size_t bytes) {
  // Segments begin on pages of their own.
  constexpr size_t pages = 64 * 1024;
  if (std::error_code error = findRoom(output, 2 * bytes + pages))
    return createStringError(error, "cannot write '%s': %s", output.str().c_str(),
                             error.message().c_str());
  std::string path = output.str();
  std::vector<const char *> all = {
      "ld.lld", "--build-id=none", "--no-mmap-output-file", "--threads=1",
      "-o",     path.c_str()};
  for (const std::string &argument : arguments)
    all.push_back(argument.c_str());

  // lld has one context for a whole process.
  static std::mutex mutex;
  static bool isBroken = false;
  std::lock_guard lock(mutex);
  if (isBroken)
    return createStringError(
        "linking failed: lld crashed earlier in this process; start a new one");
  std::string said;
  raw_string_ostream log(said);
  lld::Result result = lld::lldMain(all, log, log, {{lld::Gnu, &lld::elf::link}});
  isBroken = !result.canRunAgain;
  if (result.retCode == 0)
    return Error::success();
  return createStringError("linking failed: %s",
                           said.empty() ? "it said nothing" : said.c_str());
}

Error tilewright::linkObject(StringRef object, StringRef output) {
  SmallString<128> path;
  if (std::error_code error = sys::fs::createUniqueFile(output + ".%%%%%%.o", path))
    return createStringError(error, "cannot write beside '%s': %s", output.str().c_str(),
                             error.message().c_str());
  scope_exit cleanup([&] { sys::fs::remove(path); });
  if (Error error = writeFile(path, object))
    return error;
  return runLinker({"-shared", "--hash-style=gnu", "-z", "now", path.str().str()}, output,
                   object.size());
}

Expected<std::string> tilewright::linkObject(StringRef object) {
  SmallString<128> output;
  if (std::error_code error = sys::fs::createTemporaryFile("tilewright", "so", output)) {
    SmallString<128> folder;
    sys::path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
    return createStringError(error,
                             "cannot write a temporary file in '%s': %s; set TMPDIR to a "
                             "folder that can be written to",
                             folder.c_str(), error.message().c_str());
  }
  scope_exit cleanup([&] { sys::fs::remove(output); });
  if (Error error = linkObject(object, output))
    return error;
  auto linked = MemoryBuffer::getFile(output);
  if (!linked)
    return createStringError(linked.getError(), "cannot read '%s': %s", output.c_str(),
                             linked.getError().message().c_str());
  return (*linked)->getBuffer().str();
}
