//===- Sdwa.cpp - Parts of sources and of the result --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Wrappers.h"

using namespace tilewright::amdgpu;

namespace {
/// A byte, a word or all of a register.
struct Part {
  unsigned shift = 0, bits = 32;
  bool isWhole() const { return bits == 32; }
};

enum class Unused : uint8_t { Pad, SignExtend, Preserve };

struct Sdwa {
  Instruction inner;
  struct From {
    Source source; ///< absent where the operation reads the operand as it is
    Part part;
    bool signExtends = false;
  } from[2];
  Source destination; ///< absent where the operation writes it as it is
  Part to;
  Unused unused = Unused::Preserve;
};

void selectPart(Wave &wave, const Sdwa::From &from, uint16_t to) {
  Lanes32 buffer, selected;
  LanePoison poisonBuffer, selectedPoison;
  const uint32_t *values = wave.read(from.source, buffer);
  const uint8_t *poison = wave.readPoison(from.source, poisonBuffer);
  const unsigned up = 32 - from.part.bits - from.part.shift, down = 32 - from.part.bits;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint32_t high = values[lane] << up;
    selected[lane] = from.signExtends
                         ? static_cast<uint32_t>(static_cast<int32_t>(high) >> down)
                         : high >> down;
  }
  if (poison) {
    const unsigned bytes = from.part.bits / 8, mask = (1u << bytes) - 1;
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      unsigned bits = poison[lane] >> (from.part.shift / 8) & mask;
      if (from.signExtends && bits >> (bytes - 1))
        bits |= 0xf & ~mask;
      selectedPoison[lane] = static_cast<uint8_t>(bits);
    }
  }
  writeTemporary(wave, to, selected.v, poison ? selectedPoison.v : nullptr);
}

void mergeResult(Wave &wave, const Sdwa &sdwa) {
  const Source result = registerOf(Temporary0 + 2);
  Lanes32 buffer, merged;
  LanePoison poisonBuffer, oldBuffer, mergedPoison;
  const uint32_t *values = wave.read(result, buffer);
  const uint8_t *poison = wave.readPoison(result, poisonBuffer);
  const bool preserves = sdwa.unused == Unused::Preserve;
  const uint32_t *old = wave.vector(sdwa.destination.reg);
  const uint8_t *oldPoison =
      preserves ? wave.readPoison(sdwa.destination, oldBuffer) : nullptr;
  const uint32_t mask = ((uint32_t(1) << sdwa.to.bits) - 1) << sdwa.to.shift;
  const unsigned up = 32 - sdwa.to.bits, down = up - sdwa.to.shift;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    uint32_t part = values[lane] << sdwa.to.shift & mask;
    int32_t extended = static_cast<int32_t>(values[lane] << up) >> down;
    merged[lane] = preserves                           ? part | (old[lane] & ~mask)
                   : sdwa.unused == Unused::SignExtend ? static_cast<uint32_t>(extended)
                                                       : part;
  }
  if (poison || oldPoison) {
    const unsigned bytes = sdwa.to.bits / 8, shift = sdwa.to.shift / 8;
    const unsigned part = ((1u << bytes) - 1) << shift;
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      unsigned bits = (poison ? poison[lane] : 0u) << shift & part;
      if (oldPoison)
        bits |= oldPoison[lane] & ~part;
      if (sdwa.unused == Unused::SignExtend && bits >> (shift + bytes - 1))
        bits |= 0xf & ~(part | (part - 1));
      mergedPoison[lane] = static_cast<uint8_t>(bits);
    }
  }
  wave.write(sdwa.destination, merged.v, poison || oldPoison ? mergedPoison.v : nullptr);
}

Step executeSdwa(Wave &wave, const Instruction &instruction) {
  const Sdwa &sdwa = *static_cast<const Sdwa *>(instruction.extra);
  for (unsigned i = 0; i < 2; ++i)
    if (sdwa.from[i].source)
      selectPart(wave, sdwa.from[i], static_cast<uint16_t>(Temporary0 + i));
  Step step = sdwa.inner.execute(wave, sdwa.inner);
  if (sdwa.destination)
    mergeResult(wave, sdwa);
  return step;
}

bool parsePart(std::string_view text, Part &part) {
  constexpr struct {
    std::string_view name;
    unsigned shift, bits;
  } names[] = {{"BYTE_0", 0, 8},  {"BYTE_1", 8, 8},  {"BYTE_2", 16, 8},
               {"BYTE_3", 24, 8}, {"WORD_0", 0, 16}, {"WORD_1", 16, 16},
               {"DWORD", 0, 32}};
  for (const auto &one : names)
    if (one.name == text) {
      part.shift = one.shift;
      part.bits = one.bits;
      return true;
    }
  return false;
}

bool parseUnused(std::string_view text, Unused &unused) {
  if (text == "UNUSED_PAD")
    unused = Unused::Pad;
  else if (text == "UNUSED_SEXT")
    unused = Unused::SignExtend;
  else if (text == "UNUSED_PRESERVE")
    unused = Unused::Preserve;
  else
    return false;
  return true;
}
} // namespace

std::string tilewright::amdgpu::decodeSdwa(const Target &target, const Assembly &assembly,
                                           Instruction &instruction,
                                           OwnedObjects &owned) {
  auto sdwa = std::make_shared<Sdwa>();
  Assembly inner = assembly;
  inner.isSdwa = false;
  inner.modifiers.clear();
  for (const Modifier &modifier : assembly.modifiers) {
    Part *part = modifier.name == "src0_sel"   ? &sdwa->from[0].part
                 : modifier.name == "src1_sel" ? &sdwa->from[1].part
                 : modifier.name == "dst_sel"  ? &sdwa->to
                                               : nullptr;
    bool good = part ? parsePart(modifier.value, *part)
                : modifier.name == "dst_unused"
                    ? parseUnused(modifier.value, sdwa->unused)
                    : true;
    if (!good)
      return std::string(modifier.name) + " has a value that SDWA has not";
    if (!part && modifier.name != "dst_unused")
      inner.modifiers.push_back(modifier);
  }

  // Additions with carry write a mask of lanes before their sources.
  size_t first = assembly.mnemonic.find("_co_") != std::string_view::npos ? 2 : 1;
  for (size_t i = 0; i < 2 && first + i < inner.operands.size(); ++i) {
    Operand &operand = inner.operands[first + i];
    Sdwa::From &from = sdwa->from[i];
    from.signExtends = operand.signExtend;
    operand.signExtend = false;
    if (from.part.isWhole())
      continue;
    if (!operand.isRegister() || operand.count != 1)
      return "operand " + std::string(operand.text) + " is not modelled with SDWA";
    from.source = registerOf(operand.reg);
    from.source.kind = operand.kind;
    operand.kind = Operand::Vector;
    operand.reg = static_cast<uint16_t>(Temporary0 + i);
  }
  sdwa->inner.offset = instruction.offset;
  sdwa->inner.size = instruction.size;
  std::string reason = decodePlain(target, inner, sdwa->inner, owned);
  if (!reason.empty())
    return reason;
  Source &destination = sdwa->inner.destination[0];
  if (!sdwa->to.isWhole()) {
    if (destination.kind != Operand::Vector || destination.count != 1)
      return "dst_sel of what is no vector register";
    sdwa->destination = destination;
    destination.reg = Temporary0 + 2;
  }
  owned.push_back(sdwa);
  instruction.execute = executeSdwa;
  instruction.extra = sdwa.get();
  return "";
}
