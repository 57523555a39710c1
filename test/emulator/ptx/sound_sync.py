"""Unusual programs that are right: barriers, asynchronous copies, clusters, grids.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import faults_async
import faults_cluster
import faults_grid
import faults_matrix
import faults_memory
import numpy as np
from faults import Program, counted, words

from tilewright.emulator import Device

_GRID = {"global_races": True}


def _like(program: Program, name: str, changes: dict[str, str], **others: Any) -> Program:
    """A program with another body."""
    body = program.body
    for old, new in changes.items():
        assert body.count(old) == 1, f"{name}: {body.count(old)} times {old!r}"
        body = body.replace(old, new)
    fields = {field: getattr(program, field) for field in program.__dataclass_fields__}
    return Program(**{**fields, "name": name, "body": body, **others})


def _zeros(device: Device) -> list[Any]:
    return [device.zeros(64, np.uint32), 0]


# Two warps take turns, by two named barriers that one waits at and the other passes.
PING_PONG = Program(
    "ping-pong",
    """
  .shared .align 4 .b32 slots[32];
  mov.u32 %r0, slots;
  and.b32 %r1, %t, 31;
  shl.b32 %r2, %r1, 2;
  add.u32 %a, %r0, %r2;
  setp.ge.u32 %p0, %t, 32;
  mov.u32 %k, 0;
  mov.u32 %v, 0;
  @%p0 bra TAKE;
GIVE:
  add.u32 %w, %r1, %k;
  st.shared.u32 [%a], %w;
  bar.arrive 14, 64;
  bar.sync 15, 64;
  add.u32 %k, %k, 1;
  setp.lt.u32 %p1, %k, 5;
  @%p1 bra GIVE;
  bra DONE;
TAKE:
  bar.sync 14, 64;
  ld.shared.u32 %w, [%a];
  add.u32 %v, %v, %w;
  bar.arrive 15, 64;
  add.u32 %k, %k, 1;
  setp.lt.u32 %p1, %k, 5;
  @%p1 bra TAKE;
DONE:
  st.global.u32 [%to], %v;
""",
    words(64),
    np.concatenate([np.zeros(32), 5 * np.arange(32) + 10]).astype(np.uint32),
    block=64,
)

# The halves of a warp go different ways, each with barriers of its own lanes.
HALF_WARPS = Program(
    "half-warps",
    """
  .shared .align 4 .b32 slots[32];
  mov.u32 %r0, slots;
  shl.b32 %r2, %t, 2;
  add.u32 %a, %r0, %r2;
  xor.b32 %r3, %r2, 4;
  add.u32 %r3, %r0, %r3;
  setp.lt.u32 %p0, %t, 16;
  @%p0 bra LOW;
  st.shared.u32 [%a], 7;
  bar.warp.sync 0xffff0000;
  ld.shared.u32 %v, [%r3];
  bra BOTH;
LOW:
  st.shared.u32 [%a], %t;
  bar.warp.sync 0x0000ffff;
  ld.shared.u32 %v, [%r3];
  shfl.sync.bfly.b32 %v, %v, 2, 31, 0x0000ffff;
BOTH:
  bar.warp.sync -1;
  st.global.u32 [%to], %v;
""",
    words(32),
    np.where(counted(32) < 16, counted(32) ^ 3, 7).astype(np.uint32),
)

# One warp sets a flag for another in shared memory, with no barrier.
SHARED_FLAG = Program(
    "flag-in-shared-memory",
    """
  .shared .align 8 .b32 both[2];
  mov.u32 %a, both;
  setp.eq.u32 %p0, %t, 0;
  @%p0 st.shared.u32 [%a], 0;
  bar.sync 0;
  setp.ge.u32 %p1, %t, 32;
  @%p1 bra WAIT;
  @%p0 st.shared.u32 [%a+4], 9;
  fence.acq_rel.cta;
  @%p0 st.relaxed.cta.shared.u32 [%a], 1;
  mov.u32 %v, 9;
  bra DONE;
WAIT:
  nanosleep.u32 20;
  ld.relaxed.cta.shared.u32 %r1, [%a];
  setp.eq.u32 %p2, %r1, 0;
  @%p2 bra WAIT;
  fence.acq_rel.cta;
  ld.shared.u32 %v, [%a+4];
DONE:
  st.global.u32 [%to], %v;
""",
    words(64),
    np.full(64, 9, np.uint32),
    block=64,
)

# Arrivals that do not complete, that are for good, and waits by state and by parity.
STATES = Program(
    "mbarrier-states",
    """
  .shared .align 8 .b64 bar;
  .shared .align 4 .b32 slots[64];
  mov.u32 %r1, bar;
  mov.u32 %r0, slots;
  shl.b32 %r2, %t, 2;
  add.u32 %a, %r0, %r2;
  xor.b32 %r3, %r2, 128;
  add.u32 %r3, %r0, %r3;
  setp.eq.u32 %p0, %t, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%r1], 65;
  bar.sync 0;
  @%p0 mbarrier.arrive.noComplete.shared::cta.b64 %d0, [%r1], 1;
  st.shared.u32 [%a], %t;
  mbarrier.arrive.shared::cta.b64 %d1, [%r1];
