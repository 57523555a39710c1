"""Faults of a product on sm_90a: a warp copies by tensor maps, a warpgroup multiplies.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from faults import Fault, Program

from tilewright.emulator import Device

_RANDOM = np.random.default_rng(5)
_A = _RANDOM.integers(-3, 4, (64, 256)).astype(np.float16)
_B = _RANDOM.integers(-3, 4, (32, 256)).astype(np.float16)


def matrices(
    swizzle_a: str = "128", box_b: int = 32, rows: int = 64
) -> Callable[[Device], list[Any]]:
    """out, A and B one after the other, and the tensor maps of A, B and D."""

    def make(device: Device) -> list[Any]:
        out = device.empty((64, 32), np.float32)
        both = device.array(np.concatenate([_A, _B]))
        box_a = {"128": 64, "64": 32, "none": 64}[swizzle_a]
        maps = [
            device.tensor_map(both, dtype="f16", sizes=(256, 64), strides=(512,),
                              box=(box_a, 64), swizzle=swizzle_a),
            device.tensor_map(both.address + _A.nbytes, dtype="f16", sizes=(256, 32),
            strides=(512,),
                              box=(64, box_b), swizzle="128"),
            device.tensor_map(out, dtype="f32", sizes=(32, 64), strides=(128,),
                              box=(32, rows)),
        ]  # fmt: skip
        return [out, both, *maps]

    return make


_SUMS = ", ".join(f"%c{i}" for i in range(16))
_CLEAR = "\n".join(f"  mov.f32 %c{i}, 0f00000000;" for i in range(16))
_MULTIPLY = "\n".join(
    f"""  wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16  // {i}
    {{{_SUMS}}},
    %d4, %d5, 1, 1, 1, 0, 0;
  add.s64 %d4, %d4, 2;  // {i}
  add.s64 %d5, %d5, 2;"""
    for i in range(4)
)
_STORE = "\n".join(
    f"""  st.shared.v2.f32 [%a+{32 * j}], {{%c{4 * j}, %c{4 * j + 1}}};
  st.shared.v2.f32 [%a+{32 * j + 1024}], {{%c{4 * j + 2}, %c{4 * j + 3}}};"""
    for j in range(4)
)

# D = A B': A has 64 rows of 256 halves, B 32; four tiles of 64 along k in two stages of 12
# KiB. Threads 0 to 127 multiply; one of the last warp copies.
PRODUCT = Program(
    "product-90",
    f"""
  .shared .align 1024 .b8 tiles[24576];
  .shared .align 128 .b8 result[8192];
  .shared .align 8 .b64 full[2];
  .shared .align 8 .b64 empty[2];
  .reg .f32 %c<16>;
  mov.b64 %d0, mapA;
  mov.b64 %d1, mapB;
  mov.b64 %d2, mapD;
  cvta.param.u64 %d0, %d0;
  cvta.param.u64 %d1, %d1;
  cvta.param.u64 %d2, %d2;
  mov.u32 %r0, tiles;
  mov.u32 %r1, full;
  mov.u32 %r2, empty;
  mov.u32 %r3, result;
  setp.ne.u32 %p0, %t, 0;
  @%p0 bra READY;
  mbarrier.init.shared::cta.b64 [%r1], 1;
  mbarrier.init.shared::cta.b64 [%r1+8], 1;
  mbarrier.init.shared::cta.b64 [%r2], 4;
  mbarrier.init.shared::cta.b64 [%r2+8], 4;
  fence.mbarrier_init.release.cluster;
READY:
  bar.sync 0;
  setp.ge.u32 %p1, %t, 128;
  mov.u32 %k, 0;
  @!%p1 bra CONSUME;
  elect.sync _|%p2, -1;
  @!%p2 bra LAST;
PRODUCE:
  and.b32 %r4, %k, 1;  // producer
  shr.u32 %r5, %k, 1;
  and.b32 %r5, %r5, 1;
  xor.b32 %r5, %r5, 1;
  shl.b32 %r6, %r4, 3;
  add.u32 %r7, %r1, %r6;
  add.u32 %r8, %r2, %r6;
