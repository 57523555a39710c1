//===- Dpp.cpp - The first source from other lanes ----------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row is 16 lanes, a bank four of them. A lane whose source lane does not exist or is
// not active reads zero with bound_ctrl, and takes no part without it; fi reads inactive
// lanes nevertheless.
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Wrappers.h"

#include <algorithm>

using namespace tilewright::amdgpu;

namespace {
struct Dpp {
  Instruction inner;
  Source source; ///< of the whole registers
  uint8_t from[maxLanes] = {};
  uint64_t exists = 0;  ///< lanes that have a source lane
  uint64_t enabled = 0; ///< lanes that row_mask and bank_mask leave
  bool zeroes = false;  ///< bound_ctrl
  bool fetchesInactive = false;
};

Step executeDpp(Wave &wave, const Instruction &instruction) {
  const Dpp &dpp = *static_cast<const Dpp *>(instruction.extra);
  uint64_t usable = dpp.exists;
  const uint64_t all = wave.lanes == 64 ? ~uint64_t(0) : 0xffffffff;
  if (!dpp.fetchesInactive && (wave.active & all) != all)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      usable &= ~((~wave.active >> dpp.from[lane] & 1) << lane);
  for (unsigned i = 0; i < dpp.source.count; ++i) {
    Source one = dpp.source;
    one.reg = static_cast<uint16_t>(one.reg + i);
    one.count = 1;
    Lanes32 buffer, moved;
    LanePoison poisonBuffer, movedPoison;
    const uint32_t *values = wave.read(one, buffer);
    const uint8_t *poison = wave.readPoison(one, poisonBuffer);
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      moved[lane] = usable >> lane & 1 ? values[dpp.from[lane]] : 0;
    if (poison)
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        movedPoison[lane] = usable >> lane & 1 ? poison[dpp.from[lane]] : 0;
    writeTemporary(wave, static_cast<uint16_t>(Temporary0 + i), moved.v,
                   poison ? movedPoison.v : nullptr);
  }
  wave.active &= dpp.enabled & (dpp.zeroes ? ~uint64_t(0) : usable);
  return dpp.inner.execute(wave, dpp.inner);
}

constexpr std::string_view controls[] = {
    "quad_perm", "row_shl",   "row_shr",  "row_ror",      "row_mirror",
    "row_bcast", "wave_shl",  "wave_rol", "wave_shr",     "wave_ror",
    "row_share", "row_xmask", "dpp8",     "row_newbcast", "row_half_mirror",
};
bool isControl(std::string_view name) {
  return std::find(std::begin(controls), std::end(controls), name) != std::end(controls);
}

/// The lane that `lane` reads, or -1.
int findSource(std::string_view control, const std::vector<int64_t> &values, int lane,
               int lanes) {
  int row = lane & ~15, within = lane & 15;
  int n = values.empty() ? 0 : static_cast<int>(values[0]);
  auto inRow = [&](int at) { return at >= 0 && at < 16 ? row + at : -1; };
  if (control == "quad_perm")
    return (lane & ~3) + static_cast<int>(values[lane & 3]);
  if (control == "dpp8")
    return (lane & ~7) + static_cast<int>(values[lane & 7]);
  if (control == "row_shl")
    return inRow(within + n);
  if (control == "row_shr")
    return inRow(within - n);
  if (control == "row_ror")
    return row + ((within - n) & 15);
  if (control == "row_mirror")
    return row + 15 - within;
  if (control == "row_half_mirror")
    return (lane & ~7) + 7 - (lane & 7);
  if (control == "row_share" || control == "row_newbcast")
    return row + n;
  if (control == "row_xmask")
    return row + (within ^ n);
  if (control == "row_bcast") // the last lane of the row before, or of the half before
    return n == 15 ? row - 1 : lane >= 32 ? 31 : -1;
  int at = control == "wave_shl" || control == "wave_rol" ? lane + 1 : lane - 1;
  if (control == "wave_rol" || control == "wave_ror")
    return at & (lanes - 1);
  return at < lanes ? at : -1;
}

/// Whether the control's numbers are as its kind has them.
bool areValid(std::string_view control, const std::vector<int64_t> &values) {
  size_t count = control == "quad_perm"                                    ? 4
                 : control == "dpp8"                                       ? 8
                 : control == "row_mirror" || control == "row_half_mirror" ? 0
                                                                           : 1;
  int64_t limit = control == "quad_perm" ? 4 : control == "dpp8" ? 8 : 16;
  if (values.size() != count)
    return false;
  if (control == "row_bcast")
    return values[0] == 15 || values[0] == 31;
  if (control.substr(0, 5) == "wave_")
    return values[0] == 1;
  return std::all_of(values.begin(), values.end(),
                     [limit](int64_t value) { return value >= 0 && value < limit; });
}
} // namespace

