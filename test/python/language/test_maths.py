"""Maths functions against exact values: the errors that docs/semantics.md states.

f32 is sampled over all its bit patterns and more densely where functions move; types of 16
bits and fewer are tried value by value; f64 is compared with 100 digits of mpmath.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

import tilewright.language as T
from language.casts import SMALL, every_value, exact, to_narrow
from language.maths import (
    BOUNDS,
    EXACT,
    SPECIAL,
    anything_f32,
    apply,
    sample_f32,
    special_values_agree,
    ulp,
    worst_f32,
)  # fmt: skip
from language.run import elementwise, pairs
from tilewright.testing import numpy_dtype


# Emulators are slower: 2^19 values are some hundred of each exponent.
def _samples(device: str, count: int) -> int:
    return count >> 5 if "emulator" in device else count


LEAST_NORMAL = 2.0**-126


@pytest.mark.parametrize("name", EXACT)
def test_f32_over_all_exponents(device, name):
    x = sample_f32(name, _samples(device, 2**24), seed=1)
    result = apply(device, [name], x, "float32")[name]
    at, y, error = worst_f32(EXACT[name], BOUNDS[name], result, x)
    assert error <= BOUNDS[name], (x[at], result[at], y, error)


@pytest.mark.parametrize("name", EXACT)
def test_f32_special_values(device, name):
    """NaN, infinities and the signs of zeros are IEEE's."""
    result = apply(device, [name], SPECIAL, "float32")[name]
    with np.errstate(all="ignore"):
        y = EXACT[name](SPECIAL.astype(np.float64)).astype(np.float32)
    assert special_values_agree(result, y), (SPECIAL, result, y)


@pytest.mark.parametrize("dtype", ["f16", "bf16", *SMALL])
def test_every_value_of_narrow_floats(device, dtype):
    """Computed in f32 within its bound, then rounded once: so between two roundings."""
    x = every_value(dtype)
    x = np.concatenate([x, x[: len(x) % 2]])
    wide = exact(x)
    zero = to_narrow(np.zeros(1), dtype)
    for name, result in apply(device, list(EXACT), x, dtype).items():
        with np.errstate(all="ignore"):
            y = EXACT[name](wide)
            slack = BOUNDS[name] * ulp(np.clip(y, -(2.0**127), 2.0**127), 24, -126)
            slack = np.where(np.isfinite(y), slack, 0.0)
            ends = [_rounded(y + s, dtype, name) for s in (-slack, slack)]
        got = exact(result)
        inside = (np.minimum(*ends) <= got) & (got <= np.maximum(*ends))
        inside |= np.isnan(got) & np.isnan(ends[0])
        flushed = (np.abs(y) < LEAST_NORMAL) & (got == zero)
        wrong = ~(inside | flushed)
        at = int(wrong.argmax())
        assert not wrong.any(), (name, dtype, int(wrong.sum()), x[at], got[at], y[at])


def _rounded(y: np.ndarray, dtype: str, name: str) -> np.ndarray:
    """`y` in f32 and then `dtype`; functions that round nothing keep infinities."""
    with np.errstate(over="ignore"):
        y = y.astype(np.float32).astype(np.float64)
    result = to_narrow(y, dtype)
    if dtype == "f8e5m2" and name in ("abs", "floor", "ceil", "round", "trunc"):
        result = np.where(np.isinf(y), y, result)
    return result


_MPMATH = {
    "exp": mpmath.exp, "exp2": lambda x: mpmath.power(2, x), "log": mpmath.log,
    "log2": lambda x: mpmath.log(x) / mpmath.log(2), "sqrt": mpmath.sqrt,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x), "sin": mpmath.sin, "cos": mpmath.cos,
    "tanh": mpmath.tanh, "erf": mpmath.erf, "sigmoid": lambda x: 1 / (1 + mpmath.exp(-x)),
    "log10": mpmath.log10, "log1p": mpmath.log1p, "expm1": mpmath.expm1,
    "exp10": lambda x: mpmath.power(10, x), "tan": mpmath.tan, "asin": mpmath.asin,
    "acos": mpmath.acos, "atan": mpmath.atan, "sinh": mpmath.sinh, "cosh": mpmath.cosh,
    "asinh": mpmath.asinh, "acosh": mpmath.acosh, "atanh": mpmath.atanh,
}  # fmt: skip
_F64_RANGES = {
    "exp": (-740, 709), "exp2": (-1070, 1023), "sin": (-1e5, 1e5), "cos": (-1e5, 1e5),
    "tanh": (-20, 20), "erf": (-6, 6), "sigmoid": (-700, 40), "expm1": (-40, 709),
    "exp10": (-300, 308), "tan": (-1e5, 1e5), "asin": (-1, 1), "acos": (-1, 1),
    "atan": (-1e6, 1e6), "sinh": (-700, 700), "cosh": (-700, 700), "asinh": (-1e6, 1e6),
    "acosh": (1, 1e6), "atanh": (-0.999999, 0.999999), "log1p": (-0.999999, 1e6),
}  # fmt: skip


