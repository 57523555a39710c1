//===- TensorCopyCase.h - Tensors and kernels for tests of tensor copies ------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_TENSORCOPYCASE_H
#define TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_TENSORCOPYCASE_H

#include "Harness.h"

#include "emulators/ptx/TensorMap.h"

#include <cmath>
#include <random>

namespace tilewright::ptx::test {

/// Byte `address` of shared memory after the swizzle, from the pictures of the PTX
/// manual: lines of 128 bytes have 8 chunks of 16; in an atom of 2, 4 or 8 lines, line l
/// has its chunks exchanged by l in groups of 2, 4 or 8.
inline uint32_t swizzled(unsigned swizzle, uint32_t address) {
  if (swizzle == 0)
    return address;
  uint32_t lines = 1u << swizzle;
  uint32_t line = address / 128 % lines, chunk = address / 16 % 8;
  uint32_t group = chunk / lines, inGroup = chunk % lines;
  uint32_t moved = group * lines + (inGroup ^ line);
  return address / 128 * 128 + moved * 16 + address % 16;
}

/// A tensor with a box somewhere in or around it.
struct TensorCase {
  static constexpr const char *params =
      "u64 map, u64 data, u32 shift, u32 bytes, s32 c0, s32 c1, s32 c2, s32 c3, s32 c4";

  unsigned rank = 1, type = 0, width = 1, swizzle = 0, fill = 0; // the driver's numbers
  uint64_t dims[5] = {1, 1, 1, 1, 1}, strides[4] = {};
  uint32_t box[5] = {1, 1, 1, 1, 1}, elementStrides[5] = {1, 1, 1, 1, 1};
  int32_t at[5] = {};
  std::vector<uint8_t> memory;

  static unsigned widthOf(unsigned type) {
    static const unsigned widths[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2, 4, 4, 4};
    return widths[type];
  }

  /// Odd sizes, padded strides, traversal strides, coordinates around the tensor.
  static TensorCase make(unsigned rank, unsigned swizzle, std::mt19937 &random,
                         unsigned type = ~0u) {
    auto upTo = [&](unsigned n) { return static_cast<unsigned>(random() % n); };
    TensorCase c;
    c.rank = rank;
    c.type = type == ~0u ? upTo(10) : type;
    c.width = widthOf(c.type);
    c.swizzle = swizzle;
    c.dims[0] = 1 + upTo(200);
    c.box[0] = (swizzle ? 16u << swizzle : 16 * (1 + upTo(6))) / c.width;
    uint64_t stride = (c.dims[0] * c.width + 15) / 16 * 16 + 16 * upTo(3);
    uint32_t left = 300; // rows at most
    for (unsigned i = 1; i < rank; ++i) {
      c.dims[i] = 1 + upTo(rank > 3 ? 5 : 20);
      c.strides[i - 1] = stride;
      stride = stride * c.dims[i] + 16 * upTo(2);
      c.box[i] = 1 + upTo(std::min<uint32_t>(left, i == 1 ? 24 : 6));
      c.elementStrides[i] = upTo(3) ? 1 : 1 + upTo(3);
      left = std::max<uint32_t>(left / c.copied(i), 1);
    }
    for (unsigned i = 0; i < rank; ++i)
      c.at[i] = static_cast<int32_t>(upTo(c.dims[i] + c.box[i])) -
                static_cast<int32_t>(c.box[i]) / 2;
    c.alignStart();
    c.memory.resize(stride + 64);
    for (uint8_t &byte : c.memory)
      byte = static_cast<uint8_t>(random());
    return c;
  }

  TensorMapProblem encode(uint8_t *bytes, uint64_t address) const {
    TiledTensor tensor;
    tensor.type = type;
    tensor.rank = rank;
    tensor.address = address;
    tensor.dims = dims;
    tensor.strides = strides;
    tensor.box = box;
    tensor.elementStrides = elementStrides;
    tensor.swizzle = swizzle;
    tensor.fill = fill;
    return encodeTiled(bytes, tensor);
  }

