//===- AtomList.cpp - All atoms that a CPU has --------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/InstructionInfo.h"

using namespace mlir;
using namespace tilewright::cpu;

SmallVector<RowRun, 3> tilewright::cpu::getRowRuns(AtomAttr atom, int64_t m) {
  int64_t rows = atom.getRows(), whole = m / rows, rest = m % rows, begin = 0;
  SmallVector<RowRun, 3> runs;
  auto add = [&](int64_t rowsOfEach, int64_t count) {
    if (rowsOfEach > 0 && count > 0)
      runs.push_back({begin, rowsOfEach, count});
    begin += rowsOfEach * count;
  };
  if (whole == 0 || rest == 0 || 2 * rest > rows || atom.isTile()) {
    add(rows, whole);
    add(rest, 1);
    return runs;
  }
  int64_t larger = llvm::divideCeil(rows + rest, 2);
  larger = llvm::alignTo(larger, atom.isSquare() ? 2 : 1);
  int64_t smaller = rows + rest - larger;
  add(rows, whole - 1);
  add(larger, larger == smaller ? 2 : 1);
  if (larger != smaller)
    add(smaller, 1);
  return runs;
}

int64_t tilewright::cpu::getGroupsOfTile(int64_t groups) {
  for (int64_t part = sideOfTile; part > 1; --part)
    if (groups % part == 0)
      return part;
  return 1;
}

/// Blocks of C in tiles of AMX, of which there are eight: those of C, and of each of its
/// rows and columns one of A and one of B.
static constexpr std::pair<int64_t, int64_t> tileBlocks[] = {{1, 1}, {1, 2}, {1, 3},
                                                             {2, 1}, {2, 2}, {3, 1}};

SmallVector<AtomAttr> tilewright::cpu::getCpuAtoms(MLIRContext *context,
                                                   const CpuTarget &target) {
  Builder b(context);
  Type f32 = b.getF32Type(), f64 = b.getF64Type(), i32 = b.getI32Type();
  struct Row {
    Instruction instruction;
    Type element, accumulator;
  };
  Type bf16 = b.getBF16Type(), i8 = b.getI8Type();
  const Row rows[] = {
      {Instruction::Fma, f32, f32},
      {Instruction::Fma, f64, f64},
      {Instruction::DotBF16, bf16, f32},
      {Instruction::DotI8, i8, i32},
      {Instruction::DotI16, b.getI16Type(), i32},
      {Instruction::MultiplyAdd, i32, i32},
      {Instruction::BfDot, bf16, f32},
      {Instruction::SDot, i8, i32},
      {Instruction::UDot, i8, i32},
      {Instruction::BfMmla, bf16, f32},
      {Instruction::SMmla, i8, i32},
      {Instruction::UMmla, i8, i32},
      {Instruction::TileBF16, bf16, f32},
      {Instruction::TileI8, i8, i32},
      {Instruction::TileU8, i8, i32},
  };
  int64_t bits = target.getVectorBits(), registers = target.getVectorRegisters();
  SmallVector<AtomAttr> atoms;
  for (const Row &row : rows) {
    InstructionInfo info = getInfo(row.instruction, row.element.isF64());
    const char *features = info.getFeatures(bits);
    bool isAbsent = getIssueRate(target.getModel(), row.instruction) == 0;
    if (!features || isAbsent || !llvm::all_of(splitFeatures(features), [&](StringRef f) {
          return target.hasFeature(f);
        }))
      continue;
    int64_t lanes = bits / row.accumulator.getIntOrFloatBitWidth();
    if (multipliesTiles(row.instruction)) {
      for (auto [m, n] : tileBlocks)
        atoms.push_back(AtomAttr::get(context, row.instruction, m * sideOfTile,
                                      n * sideOfTile, info.depth, row.element,
                                      row.accumulator, bits, AtomForm::Outer));
      continue;
    }
    bool isSquare = multipliesSquares(row.instruction);
    // Besides C: a row of B, one broadcast, and a product that is added by another
    // instruction. Four columns of B are two registers where C is in squares.
    int64_t perVector = isSquare ? 2 : 1;
    bool addsApart = row.instruction == Instruction::DotI16 ||
                     (row.instruction == Instruction::MultiplyAdd && bits != 128);
    int64_t others = addsApart ? 2 : 1;
    for (int64_t vectors : {1, 2, 3, 4, 6})
      for (int64_t m = isSquare ? 2 : 1; (m + perVector) * vectors + others <= registers;
           m += isSquare ? 2 : 1)
        atoms.push_back(AtomAttr::get(context, row.instruction, m, vectors * lanes,
                                      info.depth, row.element, row.accumulator, bits,
                                      AtomForm::Outer));
    if (isSquare)
      continue;
    // Besides C and B: one broadcast, a row that is woven, and the patterns.
    bool canWeave =
        row.instruction == Instruction::DotBF16 || row.instruction == Instruction::BfDot;
    for (int64_t vectors : {2, 4})
      for (int64_t m = 1; canWeave && (m + 1) * vectors + 4 <= registers; ++m)
        atoms.push_back(AtomAttr::get(context, row.instruction, m, vectors * lanes,
                                      info.depth, row.element, row.accumulator, bits,
                                      AtomForm::Woven));
    // Besides C: a vector of each row of A, one of B, and for dpbusd the excess.
    int64_t perColumn = row.instruction == Instruction::DotI8 ? 2 : 1;
    for (int64_t columns : {1, 2, 4, 8})
      for (int64_t m = 1; m * columns + m + perColumn + others - 1 <= registers; ++m)
        atoms.push_back(AtomAttr::get(context, row.instruction, m, columns, info.depth,
                                      row.element, row.accumulator, bits,
                                      AtomForm::Inner));
  }
  return atoms;
}
