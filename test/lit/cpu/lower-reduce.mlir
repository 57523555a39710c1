// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions to one value each; positions, scans and top-k are in the files beside.
// RUN: %tilewright-opt %s --cpu-lower-reduce --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: %tilewright-opt %s --cpu-lower-reduce=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefixes=CHECK,NARROW

#shared = #tile.space<shared>

// Four rows of four: three combinations, six shuffles, one store.
// CHECK-LABEL: @rows
// CHECK-SAME:    %[[X:.*]]: memref<4x4xf32, {{.*}}, %[[Y:.*]]: memref<4xf32
// CHECK:         %[[A:.*]] = vector.load %[[X]][%c0, %c0] : {{.*}}, vector<4xf32>
// CHECK:         %[[B:.*]] = vector.load %[[X]][%c1, %c0]
// CHECK:         %[[C:.*]] = vector.load %[[X]][%c2, %c0]
// CHECK:         %[[D:.*]] = vector.load %[[X]][%c3, %c0]
// CHECK-DAG:     %[[AB0:.*]] = vector.shuffle %[[A]], %[[B]] [0, 2, 4, 6]
// CHECK-DAG:     %[[AB1:.*]] = vector.shuffle %[[A]], %[[B]] [1, 3, 5, 7]
// CHECK:         %[[AB:.*]] = arith.addf %[[AB0]], %[[AB1]]
// CHECK-DAG:     %[[CD0:.*]] = vector.shuffle %[[C]], %[[D]] [0, 2, 4, 6]
// CHECK-DAG:     %[[CD1:.*]] = vector.shuffle %[[C]], %[[D]] [1, 3, 5, 7]
// CHECK:         %[[CD:.*]] = arith.addf %[[CD0]], %[[CD1]]
// CHECK-DAG:     %[[R0:.*]] = vector.shuffle %[[AB]], %[[CD]] [0, 2, 4, 6]
// CHECK-DAG:     %[[R1:.*]] = vector.shuffle %[[AB]], %[[CD]] [1, 3, 5, 7]
// CHECK:         %[[R:.*]] = arith.addf %[[R0]], %[[R1]]
// CHECK:         vector.store %[[R]], %[[Y]][%c0]
func.func @rows(%x: memref<4x4xf32, #shared>, %y: memref<4xf32, #shared>) {
  tile.reduce sum %x into %y dim 1 : memref<4x4xf32, #shared> into memref<4xf32, #shared>
  return
}

// A row that ends inside a vector is filled up with what leaves the result as it is, not
// read past. With `accumulate` the former value comes last.
// CHECK-LABEL: @padded
// CHECK-SAME:    %[[X:.*]]: memref<1x7xf32, {{.*}}, %[[Y:.*]]: memref<1xf32
// CHECK:         %[[NONE:.*]] = arith.constant dense<0xFF800000> : vector<8xf32>
// CHECK:         %[[A:.*]] = vector.load %[[X]][%c0, %c0] : {{.*}}, vector<4xf32>
// CHECK:         %[[P:.*]] = vector.insert_strided_slice %[[A]], %[[NONE]] {offsets = [0]
// CHECK:         %[[B:.*]] = vector.load %[[X]][%c0, %c4] : {{.*}}, vector<2xf32>
// CHECK:         %[[Q:.*]] = vector.insert_strided_slice %[[B]], %[[P]] {offsets = [4]
// CHECK:         %[[C:.*]] = vector.load %[[X]][%c0, %c6] : {{.*}}, vector<1xf32>
// CHECK:         vector.insert_strided_slice %[[C]], %[[Q]] {offsets = [6]
// CHECK:         %[[NEW:.*]] = vector.extract_strided_slice {{.*}} to vector<1xf32>
// CHECK:         %[[FORMER:.*]] = vector.load %[[Y]]
// CHECK:         %[[R:.*]] = arith.maximumf %[[FORMER]], %[[NEW]]
// CHECK:         vector.store %[[R]], %[[Y]]
func.func @padded(%x: memref<1x7xf32, #shared>, %y: memref<1xf32, #shared>) {
  tile.reduce max %x into %y dim 1 accumulate
    : memref<1x7xf32, #shared> into memref<1xf32, #shared>
  return
}

