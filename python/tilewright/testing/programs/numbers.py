# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Arrays of numbers that know how far they may be from the right ones.

A float of any type is held in float64 with an absolute error bound beside it. While the
bound is zero the value is exactly what every right implementation computes; it stays zero
through single roundings, and through sums that no order can round. Where a result may
legally differ (maths functions, sums that round) the bound grows by the rules of
docs/semantics.md. An infinite bound means that nothing is known: such elements are not
compared. Integers and bool have a bound of zero or infinity.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from tilewright.testing.dtypes import (
    largest,
    numpy_dtype,
    significand_bits,
    smallest_subnormal,
    unit_roundoff,
)

SCALE, PAIR = "f8e8m0fnu", "f4e2m1fn"  # powers of two alone; two in a byte of a tensor
NO_NEGATIVE_ZERO = ("f8e4m3fnuz", "f8e5m2fnuz", "f8e4m3b11fnuz")
NARROW = ("f8e4m3fn", "f8e5m2", "bf16", "f16", *NO_NEGATIVE_ZERO, PAIR, SCALE)  # as f32
FLOATS = (*NARROW, "f32", "f64")
SIGNED = ("i8", "i16", "i32", "i64")
UNSIGNED = ("u8", "u16", "u32", "u64")
INTEGERS = SIGNED + UNSIGNED
ALL = ("bool", *INTEGERS, *FLOATS)

_LONG = {"f": "float", "b": "bfloat", "i": "int", "u": "uint"}


@dataclasses.dataclass(frozen=True, eq=False)
class Numbers:
    """`value` (float64, or the integer type itself) within `error` of the right one.

    `wide` is what operators on signed integers give as an index, in 64 bits, where `value`
    may have wrapped.
    """

    dtype: str
    value: np.ndarray
    error: np.ndarray
    wide: np.ndarray | None = None

    @property
    def index(self) -> np.ndarray:
        """The value as an index."""
        return self.value if self.wide is None else self.wide

    @property
    def known(self) -> np.ndarray:
        """Where the value is exactly the right one."""
        return self.error == 0


def is_float(dtype: str) -> bool:
    """Whether a dtype name is one of a float."""
    return dtype in FLOATS


def is_integer(dtype: str) -> bool:
    """Whether a dtype name is one of an integer other than bool; "index" is one."""
    return dtype in INTEGERS or dtype == "index"


def bits_of(dtype: str) -> int:
    """The width of an element; that of "index" is 64."""
    if dtype in ("index", PAIR):
        return 64 if dtype == "index" else 4
    return numpy_dtype(dtype).itemsize * 8


def held_as(dtype: str) -> np.dtype:
    """The NumPy type that holds values of a dtype here."""
    if is_float(dtype):
        return np.dtype(np.float64)
    return np.dtype(np.int64) if dtype == "index" else numpy_dtype(dtype)


def long_name(dtype: str) -> str:
    """The name that kernels use: "float16" for "f16"."""
    if dtype.startswith(("f8", "f4")):
        return f"float{dtype[1]}_{dtype[2:]}"
    return dtype if dtype == "bool" else _LONG[dtype[0]] + dtype.lstrip("bfiu")


def exact(dtype: str, value: object) -> Numbers:
    """Values of a dtype without error."""
    made = np.asarray(value, held_as(dtype))
    return Numbers(dtype, made, np.zeros(made.shape))


def unknown(dtype: str, shape: tuple[int, ...] = ()) -> Numbers:
    """Values of which nothing is known."""
    return Numbers(dtype, np.zeros(shape, held_as(dtype)), np.full(shape, np.inf))


def broadcast(numbers: Numbers, shape: tuple[int, ...]) -> Numbers:
    """The same numbers, repeated to a shape."""
    if numbers.value.shape == shape == numbers.error.shape:
        return numbers
    return Numbers(
        numbers.dtype,
        np.broadcast_to(numbers.value, shape),
        np.broadcast_to(numbers.error, shape),
        None if numbers.wide is None else np.broadcast_to(numbers.wide, shape),
    )


def nearest(value: np.ndarray, dtype: str) -> np.ndarray:
    """float64 values rounded once to nearest even; past the range infinity, in f8, f4 the most.

    What a type has not becomes what docs/semantics.md says: NaN in f4, -0 in the fnuz forms,
    and zero and negative numbers in e8m0.
    """
    if dtype == "f64":
        return value
    if dtype == SCALE:
        return _nearest_power(value)
    with np.errstate(all="ignore"):
        if dtype == "f32":
            return value.astype(np.float32).astype(np.float64)
        if dtype == "f16":
            return value.astype(np.float16).astype(np.float64)
        _, exponent = np.frexp(value)
        lowest = int(np.log2(smallest_subnormal(dtype)))
        quantum = np.maximum(exponent - significand_bits(dtype), lowest)
        result = np.ldexp(np.rint(np.ldexp(value, -quantum)), quantum)
    result = np.where(np.isfinite(value), result, value)
    most = largest(dtype)
    if dtype == PAIR:
        return np.where(np.isnan(value), most, np.clip(result, -most, most))
    if dtype.startswith("f8"):
        result = np.clip(result, -most, most)  # NaN stays
        return result + 0.0 if dtype in NO_NEGATIVE_ZERO else result
    return np.where(np.abs(result) > most, np.copysign(np.inf, result), result)


