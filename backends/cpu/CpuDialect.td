//===- CpuDialect.td - Attributes of the CPU backend --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_BACKENDS_CPU_DIALECT
#define TILEWRIGHT_BACKENDS_CPU_DIALECT

include "dialects/tile/TileAtomInterface.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Cpu_Dialect : Dialect {
  let name = "cpu";
  let cppNamespace = "::tilewright::cpu";
  let summary = "Atoms of CPUs";
  let description = [{
    The vector and matrix instructions that a `tile.gemm` may be computed with on
    a CPU, and the gemm whose operands were brought into the form they read.
  }];
  let dependentDialects = ["::tilewright::tile::TileDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def Cpu_Instruction : I32EnumAttr<"Instruction", "what multiplies and adds", [
    I32EnumAttrCase<"Fma", 0, "fma">,
    I32EnumAttrCase<"DotBF16", 1, "dpbf16">,
    I32EnumAttrCase<"DotI8", 2, "dpbusd">,
    I32EnumAttrCase<"DotI16", 3, "maddwd">,
    I32EnumAttrCase<"MultiplyAdd", 4, "muladd">,
    I32EnumAttrCase<"TileBF16", 5, "amx_bf16">,
    I32EnumAttrCase<"TileI8", 6, "amx_int8">,
    I32EnumAttrCase<"BfDot", 7, "bfdot">,
    I32EnumAttrCase<"SDot", 8, "sdot">,
    I32EnumAttrCase<"UDot", 9, "udot">,
    I32EnumAttrCase<"BfMmla", 10, "bfmmla">,
    I32EnumAttrCase<"SMmla", 11, "smmla">,
    I32EnumAttrCase<"UMmla", 12, "ummla">,
    I32EnumAttrCase<"TileU8", 13, "amx_uint8">]> {
  let cppNamespace = "::tilewright::cpu";
  let genSpecializedAttr = 0;
}

def Cpu_AtomForm : I32EnumAttr<"AtomForm", "how a micro-kernel reads its operands", [
    I32EnumAttrCase<"Outer", 0, "outer">,
    I32EnumAttrCase<"Inner", 1, "inner">,
    I32EnumAttrCase<"Woven", 2, "woven">]> {
  let cppNamespace = "::tilewright::cpu";
  let genSpecializedAttr = 0;
}

def Cpu_InstructionAttr : EnumAttr<Cpu_Dialect, Cpu_Instruction, "instruction">;

