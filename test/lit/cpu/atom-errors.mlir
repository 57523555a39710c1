// Each constraint of #cpu.atom, broken.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{(C1) fma does not take elements of type 'f16'}}
func.func private @element() attributes {atom = #cpu.atom<fma 1x16x1, f16 into f32, 512>}

// -----

// expected-error @+1 {{(C1) fma does not accumulate in 'f64'}}
func.func private @accumulator() attributes {atom = #cpu.atom<fma inner 1x1x1, f32 into f64, 512>}

// -----

// expected-error @+1 {{(C2) dpbf16 has no registers of 256 bits}}
func.func private @registers() attributes {atom = #cpu.atom<dpbf16 inner 1x1x2, bf16 into f32, 256>}

// -----

// expected-error @+1 {{(C3) the depth of maddwd is 2, not 16}}
func.func private @depth() attributes {atom = #cpu.atom<maddwd inner 1x1x16, i16 into i32, 256>}

// -----

// expected-error @+1 {{(C4) a block of 1 x 8 is not made of vectors of 16}}
func.func private @no_vector() attributes {atom = #cpu.atom<fma 1x8x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) a block of 0 x 16 is not made of vectors of 16}}
func.func private @no_rows() attributes {atom = #cpu.atom<fma 0x16x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) a block of 1 x 0 is not made of vectors of 16}}
func.func private @no_columns() attributes {atom = #cpu.atom<fma 1x0x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) a block of 1 x 0 is not made of vectors of 16}}
func.func private @no_inner_columns() attributes {atom = #cpu.atom<fma inner 1x0x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) a block of 0 x 1 is not made of vectors of 16}}
func.func private @no_inner_rows() attributes {atom = #cpu.atom<fma inner 0x1x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) amx_int8 has no inner form}}
func.func private @tile() attributes {atom = #cpu.atom<amx_int8 inner 16x16x64, i8 into i32, 512>}

// -----

// expected-error @+1 {{unknown instruction 'outer'}}
func.func private @instruction() attributes {atom = #cpu.atom<outer 1x16x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{expected rows x columns x depth}}
func.func private @shape() attributes {atom = #cpu.atom<fma inner 1x16, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) fma has no woven form}}
func.func private @woven_depth() attributes {atom = #cpu.atom<fma woven 4x32x1, f32 into f32, 512>}

// -----

// expected-error @+1 {{(C4) a block of 4 x 16 is not made of vectors of 32}}
func.func private @woven_columns() attributes {atom = #cpu.atom<dpbf16 woven 4x16x2, bf16 into f32, 512>}
