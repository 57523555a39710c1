# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""SwiGLU whose result is quantised to fp8 at once, between the GEMMs of fp8 experts.

    y         = the activation of swiglu, with its limit and weights, in f32 and not rounded
    q, scale  = act_quant of y: e4m3 with a scale for each 128 columns

    x        [tokens, 2 h]                 f32, bf16 or f16; the gate's half comes first
    weights  [tokens] f32                  optional; a row of weight 0 is 0 whatever x holds
    q        [tokens, h]                   f8e4m3fn
    scale    [tokens, ceil(h / 128)]       f32, or f8e8m0fnu (ue8m0) with `power_of_two`

TileKernels' fused SwiGLU and per-token cast. The weight comes before the quantisation, as in
DeepSeek-V4's experts; in V3 it comes after the second GEMM, which only rounds otherwise.
`scale` may have any strides. NaN and infinities behave as in act_quant. `tokens` is dynamic, h
and the options are static.

Bound, with e the error of y as in swiglu and E the largest e of the group: scale
(E / a + 2u) s, or exact with `power_of_two`, where s must be clear of powers of two for the
definition to decide; q (e + E |y| / a) / s + 4u |q| + u(e4m3) |q|.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels import swiglu
from tilewright.kernels.act_quant import GROUP, LARGEST, LEAST, make_outputs, set_scales
from tilewright.kernels.arrays import dtype_of
from tilewright.testing import U32, Case, Expected, Peer, Spec, Tensors, numpy_dtype
from tilewright.testing import output_rounding as rounded_bound
from tilewright.testing.peers import torch_peer

BOUND = "scale (E / a + 2u) s, ue8m0 exact; q (e + E |y| / a) / s + 4u |q| + u(q) |q|"
# By which log2 of a scale must be clear of an integer, where powers of two are asked for.
MARGIN = 1e-4


def _groups(h: int) -> list[slice]:
    return [slice(at, min(at + GROUP, h)) for at in range(0, h, GROUP)]


