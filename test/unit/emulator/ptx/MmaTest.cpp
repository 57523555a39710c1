//===- MmaTest.cpp - mma.sync against the manual's fragment tables ------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MatrixHarness.h"

#include <functional>

using namespace tilewright::ptx;
using namespace tilewright::ptx::test;
using tilewright::emulator::Rule;

namespace {

struct Position {
  unsigned row, column;
};
/// Where element `i` of a lane lies, with the lane's group (lane / 4) and its number
/// there (lane % 4), as the manual writes its formulas.
using Formula = std::function<Position(unsigned group, unsigned thread, unsigned i)>;

struct Shape {
  unsigned m, n, k;
  Formula a, b, c;
};

// The manual's tables, one by one.
Position c16(unsigned g, unsigned t, unsigned i) {
  return {i < 2 ? g : g + 8, t * 2 + (i & 1)};
}
Position c8(unsigned g, unsigned t, unsigned i) { return {g, t * 2 + i}; }

const Shape m8n8k4F64{8,
                      8,
                      4,
                      [](unsigned g, unsigned t, unsigned) { return Position{g, t}; },
                      [](unsigned g, unsigned t, unsigned) { return Position{t, g}; },
                      c8};
const Shape m16n8k4{
    16,
    8,
    4,
    [](unsigned g, unsigned t, unsigned i) { return Position{i == 0 ? g : g + 8, t}; },
    [](unsigned g, unsigned t, unsigned) { return Position{t, g}; },
    c16};
const Shape m16n8k8Words{
    16,
    8,
    8,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i == 0 || i == 2 ? g : g + 8, i < 2 ? t : t + 4};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{i == 0 ? t : t + 4, g}; },
    c16};
const Shape m16n8k16F64{
    16,
    8,
    16,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i % 2 == 0 ? g : g + 8, i / 2 * 4 + t};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{i * 4 + t, g}; },
    c16};
const Shape m16n8k8Halves{
    16,
    8,
    8,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i < 2 ? g : g + 8, t * 2 + (i & 1)};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 2 + i, g}; },
    c16};
const Shape m16n8k16Halves{16,
                           8,
                           16,
                           [](unsigned g, unsigned t, unsigned i) {
                             bool upper = i < 2 || (i >= 4 && i < 6);
                             return Position{upper ? g : g + 8,
                                             t * 2 + (i & 1) + (i < 4 ? 0 : 8)};
                           },
                           [](unsigned g, unsigned t, unsigned i) {
                             return Position{t * 2 + (i & 1) + (i < 2 ? 0 : 8), g};
                           },
                           c16};
const Shape m8n8k16Bytes{
    8,
    8,
    16,
    [](unsigned g, unsigned t, unsigned i) { return Position{g, t * 4 + i}; },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 4 + i, g}; },
    c8};
const Shape m16n8k16Bytes{
    16,
    8,
    16,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i < 4 ? g : g + 8, t * 4 + (i & 3)};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 4 + i, g}; },
    c16};
const Shape m16n8k32Bytes{16,
                          8,
                          32,
                          [](unsigned g, unsigned t, unsigned i) {
                            bool upper = i < 4 || (i >= 8 && i < 12);
                            return Position{upper ? g : g + 8,
                                            t * 4 + (i & 3) + (i < 8 ? 0 : 16)};
                          },
                          [](unsigned g, unsigned t, unsigned i) {
                            return Position{t * 4 + (i & 3) + (i < 4 ? 0 : 16), g};
                          },
                          c16};
const Shape m8n8k32Nibbles{
    8,
    8,
    32,
    [](unsigned g, unsigned t, unsigned i) { return Position{g, t * 8 + i}; },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 8 + i, g}; },
    c8};
const Shape m16n8k32Nibbles{
    16,
    8,
    32,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i < 8 ? g : g + 8, t * 8 + (i & 7)};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 8 + i, g}; },
    c16};
const Shape m16n8k64Nibbles{16,
                            8,
                            64,
                            [](unsigned g, unsigned t, unsigned i) {
                              bool upper = i < 8 || (i >= 16 && i < 24);
                              return Position{upper ? g : g + 8,
                                              t * 8 + (i & 7) + (i < 16 ? 0 : 32)};
                            },
                            [](unsigned g, unsigned t, unsigned i) {
                              return Position{t * 8 + (i & 7) + (i < 8 ? 0 : 32), g};
                            },
                            c16};
const Shape m8n8k128Bits{
    8,
    8,
    128,
    [](unsigned g, unsigned t, unsigned i) { return Position{g, t * 32 + i}; },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 32 + i, g}; },
    c8};
