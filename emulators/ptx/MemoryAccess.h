//===- MemoryAccess.h - Where the lanes of an access go -----------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What ld, st, atom and red have in common. Nearly always all addresses of a warp lie in
// one allocation or one block's shared memory, so the range from the lowest to the
// highest is looked up once:
//
//   Unit       lane i at first + i * size, all lanes active: one copy
//   Uniform    all at one address: one value for all
//   Dense      they tile the range in any order: one note for the race check
//   Scattered  anything else
//
// Only where that fails does each lane ask `Warp::find`, which says what is wrong.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MEMORYACCESS_H
#define TILEWRIGHT_EMULATORS_PTX_MEMORYACCESS_H

#include "emulators/ptx/Block.h"
#include "emulators/ptx/Decode.h"

#include <cstring>

namespace tilewright::ptx {

/// Bits of a shadow byte that say that its byte is someone else's for now.
constexpr uint8_t busyShadow = 0xff & ~(emulator::NeverWritten | emulator::Undefined);

/// Flags of instructions that access memory; families have those from 1 << 16 on.
enum AccessFlags : uint32_t {
  narrowAddress = 1 << 0,  ///< the base register has 32 bits
  inFrameLocals = 1 << 1,  ///< `immediate` counts from the frame's local variables
  inKernelParams = 1 << 2, ///< `immediate` is a place in the kernel's parameters
  inFrameParams = 1 << 3,  ///< `immediate` is a place in the frame's parameters
  strongAccess = 1 << 4,   ///< volatile, relaxed or more
  acquiring = 1 << 5,
  releasing = 1 << 6,
  narrowScope = 1 << 7, ///< .cta or .cluster: it is not strong to other clusters
  nonCoherent = 1 << 8, ///< ld.nc: of data that the launch does not change
};

/// Lays down the address of an access: operand 0 is its base register, or none where the
/// address is known now, `immediate` its offset.
void decodeAddress(Decoder &decoder, const Operand &operand);
/// Adds the registers of data of `result.type` to the list, those of .b128 as two.
void addData(Decoder &decoder, const Operand &operand, bool isSource);
/// Takes what an instruction says of order and scope, and sets the flags; `Relaxed` or
/// nothing is the default.
void decodeOrder(Decoder &decoder, bool isAtomic);
/// Takes cache hints; false, after a failure, unless there are `operands` operands and,
/// if the instruction has one, a cache policy.
bool decodeCachePolicy(Decoder &decoder, size_t operands);

/// The addresses of the active lanes; those of other lanes are the first active one's.
struct Addresses {
  enum Pattern : uint8_t { Uniform, Unit, Dense, Scattered };

  alignas(32) uint64_t of[lanesPerWarp];
  uint64_t lowest, highest;
  uint64_t bits; ///< of all, or-ed

  /// False where an undefined address was reported.
  bool compute(Warp &warp, const Instruction &instruction);
  /// How accesses of `size` bytes, a power of two that divides all addresses, lie.
  Pattern getPattern(uint32_t active, uint32_t size) const;
};

/// Host memory of a range of emulated addresses.
struct Span {
  uint8_t *data = nullptr, *shadow = nullptr; ///< of address `start`
  uint64_t start = 0;
  Space space = Space::Generic;               ///< Shared or Global
  Block *owner = nullptr;                     ///< of shared memory
  emulator::Allocation *allocation = nullptr; ///< of global memory
  uint64_t offset = 0;                        ///< in either
  explicit operator bool() const { return data != nullptr; }
};

/// The memory of `bytes` bytes from `lowest` on if they may be accessed and lie together
/// in shared or global memory; else nothing, and nothing is reported.
Span findSpan(Warp &warp, Space space, uint64_t lowest, uint64_t bytes, bool isRead);
/// The memory and pattern of all lanes' accesses of `size` bytes; no memory where each
/// lane must ask for its own.
struct WarpAccess {
  Span span;
  Addresses::Pattern pattern = Addresses::Scattered;
};
WarpAccess findAll(Warp &warp, const Instruction &instruction, const Addresses &addresses,
                   uint32_t size, bool isRead);
/// Tells the race checks of them, where there is memory: `Warp::find` tells of others.
void noteAll(Warp &warp, const Instruction &instruction, const WarpAccess &all,
             const Addresses &addresses, uint32_t size, Access access);
/// The place at `address`, which lies in `span`.
Place getPlace(const Span &span, uint64_t address);

/// Finds an access of a lane: in the frame's parameters where the instruction says so,
/// else as `Warp::find`.
Place findLane(Warp &warp, const Instruction &instruction, uint64_t address,
               uint32_t size, unsigned lane, Access access);

/// Calls `use` with each of `lanes`, its address and the place that is there, until it is
/// false or there is none, which was reported; whether it came to the end.
template <typename Use>
bool forPlaces(Warp &warp, const Instruction &instruction, const WarpAccess &all,
               const Addresses &addresses, uint32_t size, Access access, uint32_t lanes,
               Use use) {
  for (; lanes; lanes &= lanes - 1) {
    const unsigned lane = __builtin_ctz(lanes);
    const uint64_t address = addresses.of[lane];
    Place place = all.span ? getPlace(all.span, address)
                           : findLane(warp, instruction, address, size, lane, access);
    if (!place || !use(lane, address, place))
      return false;
  }
  return true;
}

/// Counts an access of the active lanes, with bank conflicts and sectors if the launch
/// asks for them; `isAtomic` where lanes at one shared word take turns.
void countAccess(Warp &warp, const Instruction &instruction, Space space, bool isRead,
                 const Addresses &addresses, uint32_t size, bool isAtomic = false);

/// Reports that the access at hand touches bytes that an asynchronous operation uses or
/// that are a barrier's, as `shadow`, those bytes' shadow or-ed, tells.
void reportBusy(Warp &warp, uint8_t shadow, bool isRead, unsigned lane);

/// Busy bytes that an instruction came upon, and the first lane that did.
struct Busy {
  uint8_t shadow = 0;
  unsigned lane = 0;
  void add(uint8_t other, unsigned otherLane) {
    if ((other & busyShadow) && !shadow) {
      shadow = other & busyShadow;
      lane = otherLane;
    }
  }
};

/// Flag of loads: values are sign-extended to the width of `Instruction::source`.
constexpr uint32_t signExtends = 1 << 16;
/// The handler of a load of elements of `bytes` bytes, 8 for .b128.
Handler chooseLoad(const Instruction &instruction, unsigned bytes);

/// Whether any of 32 poison bytes is set.
inline bool anyPoison(const uint8_t *poison) {
  uint64_t words[4];
  memcpy(words, poison, sizeof(words));
  return (words[0] | words[1] | words[2] | words[3]) != 0;
}

/// All of `bytes` bytes or-ed.
inline uint8_t orBytes(const uint8_t *from, size_t bytes) {
  uint64_t all = 0;
  size_t i = 0;
  for (; i + 8 <= bytes; i += 8) {
    uint64_t word;
    memcpy(&word, from + i, 8);
    all |= word;
  }
  for (; i < bytes; ++i)
    all |= from[i];
  all |= all >> 32;
  all |= all >> 16;
  return static_cast<uint8_t>(all | all >> 8);
}

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MEMORYACCESS_H
