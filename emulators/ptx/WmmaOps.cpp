//===- WmmaOps.cpp - wmma.load, wmma.mma, wmma.store --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PTX does not say how a wmma fragment lies in registers, only how many there are. Here
// it lies as mma.sync's tiles would (MatrixLayouts.h), whatever the layout in memory, and
// where there are more registers than elements they repeat: f16 had each element twice on
// the first machine, and the number stayed.
//
//===----------------------------------------------------------------------===//

#include "emulators/ptx/Block.h"
#include "emulators/ptx/MatrixOps.h"
#include "emulators/ptx/MemoryAccess.h"

#include <algorithm>
#include <cstring>

using namespace tilewright::ptx;

namespace {
/// Shapes of a type of A and B, and how often the registers of each repeat.
struct Row {
  Type type;
  unsigned m, n, k;
  unsigned aCopies, bCopies;
};

/// A fragment with what a load or store needs beside it.
struct Access2D {
  Fragment fragment;
  bool innerIsContiguous; ///< in memory
  unsigned elementBytes;  ///< of what lies together
  unsigned elementBits;
  uint64_t stride; ///< in elements, where no operand says it
};
} // namespace

static const Row rows[] = {
    {Type::F16, 16, 16, 16, 2, 2}, {Type::F16, 32, 8, 16, 1, 4},
    {Type::F16, 8, 32, 16, 4, 1},  {Type::BF16, 16, 16, 16, 1, 1},
    {Type::BF16, 32, 8, 16, 1, 1}, {Type::BF16, 8, 32, 16, 1, 1},
    {Type::TF32, 16, 16, 8, 1, 1}, {Type::F64, 8, 8, 4, 1, 1},
    {Type::S8, 16, 16, 16, 1, 1},  {Type::S8, 32, 8, 16, 1, 1},
    {Type::S8, 8, 32, 16, 1, 1},   {Type::U8, 16, 16, 16, 1, 1},
    {Type::U8, 32, 8, 16, 1, 1},   {Type::U8, 8, 32, 16, 1, 1},
    {Type::S4, 8, 8, 32, 1, 1},    {Type::U4, 8, 8, 32, 1, 1},
    {Type::B1, 8, 8, 128, 1, 1},
};

static const Row *findRow(Type type, const MatrixSize &size) {
  for (const Row &row : rows)
    if (row.type == type && row.m == size.m && row.n == size.n && row.k == size.k)
      return &row;
  return nullptr;
}

