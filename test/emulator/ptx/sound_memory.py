"""Unusual programs that are right: memory, data that is undefined and unused, control.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Program, counted, words

from tilewright.emulator import Device

BYTES_OF_A_WORD = Program(
    "bytes-of-a-word",
    """
  .shared .align 4 .b8 bytes[128];
  mov.u32 %r0, bytes;
  shr.u32 %r1, %t, 5;
  and.b32 %r2, %t, 31;
  mad.lo.u32 %r3, %r2, 4, %r1;
  add.u32 %a, %r0, %r3;
  st.shared.u8 [%a], %t;
  bar.sync 0;
  shl.b32 %r4, %r2, 2;
  add.u32 %r4, %r0, %r4;
  ld.shared.u32 %v, [%r4];
  shl.b32 %r5, %r1, 3;
  shr.u32 %v, %v, %r5;
  cvt.u64.u32 %d0, %r3;
  add.s64 %d1, %out, %d0;
  st.global.u8 [%d1], %v;
""",
    lambda device: [device.empty(128, np.uint8), 0],
    (counted(128) % 4 * 32 + counted(128) // 4).astype(np.uint8),
    block=128,
)

# Each warp changes a byte of every word, which is no matter of the others'.
BYTES_IN_PLACE = Program(
    "bytes-in-place",
    """
  .shared .align 4 .b8 bytes[128];
  mov.u32 %r0, bytes;
  shr.u32 %r1, %t, 5;
  and.b32 %r2, %t, 31;
  mad.lo.u32 %r3, %r2, 4, %r1;
  add.u32 %a, %r0, %r3;
  cvt.u64.u32 %d0, %r3;
  add.s64 %d1, %out, %d0;
  st.shared.u8 [%a], %t;
  ld.shared.u8 %v, [%a];
  add.u32 %v, %v, 1;
  st.shared.u8 [%a], %v;
  ld.shared.u8 %v, [%a];
  st.global.u8 [%d1], %v;
  ld.global.u8 %v, [%d1];
  add.u32 %v, %v, 1;
  st.global.u8 [%d1], %v;
""",
    lambda device: [device.empty(128, np.uint8), 0],
    (counted(128) % 4 * 32 + counted(128) // 4 + 2).astype(np.uint8),
    block=128,
    checks={"global_races": True},
)

# Lanes past the end have an address, and a guard that keeps them from using it.
GUARDED = Program(
    "guarded",
    """
  setp.lt.u32 %p0, %t, 20;
  mov.u32 %v, 0;
  @%p0 ld.global.u32 %v, [%from];
  @%p0 st.global.u32 [%to], %v;
  add.s64 %d0, %to, 0x100000000;
  @!%p0 add.s64 %to, %d0, 3;
  setp.ge.u32 %p1, %v, 32;
  @%p1 st.global.u32 [%d0], %v;
""",
    words(20),
    counted(20),
)

# A copy of no bytes reads nothing, wherever from.
COPY_OF_NOTHING = Program(
    "copy-of-nothing",
    """
  .shared .align 16 .b8 tile[512];
  mov.u32 %r0, tile;
  mad.lo.u32 %a, %t, 16, %r0;
  setp.lt.u32 %p0, %t, 8;
  selp.u32 %n, 16, 0, %p0;
  mul.wide.u32 %d0, %t, 16;
  add.s64 %d1, %in, %d0;
  cp.async.cg.shared.global [%a], [%d1], 16, %n;
  cp.async.wait_all;
  ld.shared.v4.u32 {%r1, %r2, %r3, %r4}, [%a];
  add.s64 %d2, %out, %d0;
  st.global.v4.u32 [%d2], {%r1, %r2, %r3, %r4};
