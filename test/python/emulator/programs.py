"""Small PTX programs for the tests of the emulator's interfaces.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

HEADER = """.version 8.0
.target sm_80
.address_size 64
"""

# out[i] = a * x[i], for i < n.
SCALE = (
    HEADER
    + """
.file 1 "scale.cu"
.visible .entry scale(.param .u64 out, .param .u64 x, .param .f32 a, .param .u32 n)
{
  .reg .pred %p;
  .reg .b32 %r<6>;
  .reg .b64 %rd<8>;
  .reg .f32 %f<4>;
  ld.param.u64 %rd1, [out];
  ld.param.u64 %rd2, [x];
  ld.param.f32 %f1, [a];
  ld.param.u32 %r1, [n];
  mov.u32 %r2, %ctaid.x;
  mov.u32 %r3, %ntid.x;
  mov.u32 %r4, %tid.x;
  mad.lo.s32 %r5, %r2, %r3, %r4;
  setp.ge.u32 %p, %r5, %r1;
  @%p bra DONE;
  mul.wide.u32 %rd3, %r5, 4;
  add.s64 %rd4, %rd2, %rd3;
  .loc 1 7 3
  ld.global.f32 %f2, [%rd4];
  mul.f32 %f3, %f1, %f2;
  add.s64 %rd5, %rd1, %rd3;
  st.global.f32 [%rd5], %f3;
DONE:
  ret;
}
"""
)

# Copies its parameters, one of each kind, to memory.
PARAMETERS = (
    HEADER
    + """
.global .align 8 .b8 table[24] = {1, 2, 3};
.visible .entry parameters(
  .param .u64 out, .param .u8 a, .param .s16 b, .param .s32 c, .param .s64 d,
  .param .f32 e, .param .f64 f, .param .b16 g, .param .align 8 .b8 h[12])
{
  .reg .b16 %h<4>;
  .reg .b32 %r<4>;
  .reg .b64 %rd<6>;
  ld.param.u64 %rd1, [out];
  ld.param.u8 %h1, [a];
  st.global.u8 [%rd1], %h1;
  ld.param.b16 %h2, [b];
  st.global.b16 [%rd1+2], %h2;
  ld.param.b32 %r1, [c];
  st.global.b32 [%rd1+4], %r1;
  ld.param.b64 %rd2, [d];
  st.global.b64 [%rd1+8], %rd2;
  ld.param.b32 %r2, [e];
  st.global.b32 [%rd1+16], %r2;
  ld.param.b64 %rd3, [f];
  st.global.b64 [%rd1+24], %rd3;
  ld.param.b16 %h3, [g];
  st.global.b16 [%rd1+32], %h3;
  ld.param.b64 %rd4, [h];
  st.global.b64 [%rd1+40], %rd4;
  ld.param.b32 %r3, [h+8];
  st.global.b32 [%rd1+48], %r3;
  ret;
}
"""
)

# Each thread writes its neighbour's number, through shared memory and without a barrier.
RACE = (
    HEADER
    + """
.visible .entry race(.param .u64 out)
{
  .reg .b32 %r<6>;
  .reg .b64 %rd<4>;
  .shared .align 4 .b8 slots[512];
  ld.param.u64 %rd1, [out];
  mov.u32 %r1, %tid.x;
  shl.b32 %r2, %r1, 2;
  mov.u32 %r3, slots;
  add.u32 %r4, %r3, %r2;
  st.shared.u32 [%r4], %r1;
  xor.b32 %r2, %r2, 128;
  add.u32 %r4, %r3, %r2;
  ld.shared.u32 %r5, [%r4];
  mul.wide.u32 %rd2, %r1, 4;
  add.s64 %rd3, %rd1, %rd2;
  st.global.u32 [%rd3], %r5;
  ret;
}
"""
)

# out[0] = x[0] + 1, with no look at whether x was ever written.
COPY = (
    HEADER
    + """
.visible .entry copy(.param .u64 out, .param .u64 x)
{
  .reg .b32 %r<3>;
  .reg .b64 %rd<3>;
  ld.param.u64 %rd1, [out];
  ld.param.u64 %rd2, [x];
  ld.global.u32 %r1, [%rd2];
  add.u32 %r2, %r1, 1;
  st.global.u32 [%rd1], %r2;
  ret;
}
"""
)

LOOP = (
    HEADER
    + """
.visible .entry loop()
{
AGAIN:
  bra AGAIN;
}
"""
)

# The box of 16 x 2 at (16, 1) that a tensor map of words has, to memory.
BOX = """.version 8.0
.target sm_90a
.address_size 64
.visible .entry box(.param .align 64 .b8 map[128], .param .u64 out)
{
  .reg .pred %p;
  .reg .b32 %r<4>;
  .reg .b64 %rd<4>;
  .shared .align 128 .b8 tile[128];
  .shared .align 8 .b64 bar;
  mov.b64 %rd1, map;
  cvta.param.u64 %rd2, %rd1;
  ld.param.u64 %rd3, [out];
  mbarrier.init.shared.b64 [bar], 1;
  mbarrier.arrive.expect_tx.shared.b64 _, [bar], 128;
  mov.u32 %r1, tile;
  mov.u32 %r3, bar;
  cp.async.bulk.tensor.2d.shared::cta.global.mbarrier::complete_tx::bytes
    [%r1], [%rd2, {16, 1}], [%r3];
WAIT:
  mbarrier.try_wait.parity.shared.b64 %p, [bar], 0;
  @!%p bra WAIT;
  mov.u32 %r2, 0;
NEXT:
  ld.shared.b32 %r3, [%r1];
  st.global.b32 [%rd3], %r3;
  add.u32 %r1, %r1, 4;
  add.s64 %rd3, %rd3, 4;
  add.u32 %r2, %r2, 1;
  setp.lt.u32 %p, %r2, 32;
  @%p bra NEXT;
  ret;
}
"""
