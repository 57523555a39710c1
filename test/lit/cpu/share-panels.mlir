// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: tilewright-opt %s --cpu-share-panels --canonicalize --cse --split-input-file | FileCheck %s
// RUN: tilewright-opt %s --cpu-share-panels --split-input-file -o /dev/null 2>&1 \
// RUN:   | FileCheck %s --check-prefix=REMARK

// Sixteen blocks copy each tile of A and B four times: both are made once. B's columns lie
// by sixteen, as a register block reads them, and its tiles in the order in which a block
// reads them: the two along K follow each other. A product asks for what lies behind its
// part of B, and for a part of A's next tile.

// CHECK-LABEL: func.func @product
// CHECK-SAME: %[[A:[^:]+]]: memref<256x64xf32, {{.+}}>, %[[B:[^:]+]]: memref<64x256xf32
// CHECK: %[[WA:.+]] = tile.workspace "a.shared"(%{{.+}}) : memref<?x1x64x32xf32, #tile.space<global>>
// CHECK: tile.kernel
// CHECK: tile.copy %[[A]][%{{.+}}, %{{.+}}][64, 32] to %[[WA]]
// CHECK: %[[WB:.+]] = tile.workspace "b.shared"(%{{.+}}) : memref<?x4x32x16xf32, #tile.space<global>>
// CHECK: tile.kernel
// CHECK: scf.for
// CHECK: scf.for
// CHECK: tile.copy %[[B]][%{{.+}}, %{{.+}}][16, 16] to %[[WB]][%{{.+}}, %{{.+}}, %{{.+}}, 0][1, 1, 16, 16]
// CHECK: tile.kernel
// CHECK-NOT: tile.copy %[[A]]
// CHECK: scf.for %[[K:.+]] = %c0 to %c2
// CHECK: %[[KT:.+]] = arith.divui %{{.+}}, %c32
// CHECK: %[[XT:.+]] = arith.divui %{{.+}}, %c64
// CHECK: %[[X2:.+]] = arith.muli %[[XT]], %c2
// CHECK: %[[T:.+]] = arith.addi %[[X2]], %[[KT]]
// CHECK: %[[AV:.+]] = memref.subview %[[WA]][%[[S:.+]], 0, 0, 0] [1, 1, 64, 32]
// CHECK: scf.for %[[J:.+]] =
// CHECK: %[[PART:.+]] = arith.muli %[[J]], %c16
// CHECK: %[[J1:.+]] = arith.addi %[[J]], %c1
// CHECK: %[[BV:.+]] = memref.subview %[[WB]][%[[T]], %[[J]], 0, 0] [1, 1, 32, 16]
// CHECK: %[[BEHIND:.+]] = memref.subview %[[WB]][%[[T]], %[[J1]], 0, 0] [1, 1, 32, 16]
// CHECK: %[[S1:.+]] = arith.addi %[[S]], %c1
// CHECK: %[[NEXT:.+]] = memref.subview %[[WA]][%[[S1]], 0, %[[PART]], 0] [1, 1, 16, 32]
// CHECK: %[[CV:.+]] = memref.subview %{{.+}}[0, %{{.+}}] [64, 16]
// CHECK: cpu.gemm %[[AV]], %[[BV]] into %[[CV]] {{.*}} ahead %[[BEHIND]], %[[NEXT]] :
// REMARK: remark: "a" is made once for all blocks
// REMARK: remark: "b" is made once for all blocks
!a = memref<256x64xf32, #tile.space<global>>
!b = memref<64x256xf32, #tile.space<global>>
!out = memref<256x256xf32, #tile.space<global>>
func.func @product(%A: !a, %B: !b, %C: !out) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : index
  %c32 = arith.constant 32 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx, %by) in (%c4, %c4) {
    %row = arith.muli %by, %c64 : index
    %column = arith.muli %bx, %c64 : index
    %a = tile.alloc "a" : memref<64x32xf32, #tile.space<shared>>
    %b = tile.alloc "b" : memref<32x64xf32, #tile.space<shared>>
    %c = tile.alloc "c" : memref<64x64xf32, #tile.space<fragment>>
    tile.fill %c, %zero : memref<64x64xf32, #tile.space<fragment>>
    scf.for %k = %c0 to %c2 step %c1 {
      %at = arith.muli %k, %c32 : index
      tile.copy %A[%row, %at][64, 32] to %a[0, 0][64, 32] : !a to memref<64x32xf32, #tile.space<shared>>
      tile.copy %B[%at, %column][32, 64] to %b[0, 0][32, 64] : !b to memref<32x64xf32, #tile.space<shared>>
      cpu.gemm %a, %b into %c atom(#cpu.atom<fma 4x16x1, f32 into f32, 256>) : memref<64x32xf32, #tile.space<shared>>, memref<32x64xf32, #tile.space<shared>> into memref<64x64xf32, #tile.space<fragment>>
    }
    tile.copy %c[0, 0][64, 64] to %C[%row, %column][64, 64] : memref<64x64xf32, #tile.space<fragment>> to !out
  }
  return
}

// -----

// How many rows A has is known at launch: both forms, and a condition. Panels keep their
// groups along K.

// CHECK-LABEL: func.func @dynamic
// CHECK: %[[MANY:.+]] = arith.cmpi uge
// CHECK: %[[COUNT:.+]] = arith.select %[[MANY]], %{{.+}}, %c0
// CHECK: %[[W:.+]] = tile.workspace "b.panel.shared"(%[[COUNT]]) : memref<?x1x16x16x2xbf16
// CHECK: tile.kernel (%{{.+}}) in (%[[COUNT]])
// CHECK: %[[P:.+]] = memref.subview %[[W]][
// CHECK: tile.pack %{{.+}}[%{{.+}}, %{{.+}}][32, 16] dims [0, 1] into %[[P]] :
// CHECK: scf.if %[[MANY]] {
// CHECK:   cpu.gemm
// CHECK: } else {
// CHECK:   tile.pack
// CHECK:   cpu.gemm
// REMARK: remark: "b.panel" is made once for all blocks, where a launch copies it three times or more
!a = memref<?x64xbf16, #tile.space<global>>
!b = memref<64x16xbf16, #tile.space<global>>
func.func @dynamic(%A: !a, %B: !b) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c15 = arith.constant 15 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %m = memref.dim %A, %c0 : !a
  %up = arith.addi %m, %c15 : index
  %blocks = arith.divui %up, %c16 : index
  tile.kernel (%by) in (%blocks) {
    %a = tile.alloc "a" : memref<16x32xbf16, #tile.space<shared>>
    %c = tile.alloc "c" : memref<16x16xf32, #tile.space<fragment>>
    %p = tile.alloc "b.panel" : memref<16x16x2xbf16, #tile.space<shared>>
    scf.for %k = %c0 to %c2 step %c1 {
      %at = arith.muli %k, %c32 : index
      tile.pack %B[%at, 0][32, 16] dims [0, 1] into %p : !b into memref<16x16x2xbf16, #tile.space<shared>>
      cpu.gemm %a, %p into %c atom(#cpu.atom<dpbf16 4x16x2, bf16 into f32, 512>) : memref<16x32xbf16, #tile.space<shared>>, memref<16x16x2xbf16, #tile.space<shared>> into memref<16x16xf32, #tile.space<fragment>>
    }
  }
  return
}