EMPTY:
  mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r8], %r5;
  @!%p3 bra EMPTY;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r7], 12288;
  mad.lo.u32 %r9, %r4, 12288, %r0;
  add.u32 %r10, %r9, 8192;
  shl.b32 %r11, %k, 6;
  mov.u32 %i, 0;
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes  // A
    [%r9], [%d0, {{%r11, %i}}], [%r7];
  cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes  // B
    [%r10], [%d1, {{%r11, %i}}], [%r7];
  add.u32 %k, %k, 1;
  setp.lt.u32 %p4, %k, 4;
  @%p4 bra PRODUCE;
  bra LAST;
CONSUME:
{_CLEAR}
MULTIPLY:
  and.b32 %r4, %k, 1;  // consumer
  shr.u32 %r5, %k, 1;
  shl.b32 %r6, %r4, 3;
  add.u32 %r7, %r1, %r6;
  add.u32 %r8, %r2, %r6;
FULL:
  mbarrier.try_wait.parity.shared::cta.b64 %p3, [%r7], %r5;
  @!%p3 bra FULL;
  mad.lo.u32 %r9, %r4, 12288, %r0;
  shr.u32 %r10, %r9, 4;
  cvt.u64.u32 %d4, %r10;
  or.b64 %d4, %d4, 0x4000004000010000;
  add.s64 %d5, %d4, 512;
  wgmma.fence.sync.aligned;
{_MULTIPLY}
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  and.b32 %r12, %t, 31;
  setp.eq.u32 %p7, %r12, 0;
  @%p7 mbarrier.arrive.shared::cta.b64 _, [%r8];
  add.u32 %k, %k, 1;
  setp.lt.u32 %p4, %k, 4;
  @%p4 bra MULTIPLY;
  shr.u32 %r13, %t, 5;
  shl.b32 %r13, %r13, 4;
  shr.u32 %r14, %r12, 2;
  add.u32 %r13, %r13, %r14;
  shl.b32 %r13, %r13, 7;
  and.b32 %r14, %r12, 3;
  shl.b32 %r14, %r14, 3;
  add.u32 %r13, %r13, %r14;
  add.u32 %a, %r3, %r13;
{_STORE}
  fence.proxy.async.shared::cta;
  bar.sync 1, 128;
  @%p0 bra LAST;
  mov.u32 %i, 0;
  cp.async.bulk.tensor.2d.global.shared::cta.tile.bulk_group [%d2, {{%i, %i}}], [%r3];
  cp.async.bulk.commit_group;
  cp.async.bulk.wait_group.read 0;
