# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The lightning indexer: how much each cached token matters to each query.

The scores by which DeepSeek Sparse Attention selects (DeepSeek-V3.2, equation 1), with the
calling conventions of DeepGEMM's fp8_mqa_logits and fp8_paged_mqa_logits. All heads of a
query share one key per token.

    s[t, h, j]   = q[t, h, :] . k[j, :]
    logits[t, j] = k_scale[j] * sum_h weights[t, h] * max(s[t, h, j], 0)   where j is seen
                   by t, else -infinity

`indexer`: t sees the j with starts[t] <= j < ends[t] and j < s_kv.

    q       [s_q, heads, d]   bf16, f16, f32 or f8e4m3fn; rotated, and of f8 without scale
    k       [s_kv, d]         of q's dtype
    weights [s_q, heads] f32  of either sign; of f8, the scale of q is in them
    k_scale [s_kv] f32        optional: 1 where not given
    starts, ends [s_q] i32    optional: 0, and s_kv
    logits  [s_q, s_kv] f32

`paged_indexer`: query i of a request's s_q sees the j < lengths[b] - s_q + 1 + i.

    q       [batch, s_q, heads, d]
    cache   [blocks, page, d]   keys; there may be anything between blocks
    weights [batch, s_q, heads] f32
    lengths [batch] i32         keys of each request, 0 included
    table   [batch, pages] i32  block of each page
    cache_scale [blocks, page] f32   optional, likewise
    logits  [batch, s_q, width] f32  width: pages * page where logits are not given

`split_cache` shows DeepGEMM's blocks of bytes, all values and then all scales, as these two.
Keys that no query sees and table entries past a request's last page may hold anything.

Scores and sums are in f32; the order of a sum depends on nothing but the shape.

Bound: |k_scale| (|w| . e + gamma_(heads+2) |w| . (max(s, 0) + e)) with e = gamma_(d+1) |q| |k|,
the errors of the dot products.
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
    full,
    require,
    reshaped,
    strides_of,
)
from tilewright.language.dtypes import parse

DTYPES = ("bf16", "f16", "f32", "f8e4m3fn")
BLOCK_KEYS = 1024  # keys that a block scores, about
BOUND = "|k_scale| (|w| . e + gamma_(heads+2) |w| . (relu(s) + e)), e = gamma_(d+1) |q||k|"


