// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The instruction follows from the element types, the target and where the operands' other
// form is paid for. Block sizes are the cost function's business and tested with it.
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,ZEN
// RUN: %tilewright-opt %s --select-atoms=target=cpu:sapphirerapids,-amx-tile 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,SPR
// RUN: %tilewright-opt %s --select-atoms=target=cpu:sapphirerapids 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=AMX
// RUN: %tilewright-opt %s --select-atoms=target=cpu:x86-64-v3 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4,-avx512f 2>/dev/null \
// RUN:   | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4,-avx512bf16 2>/dev/null \
// RUN:   | FileCheck %s --check-prefix=NOBF16

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// bf16 has dot products, at a rate that pays on one of the models that have them.
// CHECK-LABEL:  @bf16
// ZEN:          tile.gemm {{.*}} atom(#cpu.atom<dpbf16 {{[0-9]+x[0-9]+x2}}, bf16 into f32, 512>)
// SPR:          tile.gemm {{.*}} atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, f32 into f32, 512>)
// AVX2:         tile.gemm {{.*}} atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, f32 into f32, 256>)
// AMX-LABEL:    @bf16
// AMX:          tile.gemm {{.*}} atom(#cpu.atom<amx_bf16 32x32x32, bf16 into f32, 512>)
// NOBF16-LABEL: @bf16
// NOBF16:       tile.gemm {{.*}} atom(#cpu.atom<fma {{.*}}, f32 into f32, 512>)
func.func @bf16(%a: memref<128x64xbf16, #shared>, %b: memref<64x128xbf16, #shared>,
                %c: memref<128x128xf32, #fragment>) {
  tile.gemm %a, %b into %c
    : memref<128x64xbf16, #shared>, memref<64x128xbf16, #shared>
      into memref<128x128xf32, #fragment>
  return
}

// Every f8 is a bf16; an f16 is not.
// CHECK-LABEL: @other_floats
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<dpbf16
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<fma {{.*}}, f32 into f32, 512>)
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<fma {{.*}}, f32 into f32, 256>)
// CHECK:       tile.gemm {{.*}} atom(#cpu.atom<fma {{.*}}, f32 into f32,
// CHECK:       tile.gemm {{.*}} atom(#cpu.atom<fma {{.*}}, f64 into f64,
func.func @other_floats(%a: memref<64x64xf8E4M3FN, #shared>, %b: memref<64x64xbf16, #shared>,
                        %h: memref<64x64xf16, #shared>, %d: memref<64x64xf64, #shared>,
                        %c: memref<64x64xf32, #fragment>) {
  tile.gemm %a, %b into %c
    : memref<64x64xf8E4M3FN, #shared>, memref<64x64xbf16, #shared>
      into memref<64x64xf32, #fragment>
  tile.gemm %h, %b into %c
    : memref<64x64xf16, #shared>, memref<64x64xbf16, #shared>
      into memref<64x64xf32, #fragment>
  tile.gemm %b, %b into %d
    : memref<64x64xbf16, #shared>, memref<64x64xbf16, #shared>
      into memref<64x64xf64, #shared>
  return
}

// Integers are exact: dpbusd cannot take unsigned bytes on both sides, nor maddwd unsigned
// words.
// CHECK-LABEL: @integers
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<dpbusd {{[0-9]+x[0-9]+x4}}, i8 into i32, 512>)
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<dpbusd {{[0-9]+x[0-9]+x4}}, i8 into i32, 512>)
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<maddwd {{[0-9]+x[0-9]+x2}}, i16 into i32, 256>)
// CHECK:       tile.gemm {{.*}} unsigned atom(#cpu.atom<maddwd
// CHECK:       tile.gemm {{.*}} atom(#cpu.atom<maddwd
// CHECK:       tile.gemm {{.*}} unsigned atom(#cpu.atom<muladd {{[0-9]+x[0-9]+x1}}, i32 into i32,
func.func @integers(%a: memref<64x64xi8, #shared>, %w: memref<64x64xi16, #shared>,
                    %c: memref<64x64xi32, #fragment>) {
  tile.gemm %a, %a into %c
    : memref<64x64xi8, #shared>, memref<64x64xi8, #shared> into memref<64x64xi32, #fragment>
  tile.gemm %a, %a into %c unsigned
    : memref<64x64xi8, #shared>, memref<64x64xi8, #shared> into memref<64x64xi32, #fragment>
  tile.gemm %w, %w into %c
    : memref<64x64xi16, #shared>, memref<64x64xi16, #shared> into memref<64x64xi32, #fragment>
  tile.gemm %w, %w into %c unsigned
    : memref<64x64xi16, #shared>, memref<64x64xi16, #shared> into memref<64x64xi32, #fragment>
  return
}

