//===- Library.cpp - Which build of a function runs a call -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Nothing of a library is looked at before a function of it is called. The first call
// with a device makes the kernels of all of the function's builds for it; from then on a
// call only compares its arguments with their signatures.
//
//===----------------------------------------------------------------------===//

#include "Library.h"
#include "Error.h"
#include "Kernel.h"
#include "Locks.h"
#include "Seal.h"
#include "Tensor.h"

#include <cinttypes>
#include <cstdlib>
#include <cstring>

using namespace tilewright;

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// A function's kernels for a device. It is made once and stays.
struct tilewright::Bound {
  const DeviceFunctions *functions;
  tw_device *device; // nullptr: any of the kind
  Bound *next;
  // For each build; nullptr where the device runs none of its code.
  const tw_kernel *kernels[];
};

/// The kernel of a build's first artifact that the device runs; nullptr where there is
/// none, with the error recorded.
static tw_status bindBuild(const tw_function_v1 *function, const tw_build_v1 &build,
                           tw_device *device, const tw_kernel **kernel) {
  *kernel = nullptr;
  tw_status status = TW_OK;
  for (uint64_t i = 0; i < build.artifact_count; ++i) {
    const tw_artifact_v1 *artifact = build.artifacts[i];
    const DeviceFunctions *kind = findDevice(artifact->images[0].target);
    if (!kind || strcmp(kind->backend, device->functions->backend) != 0)
      continue;
    tw_module *module;
    status = tw_module_from_artifact(artifact, &module);
    if (!status)
      status = tw_module_kernel(module, device, kernel);
    if (!status)
      return TW_OK;
    tw_module_close(module);
    *kernel = nullptr;
    if (status != TW_ERROR_UNSUPPORTED)
      return status;
  }
  if (status)
    return status; // why the last one for this kind of device was refused
  return fail(TW_ERROR_UNSUPPORTED, "%s: the library has no code for %s", function->name,
              device->functions->kind);
}

static Bound *findBound(const tw_function_v1 *function, const tw_device *device) {
  void *first = __atomic_load_n(&function->state->bound, __ATOMIC_ACQUIRE);
  auto *bound = static_cast<Bound *>(first);
  while (bound && (bound->device ? bound->device != device
                                 : bound->functions != device->functions))
    bound = bound->next;
  return bound;
}

/// Makes what findBound did not find.
static tw_status makeBound(const tw_function_v1 *function, tw_device *device,
                           Bound **bound) {
  uint64_t count = function->build_count;
  auto *made = static_cast<Bound *>(malloc(sizeof(Bound) + count * sizeof(tw_kernel *)));
  if (!made)
    return fail(TW_ERROR_MEMORY, "%s: no memory for its kernels", function->name);
  bool any = false;
  tw_status status = TW_OK;
  for (uint64_t i = 0; i < count && (!status || status == TW_ERROR_UNSUPPORTED); ++i) {
    status = bindBuild(function, function->builds[i], device, &made->kernels[i]);
    any |= made->kernels[i] != nullptr;
  }
  if (!any || (status && status != TW_ERROR_UNSUPPORTED)) {
    free(made);
    return status;
  }
  made->functions = device->functions;
  made->device = device->functions->makeKernel ? device : nullptr;
  made->next = static_cast<Bound *>(function->state->bound);
  __atomic_store_n(&function->state->bound, made, __ATOMIC_RELEASE);
  *bound = made;
  return TW_OK;
}

static tw_status bind(const tw_function_v1 *function, tw_device *device, Bound **bound) {
  if ((*bound = findBound(function, device)))
    return TW_OK;
  Locked binding(Lock::Binding);
  tw_status status = checkSeal(function->library);
  if (!status && !(*bound = findBound(function, device)))
    status = makeBound(function, device, bound);
  return status;
}

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

/// The device of a call without a stream: of the first tensor that is not the host's.
static tw_status findDeviceOf(const tw_function_v1 *function,
                              const tw_argument_v1 *arguments, int64_t count,
                              tw_device **device) {
  int32_t type = cpuDevice.type, id = 0;
  for (int64_t i = 0; i < count && type == cpuDevice.type; ++i)
    if (arguments[i].kind == TW_PARAM_TENSOR && arguments[i].device_type != type) {
      type = arguments[i].device_type;
      id = arguments[i].device_id;
    }
  static tw_device host = {&cpuDevice, "cpu", "cpu", 0};
  if (type == cpuDevice.type) {
    *device = &host;
    return TW_OK;
  }
  // One that has run the function before, which may be an emulated one.
  void *first = __atomic_load_n(&function->state->bound, __ATOMIC_ACQUIRE);
  for (auto *bound = static_cast<Bound *>(first); bound; bound = bound->next)
    if (bound->device && bound->functions->type == type && bound->device->id == id) {
      *device = bound->device;
      return TW_OK;
    }
  const char *name = type == cudaDevice.type  ? cudaDevice.kind
                     : type == hipDevice.type ? hipDevice.kind
                                              : nullptr;
  if (!name)
    return fail(TW_ERROR_ARGUMENT,
                "%s: a tensor is on a device of type %d; the library runs on the host "
                "(1), CUDA (2) and ROCm (10)",
                function->name, type);
  return tw_device_open(name, device);
}

