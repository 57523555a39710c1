// Each constraint of cpu.gemm, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>
func.func @on_tensors(%a: memref<8x8xf32, #tile.space<global>>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C1) operands must be tiles of rank 2, or panels of rank 3}}
  cpu.gemm %a, %a into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x8xf32, #tile.space<global>>, memref<8x8xf32, #tile.space<global>> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @shapes(%a: memref<8x4xf32, #shared>, %b: memref<8x8x1xf32, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C2) shapes disagree}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x4xf32, #shared>, memref<8x8x1xf32, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @element_types(%a: memref<8x8xf16, #shared>, %b: memref<8x8x1xf32, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x8xf16, #shared>, memref<8x8x1xf32, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @odd_k(%a: memref<8x7xbf16, #shared>, %b: memref<3x32x2xbf16, #shared>, %c: memref<8x32xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C4) operands of an atom of depth 2 must hold groups along K side by side}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 14x32x2, bf16 into f32, 512>)
    : memref<8x7xbf16, #shared>, memref<3x32x2xbf16, #shared> into memref<8x32xf32, #shared>
  return
}
