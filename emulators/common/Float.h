//===- Float.h - Floating-point formats of GPUs -------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every value of every format here is a double, exactly, so double is what conversions go
// through: `toDouble` never rounds and `fromDouble` rounds once. What has no exact double
// (a 64-bit integer, a sum) is rounded once all the same: integers by `fromFixed`, sums
// and fused products by rounding to odd in double first. A value rounded to odd has its
// last bit set where anything was lost, so that it never lies half-way between two values
// of a format at least two bits shorter, and rounding it again gives what rounding the
// exact value would have given.
//
// The functions for all 32 lanes of a warp (those that are inline) have no branches, keep
// to 64-bit lanes and expect the rounding mode of the host to be to nearest. Who includes
// them compiles with -ffp-contract=off: contracted, the exact error of a sum is none.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_COMMON_FLOAT_H
#define TILEWRIGHT_EMULATORS_COMMON_FLOAT_H

#include <array>
#include <cfenv>
#include <cstdint>
#include <cstring>

namespace tilewright::emulator {

enum class Rounding : uint8_t { NearestEven, NearestAway, Zero, Down, Up, Odd };

/// What the encodings at the top of a format's range mean.
enum class Specials : uint8_t {
  Infinities,     ///< as IEEE 754 has it: infinities and NaNs
  OneNan,         ///< all ones but for the sign is NaN, no infinity ("fn")
  NanAsMinusZero, ///< the encoding of -0 is NaN, no infinity, no -0 ("fnuz")
  None,           ///< all encodings are finite
  PowersOfTwo,    ///< ue8m0: an exponent alone, all ones is NaN; neither sign nor zero
};

struct Format {
  uint8_t exponentBits, mantissaBits;
  int16_t bias;
  Specials specials;

