# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Sums whose order is not specified: products of matrices, reductions, running sums.

Where all terms are multiples of one power of two and the sum of their magnitudes is below
2^p of it, no partial sum in any order needs more than p bits: then every order gives the
same number, and the bound stays zero. Elsewhere it is the gamma_n of docs/semantics.md.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tilewright.testing.dtypes import (
    largest,
    numpy_dtype,
    significand_bits,
    smallest_normal,
    smallest_subnormal,
    unit_roundoff,
)
from tilewright.testing.programs.numbers import (
    Numbers,
    cast,
    held_as,
    is_float,
)
from tilewright.testing.programs.operators import arithmetic, magnitude, truth


def adder(dtype: str) -> str:
    """The type in which sums of a float type are computed."""
    return "f64" if dtype == "f64" else "f32"


def lowest_bit(value: np.ndarray) -> np.ndarray:
    """The weight of the lowest bit that is set; infinity for zero and what is not finite."""
    usable = np.isfinite(value) & (value != 0)
    mantissa, exponent = np.frexp(np.where(usable, value, 1.0))
    whole = np.abs(np.ldexp(mantissa, 53)).astype(np.int64)
    bit = (whole & -whole).astype(np.float64)
    return np.where(usable, np.ldexp(bit, exponent - 53), np.inf)


def summed(
    value: np.ndarray,
    size: np.ndarray,
    unit: np.ndarray,
    slack: np.ndarray,
    terms: int,
    dtype: str,
) -> Numbers:
    """A sum in `dtype` (f32 or f64), not yet rounded to what holds it.

    `value` is the sum in float64, `size` that of the magnitudes, `unit` a power of two that
    divides every term, `slack` the error that the terms themselves bring.
    """
    with np.errstate(all="ignore"):
        fits = size <= 2.0 ** significand_bits(dtype) * unit
        fits &= (unit >= smallest_subnormal(dtype)) & (size <= largest(dtype))
        order = _growth(max(terms, 1), dtype) * (size + slack)
        order = 2 * order if dtype == "f64" else order  # the reference adds in float64 too
        error = np.where(fits & (slack == 0), 0.0, slack + order)
        near = size + slack + order >= largest(dtype)  # may become infinite on the way
        error = np.where(near & (error > 0), np.inf, error)
        # With a NaN or an infinity among the terms, so it is in every order.
        special = ~np.isfinite(size)
        error = np.where(
            special, np.where(np.isfinite(slack) & (slack == 0), 0.0, np.inf), error
        )
    return Numbers(dtype, value, error)


def _growth(terms: int, dtype: str) -> float:
    """gamma_terms, or infinity where so many roundings say nothing."""
    error = terms * unit_roundoff(dtype)
    return error / (1 - error) if error < 0.5 else np.inf


def total(terms: Numbers, axis: int, former: Numbers | None = None) -> Numbers:
    """The sum along an axis in the type of the terms, `former` taking part."""
    if not is_float(terms.dtype):
        value = np.add.reduce(terms.value, axis=axis, dtype=held_as(terms.dtype))
        result = Numbers(terms.dtype, value, _lost(terms.error.max(axis=axis, initial=0.0)))
        return result if former is None else arithmetic("+", result, former)
    if former is not None:
        terms = joined(terms, former, axis)
    wide = adder(terms.dtype)
    with np.errstate(all="ignore"):
        sums = summed(
            terms.value.sum(axis=axis),
            np.abs(terms.value).sum(axis=axis),
            lowest_bit(terms.value).min(axis=axis, initial=np.inf),
            terms.error.sum(axis=axis),
            terms.value.shape[axis],
            wide,
        )
    return cast(sums, terms.dtype)


def joined(terms: Numbers, former: Numbers, axis: int) -> Numbers:
    """The terms with one more along an axis."""
    return Numbers(
        terms.dtype,
        np.concatenate([terms.value, np.expand_dims(former.value, axis)], axis),
        np.concatenate([terms.error, np.expand_dims(former.error, axis)], axis),
    )


