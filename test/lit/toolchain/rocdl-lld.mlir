// A hand-written device kernel becomes ROCDL, then an AMDGPU object, and lld links it into
// a code object: the tool chain that the HIP backend stands on works on this machine.
// REQUIRES: lld

// MLIR looks for the linker where ROCm has it.
// RUN: rm -rf %t.rocm && mkdir -p %t.rocm/llvm/bin && ln -s %ld.lld %t.rocm/llvm/bin/ld.lld

// RUN: tilewright-opt %s --pass-pipeline='builtin.module(gpu.module(convert-gpu-to-rocdl{chipset=gfx942}),rocdl-attach-target{chip=gfx942 abi=500 O=3})' -o %t.rocdl.mlir
// RUN: FileCheck %s --check-prefix=ROCDL --input-file %t.rocdl.mlir
// RUN: tilewright-opt %t.rocdl.mlir --gpu-module-to-binary=format=isa | FileCheck %s --check-prefix=ISA
// RUN: tilewright-opt %t.rocdl.mlir --gpu-module-to-binary='format=bin toolkit=%t.rocm' | FileCheck %s --check-prefix=HSACO

// ROCDL: gpu.module @device [#rocdl.target<O = 3, chip = "gfx942", abi = "500">]
// ROCDL: llvm.func @scale_rows({{.*}}) attributes {gpu.kernel, {{.*}}rocdl.kernel

// ISA: .amdgcn_target \22amdgcn-amd-amdhsa--gfx942
// ISA: ds_write_b32
// ISA: s_barrier
// ISA: v_fma{{c?}}_f32

// HSACO: gpu.binary @device
// HSACO-SAME: bin = "\7FELF

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
