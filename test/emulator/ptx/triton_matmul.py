"""Triton matrix products: by pointers, by tensor descriptors of the host and of the device.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def matmul(a, b, c, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """c = a @ b of row-major matrices, ragged in every dimension."""
    # Four rows of tiles are done together, as the tutorial does it.
    tiles_m, tiles_n = tl.cdiv(m, BM), tl.cdiv(n, BN)
    group = 4 * tiles_n
    first = tl.program_id(0) // group * 4
    height = min(tiles_m - first, 4)
    row = first + tl.program_id(0) % group % height
    column = tl.program_id(0) % group // height
    rm = row * BM + tl.arange(0, BM)
    rn = column * BN + tl.arange(0, BN)
    rk = tl.arange(0, BK)
    if a.dtype.element_ty == tl.int8:
        total = tl.zeros((BM, BN), tl.int32)
    else:
        total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, k, BK):
        left = tl.load(
            a + rm[:, None] * k + (start + rk)[None, :],
            mask=(rm[:, None] < m) & ((start + rk)[None, :] < k),
            other=0.0,
        )
        right = tl.load(
            b + (start + rk)[:, None] * n + rn[None, :],
            mask=((start + rk)[:, None] < k) & (rn[None, :] < n),
            other=0.0,
        )
        total = tl.dot(left, right, total)
    mask = (rm[:, None] < m) & (rn[None, :] < n)
    tl.store(c + rm[:, None] * n + rn[None, :], total.to(c.dtype.element_ty), mask=mask)


@triton.jit
def matmul_descriptors(a, b, c, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr):
    """The same through descriptors that the host made."""
    row, column = tl.program_id(0) * BM, tl.program_id(1) * BN
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, k, BK):
        total = tl.dot(a.load([row, start]), b.load([start, column]), total)
    c.store([row, column], total.to(tl.float16))


@triton.jit
def matmul_device_descriptors(
    a, b, c, m, n, k, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    """The same through descriptors that each block makes; b is transposed."""
    left = tl.make_tensor_descriptor(a, [m, k], [k, 1], [BM, BK])
    right = tl.make_tensor_descriptor(b, [n, k], [k, 1], [BN, BK])
    out = tl.make_tensor_descriptor(c, [m, n], [n, 1], [BM, BN])
    row, column = tl.program_id(0) * BM, tl.program_id(1) * BN
    total = tl.zeros((BM, BN), tl.float32)
    for start in range(0, k, BK):
        total = tl.dot(left.load([row, start]), right.load([column, start]).T, total)
    out.store([row, column], total.to(tl.float16))
