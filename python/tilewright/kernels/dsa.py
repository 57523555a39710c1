# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""DeepSeek Sparse Attention: indexer, top-k and sparse MLA as a layer joins them.

The attention of DeepSeek-V3.2 (its section 2.1) behind the projections: what comes in is
normed, rotated and, of f8, scaled already.

    logits  = indexer(index_q, index_k, index_weights)    as tilewright.kernels.indexer
    indices = the k largest logits that a query sees      as tilewright.kernels.topk
    out, lse = attention over the rows `indices` names     as tilewright.kernels.sparse_mla

`dsa`, a prompt: query t sees the tokens from starts[t] to ends[t].

    q       [s_q, heads, d]    bf16, f16 or f32
    kv      [s_kv, d]          of q's dtype; the first d_v columns are the values
    index_q [s_q, index_heads, index_d]   bf16, f16, f32 or f8e4m3fn
    index_k [s_kv, index_d]    of index_q's dtype
    index_weights [s_q, index_heads] f32
    index_scale [s_kv] f32     optional: the scale of each index_k
    starts, ends [s_q] i32     optional: 0, and s_kv; of a causal prompt ends[t] = t + 1
    out     [s_q, heads, d_v]  of q's dtype
    lse     [s_q, heads] f32   +infinity of a query that sees nothing, whose out is 0
    indices [s_q, k] i32       ascending, then -1
    logits  [s_q, s_kv] f32    -infinity where a query does not see

`paged_dsa`, decoding: query i of a request's s_q sees its tokens before
lengths[b] - s_q + 1 + i. Caches are [blocks, page, ...] and have one table, [batch, pages];
all else begins with [batch, s_q, ...]. `indices` count the tokens of the request, and logits
are [batch, s_q, pages * page].

The selection is that of the logits as they were computed: where two of them are closer than
the bound of the indexer, either may be selected, on each device the same in every run.

Bounds: those of the three kernels, the last two for the logits and indices that were computed.
"""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels import indexer as indexing
from tilewright.kernels import sparse_mla as attending
from tilewright.kernels import topk as selecting
from tilewright.kernels.arrays import empty, full, require, reshaped
from tilewright.kernels.mla_decode import cached_rows


class Attended(NamedTuple):
    """The four outputs, as the module's docstring defines them."""

    out: Any
    lse: Any
    indices: Any
    logits: Any


def reference(
    q: np.ndarray,
    kv: np.ndarray,
    index_q: np.ndarray,
    index_k: np.ndarray,
    index_weights: np.ndarray,
    *,
    k: int = 2048,
    d_v: int = 512,
    scale: float | None = None,
    index_scale: np.ndarray | None = None,
    starts: np.ndarray | None = None,
    ends: np.ndarray | None = None,
) -> Attended:
    """The outputs of `dsa`, by the references of the three kernels."""
    seen = {"starts": starts, "ends": ends}
    logits = indexing.reference(index_q, index_k, index_weights, k_scale=index_scale, **seen)
    indices = selecting.reference(logits, k, **seen)
    out, _, lse = attending.reference(q, kv, indices, d_v=d_v, scale=scale)
    return Attended(out, lse, indices, logits)


def paged_reference(
    q: np.ndarray,
    cache: np.ndarray,
    index_q: np.ndarray,
    index_cache: np.ndarray,
    index_weights: np.ndarray,
    lengths: np.ndarray,
    table: np.ndarray,
    *,
    k: int = 2048,
    d_v: int = 512,
    scale: float | None = None,
    index_scale: np.ndarray | None = None,
) -> Attended:
    """The outputs of `paged_dsa`, one request at a time."""
    (batch, s_q, heads, _), page = q.shape, cache.shape[1]
    made = Attended(
        np.zeros((batch, s_q, heads, d_v)),
        np.zeros((batch, s_q, heads)),
        np.zeros((batch, s_q, k), np.int32),
        np.full((batch, s_q, table.shape[1] * page), -np.inf),
    )
    for b, length in enumerate(int(n) for n in lengths):
        rows = functools.partial(cached_rows, table=table, request=b, length=length)
        one = reference(
            q[b],
            rows(cache),
            index_q[b],
            rows(index_cache),
            index_weights[b],
            k=k,
            d_v=d_v,
            scale=scale,
            index_scale=None if index_scale is None else rows(index_scale[..., None])[:, 0],
            ends=length - s_q + 1 + np.arange(s_q),
        )
        for all_requests, request in zip(made[:3], one[:3], strict=True):
            all_requests[b] = request
        made.logits[b, :, :length] = one.logits
    return made