  constexpr unsigned magnitudeBits() const { return exponentBits + mantissaBits; }
  constexpr bool isSigned() const { return specials != Specials::PowersOfTwo; }
  constexpr unsigned bits() const { return magnitudeBits() + isSigned(); }
  constexpr uint64_t signBit() const {
    return isSigned() ? uint64_t(1) << magnitudeBits() : 0;
  }
  /// The encoding of the largest finite value.
  constexpr uint64_t largest() const {
    uint64_t ones = (uint64_t(1) << magnitudeBits()) - 1;
    if (specials == Specials::Infinities)
      return ones - (uint64_t(1) << mantissaBits);
    return specials == Specials::OneNan || specials == Specials::PowersOfTwo ? ones - 1
                                                                             : ones;
  }
  /// Of formats with infinities.
  constexpr uint64_t infinity() const { return largest() + 1; }
  /// The NaN that conversions give: all ones but for the sign (PTX's canonical NaN). Of
  /// formats without NaNs, the largest value.
  constexpr uint64_t nan() const {
    return specials == Specials::NanAsMinusZero ? signBit()
                                                : (uint64_t(1) << magnitudeBits()) - 1;
  }
};

namespace formats {
constexpr Format f64{11, 52, 1023, Specials::Infinities};
constexpr Format f32{8, 23, 127, Specials::Infinities};
/// In 19 bits; registers keep it in the upper bits of a 32-bit word.
constexpr Format tf32{8, 10, 127, Specials::Infinities};
constexpr Format bf16{8, 7, 127, Specials::Infinities};
constexpr Format f16{5, 10, 15, Specials::Infinities};
constexpr Format e5m2{5, 2, 15, Specials::Infinities};
constexpr Format e4m3{4, 3, 7, Specials::OneNan};
constexpr Format e5m2fnuz{5, 2, 16, Specials::NanAsMinusZero};
constexpr Format e4m3fnuz{4, 3, 8, Specials::NanAsMinusZero};
constexpr Format e3m2{3, 2, 3, Specials::None};
constexpr Format e2m3{2, 3, 1, Specials::None};
constexpr Format e2m1{2, 1, 1, Specials::None};
constexpr Format ue8m0{8, 0, 127, Specials::PowersOfTwo};
} // namespace formats

template <typename To, typename From> inline To bitCast(From from) {
  static_assert(sizeof(To) == sizeof(From));
  To to;
  memcpy(&to, &from, sizeof(to));
  return to;
}

constexpr uint64_t doubleInfinity = uint64_t(0x7ff) << 52;

/// The value of `bits`; a NaN becomes a NaN whose payload is kept at the top.
double toDouble(const Format &format, uint64_t bits);

/// Rounds ±significand · 2^exponent. What is too large becomes the largest finite value
/// where `saturate`, else what IEEE 754 says for the rounding, or NaN in formats that
/// have no infinity but a NaN. Of PowersOfTwo the sign is ignored.
uint64_t fromFixed(const Format &format, bool negative, uint64_t significand,
                   int exponent, Rounding rounding, bool saturate = false);
/// Rounds `value`. Infinity counts as too large; NaN becomes the format's `nan`.
uint64_t fromDouble(const Format &format, double value, Rounding rounding,
                    bool saturate = false);

/// `value` rounded to an integral value; infinities, NaN and the sign of zero stay.
double roundToIntegral(double value, Rounding rounding);
/// An integral `value`, not NaN, as an integer of `bits` bits, clamped to its range.
uint64_t toInteger(double value, unsigned bits, bool isSigned);

/// The float of each of the 256 encodings.
const std::array<float, 256> &getValues8(const Format &format);

/// Sets the host's rounding mode while it lives. What is computed under it must be read
/// from and written to memory between its beginning and its end, since compilers move
/// arithmetic on variables past changes of the mode. Rounding is one of the host's four.
class RoundingScope {
public:
  explicit RoundingScope(Rounding rounding);
  ~RoundingScope();
  RoundingScope(const RoundingScope &) = delete;

private:
  bool changed;
};

/// `condition` ? a : b without a branch: compilers that honour floating-point exceptions
/// vectorise no loop with a conditional of floating-point results.
inline uint64_t select(bool condition, uint64_t a, uint64_t b) {
  uint64_t mask = -uint64_t(condition);
  return (a & mask) | (b & ~mask);
}

//===----------------------------------------------------------------------===//
// Sums and products rounded to odd
//===----------------------------------------------------------------------===//

/// a + b in double, rounded to odd. Nothing may overflow.
inline double addToOdd(double a, double b) {
  // Knuth's exact error of a sum: sum + error == a + b.
  double sum = a + b;
  double part = sum - a;
  double error = (a - (sum - part)) + (b - part);
  uint64_t bits = bitCast<uint64_t>(sum);
  // Away from zero where the error has the sum's sign. Only an even last bit changes, and
  // none where the error is NaN, as a NaN's or infinity's is.
  int64_t size = int64_t(bitCast<uint64_t>(error) & ~(uint64_t(1) << 63));
  uint64_t lost = (size > 0) & (size < int64_t(doubleInfinity));
  uint64_t grows = (bitCast<uint64_t>(error) ^ bits) >> 63 ^ 1;
  uint64_t step = lost & ~bits & 1;
  return bitCast<double>(bits + (step & grows) - (step & (grows ^ 1)));
}

/// a * b + c, rounded to odd, where a * b is exact in double: operands of at most 26
/// bits.
inline double fusedToOdd(double a, double b, double c) { return addToOdd(a * b, c); }

//===----------------------------------------------------------------------===//
// Formats of 16 bits, fast
//===----------------------------------------------------------------------===//

struct F16 {
  static constexpr const Format &format = formats::f16;
};
struct BF16 {
  static constexpr const Format &format = formats::bf16;
};

/// The value of the low 16 bits of `bits`, which is exact.
template <typename Half> inline double halfToDouble(uint64_t bits) {
  constexpr int shift = 52 - Half::format.mantissaBits;
  constexpr uint64_t rebias = uint64_t(1023 - Half::format.bias) << 52;
  constexpr uint64_t one = uint64_t(1) << 52;
  uint64_t magnitude = bits & 0x7fff;
  uint64_t wide = magnitude << shift;
  // Subnormals: give them the leading one that they lack, then subtract it.
  double smallest = bitCast<double>(rebias + one);
  uint64_t subnormal = bitCast<uint64_t>(bitCast<double>(wide + rebias + one) - smallest);
  uint64_t top =
      select(int64_t(magnitude) >= int64_t(Half::format.infinity()), doubleInfinity, 0);
  uint64_t value = select(int64_t(magnitude) < (1 << Half::format.mantissaBits),
                          subnormal, wide + rebias);
  return bitCast<double>(value | top | (bits & 0x8000) << 48);
}

/// Rounds to nearest even, as `fromDouble` does, for any format of up to 16 bits but that
/// of powers of two.
template <typename Small> inline uint64_t doubleToSmall(double value, bool saturate) {
  constexpr Format format = Small::format;
  static_assert(format.specials != Specials::PowersOfTwo &&
                format.specials != Specials::NanAsMinusZero);
  constexpr int mantissa = format.mantissaBits;
  constexpr int shift = 52 - mantissa;
  constexpr int rebias = 1023 - format.bias;
  uint64_t bits = bitCast<uint64_t>(value);
  uint64_t magnitude = bits & ~(uint64_t(1) << 63);
  // Add just less than half a unit, and the unit's parity.
  uint64_t half = (uint64_t(1) << (shift - 1)) - 1;
  uint64_t normal = ((magnitude + half + (magnitude >> shift & 1)) >> shift) -
                    (uint64_t(rebias) << mantissa);
  // Subnormals: a sum with this constant is rounded at the smallest subnormal's place.
  constexpr uint64_t anchor = uint64_t(1023 + 1 - format.bias + shift) << 52;
  uint64_t subnormal =
      bitCast<uint64_t>(bitCast<double>(magnitude) + bitCast<double>(anchor)) - anchor;
  uint64_t result =
      select(int64_t(magnitude) < int64_t(rebias + 1) << 52, subnormal, normal);
  constexpr uint64_t largest = format.largest();
  uint64_t tooLarge = saturate || format.specials == Specials::None ? largest
                      : format.specials == Specials::OneNan         ? format.nan()
                                                                    : largest + 1;
  result = select(int64_t(result) > int64_t(largest), tooLarge, result);
  return select(int64_t(magnitude) > int64_t(doubleInfinity), format.nan(),
                result | (bits >> (63 - format.magnitudeBits()) & format.signBit()));
}

/// Rounds to nearest even; NaN becomes 0x7fff.
template <typename Half> inline uint64_t doubleToHalf(double value) {
  return doubleToSmall<Half>(value, false);
}

inline float f16ToFloat(uint16_t bits) { return float(halfToDouble<F16>(bits)); }
inline float bf16ToFloat(uint16_t bits) { return bitCast<float>(uint32_t(bits) << 16); }
inline uint16_t floatToF16(float value) { return uint16_t(doubleToHalf<F16>(value)); }
inline uint16_t floatToBf16(float value) { return uint16_t(doubleToHalf<BF16>(value)); }

/// The float that tf32 hardware sees in a 32-bit word: its low 13 bits are ignored.
inline float tf32ToFloat(uint32_t bits) { return bitCast<float>(bits & 0xffffe000u); }

} // namespace tilewright::emulator

#endif // TILEWRIGHT_EMULATORS_COMMON_FLOAT_H
