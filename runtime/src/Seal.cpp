//===- Seal.cpp - Whether a library is as it was built -----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Code in memory may differ from what was built for a good reason: a debugger's
// breakpoints and tracers' probes are written into it. So where memory differs it is the
// file that counts.
//
//===----------------------------------------------------------------------===//

#include "Seal.h"

#include "Error.h"
#include "Fingerprint.h"

#include <cstdio>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <unistd.h>

using namespace tilewright;

static uint64_t fingerprintOf(const char *begin, const char *end) {
  Fingerprint fingerprint;
  fingerprint.add(begin, end - begin);
  return fingerprint.value();
}

/// Where the library's file has what lies at an address relative to its first one; -1
/// where it does not say.
static int64_t findOffset(int file, uint64_t address) {
  Elf64_Ehdr header;
  if (pread(file, &header, sizeof(header), 0) != sizeof(header))
    return -1;
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    off_t at = header.e_phoff + i * sizeof(segment);
    if (pread(file, &segment, sizeof(segment), at) != sizeof(segment))
      return -1;
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return static_cast<int64_t>(segment.p_offset + address - segment.p_vaddr);
  }
  return -1;
}

/// Whether the file that a range was loaded from has this fingerprint there.
static bool isWholeOnDisk(const char *begin, const char *end, uint64_t expected) {
  Dl_info info;
  if (!dladdr(begin, &info) || !info.dli_fname)
    return false;
  int file = open(info.dli_fname, O_RDONLY | O_CLOEXEC);
  if (file < 0)
    return false;
  int64_t offset = findOffset(file, begin - static_cast<const char *>(info.dli_fbase));
  Fingerprint fingerprint;
  uint64_t left = offset < 0 ? 0 : end - begin;
  char piece[4096];
  while (left) {
    size_t size = left < sizeof(piece) ? left : sizeof(piece);
    if (pread(file, piece, size, offset) != static_cast<ssize_t>(size))
      break;
    fingerprint.add(piece, size);
    left -= size, offset += static_cast<int64_t>(size);
  }
  close(file);
  return offset >= 0 && left == 0 && fingerprint.value() == expected;
}

tw_status tilewright::checkSeal(const tw_library_v1 *library) {
  tw_seal_v1 *seal = library->seal;
  if (!seal->is_set || seal->is_whole)
    return TW_OK;
  static constexpr const char *what[] = {"code", "data"};
  for (int i = 0; i < 2; ++i) {
    const char *const(&range)[2] = library->ranges[i];
    uint64_t expected = seal->fingerprints[i];
    if (fingerprintOf(range[0], range[1]) != expected &&
        !isWholeOnDisk(range[0], range[1], expected))
      return fail(TW_ERROR_ARTIFACT,
                  "%s: the library has other %s than was built: its file is damaged or "
                  "was changed; install it again",
                  library->name, what[i]);
  }
  seal->is_whole = 1;
  return TW_OK;
}
