"""What scalar operations compute: each row of docs/semantics.md about numbers.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright.language as T
from language.run import elementwise, pairs
from tilewright.testing import numpy_dtype

pytestmark = pytest.mark.every_device

INTEGERS = ("i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")


def extremes(dtype: str) -> list[int]:
    info = np.iinfo(numpy_dtype(dtype))
    near = [v for v in (-7, -2, -1, 0, 1, 2, 3, 7, 100) if info.min <= v]
    return [info.min, info.min + 1, *near, info.max - 1, info.max]


def same(actual: np.ndarray, expected: np.ndarray) -> None:
    """Equal element by element, NaN where NaN is, zeros by their sign."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.dtype == expected.dtype
    if actual.dtype.kind in "iub":
        wrong = actual != expected
    else:
        a, e = actual.astype(np.float64), expected.astype(np.float64)
        wrong = ~((a == e) | (np.isnan(a) & np.isnan(e))) | (
            ~np.isnan(a) & ~np.isnan(e) & (np.signbit(a) != np.signbit(e))
        )
    assert not wrong.any(), (np.flatnonzero(wrong)[:5], actual[wrong][:5], expected[wrong][:5])


# -- integers ---------------------------------------------------------------------------------


@T.macro
def add(a, b):
    return a + b


@T.macro
def multiply(a, b):
    return a * b


@T.macro
def negate(a):
    return -a


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_wrap(device, dtype):
    a, b = pairs(extremes(dtype), extremes(dtype), dtype)
    with np.errstate(over="ignore"):
        same(elementwise(device, add, dtype, a, b), a + b)
        same(elementwise(device, multiply, dtype, a, b), a * b)
        same(elementwise(device, negate, dtype, a), (0 - a).astype(a.dtype))


@T.macro
def floor_divide(a, b):
    return a // b