/// Whether some type has a shape of `m` by `n` whose sums are of `type`.
static bool hasAccumulator(Type type, const MatrixSize &size) {
  for (const Row &row : rows) {
    if (row.m != size.m || row.n != size.n || row.k != size.k)
      continue;
    switch (getArithmetic(row.type)) {
    case Arithmetic::Double:
      if (type == Type::F64)
        return true;
      break;
    case Arithmetic::Float:
      if (type == Type::F32 || (type == Type::F16 && row.type == Type::F16))
        return true;
      break;
    default:
      if (type == Type::S32)
        return true;
    }
  }
  return false;
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// The value that all lanes have of `reg`, which `what` names; false if they differ or
/// are undefined, which is reported.
static bool getUniform(Warp &warp, uint32_t reg, const char *what, uint64_t &value) {
  if (!warp.expectSound(reg, what))
    return false;
  const uint64_t *values = warp.values(reg);
  value = values[0];
  for (unsigned lane = 1; lane < lanesPerWarp; ++lane)
    if (values[lane] != value) {
      warp.stop(Rule::Convergence,
                std::string(what) + " differs between lane 0 and lane " +
                    std::to_string(lane),
                lane);
      return false;
    }
  return true;
}

/// Calls `move(place, lane, register, first byte of it, bytes)` for each piece that is
/// contiguous both in memory and in a register.
template <typename Move>
static Step forPieces(Warp &warp, const Instruction &instruction, Access access,
                      Move move) {
  Step step;
  if (!haveAllLanes(warp, step))
    return step;
  const auto &shape = *static_cast<const Access2D *>(instruction.extra);
  const Fragment &fragment = shape.fragment;
  uint64_t base = 0, stride = shape.stride;
  if (!getUniform(warp, instruction.operand[0], "the address", base))
    return Step::Stop;
  base += instruction.immediate;
  if (instruction.operand[1] != noRegister) {
    if (!getUniform(warp, instruction.operand[1], "the stride", stride))
      return Step::Stop;
    stride &= 0xffffffff;
  }
  unsigned fragmentBytes = fragment.registers() * fragment.registerBits / 8;
  unsigned align = std::min(fragmentBytes, 16u);
  if (base % align || stride * shape.elementBits % (8 * align))
    return warp.stop(Rule::Misaligned,
                     "the address " + std::to_string(base) + " and the stride of " +
                         std::to_string(stride) + " elements must be multiples of " +
                         std::to_string(align) + " bytes",
                     0);
  // What one access moves: a run, or one element where rows are not along it.
  unsigned piece = shape.innerIsContiguous
                       ? std::min<unsigned>(fragment.run, fragment.perRegister())
                       : 1;
  unsigned bytes = std::max(piece * fragment.bits / 8, 1u);
  for (unsigned i = 0; i < fragment.elements; i += piece)
    for (unsigned lane = 0; lane < lanesPerWarp; ++lane) {
      Fragment::Position at = fragment.at(lane, i);
      uint64_t along = shape.innerIsContiguous ? at.inner : at.outer;
      uint64_t across = shape.innerIsContiguous ? at.outer : at.inner;
      // Words of single bits have a stride in bits.
      uint64_t bits = across * stride * shape.elementBits + along * fragment.bits;
      Place place = warp.find(instruction.space, base + bits / 8, bytes,
                              shape.elementBytes, lane, access);
      if (!place)
        return Step::Stop;
      unsigned per = fragment.perRegister();
      move(place, lane, i / per, i % per * fragment.bits / 8, bytes);
    }
  return Step::Next;
}

static Step executeLoad(Warp &warp, const Instruction &instruction) {
  const Fragment &fragment = static_cast<const Access2D *>(instruction.extra)->fragment;
  unsigned own = fragment.ownRegisters();
  uint64_t values[16][lanesPerWarp] = {};
  uint8_t poison[16][lanesPerWarp] = {};
  Busy busy;
  Step step = forPieces(warp, instruction, Access::Read,
                        [&](const Place &place, unsigned lane, unsigned reg,
                            unsigned first, unsigned bytes) {
                          uint64_t value = 0;
                          busy.add(orBytes(place.shadow, bytes), lane);
                          memcpy(&value, place.data, bytes);
                          values[reg][lane] |= value << (8 * first);
                          poison[reg][lane] |= Warp::poisonFromShadow(place.shadow, bytes)
                                               << first;
                        });
  if (step != Step::Next)
    return step;
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/true, busy.lane);
  for (unsigned i = 0; i < fragment.registers(); ++i) {
    if (instruction.list[i] == noRegister)
      continue;
    memcpy(warp.values(instruction.list[i]), values[i % own], sizeof(values[0]));
    memcpy(warp.poison(instruction.list[i]), poison[i % own], sizeof(poison[0]));
  }
  return step;
}

