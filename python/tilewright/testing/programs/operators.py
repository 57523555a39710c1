# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What operators and functions on scalars compute, element by element.

Written from docs/semantics.md alone: promotion, wrapping, floor division, shifts past the
width, NaN that wins, one rounding per operation. Operands are `Numbers` of one shape, or
Python numbers, which take the other side's type.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tilewright.testing.dtypes import numpy_dtype
from tilewright.testing.programs.numbers import (
    NARROW,
    NO_NEGATIVE_ZERO,
    PAIR,
    SCALE,
    SIGNED,
    UNSIGNED,
    Numbers,
    bits_of,
    cast,
    exact,
    held_as,
    is_float,
    nearest,
    rounded,
)

Operand = Numbers | bool | int | float


def promote(a: str, b: str) -> str:
    """The type in which two types meet."""
    if a == b or b == "bool":
        return a
    if a == "bool":
        return b
    if is_float(a) != is_float(b):
        return a if is_float(a) else b
    if is_float(a):
        wide, narrow = (a, b) if bits_of(a) > bits_of(b) else (b, a)
        apart = bits_of(a) == bits_of(b) or {a, b} in ({SCALE, "f16"}, {SCALE, PAIR})
        return "f32" if apart and narrow != wide else wide
    if "index" in (a, b):
        return "index"
    if (a in SIGNED) == (b in SIGNED):
        return a if bits_of(a) > bits_of(b) else b
    signed, unsigned = (a, b) if a in SIGNED else (b, a)
    return signed if bits_of(signed) > bits_of(unsigned) else unsigned


def literal_type(value: bool | int | float, other: str) -> str:
    """The type that a Python number takes beside a value of another type."""
    if isinstance(value, float) and not is_float(other):
        return "f32"
    if other == "bool" and not isinstance(value, bool):
        return "i32"
    return other


def alone(value: Operand) -> Numbers:
    """A Python number that meets no other value: bool, int32 or float32."""
    if isinstance(value, Numbers):
        return value
    if isinstance(value, bool):
        return exact("bool", value)
    if isinstance(value, int):
        return exact("i32", value)
    return exact("f32", nearest(np.asarray(value, np.float64), "f32"))


def typed(value: Operand, dtype: str) -> Numbers:
    """A Python number in a type; a value converted to it."""
    if isinstance(value, Numbers):
        return cast(value, dtype)
    if is_float(dtype):
        return exact(dtype, nearest(np.asarray(float(value)), dtype))
    if isinstance(value, float):
        return cast(alone(value), dtype)
    return exact(dtype, value)


def meet(a: Operand, b: Operand) -> tuple[Numbers, Numbers]:
    """Both operands in the type in which they meet."""
    if isinstance(a, Numbers) and not isinstance(b, Numbers):
        b = typed(b, literal_type(b, a.dtype))
    elif isinstance(b, Numbers) and not isinstance(a, Numbers):
        a = typed(a, literal_type(a, b.dtype))
    a, b = alone(a), alone(b)
    dtype = promote(a.dtype, b.dtype)
    return cast(a, dtype), cast(b, dtype)


def _computed(value: np.ndarray, error: np.ndarray, dtype: str) -> Numbers:
    """A result in a float type: those below f32 are computed in f32 and converted."""
    if dtype in NARROW and not np.any(error):
        value = nearest(value, "f32")
    return rounded(value, error, dtype)


def _worst(*numbers: Numbers) -> np.ndarray:
    """Zero where everything is known, else infinity: the error of integer results."""
    lost = numbers[0].error > 0
    for other in numbers[1:]:
        lost = lost | (other.error > 0)
    return np.where(lost, np.inf, 0.0)


# -- arithmetic -------------------------------------------------------------------------------


def arithmetic(op: str, a: Operand, b: Operand) -> Numbers:
    """`a op b` for + - * / // %."""
    a, b = meet(a, b)
    if a.dtype == "bool" and op != "/":
        a, b = cast(a, "i32"), cast(b, "i32")
    if op == "/" and not is_float(a.dtype):
        a, b = cast(a, "f32"), cast(b, "f32")
    with np.errstate(all="ignore"):
        if not is_float(a.dtype):
            return _integer_arithmetic(op, a, b)
        return _FLOAT_ARITHMETIC[op](a, b)


def _integer_arithmetic(op: str, a: Numbers, b: Numbers) -> Numbers:
    x, y, error = a.value, b.value, _worst(a, b)
    if op in ("//", "%"):
        undefined = y == 0
        if a.dtype not in UNSIGNED:
            undefined = undefined | ((x == np.iinfo(x.dtype).min) & (y == -1))
        y = np.where(undefined, np.asarray(1, y.dtype), y)
        error = np.where(undefined, np.inf, error)
    apply = {"+": np.add, "-": np.subtract, "*": np.multiply}.get(op)
    apply = apply or {"//": np.floor_divide, "%": np.remainder}[op]
    error = np.broadcast_to(error, np.broadcast(x, y).shape)
    if a.dtype not in SIGNED or a.dtype == "i64":
        return Numbers(a.dtype, apply(x, y), error)
    p, q = a.index.astype(np.int64), b.index.astype(np.int64)
    if op in ("//", "%"):
        error = np.where(q == 0, np.inf, error)
        q = np.where(q == 0, 1, q)
    return Numbers(a.dtype, apply(x, y), error, apply(p, q))


