//===- HazardTraits.cpp - What hazards know of an instruction -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Hazards.h"

using namespace tilewright::amdgpu;

static bool startsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}
static bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

static RegisterRange rangeOf(const Operand &operand) {
  if (!operand.isRegister() || (operand.kind == Operand::Scalar && operand.reg == Null))
    return {};
  return {operand.kind == Operand::Vector, operand.reg, operand.count};
}

static void add(std::vector<RegisterRange> &ranges, const Operand &operand) {
  RegisterRange range = rangeOf(operand);
  if (range.count)
    ranges.push_back(range);
}

static const Modifier *find(const Assembly &assembly, std::string_view name) {
  for (const Modifier &modifier : assembly.modifiers)
    if (modifier.name == name)
      return &modifier;
  return nullptr;
}

//===----------------------------------------------------------------------===//
// Matrix instructions
//===----------------------------------------------------------------------===//

/// How long the matrix core is at it, in passes of four cycles.
static unsigned countPasses(const Target &target, std::string_view name,
                            const Assembly &assembly) {
  unsigned m = contains(name, "_4x4x") ? 4 : contains(name, "_16x16x") ? 16 : 32;
  if (contains(name, "_f64_"))
    return m == 4 ? 4 : target.gpu == Gpu::Gfx950 ? 16 : 8;
  if (m == 4)
    return 2;
  unsigned slow = m == 16 ? 8 : 16;
  if (target.gpu == Gpu::Gfx90a)
    return slow;
  if (contains(name, "f8f6f4")) {
    // Twice as fast where neither A nor B has eight bits.
    auto isSmall = [&](std::string_view modifier) {
      const Modifier *found = find(assembly, modifier);
      int64_t format = 0;
      return found && parseInteger(found->value, format) && format > 1;
    };
    return isSmall("cbsz") && isSmall("blgp") ? slow / 2 : slow;
  }
  bool hasBlocks = contains(name, "b_");
  bool isFloat = name.substr(name.size() - 4) == "_f32";
  return hasBlocks || isFloat ? slow : slow / 2;
}

static void describeMatrix(const Target &target, const Assembly &assembly,
                           HazardTraits &traits) {
  std::string_view name = assembly.mnemonic;
  const auto &operands = assembly.operands;
  traits.unit = HazardTraits::Matrix;
  if (operands.size() < 4)
    return;
  add(traits.writes, operands[0]);
  add(traits.reads, operands[1]);
  add(traits.reads, operands[2]);
  bool isSparse = startsWith(name, "v_smfmac");
  traits.addend = rangeOf(operands[isSparse ? 0 : 3]);
  for (size_t i = isSparse ? 3 : 4; i < operands.size(); ++i)
    add(traits.reads, operands[i]);
  if (!target.isCdna())
    return;
  traits.passes = countPasses(target, name, assembly);
  traits.isDouble = contains(name, "_f64_");
  traits.isDouble4 = traits.isDouble && contains(name, "_4x4x");
  bool isFloat = name.substr(name.size() - 4) == "_f32"; // not xf32
  traits.isXdl = !traits.isDouble && (target.gpu == Gpu::Gfx90a || !isFloat);
}

//===----------------------------------------------------------------------===//
// Vector and scalar instructions
//===----------------------------------------------------------------------===//

/// Whether a second operand is written: a carry out, a flag of each lane.
static bool hasSecondResult(std::string_view name) {
  return contains(name, "_co_") || startsWith(name, "v_div_scale") ||
         name == "v_mad_u64_u32" || name == "v_mad_i64_i32" ||
         startsWith(name, "v_swap") || contains(name, "lane16_swap") ||
         contains(name, "lane32_swap");
}

