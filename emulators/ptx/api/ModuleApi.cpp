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

PtxModule::PtxModule(PtxDevice &device, std::unique_ptr<Program> given)
    : tw_emulator_module(device), memoryOwner(device.device), program(std::move(given)) {
  for (const DecodedFunction &function : program->functions)
    if (function.syntax->isEntry && !function.syntax->isDeclaration)
      kernels.push_back(std::make_unique<PtxKernel>(*this, function));
}

PtxModule::~PtxModule() {
  for (const auto &[name, allocation] : program->globals)
    memoryOwner.memory.release(allocation->base);
}

bool PtxModule::findVariable(const std::string &name, uint64_t &address,
                             uint64_t &bytes) const {
  auto found = program->globals.find(name);
  if (found == program->globals.end())
    return false;
  address = found->second->base;
  bytes = found->second->size;
  return true;
}

tw_emulator_status PtxDevice::load(std::string_view text,
                                   std::unique_ptr<tw_emulator_module> &made) {
  auto refuse = [&](const SyntaxError &error) {
    std::string place;
    if (error.line)
      place = "line " + std::to_string(error.line) +
              (error.column ? ", column " + std::to_string(error.column) : "") + ": ";
    return fail(TW_EMULATOR_ERROR_SYNTAX, place + error.message, error.line,
                error.column);
  };
  SyntaxError error;
  std::unique_ptr<Module> parsed = parse(std::string(text), error);
  if (!parsed)
    return refuse(error);
  std::string target = parsed->target;
  std::unique_ptr<Program> program = decode(std::move(parsed), device.memory, error);
  if (!program)
    return refuse(error);
  const bool fits = runsOn(*program, device);
  auto module = std::make_unique<PtxModule>(*this, std::move(program));
  if (!fits)
    return refuse({0, 0, "the text is for " + target + ", and the device is " + arch});
  made = std::move(module);
  return TW_EMULATOR_OK;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

PtxKernel::PtxKernel(PtxModule &module, const DecodedFunction &function)
    : tw_emulator_kernel(module), program(*module.program), function(function) {}

tw_emulator_kernel_info_v1 PtxKernel::info() const {
  const Function &syntax = *function.syntax;
  const size_t count = syntax.params.size();
  tw_emulator_kernel_info_v1 known = {};
  known.name = syntax.name.c_str();
  known.parameter_count = static_cast<uint32_t>(count);
  known.line = syntax.line;
  known.parameter_bytes =
      count ? function.paramOffsets[count - 1] + syntax.params.back().size : 0;
  known.shared_bytes = function.sharedBytes;
  known.local_bytes = function.localBytes;
  for (const RegisterInfo &info : syntax.registers)
    known.registers +=
        info.type == Type::Pred ? 0 : std::max(getBits(info.type), 32u) / 32;
  memcpy(known.max_threads, syntax.maxThreads, sizeof(known.max_threads));
  memcpy(known.required_threads, syntax.requiredThreads, sizeof(known.required_threads));
  memcpy(known.required_cluster, syntax.requiredCluster, sizeof(known.required_cluster));
  return known;
}

tw_emulator_parameter_v1 PtxKernel::parameter(uint32_t index) const {
  const auto &param = function.syntax->params[index];
  tw_emulator_parameter_v1 known = {};
  known.name = param.name.c_str();
  known.type = getName(param.type).data(); // a literal
  known.offset = function.paramOffsets[index];
  known.bytes = param.size;
  known.align = param.align;
  return known;
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

tw_emulator_status PtxKernel::launch(const tw_emulator_launch_v1 &launch) const {
  PtxDevice &device = static_cast<PtxDevice &>(module.device);
  LaunchOptions options;
  options.grid = toDim3(launch.grid);
  options.block = toDim3(launch.block);
  const uint32_t (&cluster)[3] = launch.cluster;
  const uint32_t (&required)[3] = function.syntax->requiredCluster;
  bool given = cluster[0] || cluster[1] || cluster[2];
  options.cluster = given ? toDim3(cluster, 1) : toDim3(required, 1);
  options.dynamicShared = launch.shared_bytes;
  options.cooperative = launch.flags & TW_EMULATOR_COOPERATIVE;
  const uint8_t *bytes = static_cast<const uint8_t *>(launch.parameters);
  if (bytes)
    options.params.assign(bytes, bytes + launch.parameter_bytes);
  options.order = device.order;
  readChecks(device.checks, options.checks);
  options.checks.proxyFences = !(device.checks & TW_EMULATOR_NO_PROXY_FENCES);
  options.checks.laneRaces = !(device.checks & TW_EMULATOR_NO_LANE_RACES);
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
  std::string error =
      tilewright::ptx::launch(device.device, program, function, options, &statistics);
  std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  if (!error.empty())
    return fail(TW_EMULATOR_ERROR_INVALID, error);
  options.tracer = nullptr;
  device.instructions += statistics.warpInstructions;
  device.last = {std::move(options), std::move(statistics), taken.count()};
  device.lastKernel = this;
  return takeFaults(device, device.device.faults);
}