//===----------------------------------------------------------------------===//
// The build
//===----------------------------------------------------------------------===//

/// Whether a tensor's dtype, rank or a fixed size keeps a build from taking the
/// arguments: what the check would find, without the message.
static bool isOutOfQuestion(const Signature &signature, const tw_argument_v1 *arguments) {
  for (int64_t i = 0; i < signature.parameterCount(); ++i) {
    const ParameterEntry &parameter = signature.parameter(i);
    if (parameter.kind != TW_PARAM_TENSOR)
      continue;
    const tw_argument_v1 &given = arguments[i];
    int64_t perItem = elementsPerItem(parameter.dtype);
    if (given.rank != parameter.rank ||
        (given.dtype != parameter.dtype && !(perItem > 1 && given.dtype == TW_U8)))
      return true;
    const DimEntry *dims = signature.extents(parameter);
    for (int64_t d = 0; d < parameter.rank; ++d)
      if (dims[d].kind == TW_DIM_CONST &&
          dims[d].value != given.extents[d] * (d == parameter.rank - 1 ? perItem : 1))
        return true;
  }
  return false;
}

tw_status Call::choose(Buffer *report) {
  uint64_t only = __atomic_load_n(&function->state->only, __ATOMIC_RELAXED);
  uint64_t last = only ? only : function->build_count;
  bool single = last == 1 || only;
  for (uint64_t i = only ? only - 1 : 0; i < last; ++i) {
    const tw_kernel *candidate = bound->kernels[i];
    tw_status status = TW_ERROR_UNSUPPORTED;
    if (!candidate && (report || single))
      status = bindBuild(function, function->builds[i], device, &candidate);
    else if (candidate &&
             (report || single || !isOutOfQuestion(candidate->signature, arguments)))
      status = tw_check_arguments(candidate, arguments, count, words);
    if (!status) {
      kernel = candidate;
      build = i;
      return TW_OK;
    }
    if (single || status == TW_ERROR_INVALID || status == TW_ERROR_MEMORY)
      return status;
    if (report)
      report->add("\n  not %s: %s", function->builds[i].name, tw_last_error());
  }
  return TW_ERROR_ARGUMENT;
}

tw_status Call::prepare(const void *const *values) {
  // Builds have the same parameters.
  const Signature signature(function->builds[0].artifacts[0]->signature);
  count = signature.parameterCount();
  if (tw_status status = readArguments(function->name, signature, values, arguments))
    return status;
  if (stream)
    device = stream->device;
  else if (tw_status status = findDeviceOf(function, arguments, count, &device))
    return status;
  return bind(function, device, &bound);
}

tw_status Call::explainFailure() {
  Buffer reasons;
  tw_status status = choose(&reasons);
  if (*reasons.text() == 0)
    return status; // there is only one build to speak of
  return fail(TW_ERROR_ARGUMENT,
              "%s: none of its %" PRIu64 " builds takes these arguments%s",
              function->name, function->build_count, reasons.text());
}

tw_status tw_library_launch(const tw_function_v1 *function, tw_stream *stream,
                            const void *const *values) {
  Call call(function, stream);
  if (tw_status status = call.prepare(values))
    return status;
  if (tw_status status = call.choose(nullptr))
    return status == TW_ERROR_ARGUMENT ? call.explainFailure() : status;
  return launchChecked(call.kernel, stream, call.arguments, call.count, call.words);
}

tw_status tw_library_choose(const tw_library_v1 *library, const char *name,
                            const char *build) {
  for (uint64_t i = 0; i < library->function_count; ++i) {
    const tw_function_v1 &function = library->functions[i];
    if (strcmp(function.name, name) != 0)
      continue;
    uint64_t only = 0;
    while (build && only < function.build_count &&
           strcmp(function.builds[only].name, build) != 0)
      ++only;
    if (build && only == function.build_count)
      return fail(TW_ERROR_INVALID, "%s: there is no build '%s'; the manifest lists them",
                  name, build);
    __atomic_store_n(&function.state->only, build ? only + 1 : 0, __ATOMIC_RELAXED);
    return TW_OK;
  }
  return fail(TW_ERROR_INVALID, "%s: there is no function '%s'; the manifest lists them",
              library->name, name);
}
