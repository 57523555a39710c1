//===- Library.cpp - Many artifacts as one library ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Tables, artifacts and the runtime become one object, whose symbols are then made the
// library's own: what users call is renamed, all else becomes local. So libraries of
// different versions meet in one program without knowing of each other.
//
//===----------------------------------------------------------------------===//

#include "driver/Library.h"

#include "backends/Linker.h"
#include "backends/Machine.h"
#include "driver/LibraryTables.h"
#include "runtime/src/Fingerprint.h"

#include "tilewright/library.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ObjCopy/CommonConfig.h"
#include "llvm/ObjCopy/ELF/ELFConfig.h"
#include "llvm/ObjCopy/ELF/ELFObjcopy.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/StringSaver.h"

#include <link.h>

using namespace llvm;
using namespace tilewright;

/// The table and the entry points as an object file.
static Expected<std::string> makeTables(const LibrarySpec &spec,
                                        std::vector<std::string> &exported) {
  LLVMContext context;
  Module module(spec.name, context);
  addLibraryTables(module, spec, exported);
  Machine machine = getHostMachine();
  if (Error error = optimizeModule(machine, module, [] { return true; }))
    return error;
  return emitModule(machine, module, /*assembly=*/false);
}

/// Puts code and constants into sections of the library's own.
static void renameSections(const object::ObjectFile &file, const LibrarySpec &spec,
                           objcopy::CommonConfig &config, StringSaver &saver) {
  for (const object::SectionRef &section : file.sections()) {
    StringRef name = cantFail(section.getName());
    StringRef to = name.starts_with(".text")     ? codeSection
                   : name.starts_with(".rodata") ? constantSection
                                                 : "";
    if (!to.empty())
      config.SectionsToRename[name] = {name, saver.save(sectionName(spec, to)), {}};
  }
}

/// The object with `renamed` symbols and those in `kept` as its only global ones.
static Expected<std::string> closeObject(const LibrarySpec &spec,
                                         const MemoryBuffer &linked,
                                         ArrayRef<std::string> kept,
                                         const StringMap<std::string> &renamed) {
  auto parsed = object::ObjectFile::createELFObjectFile(linked.getMemBufferRef());
  if (!parsed)
    return parsed.takeError();
  objcopy::CommonConfig config;
  objcopy::ELFConfig elf;
  BumpPtrAllocator memory;
  StringSaver saver(memory);
  renameSections(**parsed, spec, config, saver);
  config.OutputFilename = "-";
  config.DiscardMode = objcopy::DiscardType::All;
  auto keep = [&](StringRef name) {
    return config.SymbolsToKeepGlobal.addMatcher(objcopy::NameOrPattern::create(
        name, objcopy::MatchStyle::Literal, [](Error error) { return error; }));
  };
  for (const std::string &name : kept)
    if (Error error = keep(name))
      return error;
  for (const auto &entry : renamed) {
    if (Error error = keep(entry.first()))
      return error;
    config.SymbolsToRename[entry.first()] = entry.second;
  }
  SmallString<0> bytes;
  raw_svector_ostream stream(bytes);
  if (Error error = objcopy::elf::executeObjcopyOnBinary(
          config, elf, cast<object::ELFObjectFileBase>(**parsed), stream))
    return error;
  return bytes.str().str();
}

/// The libraries that a shared object needs, from this process: libc and the loader,
/// which has thread-local storage.
static std::vector<std::string> findSystemLibraries() {
  std::vector<std::string> found;
  dl_iterate_phdr(
      [](dl_phdr_info *info, size_t, void *found) {
        StringRef path = info->dlpi_name;
        StringRef name = path.substr(path.rfind('/') + 1);
        if (name == "libc.so.6" || name.starts_with("ld-linux"))
          static_cast<std::vector<std::string> *>(found)->push_back(path.str());
        return 0;
      },
      &found);
  return found;
}

