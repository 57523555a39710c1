# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Root-mean-square normalisation of rows (Zhang and Sennrich, arXiv 1910.07467).

    out[i, j] = x[i, j] * rsqrt(mean_j x[i, j]^2 + eps) * weight[j]

    x, out   [rows, n]   f32, bf16 or f16
    weight   [n]         the dtype of x

Computed in f32 and rounded once, after the weight. `rows` is dynamic, n and eps static.

Bound: |out| (gamma_(n+4) / 2 + 8u) + u(out) |out|, and inputs below the smallest normal f32
may be read as zero.
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
    RSQRT_ULPS,
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

EPS = 1e-6

# A row up to this long is one tile; a longer one is walked in steps of COLUMNS.
WHOLE_ROW = 8192
COLUMNS = 2048
# Short rows share a block of at least this many elements.
BLOCK_ELEMENTS = 4096

BOUND = "|out| (gamma_(n+4) / 2 + 8u) + u(out) |out|"


def reference(x: np.ndarray, weight: np.ndarray, eps: float = EPS) -> np.ndarray:
    """The definition in float64."""
    x = x.astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean = np.mean(x * x, -1, keepdims=True)
        return x * (1 / np.sqrt(mean + eps)) * weight.astype(np.float64)


def bound(x: np.ndarray, weight: np.ndarray, y: np.ndarray, dtype: str) -> np.ndarray:
    """How far a result may be from `y`, the reference of `x` and `weight`; all in float64."""
    with np.errstate(invalid="ignore"):
        factor = 1 / np.sqrt(np.mean(x * x, -1, keepdims=True) + EPS)
        flushed = smallest_normal("f32") * (1 + factor * np.abs(weight))
        relative = gamma(x.shape[-1] + 4) / 2 + (RSQRT_ULPS + 4) * U32
        return output_rounding(y, np.abs(y) * relative + flushed, dtype)


