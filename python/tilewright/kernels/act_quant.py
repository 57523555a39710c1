# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Quantisation of activations to fp8 with a scale for each 128 columns of a row.

The per-token cast of DeepGEMM and TileKernels, and act_quant of DeepSeek-V3 and V4. In group g
of row t, which is columns 128 g to 128 g + 127, the last group of a row with fewer:

    a            = max(max_j |x[t, j]|, 1e-4)
    s            = a / 448, and with `power_of_two` the least power of two that is not below
    q[t, j]      = e4m3(x[t, j] * (1 / s))      to nearest even, saturating
    scale[t, g]  = s

    x      [tokens, n]                f32, bf16 or f16
    q      [tokens, n]                f8e4m3fn
    scale  [tokens, ceil(n / 128)]    f32, or f8e8m0fnu (ue8m0) with `power_of_two`

`scale` may have any strides: DeepGEMM's columns of scales are `scale.T` of a dense array.

Every operation is one of f32, rounded to nearest even, so results are exact, byte for byte.
(The model's own code divides x by s: the same for powers of two, and otherwise at most one code
away.) NaN in a group makes its scale and all of its values NaN. An infinity makes the scale
infinite (2^127 as f8e8m0fnu), its own value NaN and the others 0. n and the options are static,
`tokens` is dynamic.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

import tilewright
import tilewright.language as T
from tilewright.kernels.arrays import dtype_of, empty, require
from tilewright.testing import Case, Expected, Layout, Peer, Spec, Tensors, numpy_dtype
from tilewright.testing.peers import numpy_peer, torch_peer

GROUP = 128  # columns that share a scale
LARGEST = 448.0  # the largest number of e4m3
LEAST = 1e-4  # what a group's largest magnitude counts as at least

BOUND = "exact"


def group_scales(peak: np.ndarray, power_of_two: bool) -> np.ndarray:
    """The scale of groups with these largest magnitudes, in f32 as the definition has it."""
    scale = np.maximum(peak.astype(np.float32), np.float32(LEAST)) / np.float32(LARGEST)
    if power_of_two:
        significand, exponent = np.frexp(scale)
        rounded = np.ldexp(np.float32(1), exponent - (significand == 0.5))
        scale = np.where(np.isfinite(scale), rounded, scale).astype(np.float32)
    return scale