@functools.cache
def locate_kernel(page: int, target: str) -> Any:
    """The compiled kernel that finds the rows of tokens in a paged cache."""
    batch, entries, pages = T.dynamic("batch"), T.dynamic("entries"), T.dynamic("pages")
    BE = 512

    @T.prim_func
    def locate(
        Indices: T.Tensor([batch, entries], T.int32),
        Table: T.Tensor([batch, pages], T.int32),
        Rows: T.Tensor([batch, entries], T.int32),
    ):
        with T.Kernel(T.ceildiv(entries, BE), batch, threads=128) as (bx, by):
            for i in T.Parallel(BE):
                token = Indices[by, bx * BE + i]
                Rows[by, bx * BE + i] = T.if_then_else(
                    token < 0, -1, Table[by, token // page] * page + token % page
                )

    return tilewright.compile(locate, target=target)


def _made(q: Any, batch: tuple[int, ...], k: int, d_v: int, width: int) -> Attended:
    """Outputs that were not given."""
    return Attended(
        empty(q, (*batch, q.shape[-2], d_v)),
        empty(q, (*batch, q.shape[-2]), "f32"),
        empty(q, (*batch, k), "i32"),
        empty(q, (*batch, width), "f32"),
    )


def dsa(
    q: Any,
    kv: Any,
    index_q: Any,
    index_k: Any,
    index_weights: Any,
    *,
    k: int = 2048,
    d_v: int = 512,
    scale: float | None = None,
    index_scale: Any = None,
    starts: Any = None,
    ends: Any = None,
    made: Attended | None = None,
    target: str = "cpu",
) -> Attended:
    """Attention of each query over the k tokens that its indexer prefers.

    Shapes and dtypes are those of the module's docstring; outputs are made where not
    given. Raises ValueError where shapes or dtypes do not fit together.
    """
    s_q, s_kv = q.shape[0], kv.shape[0]
    require(
        index_k.shape[0] == s_kv, f"index_k has {index_k.shape[0]} rows and kv {s_kv}: as many"
    )
    if starts is None:
        starts = full(q, (s_q,), 0, "i32")
    if ends is None:
        ends = full(q, (s_q,), s_kv, "i32")
    if made is None:
        made = _made(q, (s_q,), k, d_v, s_kv)
    options = {"starts": starts, "ends": ends, "target": target}
    indexing.indexer(
        index_q, index_k, index_weights, k_scale=index_scale, logits=made.logits, **options
    )
    selecting.topk(made.logits, k, indices=made.indices, **options)
    count = (ends.clip(max=s_kv) - starts.clip(min=0)).clip(0, k)
    attending.sparse_mla(
        q,
        kv,
        made.indices,
        d_v=d_v,
        scale=scale,
        topk_length=count,
        out=made.out,
        lse=made.lse,
        target=target,
    )
    return made


def paged_dsa(
    q: Any,
    cache: Any,
    index_q: Any,
    index_cache: Any,
    index_weights: Any,
    lengths: Any,
    table: Any,
    *,
    k: int = 2048,
    d_v: int = 512,
    scale: float | None = None,
    index_scale: Any = None,
    made: Attended | None = None,
    target: str = "cpu",
) -> Attended:
    """Attention of each request's queries over the k tokens that its indexer prefers.

    Shapes and dtypes are those of the module's docstring; outputs are made where not
    given. `cache` has nothing between its blocks. Raises ValueError where shapes or dtypes
    do not fit together.
    """
    (batch, s_q, heads, d), (blocks, page) = q.shape, cache.shape[:2]
    require(index_cache.shape[1] == page, f"pages of {page} and, in index_cache, another size")
    width = table.shape[1] * page
    if made is None:
        made = _made(q, (batch, s_q), k, d_v, width)
    indexing.paged_indexer(
        index_q,
        index_cache,
        index_weights,
        lengths,
        table,
        cache_scale=index_scale,
        logits=made.logits,
        target=target,
    )
    queries = batch * s_q
    ends = empty(lengths, (batch, s_q))
    for i in range(s_q):
        ends[:, i] = lengths - (s_q - 1 - i)
    ends = reshaped(ends, (queries,))
    indices = reshaped(made.indices, (queries, k))
    logits = reshaped(made.logits, (queries, width))
    selecting.topk(logits, k, ends=ends, indices=indices, target=target)
    rows = empty(indices, (queries, k))
    locate = locate_kernel(page, target)
    by_request = [reshaped(a, (batch, s_q * k)) for a in (indices, rows)]
    locate(by_request[0], table, by_request[1])
    attending.sparse_mla(
        reshaped(q, (queries, heads, d)),
        reshaped(cache, (blocks * page, d)),
        rows,
        d_v=d_v,
        scale=scale,
        topk_length=ends.clip(0, k),
        out=reshaped(made.out, (queries, heads, d_v)),
        lse=reshaped(made.lse, (queries, heads)),
        target=target,
    )
    return made
