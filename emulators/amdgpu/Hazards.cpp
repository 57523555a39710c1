//===- Hazards.cpp - Dependences that the hardware does not wait for ----------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "emulators/amdgpu/Hazards.h"

#include <algorithm>
#include <cstdio>

using namespace tilewright::amdgpu;

/// How long instructions are looked back at: after gfx950's longest matrix instructions
/// 20 wait states are needed.
static constexpr unsigned longestAfterMatrix = 20, longestAfterOthers = 5;

static const RegisterRange *findOverlap(const std::vector<RegisterRange> &ranges,
                                        const RegisterRange &range) {
  for (const RegisterRange &one : ranges)
    if (one.overlaps(range))
      return &one;
  return nullptr;
}

void Hazards::require(const Issued &earlier, unsigned needed, const char *why,
                      RegisterRange range) {
  uint64_t present = statesSince(earlier);
  if (present >= needed || needed - present <= broken.needed - broken.present)
    return;
  broken = {&earlier, needed, present, why, range};
}

//===----------------------------------------------------------------------===//
// After matrix instructions
//===----------------------------------------------------------------------===//

/// gfx950's matrix core takes a wait state more than gfx942's for all but two passes.
static unsigned extraOf(const Target &target, const HazardTraits &earlier) {
  return target.gpu == Gpu::Gfx950 && earlier.isXdl && earlier.passes != 2;
}

/// By passes 2, 8, 16 of gfx90a.
static unsigned byPasses(unsigned passes, unsigned two, unsigned eight,
                         unsigned sixteen) {
  return passes <= 2 ? two : passes <= 8 ? eight : sixteen;
}

/// Until the result may be read as A or B, or by VALU.
static unsigned untilResult(const Target &target, const HazardTraits &earlier) {
  if (earlier.isDouble)
    return earlier.isDouble4 ? 6 : target.gpu == Gpu::Gfx950 ? 19 : 11;
  if (target.gpu == Gpu::Gfx90a)
    return byPasses(earlier.passes, 5, 11, 19);
  return earlier.passes + (earlier.isXdl ? 3 + extraOf(target, earlier) : 2);
}

/// Until the result may be overwritten. gfx950's slower f64 is no slower here.
static unsigned untilOverwritten(const Target &target, const HazardTraits &earlier) {
  if (earlier.isDouble && !earlier.isDouble4)
    return 11;
  return untilResult(target, earlier);
}

/// Until the result may be read as C.
static unsigned untilAddend(const Target &target, const HazardTraits &earlier,
                            const HazardTraits &traits) {
  bool isOld = target.gpu == Gpu::Gfx90a;
  const RegisterRange &result = earlier.writes[0];
  if (isOld && earlier.isDouble && !traits.isDouble)
    return 0;
  if (result.reg == traits.addend.reg && result.count == traits.addend.count) {
    // The same registers: forwarded.
    if (earlier.isDouble4 && traits.isDouble4)
      return 4;
    return !isOld && earlier.passes == 2 ? 2 : 0;
  }
  if (earlier.isDouble)
    return traits.isXdl ? 0 : earlier.isDouble4 ? 4 : target.gpu == Gpu::Gfx950 ? 17 : 9;
  if (isOld)
    return traits.isDouble ? byPasses(earlier.passes, 3, 9, 17)
                           : byPasses(earlier.passes, 2, 8, 16);
  if (traits.isXdl && !earlier.isXdl)
    return 0;
  if (!earlier.isXdl)
    return earlier.passes;
  return earlier.passes + 1 + (traits.isXdl ? extraOf(target, earlier) : 0);
}

void Hazards::checkMatrixAfterMatrix(const HazardTraits &traits, const Issued &earlier,
                                     bool &hasAddend) {
  if (earlier.traits->writes.empty())
    return;
  const RegisterRange &result = earlier.traits->writes[0];
  // What a later one wrote anew is no result of the earlier ones.
  if (!hasAddend && traits.addend.overlaps(result))
    require(earlier, untilAddend(target, *earlier.traits, traits),
            "reads, as its addend, the result of", traits.addend);
  if (const RegisterRange *range = findOverlap(traits.reads, result))
    require(earlier, untilResult(target, *earlier.traits), "reads the result of", *range);
  hasAddend |= result.contains(traits.addend);
}

