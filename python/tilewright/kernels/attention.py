# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Attention, forward, with an online softmax (FlashAttention-2, arXiv 2307.08691).

    s[i, j] = scale q[b, h, i] . k[b, g, j]      g = h // (heads / kv_heads)
    out[b, h, i] = sum_j softmax_j(s[i]) v[b, g, j]        over the keys that i sees
    lse[b, h, i] = log sum_j exp s[i, j]                   natural logarithm

    q          [batch, heads, s_q, d]         f32, bf16 or f16
    k          [batch, kv_heads, s_kv, d]     the dtype of q
    v          [batch, kv_heads, s_kv, d_v]   the dtype of q; d_v is often d, MLA's 128 and 192
    q_lengths  [batch] i32                    queries of each request, s_q where not given
    kv_lengths [batch] i32                    keys of each request, s_kv where not given
    out        [batch, heads, s_q, d_v]       the dtype of q
    lse        [batch, heads, s_q]            f32

The last dimension of q, k, v and out is contiguous, and the others have any strides: what a
projection gives as [batch, s, heads, d] is taken transposed, without a copy.

Query i sees the keys j < kv_length; with `causal`, of those j <= kv_length - q_length + i:
the last query sees every key. A query that sees no key, and one past its q_length, gives
out 0 and lse +inf, as in FlashAttention. What lies past a length is never used and may
hold anything, NaN included.

Scores are accumulated in f32, probabilities are rounded to the dtype before they meet the
values, the sums are kept in f32. d, d_v, heads and kv_heads are static, the rest dynamic.

