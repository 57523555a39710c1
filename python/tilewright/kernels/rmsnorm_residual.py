# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A residual stream's addition, and root-mean-square normalisation of what it has become.

What stands between two layers of a transformer (vLLM's fused_add_rms_norm; rmsnorm for the
formula):

    sum[i, j] = x[i, j] + residual[i, j]                       rounded to the dtype
    out[i, j] = sum[i, j] * rsqrt(mean_j sum[i, j]^2 + eps) * weight[j]

    x, residual, sum, out   [rows, n]   f32, bf16 or f16, all the same
    weight                  [n]         the dtype of x

The row that is normalised is the rounded one, as the next layer reads it. The addition is one
of f32, and so is all of the normalisation, which is rounded once, after the weight. `sum` may
be the memory of `residual`. `rows` is dynamic, n and eps static.

Bound: sum is exact, and out has the bound of rmsnorm.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels import rmsnorm
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.testing import Case, Expected, Peer, Spec, Tensors, numpy_dtype, smallest_normal
from tilewright.testing.peers import numpy_peer, torch_peer

EPS = rmsnorm.EPS

BOUND = f"sum exact; out {rmsnorm.BOUND}"


def reference(
    x: np.ndarray, residual: np.ndarray, weight: np.ndarray, eps: float = EPS
) -> tuple[np.ndarray, np.ndarray]:
    """`sum`, added in f32 and rounded to the dtype, and `out` of it in float64."""
    with np.errstate(invalid="ignore", over="ignore"):
        total = (x.astype(np.float32) + residual.astype(np.float32)).astype(x.dtype)
    return total, rmsnorm.reference(total, weight, eps)


