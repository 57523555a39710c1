//===- AtomsTest.cpp - All vendors' atoms through one interface ---------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two kinds of evidence. Every atom, whatever it is, must hold each element of each
// operand in exactly as many places as its layout declares, and every place must hold an
// element. And the layouts of each family must agree, place by place, with the formulas
// of the vendors' manuals, written here a second time as arithmetic on lane numbers.
//
//===----------------------------------------------------------------------===//

#include "backends/cpu/CpuAtoms.h"
#include "backends/cuda/CudaAtoms.h"
#include "backends/hip/HipAtoms.h"
#include "dialects/tile/LayoutMap.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/DialectImplementation.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace tilewright::tile;

namespace {
/// A mock of tcgen05.mma with a pair of blocks: D in tensor memory, operands in shared
/// memory, completion by barrier, scales per 32 elements.
class Tcgen05Attr : public Attribute::AttrBase<Tcgen05Attr, Attribute, AttributeStorage,
                                               AtomAttrInterface::Trait> {
public:
  using Base::Base;
  static constexpr StringLiteral name = "test.tcgen05";

  AtomShape getShape() const { return {256, 128, 32}; }
  Participants getParticipants() const {
    return {/*lanes=*/1, /*warps=*/1, /*blocks=*/2};
  }
  AtomOperand getOperand(AtomRole role) const {
    Builder b(getContext());
    if (role != AtomRole::C)
      return {OperandPlace::SharedDescriptor, b.getType<Float8E4M3FNType>(),
              LayoutAttr()};
    // Tensor memory: 128 lanes in each block, one column of 32 bits per element.
    return {
        OperandPlace::TensorMemory, b.getF32Type(),
        getLayout(getContext(), {{{FactorKind::Block, 2, 1}, {FactorKind::Lane, 128, 1}},
                                 {{FactorKind::Vector, 128, 1}}})};
  }
  Completion getCompletion() const { return Completion::Barrier; }
  Accumulation getAccumulation() const {
    return {Builder(getContext()).getF32Type(), 24};
  }
  std::optional<AtomScale> getScale() const {
    return AtomScale{Builder(getContext()).getType<Float8E8M0FNUType>(), 32};
  }
  SmallVector<StringRef> getRequiredFeatures() const { return {"sm_100a"}; }
  std::optional<double> getIssueInterval(StringRef) const {
    return 256 * 128 * 32 / 8192.0;
  }
};

class TestDialect : public Dialect {
public:
  explicit TestDialect(MLIRContext *context)
      : Dialect(getDialectNamespace(), context, TypeID::get<TestDialect>()) {
    addAttributes<Tcgen05Attr>();
  }
  void printAttribute(Attribute, DialectAsmPrinter &printer) const override {
    printer << "tcgen05";
  }
  static StringRef getDialectNamespace() { return "test"; }
};

class Atoms : public ::testing::Test {
protected:
  Atoms() {
    context.loadDialect<TileDialect, tilewright::cpu::CpuDialect,
                        tilewright::cuda::CudaDialect, tilewright::hip::HipDialect,
                        TestDialect, arith::ArithDialect, vector::VectorDialect,
                        LLVM::LLVMDialect>();
  }

  AtomAttrInterface parse(StringRef text) {
    auto atom = dyn_cast_or_null<AtomAttrInterface>(parseAttribute(text, &context));
    EXPECT_TRUE(atom) << text.str();
    return atom;
  }

  MLIRContext context;
};
} // namespace

/// The extents of an operand's matrix, with the block in front where there are several.
static SmallVector<int64_t> getMatrix(AtomShape shape, AtomRole role) {
  SmallVector<int64_t> extents = role == AtomRole::A   ? SmallVector{shape.m, shape.k}
                                 : role == AtomRole::B ? SmallVector{shape.k, shape.n}
                                                       : SmallVector{shape.m, shape.n};
  if (shape.blocks > 1)
    extents.insert(extents.begin(), shape.blocks);
  return extents;
}

