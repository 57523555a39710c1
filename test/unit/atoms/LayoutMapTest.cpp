//===- LayoutMapTest.cpp - Arithmetic on layouts ------------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "dialects/tile/LayoutMap.h"
#include "dialects/tile/Tile.h"

#include "mlir/AsmParser/AsmParser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tilewright::tile;

namespace {
class Layouts : public ::testing::Test {
protected:
  Layouts() { context.loadDialect<TileDialect>(); }

  template <typename T> T parse(StringRef text) {
    auto attr = dyn_cast_or_null<T>(parseAttribute(text, &context));
    EXPECT_TRUE(attr) << text.str();
    return attr;
  }
  LayoutMap layout(StringRef text) { return LayoutMap::get(parse<LayoutAttr>(text)); }

  /// The diagnostic that parsing `text` gives.
  std::string reject(StringRef text) {
    std::string message;
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) { message = d.str(); });
    EXPECT_FALSE(parseAttribute(text, &context)) << text.str();
    return message;
  }

  std::string print(Attribute attr) {
    std::string text;
    llvm::raw_string_ostream(text) << attr;
    return text;
  }

  MLIRContext context;
};
} // namespace

using Index = SmallVector<int64_t>;

TEST_F(Layouts, LocatesByDigits) {
  LayoutMap map = layout("#tile.layout<[vector 2:2, lane 8:4], [lane 4:1, vector 2:1]>");
  EXPECT_EQ(map.getShape(), ArrayRef<int64_t>({16, 8}));
  EXPECT_EQ(map.locate({0, 3}), (Place{1, 1, 0, 0}));
  EXPECT_EQ(map.locate({9, 2}), (Place{2, 5, 0, 0}));
  EXPECT_EQ(*map.getIndexAt({3, 31, 0, 0}), (Index{15, 7}));
  EXPECT_EQ(map.getVectorWidth(0), 1);
  EXPECT_EQ(map.getVectorWidth(1), 2);
}

TEST_F(Layouts, PrintWhatTheyRead) {
  for (StringRef text :
       {"#tile.layout<[vector 3:4, lane 4:1, vector 2:1], [warp 4:1, vector 2:2, lane "
        "8:4]>",
        "#tile.layout<[lane 16:1], [vector 16:1], replicate [lane 2:16]>",
        "#tile.layout<[], [lane 32:1]>", "#tile.shared_layout<[8, 64], swizzle(3, 4, 3)>",
        "#tile.shared_layout<[16]>", "#tile.panel<interleave = 2, columns = 32, bf16>"})
    EXPECT_EQ(print(parse<Attribute>(text)), text);
}

TEST_F(Layouts, AreVerified) {
  EXPECT_EQ(reject("#tile.layout<[lane 1:1]>").find("(C1)"), 0u);
  EXPECT_EQ(reject("#tile.layout<[lane 4:0]>").find("(C1)"), 0u);
  // A gap in the lanes, and two factors that count the same ones.
  EXPECT_EQ(reject("#tile.layout<[lane 4:2]>").find("(C2)"), 0u);
  EXPECT_EQ(reject("#tile.layout<[lane 4:1], [lane 8:1]>").find("(C2)"), 0u);
  EXPECT_EQ(reject("#tile.layout<[lane 4:1], replicate [lane 2:8]>").find("(C2)"), 0u);
  EXPECT_EQ(reject("#tile.shared_layout<[0, 8]>").find("(C1)"), 0u);
  EXPECT_EQ(reject("#tile.shared_layout<[8, 8], swizzle(4, 4, 3)>").find("(C2)"), 0u);
  EXPECT_EQ(reject("#tile.panel<interleave = 0, columns = 8, f32>").find("(C1)"), 0u);
  EXPECT_EQ(reject("#tile.panel<interleave = 1, columns = 8, index>").find("(C2)"), 0u);
}

