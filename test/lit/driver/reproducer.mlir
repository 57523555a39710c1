// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A reproducer as the driver writes it: the module, then the passes down to an object file.
// This one names an instruction that the target lacks, which LLVM finds last of all.
// RUN: not --crash %tilewright-opt --run-reproducer %s 2>&1 | FileCheck %s
// CHECK: LLVM ERROR: Do not know how to split the result of this operator!

#global = #tile.space<global>

func.func @kernel(%X: memref<16xf32, #global>) attributes {tile.signature = {symbols = [],
    params = [{kind = "tensor", name = "X", dtype = "f32", dims = [16 : i64],
               strides = "contiguous", align = 4 : i64, read, write}]}} {
  %c1 = arith.constant 1 : index
  tile.kernel (%b) in (%c1) {
    %v = llvm.mlir.constant(dense<2.0> : vector<16xf32>) : vector<16xf32>
    %mask = llvm.mlir.constant(-1 : i16) : i16
    %r = llvm.call_intrinsic "llvm.x86.avx512.rcp14.ps.512"(%v, %v, %mask)
      : (vector<16xf32>, vector<16xf32>, i16) -> vector<16xf32>
    %e = vector.extract %r[3] : f32 from vector<16xf32>
    tile.store %e, %X[%b] : memref<16xf32, #global>
  }
  return
}

{-#
  external_resources: {
    mlir_reproducer: {
      pipeline: "builtin.module(canonicalize{  max-iterations=10 max-num-rewrites=-1 region-simplify=normal test-convergence=false top-down=true},cse,func.func(prove-bounds),legalize-accumulators,select-atoms{target=cpu:znver3},sequentialize-loops,cpu-pack-operands,cpu-forward-copies,plan-memory{alignment=64},cpu-lower-gemm,cpu-lower-copy{vector-bits=256},cpu-lower-reduce{vector-bits=256},cpu-lower-parallel{vector-bits=256},plan-memory{alignment=64},outline-kernels,lower-access,widen-floats,expand-casts,expand-math,arith-expand{include-bf16=false include-f4e2m1=false include-f8e8m0=false},memref-expand,canonicalize{  max-iterations=10 max-num-rewrites=-1 region-simplify=normal test-convergence=false top-down=true},cse,loop-invariant-code-motion,expand-strided-metadata,lower-affine,convert-scf-to-cf{allow-pattern-rollback=true},cpu-convert-to-llvm,reconcile-unrealized-casts,emit-object{target=cpu:znver3})",
      disable_threading: true,
      verify_each: true
    }
  }
#-}