@functools.cache
def rmsnorm_residual_kernel(n: int, dtype: str, eps: float, target: str) -> Any:
    """The compiled addition and normalisation of rows of `n` elements, any number of them."""
    rows = T.dynamic("rows")
    whole = n <= rmsnorm.WHOLE_ROW
    BN = n if whole else rmsnorm.COLUMNS
    BM = max(1, rmsnorm.BLOCK_ELEMENTS // BN)
    steps = -(-n // BN)

    @T.prim_func
    def rmsnorm_residual(
        X: T.Tensor((rows, n), dtype),
        Residual: T.Tensor((rows, n), dtype),
        Weight: T.Tensor((n,), dtype),
        Sum: T.Tensor((rows, n), dtype, alias="Residual"),
        Out: T.Tensor((rows, n), dtype),
    ):
        with T.Kernel(T.ceildiv(rows, BM), threads=256) as bx:
            x = T.alloc_fragment((BM, BN), "f32")
            residual = T.alloc_fragment((BM, BN), "f32")
            weight = T.alloc_fragment((BN,), "f32")
            factor = T.alloc_fragment((BM,), "f32")
            T.clear(factor)
            for step in T.serial(steps):
                # Columns past the row's end are read as zero and add nothing.
                T.copy(X[bx * BM, step * BN], x)
                T.copy(Residual[bx * BM, step * BN], residual)
                for i, j in T.Parallel(BM, BN):
                    x[i, j] = T.cast(T.cast(x[i, j] + residual[i, j], dtype), "f32")
                    residual[i, j] = x[i, j] * x[i, j]
                T.copy(x, Sum[bx * BM, step * BN])
                T.reduce_sum(residual, factor, dim=1, clear=False)
            for i in T.Parallel(BM):
                factor[i] = T.rsqrt(factor[i] / n + eps)
            for step in T.serial(steps):
                if not whole:
                    T.copy(Sum[bx * BM, step * BN], x)
                T.copy(Weight[step * BN], weight)
                for i, j in T.Parallel(BM, BN):
                    x[i, j] *= factor[i] * weight[j]
                T.copy(x, Out[bx * BM, step * BN])

    return tilewright.compile(rmsnorm_residual, target=target)


def rmsnorm_residual(
    x: Any,
    residual: Any,
    weight: Any,
    *,
    eps: float = EPS,
    sum: Any = None,
    out: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """`x` added to `residual` [rows, n], and its rows normalised: (`sum`, `out`).

    Both have x's shape and dtype and are made where not given; `sum` may be `residual` itself.
    Raises ValueError where shapes or dtypes do not fit together.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"x is {dtype} and must be f32, bf16 or f16")
    require(len(x.shape) == 2, f"x has {len(x.shape)} dimensions and must be [rows, n]")
    n = x.shape[1]
    for name, array, shape in (
        ("residual", residual, tuple(x.shape)),
        ("weight", weight, (n,)),
    ):
        require(
            tuple(array.shape) == shape, f"{name} is {tuple(array.shape)} and must be {shape}"
        )
        require(dtype_of(array) == dtype, f"{name} is {dtype_of(array)} and x is {dtype}")
    sum = empty(x, tuple(x.shape)) if sum is None else sum
    out = empty(x, tuple(x.shape)) if out is None else out
    if 0 not in x.shape:
        kernel = rmsnorm_residual_kernel(n, dtype, eps, target)
        kernel(x, residual, weight, sum, out)
    return sum, out


def _peers() -> tuple[Peer, ...]:
    def numpy_by_parts(x: Any, residual: Any, weight: Any) -> Callable[[], Any]:
        total, out = np.empty_like(x), np.empty_like(x)
        n = x.shape[-1]

        def run() -> Any:
            np.add(x, residual, out=total)
            mean = np.einsum("ij,ij->i", total, total)[:, None] / n
            np.multiply(total, 1 / np.sqrt(mean + EPS), out=out)
            return np.multiply(out, weight, out=out)

        return run

    def add_and_norm(x: Any, residual: Any, weight: Any) -> Any:
        import torch

        total = x + residual
        return total, torch.nn.functional.rms_norm(total, weight.shape, weight, EPS)

    def torch_rms_norm(*inputs: Any) -> Callable[[], Any]:
        return lambda: add_and_norm(*inputs)

    def torch_by_parts(x: Any, residual: Any, weight: Any) -> Callable[[], Any]:
        import torch

        def run() -> Any:
            total = x + residual
            y = total.float()
            y = y * torch.rsqrt(y.square().mean(-1, keepdim=True) + EPS)
            return total, (y * weight).to(x.dtype)

        return run

    def torch_compiled(*inputs: Any) -> Callable[[], Any]:
        import torch

        compiled = torch.compile(add_and_norm)
        compiled(*inputs)
        return lambda: compiled(*inputs)

    return (
        numpy_peer("add, einsum and multiply in f32", numpy_by_parts, "f32"),
        torch_peer("add, rms_norm", torch_rms_norm),
        torch_peer("by parts in f32", torch_by_parts),
        torch_peer("torch.compile", torch_compiled),
    )


def _case(
    name: str,
    rows: int,
    n: int,
    dtype: str = "bf16",
    *,
    in_place: bool = False,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Rows of normal values; `spoil` puts hostile ones into x. `in_place` sums to residual."""
    made = numpy_dtype(dtype)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x, residual = rng.standard_normal((2, rows, n), np.float32).astype(made)
        weight = (1 + 0.1 * rng.standard_normal(n, np.float32)).astype(made)
        if spoil:
            spoil(x)
            residual[:] = np.where(np.abs(x.astype(np.float32)) < 1e-30, x, residual)
        return {"x": x, "residual": residual, "weight": weight}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        total, y = reference(**inputs)
        sums = total.astype(np.float64)
        tiny = smallest_normal("f32")
        terms = [np.abs(inputs[t].astype(np.float64)) for t in ("x", "residual")]
        denormal = [(t < tiny) & (t > 0) for t in (*terms, np.abs(sums))]
        flushed = np.where(np.any(denormal, 0), 2 * tiny, 0.0)
        bound = rmsnorm.bound(sums, inputs["weight"].astype(np.float64), y, dtype)
        return {"sum": Expected(sums, flushed), "out": Expected(y, bound)}

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        if in_place:
            outputs["sum"][:] = inputs["residual"]
            inputs = {**inputs, "residual": outputs["sum"]}
        rmsnorm_residual(**inputs, **outputs, target=target)

    return Case(
        kernel="rmsnorm_residual",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {t: Spec((rows, n), made) for t in ("sum", "out")},
        expect=expect,
        run=run,
        bound=BOUND,
        flops=5 * rows * n,
        bytes=(4 * rows * n + n) * made.itemsize,
        macs=3 * rows * n,
        peers=_peers() if peers else (),
    )


def verify_cases() -> list[Case]:
    """Small, odd and hostile rows."""
    dtypes = ("f32", "bf16", "f16")
    return [
        *(_case("odd", 37, 131, d) for d in dtypes),
        *(_case(f"n{n}", 5, n) for n in (1, 24, 100, 1000)),
        *(_case("hostile", 9, 45, d, spoil=rmsnorm.hostile) for d in dtypes),
        _case("in_place", 11, 200, in_place=True),
        _case("v3_hidden", 3, 7168),
        *(_case("long_row", 3, 10007, d) for d in ("f32", "bf16")),
        _case("long_row_in_place", 2, 9000, in_place=True),
        _case("no_rows", 0, 16),
    ]


def bench_cases() -> list[Case]:
    """The sizes of rmsnorm's."""
    return [_case("r4096_n4096", 4096, 4096, d, peers=True) for d in ("f32", "bf16")]