def _add(a: Numbers, b: Numbers) -> Numbers:
    return _computed(a.value + b.value, a.error + b.error, a.dtype)


def _subtract(a: Numbers, b: Numbers) -> Numbers:
    return _computed(a.value - b.value, a.error + b.error, a.dtype)


def _multiply(a: Numbers, b: Numbers) -> Numbers:
    error = _times(np.abs(a.value), b.error) + _times(np.abs(b.value) + b.error, a.error)
    return _computed(a.value * b.value, error, a.dtype)


def _times(size: np.ndarray, error: np.ndarray) -> np.ndarray:
    """size * error, where no error is no error whatever the size."""
    return np.where(error > 0, np.where(np.isnan(size), np.inf, size) * error, 0.0)


def _divide(a: Numbers, b: Numbers) -> Numbers:
    result = _computed(a.value / b.value, _quotient_error(a, b), a.dtype)
    # A zero's sign is not specified, so neither is that of the infinity it gives.
    by_zero = (b.value == 0) & (a.value != 0) & ~np.isnan(a.value)
    return Numbers(a.dtype, result.value, np.where(by_zero, np.inf, result.error))


def _quotient_error(a: Numbers, b: Numbers) -> np.ndarray:
    near = np.abs(b.value) - b.error
    error = (_times(np.abs(a.value), b.error) + _times(np.abs(b.value), a.error)) / (
        np.abs(b.value) * near
    )
    none = (a.error == 0) & (b.error == 0)
    return np.where(none, 0.0, np.where((near > 0) & (error >= 0), error, np.inf))


def _floor_divide(a: Numbers, b: Numbers) -> Numbers:
    return rounding("floor", _divide(a, b))


def _remainder(a: Numbers, b: Numbers) -> Numbers:
    """The rest has the divisor's sign, zero included; fmod is exact, bringing it to that sign
    rounds once."""
    x, y = a.value, b.value
    rest = np.fmod(x, y)
    value = np.where((rest != 0) & ((rest < 0) != (y < 0)), rest + y, rest)
    value = np.where(rest == 0, np.copysign(0.0, y), value)
    return _computed(value, _worst(a, b), a.dtype)


_FLOAT_ARITHMETIC: dict[str, Callable[[Numbers, Numbers], Numbers]] = {
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "//": _floor_divide,
    "%": _remainder,
}


def fma(a: Operand, b: Operand, c: Operand) -> Numbers:
    """a * b + c with one rounding; of integers both operations wrap."""
    a, b = meet(a, b)
    a, c = meet(a, c)
    b = cast(b, a.dtype)
    if not is_float(a.dtype):
        return arithmetic("+", arithmetic("*", a, b), c)
    with np.errstate(all="ignore"):
        error = _times(np.abs(a.value), b.error) + _times(np.abs(b.value) + b.error, a.error)
        error = error + c.error
        if a.dtype == "f64":  # the product itself has no place in float64
            value = a.value * b.value + c.value
            slack = np.abs(a.value * b.value) * 2.0**-52
            return rounded(value, np.where(np.isfinite(value), error + slack, error), "f64")
        wide = rounded(_odd_sum(a.value * b.value, c.value), error, "f32")
    return cast(wide, a.dtype)


