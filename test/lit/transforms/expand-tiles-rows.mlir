// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rows that an index tile names, and panels, element by element.
// RUN: %tilewright-opt %s --expand-tiles --canonicalize | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// Seen as unsigned, a negative index is past the end as well.
// CHECK-LABEL: @gather(
// CHECK-SAME:    %[[KV:[^ :]+]]: {{.*}}%[[IDS:[^ :]+]]: {{.*}}%[[S:[^ :]+]]: {{.*}}%[[FILL:[^ :]+]]:
// CHECK:         %[[EXTENT:.*]] = memref.dim %[[KV]], %c0
// CHECK-NEXT:    tile.parallel (%[[I:.*]], %[[J:.*]]) in (64, 512) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[IDS]][%[[I]]]
// CHECK-NEXT:      %[[N:.*]] = arith.index_cast %[[E]] : i32 to index
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[J]], %c64
// CHECK-NEXT:      %[[IS:.*]] = arith.cmpi ult, %[[N]], %[[EXTENT]]
// CHECK-NEXT:      %[[CHOSEN:.*]] = scf.if %[[IS]] -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = tile.load %[[KV]][%[[N]], %[[V]]] inbounds [true, true]
// CHECK-NEXT:        %[[C:.*]] = tile.cast %[[E2]] : bf16 to f32
// CHECK-NEXT:        scf.yield %[[C]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %[[FILL]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[CHOSEN]], %[[S]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @gather(%kv: memref<?x576xbf16, #global>, %ids: memref<64xi32, #shared>,
                  %s: memref<64x512xf32, #shared>, %fill: f32) {
  tile.gather %kv[0, 64][64, 512] axis 0 by %ids[0] to %s[0, 0][64, 512] fill %fill
    : memref<?x576xbf16, #global>, memref<64xi32, #shared> to memref<64x512xf32, #shared>
  return
}

// An offset does not mend a negative index; other indices may lie outside too.
// CHECK-LABEL: @gather_at(
// CHECK-SAME:    %[[KV:[^ :]+]]: {{.*}}%[[O:[^ :]+]]: {{.*}}%[[IDS:[^ :]+]]: {{.*}}%[[S:[^ :]+]]: {{.*}}%[[FILL:[^ :]+]]:
// CHECK:         %[[EXTENT:.*]] = memref.dim %[[KV]], %c1
// CHECK-NEXT:    tile.parallel (%[[I:.*]], %[[J:.*]]) in (4, 8) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[IDS]][%[[J]]]
// CHECK-NEXT:      %[[N:.*]] = arith.index_cast %[[E]] : i64 to index
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[O]], %[[I]]
// CHECK-NEXT:      %[[V2:.*]] = arith.addi %[[N]], %c2
// CHECK-NEXT:      %[[IS:.*]] = arith.cmpi sge, %[[N]], %c0
// CHECK-NEXT:      %[[IS2:.*]] = arith.cmpi ult, %[[V]], %c8
// CHECK-NEXT:      %[[V3:.*]] = arith.andi %[[IS]], %[[IS2]]
// CHECK-NEXT:      %[[IS3:.*]] = arith.cmpi ult, %[[V2]], %[[EXTENT]]
// CHECK-NEXT:      %[[V4:.*]] = arith.andi %[[V3]], %[[IS3]]
// CHECK-NEXT:      %[[CHOSEN:.*]] = scf.if %[[V4]] -> (f32) {
// CHECK-NEXT:        %[[E2:.*]] = tile.load %[[KV]][%[[V]], %[[V2]]] inbounds [true, true]
// CHECK-NEXT:        scf.yield %[[E2]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %[[FILL]]
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[CHOSEN]], %[[S]][%[[I]], %[[J]]]
// CHECK-NEXT:    }
func.func @gather_at(%kv: memref<8x?xf32, #global>, %o: index, %ids: memref<8xi64, #shared>,
                     %s: memref<4x8xf32, #shared>, %fill: f32) {
  tile.gather %kv[%o, 2][4, 8] axis 1 by %ids[0] to %s[0, 0][4, 8] fill %fill
    : memref<8x?xf32, #global>, memref<8xi64, #shared> to memref<4x8xf32, #shared>
  return
}

