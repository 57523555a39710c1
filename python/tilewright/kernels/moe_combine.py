# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Weighted sum of the experts' rows of each token, after the grouped GEMMs.

The reduction of TileKernels (reduce_fused):

    out[t, :] = addend[t, :] + sum_k weights[t, k] * rows[positions[t, k], :]

    rows      [places, hidden]   bf16, f16 or f32
    weights   [tokens, top_k] f32
    positions [tokens, top_k] i32   as moe_permute gives them; -1 adds nothing
    addend    [tokens, hidden]   of rows' dtype, optional (the shared experts' output)
    out       [tokens, hidden]   of rows' dtype

Summed in f32 in the order of k, then the addend, and rounded once. Rows that no position
names are never used and may hold anything.

Bound: `BOUND`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.testing import (
    Case,
    Expected,
    Spec,
    Tensors,
    gamma,
    numpy_dtype,
    output_rounding,
)
from tilewright.testing.peers import numpy_peer, torch_peer

BOUND = "gamma_(top_k + 2) (sum |weights| |rows| + |addend|) + u(out) |out|"


def reference(
    rows: np.ndarray,
    weights: np.ndarray,
    positions: np.ndarray,
    addend: np.ndarray | None = None,
) -> np.ndarray:
    """`out` of the definition in float64, one token at a time."""
    out = np.zeros((len(positions), rows.shape[1]))
    for t, places in enumerate(positions):
        for k, place in enumerate(places):
            if place >= 0:
                out[t] += float(weights[t, k]) * rows[place].astype(np.float64)
    return out if addend is None else out + addend.astype(np.float64)


@functools.cache
def moe_combine_kernel(
    top_k: int, hidden: int, with_addend: bool, dtype: str, target: str
) -> Any:
    """The compiled kernel of one model; the number of tokens stays dynamic."""
    places, tokens, addends = T.dynamic("places"), T.dynamic("tokens"), T.dynamic("addends")
    BH = min(hidden, 512)

    @T.prim_func
    def moe_combine(
        Rows: T.Tensor([places, hidden], dtype),
        Weights: T.Tensor([tokens, top_k], T.float32),
        Positions: T.Tensor([tokens, top_k], T.int32),
        Addend: T.Tensor([addends, hidden], dtype),
        Out: T.Tensor([tokens, hidden], dtype),
    ):
        BT = T.choose("BT", [8, 4])
        with T.Kernel(T.ceildiv(hidden, BH), T.ceildiv(tokens, BT), threads=128) as (bx, by):
            acc = T.alloc_fragment([BT, BH], T.float32)
            tile = T.alloc_shared([BT, BH], dtype)
            place = T.alloc_shared([BT], T.int32)
            weight = T.alloc_fragment([BT], T.float32)
            T.clear(acc)
            for k in T.serial(top_k):
                for t in T.Parallel(BT):
                    place[t] = T.if_then_else(
                        by * BT + t < tokens, Positions[by * BT + t, k], -1
                    )
                    weight[t] = Weights[by * BT + t, k]
                T.gather(Rows[0, bx * BH], place, tile)
                for t, h in T.Parallel(BT, BH):
                    acc[t, h] += weight[t] * tile[t, h]
            if with_addend:
                T.copy(Addend[by * BT, bx * BH], tile)
                for t, h in T.Parallel(BT, BH):
                    acc[t, h] += tile[t, h]
            T.copy(acc, Out[by * BT, bx * BH])

    return tilewright.compile(moe_combine, target=target)


def moe_combine(
    rows: Any,
    weights: Any,
    positions: Any,
    addend: Any = None,
    *,
    out: Any = None,
    target: str = "cpu",
) -> Any:
    """The weighted sum of each token's rows, plus `addend`: `out` [tokens, hidden].

    Shapes and dtypes are those of the module's docstring; `out` is made where not given.
    Raises ValueError where shapes or dtypes do not fit together.
    """
    (tokens, top_k), hidden = weights.shape, rows.shape[1]
    dtype = dtype_of(rows)
    require(dtype in ("bf16", "f16", "f32"), f"rows are {dtype} and must be bf16, f16 or f32")
    if out is None:
        out = empty(rows, (tokens, hidden))
    kernel = moe_combine_kernel(top_k, hidden, addend is not None, dtype, target)
    # Where there is no addend nothing reads it: any array of the right type stands in.
    kernel(rows, weights, positions, rows if addend is None else addend, out)
    return out