@functools.cache
def rmsnorm_kernel(n: int, dtype: str, eps: float, target: str) -> Any:
    """The compiled normalisation of rows of `n` elements, any number of them."""
    rows = T.dynamic("rows")
    whole = n <= WHOLE_ROW
    BN = n if whole else COLUMNS
    BM = max(1, BLOCK_ELEMENTS // BN)

    @T.prim_func
    def rmsnorm_row(
        X: T.Tensor((rows, n), dtype),
        Weight: T.Tensor((n,), dtype),
        Out: T.Tensor((rows, n), dtype),
    ):
        with T.Kernel(T.ceildiv(rows, BM), threads=256) as bx:
            x = T.alloc_fragment((BM, BN), "f32")
            square = T.alloc_fragment((BM, BN), "f32")
            weight = T.alloc_fragment((BN,), "f32")
            factor = T.alloc_fragment((BM,), "f32")
            T.copy(X[bx * BM, 0], x)
            T.copy(Weight[0], weight)
            for i, j in T.Parallel(BM, BN):
                square[i, j] = x[i, j] * x[i, j]
            T.reduce_sum(square, factor, dim=1)
            for i in T.Parallel(BM):
                factor[i] = T.rsqrt(factor[i] / n + eps)
            for i, j in T.Parallel(BM, BN):
                x[i, j] *= factor[i] * weight[j]
            T.copy(x, Out[bx * BM, 0])

    @T.prim_func
    def rmsnorm_long_row(
        X: T.Tensor((rows, n), dtype),
        Weight: T.Tensor((n,), dtype),
        Out: T.Tensor((rows, n), dtype),
    ):
        with T.Kernel(T.ceildiv(rows, BM), threads=256) as bx:
            x = T.alloc_fragment((BM, BN), "f32")
            weight = T.alloc_fragment((BN,), "f32")
            factor = T.alloc_fragment((BM,), "f32")
            T.clear(factor)
            for step in T.serial(T.ceildiv(n, BN)):
                # Columns past the row's end are read as zero and add nothing.
                T.copy(X[bx * BM, step * BN], x)
                for i, j in T.Parallel(BM, BN):
                    x[i, j] *= x[i, j]
                T.reduce_sum(x, factor, dim=1, clear=False)
            for i in T.Parallel(BM):
                factor[i] = T.rsqrt(factor[i] / n + eps)
            for step in T.serial(T.ceildiv(n, BN)):
                T.copy(X[bx * BM, step * BN], x)
                T.copy(Weight[step * BN], weight)
                for i, j in T.Parallel(BM, BN):
                    x[i, j] *= factor[i] * weight[j]
                T.copy(x, Out[bx * BM, step * BN])

    return tilewright.compile(rmsnorm_row if whole else rmsnorm_long_row, target=target)


def rmsnorm(
    x: Any, weight: Any, *, eps: float = EPS, out: Any = None, target: str = "cpu"
) -> Any:
    """Normalises the rows of `x` [rows, n] and multiplies by `weight` [n].

    `out` has x's shape and dtype and is made where not given; it is returned. Raises
    ValueError where shapes or dtypes do not fit together.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"rmsnorm takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 2, f"rmsnorm takes [rows, n], not {len(x.shape)} dimensions")
    n = x.shape[1]
    require(tuple(weight.shape) == (n,), f"weight is {tuple(weight.shape)} and must be {(n,)}")
    require(dtype_of(weight) == dtype, f"weight is {dtype_of(weight)} and x is {dtype}")
    out = empty(x, tuple(x.shape)) if out is None else out
    if 0 not in x.shape:
        rmsnorm_kernel(n, dtype, eps, target)(x, weight, out)
    return out


def _peers() -> tuple[Peer, ...]:
    def numpy_rmsnorm(x: np.ndarray, weight: np.ndarray) -> Callable[[], Any]:
        out = np.empty_like(x)
        n = x.shape[-1]

        def run() -> np.ndarray:
            mean = np.einsum("ij,ij->i", x, x)[:, None] / n
            np.multiply(x, 1 / np.sqrt(mean + EPS), out=out)
            return np.multiply(out, weight, out=out)

        return run

    def torch_rms_norm(x: Any, weight: Any) -> Callable[[], Any]:
        import torch

        return lambda: torch.nn.functional.rms_norm(x, weight.shape, weight, EPS)

    def torch_by_parts(x: Any, weight: Any) -> Callable[[], Any]:
        import torch

        def run() -> Any:
            y = x.float()
            y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + EPS)
            return (y * weight).to(x.dtype)

        return run

    return (
        numpy_peer("einsum and multiply in f32", numpy_rmsnorm, "f32"),
        torch_peer("rms_norm", torch_rms_norm),
        torch_peer("by parts in f32", torch_by_parts),
    )


def make_case(
    name: str,
    rows: int,
    n: int,
    dtype: str = "f32",
    *,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Rows of normal values; `spoil` puts hostile values into them."""
    made = numpy_dtype(dtype)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = rng.standard_normal((rows, n), np.float32).astype(made)
        weight = (1 + 0.1 * rng.standard_normal(n, np.float32)).astype(made)
        if spoil:
            spoil(x)
        return {"x": x, "weight": weight}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        y = reference(**inputs)
        x, weight = (a.astype(np.float64) for a in inputs.values())
        return {"out": Expected(y, bound(x, weight, y, dtype))}

    return Case(
        kernel="rmsnorm",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((rows, n), made)},
        expect=expect,
        run=lambda target, inputs, outputs: rmsnorm(**inputs, **outputs, target=target),
        bound=BOUND,
        flops=4 * rows * n,
        bytes=(2 * rows * n + n) * made.itemsize,
        macs=2 * rows * n,
        peers=_peers() if peers else (),
    )


def hostile(x: np.ndarray) -> None:
    """NaN, infinity, all zero, denormals, and very small and large values, each in a row."""
    x[0, 3] = np.nan
    x[1, 4] = np.inf
    x[2] = 0.0
    x[3] = 1e-40
    x[4] *= np.asarray(1e-4, x.dtype)
    x[5] *= np.asarray(1e3, x.dtype)
    x[6], x[6, 7] = -0.0, 1.0


def verify_cases() -> list[Case]:
    """Small, odd and hostile rows."""
    return [
        *(make_case("odd", 37, 131, d) for d in ("f32", "bf16", "f16")),
        *(make_case(f"n{n}", 5, n) for n in (1, 24, 100, 136, 1000)),
        *(make_case("hostile", 9, 45, d, spoil=hostile) for d in ("f32", "bf16", "f16")),
        make_case("v3_hidden", 3, 7168, "bf16"),
        *(make_case("long_row", 3, 10007, d) for d in ("f32", "bf16")),
        make_case("no_rows", 0, 16),
    ]


def bench_cases() -> list[Case]:
    """The sizes of the benchmark table."""
    return [make_case("r4096_n4096", 4096, 4096, d, peers=True) for d in ("f32", "bf16")]
