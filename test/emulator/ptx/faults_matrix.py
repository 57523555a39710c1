"""Faults of wgmma: fences, waits, descriptors, and the warps of a warpgroup.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import numpy as np
from faults import Fault, Program

# D = A B + 1, m64n8k16, where A is all ones and B all twos. A lies in shared memory in rows
# of 32 bytes, with their swizzle, and B 256 bytes after it; in the end A is overwritten.
WGMMA = Program(
    "wgmma",
    """
  .shared .align 1024 .b8 tiles[2560];
  mov.u32 %r0, tiles;
  shl.b32 %r1, %t, 2;
  add.u32 %a, %r0, %r1;
  mov.b32 %r2, 0x3c003c00;
  mov.b32 %r3, 0x40004000;
  st.shared.u32 [%a], %r2;
  st.shared.u32 [%a+512], %r2;
  st.shared.u32 [%a+1024], %r2;
  st.shared.u32 [%a+1536], %r2;
  setp.ge.u32 %p0, %t, 64;
  @!%p0 st.shared.u32 [%a+2304], %r3;
  fence.proxy.async.shared::cta;
  bar.sync 0;
  shr.u32 %r4, %r0, 4;
  cvt.u64.u32 %d0, %r4;
  or.b64 %d0, %d0, 0xc000001000010000;
  add.s64 %d1, %d0, 144;
  mov.f32 %f0, 0f3f800000;
  mov.f32 %f1, 0f3f800000;
  mov.f32 %f2, 0f3f800000;
  mov.f32 %f3, 0f3f800000;
  setp.eq.u32 %p1, 0, 0;
  wgmma.fence.sync.aligned;
  wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 {%f0, %f1, %f2, %f3},
    %d0, %d1, %p1, 1, 1, 0, 0;
  wgmma.commit_group.sync.aligned;
  wgmma.wait_group.sync.aligned 0;
  bar.sync 1;
  st.shared.u32 [%a+512], %t;
  mul.wide.u32 %d2, %t, 16;
  add.s64 %d3, %out, %d2;
  st.global.v4.f32 [%d3], {%f0, %f1, %f2, %f3};
