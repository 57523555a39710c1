// RUN: %tilewright-opt %s --cpu-lower-parallel --canonicalize --cse | FileCheck %s
// RUN: %tilewright-opt %s --cpu-lower-parallel=vector-bits=256 --canonicalize --cse \
// RUN:   | FileCheck %s --check-prefix=AVX2

#global = #tile.space<global>
#shared = #tile.space<shared>
#fragment = #tile.space<fragment>

// The innermost dimension runs over vectors; what it does not change is read outside.
// CHECK-LABEL: @rescale
// CHECK-SAME:    %[[ACC:.*]]: memref<64x128xf32, {{.*}}, %[[BY:.*]]: memref<64xf32
// CHECK:         scf.for %[[I:.*]] = %c0 to %c64 step %c1
// CHECK:           %[[X:.*]] = memref.load %[[BY]][%[[I]]]
// CHECK:           %[[V:.*]] = vector.broadcast %[[X]] : f32 to vector<16xf32>
// CHECK:           scf.for %[[J:.*]] = %c0 to %c128 step %c16
// CHECK:             %[[A:.*]] = vector.load %[[ACC]][%[[I]], %[[J]]]
// CHECK:             %[[P:.*]] = arith.mulf %[[A]], %[[V]] : vector<16xf32>
// CHECK:             vector.store %[[P]], %[[ACC]][%[[I]], %[[J]]]
// AVX2-LABEL: @rescale
// AVX2:         vector.load {{.*}} vector<8xf32>
func.func @rescale(%acc: memref<64x128xf32, #fragment>, %by: memref<64xf32, #shared>) {
  tile.parallel (%i, %j) in (64, 128) {
    %a = memref.load %acc[%i, %j] : memref<64x128xf32, #fragment>
    %x = memref.load %by[%i] : memref<64xf32, #shared>
    %p = arith.mulf %a, %x : f32
    memref.store %p, %acc[%i, %j] : memref<64x128xf32, #fragment>
  }
  return
}

// 21 elements: a vector of 16, then 5 lanes of a vector of 8. Nothing is read past them.
// CHECK-LABEL: @rest
// CHECK-SAME:    %[[X:.*]]: memref<21xf32
// CHECK-DAG:     %[[MASK:.*]] = vector.constant_mask [5] : vector<8xi1>
// CHECK-DAG:     vector.load %[[X]][%c0] : {{.*}}, vector<16xf32>
// CHECK-DAG:     vector.store {{.*}}, %[[X]][%c0] : {{.*}}, vector<16xf32>
// CHECK:         vector.maskedload %[[X]][%c16], %[[MASK]], {{.*}} into vector<8xf32>
// CHECK:         vector.maskedstore %[[X]][%c16], %[[MASK]], {{.*}} vector<8xf32>
func.func @rest(%x: memref<21xf32, #fragment>) {
  tile.parallel (%i) in (21) {
    %a = memref.load %x[%i] : memref<21xf32, #fragment>
    %n = arith.negf %a : f32
    memref.store %n, %x[%i] : memref<21xf32, #fragment>
  }
  return
}

// Moving bf16 fills a vector with 32 lanes; arithmetic on it happens in f32, in 16.
// CHECK-LABEL: @narrow
// CHECK:         vector.load {{.*}}, vector<32xbf16>
// CHECK:         vector.load {{.*}}, vector<16xbf16>
// CHECK:         arith.addf {{.*}} : vector<16xbf16>
func.func @narrow(%x: memref<64xbf16, #shared>, %y: memref<64xbf16, #shared>) {
  tile.parallel (%i) in (64) {
    %a = memref.load %x[%i] : memref<64xbf16, #shared>
    memref.store %a, %y[%i] : memref<64xbf16, #shared>
  }
  tile.parallel (%i) in (64) {
    %a = memref.load %x[%i] : memref<64xbf16, #shared>
    %d = arith.addf %a, %a : bf16
    memref.store %d, %y[%i] : memref<64xbf16, #shared>
  }
  return
}

// Two accesses of three are contiguous along i: it becomes the vectorised dimension.
// CHECK-LABEL: @transposed
// CHECK:         scf.for %[[J:.*]] = %c0 to %c32 step %c1
// CHECK:           scf.for %[[I:.*]] = %c0 to %c64 step %c16
// CHECK-DAG:         vector.load %{{.*}}[%[[J]], %[[I]]]
// CHECK-DAG:         vector.gather %{{.*}}[%[[I]], %[[J]]] [%{{.*}}]
// CHECK:             vector.store %{{.*}}, %{{.*}}[%[[J]], %[[I]]]
func.func @transposed(%x: memref<32x64xf32, #shared>, %y: memref<64x32xf32, #shared>) {
  tile.parallel (%i, %j) in (64, 32) {
    %a = memref.load %x[%j, %i] : memref<32x64xf32, #shared>
    %b = memref.load %y[%i, %j] : memref<64x32xf32, #shared>
    %c = arith.addf %a, %b : f32
    memref.store %c, %x[%j, %i] : memref<32x64xf32, #shared>
  }
  return
}

