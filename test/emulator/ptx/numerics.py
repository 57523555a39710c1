"""Error bounds that the references share.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

from fractions import Fraction

import ml_dtypes
import numpy as np
from case import Expected

BF16 = ml_dtypes.bfloat16
E4M3 = ml_dtypes.float8_e4m3fn
E5M2 = ml_dtypes.float8_e5m2

# Half a unit in the last place, relative; and half of the smallest subnormal.
ROUNDING = {
    np.dtype(np.float64): (2.0**-53, 2.0**-1075),
    np.dtype(np.float32): (2.0**-24, 2.0**-150),
    np.dtype(np.float16): (2.0**-11, 2.0**-25),
    np.dtype(BF16): (2.0**-8, 2.0**-134),
    np.dtype(E4M3): (2.0**-4, 2.0**-10),
    np.dtype(E5M2): (2.0**-3, 2.0**-17),
}


def rounding(value: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """How far rounding to nearest may move `value`."""
    relative, tiny = ROUNDING[np.dtype(dtype)]
    return np.abs(value) * relative + tiny


def rounded(value: np.ndarray, bound: np.ndarray, dtype: np.typing.DTypeLike) -> Expected:
    """A value known to `bound`, then rounded to `dtype`."""
    return Expected(value, bound + rounding(np.abs(value) + bound, dtype))


def sum_bound(magnitude: np.ndarray, terms: int, unit: float = 2.0**-23) -> np.ndarray:
    """For a sum of `terms` numbers in any order, whose absolute values add up to `magnitude`.

    A unit of 2^-23 for f32, twice the error of rounding to nearest, covers adders that
    truncate, as those of tensor cores do."""
    return magnitude * (terms * unit) + terms * 2.0**-149


def dot(a: np.ndarray, b: np.ndarray, dtype: np.typing.DTypeLike = np.float32) -> Expected:
    """a @ b of arrays that hold the exact inputs, accumulated in f32."""
    a = a.astype(np.float64)
    b = b.astype(np.float64)
    bound = sum_bound(np.abs(a) @ np.abs(b), a.shape[-1] + 8)
    if np.dtype(dtype) == np.float32:
        return Expected(a @ b, bound)
    return rounded(a @ b, bound, dtype)


def fraction_to(value: Fraction, dtype: type, mode: str) -> np.floating:
    """A rational rounded to f32 or f64: "rn", "rz", "rp" or "rm"."""
    near = dtype(float(value)) if dtype is np.float64 else _float32(value)
    exact = Fraction(float(near))
    if mode == "rn" or exact == value:
        return near
    down, up = (near, np.nextafter(near, dtype(np.inf)))
    if exact > value:
        down, up = np.nextafter(near, dtype(-np.inf)), near
    if mode == "rz":
        mode = "rm" if value > 0 else "rp"
    return down if mode == "rm" else up


def _float32(value: Fraction) -> np.float32:
    """To nearest, ties to even, with no double rounding."""
    if value == 0:
        return np.float32(0)
    # The exponent of the unit in the last place.
    exponent = max(_log2(abs(value)) - 23, -149)
    return np.float32(float(round(value / Fraction(2) ** exponent)) * 2.0**exponent)


def _log2(value: Fraction) -> int:
    """floor(log2(value)) of a positive rational."""
    guess = value.numerator.bit_length() - value.denominator.bit_length()
    return guess if Fraction(2) ** guess <= value else guess - 1


def tf32(value: np.ndarray) -> np.ndarray:
    """f32 with 10 bits of fraction: ties away from zero."""
    bits = value.astype(np.float32).view(np.uint32) + np.uint32(0x1000)
    return (bits & np.uint32(0xFFFFE000)).view(np.float32)
