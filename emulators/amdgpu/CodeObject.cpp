//===- CodeObject.cpp - A linked AMDGPU code object ---------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/CodeObject.h"

#include "emulators/amdgpu/Metadata.h"

#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/AMDHSAKernelDescriptor.h"

#include <algorithm>

using namespace tilewright::amdgpu;
using ElfFile = llvm::object::ELF64LEFile;

/// The most memory that an object may ask for; a damaged header asks for anything.
static constexpr uint64_t largestObject = uint64_t(1) << 30;

namespace {
class Reader {
public:
  Reader(CodeObject &object, const ElfFile &file, std::string &error)
      : object(object), file(file), error(error) {}
  bool read();

private:
  bool readTarget();
  bool readSegments();
  bool readRelocations();
  bool readSymbols();
  bool readNotes();
  bool readKernel(const Metadata &node);
  bool readDescriptor(Kernel &kernel);
  bool fail(std::string message) {
    error = "the code object is damaged: " + std::move(message);
    return false;
  }
  /// False, with the message of `e`.
  bool fail(llvm::Error e) { return fail(llvm::toString(std::move(e))); }
  /// The bytes of the file at an address of memory, or null.
  const uint8_t *find(uint64_t address, uint64_t size) const;

  CodeObject &object;
  const ElfFile &file;
  std::string &error;
};
} // namespace

bool Reader::read() {
  return readTarget() && readSegments() && readRelocations() && readSymbols() &&
         readNotes();
}

bool Reader::readTarget() {
  const auto &header = file.getHeader();
  if (header.e_machine != llvm::ELF::EM_AMDGPU) {
    error = "this ELF file is not for AMD GPUs";
    return false;
  }
  if (header.e_type != llvm::ELF::ET_DYN) {
    error = "this object file is not linked: link it with ld.lld -shared";
    return false;
  }
  uint32_t machine = header.e_flags & llvm::ELF::EF_AMDGPU_MACH;
  for (const Target &target : targets)
    if (target.elfMachine == machine)
      object.target = &target;
  if (object.target)
    return true;
  error = "the code object is for a GPU that is not emulated (machine " +
          std::to_string(machine) + "): there are";
  for (const Target &target : targets)
    error += " " + std::string(target.name);
  return false;
}

bool Reader::readSegments() {
  auto headers = file.program_headers();
  if (!headers)
    return fail(headers.takeError());
  for (const auto &header : *headers) {
    if (header.p_type != llvm::ELF::PT_LOAD || header.p_memsz == 0)
      continue;
    Segment segment;
    segment.address = header.p_vaddr;
    segment.size = header.p_memsz;
    segment.offset = header.p_offset;
    segment.fileSize = header.p_filesz;
    segment.isWritable = header.p_flags & llvm::ELF::PF_W;
    segment.isExecutable = header.p_flags & llvm::ELF::PF_X;
    if (segment.fileSize > segment.size ||
        segment.offset + segment.fileSize > object.bytes.size() ||
        segment.offset + segment.fileSize < segment.offset)
      return fail("a segment lies outside the file");
    if (segment.address + segment.size < segment.address ||
        segment.address + segment.size > largestObject)
      return fail("a segment at " + std::to_string(segment.address) + " of " +
                  std::to_string(segment.size) + " bytes is too large");
    for (const Segment &other : object.segments)
      if (segment.address < other.address + other.size &&
          other.address < segment.address + segment.size)
        return fail("two segments overlap");
    object.size = std::max(object.size, segment.address + segment.size);
    object.segments.push_back(segment);
  }
  return !object.segments.empty() || fail("it has nothing to load");
}

const uint8_t *Reader::find(uint64_t address, uint64_t size) const {
  for (const Segment &segment : object.segments)
    if (address >= segment.address && size <= segment.fileSize &&
        address - segment.address <= segment.fileSize - size)
      return reinterpret_cast<const uint8_t *>(object.bytes.data()) + segment.offset +
             (address - segment.address);
  return nullptr;
}