// Constant offsets close together: loads inside the window and a shuffle.
// CHECK-LABEL: @windows
// CHECK-DAG:     %[[SHIFTS:.*]] = arith.constant dense<[0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4, 0, 4]>
// CHECK:         %[[HALF:.*]] = vector.load {{.*}}, vector<8xi8>
// CHECK:         vector.shuffle %[[HALF]], %[[HALF]] [0, 0, 1, 1, 2, 2, 3, 3
// CHECK:         arith.shrsi %{{.*}}, %[[SHIFTS]]
func.func @windows(%q: memref<4x32xi8, #shared>, %x: memref<4x64xi8, #shared>,
                   %z: memref<4x64xi32, #shared>) {
  %c2 = arith.constant 2 : index
  %c4 = arith.constant 4 : i32
  tile.parallel (%i, %j) in (4, 64) {
    %h = arith.divui %j, %c2 : index
    %packed = memref.load %q[%i, %h] : memref<4x32xi8, #shared>
    %wide = tile.cast %packed : i8 to i32
    %odd = arith.remui %j, %c2 : index
    %odd32 = arith.index_cast %odd : index to i32
    %shift = arith.muli %odd32, %c4 : i32
    %v = arith.shrsi %wide, %shift : i32
    memref.store %v, %z[%i, %j] : memref<4x64xi32, #shared>
  }
  return
}

// CHECK-LABEL: @window_of_two
// CHECK:         %[[J2:.*]] = arith.muli %[[J:.*]], %c2
// CHECK:         %[[LOW:.*]] = vector.load %{{.*}}[%[[J2]]] : {{.*}}, vector<16xf32>
// CHECK:         %[[AT:.*]] = arith.addi %[[J2]], %c15
// CHECK:         %[[HIGH:.*]] = vector.load %{{.*}}[%[[AT]]] : {{.*}}, vector<16xf32>
// CHECK:         vector.shuffle %[[LOW]], %[[HIGH]] [0, 2, 4, 6, 8, 10, 12, 14, 17, 19,
func.func @window_of_two(%x: memref<64xf32, #shared>, %y: memref<32xf32, #shared>) {
  %c2 = arith.constant 2 : index
  tile.parallel (%j) in (32) {
    %at = arith.muli %j, %c2 : index
    %v = memref.load %x[%at] : memref<64xf32, #shared>
    memref.store %v, %y[%j] : memref<32xf32, #shared>
  }
  return
}

// Indices from memory.
// CHECK-LABEL: @indirect
// CHECK:         %[[AT:.*]] = vector.load %{{.*}}, vector<16xi32>
// CHECK:         vector.gather %{{.*}}[%[[I:.*]], %c0] [%[[AT]]]
// CHECK:         vector.scatter %{{.*}}[%[[I]], %c0] [%[[AT]]]
func.func @indirect(%x: memref<4x64xf32, #shared>, %y: memref<4x64xf32, #shared>,
                    %at: memref<4x16xi32, #shared>) {
  tile.parallel (%i, %j) in (4, 16) {
    %p = memref.load %at[%i, %j] : memref<4x16xi32, #shared>
    %k = arith.index_cast %p : i32 to index
    %v = memref.load %x[%i, %k] : memref<4x64xf32, #shared>
    memref.store %v, %y[%i, %k] : memref<4x64xf32, #shared>
  }
  return
}

// A causal mask: one comparison of lane numbers with a scalar.
// CHECK-LABEL: @causal
// CHECK-DAG:     %[[LANES:.*]] = arith.constant dense<[0, -1, -2, -3, -4, -5, -6, -7, -8, -9, -10, -11, -12, -13, -14, -15]> : vector<16xi32>
// CHECK:         %[[AHEAD:.*]] = arith.subi %[[J:.*]], %[[I:.*]] : index
// CHECK:         %[[BOUND:.*]] = vector.broadcast %{{.*}} : i32 to vector<16xi32>
// CHECK:         %[[KEEP:.*]] = arith.cmpi sle, %[[BOUND]], %[[LANES]]
// CHECK:         arith.select %[[KEEP]], %{{.*}}, %{{.*}} : vector<16xi1>, vector<16xf32>
func.func @causal(%s: memref<64x64xf32, #fragment>) {
  %none = arith.constant 0xFF800000 : f32
  tile.parallel (%i, %j) in (64, 64) {
    %keep = arith.cmpi sge, %i, %j : index
    %v = memref.load %s[%i, %j] : memref<64x64xf32, #fragment>
    %w = arith.select %keep, %v, %none : f32
    memref.store %w, %s[%i, %j] : memref<64x64xf32, #fragment>
  }
  return
}

