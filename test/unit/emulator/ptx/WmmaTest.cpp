//===- WmmaTest.cpp - wmma loads, products and stores -------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fragments are opaque, so whole products in memory are what is compared.
//
//===----------------------------------------------------------------------===//

#include "MatrixHarness.h"

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

struct Shape {
  const char *name;
  unsigned m, n, k;
  unsigned a, b; ///< registers
};

/// The bytes of `matrix` with rows or columns `stride` elements apart.
std::vector<uint8_t> layOut(const TestMatrix &matrix, bool byRows, unsigned stride) {
  unsigned bits = bitsOf(matrix.type);
  std::vector<uint8_t> bytes(size_t(byRows ? matrix.rows : matrix.columns) * stride *
                             bits / 8);
  for (unsigned row = 0; row < matrix.rows; ++row)
    for (unsigned column = 0; column < matrix.columns; ++column) {
      size_t at = size_t(byRows ? row * stride + column : column * stride + row) * bits;
      uint64_t element = matrix.bits[row * matrix.columns + column];
      for (unsigned bit = 0; bit < bits; ++bit)
        bytes[(at + bit) / 8] |= (element >> bit & 1) << ((at + bit) % 8);
    }
  return bytes;
}

uint64_t elementAt(const std::vector<uint8_t> &bytes, size_t index, unsigned bits) {
  uint64_t value = 0;
  memcpy(&value, &bytes[index * bits / 8], bits / 8);
  return value;
}

std::string vector(const char *name, unsigned count) {
  std::string text = "{";
  for (unsigned i = 0; i < count; ++i)
    text += std::string(i ? ", %" : "%") + name + std::to_string(i);
  return text + "}";
}

struct Case {
  std::string a, b, c, d; ///< types
  std::string modifier;
};

/// A product with A, B, C and D in memory by rows or columns, with strides that are
/// larger than the matrices, or none given.
void check(const Shape &shape, const Case &types, bool aRows, bool bRows, bool cRows,
           bool isPadded, bool isShared) {
  unsigned accumulators = shape.m * shape.n / 32 / (types.c == "f16" ? 2 : 1);
  unsigned results = shape.m * shape.n / 32 / (types.d == "f16" ? 2 : 1);
  std::string layouts = std::string(aRows ? ".row" : ".col") + (bRows ? ".row" : ".col");
  std::string cLayout = cRows ? ".row" : ".col";
  std::string name = std::string(".") + shape.name;
  std::string inputs =
      types.a == "f16" ? "." + types.d + "." + types.c
                       : "." + types.d + "." + types.a + "." + types.b + "." + types.c;
  bool isBits = types.a == "b1";
  std::string product = "wmma.mma" + (isBits ? types.modifier : "") + ".sync.aligned" +
                        layouts + name + inputs + (isBits ? "" : types.modifier);
  SCOPED_TRACE(product + cLayout);
  TestMatrix a(types.a, shape.m, shape.k), b(types.b, shape.k, shape.n),
      c(types.c, shape.m, shape.n);
  a.fill();
  b.fill();
  c.fill();
  if (types.c == "f16")
    for (uint64_t &element : c.bits)
      element = randomElement("f16");
  auto strideOf = [&](unsigned rows, unsigned columns, bool byRows, unsigned bits) {
    unsigned least = byRows ? columns : rows;
    return isPadded ? least + 3 * 128 / std::min(bits, 128u) : least;
  };
  unsigned aStride = strideOf(shape.m, shape.k, aRows, bitsOf(types.a));
  unsigned bStride = strideOf(shape.k, shape.n, bRows, bitsOf(types.b));
  unsigned cStride = strideOf(shape.m, shape.n, cRows, bitsOf(types.c));
  unsigned dStride = strideOf(shape.m, shape.n, cRows, bitsOf(types.d));
  auto stride = [&](unsigned value) {
    return isPadded ? ", " + std::to_string(value) : std::string();
  };
  bool isDouble = types.a == "f64";
  std::string registers = isDouble ? ".reg .b64" : ".reg .b32";
  std::string text =
      ".version 8.8\n.target sm_90a\n.address_size 64\n"
      ".shared .align 32 .b8 s[16384];\n"
      ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, "
      ".param .u64 d, .param .u32 n)\n{\n.reg .b64 %p<8>;\n.reg .pred %q;\n"
      ".reg .b32 %t, %i, %v, %n, %j;\n.reg .b64 %g;\n" +
      registers + " %a<8>, %b<8>, %c<8>, %d<8>;\n" +
      "ld.param.u64 %p1, [a];\nld.param.u64 %p2, [b];\n"
      "ld.param.u64 %p3, [c];\nld.param.u64 %p4, [d];\n";
  std::string space = ".global", aAddress = "[%p1]";
  if (isShared) {
    // A goes through shared memory, a word of it at a time by each lane.
    text += "ld.param.u32 %n, [n];\nmov.u32 %i, %tid.x;\nloop:\nmul.wide.u32 %g, %i, 4;\n"
            "add.s64 %g, %g, %p1;\nshl.b32 %j, %i, 2;\nmov.u32 %t, s;\n"
            "add.u32 %t, %t, %j;\nld.global.u32 %v, [%g];\nst.shared.u32 [%t], %v;\n"
            "add.u32 %i, %i, 32;\nsetp.lt.u32 %q, %i, %n;\n@%q bra loop;\n"
            "bar.warp.sync -1;\nmov.u32 %t, s;\n";
    space = ".shared";
    aAddress = "[%t]";
  }
  text += "wmma.load.a.sync.aligned" + std::string(aRows ? ".row" : ".col") + name +
          space + "." + types.a + " " + vector("a", shape.a) + ", " + aAddress +
          stride(aStride) + ";\n";
  text += "wmma.load.b.sync.aligned" + std::string(bRows ? ".row" : ".col") + name +
          ".global." + types.b + " " + vector("b", shape.b) + ", [%p2]" +
          stride(bStride) + ";\n";
  text += "wmma.load.c.sync.aligned" + cLayout + name + "." + types.c + " " +
          vector("c", accumulators) + ", [%p3]" + stride(cStride) + ";\n";
  text += product + " " + vector("d", results) + ", " + vector("a", shape.a) + ", " +
          vector("b", shape.b) + ", " + vector("c", accumulators) + ";\n";
  text += "wmma.store.d.sync.aligned" + cLayout + name + ".global." + types.d +
          " [%p4], " + vector("d", results) + stride(dStride) + ";\nret;\n}\n";
  Harness harness;
  ASSERT_EQ(harness.load(text), "");
  auto aBytes = layOut(a, aRows, aStride);
  size_t size = size_t(cRows ? shape.m : shape.n) * dStride * bitsOf(types.d) / 8;
  uint64_t result = harness.empty<uint8_t>(size);
  harness.arg(harness.put(aBytes)).arg(harness.put(layOut(b, bRows, bStride)));
  harness.arg(harness.put(layOut(c, cRows, cStride))).arg(result);
  harness.arg(static_cast<uint32_t>(aBytes.size() / 4));
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  ASSERT_TRUE(harness.faults.empty()) << harness.faultText();
  auto found = harness.get<uint8_t>(result, size);
  for (unsigned row = 0; row < shape.m; ++row)
    for (unsigned column = 0; column < shape.n; ++column) {
      double expected = productAt(a, b, c.value(row, column), row, column,
                                  types.modifier == ".xor.popc");
      if (types.d == "f16")
        expected = roundToF16(expected);
      size_t index = cRows ? row * dStride + column : column * dStride + row;
      ASSERT_EQ(valueOf(types.d, elementAt(found, index, bitsOf(types.d))), expected)
          << row << ", " << column;
    }
}

