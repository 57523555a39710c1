// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pipelined loop with one thing wrong: each is an error that names the channel.
// RUN: tilewright-opt %s --split-input-file --verify-channels --verify-diagnostics

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

// Two items ahead, of which one stage is the item that is not released yet.
func.func @too_far_ahead(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  simt.put %c[%c1] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    // expected-note @+1 {{where they are taken out}}
    %t = simt.get %c[%j] : !channel -> !tile
    %ahead = arith.addi %j, %c2 : index
    // expected-error @+1 {{the channel of a has 2 stages, and 3 items are in it at once}}
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
    simt.release %c[%j] : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @first_item_missing(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  // expected-error @+1 {{the loop puts in the items from 1 on, and in front of it there are 0, in the channel of a}}
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @wrong_first_item(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  // expected-error @+1 {{item 0 of the channel of a is not the next one that is put in}}
  simt.put %c[%c1] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @put_before_get(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %ahead = arith.addi %j, %c1 : index
    // expected-error @+1 {{the stage that is filled may still be read: simt.put into the channel of a stands in front of simt.get}}
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
    // expected-note @+1 {{the simt.get}}
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @other_item(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %ahead = arith.addi %j, %c1 : index
    // expected-error @+1 {{takes another item out of the channel of a than that of its iteration}}
    %t = simt.get %c[%ahead] : !channel -> !tile
    simt.release %c[%ahead] : !channel
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

// Put in while there are fewer iterations than are taken out.
func.func @other_condition(%trips: index, %fewer: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  // expected-note @+1 {{the loop that takes it out}}
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    %has = arith.cmpi slt, %ahead, %fewer : index
    // expected-error @+1 {{an item of the channel of a is not put in under the condition that it is taken out}}
    simt.put %c[%ahead] if %has {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @two_ways(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  // expected-error @+1 {{items of the channel of a do not all arrive in the same way}}
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] async {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @never_filled_again(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.put %c[%c0] {
  ^bb0(%s: !tile):
  } : !channel
  scf.for %j = %c0 to %trips step %c1 {
    // expected-error @+1 {{no item is put into the channel of a in the loop that takes them out}}
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @never_read() {
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  // expected-error @+1 {{nothing is taken out of the channel of a}}
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @once(%n: index) {
  %c0 = arith.constant 0 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  // expected-error @+1 {{items of the channel of a are taken out where there is no loop}}
  %t = simt.get %c[%c0] : !channel -> !tile
  simt.release %c[%c0] : !channel
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @other_steps(%trips: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  // expected-error @+1 {{the loop around the channel of a does not count its iterations}}
  scf.for %j = %c0 to %trips step %c2 {
    %t = simt.get %c[%j] : !channel -> !tile
    simt.release %c[%j] : !channel
    %ahead = arith.addi %j, %c1 : index
    simt.put %c[%ahead] {
    ^bb0(%s: !tile):
    } : !channel
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @other_trip_counts(%trips: index, %other: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.roles threads [32, 128] {
    // expected-error @+1 {{not as many items are put into the channel of a as are taken out}}
    scf.for %n = %c0 to %other step %c1 {
      simt.put %c[%n] {
      ^bb0(%s: !tile):
      } : !channel
    }
  }, {
    // expected-note @+1 {{the loop that takes them out}}
    scf.for %n = %c0 to %trips step %c1 {
      %s = simt.get %c[%n] : !channel -> !tile
      simt.release %c[%n] : !channel
    }
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @not_every_item(%trips: index, %other: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.roles threads [32, 128] {
    scf.for %n = %c0 to %trips step %c1 {
      %has = arith.cmpi slt, %n, %other : index
      // expected-error @+1 {{does not put the item of each iteration into the channel of a}}
      simt.put %c[%n] if %has {
      ^bb0(%s: !tile):
      } : !channel
    }
  }, {
    scf.for %n = %c0 to %trips step %c1 {
      %s = simt.get %c[%n] : !channel -> !tile
      simt.release %c[%n] : !channel
    }
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @items_again(%trips: index, %other: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.roles threads [32, 128] {
    scf.for %i = %c0 to %other step %c1 {
      // expected-error @+1 {{the loop around the channel of a may not run just once}}
      scf.for %n = %c0 to %trips step %c1 {
      simt.put %c[%n] {
      ^bb0(%s: !tile):
      } : !channel
      }
    }
  }, {
    scf.for %n = %c0 to %trips step %c1 {
      %s = simt.get %c[%n] : !channel -> !tile
      simt.release %c[%n] : !channel
    }
  }
  return
}

// -----

#shared = #tile.space<shared>
!tile = memref<8xf32, strided<[1], offset: ?>, #shared>
!channel = !simt.channel<2, !tile>

func.func @no_producer(%trips: index, %other: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = tile.alloc "a" : memref<2x8xf32, #shared>
  %c = simt.channel %a : memref<2x8xf32, #shared> -> !channel
  simt.roles threads [32, 128] {

  }, {
    scf.for %n = %c0 to %trips step %c1 {
      // expected-error @+1 {{no role puts items into the channel of a beside the one that takes them out}}
      %s = simt.get %c[%n] : !channel -> !tile
      simt.release %c[%n] : !channel
    }
  }
  return
}
