//===- SimtAttrs.td - Types and attributes of `simt` --------------------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_SIMT_ATTRS
#define TILEWRIGHT_SIMT_ATTRS

include "dialects/simt/SimtDialect.td"
include "mlir/IR/AttrTypeBase.td"

def Simt_SwizzleAttr : AttrDef<Simt_Dialect, "Swizzle"> {
  let mnemonic = "swizzle";
  let summary = "rows of a shared tile whose chunks change places";
  let description = [{
    A row is a sequence of chunks of `chunk` elements; chunk c of row r lies where
    chunk c ^ (r / rows mod 2^bits) of the row would. So eight rows that are read
    at one column are in different banks, without padding.

    Constraints:
    - (C1) `chunk` and `rows` are powers of two.
    - (C2) `bits` is from 1 to 5, and a row has a multiple of 2^bits chunks. (The
      latter is not checked: the attribute does not know its tile.)

    Example: `#simt.swizzle<chunk = 8, bits = 3, rows = 1>`.
  }];
  let parameters = (ins "int64_t":$chunk, "int64_t":$bits, "int64_t":$rows);
  let assemblyFormat = [{
    `<` `chunk` `=` $chunk `,` `bits` `=` $bits `,` `rows` `=` $rows `>`
  }];
  let genVerifyDecl = 1;
}

def Simt_ChannelType : TypeDef<Simt_Dialect, "Channel"> {
  let mnemonic = "channel";
  let summary = "a queue of tiles in shared or tensor memory";
  let description = [{
    Items, each a tuple of tiles, that are put in and taken out in order. It has
    room for `stages` of them; item n is in stage n mod `stages`.

    Constraints:
    - (C1) `stages` is at least 1.
    - (C2) Tiles are memrefs of static shape in the `shared` space, or tiles of rank 2
      in tensor memory.

    Example: `!simt.channel<3, memref<64x32xbf16, strided<[32, 1], offset: ?>, #tile.space<shared>>>`.
  }];
  let parameters = (ins "int64_t":$stages,
                        ArrayRefParameter<"::mlir::Type", "tiles of an item">:$tiles);
  let assemblyFormat = "`<` $stages `,` $tiles `>`";
  let genVerifyDecl = 1;
}

def Simt_PendingType : TypeDef<Simt_Dialect, "Pending"> {
  let mnemonic = "pending";
  let summary = "values that an operation under way will give";
  let description = [{
    What an asynchronous operation gives in place of its results; of no types, that it
    is done. `simt.wait` gives the values. Whoever gives it verifies its uses: there
    is one consumer, behind the operation in its block:

    | consumer | then |
    | --- | --- |
    | `simt.wait` | the values are there |
    | `simt.mma_async`, as what it accumulates in | they are a step of a chain of products |
    | `simt.yield` of a `simt.put` | the item is there when they are |
    | `scf.for`, and the `scf.yield` in one | the same holds of what the loop carries |

    `simt.release` may name it besides, which does not consume it.

    Constraints:
    - (C1) The types are not pending themselves.

    Example: `!simt.pending<vector<64x128xf32>>`, `!simt.pending`.
  }];
  let parameters = (ins OptionalArrayRefParameter<"::mlir::Type", "of the values">:$types);
  let assemblyFormat = "(`<` $types^ `>`)?";
  let genVerifyDecl = 1;
}

def Simt_MbarrierType : TypeDef<Simt_Dialect, "Mbarrier"> {
  let mnemonic = "mbarrier";
  let summary = "barriers in shared memory that count arrivals and bytes";
  let description = [{
    Each of the `count` barriers goes through phases of parity 0, 1, 0, ...; a phase
    ends when all its arrivals and all bytes that were announced have come.

    Constraints:
    - (C1) `count` is at least 1.

    Example: `!simt.mbarrier<4>`.
  }];
  let parameters = (ins "int64_t":$count);
  let assemblyFormat = "`<` $count `>`";
  let genVerifyDecl = 1;
}

def Simt_TmemType : TypeDef<Simt_Dialect, "Tmem"> {
  let mnemonic = "tmem";
  let summary = "a tile in tensor memory";
  let description = [{
    Tensor memory is a register file of a multiprocessor, of 128 rows of 512 words,
    that products accumulate in and that threads read by their own instructions
    alone. A tile of rank 3 is a stack of stages for a `simt.channel`.

    A value is the tile with what it holds. What writes to it consumes the value and
    gives another one, in the same place.

    Constraints:
    - (C1) The shape is rows x columns, or stages x rows x columns; there are 128 rows.
    - (C2) Elements have 8, 16 or 32 bits, and a row takes whole words, at most 512 in all
      stages.

    Example: `!simt.tmem<128x256xf32>`.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$shape, "::mlir::Type":$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // TILEWRIGHT_SIMT_ATTRS
