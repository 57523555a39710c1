# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decoding with multi-head latent attention (MLA) over a dense or paged cache.

The absorbed form of DeepSeek-V2 (arXiv 2405.04434, section 2.1) and V3, with the calling
convention of FlashMLA's dense decode: every head of a request attends the same cached
rows, of which the first `d_v` columns are also the values.

    s[i, h, j] = scale * q[b, i, h, :] . cache[b, j, :]      where key j is visible to i
    out[b, i, h, :] = sum_j softmax_j(s) cache[b, j, :d_v]
    lse[b, h, i] = log sum_j exp s[i, h, j]                  natural logarithm, f32

    q      [batch, s_q, heads, d_v + d_rope]   bf16, f16 or f32
    cache  [blocks, page, d_v + d_rope]        of q's dtype; or dense [batch, s_kv, d];
                                               there may be anything between blocks
    lengths [batch] i32                        keys of each request, 0 included
    table  [batch, pages] i32                  block of each page; none for a dense cache
    out    [batch, s_q, heads, d_v]            of q's dtype

With `causal`, query i of s_q sees keys j <= length - s_q + i. A row that sees no key gives
out 0 and lse +inf. Entries of `table` past a request's last page and cache rows past its
length are never used and may hold anything.

Scores are accumulated in f32, probabilities are rounded to the dtype before they meet the
values, and the sums are kept in f32. The keys of a request are divided into splits of a
fixed size, each with an online softmax of its own, which a second kernel combines: the
result depends neither on the number of threads nor on the other requests.

Bound of out and lse: `tilewright.testing.ATTENTION_BOUND`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import (
    address_of,
    dtype_of,
    empty,
    require,
    reshaped,
    strides_of,
)
from tilewright.kernels.online_softmax import FLOOR, LN2, absorb, normalise, scale_in_log2

SPLIT_KEYS = 1024  # keys of one split; a multiple of every key tile
ALIGNED_ELEMENTS = 8  # 16 bytes of bf16


