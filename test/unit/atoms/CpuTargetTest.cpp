//===- CpuTargetTest.cpp - CPU targets, their atoms and costs -----------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuCost.h"

#include "gtest/gtest.h"

using namespace mlir;
using namespace tilewright;
using namespace tilewright::cpu;

static CpuTarget parseTarget(StringRef spec) {
  llvm::Expected<CpuTarget> target = CpuTarget::parse(spec);
  if (!target)
    ADD_FAILURE() << llvm::toString(target.takeError());
  return std::move(*target);
}

static std::string rejectTarget(StringRef spec) {
  llvm::Expected<CpuTarget> target = CpuTarget::parse(spec);
  EXPECT_FALSE(target);
  return llvm::toString(target.takeError());
}

TEST(CpuTarget, EveryModelOfTheTableParses) {
  for (const CpuModel &model : getCpuModels()) {
    SCOPED_TRACE(model.name.str());
    CpuTarget target = parseTarget("cpu:" + model.name.str());
    EXPECT_EQ(target.getName(), "cpu:" + model.name.str());
    EXPECT_EQ(target.getVectorBits(), model.vectorBits); // features agree with the table
    EXPECT_EQ(target.getVectorRegisters(), model.vectorBits == 256 ? 16 : 32);
    EXPECT_EQ(model.bf16Dot > 0,
              target.hasFeature("avx512bf16") || target.hasFeature("bf16"));
    EXPECT_EQ(model.int8Dot > 0, target.hasFeature("avx512vnni") ||
                                     target.hasFeature("avxvnni") ||
                                     target.hasFeature("dotprod"));
    bool isX86 = model.architecture == Architecture::X86_64;
    EXPECT_NE(target.getFeatures().find(isX86 ? "+avx2" : "+neon"), std::string::npos);
    EXPECT_EQ(target.getArchitecture().triple,
              isX86 ? "x86_64-unknown-linux-gnu" : "aarch64-unknown-linux-gnu");
  }
}

// A virtual machine may hide what its CPU has: equal targets still have one name, and the
// costs are those of 256-bit code.
TEST(CpuTarget, HiddenFeaturesAreTakenAway) {
  CpuTarget target = parseTarget("cpu:znver4,-avx512bf16,-avx512f");
  EXPECT_EQ(target.getName(), "cpu:znver4,-avx512f");
  EXPECT_EQ(target.getCpu(), "znver4");
  EXPECT_EQ(target.getVectorBits(), 256);
  EXPECT_EQ(target.getModel().name, "znver3");
  EXPECT_EQ(target.getModel().l2Bytes, findCpuModel("znver4")->l2Bytes);
  for (StringRef feature : {"avx512f", "avx512bw", "avx512bf16", "avx512vnni"})
    EXPECT_FALSE(target.hasFeature(feature)) << feature.str();
  EXPECT_TRUE(target.hasFeature("avx2"));
  EXPECT_EQ(target.getRequiredFeatures().find("avx512"), std::string::npos);
  EXPECT_NE(target.getFeatures().find("-avx512f,"), std::string::npos);

  CpuTarget partly = parseTarget("cpu:znver4,-avx512bf16");
  EXPECT_EQ(partly.getVectorBits(), 512);
  EXPECT_EQ(parseTarget("cpu:znver3,-avx512f").getName(), "cpu:znver3");
  EXPECT_EQ(parseTarget(parseTarget("cpu").getName()).getFeatures(),
            parseTarget("cpu").getFeatures());
}

// What an extension of Arm's is the ground of goes with it.
TEST(CpuTarget, FeaturesOfArmAreTakenAway) {
  CpuTarget target = parseTarget("cpu:neoverse-v2,-sve,-bf16");
  EXPECT_EQ(target.getName(), "cpu:neoverse-v2,-bf16,-sve");
  EXPECT_FALSE(target.hasFeature("sve2"));
  EXPECT_TRUE(target.hasFeature("i8mm"));
  EXPECT_NE(target.getFeatures().find("-sve2"), std::string::npos);
  EXPECT_EQ(target.getRequiredFeatures().find("sve"), std::string::npos);
  EXPECT_NE(rejectTarget("cpu:neoverse-v2,-neon").find("lacks NEON"), std::string::npos);
  EXPECT_NE(rejectTarget("cpu:neoverse-v2,-avx2").find("write '-' and one of neon, lse"),
            std::string::npos);
}

TEST(CpuTarget, ErrorsSayWhatIsKnown) {
  EXPECT_NE(rejectTarget("cpu:z80").find("unknown CPU model 'z80'; known are x86-64-v3"),
            std::string::npos);
  EXPECT_NE(rejectTarget("cuda").find("write 'cpu' for this machine or 'cpu:MODEL'"),
            std::string::npos);
  for (StringRef spec : {"cpu:znver4,avx512f", "cpu:znver4,-sse9"})
    EXPECT_NE(rejectTarget(spec).find("takes no feature away; write '-' and one of avx2"),
              std::string::npos);
  EXPECT_NE(rejectTarget("cpu:znver4,-avx2").find("lacks AVX2 or FMA"),
            std::string::npos);
}

