# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SwiGLU (Shazeer, arXiv 2002.05202): the gated activation between an expert's two GEMMs.

    out[t, j] = silu(g) u w[t]    with silu(g) = g / (1 + exp(-g))
    g = x[t, j],  u = x[t, h + j]                       the gate's half comes first
    with a limit L (DeepSeek-V4): g = min(g, L), u = min(max(u, -L), L)
    without weights: w = 1

    x        [tokens, 2 h]     f32, bf16 or f16
    weights  [tokens] f32      optional: the gate's, applied here by V4 and DeepGEMM
    out      [tokens, h]       the dtype of x

Computed in f32 and rounded once; infinities and NaN follow from the formula, but a row whose
weight is 0 is 0 whatever x holds: such are the pads between experts. `tokens` is dynamic, h and
the limit static.

Bound: |out| (4u |g| + 13u) + u(out) |out|, and intermediate values below the smallest normal
f32 may be flushed.
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
    EXP_ULPS,
    U32,
    Case,
    Expected,
    Peer,
    Spec,
    Tensors,
    numpy_dtype,
    output_rounding,
    smallest_normal,
)
from tilewright.testing.peers import numpy_peer, torch_peer

BM, BN = 16, 256

BOUND = "|out| (4u |g| + 13u) + u(out) |out|"


def halves(x: np.ndarray, limit: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The gate and up halves in float64, limited where asked."""
    gate, up = np.split(x.astype(np.float64), 2, axis=1)
    return (
        (gate, up) if limit is None else (np.minimum(gate, limit), np.clip(up, -limit, limit))
    )


def reference(
    x: np.ndarray, limit: float | None = None, weights: np.ndarray | None = None
) -> np.ndarray:
    """The definition in float64."""
    gate, up = halves(x, limit)
    with np.errstate(invalid="ignore", over="ignore"):
        y = gate / (1 + np.exp(-gate)) * up
        if weights is None:
            return y
        w = weights.astype(np.float64)[:, None]
        return np.where(w == 0, 0.0, y * w)


def error(
    x: np.ndarray, y: np.ndarray, limit: float | None, weights: np.ndarray | None
) -> np.ndarray:
    """How far an f32 result may be from `y`, its reference, before it is rounded."""
    with np.errstate(invalid="ignore"):
        gate, up = np.abs(halves(x, limit))
        flushed = smallest_normal("f32") * (2 + gate) * (1 + up)
        if weights is not None:
            flushed = (flushed + smallest_normal("f32")) * (1 + np.abs(weights)[:, None])
        off = np.abs(y) * (4 * gate + EXP_ULPS + 9) * U32 + flushed
        return off if weights is None else np.where(weights[:, None] == 0, 0.0, off)


@T.macro
def gated(g, u, limit):
    """silu(g) u of two scalars in f32."""
    if limit is not None:
        g = T.min(g, limit)
        u = T.clamp(u, -limit, limit)
    return g / (1 + T.exp(-g)) * u


@functools.cache
def swiglu_kernel(
    h: int, dtype: str, target: str, limit: float | None = None, weighted: bool = False
) -> Any:
    """The compiled activation of `h` columns, any number of tokens."""
    tokens = T.dynamic("tokens")

    @T.prim_func
    def swiglu(X: T.Tensor((tokens, 2 * h), dtype), Out: T.Tensor((tokens, h), dtype)):
        with T.Kernel(T.ceildiv(h, BN), T.ceildiv(tokens, BM), threads=256) as (bx, by):
            for i, j in T.Parallel(BM, BN):
                g = T.cast(X[by * BM + i, bx * BN + j], "f32")
                # Columns past the gate's half are not stored.
                u = T.cast(X[by * BM + i, h + bx * BN + j], "f32")
                Out[by * BM + i, bx * BN + j] = gated(g, u, limit)

    @T.prim_func
    def swiglu_weighted(
        X: T.Tensor((tokens, 2 * h), dtype),
        Weights: T.Tensor((tokens,), "f32"),
        Out: T.Tensor((tokens, h), dtype),
    ):
        with T.Kernel(T.ceildiv(h, BN), T.ceildiv(tokens, BM), threads=256) as (bx, by):
            weight = T.alloc_fragment((BM,), "f32")
            T.copy(Weights[by * BM], weight)
            for i, j in T.Parallel(BM, BN):
                g = T.cast(X[by * BM + i, bx * BN + j], "f32")
                u = T.cast(X[by * BM + i, h + bx * BN + j], "f32")
                y = gated(g, u, limit) * weight[i]
                Out[by * BM + i, bx * BN + j] = T.if_then_else(weight[i] == 0, 0.0, y)

    return tilewright.compile(swiglu_weighted if weighted else swiglu, target=target)


def check_arguments(x: Any, weights: Any) -> tuple[int, int]:
    """The number of tokens and of columns of a half. Raises ValueError as swiglu does."""
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"swiglu takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 2, f"swiglu takes [tokens, 2 h], not {len(x.shape)} dimensions")
    tokens, columns = x.shape
    require(
        columns % 2 == 0, f"x has {columns} columns: a gate and an up half need an even number"
    )
    if weights is not None:
        require(
            tuple(weights.shape) == (tokens,),
            f"weights are {tuple(weights.shape)} and must be {(tokens,)}",
        )
        require(dtype_of(weights) == "f32", f"weights are {dtype_of(weights)}, not f32")
    return tokens, columns // 2


def swiglu(
    x: Any,
    *,
    limit: float | None = None,
    weights: Any = None,
    out: Any = None,
    target: str = "cpu",
) -> Any:
    """silu(x[:, :h]) * x[:, h:] for `x` [tokens, 2 h], written to `out` and returned.

    `out` is [tokens, h] of x's dtype and is made where not given; `weights` [tokens] multiply
    its rows. Raises ValueError for other ranks, an odd number of columns and other dtypes.
    """
    tokens, h = check_arguments(x, weights)
    out = empty(x, (tokens, h)) if out is None else out
    if 0 not in out.shape:
        kernel = swiglu_kernel(h, dtype_of(x), target, limit, weights is not None)
        kernel(x, out) if weights is None else kernel(x, weights, out)
    return out


def _peers() -> tuple[Peer, ...]:
    def numpy_swiglu(x: np.ndarray) -> Callable[[], Any]:
        h = x.shape[1] // 2
        out = np.empty((len(x), h), x.dtype)

        def run() -> np.ndarray:
            np.exp(-x[:, :h], out=out)
            np.divide(x[:, :h], out + 1, out=out)
            return np.multiply(out, x[:, h:], out=out)

        return run

    def silu_product(x: Any) -> Any:
        import torch

        gate, up = x.chunk(2, dim=1)
        return torch.nn.functional.silu(gate) * up

    def torch_silu(x: Any) -> Callable[[], Any]:
        return lambda: silu_product(x)

    def torch_silu_out(x: Any) -> Callable[[], Any]:
        import torch

        gate, up = x.chunk(2, dim=1)
        out = torch.empty_like(gate, memory_format=torch.contiguous_format)
        return lambda: torch.mul(torch.nn.functional.silu(gate), up, out=out)

    def torch_compiled(x: Any) -> Callable[[], Any]:
        import torch

        compiled = torch.compile(silu_product)
        compiled(x)
        return lambda: compiled(x)

    return (
        numpy_peer("exp, divide, multiply in f32", numpy_swiglu, "f32"),
        torch_peer("silu and multiply", torch_silu),
        torch_peer("silu and multiply, out given", torch_silu_out),
        torch_peer("torch.compile", torch_compiled),
    )


def _case(
    name: str,
    tokens: int,
    h: int,
    dtype: str = "bf16",
    *,
    limit: float | None = None,
    weighted: bool = False,
    spread: float = 2.0,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values times `spread`; `spoil` puts hostile values into them.

    Where rows are `weighted`, the weight of every fifth one is 0 and it holds NaN.
    """
    made = numpy_dtype(dtype)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = (spread * rng.standard_normal((tokens, 2 * h), np.float32)).astype(made)
        if spoil:
            spoil(x)
        return {"x": x, "weights": pad_weights(x, rng)} if weighted else {"x": x}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        y = reference(**inputs, limit=limit)
        off = error(inputs["x"], y, limit, inputs.get("weights"))
        return {"out": Expected(y, output_rounding(y, off, dtype))}

    return Case(
        kernel="swiglu",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((tokens, h), made)},
        expect=expect,
        run=lambda target, inputs, outputs: swiglu(
            **inputs, **outputs, limit=limit, target=target
        ),
        bound=BOUND,
        flops=5 * tokens * h,
        bytes=3 * tokens * h * made.itemsize + 4 * tokens * weighted,
        macs=2 * tokens * h,
        peers=_peers() if peers else (),
    )


