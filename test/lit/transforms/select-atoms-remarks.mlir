// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A remark names the choice and the best of another orientation, form or element type.
// RUN: %tilewright-opt %s --select-atoms=target=cpu:znver4 --verify-diagnostics

#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

func.func @orientation(%a: memref<16x570xbf16, #shared>, %b: memref<64x570xbf16, #shared>,
                       %c: memref<16x64xf32, #fragment>) {
  // expected-remark-re @+1 {{{{^}}uses #cpu.atom<dpbf16 {{[0-9]+}}x16x2, bf16 into f32, 512> swapped ({{[1-9][0-9]+}} cycles); next best is #cpu.atom<dpbf16 {{[0-9]+x[0-9]+x2}}, bf16 into f32, 512> ({{[1-9][0-9]+}} cycles){{$}}}}
  tile.gemm %a, %b into %c transpose_b clear
    : memref<16x570xbf16, #shared>, memref<64x570xbf16, #shared>
      into memref<16x64xf32, #fragment>
  return
}

func.func @element_type(%a: memref<4x64xbf16, #shared>, %b: memref<64x64xbf16, #shared>,
                        %c: memref<4x64xf32, #fragment>) {
  // expected-remark-re @+1 {{uses #cpu.atom<dpbf16 {{.*}}, bf16 into f32, 512> ({{.*}} cycles); next best is #cpu.atom<fma {{.*}}, f32 into f32, 512> ({{.*}} cycles)}}
  tile.gemm %a, %b into %c
    : memref<4x64xbf16, #shared>, memref<64x64xbf16, #shared> into memref<4x64xf32, #fragment>
  return
}

func.func @form(%a: memref<1x256xf32, #shared>, %b: memref<64x256xf32, #shared>,
                %c: memref<1x64xf32, #fragment>) {
  // expected-remark-re @+1 {{uses #cpu.atom<fma inner {{[0-9]+x[0-9]+x1}}, f32 into f32, 512> ({{.*}} cycles); next best is #cpu.atom<fma {{[0-9]+x[0-9]+x1}}, f32 into f32, 512> ({{[0-9]+}} cycles){{$}}}}
  tile.gemm %a, %b into %c transpose_b
    : memref<1x256xf32, #shared>, memref<64x256xf32, #shared> into memref<1x64xf32, #fragment>
  return
}