// An operand that stays is converted once for all iterations, and FMA wins there. One that
// each iteration writes is converted for each, and dot products of what is in memory win.
// CHECK-LABEL: @reuse
// CHECK:       scf.for
// SPR-NEXT:      tile.gemm {{.*}} atom(#cpu.atom<fma
// CHECK:       scf.for
// CHECK-NEXT:    tile.fill
// SPR-NEXT:      tile.gemm {{.*}} atom(#cpu.atom<dpbf16
// CHECK:       scf.for
// CHECK-NEXT:    tile.fill
// CHECK-NEXT:    tile.pipelined
// SPR-NEXT:        tile.gemm {{.*}} atom(#cpu.atom<fma
func.func @reuse(%x: bf16, %blocks: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  tile.kernel (%bx) in (%blocks) {
    %a = tile.alloc : memref<1x64xbf16, #shared>
    %b = tile.alloc : memref<64x512xbf16, #shared>
    %c = tile.alloc : memref<1x512xf32, #fragment>
    scf.for %i = %c0 to %c64 step %c1 {
      tile.gemm %a, %b into %c
        : memref<1x64xbf16, #shared>, memref<64x512xbf16, #shared>
          into memref<1x512xf32, #fragment>
    }
    scf.for %i = %c0 to %c64 step %c1 {
      tile.fill %b, %x : memref<64x512xbf16, #shared>
      tile.gemm %a, %b into %c
        : memref<1x64xbf16, #shared>, memref<64x512xbf16, #shared>
          into memref<1x512xf32, #fragment>
    }
    scf.for %i = %c0 to %c64 step %c1 {
      tile.fill %b, %x : memref<64x512xbf16, #shared>
      tile.pipelined %j = %c0 to %c64 step %c1 stages(2) {
        tile.gemm %a, %b into %c
          : memref<1x64xbf16, #shared>, memref<64x512xbf16, #shared>
            into memref<1x512xf32, #fragment>
      }
    }
  }
  return
}

// Rows along K on both sides are read as they are, where each is read a few times only.
// One row of A in registers is cheaper than many, for which narrow registers swap.
// CHECK-LABEL: @inner
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<dpbf16 inner 1x{{[0-9]+}}x2, bf16 into f32, 512>) :
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<fma inner 1x{{[0-9]+}}x1, f32 into f32, 512>) :
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<fma inner 1x{{[0-9]+}}x1, f32 into f32, 256>) :
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<dpbf16 inner {{[0-9]+}}x1x2, bf16 into f32, 512>) :
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<fma inner {{[0-9]+}}x1x1, f32 into f32, 512>) :
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<fma inner 1x{{[0-9]+}}x1, f32 into f32, 256>) swapped :
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<dpbusd inner 1x{{[0-9]+}}x4, i8 into i32, 512>) :
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<dpbusd inner 1x{{[0-9]+}}x4, i8 into i32, 512>) :
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<maddwd inner 1x{{[0-9]+}}x2, i16 into i32, 256>) :
// CHECK:       tile.gemm {{.*}} atom(#cpu.atom<fma inner 1x{{[0-9]+}}x1, f64 into f64, {{[0-9]+}}>) :
func.func @inner(%a: memref<1x256xbf16, #shared>, %b: memref<64x256xbf16, #shared>,
                 %c: memref<1x64xf32, #fragment>, %r: memref<64x1xf32, #fragment>,
                 %i: memref<1x256xi8, #shared>, %j: memref<64x256xi8, #shared>,
                 %k: memref<1x64xi32, #fragment>, %d: memref<1x256xf64, #shared>,
                 %e: memref<64x256xf64, #shared>, %f: memref<1x64xf64, #fragment>) {
  tile.gemm %a, %b into %c transpose_b
    : memref<1x256xbf16, #shared>, memref<64x256xbf16, #shared> into memref<1x64xf32, #fragment>
  tile.gemm %b, %a into %r transpose_b
    : memref<64x256xbf16, #shared>, memref<1x256xbf16, #shared> into memref<64x1xf32, #fragment>
  tile.gemm %i, %j into %k transpose_b
    : memref<1x256xi8, #shared>, memref<64x256xi8, #shared> into memref<1x64xi32, #fragment>
  tile.gemm %d, %e into %f transpose_b
    : memref<1x256xf64, #shared>, memref<64x256xf64, #shared> into memref<1x64xf64, #fragment>
  return
}

