# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sparse multi-head latent attention: each query attends a list of chosen cache rows.

The attention of DeepSeek-V3.2 (DeepSeek Sparse Attention) after its rows were selected,
with the calling convention of FlashMLA's sparse forward. All heads of a query share one
list; the first `d_v` columns of a row are also its values.

    valid[t, j] = 0 <= indices[t, j] < s_kv and j < topk_length[t]
    s[t, h, j]  = scale * q[t, h, :] . kv[indices[t, j], :]    where valid, else -inf
    max_logits[t, h] = max_j s;   lse[t, h] = log sum_j exp s  natural logarithm, f32
    out[t, h, :] = sum_j exp(s - logaddexp(lse, attn_sink[h])) kv[indices[t, j], :d_v]

    q       [s_q, heads, d]    bf16, f16 or f32
    kv      [s_kv, d]          of q's dtype
    indices [s_q, topk] i32    in any order; a row named twice counts twice
    attn_sink [heads] f32      optional: one more logit with no value; -inf does nothing
    topk_length [s_q] i32      optional: entries of each list that count
    out     [s_q, heads, d_v]  of q's dtype

A query with no valid entry gives out 0, max_logits -inf and lse +inf. `lse` leaves the
sink out. There is no causal mask: causality is in the indices. Rows that no valid entry
names are never used and may hold anything.

Scores are accumulated in f32, probabilities are rounded to the dtype before they meet the
values, and the sums are kept in f32; the order depends on nothing but the shape.

Bound of out and lse: `tilewright.testing.ATTENTION_BOUND`, with n the entries of a list.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.kernels.online_softmax import (
    FLOOR,
    LN2,
    LOG2E,
    absorb,
    normalise,
    scale_in_log2,
)


