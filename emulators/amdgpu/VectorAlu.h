//===- VectorAlu.h - Operations on each lane's values -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// An operation is a struct with a function `apply` of its sources' values, which these
// templates make a handler of: a loop over all lanes, which the compiler vectorises,
// whose results the active lanes keep.
//
//   struct Add { static uint32_t apply(uint32_t a, uint32_t b) { return a + b; } };
//   {"v_add_u32", map<uint32_t, Add, uint32_t, uint32_t>, {Type::B32, Type::B32}}
//
// A result is undefined where any source is; operations that move bytes about say better
// with a function `poison` of the values and of each one's undefined bytes:
//
//   struct Add { static uint8_t poison(uint32_t, uint32_t, uint8_t p, uint8_t q) ... };
//
// and those that move bits about with `undefined`, of the values and of all their
// undefined bits: compilers cut small elements out of registers some of which nothing
// wrote.
//
//   struct Move { static uint64_t undefined(uint64_t, uint64_t p) { return p; } ... };
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_AMDGPU_VECTORALU_H
#define TILEWRIGHT_EMULATORS_AMDGPU_VECTORALU_H

#include "emulators/amdgpu/Decoder.h"
#include "emulators/amdgpu/UndefinedBits.h"

#include <tuple>
#include <type_traits>
#include <utility>

