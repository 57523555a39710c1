"""Triton attention: by pointers, and by descriptors with specialised warps.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def attend(
    q,
    k,
    v,
    out,
    length,
    scale,
    D: tl.constexpr,
    BM: tl.constexpr,
    BN: tl.constexpr,
    CAUSAL: tl.constexpr,
):
    """FlashAttention of [heads, length, D], one block for BM queries of a head."""
    head = tl.program_id(1) * length * D
    rm = tl.program_id(0) * BM + tl.arange(0, BM)
    rd = tl.arange(0, D)
    queries = tl.load(q + head + rm[:, None] * D + rd, mask=rm[:, None] < length, other=0.0)
    top = tl.full((BM,), -float("inf"), tl.float32)
    weight = tl.zeros((BM,), tl.float32)
    total = tl.zeros((BM, D), tl.float32)
    end = length
    if CAUSAL:
        end = min(length, (tl.program_id(0) + 1) * BM)
    for start in range(0, end, BN):
        rn = start + tl.arange(0, BN)
        keys = tl.load(
            k + head + rn[None, :] * D + rd[:, None], mask=rn[None, :] < length, other=0.0
        )
        scores = tl.dot(queries, keys) * (scale * 1.4426950408889634)
        seen = rn[None, :] < length
        if CAUSAL:
            seen = seen & (rn[None, :] <= rm[:, None])
        scores = tl.where(seen, scores, -float("inf"))
        higher = tl.maximum(top, tl.max(scores, 1))
        p = tl.exp2(scores - higher[:, None])
        fade = tl.exp2(top - higher)
        weight = weight * fade + tl.sum(p, 1)
        values = tl.load(v + head + rn[:, None] * D + rd, mask=rn[:, None] < length, other=0.0)
        total = tl.dot(p.to(tl.float16), values, total * fade[:, None])
        top = higher
    total = total / weight[:, None]
    tl.store(out + head + rm[:, None] * D + rd, total.to(tl.float16), mask=rm[:, None] < length)


@triton.jit
def attend_descriptors(
    q, k, v, out, length, scale, D: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr
):
    """The same without a mask, over [heads * length, D], by specialised warps."""
    base = tl.program_id(1) * length
    row = base + tl.program_id(0) * BM
    queries = q.load([row, 0])
    top = tl.full((BM,), -float("inf"), tl.float32)
    weight = tl.zeros((BM,), tl.float32)
    total = tl.zeros((BM, D), tl.float32)
    for start in tl.range(0, length, BN, warp_specialize=True):
        scores = tl.dot(queries, k.load([base + start, 0]).T) * (scale * 1.4426950408889634)
        higher = tl.maximum(top, tl.max(scores, 1))
        p = tl.exp2(scores - higher[:, None])
        fade = tl.exp2(top - higher)
        weight = weight * fade + tl.sum(p, 1)
        total = tl.dot(p.to(tl.float16), v.load([base + start, 0]), total * fade[:, None])
        top = higher
    out.store([row, 0], (total / weight[:, None]).to(tl.float16))
