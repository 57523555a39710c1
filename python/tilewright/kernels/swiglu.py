# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SwiGLU (Shazeer, arXiv 2002.05202): the gated activation between an expert's two GEMMs.

    out[t, j] = silu(g) u    with silu(g) = g / (1 + exp(-g))
    g = x[t, j],  u = x[t, h + j]                    the gate's half comes first
    with a limit L (DeepSeek-V4): g = min(g, L), u = min(max(u, -L), L)

    x     [tokens, 2 h]   f32, bf16 or f16
    out   [tokens, h]     the dtype of x

Computed in f32 and rounded once; infinities and NaN follow from the formula. `tokens` is
dynamic, h and the limit static.

Bound: |out| (4u |g| + 12u) + u(out) |out|, and intermediate values below the smallest normal
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

BOUND = "|out| (4u |g| + 12u) + u(out) |out|"


def _halves(x: np.ndarray, limit: float | None) -> tuple[np.ndarray, np.ndarray]:
    """The gate and up halves in float64, limited where asked."""
    gate, up = np.split(x.astype(np.float64), 2, axis=1)
    return (
        (gate, up) if limit is None else (np.minimum(gate, limit), np.clip(up, -limit, limit))
    )


def reference(x: np.ndarray, limit: float | None = None) -> np.ndarray:
    """The definition in float64."""
    gate, up = _halves(x, limit)
    with np.errstate(invalid="ignore", over="ignore"):
        return gate / (1 + np.exp(-gate)) * up


@functools.cache
def swiglu_kernel(h: int, dtype: str, limit: float | None, target: str) -> Any:
    """The compiled activation of `h` columns, any number of tokens."""
    tokens = T.dynamic("tokens")

    @T.prim_func
    def swiglu(X: T.Tensor((tokens, 2 * h), dtype), Out: T.Tensor((tokens, h), dtype)):
        with T.Kernel(T.ceildiv(h, BN), T.ceildiv(tokens, BM), threads=256) as (bx, by):
            gate = T.alloc_fragment((BM, BN), "f32")
            up = T.alloc_fragment((BM, BN), "f32")
            T.copy(X[by * BM, bx * BN], gate)
            T.copy(X[by * BM, h + bx * BN], up)
            for i, j in T.Parallel(BM, BN):
                if limit is not None:
                    gate[i, j] = T.min(gate[i, j], limit)
                    up[i, j] = T.clamp(up[i, j], -limit, limit)
                gate[i, j] = gate[i, j] / (1 + T.exp(-gate[i, j])) * up[i, j]
            T.copy(gate, Out[by * BM, bx * BN])

    return tilewright.compile(swiglu, target=target)


def swiglu(x: Any, *, limit: float | None = None, out: Any = None, target: str = "cpu") -> Any:
    """silu(x[:, :h]) * x[:, h:] for `x` [tokens, 2 h], written to `out` and returned.

    `out` is [tokens, h] of x's dtype and is made where not given. Raises ValueError for
    other ranks, an odd number of columns and other dtypes.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"swiglu takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 2, f"swiglu takes [tokens, 2 h], not {len(x.shape)} dimensions")
    tokens, columns = x.shape
    require(
        columns % 2 == 0, f"x has {columns} columns: a gate and an up half need an even number"
    )
    out = empty(x, (tokens, columns // 2)) if out is None else out
    if 0 not in out.shape:
        swiglu_kernel(columns // 2, dtype, limit, target)(x, out)
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
    spread: float = 2.0,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values times `spread`; `spoil` puts hostile values into them."""
    made = numpy_dtype(dtype)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = (spread * rng.standard_normal((tokens, 2 * h), np.float32)).astype(made)
        if spoil:
            spoil(x)
        return {"x": x}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        y = reference(inputs["x"], limit)
        with np.errstate(invalid="ignore"):
            gate, up = np.abs(_halves(inputs["x"], limit))
            flushed = smallest_normal("f32") * (2 + gate) * (1 + up)
            error = np.abs(y) * (4 * gate + EXP_ULPS + 8) * U32 + flushed
        return {"out": Expected(y, output_rounding(y, error, dtype))}

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
        bytes=3 * tokens * h * made.itemsize,
        macs=2 * tokens * h,
        peers=_peers() if peers else (),
    )


def _hostile(x: np.ndarray) -> None:
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
        *(_case("hostile", 7, 45, d, spoil=_hostile) for d in dtypes),
        *(_case("limit", 19, 300, d, limit=10.0, spread=8.0) for d in ("f32", "bf16")),
        _case("limit_hostile", 7, 45, "f32", limit=10.0, spoil=_hostile),
        _case("v2lite_inner", 5, 1408),
        _case("one_column", 20, 1, "f32"),
        # More blocks in the grid's second dimension than 16 bits count.
        _case("many_tokens", BM * 65536 + 1, 1, "f32"),
        _case("no_tokens", 0, 16),
    ]


def bench_cases() -> list[Case]:
    """The sizes of the benchmark table."""
    return [_case("t4096", 4096, 2048, peers=True)]