def running(
    terms: Numbers, axis: int, reverse: bool, exclusive: bool, fold: Callable = total
) -> Numbers:
    """Running combinations along an axis, each a fold of its own."""
    count = terms.value.shape[axis]
    parts = []
    for i in range(count):
        left_out = int(exclusive)
        span = range(i + left_out, count) if reverse else range(i + 1 - left_out)
        part = Numbers(terms.dtype, terms.value.take(span, axis), terms.error.take(span, axis))
        parts.append(fold(part, axis))
    return Numbers(
        terms.dtype,
        np.stack([p.value for p in parts], axis),
        np.stack([p.error for p in parts], axis),
    )


def largest_of(terms: Numbers, axis: int) -> Numbers:
    """The maximum along an axis, NaN winning; of nothing, what every number is as large as.

    That of floats is -infinity in the type in which they meet. An extremum is an element: an
    infinity stays one in a type that has it, and becomes the most in the others.
    """
    wide = cast(terms, adder(terms.dtype)) if is_float(terms.dtype) else terms
    shape = terms.value.shape[:axis] + terms.value.shape[axis + 1 :]
    held = held_as(wide.dtype)
    least = np.full(shape, -np.inf if is_float(wide.dtype) else np.iinfo(held).min, held)
    former = Numbers(wide.dtype, least, np.zeros(shape))
    found = reduction("max", wide, axis, former)
    result = cast(found, terms.dtype)
    if not is_float(terms.dtype) or not _has_infinity(terms.dtype):
        return result
    kept = np.where(np.isinf(found.value), found.value, result.value)
    return Numbers(result.dtype, kept, result.error)


def _has_infinity(dtype: str) -> bool:
    return bool(np.isinf(np.array(np.inf).astype(numpy_dtype(dtype)).astype(np.float64)))


def _lost(error: np.ndarray) -> np.ndarray:
    return np.where(error > 0, np.inf, 0.0)


def product(a: Numbers, b: Numbers, c: Numbers | None, dtype: str) -> Numbers:
    """c + a b for matrices, in `dtype` (f32, f64, or a 32-bit integer that wraps)."""
    if not is_float(a.dtype):
        value = a.value.astype(np.int64) @ b.value.astype(np.int64)
        error = (a.error > 0).any(1)[:, None] | (b.error > 0).any(0)[None, :]
        if c is not None:
            value = value + c.value.astype(np.int64)
            error = error | (c.error > 0)
        return Numbers(dtype, value.astype(held_as(dtype)), np.where(error, np.inf, 0.0))
    x, y = a.value, b.value
    k = x.shape[1]
    with np.errstate(all="ignore"):
        value, size = x @ y, np.abs(x) @ np.abs(y)
        slack = np.abs(x) @ b.error + a.error @ (np.abs(y) + b.error)
        slack = np.where(np.isnan(slack), np.inf, slack)
        unit = lowest_bit(x).min(1)[:, None] * lowest_bit(y).min(0)[None, :]
        if not (np.isfinite(x).all() and np.isfinite(y).all()):
            value, size, unit = _special_product(x, y, unit)
        tiny = smallest_normal("f32") if dtype == "f32" else 0.0
        flushed = _flushed(x, y, tiny)
        if c is not None:
            value, size = value + c.value, size + np.abs(c.value)
            unit, slack = np.minimum(unit, lowest_bit(c.value)), slack + c.error
    return summed(value, size, unit, slack + flushed, k + 1, dtype)


def _flushed(x: np.ndarray, y: np.ndarray, tiny: float) -> np.ndarray:
    """What changes where operands below the smallest normal number are read as zero."""
    small_x = np.where(np.abs(x) < tiny, np.abs(x), 0.0)
    small_y = np.where(np.abs(y) < tiny, np.abs(y), 0.0)
    if not small_x.any() and not small_y.any():
        return np.zeros((x.shape[0], y.shape[1]))
    lost = small_x @ np.abs(y) + np.abs(x) @ small_y
    return np.where(np.isnan(lost), np.inf, lost)


