"""Conversions between all pairs of types, exhaustively where a side has at most 16 bits.

Each pair is converted in both forms that code has, a copy of tiles and an elementwise loop,
over a length that no vector divides.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

from __future__ import annotations

import ml_dtypes
import numpy as np
import pytest

import tilewright
import tilewright.language as T
from language.casts import (
    INTEGERS,
    NARROW,
    SMALL,
    WIDE,
    every_value,
    exact,
    integer_cases,
    rounding_cases,
    to_integer,
    to_narrow,
)  # fmt: skip
from tilewright.testing import numpy_dtype

_BLOCK = 4096
_TOGETHER = 4
NARROW_INTEGERS = ("bool", "i8", "u8", "i16", "u16")


def _made(dtype: str, n: int) -> np.ndarray:
    """Memory for n elements of `dtype`, filled with a pattern."""
    pairs = dtype == "f4e2m1fn"
    made = np.dtype(np.uint8) if pairs else numpy_dtype(dtype)
    return np.full(n // (2 if pairs else 1) * made.itemsize, 0xA5, np.uint8).view(made)


def convert(device: str, x: np.ndarray, source: str, targets: list[str]) -> dict[str, list]:
    """`x` in each of the targets, at most _TOGETHER: by T.copy and by T.cast."""
    n = len(x) + len(x) % 2  # pairs take an even size; the element behind is never looked at
    asked = (targets * _TOGETHER)[:_TOGETHER]

    @T.macro
    def both(tile, moved_to, made_to, block, target):
        moved = T.alloc_shared((_BLOCK,), target)
        made = T.alloc_shared((_BLOCK,), target)
        if "bool" in (source, target):  # copies convert numbers: stored instead
            for i in T.Parallel(_BLOCK):
                moved[i] = tile[i]
        else:
            T.copy(tile, moved)
        for i in T.Parallel(_BLOCK):
            made[i] = T.cast(tile[i], target)
        T.copy(moved, moved_to[block * _BLOCK])
        T.copy(made, made_to[block * _BLOCK])

    @T.prim_func
    def kernel(
        X: T.Tensor((n,), source),
        A0: T.Tensor((n,), asked[0]),
        B0: T.Tensor((n,), asked[0]),
        A1: T.Tensor((n,), asked[1]),
        B1: T.Tensor((n,), asked[1]),
        A2: T.Tensor((n,), asked[2]),
        B2: T.Tensor((n,), asked[2]),
        A3: T.Tensor((n,), asked[3]),
        B3: T.Tensor((n,), asked[3]),
    ):
        with T.Kernel(T.ceildiv(n, _BLOCK)) as block:
            tile = T.alloc_shared((_BLOCK,), source)
            T.copy(X[block * _BLOCK], tile)
            both(tile, A0, B0, block, asked[0])
            both(tile, A1, B1, block, asked[1])
            both(tile, A2, B2, block, asked[2])
            both(tile, A3, B3, block, asked[3])

    x = np.concatenate([x, x[: n - len(x)]])
    given = tilewright.pack_pairs(x) if source == "f4e2m1fn" else x
    outputs = [_made(target, n) for target in asked for _ in range(2)]
    tilewright.compile(kernel, target=device)(given, *outputs)
    results = {}
    for position, target in enumerate(targets):
        pair = outputs[2 * position : 2 * position + 2]
        if target == "f4e2m1fn":
            pair = [tilewright.unpack_pairs(y) for y in pair]
        results[target] = pair
    return results


def check(device: str, x: np.ndarray, source: str, targets: list[str]) -> None:
    """Both forms give what the definition says, the signs of zeros included."""
    with np.errstate(invalid="ignore"):
        value = exact(x)
    for first in range(0, len(targets), _TOGETHER):
        group = targets[first : first + _TOGETHER]
        for target, results in convert(device, x, source, group).items():
            expected = _expected(x, value, source, target)
            for form, result in zip(("copy", "cast"), results):
                _same(f"{source} to {target} by {form}", x, result[: len(x)], expected)


def _expected(x: np.ndarray, value: np.ndarray, source: str, target: str) -> np.ndarray:
    if target in NARROW:
        return to_narrow(value, target)
    with np.errstate(over="ignore", invalid="ignore"):
        if target in WIDE:
            return value.astype(numpy_dtype(target))
        if source in INTEGERS:  # wraps, or extends
            return x.astype(numpy_dtype(target))
    return to_integer(value, target)


def _same(what: str, x: np.ndarray, result: np.ndarray, expected: np.ndarray) -> None:
    if result.dtype.kind in "iub":
        wrong = result != expected
    else:
        got, wanted = exact(result), exact(expected)
        wrong = (got != wanted) | (np.signbit(got) != np.signbit(wanted))
        wrong &= ~(np.isnan(got) & np.isnan(wanted))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise AssertionError(
            f"{what}: {int(wrong.sum())} of {len(x)} differ, first {x[at]!r} gives "
            f"{result[at]!r}, not {expected[at]!r}"
        )


@pytest.mark.parametrize("source", [*NARROW, *NARROW_INTEGERS])
def test_every_value_to_every_type(device, source):
    x = every_value(source)
    padded = np.concatenate([x, x[: min(len(x), 37)]])  # no vector divides the length
    check(device, padded, source, [t for t in (*NARROW, *WIDE, *INTEGERS) if t != source])


@pytest.mark.parametrize(
    ("source", "length"),
    [
        (source, length)
        for source in ("f8e4m3fn", "f8e5m2", "f4e2m1fn")
        for length in (1, 2, 17, 31, 32, 33, 63, 64, 65, 66, 97, 130)
        if source != "f4e2m1fn" or length % 2 == 0  # two share a byte
    ],
)
def test_every_small_float_in_rows_of_every_length(device, source, length):
    """Whole registers look values up in tables, and what is left of a row is computed."""
    x = np.tile(every_value(source), length)  # each value is at each place of a row, or many
    rows = len(x) // length
    targets = ["bf16", "f16", "f32"]

    @T.prim_func
    def kernel(
        X: T.Tensor((rows, length), source),
        Y0: T.Tensor((rows, length), targets[0]),
        Y1: T.Tensor((rows, length), targets[1]),
        Y2: T.Tensor((rows, length), targets[2]),
    ):
        with T.Kernel(1):
            Z0 = T.alloc_shared((rows, length), targets[0])
            Z1 = T.alloc_shared((rows, length), targets[1])
            Z2 = T.alloc_shared((rows, length), targets[2])
            T.copy(X, Z0)
            T.copy(X, Z1)
            T.copy(X, Z2)
            T.copy(Z0, Y0)
            T.copy(Z1, Y1)
            T.copy(Z2, Y2)

    given = x.reshape(rows, length)
    outputs = [np.zeros(given.shape, numpy_dtype(target)) for target in targets]
    pairs = tilewright.pack_pairs(given) if source == "f4e2m1fn" else given
    tilewright.compile(kernel, target=device)(pairs, *outputs)
    for target, result in zip(targets, outputs):
        expected = _expected(x, exact(x), source, target)
        _same(f"{source} to {target}, {length} in a row", x, result.reshape(-1), expected)


@pytest.mark.parametrize("source", WIDE)
def test_wide_floats_to_narrow_floats(device, source):
    for target in NARROW:
        check(device, rounding_cases(target, source), source, [target])


@pytest.mark.parametrize("source", WIDE)
def test_wide_floats_to_narrow_integers(device, source):
    whole = np.arange(-(2**16) - 3, 2**16 + 3, dtype=np.float64)
    x = np.concatenate([whole, whole + 0.5]).astype(numpy_dtype(source))
    x = np.concatenate([x, np.nextafter(x, x.dtype.type(0)), np.nextafter(x, x * 2)])
    special = [np.inf, -np.inf, np.nan, -np.nan, 1e30, -1e30, 1e-30, -0.0, 2.0**31, 2.0**63]
    check(device, np.concatenate([x, np.array(special, x.dtype)]), source, [*NARROW_INTEGERS])


@pytest.mark.parametrize("source", ["i32", "u32", "i64", "u64"])
def test_wide_integers_to_narrow_types(device, source):
    x = integer_cases(source)
    check(device, x, source, [*NARROW, *NARROW_INTEGERS])


@pytest.mark.parametrize("dtype", SMALL)
def test_the_reference_agrees_with_ml_dtypes_where_nothing_saturates(dtype):
    """Our rules are those of ml_dtypes but for what is beyond the largest number and NaN.

    Of e8m0, ml_dtypes rounds up everything between the two least numbers.
    """
    with np.errstate(invalid="ignore"):
        x = rounding_cases(dtype, "f32").astype(np.float64)
    largest = float(ml_dtypes.finfo(numpy_dtype(dtype)).max)
    x = x[np.abs(x) <= largest]
    if dtype == "f8e8m0fnu":
        x = x[(x <= 0) | (x >= 2.0**-126)]
    with np.errstate(all="ignore"):
        theirs = exact(x.astype(numpy_dtype(dtype)))
    ours = to_narrow(x, dtype)
    assert np.array_equal(ours, theirs, equal_nan=True)
    assert np.array_equal(np.signbit(ours)[ours == 0], np.signbit(theirs)[ours == 0])