// Long rows take four sums side by side, in f32, and are rounded once.
// CHECK-LABEL: @long
// WIDE:          scf.for {{.*}} = %c64 to %c1024 step %c64 iter_args({{.*}}) -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// NARROW:        scf.for {{.*}} = %c32 to %c1024 step %c32 iter_args({{.*}}) -> (vector<8xf32>, vector<8xf32>, vector<8xf32>, vector<8xf32>)
// WIDE:            vector.load {{.*}}, vector<16xbf16>
// NARROW:          vector.load {{.*}}, vector<8xbf16>
// CHECK:           tile.cast {{.*}}xbf16> to vector<{{.*}}xf32>
// CHECK:           arith.addf {{.*}}xf32>
// CHECK:           scf.yield
// CHECK-NOT:     tile.cast
// CHECK:         %[[ONE:.*]] = vector.extract_strided_slice {{.*}} to vector<1xf32>
// CHECK-NEXT:    %[[R:.*]] = tile.cast %[[ONE]] : vector<1xf32> to vector<1xbf16>
// CHECK-NEXT:    vector.store %[[R]]
func.func @long(%x: memref<3x1024xbf16, #shared>, %y: memref<3xbf16, #shared>) {
  tile.reduce sum %x into %y dim 1 : memref<3x1024xbf16, #shared> into memref<3xbf16, #shared>
  return
}

// Columns are lanes: no shuffles. Four registers side by side are one vector.
// CHECK-LABEL: @columns
// CHECK-NOT:     vector.shuffle
// WIDE:          %[[F:.*]] = vector.load %{{.*}}[%c0, %c0, %c0] : {{.*}}, vector<64xf32>
// NARROW:        scf.for %[[J:.*]] = %c0 to %c64 step %c32
// NARROW:        %[[F:.*]] = vector.load %{{.*}}[%c0, %c0, %[[J]]] : {{.*}}, vector<32xf32>
// CHECK:         %[[FIRST:.*]] = math.absf %[[F]]
// CHECK:         %[[MOST:.*]] = scf.for %{{.*}} = %c1 to %c64 step %c1 iter_args(%[[SO:.*]] = %[[FIRST]])
// CHECK:           %[[NEXT:.*]] = math.absf
// CHECK:           arith.maximumf %[[SO]], %[[NEXT]]
// CHECK:         vector.store %[[MOST]]
func.func @columns(%x: memref<64x64xf32, #shared>, %y: memref<1x64xf32, #shared>) {
  tile.reduce absmax %x into %y dim 0
    : memref<64x64xf32, #shared> into memref<1x64xf32, #shared>
  return
}

// Truth is of elements, as bytes; integers have signs unless told otherwise.
// CHECK-LABEL: @integers
// CHECK:         %[[T:.*]] = tile.cast %{{.*}} : vector<16xf32> to vector<16xi1>
// CHECK:         tile.cast %[[T]] : vector<16xi1> to vector<16xi8>
// CHECK:         arith.ori {{.*}} : vector<16xi8>
// CHECK:         arith.minsi {{.*}} : vector<16xi32>
// CHECK:         arith.minui {{.*}} : vector<16xi32>
// CHECK:         arith.xori {{.*}} : vector<16xi32>
func.func @integers(%x: memref<2x16xf32, #shared>, %t: memref<16xi8, #shared>,
                    %i: memref<2x16xi32, #shared>, %y: memref<16xi32, #shared>) {
  tile.reduce any %x into %t dim 0 : memref<2x16xf32, #shared> into memref<16xi8, #shared>
  tile.reduce min %i into %y dim 0 : memref<2x16xi32, #shared> into memref<16xi32, #shared>
  tile.reduce min %i into %y dim 0 unsigned
    : memref<2x16xi32, #shared> into memref<16xi32, #shared>
  tile.reduce bitxor %i into %y dim 0 : memref<2x16xi32, #shared> into memref<16xi32, #shared>
  return
}

// Where NaN is left out, elements are combined with nothing first, which leaves no NaN: of
// such two a CPU takes the larger by one instruction.
// WIDE-LABEL: @without_nan
// WIDE-DAG:     %[[NOTHING:.*]] = arith.constant dense<0xFF800000> : vector<16xf32>
// WIDE:         %[[X:.*]] = vector.load
// WIDE-NEXT:    %[[A:.*]] = arith.maxnumf %[[X]], %[[NOTHING]]
// WIDE:         %[[Y:.*]] = vector.load
// WIDE-NEXT:    %[[B:.*]] = arith.maxnumf %[[Y]], %[[NOTHING]]
// WIDE:         arith.maxnumf %[[A]], %[[B]] fastmath<nnan>
func.func @without_nan(%x: memref<1x32xf32, #tile.space<fragment>>,
                       %r: memref<1xf32, #tile.space<fragment>>) {
  tile.reduce maxnum %x into %r dim 1
    : memref<1x32xf32, #tile.space<fragment>> into memref<1xf32, #tile.space<fragment>>
  return
}