/// Whether the first operand is read as well.
static bool readsResult(std::string_view name) {
  return startsWith(name, "v_mac_") || startsWith(name, "v_fmac_") ||
         startsWith(name, "v_dual_fmac") || startsWith(name, "v_pk_fmac") ||
         startsWith(name, "v_dot2c") || startsWith(name, "v_dot4c") ||
         startsWith(name, "v_dot8c") || startsWith(name, "v_writelane") ||
         startsWith(name, "v_swap") || contains(name, "lane16_swap") ||
         contains(name, "lane32_swap");
}

static bool isTranscendental(std::string_view name) {
  for (std::string_view prefix :
       {"v_exp_", "v_log_", "v_rcp_", "v_rsq_", "v_sqrt_", "v_sin_", "v_cos_"})
    if (startsWith(name, prefix))
      return true;
  return false;
}

/// Whether only a part of a register is written: SDWA's dst_sel, op_sel's last bit.
static bool writesPart(const Assembly &assembly) {
  if (assembly.isSdwa) {
    const Modifier *select = find(assembly, "dst_sel");
    return select && select->value != "DWORD";
  }
  std::vector<int64_t> bits;
  const Modifier *select = find(assembly, "op_sel");
  return select && parseIntegers(select->value, bits) &&
         bits.size() == assembly.operands.size() && bits.back();
}

static void describeVector(const Assembly &assembly, HazardTraits &traits) {
  std::string_view name = assembly.mnemonic;
  const auto &operands = assembly.operands;
  traits.unit = HazardTraits::Valu;
  traits.writesExec = startsWith(name, "v_cmpx");
  size_t results = operands.empty() ? 0 : hasSecondResult(name) ? 2 : 1;
  for (size_t i = 0; i < operands.size(); ++i)
    add(i < results ? traits.writes : traits.reads, operands[i]);
  if (results && readsResult(name))
    for (size_t i = 0; i < results; ++i)
      add(traits.reads, operands[i]);
  traits.isDpp = assembly.isDpp;
  traits.isTrans = isTranscendental(name);
  traits.isHalf = contains(name, "_f16");
  traits.isFma64 = name == "v_fma_f64" || name == "v_fmac_f64";
  traits.isDivFmas = startsWith(name, "v_div_fmas");
  if (traits.isDivFmas)
    traits.reads.push_back({false, Vcc, 2});
  traits.isPermlaneSwap = contains(name, "lane16_swap") || contains(name, "lane32_swap");
  bool hasLane = startsWith(name, "v_readlane") || startsWith(name, "v_writelane");
  traits.readsLane =
      startsWith(name, "v_readlane") || startsWith(name, "v_readfirstlane");
  traits.writesLane = startsWith(name, "v_writelane");
  if (hasLane && operands.size() > 2 && operands[2].kind == Operand::Scalar)
    traits.laneSelect = rangeOf(operands[2]);
  if (startsWith(name, "v_dot"))
    traits.dot = name;
  traits.writesPart = writesPart(assembly);
}

/// "hwreg(HW_REG_MODE, 2, 2)", or a number: which register; the rest is its bits.
static int hardwareRegister(const Assembly &assembly) {
  for (const Operand &operand : assembly.operands)
    if (startsWith(operand.text, "hwreg(")) {
      std::string_view name = operand.text.substr(6);
      name = name.substr(0, name.find_first_of(",)"));
      uint32_t hash = 17;
      for (char c : name)
        hash = hash * 31 + static_cast<unsigned char>(c);
      return static_cast<int>(hash & 0x7fffffff);
    }
  return -1;
}

/// "depctr_va_vdst(0)" among others, or all of it as a number, whose uppermost four bits
/// are that counter's.
static bool awaitsVectors(const Assembly &assembly) {
  if (contains(assembly.text, "va_vdst(0)"))
    return true;
  return !assembly.operands.empty() && assembly.operands[0].kind == Operand::Integer &&
         (assembly.operands[0].bits & 0xf000) == 0;
}