/// Calls `visit` for every index below `extents`.
static void forEachIndex(ArrayRef<int64_t> extents,
                         function_ref<void(ArrayRef<int64_t>)> visit) {
  SmallVector<int64_t> index(extents.size(), 0);
  while (true) {
    visit(index);
    int64_t dim = extents.size() - 1;
    while (dim >= 0 && ++index[dim] == extents[dim])
      index[dim--] = 0;
    if (dim < 0)
      return;
  }
}

/// Every element is in as many places as declared, and every place holds an element.
static void checkCover(LayoutAttr layout, ArrayRef<int64_t> matrix) {
  LayoutMap map = LayoutMap::get(layout);
  ASSERT_EQ(map.getShape(), matrix);
  std::map<Place, SmallVector<int64_t>> held;
  forEachIndex(matrix, [&](ArrayRef<int64_t> index) {
    for (int64_t replica = 0; replica < map.getReplicas(); ++replica) {
      Place place = map.locate(index, replica);
      EXPECT_TRUE(held.try_emplace(place, index).second) << "two elements in one place";
      std::optional<SmallVector<int64_t>> back = map.getIndexAt(place);
      ASSERT_TRUE(back);
      EXPECT_EQ(ArrayRef(*back), index);
    }
  });
  int64_t places = 1;
  for (FactorKind kind :
       {FactorKind::Vector, FactorKind::Lane, FactorKind::Warp, FactorKind::Block})
    places *= map.getExtent(kind);
  EXPECT_EQ(static_cast<int64_t>(held.size()), places) << "a place without an element";
}

TEST_F(Atoms, EveryElementOfEveryOperandIsHeld) {
  SmallVector<AtomAttrInterface> atoms;
  for (StringRef text : {"#cuda.mma<f16 into f32>",
                         "#cuda.mma<i8 into i32>",
                         "#cuda.mma<tf32 into f32>",
                         "#cuda.wgmma<n = 128, bf16 into f32>",
                         "#cuda.wgmma<n = 24, f16 into f32>",
                         "#cuda.wgmma<n = 256, f8E4M3FN into f32, shared_a = true>",
                         "#cuda.tcgen05<n = 64, bf16 into f32>",
                         "#cuda.tcgen05<n = 256, f8E5M2 into f32, tensor_a = true>",
                         "#hip.mfma<32x32x8, f16 into f32>",
                         "#hip.mfma<16x16x16, bf16 into f32>",
                         "#hip.mfma<32x32x4, blocks = 2, f16 into f32>",
                         "#hip.mfma<16x16x4, blocks = 4, f16 into f32>",
                         "#hip.mfma<4x4x4, blocks = 16, f16 into f32>",
                         "#hip.mfma<16x16x4, f64 into f64>",
                         "#hip.mfma<32x32x16, i8 into i32>",
                         "#hip.wmma<bf16 into f32>",
                         "#hip.wmma<i8 into i32>",
                         "#cpu.atom<fma 14x32x1, f32 into f32, 512>",
                         "#cpu.atom<fma 6x8x1, f64 into f64, 256>",
                         "#cpu.atom<fma inner 2x4x1, f32 into f32, 256>",
                         "#cpu.atom<dpbf16 inner 4x4x2, bf16 into f32, 512>",
                         "#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>",
                         "#cpu.atom<dpbusd 8x16x4, i8 into i32, 256>",
                         "#cpu.atom<maddwd 8x16x2, i16 into i32, 512>",
                         "#cpu.atom<fma 8x12x1, f32 into f32, 128>",
                         "#cpu.atom<bfdot 8x12x2, bf16 into f32, 128>",
                         "#cpu.atom<udot inner 4x4x4, i8 into i32, 128>",
                         "#cpu.atom<bfmmla 8x8x4, bf16 into f32, 128>",
                         "#cpu.atom<smmla 8x8x8, i8 into i32, 128>",
                         "#cpu.atom<amx_bf16 32x32x32, bf16 into f32, 512>",
                         "#cpu.atom<amx_int8 32x32x64, i8 into i32, 512>"})
    atoms.push_back(parse(text));
  atoms.push_back(Tcgen05Attr::get(&context));

  for (AtomAttrInterface atom : atoms) {
    std::string text;
    llvm::raw_string_ostream(text) << atom;
    SCOPED_TRACE(text);
    AtomShape shape = atom.getShape();
    Participants participants = atom.getParticipants();
    EXPECT_FALSE(atom.getRequiredFeatures().empty());
    EXPECT_EQ(atom.getAccumulation().type, atom.getOperand(AtomRole::C).elementType);
    for (AtomRole role : {AtomRole::A, AtomRole::B, AtomRole::C}) {
      AtomOperand operand = atom.getOperand(role);
      bool byAddress = operand.place == OperandPlace::SharedDescriptor ||
                       operand.place == OperandPlace::Memory;
      ASSERT_EQ(!operand.layout, byAddress);
      if (!operand.layout)
        continue;
      checkCover(operand.layout, getMatrix(shape, role));
      // Tensor memory has lanes of its own, which are not those that issue.
      if (operand.place == OperandPlace::Register) {
        EXPECT_EQ(operand.layout.getExtent(FactorKind::Lane), participants.lanes);
        EXPECT_EQ(operand.layout.getExtent(FactorKind::Warp), participants.warps);
      }
      EXPECT_EQ(operand.layout.getExtent(FactorKind::Block),
                operand.place == OperandPlace::TensorMemory ? participants.blocks : 1);
    }
  }
}