""",
    words(128, source=32),
    np.where(counted(128) < 32, counted(128), 0).astype(np.uint32),
)

# What nobody looks at may be undefined: a half of a word, a lane, an operand not chosen.
UNUSED = Program(
    "undefined-and-unused",
    """
  mov.b64 %d0, {%t, %r9};
  mov.b64 {%r1, %r10}, %d0;
  setp.lt.u32 %p0, %t, 16;
  @%p0 mov.u32 %r2, 5;
  shfl.sync.idx.b32 %r3, %r2, 3, 31, -1;
  selp.b32 %r4, %r1, %r1, %p0;
  add.u32 %v, %r4, %r3;
  @%p0 add.u32 %v, %v, %r2;
  st.global.u32 [%to], %v;
""",
    words(32),
    (counted(32) + np.where(counted(32) < 16, 10, 5)).astype(np.uint32),
)

# A parameter's bytes by a generic address, and a vector of parameters.
PARAMETER = Program(
    "parameter-by-address",
    """
  ld.param.v2.u32 {%r0, %r1}, [given];
  mov.b64 %d0, given;
  cvta.param.u64 %d1, %d0;
  and.b32 %i, %t, 3;
  mul.wide.u32 %d2, %i, 4;
  add.s64 %d3, %d1, %d2;
  ld.u32 %v, [%d3];
  mad.lo.u32 %v, %r0, %r1, %v;
  st.global.u32 [%to], %v;
""",
    lambda device: [*words(32)(device), np.array([3, 5, 7, 9], np.uint32).tobytes()],
    15 + np.tile(np.array([3, 5, 7, 9], np.uint32), 8),
    more=".param .align 16 .b8 given[16]",
)

WIDE = Program(
    "registers-of-128-bits",
    """
  .reg .b128 %q0, %q1;
  mul.wide.u32 %d0, %t, 16;
  add.s64 %d1, %in, %d0;
  add.s64 %d2, %out, %d0;
  ld.global.b128 %q0, [%d1];
  mov.b128 {%d3, %d4}, %q0;
  mov.b128 %q1, {%d4, %d3};
  st.global.b128 [%d2], %q1;
  atom.global.relaxed.gpu.exch.b128 %q0, [%d2], %q1;
""",
    words(128),
    counted(128).reshape(32, 2, 2)[:, ::-1].reshape(-1).copy(),
    "sm_90a",
)

# A loop with two entries, and branches by a table whose targets are the same.
TWO_ENTRIES = Program(
    "loop-with-two-entries",
    """
  mov.u32 %v, 0;
  mov.u32 %i, 0;
  and.b32 %k, %t, 3;
  WAYS: .branchtargets FIRST, SECOND, FIRST, FIRST;
  brx.idx %k, WAYS;
FIRST:
  add.u32 %v, %v, 100;
SECOND:
  add.u32 %v, %v, 1;
  add.u32 %i, %i, 1;
  setp.lt.u32 %p0, %i, 3;
  @%p0 bra FIRST;
  st.global.u32 [%to], %v;
""",
    words(32),
    np.where(counted(32) % 4 == 1, 203, 303).astype(np.uint32),
)

# Fibonacci numbers, by two calls each; nothing follows the body's last statement.
FIBONACCI = Program(
    "fibonacci",
    """
  .param .b32 a;
  .param .b32 r;
  and.b32 %v, %t, 7;
  st.param.b32 [a], %v;
  call.uni (r), fib, (a);
  ld.param.b32 %w, [r];
  st.global.u32 [%to], %w;
""",
    words(32),
    np.tile(np.array([0, 1, 1, 2, 3, 5, 8, 13], np.uint32), 4),
    globals="""
.func (.param .b32 r) fib(.param .b32 n)
{
  .reg .pred %q;
  .reg .b32 %x, %y, %z;
  .param .b32 a;
  .param .b32 b;
  ld.param.b32 %x, [n];
  mov.u32 %z, %x;
  setp.lt.u32 %q, %x, 2;
  @%q bra OVER;
  sub.u32 %x, %x, 1;
  st.param.b32 [a], %x;
  call.uni (b), fib, (a);
  ld.param.b32 %y, [b];
  sub.u32 %x, %x, 1;
  st.param.b32 [a], %x;
  call.uni (b), fib, (a);
  ld.param.b32 %z, [b];
  add.u32 %z, %z, %y;
OVER:
  st.param.b32 [r], %z;
}
""",
)

# A block of three dimensions whose last warp is not full; votes of lanes not there.
PART_OF_A_WARP = Program(
    "part-of-a-warp",
    """
  setp.ge.u32 %p0, %t, 40;
  vote.sync.ballot.b32 %r0, %p0, -1;
  bar.warp.sync -1;
  popc.b32 %v, %r0;
  vote.sync.any.pred %p1, %p0, -1;
  @%p1 add.u32 %v, %v, 100;
  bar.sync 0;
  st.global.u32 [%to], %v;