namespace {
class CpuAtoms : public ::testing::Test {
protected:
  CpuAtoms() { context.loadDialect<tile::TileDialect, CpuDialect>(); }

  /// The cheapest atom and whether it is used swapped.
  std::pair<AtomAttr, bool> select(StringRef spec, const GemmProblem &problem) {
    CpuTarget target = parseTarget(spec);
    std::pair<AtomAttr, bool> best;
    double least = std::numeric_limits<double>::infinity();
    for (bool swapped : {false, true}) {
      GemmProblem turned = swapped ? problem.getTransposed() : problem;
      for (AtomAttr atom : getCpuAtoms(&context, target)) {
        if (!atom.serves(turned.a.element, turned.b.element, turned.c,
                         turned.isUnsigned) ||
            (atom.isWoven() && !servesWoven(atom, turned)))
          continue;
        double cycles = estimateGemm(target.getModel(), atom, turned, swapped).getTotal();
        if (cycles < least)
          least = cycles, best = {atom, swapped};
      }
    }
    return best;
  }

  MLIRContext context;
  Builder b{&context};
};
} // namespace

TEST_F(CpuAtoms, BlocksFitTheRegisters) {
  for (StringRef spec : {"cpu:x86-64-v3", "cpu:znver4", "cpu:sapphirerapids",
                         "cpu:alderlake", "cpu:neoverse-n1", "cpu:neoverse-v2"}) {
    CpuTarget target = parseTarget(spec);
    SmallVector<AtomAttr> atoms = getCpuAtoms(&context, target);
    EXPECT_FALSE(atoms.empty());
    for (AtomAttr atom : atoms) {
      for (StringRef feature : atom.getRequiredFeatures())
        EXPECT_TRUE(target.hasFeature(feature)) << feature.str();
      EXPECT_TRUE(atom.getIssueInterval(target.getModel().name));
      if (atom.isTile()) { // a tile of A for each row of tiles of C, of B for each column
        int64_t rows = atom.getRows() / 16, columns = atom.getColumns() / 16;
        EXPECT_LE(rows * columns + rows + columns, 8);
        continue;
      }
      // Besides C: a vector of each column of B, or with vectors along K of each row of
      // A.
      int64_t loaded = atom.isInner() ? atom.getRows() : atom.getVectors();
      EXPECT_LT(atom.getRows() * atom.getVectors() + loaded, target.getVectorRegisters());
    }
  }
}

// The blocks that hand-written kernels use.
TEST_F(CpuAtoms, LargeF32TilesTakeTheKnownBlocks) {
  Type f32 = b.getF32Type();
  GemmProblem problem{112, 128, 64, {f32, true, 1}, {f32, false, 1}, f32, false, false};
  auto [wide, wideSwapped] = select("cpu:znver4", problem);
  EXPECT_FALSE(wideSwapped);
  EXPECT_EQ(wide.getRows(), 14);
  EXPECT_EQ(wide.getColumns(), 32);
  problem.m = 96;
  auto [narrow, narrowSwapped] = select("cpu:x86-64-v3", problem);
  EXPECT_FALSE(narrowSwapped);
  EXPECT_EQ(narrow.getRows(), 6);
  EXPECT_EQ(narrow.getColumns(), 16);
}

// vdpbf16ps doubles Zen 4's rate and is slower than widening on Sapphire Rapids, though
// both have the feature.
TEST_F(CpuAtoms, Bf16DependsOnTheModelNotTheFeature) {
  Type bf16 = b.getBF16Type();
  GemmProblem problem{128,   128,  64, {bf16, true, 1}, {bf16, false, 1}, b.getF32Type(),
                      false, false};
  EXPECT_EQ(select("cpu:znver4", problem).first.getInstruction(), Instruction::DotBF16);
  EXPECT_EQ(select("cpu:sapphirerapids,-amx-bf16", problem).first.getInstruction(),
            Instruction::Fma);
}

// Tiles of AMX are sixteen times as fast as vectors where a product fills them; one that
// has few rows, and whose weights are read once, leaves them idle.
TEST_F(CpuAtoms, TilesServeProductsThatFillThem) {
  Type bf16 = b.getBF16Type(), f32 = b.getF32Type(), i8 = b.getI8Type();
  GemmProblem floats{128, 128, 64, {bf16, true, 1}, {bf16, false, 1}, f32, false, false};
  auto [atom, swapped] = select("cpu:sapphirerapids", floats);
  EXPECT_EQ(atom.getInstruction(), Instruction::TileBF16);
  EXPECT_FALSE(swapped);
  EXPECT_EQ(atom.getRows(), 32);
  EXPECT_EQ(atom.getColumns(), 32);
  GemmProblem bytes{128,   128,  64, {i8, true, 1}, {i8, true, 1}, b.getI32Type(),
                    false, false};
  auto choose = [&](const GemmProblem &problem) {
    return select("cpu:graniterapids", problem).first.getInstruction();
  };
  EXPECT_EQ(choose(bytes), Instruction::TileI8);
  bytes.isUnsigned = true;
  EXPECT_EQ(choose(bytes), Instruction::TileU8);
  floats.m = 1, floats.b = {bf16, true, 1};
  EXPECT_EQ(choose(floats), Instruction::Fma);
}

