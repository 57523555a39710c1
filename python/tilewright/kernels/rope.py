# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Rotary position embedding (Su et al., arXiv 2104.09864) of some columns of each head.

The `r` columns from `first` on are r / 2 pairs; pair i of a token at position p is turned by an
angle of which the tables hold cosine and sine, and the other columns are copied:

    out[t, h, a] = x[t, h, a] c - x[t, h, b] s        c = cos[positions[t], i]
    out[t, h, b] = x[t, h, b] c + x[t, h, a] s        s = sin[positions[t], i]

    interleaved:  a = first + 2 i,  b = a + 1           DeepSeek's q and k of MLA; V4's indexer
    halves:       a = first + i,    b = a + r / 2       "NeoX"; the indexer of DeepSeek-V3.2
    with `inverse`, s is negated: V4 undoes the rotation on the output of its attention

    x, out     [tokens, heads, d]      f32, bf16 or f16
    cos, sin   [rows, r / 2]           f32
    positions  [tokens] i32            each from 0 to rows - 1

MLA's q turns its last 64 of 192 columns and its shared key, with one head, all 64; V4 the last
64 of 512; the indexer of V3.2 the first 64 of 128. Computed in f32 and rounded once. d, r and
`first` are static; tokens, heads and rows dynamic.

Bound: 2u (|x_a c| + |x_b s|) + u(out) |out|; columns that are copied are exact.
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
    U32,
    Case,
    Expected,
    Layout,
    Peer,
    Spec,
    Tensors,
    numpy_dtype,
    output_rounding,
    smallest_normal,
)
from tilewright.testing.peers import numpy_peer, torch_peer

BOUND = "2u (|x_a c| + |x_b s|) + u(out) |out|; copied columns exact"


