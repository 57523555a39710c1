# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inputs on which a contraction is exact, so that its result must be bit-exact.

One operand holds odd integers as wide as its dtype's significand (at most 13 bits: more
than tf32 or bf16 can hold, so a product made in too low a precision is seen), the other
-1, 0 and 1.
"""

from __future__ import annotations

import math

import numpy as np

from tilewright.testing.dtypes import is_float, numpy_dtype, significand_bits

WIDEST = 13
# f32 accumulators hold integers up to 2^24.
_EXACT_BITS = significand_bits("f32")


def odd_bits(dtype: str) -> int:
    """How many bits the odd integers of `dtype` have."""
    return min(WIDEST, significand_bits(dtype))


def odd_integers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    """Odd integers of either sign, uniform below 2^bits in magnitude, as `dtype`."""
    half = 1 << (odd_bits(dtype) - 1)
    return (2 * rng.integers(-half, half, shape) + 1).astype(numpy_dtype(dtype))


def signs(
    rng: np.random.Generator, shape: tuple[int, ...], terms: int, dtype: str
) -> np.ndarray:
    """-1, 0 and 1, sparse enough that `terms` products with odd integers stay exact."""
    density = min(2 / 3, 2.0 ** (_EXACT_BITS - odd_bits(dtype)) / max(terms, 1))
    kept = rng.random(shape) < density
    return (np.where(rng.random(shape) < 0.5, -1, 1) * kept).astype(numpy_dtype(dtype))


def exact_operands(
    rng: np.random.Generator,
    shape_a: tuple[int, ...],
    shape_b: tuple[int, ...],
    terms: int,
    dtype: str,
    *,
    swapped: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Operands of a contraction over `terms` whose every partial sum is exact.

    The odd integers stand in A, or in B when `swapped`. Integer dtypes are exact with any
    values, so they get the whole range.
    """
    if not is_float(numpy_dtype(dtype)):
        limits = np.iinfo(numpy_dtype(dtype))
        draw = [
            rng.integers(limits.min, limits.max, s, numpy_dtype(dtype), endpoint=True)
            for s in (shape_a, shape_b)
        ]
        return draw[0], draw[1]
    if swapped:
        b, a = exact_operands(rng, shape_b, shape_a, terms, dtype)
        return a, b
    return odd_integers(rng, shape_a, dtype), signs(rng, shape_b, terms, dtype)


def selecting_operands(
    rng: np.random.Generator, targets: np.ndarray, keys: int, scale: float, d: int, dtype: str
) -> tuple[np.ndarray, np.ndarray]:
    """Queries and keys whose softmax picks chosen keys exactly.

    `targets` names a key for every query; the result is q [*targets.shape, d] and
    k [keys, d]. Keys 2 t and 2 t + 1 are alike to every query, so that a query for either
    gives both the weight 1/2 where it sees both, and 1 to the target where it does not see
    the other; every other key scores at least 256 below in units of log2: its weight is 0
    in f32.

    A key's columns spell its pair's number in binary as +-s over columns that include the
    first and the last; the other columns hold odd integers that meet zeros of the query.
    """
    width = max(1, (max(keys - 1, 1) // 2).bit_length())
    if width > d:
        raise ValueError(f"{keys} keys need {width} columns to tell them apart, not {d}")
    columns = np.unique(np.linspace(0, d - 1, width).round().astype(int))
    # 2 s^2 scale log2(e) >= 256, with s a power of two.
    power = math.ceil(math.log2(128 / (scale * math.log2(math.e))) / 2)
    pairs = np.arange(keys) // 2
    bit = np.arange(width)
    k = odd_integers(rng, (keys, d), dtype).astype(np.float64)
    k[:, columns] = np.where(pairs[:, None] >> bit & 1, 1, -1) * 2.0**power
    q = np.zeros((*targets.shape, d))
    q[..., columns] = np.where(targets[..., None] // 2 >> bit & 1, 1, -1) * 2.0**power
    return q.astype(numpy_dtype(dtype)), k.astype(numpy_dtype(dtype))