/// Checks a layout against the manual: `formula` gives the index that register `r` of
/// lane `l` of warp `w` holds.
static void
checkFormula(AtomAttrInterface atom, AtomRole role,
             function_ref<SmallVector<int64_t>(int64_t, int64_t, int64_t)> formula) {
  LayoutMap map = LayoutMap::get(atom.getOperand(role).layout);
  for (int64_t w = 0; w < map.getExtent(FactorKind::Warp); ++w)
    for (int64_t l = 0; l < map.getExtent(FactorKind::Lane); ++l)
      for (int64_t r = 0; r < map.getExtent(FactorKind::Vector); ++r) {
        std::optional<SmallVector<int64_t>> index = map.getIndexAt({r, l, w, 0});
        ASSERT_TRUE(index);
        EXPECT_EQ(*index, formula(r, l, w)) << "register " << r << " of lane " << l;
      }
}

// PTX manual, "Matrix Fragments for mma.m16n8k16 with floating point type" (f16) and
// "... mma.m16n8k32" (bytes): groupID = lane >> 2, threadID_in_group = lane % 4.
TEST_F(Atoms, MmaAgreesWithTheManual) {
  AtomAttrInterface f16 = parse("#cuda.mma<f16 into f32>");
  checkFormula(f16, AtomRole::A, [](int64_t i, int64_t lane, int64_t) {
    bool upper = (i < 2) || (i >= 4 && i < 6);
    int64_t row = upper ? lane / 4 : lane / 4 + 8;
    int64_t column = lane % 4 * 2 + (i & 1) + (i >= 4 ? 8 : 0);
    return SmallVector<int64_t>{row, column};
  });
  checkFormula(f16, AtomRole::B, [](int64_t i, int64_t lane, int64_t) {
    return SmallVector<int64_t>{lane % 4 * 2 + (i & 1) + (i >= 2 ? 8 : 0), lane / 4};
  });
  checkFormula(f16, AtomRole::C, [](int64_t i, int64_t lane, int64_t) {
    return SmallVector<int64_t>{i < 2 ? lane / 4 : lane / 4 + 8, lane % 4 * 2 + (i & 1)};
  });
  checkFormula(parse("#cuda.mma<i8 into i32>"), AtomRole::A,
               [](int64_t i, int64_t lane, int64_t) {
                 bool upper = i < 4 || (i >= 8 && i < 12);
                 int64_t column = lane % 4 * 4 + (i & 3) + (i >= 8 ? 16 : 0);
                 return SmallVector<int64_t>{upper ? lane / 4 : lane / 4 + 8, column};
               });
  checkFormula(parse("#cuda.mma<tf32 into f32>"), AtomRole::A,
               [](int64_t i, int64_t lane, int64_t) {
                 return SmallVector<int64_t>{lane / 4 + 8 * (i & 1),
                                             lane % 4 + 4 * (i / 2)};
               });
}