// A loop that lies inside its tensor has no guards; the other form masks.
// CHECK-LABEL: @edge
// CHECK-SAME:    %[[X:.*]]: memref<?xf32
// CHECK:         %[[N:.*]] = memref.dim %[[X]], %c0
// CHECK:         %[[LAST:.*]] = arith.addi %{{.*}}, %c63
// CHECK:         %[[INSIDE:.*]] = arith.cmpi ult, %[[LAST]], %[[N]]
// CHECK:         scf.if %[[INSIDE]]
// CHECK:           vector.load %[[X]]
// CHECK-NOT:       mask
// CHECK:         else
// CHECK:           %[[MASK:.*]] = arith.cmpi sgt, %{{.*}} : vector<16xi32>
// CHECK:           vector.maskedload %[[X]][%{{.*}}], %[[MASK]]
// CHECK:           vector.maskedstore %[[X]][%{{.*}}], %[[MASK]]
func.func @edge(%x: memref<?xf32, #global>, %blocks: index) {
  %c64 = arith.constant 64 : index
  tile.kernel (%bx) in (%blocks) {
    %base = arith.muli %bx, %c64 : index
    tile.parallel (%i) in (64) {
      %at = arith.addi %base, %i : index
      %v = tile.load %x[%at] : memref<?xf32, #global>
      %n = arith.negf %v : f32
      tile.store %n, %x[%at] : memref<?xf32, #global>
    }
  }
  return
}

// An index that may be anything is compared in every lane.
// CHECK-LABEL: @page
// CHECK:         %[[PAGES:.*]] = memref.dim %[[X:.*]], %c0
// CHECK:         %[[LIMIT:.*]] = vector.broadcast %[[PAGES]] : index to vector<16xindex>
// CHECK:         %[[IN:.*]] = arith.cmpi ult, %[[AT:.*]], %[[LIMIT]] : vector<16xindex>
// CHECK:         %[[FROM:.*]] = arith.muli %[[AT]], {{.*}} : vector<16xindex>
// CHECK:         vector.gather %[[X]][%c0, %c3] [%[[FROM]]], %[[IN]], %cst
func.func @page(%x: memref<?x8xf32, #global>, %at: memref<16xi32, #shared>,
                %y: memref<16xf32, #shared>) {
  %c3 = arith.constant 3 : index
  tile.parallel (%i) in (16) {
    %p = memref.load %at[%i] : memref<16xi32, #shared>
    %k = arith.index_cast %p : i32 to index
    %v = tile.load %x[%k, %c3] inbounds [false, true] : memref<?x8xf32, #global>
    memref.store %v, %y[%i] : memref<16xf32, #shared>
  }
  return
}

// Conditions that differ between lanes are masks, others branches.
// CHECK-LABEL: @conditions
// CHECK:         scf.if
// CHECK:           vector.store
// CHECK:         %[[HOLDS:.*]] = arith.cmpf ogt, %{{.*}} : vector<16xf32>
// CHECK:         vector.maskedstore %{{.*}}, %[[HOLDS]]
// CHECK:         %[[FAILS:.*]] = arith.xori %[[HOLDS]]
// CHECK:         %[[OLD:.*]] = vector.maskedload %{{.*}}, %[[FAILS]]
// CHECK:         arith.select %[[HOLDS]], %{{.*}}, %[[OLD]]
func.func @conditions(%x: memref<16xf32, #shared>, %y: memref<16xf32, #shared>, %on: i1) {
  %zero = arith.constant 0.0 : f32
  tile.parallel (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32, #shared>
    scf.if %on {
      memref.store %v, %y[%i] : memref<16xf32, #shared>
    }
    %positive = arith.cmpf ogt, %v, %zero : f32
    %r = scf.if %positive -> f32 {
      memref.store %zero, %x[%i] : memref<16xf32, #shared>
      scf.yield %v : f32
    } else {
      %old = memref.load %y[%i] : memref<16xf32, #shared>
      scf.yield %old : f32
    }
    memref.store %r, %y[%i] : memref<16xf32, #shared>
  }
  return
}