// Where an operand does not lie along K, or is read often, the other form is chosen.
// CHECK-LABEL:   @across
// CHECK-COUNT-3: tile.gemm {{.*}} atom(#cpu.atom<{{[a-z0-9]+ [0-9]+x[0-9]+x[0-9]+}},
func.func @across(%a: memref<1x256xbf16, #shared>, %at: memref<256x1xbf16, #shared>,
                  %b: memref<256x64xbf16, #shared>, %bt: memref<64x256xbf16, #shared>,
                  %c: memref<1x64xf32, #fragment>, %x: memref<128x256xbf16, #shared>,
                  %y: memref<128x128xf32, #fragment>) {
  tile.gemm %a, %b into %c
    : memref<1x256xbf16, #shared>, memref<256x64xbf16, #shared> into memref<1x64xf32, #fragment>
  tile.gemm %at, %bt into %c transpose_a transpose_b
    : memref<256x1xbf16, #shared>, memref<64x256xbf16, #shared> into memref<1x64xf32, #fragment>
  tile.gemm %x, %x into %y transpose_b
    : memref<128x256xbf16, #shared>, memref<128x256xbf16, #shared>
      into memref<128x128xf32, #fragment>
  return
}

// So it is where K is no multiple of a register: 264 elements are whole registers of 8 f32,
// but not of 16 f32, nor pairs of 8 bf16.
// CHECK-LABEL: @cut_register
// ZEN:         tile.gemm {{.*}} atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, f32 into f32, 512>)
// SPR:         tile.gemm {{.*}} atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, f32 into f32, 512>)
// AVX2:        tile.gemm {{.*}} atom(#cpu.atom<fma inner {{.*}}, f32 into f32, 256>)
// CHECK:       tile.gemm {{.*}} atom(#cpu.atom<{{[a-z0-9]+ [0-9]+x[0-9]+x[0-9]+}},
func.func @cut_register(%a: memref<1x264xf32, #shared>, %b: memref<64x264xf32, #shared>,
                        %p: memref<1x264xbf16, #shared>, %q: memref<64x264xbf16, #shared>,
                        %c: memref<1x64xf32, #fragment>) {
  tile.gemm %a, %b into %c transpose_b
    : memref<1x264xf32, #shared>, memref<64x264xf32, #shared> into memref<1x64xf32, #fragment>
  tile.gemm %p, %q into %c transpose_b
    : memref<1x264xbf16, #shared>, memref<64x264xbf16, #shared> into memref<1x64xf32, #fragment>
  return
}

// The transpose is computed where it is cheaper, here because what streams lies along K,
// in rows that are no whole registers. A choice made before does not stay.
// CHECK-LABEL: @swapped
// ZEN:         tile.gemm {{.*}} transpose_b clear atom(#cpu.atom<dpbf16 {{[0-9]+x[0-9]+x2}}, {{.*}}>) swapped
// SPR:         tile.gemm {{.*}} transpose_b clear atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, {{.*}}>) swapped
// AVX2:        tile.gemm {{.*}} transpose_b clear atom(#cpu.atom<fma {{[0-9]+x[0-9]+x1}}, {{.*}}>) swapped
// CHECK:       tile.gemm
// CHECK-NOT:   swapped
func.func @swapped(%a: memref<16x570xbf16, #shared>, %b: memref<64x570xbf16, #shared>,
                   %c: memref<16x64xf32, #fragment>, %x: memref<64x64xf32, #shared>,
                   %y: memref<64x64xf32, #fragment>) {
  tile.gemm %a, %b into %c transpose_b clear
    : memref<16x570xbf16, #shared>, memref<64x570xbf16, #shared>
      into memref<16x64xf32, #fragment>
  tile.gemm %x, %x into %y atom(#cpu.atom<fma 1x16x1, f32 into f32, 512>) swapped
    : memref<64x64xf32, #shared>, memref<64x64xf32, #shared> into memref<64x64xf32, #fragment>
  return
}