def reference(
    q: np.ndarray,
    kv: np.ndarray,
    indices: np.ndarray,
    *,
    d_v: int = 512,
    scale: float | None = None,
    attn_sink: np.ndarray | None = None,
    topk_length: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`out`, `max_logits` and `lse` of the definition in float64, one query at a time."""
    s_q, heads, d = q.shape
    scale = d**-0.5 if scale is None else scale
    out = np.zeros((s_q, heads, d_v))
    max_logits = np.full((s_q, heads), -np.inf)
    lse = np.full((s_q, heads), np.inf)
    for t in range(s_q):
        chosen = indices[t] if topk_length is None else indices[t, : topk_length[t]]
        chosen = chosen[(chosen >= 0) & (chosen < len(kv))]
        if len(chosen) == 0:
            continue
        rows = kv[chosen].astype(np.float64)
        scores = scale * q[t].astype(np.float64) @ rows.T
        max_logits[t] = scores.max(1)
        weights = np.exp(scores - max_logits[t][:, None])
        lse[t] = max_logits[t] + np.log(weights.sum(1))
        with_sink = lse[t] if attn_sink is None else np.logaddexp(lse[t], attn_sink)
        out[t] = np.exp(scores - with_sink[:, None]) @ rows[:, :d_v]
    return out, max_logits, lse


@functools.cache
def sparse_mla_kernel(heads: int, d_v: int, d_rope: int, dtype: str, target: str) -> Any:
    """The compiled kernel of one head geometry; queries, rows and list length stay dynamic."""
    d = d_v + d_rope
    s_q, s_kv, topk = T.dynamic("s_q"), T.dynamic("s_kv"), T.dynamic("topk")
    # A CPU's tiles are in L2, and the more heads share a block, the fewer blocks gather and
    # pack a query's rows.
    tallest = (128,) if target.startswith("cpu") else ()
    row_tiles = [m for m in (*tallest, 64, 32, 16, 8) if m <= 16 or m < 2 * heads]

    @T.prim_func
    def sparse_mla(
        Q: T.Tensor([s_q, heads, d], dtype),
        KV: T.Tensor([s_kv, d], dtype),
        Indices: T.Tensor([s_q, topk], T.int32),
        Length: T.Tensor([s_q], T.int32),
        Sink: T.Tensor([heads], T.float32),
        scale_log2: T.float32,
        Out: T.Tensor([s_q, heads, d_v], dtype),
        MaxLogits: T.Tensor([s_q, heads], T.float32),
        Lse: T.Tensor([s_q, heads], T.float32),
    ):
        BM = T.choose("BM", row_tiles)
        BN = T.choose("BN", [64, 32, 16, 8])
        with T.Kernel(T.ceildiv(heads, BM), s_q) as (bx, by):
            q_latent = T.alloc_shared([BM, d_v], dtype)
            q_rope = T.alloc_shared([BM, d_rope], dtype)
            latent = T.alloc_shared([BN, d_v], dtype)
            rope = T.alloc_shared([BN, d_rope], dtype)
            chosen = T.alloc_shared([BN], T.int32)
            prob = T.alloc_fragment([BM, BN], dtype)
            score = T.alloc_fragment([BM, BN], T.float32)
            acc = T.alloc_fragment([BM, d_v], T.float32)
            peak = T.alloc_fragment([BM], T.float32)
            before = T.alloc_fragment([BM], T.float32)
            total = T.alloc_fragment([BM], T.float32)
            step_total = T.alloc_fragment([BM], T.float32)

            T.copy(Q[by, bx * BM, 0], q_latent)
            T.copy(Q[by, bx * BM, d_v], q_rope)
            T.clear(acc)
            T.clear(total)
            T.fill(peak, FLOOR)
            length = T.min(Length[by], topk)
            for step in T.Pipelined(T.ceildiv(length, BN), num_stages=2):
                start = step * BN
                for j in T.Parallel(BN):
                    index = Indices[by, start + j]
                    chosen[j] = T.if_then_else(start + j < length and index < s_kv, index, -1)
                # Entries that do not count give zero rows, which no probability touches.
                T.gather(KV[0, 0], chosen, latent)
                T.gather(KV[0, d_v], chosen, rope)
                T.gemm(q_latent, latent, score, transpose_B=True, clear_accum=True)
                T.gemm(q_rope, rope, score, transpose_B=True)
                for i, j in T.Parallel(BM, BN):
                    score[i, j] = T.if_then_else(
                        chosen[j] >= 0, score[i, j], -T.infinity(T.float32)
                    )
                absorb(
                    score, prob, acc, peak, before, total, step_total, scale_log2, BM, BN, d_v
                )
                T.gemm(prob, latent, acc)

            for i in T.Parallel(BM):
                head = bx * BM + i
                seen = total[i] > 0
                MaxLogits[by, head] = T.if_then_else(
                    seen, peak[i] * scale_log2 * LN2, -T.infinity(T.float32)
                )
                Lse[by, head] = T.if_then_else(
                    seen,
                    (peak[i] * scale_log2 + T.log2(total[i])) * LN2,
                    T.infinity(T.float32),
                )
                # The sink adds to the divisor only; a row that saw no key stays at 0.
                total[i] = T.if_then_else(
                    seen, total[i] + T.exp2(Sink[head] * LOG2E - peak[i] * scale_log2), 0
                )
            normalise(acc, total, BM, d_v)
            T.copy(acc, Out[by, bx * BM, 0])

    return tilewright.compile(sparse_mla, target=target)


def sparse_mla(
    q: Any,
    kv: Any,
    indices: Any,
    *,
    d_v: int = 512,
    scale: float | None = None,
    attn_sink: Any = None,
    topk_length: Any = None,
    out: Any = None,
    max_logits: Any = None,
    lse: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any, Any]:
    """Attention of each query over its chosen rows: (`out`, `max_logits`, `lse`).

    Shapes and dtypes are those of the module's docstring; `scale` is d ** -0.5 where not
    given, and positive; outputs are made where not given. Raises ValueError where scale is
    not, or where shapes or dtypes do not fit together.
    """
    s_q, heads, d = q.shape
    dtype = dtype_of(q)
    require(dtype in ("bf16", "f16", "f32"), f"q is {dtype} and must be bf16, f16 or f32")
    require(0 < d_v < d, f"d_v is {d_v} and must be less than the {d} columns of q")
    if attn_sink is None:
        attn_sink = empty(q, (heads,), "f32")
        attn_sink[...] = -math.inf
    if topk_length is None:
        topk_length = empty(q, (s_q,), "i32")
        topk_length[...] = indices.shape[1]
    if out is None:
        out = empty(q, (s_q, heads, d_v))
    if max_logits is None:
        max_logits = empty(q, (s_q, heads), "f32")
    if lse is None:
        lse = empty(q, (s_q, heads), "f32")
    scale_log2 = scale_in_log2(scale, d)
    kernel = sparse_mla_kernel(heads, d_v, d - d_v, dtype, target)
    kernel(q, kv, indices, topk_length, attn_sink, scale_log2, out, max_logits, lse)
    return out, max_logits, lse
