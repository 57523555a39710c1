"""Triton's side of the products and of the kernels on rows, written as its tutorials are.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def product(
    A, B, C, M, N, K, TRANSPOSE_B: tl.constexpr,
    BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr, GROUP: tl.constexpr,
):  # fmt: skip
    """C = A op(B) for extents that tiles divide; GROUP rows of tiles share B in the cache."""
    number = tl.program_id(0)
    tall, wide = M // BM, N // BN
    first = number // (GROUP * wide) * GROUP
    height = min(tall - first, GROUP)
    rows = (first + number % (GROUP * wide) % height) * BM + tl.arange(0, BM)
    columns = number % (GROUP * wide) // height * BN + tl.arange(0, BN)
    inner = tl.arange(0, BK)
    at_a = A + rows[:, None] * K + inner[None, :]
    if TRANSPOSE_B:
        at_b = B + columns[None, :] * K + inner[:, None]
    else:
        at_b = B + inner[:, None] * N + columns[None, :]
    total = tl.zeros((BM, BN), tl.float32)
    for _ in range(0, K, BK):
        total = tl.dot(tl.load(at_a), tl.load(at_b), total)
        at_a += BK
        at_b += BK if TRANSPOSE_B else BK * N
    at_c = C + rows[:, None] * N + columns[None, :]
    tl.store(at_c, total.to(C.dtype.element_ty))


@triton.jit
def softmax(X, Y, N, WIDTH: tl.constexpr):
    """A row of softmax, all of it in registers."""
    at = tl.program_id(0) * N + tl.arange(0, WIDTH)
    inside = tl.arange(0, WIDTH) < N
    x = tl.load(X + at, mask=inside, other=-float("inf")).to(tl.float32)
    weight = tl.exp(x - tl.max(x, 0))
    y = weight / tl.sum(weight, 0)
    tl.store(Y + at, y.to(Y.dtype.element_ty), mask=inside)


@triton.jit
def rmsnorm(X, Weight, Y, N, EPS, WIDTH: tl.constexpr):
    """A row of RMSNorm, all of it in registers."""
    columns = tl.arange(0, WIDTH)
    inside = columns < N
    at = tl.program_id(0) * N + columns
    x = tl.load(X + at, mask=inside, other=0.0).to(tl.float32)
    weight = tl.load(Weight + columns, mask=inside, other=0.0).to(tl.float32)
    y = x * tl.rsqrt(tl.sum(x * x, 0) / N + EPS) * weight
    tl.store(Y + at, y.to(Y.dtype.element_ty), mask=inside)
