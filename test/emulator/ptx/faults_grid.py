"""Faults between the blocks of a grid: what orders them, and how far it reaches.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Fault, Program, counted

from tilewright.emulator import Device

_CHECKS = {"global_races": True}


def _workspace(device: Device) -> list[Any]:
    """32 results, 128 words that nobody wrote, and a word that starts as zero."""
    return [device.empty(n, np.uint32) for n in (32, 128)] + [device.zeros(1, np.uint32)]


# Each of four blocks leaves 32 numbers; the one that takes the last ticket adds them up.
TICKET = Program(
    "ticket",
    """
  .shared .align 4 .b32 mine;
  ld.param.u64 %d2, [word];
  mov.u32 %r0, %ctaid.x;
  mad.lo.u32 %r1, %r0, 32, %t;
  mul.wide.u32 %d0, %r1, 4;
  add.s64 %d1, %in, %d0;
  st.global.u32 [%d1], %r1;
  fence.acq_rel.gpu;  // before
  bar.sync 0;
  setp.ne.u32 %p0, %t, 0;
  mov.u32 %r3, mine;
  @%p0 bra ASK;
  atom.global.gpu.add.u32 %r2, [%d2], 1;
  st.shared.u32 [%r3], %r2;
ASK:
  bar.sync 1;
  ld.shared.u32 %r2, [%r3];
  setp.ne.u32 %p1, %r2, 3;
  @%p1 bra DONE;
  fence.acq_rel.gpu;  // after
  mov.u32 %v, 0;
  mov.u32 %i, 0;
ADD:
  ld.global.u32 %w, [%from];
  add.u32 %v, %v, %w;
  add.s64 %from, %from, 128;
  add.u32 %i, %i, 1;
  setp.lt.u32 %p2, %i, 4;
  @%p2 bra ADD;
  st.global.u32 [%to], %v;
DONE:
""",
    _workspace,
    4 * counted(32) + 192,
    more=".param .u64 word",
    grid=4,
    checks=_CHECKS,
)

# A block hands 32 numbers to another, with a flag.
FLAG = Program(
    "flag",
    """
  ld.param.u64 %d2, [word];
  mov.u32 %r0, %ctaid.x;
  setp.ne.u32 %p0, %t, 0;
  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra TAKE;
  st.global.u32 [%from], %t;
  bar.sync 0;
  @%p0 bra DONE;
  st.release.gpu.global.u32 [%d2], 1;
  bra DONE;
TAKE:
  ld.acquire.gpu.global.u32 %r1, [%d2];
  setp.eq.u32 %p2, %r1, 0;
  @%p2 bra TAKE;
  ld.global.u32 %v, [%from];
  st.global.u32 [%to], %v;
DONE:
""",
    _workspace,
    counted(32),
    more=".param .u64 word",
    grid=2,
    checks=_CHECKS,
)

# Four blocks add what they have to a sum for each thread.
SUMS = Program(
    "sums",
    """
  mov.u32 %r0, %ctaid.x;
  mad.lo.u32 %v, %r0, 32, %t;
  red.global.gpu.add.u32 [%to], %v;
""",
    lambda device: [device.zeros(32, np.uint32), 0],
    4 * counted(32) + 192,
    grid=4,
    checks=_CHECKS,
)

# Two blocks shift their 32 numbers by one, from one array to another.
SHIFT = Program(
    "shift",
    """
  mov.u32 %r0, %ctaid.x;
  mad.lo.u32 %r1, %r0, 32, %t;
  mul.wide.u32 %d0, %r1, 4;
  add.s64 %d1, %in, %d0;
  add.s64 %d2, %out, %d0;
  ld.global.u32 %v, [%d1+4];
  st.global.u32 [%d2], %v;
