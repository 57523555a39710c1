// Each constraint of the operations that compute, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>
func.func @gemm_rank(%a: memref<8x4xf32, #shared>, %c: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C1) operands must be tiles of rank 2}}
  tile.gemm %a, %a into %c : memref<8x4xf32, #shared>, memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @gemm_on_tensor(%a: memref<8x8xf32, #global>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C1)}}
  tile.gemm %a, %a into %c : memref<8x8xf32, #global>, memref<8x8xf32, #global> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_shapes(%a: memref<8x4xf32, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C2) shapes disagree: A is 8 x 4, B is 8 x 4, C is 8 x 8}}
  tile.gemm %a, %a into %c : memref<8x4xf32, #shared>, memref<8x4xf32, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_element_types(%a: memref<8x8xi8, #shared>, %b: memref<8x8xi16, #shared>,
                              %c: memref<8x8xi32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C3) A and B must have one element type, got 'i8' and 'i16'}}
  tile.gemm %a, %b into %c : memref<8x8xi8, #shared>, memref<8x8xi16, #shared> into memref<8x8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_narrow_sum_of_f64(%a: memref<8x8xf64, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C3) C must be f64 for an operand of f64, got 'f32'}}
  tile.gemm %a, %a into %c : memref<8x8xf64, #shared>, memref<8x8xf64, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_integer_sum_of_floats(%a: memref<8x8xf16, #shared>, %c: memref<8x8xi32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C3) C must be a float for operands of type 'f16'}}
  tile.gemm %a, %a into %c : memref<8x8xf16, #shared>, memref<8x8xf16, #shared> into memref<8x8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_tf32(%a: memref<8x8xf16, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C4) precision tf32 requires f32 operands}}
  tile.gemm %a, %a into %c precision tf32 : memref<8x8xf16, #shared>, memref<8x8xf16, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_in_place(%a: memref<8x8xf32, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C5) C must not be an operand}}
  tile.gemm %a, %c into %c : memref<8x8xf32, #shared>, memref<8x8xf32, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_swapped(%a: memref<8x8xf32, #shared>, %c: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.gemm' op (C6) swapped says how an atom is used}}
  tile.gemm %a, %a into %c swapped : memref<8x8xf32, #shared>, memref<8x8xf32, #shared> into memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_dim(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C1)}}
  tile.reduce sum %x into %y dim 2 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_shape(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C2) dst must have src's shape with dimension 0 dropped or 1}}
  tile.reduce sum %x into %y dim 0 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_narrows(%x: memref<8x4xf32, #shared>, %y: memref<8xf16, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C3) wrong element type of dst: 'f16'}}
  tile.reduce sum %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf16, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_positions_are_integers(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C3) wrong element type of dst: 'f32'}}
  tile.reduce argmax %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_bits_of_floats(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C4) bitwise combiners take integers}}
  tile.reduce bitor %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_numbers_of_integers(%x: memref<8x4xi32, #shared>, %y: memref<8xi32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C4) maxnum takes floats, which have NaN to leave out}}
  tile.reduce maxnum %x into %y dim 1 : memref<8x4xi32, #shared> into memref<8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_positions_accumulate(%x: memref<8x4xf32, #shared>, %y: memref<8xi32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C5) positions cannot be accumulated}}
  tile.reduce argmin %x into %y dim 1 accumulate : memref<8x4xf32, #shared> into memref<8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_by_nothing(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C6) takes a combiner, or else a region and an identity}}
  tile.reduce %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_without_identity(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.reduce' op (C6) takes a combiner, or else a region and an identity}}
  tile.reduce %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) {
      tile.yield %a : f32
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_narrow_floats_in_f32(%x: memref<8x4xf16, #shared>, %y: memref<8xf16, #shared>,
                                       %zero: f16) {
  // expected-error @+1 {{'tile.reduce' op (C6) elements of 'f16' are combined by a region from two 'f32' to one}}
  tile.reduce %x into %y dim 1 : memref<8x4xf16, #shared> into memref<8xf16, #shared>
    combine(%a: f16, %b: f16) identity %zero {
      tile.yield %a : f16
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @reduce_reads(%x: memref<8x4xf32, #shared>, %y: memref<8xf32, #shared>,
                        %zero: f32, %i: index) {
  // expected-error @+1 {{'tile.reduce' op (C7) its region holds 'memref.load', which has no form on vectors or side effects}}
  tile.reduce %x into %y dim 1 : memref<8x4xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) identity %zero {
      %c = memref.load %y[%i] : memref<8xf32, #shared>
      tile.yield %c : f32
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_shapes(%x: memref<8xf32, #shared>, %y: memref<4xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C1) takes two tiles of one shape and type}}
  tile.scan sum %x into %y dim 0 : memref<8xf32, #shared> into memref<4xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_combiner(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C2) has no scan of argmax}}
  tile.scan argmax %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_bits_of_floats(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C2) bitwise combiners take integers}}
  tile.scan bitxor %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_by_two(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C3) takes a combiner, or else a region}}
  tile.scan sum %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) {
      tile.yield %a : f32
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_of_another_type(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C3) elements of 'f32' are combined by a region from two 'f32' to one}}
  tile.scan %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) {
      %c = arith.cmpf ogt, %a, %b : f32
      tile.yield %c : i1
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_branches(%x: memref<8xf32, #shared>, %c: i1) {
  // expected-error @+1 {{'tile.scan' op (C4) its region holds 'scf.if', which has no form on vectors or side effects}}
  tile.scan %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) {
      %d = scf.if %c -> f32 {
        scf.yield %a : f32
      } else {
        scf.yield %b : f32
      }
      tile.yield %d : f32
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_that_starts_with_nothing(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.scan' op (C5) an identity is for an exclusive scan by a region}}
  tile.scan %x into %x dim 0 exclusive : memref<8xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) {
      tile.yield %a : f32
    }
  return
}

// -----

#shared = #tile.space<shared>
func.func @scan_identity_of_no_use(%x: memref<8xf32, #shared>, %one: f32) {
  // expected-error @+1 {{'tile.scan' op (C5) an identity is for an exclusive scan by a region}}
  tile.scan %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
    combine(%a: f32, %b: f32) identity %one {
      tile.yield %a : f32
    }
  return
}

// -----

// tile.yield (C1): it has no meaning elsewhere.
func.func @yield_of_a_branch(%c: i1, %x: f32) {
  scf.if %c {
    // expected-error @+1 {{'tile.yield' op expects parent op to be one of 'tile.reduce, tile.scan'}}
    tile.yield %x : f32
  }
  return
}

// -----

#shared = #tile.space<shared>
func.func @unknown_combiner(%x: memref<8xf32, #shared>) {
  // expected-error @+1 {{unknown combiner: product}}
  tile.scan product %x into %x dim 0 : memref<8xf32, #shared> into memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @topk_more_than_there_are(%x: memref<4x8xf32, #shared>, %v: memref<4x9xf32, #shared>,
                                    %i: memref<4x9xi32, #shared>) {
  // expected-error @+1 {{'tile.topk' op (C1) wrong extent of values in dimension 1}}
  tile.topk %x into %v, %i dim 1 : memref<4x8xf32, #shared> into memref<4x9xf32, #shared>, memref<4x9xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @topk_float_positions(%x: memref<4x8xf32, #shared>, %v: memref<4x2xf32, #shared>) {
  // expected-error @+1 {{'tile.topk' op (C2) values have src's element type and indices are integers}}
  tile.topk %x into %v, %v dim 1 : memref<4x8xf32, #shared> into memref<4x2xf32, #shared>, memref<4x2xf32, #shared>
  return
}

// -----

func.func @cast_of_a_complex(%x: complex<f32>) -> f32 {
  // expected-error @+1 {{'tile.cast' op (C1) converts integers, floats and index}}
  %y = tile.cast %x : complex<f32> to f32
  return %y : f32
}

// -----

func.func @cast_unsigned_float(%x: f32) -> i32 {
  // expected-error @+1 {{'tile.cast' op (C2) only integers are unsigned}}
  %y = tile.cast %x unsigned_source : f32 to i32
  return %y : i32
}

// -----

func.func @cast_of_an_infinite_integer(%x: i32) -> f32 {
  // expected-error @+1 {{'tile.cast' op (C3) only floats have infinities}}
  %y = tile.cast %x keep_infinity : i32 to f32
  return %y : f32
}

// -----

func.func @print_vector(%x: vector<4xf32>) {
  // expected-error @+1 {{'tile.print' op (C1) prints an integer, a float or an index}}
  tile.print "x" %x : vector<4xf32>
  return
}

// -----

// tile.assert (C1): the type of the operand says so.
func.func @assert_integer(%x: i32) {
  // expected-error @+2 {{use of value '%x' expects different type than prior uses: 'i1' vs 'i32'}}
  // expected-note @-2 {{prior use here}}
  tile.assert %x, "wrong"
  return
}

// -----

// tile.assume (C1): the type of the operand says so.
func.func @assume_integer(%x: i32) {
  // expected-error @+2 {{use of value '%x' expects different type than prior uses: 'i1' vs 'i32'}}
  // expected-note @-2 {{prior use here}}
  tile.assume %x
  return
}

// -----

#shared = #tile.space<shared>
func.func @gemm_into_a_view(%a: memref<8x8xf32, #shared>) {
  %v = tile.view %a : memref<8x8xf32, #shared> to memref<64xf32, #shared>
  %c = tile.view %v : memref<64xf32, #shared> to memref<8x8xf32, #shared>
  // expected-error @+1 {{'tile.gemm' op (C5) C must not be an operand}}
  tile.gemm %a, %a into %c : memref<8x8xf32, #shared>, memref<8x8xf32, #shared> into memref<8x8xf32, #shared>
  return
}
