# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Softmax over rows.

    out[i, j] = exp(x[i, j] - max_j x[i, j]) / sum_j exp(x[i, j] - max_j x[i, j])

    x, out   [rows, n]   f32, bf16 or f16

Computed in f32 and rounded once. Infinities and NaN follow from the formula: a row whose
largest value is infinite (of either sign), or that holds a NaN, is NaN throughout.
`rows` is dynamic, n static.

Bound: relative error e_j + sum_j out_j e_j + gamma_n + 4u with e_j = 4u |x_j - max| + 6u,
and values below the smallest normal f32 may be flushed.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.testing import (
    EXP_ULPS,
    U32,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    gamma,
    numpy_dtype,
    output_rounding,
    smallest_normal,
)
from tilewright.testing.peers import numpy_peer, torch_peer

LOG2E = math.log2(math.e)

# A row up to this long is one tile; a longer one is walked in steps of COLUMNS.
WHOLE_ROW = 8192
COLUMNS = 2048
# Short rows share a block of at least this many elements.
BLOCK_ELEMENTS = 4096

BOUND = "out_j (e_j + sum_j out_j e_j + gamma_n + 4u) + u(out) out_j, e_j = 4u |x_j - max| + 6u"


def reference(x: np.ndarray) -> np.ndarray:
    """The definition in float64."""
    with np.errstate(invalid="ignore"):
        x = x.astype(np.float64)
        weights = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
        return weights / weights.sum(-1, keepdims=True)


@functools.cache
def softmax_kernel(n: int, dtype: str, target: str) -> Any:
    """The compiled softmax of rows of `n` elements, any number of them."""
    rows = T.dynamic("rows")
    whole = n <= WHOLE_ROW
    BN = n if whole else COLUMNS
    BM = max(1, BLOCK_ELEMENTS // BN)

    @T.prim_func
    def softmax_row(X: T.Tensor((rows, n), dtype), Out: T.Tensor((rows, n), dtype)):
        with T.Kernel(T.ceildiv(rows, BM), threads=256) as bx:
            x = T.alloc_fragment((BM, BN), "f32")
            peak = T.alloc_fragment((BM,), "f32")
            total = T.alloc_fragment((BM,), "f32")
            T.copy(X[bx * BM, 0], x)
            T.reduce_max(x, peak, dim=1)
            for i, j in T.Parallel(BM, BN):
                x[i, j] = T.exp2((x[i, j] - peak[i]) * LOG2E)
            T.reduce_sum(x, total, dim=1)
            for i in T.Parallel(BM):
                total[i] = 1 / total[i]
            for i, j in T.Parallel(BM, BN):
                x[i, j] *= total[i]
            T.copy(x, Out[bx * BM, 0])

    @T.prim_func
    def softmax_long_row(X: T.Tensor((rows, n), dtype), Out: T.Tensor((rows, n), dtype)):
        with T.Kernel(T.ceildiv(rows, BM), threads=256) as bx:
            x = T.alloc_fragment((BM, BN), "f32")
            peak = T.alloc_fragment((BM,), "f32")
            total = T.alloc_fragment((BM,), "f32")
            T.fill(peak, -T.infinity("f32"))
            for step in T.serial(T.ceildiv(n, BN)):
                for i, j in T.Parallel(BM, BN):
                    column = step * BN + j
                    x[i, j] = T.if_then_else(
                        column < n, T.cast(X[bx * BM + i, column], "f32"), -T.infinity("f32")
                    )
                T.reduce_max(x, peak, dim=1, clear=False)
            T.clear(total)
            for step in T.serial(T.ceildiv(n, BN)):
                for i, j in T.Parallel(BM, BN):
                    column = step * BN + j
                    x[i, j] = T.if_then_else(
                        column < n, T.exp2((X[bx * BM + i, column] - peak[i]) * LOG2E), 0
                    )
                T.reduce_sum(x, total, dim=1, clear=False)
            for i in T.Parallel(BM):
                total[i] = 1 / total[i]
            for step in T.serial(T.ceildiv(n, BN)):
                T.copy(X[bx * BM, step * BN], x)
                for i, j in T.Parallel(BM, BN):
                    x[i, j] = T.exp2((x[i, j] - peak[i]) * LOG2E) * total[i]
                T.copy(x, Out[bx * BM, step * BN])

    return tilewright.compile(softmax_row if whole else softmax_long_row, target=target)


def softmax(x: Any, *, out: Any = None, target: str = "cpu") -> Any:
    """Softmax over the last dimension of `x` [rows, n], written to `out` and returned.

    `out` has x's shape and dtype and is made where not given. Raises ValueError for other
    ranks and dtypes.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"softmax takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 2, f"softmax takes [rows, n], not {len(x.shape)} dimensions")
    out = empty(x, tuple(x.shape)) if out is None else out
    if 0 not in x.shape:
        softmax_kernel(x.shape[1], dtype, target)(x, out)
    return out


def _peers() -> tuple[Peer, ...]:
    def numpy_softmax(x: np.ndarray) -> Callable[[], Any]:
        out = np.empty_like(x)

        def run() -> np.ndarray:
            np.subtract(x, x.max(-1, keepdims=True), out=out)
            np.exp(out, out=out)
            return np.divide(out, out.sum(-1, keepdims=True), out=out)

        return run

    def torch_softmax(x: Any) -> Callable[[], Any]:
        import torch

        return lambda: torch.softmax(x, -1)

    def torch_softmax_out(x: Any) -> Callable[[], Any]:
        import torch

        out = torch.empty_like(x)
        return lambda: torch.softmax(x, -1, out=out)

    return (
        numpy_peer("subtract, exp, divide in f32", numpy_softmax, "f32"),
        torch_peer("softmax", torch_softmax),
        torch_peer("softmax, out given", torch_softmax_out),
    )


def make_case(
    name: str,
    rows: int,
    n: int,
    dtype: str = "f32",
    *,
    spread: float = 4.0,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Rows of normal values times `spread`; `spoil` puts hostile values into them."""
    made = numpy_dtype(dtype)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = (spread * rng.standard_normal((rows, n), np.float32)).astype(made)
        if spoil:
            spoil(x)
        return {"x": x}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        y = reference(inputs["x"])
        with np.errstate(invalid="ignore"):
            x = inputs["x"].astype(np.float64)
            depth = np.abs(x - x.max(-1, keepdims=True, initial=-np.inf))
            exponent = np.where(y > 0, 4 * U32 * depth, 0.0) + (EXP_ULPS + 2) * U32
            mean = (y * exponent).sum(-1, keepdims=True)
            relative = exponent + mean + gamma(max(n, 1)) + 4 * U32
            error = y * relative + smallest_normal("f32")
        return {"out": Expected(y, output_rounding(y, error, dtype))}

    return Case(
        kernel="softmax",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((rows, n), made)},
        expect=expect,
        run=lambda target, inputs, outputs: softmax(**inputs, **outputs, target=target),
        bound=BOUND,
        flops=5 * rows * n,
        bytes=2 * rows * n * made.itemsize,
        macs=rows * n,
        peers=_peers() if peers else (),
    )


