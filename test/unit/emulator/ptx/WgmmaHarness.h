//===- WgmmaHarness.h - Matrices in shared memory and kernels with wgmma ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_WGMMAHARNESS_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_WGMMAHARNESS_H

#include "MatrixHarness.h"

namespace tilewright::ptx::test {

/// Where shared memory starts, and its bytes in these tests.
constexpr uint32_t sharedBase = 1024, imageBytes = 96 * 1024;

/// A matrix in shared memory by the manual's canonical layouts, in bytes.
struct CanonicalLayout {
  unsigned swizzle = 0; ///< 0, 32, 64 or 128
  bool kMajor = true;
  uint32_t start = sharedBase; ///< of the first atom
  uint32_t leading = 16, stride = 16;
  uint32_t advance = 0; ///< of the descriptor's address inside a row of the atom

  /// The address of element (mn, k), of `bits` bits each; for single bits, of its byte.
  uint32_t addressOf(unsigned mn, unsigned k, unsigned bits) const {
    // In units of T elements, which are 16 bytes:
    //   K-major   ((8,m),(T,2)):((T or w,SBO),(1,T or LBO))
    //   MN-major  ((T,w,m),(8,k)):((1,T,LBO),(w,SBO)), without swizzle ((T,1,m),(8,k)):
    //             ((1,T,SBO),(T,LBO))
    unsigned t = 128 / bits;
    uint32_t address = start + advance;
    unsigned units = swizzle ? swizzle / 16 : 1;
    if (kMajor) {
      address += mn % 8 * units * 16 + mn / 8 * stride;
      address += k % t * bits / 8 + k / t * (swizzle ? 16 : leading);
    } else {
      unsigned unit = mn / t;
      address += mn % t * bits / 8 + unit % units * 16 +
                 unit / units * (swizzle ? leading : stride);
      address += k % 8 * units * 16 + k / 8 * (swizzle ? stride : leading);
    }
    // Swizzle<log2(w), 4, 3>
    for (unsigned bit = 0; 1u << bit < units; ++bit)
      if (address >> (7 + bit) & 1)
        address ^= 1u << (4 + bit);
    return address;
  }
  uint64_t descriptor() const {
    uint64_t mode = swizzle == 128 ? 1 : swizzle == 64 ? 2 : swizzle == 32 ? 3 : 0;
    return uint64_t((start + advance) >> 4) | uint64_t(leading >> 4) << 16 |
           uint64_t(stride >> 4) << 32 | mode << 62;
  }
  /// Writes the elements of A (mn, k), or of B (k, mn) if `isB`, to the image.
  void write(const TestMatrix &matrix, bool isB, std::vector<uint8_t> &image) const {
    unsigned bits = bitsOf(matrix.type);
    for (unsigned row = 0; row < matrix.rows; ++row)
      for (unsigned column = 0; column < matrix.columns; ++column) {
        unsigned mn = isB ? column : row, k = isB ? row : column;
        uint32_t at = addressOf(mn, k, bits) - sharedBase;
        uint64_t element = matrix.bits[row * matrix.columns + column];
        if (bits == 1)
          image.at(at) |= static_cast<uint8_t>(element << (k % 8));
        else
          memcpy(&image.at(at), &element, bits / 8);
      }
  }
};

/// Text of a kernel of one warpgroup: shared memory is filled from the image, D (and A
/// where it is in registers) loaded, then `body`, then D stored. In `body`, $D and $A are
/// the lists of registers, %a and %b the descriptors, %p a predicate that is true if the
/// parameter `scale` is not zero.
inline std::string makeWgmmaText(const std::string &body, unsigned dRegisters,
                                 bool fences = true) {
  auto list = [](const char *name, unsigned count) {
    std::string text = "{";
    for (unsigned i = 0; i < count; ++i)
      text += std::string(i ? ", %" : "%") + name + std::to_string(i);
    return text + "}";
  };
  auto transfer = [](const char *name, unsigned count, bool isStore) {
    std::string text;
    for (unsigned i = 0; i < count; ++i) {
      std::string at = "[%x+" + std::to_string(i * 512) + "]";
      std::string reg = "%" + std::string(name) + std::to_string(i);
      text += isStore ? "st.global.b32 " + at + ", " + reg + ";\n"
                      : "ld.global.b32 " + reg + ", " + at + ";\n";
    }
    return text;
  };
  std::string text = R"(.version 8.8
.target sm_90a
.address_size 64
.visible .entry k(.param .u64 image, .param .u64 a, .param .u64 b, .param .u64 d,
                  .param .u64 fragment, .param .u32 scale)
{
.shared .align 1024 .b8 s[)" +
                     std::to_string(imageBytes) + R"(];
.reg .b64 %x, %y, %a, %b, %off;
.reg .b32 %t, %i, %v, %w, %e, %r<8>;
.reg .pred %p, %q;
.reg .b32 %D<128>;
.reg .b32 %A<4>;
mov.u32 %t, %tid.x;
ld.param.u64 %x, [image];
shl.b32 %i, %t, 4;
mov.u32 %e, s;
loop:
cvt.u64.u32 %y, %i;
add.s64 %y, %y, %x;
ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%y];
add.u32 %w, %i, %e;
st.shared.v4.u32 [%w], {%r0, %r1, %r2, %r3};
add.u32 %i, %i, 2048;
setp.lt.u32 %q, %i, )" +
                     std::to_string(imageBytes) + R"(;
@%q bra loop;
)" + std::string(fences ? "fence.proxy.async;\n" : "") +
                     R"(bar.sync 0;
