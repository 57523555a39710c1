"""Faults of asynchronous copies: cp.async, bulk and tensor copies, and their mbarriers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Fault, Program, counted, words

from tilewright.emulator import Device
from tilewright.emulator.tensor_map import TensorMap

# A pipeline of three stages through six tiles of 64 words, of which each thread adds up
# those of its counterpart in the other warp.
PIPELINE = Program(
    "pipeline",
    """
  .shared .align 16 .b8 stages[768];
  mov.u32 %r0, stages;
  shl.b32 %r1, %t, 2;
  add.u32 %a, %r0, %r1;
  xor.b32 %r2, %r1, 128;
  add.u32 %r3, %r0, %r2;
  cp.async.ca.shared.global [%a], [%from], 4;
  cp.async.commit_group;  // tile 0
  cp.async.ca.shared.global [%a+256], [%from+256], 4;
  cp.async.commit_group;  // tile 1
  mov.u32 %v, 0;
  mov.u32 %k, 0;
AGAIN:
  cp.async.wait_group 1;
  bar.sync 0;
  rem.u32 %r4, %k, 3;
  mad.lo.u32 %r5, %r4, 256, %r3;
  ld.shared.u32 %w, [%r5];
  add.u32 %v, %v, %w;
  add.u32 %r6, %k, 2;
  setp.ge.u32 %p0, %r6, 6;
  @%p0 bra ISSUED;
  rem.u32 %r7, %r6, 3;
  mad.lo.u32 %r8, %r7, 256, %a;
  mul.wide.u32 %d0, %r6, 256;
  add.s64 %d1, %from, %d0;
  cp.async.ca.shared.global [%r8], [%d1], 4;
ISSUED:
  cp.async.commit_group;  // tile k + 2
  add.u32 %k, %k, 1;
  setp.lt.u32 %p1, %k, 6;
  @%p1 bra AGAIN;
  st.global.u32 [%to], %v;
""",
    words(64, source=384),
    6 * (counted(64) ^ 32) + 64 * 15,
    block=64,
)

_BARRIER = """
  .shared .align 128 .b8 tile[1024];
  .shared .align 8 .b64 full;
  .shared .align 8 .b64 empty;
  mov.u32 %r0, tile;
  mov.u32 %r1, full;
  mov.u32 %r2, empty;
  shl.b32 %r3, %t, 2;
  add.u32 %a, %r0, %r3;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r1], 1;
  mbarrier.init.shared::cta.b64 [%r2], 64;
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0;
"""

# Thread 0 has four tiles of 64 words copied, one after another, once all have read one.
TILES = Program(
    "tiles",
    _BARRIER
    + """
  mov.u32 %v, 0;
  mov.u32 %k, 0;
AGAIN:
  and.b32 %r4, %k, 1;
  @%p0 bra FULL;
  mul.wide.u32 %d0, %k, 256;
  add.s64 %d1, %in, %d0;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 256;
  cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r0], [%d1], 256, [%r1];
FULL:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], %r4;
  @!%p1 bra FULL;
  ld.shared.u32 %w, [%a];
  add.u32 %v, %v, %w;
  mbarrier.arrive.shared::cta.b64 _, [%r2];
EMPTY:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r2], %r4;
  @!%p1 bra EMPTY;
  add.u32 %k, %k, 1;
  setp.lt.u32 %p2, %k, 4;
  @%p2 bra AGAIN;
  st.global.u32 [%to], %v;
""",
    words(64, source=256),
    4 * counted(64) + 384,
    "sm_90a",
    block=64,
)

# Two tiles of 64 words go out through the same shared memory.
STORES = Program(
    "stores",
    """
  .shared .align 128 .b8 tile[256];
  mov.u32 %r0, tile;
  shl.b32 %r3, %t, 2;
  add.u32 %a, %r0, %r3;
  setp.ne.u32 %p0, %t, 0;
  st.shared.u32 [%a], %t;  // 0
  fence.proxy.async.shared::cta;  // 0
  bar.sync 0;
  @%p0 bra SECOND;
  cp.async.bulk.global.shared::cta.bulk_group [%out], [%r0], 256;
  cp.async.bulk.commit_group;  // 0
  cp.async.bulk.wait_group.read 0;
SECOND:
  bar.sync 1;
  add.u32 %v, %t, 64;
  st.shared.u32 [%a], %v;  // 1
  fence.proxy.async.shared::cta;  // 1
  bar.sync 2;
  @%p0 bra DONE;
  cp.async.bulk.global.shared::cta.bulk_group [%out+256], [%r0], 256;
  cp.async.bulk.commit_group;  // 1
  cp.async.bulk.wait_group 0;