def reference(x: np.ndarray, *, power_of_two: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """`q`, before its one rounding to e4m3, and `scale`; in f32, as the definition says."""
    x = x.astype(np.float32)
    groups = -(-x.shape[1] // GROUP)
    scale = np.empty((len(x), groups), np.float32)
    scaled = np.empty_like(x)
    with np.errstate(invalid="ignore", over="ignore"):
        for g in range(groups):
            some = slice(g * GROUP, (g + 1) * GROUP)
            scale[:, g] = group_scales(np.abs(x[:, some]).max(1), power_of_two)
            scaled[:, some] = x[:, some] * (np.float32(1) / scale[:, g : g + 1])
    return scaled, scale


@T.macro
def set_scales(peak, scale, inverse, BM, groups, power_of_two):
    """The scales [BM, groups] of groups with these largest magnitudes, and their inverses."""
    for i, g in T.Parallel(BM, groups):
        s = T.max(peak[i, g], LEAST) / LARGEST
        if power_of_two:
            # Carries into the exponent where any bit of the fraction is set.
            bits = (T.reinterpret(s, "i32") + 0x7FFFFF) & 0x7F800000
            s = T.if_then_else(s < T.infinity("f32"), T.reinterpret(bits, "f32"), s)
        scale[i, g] = s
        inverse[i, g] = 1 / s


@functools.cache
def act_quant_kernel(n: int, dtype: str, scales: str, power_of_two: bool, target: str) -> Any:
    """The compiled quantisation of rows of `n` elements, any number of them."""
    tokens = T.dynamic("tokens")
    groups = -(-n // GROUP)
    # A core reads memory best in one stream, and shorter pieces of it meet less waiting.
    BG = min(groups, 4)
    BM = 1 if target.startswith("cpu") else 4

    @T.prim_func
    def act_quant(
        X: T.Tensor((tokens, n), dtype),
        Q: T.Tensor((tokens, n), "f8e4m3fn"),
        Scale: T.StridedTensor((tokens, groups), (None, None), scales),
    ):
        with T.Kernel(T.ceildiv(groups, BG), T.ceildiv(tokens, BM), threads=128) as (bx, by):
            x = T.alloc_fragment((BM, BG * GROUP), "f32")
            peak = T.alloc_fragment((BM, BG), "f32")
            scale = T.alloc_fragment((BM, BG), "f32")
            inverse = T.alloc_fragment((BM, BG), "f32")
            grouped = T.reshape(x, (BM, BG, GROUP))
            # Columns past the row's end are read as zero, which is no group's largest.
            T.copy(X[by * BM, bx * BG * GROUP], x)
            T.reduce_absmax(grouped, peak, dim=2)
            set_scales(peak, scale, inverse, BM, BG, power_of_two)
            for i, g, j in T.Parallel(BM, BG, GROUP):
                Q[by * BM + i, (bx * BG + g) * GROUP + j] = grouped[i, g, j] * inverse[i, g]
            T.copy(scale, Scale[by * BM, bx * BG])

    return tilewright.compile(act_quant, target=target)


def make_outputs(
    x: Any, shape: tuple[int, int], scale_dtype: str, power_of_two: bool, q: Any, scale: Any
) -> tuple[Any, Any, str]:
    """The outputs of a quantisation of rows of `shape`, made like `x` where they are None:
    (`q`, `scale`, the dtype of `scale`). Raises ValueError where `scale` does not fit."""
    rows, n = shape
    groups = -(-n // GROUP)
    q = empty(x, shape, "f8e4m3fn") if q is None else q
    scale = empty(x, (rows, groups), scale_dtype) if scale is None else scale
    scales = dtype_of(scale)
    require(
        scales == "f32" or (scales == "f8e8m0fnu" and power_of_two),
        f"scale is {scales}: it is f32, or with power_of_two f8e8m0fnu",
    )
    require(
        tuple(scale.shape) == (rows, groups),
        f"scale is {tuple(scale.shape)} and must be {(rows, groups)}",
    )
    return q, scale, scales


def act_quant(
    x: Any,
    *,
    power_of_two: bool = False,
    scale_dtype: str = "f32",
    q: Any = None,
    scale: Any = None,
    target: str = "cpu",
) -> tuple[Any, Any]:
    """`x` [tokens, n] as fp8 with a scale per 128 columns: (`q`, `scale`).

    Shapes and dtypes are those of the module's docstring; outputs are made where not given,
    `scale` of `scale_dtype`. Raises ValueError where shapes, dtypes or options do not fit
    together.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"act_quant takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 2, f"act_quant takes [tokens, n], not {len(x.shape)} dimensions")
    tokens, n = x.shape
    q, scale, scales = make_outputs(x, (tokens, n), scale_dtype, power_of_two, q, scale)
    if 0 not in x.shape:
        act_quant_kernel(n, dtype, scales, power_of_two, target)(x, q, scale)
    return q, scale


def _peers(power_of_two: bool) -> tuple[Peer, ...]:
    def numpy_cast(x: np.ndarray) -> Callable[[], Any]:
        import ml_dtypes

        grouped = x.reshape(len(x), -1, GROUP)

        def run() -> Any:
            peak = np.maximum(grouped.max(-1), -grouped.min(-1))
            scale = group_scales(peak, power_of_two)
            scaled = grouped * (np.float32(1) / scale)[..., None]
            return scaled.astype(ml_dtypes.float8_e4m3fn), scale

        return run

    def cast(x: Any) -> Any:
        import torch

        grouped = x.view(len(x), -1, GROUP).float()
        scale = grouped.abs().amax(-1, keepdim=True).clamp(min=LEAST) / LARGEST
        if power_of_two:
            scale = torch.exp2(torch.ceil(torch.log2(scale)))
        return (grouped * (1.0 / scale)).to(torch.float8_e4m3fn).view(x.shape), scale

    def torch_cast(x: Any) -> Callable[[], Any]:
        return lambda: cast(x)

    def torch_by_extremes(x: Any) -> Callable[[], Any]:
        import torch

        grouped = x.view(len(x), -1, GROUP)

        def run() -> Any:
            low, high = torch.aminmax(grouped, dim=-1, keepdim=True)
            scale = torch.maximum(high, -low).float().clamp(min=LEAST) / LARGEST
            if power_of_two:
                scale = torch.exp2(torch.ceil(torch.log2(scale)))
            return torch.mul(grouped, 1.0 / scale).to(torch.float8_e4m3fn), scale

        return run

    def torch_compiled(x: Any) -> Callable[[], Any]:
        import torch

        compiled = torch.compile(cast)
        compiled(x)
        return lambda: compiled(x)

    return (
        numpy_peer("extremes, product, ml_dtypes in f32", numpy_cast, "f32"),
        torch_peer("amax, product, cast", torch_cast),
        torch_peer("aminmax, product, cast", torch_by_extremes),
        torch_peer("torch.compile", torch_compiled),
    )


def _case(
    name: str,
    tokens: int,
    n: int,
    dtype: str = "bf16",
    *,
    power_of_two: bool = False,
    scales: str = "f32",
    columns_of_scales: bool = False,
    spoil: Callable[[np.ndarray], None] | None = None,
    layouts: dict[str, Layout] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values, each row of a magnitude of its own; `spoil` puts hostile ones into them.

    With `columns_of_scales` the output is [groups, tokens], which the kernel sees transposed.
    """
    made = numpy_dtype(dtype)
    groups = -(-n // GROUP)
    shape = (groups, tokens) if columns_of_scales else (tokens, groups)

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = rng.standard_normal((tokens, n), np.float32)
        x *= np.exp2(rng.uniform(-12, 12, (tokens, 1))).astype(np.float32)
        x = x.astype(made)
        if spoil:
            spoil(x)
        return {"x": x}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        scaled, scale = reference(inputs["x"], power_of_two=power_of_two)
        # The kernel's cast saturates; ml_dtypes' gives NaN past the largest number.
        scaled = np.clip(scaled, -LARGEST, LARGEST).astype(np.float64)
        scale = (scale.T if columns_of_scales else scale).astype(np.float64)
        if scales == "f8e8m0fnu":
            scale = np.minimum(scale, 2.0**127)
        return {"q": Expected(scaled), "scale": Expected(scale)}

    def run(target: str, inputs: Tensors, outputs: Tensors) -> None:
        scale = outputs["scale"].T if columns_of_scales else outputs["scale"]
        options = {"power_of_two": power_of_two, "target": target}
        act_quant(inputs["x"], q=outputs["q"], scale=scale, **options)

    return Case(
        kernel="act_quant",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {
            "q": Spec((tokens, n), numpy_dtype("f8e4m3fn")),
            "scale": Spec(shape, numpy_dtype(scales)),
        },
        expect=expect,
        run=run,
        bound=BOUND,
        flops=3 * tokens * n,
        bytes=tokens * (n * (made.itemsize + 1) + groups * numpy_dtype(scales).itemsize),
        macs=tokens * n,
        layouts=layouts or {},
        peers=_peers(power_of_two) if peers else (),
    )


def _hostile(x: np.ndarray) -> None:
    """Rows of NaN, infinities, zeros, denormals, magnitudes about the least one, and codes."""
    x[0, 3] = np.nan
    x[1, 4], x[1, -1] = np.inf, -np.inf
    x[2], x[2, ::3] = 0.0, -0.0
    x[3] = 1e-40
    x[4] = np.linspace(-1.5e-4, 1.5e-4, x.shape[1]).astype(x.dtype)
    # The largest magnitude is 448: scale 1, so codes, midpoints between them, and denormals.
    x[5] = np.resize(
        [448.0, 1.0625, 1.1875, 17.0, 19.0, 2**-9, 2**-10, 1.5 * 2**-9], x.shape[1]
    )
    x[5, 1::7] *= -1
    # Just above and just below a power of two.
    x[6], x[6, 0] = 1.0, 448 * 2.0
    x[7], x[7, 0] = 1.0, np.nextafter(x.dtype.type(448 * 2.0), x.dtype.type(np.inf))


def verify_cases() -> list[Case]:
    """Small, odd and hostile rows, with every kind of scale."""
    ue8m0 = {"power_of_two": True, "scales": "f8e8m0fnu"}
    skewed = {"x": Layout(skew=1), "q": Layout(skew=3), "scale": Layout(skew=1)}
    return [
        *(_case("odd", 7, 300, d) for d in ("f32", "bf16", "f16")),
        *(_case("odd_ue8m0", 7, 300, d, **ue8m0) for d in ("f32", "bf16", "f16")),
        *(_case("hostile", 8, 200, d, spoil=_hostile) for d in ("f32", "bf16")),
        *(_case("hostile_ue8m0", 8, 200, d, **ue8m0, spoil=_hostile) for d in ("f32", "bf16")),
        _case("power_of_two", 5, 256, power_of_two=True),
        _case("columns_of_scales", 13, 384, power_of_two=True, columns_of_scales=True),
        _case("misaligned", 6, 261, layouts=skewed),
        *(_case(f"n{n}", 3, n) for n in (1, 127, 128, 129)),
        _case("v3_hidden", 2, 7168),
        _case("no_tokens", 0, 256),
        _case("no_columns", 3, 0),
    ]


def bench_cases() -> list[Case]:
    """The size of the benchmark table, with both kinds of scale."""
    return [
        _case("t4096", 4096, 4096, peers=True),
        _case("t4096_ue8m0", 4096, 4096, power_of_two=True, scales="f8e8m0fnu", peers=True),
    ]
