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
  let summary = "Atoms of x86-64 CPUs";
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
    I32EnumAttrCase<"TileI8", 6, "amx_int8">]> {
  let cppNamespace = "::tilewright::cpu";
  let genSpecializedAttr = 0;
}

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

    | instruction | element | accumulator | depth | feature |
    | --- | --- | --- | --- | --- |
    | `fma` | f32, f64 | f32, f64 | 1 | avx2 + fma, avx512f |
    | `dpbf16` | bf16 | f32 | 2 | avx512bf16 |
    | `dpbusd` | i8 | i32 | 4 | avx512vnni, avxvnni |
    | `maddwd` | i16 | i32 | 2 | avx2, avx512bw |
    | `muladd` | i32 | i32 | 1 | avx2, avx512f |
    | `amx_bf16` | bf16 | f32 | 32 | amx-bf16 |
    | `amx_int8` | i8 | i32 | 64 | amx-int8 |

    `dpbusd` multiplies unsigned by signed bytes. Its code flips the sign bit of A,
    which adds 128, and takes 128 times the sums of B's groups off again; both are
    shared by all products of a row or column and leave the result exact.
    The two AMX instructions are described for selection to come; nothing emits
    them yet.

    Constraints:
    - (C1) Element and accumulator types are those of the table.
    - (C2) Registers have 256 or 512 bits, those of `dpbf16` and AMX 512.
    - (C3) `depth` is that of the table.
    - (C4) `rows` is positive and `columns` a positive multiple of the lanes; with
      `inner`, which AMX has not, any positive number.

    Examples: `#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>`,
    `#cpu.atom<fma inner 2x4x1, f32 into f32, 256>`.
  }];
  let parameters = (ins
      "::tilewright::cpu::Instruction":$instruction, "int64_t":$rows, "int64_t":$columns,
      "int64_t":$depth, "::mlir::Type":$element, "::mlir::Type":$accumulator,
      "int64_t":$vectorBits, DefaultValuedParameter<"bool", "false">:$inner);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Accumulators in one vector register.
    int64_t getLanes() const;
    /// Elements along K that one instruction multiplies.
    int64_t getStep() const { return getDepth() * (getInner() ? getLanes() : 1); }
    /// Vector registers across `columns`.
    int64_t getVectors() const {
      return getInner() ? getColumns() : getColumns() / getLanes();
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
