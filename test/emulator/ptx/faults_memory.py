"""Faults of addresses, of undefined data and of control.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Fault, Program, counted, words

from tilewright.emulator import Device

# out[i] = in[i] + in[i + 1], for i < n.
STENCIL = Program(
    "stencil",
    """
  ld.param.u32 %n, [n];
  setp.ge.u32 %p0, %t, %n;
  @%p0 bra DONE;
  ld.global.u32 %v, [%from];
  ld.global.u32 %w, [%from+4];
  add.u32 %v, %v, %w;
  st.global.u32 [%to], %v;
DONE:
""",
    words(100, 100, source=101),
    2 * counted(100) + 1,
    more=".param .u32 n",
    block=128,
)

# Numbers by fours, each of which a thread of 32 copies.
VECTORS = Program(
    "vectors",
    """
  mul.wide.u32 %d0, %t, 16;
  add.s64 %d1, %in, %d0;
  add.s64 %d2, %out, %d0;
  ld.global.v4.u32 {%r0, %r1, %r2, %r3}, [%d1];
  st.global.v4.u32 [%d2], {%r0, %r1, %r2, %r3};
""",
    words(128, source=160),
    counted(128),
)

# Each warp's first lane tells the others of its block its number; 64 threads.
SLOTS = Program(
    "slots",
    """
  .shared .align 4 .b32 slots[2];
  mov.u32 %a, slots;
  shr.u32 %r0, %t, 5;
  and.b32 %r1, %t, 31;
  shl.b32 %r2, %r0, 2;
  add.u32 %r3, %a, %r2;
  setp.ne.u32 %p0, %r1, 0;
  @%p0 bra MEET;
  st.shared.u32 [%r3], %r0;
MEET:
  bar.sync 0;
  ld.shared.v2.u32 {%r4, %r5}, [%a];
  shl.b32 %r5, %r5, 4;
  add.u32 %v, %r4, %r5;
  st.global.u32 [%to], %v;
""",
    words(64),
    np.full(64, 16, np.uint32),
    block=64,
)

# Each of two blocks stores its number in a word of its own.
BLOCKS = Program(
    "blocks",
    """
  mov.u32 %r0, %ctaid.x;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra DONE;
  mul.wide.u32 %d0, %r0, 4;
  add.s64 %d1, %out, %d0;
  st.global.u32 [%d1], %r0;
DONE:
""",
    words(2),
    counted(2),
    grid=2,
    checks={"global_races": True},
)

# A table in global memory, counted in through a generic address by one thread.
TABLE = Program(
    "table",
    """
  ld.param.u32 %n, [n];
  mov.u64 %d0, table;
  cvta.global.u64 %d0, %d0;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra DONE;
  ld.u32 %v, [%d0+4];
  add.u32 %v, %v, %n;
  st.u32 [%d0+4], %v;
  ld.u32 %w, [%d0+4];
  st.global.u32 [%out], %w;
DONE:
""",
    words(1, 3),
    np.array([14], np.uint32),
    more=".param .u32 n",
    globals=".global .align 4 .b32 table[2] = {7, 11};",
)

# The logarithm of each thread's number: a loop, an assertion, a trap.
CHECKED = Program(
    "checked",
    """
  ld.global.u32 %v, [%from];
  setp.gt.u32 %p0, %v, 31;
  @%p0 trap;
  setp.lt.u32 %p1, %v, 32;
  @%p1 bra GOOD;
  {
  .param .b64 a0; .param .b64 a1; .param .b32 a2; .param .b64 a3; .param .b64 a4;
  mov.u64 %d0, text;
  cvta.global.u64 %d0, %d0;
  mov.u32 %r0, 17;
  mov.u64 %d1, 1;
  st.param.b64 [a0], %d0; st.param.b64 [a1], %d0; st.param.b32 [a2], %r0;
  st.param.b64 [a3], %d0; st.param.b64 [a4], %d1;
  call.uni __assertfail, (a0, a1, a2, a3, a4);
  }
GOOD:
  mov.u32 %i, 0;
AGAIN:
  setp.le.u32 %p2, %v, 1;
  @%p2 bra OVER;
  shr.u32 %v, %v, 1;
  add.u32 %i, %i, 1;
  bra AGAIN;
OVER:
  st.global.u32 [%to], %i;
