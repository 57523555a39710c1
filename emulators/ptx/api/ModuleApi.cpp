//===- ModuleApi.cpp - The C API: modules, kernels and launches ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Trace.h"
#include "emulators/ptx/api/Api.h"

#include <chrono>

using namespace tilewright::ptx;
using namespace tilewright::ptx::api;
using namespace tilewright::emulator::api;
using namespace tilewright::emulator;

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

/// Whether a device takes text for the program's target: later architectures run what
/// earlier ones do, but for features of one alone (the `a` of sm_90a).
static bool runsOn(const Program &program, const Device &device) {
  if (program.architecture == 0)
    return false;
  if (program.architectureSpecific || program.module->target.back() == 'f')
    return program.architecture == device.architecture && device.architectureSpecific;
  return program.architecture <= device.architecture;
}

/// Releases what `decode` has placed in the device's memory.
static void releaseVariables(Device &device, const Program &program) {
  for (const auto &[name, allocation] : program.globals)
    device.memory.release(allocation->base);
}

tw_emulator_status tw_emulator_module_load(tw_emulator_device *given, const char *text,
                                           uint64_t length, tw_emulator_module **module) {
  return guard([&] {
    if (!given || !text || !module)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_module_load: a null argument");
    auto *device = static_cast<PtxDevice *>(given);
    std::lock_guard<std::mutex> locked(device->lock);
    auto refuse = [&](const SyntaxError &error) {
      std::string place;
      if (error.line)
        place = "line " + std::to_string(error.line) +
                (error.column ? ", column " + std::to_string(error.column) : "") + ": ";
      return fail(TW_EMULATOR_ERROR_SYNTAX, place + error.message, error.line,
                  error.column);
    };
    SyntaxError error;
    std::unique_ptr<Module> parsed = parse(std::string(text, length), error);
    if (!parsed)
      return refuse(error);
    auto made = std::make_unique<tw_emulator_module>();
    made->device = device;
    std::string target = parsed->target;
    made->program = decode(std::move(parsed), device->device.memory, error);
    if (!made->program)
      return refuse(error);
    if (!runsOn(*made->program, device->device)) {
      releaseVariables(device->device, *made->program);
      return refuse(
          {0, 0, "the text is for " + target + ", and the device is " + device->arch});
    }
    for (const DecodedFunction &function : made->program->functions)
      if (function.syntax->isEntry && !function.syntax->isDeclaration)
        made->kernels.push_back({made.get(), &function});
    device->modules.push_back(std::move(made));
    *module = device->modules.back().get();
    return TW_EMULATOR_OK;
  });
}

void tw_emulator_module_unload(tw_emulator_module *module) {
  if (!module)
    return;
  PtxDevice &device = *module->device;
  std::lock_guard<std::mutex> locked(device.lock);
  releaseVariables(device.device, *module->program);
  if (device.last.kernel && device.last.kernel->module == module) {
    guard([&] {
      device.last.json = reportToJson(device);
      return TW_EMULATOR_OK;
    });
    device.last.kernel = nullptr;
  }
  auto &all = device.modules;
  all.erase(std::find_if(all.begin(), all.end(),
                         [&](const auto &one) { return one.get() == module; }));
}

uint32_t tw_emulator_module_kernel_count(tw_emulator_module *module) {
  return module ? static_cast<uint32_t>(module->kernels.size()) : 0;
}

const tw_emulator_kernel *tw_emulator_module_kernel_at(tw_emulator_module *module,
                                                       uint32_t index) {
  return module && index < module->kernels.size() ? &module->kernels[index] : nullptr;
}

tw_emulator_status tw_emulator_module_kernel(tw_emulator_module *module, const char *name,
                                             const tw_emulator_kernel **kernel) {
  return guard([&] {
    if (!module || !name || !kernel)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_kernel: a null argument");
    std::string known;
    for (const tw_emulator_kernel &one : module->kernels) {
      if (one.syntax().name == name) {
        *kernel = &one;
        return TW_EMULATOR_OK;
      }
      known += (known.empty() ? "" : ", ") + one.syntax().name;
    }
    return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                "there is no kernel " + std::string(name) +
                    "; the text has: " + (known.empty() ? "none" : known));
  });
}

tw_emulator_status tw_emulator_module_variable(tw_emulator_module *module,
                                               const char *name, uint64_t *address,
                                               uint64_t *bytes) {
  return guard([&] {
    if (!module || !name || !address || !bytes)
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_module_variable: a null argument");
    auto found = module->program->globals.find(name);
    if (found == module->program->globals.end())
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  "there is no variable " + std::string(name) + " in global memory");
    *address = found->second->base;
    *bytes = found->second->size;
    return TW_EMULATOR_OK;
  });
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