""",
    lambda device: [device.empty(64, np.uint32), device.array(counted(65))],
    counted(64) + 1,
    grid=2,
    checks=_CHECKS,
)


# A block hands 32 numbers to another, which copies them through shared memory.
COPIED = Program(
    "copied",
    """
  .shared .align 128 .b8 tile[128];
  .shared .align 8 .b64 full;
  ld.param.u64 %d2, [word];
  mov.u32 %r0, %ctaid.x;
  mov.u32 %r1, tile;
  mov.u32 %r2, full;
  setp.ne.u32 %p0, %t, 0;
  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra TAKE;
  st.global.u32 [%from], %t;
  fence.proxy.async.global;
  bar.sync 0;
  @%p0 bra DONE;
  st.release.gpu.global.u32 [%d2], 1;
  bra DONE;
TAKE:
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r2], 1;
POLL:
  ld.acquire.gpu.global.u32 %r3, [%d2];
  setp.eq.u32 %p2, %r3, 0;
  @%p2 bra POLL;
  // reader
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 128;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r1], [%in], 128, [%r2];
READY:
  bar.sync 0;
FULL:
  mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r2], 0;
  @!%p3 bra FULL;
  mad.lo.u32 %a, %t, 4, %r1;
  ld.shared.u32 %v, [%a];
  st.global.u32 [%to], %v;
DONE:
""",
    _workspace,
    counted(32),
    "sm_90a",
    ".param .u64 word",
    grid=2,
    checks=_CHECKS,
)

# Two warps of a block exchange their numbers through global memory.
SCRATCH = Program(
    "scratch",
    """
  st.global.u32 [%from], %t;
  bar.sync 0;
  xor.b32 %r0, %t, 32;
  mul.wide.u32 %d0, %r0, 4;
  add.s64 %d1, %in, %d0;
  ld.global.u32 %v, [%d1];
  st.global.u32 [%to], %v;
