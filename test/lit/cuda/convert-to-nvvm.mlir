// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries and what they do with threads, in NVIDIA's terms.
// RUN: tilewright-opt %s --split-input-file --cuda-convert-to-nvvm --reconcile-unrealized-casts | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// CHECK:       llvm.mlir.global external @tilewright_arena() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME:    !llvm.ptr<1>, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: f32)
// CHECK-SAME:    nvvm.kernel
// CHECK-SAME:    nvvm.reqntid = array<i32: 64, 1, 1>
// CHECK:         llvm.alloca %{{.*}} x !llvm.array<1 x f32> : (i64) -> !llvm.ptr
// CHECK:         %[[TID:.*]] = nvvm.read.ptx.sreg.tid.x : i32
// CHECK-NEXT:    llvm.zext %[[TID]] : i32 to i64
// CHECK:         nvvm.read.ptx.sreg.ctaid.x : i32
// CHECK:         %[[ARENA:.*]] = llvm.mlir.addressof @tilewright_arena : !llvm.ptr<3>
// CHECK-NEXT:    llvm.getelementptr %[[ARENA]][256]
// CHECK:         llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK:         nvvm.barrier0
// CHECK:         llvm.atomicrmw add %{{.*}}, %{{.*}} syncscope("device") monotonic : !llvm.ptr<1>, i32
module {
  func.func @kernel(%x: memref<?x8xi32, strided<[?, 1]>, #global>, %f: f32)
      attributes {simt.threads = 64 : i64} {
    %one = arith.constant 1 : i32
    %c0 = arith.constant 0 : index
    %t = simt.thread_id
    %b = simt.block_id
    %v = tile.alloc "v" : memref<1xf32, #local>
    memref.store %f, %v[%c0] : memref<1xf32, #local>
    %s = tile.alloc "s" at 256 : memref<64xf32, #shared>
    memref.store %f, %s[%t] : memref<64xf32, #shared>
    simt.barrier
    %old = memref.atomic_rmw addi %one, %x[%b, %c0] : (i32, memref<?x8xi32, strided<[?, 1]>, #global>) -> i32
    return
  }
}

// -----

#global = #tile.space<global>
#shared = #tile.space<shared>

// Neighbours: a guard chooses zeros in place of what is outside; matrices for a warp; a
// copy that reads nothing where it is outside, and the groups it is waited for in.
// CHECK-LABEL: llvm.func @neighbours(
// CHECK:         %[[ROW:.*]] = llvm.getelementptr %{{.*}}[%{{.*}}] : (!llvm.ptr<1>, i64) -> !llvm.ptr<1>, i8
// CHECK:         %[[ZEROS:.*]] = llvm.mlir.addressof @tilewright_zeros : !llvm.ptr<1>
// CHECK:         %[[FROM:.*]] = llvm.select %{{.*}}, %{{.*}}, %[[ZEROS]] : i1, !llvm.ptr<1>
// CHECK:         llvm.load %[[FROM]] {alignment = 16 : i64} : !llvm.ptr<1> -> vector<8xf16>
// CHECK:         nvvm.ldmatrix %{{.*}} {eltType = #nvvm.ld_st_matrix_elt_type<b16>, layout = #nvvm.mma_layout<col>, num = 2 : i32,
// CHECK:         %[[BYTES:.*]] = llvm.select %{{.*}}, %{{.*}}, %{{.*}} : i1, i32
// CHECK:         nvvm.cp.async.shared.global %{{.*}}, %{{.*}}, 16, cache = cg, %[[BYTES]]
// CHECK:         nvvm.cp.async.commit.group
// CHECK:         nvvm.cp.async.wait.group 2
module {
  func.func @neighbours(%x: memref<?x64xf16, #global>, %i: index, %j: index, %in: i1)
      attributes {simt.threads = 64 : i64} {
    %s = tile.alloc "s" at 256 : memref<64x64xf16, #shared>
    %v = simt.vector_load %x[%i, %j] inbounds [true, true] if %in
      : memref<?x64xf16, #global>, vector<8xf16>
    vector.store %v, %s[%i, %j] {alignment = 16 : i64}
      : memref<64x64xf16, #shared>, vector<8xf16>
    %m = simt.load_matrix %s[%i, %j] transpose : memref<64x64xf16, #shared>, vector<2xi32>
    simt.copy_async 8 of %x[%i, %j] inbounds [true, true] if %in to %s[%i, %j]
      : memref<?x64xf16, #global>, memref<64x64xf16, #shared>
    simt.commit_copies
    simt.wait_copies pending 2
    return
  }
}

// -----

// CHECK-LABEL: llvm.func @votes
// CHECK:         nvvm.vote.sync any %{{.*}}, %{{.*}} -> i1
// CHECK:         nvvm.vote.sync all %{{.*}}, %{{.*}} -> i1
// CHECK:         %[[WHO:.*]] = nvvm.vote.sync ballot %{{.*}}, %{{.*}} -> i32
// CHECK:         llvm.zext %[[WHO]] : i32 to i64
module {
  func.func @votes(%x: i1) -> (i1, i1, i64) {
    %some = simt.vote any %x : i1
    %every = simt.vote all %x : i1
    %who = simt.vote ballot %x : i64
    return %some, %every, %who : i1, i1, i64
  }
}

// -----

// CHECK-LABEL: llvm.func @exchange
// CHECK:         nvvm.shfl.sync bfly %{{.*}}, %{{.*}}, %{{.*}}, %{{.*}} : i32 -> i32
module {
  func.func @exchange(%x: i32) -> i32 {
    %y = simt.shuffle_xor %x, 16
    return %y : i32
  }
}

// -----

// CHECK-LABEL: llvm.func @exp2
// CHECK:         llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f32"
module {
  func.func @exp2(%x: f32) -> f32 {
    %y = math.exp2 %x : f32
    return %y : f32
  }
}