// PTX manual, "WGMMA .m64nNk16 register fragment layout".
TEST_F(Atoms, WgmmaAgreesWithTheManual) {
  AtomAttrInterface atom = parse("#cuda.wgmma<n = 24, f16 into f32>");
  checkFormula(atom, AtomRole::A, [](int64_t i, int64_t lane, int64_t warp) {
    int64_t row = 16 * warp + lane / 4 + 8 * (i / 2 % 2);
    return SmallVector<int64_t>{row, lane % 4 * 2 + i % 2 + 8 * (i / 4)};
  });
  checkFormula(atom, AtomRole::C, [](int64_t i, int64_t lane, int64_t warp) {
    int64_t row = 16 * warp + lane / 4 + 8 * (i / 2 % 2);
    return SmallVector<int64_t>{row, 8 * (i / 4) + lane % 4 * 2 + i % 2};
  });
  EXPECT_EQ(atom.getCompletion(), Completion::GroupWait);
  EXPECT_EQ(atom.getOperand(AtomRole::B).place, OperandPlace::SharedDescriptor);
  AtomAttrInterface fp8 = parse("#cuda.wgmma<n = 128, f8E4M3FN into f32>");
  EXPECT_EQ(fp8.getAccumulation().promotionInterval, 128);
  EXPECT_EQ(fp8.getOperand(AtomRole::B).majorness, Majorness::K);
}

// AMD's matrix instruction calculator: M x N x K with B blocks on 64 lanes.
TEST_F(Atoms, MfmaAgreesWithTheManual) {
  struct Shape {
    const char *text;
    int64_t m, k, blocks;
  };
  for (auto [text, m, k, blocks] :
       {Shape{"#hip.mfma<32x32x8, f16 into f32>", 32, 8, 1},
        Shape{"#hip.mfma<16x16x16, f16 into f32>", 16, 16, 1},
        Shape{"#hip.mfma<32x32x4, blocks = 2, f16 into f32>", 32, 4, 2},
        Shape{"#hip.mfma<16x16x4, blocks = 4, f16 into f32>", 16, 4, 4}}) {
    SCOPED_TRACE(text);
    AtomAttrInterface atom = parse(text);
    int64_t perLane = m * k * blocks / 64, groups = 64 / (m * blocks);
    auto withBlock = [blocks = blocks](int64_t block, SmallVector<int64_t> index) {
      if (blocks > 1)
        index.insert(index.begin(), block);
      return index;
    };
    checkFormula(atom, AtomRole::A, [&, m = m](int64_t j, int64_t lane, int64_t) {
      int64_t along = lane / m % groups * perLane + j;
      return withBlock(lane / m / groups, {lane % m, along});
    });
    checkFormula(atom, AtomRole::B, [&, m = m](int64_t j, int64_t lane, int64_t) {
      int64_t along = lane / m % groups * perLane + j;
      return withBlock(lane / m / groups, {along, lane % m});
    });
    checkFormula(atom, AtomRole::C, [&, m = m](int64_t r, int64_t lane, int64_t) {
      int64_t g = lane / m, ng = 64 / m, q = r / 4, per = m / (4 * ng);
      return withBlock(q / per, {q % per * 4 * ng + 4 * g + r % 4, lane % m});
    });
  }
  checkFormula(parse("#hip.mfma<16x16x4, f64 into f64>"), AtomRole::C,
               [](int64_t r, int64_t lane, int64_t) {
                 return SmallVector<int64_t>{lane / 16 + 4 * r, lane % 16};
               });
}

