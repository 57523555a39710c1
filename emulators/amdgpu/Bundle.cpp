//===- Bundle.cpp - Bundles of code objects for several GPUs ------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Bundle.h"

#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/OffloadBundle.h"
#include "llvm/Support/MemoryBuffer.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::amdgpu;

static constexpr std::string_view bundleMagic = "__CLANG_OFFLOAD_BUNDLE__";
static constexpr std::string_view compressedMagic = "CCOB";
static constexpr std::string_view elfMagic = "\177ELF";
/// More than any bundle has.
static constexpr uint64_t mostEntries = 4096, largestBundle = uint64_t(1) << 30;

static bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

namespace {
/// One code object of a bundle.
struct Entry {
  uint64_t offset, size;
  std::string_view name; ///< "hipv4-amdgcn-amd-amdhsa--gfx942:xnack-"
};

/// Reads the list of a bundle, which lies in `bytes`, entry by entry.
class EntryReader {
public:
  explicit EntryReader(std::string_view bytes) : bytes(bytes), at(bundleMagic.size()) {
    if (!readWord(left) || left > mostEntries)
      fail();
  }
  /// False at the end, or where the list is damaged.
  bool next(Entry &entry) {
    uint64_t length = 0;
    if (left == 0)
      return false;
    --left;
    if (!readWord(entry.offset) || !readWord(entry.size) || !readWord(length) ||
        length > bytes.size() - at)
      return fail();
    entry.name = bytes.substr(at, length);
    at += length;
    return true;
  }
  bool isDamaged() const { return damaged; }

private:
  bool readWord(uint64_t &word) {
    if (bytes.size() < at || bytes.size() - at < sizeof(word))
      return false;
    memcpy(&word, bytes.data() + at, sizeof(word));
    at += sizeof(word);
    return true;
  }
  bool fail() {
    damaged = true;
    left = 0;
    return false;
  }

  std::string_view bytes;
  uint64_t at, left = 0;
  bool damaged = false;
};
} // namespace

//===----------------------------------------------------------------------===//
// Selection
//===----------------------------------------------------------------------===//

/// Whether an entry's name is for `target`: "KIND-TRIPLE-GPU" and perhaps features, of
/// which those count that ask for what the emulated GPU has turned off.
static bool isFor(std::string_view name, const Target &target) {
  size_t dash = name.rfind("-gfx");
  if (!startsWith(name, "hip") || dash == std::string_view::npos)
    return false;
  std::string_view gpu = name.substr(dash + 1);
  size_t colon = gpu.find(':');
  std::string_view features = colon == std::string_view::npos ? "" : gpu.substr(colon);
  return gpu.substr(0, colon) == target.name &&
         features.find(":xnack+") == std::string_view::npos &&
         features.find(":sramecc-") == std::string_view::npos;
}

static Selection selectEntry(std::string_view image, const Target &target,
                             std::string &bytes, std::string &error) {
  EntryReader reader(image);
  Entry entry;
  std::string known;
  while (reader.next(entry)) {
    if (entry.offset > image.size() || entry.size > image.size() - entry.offset) {
      error = "the bundle of code objects is damaged: its entry " +
              std::string(entry.name) + " lies outside it";
      return Selection::Damaged;
    }
    if (isFor(entry.name, target)) {
      bytes = image.substr(entry.offset, entry.size);
      return Selection::Found;
    }
    known += (known.empty() ? "" : ", ") + std::string(entry.name);
  }
  if (reader.isDamaged()) {
    error = "the bundle of code objects is damaged: its list of entries does not end";
    return Selection::Damaged;
  }
  error = "the bundle of code objects has none for " + std::string(target.name) +
          "; it has: " + (known.empty() ? "nothing" : known) +
          ". Compile with --offload-arch=" + std::string(target.name);
  return Selection::OtherGpu;
}