""",
    lambda device: [device.empty(512, np.float32), 0],
    np.full(512, 33, np.float32),
    "sm_90a",
    block=128,
)  # fmt: skip

_FENCE = "wgmma.fence.sync.aligned;"
_MMA = "wgmma.mma_async"
_COMMIT = "wgmma.commit_group.sync.aligned;"
_WAIT = "wgmma.wait_group.sync.aligned 0;"
_OVERWRITE = "st.shared.u32 [%a+512], %t;"
_STORE = "st.global.v4.f32 [%d3], {%f0, %f1, %f2, %f3};"

FAULTS = [
    Fault("wgmma-without-proxy-fence", WGMMA, {"fence.proxy.async.shared::cta;": ""},
          "proxy-fence", (_MMA,)),
    Fault("wgmma-without-barrier", WGMMA, {"bar.sync 0;": ""}, "race",
          (_MMA, "[%a+512], %r2", "[%a], %r2", "[%a+1024]", "[%a+1536]", "[%a+2304]"),
          ("proxy-fence", "in-flight", "uninitialised")),
    Fault("wgmma-proxy-fence-by-one-thread-only", WGMMA,
          {"  fence.proxy.async.shared::cta;\n": "  setp.ne.u32 %p3, %t, 0;\n"
           "  @!%p3 fence.proxy.async.shared::cta;\n"}, "proxy-fence", (_MMA,)),
    Fault("wgmma-of-copies-without-proxy-fence", WGMMA,
          {"  st.shared.u32 [%a+512], %r2;":
           "  cp.async.ca.shared.global [%a+512], [%from], 4;\n"
           "  cp.async.wait_all;", "  st.shared.u32 [%a], %r2;\n": "  fence.proxy.async;\n",
           "  fence.proxy.async.shared::cta;\n": ""}, "proxy-fence", (_MMA,),
           ("uninitialised",),
          lambda device: [device.empty(512, np.float32),
                          device.array(np.full(128, 0x3C003C00, np.uint32))]),
    Fault("no-wgmma-fence", WGMMA, {_FENCE: ""}, "proxy-fence", (_MMA,)),
    Fault("register-written-after-wgmma-fence", WGMMA,
          {_FENCE: _FENCE + "\n  mov.f32 %f1, 0f3f800000;  // late"}, "proxy-fence",
          (_MMA,)),
    Fault("no-wgmma-wait", WGMMA, {_WAIT: ""}, "in-flight", (_OVERWRITE,), ("race",)),
    Fault("wgmma-results-before-the-wait", WGMMA,
          {_WAIT: "", _OVERWRITE: "", _STORE: _STORE + "\n  " + _WAIT}, "uninitialised",
          ()),
    Fault("wgmma-wait-leaves-a-group", WGMMA, {_WAIT: _WAIT.replace("0;", "1;"),
          _OVERWRITE: ""}, "uninitialised", ()),
    Fault("wgmma-not-committed", WGMMA, {_COMMIT: "", _OVERWRITE: ""}, "uninitialised", ()),
    Fault("wgmma-register-before-the-wait", WGMMA,
          {_WAIT: "mov.f32 %f3, 0f00000000;  // early\n  " + _WAIT}, "in-flight",
          (_WAIT,)),
    Fault("wgmma-accumulator-read-before-the-wait", WGMMA,
          {_WAIT: "add.f32 %f5, %f0, %f0;\n  " + _WAIT,
           "{%f0, %f1, %f2, %f3};": "{%f5, %f1, %f2, %f3};"}, "uninitialised", ()),
    Fault("wgmma-tile-overwritten", WGMMA,
          {_WAIT: "", _OVERWRITE: _OVERWRITE + "\n  " + _WAIT}, "in-flight",
          (_OVERWRITE,), ("race",)),
    Fault("wgmma-tile-overwritten-by-another-warp", WGMMA, {"bar.sync 1;": ""}, "race",
          (_OVERWRITE, _MMA), ("in-flight",)),
    Fault("wgmma-element-nobody-wrote", WGMMA, {"st.shared.u32 [%a+1024], %r2;": ""},
          "uninitialised", ()),
    Fault("wgmma-accumulator-uninitialised", WGMMA, {"mov.f32 %f2, 0f3f800000;": ""},
          "uninitialised", ()),
    Fault("wgmma-swizzle-of-128-bytes", WGMMA,
          {"add.s64 %d1, %d0, 144;":
           "add.s64 %d1, %d0, 144;\n  and.b64 %d1, %d1, 0x7fffffffffffffff;"},
          "descriptor", (_MMA,)),
    Fault("wgmma-start-misaligned", WGMMA, {"%d0, 144": "%d0, 146"}, "descriptor", (_MMA,)),
    Fault("wgmma-address-not-shifted", WGMMA, {"%r0, 4;": "%r0, 2;"}, "out-of-bounds",
          (_MMA,)),
    Fault("wgmma-reserved-bits", WGMMA,
          {"0xc000001000010000": "0xc010001000010000"}, "descriptor", (_MMA,)),
    Fault("wgmma-past-the-end", WGMMA, {"%d0, 144": "%d0, 160"}, "out-of-bounds", (_MMA,)),
    Fault("wgmma-descriptor-differs", WGMMA,
          {"%d0, 144;": "%d0, 144;\n  setp.eq.u32 %p2, %t, 70;\n  "
                        "@%p2 add.s64 %d1, %d1, 2;"}, "descriptor", (_MMA,)),
    Fault("wgmma-without-a-warp", WGMMA,
          {_FENCE: "setp.ge.u32 %p2, %t, 96;\n  @%p2 bra PAST;\n  " + _FENCE,
           "bar.sync 1;": "PAST:\n  bar.sync 1;"}, "convergence", (_MMA, _FENCE),
          ("deadlock",)),
]  # fmt: skip