ld.param.u64 %a, [a];
ld.param.u64 %b, [b];
ld.param.u32 %v, [scale];
setp.ne.u32 %p, %v, 0;
mul.wide.u32 %off, %t, 4;
ld.param.u64 %x, [fragment];
add.s64 %x, %x, %off;
)" + transfer("A", 4, false) +
                     R"(
ld.param.u64 %x, [d];
add.s64 %x, %x, %off;
)" + transfer("D", dRegisters, false);
  std::string filled = body;
  for (size_t at; (at = filled.find("$D")) != std::string::npos;)
    filled.replace(at, 2, list("D", dRegisters));
  for (size_t at; (at = filled.find("$A")) != std::string::npos;)
    filled.replace(at, 2, list("A", 4));
  return text + filled + "\n" + transfer("D", dRegisters, true) + "ret;\n}\n";
}

/// One launch of such a kernel.
struct WgmmaRun {
  std::vector<uint8_t> image = std::vector<uint8_t>(imageBytes);
  uint64_t a = 0, b = 0; ///< descriptors
  std::vector<uint32_t> d, fragment = std::vector<uint32_t>(512);
  uint32_t scale = 1;
  unsigned threads = 128;
  std::unique_ptr<Harness> harness = std::make_unique<Harness>();
  std::vector<uint32_t> result;
  std::vector<uint8_t> shadow;

  /// "" or why it could not run.
  std::string run(const std::string &text) {
    std::string error = harness->load(text);
    if (!error.empty())
      return error;
    uint64_t address = harness->put(d);
    harness->arg(harness->put(image)).arg(a).arg(b).arg(address);
    harness->arg(harness->put(fragment)).arg(scale);
    error = harness->launch({1, 1, 1}, {threads, 1, 1});
    result = harness->get<uint32_t>(address, d.size());
    shadow = harness->shadow(address, d.size() * 4);
    return error;
  }
};

struct AccumulatorPlace {
  unsigned word, shift;
};
/// Where the manual's figures put element (row, column) of D: the warp by 16 rows, then
/// eight columns after eight, of which a lane has two in each half of the rows.
inline AccumulatorPlace placeOfD(unsigned row, unsigned column, unsigned bits) {
  unsigned thread = row / 16 * 32 + row % 8 * 4 + column % 8 / 2;
  unsigned element = column / 8 * 4 + row % 16 / 8 * 2 + column % 2;
  unsigned per = 32 / bits;
  return {element / per * 128 + thread, element % per * bits};
}

/// Lays a 64 x k matrix A into four registers of each thread: in a register elements of
/// one row, registers 0 and 2 of rows 0-7, 1 and 3 of rows 8-15 of the warp's 16.
inline std::vector<uint32_t> layFragmentA(const TestMatrix &matrix) {
  unsigned bits = bitsOf(matrix.type), per = 32 / bits;
  std::vector<uint32_t> words(512);
  for (unsigned row = 0; row < 64; ++row)
    for (unsigned k = 0; k < matrix.columns; ++k) {
      unsigned thread = row / 16 * 32 + row % 8 * 4 + k % (4 * per) / per;
      unsigned reg = row % 16 / 8 + k / (4 * per) * 2;
      words[reg * 128 + thread] |= static_cast<uint32_t>(
          matrix.bits[row * matrix.columns + k] << (k % per * bits));
    }
  return words;
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_WGMMAHARNESS_H