def _case(
    name: str,
    tokens: int,
    top_k: int,
    hidden: int,
    *,
    dtype: str = "bf16",
    unused: int = 3,
    dropped: float = 0.0,
    with_addend: bool = False,
) -> Case:
    """The record of one sum: `unused` rows hold NaN, a `dropped` share of entries is -1."""

    def place(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        places = tokens * top_k + unused
        positions = rng.permutation(places)[: tokens * top_k].astype(np.int32)
        positions[rng.random(len(positions)) < dropped] = -1
        free = np.setdiff1d(np.arange(places), positions)
        return positions.reshape(tokens, top_k), free

    def finish(rng: np.random.Generator, rows: np.ndarray, weights: np.ndarray) -> Tensors:
        positions, free = place(rng)
        rows = rows.astype(numpy_dtype(dtype))
        rows[free] = np.nan
        inputs = {"rows": rows, "weights": weights, "positions": positions}
        if with_addend:
            addend = rng.integers(-8, 9, (tokens, hidden))
            inputs["addend"] = addend.astype(numpy_dtype(dtype))
        return inputs

    def make_inputs(rng: np.random.Generator) -> Tensors:
        rows = rng.standard_normal((tokens * top_k + unused, hidden), np.float32)
        return finish(rng, rows, rng.random((tokens, top_k), np.float32))

    def integers(rng: np.random.Generator) -> Tensors:
        rows = rng.integers(-4, 5, (tokens * top_k + unused, hidden))
        weights = rng.choice([-2.0, -1.0, 1.0, 2.0], (tokens, top_k)).astype(np.float32)
        return finish(rng, rows, weights)

    def drop_term(inputs: Tensors) -> Tensors:
        weights = inputs["weights"].copy()
        weights[-1, -1] = 0
        return {**inputs, "weights": weights}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        value = reference(**inputs)
        magnitude = reference(
            **{n: a if n == "positions" else abs(a) for n, a in inputs.items()}
        )
        error = gamma(top_k + 2) * magnitude
        return {"out": Expected(value, output_rounding(value, error, dtype))}

    def run(target: str, inputs: Tensors, results: Tensors) -> None:
        moe_combine(**inputs, **results, target=target)

    itemsize = numpy_dtype(dtype).itemsize
    terms = tokens * (top_k + with_addend)
    exact = () if dropped or not tokens else (integers,)
    return Case(
        kernel="moe_combine",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((tokens, hidden), numpy_dtype(dtype))},
        expect=expect,
        run=run,
        bound=BOUND,
        flops=2 * tokens * top_k * hidden,
        bytes=(terms + tokens) * hidden * itemsize + 8 * tokens * top_k,
        macs=tokens * top_k * hidden,
        integers=exact,
        drop_term=drop_term if exact else None,
        peers=_peers(),
    )


def _peers() -> tuple:
    """Gathered rows, weighted and summed, in NumPy and in PyTorch."""

    def numpy_einsum(rows: Any, weights: Any, positions: Any) -> Callable[[], Any]:
        return lambda: np.einsum("tk,tkh->th", weights, rows[positions])

    def torch_bmm(rows: Any, weights: Any, positions: Any) -> Callable[[], Any]:
        import torch

        weights, places = weights.to(rows.dtype)[:, None], positions.view(-1).long()

        def call() -> Any:
            gathered = rows.index_select(0, places).view(len(positions), -1, rows.shape[1])
            return torch.bmm(weights, gathered)[:, 0]

        return call

    def torch_index_add(rows: Any, weights: Any, positions: Any) -> Callable[[], Any]:
        import torch

        top_k, places = positions.shape[1], positions.view(-1).long()
        tokens = torch.arange(len(places)) // top_k

        def call() -> Any:
            weighted = rows.index_select(0, places).float() * weights.view(-1, 1)
            out = torch.zeros((len(positions), rows.shape[1]))
            return out.index_add_(0, tokens, weighted).to(rows.dtype)

        return call

    return (
        numpy_peer("take and einsum in f32", numpy_einsum, "f32"),
        torch_peer("index_select and bmm", torch_bmm),
        torch_peer("index_select and index_add in f32", torch_index_add),
    )


def verify_cases() -> list[Case]:
    """Odd sizes, dropped entries, unused rows of NaN, an addend."""
    return [
        _case("v2lite", 37, 6, 2048),
        _case("one_token", 1, 6, 520),
        _case("odd", 13, 7, 33, dtype="f32"),
        _case("odd", 5, 1, 577, dtype="f16"),
        _case("dropped_entries", 21, 4, 96, dropped=0.4),
        _case("nothing_kept", 3, 2, 64, dropped=1.1),
        _case("addend", 11, 6, 130, with_addend=True),
        _case("no_tokens", 0, 6, 64),
    ]


def bench_cases() -> list[Case]:
    """The rows of a DeepSeek-V2-Lite layer."""
    return [_case("v2lite_t512", 512, 6, 2048, unused=0)]