def pairs(first: int, r: int, interleaved: bool) -> tuple[np.ndarray, np.ndarray]:
    """The columns a and b of each of the r / 2 pairs."""
    i = np.arange(r // 2)
    return (
        (first + 2 * i, first + 2 * i + 1) if interleaved else (first + i, first + r // 2 + i)
    )


def reference(
    x: np.ndarray,
    cos: np.ndarray,
    sin: np.ndarray,
    positions: np.ndarray,
    *,
    first: int = 0,
    interleaved: bool = True,
    inverse: bool = False,
) -> np.ndarray:
    """The definition in float64."""
    out = x.astype(np.float64)
    a, b = pairs(first, 2 * cos.shape[1], interleaved)
    c = cos[positions].astype(np.float64)[:, None]
    s = sin[positions].astype(np.float64)[:, None] * (-1 if inverse else 1)
    with np.errstate(invalid="ignore"):
        turned = out[..., a] * c - out[..., b] * s, out[..., b] * c + out[..., a] * s
    out[..., a], out[..., b] = turned
    return out


def tables(rows: int, r: int, base: float = 10000.0) -> tuple[np.ndarray, np.ndarray]:
    """`cos` and `sin` [rows, r / 2] of the angles p * base ** (-2 i / r), in f32."""
    angles = np.arange(rows)[:, None] * base ** (-np.arange(0, r, 2) / r)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


@functools.cache
def rope_kernel(
    d: int, r: int, first: int, interleaved: bool, inverse: bool, dtype: str, target: str
) -> Any:
    """The compiled rotation of heads of `d` columns, any number of them and of tokens."""
    tokens, heads, rows = T.dynamic("tokens"), T.dynamic("heads"), T.dynamic("rows")
    half, after = r // 2, first + r
    # Neighbours of 16 bits are one word: vectors take it apart better than they take every
    # other element.
    words = interleaved and dtype != "f32"
    BH = max(1, min(16, 512 // r if words else 2048 // d))

    @T.macro
    def turn_words(X, Out, c, s, by, bx):
        """Turns the pairs of BH heads, each read and written as one word of 32 bits."""
        x = T.alloc_shared((BH, r), dtype)
        y = T.alloc_shared((BH, half), "u32")
        T.copy(X[by, bx * BH, first], x)
        x_pairs = T.view(x, (BH, half), "u32")
        for h, i in T.Parallel(BH, half):
            pair = x_pairs[h, i]
            x_a = T.cast(T.reinterpret(T.cast(pair, "u16"), dtype), "f32")
            x_b = T.cast(T.reinterpret(T.cast(pair >> 16, "u16"), dtype), "f32")
            y_a = T.reinterpret(T.cast(x_a * c[i] - x_b * s[i], dtype), "u16")
            y_b = T.reinterpret(T.cast(x_b * c[i] + x_a * s[i], dtype), "u16")
            y[h, i] = T.cast(y_a, "u32") | (T.cast(y_b, "u32") << 16)
        T.copy(T.view(y, (BH, r), dtype), Out[by, bx * BH, first])

    @T.prim_func
    def rope(
        X: T.Tensor((tokens, heads, d), dtype),
        Cos: T.Tensor((rows, half), "f32"),
        Sin: T.Tensor((rows, half), "f32"),
        Positions: T.Tensor((tokens,), "i32"),
        Out: T.Tensor((tokens, heads, d), dtype),
    ):
        with T.Kernel(T.ceildiv(heads, BH), tokens, threads=128) as (bx, by):
            c = T.alloc_fragment((half,), "f32")
            s = T.alloc_fragment((half,), "f32")
            position = Positions[by]
            T.copy(Cos[position, 0], c)
            T.copy(Sin[position, 0], s)
            if first > 0:
                for h, j in T.Parallel(BH, first):
                    Out[by, bx * BH + h, j] = X[by, bx * BH + h, j]
            if after < d:
                for h, j in T.Parallel(BH, d - after):
                    Out[by, bx * BH + h, after + j] = X[by, bx * BH + h, after + j]
            if inverse:
                for i in T.Parallel(half):
                    s[i] = -s[i]
            if words:
                turn_words(X, Out, c, s, by, bx)
            else:
                for h, i in T.Parallel(BH, half):
                    head = bx * BH + h
                    a = first + (2 * i if interleaved else i)
                    b = first + (2 * i + 1 if interleaved else half + i)
                    x_a = T.cast(X[by, head, a], "f32")
                    x_b = T.cast(X[by, head, b], "f32")
                    Out[by, head, a] = x_a * c[i] - x_b * s[i]
                    Out[by, head, b] = x_b * c[i] + x_a * s[i]

    return tilewright.compile(rope, target=target)


def rope(
    x: Any,
    cos: Any,
    sin: Any,
    positions: Any,
    *,
    first: int = 0,
    interleaved: bool = True,
    inverse: bool = False,
    out: Any = None,
    target: str = "cpu",
) -> Any:
    """`x` with the columns from `first` on turned: `out` [tokens, heads, d].

    As many columns are turned as `cos` and `sin` have angles for. Shapes and dtypes are those
    of the module's docstring; `out` is made where not given. Raises ValueError where shapes or
    dtypes do not fit together.
    """
    dtype = dtype_of(x)
    require(dtype in ("f32", "bf16", "f16"), f"rope takes f32, bf16 or f16, not {dtype}")
    require(len(x.shape) == 3, f"rope takes [tokens, heads, d], not {len(x.shape)} dimensions")
    require(
        tuple(cos.shape) == tuple(sin.shape),
        f"cos is {tuple(cos.shape)} and sin {tuple(sin.shape)}: make them the same",
    )
    d, r = x.shape[2], 2 * cos.shape[1]
    require(r > 0, "cos and sin have no angles: there must be one for each pair of columns")
    require(
        first >= 0 and first + r <= d,
        f"columns {first} to {first + r - 1} are to be turned, and a head has {d}",
    )
    require(
        tuple(positions.shape) == (x.shape[0],),
        f"positions are {tuple(positions.shape)} and must be {(x.shape[0],)}",
    )
    out = empty(x, tuple(x.shape)) if out is None else out
    if 0 not in x.shape:
        kernel = rope_kernel(d, r, first, interleaved, inverse, dtype, target)
        kernel(x, cos, sin, positions, out)
    return out


def _peers(first: int, r: int, interleaved: bool) -> tuple[Peer, ...]:
    def numpy_rope(x: Any, cos: Any, sin: Any, positions: Any) -> Callable[[], Any]:
        a, b = pairs(first, r, interleaved)
        a, b = (slice(c[0], c[-1] + 1, c[1] - c[0]) for c in (a, b))
        out = np.empty_like(x)

        def run() -> Any:
            c, s = cos[positions][:, None], sin[positions][:, None]
            out[...] = x
            out[..., a] = x[..., a] * c - x[..., b] * s
            out[..., b] = x[..., b] * c + x[..., a] * s
            return out

        return run

    def rotate(x: Any, cos: Any, sin: Any, positions: Any) -> Any:
        """As in the model: complex numbers for pairs, or a rotated half."""
        import torch

        c, s = cos[positions][:, None], sin[positions][:, None]
        before, turned, after = x.split([first, r, x.shape[2] - first - r], -1)
        if interleaved:
            z = torch.view_as_complex(turned.float().unflatten(-1, (-1, 2)).contiguous())
            y = torch.view_as_real(z * torch.complex(c, s)).flatten(-2).to(x.dtype)
        else:
            c, s = torch.cat([c, c], -1), torch.cat([s, s], -1)
            half = torch.cat([-turned[..., r // 2 :], turned[..., : r // 2]], -1)
            y = (turned.float() * c + half.float() * s).to(x.dtype)
        return torch.cat([before, y, after], -1) if r < x.shape[2] else y

    def by_parts(x: Any, cos: Any, sin: Any, positions: Any) -> Any:
        import torch

        c, s = cos[positions][:, None], sin[positions][:, None]
        before, turned, after = x.split([first, r, x.shape[2] - first - r], -1)
        a, b = turned.unflatten(-1, (-1, 2)).unbind(-1) if interleaved else turned.chunk(2, -1)
        y = [(a * c - b * s).to(x.dtype), (b * c + a * s).to(x.dtype)]
        y = torch.stack(y, -1).flatten(-2) if interleaved else torch.cat(y, -1)
        return torch.cat([before, y, after], -1) if r < x.shape[2] else y

    def torch_model(*inputs: Any) -> Callable[[], Any]:
        return lambda: rotate(*inputs)

    def torch_parts(*inputs: Any) -> Callable[[], Any]:
        return lambda: by_parts(*inputs)

    def torch_compiled(*inputs: Any) -> Callable[[], Any]:
        import torch

        compiled = torch.compile(by_parts)
        compiled(*inputs)
        return lambda: compiled(*inputs)

    return (
        numpy_peer("by parts in f32", numpy_rope, "f32"),
        torch_peer("as in the model", torch_model),
        torch_peer("by parts", torch_parts),
        torch_peer("torch.compile", torch_compiled),
    )


def _case(
    name: str,
    tokens: int,
    heads: int,
    d: int,
    r: int,
    dtype: str = "bf16",
    *,
    first: int = 0,
    interleaved: bool = True,
    inverse: bool = False,
    rows: int = 50,
    spoil: Callable[[np.ndarray], None] | None = None,
    layouts: dict[str, Layout] | None = None,
    peers: bool = False,
) -> Case:
    """Normal values at positions in no order; `spoil` puts hostile values into them."""
    made = numpy_dtype(dtype)
    flags = {"first": first, "interleaved": interleaved, "inverse": inverse}

    def make_inputs(rng: np.random.Generator) -> Tensors:
        x = rng.standard_normal((tokens, heads, d), np.float32).astype(made)
        if spoil:
            spoil(x)
        cos, sin = tables(rows, r)
        positions = rng.integers(0, rows, tokens, np.int32)
        positions[-1:] = rows - 1
        return {"x": x, "cos": cos, "sin": sin, "positions": positions}

    def expect(inputs: Tensors) -> dict[str, Expected]:
        y = reference(**inputs, **flags)
        x = inputs["x"].astype(np.float64)
        a, b = pairs(first, r, interleaved)
        at = inputs["positions"]
        c, s = (np.abs(inputs[t][at].astype(np.float64))[:, None] for t in ("cos", "sin"))
        bound = np.zeros_like(y)
        with np.errstate(invalid="ignore"):
            for one, other in ((a, b), (b, a)):
                error = 2 * U32 * (np.abs(x[..., one]) * c + np.abs(x[..., other]) * s)
                error += 4 * smallest_normal("f32")  # operands and products may be flushed
                bound[..., one] = output_rounding(y[..., one], error, dtype)
        return {"out": Expected(y, bound)}

    tensor = tokens * heads * d
    return Case(
        kernel="rope",
        name=name,
        dtype=dtype,
        make_inputs=make_inputs,
        outputs=lambda inputs: {"out": Spec((tokens, heads, d), made)},
        expect=expect,
        run=lambda target, inputs, outputs: rope(**inputs, **outputs, **flags, target=target),
        bound=BOUND,
        flops=3 * tokens * heads * r,
        bytes=2 * tensor * made.itemsize + 4 * tokens * (r + 1),
        macs=2 * tokens * heads * r,
        layouts=layouts or {},
        peers=_peers(first, r, interleaved) if peers else (),
    )


def _hostile(x: np.ndarray) -> None:
    """NaN, infinities and denormals, in columns that are turned and in ones that are not."""
    x[0, 0, 3], x[0, 1, -1] = np.nan, np.nan
    x[1, 0, 0], x[1, 1, 5], x[1, 2, -2] = np.inf, -np.inf, np.inf
    x[2] = 1e-40
    x[3], x[3, :, ::2] = 0.0, -0.0


def verify_cases() -> list[Case]:
    """Both forms on all columns, on the last and on the first of them; odd sizes."""
    skewed = {"x": Layout(skew=1), "cos": Layout(skew=1), "out": Layout(skew=3)}
    cases = []
    for form, interleaved in (("interleaved", True), ("halves", False)):
        kind = {"interleaved": interleaved}
        cases += [
            *(_case(f"{form}_odd", 5, 3, 38, 38, d, **kind) for d in ("f32", "bf16", "f16")),
            *(
                _case(f"{form}_hostile", 4, 3, 40, 24, d, first=10, spoil=_hostile, **kind)
                for d in ("f32", "bf16")
            ),
            _case(f"{form}_last_64_of_192", 3, 5, 192, 64, first=128, **kind),
            _case(f"{form}_first_64_of_128", 3, 17, 128, 64, **kind),
            _case(f"{form}_inverse", 3, 2, 512, 64, first=448, inverse=True, **kind),
            _case(f"{form}_one_pair", 7, 1, 5, 2, "f32", first=2, **kind),
            _case(f"{form}_misaligned", 3, 3, 33, 18, first=7, layouts=skewed, **kind),
        ]
    return [
        *cases,
        _case("shared_key", 9, 1, 64, 64),
        _case("long_positions", 6, 2, 64, 64, "f32", rows=70000),
        _case("no_tokens", 0, 4, 16, 8),
        _case("no_heads", 3, 0, 16, 8),
    ]


def bench_cases() -> list[Case]:
    """The size of the benchmark table in both forms, and MLA's q of DeepSeek-V2-Lite."""
    made = functools.partial(_case, rows=4096, peers=True)
    return [
        made("t4096", 4096, 32, 128, 128),
        made("t4096_halves", 4096, 32, 128, 128, interleaved=False),
        made("t4096_mla_h16", 4096, 16, 192, 64, first=128),
    ]
