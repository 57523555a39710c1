"""Faults of a product on sm_80: copies in two stages, ldmatrix, mma.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from typing import Any

import numpy as np
from faults import Fault, Program

from tilewright.emulator import Device

_RANDOM = np.random.default_rng(3)
_A = _RANDOM.integers(-3, 4, (32, 64)).astype(np.float16)
_B = _RANDOM.integers(-3, 4, (8, 64)).astype(np.float16)


def _arguments(device: Device) -> list[Any]:
    both = np.concatenate([_A.reshape(-1), _B.reshape(-1)])
    return [device.empty(256, np.float32), device.array(both)]


# D = A B': A has 32 rows of 64 halves, B 8, four tiles of 16 along k. Each of two warps has
# 16 rows. A stage holds a tile of A (1024 bytes) and one of B (256).
PRODUCT = Program(
    "product",
    """
  .shared .align 16 .b8 stages[2560];
  mov.u32 %r0, stages;
  shl.b32 %r1, %t, 4;
  add.u32 %r2, %r0, %r1;
  add.u32 %r3, %r2, 1024;
  shr.u32 %r4, %t, 1;
  and.b32 %r5, %t, 1;
  mul.wide.u32 %d0, %r4, 128;
  mul.wide.u32 %d1, %r5, 16;
  add.s64 %d0, %d0, %d1;
  add.s64 %d2, %in, %d0;
  add.s64 %d3, %d2, 4096;
  setp.lt.u32 %p0, %t, 16;
  cp.async.cg.shared.global [%r2], [%d2], 16;
  @%p0 cp.async.cg.shared.global [%r3], [%d3], 16;
  cp.async.commit_group;  // tile 0
  shr.u32 %r6, %t, 5;
  and.b32 %r7, %t, 31;
  and.b32 %r8, %r7, 15;
  shl.b32 %r8, %r8, 5;
  shr.u32 %r9, %r7, 4;
  shl.b32 %r9, %r9, 4;
  add.u32 %r8, %r8, %r9;
  shl.b32 %r9, %r6, 9;
  add.u32 %r8, %r8, %r9;
  add.u32 %r8, %r8, %r0;
  and.b32 %r10, %r7, 7;
  shl.b32 %r10, %r10, 5;
  bfe.u32 %r11, %r7, 3, 1;
  shl.b32 %r11, %r11, 4;
  add.u32 %r10, %r10, %r11;
  add.u32 %r10, %r10, %r0;
  add.u32 %r10, %r10, 1024;
  mov.f32 %f0, 0f00000000;
  mov.f32 %f1, 0f00000000;
  mov.f32 %f2, 0f00000000;
  mov.f32 %f3, 0f00000000;
  mov.u32 %k, 0;
AGAIN:
  add.u32 %i, %k, 1;
  setp.ge.u32 %p1, %i, 4;
  @%p1 bra ISSUED;
  and.b32 %r11, %i, 1;
  mul.lo.u32 %r11, %r11, 1280;
  add.u32 %r12, %r2, %r11;
  add.u32 %r13, %r3, %r11;
  mul.wide.u32 %d4, %i, 32;
  add.s64 %d5, %d2, %d4;
  add.s64 %d6, %d3, %d4;
  cp.async.cg.shared.global [%r12], [%d5], 16;
  @%p0 cp.async.cg.shared.global [%r13], [%d6], 16;
ISSUED:
  cp.async.commit_group;  // tile k + 1
  cp.async.wait_group 1;
  bar.sync 0;  // filled
  and.b32 %r14, %k, 1;
  mul.lo.u32 %r14, %r14, 1280;
  add.u32 %r15, %r8, %r14;
  add.u32 %r16, %r10, %r14;
  ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r20, %r21, %r22, %r23}, [%r15];
  ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%r24, %r25}, [%r16];
  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3},
    {%r20, %r21, %r22, %r23}, {%r24, %r25}, {%f0, %f1, %f2, %f3};
  bar.sync 0;  // read
  add.u32 %k, %k, 1;
  setp.lt.u32 %p2, %k, 4;
  @%p2 bra AGAIN;
  shr.u32 %r17, %r7, 2;
  shl.b32 %r18, %r6, 4;
  add.u32 %r17, %r17, %r18;
  mul.wide.u32 %d7, %r17, 32;
  and.b32 %r19, %r7, 3;
  mul.wide.u32 %d8, %r19, 8;
  add.s64 %d7, %d7, %d8;
  add.s64 %d9, %out, %d7;
  st.global.v2.f32 [%d9], {%f0, %f1};
  st.global.v2.f32 [%d9+256], {%f2, %f3};