const Shape m16n8k128Bits{
    16,
    8,
    128,
    [](unsigned g, unsigned t, unsigned i) {
      return Position{i < 32 ? g : g + 8, t * 32 + (i & 31)};
    },
    [](unsigned g, unsigned t, unsigned i) { return Position{t * 32 + i, g}; },
    c16};
const Shape m16n8k256Bits{16,
                          8,
                          256,
                          [](unsigned g, unsigned t, unsigned i) {
                            bool upper = i < 32 || (i >= 64 && i < 96);
                            return Position{upper ? g : g + 8,
                                            t * 32 + (i & 31) + (i < 64 ? 0 : 128)};
                          },
                          [](unsigned g, unsigned t, unsigned i) {
                            return Position{t * 32 + (i & 31) + (i < 32 ? 0 : 128), g};
                          },
                          c16};

/// The registers of a fragment: word r of lane l is at r * 32 + l.
struct Registers {
  unsigned bits, perRegister, count;
  std::vector<uint64_t> words;

  Registers(const std::string &type, unsigned elements)
      : bits(bitsOf(type)), perRegister(bits == 64 ? 1 : 32 / bits),
        count(elements / 32 / perRegister), words(count * 32) {}
};

Registers distribute(const TestMatrix &matrix, const Formula &formula) {
  Registers registers(matrix.type, matrix.rows * matrix.columns);
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < registers.count * registers.perRegister; ++i) {
      Position at = formula(lane / 4, lane % 4, i);
      registers.words[i / registers.perRegister * 32 + lane] |=
          matrix.bits[at.row * matrix.columns + at.column]
          << (i % registers.perRegister * registers.bits);
    }
  return registers;
}

/// A kernel that loads A, B and C, multiplies them by `mnemonic` and stores D.
std::string makeText(const std::string &mnemonic, const Registers &a, const Registers &b,
                     const Registers &c) {
  std::string text = ".version 8.8\n.target sm_90a\n.address_size 64\n"
                     ".visible .entry k(.param .u64 a, .param .u64 b, .param .u64 c, "
                     ".param .u64 d)\n{\n.reg .b64 %p<8>;\n.reg .b32 %t;\n"
                     "mov.u32 %t, %tid.x;\nmul.wide.u32 %p0, %t, 8;\n";
  auto declare = [&](const char *name, const Registers &registers) {
    const char *type = registers.bits == 64 ? ".b64" : ".b32";
    text += std::string(".reg ") + type + " %" + name + "<" +
            std::to_string(registers.count) + ">;\n";
  };
  auto vector = [&](const char *name, const Registers &registers) {
    std::string list = "{";
    for (unsigned i = 0; i < registers.count; ++i)
      list += std::string(i ? ", %" : "%") + name + std::to_string(i);
    return list + "}";
  };
  auto address = [&](const char *name) {
    text += std::string("ld.param.u64 %p1, [") + name + "];\nadd.s64 %p1, %p1, %p0;\n";
  };
  auto transfer = [&](const char *name, const Registers &registers, bool isStore) {
    address(name);
    const char *type = registers.bits == 64 ? "b64" : "b32";
    for (unsigned i = 0; i < registers.count; ++i) {
      std::string at = "[%p1+" + std::to_string(i * 256) + "]";
      std::string reg = "%" + std::string(name) + std::to_string(i);
      text += isStore ? "st.global." + std::string(type) + " " + at + ", " + reg + ";\n"
                      : "ld.global." + std::string(type) + " " + reg + ", " + at + ";\n";
    }
  };
  declare("a", a);
  declare("b", b);
  declare("c", c);
  declare("d", c);
  transfer("a", a, false);
  transfer("b", b, false);
  transfer("c", c, false);
  text += mnemonic + " " + vector("d", c) + ", " + vector("a", a) + ", " +
          vector("b", b) + ", " + vector("c", c) + ";\n";
  transfer("d", c, true);
  return text + "ret;\n}\n";
}

double clampTo32(double value) {
  return std::min(std::max(value, -2147483648.0), 2147483647.0);
}