# Among them ends of the ranges that code is made of.
_F64_EDGES = [
    1.0, 0.5, 5e-324, 1e-310, 2.0**-1022, 2.0**-54, 2.0**-28, 0.34657359027997264,
    0.41421356237309503, 0.7071067811865475, 1.4142135623730951, 2.414213562373095, 5.92, 20.0,
    709.782712893384, 710.4758600739439, 2.0**20, 2.0**52, 2.0**60, 1e308,
    1.7976931348623157e308,
]  # fmt: skip


@pytest.mark.parametrize("name", _MPMATH)
def test_f64_within_its_bound(device, name):
    rng = np.random.default_rng(4)
    low, high = _F64_RANGES.get(name, (0, 0))
    x = rng.uniform(low, high, 600) if low < high else np.exp(rng.uniform(-700, 700, 600))
    x = np.concatenate([x, rng.uniform(0.5, 1.5, 200), _F64_EDGES])
    x = x[(x >= low) & (x <= high)] if low < high else x
    result = apply(device, [name], x, "float64")[name]
    mpmath.mp.dps = 100
    for value, got in zip(x, result):
        y = _MPMATH[name](mpmath.mpf(float(value)))
        error = abs(mpmath.mpf(float(got)) - y) / float(ulp(np.float64(y), 53, -1022))
        assert error <= BOUNDS["f64"], (value, got, y, float(error))


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_huge_angles(device, name):
    """All bits of an angle count: 2/pi has to be exact to more than 1,100 bits."""
    rng = np.random.default_rng(8)
    x = np.ldexp(rng.uniform(0.5, 1, 300), rng.integers(18, 1025, 300))
    # 6381956970095103 * 2^797 is next to a multiple of pi/2.
    x = np.concatenate([x, -x[:20], [2.0**20, 2.0**20 - 2.0**-33, 6381956970095103 * 2.0**797]])
    result = apply(device, [name], np.append(x, np.inf), "float64")[name]
    assert np.isnan(result[-1])
    mpmath.mp.dps = 400
    for value, got in zip(x, result):
        y = _MPMATH[name](mpmath.mpf(float(value)))
        error = abs(mpmath.mpf(float(got)) - y) / float(ulp(np.float64(y), 53, -1022))
        assert error <= BOUNDS["f64"], (value, got, y, float(error))


@pytest.mark.parametrize("name", EXACT)
def test_f64_special_values(device, name):
    """NaN, infinities and the signs of zeros are IEEE's."""
    x = np.array(
        [0.0, 0.5, 1.0, 2.0, 5e-324, 2.0**-1022, 2.0**52, 800.0, 1e308, np.inf, np.nan]
    )
    x = np.concatenate([x, -x])
    result = apply(device, [name], x, "float64")[name]
    with np.errstate(all="ignore"):
        assert special_values_agree(result, EXACT[name](x)), name


# -- functions of several arguments -----------------------------------------------------------


@T.macro
def power(a, b):
    return T.pow(a, b)


def test_pow(device):
    rng = np.random.default_rng(6)
    many = 2**24 // 3
    a = np.exp(rng.uniform(-20, 20, 2 * many)).astype(np.float32)
    b = rng.uniform(-6, 6, 2 * many).astype(np.float32)
    edge, other = pairs(
        [0, -0.0, 1, -1, 2, -2, 0.5, np.inf, -np.inf, np.nan, 3e38, 1e-40],
        [0, -0.0, 1, -1, 2, 3, -3, 0.5, np.inf, -np.inf, np.nan, 1e9], "f32",
    )  # fmt: skip
    a = np.concatenate([a, anything_f32(many, seed=1), edge])
    b = np.concatenate([b, anything_f32(many, seed=2), other])
    result = elementwise(device, power, "f32", a, b)
    at, y, error = worst_f32(np.power, BOUNDS["pow"], result, a, b)
    assert error <= BOUNDS["pow"], (a[at], b[at], result[at], y)
    with np.errstate(all="ignore"):
        y = np.power(edge.astype(np.float64), other.astype(np.float64)).astype(np.float32)
    assert special_values_agree(result[-len(y) :], y)


def two(name: str):
    operation = getattr(T, name)

    @T.macro
    def apply(a, b):
        return operation(a, b)

    return apply


_TWO = {
    "atan2": np.arctan2, "hypot": lambda x, y: np.hypot(x.astype(np.longdouble), y),
    "fmod": np.fmod, "copysign": np.copysign,
}  # fmt: skip


