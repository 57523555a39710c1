// Each constraint of the operations of checking mode, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

#shared = #tile.space<shared>

func.func @number(%s: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.check_memory' op (C1) the number must not be negative, got -1}}
  tile.check_memory -1 "s" %s : memref<8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>

func.func @box(%s: memref<8x8xf32, #shared>) {
  // expected-error @+1 {{'tile.check_access' op (C1) takes one offset and one size for each dimension}}
  tile.check_access read 0 %s[0] [8] "T.copy" : memref<8x8xf32, #shared>
  return
}

// -----

#shared = #tile.space<shared>

func.func @axis(%s: memref<8x8xf32, #shared>, %ids: memref<8xi32, #shared>) {
  // expected-error @+1 {{'tile.check_access' op (C2) axis must be a dimension of the box}}
  tile.check_access read 0 %s[0, 0] [8, 8] axis 2 with 1 %ids[0] [8] "T.gather"
    : memref<8x8xf32, #shared>, memref<8xi32, #shared>
  return
}

// -----

#shared = #tile.space<shared>

func.func @sizes(%s: memref<8x8xf32, #shared>, %x: memref<?x?xf32>) {
  // expected-error @+1 {{'tile.check_access' op (C2) both boxes must have the same sizes but for those of 1}}
  tile.check_access read 0 %s[0, 0] [8, 8] with 1 %x[0, 0] [8, 4] "T.copy"
    : memref<8x8xf32, #shared>, memref<?x?xf32>
  return
}

// -----

#shared = #tile.space<shared>

func.func @inspect(%s: memref<8xf32, #shared>) {
  // expected-error @+1 {{'tile.check_access' op (C3) inspect and first are given with reads only}}
  tile.check_access write 0 %s[0] [8] "T.copy" inspect : memref<8xf32, #shared>
  return
}

// -----

func.func @names(%i: index) {
  // expected-error @+1 {{'tile.check_iteration' op (C1) takes one name, and one extent if any, for each of 1 variables}}
  tile.check_iteration 0 (%i) ["i", "j"]
  return
}

// -----

func.func @outer(%i: index) {
  // expected-error @+1 {{'tile.check_iteration' op (C2) outer must be less than the loop's number}}
  tile.check_iteration 0 (%i) ["i"] in 0
  return
}

// -----

func.func @operand(%x: f32, %m: memref<8xf32>) {
  // expected-error @+1 {{'tile.check_value' op (C1) operands must be integers, floats or index}}
  tile.check_value %x from %m "load" : f32, memref<8xf32>
  return
}