""",
    words(48),
    np.where(counted(48) < 32, 0, 108).astype(np.uint32),
    block=48,
)

# Threads leave one after the other, and barriers wait for the rest only.
EARLY_EXITS = Program(
    "early-exits",
    """
  setp.ge.u32 %p0, %t, 40;
  @%p0 exit;
  bar.sync 0;
  setp.lt.u32 %p1, %t, 8;
  @%p1 st.global.u32 [%to], %t;
  @%p1 exit;
  bar.sync 0;
  barrier.sync 1;
  st.global.u32 [%to], %t;
""",
    words(40),
    counted(40),
    block=96,
)

# All warps store the same, twice.
SAME_VALUES = Program(
    "same-values",
    """
  .shared .align 4 .b32 word[2];
  mov.u32 %a, word;
  st.shared.v2.u32 [%a], {7, 9};
  bar.sync 0;
  st.shared.u32 [%a], 7;
  bar.sync 0;
  ld.shared.v2.u32 {%v, %w}, [%a];
  add.u32 %v, %v, %w;
  st.global.u32 [%to], %v;
""",
    words(128),
    np.full(128, 16, np.uint32),
    block=128,
)

HALVES = Program(
    "atomics-on-halves",
    """
  .shared .align 4 .b32 sum;
  .reg .b16 %h<4>;
  mov.u32 %a, sum;
  setp.eq.u32 %p0, %t, 0;
  @%p0 st.shared.u32 [%a], 0;
  bar.sync 0;
  mov.b32 %r0, 0x40003c00;
  red.shared.add.noftz.f16x2 [%a], %r0;
AGAIN:
  ld.volatile.shared.u16 %h0, [%a+2];
  add.u16 %h1, %h0, 1;
  atom.shared.cas.b16 %h2, [%a+2], %h0, %h1;
  setp.ne.u16 %p1, %h2, %h0;
  @%p1 bra AGAIN;
  bar.sync 0;
  ld.shared.u16 %h3, [%a];
  cvt.u32.u16 %v, %h3;
  st.global.u32 [%to], %v;
""",
    words(64),
    np.full(64, np.float16(64).view(np.uint16), np.uint32),
    block=64,
)


def _filled(device: Device) -> list[Any]:
    """Arguments whose input an earlier launch stored."""
    text = BYTES_OF_A_WORD.text.replace(BYTES_OF_A_WORD.body, "  st.global.u32 [%to], %t;")
    source = device.empty(64, np.uint32)
    device.load(text).launch("kernel", grid=1, block=64, args=[source, 0])
    return [device.empty(64, np.uint32), source]


# A launch's ordinary stores need no fence before the next one's bulk copies.
AFTER_A_LAUNCH = Program(
    "bulk-copy-after-a-launch",
    """
  .shared .align 128 .b8 tile[256];
  .shared .align 8 .b64 full;
  mov.u32 %r0, tile;
  mov.u32 %r1, full;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r1], 1;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r0], [%in], 128, [%r1];
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes
    [%r0+128], [%in+128], 128, [%r1];
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 256;
READY:
  bar.sync 0;
FULL:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;
  @!%p1 bra FULL;
  shl.b32 %r2, %t, 2;
  add.u32 %a, %r0, %r2;
  ld.shared.u32 %v, [%a];
  st.global.u32 [%to], %v;
""",
    _filled,
    counted(64),
    "sm_90a",
    block=64,
)

PROGRAMS = [value for value in globals().values() if isinstance(value, Program)]
