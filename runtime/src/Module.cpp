//===- Module.cpp - Artifacts, kernels and launches --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Error.h"
#include "Kernel.h"
#include "Locks.h"
#include "Seal.h"
#include "Staging.h"

#include "tilewright/library.h"

#include <cerrno>
#include <cinttypes>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace tilewright;

struct tw_module {
  const tw_artifact_v1 *artifact;
  void *library; // nullptr: the artifact is part of the program
  tw_kernel *made;     // for one device each
  tw_kernel kernels[]; // one for each image
};

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

#if defined(__x86_64__)
#define HOST_NAME "an x86-64"
static constexpr uint16_t hostMachine = EM_X86_64;
#elif defined(__aarch64__)
#define HOST_NAME "an AArch64"
static constexpr uint16_t hostMachine = EM_AARCH64;
#else
#error "say which ELF machine this is"
#endif

/// What keeps a file for ELF machine `machine` from being loaded here.
static const char *describeForeign(uint16_t machine) {
#define FOREIGN(NAME)                                                                    \
  "has code for " NAME ", and this machine is " HOST_NAME                                \
  "; compile the kernel for 'cpu' on this machine"
  switch (machine) {
  case EM_X86_64:
    return FOREIGN("x86-64");
  case EM_AARCH64:
    return FOREIGN("AArch64");
  default:
    return FOREIGN("another kind of machine");
  }
#undef FOREIGN
}

/// What keeps an open file from being loaded, or nullptr. dlopen maps what the
/// program headers say: beyond the end of a truncated file that is a bus error.
static const char *findFileFlaw(int file) {
  struct stat facts;
  Elf64_Ehdr header;
  if (fstat(file, &facts) != 0 || !S_ISREG(facts.st_mode))
    return "is not a regular file; it is no kernel artifact";
  if (pread(file, &header, sizeof(header), 0) != sizeof(header) ||
      memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_type != ET_DYN ||
      header.e_phentsize != sizeof(Elf64_Phdr))
    return "is not a shared object; it is no kernel artifact";
  if (header.e_machine != hostMachine)
    return describeForeign(header.e_machine);
  auto size = static_cast<uint64_t>(facts.st_size);
  for (int i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    off_t offset = header.e_phoff + i * sizeof(segment);
    if (pread(file, &segment, sizeof(segment), offset) != sizeof(segment))
      return "is truncated; it is no kernel artifact";
    if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset)
      return "is truncated; it is no kernel artifact";
  }
  return nullptr;
}

/// The library at `path`, or nullptr with the error recorded.
static void *loadLibrary(const char *path) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    fail(TW_ERROR_ARTIFACT, "%s: cannot be opened: %s", path, strerror(errno));
    return nullptr;
  }
  const char *flaw = findFileFlaw(file);
  close(file);
  if (flaw) {
    fail(TW_ERROR_ARTIFACT, "%s: %s", path, flaw);
    return nullptr;
  }
  // dlopen looks a name without a slash up in the system's folders.
  char *absolute = realpath(path, nullptr);
  void *library = absolute ? dlopen(absolute, RTLD_NOW | RTLD_LOCAL) : nullptr;
  free(absolute);
  if (!library)
    fail(TW_ERROR_ARTIFACT, "%s: cannot be loaded: %s", path, dlerror());
  return library;
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static tw_status validate(const tw_artifact_v1 *artifact, const char *where) {
  if (artifact->size < sizeof(tw_artifact_v1) || artifact->version != TW_ABI_VERSION)
    return fail(TW_ERROR_ARTIFACT,
                "%s: the artifact has ABI version %" PRIu64
                ", this runtime version %d; compile the kernel again",
                where, artifact->version, TW_ABI_VERSION);
  if (!artifact->name || !artifact->signature || !artifact->manifest ||
      !artifact->images || artifact->image_count == 0 || artifact->image_count > 1024)
    return fail(TW_ERROR_ARTIFACT, "%s: the artifact is incomplete", where);
  return Signature(artifact->signature).validate(where);
}

static tw_status makeModule(const tw_artifact_v1 *artifact, void *library,
                            const char *where, tw_module **module) {
  if (tw_status status = validate(artifact, where))
    return status;
  size_t bytes = sizeof(tw_module) + artifact->image_count * sizeof(tw_kernel);
  auto *made = static_cast<tw_module *>(malloc(bytes));
  if (!made)
    return fail(TW_ERROR_MEMORY, "%s: no memory for a module", where);
  made->artifact = artifact;
  made->library = library;
  made->made = nullptr;
  for (uint64_t i = 0; i < artifact->image_count; ++i) {
    const tw_image_v1 *image = &artifact->images[i];
    made->kernels[i] = {artifact, image, Signature(artifact->signature),
                        findDevice(image->target)};
  }
  *module = made;
  return TW_OK;
}

tw_status tw_module_open(const char *path, tw_module **module) {
  void *library = loadLibrary(path);
  if (!library)
    return TW_ERROR_ARTIFACT;
  tw_status status;
  if (void *artifact = dlsym(library, TW_ARTIFACT_SYMBOL))
    status =
        makeModule(static_cast<const tw_artifact_v1 *>(artifact), library, path, module);
  else
    status =
        fail(TW_ERROR_ARTIFACT,
             "%s: has no symbol " TW_ARTIFACT_SYMBOL "; it is no kernel artifact", path);
  if (status)
    dlclose(library);
  return status;
}