static Step executeStore(Warp &warp, const Instruction &instruction) {
  Busy busy;
  Step step = forPieces(warp, instruction, Access::Write,
                        [&](const Place &place, unsigned lane, unsigned reg,
                            unsigned first, unsigned bytes) {
                          uint32_t number = instruction.list[reg];
                          uint64_t value = warp.values(number)[lane] >> (8 * first);
                          memcpy(place.data, &value, bytes);
                          uint8_t before = orBytes(place.shadow, bytes);
                          busy.add(before, lane);
                          if (!(before & busyShadow))
                            Warp::poisonToShadow(warp.poison(number)[lane] >> first,
                                                 place.shadow, bytes);
                        });
  if (busy.shadow)
    reportBusy(warp, busy.shadow, /*isRead=*/false, busy.lane);
  return step;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

/// wmma.load of matrix `matrix` (0 A, 1 B, 2 C), or wmma.store of D (3).
static void decodeAccess(Decoder &decoder, unsigned matrix) {
  takeSyncAligned(decoder);
  auto layout = decoder.takeOneOf({"row", "col"});
  MatrixSize size = takeShape(decoder);
  decoder.result.space = decoder.takeSpace();
  if (decoder.result.space != Space::Generic && decoder.result.space != Space::Global &&
      decoder.result.space != Space::Shared)
    decoder.fail("the matrix is in global or shared memory");
  Type type = decoder.takeType();
  if (!layout || !decoder.expectOperands(2, 3)) {
    decoder.fail(".row or .col is missing");
    return;
  }
  const Row *row = findRow(type, size);
  if (matrix < 2 ? !row : !hasAccumulator(type, size)) {
    decoder.fail("the shape is not modelled for this type");
    return;
  }
  requireArchitecture(decoder, 75);
  bool byRows = *layout == 0;
  if ((type == Type::S4 || type == Type::U4 || type == Type::B1) &&
      byRows != (matrix == 0))
    decoder.fail("elements narrower than a byte are contiguous along k");

  Access2D shape;
  unsigned rowCount = matrix == 1 ? size.k : size.m;
  unsigned columnCount = matrix == 0 ? size.k : size.n;
  switch (matrix) {
  case 0:
    shape.fragment = makeMultiplicand(type, size.m, size.k);
    shape.fragment.copies = static_cast<uint8_t>(row->aCopies);
    break;
  case 1:
    shape.fragment = makeMultiplicand(type, size.n, size.k);
    shape.fragment.copies = static_cast<uint8_t>(row->bCopies);
    break;
  default:
    shape.fragment = makeAccumulator(type, size.m, size.n);
  }
  // The inner dimension is the columns', but of B the rows'.
  shape.innerIsContiguous = byRows != (matrix == 1);
  shape.elementBits = getBits(type);
  shape.elementBytes = std::max(shape.elementBits / 8, 1u);
  shape.stride = byRows ? columnCount : rowCount;

  bool isStore = matrix == 3;
  const Operand &list = decoder.at(isStore ? 1 : 0);
  size_t count = list.kind == Operand::Vector ? list.items.size() : 1;
  if (count != shape.fragment.registers())
    decoder.fail("it has " + std::to_string(count) + " registers, not " +
                 std::to_string(shape.fragment.registers()));
  decoder.result.operand[0] =
      decoder.address(decoder.at(isStore ? 0 : 1), decoder.result.space);
  if (decoder.operandCount() == 3)
    decoder.result.operand[1] = decoder.source(2, Type::B32);
  decoder.addList(list, shape.fragment.registerBits == 64 ? Type::B64 : Type::B32,
                  isStore);
  decoder.result.type = type;
  decoder.result.extra = decoder.keep(std::move(shape));
  decoder.result.execute = isStore ? executeStore : executeLoad;
}

static void decodeWmmaMma(Decoder &decoder) {
  takeSyncAligned(decoder);
  // Fragments are the same for all layouts.
  if (!decoder.takeOneOf({"row", "col"}) || !decoder.takeOneOf({"row", "col"}))
    decoder.fail("the layouts of A and B are missing");
  std::string_view firstLayout;
  for (std::string_view modifier : decoder.statement.modifiers)
    if (firstLayout.empty() && (modifier == "row" || modifier == "col"))
      firstLayout = modifier;
  bool isRowCol =
      firstLayout == "row" && std::count(decoder.statement.modifiers.begin(),
                                         decoder.statement.modifiers.end(), "col") == 1;
  MmaShape shape;
  shape.size = takeShape(decoder);
  Type types[4];
  for (Type &type : types)
    type = decoder.takeType();
  if (types[2] == Type::None) {
    // D and C only: A and B are f16.
    shape.d = types[0];
    shape.c = types[1];
    shape.a = shape.b = Type::F16;
  } else {
    shape.d = types[0];
    shape.a = types[1];
    shape.b = types[2];
    shape.c = types[3];
  }
  if (getBits(shape.a) < 8 && !isRowCol)
    decoder.fail("elements narrower than a byte are contiguous along k: .row.col");
  const Row *row = findRow(shape.a, shape.size);
  if (!row || shape.a != shape.b) {
    decoder.fail("the shape is not modelled for these types");
    return;
  }
  if (!hasAccumulator(shape.c, shape.size) || !hasAccumulator(shape.d, shape.size) ||
      (shape.c != shape.d && shape.a != Type::F16) ||
      getArithmetic(shape.a) != getArithmetic(shape.c == Type::S32 ? shape.a : shape.c) ||
      ((shape.c == Type::F16 || shape.d == Type::F16) && shape.a != Type::F16))
    decoder.fail("the types of C and D do not fit those of A and B");
  if (shape.a == Type::B1) {
    auto operation = decoder.takeOneOf({"xor", "and"});
    if (!operation || !decoder.take("popc"))
      decoder.fail("xor.popc or and.popc is missing");
    shape.isAnd = operation == 1u;
  } else if (getArithmetic(shape.a) == Arithmetic::Integer) {
    shape.clamps = decoder.take("satfinite");
  } else if (shape.a == Type::F64) {
    decoder.take("rn"); // the default
  }
  decodeProduct(decoder, shape, row->aCopies, row->bCopies);
}

void tilewright::ptx::decodeWmma(Decoder &decoder) {
  if (decoder.take("mma"))
    return decodeWmmaMma(decoder);
  if (decoder.take("store")) {
    if (!decoder.take("d"))
      decoder.fail("only D is stored");
    return decodeAccess(decoder, 3);
  }
  auto matrix = decoder.take("load") ? decoder.takeOneOf({"a", "b", "c"}) : std::nullopt;
  if (!matrix)
    return decoder.fail("wmma is load, store or mma");
  decodeAccess(decoder, *matrix);
}
