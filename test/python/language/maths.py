"""Maths functions over many values: kernels, samples, exact values and errors.

An error is counted in units in the last place of the result's type at the exact value y:
2^(max(e, e_min) - p + 1) for 2^e <= |y| < 2^(e + 1), where the type has p bits and its least
normal exponent is e_min. An infinity counts as the power of two behind the largest number,
and so does every larger exact value.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

import tilewright
import tilewright.language as T

_BLOCK = 1024
_CHUNK = 2**15  # as many values of f64 as fit in a core's cache, several times


def apply(device: str, names: list[str], x: np.ndarray, dtype: str) -> dict[str, np.ndarray]:
    """Each function of one argument on every element of `x`, in one kernel."""
    operations = [getattr(T, name) for name in names]
    n, count = len(x), len(names)

    @T.prim_func
    def kernel(X: T.Tensor((n,), dtype), Y: T.Tensor((count, n), dtype)):
        with T.Kernel(T.ceildiv(n, _BLOCK)) as block:
            tile = T.alloc_shared((_BLOCK,), dtype)
            out = T.alloc_shared((count, _BLOCK), dtype)
            T.copy(X[block * _BLOCK], tile)
            for f, operation in enumerate(operations):
                for i in T.Parallel(_BLOCK):
                    out[f, i] = operation(tile[i])
            T.copy(out, Y[0, block * _BLOCK])

    if dtype == "f4e2m1fn":
        y = np.full((count, n // 2), 0xA5, np.uint8)
        tilewright.compile(kernel, target=device)(tilewright.pack_pairs(x), y)
        return dict(zip(names, tilewright.unpack_pairs(y)))
    y = np.full((count, n), 1, x.dtype)
    tilewright.compile(kernel, target=device)(x, y)
    return dict(zip(names, y))


_erf = np.frompyfunc(math.erf, 1, 1)


# Exact to far below an ulp of f32: f64 functions of values that f64 holds.
EXACT = {
    "exp": np.exp,
    "exp2": np.exp2,
    "log": np.log,
    "log2": np.log2,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "erf": lambda x: _erf(x).astype(np.float64),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "log10": np.log10,
    "log1p": np.log1p,
    "expm1": np.expm1,
    "exp10": lambda x: np.power(10.0, x),
    "tan": np.tan,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "sinh": np.sinh,
    "cosh": np.cosh,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "round": np.rint,
    "trunc": np.trunc,
    "abs": np.abs,
}

LIBM = (
    "log10", "log1p", "expm1", "exp10", "tan", "asin", "acos", "atan", "sinh", "cosh", "asinh",
    "acosh", "atanh",
)  # fmt: skip

# In ulps of f32, of f64 for "f64": the figures of docs/semantics.md.
BOUNDS = {
    **dict.fromkeys(("exp", "exp2", "log"), 1.0),
    **dict.fromkeys(("log2", "rsqrt", "tanh", "erf"), 1.5),
    **dict.fromkeys(("sin", "cos"), 2.0),
    "sigmoid": 2.5,
    **dict.fromkeys(("sqrt", "fma"), 0.5),
    **dict.fromkeys(("floor", "ceil", "round", "trunc", "abs"), 0.0),
    **dict.fromkeys(("pow", "atan2", "hypot", *LIBM), 0.51),  # in f64, then rounded
    "f64": 2.0,
}

# Where the function is neither constant nor infinite in f32, for a denser sample there.
RANGES = {
    "exp": (-104, 89),
    "exp2": (-150, 128.5),
    "log": (0, 4),
    "log2": (0, 4),
    "sqrt": (0, 4),
    "rsqrt": (0, 4),
    "sin": (-400, 400),
    "cos": (-400, 400),
    "tanh": (-10, 10),
    "erf": (-4.2, 4.2),
    "sigmoid": (-105, 18),
    "log10": (0, 4),
    "log1p": (-1, 4),
    "expm1": (-20, 89),
    "exp10": (-46, 39),
    "tan": (-400, 400),
    "asin": (-1, 1),
    "acos": (-1, 1),
    "atan": (-50, 50),
    "sinh": (-90, 90),
    "cosh": (-90, 90),
    "asinh": (-50, 50),
    "acosh": (1, 50),
    "atanh": (-1, 1),
    "floor": (-100, 100),
    "ceil": (-100, 100),
    "round": (-100, 100),
    "trunc": (-100, 100),
    "abs": (-1, 1),
}


def ulp(y: np.ndarray, bits: int, least: int) -> np.ndarray:
    """The unit in the last place at `y` (float64) of a type of `bits` bits and e_min."""
    _, exponent = np.frexp(y)
    return np.ldexp(1.0, np.maximum(exponent - 1, least) - bits + 1)


def errors_f32(result: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """Errors in ulps of f32; infinite where exactly one of both is NaN."""
    limit = 2.0**128
    y = np.clip(exact, -limit, limit)
    nan = np.isnan(exact)
    with np.errstate(invalid="ignore"):
        r = np.clip(result.astype(np.float64), -limit, limit)
        error = np.abs(r - y) / ulp(np.clip(y, -(2.0**127), 2.0**127), 24, -126)
    return np.where(nan | np.isnan(r), np.where(nan == np.isnan(r), 0.0, np.inf), error)


# Zeros, denormals, ends of ranges, infinities, NaNs, and arguments of sin and cos that lie
# next to multiples of pi/2 or need all of pi's bits.
SPECIAL = np.concatenate(
    [
        np.array(
            [0, 1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000, 0x7F800001,
             0x3F800000, 0x3F7FFFFF, 0x3F800001, 0x42B17218, 0x42B17217, 0x42CFF1B5,
             0x43000000, 0x42FFFFFF, 0x43150000, 0x43160000, 0x3F000000, 0x3EFFFFFF,
             0x3FC00000, 0x40200000, 0x4B000000, 0x4AFFFFFF, 0x4B800000],
            np.uint32,
        ).view(np.float32),
        np.float32([k * math.pi / 2 for k in (1, 2, 3, 4, 7, 100, 12345, 10**7)]),
        np.float32([1e10, 1e22, 16367173 * 2.0**72, 2.0**50, 2.0**49, 3e38]),
    ]
)  # fmt: skip
SPECIAL = np.concatenate([SPECIAL, -SPECIAL])


def sample_f32(name: str, count: int, seed: int) -> np.ndarray:
    """`count` values and SPECIAL: a third over all bit patterns, else where it moves."""
    rng = np.random.default_rng(seed)
    step = 2**32 // (count // 3)
    everywhere = np.arange(rng.integers(step), 2**32, step, np.uint64).astype(np.uint32)
    low, high = RANGES[name]
    dense = rng.uniform(low, high, count - len(everywhere)).astype(np.float32)
    return np.concatenate([everywhere.view(np.float32), dense, SPECIAL])


def anything_f32(count: int, seed: int) -> np.ndarray:
    """Values of any exponent, infinities and NaNs among them, without denormals."""
    bits = np.random.default_rng(seed).integers(0, 2**32, count, np.uint32)
    values = bits.view(np.float32)
    values[np.abs(values) < 2.0**-126] = 0
    return values


def worst_f32(
    exact: Callable[..., np.ndarray], bound: float, result: np.ndarray, *arrays: np.ndarray
) -> tuple[int, float, float]:
    """Where the error is largest: the position, the exact value, the error in ulps of f32.

    `exact` is of float64. A denormal result may be zero. Errors up to `bound` are found
    without looking at each element twice.
    """
    worst = (0, math.nan, -1.0)
    for start in range(0, len(result), _CHUNK):
        part = slice(start, start + _CHUNK)
        with np.errstate(all="ignore"):
            y = exact(*(x[part].astype(np.float64) for x in arrays)).astype(np.float64)
            # Errors of finite results, by the power of two at y, and the few others.
            power = (y.view(np.uint64) & np.uint64(0x7FF << 52)).view(np.float64)
            error = np.abs(result[part] - y)
            error *= 2.0**23
            error /= np.clip(power, 2.0**-126, 2.0**127, out=power)
        error[(result[part] == 0) & (np.abs(y) < 2.0**-126)] = 0
        odd = np.flatnonzero(~(error <= bound))
        error[odd] = errors_f32(result[part][odd], y[odd])
        at = int(error.argmax())
        if error[at] > worst[2]:
            worst = (start + at, float(y[at]), float(error[at]))
    return worst


def special_values_agree(result: np.ndarray, expected: np.ndarray) -> bool:
    """Whether NaNs, infinities and zeros with their signs are in the same places.

    A denormal that was expected may be zero.
    """
    zero = expected == 0
    with np.errstate(invalid="ignore"):
        return bool(
            np.array_equal(np.isnan(result), np.isnan(expected))
            and np.array_equal(result[np.isinf(expected)], expected[np.isinf(expected)])
            and np.all(result[zero] == 0)
            and np.array_equal(np.signbit(result[zero]), np.signbit(expected[zero]))
        )
