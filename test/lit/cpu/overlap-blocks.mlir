// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a block streams at its end is stored beside the next block's longest loop.
//
// RUN: %tilewright-opt %s --cpu-overlap-blocks --canonicalize --cse | FileCheck %s

#global = #tile.space<global>
#fragment = #tile.space<fragment>
!tensor = memref<?x64xf32, #global>
!tile = memref<1x64xf32, #fragment>
!number = memref<1xf32, #fragment>
!v = vector<16xf32>

// Rows of 64 in steps of 32, and of 16 where they are stored. The scale is carried to the next
// block, where the row lies is computed anew. A row's first elements and last ones, and what
// is less than a step, are stored before the loop for both.
// CHECK-LABEL: @rows
// CHECK-SAME:    %{{.*}}: !llvm.ptr, %[[BEGIN:.*]]: index, %[[END:.*]]: index
// CHECK:         %[[IN:.*]]:3 = tile.captured
// CHECK:         %[[LARGE:.*]] = arith.cmpi sge
// CHECK:         scf.if %[[LARGE]] {
// CHECK:           %[[LAST:.*]] = scf.for %[[B:.*]] = %[[BEGIN]] to %[[END]] step %c1 iter_args(%[[OLD:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:             %[[T:.*]] = tile.from_pointer %{{.*}} at 0
// CHECK:             %[[LATER:.*]] = arith.cmpi ne, %[[B]], %[[BEGIN]]
// CHECK:             %[[SUM:.*]] = scf.if %[[LATER]] -> (vector<16xf32>) {
// CHECK:               %[[A:.*]] = arith.subi %[[B]], %c1
// CHECK:               scf.for %{{.*}} = %c0 to %[[IN]]#2 step %c16
// CHECK:                 vector.maskedstore %[[IN]]#1[%[[A]]
// CHECK:               %[[COUNT:.*]] = arith.subi %c64, %[[IN]]#2
// CHECK:               %[[PART:.*]] = arith.remui %[[COUNT]], %c32
// CHECK:               %[[WHOLE:.*]] = arith.subi %[[COUNT]], %[[PART]]
// CHECK:               %[[FROM:.*]] = arith.addi %[[IN]]#2, %[[WHOLE]]
// CHECK:               scf.for %{{.*}} = %[[FROM]] to %c64 step %c16
// CHECK:                 nontemporal = true
// CHECK:               %[[BOTH:.*]] = scf.for %[[K:.*]] = %c0 to %[[WHOLE]] step %c32 iter_args(%[[S:.*]] = %{{.*}})
// CHECK:                 %[[J:.*]] = arith.addi %[[IN]]#2, %[[K]]
// CHECK:                 %[[E:.*]] = vector.load %[[T]][%c0, %[[J]]]
// CHECK:                 %[[F:.*]] = arith.mulf %[[E]], %[[OLD]]
// CHECK:                 vector.store %[[F]], %[[IN]]#1[%[[A]], %[[J]]] {{{.*}}nontemporal = true
// CHECK:                 %[[J1:.*]] = arith.addi %[[J]], %c16
// CHECK:                 vector.load %[[T]][%c0, %[[J1]]]
// CHECK:                 nontemporal = true
// CHECK:                 vector.load %[[IN]]#0[%[[B]], %[[K]]]
// CHECK:                 vector.store %{{.*}}, %[[T]][%c0, %[[K]]]
// CHECK:                 vector.store %{{.*}}, %[[T]]
// CHECK:               %[[REST:.*]] = scf.for %{{.*}} = %[[WHOLE]] to %c64 step %c32 iter_args(%{{.*}} = %[[BOTH]])
// CHECK-NOT:             nontemporal
// CHECK:               scf.yield %[[REST]]
// CHECK:             } else {
// CHECK-NOT:           nontemporal
// CHECK:             %[[NEW:.*]] = vector.broadcast
// CHECK-NEXT:        scf.yield %[[NEW]]
// CHECK:           arith.cmpi slt, %[[BEGIN]], %[[END]]
// CHECK:           scf.if
// CHECK:             arith.subi %[[END]], %c1
// CHECK:             arith.mulf %{{.*}}, %[[LAST]]
// CHECK:             nontemporal = true
// CHECK:         } else {
// CHECK:           scf.for %{{.*}} = %[[BEGIN]] to %[[END]] step %c1
// CHECK-NOT:         nontemporal
// CHECK:         return
func.func private @rows(%env: !llvm.ptr, %begin: index, %end: index, %arena: !llvm.ptr) {
  %in:3 = tile.captured %env : !tensor, !tensor, index
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c48 = arith.constant 48 : index
  %c64 = arith.constant 64 : index
  %many = arith.constant 131072 : index
  %zero = arith.constant dense<0.0> : !v
  scf.for %b = %begin to %end step %c1 {
    %rows = memref.dim %in#0, %c0 : !tensor
    %large = arith.cmpi sge, %rows, %many : index
    %t = tile.from_pointer %arena at 0 : !tile
    %s = tile.from_pointer %arena at 256 : !number
    %sum = scf.for %j = %c0 to %c64 step %c32 iter_args(%former = %zero) -> (!v) {
      %x = vector.load %in#0[%b, %j] : !tensor, !v
      %y = math.exp2 %x : !v
      vector.store %y, %t[%c0, %j] : !tile, !v
      %k = arith.addi %j, %c16 : index
      %u = vector.load %in#0[%b, %k] : !tensor, !v
      %w = math.exp2 %u : !v
      vector.store %w, %t[%c0, %k] : !tile, !v
      %z = arith.addf %y, %w : !v
      %next = arith.addf %former, %z : !v
      scf.yield %next : !v
    }
    %total = vector.reduction <add>, %sum : !v into f32
    memref.store %total, %s[%c0] : !number
    %number = memref.load %s[%c0] : !number
    %scale = vector.broadcast %number : f32 to !v
    scf.if %large {
      scf.for %j = %c0 to %in#2 step %c16 {
        %m = vector.create_mask %in#2 : vector<16xi1>
        %x = vector.load %t[%c0, %j] : !tile, !v
        %y = arith.mulf %x, %scale : !v
        vector.maskedstore %in#1[%b, %j], %m, %y : !tensor, vector<16xi1>, !v
      }
      scf.for %j = %in#2 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        %y = arith.mulf %x, %scale : !v
        vector.store %y, %in#1[%b, %j] {nontemporal = true} : !tensor, !v
      }
    } else {
      scf.for %j = %c0 to %c64 step %c16 {
        %x = vector.load %t[%c0, %j] : !tile, !v
        %y = arith.mulf %x, %scale : !v
        vector.store %y, %in#1[%b, %j] : !tensor, !v
      }
    }
  }
  return
}