def reference(
    q: np.ndarray,
    k: np.ndarray,
    weights: np.ndarray,
    *,
    k_scale: np.ndarray | None = None,
    starts: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> np.ndarray:
    """`logits` of `indexer` in float64, one query at a time."""
    logits = np.full((len(q), len(k)), -np.inf)
    for t in range(len(q)):
        start = 0 if starts is None else max(0, int(starts[t]))
        end = len(k) if ends is None else min(len(k), int(ends[t]))
        if start >= end:
            continue
        scores = q[t].astype(np.float64) @ k[start:end].astype(np.float64).T
        logit = weights[t].astype(np.float64) @ np.maximum(scores, 0)
        logits[t, start:end] = logit if k_scale is None else logit * k_scale[start:end]
    return logits


def paged_reference(
    q: np.ndarray,
    cache: np.ndarray,
    weights: np.ndarray,
    lengths: np.ndarray,
    table: np.ndarray,
    *,
    cache_scale: np.ndarray | None = None,
    width: int | None = None,
) -> np.ndarray:
    """`logits` of `paged_indexer` in float64, one request at a time."""
    (batch, s_q), page = q.shape[:2], cache.shape[1]
    logits = np.full((batch, s_q, table.shape[1] * page if width is None else width), -np.inf)
    for b, length in enumerate(int(n) for n in lengths):
        mine = table[b, : -(-length // page)]
        keys = cache[mine].reshape(-1, cache.shape[2])[:length]
        scale = None if cache_scale is None else cache_scale[mine].reshape(-1)[:length]
        ends = length - s_q + 1 + np.arange(s_q)
        logits[b, :, :length] = reference(q[b], keys, weights[b], k_scale=scale, ends=ends)
    return logits


def split_cache(cache: Any, page: int, d: int) -> tuple[Any, Any]:
    """`cache` and `cache_scale` of paged_indexer in blocks of bytes [blocks, page * (d + 4)].

    A block holds `page` rows of d f8e4m3fn values, then their f32 scales. The results are
    views of NumPy's or PyTorch's bytes.
    """
    values, scales = cache[:, : page * d], cache[:, page * d :]
    if isinstance(cache, np.ndarray):
        import ml_dtypes

        rows = values.view(ml_dtypes.float8_e4m3fn)
        return rows.reshape(len(cache), page, d, copy=False), scales.view(np.float32)
    import torch

    rows = values.view(torch.float8_e4m3fn)
    return rows.view(len(cache), page, d), scales.view(torch.float32)


@functools.cache
def indexer_kernel(
    heads: int, d: int, page: int, dtype: str, scaled: bool, target: str, aligned: bool
) -> Any:
    """The compiled kernel of one geometry; all other sizes stay dynamic.

    `page` is the rows of one page, or 0 for keys in one piece, which are one page of any
    size, need no table and are seen by ranges. Blocks of an `aligned` cache lie a multiple
    of 16 bytes apart.
    """
    paged = page > 0
    batch, s_q, blocks = T.dynamic("batch"), T.dynamic("s_q"), T.dynamic("blocks")
    rows, width, pages = T.dynamic("rows"), T.dynamic("width"), T.dynamic("pages")
    first_count, last_count = T.dynamic("first_count"), T.dynamic("last_count")
    scale_blocks, scale_page = T.dynamic("scale_blocks"), T.dynamic("scale_page")
    # Tiles of a few whole pages, or of which a page is a multiple.
    most = 64 if target.startswith("cpu") else 128
    key_tiles = [n for n in (128, 96, 64, 48, 32, 16, 8, 4, 2, 1) if n <= most]
    if paged:
        key_tiles = [
            n for n in key_tiles if page % n == 0 or (n % page == 0 and n <= 16 * page)
        ]
        if key_tiles[0] < 16 and page <= most:
            key_tiles.insert(0, page)
    elements = 128 // parse(dtype).bits
    block_step = T.dynamic("block_step", multiple_of=elements) if aligned else None
    page = page if paged else T.dynamic("page")

    @T.prim_func
    def indexer(
        Q: T.Tensor([batch, rows, d], dtype),
        Cache: T.StridedTensor([blocks, page, d], [block_step, d, 1], dtype),
        Scale: T.StridedTensor([scale_blocks, scale_page], [None, 1], T.float32),
        Weights: T.Tensor([batch, s_q, heads], T.float32),
        Starts: T.Tensor([first_count], T.int32),
        Ends: T.Tensor([last_count], T.int32),
        Table: T.Tensor([batch, pages], T.int32),
        Logits: T.Tensor([batch, s_q, width], T.float32),
    ):
        BN = T.choose("BN", key_tiles)
        steps = max(1, BLOCK_KEYS // BN)
        with T.Kernel(T.ceildiv(width, steps * BN), s_q, batch) as (bx, by, bz):
            q_tile = T.alloc_shared([heads, d], dtype)
            k_tile = T.alloc_shared([BN, d], dtype)
            score = T.alloc_fragment([BN, heads], T.float32)
            weight = T.alloc_fragment([heads], T.float32)
            logit = T.alloc_fragment([BN], T.float32)

            first = bx * (steps * BN)
            last = T.min(first + steps * BN, width)
            if paged:
                start = 0
                end = T.min(Ends[bz] - s_q + 1 + by, last)
            else:
                start = T.max(Starts[by], 0)
                end = T.min(Ends[by], last)
            if start > first or end < last:
                for step in T.serial(steps):
                    for j in T.Parallel(BN):
                        at = first + step * BN + j
                        if at < start or at >= end:
                            Logits[bz, by, at] = -T.infinity(T.float32)
            if start < end:
                T.copy(Q[bz, by * heads, 0], q_tile)
                T.copy(Weights[bz, by, 0], weight)
                skipped = T.max(start - first, 0) // BN
                for step in T.Pipelined(skipped, T.ceildiv(end - first, BN), num_stages=2):
                    here = first + step * BN
                    if not paged:
                        T.copy(Cache[bz, here, 0], k_tile)
                    elif page >= BN:
                        T.copy(Cache[Table[bz, here // page], here % page, 0], k_tile)
                    else:
                        for part in T.unroll(BN // page):
                            block = Table[bz, here // page + part]
                            T.copy(
                                Cache[block, 0, 0],
                                k_tile[part * page : (part + 1) * page, :],
                            )
                    T.gemm(k_tile, q_tile, score, transpose_B=True, clear_accum=True)
                    for j, h in T.Parallel(BN, heads):
                        score[j, h] = T.max(score[j, h], 0) * weight[h]
                    T.reduce_sum(score, logit, dim=1)
                    for j in T.Parallel(BN):
                        at = here + j
                        if at >= start and at < end:
                            if not scaled:
                                Logits[bz, by, at] = logit[j]
                            elif paged:
                                scale = Scale[Table[bz, at // page], at % page]
                                Logits[bz, by, at] = logit[j] * scale
                            else:
                                Logits[bz, by, at] = logit[j] * Scale[0, at]

    return tilewright.compile(indexer, target=target)


def _launch(
    q: Any,
    cache: Any,
    scale: Any,
    weights: Any,
    starts: Any,
    ends: Any,
    table: Any,
    logits: Any,
    page: int,
    target: str,
) -> None:
    """Checks what the launch does not, and launches; all are of `paged_indexer`'s shapes."""
    batch, s_q, heads, d = q.shape
    dtype = dtype_of(q)
    require(dtype in DTYPES, f"q is {dtype} and must be one of {', '.join(DTYPES)}")
    scaled = scale is not None
    if not scaled:
        scale = reshaped(weights, (batch * s_q, heads))  # stands in: nothing is read
    block_step, at = strides_of(cache)[0], address_of(cache)
    step_bytes = block_step * parse(dtype).bits // 8
    aligned = block_step >= 0 and step_bytes % 16 == at % 16 == 0
    kernel = indexer_kernel(heads, d, page, dtype, scaled, target, aligned)
    rows = reshaped(q, (batch, s_q * heads, d))
    kernel(rows, cache, scale, weights, starts, ends, table, logits)


def indexer(
    q: Any,
    k: Any,
    weights: Any,
    *,
    k_scale: Any = None,
    starts: Any = None,
    ends: Any = None,
    logits: Any = None,
    target: str = "cpu",
) -> Any:
    """The logits of each query over keys in one piece.

    Shapes and dtypes are those of the module's docstring; `logits` are made where not
    given. Raises ValueError where shapes or dtypes do not fit together.
    """
    require(len(q.shape) == 3, f"q is {tuple(q.shape)}: [s_q, heads, d] is needed")
    require(len(k.shape) == 2, f"k is {tuple(k.shape)}: [s_kv, d] is needed")
    (s_q, heads, d), s_kv = q.shape, k.shape[0]
    if starts is None:
        starts = full(q, (s_q,), 0, "i32")
    if ends is None:
        ends = full(q, (s_q,), s_kv, "i32")
    for name, given in (("starts", starts), ("ends", ends)):
        require(tuple(given.shape) == (s_q,), f"{name} are {tuple(given.shape)}, not ({s_q},)")
    if k_scale is not None:
        require(
            tuple(k_scale.shape) == (s_kv,), f"k_scale is {tuple(k_scale.shape)}, not ({s_kv},)"
        )
        k_scale = reshaped(k_scale, (1, s_kv))
    if logits is None:
        logits = empty(q, (s_q, s_kv), "f32")
    _launch(
        reshaped(q, (1, s_q, heads, d)),
        reshaped(k, (1, *k.shape)),
        k_scale,
        reshaped(weights, (1, *weights.shape)),
        starts,
        ends,
        reshaped(starts, (1, s_q)),  # stands in: keys in one piece read no table
        reshaped(logits, (1, *logits.shape)),
        0,
        target,
    )
    return logits


def paged_indexer(
    q: Any,
    cache: Any,
    weights: Any,
    lengths: Any,
    table: Any,
    *,
    cache_scale: Any = None,
    logits: Any = None,
    target: str = "cpu",
) -> Any:
    """The logits of each request's queries over its pages.

    Shapes and dtypes are those of the module's docstring; `logits` are made where not
    given. Raises ValueError where shapes or dtypes do not fit together.
    """
    require(len(q.shape) == 4, f"q is {tuple(q.shape)}: [batch, s_q, heads, d] is needed")
    require(
        len(cache.shape) == 3, f"cache is {tuple(cache.shape)}: [blocks, page, d] is needed"
    )
    (batch, s_q), page = q.shape[:2], cache.shape[1]
    require(page > 0, "cache has pages of no rows")
    require(
        tuple(lengths.shape) == (batch,), f"lengths are {tuple(lengths.shape)}, not ({batch},)"
    )
    if cache_scale is not None:
        blocks = tuple(cache.shape[:2])
        require(
            tuple(cache_scale.shape) == blocks,
            f"cache_scale is {tuple(cache_scale.shape)}, not {blocks}",
        )
    if logits is None:
        logits = empty(q, (batch, s_q, table.shape[1] * page), "f32")
    args = (q, cache, cache_scale, weights, lengths, lengths, table, logits, page, target)
    _launch(*args)
    return logits