  uint32_t copied(unsigned i) const {
    return i == 0 ? box[0] : (box[i] - 1) / elementStrides[i] + 1;
  }
  uint32_t elements() const {
    return copied(0) * copied(1) * copied(2) * copied(3) * copied(4);
  }
  uint32_t boxBytes() const { return elements() * width; }
  /// Where element `n` of the box lies in `memory`; -1 if it is outside of the tensor.
  int64_t globalOffset(uint32_t n) const {
    int64_t offset = 0;
    bool outside = false;
    for (unsigned i = 0; i < 5; ++i) {
      int64_t step = i == 0 ? 1 : elementStrides[i];
      int64_t coordinate = at[i] + static_cast<int64_t>(n % copied(i)) * step;
      n /= copied(i);
      if (coordinate < 0 || coordinate >= static_cast<int64_t>(dims[i]))
        outside = true;
      offset += coordinate * static_cast<int64_t>(i == 0 ? width : strides[i - 1]);
    }
    return outside ? -1 : offset;
  }
  /// A byte of an element out of bounds.
  uint8_t fillByte(unsigned byte) const {
    if (!fill)
      return 0;
    return byte % 2 ? 0x7f : 0xf7;
  }
  /// Boxes start at multiples of 16 bytes.
  void alignStart() { at[0] &= -static_cast<int32_t>(16 / width); }
  std::string describe() const {
    std::string text = "rank " + std::to_string(rank) + " type " + std::to_string(type) +
                       " swizzle " + std::to_string(swizzle) + " (size, box, step, at):";
    for (unsigned i = 0; i < rank; ++i)
      text += " (" + std::to_string(dims[i]) + ", " + std::to_string(box[i]) + ", " +
              std::to_string(elementStrides[i]) + ", " + std::to_string(at[i]) + ")";
    return text;
  }
};

constexpr const char *sharedMemory =
    ".extern .shared .align 1024 .b8 s[];\n.shared .align 8 .b64 bar;\n";

/// %d0: map, %d1: data, %r1: s + shift, %r3: bytes, %r4 to %r8 coordinates, %p0: thread
/// 0.
constexpr const char *tensorPrologue = R"(
    ld.param.u64 %d0, [map];
    ld.param.u64 %d1, [data];
    ld.param.u32 %r20, [shift];
    ld.param.u32 %r3, [bytes];
    ld.param.u32 %r4, [c0];
    ld.param.u32 %r5, [c1];
    ld.param.u32 %r6, [c2];
    ld.param.u32 %r7, [c3];
    ld.param.u32 %r8, [c4];
    mov.u32 %r1, s;
    add.u32 %r1, %r1, %r20;
    mov.u32 %r2, bar;
    mov.u32 %r0, %tid.x;
    setp.eq.u32 %p0, %r0, 0;
    @%p0 mbarrier.init.shared.b64 [%r2], 1;
    bar.sync 0;
)";

/// "[%d0, {%r4, %r5}]".
inline std::string tensorOperand(unsigned rank) {
  std::string text = "[%d0, {";
  for (unsigned i = 0; i < rank; ++i)
    text += (i ? ", %r" : "%r") + std::to_string(4 + i);
  return text + "}]";
}

/// Loads the box and stores all its bytes to `data`.
inline std::string loadKernel(unsigned rank, const std::string &form = "") {
  return std::string(tensorPrologue) + R"(
    @%p0 mbarrier.arrive.expect_tx.shared.b64 _, [%r2], %r3;
    @%p0 cp.async.bulk.tensor.)" +
         std::to_string(rank) + "d." + (form.empty() ? "shared::cluster" : form) +
         ".global.mbarrier::complete_tx::bytes [%r1], " + tensorOperand(rank) +
         R"(, [%r2];
  WAIT:
    mbarrier.try_wait.parity.shared.b64 %p1, [%r2], 0;
    @!%p1 bra WAIT;
    shl.b32 %r10, %r0, 2;
  NEXT:
    setp.ge.u32 %p2, %r10, %r3;
    @%p2 bra END;
    add.u32 %r11, %r1, %r10;
    ld.shared.b32 %r12, [%r11];
    cvt.u64.u32 %d2, %r10;
    add.s64 %d3, %d1, %d2;
    st.global.b32 [%d3], %r12;
    add.u32 %r10, %r10, 256;
    bra NEXT;
  END:
)";
}

/// Stores `data` to the tensor, or combines it by `operation`.
inline std::string storeKernel(unsigned rank, const std::string &operation) {
  return std::string(tensorPrologue) + R"(
    shl.b32 %r10, %r0, 2;
  NEXT:
    setp.ge.u32 %p2, %r10, %r3;
    @%p2 bra END;
    add.u32 %r11, %r1, %r10;
    cvt.u64.u32 %d2, %r10;
    add.s64 %d3, %d1, %d2;
    ld.global.b32 %r12, [%d3];
    st.shared.b32 [%r11], %r12;
    add.u32 %r10, %r10, 256;
    bra NEXT;
  END:
    fence.proxy.async.shared::cta;
    bar.sync 0;
    @%p0 cp.)" +
         (operation.empty() ? "async" : "reduce.async") + ".bulk.tensor." +
         std::to_string(rank) + "d.global.shared::cta." +
         (operation.empty() ? "" : operation + ".tile.") + "bulk_group " +
         tensorOperand(rank) + R"(, [%r1];
    cp.async.bulk.commit_group;
    cp.async.bulk.wait_group 0;
)";
}

} // namespace tilewright::ptx::test

#endif // TILEWRIGHT_TEST_UNIT_EMULATOR_PTX_TENSORCOPYCASE_H