void Hazards::checkAfterMatrix(const HazardTraits &traits, const Issued &earlier) {
  const HazardTraits &matrix = *earlier.traits;
  if (matrix.writes.empty())
    return;
  if (traits.isFma64 && matrix.isDouble)
    require(earlier, 2, "runs too soon after");
  const RegisterRange &result = matrix.writes[0];
  bool isMemory = traits.unit != HazardTraits::Valu;
  if (const RegisterRange *range = findOverlap(traits.reads, result)) {
    unsigned needed = untilResult(target, matrix);
    if (isMemory && matrix.isDouble)
      needed = matrix.isDouble4 ? 9 : 18;
    require(earlier, needed, "reads the result of", *range);
  }
  if (const RegisterRange *range = findOverlap(traits.writes, result))
    require(earlier, untilOverwritten(target, matrix), "overwrites the result of",
            *range);
  // C is read late.
  bool readsLate = !matrix.isDouble && matrix.isXdl;
  if (readsLate)
    if (const RegisterRange *range = findOverlap(traits.writes, matrix.addend))
      require(earlier, matrix.passes - 1, "overwrites the addend of", *range);
}

//===----------------------------------------------------------------------===//
// After others
//===----------------------------------------------------------------------===//

void Hazards::checkAfterVector(const HazardTraits &traits, const Issued &earlier) {
  const HazardTraits &vector = *earlier.traits;
  bool isNew = target.gpu != Gpu::Gfx90a;
  bool isVector = traits.unit == HazardTraits::Valu;
  bool isMatrix = traits.unit == HazardTraits::Matrix;
  bool isMemory = traits.unit == HazardTraits::Memory;
  if (vector.writesExec) {
    if (traits.isDpp)
      require(earlier, 5, "is DPP and runs under the EXEC of");
    if (isMatrix || (isVector && isNew && (traits.readsLane || traits.writesLane)))
      require(earlier, 4, "runs too soon after the EXEC of");
  }
  for (const RegisterRange &written : vector.writes) {
    const RegisterRange *range = findOverlap(traits.reads, written);
    if (isMatrix && written.isVector) {
      if (!range && traits.addend.overlaps(written))
        range = &traits.addend;
      if (range && vector.dot.empty())
        require(earlier, 2, "is a matrix instruction and reads the result of", *range);
      continue;
    }
    if (traits.laneSelect.overlaps(written))
      require(earlier, 4, "selects a lane by the result of", traits.laneSelect);
    if (!vector.dot.empty() && isVector && written.isVector) {
      const RegisterRange *again = findOverlap(traits.writes, written);
      if (traits.dot != vector.dot && (range || again))
        require(earlier, 3, "touches the result of a dot product,",
                range ? *range : *again);
    }
    if (!range)
      continue;
    if (!written.isVector) {
      if (isMemory)
        require(earlier, 5, "accesses memory by a scalar that was the result of", *range);
      if (traits.isDivFmas && range->reg == Vcc)
        require(earlier, 4, "reads VCC, the result of", *range);
      if (isVector && isNew)
        require(earlier, 2, "reads a scalar, the result of", *range);
      continue;
    }
    if (traits.isDpp)
      require(earlier, 2, "is DPP and reads the result of", *range);
    if (!isVector || !isNew)
      continue;
    if (traits.isPermlaneSwap)
      require(earlier, 2, "swaps lanes of the result of", *range);
    if (vector.isTrans && !traits.isTrans)
      require(earlier, 1, "reads the result, transcendental, of", *range);
    if (vector.writesPart)
      require(earlier, 1, "reads the result, part of a register, of", *range);
    if (traits.readsLane)
      require(earlier, 1, "reads a lane of the result of", *range);
  }
  // gfx90a: a product of f64 in between makes the hardware forget to wait.
  if (isMemory && !isNew && lastDouble > earlier.time)
    for (const RegisterRange &written : vector.writes)
      if (written.isVector)
        if (const RegisterRange *range = findOverlap(traits.reads, written))
          require(earlier, 2, "reads, with a product of f64 in between, the result of",
                  *range);
}

void Hazards::checkAfterOther(const HazardTraits &traits, const Issued &earlier) {
  const HazardTraits &other = *earlier.traits;
  if (traits.readsM0 && other.unit == HazardTraits::Salu &&
      findOverlap(other.writes, {false, M0, 1}))
    require(earlier, 1, "reads M0, the result of", {false, M0, 1});
  if (other.setsRegister >= 0 && (traits.getsRegister == other.setsRegister ||
                                  traits.setsRegister == other.setsRegister))
    require(earlier, 2, "accesses the hardware register that is set by");
  if (other.wideData.count && traits.unit == HazardTraits::Valu)
    if (const RegisterRange *range = findOverlap(traits.writes, other.wideData))
      require(earlier, target.gpu == Gpu::Gfx90a ? 1 : 2,
              "overwrites the data of a wide store,", *range);
}

/// gfx11 and gfx12: another vector instruction must stand between.
void Hazards::checkWmma(const HazardTraits &traits, const Issued &earlier) {
  if (earlier.traits->writes.empty())
    return;
  if (const RegisterRange *range = findOverlap(traits.reads, earlier.traits->writes[0]))
    if (earlier.time == vectorCount)
      broken = {&earlier, 1, 0, "reads, as A or B, the result of", *range};
}