bool tilewright::amdgpu::isDpp(const Assembly &assembly) {
  return assembly.isDpp ||
         std::any_of(assembly.modifiers.begin(), assembly.modifiers.end(),
                     [](const Modifier &modifier) { return isControl(modifier.name); });
}

std::string tilewright::amdgpu::decodeDpp(const Target &target, const Assembly &assembly,
                                          Instruction &instruction, OwnedObjects &owned) {
  auto dpp = std::make_shared<Dpp>();
  Assembly inner = assembly;
  inner.isDpp = false;
  inner.modifiers.clear();
  std::string_view control;
  std::vector<int64_t> values;
  int64_t rows = 0xf, banks = 0xf, bound = 0, inactive = 0;
  for (const Modifier &modifier : assembly.modifiers) {
    int64_t *number = modifier.name == "row_mask"     ? &rows
                      : modifier.name == "bank_mask"  ? &banks
                      : modifier.name == "bound_ctrl" ? &bound
                      : modifier.name == "fi"         ? &inactive
                                                      : nullptr;
    if (number) {
      if (!parseInteger(modifier.value, *number))
        return std::string(modifier.name) + " is no number";
    } else if (isControl(modifier.name) && control.empty()) {
      control = modifier.name;
      if (!modifier.value.empty() && !parseIntegers(modifier.value, values))
        return std::string(modifier.name) + " is no list of numbers";
    } else {
      inner.modifiers.push_back(modifier);
    }
  }
  if (control.empty() || !areValid(control, values))
    return "its lanes are not given as DPP has them";

  // The first source, which always is a vector register: it follows the destinations, of
  // which only the first can be one. RDNA's v_cmpx has none.
  bool hasDestination = target.isCdna() || assembly.mnemonic.substr(0, 7) != "v_cmpx_";
  size_t index = hasDestination ? 1 : 0;
  while (index < inner.operands.size() && inner.operands[index].kind != Operand::Vector)
    ++index;
  if (index >= inner.operands.size() || inner.operands[index].count > 2)
    return "its first source is no vector register";
  Operand &operand = inner.operands[index];
  dpp->source = registerOf(operand.reg);
  dpp->source.count = operand.count;
  operand.reg = Temporary0;

  const int lanes = static_cast<int>(target.waveSize);
  for (int lane = 0; lane < lanes; ++lane) {
    int from = findSource(control, values, lane, lanes);
    dpp->from[lane] = static_cast<uint8_t>(std::max(from, 0));
    dpp->exists |= uint64_t(from >= 0) << lane;
    bool enabled = rows >> (lane / 16) & banks >> (lane / 4 % 4) & 1;
    dpp->enabled |= uint64_t(enabled) << lane;
  }
  dpp->zeroes = bound != 0;
  dpp->fetchesInactive = inactive != 0;
  dpp->inner.offset = instruction.offset;
  dpp->inner.size = instruction.size;
  std::string reason = decodePlain(target, inner, dpp->inner, owned);
  if (!reason.empty())
    return reason;
  owned.push_back(dpp);
  instruction.execute = executeDpp;
  instruction.extra = dpp.get();
  return "";
}