DONE:
""",
    words(128),
    counted(128),
    "sm_90a",
    block=64,
)


def tensors(**wrong: Any) -> Any:
    """out, in and a tensor map of each: 16 rows of 32 words, in boxes of 8 rows."""

    def make(device: Device) -> list[Any]:
        buffers = words(512)(device)
        given = {"dtype": "u32", "sizes": (32, 16), "strides": (128,), "box": (32, 8)}
        maps = [device.tensor_map(b, swizzle="128", **{**given, **wrong}) for b in buffers]
        return [*buffers, *maps]

    return make


def not_encoded(device: Device) -> list[Any]:
    """Arguments with a tensor map that nothing encoded."""
    *others, _ = tensors()(device)
    return [*others, TensorMap(bytes(128))]


# A box of 8 rows goes in, and comes out 8 rows further down, plus one; thread 0 copies.
BOXES = Program(
    "boxes",
    _BARRIER.replace(".align 128 .b8 tile", ".align 1024 .b8 tile")
    + """
  mov.b64 %d0, target;
  mov.b64 %d1, source;
  cvta.param.u64 %d0, %d0;
  cvta.param.u64 %d1, %d1;
  mov.u32 %k, 8;
  mov.u32 %i, 0;
  @%p0 bra FULL;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 1024;
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes
    [%r0], [%d1, {%i, %i}], [%r1];
FULL:
  mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;
  @!%p1 bra FULL;
PLUS:
  ld.shared.u32 %w, [%a];
  add.u32 %w, %w, 1;
  st.shared.u32 [%a], %w;
  add.u32 %a, %a, 256;
  add.u32 %i, %i, 1;
  setp.lt.u32 %p1, %i, 4;
  @%p1 bra PLUS;
  mov.u32 %v, 0;
  st.global.u32 [%to], %v;
  st.global.u32 [%to+256], %v;
  st.global.u32 [%to+512], %v;
  st.global.u32 [%to+768], %v;
  fence.proxy.async;
  bar.sync 1;
  @%p0 bra DONE;
  mov.u32 %i, 0;
  cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%d0, {%i, %k}], [%r0];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group 0;
