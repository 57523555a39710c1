// Each constraint of cpu.combine, broken.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#fragment = #tile.space<fragment>
func.func @outside(%v: f32, %r: memref<4xf32, #fragment>, %i: index) {
  // expected-error @+1 {{'cpu.combine' op (C1) lies in the body of a tile.parallel}}
  cpu.combine sum %v into %r[%i] : f32 into memref<4xf32, #fragment>
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @along_the_row(%v: f32, %r: memref<64xf32, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C1) the row's indices use the loop's last variable}}
    cpu.combine sum %v into %r[%j] : f32 into memref<64xf32, #fragment>
  }
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @too_few(%v: f32, %r: memref<4x1xf32, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C2) needs a tile and one index for each of its dimensions}}
    cpu.combine sum %v into %r[%i] : f32 into memref<4x1xf32, #fragment>
  }
  return
}

// -----

func.func @tensor(%v: f32, %r: memref<4xf32, #tile.space<global>>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C2) needs a tile}}
    cpu.combine sum %v into %r[%i] : f32 into memref<4xf32, #tile.space<global>>
  }
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @other_type(%v: f32, %r: memref<4xf16, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C3) cannot combine 'f32' into 'f16' by sum}}
    cpu.combine sum %v into %r[%i] : f32 into memref<4xf16, #fragment>
  }
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @truth(%v: f32, %r: memref<4xf32, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C3) cannot combine 'f32' into 'f32' by any}}
    cpu.combine any %v into %r[%i] : f32 into memref<4xf32, #fragment>
  }
  return
}

// -----

#fragment = #tile.space<fragment>
func.func @position(%v: i32, %r: memref<4xi32, #fragment>) {
  tile.parallel (%i, %j) in (4, 64) {
    // expected-error @+1 {{'cpu.combine' op (C3) cannot combine 'i32' into 'i32' by argmax}}
    cpu.combine argmax %v into %r[%i] : i32 into memref<4xi32, #fragment>
  }
  return
}