// RDNA3 ISA guide, "Wave Matrix Multiply Accumulate": lanes 16-31 repeat lanes 0-15 of A
// and B; D has even rows in the lower half and odd ones in the upper.
TEST_F(Atoms, WmmaAgreesWithTheManual) {
  AtomAttrInterface atom = parse("#hip.wmma<f16 into f32>");
  checkFormula(atom, AtomRole::A, [](int64_t j, int64_t lane, int64_t) {
    return SmallVector<int64_t>{lane % 16, j};
  });
  checkFormula(atom, AtomRole::C, [](int64_t r, int64_t lane, int64_t) {
    return SmallVector<int64_t>{2 * r + lane / 16, lane % 16};
  });
  EXPECT_EQ(LayoutMap::get(atom.getOperand(AtomRole::A).layout).getReplicas(), 2);
  EXPECT_EQ(LayoutMap::get(atom.getOperand(AtomRole::C).layout).getReplicas(), 1);
}

// AVX-512: A is one group, held by every lane; B and C are plain vectors. AMX: B has
// groups of four bytes of K side by side. BFMMLA: rows of A, columns of B, and C by rows.
TEST_F(Atoms, CpuAtomsAgreeWithTheManual) {
  AtomAttrInterface fma = parse("#cpu.atom<fma 14x32x1, f32 into f32, 512>");
  AtomShape shape = fma.getShape();
  EXPECT_EQ(std::tuple(shape.m, shape.n, shape.k), std::tuple(1, 16, 1));
  EXPECT_EQ(LayoutMap::get(fma.getOperand(AtomRole::A).layout).getReplicas(), 16);
  checkFormula(
      parse("#cpu.atom<dpbf16 1x16x2, bf16 into f32, 512>"), AtomRole::B,
      [](int64_t r, int64_t, int64_t) { return SmallVector<int64_t>{r % 2, r / 2}; });
  checkFormula(parse("#cpu.atom<amx_bf16 16x16x32, bf16 into f32, 512>"), AtomRole::B,
               [](int64_t r, int64_t, int64_t) {
                 return SmallVector<int64_t>{r / 32 * 2 + r % 2, r % 32 / 2};
               });
  AtomAttrInterface square = parse("#cpu.atom<bfmmla 8x8x4, bf16 into f32, 128>");
  checkFormula(square, AtomRole::A, [](int64_t r, int64_t, int64_t) {
    return SmallVector<int64_t>{r / 4, r % 4};
  });
  checkFormula(square, AtomRole::B, [](int64_t r, int64_t, int64_t) {
    return SmallVector<int64_t>{r % 4, r / 4};
  });
  checkFormula(square, AtomRole::C, [](int64_t r, int64_t, int64_t) {
    return SmallVector<int64_t>{r / 2, r % 2};
  });
}

TEST_F(Atoms, EmitWithoutABackendIsAnError) {
  OpBuilder builder(&context);
  std::string message;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &d) { message = d.str(); });
  AtomAttrInterface atom = parse("#hip.wmma<f16 into f32>");
  EXPECT_TRUE(failed(atom.emit(builder, builder.getUnknownLoc(), {})));
  EXPECT_EQ(message,
            "#hip.wmma<f16 into f32> is known to this compiler but no backend emits it");
}

TEST_F(Atoms, CostsDependOnTheModel) {
  EXPECT_EQ(
      parse("#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>").getIssueInterval("znver5"),
      0.5);
  EXPECT_EQ(
      parse("#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>").getIssueInterval("skylake"),
      std::nullopt);
  EXPECT_EQ(parse("#hip.mfma<32x32x8, f16 into f32>").getIssueInterval("gfx942"), 8);
  EXPECT_EQ(parse("#cuda.wgmma<n = 256, bf16 into f32>").getIssueInterval("sm_90a"), 128);
}