namespace tilewright::amdgpu {

/// Whether `Operation` says itself what of its result is undefined.
template <typename Operation, typename = void> struct HasPoison : std::false_type {};
template <typename Operation>
struct HasPoison<Operation, std::void_t<decltype(&Operation::poison)>> : std::true_type {
};

/// Whether it says so bit by bit.
template <typename Operation, typename = void> struct HasUndefined : std::false_type {};
template <typename Operation>
struct HasUndefined<Operation, std::void_t<decltype(&Operation::undefined)>>
    : std::true_type {};

/// What to read, as one value from which a tuple makes its elements in place.
struct ToRead {
  Wave &wave;
  const Source &source;
};
/// A source, read once: its values, and what of them is undefined (null: nothing). It
/// points into itself, so it cannot be moved.
template <typename T> struct ReadSource {
  ReadSource(Wave &wave, const Source &source)
      : values(wave.read(source, buffer)), poison(wave.readPoison(source, poisonBuffer)) {
  }
  ReadSource(ToRead from) : ReadSource(from.wave, from.source) {}
  ReadSource(const ReadSource &) = delete;
  LaneArray<T> buffer;
  LanePoison poisonBuffer;
  const T *values;
  const uint8_t *poison;
};

inline void writeLanes(Wave &wave, const Instruction &instruction,
                       const LaneArray<uint32_t> &values, const uint8_t *poison) {
  wave.write(instruction.destination[0], values.v, poison);
}
inline void writeLanes(Wave &wave, const Instruction &instruction,
                       const LaneArray<uint64_t> &values, const uint8_t *poison) {
  wave.write(instruction.destination[0], values.v, poison);
}

/// Which bits of a source are undefined that was read as `read`.
template <typename T> struct UndefinedLanes {
  UndefinedLanes(Wave &wave, const Source &source, const ReadSource<T> &read) {
    if constexpr (sizeof(T) >= sizeof(uint32_t)) {
      if (!wave.readUndefined(source, bits))
        bits = {};
    } else {
      for (unsigned lane = 0; lane < maxLanes; ++lane)
        bits[lane] = read.poison ? static_cast<T>(bitsOf(read.poison[lane])) : 0;
    }
  }
  LaneArray<T> bits;
};

/// Writes values of which these bits are undefined.
template <typename T>
void writeLanes(Wave &wave, const Instruction &instruction, const LaneArray<T> &values,
                const LaneArray<T> &undefined) {
  LanePoison poison;
  bool isPartial = false;
  for (unsigned lane = 0; lane < maxLanes; ++lane) {
    poison[lane] = bytesOf(undefined[lane]);
    isPartial |= static_cast<T>(bitsOf(poison[lane])) != undefined[lane];
  }
  writeLanes(wave, instruction, values, poison.v);
  if constexpr (sizeof(T) >= sizeof(uint32_t))
    if (isPartial)
      wave.keepUndefined(instruction.destination[0], undefined);
}

template <typename Result, typename Operation, typename... Values, size_t... index>
Step mapSources(Wave &wave, const Instruction &instruction,
                std::index_sequence<index...>) {
  std::tuple<ReadSource<Values>...> sources(ToRead{wave, instruction.source[index]}...);
  LaneArray<Result> result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result[lane] = Operation::apply(std::get<index>(sources).values[lane]...);
  if (!(std::get<index>(sources).poison || ...)) {
    writeLanes(wave, instruction, result, nullptr);
    return Step::Next;
  }
  if constexpr (HasUndefined<Operation>::value) {
    std::tuple<UndefinedLanes<Values>...> undefined(UndefinedLanes<Values>(
        wave, instruction.source[index], std::get<index>(sources))...);
    LaneArray<Result> bits;
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      bits[lane] = static_cast<Result>(
          Operation::undefined(std::get<index>(sources).values[lane]...,
                               std::get<index>(undefined).bits[lane]...));
    writeLanes(wave, instruction, result, bits);
  } else {
    LanePoison poison;
    for (unsigned lane = 0; lane < maxLanes; ++lane) {
      auto of = [lane](const uint8_t *all) { return all ? all[lane] : uint8_t(0); };
      if constexpr (HasPoison<Operation>::value)
        poison[lane] = Operation::poison(std::get<index>(sources).values[lane]...,
                                         of(std::get<index>(sources).poison)...);
      else
        poison[lane] = (of(std::get<index>(sources).poison) | ...) ? 0xff : 0;
    }
    writeLanes(wave, instruction, result, poison.v);
  }
  return Step::Next;
}

/// The handler of an operation of `Values` that gives `Result`; each is uint32_t or
/// uint64_t, or uint16_t where HalfLanes.h is included.
template <typename Result, typename Operation, typename... Values>
Step map(Wave &wave, const Instruction &instruction) {
  return mapSources<Result, Operation, Values...>(
      wave, instruction, std::make_index_sequence<sizeof...(Values)>());
}

/// The handler of a comparison: a bit for each active lane, the others' are zero.
template <typename Operation, typename Value>
Step compare(Wave &wave, const Instruction &instruction) {
  ReadSource<Value> a(wave, instruction.source[0]), b(wave, instruction.source[1]);
  ScalarValue result;
  for (unsigned lane = 0; lane < maxLanes; ++lane)
    result.bits |= uint64_t(Operation::apply(a.values[lane], b.values[lane])) << lane;
  if (a.poison || b.poison)
    for (unsigned lane = 0; lane < maxLanes; ++lane)
      result.poison |=
          uint64_t((a.poison && a.poison[lane]) || (b.poison && b.poison[lane])) << lane;
  result.bits &= wave.active;
  result.poison &= wave.active;
  wave.writeMask(instruction.destination[0], result);
  return Step::Next;
}

/// A mnemonic, its handler and what it operates on.
struct VectorEntry {
  std::string_view name;
  Handler handler;
  Type sources[3];
  unsigned count = 0;           ///< of sources
  unsigned resultRegisters = 1; ///< 0: a mask of lanes
};

/// Decodes the operands of an operation: the destination, then its sources.
bool decodeVector(Decoder &decoder, const VectorEntry &entry);
/// As a family that has these.
template <size_t size>
Decoded decodeVectors(Decoder &decoder, const VectorEntry (&entries)[size]) {
  for (const VectorEntry &entry : entries)
    if (entry.name == decoder.mnemonic())
      return decodedIf(decodeVector(decoder, entry));
  return Decoded::NotMine;
}

} // namespace tilewright::amdgpu

#endif // TILEWRIGHT_EMULATORS_AMDGPU_VECTORALU_H