bool Reader::readRelocations() {
  auto sections = file.sections();
  if (!sections)
    return fail(sections.takeError());
  for (const auto &section : *sections) {
    if (section.sh_type != llvm::ELF::SHT_RELA ||
        !(section.sh_flags & llvm::ELF::SHF_ALLOC))
      continue;
    auto relocations = file.relas(section);
    if (!relocations)
      return fail(relocations.takeError());
    auto table = file.getSection(section.sh_link);
    if (!table)
      return fail(table.takeError());
    auto symbols = file.symbols(*table);
    if (!symbols)
      return fail(symbols.takeError());
    for (const auto &one : *relocations) {
      uint32_t type = one.getType(false), symbol = one.getSymbol(false);
      int64_t addend = one.r_addend;
      if (type == llvm::ELF::R_AMDGPU_ABS64) {
        if (symbol >= symbols->size() || (*symbols)[symbol].st_shndx == 0)
          return fail("a relocation names a symbol that the object does not define");
        addend += static_cast<int64_t>((*symbols)[symbol].st_value);
      } else if (type != llvm::ELF::R_AMDGPU_RELATIVE64) {
        return fail("a relocation of type " + std::to_string(type));
      }
      uint64_t at = one.r_offset;
      if (at + 8 < at || at + 8 > object.size)
        return fail("a relocation outside the segments");
      object.relocations.push_back({at, addend});
    }
  }
  return true;
}

bool Reader::readSymbols() {
  auto sections = file.sections();
  if (!sections)
    return fail(sections.takeError());
  for (const auto &section : *sections) {
    if (section.sh_type != llvm::ELF::SHT_DYNSYM)
      continue;
    auto symbols = file.symbols(&section);
    if (!symbols)
      return fail(symbols.takeError());
    auto names = file.getStringTableForSymtab(section);
    if (!names)
      return fail(names.takeError());
    for (const auto &symbol : *symbols) {
      if (symbol.st_shndx == llvm::ELF::SHN_UNDEF)
        continue;
      auto name = symbol.getName(*names);
      if (!name)
        return fail(name.takeError());
      object.symbols.push_back({name->str(), symbol.st_value, symbol.st_size});
    }
  }
  return true;
}

bool Reader::readNotes() {
  auto headers = file.program_headers();
  for (const auto &header : *headers) { // read once already
    if (header.p_type != llvm::ELF::PT_NOTE)
      continue;
    llvm::Error wrong = llvm::Error::success();
    bool sound = true;
    for (const auto &note : file.notes(header, wrong)) {
      if (note.getName() != "AMDGPU" || note.getType() != llvm::ELF::NT_AMDGPU_METADATA)
        continue;
      llvm::StringRef bytes = note.getDescAsStringRef(header.p_align);
      Metadata metadata;
      if (!readMetadata({bytes.data(), bytes.size()}, metadata)) {
        sound = fail("its metadata is no msgpack document");
        break;
      }
      for (const Metadata &kernel : metadata["amdhsa.kernels"].items)
        if (sound)
          sound = readKernel(kernel);
    }
    if (wrong)
      return fail(std::move(wrong));
    if (!sound)
      return false;
  }
  return true;
}