LAST:
""",
    matrices(),
    _A.astype(np.float32) @ _B.astype(np.float32).T,
    "sm_90a",
    ".param .align 64 .b8 mapA[128], .param .align 64 .b8 mapB[128], "
    ".param .align 64 .b8 mapD[128]",
    block=160,
)

_MMA = "wgmma.mma_async"
_FIRST = "f16.f16  // 0"
_EVERY = tuple(f"f16.f16  // {i}" for i in range(4))
_COPY_A, _COPY_B = "bytes  // A", "bytes  // B"
_WAIT_EMPTY, _WAIT_FULL = "%p3, [%r8], %r5", "%p3, [%r7], %r5"
_WAITS = (_WAIT_EMPTY, _WAIT_FULL, "bra EMPTY;", "bra FULL;")
_ARRIVE = "@%p7 mbarrier.arrive.shared::cta.b64 _, [%r8];"
_WAIT = "wgmma.wait_group.sync.aligned 0;"
_TENSOR_STORE = "cp.async.bulk.tensor.2d.global"
_RESULTS = tuple(f"[%a+{32 * j + i}]" for j in range(4) for i in (0, 1024))
_OUTPUT = "fence.proxy.async.shared::cta;"

FAULTS = [
    Fault("hopper-wrong-parity", PRODUCT,
          {_WAIT_FULL: "%p3, [%r7], %r15", "add.u32 %r8, %r2, %r6;\nFULL:":
           "add.u32 %r8, %r2, %r6;\n  xor.b32 %r15, %r5, 1;\nFULL:"}, "in-flight", (_FIRST,),
          ("race", "barrier-count", "uninitialised")),
    Fault("hopper-producer-starts-with-parity-0", PRODUCT, {"xor.b32 %r5, %r5, 1;": ""},
          "deadlock", _WAITS),
    Fault("hopper-parity-not-advanced", PRODUCT, {_WAIT_FULL: "%p3, [%r7], 0"}, "in-flight",
          (_FIRST,), ("race", "barrier-count")),
    Fault("hopper-bytes-of-one-tile", PRODUCT, {"12288;\n  mad": "8192;\n  mad"}, "in-flight",
          _EVERY, ("race", "deadlock", "barrier-count")),
    Fault("hopper-bytes-too-many", PRODUCT, {"12288;\n  mad": "16384;\n  mad"}, "deadlock",
          _WAITS),
    Fault("hopper-bytes-off-by-16", PRODUCT, {"12288;\n  mad": "12304;\n  mad"}, "deadlock",
          _WAITS),
    Fault("hopper-arrives-without-expecting", PRODUCT,
          {"arrive.expect_tx.shared::cta.b64 _, [%r7], 12288":
           "arrive.shared::cta.b64 _, [%r7]"},
          "in-flight", _EVERY, ("race", "deadlock", "barrier-count")),
    Fault("hopper-expects-without-arriving", PRODUCT,
          {"arrive.expect_tx.shared::cta.b64 _, [%r7]":
           "expect_tx.relaxed.cta.shared::cta.b64 [%r7]"},
          "deadlock", _WAITS),
    Fault("hopper-empty-count-of-threads", PRODUCT,
          {"[%r2], 4;": "[%r2], 128;", "[%r2+8], 4;": "[%r2+8], 128;"}, "deadlock", _WAITS),
    Fault("hopper-empty-count-of-one", PRODUCT,
          {"[%r2], 4;": "[%r2], 1;", "[%r2+8], 4;": "[%r2+8], 1;"}, "deadlock", _WAITS,
          ("in-flight", "race")),
    Fault("hopper-never-given-back", PRODUCT, {_ARRIVE: ""}, "deadlock", _WAITS),
    Fault("hopper-given-back-by-all-lanes", PRODUCT, {"@%p7 mbarrier": "mbarrier"},
          "deadlock", _WAITS, ("in-flight", "race")),
    Fault("hopper-given-back-before-the-wait", PRODUCT,
          {_WAIT: "and.b32 %r12, %t, 31;\n  setp.eq.u32 %p7, %r12, 0;\n  " + _ARRIVE +
           "\n  " + _WAIT, _ARRIVE + "\n  add": "add"}, "race", (_COPY_A, _COPY_B, _WAIT),
          ("in-flight",)),
    Fault("hopper-descriptor-of-the-other-stage", PRODUCT,
          {"mad.lo.u32 %r9, %r4, 12288, %r0;\n  shr": "xor.b32 %r9, %r4, 1;\n"
           "  mad.lo.u32 %r9, %r9, 12288, %r0;\n  shr"}, "in-flight", _EVERY,
          ("race", "uninitialised")),
    Fault("hopper-stale-descriptor", PRODUCT,
          {"mad.lo.u32 %r9, %r4, 12288, %r0;\n  shr": "mov.u32 %r9, %r0;\n  shr"}, "race",
          (_COPY_A, _COPY_B, *_EVERY, _WAIT), ("in-flight",)),
    Fault("hopper-stages-overlap", PRODUCT,
          {"mad.lo.u32 %r9, %r4, 12288, %r0;\n  add": "mad.lo.u32 %r9, %r4, 8192, %r0;\n  add",
           "mad.lo.u32 %r9, %r4, 12288, %r0;\n  shr": "mad.lo.u32 %r9, %r4, 8192, %r0;\n  shr"},
          "in-flight", (_COPY_A,), ("race", *("descriptor", "uninitialised"))),
    Fault("hopper-no-fence", PRODUCT, {"wgmma.fence.sync.aligned;": ""}, "proxy-fence", _EVERY),
    Fault("hopper-no-commit", PRODUCT, {"wgmma.commit_group.sync.aligned;": ""}, "in-flight",
          (_COPY_A, _COPY_B), ("race",)),
    Fault("hopper-waits-for-one-group-less", PRODUCT, {_WAIT: _WAIT.replace("0;", "1;")},
          "in-flight", (_COPY_A, _COPY_B), ("race",)),
    Fault("hopper-sums-read-before-the-wait", PRODUCT,
          {_WAIT: "add.f32 %c3, %c3, %c3;\n  " + _WAIT}, "in-flight", (_WAIT,),
          ("uninitialised", "proxy-fence")),
    Fault("hopper-sum-not-cleared", PRODUCT, {"mov.f32 %c7, 0f00000000;": ""},
          "uninitialised", ()),
    Fault("hopper-goes-along-k-by-a-row", PRODUCT,
          {"add.s64 %d4, %d4, 2;  // 1": "add.s64 %d4, %d4, 8;  // 1"}, "descriptor",
          ("f16.f16  // 2",)),
    Fault("hopper-goes-along-k-too-far", PRODUCT,
          {"add.s64 %d4, %d4, 2;  // 1": "add.s64 %d4, %d4, 5;  // 1"}, "descriptor",
          ("f16.f16  // 2",)),
    Fault("hopper-stride-of-two-patterns", PRODUCT,
          {"0x4000004000010000": "0x4000008000010000"}, "in-flight", _EVERY,
          ("uninitialised", "race")),
    Fault("hopper-stride-of-half-a-pattern", PRODUCT,
          {"0x4000004000010000": "0x4000002000010000"}, "descriptor", (_FIRST,)),
    Fault("hopper-descriptor-swizzle-64", PRODUCT,
          {"0x4000004000010000": "0x8000002000010000"}, "descriptor", (_FIRST,)),
    Fault("hopper-descriptor-without-swizzle", PRODUCT,
          {"0x4000004000010000": "0x0000000800010000"}, "descriptor", _EVERY,
          ("in-flight",)),
    Fault("hopper-map-without-swizzle", PRODUCT, {}, "descriptor", _EVERY,
          arguments=matrices("none")),
    Fault("hopper-map-swizzle-64", PRODUCT, {}, "deadlock", _WAITS, arguments=matrices("64")),
    Fault("hopper-box-too-small", PRODUCT, {}, "deadlock", _WAITS,
          arguments=matrices(box_b=16)),
    Fault("hopper-box-too-large", PRODUCT, {}, "out-of-bounds", (_TENSOR_STORE,),
          arguments=matrices(rows=256)),
    Fault("hopper-maps-swapped", PRODUCT,
          {"[%r9], [%d0,": "[%r9], [%d1,", "[%r10], [%d1,": "[%r10], [%d0,"}, "in-flight",
          (_COPY_A, _COPY_B), ("race", "uninitialised")),
    Fault("hopper-all-lanes-copy", PRODUCT, {"@!%p2 bra LAST;": ""}, "barrier-count",
          ("arrive.expect_tx",), ("in-flight",)),
    Fault("hopper-nobody-is-elected", PRODUCT, {"@!%p2 bra LAST;": "@%p2 bra LAST;"},
          "barrier-count", ("arrive.expect_tx",), ("in-flight",)),
    Fault("hopper-elected-among-too-few", PRODUCT, {"_|%p2, -1;": "_|%p2, 0xffff;"},
          "convergence", ("elect.sync",)),
    Fault("hopper-one-tile-too-many", PRODUCT,
          {"%p4, %k, 4;\n  @%p4 bra PRODUCE": "%p4, %k, 5;\n  @%p4 bra PRODUCE"}, "in-flight",
          ("ret;",)),
    Fault("hopper-one-tile-too-few", PRODUCT,
          {"%p4, %k, 4;\n  @%p4 bra PRODUCE": "%p4, %k, 3;\n  @%p4 bra PRODUCE"}, "deadlock",
          _WAITS),
    Fault("hopper-init-not-reached", PRODUCT, {"mbarrier.init.shared::cta.b64 [%r1+8], 1;": ""},
          "uninitialised", ("arrive.expect_tx", _WAIT_FULL)),
    Fault("hopper-init-again-for-each-tile", PRODUCT,
          {"  mbarrier.arrive.expect_tx":
           "  mbarrier.init.shared::cta.b64 [%r7], 1;  // again\n"
           "  mbarrier.arrive.expect_tx"}, "barrier-count", ("// again",)),
    Fault("hopper-invalidated-too-early", PRODUCT,
          {"  bra LAST;\nCONSUME":
           "  mbarrier.inval.shared::cta.b64 [%r2];\n  bra LAST;\nCONSUME"},
          "uninitialised", ("mbarrier.arrive.shared",), ("race",)),
    Fault("hopper-no-proxy-fence", PRODUCT, {_OUTPUT: ""}, "proxy-fence", (_TENSOR_STORE,)),
    Fault("hopper-proxy-fence-of-global-memory", PRODUCT,
          {_OUTPUT: _OUTPUT.replace("shared::cta", "global")}, "proxy-fence", (_TENSOR_STORE,)),
    Fault("hopper-proxy-fence-after-the-barrier-by-others", PRODUCT,
          {_OUTPUT: "", "bar.sync 1, 128;\n  @%p0 bra LAST;":
           "bar.sync 1, 128;\n  setp.ge.u32 %p3, %t, 32;\n"
           "  @%p3 fence.proxy.async.shared::cta;\n  @%p0 bra LAST;"},
          "proxy-fence", (_TENSOR_STORE,)),
    Fault("hopper-no-barrier-before-the-store", PRODUCT, {"bar.sync 1, 128;": ""}, "race",
          (_TENSOR_STORE, *_RESULTS),
          ("proxy-fence", "uninitialised", "in-flight")),
    Fault("hopper-barrier-counts-the-producer", PRODUCT, {"bar.sync 1, 128;":
          "bar.sync 1, 160;"},
          "deadlock", ("bar.sync 1",)),
    Fault("hopper-barrier-counts-no-whole-warps", PRODUCT,
          {"bar.sync 1, 128;": "bar.sync 1, 120;"}, "barrier-count", ("bar.sync 1",)),
    Fault("hopper-barrier-16", PRODUCT, {"bar.sync 1, 128;": "bar.sync 16, 128;"},
          "barrier-count", ("bar.sync 16",)),
    Fault("hopper-result-not-read-before-exit", PRODUCT, {"cp.async.bulk.wait_group.read 0;":
          ""},
          "in-flight", ("ret;",)),
    Fault("hopper-result-misaligned", PRODUCT, {"{%i, %i}], [%r3];": "{%i, %i}], [%r3+16];"},
          "misaligned", (_TENSOR_STORE,)),
    Fault("hopper-result-in-the-stages", PRODUCT, {"mov.u32 %r3, result;":
          "add.u32 %r3, %r0, 8192;"},
          "race", (*_RESULTS, _WAIT), ("in-flight", "proxy-fence")),
    Fault("hopper-registers-not-declared", PRODUCT,
          {"  @!%p1 bra CONSUME;":
           "  @!%p1 bra CONSUME;\n  setmaxnreg.dec.sync.aligned.u32 40;"},
          "limit", ("setmaxnreg",)),
]  # fmt: skip