def _hostile(x: np.ndarray) -> None:
    """NaN, infinities, all -inf, all equal, and values far apart, each in a row."""
    x[0, 3] = np.nan
    x[1, ::2] = -np.inf
    x[2] = -np.inf
    x[3, 1] = np.inf
    x[4] = 3.0
    x[5], x[5, 2] = -1e4, 1e4
    x[6, 0] = -np.inf


def _late_peak(x: np.ndarray) -> None:
    """Rows that begin with more -inf than one step holds, and whose peak comes last."""
    x[0, :3000] = -np.inf
    x[1, -1] = 50.0
    x[2, 5000] = np.nan


def verify_cases() -> list[Case]:
    """Small, odd and hostile rows."""
    return [
        *(make_case("odd", 37, 131, d) for d in ("f32", "bf16", "f16")),
        *(make_case(f"n{n}", 5, n) for n in (1, 2, 24, 100, 136, 1000)),
        *(make_case("hostile", 9, 45, d, spoil=_hostile) for d in ("f32", "bf16", "f16")),
        make_case("wide_spread", 6, 200, spread=60.0),
        *(make_case("long_row", 3, 10007, d) for d in ("f32", "bf16")),
        make_case("long_row_late_peak", 3, 9000, spoil=_late_peak),
        make_case("no_rows", 0, 16),
        make_case("no_columns", 4, 0),
    ]


def bench_cases() -> list[Case]:
    """The sizes of the benchmark table."""
    return [make_case("r4096_n4096", 4096, 4096, d, peers=True) for d in ("f32", "bf16")]