// A store to one place from some lanes is made by those lanes alone.
// CHECK-LABEL: @one_of_them
// CHECK:         scf.for %[[L:.*]] = %c0 to %c16 step %c1
// CHECK:           %[[ON:.*]] = vector.extract %{{.*}}[%[[L]]] : i1 from vector<16xi1>
// CHECK:           scf.if %[[ON]]
// CHECK:             %[[V:.*]] = vector.extract %{{.*}}[%[[L]]] : f32 from vector<16xf32>
// CHECK:             memref.store %[[V]]
func.func @one_of_them(%x: memref<16xf32, #shared>, %y: memref<1xf32, #shared>, %k: i32,
                       %at: memref<16xi32, #shared>) {
  %c0 = arith.constant 0 : index
  tile.parallel (%i) in (16) {
    %v = memref.load %x[%i] : memref<16xf32, #shared>
    %a = memref.load %at[%i] : memref<16xi32, #shared>
    %it = arith.cmpi eq, %a, %k : i32
    scf.if %it {
      memref.store %v, %y[%c0] : memref<1xf32, #shared>
    }
  }
  return
}

// Inactive lanes may hold a divisor of zero.
// CHECK-LABEL: @division
// CHECK:         %[[ZERO:.*]] = arith.cmpi eq, %[[D:.*]], %{{.*}} : vector<16xi32>
// CHECK:         %[[SAFE:.*]] = arith.select %[[ZERO]], %{{.*}}, %[[D]]
// CHECK:         arith.divsi %{{.*}}, %[[SAFE]]
func.func @division(%x: memref<16xi32, #shared>, %y: memref<16xi32, #shared>) {
  %zero = arith.constant 0 : i32
  tile.parallel (%i) in (16) {
    %d = memref.load %x[%i] : memref<16xi32, #shared>
    %n = memref.load %y[%i] : memref<16xi32, #shared>
    %ok = arith.cmpi ne, %d, %zero : i32
    scf.if %ok {
      %q = arith.divsi %n, %d : i32
      memref.store %q, %y[%i] : memref<16xi32, #shared>
    }
  }
  return
}

// A loop inside carries vectors; a variable has a place for each lane.
// CHECK-LABEL: @inside
// CHECK:         %[[SUM:.*]] = scf.for %{{.*}} iter_args(%[[S:.*]] = %{{.*}}) -> (vector<16xf32>)
// CHECK:           arith.addf %[[S]], %{{.*}} : vector<16xf32>
// CHECK:         %[[VAR:.*]] = tile.alloc "best" : memref<1x16xf32, {{.*}}>
// CHECK:         vector.store %[[SUM]], %[[VAR]][%c0, %c0]
// CHECK:         vector.maskedstore %[[VAR]][%c0, %c0]
// CHECK:         vector.load %[[VAR]][%c0, %c0]
func.func @inside(%x: memref<8x16xf32, #shared>, %y: memref<16xf32, #shared>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c8 = arith.constant 8 : index
  %zero = arith.constant 0.0 : f32
  tile.kernel (%bx) in (%c1) {
    tile.parallel (%i) in (16) {
      %sum = scf.for %k = %c0 to %c8 step %c1 iter_args(%s = %zero) -> f32 {
        %v = memref.load %x[%k, %i] : memref<8x16xf32, #shared>
        %t = arith.addf %s, %v : f32
        scf.yield %t : f32
      }
      %best = tile.alloc "best" : memref<1xf32, #tile.space<local>>
      memref.store %sum, %best[%c0] : memref<1xf32, #tile.space<local>>
      %negative = arith.cmpf olt, %sum, %zero : f32
      scf.if %negative {
        memref.store %zero, %best[%c0] : memref<1xf32, #tile.space<local>>
      }
      %r = memref.load %best[%c0] : memref<1xf32, #tile.space<local>>
      memref.store %r, %y[%i] : memref<16xf32, #shared>
    }
  }
  return
}

// CHECK-LABEL: @empty
// CHECK-NEXT:    return
func.func @empty(%x: memref<16xf32, #shared>) {
  tile.parallel (%i, %j) in (16, 0) {
    %v = memref.load %x[%i] : memref<16xf32, #shared>
    memref.store %v, %x[%i] : memref<16xf32, #shared>
  }
  return
}

// With %i below 2, %i floordiv 2 is zero whatever %i is: the condition that chooses the
// form without guards may not read %i, which ends with the loop.
// CHECK-LABEL: @constant_quotient
// CHECK-SAME:    %[[T:.*]]: memref<?xf32
// CHECK:         %[[N:.*]] = memref.dim %[[T]], %c0
// CHECK:         %[[INSIDE:.*]] = arith.cmpi ugt, %[[N]], %c0
// CHECK:         scf.if %[[INSIDE]]
func.func @constant_quotient(%t: memref<?xf32, #global>, %x: memref<2xf32, #shared>) {
  %c2 = arith.constant 2 : index
  tile.parallel (%i) in (2) {
    %q = arith.divui %i, %c2 : index
    %a = tile.load %t[%q] : memref<?xf32, #global>
    memref.store %a, %x[%i] : memref<2xf32, #shared>
  }
  return
}