static Selection selectCompressed(std::string_view image, const Target &target,
                                  std::string &bytes, std::string &error) {
  using llvm::object::CompressedOffloadBundle;
  auto fail = [&](const std::string &why) {
    error = "the compressed bundle of code objects is damaged: " + why;
    return Selection::Damaged;
  };
  llvm::StringRef packed(image.data(), image.size());
  auto header = CompressedOffloadBundle::CompressedBundleHeader::tryParse(packed);
  if (!header)
    return fail(llvm::toString(header.takeError()));
  // LLVM takes memory as the header says, and stops the process where there is none.
  if (header->UncompressedFileSize > largestBundle)
    return fail("it says that it has " + std::to_string(header->UncompressedFileSize) +
                " bytes");
  auto buffer = llvm::MemoryBuffer::getMemBuffer(packed, "",
                                                 /*RequiresNullTerminator=*/false);
  auto bundle = CompressedOffloadBundle::decompress(*buffer);
  if (!bundle)
    return fail(llvm::toString(bundle.takeError()));
  llvm::StringRef text = (*bundle)->getBuffer();
  if (!startsWith({text.data(), text.size()}, bundleMagic))
    return fail("no bundle is in it");
  return selectEntry({text.data(), text.size()}, target, bytes, error);
}

/// A code object as it is, unless it is for another of the emulated GPUs.
static Selection selectWhole(std::string_view image, const Target &target,
                             std::string &bytes, std::string &error) {
  llvm::ELF::Elf64_Ehdr header;
  if (startsWith(image, elfMagic) && image.size() >= sizeof(header)) {
    memcpy(&header, image.data(), sizeof(header));
    for (const Target &other : targets)
      if (header.e_machine == llvm::ELF::EM_AMDGPU && &other != &target &&
          (header.e_flags & llvm::ELF::EF_AMDGPU_MACH) == other.elfMachine) {
        error = "the code object is for " + std::string(other.name) +
                ", and the device is " + std::string(target.name);
        return Selection::OtherGpu;
      }
  }
  bytes = image;
  return Selection::Found;
}

Selection tilewright::amdgpu::selectCodeObject(std::string_view image,
                                               const Target &target, std::string &bytes,
                                               std::string &error) {
  if (startsWith(image, bundleMagic))
    return selectEntry(image, target, bytes, error);
  if (startsWith(image, compressedMagic))
    return selectCompressed(image, target, bytes, error);
  return selectWhole(image, target, bytes, error);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static uint64_t measureElf(const char *image) {
  llvm::ELF::Elf64_Ehdr header;
  memcpy(&header, image, sizeof(header));
  // As linkers write it; of anything else no field is to be trusted.
  if (header.e_phoff != sizeof(header) ||
      header.e_phentsize != sizeof(llvm::ELF::Elf64_Phdr))
    return 0;
  uint64_t end = header.e_shoff + uint64_t(header.e_shnum) * header.e_shentsize;
  // Where the file has no table of sections, its last segment ends it.
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    llvm::ELF::Elf64_Phdr segment;
    memcpy(&segment, image + header.e_phoff + i * sizeof(segment), sizeof(segment));
    end = std::max<uint64_t>(end, segment.p_offset + segment.p_filesz);
  }
  return end;
}

static uint64_t measureBundle(const char *image) {
  // The list is as long as it says, which nothing but its own end tells.
  EntryReader reader(std::string_view(image, SIZE_MAX / 2));
  Entry entry;
  uint64_t end = 0;
  while (reader.next(entry))
    end =
        std::max({end, entry.offset + entry.size,
                  static_cast<uint64_t>(entry.name.data() + entry.name.size() - image)});
  return reader.isDamaged() ? 0 : end;
}

/// Versions from the second on say how long they are, in 4 bytes or in 8.
static uint64_t measureCompressed(const char *image) {
  uint16_t version = 0;
  uint64_t size = 0;
  memcpy(&version, image + 4, sizeof(version));
  if (version < 2)
    return 0;
  memcpy(&size, image + 8, version == 2 ? 4 : 8);
  return size;
}

uint64_t tilewright::amdgpu::measureImage(const void *given) {
  const char *image = static_cast<const char *>(given);
  // Not beyond the end of an image of fewer bytes.
  auto starts = [&](std::string_view magic) {
    return std::equal(magic.begin(), magic.end(), image);
  };
  if (starts(elfMagic))
    return measureElf(image);
  if (starts(bundleMagic))
    return measureBundle(image);
  return starts(compressedMagic) ? measureCompressed(image) : 0;
}
