// A hand-written device kernel becomes NVVM, then PTX, and ptxas assembles it: the tool
// chain that the CUDA backend stands on works on this machine.
// REQUIRES: ptxas

// RUN: tilewright-opt %s --pass-pipeline='builtin.module(gpu.module(convert-gpu-to-nvvm),nvvm-attach-target{chip=sm_90a features=+ptx80 O=3})' -o %t.nvvm.mlir
// RUN: FileCheck %s --check-prefix=NVVM --input-file %t.nvvm.mlir
// RUN: tilewright-opt %t.nvvm.mlir --gpu-module-to-binary=format=isa | FileCheck %s --check-prefix=PTX
// RUN: tilewright-opt %t.nvvm.mlir --gpu-module-to-binary='format=bin toolkit=%cuda-toolkit' | FileCheck %s --check-prefix=CUBIN

// NVVM: gpu.module @device [#nvvm.target<O = 3, chip = "sm_90a", features = "+ptx80">]
// NVVM: llvm.func @scale_rows({{.*}}) attributes {gpu.kernel, {{.*}}nvvm.kernel

// PTX: .target sm_90a
// PTX: .visible .entry scale_rows(
// PTX: bar.sync
// PTX: fma.rn.f32

// CUBIN: gpu.binary @device
// CUBIN-SAME: bin = "\7FELF

module attributes {gpu.container_module} {
  gpu.module @device {
    // Each block of 128 threads stages a row in shared memory and adds it, reversed and
    // scaled, to itself.
    gpu.func @scale_rows(%x: memref<?x128xf32>, %factor: f32)
        workgroup(%row: memref<128xf32, #gpu.address_space<workgroup>>) kernel
        attributes {known_block_size = array<i32: 128, 1, 1>} {
      %block = gpu.block_id x
      %thread = gpu.thread_id x
      %last = arith.constant 127 : index
      %mirror = arith.subi %last, %thread : index
      %own = memref.load %x[%block, %thread] : memref<?x128xf32>
      memref.store %own, %row[%thread] : memref<128xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %other = memref.load %row[%mirror] : memref<128xf32, #gpu.address_space<workgroup>>
      %scaled = arith.mulf %other, %factor fastmath<contract> : f32
      %sum = arith.addf %scaled, %own fastmath<contract> : f32
      memref.store %sum, %x[%block, %thread] : memref<?x128xf32>
      gpu.return
    }
  }
}
