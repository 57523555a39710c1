"""What conversions give, from their definition: an independent reference for T.cast.

A narrow type is the sorted list of its numbers; rounding looks for the nearest of them. No
arithmetic on codes or bits is shared with the compiler, which works on those alone.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import functools

import numpy as np

from tilewright.testing import numpy_dtype

SMALL = (
    "f8e4m3fn", "f8e5m2", "f8e4m3fnuz", "f8e5m2fnuz", "f8e4m3b11fnuz", "f8e8m0fnu", "f4e2m1fn",
)  # fmt: skip
NARROW = ("f16", "bf16", *SMALL)
INTEGERS = ("bool", "i8", "u8", "i16", "u16", "i32", "u32", "i64", "u64")
WIDE = ("f32", "f64")


def bits_of(dtype: str) -> int:
    """Bits of a value."""
    return {"f4e2m1fn": 4, "bool": 1}.get(dtype, numpy_dtype(dtype).itemsize * 8)


def every_value(dtype: str) -> np.ndarray:
    """All values of a type of at most 16 bits, in the order of their codes."""
    made, bits = numpy_dtype(dtype), bits_of(dtype)
    codes = np.arange(2**bits, dtype=np.uint32).astype(f"u{made.itemsize}")
    return codes.view(made)


def exact(x: np.ndarray) -> np.ndarray:
    """Values in float64, or in x87's 64 bits where integers need them."""
    x = np.asarray(x)
    wide = np.longdouble if x.dtype.kind in "iu" and x.itemsize == 8 else np.float64
    with np.errstate(invalid="ignore"):  # signalling NaNs
        return x.astype(wide)


@functools.cache
def numbers(dtype: str) -> np.ndarray:
    """The finite numbers of a narrow float type that are not negative, in order."""
    values = exact(every_value(dtype))
    return np.unique(np.abs(values[np.isfinite(values)]))


def _nearest(magnitude: np.ndarray, dtype: str) -> np.ndarray:
    """Positions among `numbers(dtype)` of the nearest, ties to the even position.

    Consecutive numbers have alternating last bits and 0 is even, so positions are codes;
    e8m0 has no bit to be even in: the larger of two wins.
    """
    grid = numbers(dtype)
    above = np.clip(np.searchsorted(grid, magnitude, "left"), 1, len(grid) - 1)
    low, high = grid[above - 1], grid[above]
    middle = low + (high - low) / 2  # exact in float64
    even_above = np.ones_like(above) if dtype == "f8e8m0fnu" else above % 2 == 0
    up = (magnitude > middle) | ((magnitude == middle) & even_above)
    return np.where(up, above, above - 1)


def to_narrow(x: np.ndarray, dtype: str) -> np.ndarray:
    """Float64 values rounded once to a narrow float type, by the rules of docs/semantics.md.

    Returns float64; the sign of a zero is that of the result.
    """
    grid = numbers(dtype)
    nan, magnitude = np.isnan(x), np.abs(x)
    with np.errstate(invalid="ignore"):
        result = np.copysign(grid[_nearest(np.where(nan, 0, magnitude), dtype)], x)
    if dtype in ("f16", "bf16"):
        # Infinite from the middle between the largest number and the next power of two on.
        limit = grid[-1] + (grid[-1] - grid[-2]) / 2
        result = np.where(magnitude >= limit, np.copysign(np.inf, x), result)
    if dtype.endswith("fnuz"):
        result = np.where(result == 0, 0.0, result)
    if dtype == "f8e8m0fnu":
        return np.where(x > 0, result, np.nan)
    return np.where(nan, 6.0 if dtype == "f4e2m1fn" else np.nan, result)


def to_integer(x: np.ndarray, dtype: str) -> np.ndarray:
    """Float64 values to an integer type: towards zero, saturating, NaN to 0."""
    if dtype == "bool":
        return x != 0
    info = np.iinfo(numpy_dtype(dtype))
    result = np.zeros(x.shape, numpy_dtype(dtype))
    inside = (x > float(info.min) - 1) & (x < float(info.max) + 1) & (np.abs(x) < 2.0**63)
    result[inside] = np.trunc(x[inside]).astype(np.int64).astype(result.dtype)
    huge = (x >= 2.0**63) & (x < 2.0**64) & (dtype == "u64")
    result[huge] = x[huge].astype(np.uint64)
    result[x >= float(info.max) + 1 if info.bits < 64 else x >= float(info.max)] = info.max
    result[x <= float(info.min)] = info.min
    return result


def rounding_cases(dtype: str, source: str) -> np.ndarray:
    """Values of a wide type where rounding to a narrow float changes its mind.

    All numbers of `dtype`, all middles between neighbours, the values next to these on both
    sides, what lies beyond the largest, and 2^20 random bit patterns.
    """
    made = numpy_dtype(source)
    grid = numbers(dtype)
    step = grid[-1] - grid[-2]
    with np.errstate(all="ignore"):
        middles = grid[:-1] + np.diff(grid) / 2
        near = np.concatenate(
            [grid, middles, grid[0] / np.array([2, 4]), grid[-1] + step * np.array([0.5, 1, 2])]
        ).astype(made)
        around = [near, np.nextafter(near, made.type(np.inf)), np.nextafter(near, made.type(0))]
        special = np.array([0, np.inf, np.nan, np.finfo(made).max, np.finfo(made).tiny, 5e-324])
        positive = np.concatenate([*around, special.astype(made)])
        rng = np.random.default_rng(11)
        random = rng.integers(0, 256, 2**20 * made.itemsize, np.uint8).view(made)
        return np.concatenate([positive, -positive, random])


def integer_cases(source: str) -> np.ndarray:
    """Integers beside every place where rounding to a narrow float changes, and random ones."""
    made = numpy_dtype(source)
    info = np.iinfo(made)
    found = [np.array([info.min, info.min + 1, 0, info.max - 1, info.max], made)]
    for dtype in NARROW:
        grid = numbers(dtype)
        places = np.concatenate([grid, grid[:-1] + np.diff(grid) / 2]).astype(np.longdouble)
        places = places[places < info.max // 2]
        places = np.unique(np.rint(places)).astype(np.int64)
        for sign in (1, -1) if info.min < 0 else (1,):
            for beside in (-1, 0, 1):
                found.append((sign * places + beside).astype(made))
    random = np.random.default_rng(5).integers(0, 256, 2**17 * made.itemsize, np.uint8)
    return np.unique(np.concatenate([*found, random.view(made)]))
