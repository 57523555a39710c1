//===- MmaOps.cpp - mma.sync --------------------------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which shapes and types there are. Sparse forms and the block-scaled forms of sm_120 are
// refused.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/MatrixOps.h"

#include <algorithm>

using namespace tilewright::ptx;

namespace {
/// Shapes of a type of A and B.
struct Row {
  std::initializer_list<Type> types;
  unsigned m, n, k;
  unsigned architecture;
};
} // namespace

static const Row rows[] = {
    {{Type::F64}, 8, 8, 4, 80},
    {{Type::F64}, 16, 8, 4, 90},
    {{Type::F64}, 16, 8, 8, 90},
    {{Type::F64}, 16, 8, 16, 90},
    {{Type::TF32}, 16, 8, 4, 80},
    {{Type::TF32}, 16, 8, 8, 80},
    {{Type::F16}, 16, 8, 8, 75},
    {{Type::F16}, 16, 8, 16, 80},
    {{Type::BF16}, 16, 8, 8, 80},
    {{Type::BF16}, 16, 8, 16, 80},
    {{Type::E4M3, Type::E5M2}, 16, 8, 16, 89},
    {{Type::E4M3, Type::E5M2}, 16, 8, 32, 89},
    {{Type::S8, Type::U8}, 8, 8, 16, 75},
    {{Type::S8, Type::U8}, 16, 8, 16, 80},
    {{Type::S8, Type::U8}, 16, 8, 32, 80},
    {{Type::S4, Type::U4}, 8, 8, 32, 75},
    {{Type::S4, Type::U4}, 16, 8, 32, 80},
    {{Type::S4, Type::U4}, 16, 8, 64, 80},
    {{Type::B1}, 8, 8, 128, 75},
    {{Type::B1}, 16, 8, 128, 80},
    {{Type::B1}, 16, 8, 256, 80},
};

/// The row of `size` that has both types; null if there is none.
static const Row *findRow(const MatrixSize &size, Type a, Type b) {
  for (const Row &row : rows) {
    bool hasA = false, hasB = false;
    for (Type type : row.types) {
      hasA |= type == a;
      hasB |= type == b;
    }
    if (hasA && hasB && size.m == row.m && size.n == row.n && size.k == row.k)
      return &row;
  }
  return nullptr;
}

/// Whether C and D of `type` go with A of `a`.
static bool fitsAccumulator(Type a, Type type) {
  switch (getArithmetic(a)) {
  case Arithmetic::Double:
    return type == Type::F64;
  case Arithmetic::Integer:
  case Arithmetic::Bits:
    return type == Type::S32;
  case Arithmetic::Float:
    return type == Type::F32 ||
           (type == Type::F16 && (a == Type::F16 || a == Type::E4M3 || a == Type::E5M2));
  }
  return false;
}

void tilewright::ptx::decodeMma(Decoder &decoder) {
  takeSyncAligned(decoder);
  MmaShape shape;
  shape.size = takeShape(decoder);
  const auto &types = decoder.statement.modifiers;
  bool hasHalves = std::find(types.begin(), types.end(), "f16") != types.end();
  if (hasHalves && shape.size.m == 8 && shape.size.n == 8 && shape.size.k == 4)
    return decodeMmaQuad(decoder);
  if (!decoder.take("row") || !decoder.take("col"))
    decoder.fail("A by rows and B by columns are what is modelled");
  shape.d = decoder.takeType();
  shape.a = decoder.takeType();
  shape.b = decoder.takeType();
  shape.c = decoder.takeType();
  const Row *row = findRow(shape.size, shape.a, shape.b);
  if (!row) {
    decoder.fail("the shape is not modelled for these types");
    return;
  }
  requireArchitecture(decoder, row->architecture);
  if (shape.c != shape.d || !fitsAccumulator(shape.a, shape.d))
    decoder.fail("the types of C and D do not fit those of A and B");
  switch (getArithmetic(shape.a)) {
  case Arithmetic::Integer:
    shape.clamps = decoder.take("satfinite");
    break;
  case Arithmetic::Bits: {
    auto operation = decoder.takeOneOf({"xor", "and"});
    if (!operation || !decoder.take("popc"))
      decoder.fail("xor.popc or and.popc is missing");
    shape.isAnd = operation == 1u;
    break;
  }
  case Arithmetic::Double:
    decoder.take("rn"); // the default
    break;
  case Arithmetic::Float:
    break;
  }
  decodeProduct(decoder, shape);
}