DONE:
""",
    tensors(),
    np.concatenate([np.zeros(256, np.uint32), counted(256) + 1]),
    "sm_90a",
    ".param .align 64 .b8 target[128], .param .align 64 .b8 source[128]",
    block=64,
)

_LOAD = "cp.async.bulk.shared::cluster"
_TENSOR_LOAD = "cp.async.bulk.tensor.2d.shared::cluster"

# Long enough for thread 0, and no order.
_DELAY = """mov.u32 %i, 0;
DELAY:
  add.u32 %i, %i, 1;
  setp.lt.u32 %p3, %i, 200;
  @%p3 bra DELAY;"""

FAULTS = [
    Fault("wait-group-too-high", PIPELINE, {"wait_group 1": "wait_group 2"}, "in-flight",
          ("ld.shared",), ("race",)),
    Fault("no-wait-group", PIPELINE, {"cp.async.wait_group 1;": ""}, "in-flight",
          ("ld.shared",)),
    Fault("one-warp-waits-for-all", PIPELINE,
          {"  cp.async.wait_group 1;": "  setp.lt.u32 %p2, %t, 32;\n"
           "  @%p2 cp.async.wait_group 1;"}, "in-flight", ("ld.shared",), ("race",)),
    Fault("reads-the-next-stage", PIPELINE,
          {"rem.u32 %r4, %k, 3": "add.u32 %r4, %k, 1;\n  rem.u32 %r4, %r4, 3"}, "in-flight",
          ("ld.shared",), ("race",)),
    Fault("writes-the-stage-before", PIPELINE,
          {"rem.u32 %r7, %r6, 3": "add.u32 %r7, %k, 1;\n  rem.u32 %r7, %r7, 3"},
          "in-flight", ("[%r8], [%d1]",), ("race",)),
    Fault("writes-the-stage-being-read", PIPELINE,
          {"rem.u32 %r7, %r6, 3": "rem.u32 %r7, %k, 3"}, "race",
          ("ld.shared", "[%r8], [%d1]"), ("in-flight",)),
    Fault("stages-not-kept-apart", PIPELINE, {"bar.sync 0;": ""}, "race",
          ("ld.shared", "[%r8], [%d1]"), ("in-flight",)),
    Fault("no-commit", PIPELINE, {"cp.async.commit_group;  // tile 1": ""}, "in-flight",
          ("ld.shared",), ("race",)),
    Fault("no-commit-of-an-empty-group", PIPELINE,
          {"ISSUED:\n  cp.async.commit_group;  // tile k + 2":
           "  cp.async.commit_group;\nISSUED:"}, "in-flight", ("ld.shared",)),
    Fault("copy-misaligned", PIPELINE, {"[%from+256], 4": "[%from+258], 4"}, "misaligned",
          ("[%from+258]",)),
    Fault("copy-past-the-end", PIPELINE, {"%r6, 6;": "%r6, 7;"}, "out-of-bounds",
          ("[%r8], [%d1]",)),
    Fault("wrong-parity", TILES,
          {"[%r1], %r4": "[%r1], %r5", "and.b32 %r4, %k, 1;":
           "and.b32 %r4, %k, 1;\n  xor.b32 %r5, %r4, 1;"}, "in-flight", ("ld.shared",),
          ("race", "barrier-count")),
    Fault("parity-that-stays", TILES, {"[%r1], %r4": "[%r1], 0"}, "in-flight",
          ("ld.shared",), ("race", "barrier-count")),
    Fault("transaction-bytes-too-many", TILES, {"[%r1], 256;\n  cp": "[%r1], 272;\n  cp"},
          "deadlock", ("%p1, [%r1]", "@!%p1 bra FULL")),
    Fault("transaction-bytes-too-few", TILES, {"[%r1], 256;\n  cp": "[%r1], 240;\n  cp"},
          "deadlock", ("%p1, [%r1]", "@!%p1 bra FULL")),
    Fault("arrive-count-too-high", TILES, {"[%r2], 64": "[%r2], 65"}, "deadlock",
          ("%p1, [%r2]", "@!%p1 bra EMPTY")),
    Fault("arrive-count-too-low", TILES, {"[%r2], 64": "[%r2], 48"}, "deadlock",
          ("%p1, [%r1]", "@!%p1 bra FULL", "%p1, [%r2]", "@!%p1 bra EMPTY"),
          ("race", "in-flight")),
    Fault("arrives-too-often", TILES, {"_, [%r2];": "_, [%r2], 3;"}, "barrier-count",
          ("mbarrier.arrive.shared",)),
    Fault("full-count-too-high", TILES, {"[%r1], 1;": "[%r1], 2;"}, "deadlock",
          ("%p1, [%r1]", "@!%p1 bra FULL")),
    Fault("empty-not-waited-for", TILES, {"@!%p1 bra EMPTY;": ""}, "race",
          (_LOAD, "ld.shared"), ("in-flight", "barrier-count")),
    Fault("mbarrier-not-ready", TILES, {"bar.sync 0;": _DELAY}, "race", ("%p1, [%r1]",)),
    Fault("mbarrier-not-initialised", TILES,
          {"mbarrier.init.shared::cta.b64 [%r1], 1;": ""}, "uninitialised",
          ("_, [%r1], 256", "%p1, [%r1]")),
    Fault("mbarrier-read-as-data", TILES, {"ld.shared.u32 %w, [%a]": "ld.shared.u32 %w, [%r1]"},
          "in-flight", ("ld.shared",)),
    Fault("bulk-load-misaligned", TILES, {"[%r0], [%d1]": "[%r0+8], [%d1]"}, "misaligned",
          (_LOAD,)),
    Fault("bulk-size-misaligned", TILES, {"[%d1], 256": "[%d1], 248"}, "misaligned",
          (_LOAD,)),
    Fault("bulk-load-past-the-end", TILES, {"[%d1], 256": "[%d1+16], 256"},
          "out-of-bounds", (_LOAD,)),
    Fault("no-proxy-fence", STORES, {"fence.proxy.async.shared::cta;  // 1": ""},
          "proxy-fence", ("[%out+256]",)),
    Fault("proxy-fence-before-the-store", STORES,
          {"fence.proxy.async.shared::cta;  // 0": "",
           "  st.shared.u32 [%a], %t;": "  fence.proxy.async;\n  st.shared.u32 [%a], %t;"},
          "proxy-fence", ("[%out], [%r0]",)),
    Fault("source-overwritten", STORES, {"cp.async.bulk.wait_group.read 0;": ""},
          "in-flight", ("%v;  // 1",), ("race",)),
    Fault("source-overwritten-with-a-group-left", STORES,
          {"wait_group.read 0": "wait_group.read 1"}, "in-flight", ("%v;  // 1",), ("race",)),
    Fault("source-waited-for-by-another-thread", STORES,
          {"cp.async.bulk.wait_group.read 0;\nSECOND:": "SECOND:\n  setp.eq.u32 %p2, %t, 32;\n"
           "  @%p2 cp.async.bulk.wait_group.read 0;"}, "in-flight", ("%v;  // 1",), ("race",)),
    Fault("source-never-committed", STORES, {"cp.async.bulk.commit_group;  // 1": ""},
          "in-flight", ("ret;",)),
    Fault("bulk-store-past-the-end", STORES, {"[%out+256]": "[%out+272]"}, "out-of-bounds",
          ("[%out+272]",)),
    Fault("no-barrier-before-bulk-store", STORES, {"bar.sync 0;": ""}, "race",
          ("%t;  // 0", "[%out], [%r0]"), ("proxy-fence", "uninitialised", "in-flight")),
    Fault("no-proxy-fence-before-tensor-store", BOXES, {"fence.proxy.async;": ""},
          "proxy-fence", ("tensor.2d.global",)),
    Fault("tensor-not-waited-for", BOXES,
          {"mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r1], 0;":
           "setp.eq.u32 %p1, 0, 0;"}, "in-flight",
          ("ld.shared",), ("race", "proxy-fence")),
    Fault("tensor-bytes-too-few", BOXES, {"[%r1], 1024": "[%r1], 1008"}, "deadlock",
          ("%p1, [%r1]", "@!%p1 bra FULL")),
    Fault("tensor-tile-misaligned", BOXES, {"[%r0], [%d1, {": "[%r0+64], [%d1, {"},
          "misaligned", (_TENSOR_LOAD,)),
    Fault("tensor-map-not-encoded", BOXES, {}, "descriptor", (_TENSOR_LOAD,),
          arguments=not_encoded),
    Fault("tensor-map-of-other-rank", BOXES,
          {"tensor.2d.shared": "tensor.3d.shared", "{%i, %i}": "{%i, %i, %i}"},
          "descriptor", ("tensor.3d.shared",)),
    Fault("tensor-map-misaligned", BOXES, {"%d1, source;": "%d1, source+32;"},
          "misaligned", (_TENSOR_LOAD,)),
    Fault("tensor-box-too-large", BOXES, {}, "out-of-bounds", (_TENSOR_LOAD,),
          arguments=tensors(box=(32, 16))),
    Fault("tensor-past-its-memory", BOXES, {"mov.u32 %k, 8": "mov.u32 %k, 16"},
          "out-of-bounds", ("tensor.2d.global",), arguments=tensors(sizes=(32, 24))),
    # try_wait may be over before the phase is, and its answer is not looked at.
    Fault("tensor-waited-for-once", BOXES, {"@!%p1 bra FULL;": ""}, "in-flight",
          ("ld.shared",), ("race", "proxy-fence")),
    # The block ends while a copy into its shared memory is under way.
    Fault("exits-with-a-bulk-load-under-way", TILES,
          {"  st.global.u32 [%to], %v;": f"""  st.global.u32 [%to], %v;
  @%p0 bra OVER;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r1], 256;
  {_LOAD}.global.mbarrier::complete_tx::bytes [%r0], [%in], 256, [%r1];  // last
