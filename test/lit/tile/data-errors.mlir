// Each constraint of the operations that move data, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @copy_rank(%a: memref<?x?xf32, #global>, %s: memref<4xf32, #shared>) {
  // expected-error @+1 {{'tile.copy' op (C1) src has rank 2 but 1 offsets and 1 sizes}}
  tile.copy %a[0][4] to %s[0][4] : memref<?x?xf32, #global> to memref<4xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @copy_shapes(%a: memref<?x?xf32, #global>, %s: memref<4x8xf32, #shared>) {
  // expected-error @+1 {{'tile.copy' op (C2) regions have different shapes: 8, 4 and 4, 8}}
  tile.copy %a[0, 0][8, 4] to %s[0, 0][4, 8] : memref<?x?xf32, #global> to memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @copy_nothing(%a: memref<?xf32, #global>, %s: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.copy' op (C2) sizes of src must be positive}}
  tile.copy %a[0][0] to %s[0][0] : memref<?xf32, #global> to memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @copy_past_the_tile(%a: memref<?xf32, #global>, %s: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.copy' op (C3) region of dst leaves the tile in dimension 0: 4 + 8 > 8}}
  tile.copy %a[100][8] to %s[4][8] : memref<?xf32, #global> to memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @copy_of_complex(%s: memref<8xcomplex<f32>, #shared>) {
  // expected-error @+1 {{'tile.copy' op (C4) element types must be integers or floats}}
  tile.copy %s[0][8] to %s[0][8] : memref<8xcomplex<f32>, #shared> to memref<8xcomplex<f32>, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @gather_shapes(%a: memref<?x8xf32, #global>, %i: memref<4xi32, #shared>,
                         %s: memref<4x8xf32, #shared>, %zero: f32) {
  // expected-error @+1 {{'tile.gather' op (C1) regions have different shapes}}
  tile.gather %a[0, 0][4, 4] axis 0 by %i[0] to %s[0, 0][4, 8] fill %zero
    : memref<?x8xf32, #global>, memref<4xi32, #shared> to memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @gather_axis(%a: memref<?x8xf32, #global>, %i: memref<4xi32, #shared>,
                       %s: memref<4x8xf32, #shared>, %zero: f32) {
  // expected-error @+1 {{'tile.gather' op (C2) axis 2 is not a dimension of src}}
  tile.gather %a[0, 0][4, 8] axis 2 by %i[0] to %s[0, 0][4, 8] fill %zero
    : memref<?x8xf32, #global>, memref<4xi32, #shared> to memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @gather_too_few_indices(%a: memref<?x8xf32, #global>, %i: memref<3xi32, #shared>,
                                  %s: memref<4x8xf32, #shared>, %zero: f32) {
  // expected-error @+1 {{'tile.gather' op (C3) indices must be a vector of at least 4 integers}}
  tile.gather %a[0, 0][4, 8] axis 0 by %i[0] to %s[0, 0][4, 8] fill %zero
    : memref<?x8xf32, #global>, memref<3xi32, #shared> to memref<4x8xf32, #shared>
  return
}

// -----

