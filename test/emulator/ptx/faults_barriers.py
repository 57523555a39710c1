"""Faults of barriers, of warp-wide instructions, and of clusters.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from faults import Fault, Program, counted, words

# A block of 64 threads reverses its numbers.
REVERSE = Program(
    "reverse",
    """
  .shared .align 4 .b8 buffer[256];
  ld.global.u32 %v, [%from];
  mov.u32 %r0, buffer;
  shl.b32 %r1, %t, 2;
  add.u32 %a, %r0, %r1;
  sub.u32 %w, %r0, %r1;
  st.shared.u32 [%a], %v;
  bar.sync 0;
  ld.shared.u32 %v, [%w+252];
  setp.lt.u32 %p0, %t, 16;
  bar.sync 2;
  st.global.u32 [%to], %v;
""",
    words(64),
    counted(64)[::-1].copy(),
    block=64,
)

# Warp 0 gives warp 1 its numbers; warp 2 does not take part.
HANDOVER = Program(
    "handover",
    """
  .shared .align 4 .b8 buffer[128];
  mov.u32 %r0, buffer;
  and.b32 %r1, %t, 31;
  shl.b32 %r1, %r1, 2;
  add.u32 %a, %r0, %r1;
  shr.u32 %w, %t, 5;
  setp.eq.u32 %p0, %w, 1;
  setp.eq.u32 %p1, %w, 2;
  ld.global.u32 %v, [%from];
  @%p1 bra STORE;
  @%p0 bra TAKE;
  st.shared.u32 [%a], %v;
  bar.arrive 1, 64;
  bra STORE;
TAKE:
  bar.sync 1, 64;
  ld.shared.u32 %v, [%a];
STORE:
  st.global.u32 [%to], %v;
""",
    words(96),
    np.concatenate([np.arange(32), np.arange(32), np.arange(64, 96)]).astype(np.uint32),
    block=96,
)

# Lanes take the number of their neighbour. A block of 48 threads has half a warp.
NEIGHBOUR = Program(
    "neighbour",
    """
  ld.global.u32 %v, [%from];
  xor.b32 %r0, %t, 1;
  and.b32 %r0, %r0, 31;
  setp.ge.u32 %p1, %t, 32;
  selp.b32 %n, 0x0000ffff, 0xffffffff, %p1;
  shfl.sync.idx.b32 %w, %v, %r0, 31, %n;
  st.global.u32 [%to], %w;
""",
    words(48),
    counted(48) ^ 1,
    block=48,
)

# In a cluster of two blocks, rank 0 reads from rank 1's shared memory, after a while.
_CLUSTER = """
  .shared .align 8 .b8 buffer[128];
  mov.u32 %r0, %cluster_ctarank;
  mov.u32 %r1, buffer;
  shl.b32 %r2, %t, 2;
  add.u32 %a, %r1, %r2;
  mad.lo.u32 %v, %r0, 100, %t;
  st.shared.u32 [%a], %v;
  barrier.cluster.arrive.release.aligned;
  barrier.cluster.wait.acquire.aligned;  // first
  setp.ne.u32 %p0, %r0, 0;
  @%p0 bra LAST;
  mov.u32 %i, 0;
DELAY:
  add.u32 %i, %i, 1;
  setp.lt.u32 %p1, %i, 500;
  @%p1 bra DELAY;
  mapa.shared::cluster.u32 %r3, %a, 1;
  ld.shared::cluster.u32 %w, [%r3];
  st.global.u32 [%to], %w;
LAST:
  barrier.cluster.arrive.aligned;  // last
  barrier.cluster.wait.aligned;  // last
"""
CLUSTER = Program(
    "cluster", _CLUSTER, words(32), 100 + counted(32), "sm_90a", grid=2, cluster=2
)
_LAST = "  barrier.cluster.arrive.aligned;  // last\n  barrier.cluster.wait.aligned;  // last\n"

# Rank 0 arrives at rank 1's mbarrier, which its fence makes known to the cluster.
REMOTE = Program(
    "remote",
    """
  .shared .align 8 .b64 full;
  mov.u32 %r0, %cluster_ctarank;
  mov.u32 %a, full;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra MEET;
  mbarrier.init.shared::cta.b64 [%a], 1;
  fence.mbarrier_init.release.cluster;
MEET:
  bar.warp.sync -1;
  barrier.cluster.arrive.relaxed.aligned;
  barrier.cluster.wait.acquire.aligned;
  setp.ne.u32 %p1, %r0, 0;
  @%p1 bra WAIT;
  mapa.shared::cluster.u32 %r3, %a, 1;
  @!%p0 mbarrier.arrive.release.cluster.shared::cluster.b64 _, [%r3];
  bra LAST;
WAIT:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p2, [%a], 0;
  @!%p2 bra WAIT;
  st.global.u32 [%to], %t;