@pytest.mark.parametrize("name", _TWO)
def test_f32_functions_of_two_over_all_exponents(device, name):
    rng = np.random.default_rng(13)
    many = _samples(device, 2**23)
    a, b = (
        np.concatenate([near.astype(np.float32), anything_f32(many, seed)])
        for seed, near in enumerate(rng.uniform(-100, 100, (2, many)))
    )
    result = elementwise(device, two(name), "f32", a, b)
    bound = 0 if name in ("fmod", "copysign") else BOUNDS[name]
    at, y, error = worst_f32(_TWO[name], bound, result, a, b)
    assert error <= bound, (a[at], b[at], result[at], y, error)


def test_pow_of_f64(device):
    rng = np.random.default_rng(14)
    # Any bases, some next to 1 with large exponents, and small integers.
    far, near = np.exp(rng.uniform(-600, 600, 400)), 1 + rng.standard_normal(200) * 1e-6
    a = np.concatenate([far, near, rng.integers(1, 100, 200)])
    small, large = rng.uniform(-2, 2, 400), rng.uniform(-7e8, 7e8, 200)
    b = np.concatenate([small, large, rng.integers(-50, 100, 200)])
    result = elementwise(device, power, "f64", a, b)
    mpmath.mp.dps = 60
    for x, n, got in zip(a, b, result):
        y = mpmath.power(mpmath.mpf(float(x)), mpmath.mpf(float(n)))
        if y >= mpmath.mpf(2) ** 1024:
            assert np.isinf(got), (x, n, got)
            continue
        error = abs(mpmath.mpf(float(got)) - y) / float(ulp(np.float64(y), 53, -1022))
        assert error <= BOUNDS["f64"], (x, n, got, y, float(error))


@pytest.mark.parametrize("dtype", ["f32", "f64", "f16"])
@pytest.mark.parametrize("name", _TWO)
def test_functions_of_two_floats(device, name, dtype):
    rng = np.random.default_rng(12)
    edge, other = pairs(
        [0, -0.0, 1, -3, np.inf, -np.inf, np.nan, 6e4], [0, -0.0, 2, -2, np.inf, np.nan, 1e-7],
        dtype,
    )  # fmt: skip
    a, b = (
        np.concatenate([rng.standard_normal(2**14) * 2.0 ** rng.integers(-9, 9, 2**14), more])
        .astype(numpy_dtype(dtype))
        for more in (edge, other)
    )  # fmt: skip
    with np.errstate(all="ignore"):
        y = _TWO[name](a.astype(np.float64), b.astype(np.float64))
        result = elementwise(device, two(name), dtype, a, b)
        rounded = y.astype(result.dtype)
    assert special_values_agree(result, rounded), (name, dtype)
    finite = np.isfinite(rounded)
    bits, least = {"f16": (11, -14), "f32": (24, -126), "f64": (53, -1022)}[dtype]
    exactly = name in ("fmod", "copysign")
    bound = 0 if exactly else 3 if dtype == "f64" else BOUNDS[name]
    error = np.abs(result[finite].astype(y.dtype) - y[finite])
    error /= ulp(y[finite].astype(np.float64), bits, least)
    assert error.max() <= bound, (name, dtype, error.max())


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_a_rest_is_exact(device, dtype):
    """Also where the quotient has far more digits than a float."""
    rng = np.random.default_rng(13)
    made = numpy_dtype(dtype)
    word = np.dtype(f"u{made.itemsize}")
    anything = rng.integers(0, np.iinfo(word).max, 2**13, word).view(made)
    denormal = rng.integers(1, 2**20, 2**13).astype(word).view(made)
    near = (rng.standard_normal(2**13) * 2.0 ** rng.integers(-3, 60, 2**13)).astype(made)
    whole = rng.integers(-(10**6), 10**6, 2**13).astype(made)
    edge, other = pairs(
        [0, -0.0, 1e10, -7.5, 3e38, np.inf, np.nan], [0, 7.5, -np.inf, 1e-38], dtype
    )
    a = np.concatenate([anything, anything, near, whole, near, edge])
    b = np.concatenate(
        [
            rng.permutation(anything),
            denormal,
            near[::-1],
            rng.permutation(whole),
            denormal,
            other,
        ]
    )
    with np.errstate(all="ignore"):
        expected = np.fmod(a, b)
    result = elementwise(device, two("fmod"), dtype, a, b)
    assert np.array_equal(result, expected, equal_nan=True)
    zero = expected == 0
    assert np.array_equal(np.signbit(result[zero]), np.signbit(expected[zero]))


@T.macro
def ones(a):
    return T.popcount(a)


@T.macro
def zeros_above(a):
    return T.clz(a)


