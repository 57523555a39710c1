// Checks become calls of the checker that the host table has as its seventh field, and what
// they say a table.
// RUN: %tilewright-opt %s --plan-memory --outline-kernels | FileCheck %s

#shared = #tile.space<shared>

// Magic and, after the number of words, one memory, one loop and two sites.
// CHECK: llvm.mlir.global internal constant @tw.checks(dense<[54199404681044, {{[0-9]+}}, 1, 1, 2,

// CHECK-LABEL: func.func private @checked.kernel0
// CHECK: %[[HOST:.*]] = {{.*}}tile.captured
// CHECK: llvm.getelementptr {{.*}}[6]
// CHECK: llvm.getelementptr {{.*}}[4]
// CHECK: scf.for
// CHECK: llvm.getelementptr {{.*}}[5]
// CHECK: llvm.getelementptr {{.*}}[6]
// CHECK: llvm.getelementptr {{.*}}[6]
// CHECK: memref.store
// CHECK: arith.divf
// CHECK: llvm.getelementptr {{.*}}[6]
// CHECK: llvm.getelementptr {{.*}}[7]
// CHECK-NOT: tile.check

// The launch announces the table before anything else, and the grid before the launch.
// CHECK-LABEL: func.func @checked
// CHECK: llvm.mlir.addressof @tw.checks
// CHECK: llvm.getelementptr {{.*}}[6]
// CHECK: llvm.getelementptr {{.*}}[1]
// CHECK: llvm.call
// CHECK: llvm.getelementptr {{.*}}[3]
// CHECK: llvm.call
// CHECK: tile.launch
func.func @checked(%n: index, %x: f32) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  tile.kernel (%bx) in (%n) {
    %s = tile.alloc "s" : memref<32xf32, #shared>
    tile.check_memory 0 "s" %s : memref<32xf32, #shared>
    scf.for %k = %c0 to %n step %c1 {
      tile.check_iteration 0 (%k) ["k"]
      tile.check_access write 0 %s[%k] [1] "" in 0 : memref<32xf32, #shared>
      memref.store %zero, %s[%k] : memref<32xf32, #shared>
      %q = arith.divf %x, %zero : f32
      tile.check_value %q from %x, %zero "/" in 0 : f32, f32, f32
    }
  }
  return
}