TEST_F(Layouts, EqualMapsAreEqual) {
  // 8 lanes in steps of 4 are 2 in steps of 16 and 4 in steps of 4.
  EXPECT_TRUE(layout("#tile.layout<[lane 8:4], [lane 4:1]>") ==
              layout("#tile.layout<[lane 2:16, lane 4:4], [lane 4:1]>"));
  EXPECT_FALSE(layout("#tile.layout<[lane 8:4], [lane 4:1]>") ==
               layout("#tile.layout<[lane 2:4, lane 4:8], [lane 4:1]>"));
  EXPECT_FALSE(layout("#tile.layout<[lane 8:4], [lane 4:1]>") ==
               layout("#tile.layout<[lane 8:1], [lane 4:8]>"));
  EXPECT_TRUE(layout("#tile.layout<[lane 4:1], replicate [lane 2:4, lane 2:8]>") ==
              layout("#tile.layout<[lane 4:1], replicate [lane 4:4]>"));
  // A box as wide as the tile is row-major; a panel as wide as the operand, with nothing
  // interleaved, is a row-major matrix.
  auto shared = [&](StringRef text, ArrayRef<int64_t> shape) {
    return LayoutMap::get(parse<SharedLayoutAttr>(text), shape, 2);
  };
  EXPECT_TRUE(shared("#tile.shared_layout<[4, 32]>", {16, 32}) ==
              shared("#tile.shared_layout<[16, 32]>", {16, 32}));
  EXPECT_FALSE(shared("#tile.shared_layout<[16, 16]>", {16, 32}) ==
               shared("#tile.shared_layout<[16, 32]>", {16, 32}));
  EXPECT_TRUE(
      LayoutMap::get(parse<PanelAttr>("#tile.panel<interleave = 1, columns = 32, f32>"),
                     16, 32) == shared("#tile.shared_layout<[16, 32]>", {16, 32}));
  // The tile is too small for the bits that the swizzle reads.
  EXPECT_TRUE(shared("#tile.shared_layout<[1, 32], swizzle(3, 4, 3)>", {1, 32}) ==
              shared("#tile.shared_layout<[1, 32]>", {1, 32}));
}

TEST_F(Layouts, PanelsInterleaveAndPad) {
  LayoutMap map = LayoutMap::get(
      parse<PanelAttr>("#tile.panel<interleave = 2, columns = 4, bf16>"), 5, 6);
  EXPECT_EQ(map.getExtent(FactorKind::Vector), 6 * 8); // 5 x 6 padded to 6 x 8
  EXPECT_EQ(map.locate({0, 0})[0], 0);
  EXPECT_EQ(map.locate({1, 0})[0], 1);
  EXPECT_EQ(map.locate({0, 1})[0], 2);
  EXPECT_EQ(map.locate({2, 0})[0], 8);
  EXPECT_EQ(map.locate({0, 4})[0], 24);
  EXPECT_EQ(*map.getIndexAt({25, 0, 0, 0}), (Index{1, 4}));
  EXPECT_FALSE(map.getIndexAt({17, 0, 0, 0})); // row 5
  EXPECT_FALSE(map.getIndexAt({28, 0, 0, 0})); // column 6
}

// The 128-byte swizzle of TMA on rows of 64 elements of 16 bits: chunk c of row r lies
// where chunk c ^ (r % 8) would.
TEST_F(Layouts, SwizzleMovesChunks) {
  LayoutMap map = LayoutMap::get(
      parse<SharedLayoutAttr>("#tile.shared_layout<[8, 64], swizzle(3, 4, 3)>"),
      {16, 128}, 2);
  for (int64_t row = 0; row < 16; ++row)
    for (int64_t column = 0; column < 128; ++column) {
      int64_t box = row / 8 * 2 + column / 64, chunk = column % 64 / 8;
      int64_t offset = box * 512 + row % 8 * 64 + (chunk ^ (row % 8)) * 8 + column % 8;
      EXPECT_EQ(map.locate({row, column})[0], offset);
      EXPECT_EQ(*map.getIndexAt({offset, 0, 0, 0}), (Index{row, column}));
    }
  EXPECT_EQ(map.getVectorWidth(1), 8);
  EXPECT_EQ(map.getVectorWidth(0), 1);
}

// Rows of 128 bytes: a warp that reads 16 bytes from each of 32 rows hits the same four
// banks in every pass of eight lanes, unless the tile is swizzled.
TEST_F(Layouts, SwizzleAvoidsBankConflicts) {
  LayoutMap rows = layout("#tile.layout<[lane 32:1], [vector 64:1]>");
  auto conflicts = [&](StringRef text) {
    return LayoutMap::get(parse<SharedLayoutAttr>(text), {32, 64}, 2)
        .countBankConflicts(rows, /*dim=*/1);
  };
  // 8 vectors, 4 passes each, 8 rows in one bank: 7 passes more than needed.
  EXPECT_EQ(conflicts("#tile.shared_layout<[32, 64]>"), 8 * 4 * 7);
  EXPECT_EQ(conflicts("#tile.shared_layout<[32, 64], swizzle(3, 4, 3)>"), 0);
  EXPECT_EQ(conflicts("#tile.shared_layout<[32, 64], swizzle(1, 4, 3)>"), 8 * 4 * 3);
  // Lanes along the row never conflict; a replica reads the same words.
  LayoutMap along = layout("#tile.layout<[vector 8:8], [lane 32:1, vector 8:1]>");
  LayoutMap tile = LayoutMap::get(
      parse<SharedLayoutAttr>("#tile.shared_layout<[8, 256]>"), {8, 256}, 2);
  EXPECT_EQ(tile.countBankConflicts(along, 1), 0);
}