def reference(
    q: np.ndarray,
    cache: np.ndarray,
    lengths: np.ndarray,
    table: np.ndarray | None = None,
    *,
    d_v: int = 512,
    scale: float | None = None,
    causal: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """`out` and `lse` of the definition in float64, one query row at a time."""
    batch, s_q, heads, d = q.shape
    scale = d**-0.5 if scale is None else scale
    out = np.zeros((batch, s_q, heads, d_v))
    lse = np.full((batch, heads, s_q), np.inf)
    for b in range(batch):
        keys = cached_rows(cache, table, b, int(lengths[b])).astype(np.float64)
        for i in range(s_q):
            visible = keys[: max(0, len(keys) - s_q + 1 + i)] if causal else keys
            if len(visible) == 0:
                continue
            scores = scale * q[b, i].astype(np.float64) @ visible.T
            peak = scores.max(1, keepdims=True)
            weights = np.exp(scores - peak)
            total = weights.sum(1, keepdims=True)
            out[b, i] = weights / total @ visible[:, :d_v]
            lse[b, :, i] = (peak + np.log(total))[:, 0]
    return out, lse


def cached_rows(
    cache: np.ndarray, table: np.ndarray | None, request: int, length: int
) -> np.ndarray:
    """The first `length` rows [length, d] of a request, wherever its pages are."""
    if table is None:
        return cache[request, :length]
    page = cache.shape[1]
    return cache[table[request, : -(-length // page)]].reshape(-1, cache.shape[2])[:length]


@functools.cache
def mla_decode_kernel(
    s_q: int,
    heads: int,
    d_v: int,
    d_rope: int,
    page: int,
    dtype: str,
    causal: bool,
    target: str,
    aligned: bool = False,
) -> Any:
    """The compiled kernel of one head geometry; batch, pages and cache size stay dynamic.

    `page` is the rows of one page, or 0 for a dense cache, in which each request is one page
    of any size and needs no table. Blocks of an `aligned` cache lie a multiple of
    ALIGNED_ELEMENTS apart, so that several elements of a row move at once.
    """
    paged = page > 0
    rows = s_q * heads  # query rows that share the keys of a request
    d = d_v + d_rope
    batch, blocks, pages = T.dynamic("batch"), T.dynamic("blocks"), T.dynamic("pages")
    page = page if paged else T.dynamic("page")
    # A CPU's tiles are in L2, and the more heads share a block, the fewer blocks read and
    # pack a page.
    tallest = (128,) if target.startswith("cpu") else ()
    row_tiles = [m for m in (*tallest, 64, 32, 16, 8) if m <= 16 or m < 2 * rows]
    key_tiles = [n for n in (64, 32, 16, 8) if not paged or page % n == 0]
    BR = 16  # query rows of one block of the combination
    block_step = T.dynamic("block_step", multiple_of=ALIGNED_ELEMENTS) if aligned else None

    @T.prim_func
    def mla_decode(
        Q: T.Tensor([batch, rows, d], dtype),
        Cache: T.StridedTensor([blocks, page, d], [block_step, d, 1], dtype),
        Lengths: T.Tensor([batch], T.int32),
        Table: T.Tensor([batch, pages], T.int32),
        scale_log2: T.float32,
        Out: T.Tensor([batch, rows, d_v], dtype),
        Lse: T.Tensor([batch, heads, s_q], T.float32),
    ):
        BM = T.choose("BM", row_tiles)
        BN = T.choose("BN", key_tiles)
        splits = T.ceildiv(pages * page, SPLIT_KEYS)
        PartOut = T.alloc_global([batch, splits, rows, d_v], T.float32)
        PartLse = T.alloc_global([batch, splits, rows], T.float32)

        with T.Kernel(T.ceildiv(rows, BM), splits, batch) as (bx, by, bz):
            q_latent = T.alloc_shared([BM, d_v], dtype)
            q_rope = T.alloc_shared([BM, d_rope], dtype)
            latent = T.alloc_shared([BN, d_v], dtype)
            rope = T.alloc_shared([BN, d_rope], dtype)
            prob = T.alloc_fragment([BM, BN], dtype)
            score = T.alloc_fragment([BM, BN], T.float32)
            acc = T.alloc_fragment([BM, d_v], T.float32)
            peak = T.alloc_fragment([BM], T.float32)
            before = T.alloc_fragment([BM], T.float32)
            total = T.alloc_fragment([BM], T.float32)
            step_total = T.alloc_fragment([BM], T.float32)
            visible = T.alloc_fragment([BM], T.int32)

            length = Lengths[bz]
            first = by * SPLIT_KEYS
            if first < length:
                T.copy(Q[bz, bx * BM, 0], q_latent)
                T.copy(Q[bz, bx * BM, d_v], q_rope)
                T.clear(acc)
                T.clear(total)
                T.fill(peak, FLOOR)
                for i in T.Parallel(BM):
                    if causal:
                        visible[i] = length - s_q + 1 + (bx * BM + i) // heads
                    else:
                        visible[i] = length
                keys = T.min(length - first, SPLIT_KEYS)
                for step in T.Pipelined(T.ceildiv(keys, BN), num_stages=2):
                    start = first + step * BN
                    if paged:
                        block, row = Table[bz, start // page], start % page
                    else:
                        block, row = bz, start
                    T.copy(Cache[block, row, 0], latent)
                    T.copy(Cache[block, row, d_v], rope)
                    if start + BN > length:
                        # Rows past the length may hold NaN, which 0 would not silence.
                        for i, j in T.Parallel(BN, d_v):
                            if start + i >= length:
                                latent[i, j] = 0
                    T.gemm(q_latent, latent, score, transpose_B=True, clear_accum=True)
                    T.gemm(q_rope, rope, score, transpose_B=True)
                    for i, j in T.Parallel(BM, BN):
                        score[i, j] = T.if_then_else(
                            start + j < visible[i],
                            score[i, j],
                            -T.infinity(T.float32),
                        )
                    absorb(
                        score, prob, acc, peak, before, total, step_total, scale_log2,
                        BM, BN, d_v,
                    )  # fmt: skip
                    T.gemm(prob, latent, acc)
                normalise(acc, total, BM, d_v)
                T.copy(acc, PartOut[bz, by, bx * BM, 0])
                for i in T.Parallel(BM):
                    PartLse[bz, by, bx * BM + i] = peak[i] * scale_log2 + T.log2(total[i])

        with T.Kernel(T.ceildiv(rows, BR), batch, threads=128) as (bx, by):
            part = T.alloc_fragment([BR, d_v], T.float32)
            acc = T.alloc_fragment([BR, d_v], T.float32)
            lse = T.alloc_fragment([BR], T.float32)
            weight = T.alloc_fragment([BR], T.float32)
            peak = T.alloc_fragment([BR], T.float32)
            total = T.alloc_fragment([BR], T.float32)

            used = T.ceildiv(Lengths[by], SPLIT_KEYS)
            T.clear(acc)
            T.clear(total)
            T.fill(peak, FLOOR)
            for split in T.serial(used):
                T.copy(PartLse[by, split, bx * BR], lse)
                for i in T.Parallel(BR):
                    peak[i] = T.max(peak[i], lse[i])
            for split in T.serial(used):
                T.copy(PartLse[by, split, bx * BR], lse)
                T.copy(PartOut[by, split, bx * BR, 0], part)
                for i in T.Parallel(BR):
                    weight[i] = T.exp2(lse[i] - peak[i])
                    total[i] += weight[i]
                for i, j in T.Parallel(BR, d_v):
                    acc[i, j] += weight[i] * part[i, j]
            normalise(acc, total, BR, d_v)
            T.copy(acc, Out[by, bx * BR, 0])
            for i in T.Parallel(BR):
                row = bx * BR + i
                Lse[by, row % heads, row // heads] = T.if_then_else(
                    total[i] > 0, (peak[i] + T.log2(total[i])) * LN2, T.infinity(T.float32)
                )

    return tilewright.compile(mla_decode, target=target)


def mla_decode(
    q: Any,
    cache: Any,
    lengths: Any,
    table: Any = None,
    *,
    d_v: int = 512,
    scale: float | None = None,
    causal: bool = True,
    out: Any = None,
    lse: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """Attention of each request's queries over its cached rows: (`out`, `lse`).

    Shapes and dtypes are those of the module's docstring; `scale` is d ** -0.5 where not
    given, and positive; `out` and `lse` are made where not given. Raises ValueError where
    scale is not, or where shapes or dtypes do not fit together.
    """
    batch, s_q, heads, d = q.shape
    dtype = dtype_of(q)
    require(dtype in ("bf16", "f16", "f32"), f"q is {dtype} and must be bf16, f16 or f32")
    require(0 < d_v < d, f"d_v is {d_v} and must be less than the {d} columns of q")
    require(
        len(cache.shape) == 3, f"cache is {tuple(cache.shape)}: [blocks, page, d] is needed"
    )
    page = 0 if table is None else cache.shape[1]
    if table is None:
        require(cache.shape[0] == batch, f"cache has {cache.shape[0]} requests, q has {batch}")
        table = reshaped(lengths, (batch, 1))  # stands in: a dense cache reads no table
    if out is None:
        out = empty(q, (batch, s_q, heads, d_v))
    if lse is None:
        lse = empty(q, (batch, heads, s_q), "f32")
    rows = s_q * heads
    q, out_rows = reshaped(q, (batch, rows, d)), reshaped(out, (batch, rows, d_v))
    scale_log2 = scale_in_log2(scale, d)
    block_step = strides_of(cache)[0]
    aligned = block_step >= 0 and block_step % ALIGNED_ELEMENTS == address_of(cache) % 16 == 0
    kernel = mla_decode_kernel(s_q, heads, d_v, d - d_v, page, dtype, causal, target, aligned)
    kernel(q, cache, lengths, table, scale_log2, out_rows, lse)
    return out, lse
