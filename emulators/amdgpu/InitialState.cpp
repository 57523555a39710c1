//===- InitialState.cpp - What a wave's registers hold when it starts ---------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// "Initial Kernel Execution State" of LLVM's User Guide for AMDGPU Backend.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/InitialState.h"

#include "llvm/Support/AMDHSAKernelDescriptor.h"

#include <cstring>

using namespace tilewright::amdgpu;
using namespace tilewright::emulator;
namespace hsa = llvm::amdhsa;

namespace {
/// Of an hsa_kernel_dispatch_packet_t.
struct DispatchPacket {
  uint16_t header, setup;
  uint16_t workgroupSize[3], reserved0;
  uint32_t gridSize[3];
  uint32_t privateBytes, groupBytes;
  uint64_t kernelObject, kernarg, reserved1, completionSignal;
};
static_assert(sizeof(DispatchPacket) == 64);

/// The value of a hidden argument; false where it is not known.
bool hiddenValue(const LaunchRun &launch, const std::string &kind, uint64_t &value) {
  const Dim3 &grid = launch.options.grid, &block = launch.options.block;
  struct Known {
    const char *kind;
    uint64_t value;
  };
  uint64_t dimensions = grid.z * block.z > 1 ? 3 : grid.y * block.y > 1 ? 2 : 1;
  const Known known[] = {
      {"hidden_block_count_x", grid.x},
      {"hidden_block_count_y", grid.y},
      {"hidden_block_count_z", grid.z},
      {"hidden_group_size_x", block.x},
      {"hidden_group_size_y", block.y},
      {"hidden_group_size_z", block.z},
      {"hidden_remainder_x", 0},
      {"hidden_remainder_y", 0},
      {"hidden_remainder_z", 0},
      {"hidden_global_offset_x", 0},
      {"hidden_global_offset_y", 0},
      {"hidden_global_offset_z", 0},
      {"hidden_grid_dims", dimensions},
      {"hidden_dynamic_lds_size", launch.options.dynamicShared},
      {"hidden_private_base", privateAperture >> 32},
      {"hidden_shared_base", sharedAperture >> 32},
      // Null: nothing serves them.
      {"hidden_none", 0},
      {"hidden_hostcall_buffer", 0},
      {"hidden_printf_buffer", 0},
      {"hidden_multigrid_sync_arg", 0},
      {"hidden_heap_v1", 0},
      {"hidden_default_queue", 0},
      {"hidden_completion_action", 0},
  };
  for (const Known &one : known)
    if (kind == one.kind) {
      value = one.value;
      return true;
    }
  return false;
}
} // namespace

std::string tilewright::amdgpu::prepareMemory(LaunchRun &launch) {
  const Kernel &kernel = launch.kernel;
  const auto &given = launch.options.arguments;
  uint32_t explicitBytes = 0;
  for (const Argument &argument : kernel.arguments)
    if (!argument.isHidden())
      explicitBytes = argument.offset + argument.size;
  if (given.size() != explicitBytes)
    return kernel.name + " takes " + std::to_string(explicitBytes) +
           " bytes of arguments, not " + std::to_string(given.size());

  GlobalMemory &memory = launch.device.memory;
  Allocation *arguments =
      memory.allocate(std::max<uint64_t>(kernel.kernargBytes, 16), "the arguments");
  Allocation *dispatch = memory.allocate(sizeof(DispatchPacket), "the dispatch packet");
  if (!arguments || !dispatch)
    return "the device has no memory left for the arguments";
  launch.kernarg = arguments->base;
  launch.dispatch = dispatch->base;

  Bytes &bytes = arguments->memory;
  std::copy(given.begin(), given.end(), bytes.data());
  memset(bytes.shadow(), Sound, given.size());
  for (const Argument &argument : kernel.arguments) {
    uint64_t value;
    if (argument.isHidden() && argument.size <= 8 &&
        hiddenValue(launch, argument.kind, value)) {
      memcpy(bytes.data() + argument.offset, &value, argument.size);
      memset(bytes.shadow() + argument.offset, Sound, argument.size);
    }
  }
  arguments->readOnlyBytes = arguments->size;

  DispatchPacket packet = {};
  packet.setup = 3;
  const Dim3 &grid = launch.options.grid, &block = launch.options.block;
  const uint32_t sizes[3] = {block.x, block.y, block.z};
  const uint32_t counts[3] = {grid.x, grid.y, grid.z};
  for (unsigned i = 0; i < 3; ++i) {
    packet.workgroupSize[i] = static_cast<uint16_t>(sizes[i]);
    packet.gridSize[i] = sizes[i] * counts[i];
  }
  packet.privateBytes = kernel.privateBytes;
  packet.groupBytes = launch.sharedBytes;
  packet.kernelObject = launch.program.getBase() + kernel.descriptor;
  packet.kernarg = launch.kernarg;
  memcpy(dispatch->memory.data(), &packet, sizeof(packet));
  memset(dispatch->memory.shadow(), Sound, sizeof(packet));
  dispatch->readOnlyBytes = dispatch->size;
  return "";
}

