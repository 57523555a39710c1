"""Faults in clusters: multicast copies, stores to other blocks' shared memory.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from faults import Fault, Program, counted, words

_BARRIERS = """  barrier.cluster.arrive.release.aligned;  // {0}
  barrier.cluster.wait.acquire.aligned;  // {0}
"""

# Each of two blocks copies half of 64 words to both; then each stores the half that it has
# not copied.
MULTICAST = Program(
    "multicast",
    """
  .shared .align 128 .b8 tile[256];
  .shared .align 8 .b64 full;
  mov.u32 %r0, %cluster_ctarank;
  mov.u32 %r1, tile;
  mov.u32 %r2, full;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r2], 1;
  fence.mbarrier_init.release.cluster;
READY:
  bar.warp.sync -1;
"""
    + _BARRIERS.format("first")
    + """  @%p0 bra FULL;
  shl.b32 %r3, %r0, 7;
  add.u32 %r4, %r1, %r3;
  cvt.u64.u32 %d0, %r3;
  add.s64 %d1, %in, %d0;
  mov.b16 %h0, 3;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 256;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster
    [%r4], [%d1], 128, [%r2], %h0;
FULL:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [%r2], 0;
  @!%p1 bra FULL;
  xor.b32 %r5, %r0, 1;
  shl.b32 %r5, %r5, 7;
  shl.b32 %r6, %t, 2;
  add.u32 %r5, %r5, %r6;
  add.u32 %a, %r1, %r5;
  ld.shared.u32 %v, [%a];
  cvt.u64.u32 %d2, %r5;
  add.s64 %d3, %out, %d2;
  st.global.u32 [%d3], %v;
""".replace("  @%p0 bra FULL;", "  .reg .b16 %h0;\n  @%p0 bra FULL;", 1),
    words(64),
    counted(64),
    "sm_90a",
    grid=2,
    cluster=2,
)

# Each block stores 32 words to the other's shared memory, and its mbarrier is told.
SEND = Program(
    "send",
    """
  .shared .align 16 .b8 inbox[128];
  .shared .align 8 .b64 full;
  mov.u32 %r0, %cluster_ctarank;
  mov.u32 %r1, inbox;
  mov.u32 %r2, full;
  shl.b32 %r3, %t, 2;
  add.u32 %a, %r1, %r3;
  xor.b32 %r4, %r0, 1;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r2], 1;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r2], 128;
  fence.mbarrier_init.release.cluster;
READY:
  bar.warp.sync -1;
"""
    + _BARRIERS.format("first")
    + """  mapa.shared::cluster.u32 %r5, %a, %r4;
  mapa.shared::cluster.u32 %r6, %r2, %r4;
  mad.lo.u32 %v, %r0, 32, %t;
  st.async.shared::cluster.mbarrier::complete_tx::bytes.u32 [%r5], %v, [%r6];
FULL:
  mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 %p1, [%r2], 0;
  @!%p1 bra FULL;
  ld.shared.u32 %w, [%a];
  mul.wide.u32 %d0, %r4, 128;
  add.s64 %d1, %to, %d0;
  st.global.u32 [%d1], %w;
""",
    words(64),
    counted(64),
    "sm_90a",
    grid=2,
    cluster=2,
)

# The same by ordinary stores, between two barriers of the cluster; neither exits before the
# other is done.
EXCHANGE = Program(
    "exchange",
    """
  .shared .align 16 .b8 inbox[128];
  mov.u32 %r0, %cluster_ctarank;
  mov.u32 %r1, inbox;
  shl.b32 %r3, %t, 2;
  add.u32 %a, %r1, %r3;
  xor.b32 %r4, %r0, 1;
"""
    + _BARRIERS.format("first")
    + """  mapa.shared::cluster.u32 %r5, %a, %r4;
  mad.lo.u32 %v, %r0, 32, %t;
  st.shared::cluster.u32 [%r5], %v;
"""
    + _BARRIERS.format("second")
    + """  ld.shared.u32 %w, [%a];
  mul.wide.u32 %d0, %r4, 128;
  add.s64 %d1, %to, %d0;
  st.global.u32 [%d1], %w;