FIRST:
  mbarrier.test_wait.shared::cta.b64 %p1, [%r1], %d1;
  @!%p1 bra FIRST;
  ld.shared.u32 %v, [%r3];
  @%p0 mbarrier.arrive_drop.shared::cta.b64 _, [%r1];
  mbarrier.arrive.shared::cta.b64 _, [%r1];
SECOND:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 1;
  @!%p1 bra SECOND;
  bar.sync 0;
  @%p0 mbarrier.inval.shared::cta.b64 [%r1];
  @%p0 st.shared.u64 [%r1], %off;
  st.global.u32 [%to], %v;
""",
    words(64),
    counted(64) ^ 32,
    "sm_90a",
    block=64,
)

# The phase is over when it is asked for, so one test is enough.
TESTED_ONCE = Program(
    "mbarrier-tested-once",
    """
  .shared .align 8 .b64 bar;
  mov.u32 %r1, bar;
  setp.eq.u32 %p0, %t, 0;
  @%p0 mbarrier.init.shared::cta.b64 [%r1], 64;
  bar.sync 0;
  mbarrier.arrive.shared::cta.b64 _, [%r1];
  bar.sync 0;
  mbarrier.test_wait.parity.shared::cta.b64 %p1, [%r1], 0;
  selp.u32 %v, 1, 0, %p1;
  st.global.u32 [%to], %v;
""",
    words(64),
    np.ones(64, np.uint32),
    "sm_90a",
    block=64,
)

# Bytes are expected after the copies that complete them.
EXPECTED_LATE = _like(
    faults_async.TILES,
    "expected-after-the-copy",
    {"  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 256;\n": "",
     "[%d1], 256, [%r1];\n": "[%d1], 256, [%r1];\n"
     "  mbarrier.expect_tx.relaxed.cta.shared::cta.b64 [%r1], 256;\n"
     "  mbarrier.arrive.shared::cta.b64 _, [%r1];\n"},
)  # fmt: skip

# Ordinary stores to global memory, which a bulk copy then reads: the fence may be of global
# memory alone.
FENCED_GLOBAL = _like(
    faults_async.TILES,
    "proxy-fence-of-global-memory",
    {"  mbarrier.arrive.expect_tx": "  st.global.u32 [%d1], %k;\n  ld.global.u32 %w, [%d1];\n"
     "  fence.proxy.async.global;\n  mbarrier.arrive.expect_tx"},
    expected=4 * counted(64) + 384 + np.where(counted(64) == 0, 6 - 384, 0).astype(np.uint32),
)  # fmt: skip

# The thread that copies executes the proxy fence, after the barrier.
FENCED_BY_THE_READER = _like(
    faults_async.STORES,
    "proxy-fence-of-the-reader",
    {"  fence.proxy.async.shared::cta;  // 0\n  bar.sync 0;\n":
     "  bar.sync 0;\n  fence.proxy.async.shared::cta;  // 0\n"},
)  # fmt: skip

# What was stored is read back, after a wait for the writes, by all threads after a barrier.
READ_BACK = _like(
    faults_async.STORES,
    "stores-read-back",
    {"DONE:": "  ld.global.u32 %w, [%out+256];\n  setp.ne.u32 %p1, %w, 64;\n  @%p1 trap;\n"
     "DONE:\n  bar.sync 3;\n  ld.global.u32 %w, [%to+256];\n  st.global.u32 [%to], %w;"},
    expected=np.concatenate([counted(64) + 64, counted(64) + 64]),
)  # fmt: skip

# Bulk groups of several lanes, each of which commits and waits for its own.
LANES_COPY = Program(
    "bulk-groups-of-lanes",
    """
  .shared .align 128 .b8 tile[1024];
  mov.u32 %r0, tile;
  mad.lo.u32 %a, %t, 32, %r0;
  st.shared.v4.u32 [%a], {%t, %t, %t, %t};
  st.shared.v4.u32 [%a+16], {%t, %t, %t, %t};
  fence.proxy.async.shared::cta;
  mul.wide.u32 %d0, %t, 32;
  add.s64 %d1, %out, %d0;
  cp.async.bulk.global.shared::cta.bulk_group [%d1], [%a], 16;
  cp.async.bulk.commit_group;
  cp.async.bulk.global.shared::cta.bulk_group [%d1+16], [%a+16], 16;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group.read 1;
  st.shared.u32 [%a], 0;
  cp.async.bulk.wait_group 0;