LAST:
  bar.warp.sync -1;
  barrier.cluster.arrive.release.aligned;  // last
  barrier.cluster.wait.acquire.aligned;  // last
""",
    words(32), counted(32), "sm_90a", grid=2, cluster=2,
)  # fmt: skip

_BRANCHES = """@%p0 bra LOW;
  bar.sync 2;  // high
  bra BOTH;
LOW:
  bar.sync 2;  // low
BOTH:"""

FAULTS = [
    Fault("no-barrier", REVERSE, {"bar.sync 0;": ""}, "race", ("st.shared", "ld.shared")),
    Fault("barrier-of-one-warp", REVERSE, {"bar.sync 0;": "bar.sync 0, 32;"}, "race",
          ("st.shared", "ld.shared")),
    Fault("barrier-of-half-a-warp", REVERSE, {"bar.sync 0;": "bar.sync 0, 48;"},
          "barrier-count", ("bar.sync 0",)),
    Fault("barrier-of-more-than-all", REVERSE, {"bar.sync 0;": "bar.sync 0, 96;"},
          "barrier-count", ("bar.sync 0",)),
    Fault("barrier-with-a-guard", REVERSE, {"bar.sync 2;": "@%p0 bar.sync 2;"},
          "barrier-divergence", ("bar.sync 2",)),
    Fault("barrier-in-both-branches", REVERSE, {"bar.sync 2;": _BRANCHES},
          "barrier-divergence", ("// low", "// high")),
    Fault("shared-past-the-end", REVERSE, {"[%a]": "[%a+4]"}, "out-of-bounds",
          ("st.shared",)),
    Fault("handover-counts-disagree", HANDOVER, {"bar.sync 1, 64": "bar.sync 1, 96"},
          "barrier-count", ("bar.sync 1", "bar.arrive 1")),
    Fault("handover-that-nobody-makes", HANDOVER, {"bar.arrive 1, 64;": ""}, "deadlock",
          ("bar.sync 1",)),
    Fault("handover-by-another-barrier", HANDOVER, {"bar.arrive 1": "bar.arrive 3"},
          "deadlock", ("bar.sync 1",)),
    Fault("handover-not-waited-for", HANDOVER, {"bar.sync 1, 64": "bar.arrive 1, 64"},
          "race", ("st.shared", "ld.shared")),
    Fault("shuffle-from-a-lane-not-there", NEIGHBOUR,
          {"xor.b32 %r0, %t, 1;": "xor.b32 %r0, %t, 16;"},
          "uninitialised", ()),
    Fault("shuffle-without-itself", NEIGHBOUR, {"0xffffffff": "0x0000ffff"},
          "convergence", ("shfl.sync",)),
    Fault("shuffle-in-a-branch", NEIGHBOUR,
          {"  shfl.sync": "  setp.eq.u32 %p0, %t, 5;\n  @!%p0 shfl.sync"}, "convergence",
          ("shfl.sync",)),
    Fault("cluster-exits-too-early", CLUSTER, {_LAST: ""}, "use-after-free",
          ("ld.shared::cluster",)),
    Fault("cluster-not-waited-for", CLUSTER,
          {"  barrier.cluster.arrive.release.aligned;\n": "",
           "  barrier.cluster.wait.acquire.aligned;  // first\n": ""}, "race",
          ("st.shared", "ld.shared::cluster")),
    Fault("cluster-rank-too-high", CLUSTER, {"%a, 1;": "%a, 2;"}, "out-of-bounds",
          ("mapa",)),
    Fault("cluster-as-own-memory", CLUSTER, {"ld.shared::cluster": "ld.shared"},
          "out-of-bounds", ("ld.shared",)),
    Fault("cluster-waits-without-arrival", CLUSTER,
          {"  barrier.cluster.arrive.release.aligned;\n": ""}, "barrier-count",
          ("// first",)),
    Fault("mbarrier-init-not-published", REMOTE,
          {"  fence.mbarrier_init.release.cluster;\n": ""}, "race",
          ("mbarrier.arrive",)),
    Fault("mbarrier-init-not-reached", REMOTE, {"mbarrier.init.shared::cta.b64 [%a], 1;": ""},
          "uninitialised", ("mbarrier.arrive", "mbarrier.try_wait")),
    Fault("mbarrier-count-too-high", REMOTE, {"[%a], 1;": "[%a], 2;"}, "deadlock",
          ("mbarrier.try_wait", "@!%p2 bra", "release.aligned;  // last",
           "acquire.aligned;  // last")),
    # The block has no lanes 16 to 31 in its second warp; nothing says so.
    Fault("shuffle-of-lanes-not-there", NEIGHBOUR, {"0x0000ffff": "0xffffffff"},
          "convergence", ("shfl.sync",)),
]  # fmt: skip
