//===- MatrixHarness.h - Matrices in registers, for tests ---------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The tests' own idea of where an element lies: a place for each coordinate, as AMD's
// tables have it, nothing shared with the emulator.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MATRIXHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MATRIXHARNESS_H

#include "emulators/common/Float.h"
#include "test/unit/emulator/amdgpu/Harness.h"

#include <cmath>
#include <random>

namespace tilewright::amdgpu::test {

/// An element of a register image: its lane and its first bit, counted from the first
/// register's.
struct Spot {
  unsigned lane = 0, bit = 0;
};

/// Registers of 64 lanes.
class Image {
public:
  void put(Spot spot, unsigned bits, uint64_t value) {
    for (unsigned i = 0; i < bits; ++i) {
      unsigned word = (spot.bit + i) / 32, at = (spot.bit + i) % 32;
      words[word][spot.lane] &= ~(1u << at);
      words[word][spot.lane] |= uint32_t(value >> i & 1) << at;
    }
  }
  uint64_t get(Spot spot, unsigned bits) const {
    uint64_t value = 0;
    for (unsigned i = 0; i < bits; ++i)
      value |=
          uint64_t(words[(spot.bit + i) / 32][spot.lane] >> ((spot.bit + i) % 32) & 1)
          << i;
    return value;
  }
  void load(Machine &machine, unsigned reg, unsigned count) const {
    for (unsigned i = 0; i < count; ++i)
      machine.set(uint16_t(reg + i), [&](unsigned lane) { return words[i][lane]; });
  }
  void store(Machine &machine, unsigned reg, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      for (unsigned lane = 0; lane < machine.wave().lanes; ++lane)
        words[i][lane] = machine.get(uint16_t(reg + i), lane);
  }
  uint32_t words[32][64] = {};
};

/// A type of elements: a floating-point format, or integers of `bits` bits.
struct Kind {
  const emulator::Format *format = nullptr;
  unsigned bits = 32;
  bool isSigned = true;

  double decode(uint64_t value) const {
    if (format)
      return emulator::toDouble(*format, value);
    if (isSigned && value >> (bits - 1) & 1)
      return double(int64_t(value | ~uint64_t(0) << bits));
    return double(value);
  }
  /// A random encoding, finite and of a middling size.
  uint64_t random(std::mt19937 &generator) const {
    if (!format)
      return generator() & (bits == 32 ? 0xffffffffu : (1u << bits) - 1);
    double value = std::uniform_real_distribution<double>(-3, 3)(generator);
    if (format->bits() == 64) // products and sums are exact
      value = double(int(generator() % 2001) - 1000) / 64;
    return emulator::fromDouble(*format, value, emulator::Rounding::NearestEven, true);
  }
};
inline Kind floats(const emulator::Format &format) { return {&format, format.bits()}; }

/// Whether `got` is the sum of products `exact`, whose magnitudes add up to `size`, after
/// `terms` roundings to a format with `precision` bits.
inline bool isNear(double got, double exact, double size, unsigned terms,
                   unsigned precision) {
  return std::fabs(got - exact) <=
         std::ldexp(size * (terms + 1), -int(precision)) + 1e-40;
}

} // namespace tilewright::amdgpu::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_AMDGPU_MATRIXHARNESS_H