tw_emulator_status tw_emulator_kernel_info(const tw_emulator_kernel *kernel,
                                           tw_emulator_kernel_info_v1 *info) {
  return guard([&] {
    if (!kernel)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_kernel_info: no kernel");
    const Function &syntax = kernel->syntax();
    tw_emulator_kernel_info_v1 known = {};
    known.name = syntax.name.c_str();
    known.parameter_count = static_cast<uint32_t>(syntax.params.size());
    known.line = syntax.line;
    known.parameter_bytes = kernel->parameterBytes();
    known.shared_bytes = kernel->function->sharedBytes;
    known.local_bytes = kernel->function->localBytes;
    for (const RegisterInfo &info : syntax.registers)
      known.registers +=
          info.type == Type::Pred ? 0 : std::max(getBits(info.type), 32u) / 32;
    memcpy(known.max_threads, syntax.maxThreads, sizeof(known.max_threads));
    memcpy(known.required_threads, syntax.requiredThreads,
           sizeof(known.required_threads));
    memcpy(known.required_cluster, syntax.requiredCluster,
           sizeof(known.required_cluster));
    if (!writeSized(known, info))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_info: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

tw_emulator_status tw_emulator_kernel_parameter(const tw_emulator_kernel *kernel,
                                                uint32_t index,
                                                tw_emulator_parameter_v1 *parameter) {
  return guard([&] {
    if (!kernel)
      return fail(TW_EMULATOR_ERROR_INVALID, "tw_emulator_kernel_parameter: no kernel");
    const auto &params = kernel->syntax().params;
    if (index >= params.size())
      return fail(TW_EMULATOR_ERROR_NOT_FOUND,
                  kernel->syntax().name + " has " + std::to_string(params.size()) +
                      " parameters, no number " + std::to_string(index));
    tw_emulator_parameter_v1 known = {};
    known.name = params[index].name.c_str();
    known.type = getName(params[index].type).data(); // a literal
    known.offset = kernel->function->paramOffsets[index];
    known.bytes = params[index].size;
    known.align = params[index].align;
    if (!writeSized(known, parameter))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_kernel_parameter: the structure has no size");
    return TW_EMULATOR_OK;
  });
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

static Dim3 toDim3(const uint32_t (&from)[3], uint32_t least = 0) {
  return {std::max(from[0], least), std::max(from[1], least), std::max(from[2], least)};
}

namespace {
/// The words through which all blocks of a cooperative grid meet: two, which start as
/// zero, at the address that %envreg1 (upper half) and %envreg2 hold.
class GridWorkspace {
public:
  GridWorkspace(Device &device, LaunchOptions &options) : device(device) {
    made = device.memory.allocate(16, "the grid's workspace");
    if (!made)
      return;
    memset(made->memory.data(), 0, made->size);
    memset(made->memory.shadow(), Sound, made->size);
    options.environment[1] = static_cast<uint32_t>(made->base >> 32);
    options.environment[2] = static_cast<uint32_t>(made->base);
  }
  ~GridWorkspace() {
    if (made)
      device.memory.release(made->base);
  }
  GridWorkspace(const GridWorkspace &) = delete;

private:
  Device &device;
  Allocation *made = nullptr;
};
} // namespace

static tw_emulator_status launchLocked(const tw_emulator_kernel &kernel,
                                       PtxDevice &device,
                                       const tw_emulator_launch_v1 &launch) {
  LaunchOptions options;
  options.grid = toDim3(launch.grid);
  options.block = toDim3(launch.block);
  const uint32_t (&cluster)[3] = launch.cluster;
  const uint32_t (&required)[3] = kernel.syntax().requiredCluster;
  bool given = cluster[0] || cluster[1] || cluster[2];
  options.cluster = given ? toDim3(cluster, 1) : toDim3(required, 1);
  options.dynamicShared = launch.shared_bytes;
  options.cooperative = launch.flags & TW_EMULATOR_COOPERATIVE;
  const uint8_t *bytes = static_cast<const uint8_t *>(launch.parameters);
  if (bytes)
    options.params.assign(bytes, bytes + launch.parameter_bytes);
  options.order = device.order;
  options.checks.uninitialised = !(device.checks & TW_EMULATOR_NO_UNINITIALISED);
  options.checks.sharedRaces = !(device.checks & TW_EMULATOR_NO_SHARED_RACES);
  options.checks.proxyFences = !(device.checks & TW_EMULATOR_NO_PROXY_FENCES);
  options.checks.globalRaces = device.checks & TW_EMULATOR_GLOBAL_RACES;
  options.checks.statistics = device.checks & TW_EMULATOR_COUNT_BY_LINE;
  options.checks.timesProducts = device.checks & TW_EMULATOR_TIME_PRODUCTS;
  options.threads = device.threads;
  options.maxSteps = device.maxSteps;
  TextTracer tracer({launch.trace_block[0], launch.trace_block[1], launch.trace_block[2]},
                    launch.trace_warp, launch.trace, launch.trace_context);
  if (launch.trace)
    options.tracer = &tracer;
  std::unique_ptr<GridWorkspace> workspace;
  if (options.cooperative)
    workspace = std::make_unique<GridWorkspace>(device.device, options);

  Statistics statistics;
  auto start = std::chrono::steady_clock::now();
  std::string error = tilewright::ptx::launch(device.device, *kernel.module->program,
                                              *kernel.function, options, &statistics);
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!error.empty())
    return fail(TW_EMULATOR_ERROR_INVALID, error);
  options.tracer = nullptr;
  device.last = {&kernel, "", std::move(options), std::move(statistics), taken.count()};
  return takeFaults(device, device.device.faults);
}

tw_emulator_status tw_emulator_launch(const tw_emulator_kernel *kernel,
                                      const tw_emulator_launch_v1 *given) {
  return guard([&] {
    tw_emulator_launch_v1 launch;
    if (!kernel || !readSized(given, launch) ||
        (!launch.parameters && launch.parameter_bytes))
      return fail(TW_EMULATOR_ERROR_INVALID,
                  "tw_emulator_launch: a kernel and a launch of a size "
                  "that this library knows are needed");
    PtxDevice &device = *kernel->module->device;
    std::lock_guard<std::mutex> locked(device.lock);
    return launchLocked(*kernel, device, launch);
  });
}