def Cpu_AtomAttr : AttrDef<Cpu_Dialect, "Atom", [
    DeclareAttrInterfaceMethods<Tile_AtomAttrInterface, ["emit"]>]> {
  let mnemonic = "atom";
  let summary = "a multiply-add instruction and the block of C it keeps in registers";
  let description = [{
    The instruction adds the product of a broadcast group of `depth` elements of
    A (consecutive along K) and a vector of B (for each lane, `depth` elements
    consecutive along K) to a vector of C. A micro-kernel holds `rows` x
    `columns` of C in registers for all of K. `element` is what A and B are in
    registers; a tile of another type is converted on its way there.

    With `inner` vectors run along K instead: a vector of A and a vector of B, each
    of `depth` elements per lane, are multiplied lane by lane, and each lane of C
    holds a part of one element's sum. The micro-kernel adds the lanes up at the
    end. Operands whose rows are contiguous along K need no packing for this form,
    which pays where each is read a few times only.

    With `woven` B is a matrix whose rows are K, and two rows become the vectors of
    pairs in registers, by two shuffles for two vectors. It needs no packing either, and
    pays where few blocks of rows shuffle the same.

    | instruction | element | accumulator | depth | feature |
    | --- | --- | --- | --- | --- |
    | `fma` | f32, f64 | f32, f64 | 1 | avx2 + fma, avx512f, neon |
    | `dpbf16` | bf16 | f32 | 2 | avx512bf16 |
    | `dpbusd` | i8 | i32 | 4 | avx512vnni, avxvnni |
    | `maddwd` | i16 | i32 | 2 | avx2, avx512bw |
    | `muladd` | i32 | i32 | 1 | avx2, avx512f, neon |
    | `bfdot` | bf16 | f32 | 2 | bf16 |
    | `sdot`, `udot` | i8 | i32 | 4 | dotprod |
    | `bfmmla` | bf16 | f32 | 4 | bf16 |
    | `smmla`, `ummla` | i8 | i32 | 8 | i8mm |
    | `amx_bf16` | bf16 | f32 | 32 | amx-bf16 |
    | `amx_int8`, `amx_uint8` | i8 | i32 | 64 | amx-int8 |

    `dpbusd` multiplies unsigned by signed bytes. Its code flips the sign bit of A,
    which adds 128, so each sum has an excess: 128 times the sum of B's groups. A
    micro-kernel adds that up once for all rows and takes it off when K is done,
    which leaves the result exact.
    `bfmmla`, `smmla` and `ummla` multiply two rows of A by two columns of B: a
    register of A holds the groups of two rows, one of B those of two columns, and
    one of C a square of two by two. `columns` counts as for the others, in fours,
    and a register block has as many registers of C as it would have with them.
    The registers of AMX are tiles: 16 rows of A with `depth` elements of K in each, 16
    columns of B with pairs (of bytes: fours) along K side by side, 16 x 16 sums. At the
    edges of C, and where K is no multiple of `depth`, tiles are smaller.

    Constraints:
    - (C1) Element and accumulator types are those of the table.
    - (C2) Registers have 128 bits with a feature of NEON, else 256 or 512, with
      `dpbf16` and AMX 512.
    - (C3) `depth` is that of the table.
    - (C4) `rows` is positive and `columns` a positive multiple of the lanes; with
      `inner`, which AMX and products of squares have not, any positive number; with
      `woven`, which needs a depth of 2, a multiple of twice the lanes.

    Examples: `#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>`,
    `#cpu.atom<fma inner 2x4x1, f32 into f32, 256>`,
    `#cpu.atom<dpbf16 woven 8x32x2, bf16 into f32, 512>`.
  }];
  let parameters = (ins
      "::tilewright::cpu::Instruction":$instruction, "int64_t":$rows, "int64_t":$columns,
      "int64_t":$depth, "::mlir::Type":$element, "::mlir::Type":$accumulator,
      "int64_t":$vectorBits,
      DefaultValuedParameter<"::tilewright::cpu::AtomForm",
                             "::tilewright::cpu::AtomForm::Outer">:$form);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Accumulators in one vector register.
    int64_t getLanes() const;
    bool isInner() const { return getForm() == AtomForm::Inner; }
    bool isWoven() const { return getForm() == AtomForm::Woven; }
    /// Whether its registers are the tiles of AMX.
    bool isTile() const;
    /// Elements along K that lie side by side in B's panels: of tiles those that fill 32
    /// bits, of others all that an instruction multiplies.
    int64_t getGroup() const;
    /// Whether a register of C holds a square of two rows and two columns.
    bool isSquare() const;
    /// Whether integers are unsigned.
    bool isUnsigned() const;
    /// Whether what the instruction adds to C exceeds the product by something that
    /// depends on B alone.
    bool hasExcess() const;
    /// `c` and the product with its excess.
    ::mlir::Value emitWithExcess(::mlir::OpBuilder &builder, ::mlir::Location loc,
                                 ::mlir::Value a, ::mlir::Value b, ::mlir::Value c) const;
    /// `sum` and the excess of a product with `b`.
    ::mlir::Value addExcess(::mlir::OpBuilder &builder, ::mlir::Location loc,
                            ::mlir::Value b, ::mlir::Value sum) const;
    /// Elements along K that one instruction multiplies.
    int64_t getStep() const { return getDepth() * (isInner() ? getLanes() : 1); }
    /// Vector registers across `columns`.
    int64_t getVectors() const {
      return isInner() ? getColumns() : getColumns() / getLanes();
    }
    /// What one participant passes to `emit`: a whole register.
    ::mlir::VectorType getRegisterType(::tilewright::tile::AtomRole role) const;
    /// Whether it multiplies tiles of `a` and `b` (once converted to its element type)
    /// into a `c` exactly as `tile.gemm` says.
    bool serves(::mlir::Type a, ::mlir::Type b, ::mlir::Type c, bool isUnsigned) const;
    /// The register in which every lane holds `group`, a vector of `depth` elements of A.
    ::mlir::Value broadcast(::mlir::OpBuilder &builder, ::mlir::Location loc,
                            ::mlir::Value group) const;
  }];
}

#endif // TILEWRIGHT_BACKENDS_CPU_DIALECT
