// RUN: %tilewright-opt %s --check-initialization --split-input-file --verify-diagnostics

#global = #tile.space<global>
#shared = #tile.space<shared>
func.func @nobody_writes(%y: memref<16xf32, #global>) {
  %c1 = arith.constant 1 : index
  tile.kernel (%bx) in (%c1) {
    // expected-note @below {{'s' is allocated here}}
    %s = tile.alloc "s" : memref<16xf32, #shared>
    // expected-error @below {{'s' is read before anything is written to it}}
    // expected-note @below {{rule: tiles, variables and workspaces start undefined}}
    // expected-note @below {{help: write 's' first}}
    tile.copy %s[0] [16] to %y[0] [16] : memref<16xf32, #shared> to memref<16xf32, #global>
  }
  return
}

// -----

// A product adds to what is there.
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>
func.func @nobody_clears(%a: memref<64x64xf16, #tile.space<global>>, %n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f16
  tile.kernel (%bx) in (%c1) {
    %x = tile.alloc "x" : memref<16x16xf16, #shared>
    // expected-note @below {{'acc' is allocated here}}
    %acc = tile.alloc "acc" : memref<16x16xf32, #fragment>
    tile.fill %x, %zero : memref<16x16xf16, #shared>
    scf.for %k = %c0 to %n step %c1 {
      // expected-error @below {{'acc' is updated before anything is written to it}}
      // expected-note @below {{rule: tiles, variables and workspaces start undefined}}
      // expected-note @below {{help: write 'acc' first}}
      tile.gemm %x, %x into %acc : memref<16x16xf16, #shared>, memref<16x16xf16, #shared> into memref<16x16xf32, #fragment>
    }
  }
  return
}

// -----

// The first step of the loop comes to the read before it comes to the write.
#global = #tile.space<global>
#shared = #tile.space<shared>
func.func @written_too_late(%x: memref<64xf32, #global>, %y: memref<64xf32, #global>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  tile.kernel (%bx) in (%c1) {
    // expected-note @below {{'s' is allocated here}}
    %s = tile.alloc "s" : memref<16xf32, #shared>
    scf.for %k = %c0 to %c4 step %c1 {
      // expected-error @below {{'s' is read before anything is written to it}}
      // expected-note @below {{rule: tiles, variables and workspaces start undefined}}
      // expected-note @below {{help: write 's' first}}
      tile.copy %s[0] [16] to %y[%k] [16] : memref<16xf32, #shared> to memref<64xf32, #global>
      tile.copy %x[%k] [16] to %s[0] [16] : memref<64xf32, #global> to memref<16xf32, #shared>
    }
  }
  return
}

// -----

#global = #tile.space<global>
func.func @a_workspace(%n: index, %y: memref<16xf32, #global>) {
  // expected-note @below {{'w' is allocated here}}
  %w = tile.workspace "w"(%n) : memref<?xf32, #global>
  tile.kernel (%bx) in (%n) {
    // expected-error @below {{'w' is read before anything is written to it}}
    // expected-note @below {{rule: tiles, variables and workspaces start undefined}}
    // expected-note @below {{help: write 'w' first}}
    %v = tile.load %w[%bx] : memref<?xf32, #global>
    tile.store %v, %y[%bx] : memref<16xf32, #global>
  }
  return
}