/// Writes into a linked library the fingerprints of its code and constants.
static Error seal(const LibrarySpec &spec) {
  auto file = MemoryBuffer::getFile(spec.sharedObject);
  if (!file)
    return createStringError(file.getError(), "cannot read '%s'",
                             spec.sharedObject.c_str());
  auto parsed = object::ObjectFile::createELFObjectFile((*file)->getMemBufferRef());
  if (!parsed)
    return parsed.takeError();
  std::string bytes = (*file)->getBuffer().str();
  StringRef magic(TW_SEAL_MAGIC, sizeof(TW_SEAL_MAGIC));
  // In the data, which come last; the runtime's code may hold the magic as well.
  size_t at = StringRef(bytes).rfind(magic);
  if (at == StringRef::npos)
    return createStringError("the linked library has no seal");
  tw_seal_v1 made = {};
  made.is_set = 1;
  const StringRef names[] = {codeSection, constantSection};
  for (auto [index, name] : enumerate(names))
    for (const object::SectionRef &section : (*parsed)->sections()) {
      if (cantFail(section.getName()) != sectionName(spec, name))
        continue;
      Fingerprint fingerprint;
      StringRef contents = cantFail(section.getContents());
      fingerprint.add(contents.data(), contents.size());
      made.fingerprints[index] = fingerprint.value();
    }
  memcpy(made.magic, magic.data(), magic.size());
  memcpy(&bytes[at], &made, sizeof(made));
  return writeFile(spec.sharedObject, bytes);
}

static Error writeLibrary(const LibrarySpec &spec) {
  std::vector<std::string> kept;
  Expected<std::string> tables = makeTables(spec, kept);
  if (!tables)
    return tables.takeError();
  SmallVector<std::string> temporary;
  scope_exit cleanup([&] {
    for (const std::string &path : temporary)
      sys::fs::remove(path);
  });
  auto beside = [&](StringRef suffix) {
    return temporary.emplace_back(spec.sharedObject + suffix.str());
  };

  std::string tablesPath = beside(".tables.o");
  if (Error error = writeFile(tablesPath, *tables))
    return error;
  std::vector<std::string> arguments = {"-r", tablesPath};
  size_t bytes = tables->size();
  for (const LibraryFunction &function : spec.functions)
    for (const LibraryBuild &build : function.builds)
      for (const LibraryArtifact &artifact : build.artifacts)
        if (!is_contained(arguments, artifact.object))
          arguments.push_back(artifact.object);
  arguments.push_back(spec.runtime);
  for (const std::string &path : ArrayRef(arguments).drop_front(2)) {
    uint64_t size = 0;
    if (std::error_code error = sys::fs::file_size(path, size))
      return createStringError(error, "cannot read '%s': %s", path.c_str(),
                               error.message().c_str());
    bytes += size;
  }
  std::string linkedPath = beside(".linked.o");
  if (Error error = runLinker(arguments, linkedPath, bytes))
    return error;
  auto linked = MemoryBuffer::getFile(linkedPath);
  if (!linked)
    return createStringError(linked.getError(), "cannot read '%s'", linkedPath.c_str());

  StringMap<std::string> renamed;
  for (const std::string &name : spec.api)
    renamed[name] = spec.name + StringRef(name).drop_front(2).str();
  kept.push_back("tw_thread_pool_v2");
  Expected<std::string> archived = closeObject(spec, **linked, kept, renamed);
  if (!archived)
    return archived.takeError();
  NewArchiveMember member(MemoryBufferRef(*archived, spec.name + ".o"));
  std::vector<NewArchiveMember> members;
  members.push_back(std::move(member));
  if (Error error =
          writeArchive(spec.archive, members, SymtabWritingMode::NormalSymtab,
                       object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false))
    return error;

  kept.push_back(TW_LIBRARY_SYMBOL);
  Expected<std::string> shared = closeObject(spec, **linked, kept, renamed);
  if (!shared)
    return shared.takeError();
  std::string sharedPath = beside(".shared.o");
  if (Error error = writeFile(sharedPath, *shared))
    return error;
  // It stays loaded: threads of the pool may be in its code, and fork calls it.
  arguments = {"-shared", "--hash-style=gnu", "--as-needed", "--no-undefined",
               sharedPath};
  for (StringRef option : {"now", "relro", "nodelete"})
    arguments.insert(arguments.end(), {"-z", option.str()});
  arguments.insert(arguments.end(), {"-soname", "lib" + spec.name + ".so"});
  for (std::string &library : findSystemLibraries())
    arguments.push_back(std::move(library));
  if (Error error = runLinker(arguments, spec.sharedObject, shared->size()))
    return error;
  return seal(spec);
}

std::string tilewright::linkLibrary(const LibrarySpec &spec) {
  Error error = writeLibrary(spec);
  return error ? toString(std::move(error)) : "";
}
