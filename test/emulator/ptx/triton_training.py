"""Triton kernels of training and of quantised inference.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _compose(a1, b1, a2, b2):
    return a2 * a1, a2 * b1 + b2


@triton.jit
def recurrence(a, b, out, back, BLOCK: tl.constexpr):
    """h[i] = a[i] * h[i - 1] + b[i], and the same from the other end."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x, y = tl.load(a + at), tl.load(b + at)
    _, h = tl.associative_scan((x, y), 0, _compose)
    tl.store(out + at, h)
    _, h = tl.associative_scan((x, y), 0, _compose, reverse=True)
    tl.store(back + at, h)


@triton.jit
def gather(x, rows, columns, by_rows, by_columns, top):
    """Elements by index along each axis; the eight largest of each row."""
    r, c = tl.arange(0, 32)[:, None], tl.arange(0, 64)[None, :]
    v = tl.load(x + r * 64 + c)
    half = tl.arange(0, 16)[:, None] * 64 + c
    tl.store(by_rows + half, tl.gather(v, tl.load(rows + half), 0))
    tl.store(by_columns + r * 64 + c, tl.gather(v, tl.load(columns + r * 64 + c), 1))
    tl.store(top + r * 8 + tl.arange(0, 8)[None, :], tl.topk(v, 8))


@triton.jit
def dropout(x, out, normal, n, p, seed, BLOCK: tl.constexpr):
    """Philox: uniform numbers that drop, and normal ones."""
    at = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    v = tl.load(x + at, mask=at < n)
    kept = tl.rand(seed, at) > p
    tl.store(out + at, tl.where(kept, v / (1 - p), 0.0), mask=at < n)
    tl.store(normal + at, tl.randn(seed, at), mask=at < n)


@triton.jit
def layer_norm_backward(
    dx, dy, dw, db, x, w, mean, rstd, locks, columns, GROUP: tl.constexpr, BLOCK: tl.constexpr
):
    """As the tutorial has it: rows of a group add their parts of dw and db under a lock."""
    row = tl.program_id(0)
    at = tl.arange(0, BLOCK)
    mask = at < columns
    group = row % GROUP
    v = tl.load(x + row * columns + at, mask=mask, other=0)
    g = tl.load(dy + row * columns + at, mask=mask, other=0)
    weight = tl.load(w + at, mask=mask)
    scale = tl.load(rstd + row)
    hat = tl.where(mask, (v - tl.load(mean + row)) * scale, 0.0)
    wg = tl.where(mask, weight * g, 0.0)
    c1 = tl.sum(hat * wg, axis=0) / columns
    c2 = tl.sum(wg, axis=0) / columns
    tl.store(dx + row * columns + at, (wg - (hat * c1 + c2)) * scale, mask=mask)
    part_w, part_b = g * hat, g
    lock, count = locks + group, locks + GROUP + group
    while tl.atomic_cas(lock, 0, 1) == 1:
        pass
    if tl.load(count) == 0:
        tl.atomic_xchg(count, 1)
    else:
        part_w += tl.load(dw + group * columns + at, mask=mask)
        part_b += tl.load(db + group * columns + at, mask=mask)
    tl.store(dw + group * columns + at, part_w, mask=mask)
    tl.store(db + group * columns + at, part_b, mask=mask)
    tl.debug_barrier()
    tl.atomic_xchg(lock, 0)