// tile.gather (C4): the type of `fill` follows from the destination's.
#shared = #tile.space<shared>
#global = #tile.space<global>
// expected-note @+2 {{prior use here}}
func.func @gather_fill(%a: memref<?x8xf32, #global>, %i: memref<4xi32, #shared>,
                       %s: memref<4x8xf32, #shared>, %zero: f16) {
  // expected-error @+1 {{expects different type than prior uses: 'f32' vs 'f16'}}
  tile.gather %a[0, 0][4, 8] axis 0 by %i[0] to %s[0, 0][4, 8] fill %zero
    : memref<?x8xf32, #global>, memref<4xi32, #shared> to memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @gather_past_the_tile(%a: memref<?x8xf32, #global>, %i: memref<4xi32, #shared>,
                                %s: memref<4x8xf32, #shared>, %zero: f32) {
  // expected-error @+1 {{'tile.gather' op (C5) region of dst leaves the tile in dimension 0: 1 + 4 > 4}}
  tile.gather %a[0, 0][4, 8] axis 0 by %i[0] to %s[1, 0][4, 8] fill %zero
    : memref<?x8xf32, #global>, memref<4xi32, #shared> to memref<4x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @scatter_shapes(%s: memref<4x8xf32, #shared>, %i: memref<4xi32, #shared>,
                          %a: memref<?x8xf32, #global>) {
  // expected-error @+1 {{'tile.scatter' op (C1) regions have different shapes}}
  tile.scatter %s[0, 0][4, 8] to %a[0, 0][4, 4] axis 0 by %i[0]
    : memref<4x8xf32, #shared> to memref<?x8xf32, #global>, memref<4xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @scatter_axis(%s: memref<4x8xf32, #shared>, %i: memref<4xi32, #shared>,
                          %a: memref<?x8xf32, #global>) {
  // expected-error @+1 {{'tile.scatter' op (C2) axis -1 is not a dimension of dst}}
  tile.scatter %s[0, 0][4, 8] to %a[0, 0][4, 8] axis -1 by %i[0]
    : memref<4x8xf32, #shared> to memref<?x8xf32, #global>, memref<4xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @scatter_too_few_indices(%s: memref<4x8xf32, #shared>, %i: memref<3xi32, #shared>,
                          %a: memref<?x8xf32, #global>) {
  // expected-error @+1 {{'tile.scatter' op (C3) indices must be a vector of at least 4 integers}}
  tile.scatter %s[0, 0][4, 8] to %a[0, 0][4, 8] axis 0 by %i[0]
    : memref<4x8xf32, #shared> to memref<?x8xf32, #global>, memref<3xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
#global = #tile.space<global>
func.func @scatter_past_the_tile(%s: memref<4x8xf32, #shared>, %i: memref<4xi32, #shared>,
                          %a: memref<?x8xf32, #global>) {
  // expected-error @+1 {{'tile.scatter' op (C4) region of src leaves the tile in dimension 0: 2 + 4 > 4}}
  tile.scatter %s[2, 0][4, 8] to %a[0, 0][4, 8] axis 0 by %i[0]
    : memref<4x8xf32, #shared> to memref<?x8xf32, #global>, memref<4xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @pack_dims(%s: memref<8x4xf32, #shared>, %p: memref<8x4x1xf32, #shared>) {
  // expected-error @+1 {{'tile.pack' op (C1) dims must name two dimensions of src, in order}}
  tile.pack %s[0, 0][8, 4] dims [1, 0] into %p : memref<8x4xf32, #shared> into memref<8x4x1xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @pack_panel(%s: memref<8x4xf32, #shared>, %p: memref<3x4x2xf32, #shared>) {
  // expected-error @+1 {{'tile.pack' op (C2) panel must be [ceil(K / i), N, i] for K = 8 and N = 4, with rows that are contiguous}}
  tile.pack %s[0, 0][8, 4] dims [0, 1] into %p : memref<8x4xf32, #shared> into memref<3x4x2xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @pack_past_the_tile(%s: memref<8x4xf32, #shared>, %p: memref<4x4x2xf32, #shared>) {
  // expected-error @+1 {{'tile.pack' op (C3) region of src leaves the tile in dimension 0: 1 + 8 > 8}}
  tile.pack %s[1, 0][8, 4] dims [0, 1] into %p : memref<8x4xf32, #shared> into memref<4x4x2xf32, #shared>
  return
}

// -----

// tile.fill (C1): the type of the value follows from the tile's.
// expected-note @+1 {{prior use here}}
func.func @fill_type(%s: memref<8xf32, #tile.space<shared>>, %zero: f16) {
  // expected-error @+1 {{expects different type than prior uses: 'f32' vs 'f16'}}
  tile.fill %s, %zero : memref<8xf32, #tile.space<shared>>
  return
}

// -----

#global = #tile.space<global>
func.func @load_indices(%x: memref<?x?xf32, #global>, %i: index) -> f32 {
  // expected-error @+1 {{'tile.load' op (C1) takes 2 indices, got 1}}
  %v = tile.load %x[%i] : memref<?x?xf32, #global>
  return %v : f32
}

// -----

#global = #tile.space<global>
func.func @load_inbounds(%x: memref<?x?xf32, #global>, %i: index) -> f32 {
  // expected-error @+1 {{'tile.load' op (C2) inbounds is empty or has one entry per dimension}}
  %v = tile.load %x[%i, %i] inbounds [true] : memref<?x?xf32, #global>
  return %v : f32
}

// -----

#shared = #tile.space<shared>
func.func @load_of_a_tile(%x: memref<8xf32, #shared>, %i: index) -> f32 {
  // expected-error @+1 {{'tile.load' op (C3) reads global tensors; a tile is read by memref.load}}
  %v = tile.load %x[%i] : memref<8xf32, #shared>
  return %v : f32
}

// -----

#global = #tile.space<global>
func.func @store_indices(%v: f32, %x: memref<?x?xf32, #global>, %i: index) {
  // expected-error @+1 {{'tile.store' op (C1) takes 2 indices, got 1}}
  tile.store %v, %x[%i] : memref<?x?xf32, #global>
  return
}

// -----

#global = #tile.space<global>
func.func @store_inbounds(%v: f32, %x: memref<?x?xf32, #global>, %i: index) {
  // expected-error @+1 {{'tile.store' op (C2) inbounds is empty or has one entry per dimension}}
  tile.store %v, %x[%i, %i] inbounds [true] : memref<?x?xf32, #global>
  return
}

// -----

#shared = #tile.space<shared>
func.func @store_to_a_tile(%v: f32, %x: memref<8xf32, #shared>, %i: index) {
  // expected-error @+1 {{'tile.store' op (C3) writes global tensors; a tile is written by memref.store}}
  tile.store %v, %x[%i] : memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @atomic_indices(%v: i32, %x: memref<8x8xi32, #shared>, %i: index) {
  // expected-error @+1 {{'tile.atomic' op (C1) takes 2 indices, got 1}}
  %old = tile.atomic sum %v, %x[%i] : memref<8x8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @atomic_combiner(%v: i32, %x: memref<8xi32, #shared>, %i: index) {
  // expected-error @+1 {{'tile.atomic' op (C2) has no atomic form of absmax}}
  %old = tile.atomic absmax %v, %x[%i] : memref<8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>
func.func @atomic_bits_of_floats(%v: f32, %x: memref<8xf32, #shared>, %i: index) {
  // expected-error @+1 {{'tile.atomic' op (C3) bitwise combiners take integers}}
  %old = tile.atomic bitand %v, %x[%i] : memref<8xf32, #shared>
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @atomic_on_a_fragment(%v: i32, %x: memref<8xi32, #fragment>, %i: index) {
  // expected-error @+1 {{'tile.atomic' op (C4) memref must be global or shared}}
  %old = tile.atomic sum %v, %x[%i] : memref<8xi32, #fragment>
  return
}

// -----

#shared = #tile.space<shared>
func.func @atomic_inbounds(%v: i32, %x: memref<8xi32, #shared>, %i: index) {
  // expected-error @+1 {{'tile.atomic' op (C5) inbounds is empty or has one entry per dimension}}
  %old = tile.atomic sum %v, %x[%i] inbounds [true, true] : memref<8xi32, #shared>
  return
}

// -----

#global = #tile.space<global>

func.func @pairs_of_bytes(%x: memref<8xi8, #global>) {
  // expected-error @+1 {{'tile.pairs' op (C1) takes a row-major global memref of 4-bit elements}}
  %y = tile.pairs %x : memref<8xi8, #global> to memref<4xi8, #global>
  return
}

// -----

#global = #tile.space<global>

func.func @pairs_of_odd_rows(%x: memref<4x7xf4E2M1FN, #global>) {
  // expected-error @+1 {{'tile.pairs' op (C1) a row of 7 elements is no whole number of bytes}}
  %y = tile.pairs %x : memref<4x7xf4E2M1FN, #global> to memref<4x3xi8, #global>
  return
}

// -----

#global = #tile.space<global>

func.func @pairs_of_another_shape(%x: memref<4x8xf4E2M1FN, #global>) {
  // expected-error @+1 {{'tile.pairs' op (C2) the bytes of}}
  %y = tile.pairs %x : memref<4x8xf4E2M1FN, #global> to memref<2x8xi8, #global>
  return
}