void checkAll(const Shape &shape, const Case &types) {
  for (unsigned i = 0; i < 8; ++i)
    for (bool isPadded : {false, true})
      check(shape, types, i & 1, i & 2, i & 4, isPadded, (i & 1) != isPadded);
}

} // namespace

TEST(Wmma, Halves) {
  for (const Shape &shape :
       {Shape{"m16n16k16", 16, 16, 16, 8, 8}, Shape{"m32n8k16", 32, 8, 16, 8, 8},
        Shape{"m8n32k16", 8, 32, 16, 8, 8}})
    for (const char *c : {"f32", "f16"})
      for (const char *d : {"f32", "f16"})
        checkAll(shape, {"f16", "f16", c, d, ""});
}

TEST(Wmma, Bf16AndIntegers) {
  const Shape halves[] = {{"m16n16k16", 16, 16, 16, 4, 4},
                          {"m32n8k16", 32, 8, 16, 8, 2},
                          {"m8n32k16", 8, 32, 16, 2, 8}};
  for (const Shape &shape : halves) {
    checkAll(shape, {"bf16", "bf16", "f32", "f32", ""});
    Shape bytes = shape;
    bytes.a /= 2;
    bytes.b /= 2;
    for (const char *type : {"s8", "u8"})
      for (const char *modifier : {"", ".satfinite"})
        checkAll(bytes, {type, type, "s32", "s32", modifier});
  }
}

TEST(Wmma, Tf32AndDoubles) {
  checkAll({"m16n16k8", 16, 16, 8, 4, 4}, {"tf32", "tf32", "f32", "f32", ""});
  checkAll({"m8n8k4", 8, 8, 4, 1, 1}, {"f64", "f64", "f64", "f64", ".rn"});
}

TEST(Wmma, SubByte) {
  for (bool isPadded : {false, true}) {
    for (const char *type : {"s4", "u4"})
      check({"m8n8k32", 8, 8, 32, 1, 1}, {type, type, "s32", "s32", ""}, true, false,
            true, isPadded, false);
    for (const char *operation : {".xor.popc", ".and.popc"})
      check({"m8n8k128", 8, 8, 128, 1, 1}, {"b1", "b1", "s32", "s32", operation}, true,
            false, true, isPadded, false);
  }
}

TEST(Wmma, Refuses) {
  for (const char *text :
       {"wmma.load.a.sync.aligned.row.m16n16k8.f16 {%r0,%r1,%r2,%r3}, [%d0];",
        "wmma.load.a.sync.aligned.row.m16n16k16.f16 {%r0,%r1,%r2,%r3}, [%d0];",
        "wmma.load.a.sync.aligned.col.m8n8k32.s4 {%r0}, [%d0];",
        "wmma.mma.sync.aligned.row.col.m16n16k16.s32.s8.u8.s32 "
        "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7},{%r8,%r9},{%r10,%r11},"
        "{%r0,%r1,%r2,%r3,%r4,%r5,%r6,%r7};"}) {
    Harness harness;
    EXPECT_NE(harness.loadBody("u64 a", text), "") << text;
  }
}

TEST(Wmma, LanesMustAgree) {
  Harness harness;
  ASSERT_EQ(harness.loadBody("u64 a", R"(
ld.param.u64 %d0, [a];
mov.u32 %r0, %tid.x;
and.b32 %r0, %r0, 1;
mul.wide.u32 %d1, %r0, 64;
add.s64 %d0, %d0, %d1;
wmma.load.b.sync.aligned.row.m16n16k16.global.s8 {%r1, %r2}, [%d0];
)"),
            "");
  harness.arg(harness.put(std::vector<uint8_t>(1024)));
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  EXPECT_TRUE(harness.hasFault(Rule::Convergence)) << harness.faultText();
}