tw_status tw_library_open(const char *path, const tw_library_v1 **library) {
  void *loaded = loadLibrary(path);
  if (!loaded)
    return TW_ERROR_ARTIFACT;
  auto *found = static_cast<const tw_library_v1 *>(dlsym(loaded, TW_LIBRARY_SYMBOL));
  tw_status status = TW_OK;
  if (!found)
    status = fail(TW_ERROR_ARTIFACT,
                  "%s: has no symbol " TW_LIBRARY_SYMBOL "; it is no library of kernels",
                  path);
  else if (found->size < sizeof(tw_library_v1) || found->version != TW_ABI_VERSION)
    status = fail(TW_ERROR_ARTIFACT,
                  "%s: the library has ABI version %" PRIu64
                  ", this runtime version %d; build it again",
                  path, found->version, TW_ABI_VERSION);
  else
    status = checkSeal(found);
  if (status)
    dlclose(loaded);
  else
    *library = found;
  return status;
}

tw_status tw_module_from_artifact(const tw_artifact_v1 *artifact, tw_module **module) {
  return makeModule(artifact, nullptr, "linked artifact", module);
}

void tw_module_close(tw_module *module) {
  if (!module)
    return;
  while (tw_kernel *kernel = module->made) {
    module->made = kernel->next;
    kernel->functions->dropKernel(kernel);
  }
  if (module->library)
    dlclose(module->library);
  free(module);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// The kernel of an image for a device, which is made where it is first asked for.
static tw_status findKernel(tw_module *module, tw_device *device,
                            const tw_kernel &candidate, const tw_kernel **kernel) {
  *kernel = &candidate;
  if (!device->functions->makeKernel)
    return TW_OK;
  Locked kernels(Lock::Kernels);
  tw_kernel *made = module->made;
  while (made && (made->image != candidate.image || made->device != device))
    made = made->next;
  tw_status status = TW_OK;
  if (!made) {
    status = device->functions->makeKernel(device, candidate, &made);
    if (!status) {
      made->next = module->made;
      module->made = made;
    }
  }
  *kernel = made;
  return status;
}

tw_status tw_module_kernel(tw_module *module, tw_device *device,
                           const tw_kernel **kernel) {
  const tw_artifact_v1 *artifact = module->artifact;
  tw_status status = TW_OK;
  for (uint64_t i = 0; i < artifact->image_count; ++i) {
    const tw_kernel &candidate = module->kernels[i];
    if (!candidate.functions ||
        strcmp(candidate.functions->backend, device->functions->backend) != 0)
      continue;
    status = device->functions->accepts(device, candidate.image);
    if (status == TW_OK)
      return findKernel(module, device, candidate, kernel);
  }
  if (status)
    return status; // why the last image for this kind of device was refused
  return fail(TW_ERROR_UNSUPPORTED, "%s: the artifact has no image for %s",
              artifact->name, device->functions->kind);
}

tw_status tw_kernel_info(const tw_kernel *kernel, tw_kernel_info_v1 *info) {
  if (info->size < sizeof(tw_kernel_info_v1))
    return fail(TW_ERROR_INVALID,
                "tw_kernel_info_v1.size is %" PRIu64
                "; set it to sizeof(tw_kernel_info_v1)",
                info->size);
  const Signature &signature = kernel->signature;
  *info = {sizeof(tw_kernel_info_v1),
           kernel->artifact->name,
           kernel->image->target,
           kernel->artifact->manifest,
           signature.table(),
           static_cast<uint64_t>(signature.parameterCount()),
           static_cast<uint64_t>(signature.launchWords())};
  return TW_OK;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

tw_status tw_launch_words(const tw_kernel *kernel, tw_stream *stream,
                          const uint64_t *words) {
  return kernel->functions->launch(kernel, stream, words, {});
}

tw_status tw_launch_placed(const tw_kernel *kernel, tw_stream *stream,
                           const uint64_t *words, const int32_t *device_types) {
  if (kernel->stagesHostMemory())
    return launchStaged(kernel, stream, words, device_types, {});
  return kernel->functions->launch(kernel, stream, words, {});
}

tw_status tw_launch(const tw_kernel *kernel, tw_stream *stream,
                    const tw_argument_v1 *arguments, uint64_t count) {
  uint64_t words[maximumParameters * (1 + 2 * TW_MAX_RANK)];
  if (tw_status status = tw_check_arguments(kernel, arguments, count, words))
    return status;
  return launchChecked(kernel, stream, arguments, count, words);
}

tw_status tilewright::launchChecked(const tw_kernel *kernel, tw_stream *stream,
                                    const tw_argument_v1 *arguments, uint64_t count,
                                    const uint64_t *words, GivenMemory given) {
  if (!kernel->stagesHostMemory())
    return kernel->functions->launch(kernel, stream, words, given);
  int32_t places[maximumParameters];
  for (uint64_t i = 0; i < count; ++i) {
    auto *bytes = reinterpret_cast<const char *>(arguments) + i * arguments->size;
    places[i] = reinterpret_cast<const tw_argument_v1 *>(bytes)->device_type;
  }
  return launchStaged(kernel, stream, words, places, given);
}

tw_status tilewright::checkWorkspaceSize(const char *kernel, int64_t bytes) {
  if (bytes < 0)
    return fail(TW_ERROR_INVALID,
                "%s: a size of a workspace (T.alloc_global) is negative for these sizes",
                kernel);
  if (bytes == INT64_MAX)
    return fail(TW_ERROR_MEMORY,
                "%s: no memory for a workspace of more than 2^63 - 1 bytes", kernel);
  return TW_OK;
}
