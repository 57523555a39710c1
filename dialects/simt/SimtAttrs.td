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
  let summary = "a queue of tiles in shared memory";
  let description = [{
    Items, each a tuple of tiles, that are put in and taken out in order. It has
    room for `stages` of them; item n is in stage n mod `stages`.

    Constraints:
    - (C1) `stages` is at least 1.
    - (C2) Tiles are memrefs of static shape in the `shared` space.

    Example: `!simt.channel<3, memref<64x32xbf16, strided<[32, 1], offset: ?>, #tile.space<shared>>>`.
  }];
  let parameters = (ins "int64_t":$stages,
                        ArrayRefParameter<"::mlir::Type", "tiles of an item">:$tiles);
  let assemblyFormat = "`<` $stages `,` $tiles `>`";
  let genVerifyDecl = 1;
}

#endif // TILEWRIGHT_SIMT_ATTRS