/// gfx11: not before six other vector instructions, or two transcendental ones, were
/// issued, or a wait for vector instructions, which those that access memory are, too.
void Hazards::checkAfterTranscendentals(const HazardTraits &traits) {
  for (const Issued &earlier : transcendentals) {
    const uint64_t between = earlier.traits ? vectorCount - earlier.time : 6;
    if (between >= 6)
      continue;
    for (const RegisterRange &written : earlier.traits->writes)
      if (const RegisterRange *range = findOverlap(traits.reads, written))
        broken = {&earlier, 6, between,
                  "reads, without s_waitcnt_depctr va_vdst(0), the transcendental "
                  "result of",
                  *range};
  }
}

//===----------------------------------------------------------------------===//
// Issue
//===----------------------------------------------------------------------===//

static std::string nameOf(const RegisterRange &range) {
  bool isAccumulator = range.isVector && range.reg >= Agpr0;
  if (!range.isVector && range.reg == Vcc)
    return "vcc";
  if (!range.isVector && range.reg == M0)
    return "m0";
  unsigned first = isAccumulator ? range.reg - Agpr0 : range.reg;
  std::string name = !range.isVector ? "s" : isAccumulator ? "a" : "v";
  if (range.count == 1)
    return name + std::to_string(first);
  return name + "[" + std::to_string(first) + ":" +
         std::to_string(first + range.count - 1) + "]";
}

std::string Hazards::describe() const {
  char place[32];
  snprintf(place, sizeof(place), "0x%x", broken.earlier->offset);
  return std::string("it ") + broken.why + " the instruction at " + place +
         (broken.range.count ? " (" + nameOf(broken.range) + ")" : "") + ": " +
         std::to_string(broken.needed) + " wait states are needed in between, and " +
         std::to_string(broken.present) + " are there";
}

void Hazards::check(const HazardTraits &traits) {
  bool isMatrix = traits.unit == HazardTraits::Matrix;
  if (target.isRdna()) {
    if (isMatrix && matrixCount)
      checkWmma(traits, matrices[(matrixCount - 1) % kept]);
    if (target.gpu == Gpu::Gfx1100 && (isMatrix || traits.unit == HazardTraits::Valu))
      checkAfterTranscendentals(traits);
    return;
  }
  bool touchesVectors =
      traits.unit != HazardTraits::Other && traits.unit != HazardTraits::Salu;
  bool hasAddend = false;
  for (unsigned i = 1; touchesVectors && i <= std::min(matrixCount, kept); ++i) {
    const Issued &earlier = matrices[(matrixCount - i) % kept];
    if (statesSince(earlier) >= longestAfterMatrix)
      break;
    if (isMatrix)
      checkMatrixAfterMatrix(traits, earlier, hasAddend);
    else
      checkAfterMatrix(traits, earlier);
  }
  for (unsigned i = 1; i <= std::min(otherCount, kept); ++i) {
    const Issued &earlier = others[(otherCount - i) % kept];
    if (statesSince(earlier) >= longestAfterOthers)
      break;
    if (earlier.traits->unit == HazardTraits::Valu)
      checkAfterVector(traits, earlier);
    else
      checkAfterOther(traits, earlier);
  }
}

bool Hazards::issue(const HazardTraits &traits, uint32_t offset, uint32_t size) {
  if (offset != next)
    lineStart = now;
  next = offset + size;
  broken = {};
  bool isInLine = target.isCdna() && now - lineStart > longestAfterMatrix;
  std::atomic<bool> &isFine = traits.isFineInLine.value;
  if (!isInLine || !isFine.load(std::memory_order_relaxed)) {
    check(traits);
    if (!broken.earlier && isInLine)
      isFine.store(true, std::memory_order_relaxed);
  }
  bool isMatrix = traits.unit == HazardTraits::Matrix;
  if (isMatrix || traits.unit == HazardTraits::Valu)
    ++vectorCount;
  Issued issued = {&traits, target.isRdna() ? vectorCount : now, offset};
  if (isMatrix)
    matrices[matrixCount++ % kept] = issued;
  else if (traits.unit != HazardTraits::Lds && target.isCdna())
    others[otherCount++ % kept] = issued;
  if (traits.isDouble)
    lastDouble = now;
  if (traits.isTrans) {
    transcendentals[1] = transcendentals[0];
    // Halves of registers are not told apart, so that no results of f16 are kept.
    transcendentals[0] = traits.isHalf ? Issued() : issued;
  } else if (traits.awaitsVectors) {
    transcendentals[0] = transcendentals[1] = {};
  }
  now += traits.waitStates;
  return !broken.earlier;
}