// Rows go one after the other, so that the last one with an index wins.
// CHECK-LABEL: @scatter(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[IDS:[^ :]+]]: {{.*}}%[[KV:[^ :]+]]:
// CHECK:         %[[EXTENT:.*]] = memref.dim %[[KV]], %c0
// CHECK-NEXT:    tile.parallel (%[[I:.*]]) in (512) {
// CHECK-NEXT:      scf.for %[[K:.*]] = %c0 to %c64 step %c1 {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[IDS]][%[[K]]]
// CHECK-NEXT:        %[[N:.*]] = arith.index_cast %[[E]] : i32 to index
// CHECK-NEXT:        %[[V:.*]] = arith.addi %[[I]], %c64
// CHECK-NEXT:        %[[IS:.*]] = arith.cmpi ult, %[[N]], %[[EXTENT]]
// CHECK-NEXT:        scf.if %[[IS]] {
// CHECK-NEXT:          %[[E2:.*]] = memref.load %[[S]][%[[K]], %[[I]]]
// CHECK-NEXT:          %[[C:.*]] = tile.cast %[[E2]] : f32 to bf16
// CHECK-NEXT:          tile.store %[[C]], %[[KV]][%[[N]], %[[V]]] inbounds [true, false]
// CHECK-NEXT:        }
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @scatter(%s: memref<64x512xf32, #shared>, %ids: memref<64xi32, #shared>,
                   %kv: memref<?x?xbf16, #global>) {
  tile.scatter %s[0, 0][64, 512] to %kv[0, 64][64, 512] axis 0 by %ids[0]
    : memref<64x512xf32, #shared> to memref<?x?xbf16, #global>, memref<64xi32, #shared>
  return
}

// CHECK-LABEL: @scatter_one_row(
// CHECK-SAME:    %[[S:[^ :]+]]: {{.*}}%[[IDS:[^ :]+]]: {{.*}}%[[O:[^ :]+]]: {{.*}}%[[T:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]]) in (8) {
// CHECK-NEXT:      %[[E:.*]] = memref.load %[[IDS]][%c3]
// CHECK-NEXT:      %[[N:.*]] = arith.index_cast %[[E]] : i32 to index
// CHECK-NEXT:      %[[V:.*]] = arith.addi %[[O]], %[[N]]
// CHECK-NEXT:      %[[IS:.*]] = arith.cmpi sge, %[[N]], %c0
// CHECK-NEXT:      %[[IS2:.*]] = arith.cmpi ult, %[[V]], %c16
// CHECK-NEXT:      %[[V2:.*]] = arith.andi %[[IS]], %[[IS2]]
// CHECK-NEXT:      scf.if %[[V2]] {
// CHECK-NEXT:        %[[E2:.*]] = memref.load %[[S]][%[[I]]]
// CHECK-NEXT:        memref.store %[[E2]], %[[T]][%[[V]], %[[I]]]
// CHECK-NEXT:      }
// CHECK-NEXT:    }
func.func @scatter_one_row(%s: memref<8xf32, #shared>, %ids: memref<4xi32, #shared>, %o: index,
                           %t: memref<16x8xf32, #shared>) {
  tile.scatter %s[0][8] to %t[%o, 0][1, 8] axis 0 by %ids[3]
    : memref<8xf32, #shared> to memref<16x8xf32, #shared>, memref<4xi32, #shared>
  return
}

// CHECK-LABEL: @pack(
// CHECK-SAME:    %[[K:[^ :]+]]: {{.*}}%[[P:[^ :]+]]:
// CHECK:         tile.parallel (%[[I:.*]], %[[J:.*]], %[[L:.*]]) in (64, 64, 2) {
// CHECK-NEXT:      %[[V:.*]] = arith.muli %[[I]], %c2
// CHECK-NEXT:      %[[V2:.*]] = arith.addi %[[V]], %[[L]]
// CHECK-NEXT:      %[[IS:.*]] = arith.cmpi slt, %[[V2]], %c127
// CHECK-NEXT:      %[[CHOSEN:.*]] = scf.if %[[IS]] -> (bf16) {
// CHECK-NEXT:        %[[E:.*]] = memref.load %[[K]][%[[J]], %[[V2]]]
// CHECK-NEXT:        scf.yield %[[E]]
// CHECK-NEXT:      } else {
// CHECK-NEXT:        scf.yield %cst
// CHECK-NEXT:      }
// CHECK-NEXT:      memref.store %[[CHOSEN]], %[[P]][%[[I]], %[[J]], %[[L]]]
// CHECK-NEXT:    }
func.func @pack(%k: memref<64x127xbf16, #shared>, %p: memref<64x64x2xbf16, #shared>) {
  tile.pack %k[0, 0][64, 127] dims [0, 1] into %p transpose
    : memref<64x127xbf16, #shared> into memref<64x64x2xbf16, #shared>
  return
}
