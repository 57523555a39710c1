//===- MatrixDescriptor.h - Matrices in shared memory, for wgmma --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A descriptor says where the chunks of 16 bytes are that a matrix consists of. A chunk
// holds elements that follow each other in the major dimension, k or mn (m of A, n of B).
// With width w = 32, 64 or 128 of the swizzle, the chunk of
//
//   K-major    mn and chunk c of k     is at  mn % 8 * w + mn / 8 * stride + c * 16
//   MN-major   k and chunk c of mn     is at  k % 8 * w + k / 8 * stride
//                                             + c % (w / 16) * 16 + c / (w / 16) *
//                                             leading
//
// of the start, and with no swizzle at
//
//   K-major                                   mn % 8 * 16 + mn / 8 * stride + c * leading
//   MN-major                                  k % 8 * 16 + k / 8 * leading + c * stride
//
// Then the address's bits 4 to 6 are changed by an exclusive or with its bits 7 to 9 (of
// 64 bytes: 4 and 5 with 7 and 8; of 32: 4 with 7), as tensor copies write it. The start
// may be inside a row of the pattern, which is how one goes along k.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_EMULATORS_PTX_MATRIXDESCRIPTOR_H
#define TILEWRIGHT_EMULATORS_PTX_MATRIXDESCRIPTOR_H

#include <cstdint>
#include <string>

namespace tilewright::ptx {

struct MatrixDescriptor {
  static constexpr uint32_t chunkBytes = 16;

  uint32_t start = 0, leading = 0, stride = 0; ///< in bytes
  uint32_t width = 0;                          ///< of the swizzle; 0: none

  /// Reads `bits`; the text of what is wrong with it, empty if nothing is.
  std::string parse(uint64_t bits);
  /// What is wrong with a matrix of `chunks` chunks in the major dimension and `across`
  /// elements in the other; empty if nothing is.
  std::string check(bool isKMajor, uint32_t chunks, uint32_t across) const;

  /// The shared address of chunk `chunk` of the major dimension, `across` in the other.
  uint32_t addressOf(bool isKMajor, uint32_t across, uint32_t chunk) const {
    uint32_t low = across % 8, high = across / 8;
    uint32_t address = start;
    if (width == 0)
      return address + low * chunkBytes +
             (isKMajor ? high * stride + chunk * leading
                       : high * leading + chunk * stride);
    address += low * width + high * stride;
    uint32_t perRow = width / chunkBytes;
    address += isKMajor ? chunk * chunkBytes
                        : chunk % perRow * chunkBytes + chunk / perRow * leading;
    return address ^ (address >> 3 & (width - chunkBytes));
  }
};

} // namespace tilewright::ptx

#endif // TILEWRIGHT_EMULATORS_PTX_MATRIXDESCRIPTOR_H
