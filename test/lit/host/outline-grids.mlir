// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels become functions of a device module, launched as grids.
// RUN: tilewright-opt %s --outline-grids | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>

// The launch passes what the kernel uses; constants stay with it. A grid of several
// dimensions is linear for the device, and its extents are passed as well.
// CHECK-LABEL: func @grid(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[STATE:.*]]: !llvm.ptr, %{{.*}}: !llvm.ptr) -> i32
// CHECK:         %[[X:.*]] = tile.from_pointer
// CHECK:         arith.mulsi_extended
// CHECK:         %[[ALL:.*]] = arith.index_cast
// CHECK:         tile.launch_grid @device::@grid_kernel0 blocks(%[[ALL]]) threads(64) runtime(%[[HOST]], %[[STATE]]) (%{{.*}}, %[[X]], %{{.*}}, %{{.*}}) : f32, memref<?x64xf32, {{.*}}>, index, index
// CHECK-NOT:     tile.kernel

func.func @grid(%x: memref<?x64xf32, strided<[?, 1]>, #global>, %v: f32, %n: index,
                %m: index) {
  %c7 = arith.constant 7 : index
  tile.kernel (%bx, %by) in (%n, %m) threads(64) attributes {tile.arena = 1152 : i64} {
    %s = tile.alloc "s" at 128 : memref<16x16xf32, #shared>
    tile.store %v, %x[%bx, %c7] : memref<?x64xf32, strided<[?, 1]>, #global>
    memref.store %v, %s[%by, %by] : memref<16x16xf32, #shared>
  }
  return
}

// Prints and assertions write to a buffer that the runtime gives for a table of sites.
// CHECK-LABEL: func @messages(
// CHECK-SAME:    %[[HOST:.*]]: !llvm.ptr, %[[STATE:.*]]: !llvm.ptr,
// CHECK:         %[[SITES:.*]] = llvm.alloca %{{.*}} x !llvm.struct<(i64, ptr, ptr, i32, i32)>
// CHECK:         %[[SLOT:.*]] = llvm.getelementptr %[[HOST]][7]
// CHECK:         %[[GIVE:.*]] = llvm.load %[[SLOT]]
// CHECK:         %[[MEMORY:.*]] = llvm.call %[[GIVE]](%[[STATE]], %[[SITES]], %c2_i64{{.*}})
// CHECK:         %[[BUFFER:.*]] = tile.from_pointer %[[MEMORY]] at 0
// CHECK:         tile.launch_grid {{.*}}%[[BUFFER]]{{.*}} memref<?xi64, #tile.space<global>>
//
// CHECK:       module @device
// CHECK-LABEL: func.func @grid_kernel0(
// CHECK-SAME:    %[[V:.*]]: f32, %[[TENSOR:.*]]: memref<?x64xf32, {{.*}}>, %[[N:.*]]: index, %[[M:.*]]: index)
// CHECK-SAME:    simt.shared_bytes = 1152 : i64, simt.threads = 64 : i64
// CHECK:         %[[BLOCK:.*]] = simt.block_id
// CHECK:         %[[BX:.*]] = arith.remui %[[BLOCK]], %[[N]]
// CHECK:         %[[BY:.*]] = arith.divui %[[BLOCK]], %[[N]]
// CHECK:         %[[C7:.*]] = arith.constant 7 : index
// CHECK:         tile.store %[[V]], %[[TENSOR]][%[[BX]], %[[C7]]]
//
// CHECK-LABEL: func.func @messages_kernel0(
// CHECK-SAME:    %[[OK:.*]]: i1, %[[B:.*]]: memref<?xi64, #tile.space<global>>)
// CHECK:         %[[BLOCK:.*]] = simt.block_id
// CHECK:         %[[NUMBER:.*]] = memref.atomic_rmw addi %c1_i64, %[[B]][%c0]
// CHECK:         %[[CAPACITY:.*]] = memref.load %[[B]][%c1]
// CHECK:         %[[FITS:.*]] = arith.cmpi ult, %[[NUMBER]], %[[CAPACITY]]
// CHECK:         scf.if %[[FITS]]
// CHECK-COUNT-3:   memref.store
// CHECK:         }
// CHECK:         scf.if
// CHECK:           memref.atomic_rmw minu %{{.*}}, %[[B]][%c2]
func.func @messages(%ok: i1, %n: index) {
  tile.kernel (%bx) in (%n) {
    tile.print "block" %bx : index
    tile.assert %ok, "not ok"
  }
  return
}