OVER:"""}, "in-flight", ("// last", "ret;")),
    # Ordinary stores to global memory that a bulk load reads with no fence.proxy.async.
    Fault("no-proxy-fence-in-global-memory", TILES,
          {"  mbarrier.arrive.expect_tx":
           "  st.global.u32 [%d1], %k;\n  mbarrier.arrive.expect_tx"}, "proxy-fence",
          (_LOAD,)),
    # The load reads global memory as late as its wait.
    Fault("overwrites-what-a-bulk-load-reads", TILES,
          {"FULL:\n": "FULL:\n  @!%p0 st.global.u32 [%in], 5;\n"}, "in-flight", (_LOAD,)),
    Fault("overwrites-what-a-tensor-load-reads", BOXES,
          {"FULL:\n": "FULL:\n  @!%p0 st.global.u32 [%in+132], 5;\n"}, "in-flight",
          (_TENSOR_LOAD,)),
    Fault("stores-to-the-tile-before-the-wait", TILES,
          {"FULL:\n": "FULL:\n  @%p0 st.shared.u32 [%a], 5;\n"}, "in-flight",
          ("[%a], 5",), ("race", "proxy-fence")),
    # wait_group.read says only that the source was read.
    Fault("bulk-store-read-back-too-early", STORES,
          {"wait_group 0;": "wait_group.read 0;\n  ld.global.u32 %w, [%out+256];\n"
           "  setp.eq.u32 %p1, %w, 0;\n  @%p1 bra DONE;"}, "in-flight", ("ld.global",),
          ("uninitialised",), arguments=lambda device: [device.zeros(128, np.uint32), 0]),
]  # fmt: skip
