//===- Hazards.h - Dependences that the hardware does not wait for ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// CDNA hardware runs some dependent instructions too early unless the program keeps them
// apart: chapter 4.5 of AMD's ISA documents, "Manually Inserted Wait States", and what
// LLVM inserts s_nop for. An instruction that is issued is a wait state, `s_nop N` is
// N + 1 of them.
//
// gfx11 and gfx12 wait for all but a few, which their compilers avoid by other means;
// of these two are modelled: a WMMA that follows one whose result is its A or B, and on
// gfx11 a vector instruction that reads the result of a transcendental one.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_HAZARDS_H
#define TILEWRIGHT_EMULATORS_AMDGPU_HAZARDS_H

#include "emulators/amdgpu/Assembly.h"
#include "emulators/amdgpu/Target.h"

#include <atomic>
#include <string>
#include <vector>

namespace tilewright::amdgpu {

struct RegisterRange {
  bool isVector = false;
  uint16_t reg = 0;
  uint8_t count = 0; ///< 0: none

  bool overlaps(const RegisterRange &other) const {
    return count && isVector == other.isVector && reg < other.reg + other.count &&
           other.reg < reg + count;
  }
  bool contains(const RegisterRange &other) const {
    return isVector == other.isVector && reg <= other.reg &&
           other.reg + other.count <= reg + count;
  }
};

/// What matters of an instruction, found once.
struct HazardTraits {
  enum Unit : uint8_t { Other, Salu, Valu, Matrix, Memory, Lds } unit = Other;
  unsigned waitStates = 1;
  std::vector<RegisterRange> reads, writes; ///< of Matrix, `reads` is A and B
  // Matrix.
  RegisterRange addend;   ///< C
  unsigned passes = 0;    ///< of four cycles
  bool isXdl = false;     ///< not of f32 or f64 factors on gfx942 and later
  bool isDouble = false;  ///< of f64
  bool isDouble4 = false; ///< of f64, 4 x 4
  // Valu.
  bool isDpp = false, isTrans = false, isHalf = false, isFma64 = false, isDivFmas = false;
  bool isPermlaneSwap = false;
  bool readsLane = false;   ///< v_readlane, v_readfirstlane
  bool writesLane = false;  ///< v_writelane
  bool writesPart = false;  ///< of a register: SDWA, op_sel
  bool writesExec = false;  ///< v_cmpx
  std::string_view dot;     ///< the mnemonic of a dot product
  RegisterRange laneSelect; ///< of v_readlane, v_writelane: a scalar
  // Scalar registers by their side effects.
  bool readsM0 = false;                     ///< LDS-DMA, s_sendmsg
  bool awaitsVectors = false;               ///< s_waitcnt_depctr va_vdst(0)
  int setsRegister = -1, getsRegister = -1; ///< s_setreg, s_getreg: which
  RegisterRange wideData;                   ///< of a store of more than 64 bits

  /// Set once the instruction was found to keep all rules after those that stand before
  /// it in the program, which then need no check again.
  struct Flag {
    Flag() = default;
    Flag(const Flag &) {}
    std::atomic<bool> value{false};
  };
  mutable Flag isFineInLine;
};

HazardTraits findHazardTraits(const Target &target, std::string_view text);

/// Of one wave: the instructions that later ones may have to keep away from.
class Hazards {
public:
  explicit Hazards(const Target &target) : target(target) {}

  /// `traits`, whose instruction of `size` bytes stands at `offset`, is issued now; false
  /// where it breaks a rule, which `describe` tells.
  bool issue(const HazardTraits &traits, uint32_t offset, uint32_t size);
  std::string describe() const;

private:
  struct Issued {
    const HazardTraits *traits = nullptr;
    uint64_t time = 0;
    uint32_t offset = 0;
  };
  /// What an instruction broke: with whom, how many wait states it needs, and why.
  struct Broken {
    const Issued *earlier = nullptr;
    uint64_t needed = 0, present = 0;
    const char *why = "";
    RegisterRange range;
  };
  static constexpr unsigned kept = 32;

  void check(const HazardTraits &traits);
  uint64_t statesSince(const Issued &earlier) const { return now - earlier.time - 1; }
  void require(const Issued &earlier, unsigned needed, const char *why,
               RegisterRange range = {});
  void checkAfterMatrix(const HazardTraits &traits, const Issued &earlier);
  void checkMatrixAfterMatrix(const HazardTraits &traits, const Issued &earlier,
                              bool &hasAddend);
  void checkAfterVector(const HazardTraits &traits, const Issued &earlier);
  void checkAfterOther(const HazardTraits &traits, const Issued &earlier);
  void checkWmma(const HazardTraits &traits, const Issued &earlier);
  void checkAfterTranscendentals(const HazardTraits &traits);

  const Target &target;
  uint64_t now = 1; ///< the wait state at hand
  Issued matrices[kept], others[kept];
  unsigned matrixCount = 0, otherCount = 0;
  uint64_t lastDouble = 0;   ///< gfx90a: when a product of f64 was issued
  uint64_t vectorCount = 0;  ///< vector instructions so far; RDNA's time
  Issued transcendentals[2]; ///< gfx11: the last two, the later one first
  uint64_t lineStart = 0;    ///< when the last jump was
  uint32_t next = ~0u;       ///< where the program goes on without one
  Broken broken;
};

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_HAZARDS_H