""",
    _arguments,
    (_A.astype(np.float32) @ _B.astype(np.float32).T).reshape(-1),
    block=64,
)

_LDA, _LDB = "{%r20, %r21, %r22, %r23}, [%r15]", "{%r24, %r25}, [%r16]"
_COPY_A, _COPY_B = "[%r12], [%d5]", "[%r13], [%d6]"
_MMA = "  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%f0, %f1, %f2, %f3},"
_HIGH = (
    "  setp.lt.u32 %p3, %r7, 16;\n  @%p3 bra LOW;\n"
    + _MMA + "  // high\n    {%r20, %r21, %r22, %r23}, {%r24, %r25}, {%f0, %f1, %f2, %f3};\n"
    "  bra BOTH;\nLOW:\n"
)  # fmt: skip

FAULTS = [
    Fault("product-no-wait", PRODUCT, {"cp.async.wait_group 1;": ""}, "in-flight", (_LDA, _LDB),
          ("race",)),
    Fault("product-waits-for-one-group-less", PRODUCT, {"wait_group 1": "wait_group 2"},
          "in-flight", (_LDA, _LDB), ("race",)),
    Fault("product-no-barrier-after-the-wait", PRODUCT, {"bar.sync 0;  // filled": ""}, "race",
          (_LDA, _LDB, _COPY_A, _COPY_B), ("in-flight",)),
    Fault("product-barrier-of-one-warp", PRODUCT,
          {"bar.sync 0;  // filled": "bar.sync 1, 32;  // filled"}, "race",
          (_LDA, _LDB, _COPY_A, _COPY_B), ("in-flight",)),
    Fault("product-stage-not-given-back", PRODUCT, {"bar.sync 0;  // read": ""}, "race",
          (_LDA, _LDB, _COPY_A, _COPY_B), ("in-flight",)),
    Fault("product-last-group-not-committed", PRODUCT,
          {"ISSUED:\n  cp.async.commit_group;": "  cp.async.commit_group;\nISSUED:\n"},
          "in-flight", (_LDA, _LDB), ("race",)),
    Fault("product-first-group-not-committed", PRODUCT,
          {"cp.async.commit_group;  // tile 0": ""}, "in-flight", (_LDA, _LDB), ("race",)),
    Fault("product-stages-overlap", PRODUCT,
          {"%r11, %r11, 1280": "%r11, %r11, 1024", "%r14, %r14, 1280": "%r14, %r14, 1024"},
          "in-flight", (_LDB, _COPY_A), ("race",)),
    Fault("product-reads-the-stage-being-filled", PRODUCT,
          {"and.b32 %r14, %k, 1": "and.b32 %r14, %i, 1"}, "in-flight", (_LDA, _LDB),
          ("race", "uninitialised")),
    Fault("product-fills-the-stage-being-read", PRODUCT,
          {"and.b32 %r11, %i, 1": "and.b32 %r11, %k, 1"}, "in-flight",
          (_LDA, _LDB, _COPY_A, _COPY_B), ("race",)),
    Fault("product-one-tile-too-many", PRODUCT,
          {"%i, 4;": "%i, 5;", "%p2, %k, 4;": "%p2, %k, 5;"}, "out-of-bounds", (_COPY_B,)),
    Fault("product-one-row-too-many", PRODUCT, {"%t, 16;": "%t, 17;"}, "out-of-bounds",
          ("[%r3], [%d3]",)),
    Fault("product-half-a-tile-not-copied", PRODUCT, {"%t, 16;": "%t, 8;"}, "uninitialised",
          ()),
    Fault("product-copy-misaligned", PRODUCT, {"[%r2], [%d2]": "[%r2+8], [%d2]"}, "misaligned",
          ("[%r2+8]",)),
    Fault("product-copy-past-the-end", PRODUCT, {"add.u32 %r3, %r2, 1024":
          "add.u32 %r3, %r2, 1056"},
          "out-of-bounds", (_COPY_B,), ("in-flight", "race")),
    Fault("product-rows-misaligned", PRODUCT, {"[%r15];": "[%r15+8];"}, "misaligned",
          ("[%r15+8]",)),
    Fault("product-rows-past-the-end", PRODUCT, {"[%r16];": "[%r16+256];"}, "out-of-bounds",
          ("[%r16+256]",), ("in-flight", "uninitialised", "race")),
    Fault("product-ldmatrix-by-half-a-warp", PRODUCT,
          {"  ldmatrix.sync.aligned.m8n8.x2":
           "  setp.lt.u32 %p3, %r7, 16;\n  @%p3 ldmatrix.sync.aligned.m8n8.x2"},
          "convergence", (_LDB,)),
    Fault("product-mma-in-both-branches", PRODUCT,
          {_MMA: _HIGH + _MMA + "  // low", "  bar.sync 0;  // read": "BOTH:\n  bar.sync 0;"},
          "convergence", ("// high", "// low")),
    Fault("product-accumulator-not-cleared", PRODUCT, {"mov.f32 %f2, 0f00000000;": ""},
          "uninitialised", ()),
    Fault("product-fragment-not-loaded", PRODUCT,
          {"{%r20, %r21, %r22, %r23}, {%r24": "{%r20, %r21, %r22, %r26}, {%r24"},
          "uninitialised", ()),
    Fault("product-store-past-the-end", PRODUCT, {"[%d9+256]": "[%d9+512]"}, "out-of-bounds",
          ("[%d9+512]",)),
    Fault("product-store-misaligned", PRODUCT, {"[%d9+256]": "[%d9+252]"}, "misaligned",
          ("[%d9+252]",)),
    Fault("product-block-without-a-warp", PRODUCT,
          {"  mov.u32 %r0, stages;": "  setp.ge.u32 %p3, %t, 32;\n  @%p3 exit;\n"
           "  mov.u32 %r0, stages;"}, "uninitialised", ()),
]  # fmt: skip
