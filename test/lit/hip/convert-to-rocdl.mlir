// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Entries and what they do with threads, in AMD's terms.
// RUN: tilewright-opt %s --split-input-file --hip-convert-to-rocdl --reconcile-unrealized-casts | FileCheck %s

#global = #tile.space<global>
#shared = #tile.space<shared>
#local = #tile.space<local>

// CHECK:       llvm.mlir.global external @tilewright_arena() {addr_space = 3 : i32, alignment = 128 : i64} : !llvm.array<0 x i8>
// CHECK-LABEL: llvm.func @kernel(
// CHECK-SAME:    !llvm.ptr<1>, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: f32)
// CHECK-SAME:    passthrough = {{\[\[}}"amdgpu-agpr-alloc", "0"], ["amdgpu-ieee", "false"]]
// CHECK-SAME:    rocdl.flat_work_group_size = "64,64"
// CHECK-SAME:    rocdl.kernel
// CHECK:         llvm.alloca %{{.*}} x !llvm.array<1 x f32> : (i64) -> !llvm.ptr<5>
// CHECK:         %[[TID:.*]] = rocdl.workitem.id.x : i32
// CHECK-NEXT:    llvm.zext %[[TID]] : i32 to i64
// CHECK:         rocdl.workgroup.id.x : i32
// CHECK:         %[[ARENA:.*]] = llvm.mlir.addressof @tilewright_arena : !llvm.ptr<3>
// CHECK-NEXT:    llvm.getelementptr %[[ARENA]][256]
// CHECK:         llvm.store %{{.*}} : f32, !llvm.ptr<3>
// CHECK:         llvm.fence syncscope("wavefront") release
// CHECK-NEXT:    rocdl.s.waitcnt 49279
// CHECK-NEXT:    rocdl.s.barrier
// CHECK-NEXT:    llvm.inline_asm has_side_effects {{.*}} "", "~{memory}"
// CHECK-NEXT:    llvm.fence syncscope("wavefront") acquire
// CHECK:         llvm.fence syncscope("workgroup") release
// CHECK-NEXT:    rocdl.s.waitcnt 49279
// CHECK-NEXT:    rocdl.s.barrier
// CHECK-NEXT:    llvm.inline_asm has_side_effects {{.*}} "", "~{memory}"
// CHECK-NEXT:    llvm.fence syncscope("workgroup") acquire
// CHECK:         llvm.atomicrmw add %{{.*}}, %{{.*}} syncscope("agent") monotonic : !llvm.ptr<1>, i32
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
    simt.barrier global
    %old = memref.atomic_rmw addi %one, %x[%b, %c0] : (i32, memref<?x8xi32, strided<[?, 1]>, #global>) -> i32
    return
  }
}

// -----

// Ballots, compared with 0: some lane says yes; no lane says no.
// CHECK-LABEL: llvm.func @votes
// CHECK-SAME:    %[[X:.*]]: i1
// CHECK:         %[[YES:.*]] = rocdl.ballot %[[X]] : i64
// CHECK:         llvm.icmp "ne" %[[YES]]
// CHECK:         %[[NOT:.*]] = llvm.xor %[[X]]
// CHECK:         %[[NO:.*]] = rocdl.ballot %[[NOT]] : i64
// CHECK:         llvm.icmp "eq" %[[NO]]
// CHECK:         rocdl.ballot %[[X]] : i64
module {
  func.func @votes(%x: i1) -> (i1, i1, i64) {
    %some = simt.vote any %x : i1
    %every = simt.vote all %x : i1
    %who = simt.vote ballot %x : i64
    return %some, %every, %who : i1, i1, i64
  }
}

// -----

// A move between registers where there is one; through LDS else, and with an address
// from one half of the wave to the other.
// CHECK-LABEL: llvm.func @exchange
// CHECK:         rocdl.update.dpp %{{.*}}, %{{.*}} with 177, 15, 15, true : i32
// CHECK:         rocdl.ds_swizzle
// CHECK:         rocdl.update.dpp %{{.*}}, %{{.*}} with 296, 15, 15, true : i32
// CHECK:         rocdl.ds_swizzle
// CHECK:         rocdl.ds_bpermute
module {
  func.func @exchange(%x: i32) -> i32 {
    %a = simt.shuffle_xor %x, 1
    %b = simt.shuffle_xor %a, 4
    %c = simt.shuffle_xor %b, 8
    %d = simt.shuffle_xor %c, 16
    %e = simt.shuffle_xor %d, 32
    return %e : i32
  }
}

// -----

// CHECK-LABEL: llvm.func @exp2
// CHECK:         rocdl.exp2 %{{.*}}
module {
  func.func @exp2(%x: f32) -> f32 {
    %y = math.exp2 %x : f32
    return %y : f32
  }
}

// -----

// Two bf16 are the upper halves of two rounded f32.
// CHECK-LABEL: llvm.func @two_bf16
// CHECK-COUNT-2: llvm.select %{{.*}} : i1, i32
// CHECK:         %[[BOTH:.*]] = llvm.call_intrinsic "llvm.amdgcn.perm"(%{{.*}}, %{{.*}}, %{{.*}}) : (i32, i32, i32) -> i32
// CHECK:         llvm.bitcast %[[BOTH]]
module {
  func.func @two_bf16(%x: vector<2xf32>) -> vector<2xbf16> {
    %y = arith.truncf %x : vector<2xf32> to vector<2xbf16>
    return %y : vector<2xbf16>
  }
}

// -----

// The address of the zeros that are read outside is taken at the entry, past what LLVM
// knows of it.
// CHECK-LABEL: llvm.func @guarded
// CHECK:         %[[ADDRESS:.*]] = llvm.mlir.addressof @tilewright_zeros : !llvm.ptr<1>
// CHECK-NEXT:    %[[ZEROS:.*]] = llvm.inline_asm asm_dialect = att "", "=s,0" %[[ADDRESS]]
// CHECK-NOT:     llvm.mlir.addressof @tilewright_zeros
// CHECK:         llvm.select %{{.*}}, %{{.*}}, %[[ZEROS]] : i1, !llvm.ptr<1>
module {
  func.func @guarded(%x: memref<?x8xf32, strided<[?, 1]>, #tile.space<global>>, %in: i1)
      attributes {simt.threads = 64 : i64} {
    %c0 = arith.constant 0 : index
    %s = tile.alloc "s" at 0 : memref<64xf32, #tile.space<shared>>
    %v = simt.vector_load %x[%c0, %c0] inbounds [true, true] if %in
      : memref<?x8xf32, strided<[?, 1]>, #tile.space<global>>, vector<4xf32>
    vector.store %v, %s[%c0] {alignment = 16 : i64} : memref<64xf32, #tile.space<shared>>, vector<4xf32>
    return
  }
}