""",
    lambda device: [device.empty(64, np.uint32), device.empty(64, np.uint32)],
    counted(64) ^ 32,
    block=64,
    checks=_CHECKS,
)


def _in_place(device: Device) -> list[Any]:
    both = device.array(counted(65))
    return [both, both]


_ATOM = "atom.global.gpu.add.u32 %r2, [%d2], 1;"
_READ = "ld.global.u32 %w, [%from]"

FAULTS = [
    Fault("ticket-without-a-fence", TICKET, {"fence.acq_rel.gpu;  // before": ""}, "race",
          (_READ,)),
    Fault("ticket-without-a-fence-after", TICKET, {"fence.acq_rel.gpu;  // after": ""}, "race",
          (_READ,)),
    Fault("ticket-fence-of-the-block", TICKET,
          {"fence.acq_rel.gpu;  // before": "fence.acq_rel.cta;"}, "race", (_READ,)),
    Fault("ticket-membar-of-the-block", TICKET,
          {"fence.acq_rel.gpu;  // before": "membar.cta;"}, "race", (_READ,)),
    Fault("ticket-taken-before-the-barrier", TICKET,
          {"fence.acq_rel.gpu;  // before\n  bar.sync 0;": "",
           "st.global.u32 [%d1], %r1;": "", "bar.sync 1;": "bar.sync 1;\n"
           "  st.global.u32 [%d1], %r1;\n  fence.acq_rel.gpu;"}, "race",
          (_READ, "st.global.u32 [%d1]"), ("uninitialised",)),
    Fault("ticket-of-the-block", TICKET, {_ATOM: _ATOM.replace("gpu", "cta")}, "race",
          ("atom.global.cta",), ("race",)),
    Fault("ticket-without-atomics", TICKET,
          {_ATOM: "ld.global.u32 %r2, [%d2];\n  add.u32 %r4, %r2, 1;\n"
           "  st.global.u32 [%d2], %r4;"}, "race", ("%r2, [%d2]", "[%d2], %r4"), ("race",)),
    Fault("ticket-off-by-one", TICKET, {"%r2, 3;": "%r2, 2;"}, "race",
          (_READ, "st.global.u32 [%d1]"), ("uninitialised",)),
    Fault("ticket-that-nobody-has", TICKET, {"%r2, 3;": "%r2, 4;"}, "uninitialised", ()),
    Fault("ticket-for-each-thread", TICKET, {"@%p0 bra ASK;": ""}, "race", ("st.shared",),
          ("race", "uninitialised")),
    Fault("ticket-without-its-answer", TICKET,
          {_ATOM: "red.global.gpu.add.u32 [%d2], 1;"}, "uninitialised", ("@%p1 bra DONE",)),
    Fault("ticket-in-the-results", TICKET, {"[word];": "[out];"}, "uninitialised",
          ("@%p1 bra DONE",)),
    Fault("flag-relaxed", FLAG, {"st.release.gpu": "st.relaxed.gpu"}, "race",
          ("%v, [%from]",)),
    Fault("flag-read-relaxed", FLAG, {"ld.acquire.gpu": "ld.relaxed.gpu"}, "race",
          ("%v, [%from]",)),
    Fault("flag-of-the-block", FLAG, {"st.release.gpu": "st.release.cta"}, "race",
          ("st.release.cta", "%r1, [%d2]"), ("race",)),
    Fault("flag-read-by-the-block", FLAG, {"ld.acquire.gpu": "ld.acquire.cta"}, "race",
          ("st.release.gpu", "%r1, [%d2]"), ("race",)),
    Fault("flag-stored-first", FLAG,
          {"  st.global.u32 [%from], %t;": "", "bra DONE;\nTAKE:":
           "NEXT:\n  st.global.u32 [%from], %t;\n  bra DONE;\nTAKE:",
           "@%p0 bra DONE;": "@%p0 bra NEXT;"}, "race", ("[%from], %t", "%v, [%from]"),
          ("uninitialised",)),
    Fault("flag-never-set", FLAG, {"st.release.gpu.global.u32 [%d2], 1;": ""}, "deadlock",
          ("%r1, [%d2]", "setp.eq", "@%p2 bra TAKE")),
    Fault("flag-of-another-value", FLAG,
          {"st.release.gpu.global.u32 [%d2], 1;": "st.release.gpu.global.u32 [%d2], 0;"},
          "deadlock", ("%r1, [%d2]", "setp.eq", "@%p2 bra TAKE")),
    Fault("sums-of-the-block", SUMS, {"red.global.gpu": "red.global.cta"}, "race",
          ("red.global",)),
    Fault("sums-of-the-cluster", SUMS, {"red.global.gpu": "red.global.cluster"}, "race",
          ("red.global",)),
    Fault("sums-without-atomics", SUMS,
          {"red.global.gpu.add.u32 [%to], %v;": "ld.global.u32 %w, [%to];\n"
           "  add.u32 %w, %w, %v;\n  st.global.u32 [%to], %w;"}, "race",
          ("%w, [%to]", "[%to], %w"), ("race",)),
    Fault("sums-not-cleared", SUMS, {}, "uninitialised", (),
          arguments=lambda device: [device.empty(32, np.uint32), 0]),
    Fault("sums-cleared-by-each-block", SUMS,
          {"  red.global": "  st.global.u32 [%to], 0;\n  red.global"}, "race",
          ("[%to], 0", "red.global"), ("race",)),
    Fault("copied-without-a-proxy-fence", COPIED, {"fence.proxy.async.global;": ""},
          "proxy-fence", ("cp.async.bulk",)),
    Fault("copied-with-a-fence-of-shared-memory", COPIED,
          {"fence.proxy.async.global;": "fence.proxy.async.shared::cta;"}, "proxy-fence",
          ("cp.async.bulk",)),
    Fault("scratch-read-as-if-constant", SCRATCH, {"ld.global.u32 %v": "ld.global.nc.u32 %v"},
          "race", ("%v, [%d1]",)),
    Fault("shift-in-place", SHIFT, {}, "race", ("%v, [%d1+4]", "[%d2], %v"),
          arguments=_in_place),
    Fault("shift-past-the-end", SHIFT, {"[%d1+4]": "[%d1+8]"}, "out-of-bounds",
          ("[%d1+8]",)),
    Fault("shift-into-the-other-block", SHIFT, {"[%d2], %v": "[%d2+4], %v"},
          "out-of-bounds", ("[%d2+4], %v",)),
]  # fmt: skip