def reference(
    x: np.ndarray,
    weights: np.ndarray | None = None,
    *,
    limit: float | None = None,
    power_of_two: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """`q` before its rounding to e4m3, and `scale`, in float64."""
    y = swiglu.reference(x, limit, weights)
    parts = _groups(y.shape[1])
    scale, q = np.empty((len(y), len(parts))), np.empty_like(y)
    with np.errstate(invalid="ignore"):
        for g, some in enumerate(parts):
            s = np.maximum(np.abs(y[:, some]).max(1), LEAST) / LARGEST
            if power_of_two:
                s = np.where(np.isfinite(s), np.exp2(np.ceil(np.log2(s))), s)
            scale[:, g] = s
            q[:, some] = y[:, some] / s[:, None]
    return q, scale


@functools.cache
def swiglu_quant_kernel(
    h: int,
    dtype: str,
    limit: float | None,
    weighted: bool,
    scales: str,
    power_of_two: bool,
    target: str,
) -> Any:
    """The compiled activation and quantisation of `h` columns, any number of tokens."""
    tokens = T.dynamic("tokens")
    groups = -(-h // GROUP)
    BG = min(groups, 4)
    BM = 4
    tail = groups * GROUP > h

    @T.macro
    def activate(X, weight, Q, Scale, bx, by):
        y = T.alloc_fragment((BM, BG, GROUP), "f32")
        peak = T.alloc_fragment((BM, BG), "f32")
        scale = T.alloc_fragment((BM, BG), "f32")
        inverse = T.alloc_fragment((BM, BG), "f32")
        for i, g, j in T.Parallel(BM, BG, GROUP):
            column = (bx * BG + g) * GROUP + j
            gate = T.cast(X[by * BM + i, column], "f32")
            up = T.cast(X[by * BM + i, h + column], "f32")
            y[i, g, j] = swiglu.gated(gate, up, limit)
        if weighted:
            for i, g, j in T.Parallel(BM, BG, GROUP):
                y[i, g, j] = T.if_then_else(weight[i] == 0, 0.0, y[i, g, j] * weight[i])
        if tail:
            # Past the gate's half there is the other one, which is not of the group.
            for i, g, j in T.Parallel(BM, BG, GROUP):
                column = (bx * BG + g) * GROUP + j
                y[i, g, j] = T.if_then_else(column < h, y[i, g, j], 0.0)
        T.reduce_absmax(y, peak, dim=2)
        set_scales(peak, scale, inverse, BM, BG, power_of_two)
        for i, g, j in T.Parallel(BM, BG, GROUP):
            Q[by * BM + i, (bx * BG + g) * GROUP + j] = y[i, g, j] * inverse[i, g]
        T.copy(scale, Scale[by * BM, bx * BG])

    @T.prim_func
    def swiglu_quant(
        X: T.Tensor((tokens, 2 * h), dtype),
        Q: T.Tensor((tokens, h), "f8e4m3fn"),
        Scale: T.StridedTensor((tokens, groups), (None, None), scales),
    ):
        with T.Kernel(T.ceildiv(groups, BG), T.ceildiv(tokens, BM), threads=256) as (bx, by):
            activate(X, None, Q, Scale, bx, by)

    @T.prim_func
    def swiglu_quant_weighted(
        X: T.Tensor((tokens, 2 * h), dtype),
        Weights: T.Tensor((tokens,), "f32"),
        Q: T.Tensor((tokens, h), "f8e4m3fn"),
        Scale: T.StridedTensor((tokens, groups), (None, None), scales),
    ):
        with T.Kernel(T.ceildiv(groups, BG), T.ceildiv(tokens, BM), threads=256) as (bx, by):
            weight = T.alloc_fragment((BM,), "f32")
            T.copy(Weights[by * BM], weight)
            activate(X, weight, Q, Scale, bx, by)

    return tilewright.compile(
        swiglu_quant_weighted if weighted else swiglu_quant, target=target
    )


def swiglu_quant(
    x: Any,
    weights: Any = None,
    *,
    limit: float | None = None,
    power_of_two: bool = False,
    scale_dtype: str = "f32",
    q: Any = None,
    scale: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """The activation of `x` [tokens, 2 h] as fp8 with a scale per 128 columns: (`q`, `scale`).

    Shapes and dtypes are those of the module's docstring; outputs are made where not given,
    `scale` of `scale_dtype`. Raises ValueError where shapes, dtypes or options do not fit
    together.
    """
    tokens, h = swiglu.check_arguments(x, weights)
    q, scale, scales = make_outputs(x, (tokens, h), scale_dtype, power_of_two, q, scale)
    if 0 not in q.shape:
        weighted = weights is not None
        kernel = swiglu_quant_kernel(
            h, dtype_of(x), limit, weighted, scales, power_of_two, target
        )
        kernel(x, *([weights] if weighted else []), q, scale)
    return q, scale


def _peers(limit: float) -> tuple[Peer, ...]:
    def quantised(x: Any, weights: Any) -> Any:
        import torch

        gate, up = x.float().chunk(2, dim=1)
        y = torch.nn.functional.silu(gate.clamp(max=limit)) * up.clamp(-limit, limit)
        y = (y * weights[:, None]).unflatten(1, (-1, GROUP))
        scale = y.abs().amax(-1, keepdim=True).clamp(min=LEAST) / LARGEST
        return (y / scale).to(torch.float8_e4m3fn).flatten(1), scale

    def torch_eager(x: Any, weights: Any) -> Callable[[], Any]:
        return lambda: quantised(x, weights)

    def torch_compiled(x: Any, weights: Any) -> Callable[[], Any]:
        import torch

        compiled = torch.compile(quantised)
        compiled(x, weights)
        return lambda: compiled(x, weights)

    return torch_peer("by parts", torch_eager), torch_peer("torch.compile", torch_compiled)


def _case(
    name: str,
    tokens: int,
    h: int,
    dtype: str = "bf16",
    *,
    limit: float | None = None,
    weighted: bool = False,
    power_of_two: bool = False,
    scales: str = "f32",
    spread: float = 2.0,
    spoil: Callable[[np.ndarray], None] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values times `spread`; `spoil` puts hostile values into them.

    With `power_of_two`, rows with a scale that might be rounded either way are drawn anew.
    """
    made = numpy_dtype(dtype)
    groups = -(-h // GROUP)
    options = {"limit": limit, "power_of_two": power_of_two}

    def draw(rng: np.random.Generator) -> Tensors:
        x = (spread * rng.standard_normal((tokens, 2 * h), np.float32)).astype(made)
        if spoil:
            spoil(x)
        inputs = {"x": x}
        if weighted:
            inputs["weights"] = swiglu.pad_weights(x, rng)
        return inputs

    def make_inputs(rng: np.random.Generator) -> Tensors:
        inputs = draw(rng)
        while power_of_two:
            _, scale = reference(**inputs, limit=limit)
            with np.errstate(invalid="ignore", divide="ignore"):
                power = np.log2(scale)
            near = (np.abs(power - np.round(power)) < MARGIN).any(1)
            if not near.any():
                break
            inputs["x"][near] = draw(rng)["x"][near]
        return inputs

    def expect(inputs: Tensors) -> dict[str, Expected]:
        q, scale = reference(**inputs, **options)
        weights = inputs.get("weights")
        y = swiglu.reference(inputs["x"], limit, weights)
        e = swiglu.error(inputs["x"], y, limit, weights)
        off_scale, off_q = np.zeros_like(scale), np.zeros_like(q)
        with np.errstate(invalid="ignore"):
            for g, some in enumerate(_groups(h)):
                s = scale[:, g, None]
                worst = 0.0 if power_of_two else e[:, some].max(1, keepdims=True) / LARGEST
                off_scale[:, g] = np.ravel(worst + 2 * U32 * s) * (not power_of_two)
                relative = off_scale[:, g, None] / s + 4 * U32
                off = e[:, some] / s + np.abs(q[:, some]) * relative
                off_q[:, some] = np.where(np.isfinite(s), off, 0.0)
        q = np.clip(q, -LARGEST, LARGEST)
        return {
            "q": Expected(q, rounded_bound(q, off_q, "f8e4m3fn")),
            "scale": Expected(scale, off_scale),
        }

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        swiglu_quant(**inputs, **outputs, **options, target=target)

    itemsizes = 2 * made.itemsize + 1
    return Case(
        kernel="swiglu_quant",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {
            "q": Spec((tokens, h), numpy_dtype("f8e4m3fn")),
            "scale": Spec((tokens, groups), numpy_dtype(scales)),
        },
        expect=expect,
        run=run,
        bound=BOUND,
        flops=8 * tokens * h,
        bytes=tokens * (h * itemsizes + 4 * weighted + groups * numpy_dtype(scales).itemsize),
        macs=3 * tokens * h,
        peers=_peers(limit or np.inf) if peers else (),
    )


def verify_cases() -> list[Case]:
    """Small, odd and hostile activations, with every kind of scale."""
    ue8m0 = {"power_of_two": True, "scales": "f8e8m0fnu"}
    everything = {"limit": 10.0, "weighted": True, "spread": 8.0}
    return [
        *(_case("odd", 7, 300, d) for d in ("f32", "bf16", "f16")),
        *(_case("weighted_limit", 11, 384, d, **everything) for d in ("f32", "bf16")),
        _case("ue8m0", 7, 300, **ue8m0),
        _case("weighted_limit_ue8m0", 11, 256, **everything, **ue8m0),
        _case("power_of_two", 3, 130, "f32", power_of_two=True),
        _case("hostile", 7, 45, "f32", spoil=swiglu.hostile),
        _case("weighted_hostile", 7, 145, "f32", weighted=True, spoil=swiglu.hostile),
        _case("v3_inner", 2, 2048, weighted=True),
        _case("one_column", 9, 1, "f32"),
        _case("no_tokens", 0, 256),
    ]


def bench_cases() -> list[Case]:
    """As swiglu's, weighted and limited as in DeepSeek-V4."""
    return [_case("t4096", 4096, 2048, limit=10.0, weighted=True, peers=True)]