def pad_weights(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Weights of the rows of `x`; every fifth row is a pad: weight 0, and NaN in x."""
    weights = rng.uniform(0.01, 2.5, len(x)).astype(np.float32)
    weights[4::5] = 0.0
    x[4::5, ::2] = np.nan
    return weights


def hostile(x: np.ndarray) -> None:
    """NaN and infinities in either half, gates where exp overflows, and signed zeros."""
    h = x.shape[1] // 2
    x[0, 3] = np.nan
    x[1, h + 4] = np.nan
    x[2, :3] = np.inf, -np.inf, 0.0
    x[3, h : h + 3] = np.inf, -np.inf, -0.0
    x[4, :h] = np.linspace(-120, 120, h).astype(x.dtype)
    x[5, :h] = np.linspace(-90, -86, h).astype(x.dtype)


def verify_cases() -> list[Case]:
    """Small, odd and hostile activations."""
    dtypes = ("f32", "bf16", "f16")
    return [
        *(_case("odd", 37, 131, d) for d in dtypes),
        *(_case("hostile", 7, 45, d, spoil=hostile) for d in dtypes),
        *(_case("limit", 19, 300, d, limit=10.0, spread=8.0) for d in ("f32", "bf16")),
        _case("limit_hostile", 7, 45, "f32", limit=10.0, spoil=hostile),
        *(_case("weighted", 23, 131, d, weighted=True) for d in dtypes),
        _case("weighted_limit", 11, 300, limit=10.0, weighted=True, spread=8.0),
        _case("weighted_hostile", 7, 45, "f32", weighted=True, spoil=hostile),
        _case("v2lite_inner", 5, 1408),
        _case("one_column", 20, 1, "f32"),
        # More blocks in the grid's second dimension than 16 bits count.
        _case("many_tokens", BM * 65536 + 1, 1, "f32"),
        _case("no_tokens", 0, 16),
    ]


def bench_cases() -> list[Case]:
    """The sizes of the benchmark table."""
    return [_case("t4096", 4096, 2048, peers=True)]