"""
    + _BARRIERS.format("last"),
    words(64),
    counted(64),
    "sm_90a",
    grid=2,
    cluster=2,
)

_COPY = "cp.async.bulk.shared::cluster"
_WAIT = "mbarrier.try_wait"
_FIRST, _SECOND = _BARRIERS.format("first"), _BARRIERS.format("second")
_FENCE = "  fence.mbarrier_init.release.cluster;\n"
_SEND = "st.async"
_STORE = "st.shared::cluster.u32 [%r5]"

FAULTS = [
    Fault("multicast-to-one", MULTICAST, {"%h0, 3;": "%h0, 1;"}, "deadlock",
          (_WAIT, "@!%p1 bra FULL"), ("in-flight",)),
    Fault("multicast-to-a-block-not-there", MULTICAST, {"%h0, 3;": "%h0, 7;"},
          "out-of-bounds", (_COPY,)),
    Fault("multicast-to-nobody", MULTICAST, {"%h0, 3;": "%h0, 0;"}, "out-of-bounds",
          (_COPY,)),
    Fault("multicast-expects-its-own-half", MULTICAST, {"[%r2], 256": "[%r2], 128"},
          "in-flight", ("ld.shared", "ret;"), ("race", "use-after-free", "deadlock")),
    Fault("multicast-expects-too-much", MULTICAST, {"[%r2], 256": "[%r2], 512"},
          "deadlock", (_WAIT, "@!%p1 bra FULL")),
    Fault("multicast-before-the-others-are-ready", MULTICAST, {_FIRST: ""}, "uninitialised",
          (_COPY,), ("race", "proxy-fence", "use-after-free", "deadlock")),
    Fault("multicast-without-init-fence", MULTICAST,
          {_FENCE: "", "arrive.release.aligned;  // first":
           "arrive.relaxed.aligned;  // first"},
          "race", (_COPY,)),
    Fault("multicast-half-misaligned", MULTICAST, {"%r3, %r0, 7;": "%r3, %r0, 3;"},
          "misaligned", (_COPY,)),
    Fault("multicast-halves-overlap", MULTICAST, {"%r3, %r0, 7;": "%r3, %r0, 6;"},
          "race", (_COPY,), ("in-flight", "uninitialised")),
    Fault("multicast-past-the-end", MULTICAST, {"%r3, %r0, 7;": "%r3, %r0, 8;"},
          "out-of-bounds", (_COPY,)),
    Fault("send-bytes-off-by-one-word", SEND, {"[%r2], 128": "[%r2], 132"}, "deadlock",
          (_WAIT, "@!%p1 bra FULL")),
    Fault("send-bytes-of-half", SEND, {"[%r2], 128": "[%r2], 64"}, "in-flight",
          ("ld.shared", "ret;"), ("race", "use-after-free", "deadlock", "barrier-count")),
    Fault("send-tells-the-own-barrier", SEND, {"%v, [%r6];": "%v, [%r2];"},
          "out-of-bounds", (_SEND,)),
    Fault("send-before-the-other-is-ready", SEND, {_FIRST: ""}, "uninitialised", (_SEND,),
          ("race", "proxy-fence", "use-after-free", "deadlock")),
    Fault("send-misaligned", SEND, {"[%r5], %v": "[%r5+2], %v"}, "misaligned", (_SEND,)),
    Fault("send-past-the-end", SEND, {"[%r5], %v": "[%r5+32], %v"}, "out-of-bounds",
          (_SEND,), ("in-flight", "proxy-fence")),
    Fault("send-not-waited-for", SEND, {"@!%p1 bra FULL;": ""}, "in-flight", ("ld.shared",),
          ("race", "uninitialised")),
    Fault("send-waits-for-the-others-barrier", SEND,
          {"%p1, [%r2], 0": "%p1, [%r6], 0"}, "out-of-bounds", (_WAIT,)),
    Fault("exchange-without-second-barrier", EXCHANGE, {_SECOND: ""}, "race",
          (_STORE, "ld.shared"), ("uninitialised",)),
    Fault("exchange-without-first-barrier", EXCHANGE,
          {_FIRST: "  ld.shared.u32 %n, [%a];  // early\n"}, "race", (_STORE, "// early"),
          ("uninitialised",)),
    Fault("exchange-relaxed", EXCHANGE,
          {"arrive.release.aligned;  // second": "arrive.relaxed.aligned;  // second"}, "race",
          ("ld.shared",)),
    Fault("exchange-arrives-twice", EXCHANGE,
          {"barrier.cluster.wait.acquire.aligned;  // first":
           "barrier.cluster.arrive.release.aligned;  // again"}, "barrier-count",
          ("// again",)),
    Fault("exchange-of-one-block-alone", EXCHANGE,
          {"  barrier.cluster.arrive.release.aligned;  // second":
           "  setp.eq.u32 %p0, %r0, 1;\n"
           "  @%p0 bra OVER;\n  barrier.cluster.arrive.release.aligned;  // second",
           "  ld.shared.u32 %w": "OVER:\n  ld.shared.u32 %w"}, "race",
          ("ld.shared", _STORE), ("uninitialised", "barrier-divergence")),
    Fault("exchange-in-a-branch", EXCHANGE,
          {"  barrier.cluster.arrive.release.aligned;  // second":
           "  setp.lt.u32 %p0, %t, 16;\n"
           "  @%p0 barrier.cluster.arrive.release.aligned;  // second"},
          "barrier-divergence", ("arrive.release.aligned;  // second",)),
    Fault("exchange-with-a-block-not-there", EXCHANGE, {"xor.b32 %r4, %r0, 1":
          "add.u32 %r4, %r0, 1"},
          "out-of-bounds", ("mapa",), ("deadlock",)),
    Fault("exchange-with-itself", EXCHANGE, {"xor.b32 %r4, %r0, 1": "mov.u32 %r4, 0"}, "race",
          (_STORE, "ld.shared"), ("uninitialised", "race")),
]  # fmt: skip
