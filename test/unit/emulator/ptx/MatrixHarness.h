//===- MatrixHarness.h - Matrices of random elements in tests -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements are chosen so that sums of products are exact in whatever they are
// accumulated: a result is right or wrong, not near. They are decoded here by the
// formats' definitions, not by the emulator's functions.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MATRIXHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MATRIXHARNESS_H

#include "Harness.h"

#include <cmath>
#include <map>
#include <random>

namespace tilewright::ptx::test {

inline std::mt19937_64 &randomBits() {
  static std::mt19937_64 engine(20240607);
  return engine;
}

/// The value of a small float with `exponent` and `mantissa` bits.
inline double decodeFloat(uint64_t bits, int exponent, int mantissa) {
  int bias = (1 << (exponent - 1)) - 1;
  int e = static_cast<int>(bits >> mantissa & ((1u << exponent) - 1));
  double fraction = static_cast<double>(bits & ((uint64_t(1) << mantissa) - 1)) /
                    static_cast<double>(uint64_t(1) << mantissa);
  double value = e ? std::ldexp(1 + fraction, e - bias) : std::ldexp(fraction, 1 - bias);
  return bits >> (exponent + mantissa) & 1 ? -value : value;
}

/// What `bits` stand for; of packed types, one element.
inline double valueOf(const std::string &type, uint64_t bits) {
  if (type == "f16")
    return decodeFloat(bits & 0xffff, 5, 10);
  if (type == "bf16")
    return decodeFloat(bits & 0xffff, 8, 7);
  if (type == "tf32")
    return decodeFloat(bits >> 13 & 0x7ffff, 8, 10);
  if (type == "e4m3")
    return decodeFloat(bits & 0xff, 4, 3);
  if (type == "e5m2")
    return decodeFloat(bits & 0xff, 5, 2);
  if (type == "f32")
    return decodeFloat(bits & 0xffffffff, 8, 23);
  if (type == "f64") {
    double value;
    memcpy(&value, &bits, sizeof(value));
    return value;
  }
  if (type == "s8")
    return static_cast<int8_t>(bits);
  if (type == "u8")
    return static_cast<uint8_t>(bits);
  if (type == "s4")
    return static_cast<int>(bits & 15) - static_cast<int>(bits & 8) * 2;
  if (type == "u4")
    return static_cast<double>(bits & 15);
  if (type == "s32")
    return static_cast<int32_t>(bits);
  return static_cast<double>(bits & 1); // b1
}

inline unsigned bitsOf(const std::string &type) {
  if (type == "f64")
    return 64;
  if (type == "f32" || type == "tf32" || type == "s32")
    return 32;
  if (type == "f16" || type == "bf16")
    return 16;
  if (type == "s4" || type == "u4")
    return 4;
  return type == "b1" ? 1 : 8;
}

/// Bits of a random element. Floats are small multiples of 1/4; tf32 has noise in the
/// bits that are ignored.
inline uint64_t randomElement(const std::string &type) {
  uint64_t bits = randomBits()();
  if (type == "f32") {
    float value = static_cast<float>(static_cast<int>(bits % 129) - 64) / 4;
    uint32_t word;
    memcpy(&word, &value, sizeof(word));
    return word;
  }
  if (type == "f64") {
    double value = static_cast<double>(static_cast<int>(bits % 4001) - 2000) / 16;
    memcpy(&bits, &value, sizeof(bits));
    return bits;
  }
  if (type == "s32")
    return static_cast<uint32_t>(static_cast<int>(bits % 20001) - 10000);
  bool isFloat = type == "f16" || type == "bf16" || type == "tf32" || type[0] == 'e';
  uint64_t mask = bitsOf(type) == 64 ? ~uint64_t(0) : (uint64_t(1) << bitsOf(type)) - 1;
  for (;; bits = randomBits()()) {
    if (!isFloat)
      return bits & mask;
    // Most bits are of no value that is wanted; so choose the value, then find its bits.
    double value = static_cast<double>(static_cast<int>(bits % 15) - 7) / 4;
    if (type == "tf32" || type == "bf16") {
      float narrow = static_cast<float>(value);
      uint32_t word;
      memcpy(&word, &narrow, sizeof(word));
      return type == "bf16" ? word >> 16 : word | (bits >> 20 & 0x1fff);
    }
    static std::map<std::pair<std::string, double>, uint64_t> known;
    auto [found, isNew] = known.try_emplace({type, value}, 0);
    while (isNew && valueOf(type, found->second) != value)
      ++found->second;
    return found->second;
  }
}

/// `value`, of f16's range, rounded to f16 (to nearest even).
inline double roundToF16(double value) {
  if (value == 0)
    return 0;
  double unit = std::ldexp(1, std::max(std::ilogb(value), -14) - 10);
  return std::nearbyint(value / unit) * unit;
}

/// A matrix of elements by their bits.
struct TestMatrix {
  TestMatrix(std::string type, unsigned rows, unsigned columns)
      : type(std::move(type)), rows(rows), columns(columns), bits(rows * columns) {}
  TestMatrix &fill() {
    for (uint64_t &element : bits)
      element = randomElement(type);
    return *this;
  }
  uint64_t &at(unsigned row, unsigned column) { return bits[row * columns + column]; }
  double value(unsigned row, unsigned column) const {
    return valueOf(type, bits[row * columns + column]);
  }

  std::string type;
  unsigned rows, columns;
  std::vector<uint64_t> bits;
};

/// c + a * b, exactly. Bits are combined by `isXor` or by and.
inline double productAt(const TestMatrix &a, const TestMatrix &b, double c, unsigned row,
                        unsigned column, bool isXor = false) {
  for (unsigned k = 0; k < a.columns; ++k) {
    double x = a.value(row, k), y = b.value(k, column);
    c += isXor ? (x != y) : x * y;
  }
  return c;
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_MATRIXHARNESS_H