""",
    words(32),
    np.array([max(n.bit_length() - 1, 0) for n in range(32)], np.uint32),
    globals="""
.extern .func __assertfail(.param .b64 m, .param .b64 f, .param .b32 l, .param .b64 n,
  .param .b64 s);
.global .align 1 .b8 text[4] = {111, 100, 100};
""",
)

# The first lanes of two warps count in shared memory under a lock.
LOCK = Program(
    "lock",
    """
  .shared .align 4 .b32 words[2];
  mov.u32 %a, words;
  setp.ne.u32 %p0, %t, 0;
  @!%p0 st.shared.v2.u32 [%a], {0, 0};
  bar.sync 0;
  and.b32 %r0, %t, 31;
  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra MEET;
SPIN:
  atom.shared.acquire.cta.cas.b32 %r1, [%a], 0, 1;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 bra SPIN;
  ld.shared.u32 %r2, [%a+4];
  add.u32 %r2, %r2, 1;
  st.shared.u32 [%a+4], %r2;
  atom.shared.release.cta.exch.b32 %r3, [%a], 0;
MEET:
  bar.sync 0;
  ld.shared.u32 %v, [%a+4];
  st.global.u32 [%to], %v;
""",
    words(64),
    np.full(64, 2, np.uint32),
    block=64,
)

# The same, by two blocks of one thread in global memory.
GRID_LOCK = Program(
    "grid-lock",
    """
SPIN:
  atom.global.acquire.gpu.cas.b32 %r1, [%in], 0, 1;
  setp.ne.u32 %p2, %r1, 0;
  @%p2 bra SPIN;
  ld.global.u32 %r2, [%out];
  add.u32 %r2, %r2, 1;
  st.global.u32 [%out], %r2;
  atom.global.release.gpu.exch.b32 %r3, [%in], 0;
""",
    lambda device: [device.zeros(1, np.uint32), device.zeros(1, np.uint32)],
    np.array([2], np.uint32),
    grid=2,
    block=1,
    checks={"global_races": True},
)

# D = A B of ones, m16n8k16; each thread stores its four components.
MMA = Program(
    "mma",
    """
  mov.b32 %r0, 0x3c003c00;
  mov.f32 %f0, 0f00000000;
  mov.f32 %f1, 0f00000000;
  mov.f32 %f2, 0f00000000;
  mov.f32 %f3, 0f00000000;
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3},
    {%r0, %r0, %r0, %r0}, {%r0, %r0}, {%f0, %f1, %f2, %f3};
  mul.wide.u32 %d0, %t, 16;
  add.s64 %d1, %out, %d0;
  st.global.v4.f32 [%d1], {%f0, %f1, %f2, %f3};
""",
    lambda device: [device.empty(128, np.float32), 0],
    np.full(128, 16, np.float32),
)

# A launch stores where its input is, and the next one reads there.
KEPT = Program(
    "kept",
    """
  ld.global.u32 %v, [%from];
  st.global.u32 [%to], %v;