""",
    words(256),
    counted(256) // 8,
    "sm_90a",
)

# Four blocks add their tiles to one, by bulk copies that nothing orders.
BULK_SUMS = Program(
    "bulk-sums",
    """
  .shared .align 128 .b8 tile[256];
  mov.u32 %r0, tile;
  mad.lo.u32 %a, %t, 4, %r0;
  mov.u32 %r1, %ctaid.x;
  add.u32 %v, %t, %r1;
  st.shared.u32 [%a], %v;
  fence.proxy.async;
  bar.sync 0;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra DONE;
  cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%out], [%r0], 256;
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group.read 0;
DONE:
""",
    _zeros,
    4 * counted(64) + 6,
    "sm_90a",
    grid=4,
    block=64,
    checks=_GRID,
)

# The first product ignores the accumulators, which nobody has set.
SCALE_D = _like(
    faults_matrix.WGMMA,
    "wgmma-without-addend",
    {**{f"  mov.f32 %f{i}, 0f3f800000;\n": "" for i in range(4)},
     "setp.eq.u32 %p1, 0, 0;": "setp.eq.u32 %p1, 0, 1;"},
    expected=np.full(512, 32, np.float32),
)  # fmt: skip

# Two groups in flight; the sums of the first are used while the second goes on.
TWO_GROUPS = _like(
    faults_matrix.WGMMA,
    "wgmma-two-groups",
    {"  wgmma.wait_group.sync.aligned 0;\n": """
  .reg .f32 %g<4>;
  wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%g0, %g1, %g2, %g3},
    %d0, %d1, 0, 1, 1, 0, 0;
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 1;
  add.f32 %f0, %f0, %f1;
  wgmma.wait_group.sync.aligned 0;
  sub.f32 %f0, %f0, %g1;
  sub.f32 %f0, %f0, %f7;
""", "setp.eq.u32 %p1, 0, 0;": "setp.eq.u32 %p1, 0, 0;\n  mov.f32 %f7, 0f3f800000;"},
)  # fmt: skip

# A release and an acquire make mbarriers known to the cluster as well as their own fence.
NO_INIT_FENCE = _like(
    faults_cluster.MULTICAST,
    "multicast-after-a-release",
    {"  fence.mbarrier_init.release.cluster;\n": ""},
)
RELAXED_WITH_INIT_FENCE = _like(
    faults_cluster.MULTICAST,
    "multicast-after-an-init-fence",
    {"arrive.release.aligned;  // first": "arrive.relaxed.aligned;  // first"},
)

# Ordinary writes before an asynchronous store: both go through the generic proxy.
CLEARED_INBOX = _like(
    faults_cluster.SEND,
    "asynchronous-store-over-ordinary-ones",
    {"READY:\n": "READY:\n  st.shared.u32 [%a], 0;\n"},
)

# Locks that are relaxed, between fences; a fence of the device is one of the block too.
FENCED_LOCK = _like(
    faults_memory.LOCK,
    "lock-between-fences",
    {"acquire.cta.cas.b32 %r1, [%a], 0, 1": "relaxed.cta.cas.b32 %r1, [%a], 0, 1",
     "  ld.shared.u32 %r2": "  fence.acq_rel.gpu;\n  ld.shared.u32 %r2",
     "  atom.shared.release": "  fence.acq_rel.cta;\n  atom.shared.relaxed"},
)  # fmt: skip

# The first block waits for the last.
LAST_BLOCK_FIRST = _like(
    faults_grid.FLAG,
    "flag-of-the-last-block",
    {"setp.ne.u32 %p1, %r0, 0;": "setp.ne.u32 %p1, %r0, 39;",
     "TAKE:": "TAKE:\n  setp.ne.u32 %p3, %r0, 0;\n  @%p3 bra DONE;\nPOLL:",
     "@%p2 bra TAKE;": "@%p2 bra POLL;"},
    grid=40,
)  # fmt: skip
# The proxy fence may be the reader's, too.
READER_FENCES = _like(
    faults_grid.COPIED,
    "proxy-fence-of-the-reading-block",
    {"  fence.proxy.async.global;\n": "", "  // reader": "  fence.proxy.async;"},
)
VOLATILE_FLAG = _like(
    faults_grid.FLAG,
    "volatile-flag",
    {"st.release.gpu.global.u32 [%d2], 1;": "membar.gl;\n  st.volatile.global.u32 [%d2], 1;",
     "ld.acquire.gpu.global.u32 %r1, [%d2];":
     "ld.volatile.global.u32 %r1, [%d2];\n  membar.gl;"},
)  # fmt: skip

# Blocks take tiles from a counter until there are none left.
SCHEDULED = Program(
    "scheduled-by-a-counter",
    """
  .shared .align 4 .b32 tile;
  mov.u32 %a, tile;
  setp.ne.u32 %p0, %t, 0;
NEXT:
  @%p0 bra KNOWN;
  atom.global.add.u32 %r0, [%in], 1;
  st.shared.u32 [%a], %r0;
KNOWN:
  bar.sync 0;
  ld.shared.u32 %k, [%a];
  bar.sync 0;
  setp.ge.u32 %p1, %k, 7;
  @%p1 bra DONE;
  mad.lo.u32 %v, %k, 64, %t;
  mul.wide.u32 %d0, %v, 4;
  add.s64 %d1, %out, %d0;
  st.global.u32 [%d1], %v;
  bra NEXT;
DONE:
""",
    lambda device: [device.empty(448, np.uint32), device.zeros(1, np.uint32)],
    counted(448),
    grid=3,
    block=64,
    checks=_GRID,
)

PROGRAMS = [value for value in globals().values() if isinstance(value, Program)]