bool Reader::readKernel(const Metadata &node) {
  Kernel kernel;
  kernel.name = node[".name"].text;
  std::string symbol = node[".symbol"].text;
  kernel.maxThreads = static_cast<uint32_t>(node[".max_flat_workgroup_size"].integer);
  kernel.waveSize = static_cast<unsigned>(node[".wavefront_size"].integer);
  kernel.vectorRegisters = static_cast<uint32_t>(node[".vgpr_count"].integer);
  if (kernel.waveSize != 32 && kernel.waveSize != 64)
    return fail("the wave size of " + kernel.name + " is neither 32 nor 64");
  auto found = std::find_if(object.symbols.begin(), object.symbols.end(),
                            [&](const Symbol &one) { return one.name == symbol; });
  if (symbol.empty() || found == object.symbols.end())
    return fail("the kernel " + kernel.name + " has no descriptor");
  kernel.descriptor = found->address;
  for (const Metadata &argument : node[".args"].items)
    kernel.arguments.push_back({argument[".name"].text, argument[".value_kind"].text,
                                static_cast<uint32_t>(argument[".offset"].integer),
                                static_cast<uint32_t>(argument[".size"].integer)});
  if (!readDescriptor(kernel))
    return false;
  for (const Argument &argument : kernel.arguments)
    if (uint64_t(argument.offset) + argument.size > kernel.kernargBytes)
      return fail("an argument of " + kernel.name + " lies outside its " +
                  std::to_string(kernel.kernargBytes) + " bytes of arguments");
  object.kernels.push_back(std::move(kernel));
  return true;
}

/// Scalar registers that a launch fills as the descriptor asks.
static constexpr unsigned mostUserRegisters = 16;

bool Reader::readDescriptor(Kernel &kernel) {
  const uint8_t *bytes = find(kernel.descriptor, 64);
  if (!bytes)
    return fail("the descriptor of " + kernel.name + " lies outside the segments");
  llvm::amdhsa::kernel_descriptor_t descriptor;
  static_assert(sizeof(descriptor) == 64);
  memcpy(&descriptor, bytes, sizeof(descriptor));
  kernel.groupBytes = descriptor.group_segment_fixed_size;
  kernel.privateBytes = descriptor.private_segment_fixed_size;
  kernel.kernargBytes = descriptor.kernarg_size;
  kernel.rsrc1 = descriptor.compute_pgm_rsrc1;
  kernel.rsrc2 = descriptor.compute_pgm_rsrc2;
  kernel.rsrc3 = descriptor.compute_pgm_rsrc3;
  kernel.properties = descriptor.kernel_code_properties;
  kernel.preloadLength = descriptor.kernarg_preload & 0x7f;
  kernel.preloadOffset = descriptor.kernarg_preload >> 7;
  // What the other user registers may take is fewer; only the arguments' number is free.
  if (kernel.preloadLength > mostUserRegisters)
    return fail(kernel.name + " asks for " + std::to_string(kernel.preloadLength) +
                " dwords of arguments in registers, and a wave has " +
                std::to_string(mostUserRegisters));
  kernel.entry =
      kernel.descriptor + static_cast<uint64_t>(descriptor.kernel_code_entry_byte_offset);
  for (const Segment &segment : object.segments)
    if (segment.isExecutable && kernel.entry >= segment.address &&
        kernel.entry - segment.address < segment.fileSize && kernel.entry % 4 == 0)
      return true;
  return fail("the entry of " + kernel.name + " lies outside the code");
}

const Kernel *CodeObject::findKernel(std::string_view name) const {
  for (const Kernel &kernel : kernels)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

std::unique_ptr<CodeObject> tilewright::amdgpu::readCodeObject(std::string bytes,
                                                               std::string &error) {
  auto object = std::make_unique<CodeObject>();
  object->bytes = std::move(bytes);
  if (object->bytes.compare(0, 4, "\177ELF") != 0) {
    error = "this is no code object: it does not begin with \\177ELF";
    return nullptr;
  }
  auto file = ElfFile::create(object->bytes);
  if (!file) {
    error = "the code object is damaged: " + llvm::toString(file.takeError());
    return nullptr;
  }
  if (file->getHeader().e_ident[llvm::ELF::EI_CLASS] != llvm::ELF::ELFCLASS64 ||
      file->getHeader().e_ident[llvm::ELF::EI_DATA] != llvm::ELF::ELFDATA2LSB) {
    error = "this ELF file is not for AMD GPUs";
    return nullptr;
  }
  Reader reader(*object, *file, error);
  return reader.read() ? std::move(object) : nullptr;
}
