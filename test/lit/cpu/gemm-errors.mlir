// Each constraint of cpu.gemm, broken once for each form of the atom that it holds for.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>
func.func @into_tensor(%a: memref<8x8xf32, #shared>, %c: memref<8x8xf32, #tile.space<global>>) {
  // expected-error @+1 {{'cpu.gemm' op (C1) operands must be matrices, or panels of rank 3, of static shape, and `c` a tile}}
  cpu.gemm %a, %a into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x8xf32, #shared>, memref<8x8xf32, #shared> into memref<8x8xf32, #tile.space<global>>
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

// -----

#shared = #tile.space<shared>
func.func @inner_rows(%a: memref<2x32xf32, #shared>, %b: memref<8x32xf32, #shared>, %c: memref<4x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C2) shapes disagree}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf32, #shared>, memref<8x32xf32, #shared> into memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_columns(%a: memref<2x32xf32, #shared>, %b: memref<4x32xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C2) shapes disagree}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf32, #shared>, memref<4x32xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_k(%a: memref<2x32xf32, #shared>, %b: memref<8x48xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C2) shapes disagree}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf32, #shared>, memref<8x48xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_wider(%a: memref<2x32xf64, #shared>, %b: memref<8x32xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf64, #shared>, memref<8x32xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_wider_b(%a: memref<2x32xf32, #shared>, %b: memref<8x32xf64, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf32, #shared>, memref<8x32xf64, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

// As wide as the atom's, but another type.
#shared = #tile.space<shared>
func.func @inner_other_half(%a: memref<2x32xbf16, #shared>, %b: memref<8x32xf16, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 inner 2x4x2, bf16 into f32, 512>)
    : memref<2x32xbf16, #shared>, memref<8x32xf16, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

// Integers are not widened on the way to registers.
#shared = #tile.space<shared>
func.func @inner_bytes(%a: memref<2x32xi8, #shared>, %b: memref<8x32xi8, #shared>, %c: memref<2x8xi32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<maddwd inner 2x4x2, i16 into i32, 512>)
    : memref<2x32xi8, #shared>, memref<8x32xi8, #shared> into memref<2x8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_accumulator(%a: memref<2x32xbf16, #shared>, %b: memref<8x32xbf16, #shared>, %c: memref<2x8xf64, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C3) element types must be those of the atom}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xbf16, #shared>, memref<8x32xbf16, #shared> into memref<2x8xf64, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_panel_a(%a: memref<1x2x32xf32, #shared>, %b: memref<8x32xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) an inner atom reads matrices M x K and N x K}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<1x2x32xf32, #shared>, memref<8x32xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_panel_b(%a: memref<2x32xf32, #shared>, %b: memref<32x8x1xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) an inner atom reads matrices M x K and N x K}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x32xf32, #shared>, memref<32x8x1xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_transposed(%a: memref<32x32xf32, #shared>, %b: memref<8x32xf32, #shared>, %c: memref<32x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) an inner atom reads matrices M x K and N x K}}
  cpu.gemm %a, %b into %c transpose_a atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<32x32xf32, #shared>, memref<8x32xf32, #shared> into memref<32x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_part(%a: memref<2x24xf32, #shared>, %b: memref<8x24xf32, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) K = 24 is not a multiple of the 16 elements that a step reads}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x24xf32, #shared>, memref<8x24xf32, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

// Where both are bf16 a step reads a whole register of them.
#shared = #tile.space<shared>
func.func @inner_part_of_pairs(%a: memref<2x16xbf16, #shared>, %b: memref<8x16xbf16, #shared>, %c: memref<2x8xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) K = 16 is not a multiple of the 32 elements that a step reads}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma inner 2x4x1, f32 into f32, 512>)
    : memref<2x16xbf16, #shared>, memref<8x16xbf16, #shared> into memref<2x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_part_of_groups(%a: memref<2x96xi8, #shared>, %b: memref<8x96xi8, #shared>, %c: memref<2x8xi32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C5) K = 96 is not a multiple of the 64 elements that a step reads}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbusd inner 2x4x4, i8 into i32, 512>)
    : memref<2x96xi8, #shared>, memref<8x96xi8, #shared> into memref<2x8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @half_a_step(%a: memref<8x32xf32, #shared>, %b: memref<32x64xf32, #shared>, %c: memref<8x64xf32, #shared>, %l: i1) {
  // expected-error @+1 {{'cpu.gemm' op (C6) `last` says when C is written to `out`: both or none}}
  cpu.gemm %a, %b into %c last(%l) atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x32xf32, #shared>, memref<32x64xf32, #shared> into memref<8x64xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @cleared_step(%a: memref<8x32xf32, #shared>, %b: memref<32x64xf32, #shared>, %c: memref<8x64xf32, #shared>, %f: i1) {
  // expected-error @+1 {{'cpu.gemm' op (C6) a step has no inner atom, and is not cleared}}
  cpu.gemm %a, %b into %c first(%f) clear atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x32xf32, #shared>, memref<32x64xf32, #shared> into memref<8x64xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @other_shape(%a: memref<8x32xf32, #shared>, %b: memref<32x64xf32, #shared>, %c: memref<8x64xf32, #shared>, %y: memref<8x32xf32, #tile.space<global>>, %l: i1) {
  // expected-error @+1 {{'cpu.gemm' op (C6) `out` has the shape of `c`, and rows without gaps}}
  cpu.gemm %a, %b into %c last(%l) atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x32xf32, #shared>, memref<32x64xf32, #shared> into memref<8x64xf32, #shared>
    out %y : memref<8x32xf32, #tile.space<global>>
  return
}

// -----

#shared = #tile.space<shared>
func.func @asks_for_gaps(%a: memref<8x32xf32, #shared>, %b: memref<32x64xf32, #shared>, %c: memref<8x64xf32, #shared>, %y: memref<8x32xf32, strided<[64, 2]>, #tile.space<global>>) {
  // expected-error @+1 {{'cpu.gemm' op (C7) `ahead` has a static shape, and rows without gaps}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x32xf32, #shared>, memref<32x64xf32, #shared> into memref<8x64xf32, #shared>
    ahead %y : memref<8x32xf32, strided<[64, 2]>, #tile.space<global>>
  return
}

// -----

#shared = #tile.space<shared>
func.func @inner_asks(%a: memref<2x64xi8, #shared>, %b: memref<8x64xi8, #shared>, %c: memref<2x8xi32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C7) an inner atom asks for what it reads, and no more}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbusd inner 2x4x4, i8 into i32, 512>)
    : memref<2x64xi8, #shared>, memref<8x64xi8, #shared> into memref<2x8xi32, #shared>
    ahead %b : memref<8x64xi8, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @no_list(%a: memref<8x32xf32, #shared>, %b: memref<32x64xf32, #shared>, %c: memref<8x64xf32, #shared>, %x: memref<?x?xf32, #tile.space<global>>, %rows: memref<8xi32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C7) `listed` are matrices with rows of static length without gaps, and lists of static length}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<fma 8x32x1, f32 into f32, 512>)
    : memref<8x32xf32, #shared>, memref<32x64xf32, #shared> into memref<8x64xf32, #shared>
    listed %x by %rows : memref<?x?xf32, #tile.space<global>> by memref<8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @woven_panel(%a: memref<4x8xbf16, #shared>, %b: memref<8x32x2xbf16, #shared>, %c: memref<4x32xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C8) a woven atom reads a matrix of pairs of rows, each of whole pairs of vectors without gaps}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 woven 4x32x2, bf16 into f32, 512>)
    : memref<4x8xbf16, #shared>, memref<8x32x2xbf16, #shared> into memref<4x32xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @woven_columns(%a: memref<4x8xbf16, #shared>, %b: memref<8x48xbf16, #shared>, %c: memref<4x48xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C8) a woven atom reads a matrix of pairs of rows, each of whole pairs of vectors without gaps}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 woven 4x32x2, bf16 into f32, 512>)
    : memref<4x8xbf16, #shared>, memref<8x48xbf16, #shared> into memref<4x48xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @woven_k(%a: memref<4x6xbf16, #shared>, %b: memref<7x32xbf16, #shared>, %c: memref<4x32xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C8) a woven atom reads a matrix of pairs of rows, each of whole pairs of vectors without gaps}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 woven 4x32x2, bf16 into f32, 512>)
    : memref<4x6xbf16, #shared>, memref<7x32xbf16, #shared> into memref<4x32xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @woven_gaps(%a: memref<4x8xbf16, #shared>, %b: memref<8x32xbf16, strided<[64, 2]>, #shared>, %c: memref<4x32xf32, #shared>) {
  // expected-error @+1 {{'cpu.gemm' op (C8) a woven atom reads a matrix of pairs of rows, each of whole pairs of vectors without gaps}}
  cpu.gemm %a, %b into %c atom(#cpu.atom<dpbf16 woven 4x32x2, bf16 into f32, 512>)
    : memref<4x8xbf16, #shared>, memref<8x32xbf16, strided<[64, 2]>, #shared> into memref<4x32xf32, #shared>
  return
}