@T.macro
def rest(a, b):
    return a % b


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integer_division_floors(device, dtype):
    low = np.iinfo(numpy_dtype(dtype)).min
    a, b = pairs(extremes(dtype), [v for v in extremes(dtype) if v], dtype)
    keep = ~((a == low) & (b == -1) & (low < 0))  # the quotient has no value
    a, b = a[keep], b[keep]
    same(elementwise(device, floor_divide, dtype, a, b), a // b)
    same(elementwise(device, rest, dtype, a, b), a % b)


@T.macro
def round_up(a, b):
    return T.ceildiv(a, b)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_a_quotient_without_value_is_any_value(device, dtype):
    """By zero, and the smallest by -1: the result may be anything, and the process goes on."""
    low = np.iinfo(numpy_dtype(dtype)).min
    a, b = pairs([low, low + 1, 0, 7], [0, -1 if low else 0, 3], dtype)
    numbers = [(int(x), int(y)) for x, y in zip(a, b)]
    defined = [y != 0 and (x != low or y == 3) for x, y in numbers]
    quotients = {
        floor_divide: lambda x, y: x // y,
        rest: lambda x, y: x % y,
        round_up: lambda x, y: -(-x // y),
    }
    for macro, exact in quotients.items():
        got = elementwise(device, macro, dtype, a, b)
        for value, is_defined, (x, y) in zip(got, defined, numbers):
            assert not is_defined or value == exact(x, y)


def test_float_division_floors(device):
    values = [-7.5, -3.0, -0.5, 0.5, 1.0, 2.5, 7.5, 1e10]
    a, b = pairs(values, values, "f32")
    same(elementwise(device, floor_divide, "f32", a, b), np.floor(a / b))
    same(elementwise(device, rest, "f32", a, b), np.mod(a, b))


@T.macro
def divide(a, b):
    return a / b


@T.macro
def root(a):
    return T.sqrt(a)


@T.macro
def multiply_add(a, b, c):
    return a * b + c


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_float_operations_round_once_each(device, dtype):
    """Quotients, roots, and products before they are added; denormals count."""
    rng = np.random.default_rng(7)
    made = numpy_dtype(dtype)
    word = np.dtype(f"u{made.itemsize}")
    anything = rng.integers(0, np.iinfo(word).max, 2**13, word).view(made)
    near = rng.standard_normal(2**13).astype(made)
    a = np.concatenate([anything, near, near])
    b = np.concatenate([rng.permutation(anything), rng.permutation(near), near[::-1]])
    with np.errstate(all="ignore"):
        c = np.where(np.arange(len(a)) % 2, -(a * b), b)
        same(elementwise(device, divide, dtype, a, b), a / b)
        same(elementwise(device, root, dtype, np.abs(a)), np.sqrt(np.abs(a)))
        same(elementwise(device, multiply_add, dtype, a, b, c), a * b + c)


def test_a_rest_of_powers_of_two(device):
    """e8m0 has no zero: what divides leaves NaN, and nothing in the rest needs a zero."""
    powers = [2.0**-127, 0.25, 1.0, 2.0, 64.0, 2.0**127]
    a, b = pairs(powers, powers, "f8e8m0fnu")
    x, y = a.astype(np.float64), b.astype(np.float64)
    expected = np.where(x < y, x, np.nan).astype(a.dtype)
    same(elementwise(device, rest, "f8e8m0fnu", a, b), expected)


@T.macro
def shift_left(a, b):
    return a << b


@T.macro
def shift_right(a, b):
    return a >> b


@pytest.mark.parametrize("dtype", INTEGERS)
def test_shifts_reach_past_the_width(device, dtype):
    bits = np.iinfo(numpy_dtype(dtype)).bits
    a, b = pairs(extremes(dtype), [0, 1, bits // 2, bits - 1, bits, min(bits + 1, 127)], dtype)
    wide = [int(x) for x in a]
    left = [((x << int(n)) if n < bits else 0) % (1 << bits) for x, n in zip(wide, b)]
    right = [x >> int(n) for x, n in zip(wide, b)]
    unsigned = numpy_dtype("u" + dtype[1:])
    same(elementwise(device, shift_left, dtype, a, b), np.array(left, unsigned).view(a.dtype))
    same(elementwise(device, shift_right, dtype, a, b), np.array(right, a.dtype))


@T.macro
def bits(a, b):
    return (a & b) | (a ^ ~b)


@pytest.mark.parametrize("dtype", ["i8", "u32", "i64", "bool"])
def test_bit_operations(device, dtype):
    a, b = pairs([0, 1] if dtype == "bool" else extremes(dtype), [0, 1], dtype)
    same(elementwise(device, bits, dtype, a, b), (a & b) | (a ^ ~b))


# -- comparison and choice --------------------------------------------------------------------

SPECIAL = [-np.inf, -1.5, -0.0, 0.0, 1.0, np.inf, np.nan]


@T.macro
def comparisons(a, b):
    ordered = (a < b) * 1 + (a <= b) * 2 + (a > b) * 4 + (a >= b) * 8
    return ordered + (a == b) * 16 + (a != b) * 32


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "f64", "i8", "u8"])
def test_comparisons(device, dtype):
    values = SPECIAL if dtype[0] != "i" and dtype[0] != "u" else [0, 1, 127]
    a, b = pairs(values, values, dtype)
    with np.errstate(invalid="ignore"):
        expected = (a < b) * 1 + (a <= b) * 2 + (a > b) * 4 + (a >= b) * 8
        expected = expected + (a == b) * 16 + (a != b) * 32
    same(elementwise(device, comparisons, "i32", a, b), expected.astype(np.int32))


@T.macro
def smaller(a, b):
    return T.min(a, b)


@T.macro
def larger(a, b):
    return T.max(a, b)


@pytest.mark.parametrize("dtype", ["f32", "f16", "bf16", "f64"])
def test_minimum_and_maximum_propagate_nan(device, dtype):
    values = [v for v in SPECIAL if v != 0] + [0.0]
    a, b = pairs(values, values, dtype)
    with np.errstate(invalid="ignore"):
        same(elementwise(device, smaller, dtype, a, b), np.minimum(a, b))
        same(elementwise(device, larger, dtype, a, b), np.maximum(a, b))


@T.macro
def clamped(a):
    return T.clamp(a, -1, 1)


@T.macro
def magnitude(a):
    return T.abs(a)


def test_clamp_and_magnitude(device):
    a = np.array(SPECIAL, np.float32)
    same(elementwise(device, clamped, "f32", a), np.clip(a, -1, 1))
    same(elementwise(device, magnitude, "f32", a), np.abs(a))
    i = np.array([-128, -5, 0, 7, 127], np.int8)
    with np.errstate(over="ignore"):
        same(elementwise(device, magnitude, "i8", i), np.abs(i))


# -- conversion ------------------------------------------------------------


def identity(dtype: str):
    @T.macro
    def convert(a):
        return T.cast(a, dtype)

    return convert


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("source", ["f32", "f64", "bf16"])
def test_float_to_integer_saturates(device, dtype, source):
    values = [*SPECIAL, 0.5, -0.5, 2.9, -2.9, 127.5, 255.5, 1e5, -1e5, 3e9, -3e9, 1e19, -1e19]
    a = np.array(values, numpy_dtype(source))
    info = np.iinfo(numpy_dtype(dtype))
    wide = [0 if np.isnan(x) else np.trunc(np.float64(x)) for x in a.astype(np.float64)]
    expected = [int(min(max(x, info.min), info.max)) for x in wide]
    same(elementwise(device, identity(dtype), dtype, a), np.array(expected, numpy_dtype(dtype)))


@pytest.mark.parametrize("source", ["i32", "u32", "i64", "u64", "i8"])
@pytest.mark.parametrize("dtype", ["f32", "f64", "bf16", "f16"])
def test_integer_to_float_rounds_to_nearest_even(device, source, dtype):
    info = np.iinfo(numpy_dtype(source))
    values = [0, 1, 7, 255, 257, 2049, 65519, 65520, 16777217, 16777219, 2**31 - 1, 2**53 + 1]
    values = [v for v in values if v <= info.max] + [info.min, info.max]
    a = np.array(values, numpy_dtype(source))
    # Through float64 only where that is exact; otherwise from the integer's own digits.
    expected = np.array([_nearest(v, dtype) for v in values], numpy_dtype(dtype))
    same(elementwise(device, identity(dtype), dtype, a), expected)


def _nearest(value: int, dtype: str) -> float:
    """The value of `dtype` nearest to an integer, ties to even; infinity past its range."""
    digits = {"f64": 53, "f32": 24, "bf16": 8, "f16": 11}[dtype]
    sign, size = (-1 if value < 0 else 1), abs(value)
    drop = max(0, size.bit_length() - digits)
    kept, lost = size >> drop, size & ((1 << drop) - 1)
    half = 1 << (drop - 1) if drop else 1
    if lost > half or (lost == half and kept & 1 and drop):
        kept += 1
    rounded = sign * (kept << drop)
    if dtype == "f16" and abs(rounded) > 65504:
        return sign * np.inf
    return float(rounded)


@pytest.mark.parametrize("source", ["f32", "f16", "bf16"])
@pytest.mark.parametrize("dtype", ["f8e4m3fn", "f8e5m2"])
def test_float_to_fp8_saturates(device, source, dtype):
    made = numpy_dtype(source)
    if source == "f32":
        a = np.arange(0, 2**32, 65521, dtype=np.uint64).astype(np.uint32).view(np.float32)
    else:
        a = np.arange(2**16, dtype=np.uint32).astype(np.uint16).view(made)
    largest = float(ml_dtypes.finfo(numpy_dtype(dtype)).max)
    with np.errstate(invalid="ignore"):
        wide = a.astype(np.float64)
    finite = np.clip(wide, -largest, largest)
    expected = np.where(np.isnan(wide), np.nan, finite).astype(numpy_dtype(dtype))
    result = elementwise(device, identity(dtype), dtype, a).astype(np.float64)
    assert np.array_equal(result, expected.astype(np.float64), equal_nan=True)


@pytest.mark.parametrize("source", ["f8e4m3fn", "f8e5m2"])
def test_fp8_to_float_is_exact(device, source):
    a = np.arange(256, dtype=np.uint8).view(numpy_dtype(source))
    same(elementwise(device, identity("f32"), "f32", a), a.astype(np.float32))


@pytest.mark.parametrize(("source", "dtype"), [("f32", "bf16"), ("f32", "f16"), ("f64", "f32")])
def test_float_to_narrower_float(device, source, dtype):
    rng = np.random.default_rng(1)
    made = numpy_dtype(dtype)
    exact = rng.integers(0, 2**16, 3000, np.uint16).view(np.uint16)
    exact = (
        exact.view(made) if made.itemsize == 2 else rng.standard_normal(3000).astype(np.float32)
    )
    # Exact values, the midpoints between neighbours, and their neighbours.
    with np.errstate(all="ignore"):
        up = np.nextafter(exact.astype(numpy_dtype(source)), np.inf, dtype=numpy_dtype(source))
        a = np.concatenate([exact.astype(numpy_dtype(source)), up, [65519.9, 65520, 3.5e38]])
        a = a.astype(numpy_dtype(source))
        expected = a.astype(made)
    result = elementwise(device, identity(dtype), dtype, a)
    keep = ~np.isnan(expected.astype(np.float64))
    same(result[keep], expected[keep])
    assert np.isnan(result[~keep].astype(np.float64)).all()


@pytest.mark.parametrize(("source", "dtype"), [("i32", "i8"), ("u8", "i32"), ("i8", "u64"),
                                               ("u64", "u16"), ("i16", "bool"), ("bool", "f16"),
                                               ("f32", "bool")])  # fmt: skip
def test_integer_conversions(device, source, dtype):
    values = [0, 1] if source == "bool" else [0, 3, 2] if source == "f32" else extremes(source)
    a = np.array(values, numpy_dtype(source))
    same(elementwise(device, identity(dtype), dtype, a), a.astype(numpy_dtype(dtype)))


@T.macro
def as_bits(a):
    return T.reinterpret(a, "uint32") ^ 0x80000000


def test_reinterpret(device):
    a = np.array(SPECIAL, np.float32)
    same(elementwise(device, as_bits, "u32", a), a.view(np.uint32) ^ np.uint32(1 << 31))


@T.macro
def mixed(a, b):
    return a + b


def test_promotion_computes_in_the_meeting_type(device):
    i = np.array([2049, -3, 100000], np.int32)
    h = np.array([1, 0.5, 0], np.float16)
    with np.errstate(over="ignore"):
        expected = i.astype(np.float16) + h
    same(elementwise(device, mixed, "f16", i, h), expected)
    u, s = np.array([250, 3], np.uint8), np.array([-1000, 7], np.int16)
    same(elementwise(device, mixed, "i16", u, s), u.astype(np.int16) + s)


# -- rounding and maths ------------------------------------------------------------


def function(name: str):
    operation = getattr(T, name)

    @T.macro
    def apply(a):
        return operation(a)

    return apply


@pytest.mark.parametrize("dtype", ["f32", "f64", "f16"])
@pytest.mark.parametrize("name", ["floor", "ceil", "round", "trunc"])
def test_rounding_functions(device, name, dtype):
    values = [*SPECIAL, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 0.49999997, 8388609.0, -1e30]
    with np.errstate(over="ignore"):
        a = np.array(values).astype(numpy_dtype(dtype))
    numpy_name = {"round": "rint"}.get(name, name)
    same(elementwise(device, function(name), dtype, a), getattr(np, numpy_name)(a))


def _erf(x: np.ndarray) -> np.ndarray:
    import math

    return np.array([math.erf(v) for v in x])


MATHS = {
    "exp": (np.exp, (-87, 88)), "exp2": (np.exp2, (-126, 127.9)),
    "log": (np.log, (1e-37, 1e38)),
    "log2": (np.log2, (1e-37, 1e38)), "sqrt": (np.sqrt, (0, 1e38)),
    "rsqrt": (lambda x: 1 / np.sqrt(x), (1e-37, 1e38)), "sin": (np.sin, (-1e4, 1e4)),
    "cos": (np.cos, (-1e4, 1e4)), "tanh": (np.tanh, (-12, 12)), "erf": (_erf, (-5, 5)),
    "sigmoid": (lambda x: 1 / (1 + np.exp(-x)), (-80, 80)),
}  # fmt: skip


@pytest.mark.parametrize("name", MATHS)
def test_maths_within_four_ulps(device, name):
    exact, (low, high) = MATHS[name]
    rng = np.random.default_rng(3)
    a = rng.uniform(low, high, 4000).astype(np.float32)
    if low > 0:
        a = np.exp(rng.uniform(np.log(low), np.log(high), 4000)).astype(np.float32)
    a = np.concatenate([a, rng.uniform(max(low, -1), 1, 2000).astype(np.float32)])
    expected = exact(a.astype(np.float64))
    result = elementwise(device, function(name), "f32", a).astype(np.float64)
    ulp = np.spacing(np.maximum(np.abs(expected), 2.0**-126).astype(np.float32))
    error = np.abs(result - expected) / ulp
    assert error.max() <= 4, (
        a[error.argmax()],
        result[error.argmax()],
        expected[error.argmax()],
    )


@pytest.mark.parametrize("name", MATHS)
def test_maths_of_special_values(device, name):
    a = np.array([*SPECIAL, 1e-40, 2e38, -200.0, 200.0, 0.5], np.float32)
    with np.errstate(all="ignore"):
        expected = MATHS[name][0](a.astype(np.float64)).astype(np.float32)
    result = elementwise(device, function(name), "f32", a)
    assert np.array_equal(np.isnan(result), np.isnan(expected))
    assert np.array_equal(np.isinf(result), np.isinf(expected))
    infinite = np.isinf(expected)
    assert np.array_equal(result[infinite], expected[infinite])


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "rsqrt", "sigmoid"])
@pytest.mark.parametrize("dtype", ["f16", "bf16", "f64"])
def test_maths_of_other_floats(device, name, dtype):
    made = numpy_dtype(dtype)
    a = np.linspace(0.01, 9, 500).astype(made)
    expected = MATHS[name][0](a.astype(np.float64))
    result = elementwise(device, function(name), dtype, a).astype(np.float64)
    unit = {"f16": 2.0**-11, "bf16": 2.0**-8, "f64": 2.0**-53}[dtype]
    # One rounding of the result beside the function's own error in f32.
    allowed = (unit + 4 * 2.0**-23 if dtype != "f64" else 4 * 2.0**-52) * np.abs(expected)
    assert (np.abs(result - expected) <= allowed).all()


@T.macro
def fused(a, b, c):
    return T.fma(a, b, c)


def test_fma_rounds_once(device):
    a = np.array([1 + 2**-12, 3.0], np.float32)
    b = np.array([1 - 2**-12, 5.0], np.float32)
    c = np.array([-1.0, 1.0], np.float32)
    exact = (a.astype(np.float64) * b + c).astype(np.float32)
    same(elementwise(device, fused, "f32", a, b, c), exact)
    assert exact[0] != 0
