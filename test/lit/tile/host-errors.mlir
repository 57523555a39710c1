// Each constraint of the operations of launch functions, broken once.
// RUN: tilewright-opt %s --split-input-file --verify-diagnostics

// expected-error @+1 {{'tile.capture' op (C1) is outside any function, whose stack would hold the values}}
%env = tile.capture

// -----

func.func @from_pointer_sizes(%p: !llvm.ptr) {
  // expected-error @+1 {{'tile.from_pointer' op (C1) takes 1 sizes and 0 strides}}
  %x = tile.from_pointer %p at 0 : memref<?xf32>
  return
}

// -----

func.func @from_pointer_offset(%p: !llvm.ptr) {
  // expected-error @+1 {{'tile.from_pointer' op (C2) layout must have offset zero}}
  %x = tile.from_pointer %p at 0 : memref<8xf32, strided<[1], offset: 4>>
  return
}

// -----

func.func private @kernel(%env: !llvm.ptr)
func.func @launch_callee(%n: index, %p: !llvm.ptr) {
  // expected-error @+1 {{'tile.launch' op (C1) callee must take the captured values, two block numbers and the arena}}
  tile.launch @kernel blocks(%n) arena(0) env(%p) runtime(%p, %p)
  return
}

// -----

module @device {
  func.func @kernel(%n: index) {
    return
  }
}
func.func @launch_grid_callee(%n: index, %p: !llvm.ptr) {
  // expected-error @+1 {{'tile.launch_grid' op (C1) callee must be a function in a module of this module}}
  tile.launch_grid @device::@other blocks(%n) threads(128) runtime(%p, %p) (%n) : index
  return
}

// -----

module @device {
  func.func @kernel(%n: index) {
    return
  }
}
func.func @launch_grid_types(%n: index, %p: !llvm.ptr) {
  // expected-error @+1 {{'tile.launch_grid' op (C1) callee must take the types of the arguments}}
  tile.launch_grid @device::@kernel blocks(%n) threads(128) runtime(%p, %p) ()
  return
}

// -----

module @device {
  func.func @kernel(%n: index) {
    return
  }
}
func.func @launch_grid_threads(%n: index, %p: !llvm.ptr) {
  // expected-error @+1 {{'tile.launch_grid' op (C2) threads must be between 1 and 1024, got 0}}
  tile.launch_grid @device::@kernel blocks(%n) threads(0) runtime(%p, %p) (%n) : index
  return
}