// Products of squares are twice as many as dot products, where a CPU has them.
TEST_F(CpuAtoms, ArmMultipliesSquares) {
  Type bf16 = b.getBF16Type(), i8 = b.getI8Type();
  GemmProblem floats{128,   128,  64, {bf16, true, 1}, {bf16, false, 1}, b.getF32Type(),
                     false, false};
  GemmProblem bytes{128,   128,  64, {i8, true, 1}, {i8, true, 1}, b.getI32Type(),
                    false, false};
  GemmProblem natural = bytes;
  natural.isUnsigned = true;
  auto choose = [&](StringRef spec, const GemmProblem &problem) {
    return select(spec, problem).first.getInstruction();
  };
  EXPECT_EQ(choose("cpu:neoverse-v2", floats), Instruction::BfMmla);
  EXPECT_EQ(choose("cpu:neoverse-v2", bytes), Instruction::SMmla);
  EXPECT_EQ(choose("cpu:neoverse-v2", natural), Instruction::UMmla);
  EXPECT_EQ(choose("cpu:neoverse-v2,-i8mm", bytes), Instruction::SDot);
  EXPECT_EQ(choose("cpu:neoverse-n1", floats), Instruction::Fma);
  EXPECT_EQ(choose("cpu:neoverse-n1", bytes), Instruction::SDot);
  EXPECT_EQ(choose("cpu:neoverse-n1", natural), Instruction::UDot);
}

// Scores of MLA decode: 16 heads stay, keys stream. Keys are broadcast in place and the
// heads, packed once, lie across the vector.
TEST_F(CpuAtoms, FewRowsAreSwapped) {
  Type bf16 = b.getBF16Type();
  GemmProblem scores{16,    64,  576, {bf16, true, 64}, {bf16, true, 1}, b.getF32Type(),
                     false, true};
  auto [atom, swapped] = select("cpu:znver4", scores);
  EXPECT_TRUE(swapped);
  EXPECT_EQ(atom.getColumns(), 16);
  EXPECT_EQ(getBroadcastFeed(atom, scores.b, scores.k), Feed::InPlace);
  EXPECT_EQ(getVectorFeed(atom, scores.a), Feed::Transpose);
}

// Probabilities of 16 heads by 64 rows of a cache: rows of bf16 become pairs in
// registers. With many rows a panel is made once for all, with very few memory is slower,
// and rows that share sets of L1 are read once; so are those of whose place nothing is
// known.
TEST_F(CpuAtoms, FewRowsWeaveRowsOfB) {
  Type bf16 = b.getBF16Type();
  auto weaves = [&](int64_t m, int64_t n, int64_t k, std::optional<int64_t> rowBytes) {
    GemmProblem::Operand values{bf16, false, 1};
    values.rowBytes = rowBytes;
    GemmProblem problem{m, n, k, {bf16, true, 1}, values, b.getF32Type(), false, false};
    return select("cpu:znver5", problem).first.isWoven();
  };
  EXPECT_TRUE(weaves(16, 512, 64, 1152));
  EXPECT_TRUE(weaves(8, 128, 64, 256));
  EXPECT_TRUE(weaves(24, 512, 64, 1152));
  EXPECT_FALSE(weaves(64, 512, 64, 1152));
  EXPECT_FALSE(weaves(2, 512, 64, 1152));
  EXPECT_FALSE(weaves(16, 512, 64, 8192));
  EXPECT_FALSE(weaves(16, 512, 64, std::nullopt));
  EXPECT_FALSE(weaves(16, 512, 63, 1152));
  EXPECT_FALSE(weaves(16, 528, 64, 1152));
}

TEST_F(CpuAtoms, IntegersAreExact) {
  Type i8 = b.getI8Type(), i32 = b.getI32Type();
  GemmProblem problem{64, 64, 64, {i8, true, 1}, {i8, false, 1}, i32, false, false};
  EXPECT_EQ(select("cpu:znver4", problem).first.getInstruction(), Instruction::DotI8);
  problem.isUnsigned = true; // the instruction's second operand is signed
  EXPECT_EQ(select("cpu:znver4", problem).first.getInstruction(), Instruction::DotI16);
  problem.a.element = problem.b.element = b.getI16Type();
  EXPECT_EQ(select("cpu:znver4", problem).first.getInstruction(),
            Instruction::MultiplyAdd);
}