@pytest.mark.parametrize("dtype", ["i8", "u8", "i16", "u16", "i32", "u64"])
def test_counts_of_bits(device, dtype):
    made = numpy_dtype(dtype)
    width = made.itemsize * 8
    if width <= 16:
        a = np.arange(2**width, dtype=np.uint32).astype(f"u{made.itemsize}").view(made)
    else:
        a = np.random.default_rng(3).integers(0, 256, 2**14, np.uint8).view(made)
        a = np.concatenate([a >> k for k in range(0, width, 5)] + [np.array([0, 1], made)])
    words = [int(v) & (2**width - 1) for v in a]
    assert elementwise(device, ones, dtype, a).tolist() == [w.bit_count() for w in words]
    expected = [width - w.bit_length() for w in words]
    assert elementwise(device, zeros_above, dtype, a).tolist() == expected


@T.macro
def classes(a):
    return T.isfinite(a) * 4 + T.isinf(a) * 2 + T.isnan(a)


@pytest.mark.parametrize("dtype", ["f16", "bf16", *SMALL])
def test_classes_of_every_value(device, dtype):
    x = every_value(dtype)
    value = exact(x)
    expected = np.isfinite(value) * 4 + np.isinf(value) * 2 + np.isnan(value)
    if dtype == "f4e2m1fn":
        assert (expected == 4).all()
        return
    assert np.array_equal(elementwise(device, classes, "i32", x), expected)


@T.macro
def smallest(a, b):
    return T.min(a, b)


@T.macro
def largest(a, b):
    return T.max(a, b)


@T.macro
def clamped(a, b):
    return T.clamp(a, T.min(b, -b), T.max(b, -b))


@pytest.mark.parametrize(
    "dtype", ["f8e4m3fn", "f8e5m2", "f8e4m3fnuz", "f8e5m2fnuz", "f16", "bf16"]
)
def test_extrema_of_every_pair(device, dtype):
    """All pairs of f8; of 16 bits, every value with 64 others. Infinities stay."""
    values = every_value(dtype)
    if len(values) == 256:
        a, b = (v.ravel() for v in np.meshgrid(values, values))
    else:
        a = np.tile(values, 4)
        b = np.random.default_rng(2).permutation(np.tile(values, 4))
    x, y = exact(a), exact(b)
    with np.errstate(invalid="ignore"):
        low, high = np.minimum(x, y), np.maximum(x, y)
        within = np.maximum(np.minimum(x, np.abs(y)), -np.abs(y))
    for function, expected in ((smallest, low), (largest, high), (clamped, within)):
        result = exact(elementwise(device, function, dtype, a, b))
        assert np.array_equal(result, expected, equal_nan=True), function


@T.macro
def fused(a, b, c):
    return T.fma(a, b, c)


def test_f32_fma_over_all_exponents(device):
    """Half an ulp; the exact sum has more than f64's bits, so it is made of x87's 64."""
    many = 2**23
    near = np.random.default_rng(8).uniform(-60, 60, (3, many)).astype(np.float32)
    a, b, c = (np.concatenate([v, anything_f32(many, seed)]) for seed, v in enumerate(near))
    c[: many // 2] = -a[: many // 2] * b[: many // 2]  # near cancellation
    result = elementwise(device, fused, "f32", a, b, c)
    wide = np.longdouble
    at, y, error = worst_f32(
        lambda a, b, c: a.astype(wide) * b.astype(wide) + c, 0.5 + 2.0**-20, result, a, b, c
    )
    assert error <= 0.5 + 2.0**-20, (a[at], b[at], c[at], result[at], y, error)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16"])
def test_fma_within_its_bound(device, dtype):
    """Half an ulp in f32; narrower types are rounded from f32's result."""
    rng = np.random.default_rng(9)
    made = numpy_dtype(dtype)
    a, b, c = (
        (rng.standard_normal(2**18) * 2.0 ** rng.integers(-6, 6, 2**18)).astype(made)
        for _ in range(3)
    )
    c[: 2**17] = (-exact(a) * exact(b))[: 2**17].astype(made)  # near cancellation
    # Products of two f32 have 48 bits and their sums more than f64's, so in x87's 64.
    y = a.astype(np.longdouble) * b.astype(np.longdouble) + c.astype(np.longdouble)
    bits, least = {"f32": (24, -126), "f16": (11, -14), "bf16": (8, -126)}[dtype]
    error = np.abs(exact(elementwise(device, fused, dtype, a, b, c)) - y)
    error = (error / ulp(y.astype(np.float64), bits, least)).astype(np.float64)
    allowed = 0.5 + (2.0 ** (bits - 24) if dtype != "f32" else 2.0**-20)
    assert error.max() <= allowed, error.max()


def test_every_name_of_the_table_is_a_function_of_the_language():
    assert all(math.isfinite(bound) for bound in BOUNDS.values())
    assert all(hasattr(T, name) for name in EXACT)
