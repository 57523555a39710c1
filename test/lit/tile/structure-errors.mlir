// Each constraint of the operations that give a kernel its structure, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

func.func @kernel_rank(%n: index) {
  // expected-error @+1 {{'tile.kernel' op (C1) takes one to three grid extents and as many index arguments}}
  tile.kernel (%x, %y, %z, %w) in (%n, %n, %n, %n) {
  }
  return
}

// -----

func.func @kernel_threads(%n: index) {
  // expected-error @+1 {{'tile.kernel' op (C2) threads must be between 1 and 1024, got 2048}}
  tile.kernel (%x) in (%n) threads(2048) {
  }
  return
}

// -----

func.func @kernel_in_a_kernel(%n: index) {
  tile.kernel (%x) in (%n) {
    // expected-error @+1 {{'tile.kernel' op (C3) kernels do not nest}}
    tile.kernel (%y) in (%n) {
    }
  }
  return
}

// -----

func.func @workspace_space() {
  // expected-error @+1 {{'tile.workspace' op (C1) result must be a global memref with the identity layout}}
  %w = tile.workspace : memref<8xf32, #tile.space<shared>>
  return
}

// -----

func.func @workspace_sizes() {
  // expected-error @+1 {{'tile.workspace' op (C2) takes one size for each dynamic extent}}
  %w = tile.workspace : memref<?xf32, #tile.space<global>>
  return
}

// -----

func.func @workspace_in_a_kernel(%n: index) {
  tile.kernel (%x) in (%n) {
    // expected-error @+1 {{'tile.workspace' op (C3) a workspace is not allocated inside a kernel}}
    %w = tile.workspace : memref<8xf32, #tile.space<global>>
  }
  return
}

// -----

func.func @alloc_dynamic(%n: index) {
  tile.kernel (%x) in (%n) {
    // expected-error @+1 {{'tile.alloc' op (C1) type must have a static shape and the identity layout}}
    %s = tile.alloc : memref<?xf32, #tile.space<shared>>
  }
  return
}

// -----

func.func @alloc_global(%n: index) {
  tile.kernel (%x) in (%n) {
    // expected-error @+1 {{'tile.alloc' op (C2) space must be shared, fragment or local}}
    %s = tile.alloc : memref<8xf32, #tile.space<global>>
  }
  return
}

// -----

func.func @parallel_rank() {
  // expected-error @+1 {{'tile.parallel' op (C1) takes one index argument for each of its extents, none negative}}
  tile.parallel (%i, %j) in (8) {
  }
  return
}

// -----

func.func @parallel_negative() {
  // expected-error @+1 {{'tile.parallel' op (C1) takes one index argument for each of its extents, none negative}}
  tile.parallel (%i) in (-8) {
  }
  return
}

// -----

func.func @parallel_whole_tile(%s: memref<8xf32, #tile.space<shared>>, %zero: f32) {
  // expected-error @+1 {{'tile.parallel' op (C2) holds 'tile.fill', which works on a whole tile}}
  tile.parallel (%i) in (8) {
    tile.fill %s, %zero : memref<8xf32, #tile.space<shared>>
  }
  return
}

// -----

func.func @parallel_packs(%s: memref<8x4xf32, #tile.space<shared>>,
                          %p: memref<8x4x1xf32, #tile.space<shared>>) {
  // expected-error @+1 {{'tile.parallel' op (C2) holds 'tile.pack', which works on a whole tile}}
  tile.parallel (%i) in (8) {
    tile.pack %s[0, 0][8, 4] dims [0, 1] into %p
      : memref<8x4xf32, #tile.space<shared>> into memref<8x4x1xf32, #tile.space<shared>>
  }
  return
}

// -----

func.func @parallel_allocates() {
  // expected-error @+1 {{'tile.parallel' op (C2) holds 'tile.alloc', which works on a whole tile}}
  tile.parallel (%i) in (8) {
    %s = tile.alloc : memref<8xf32, #tile.space<shared>>
  }
  return
}

// -----

func.func @parallel_in_parallel() {
  // expected-error @+1 {{'tile.parallel' op (C2) holds 'tile.parallel', which works on a whole tile}}
  tile.parallel (%i) in (8) {
    tile.parallel (%j) in (8) {
    }
  }
  return
}

// -----

func.func @pipelined_stages(%n: index) {
  // expected-error @+1 {{'tile.pipelined' op (C1) stages must be at least 1, got 0}}
  tile.pipelined %k = %n to %n step %n stages(0) {
  }
  return
}

// -----

func.func @pipelined_argument(%n: index) {
  // expected-error @+1 {{'tile.pipelined' op (C2) the region takes one index argument}}
  "tile.pipelined"(%n, %n, %n) <{stages = 2 : i64}> ({
  ^bb0(%k: i32):
  }) : (index, index, index) -> ()
  return
}

// -----

func.func @view_space(%x: memref<8xf32, #tile.space<shared>>) {
  // expected-error @+1 {{'tile.view' op (C1) source and result must be in one space}}
  %y = tile.view %x : memref<8xf32, #tile.space<shared>> to memref<8xf32, #tile.space<fragment>>
  return
}

// -----

func.func @view_layout(%x: memref<8x4xf32, strided<[8, 1]>>) {
  // expected-error @+1 {{'tile.view' op (C2) source and result must have the identity layout}}
  %y = tile.view %x : memref<8x4xf32, strided<[8, 1]>> to memref<32xf32>
  return
}

// -----

func.func @view_sizes(%x: memref<?xf32>) {
  // expected-error @+1 {{'tile.view' op (C3) takes 2 sizes, got 0}}
  %y = tile.view %x : memref<?xf32> to memref<?x?xf32>
  return
}

// -----

func.func @view_bytes(%x: memref<8x4xf32, #tile.space<shared>>) {
  // expected-error @+1 {{'tile.view' op (C4) source has 128 bytes and result 64}}
  %y = tile.view %x : memref<8x4xf32, #tile.space<shared>> to memref<32xbf16, #tile.space<shared>>
  return
}

// -----

func.func @view_elements(%x: memref<8xi1>) {
  // expected-error @+1 {{'tile.view' op (C5) elements must be integers or floats of whole bytes}}
  %y = tile.view %x : memref<8xi1> to memref<8xi1>
  return
}

// -----

func.func @grid_sync_in_a_branch(%n: index, %c: i1) {
  tile.kernel (%bx) in (%n) {
    scf.if %c {
      // expected-error @+1 {{'tile.grid_sync' op (C1) must stand in a kernel's body or in counted loops there}}
      tile.grid_sync
    }
  }
  return
}
