# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Dtype names as the case records use them, with their rounding properties."""

from __future__ import annotations

import functools

import ml_dtypes
import numpy as np

_NUMPY = {
    "bool": np.dtype(np.bool_),
    "i8": np.dtype(np.int8),
    "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u8": np.dtype(np.uint8),
    "u16": np.dtype(np.uint16),
    "u32": np.dtype(np.uint32),
    "u64": np.dtype(np.uint64),
    "f16": np.dtype(np.float16),
    "bf16": np.dtype(ml_dtypes.bfloat16),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "f8e4m3fn": np.dtype(ml_dtypes.float8_e4m3fn),
    "f8e5m2": np.dtype(ml_dtypes.float8_e5m2),
    "f8e4m3fnuz": np.dtype(ml_dtypes.float8_e4m3fnuz),
    "f8e5m2fnuz": np.dtype(ml_dtypes.float8_e5m2fnuz),
    "f8e4m3b11fnuz": np.dtype(ml_dtypes.float8_e4m3b11fnuz),
    "f8e8m0fnu": np.dtype(ml_dtypes.float8_e8m0fnu),
    # One value in each byte, as ml_dtypes has it; kernels take pairs (tilewright.pack_pairs).
    "f4e2m1fn": np.dtype(ml_dtypes.float4_e2m1fn),
}


def numpy_dtype(name: str) -> np.dtype:
    """The NumPy (or ml_dtypes) dtype of a dtype name such as "bf16"."""
    try:
        return _NUMPY[name]
    except KeyError:
        known = ", ".join(_NUMPY)
        raise ValueError(f"unknown dtype name {name!r}; the names are {known}") from None


def dtype_name(dtype: np.dtype) -> str:
    """The dtype name of a NumPy (or ml_dtypes) dtype."""
    for name, known in _NUMPY.items():
        if known == dtype:
            return name
    raise ValueError(f"dtype {dtype} has no name here")


def is_float(dtype: np.dtype) -> bool:
    """Whether a dtype is a floating-point type, ml_dtypes' included."""
    return dtype_name(dtype).startswith(("f", "bf"))


@functools.cache
def unit_roundoff(name: str) -> float:
    """Half the distance from 1 to the next number: the relative error of one rounding."""
    return float(ml_dtypes.finfo(numpy_dtype(name)).eps) / 2


@functools.cache
def largest(name: str) -> float:
    """The largest finite number."""
    return float(ml_dtypes.finfo(numpy_dtype(name)).max)


@functools.cache
def smallest_normal(name: str) -> float:
    """The smallest normal number: what a flushed denormal may differ by."""
    return float(ml_dtypes.finfo(numpy_dtype(name)).smallest_normal)


@functools.cache
def smallest_subnormal(name: str) -> float:
    """The smallest positive number of a dtype."""
    return float(ml_dtypes.finfo(numpy_dtype(name)).smallest_subnormal)


@functools.cache
def significand_bits(name: str) -> int:
    """Bits of the significand with the leading one: integers up to 2^bits are exact."""
    return int(ml_dtypes.finfo(numpy_dtype(name)).nmant) + 1