def _nearest_power(value: np.ndarray) -> np.ndarray:
    """The nearest number of e8m0, the larger of two as near; NaN for what is not positive."""
    with np.errstate(all="ignore"):
        mantissa, exponent = np.frexp(np.where(np.isfinite(value), value, 1.0))
        power = np.clip(exponent - np.where(mantissa >= 0.75, 0, 1), -127, 127)
        result = np.where(np.isposinf(value), 2.0**127, np.ldexp(1.0, power))
        return np.where(value > 0, result, np.nan)


def _around(value: np.ndarray, error: np.ndarray) -> np.ndarray:
    """How far e8m0 may be from `value` known to within `error`: rounding keeps the order."""
    with np.errstate(all="ignore"):
        low, high = _nearest_power(value - error), _nearest_power(value + error)
        far = np.maximum(np.abs(low - value), np.abs(high - value))
    return np.where(np.isnan(far), np.inf, far)


def outside(dtype: str) -> np.ndarray:
    """What reading outside a tensor gives: zero, or the least number where there is none."""
    return np.asarray(2.0**-127 if dtype == SCALE else 0, held_as(dtype))


def rounded(value: np.ndarray, error: np.ndarray, dtype: str) -> Numbers:
    """What one rounding to `dtype` makes of float64 values known to within `error`."""
    value = np.asarray(value, np.float64)
    error = np.asarray(error, np.float64)
    if error.shape != value.shape:
        error = np.broadcast_to(error, value.shape)
    exactly = nearest(value, dtype)
    if not error.any():
        return Numbers(dtype, exactly, error)
    if dtype == SCALE:
        error = np.where(error > 0, _around(value, error), 0.0)
        return Numbers(dtype, np.where(error > 0, value, exactly), error)
    # The value itself was rounded to float64, which of f64 is as much again.
    roundoff = unit_roundoff(dtype) + unit_roundoff("f64")
    with np.errstate(all="ignore"):
        size = np.abs(value) + error
        wide = error + roundoff * size + smallest_subnormal(dtype) / 2
        wide = np.where(size * (1 + roundoff) < largest(dtype), wide, np.inf)
    # A value that is not finite is so whatever its neighbours are, or nothing is known.
    wide = np.where(np.isfinite(value), wide, np.inf)
    inexact = error > 0
    return Numbers(dtype, np.where(inexact, value, exactly), np.where(inexact, wide, 0.0))


def cast(numbers: Numbers, dtype: str) -> Numbers:
    """Numeric conversion, as the table in docs/semantics.md has it."""
    if numbers.dtype == dtype:
        return numbers
    value, error = numbers.value, numbers.error
    if dtype == "bool":
        return _to_bool(numbers)
    if not is_float(numbers.dtype):
        if is_float(dtype):
            return Numbers(dtype, nearest(_odd_float(value, dtype), dtype), error)
        value = numbers.index if dtype == "index" else value
        return Numbers(dtype, value.astype(held_as(dtype)), error)
    if is_float(dtype):
        return rounded(value, error, dtype)
    if not error.any():
        return Numbers(dtype, truncated(value, dtype), error)
    with np.errstate(invalid="ignore"):
        low, high = truncated(value - error, dtype), truncated(value + error, dtype)
    same = ((low == high) & np.isfinite(value)) | (error == 0)
    return Numbers(dtype, truncated(value, dtype), np.where(same, 0.0, np.inf))


@functools.cache
def _limits(dtype: np.dtype) -> np.iinfo:
    return np.iinfo(dtype)


def truncated(value: np.ndarray, dtype: str) -> np.ndarray:
    """float64 values towards zero in an integer type: saturated, NaN as 0."""
    limits = _limits(held_as(dtype))
    whole = np.trunc(np.where(np.isnan(value), 0.0, value))
    above, below = whole >= float(limits.max), whole <= float(limits.min)
    result = np.where(above | below, 0.0, whole).astype(held_as(dtype))
    result = np.where(above, np.asarray(limits.max, result.dtype), result)
    return np.where(below, np.asarray(limits.min, result.dtype), result)


def _to_bool(numbers: Numbers) -> Numbers:
    value, error = numbers.value, numbers.error
    if not is_float(numbers.dtype):
        return Numbers("bool", value != 0, error)
    sure = (error == 0) | (np.abs(value) > error)
    return Numbers("bool", value != 0, np.where(sure, 0.0, np.inf))


def _odd_float(value: np.ndarray, dtype: str) -> np.ndarray:
    """Integers in float64 such that rounding them to `dtype` rounds once.

    What float64 cannot hold is rounded to odd: the lowest bit says that something was cut.
    """
    if value.dtype.itemsize < 8 or dtype == "f64":
        return value.astype(np.float64)
    negative = value < 0
    size = np.where(negative, -value, value).astype(np.uint64)  # the smallest wraps to itself
    cut = size & np.uint64(0x7FF)
    odd = (size - cut) | np.where(cut != 0, np.uint64(0x800), np.uint64(0))
    size = np.where(size >> np.uint64(53) != 0, odd, size).astype(np.float64)
    return np.where(negative, -size, size)
