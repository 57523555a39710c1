//===- TileAccessInterface.td - What memory an operation touches --------------===//
//
// Part of Tilewright, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Memory effects say which operands an operation reads and writes; this interface says
// which of their elements. Checking mode rests on it, and refuses what lacks it.
//
//===----------------------------------------------------------------------===//

#ifndef TILEWRIGHT_TILE_ACCESS_INTERFACE
#define TILEWRIGHT_TILE_ACCESS_INTERFACE

include "mlir/IR/OpBase.td"

def Tile_AccessOpInterface : OpInterface<"AccessOpInterface"> {
  let cppNamespace = "::tilewright::tile";
  let description = [{
    The elements that an operation reads and writes, as boxes of memrefs. A box
    may reach outside a global tensor: such elements are not accessed.
  }];
  let methods = [
    InterfaceMethod<[{
        The accesses, reads before the writes that depend on them. Unless an
        operation says otherwise, it touches all of each operand.
      }], "::tilewright::tile::Accesses", "getAccesses", (ins), "", [{
        return ::tilewright::tile::getWholeAccesses($_op);
      }]>,
    InterfaceMethod<[{
        Whether it computes: what it writes may be NaN or infinite though nothing
        that it reads is.
      }], "bool", "computes", (ins), "", [{ return true; }]>,
  ];
}

#endif // TILEWRIGHT_TILE_ACCESS_INTERFACE