def _odd_sum(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a + b in float64, rounded to odd, so that a further rounding is the only one."""
    total = a + b
    back = total - a
    lost = (a - (total - back)) + (b - back)
    even = (np.asarray(total).view(np.int64) & 1) == 0
    toward = np.where(lost > 0, np.inf, -np.inf)
    inexact = np.isfinite(total) & (lost != 0) & even
    return np.where(inexact, np.nextafter(total, toward), total)


_ROUNDING = {"floor": np.floor, "ceil": np.ceil, "round": np.rint, "trunc": np.trunc}


def rounding(name: str, a: Operand) -> Numbers:
    """floor, ceil, round (half to even) and trunc; integers stay as they are."""
    a = alone(a)
    if not is_float(a.dtype):
        return a
    apply = _ROUNDING[name]
    with np.errstate(invalid="ignore"):
        same = apply(a.value - a.error) == apply(a.value + a.error)
    error = np.where(same | (a.error == 0), 0.0, a.error + 1)
    return Numbers(a.dtype, _held(apply(a.value), a.dtype), error)


def _held(value: np.ndarray, dtype: str) -> np.ndarray:
    """What is not rounded, but for what the type has not: zero, -0 or a sign."""
    return nearest(value, dtype) if dtype in (SCALE, *NO_NEGATIVE_ZERO) else value


# -- bits -------------------------------------------------------------------------------------


def bitwise(op: str, a: Operand, b: Operand) -> Numbers:
    """`a op b` for & | ^ on integers and bool."""
    a, b = meet(a, b)
    apply = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}[op]
    return Numbers(a.dtype, apply(a.value, b.value), _worst(a, b))


def shift(op: str, a: Operand, b: Operand) -> Numbers:
    """`a << b` and `a >> b` in the type of a; amounts past the width give 0 or the sign."""
    a, b = alone(a), alone(b)
    if a.dtype == "bool":
        a = cast(a, "i32")
    width = bits_of(a.dtype)
    x = a.value
    large = (b.value < 0) | (b.value >= width)
    amount = np.where(large, width - 1, b.value).astype(x.dtype)
    if op == "<<":
        value = np.where(large, np.zeros((), x.dtype), x << amount)
    elif a.dtype in UNSIGNED:
        value = np.where(large, np.zeros((), x.dtype), x >> amount)
    else:
        value = x >> amount
    return Numbers(a.dtype, value.astype(x.dtype), _worst(a, b))


def invert(a: Operand) -> Numbers:
    """`~a`; of bool, not."""
    a = alone(a)
    return Numbers(a.dtype, ~a.value, a.error)


def negate(a: Operand) -> Numbers:
    """`-a`."""
    a = alone(a)
    if a.dtype == "bool":
        a = cast(a, "i32")
    with np.errstate(over="ignore"):
        wide = -a.index.astype(np.int64) if a.dtype in SIGNED and a.dtype != "i64" else None
        return Numbers(a.dtype, _held(np.negative(a.value), a.dtype), a.error, wide)


def magnitude(a: Operand) -> Numbers:
    """T.abs; the most negative integer stays itself."""
    a = alone(a)
    return a if a.dtype == "bool" else Numbers(a.dtype, np.abs(a.value), a.error)


def reinterpret(a: Numbers, dtype: str) -> Numbers:
    """The same bits in another type of the same width."""
    if not is_float(a.dtype) and not is_float(dtype):
        return Numbers(dtype, a.value.astype(held_as(dtype)), a.error)
    error = _worst(a)
    with np.errstate(all="ignore"):
        stored = np.asarray(a.value.astype(numpy_dtype(a.dtype)))
    # The sign of a zero and the bits of NaN are not specified, but where there is one of each.
    if is_float(a.dtype) and a.dtype not in (SCALE, *NO_NEGATIVE_ZERO):
        error = np.where((a.value == 0) | np.isnan(a.value), np.inf, error)
    result = np.asarray(stored.view(numpy_dtype(dtype)))
    return Numbers(dtype, result.astype(held_as(dtype)), error)


# -- comparison and choice --------------------------------------------------------------------


def compare(op: str, a: Operand, b: Operand) -> Numbers:
    """`a op b` for < <= > >= == !=; false with NaN, but for !=."""
    a, b = meet(a, b)
    apply = {"<": np.less, "<=": np.less_equal, ">": np.greater}.get(op)
    apply = apply or {">=": np.greater_equal, "==": np.equal, "!=": np.not_equal}[op]
    with np.errstate(all="ignore"):
        near = ~(np.abs(a.value - b.value) > a.error + b.error) if is_float(a.dtype) else True
        unsure = ((a.error > 0) | (b.error > 0)) & near
    return Numbers("bool", apply(a.value, b.value), np.where(unsure, np.inf, 0.0))


def predicate(name: str, a: Numbers) -> Numbers:
    """T.isnan and T.isinf of a float."""
    apply = np.isnan if name == "isnan" else np.isinf
    return Numbers("bool", apply(a.value), _worst(a))


def truth(a: Operand) -> Numbers:
    """Whether a value is not zero."""
    return cast(alone(a), "bool")


def logic(op: str, a: Operand, b: Operand) -> Numbers:
    """`a and b`, `a or b` on truths."""
    a, b = truth(a), truth(b)
    apply = np.logical_and if op == "and" else np.logical_or
    return Numbers("bool", apply(a.value, b.value), _worst(a, b))


def select(condition: Operand, a: Operand, b: Operand) -> Numbers:
    """a where the condition holds, else b, in the type in which they meet."""
    condition = truth(condition)
    a, b = meet(a, b)
    error = np.where(condition.value, a.error, b.error)
    return Numbers(
        a.dtype,
        np.where(condition.value, a.value, b.value),
        np.where(condition.error > 0, np.inf, error),
    )


def extremum(op: str, a: Operand, b: Operand) -> Numbers:
    """T.min and T.max; NaN wins."""
    a, b = meet(a, b)
    apply = np.minimum if op == "min" else np.maximum
    with np.errstate(invalid="ignore"):
        value = apply(a.value, b.value)
    if not is_float(a.dtype):
        return Numbers(a.dtype, value, _worst(a, b))
    return Numbers(a.dtype, value, np.maximum(a.error, b.error))