def _special_product(x: np.ndarray, y: np.ndarray, unit: np.ndarray):
    """Value, size and unit of a product with infinities or NaN among its operands.

    Libraries may treat 0 * infinity by blocks, so products are added one after the other.
    """
    terms = x[:, :, None] * y[None, :, :]
    return terms.sum(1), np.abs(terms).sum(1), unit


# -- other reductions -------------------------------------------------------------------------


def reduction(kind: str, terms: Numbers, axis: int, former: Numbers | None) -> Numbers:
    """T.reduce_<kind> along an axis; `former` is what `clear=False` lets take part."""
    if kind in ("sum", "abssum"):
        return total(magnitude(terms) if kind == "abssum" else terms, axis, former)
    if kind in ("any", "all"):
        terms = truth(terms)
        former = None if former is None else truth(former)
    if kind == "absmax":
        terms = magnitude(terms)
    if former is not None:
        terms = joined(terms, former, axis)
    apply = _FOLDS[kind]
    with np.errstate(invalid="ignore"):
        if kind == "absmax" and terms.value.dtype.kind == "i":
            value = _largest_magnitude(terms.value, axis)
        else:
            value = apply.reduce(terms.value, axis=axis)
    error = terms.error.max(axis=axis, initial=0.0)
    return Numbers(terms.dtype, value, error if is_float(terms.dtype) else _lost(error))


def _largest_magnitude(values: np.ndarray, axis: int) -> np.ndarray:
    """Of magnitudes that wrapped: that of the least integer is the largest, and stays
    negative. What else is below zero is a former value, and below them all."""
    least = np.iinfo(values.dtype).min
    sizes = np.where((values < 0) & (values != least), 0, values)
    sizes = np.ascontiguousarray(sizes).view(f"u{values.dtype.itemsize}")
    return sizes.max(axis=axis).view(values.dtype)


_FOLDS = {
    "max": np.maximum,
    "min": np.minimum,
    "absmax": np.maximum,
    "any": np.logical_or,
    "all": np.logical_and,
    "bitand": np.bitwise_and,
    "bitor": np.bitwise_or,
    "bitxor": np.bitwise_xor,
}


def position(kind: str, terms: Numbers, axis: int) -> Numbers:
    """T.reduce_argmax, _argmin: the lowest position among equals; NaN is the extreme."""
    apply = np.argmax if kind == "argmax" else np.argmin
    value = apply(terms.value, axis=axis)
    return Numbers("i64", value, _lost(terms.error.max(axis=axis, initial=0.0)))


def selection(terms: Numbers, k: int, axis: int, biggest: bool) -> tuple[Numbers, Numbers]:
    """T.topk: values and int32 positions, equals in order, NaN first."""
    moved = np.moveaxis(terms.value, axis, -1)
    flat = moved.reshape(-1, moved.shape[-1])
    order = np.empty((len(flat), k), np.int64)
    for row, values in enumerate(flat):
        listed = values.tolist()
        order[row] = sorted(range(len(listed)), key=lambda i: _rank(listed[i], biggest))[:k]
    shape = (*moved.shape[:-1], k)
    positions = np.moveaxis(order.reshape(shape), -1, axis)
    value = np.take_along_axis(terms.value, positions, axis)
    error = _lost(terms.error.max(axis=axis, initial=0.0, keepdims=True))
    error = np.broadcast_to(error, value.shape)
    return Numbers(terms.dtype, value, error), Numbers("i32", positions.astype(np.int32), error)


def _rank(value: float, biggest: bool) -> tuple:
    if value != value:
        return (0, 0)
    return (1, -value if biggest else value)
