// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Panels that are packed and multiplied a part of the columns at a time.
//
// RUN: %tilewright-opt %s --cpu-split-panels=budget=24576 --canonicalize --cse | FileCheck %s

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
#atom = #cpu.atom<dpbf16 4x64x2, bf16 into f32, 512>
!a = memref<16x64xbf16, #fragment>
!v = memref<64x512xbf16, #shared>
!c = memref<16x512xf32, #fragment>
!panel = memref<32x512x2xbf16, #shared>

// 64 KiB in parts of 24 KiB, which are 192 columns, blocks of 64.
// CHECK-LABEL: @parts
// CHECK-SAME:    %[[A:.*]]: memref<16x64xbf16{{.*}}>, %[[V:.*]]: memref<64x512xbf16{{.*}}>, %[[C:.*]]: memref<16x512xf32
// CHECK:         %[[P0:.*]] = tile.alloc "panel" : memref<32x192x2xbf16
// CHECK:         tile.pack %[[V]][0, 0][64, 192] dims [0, 1] into %[[P0]]
// CHECK:         %[[C0:.*]] = memref.subview %[[C]][0, 0] [16, 192] [1, 1]
// CHECK:         cpu.gemm %[[A]], %[[P0]] into %[[C0]]
// CHECK:         tile.pack %[[V]][0, 192][64, 192] dims [0, 1] into %[[P1:.*]] : {{.*}} into memref<32x192x2xbf16
// CHECK:         %[[C1:.*]] = memref.subview %[[C]][0, 192] [16, 192] [1, 1]
// CHECK:         cpu.gemm %[[A]], %[[P1]] into %[[C1]]
// CHECK:         tile.pack %[[V]][0, 384][64, 128] dims [0, 1] into %[[P2:.*]] : {{.*}} into memref<32x128x2xbf16
// CHECK:         %[[C2:.*]] = memref.subview %[[C]][0, 384] [16, 128] [1, 1]
// CHECK:         cpu.gemm %[[A]], %[[P2]] into %[[C2]]
// CHECK-NOT:     tile.pack
// CHECK:         return
func.func @parts(%a: !a, %v: !v, %c: !c, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    tile.pack %v[0, 0][64, 512] dims [0, 1] into %p : !v into !panel
    cpu.gemm %a, %p into %c atom(#atom) : !a, !panel into !c
  }
  return
}

// A branch between two packs, one of a transposed part of a tensor that starts anywhere; and
// what the last step writes.
// CHECK-LABEL: @branch
// CHECK-SAME:    %[[T:.*]]: memref<?x64xbf16{{.*}}>, %[[Y:.*]]: memref<16x512xbf16{{.*}}>, %[[I:.*]]: index, %{{.*}}: index, %{{.*}}: i1
// CHECK:         scf.if
// CHECK:           tile.pack %{{.*}}[%[[I]], 0][192, 64] dims [0, 1] into %{{.*}} transpose
// CHECK:         } else {
// CHECK:           tile.pack %{{.*}}[0, 0][64, 192] dims [0, 1]
// CHECK:         cpu.gemm {{.*}} first(%{{.*}}) last(%{{.*}})
// CHECK:         %[[J:.*]] = arith.addi %[[I]], %c192
// CHECK:         tile.pack %{{.*}}[%[[J]], 0][192, 64] dims [0, 1] into %{{.*}} transpose
// CHECK:         memref.subview %[[Y]][0, 192] [16, 192] [1, 1]
func.func @branch(%a: !a, %v: !v, %c: !c, %t: memref<?x64xbf16, #tile.space<global>>,
                  %y: memref<16x512xbf16, #tile.space<global>>, %i: index, %n: index,
                  %f: i1, %l: i1)
    attributes {tile.signature = {params = [{name = "a"}, {name = "v"}, {name = "c"}, {name = "t"}, {name = "y"}, {name = "i"}, {name = "n"}, {name = "f"}, {name = "l"}]}} {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : !panel
    scf.if %f {
      tile.pack %t[%i, 0][512, 64] dims [0, 1] into %p transpose
        : memref<?x64xbf16, #tile.space<global>> into !panel
    } else {
      tile.pack %v[0, 0][64, 512] dims [0, 1] into %p : !v into !panel
    }
    cpu.gemm %a, %p into %c first(%f) last(%l) atom(#atom)
      : !a, !panel into !c out %y : memref<16x512xbf16, #tile.space<global>>
  }
  return
}

// Of 512 bytes a column, 48 columns are the budget. One block of 64 is worth more than that.
// CHECK-LABEL: @one_block
// CHECK:         tile.pack %{{.*}}[0, 0][256, 64] dims [0, 1] into %{{.*}} : {{.*}} into memref<128x64x2xbf16
// CHECK:         cpu.gemm
// CHECK:         tile.pack %{{.*}}[0, 64][256, 64]
// CHECK:         cpu.gemm
func.func @one_block(%a: memref<16x256xbf16, #fragment>, %v: memref<256x128xbf16, #shared>,
                     %c: memref<16x128xf32, #fragment>, %n: index) {
  tile.kernel (%b) in (%n) threads(128) {
    %p = tile.alloc "panel" : memref<128x128x2xbf16, #shared>
    tile.pack %v[0, 0][256, 128] dims [0, 1] into %p
      : memref<256x128xbf16, #shared> into memref<128x128x2xbf16, #shared>
    cpu.gemm %a, %p into %c atom(#atom)
      : memref<16x256xbf16, #fragment>, memref<128x128x2xbf16, #shared>
        into memref<16x128xf32, #fragment>
  }
  return
}
