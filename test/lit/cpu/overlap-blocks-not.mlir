// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks that end before the next one begins.
//
// RUN: %tilewright-opt %s --cpu-overlap-blocks > %t
// RUN: %tilewright-opt %s | diff - %t

#global = #tile.space<global>
#fragment = #tile.space<fragment>
!tensor = memref<?x64xf32, #global>
!tile = memref<1x64xf32, #fragment>
!v = vector<16xf32>

// A loop that memory keeps waiting.
func.func private @quick(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = arith.addf %x, %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A loop over other elements.
func.func private @fewer(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    scf.for %j = %c0 to %c48 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A condition that differs between blocks.
func.func private @by_block(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %b, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A tile in the same place, which the next block writes first.
func.func private @shared(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %u = tile.from_pointer %arena at 128 : memref<16xf32, #fragment>
    %v = vector.load %in#0[%b, %c0] : !tensor, !v
    vector.store %v, %u[%c0] : memref<16xf32, #fragment>, !v
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A tensor that the next block writes first: its last loop may read an alias of it.
func.func private @written(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %v = vector.load %in#0[%b, %c0] : !tensor, !v
    vector.store %v, %in#2[%b, %c0] : !tensor, !v
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A loop that stores elements where the last one has not yet read.
func.func private @reversed(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %c48] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A last loop that reads what the other one has stored over.
func.func private @behind(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %c0] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %c0] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// Bytes of another kind, of which places say nothing.
func.func private @other_type(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %h = tile.from_pointer %arena at 0 : memref<1x64xf32, strided<[64, 1]>, #fragment>
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %h[%c0, %j] : memref<1x64xf32, strided<[64, 1]>, #fragment>, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}

// A last loop that reads the tile through a view, and one that writes a tile.
func.func private @view(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %h = tile.view %t : !tile to memref<64xf32, #fragment>
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %h[%j] : memref<64xf32, #fragment>, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %h[%j] : memref<64xf32, #fragment>, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}
func.func private @written_tile(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, !tensor
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %h = tile.from_pointer %arena at 256 : memref<64xf32, #fragment>
    scf.for %j = %c0 to %c64 step %c16 {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
    }
    scf.if %large {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %h[%j] : memref<64xf32, #fragment>, !v
        vector.store %x, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        vector.store %x, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}