void tilewright::amdgpu::releaseMemory(LaunchRun &launch) {
  for (uint64_t address : {launch.kernarg, launch.dispatch})
    if (address)
      launch.device.memory.release(address);
}

void tilewright::amdgpu::initialise(Wave &wave) {
  const LaunchRun &launch = wave.group.launch;
  const Kernel &kernel = launch.kernel;
  const Target &target = launch.device.target;
  uint32_t properties = kernel.properties;
  uint16_t next = 0;
  auto put = [&](uint32_t bits) { wave.setRegister(next++, bits); };
  auto put64 = [&](uint64_t bits) {
    put(static_cast<uint32_t>(bits));
    put(static_cast<uint32_t>(bits >> 32));
  };

  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_BUFFER) {
    // A descriptor of the lane's private memory: swizzled, without bounds.
    put64(privateAperture | uint64_t(1) << 63);
    put64(uint64_t(0x00e80000) << 32 | 0xffffffff);
  }
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_PTR)
    put64(launch.dispatch);
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_QUEUE_PTR)
    put64(0);
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_KERNARG_SEGMENT_PTR)
    put64(launch.kernarg);
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_DISPATCH_ID)
    put64(0);
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_FLAT_SCRATCH_INIT)
    put64(0);
  if (properties & hsa::KERNEL_CODE_PROPERTY_ENABLE_SGPR_PRIVATE_SEGMENT_SIZE)
    put(kernel.privateBytes);
  for (unsigned i = 0; i < kernel.preloadLength; ++i) {
    uint32_t bits = 0;
    size_t at = 4 * (size_t(kernel.preloadOffset) + i);
    if (const Allocation *arguments = launch.device.memory.find(launch.kernarg))
      if (at + 4 <= arguments->size)
        memcpy(&bits, arguments->memory.data() + at, 4);
    put(bits);
  }
  // The descriptor may ask for more than it uses.
  uint16_t userCount = static_cast<uint16_t>(
      AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_GFX6_GFX120_USER_SGPR_COUNT));
  next = std::max(next, userCount);

  const Dim3 &id = wave.group.id;
  if (target.generation >= 12) {
    wave.setRegister(Ttmp0 + 9, id.x);
    wave.setRegister(Ttmp0 + 7, id.y | id.z << 16);
    wave.setRegister(Ttmp0 + 8, wave.index << 25);
  } else {
    if (AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_X))
      put(id.x);
    if (AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Y))
      put(id.y);
    if (AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_ID_Z))
      put(id.z);
    if (AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_SGPR_WORKGROUP_INFO))
      put(0);
    // Where a wave's part of private memory starts: each has its own here.
    if (target.gpu == Gpu::Gfx90a &&
        AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_PRIVATE_SEGMENT))
      put(0);
  }

  uint32_t wanted =
      AMDHSA_BITS_GET(kernel.rsrc2, hsa::COMPUTE_PGM_RSRC2_ENABLE_VGPR_WORKITEM_ID);
  const Dim3 &shape = launch.options.block;
  uint32_t *items = wave.vector(0);
  uint8_t *poison = wave.vectorPoison(0);
  for (unsigned lane = 0; lane < wave.lanes; ++lane) {
    uint64_t item = uint64_t(wave.index) * wave.lanes + lane;
    uint32_t x = static_cast<uint32_t>(item % shape.x);
    uint32_t y = static_cast<uint32_t>(item / shape.x % shape.y);
    uint32_t z = static_cast<uint32_t>(item / shape.x / shape.y);
    items[lane] = x | (wanted > 0 ? y << 10 : 0) | (wanted > 1 ? z << 20 : 0);
    poison[lane] = 0;
  }
  wave.notePoison(0);

  // Rounding in bits 0 to 3, denormals in 4 to 7, then DX10_CLAMP and IEEE.
  wave.mode = kernel.rsrc1 >> 12 & 0xff;
  wave.mode |= (kernel.rsrc1 >> 21 & 1) << 8 | (kernel.rsrc1 >> 23 & 1) << 9;
  wave.mode |= (kernel.rsrc1 >> 26 & 1) << 23; // FP16_OVFL
  // With preloaded arguments the wave starts after the code that loads them.
  wave.pc = kernel.entry + (kernel.preloadLength ? 256 : 0);
}
