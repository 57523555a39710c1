// RUN: %tilewright-opt %s --prove-bounds --verify-diagnostics

#global = #tile.space<global>

func.func @guards(%x: memref<?xf32, #global>, %blocks: index, %from: index)
    attributes {tile.signature = {
    symbols = [{name = "m", min = 0 : i64, max = -1 : i64, multiple_of = 1 : i64}],
    params = [{kind = "tensor", name = "X", dims = ["m"]},
              {kind = "scalar", name = "blocks"}, {kind = "scalar", name = "from"}]}} {
  tile.kernel (%bx) in (%blocks) {
    // Once per block is not worth a word.
    %once = tile.load %x[%bx] : memref<?xf32, #global>
    tile.parallel (%i) in (16) {
      // expected-remark @+1 {{index 0 of X is checked in the loop: it is not shown to be below the extent}}
      %a = tile.load %x[%i] : memref<?xf32, #global>
      %at = arith.addi %from, %i : index
      // expected-remark @+1 {{index 0 of X is checked in the loop: it is not shown to be at least 0}}
      tile.store %a, %x[%at] : memref<?xf32, #global>
    }
  }
  return
}