static void describeScalar(const Assembly &assembly, HazardTraits &traits) {
  std::string_view name = assembly.mnemonic;
  traits.unit = HazardTraits::Salu;
  int64_t count = 0;
  if (name == "s_nop" && !assembly.operands.empty() &&
      assembly.operands[0].kind == Operand::Integer)
    count = assembly.operands[0].bits;
  traits.waitStates = static_cast<unsigned>(count) + 1;
  if (startsWith(name, "s_setreg"))
    traits.setsRegister = hardwareRegister(assembly);
  else if (startsWith(name, "s_getreg"))
    traits.getsRegister = hardwareRegister(assembly);
  traits.readsM0 = startsWith(name, "s_sendmsg");
  traits.awaitsVectors = name == "s_waitcnt_depctr" && awaitsVectors(assembly);
  bool hasResult = !startsWith(name, "s_cmp") && !startsWith(name, "s_bitcmp") &&
                   !startsWith(name, "s_setreg") && !startsWith(name, "s_cbranch");
  if (hasResult && !assembly.operands.empty())
    add(traits.writes, assembly.operands[0]);
}

//===----------------------------------------------------------------------===//
// Memory instructions
//===----------------------------------------------------------------------===//

static void describeMemory(const Assembly &assembly, HazardTraits &traits) {
  std::string_view name = assembly.mnemonic;
  const auto &operands = assembly.operands;
  bool isLds = startsWith(name, "ds_");
  traits.unit = isLds ? HazardTraits::Lds : HazardTraits::Memory;
  traits.awaitsVectors = true;
  traits.readsM0 =
      find(assembly, "lds") || contains(name, "_load_lds_") || startsWith(name, "ds_gws");
  bool returns = find(assembly, "sc0") || find(assembly, "glc");
  bool hasResult = isLds ? contains(name, "_read") || contains(name, "_rtn_") ||
                               contains(name, "permute") || contains(name, "swizzle") ||
                               contains(name, "append") || contains(name, "consume")
                         : (contains(name, "_load_") && !traits.readsM0) ||
                               (contains(name, "_atomic_") && returns);
  for (size_t i = 0; i < operands.size(); ++i)
    add(i == 0 && hasResult ? traits.writes : traits.reads, operands[i]);
  // Of buffers only those whose offset is no register; of others the data comes second.
  bool isBuffer = startsWith(name, "buffer_");
  size_t data = isBuffer ? 0 : 1;
  bool hasOffset = isBuffer && operands.size() > 3 && operands[3].isRegister();
  if (!isLds && contains(name, "_store_") && data < operands.size() && !hasOffset &&
      operands[data].count > 2)
    traits.wideData = rangeOf(operands[data]);
}

HazardTraits tilewright::amdgpu::findHazardTraits(const Target &target,
                                                  std::string_view text) {
  HazardTraits traits;
  Assembly assembly;
  std::string_view first, second;
  if (splitDual(text, first, second)) {
    for (std::string_view half : {first, second})
      if (parseAssembly(half, assembly))
        describeVector(assembly, traits);
    return traits;
  }
  if (!parseAssembly(text, assembly))
    return traits;
  std::string_view name = assembly.mnemonic;
  if (startsWith(name, "v_mfma") || startsWith(name, "v_smfmac") ||
      startsWith(name, "v_wmma") || startsWith(name, "v_swmmac"))
    describeMatrix(target, assembly, traits);
  else if (startsWith(name, "v_"))
    describeVector(assembly, traits);
  else if (startsWith(name, "s_load") || startsWith(name, "s_buffer") ||
           startsWith(name, "s_store") || startsWith(name, "s_mem"))
    traits.unit = HazardTraits::Other;
  else if (startsWith(name, "s_"))
    describeScalar(assembly, traits);
  else if (startsWith(name, "ds_") || startsWith(name, "buffer_") ||
           startsWith(name, "tbuffer_") || startsWith(name, "global_") ||
           startsWith(name, "flat_") || startsWith(name, "scratch_"))
    describeMemory(assembly, traits);
  return traits;
}