""",
    words(32),
    counted(32),
)


def freed(device: Device) -> list[Any]:
    """Arguments of KEPT, whose input an earlier launch read and the host then freed."""
    module = device.load(KEPT.text)
    out, source = words(32)(device)
    module.launch("kernel", grid=1, block=32, args=[out, source])
    address = source.address
    source.free()
    return [out, address]


FAULTS = [
    Fault("load-one-past-the-end", STENCIL, {"[%from+4]": "[%from+8]"}, "out-of-bounds",
          ("[%from+8]",)),
    Fault("store-one-past-the-end", STENCIL, {"[%to]": "[%to+4]"}, "out-of-bounds",
          ("st.global",)),
    Fault("load-before-the-start", STENCIL, {"[%from];": "[%from+-4];"}, "out-of-bounds",
          ("[%from+-4]",)),
    Fault("one-thread-too-many", STENCIL, {"setp.ge": "setp.gt"}, "out-of-bounds",
          ("[%from+4]",)),
    Fault("uninitialised-bound", STENCIL, {"ld.param.u32 %n, [n];": ""}, "uninitialised",
          ("@%p0 bra DONE",)),
    Fault("uninitialised-address", STENCIL, {"add.s64 %from, %in, %off;": ""},
          "uninitialised", ("ld.global.u32 %v",)),
    Fault("uninitialised-result", STENCIL, {"ld.global.u32 %v, [%from];": ""},
          "uninitialised", ()),
    Fault("misaligned-load", STENCIL, {"[%from+4]": "[%from+2]"}, "misaligned",
          ("[%from+2]",)),
    Fault("misaligned-vector-load", VECTORS, {"[%d1]": "[%d1+8]"}, "misaligned",
          ("ld.global",)),
    Fault("vectors-too-close", VECTORS, {"%t, 16": "%t, 8"}, "misaligned",
          ("ld.global",)),
    Fault("two-warps-one-word", SLOTS, {"[%r3]": "[%a]"}, "race", ("st.shared",)),
    Fault("shared-word-past-the-end", SLOTS, {"[%r3]": "[%r3+4]"}, "out-of-bounds",
          ("st.shared",)),
    Fault("shared-misaligned", SLOTS, {"[%r3]": "[%r3+2]"}, "misaligned", ("st.shared",)),
    Fault("shared-vector-misaligned", SLOTS, {"{%r4, %r5}, [%a]": "{%r4, %r5}, [%a+4]"},
          "misaligned", ("ld.shared",)),
    Fault("shared-word-nobody-wrote", SLOTS,
          {"setp.ne.u32 %p0, %r1, 0": "setp.ne.u32 %p0, %t, 0"},
          "uninitialised", ()),
    Fault("two-blocks-one-word", BLOCKS, {"[%d1]": "[%out]"}, "race", ("st.global",)),
    Fault("write-to-a-constant", TABLE,
          {".global .align 4": ".const .align 4", "cvta.global": "cvta.const"}, "read-only",
          ("st.u32",)),
    Fault("write-to-a-parameter", TABLE,
          {"mov.u64 %d0, table": "mov.b64 %d0, n", "cvta.global": "cvta.param",
           "ld.u32 %v, [%d0+4]": "ld.u32 %v, [%d0]", "st.u32 [%d0+4]": "st.u32 [%d0]"},
          "read-only", ("st.u32",)),
    Fault("trap", CHECKED, {"setp.gt.u32 %p0, %v, 31": "setp.gt.u32 %p0, %v, 30"}, "trap",
          ("trap;",)),
    Fault("failed-assertion", CHECKED, {"%v, 32;": "%v, 31;"}, "trap", ("__assertfail, (",)),
    Fault("endless-loop", CHECKED, {"shr.u32 %v, %v, 1": "shr.u32 %v, %v, 0"}, "limit",
          ("setp.le", "@%p2", "shr.u32", "add.u32 %i", "bra AGAIN")),
    Fault("lock-nobody-releases", GRID_LOCK,
          {"atom.global.release.gpu.exch.b32 %r3, [%in], 0;": ""}, "deadlock",
          ("atom.global.acquire", "setp.ne.u32 %p2", "@%p2 bra SPIN")),
    Fault("lock-released-relaxed", GRID_LOCK,
          {"atom.global.release.gpu.exch": "atom.global.relaxed.gpu.exch"}, "race",
          ("ld.global.u32 %r2", "st.global.u32")),
    Fault("lock-without-acquire", LOCK,
          {"atom.shared.acquire.cta.cas": "atom.shared.relaxed.cta.cas"},
          "race", ("ld.shared.u32 %r2", "st.shared.u32"), ("race",)),
    Fault("lock-that-was-not-set", LOCK, {"@!%p0 st.shared.v2.u32 [%a], {0, 0};": ""},
          "uninitialised", ("@%p2 bra SPIN",)),
    Fault("mma-uninitialised-accumulator", MMA, {"mov.f32 %f2, 0f00000000;": ""},
          "uninitialised", ()),
    Fault("mma-without-a-lane", MMA,
          {"  mma.sync": "  setp.eq.u32 %p0, %t, 9;\n  @!%p0 mma.sync"}, "convergence",
          ("mma.sync",)),
    Fault("use-after-free", KEPT, {}, "use-after-free", ("ld.global",), arguments=freed),
    # The others wait at the barrier; the spinning lane is the cause.
    Fault("lock-nobody-releases-before-a-barrier", LOCK,
          {"atom.shared.release.cta.exch.b32 %r3, [%a], 0;": ""}, "deadlock",
          ("atom.shared.acquire", "setp.ne.u32 %p2", "@%p2 bra SPIN")),
]  # fmt: skip