void check(const std::string &name, const Shape &shape, const std::string &aType,
           const std::string &bType, const std::string &cType,
           const std::string &modifier = "") {
  std::string mnemonic = "mma.sync.aligned." + name + ".row.col" +
                         (modifier == ".satfinite" ? modifier : "") + "." + cType + "." +
                         aType + "." + bType + "." + cType +
                         (modifier == ".satfinite" ? "" : modifier);
  SCOPED_TRACE(mnemonic);
  TestMatrix a(aType, shape.m, shape.k), b(bType, shape.k, shape.n),
      c(cType, shape.m, shape.n);
  a.fill();
  b.fill();
  c.fill();
  if (modifier == ".satfinite")
    for (size_t i = 0; i < c.bits.size(); ++i)
      c.bits[i] = i % 3 == 0 ? 0x7fffffff : i % 3 == 1 ? 0x80000000 : c.bits[i];
  Registers aRegisters = distribute(a, shape.a), bRegisters = distribute(b, shape.b);
  Registers cRegisters = distribute(c, shape.c);
  Harness harness;
  ASSERT_EQ(harness.load(makeText(mnemonic, aRegisters, bRegisters, cRegisters)), "");
  uint64_t result = harness.empty<uint64_t>(cRegisters.words.size());
  harness.arg(harness.put(aRegisters.words)).arg(harness.put(bRegisters.words));
  harness.arg(harness.put(cRegisters.words)).arg(result);
  ASSERT_EQ(harness.launch({1, 1, 1}, {32, 1, 1}), "");
  ASSERT_TRUE(harness.faults.empty()) << harness.faultText();
  EXPECT_EQ(harness.statistics.multiplyAdds, uint64_t(shape.m) * shape.n * shape.k);
  auto words = harness.get<uint64_t>(result, cRegisters.words.size());
  unsigned per = cRegisters.perRegister;
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < cRegisters.count * per; ++i) {
      Position at = shape.c(lane / 4, lane % 4, i);
      double expected = productAt(a, b, c.value(at.row, at.column), at.row, at.column,
                                  modifier == ".xor.popc");
      if (modifier == ".satfinite")
        expected = clampTo32(expected);
      if (cType == "f16")
        expected = roundToF16(expected);
      double found =
          valueOf(cType, words[i / per * 32 + lane] >> (i % per * cRegisters.bits));
      ASSERT_EQ(found, expected) << "lane " << lane << " element " << i;
    }
}

} // namespace

TEST(Mma, Doubles) {
  check("m8n8k4", m8n8k4F64, "f64", "f64", "f64");
  check("m16n8k4", m16n8k4, "f64", "f64", "f64");
  check("m16n8k8", m16n8k8Words, "f64", "f64", "f64");
  check("m16n8k16", m16n8k16F64, "f64", "f64", "f64", ".rn");
}

TEST(Mma, Tf32) {
  check("m16n8k4", m16n8k4, "tf32", "tf32", "f32");
  check("m16n8k8", m16n8k8Words, "tf32", "tf32", "f32");
}

TEST(Mma, Halves) {
  for (const char *type : {"f16", "bf16"}) {
    check("m16n8k8", m16n8k8Halves, type, type, "f32");
    check("m16n8k16", m16n8k16Halves, type, type, "f32");
  }
  check("m16n8k8", m16n8k8Halves, "f16", "f16", "f16");
  check("m16n8k16", m16n8k16Halves, "f16", "f16", "f16");
}

TEST(Mma, Fp8) {
  for (const char *a : {"e4m3", "e5m2"})
    for (const char *b : {"e4m3", "e5m2"})
      for (const char *c : {"f32", "f16"}) {
        check("m16n8k16", m16n8k16Bytes, a, b, c);
        check("m16n8k32", m16n8k32Bytes, a, b, c);
      }
}

TEST(Mma, Integers) {
  for (const char *a : {"s8", "u8"})
    for (const char *b : {"s8", "u8"})
      for (const char *modifier : {"", ".satfinite"}) {
        check("m8n8k16", m8n8k16Bytes, a, b, "s32", modifier);
        check("m16n8k16", m16n8k16Bytes, a, b, "s32", modifier);
        check("m16n8k32", m16n8k32Bytes, a, b, "s32", modifier);
      }
  for (const char *a : {"s4", "u4"})
    for (const char *b : {"s4", "u4"})
      for (const char *modifier : {"", ".satfinite"}) {
        check("m8n8k32", m8n8k32Nibbles, a, b, "s32", modifier);
        check("m16n8k32", m16n8k32Nibbles, a, b, "s32", modifier);
        check("m16n8k64", m16n8k64Nibbles, a, b, "s32", modifier);
      }
}

TEST(Mma, Bits) {
  for (const char *modifier : {".xor.popc", ".and.popc"}) {
    check("m8n8k128", m8n8k128Bits, "b1", "b1", "s32", modifier);
    check("m16n8k128", m16n8k128Bits, "b1", "b1", "s32", modifier);
    check("m16n8k256", m16n8k256Bits, "b1", "b1", "s32", modifier);
  }
}