Bound of out and lse: `tilewright.testing.ATTENTION_BOUND`.
"""

from __future__ import annotations

import functools
import math
from typing import Any, NamedTuple

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import (
    address_of,
    dtype_of,
    empty,
    full,
    require,
    row_bounds,
    strides_of,
)
from tilewright.kernels.online_softmax import FLOOR, LN2, absorb, normalise, scale_in_log2
from tilewright.testing.attend import Attended, attend
from tilewright.testing.threads import on_all_cores


def visible_keys(s_q: int, q_length: int, kv_length: int, causal: bool) -> np.ndarray:
    """How many keys each of `s_q` queries sees."""
    row = np.arange(s_q)
    seen = np.clip(kv_length - q_length + row + 1, 0, kv_length) if causal else kv_length
    return np.where(row < q_length, seen, 0)


def attend_all(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    q_lengths: np.ndarray,
    kv_lengths: np.ndarray,
    *,
    causal: bool = False,
    scale: float | None = None,
    dtype: str = "f32",
) -> list[list[Attended]]:
    """The definition in float64 with its bounds, for each request and head."""
    batch, heads, s_q, d = q.shape
    group = heads // k.shape[1]
    scale = d**-0.5 if scale is None else scale
    keys = np.arange(k.shape[2])
    found = []
    for b in range(batch):
        seen = visible_keys(s_q, int(q_lengths[b]), int(kv_lengths[b]), causal)
        valid = keys < seen[:, None]
        rows = np.where(seen[:, None] > 0, q[b].astype(np.float64), 0.0)

        def head(h: int, b: int = b, rows: Any = rows, valid: Any = valid) -> Attended:
            return attend(rows[h], k[b, h // group], v[b, h // group], valid, scale, dtype)

        found.append(on_all_cores(head, range(heads)))
    return found


def reference(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    q_lengths: np.ndarray,
    kv_lengths: np.ndarray,
    *,
    causal: bool = False,
    scale: float | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """`out` and `lse` of the definition in float64."""
    found = attend_all(q, k, v, q_lengths, kv_lengths, causal=causal, scale=scale)
    out = np.array([[head.out.value for head in heads] for heads in found])
    lse = np.array([[head.lse.value for head in heads] for heads in found])
    return out.reshape(*q.shape[:3], v.shape[3]), lse.reshape(q.shape[:3])


#: Strides of 16 bytes of bf16: threads of a GPU then take neighbours together.
ALIGNED_ELEMENTS = 8


class Geometry(NamedTuple):
    """What an attention kernel is compiled for; batch and lengths stay dynamic.

    `rows` is the most query rows of a block, `of_request` bound those of a request. All strides
    are multiples of `step` elements, and tensors are contiguous where it is 0.
    """

    heads: int
    kv_heads: int
    d: int
    d_v: int
    dtype: str
    causal: bool
    rows: int
    of_request: tuple[int, int | None]
    step: int


@functools.cache
def attention_kernel(geometry: Geometry, target: str) -> Any:
    """The compiled attention of one geometry."""
    heads, kv_heads, d, d_v, dtype, causal, rows, of_request, multiple = geometry
    batch, s_kv = T.dynamic("batch"), T.dynamic("s_kv")
    s_q = T.dynamic("s_q", min=of_request[0], max=of_request[1])
    group = heads // kv_heads
    # Heads whose blocks of the same rows start together. Causal blocks differ in their work,
    # and those with the most of it are to start first: not only of a head, but of as many
    # heads as give each multiprocessor a block. Keys and values of so many stay in a cache.
    on_gpu = not target.startswith("cpu")
    together = math.gcd(heads, 8) if causal and on_gpu else 1
    parts = heads // together

    def tensor(name: str, *shape: Any) -> Any:
        if not multiple:
            return T.Tensor(shape, dtype)
        steps = (T.dynamic(f"{name}_{axis}", multiple_of=multiple) for axis in "bhs")
        return T.StridedTensor(shape, (*steps, 1), dtype)

    @T.prim_func
    def attention(
        Q: tensor("q", batch, heads, s_q, d),
        K: tensor("k", batch, kv_heads, s_kv, d),
        V: tensor("v", batch, kv_heads, s_kv, d_v),
        QLengths: T.Tensor((batch,), "i32"),
        KVLengths: T.Tensor((batch,), "i32"),
        scale_log2: T.float32,
        Out: tensor("out", batch, heads, s_q, d_v),
        Lse: T.Tensor((batch, heads, s_q), "f32"),
    ):
        BM = T.choose("BM", [m for m in (128, 64, 32, 8, 1) if m <= rows])
        # The keys past the last whole tile cost a query by itself more than all others.
        BN = T.choose("BN", [64, 32] if rows > 1 else [16])
        with T.Kernel(together, T.ceildiv(s_q, BM), parts * batch) as (member, block, rest):
            by = rest % parts * together + member
            bz = rest // parts
            q_tile = T.alloc_shared((BM, d), dtype)
            k_tile = T.alloc_shared((BN, d), dtype)
            v_tile = T.alloc_shared((BN, d_v), dtype)
            prob = T.alloc_fragment((BM, BN), dtype)
            score = T.alloc_fragment((BM, BN), "f32")
            acc = T.alloc_fragment((BM, d_v), "f32")
            peak = T.alloc_fragment((BM,), "f32")
            before = T.alloc_fragment((BM,), "f32")
            total = T.alloc_fragment((BM,), "f32")
            step_total = T.alloc_fragment((BM,), "f32")

            # The last rows of a causal block see the most keys: they start first.
            row = (T.ceildiv(s_q, BM) - 1 - block) * BM
            q_length = QLengths[bz]
            kv_length = KVLengths[bz]
            # Query i of the block sees keys below `seen` + i, and below kv_length.
            seen = kv_length - q_length + row + 1 if causal else kv_length
            keys = T.min(kv_length, seen + BM - 1)
            steps = T.if_then_else(row < q_length, T.ceildiv(T.max(keys, 0), BN), 0)

            T.copy(Q[bz, by, row, 0], q_tile)
            T.clear(acc)
            T.clear(total)
            T.fill(peak, FLOOR)
            for step in T.Pipelined(steps, num_stages=2):
                start = step * BN
                T.copy(K[bz, by // group, start, 0], k_tile)
                T.copy(V[bz, by // group, start, 0], v_tile)
                if start + BN > kv_length:
                    # Values past the length may be NaN, which a weight of 0 does not hide.
                    for j, c in T.Parallel(BN, d_v):
                        if start + j >= kv_length:
                            v_tile[j, c] = 0
                T.gemm(q_tile, k_tile, score, transpose_B=True, clear_accum=True)
                if start + BN > T.min(seen, kv_length):
                    for i, j in T.Parallel(BM, BN):
                        limit = T.min(seen + i, kv_length) if causal else kv_length
                        if start + j >= limit:
                            score[i, j] = -T.infinity("f32")
                absorb(
                    score, prob, acc, peak, before, total, step_total, scale_log2, BM, BN, d_v
                )
                T.gemm(prob, v_tile, acc)
            for i in T.Parallel(BM):
                if row + i >= q_length:
                    total[i] = 0
            normalise(acc, total, BM, d_v)
            T.copy(acc, Out[bz, by, row, 0])
            for i in T.Parallel(BM):
                Lse[bz, by, row + i] = T.if_then_else(
                    total[i] == 0,
                    T.infinity("f32"),
                    (peak[i] * scale_log2 + T.log2(total[i])) * LN2,
                )

    return tilewright.compile(attention, target=target)


def attention(
    q: Any,
    k: Any,
    v: Any,
    *,
    causal: bool = False,
    scale: float | None = None,
    q_lengths: Any = None,
    kv_lengths: Any = None,
    out: Any = None,
    lse: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """softmax(scale q k^T) v for each head; gives `out` and `lse`, made where not given.

    Shapes, dtypes and strides are those of the module's docstring; heads is a multiple of
    kv_heads. `scale` is d^-0.5 where not given, and positive. Raises ValueError where it is
    not, or where shapes, strides or dtypes do not fit together.
    """
    dtype = dtype_of(q)
    require(dtype in ("f32", "bf16", "f16"), f"attention takes f32, bf16 or f16, not {dtype}")
    require(
        len(q.shape) == len(k.shape) == len(v.shape) == 4, "q, k and v have four dimensions"
    )
    batch, heads, s_q, d = q.shape
    kv_heads, s_kv = k.shape[1:3]
    require(
        tuple(k.shape[:3]) == tuple(v.shape[:3]),
        f"k is {tuple(k.shape)} and v {tuple(v.shape)}: they may differ in d alone",
    )
    require(k.shape[0] == batch, f"q has batch {batch} and k {k.shape[0]}: make them the same")
    require(k.shape[3] == d, f"q has d = {d} and k has {k.shape[3]}: make them the same")
    require(
        kv_heads > 0 and heads % kv_heads == 0,
        f"{heads} query heads cannot share {kv_heads} key heads: give a multiple of them",
    )
    out = empty(q, (batch, heads, s_q, v.shape[3])) if out is None else out
    lse = empty(q, (batch, heads, s_q), "f32") if lse is None else lse
    if q_lengths is None:
        q_lengths = full(q, (batch,), s_q, "i32")
    if kv_lengths is None:
        kv_lengths = full(q, (batch,), s_kv, "i32")
    scale_log2 = scale_in_log2(scale, d)
    rows = (1 if s_q == 1 else 8 if s_q <= 8 else 128) if target.startswith("cpu") else 128
    geometry = Geometry(
        heads,
        kv_heads,
        d,
        v.shape[3],
        dtype,
        causal,
        rows,
        row_bounds(s_q, rows, target),
        common_step({"q": q, "k": k, "v": v, "out": out}),
    )
    attention_kernel(geometry, target)(q, k, v, q_lengths, kv_lengths, scale_log2, out, lse)
    return out, lse


def common_step(arrays: dict[str, Any]) -> int:
    """0 where all arrays are contiguous; else what their strides are multiples of.

    Raises ValueError where the last dimension of one is not contiguous.
    """
    contiguous, aligned = True, True
    for name, array in arrays.items():
        shape, strides = array.shape, strides_of(array)
        require(
            shape[-1] <= 1 or strides[-1] == 1,
            f"the last dimension of {name} has stride {strides[-1]} and must have 1",
        )
        outer = [step for size, step in zip(shape[:-1], strides, strict=False) if size > 1]
        dense = [math.prod(shape[at + 1 :]) for at in range(3) if shape[at] > 1]
        contiguous &= outer == dense or 0 in shape
        aligned &= address_of(array) % 16 == 0
        aligned &= all(step % ALIGNED_ELEMENTS == 0 for step in outer)
    return 0 if contiguous else ALIGNED_ELEMENTS if aligned else 1