@triton.jit
def attend_backward(
    q, k, v, dout, dk, dv, lse, delta, scale, length, BM: tl.constexpr, BN: tl.constexpr,
    D: tl.constexpr,
):  # fmt: skip
    """dK and dV of causal attention, for BN keys."""
    keys = tl.program_id(0) * BN + tl.arange(0, BN)
    d = tl.arange(0, D)
    key = tl.load(k + keys[:, None] * D + d[None, :])
    value = tl.load(v + keys[:, None] * D + d[None, :])
    sum_k = tl.zeros((BN, D), tl.float32)
    sum_v = tl.zeros((BN, D), tl.float32)
    for start in range(0, length, BM):
        queries = start + tl.arange(0, BM)
        query = tl.load(q + queries[None, :] * D + d[:, None])
        g = tl.load(dout + queries[:, None] * D + d[None, :])
        log2e: tl.constexpr = 1.44269504
        p = tl.exp2(tl.dot(key, query) * (scale * log2e) - tl.load(lse + queries) * log2e)
        p = tl.where(queries[None, :] >= keys[:, None], p, 0.0)
        sum_v = tl.dot(p.to(tl.float16), g, sum_v)
        ds = p * (tl.dot(value, tl.trans(g)) - tl.load(delta + queries)[None, :])
        sum_k = tl.dot(ds.to(tl.float16), tl.trans(query), sum_k)
    tl.store(dv + keys[:, None] * D + d[None, :], sum_v)
    tl.store(dk + keys[:, None] * D + d[None, :], sum_k * scale)


@triton.jit
def dot_scaled(a, sa, b, sb, c, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    """Products of e4m3 with a scale for each 32 elements, and of e2m1 with bf16."""
    m, n, k, s = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K), tl.arange(0, K // 32)
    left = tl.load(a + m[:, None] * K + k[None, :])
    right = tl.load(b + k[:, None] * N + n[None, :])
    left_scale = tl.load(sa + m[:, None] * (K // 32) + s[None, :])
    right_scale = tl.load(sb + n[:, None] * (K // 32) + s[None, :])
    out = tl.dot_scaled(left, left_scale, "e4m3", right, right_scale, "e4m3")
    tl.store(c + m[:, None] * N + n[None, :], out)


@triton.jit
def dot_fp4(a, sa, b, c, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr):
    """Two e2m1 in a byte, with a scale for each 32, by bf16."""
    m, n, k, s = tl.arange(0, M), tl.arange(0, N), tl.arange(0, K), tl.arange(0, K // 32)
    left = tl.load(a + m[:, None] * (K // 2) + tl.arange(0, K // 2)[None, :])
    right = tl.load(b + k[:, None] * N + n[None, :])
    scale = tl.load(sa + m[:, None] * (K // 32) + s[None, :])
    out = tl.dot_scaled(left, scale, "e2m1", right, None, "bf16")
    tl.store(c + m[:, None] * N + n[None, :], out)


@triton.jit
def matmul_int4(
    a, b, scales, c, M: tl.constexpr, N: tl.constexpr, K: tl.constexpr, BK: tl.constexpr
):
    """Eight weights of four bits in a word, unpacked in registers."""
    m, n = tl.arange(0, M), tl.arange(0, N)
    total = tl.zeros((M, N), tl.float32)
    scale = tl.load(scales + n)
    for start in range(0, K, BK):
        k = start + tl.arange(0, BK)
        left = tl.load(a + m[:, None] * K + k[None, :])
        words = tl.load(b + (k // 8)[:, None] * N + n[None, :])
        weight = (words >> ((k % 8) * 4)[:, None]) & 0xF
        right = (weight - 8).to(tl.float16) * scale[None, :]
        total = tl.dot(left, right, total)
    tl.store(c + m[:, None] * N + n[None, :], total)


@triton.jit
def matmul_persistent(
    a, b, c, m, n, k, BLOCKS: tl.constexpr, BM: tl.constexpr, BN: tl.constexpr, BK: tl.constexpr
):
    """A few blocks, each of many tiles, through descriptors of the host."""
    columns = tl.cdiv(n, BN)
    for tile in tl.range(tl.program_id(0), tl.cdiv(m, BM) * columns, BLOCKS, flatten=True):
        row, column = tile // columns * BM, tile % columns * BN
        total = tl.zeros((BM, BN), tl.float32)
        for start in range(0, k, BK):
            total = tl.dot(a.load([row, start]), b.load([column, start]).T, total)
        c.store([row, column], total.to(tl.float16))
